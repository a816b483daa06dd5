"""Texts in a CSV cell that no spreadsheet takes for a formula, and back again."""

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
MARK = "'"


def neutralise(text: str) -> str:
    """Lead by an apostrophe what a spreadsheet would run, and what begins with one already."""
    if text.startswith((*DANGEROUS, MARK)) or text.lstrip().startswith((*DANGEROUS, MARK)):
        return f"{MARK}{text}"
    return text


def restore(text: str) -> str:
    """The text as it was before `neutralise`."""
    return text.removeprefix(MARK)
