"""What a restored backup still had to send is held back, for it may have been sent long ago."""

from sqlalchemy import Connection, update

from bot.storage.tables import MailRow, OutboxRow

_mail = MailRow.__table__  # type: ignore[attr-defined]  # as below
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one


def park(connection: Connection, reason: str) -> int:
    """Hold back every message that waits; returns how many."""
    found = connection.execute(
        update(_outbox)
        .where(_outbox.c.state == "waiting")
        .values(state="parked", error=reason, lease_until=None, lease_owner=None)
    )
    # A mail is not sent again before it is known that it was not.
    connection.execute(
        update(_mail).where(_mail.c.state == "waiting").values(state="unknown", attempting_at=_mail.c.recorded_at)
    )
    return int(found.rowcount)
