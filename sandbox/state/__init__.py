"""What a workspace holds: people, channels, messages, views, files, and what crossed between it and the app."""

from sandbox.state.records import Channel, Delivery, File, Message, OpenView, Person, Problem
from sandbox.state.workspace import Workspace

__all__ = ["Channel", "Delivery", "File", "Message", "OpenView", "Person", "Problem", "Workspace"]
