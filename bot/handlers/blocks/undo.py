"""The button that takes a fresh operation back, the same on every card."""

from bot.handlers.blocks.text import shorten
from bot.handlers.forms import Block, button, confirmation


def undo_button(operation_id: int, what: str) -> Block:
    """Undo, with what is reversed said before it is."""
    sure = confirmation("Undo this?", shorten(f"This is reversed, with all it posted: {what}", 280), yes="Undo")
    return button("Undo", "undo", str(operation_id), confirm=sure)
