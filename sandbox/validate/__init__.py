"""A strict offline lint of Slack payloads: messages, views and answers to deliveries."""

from sandbox.validate.ack import check_ack
from sandbox.validate.message import check_message
from sandbox.validate.view import check_view
from sandbox.validate.walk import Fault

__all__ = ["Fault", "check_ack", "check_message", "check_view"]
