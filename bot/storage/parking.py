"""What a restored backup still had to send is held back, for it may have been sent long ago."""

from sqlalchemy import Connection, delete, insert, select, update

from bot.domain.reminder_settings import OFF
from bot.storage.tables import MailRow, OutboxRow, ReminderMessageRow, ReminderScheduleRow, SettingRow

_mail = MailRow.__table__  # type: ignore[attr-defined]  # as below
_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # as below
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_schedule = ReminderScheduleRow.__table__  # type: ignore[attr-defined]  # as above
_setting = SettingRow.__table__  # type: ignore[attr-defined]  # as above


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


def stop_reminding(connection: Connection, reason: str) -> bool:
    """What is not known to have been sent would be sent again: where a book reminds, that is off until somebody turns
    it on; whether it is.
    """
    planned = update(_message).where(_message.c.state == "planned")
    connection.execute(planned.values(state="excluded", note=reason, version=_message.c.version + 1))
    reminds = connection.execute(select(_schedule.c.id).limit(1)).first() is not None
    if reminds:
        connection.execute(delete(_setting).where(_setting.c.name == "reminders"))
        connection.execute(insert(_setting), {"name": "reminders", "value": OFF})
    return reminds
