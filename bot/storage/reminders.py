"""Reminders inside a write: texts, schedules, plans and messages."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.promises import PromiseStanding
from bot.domain.reminder_plan import CustomerFacts, LeftOut, Line, Planned
from bot.domain.reminder_ports import (
    Message,
    MessageLine,
    MessageState,
    ReminderRun,
    ReminderSchedule,
    ReminderTerms,
    RunState,
    Template,
)
from bot.storage import reminder_facts
from bot.storage.dispute_reads import promises
from bot.storage.faults import Overtaken
from bot.storage.session import Session
from bot.storage.tables import (
    InvoiceRow,
    PaymentRow,
    ReminderLeftRow,
    ReminderLineRow,
    ReminderMessageRow,
    ReminderRunRow,
    ReminderScheduleRow,
    ReminderStopRow,
    ReminderTemplateRow,
    ReminderTermsRow,
)

_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_left = ReminderLeftRow.__table__  # type: ignore[attr-defined]  # as above
_line = ReminderLineRow.__table__  # type: ignore[attr-defined]  # as above
_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_run = ReminderRunRow.__table__  # type: ignore[attr-defined]  # as above
_schedule = ReminderScheduleRow.__table__  # type: ignore[attr-defined]  # as above
_stop = ReminderStopRow.__table__  # type: ignore[attr-defined]  # as above
_template = ReminderTemplateRow.__table__  # type: ignore[attr-defined]  # as above
_terms = ReminderTermsRow.__table__  # type: ignore[attr-defined]  # as above

POST = "reminder_post"
_NAMES = select(_template.c.folded).where(_template.c.retired_at.is_(None)).distinct()
_PAID = select(_payment.c.recorded_at).order_by(_payment.c.id.desc()).limit(1)
OPEN = _message.c.state.in_(("planned", "queued", "unknown"))
TEMPLATES = select(_template).where(_template.c.retired_at.is_(None)).order_by(_template.c.folded, _template.c.language)
SCHEDULES = select(_schedule).where(_schedule.c.retired_at.is_(None)).order_by(_schedule.c.folded)
RUNS = select(_run)
MESSAGES = select(_message)
LINES = (
    select(_line, _invoice.c.number, _invoice.c.currency)
    .join(_invoice, _invoice.c.id == _line.c.invoice_id)
    .order_by(_line.c.message_id, _invoice.c.due_on, _line.c.id)
)


def template_of(row: Any) -> Template:
    """A text as the domain knows it."""
    return Template(
        id=row.id,
        name=row.name,
        language=row.language,
        subject=row.subject,
        body=row.body,
        saved_by=row.saved_by,
        saved_at=row.saved_at,
    )


def schedule_of(row: Any) -> ReminderSchedule:
    """A schedule as the domain knows it."""
    return ReminderSchedule(
        id=row.id,
        name=row.name,
        steps=row.steps,
        is_default=bool(row.is_default),
        saved_by=row.saved_by,
        saved_at=row.saved_at,
    )


def run_of(row: Any) -> ReminderRun:
    """The plan of a day as the domain knows it."""
    return ReminderRun(
        id=row.id,
        day=row.day,
        state=RunState(row.state),
        way=row.way,
        send_at=row.send_at,
        planned_at=row.planned_at,
        planned_through=row.planned_through,
        paid_on=row.paid_on,
        decided_by=row.decided_by,
        version=row.version,
    )


def message_of(row: Any, lines: Sequence[MessageLine] = ()) -> Message:
    """A message as the domain knows it."""
    return Message(
        id=row.id,
        run_id=row.run_id,
        customer_id=row.customer_id,
        day=row.day,
        state=MessageState(row.state),
        level=row.level,
        template=row.template,
        language=row.language,
        open=Money(row.open_micros, currency(row.currency)),
        invoices=row.invoices,
        hours_from=row.hours_from,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        look_at=row.look_at,
        note=row.note,
        person=row.person,
        subject=row.subject,
        body=row.body,
        mail_id=row.mail_id,
        sent_on=row.sent_on,
        version=row.version,
        lines=tuple(lines),
    )


def line_of(row: Any) -> MessageLine:
    """An invoice in a message as the domain knows it."""
    return MessageLine(
        id=row.id,
        invoice_id=row.invoice_id,
        number=row.number,
        level=row.level,
        days=row.days,
        times=row.times,
        open=Money(row.open_micros, currency(row.currency)),
        why=row.why,
        state=row.state,
    )


def terms_of(connection: Connection, customer_id: int) -> ReminderTerms:
    """What holds for a customer; where nothing was said, the defaults."""
    row = connection.execute(select(_terms).where(_terms.c.customer_id == customer_id)).first()
    return ReminderTerms(**row._asdict()) if row is not None else ReminderTerms(customer_id=customer_id)


def message(connection: Connection, message_id: int) -> Message:
    """A message with its lines. Refuses: NotFound."""
    row = connection.execute(MESSAGES.where(_message.c.id == message_id)).first()
    if row is None:
        raise NotFound("There is no such message.")
    lines = connection.execute(LINES.where(_line.c.message_id == message_id))
    return message_of(row, [line_of(each) for each in lines])


def stopped(connection: Connection, invoice_id: int) -> str | None:
    """Why an invoice is not chased, if it is not."""
    found: str | None = connection.execute(select(_stop.c.reason).where(_stop.c.invoice_id == invoice_id)).scalar()
    return found


def last_payment_at(connection: Connection) -> datetime | None:
    """When a payment was recorded last: ids rise with time."""
    found: datetime | None = connection.execute(_PAID).scalar()
    return found


def template_names(connection: Connection) -> frozenset[str]:
    """The names of all texts in use, folded."""
    return frozenset(connection.execute(_NAMES).scalars())


class SqlReminders:
    """Reminders inside a write; whoever changes a message locks its customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def template(self, name: str, language: str) -> Template | None:
        wanted = TEMPLATES.where(_template.c.folded == name.casefold(), _template.c.language == language)
        row = self._session.connection.execute(wanted).first()
        return template_of(row) if row is not None else None

    def templates_called(self, name: str) -> Sequence[Template]:
        rows = self._session.connection.execute(TEMPLATES.where(_template.c.folded == name.casefold()))
        return [template_of(row) for row in rows]

    def template_names(self) -> frozenset[str]:
        return template_names(self._session.connection)

    def put_template(self, made: Template, before: Template | None) -> None:
        """A new text in the place of the one before, which stays as it was sent."""
        if before is not None:
            self.retire_template(before)
        row = {**asdict(made), "folded": made.name.casefold(), "retired_at": None}
        self._session.pending.add("reminder_template", row | {"operation_id": self._session.operation_id})

    def retire_template(self, template: Template) -> None:
        self._retire(_template, template.id)

    def schedule(self, name: str) -> ReminderSchedule | None:
        row = self._session.connection.execute(SCHEDULES.where(_schedule.c.folded == name.casefold())).first()
        return schedule_of(row) if row is not None else None

    def default_schedule(self) -> ReminderSchedule | None:
        row = self._session.connection.execute(SCHEDULES.where(_schedule.c.is_default)).first()
        return schedule_of(row) if row is not None else None

    def schedules(self) -> Sequence[ReminderSchedule]:
        return [schedule_of(row) for row in self._session.connection.execute(SCHEDULES)]

    def put_schedule(self, made: ReminderSchedule, before: ReminderSchedule | None) -> None:
        """A new version in the place of the one before."""
        if before is not None:
            self.retire_schedule(before)
        row = {**asdict(made), "folded": made.name.casefold(), "retired_at": None}
        self._session.pending.add("reminder_schedule", row | {"operation_id": self._session.operation_id})

    def retire_schedule(self, schedule: ReminderSchedule) -> None:
        self._retire(_schedule, schedule.id)

    def _retire(self, table: Any, row_id: int) -> None:
        """At once, since the new row takes its name; what somebody else retired meanwhile is tried anew."""
        live = update(table).where(table.c.id == row_id, table.c.retired_at.is_(None))
        if not self._session.connection.execute(live.values(retired_at=self._session.now)).rowcount:
            raise Overtaken

    def customers_on(self, schedule: str) -> int:
        """How many customers have a schedule; its name is compared as it is everywhere else."""
        counted = select(_terms.c.schedule, func.count()).where(_terms.c.schedule != "").group_by(_terms.c.schedule)
        rows = self._session.connection.execute(counted)
        return sum(int(row[1]) for row in rows if row[0].casefold() == schedule.casefold())

    def terms(self, customer_id: int) -> ReminderTerms:
        return terms_of(self._session.connection, customer_id)

    def put_terms(self, terms: ReminderTerms) -> None:
        values = asdict(terms)
        self._session.pending.change(_upsert(self._session.connection, _terms, values, "customer_id"), {})

    def stopped(self, invoice_id: int) -> str | None:
        return stopped(self._session.connection, invoice_id)

    def stop(self, invoice_id: int, reason: str, person: str) -> None:
        row = {"invoice_id": invoice_id, "reason": reason, "person": person, "stopped_at": self._session.now}
        self._session.pending.change(_stop.insert(), row)

    def go_on(self, invoice_id: int) -> None:
        gone = _stop.delete().where(_stop.c.invoice_id == bindparam("of_invoice"))
        self._session.pending.change(gone, {"of_invoice": invoice_id})

    def run(self, run_id: int) -> ReminderRun:
        row = self._session.connection.execute(RUNS.where(_run.c.id == run_id).with_for_update()).first()
        if row is None:
            raise NotFound("There is no such plan of reminders.")
        return run_of(row)

    def run_of(self, day: date) -> ReminderRun | None:
        row = self._session.connection.execute(RUNS.where(_run.c.day == day)).first()
        return run_of(row) if row is not None else None

    def put_run(self, run: ReminderRun) -> None:
        self._session.pending.add("reminder_run", {**asdict(run), "state": run.state.value})

    def change_run(self, run: ReminderRun) -> None:
        names = ("state", "send_at", "planned_through", "paid_on", "decided_by", "version")
        values = {name: getattr(run, name) for name in names} | {"state": run.state.value}
        self._session.pending.change(update(_run).where(_run.c.id == run.id).values(**values), {})

    def next_customers(self, after: int, horizon: date, limit: int) -> Sequence[int]:
        return reminder_facts.next_customers(self._session.connection, after, horizon, limit)

    def facts(
        self, customer_ids: Sequence[int], today: date, *, messages: Sequence[int] = ()
    ) -> Sequence[CustomerFacts]:
        return reminder_facts.facts(self._session.connection, customer_ids, today, messages=messages)

    def promises_of(self, customer_id: int) -> Sequence[PromiseStanding]:
        return promises(self._session.connection, customer_id)

    def last_payment_on(self, zone: str) -> date | None:
        at = last_payment_at(self._session.connection)
        return at.astimezone(ZoneInfo(zone)).date() if at is not None else None

    def plan(self, run: ReminderRun, planned: Sequence[Planned], left: Sequence[LeftOut]) -> None:
        for each in planned:
            self._add(each, run.id, run.day, "")
        for out in left:
            row = {
                "id": self._session.new_id(),
                "run_id": run.id,
                "customer_id": out.customer.id,
                "why": out.why.value,
                "detail": out.detail[:100],
                "invoices": out.invoices,
            }
            self._session.pending.add("reminder_left", row)

    def size(self, run_id: int) -> tuple[int, int]:
        """How many messages a plan has, and how many customers it leaves out."""
        found = [
            self._session.connection.execute(
                select(func.count()).select_from(each).where(each.c.run_id == run_id)
            ).scalar_one()
            for each in (_message, _left)
        ]
        return found[0], found[1]

    def plan_now(self, planned: Planned, day: date, person: str) -> Message:
        return self._add(planned, None, day, person)

    def _add(self, planned: Planned, run_id: int | None, day: date, person: str) -> Message:
        customer, step, window = planned.customer, planned.step, planned.window
        made = self._session.new_id()
        lines = tuple(self._line(made, each, day, customer) for each in planned.lines)
        row = {
            "id": made,
            "run_id": run_id,
            "customer_id": customer.id,
            "day": day,
            "state": MessageState.PLANNED.value,
            "level": step.level,
            "template": step.template,
            "language": customer.language,
            "currency": customer.currency.code,
            "open_micros": planned.open_micros,
            "invoices": len(planned.lines),
            "hours_from": window.hours_from,
            "opens_at": window.opens_at,
            "closes_at": window.closes_at,
            "look_at": planned.look_at(),
            "note": "",
            "person": person,
            "subject": None,
            "body": None,
            "mail_id": None,
            "sent_on": None,
        }
        self._session.pending.add("reminder_message", row)
        return Message(
            id=made,
            run_id=run_id,
            customer_id=customer.id,
            day=day,
            state=MessageState.PLANNED,
            level=step.level,
            template=step.template,
            language=customer.language,
            open=Money(planned.open_micros, customer.currency),
            invoices=len(planned.lines),
            hours_from=window.hours_from,
            opens_at=window.opens_at,
            closes_at=window.closes_at,
            look_at=planned.look_at(),
            person=person,
            lines=lines,
        )

    def _line(self, message_id: int, line: Line, day: date, customer: CustomerFacts) -> MessageLine:
        step = line.due.step
        made = MessageLine(
            id=self._session.new_id(),
            invoice_id=line.invoice.id,
            number=line.invoice.number,
            level=step.level,
            days=0 if step.level else step.offset,
            times=line.due.times,
            open=Money(line.invoice.open_micros, customer.currency),
            why=line.why(day),
            state=MessageState.PLANNED.value,
        )
        row = {
            "id": made.id,
            "message_id": message_id,
            "invoice_id": made.invoice_id,
            "day": day,
            "level": made.level,
            "days": made.days,
            "times": made.times,
            "folded": step.template.casefold(),
            "open_micros": made.open.micros,
            "why": made.why,
            "state": made.state,
        }
        self._session.pending.add("reminder_line", row)
        return made

    def message(self, message_id: int) -> Message:
        return message(self._session.connection, message_id)

    def change_message(self, message: Message) -> None:
        """Another state or text. A message that is open no more leaves its invoices to the next plan."""
        names = ("note", "person", "subject", "body", "level", "invoices", "mail_id", "version")
        values: dict[str, Any] = {name: getattr(message, name) for name in names}
        values |= {"state": message.state.value, "open_micros": message.open.micros}
        changed = update(_message).where(_message.c.id == message.id, _message.c.version == message.version - 1)
        if not self._session.connection.execute(changed.values(**values)).rowcount:
            raise Overtaken
        if message.state in {MessageState.DROPPED, MessageState.EXPIRED, MessageState.FAILED}:
            lines = update(_line).where(_line.c.message_id == message.id, _line.c.state == "planned")
            self._session.pending.change(lines.values(state="left"), {})

    def open_all(self, run_id: int, at: datetime) -> None:
        """Send now what waits for the time of sending, each within its customer's hours."""
        waiting = update(_message).where(
            _message.c.run_id == run_id, _message.c.state == "planned", _message.c.opens_at > at
        )
        self._session.pending.change(waiting.values(opens_at=_message.c.hours_from), {})

    def settle_run(self, run_id: int, state: MessageState, note: str) -> int:
        """Bring all messages of a plan that wait into another state; returns how many."""
        waiting = (_message.c.run_id == run_id, _message.c.state == "planned")
        ids = select(_message.c.id).where(*waiting)
        lines = update(_line).where(_line.c.message_id.in_(ids), _line.c.state == "planned")
        self._session.connection.execute(lines.values(state="left"))
        values = {"state": state.value, "note": note, "version": _message.c.version + 1}
        return int(self._session.connection.execute(update(_message).where(*waiting).values(**values)).rowcount)

    def queue(self, message: Message) -> None:
        """A message is handed over: its lines are taken, so that no other message reminds of the same."""
        self.change_message(message)
        for line in message.lines:
            changed = update(_line).where(_line.c.id == line.id)
            self._session.pending.change(changed.values(state=line.state, open_micros=line.open.micros), {})

    def post(self, message: Message, channel: str, subject: str, body: str) -> int:
        """A message for a channel that is shared with the customer; returns the id of its row in the outbox."""
        session, made = self._session, self._session.new_id()
        row = {
            "id": made,
            "operation_id": session.operation_id,
            "kind": POST,
            "purpose": "customer",
            "destination": channel,
            "document_kind": "reminder",
            "document_id": message.id,
            "payload": json.dumps({"subject": subject, "body": body}),
            "state": "waiting",
            "attempts": 0,
            "not_before": session.now,
            "error": "",
            "recorded_at": session.now,
        }
        session.pending.add("outbox", row)
        return made

    def is_waited_for(self, customer_id: int) -> bool:
        """Whether a message to a customer is planned, on its way, or of unknown fate."""
        found = select(_message.c.id).where(_message.c.customer_id == customer_id, OPEN)
        return self._session.connection.execute(found).first() is not None

    def customers_in(self, channel: str) -> Sequence[int]:
        """The customers that a Slack channel is linked to."""
        linked = select(_terms.c.customer_id).where(_terms.c.channel == channel)
        return list(self._session.connection.execute(linked).scalars())


def _upsert(connection: Connection, table: Any, values: Mapping[str, Any], key: str) -> Any:
    """Insert, or change the row that is there."""
    insert = sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)
    changed = {name: value for name, value in values.items() if name != key}
    return insert.values(**values).on_conflict_do_update(index_elements=[key], set_=changed)
