"""What can go wrong below the domain, and whether trying again can help."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.domain.errors import Busy

BUSY = "The desk is busy and nothing was done; try again in a moment."
RETRIED = frozenset({"40001", "40P01"})
TAKEN = "23505"


class CommitUnknown(Exception):  # noqa: N818  # not known is not an error yet
    """COMMIT was sent and no answer came."""


# The database cannot be reached or is busy: what was to be done can be done later, unchanged.
AWAY = (OperationalError, InterfaceError, NoConnection, Busy, CommitUnknown)


class Overtaken(Exception):  # noqa: N818  # not an error: the transaction is tried again
    """A transaction that began later changed the same document first; a fresh id keeps the order of ids true."""


def state_of(fault: DBAPIError) -> str:
    """PostgreSQL's five-letter code of a fault, or nothing."""
    return str(getattr(fault.orig, "sqlstate", "") or "")


def is_conflict(fault: DBAPIError) -> bool:
    """Whether trying the whole transaction again can help.

    Deadlock, serialisation, a lost connection before COMMIT, or a key, code or name that another one wrote meanwhile:
    the second try sees it and refuses or repeats as it should.
    """
    return fault.connection_invalidated or state_of(fault) in {*RETRIED, TAKEN}


def is_passing(fault: DBAPIError) -> bool:
    """Whether the desk was busy, rather than wrong, when a fault is left after all tries."""
    return fault.connection_invalidated or state_of(fault) in RETRIED or is_timeout(fault)


def is_timeout(fault: DBAPIError) -> bool:
    """Whether a wait ended with the deadline."""
    return state_of(fault) in {"57014", "55P03"} or "database is locked" in str(fault.orig)


def is_below(fault: Exception) -> bool:
    """Whether it is the database's or the system's fault, which a later try may not meet."""
    return isinstance(fault, (DBAPIError, OSError))
