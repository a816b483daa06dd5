"""What is said about an invoice that is owed: disputes, promises to pay, and debts that are given up."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint

from bot.storage.tables.columns import Table, big, day, instant, key, partial, ref, word, words


class DisputeRow(Table, table=True):
    """One step of a dispute: opened, or resolved. The newest says how the invoice stands."""

    __tablename__ = "dispute"
    __table_args__ = (
        CheckConstraint("step in ('opened', 'resolved')", name="step"),
        Index("ix_dispute_invoice", "invoice_id", "id"),
        Index("ix_dispute_customer", "customer_id", "recorded_on"),
    )
    id: int = key()
    invoice_id: int = ref("invoice")
    customer_id: int = ref("customer")
    step: str = word(10)
    reason: str = words()
    person: str = word()
    recorded_at: datetime = instant()
    recorded_on: date = day()
    operation_id: int = ref("audit", deferred=True)


class PromiseRow(Table, table=True):
    """An amount that a customer said it pays by a day, of one invoice or of what it owes; ended by a later one, or
    when it was a mistake.
    """

    __tablename__ = "promise"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("promised_on >= logged_on", name="day"),
        CheckConstraint("(ended_at is null) = (ended_by is null)", name="ended"),
        partial("ix_promise_standing", "customer_id", "invoice_id", "promised_on", where="ended_at is null"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    invoice_id: int | None = ref("invoice", null=True)
    currency: str = word(3)
    amount_micros: int = big()
    promised_on: date = day()
    source: str = word(300)
    logged_by: str = word()
    logged_at: datetime = instant()
    logged_on: date = day()
    ended_at: datetime | None = instant(null=True)
    ended_by: str | None = word(null=True)


class WriteOffRow(Table, table=True):
    """A debt that is given up, or was asked to be: a credit document applied at once to one invoice."""

    __tablename__ = "write_off"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("state in ('requested', 'made', 'rejected', 'cancelled', 'expired', 'undone')", name="state"),
        CheckConstraint("(state in ('made', 'undone')) = (number is not null)", name="numbered"),
        CheckConstraint("(state in ('made', 'undone')) = (made_on is not null)", name="made"),
        CheckConstraint("(state = 'undone') = (undone_on is not null)", name="undone"),
        partial("ix_write_off_waiting", "invoice_id", where="state = 'requested'", unique=True),
        Index("ix_write_off_invoice", "invoice_id", "id"),
        Index("ix_write_off_customer", "customer_id", "id"),
    )
    id: int = key()
    number: str | None = word(null=True)
    draft_reference: str = word()
    customer_id: int = ref("customer")
    invoice_id: int = ref("invoice")
    currency: str = word(3)
    amount_micros: int = big()
    reason: str = words()
    requested_by: str = word()
    requested_at: datetime = instant()
    state: str = word(10)
    made_on: date | None = day(null=True)
    undone_on: date | None = day(null=True)


class WrittenOffRow(Table, table=True):
    """What a write-off took off an invoice, given back once at most by a row with the amount negated; the guard moves
    the invoice.
    """

    __tablename__ = "written_off"
    __table_args__ = (
        CheckConstraint(
            "(reverses_id is null and amount_micros > 0) or (reverses_id is not null and amount_micros < 0)",
            name="sign",
        ),
        partial("uq_written_off_reverses_id", "reverses_id", where="reverses_id is not null", unique=True),
        partial("uq_written_off_once", "write_off_id", where="reverses_id is null", unique=True),
        Index(
            "ix_written_off_ageing",
            "effective_on",
            "customer_id",
            "posted_on",
            "due_on",
            "issue_on",
            "amount_micros",
        ),
        Index("ix_written_off_invoice", "invoice_id"),
    )
    id: int = key()
    write_off_id: int = ref("write_off")
    invoice_id: int = ref("invoice")
    customer_id: int = ref("customer")
    amount_micros: int = big()
    effective_on: date = day()
    issue_on: date = day()
    due_on: date = day()
    posted_on: date = day()
    reverses_id: int | None = ref("written_off", null=True)
    entry_id: int = big()
    operation_id: int = ref("audit", deferred=True)
