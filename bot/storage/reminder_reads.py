"""Questions about reminders: texts and schedules, the plan of a day, what goes next, and what was sent."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Select, and_, bindparam, case, func, or_, select

from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.mail import MailState, recipients
from bot.domain.money import Money, currency
from bot.domain.reminder_plan import CustomerFacts
from bot.domain.reminder_ports import (
    Message,
    MessageLine,
    MessageState,
    ReminderRun,
    ReminderSchedule,
    ReminderTerms,
    Template,
)
from bot.domain.reminder_views import LeftLine, PlanCounts, PlanLine
from bot.storage import reminder_facts, reminders
from bot.storage.customers import contacts_of
from bot.storage.mails import bouncing
from bot.storage.reminders import LINES, MESSAGES, POST, RUNS, SCHEDULES, TEMPLATES
from bot.storage.tables import (
    CustomerRow,
    Instant,
    MailRow,
    OutboxRow,
    ReminderLeftRow,
    ReminderLineRow,
    ReminderMessageRow,
    ReminderRunRow,
)

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_left = ReminderLeftRow.__table__  # type: ignore[attr-defined]  # as above
_line = ReminderLineRow.__table__  # type: ignore[attr-defined]  # as above
_mail = MailRow.__table__  # type: ignore[attr-defined]  # as above
_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # as above
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above
_run = ReminderRunRow.__table__  # type: ignore[attr-defined]  # as above

MOST_EXPIRED = 200
LINES_AT_ONCE = 500  # messages whose lines are read with one statement
_NOW = bindparam("now", type_=Instant())
_RELEASE = RUNS.where(_run.c.state == "planned", _run.c.send_at <= _NOW).order_by(_run.c.id)
_IS_RELEASED = or_(_message.c.run_id.is_(None), _run.c.state == "released")
_SEND = (
    MESSAGES.outerjoin(_run, _run.c.id == _message.c.run_id)
    .where(
        _message.c.state == "planned",
        _message.c.opens_at <= _NOW,
        _message.c.closes_at >= _NOW,
        _message.c.id > bindparam("after"),
        _IS_RELEASED,
    )
    .order_by(_message.c.id)
    .limit(bindparam("most"))
)
_GIVEN_UP = (
    select(_message.c.id, _message.c.mail_id, _outbox.c.state)
    .join(_outbox, and_(_outbox.c.id == _message.c.mail_id, _outbox.c.kind == POST))
    .where(_message.c.state == "queued", _outbox.c.state.in_(("failed", "dropped")))
    .limit(MOST_EXPIRED)
)
_STRANDED = (
    select(_message.c.mail_id)
    .join(_mail, _mail.c.id == _message.c.mail_id)
    .where(
        _message.c.state == "queued",
        _message.c.closes_at < _NOW,
        _mail.c.state == "waiting",
        _mail.c.attempting_at.is_(None),
    )
    .order_by(_message.c.mail_id)
    .limit(MOST_EXPIRED)
)
_LATE = (
    select(_message.c.id)
    .where(_message.c.state == "planned", _message.c.closes_at < _NOW)
    .order_by(_message.c.id)
    .limit(MOST_EXPIRED)
)


class ReminderReads:
    """What may be asked about reminders."""

    _connection: Connection
    if TYPE_CHECKING:

        def customer(self, customer_id: int) -> Customer: ...

    def reminder_templates(self) -> list[Template]:
        """All texts in use, by name and language."""
        return [reminders.template_of(row) for row in self._connection.execute(TEMPLATES)]

    def reminder_schedules(self) -> list[ReminderSchedule]:
        """All schedules in use, by name."""
        return [reminders.schedule_of(row) for row in self._connection.execute(SCHEDULES)]

    def reminder_terms(self, customer_id: int) -> ReminderTerms:
        """What holds for a customer."""
        return reminders.terms_of(self._connection, customer_id)

    def reminder_stop(self, invoice_id: int) -> str | None:
        """Why an invoice is not chased, if it is not."""
        return reminders.stopped(self._connection, invoice_id)

    def reminder_facts(
        self, customer_ids: Sequence[int], today: date, *, messages: Sequence[int] = ()
    ) -> list[CustomerFacts]:
        """What a decision about these customers goes by."""
        return reminder_facts.facts(self._connection, customer_ids, today, messages=messages)

    def reminder_run(self, run_id: int) -> ReminderRun:
        """The plan of a day. Refuses: NotFound."""
        row = self._connection.execute(RUNS.where(_run.c.id == run_id)).first()
        if row is None:
            raise NotFound("There is no such plan of reminders.")
        return reminders.run_of(row)

    def reminder_run_of(self, day: date) -> ReminderRun | None:
        """The plan of a day, if it was begun."""
        row = self._connection.execute(RUNS.where(_run.c.day == day)).first()
        return reminders.run_of(row) if row is not None else None

    def reminder_counts(self, run_id: int) -> PlanCounts:
        """What a plan comes to."""
        looks = case((_message.c.look_at != "", 1), else_=0)
        groups = (_message.c.state, _message.c.level, _message.c.currency, looks)
        sums = (
            select(*groups, func.count(), func.sum(_message.c.invoices), func.sum(_message.c.open_micros))
            .where(_message.c.run_id == run_id)
            .group_by(*groups)
        )
        rows = self._connection.execute(sums).all()
        why = select(_left.c.why, func.count()).where(_left.c.run_id == run_id).group_by(_left.c.why)
        by_reason = {row[0]: int(row[1]) for row in self._connection.execute(why.order_by(func.count().desc()))}
        by_state: dict[MessageState, int] = {}
        by_level: dict[int, int] = {}
        amounts: dict[str, int] = {}
        going = [row for row in rows if row[0] != MessageState.EXCLUDED.value]
        for row in rows:
            by_state[MessageState(row[0])] = by_state.get(MessageState(row[0]), 0) + row[4]
        for _, level, code, look, count, _, micros in going:
            if not look:
                by_level[level] = by_level.get(level, 0) + count
            amounts[code] = amounts.get(code, 0) + int(micros)
        return PlanCounts(
            messages=sum(row[4] for row in going),
            invoices=sum(int(row[5]) for row in going),
            open=tuple(Money(amounts[code], currency(code)) for code in sorted(amounts)),
            by_state=by_state,
            by_level=by_level,
            to_look_at=sum(row[4] for row in going if row[3]),
            left_out=sum(by_reason.values()),
            by_reason=by_reason,
        )

    def reminder_messages(self, run_id: int, *, to_look_at: bool = False, limit: int = 100) -> list[PlanLine]:
        """The messages of a plan, those that a person should look at first."""
        statement = _named(MESSAGES.add_columns(_customer.c.name, _customer.c.code)).where(_message.c.run_id == run_id)
        if to_look_at:
            statement = statement.where(_message.c.look_at != "")
        statement = statement.order_by(_message.c.look_at == "", _message.c.level.desc(), _customer.c.name).limit(limit)
        return self._plan_lines(statement)

    def reminder_log(self, customer_id: int | None, limit: int = 20) -> list[PlanLine]:
        """The newest messages, of one customer or of all, whatever became of them."""
        statement = _named(MESSAGES.add_columns(_customer.c.name, _customer.c.code)).where(
            _message.c.state != "planned"
        )
        if customer_id is not None:
            statement = statement.where(_message.c.customer_id == customer_id)
        return self._plan_lines(statement.order_by(_message.c.id.desc()).limit(limit))

    def reminder_left(self, run_id: int, limit: int = 200) -> list[LeftLine]:
        """Who was left out of a plan, and why."""
        statement = (
            select(_left, _customer.c.name, _customer.c.code)
            .join(_customer, _customer.c.id == _left.c.customer_id)
            .where(_left.c.run_id == run_id)
            .order_by(_left.c.why, _customer.c.name)
            .limit(limit)
        )
        return [
            LeftLine(
                customer_id=row.customer_id,
                customer_name=row.name,
                customer_code=row.code,
                why=row.why,
                detail=row.detail,
                invoices=row.invoices,
            )
            for row in self._connection.execute(statement)
        ]

    def reminder_message(self, message_id: int) -> Message:
        """A message with its lines. Refuses: NotFound."""
        return reminders.message(self._connection, message_id)

    def newest_run(self) -> ReminderRun | None:
        """The plan that was made last."""
        row = self._connection.execute(RUNS.order_by(_run.c.day.desc()).limit(1)).first()
        return reminders.run_of(row) if row is not None else None

    def mail_recipients(self, customer_id: int) -> tuple[str, ...]:
        """The addresses that mail of a customer goes to. Refuses: NotMailable."""
        contacts = contacts_of(self._connection, customer_id)
        return recipients(self.customer(customer_id), contacts, bouncing(self._connection, customer_id))

    def _plan_lines(self, statement: Select[tuple[object, ...]]) -> list[PlanLine]:
        rows = self._connection.execute(statement).all()
        lines = _lines_of(self._connection, [row.id for row in rows])
        return [
            PlanLine(
                message=reminders.message_of(row, lines.get(row.id, ())),
                customer_name=row.name,
                customer_code=row.code,
            )
            for row in rows
        ]


def _named(statement: Select[tuple[object, ...]]) -> Select[tuple[object, ...]]:
    return statement.join(_customer, _customer.c.id == _message.c.customer_id)


def _lines_of(connection: Connection, message_ids: Sequence[int]) -> dict[int, list[MessageLine]]:
    """The lines of some messages."""
    found: dict[int, list[MessageLine]] = {}
    for start in range(0, len(message_ids), LINES_AT_ONCE):
        some = _line.c.message_id.in_(message_ids[start : start + LINES_AT_ONCE])
        for row in connection.execute(LINES.where(some)):
            found.setdefault(row.message_id, []).append(reminders.line_of(row))
    return found


def to_release(connection: Connection, now: datetime) -> list[ReminderRun]:
    """Plans whose time of sending has come and that nobody holds."""
    return [reminders.run_of(row) for row in connection.execute(_RELEASE, {"now": now})]


def to_send(connection: Connection, now: datetime, after: int, most: int) -> list[Message]:
    """Some messages of released plans that may go now, in the order in which they were planned."""
    rows = connection.execute(_SEND, {"now": now, "after": after, "most": most}).all()
    lines = _lines_of(connection, [row.id for row in rows])
    return [reminders.message_of(row, lines.get(row.id, ())) for row in rows]


def given_up(connection: Connection) -> list[tuple[int, int, MailState]]:
    """Messages for a channel that Slack will not take, with what was handed over; and those that an operator dropped,
    which a restore had held back: of these it is taken that they were sent before the backup was restored.
    """
    fared = {"failed": MailState.FAILED, "dropped": MailState.SENT}
    return [(row[0], row[1], fared[row[2]]) for row in connection.execute(_GIVEN_UP)]


def to_expire(connection: Connection, now: datetime) -> list[int]:
    """Some messages whose hours ended before they were sent."""
    return list(connection.execute(_LATE, {"now": now}).scalars())


def stranded(connection: Connection, now: datetime) -> list[int]:
    """Some mails of messages whose hours ended while no mail server took anything: they are withdrawn, so that nobody
    waits for them.
    """
    return list(connection.execute(_STRANDED, {"now": now}).scalars())
