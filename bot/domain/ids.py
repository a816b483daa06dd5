"""Ids as buttons carry them and people may type them."""

LARGEST_ID = 2**63 - 1  # what a column of both engines holds
MOST_DIGITS = len(str(LARGEST_ID))


def id_in(text: str) -> int | None:
    """The id that a text is; nothing where it is none that could be kept."""
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        return None
    return int(text) if int(text) <= LARGEST_ID else None
