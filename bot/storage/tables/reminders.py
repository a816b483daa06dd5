"""Reminders of unpaid invoices: texts, schedules, what holds for a customer, plans, messages and what came of them."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlmodel import Field

from bot.storage.tables.columns import KEY, Table, big, instant, key, partial, ref, word, words, yes_or_no
from bot.storage.tables.columns import day as on_day

OPEN_MESSAGE = "state in ('planned', 'queued', 'unknown')"
TAKEN_LINE = "state in ('queued', 'sent')"


class ReminderTemplateRow(Table, table=True):
    """A text in one language; a change is a new row, and the one before is retired."""

    __tablename__ = "reminder_template"
    __table_args__ = (
        partial("uq_reminder_template_live", "folded", "language", where="retired_at is null", unique=True),
    )
    id: int = key()
    name: str = word(60)
    folded: str = word(60)
    language: str = word(10)
    subject: str = word(200)
    body: str = words()
    saved_by: str = word()
    saved_at: datetime = instant()
    retired_at: datetime | None = instant(null=True)
    operation_id: int = ref("audit", deferred=True)


class ReminderScheduleRow(Table, table=True):
    """Steps before, on and after the due date; a change is a new row under the same line of schedules."""

    __tablename__ = "reminder_schedule"
    __table_args__ = (
        partial("uq_reminder_schedule_live", "folded", where="retired_at is null", unique=True),
        partial("uq_reminder_schedule_default", "is_default", where="is_default and retired_at is null", unique=True),
    )
    id: int = key()
    name: str = word(60)
    folded: str = word(60)
    steps: str = words()
    is_default: bool = yes_or_no()
    saved_by: str = word()
    saved_at: datetime = instant()
    retired_at: datetime | None = instant(null=True)
    operation_id: int = ref("audit", deferred=True)


class ReminderTermsRow(Table, table=True):
    """What holds for one customer: its schedule by name, whether and until when it is left alone, and by which way it
    is written to.
    """

    __tablename__ = "reminder_terms"
    customer_id: int = Field(sa_column=Column(KEY, ForeignKey("customer.id"), primary_key=True, autoincrement=False))
    schedule: str = word(60)
    opted_out: bool = yes_or_no()
    paused_until: date | None = on_day(null=True)
    reason: str = word(300)
    language: str = word(10)
    channel: str = word(60)
    version: int = big(default=1)


class ReminderStopRow(Table, table=True):
    """An invoice that is not chased, until somebody takes the row away."""

    __tablename__ = "reminder_stop"
    invoice_id: int = Field(sa_column=Column(KEY, ForeignKey("invoice.id"), primary_key=True, autoincrement=False))
    reason: str = word(300)
    person: str = word()
    stopped_at: datetime = instant()


class ReminderRunRow(Table, table=True):
    """The plan of one day."""

    __tablename__ = "reminder_run"
    __table_args__ = (
        UniqueConstraint("day"),
        CheckConstraint("state in ('planning', 'planned', 'held', 'released', 'cancelled')", name="state"),
    )
    id: int = key()
    day: date = on_day()
    state: str = word(10)
    way: str = word(10)
    send_at: datetime = instant()
    planned_at: datetime = instant()
    planned_through: int = big(default=0)  # the last customer that was looked at
    paid_on: date | None = on_day(null=True)  # when a payment was recorded last, if that is long ago
    decided_by: str = word()
    version: int = big(default=1)


class ReminderMessageRow(Table, table=True):
    """One message to one customer. At any time one at most is open for a customer."""

    __tablename__ = "reminder_message"
    __table_args__ = (
        CheckConstraint(
            "state in ('planned', 'excluded', 'queued', 'sent', 'failed', 'bounced', 'unknown', 'expired', 'dropped')",
            name="state",
        ),
        partial("uq_reminder_message_open", "customer_id", where=OPEN_MESSAGE, unique=True),
        partial("ix_reminder_message_planned", "opens_at", where="state = 'planned'"),
        Index("ix_reminder_message_run", "run_id", "customer_id"),
        Index("ix_reminder_message_customer", "customer_id", "id"),
    )
    id: int = key()
    run_id: int | None = ref("reminder_run", null=True)
    customer_id: int = ref("customer")
    day: date = on_day()
    state: str = word(10)
    level: int = big()
    template: str = word(60)
    language: str = word(10)
    currency: str = word(3)
    open_micros: int = big()
    invoices: int = big()
    hours_from: datetime = instant()
    opens_at: datetime = instant()
    closes_at: datetime = instant()
    look_at: str = words()
    note: str = words()  # why it was left out or not sent
    person: str = word()  # who asked for it, left it out or changed it
    subject: str | None = word(200, null=True)  # changed for this message alone
    body: str | None = words(null=True)
    mail_id: int | None = big(null=True)
    sent_on: date | None = on_day(null=True)
    version: int = big(default=1)


class ReminderLineRow(Table, table=True):
    """An invoice in a message: which step, why, and what came of it. Each step of an invoice is sent once, and each
    text reminds of it once a day.
    """

    __tablename__ = "reminder_line"
    __table_args__ = (
        CheckConstraint("state in ('planned', 'queued', 'sent', 'dropped', 'left')", name="state"),
        partial("uq_reminder_line_step", "invoice_id", "level", "days", "times", where=TAKEN_LINE, unique=True),
        partial("uq_reminder_line_day", "invoice_id", "folded", "day", where=TAKEN_LINE, unique=True),
        Index("ix_reminder_line_message", "message_id"),
    )
    id: int = key()
    message_id: int = big()  # written together; a reference makes PostgreSQL walk through a table it takes for empty
    invoice_id: int = ref("invoice")
    day: date = on_day()
    level: int = big()
    days: int = big()  # of a notice, from the due date; 0 for a level
    times: int = big()
    folded: str = word(60)
    open_micros: int = big()
    why: str = word(200)
    state: str = word(10)


class ReminderLeftRow(Table, table=True):
    """A customer for which something was due on a day and who got nothing, and why."""

    __tablename__ = "reminder_left"
    __table_args__ = (Index("ix_reminder_left_run", "run_id", "why"),)
    id: int = key()
    run_id: int = ref("reminder_run")
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    why: str = word(40)
    detail: str = word(100)
    invoices: int = big()


class ReminderReachedRow(Table, table=True):
    """How far an invoice was reminded; recomputed from the lines by the books' own proof."""

    __tablename__ = "reminder_reached"
    invoice_id: int = Field(sa_column=Column(KEY, ForeignKey("invoice.id"), primary_key=True, autoincrement=False))
    level: int = big()
    times: int = big()
    sent_on: date | None = on_day(null=True)
    notice: int | None = big(null=True)


class ReminderContactRow(Table, table=True):
    """When a customer was written to last; recomputed from the messages by the books' own proof."""

    __tablename__ = "reminder_contact"
    customer_id: int = Field(sa_column=Column(KEY, ForeignKey("customer.id"), primary_key=True, autoincrement=False))
    last_on: date = on_day()
