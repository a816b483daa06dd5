"""Deliveries to the app: signed HTTP, Socket Mode, or a call in the same process; one answer handling for all."""

from sandbox.deliver.payloads import Payloads
from sandbox.deliver.send import Sender, SocketHub

__all__ = ["Payloads", "Sender", "SocketHub"]
