"""The parts of the work that a process takes: doors, jobs, delivery; all of them when nothing else is said."""

from enum import StrEnum

SEPARATOR = "+"


class Part(StrEnum):
    """Requests from Slack; what runs by the clock; messages, files and the seals of the audit log."""

    WEB = "web"
    JOBS = "jobs"
    DELIVERY = "delivery"


Parts = frozenset[Part]
EVERY: Parts = frozenset(Part)


def read_parts(words: str) -> Parts:
    """Parts by name, with commas between them. Raises ValueError."""
    names = [each.strip() for each in words.split(",")]
    unknown = [each for each in names if each not in set(Part)]
    if unknown:
        raise ValueError(f"there is no part {unknown[0][:20]!r}; there are {', '.join(Part)}")
    return frozenset(Part(each) for each in names)


def written(parts: Parts) -> str:
    """Parts as a sign of life names them."""
    return SEPARATOR.join(each for each in Part if each in parts)


def signed_parts(name: str) -> Parts:
    """The parts behind the name of a process; a name without any is of a process that does everything."""
    _, *behind = name.split()
    return frozenset(each for each in Part if each in behind[0].split(SEPARATOR)) if behind else EVERY
