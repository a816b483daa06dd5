"""What a workspace holds: people, channels, messages, views, files, and what crossed between it and the app."""

from sandbox.state.records import Channel, Delivery, File, Message, OpenView, Person, Problem
from sandbox.state.workspace import BOT_USER, Workspace

__all__ = ["BOT_USER", "Channel", "Delivery", "File", "Message", "OpenView", "Person", "Problem", "Workspace"]
