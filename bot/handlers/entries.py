"""The entries behind a document, as an answer to one person."""

from collections.abc import Sequence

from bot.domain.ports import EntryLine
from bot.domain.settings import Settings
from bot.handlers.blocks.lists import entry_table
from bot.handlers.blocks.rich import preformatted
from bot.handlers.blocks.text import escape
from bot.handlers.commands import Reply
from bot.handlers.forms import context

MOST_POSTINGS = 30


def entries_reply(label: str, lines: Sequence[EntryLine], settings: Settings) -> Reply:
    """The newest postings of a document, in the order they were made."""
    says = escape(f"Entries of {label}")
    if not lines:
        return Reply(f"{says}: nothing was posted for it.")
    left_out = len({each.entry_id for each in lines}) - len({each.entry_id for each in lines[-MOST_POSTINGS:]})
    blocks = [preformatted(entry_table(lines[-MOST_POSTINGS:], settings), block_id="entries")]
    if left_out:
        blocks.append(context(f"{left_out} earlier entries are not shown."))
    return Reply(says, blocks)
