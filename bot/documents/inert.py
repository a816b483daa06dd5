"""Text that a spreadsheet never takes for a formula in a CSV file, and the same text back when such a file is read."""

import re

# What a spreadsheet begins to compute at, also behind blanks and marks that are not seen, and behind our own
# apostrophes: without the last, a name that was written as '=A and one that was neutralised would look the same.
_COMPUTED = re.compile(r"['\s\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*(?:[=+\-@|%＝＋－＠]|[\t\r\n])")


def neutralise(text: str) -> str:
    """A text for a CSV cell: one that begins like a formula, a command or a line break is led by an apostrophe."""
    return f"'{text}" if _COMPUTED.match(text) else text


def restore(cell: str) -> str:
    """The text that `neutralise` was given; a cell of another program stays as it is, unless it reads as ours."""
    return cell[1:] if cell.startswith("'") and _COMPUTED.match(cell, 1) else cell
