"""Duedesk: accounts receivable and customer credit, run from Slack."""

__version__ = "0.1.0"
