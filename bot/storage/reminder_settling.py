"""What becomes of a reminder once it is known how its mail fared: a level counts when it was really sent."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.mail import KeptMail, MailState
from bot.domain.reminder_ports import MessageState
from bot.domain.reminder_steps import Reached
from bot.storage.tables import ReminderContactRow, ReminderLineRow, ReminderMessageRow, ReminderReachedRow, SettingRow

_contact = ReminderContactRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_line = ReminderLineRow.__table__  # type: ignore[attr-defined]  # as above
_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # as above
_reached = ReminderReachedRow.__table__  # type: ignore[attr-defined]  # as above
_setting = SettingRow.__table__  # type: ignore[attr-defined]  # as above

BECOMES: Mapping[MailState, MessageState] = {
    MailState.SENT: MessageState.SENT,
    MailState.FAILED: MessageState.FAILED,
    MailState.BOUNCED: MessageState.BOUNCED,
    MailState.UNKNOWN: MessageState.UNKNOWN,
}
SENT_LINES = (
    select(_line.c.invoice_id, _line.c.level, _line.c.days, _line.c.times, _message.c.sent_on, _message.c.customer_id)
    .join(_message, _message.c.id == _line.c.message_id)
    .where(_line.c.state == "sent")
)


def settle_reminder(connection: Connection, kept: KeptMail, state: MailState, now: datetime) -> None:
    """Bring a message to where its mail is."""
    settle_message(connection, kept.mail.about_id, kept.mail.id, state, now)


def settle_message(connection: Connection, message_id: int, handed_id: int, state: MailState, now: datetime) -> None:
    """Bring a message to where what was handed over for it is. Sent again after it had failed, it takes the steps that
    are free still.
    """
    row = connection.execute(select(_message).where(_message.c.id == message_id).with_for_update()).first()
    if row is None or row.mail_id != handed_id:
        return
    if state is MailState.WITHDRAWN:
        withdraw_reminder(connection, row.id, handed_id, now, "what it says is not so any more")
        return
    lines = connection.execute(select(_line).where(_line.c.message_id == row.id)).all()
    if state is MailState.WAITING:
        _wait_again(connection, row, lines)
        return
    values: dict[str, Any] = {"state": BECOMES[state].value, "version": _message.c.version + 1}
    if state is MailState.SENT:
        values["sent_on"] = now.astimezone(ZoneInfo(_zone(connection))).date()
        _take(connection, lines)
    elif state is MailState.UNKNOWN:
        values = _if_none_waits(connection, row, values)
    else:
        values["note"] = "the mail came back" if state is MailState.BOUNCED else "the mail was refused"
        _leave(connection, row.id)
    connection.execute(update(_message).where(_message.c.id == row.id).values(**values))
    put_reached(connection, [each.invoice_id for each in lines])
    put_contact(connection, row.customer_id)


def withdraw_reminder(connection: Connection, message_id: int, handed_id: int, now: datetime, note: str) -> None:
    """A message that was handed over is not sent after all, for what it says has changed: within its hours it is
    written anew, after them the next plan decides.
    """
    row = connection.execute(select(_message).where(_message.c.id == message_id).with_for_update()).first()
    if row is None or row.mail_id != handed_id or row.state != MessageState.QUEUED.value:
        return
    again = now <= row.closes_at
    values = {
        "state": (MessageState.PLANNED if again else MessageState.EXPIRED).value,
        "note": note,
        "mail_id": None,
        "version": _message.c.version + 1,
    }
    connection.execute(update(_message).where(_message.c.id == row.id).values(**values))
    mine = (_line.c.message_id == row.id, _line.c.state == "queued")
    connection.execute(update(_line).where(*mine).values(state="planned" if again else "left"))


def _wait_again(connection: Connection, row: Any, lines: Sequence[Any]) -> None:
    """It is sent once more: it takes its steps again, unless another message waits for its customer by now."""
    if _others_wait(connection, row):
        return
    taken = [each.id for each in lines if each.state == "dropped" and _is_free(connection, each)]
    connection.execute(update(_line).where(_line.c.id.in_(taken)).values(state="queued"))
    if taken or row.state == MessageState.UNKNOWN.value:
        values = {"state": MessageState.QUEUED.value, "version": _message.c.version + 1}
        connection.execute(update(_message).where(_message.c.id == row.id).values(**values))


def _take(connection: Connection, lines: Sequence[Any]) -> None:
    """The steps of a message were sent; those that another message sent meanwhile stay with that one."""
    for each in lines:
        if each.state in {"queued", "sent"} or (each.state == "dropped" and _is_free(connection, each)):
            connection.execute(update(_line).where(_line.c.id == each.id).values(state="sent"))


def _is_free(connection: Connection, line: Any) -> bool:
    """Whether no other message took this step of the invoice, or reminded of it by the same text on the same day."""
    taken = select(_line.c.id).where(_line.c.invoice_id == line.invoice_id, _line.c.state.in_(("queued", "sent")))
    same_step = (_line.c.level == line.level, _line.c.days == line.days, _line.c.times == line.times)
    same_day = (_line.c.folded == line.folded, _line.c.day == line.day)
    return all(connection.execute(taken.where(*same)).first() is None for same in (same_step, same_day))


def _leave(connection: Connection, message_id: int) -> None:
    mine = (_line.c.message_id == message_id, _line.c.state.in_(("queued", "sent")))
    connection.execute(update(_line).where(*mine).values(state="dropped"))


def _if_none_waits(connection: Connection, row: Any, values: dict[str, Any]) -> dict[str, Any]:
    """Nobody knows whether it arrived: nothing more goes to the customer until somebody does, unless something waits
    for it already.
    """
    return values if not _others_wait(connection, row) else {"version": _message.c.version + 1}


def _others_wait(connection: Connection, row: Any) -> bool:
    others = select(_message.c.id).where(
        _message.c.customer_id == row.customer_id,
        _message.c.id != row.id,
        _message.c.state.in_(("planned", "queued", "unknown")),
    )
    return connection.execute(others).first() is not None


def _zone(connection: Connection) -> str:
    found: str | None = connection.execute(select(_setting.c.value).where(_setting.c.name == "zone")).scalar()
    return found or "UTC"


def reached_of(rows: Iterable[Any]) -> Mapping[int, Reached]:
    """How far each invoice was reminded, by the lines that were sent."""
    by_invoice: dict[int, list[Any]] = defaultdict(list)
    for row in rows:
        by_invoice[row.invoice_id].append(row)
    return {invoice_id: _reached_by(sent) for invoice_id, sent in by_invoice.items()}


def _reached_by(sent: Sequence[Any]) -> Reached:
    level = max(row.level for row in sent)
    at_level = [row for row in sent if row.level == level and level]
    notices = [row.days for row in sent if not row.level]
    return Reached(
        level=level,
        times=max((row.times + 1 for row in at_level), default=0),  # one before it may have come back
        sent_on=max((row.sent_on for row in at_level), default=None),
        notice=max(notices, default=None),
    )


def put_reached(connection: Connection, invoice_ids: Sequence[int]) -> None:
    """Keep how far these invoices were reminded, from what was sent of them."""
    rows = connection.execute(SENT_LINES.where(_line.c.invoice_id.in_(invoice_ids))).all()
    connection.execute(delete(_reached).where(_reached.c.invoice_id.in_(invoice_ids)))
    made = [
        {"invoice_id": each, "level": at.level, "times": at.times, "sent_on": at.sent_on, "notice": at.notice}
        for each, at in reached_of(rows).items()
    ]
    if made:
        connection.execute(_reached.insert(), made)


def put_contact(connection: Connection, customer_id: int) -> None:
    """Keep when a customer was written to last."""
    sent = select(func.max(_message.c.sent_on)).where(
        _message.c.customer_id == customer_id, _message.c.state == MessageState.SENT.value
    )
    last_on: date | None = connection.execute(sent).scalar()
    if last_on is None:
        connection.execute(delete(_contact).where(_contact.c.customer_id == bindparam("of")), {"of": customer_id})
        return
    insert = sqlite.insert(_contact) if connection.dialect.name == "sqlite" else postgresql.insert(_contact)
    made = insert.values(customer_id=customer_id, last_on=last_on)
    connection.execute(made.on_conflict_do_update(index_elements=["customer_id"], set_={"last_on": last_on}))
