"""Messages that wait for an operator: what Slack refused for good, and what a restored backup still had to send, which
may have been sent long ago.
"""

from sqlalchemy import Connection, func, select, update

from bot.storage.database import now_of
from bot.storage.store import Store
from bot.storage.tables import OutboxRow

_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one

PARKED, FAILED, DROPPED = "parked", "failed", "dropped"
_is_parked = _outbox.c.state.in_((PARKED, FAILED))


def park(connection: Connection, reason: str) -> int:
    """Hold back every message that waits; returns how many."""
    found = connection.execute(
        update(_outbox)
        .where(_outbox.c.state == "waiting")
        .values(state=PARKED, error=reason, lease_until=None, lease_owner=None)
    )
    return int(found.rowcount)


def parked(store: Store) -> int:
    """How many messages are held back or were given up."""
    statement = select(func.count()).where(_is_parked)
    return store.database.read(lambda connection: int(connection.execute(statement).scalar() or 0), None)


def resume(store: Store) -> int:
    """Send them after all; each counts as tried, so that one that was sent is looked for first."""

    def work(connection: Connection) -> int:
        values = {"state": "waiting", "attempts": 1, "not_before": now_of(connection), "done_at": None}
        return int(connection.execute(update(_outbox).where(_is_parked).values(values)).rowcount)

    return store.write(work)


def drop(store: Store) -> int:
    """Never send them; the rows are kept."""

    def work(connection: Connection) -> int:
        values = {"state": DROPPED, "done_at": now_of(connection)}
        return int(connection.execute(update(_outbox).where(_is_parked).values(values)).rowcount)

    return store.write(work)
