"""Matches of credits to debits, and the entries of the double-entry ledger."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
)
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, day, instant, key, partial, ref, word, yes_or_no

# A match that pays no debt, of a top-up invoice or a proforma, has no day from which its invoice is owed.
NEVER_OWED = date(9999, 12, 31)


class AllocationRow(Table, table=True):
    """A credit matched to a debit; taken back once at most, by a row with the amount negated."""

    __tablename__ = "allocation"
    __table_args__ = (
        partial("uq_allocation_reverses_id", "reverses_id", where="reverses_id is not null", unique=True),
        CheckConstraint("(lot_id is null) <> (credit_note_id is null)", name="credit"),
        CheckConstraint("(invoice_id is null) <> (usage_day_id is null)", name="debit"),
        CheckConstraint(
            "(reverses_id is null and amount_micros > 0) or (reverses_id is not null and amount_micros < 0)",
            name="sign",
        ),
        Index(
            "ix_allocation_ageing",
            "effective_on",
            "customer_id",
            "posted_on",
            "due_on",
            "issue_on",
            "amount_micros",
        ),
        partial(
            "ix_allocation_waited",
            "effective_on",
            "customer_id",
            "credit_on",
            "amount_micros",
            where="credit_on < effective_on",
        ),
        partial(
            "ix_allocation_usage",
            "effective_on",
            "customer_id",
            "posted_on",
            "amount_micros",
            where="usage_day_id is not null",
        ),
        partial("ix_allocation_usage_day", "usage_day_id", where="usage_day_id is not null"),
        partial("ix_allocation_advance", "effective_on", "customer_id", "amount_micros", where="advance"),
        partial("ix_allocation_note", "credit_note_id", where="credit_note_id is not null"),
        Index("ix_allocation_lot", "lot_id"),
        Index("ix_allocation_invoice", "invoice_id"),
        Index("ix_allocation_operation", "operation_id"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    lot_id: int | None = ref("lot", null=True)
    credit_note_id: int | None = ref("credit_note", null=True)
    invoice_id: int | None = ref("invoice", null=True)
    usage_day_id: int | None = ref("usage_day", null=True)
    amount_micros: int = big()
    effective_on: date = day()
    recorded_at: datetime = instant()
    issue_on: date = day()
    due_on: date = day()
    posted_on: date = day()
    credit_on: date = day()
    automatic: bool = False
    advance: bool = yes_or_no()  # of a proforma: the money waits in advances
    reverses_id: int | None = ref("allocation", null=True)
    entry_id: int = big()  # the guard asks for it; as a reference it would need an index that nobody reads
    operation_id: int = ref("audit", deferred=True)


class FlagRow(Table, table=True):
    """What an invoice's auto-allocation flag was before an operation changed it."""

    __tablename__ = "invoice_flag"
    id: int = key()
    invoice_id: int = ref("invoice")
    was: bool = False
    operation_id: int = Field(
        sa_column=Column(
            BigInteger, ForeignKey("audit.id", deferrable=True, initially="DEFERRED"), nullable=False, index=True
        )
    )


class EntryRow(Table, table=True):
    """The head of an entry; inserted after its postings, when the guard adds them up."""

    __tablename__ = "entry"
    __table_args__ = (partial("uq_entry_reverses_id", "reverses_id", where="reverses_id is not null", unique=True),)
    id: int = key()
    kind: str = word(40)
    currency: str = word(3)
    effective_on: date = day()
    recorded_at: datetime = instant()
    reverses_id: int | None = ref("entry", null=True)
    operation_id: int = ref("audit", deferred=True)


class PostingRow(Table, table=True):
    """One side of an entry: debit positive, credit negative."""

    __tablename__ = "posting"
    __table_args__ = (
        CheckConstraint("amount_micros <> 0", name="amount"),
        Index("ix_posting_entry", "entry_id", "amount_micros"),
        partial(
            "ix_posting_customer",
            "customer_id",
            "account",
            "entry_id",
            "amount_micros",
            where="customer_id is not null",
        ),
    )
    id: int = key()
    entry_id: int = ref("entry", deferred=True)
    account: str = word(20)
    detail: str = word(20)
    customer_id: int | None = ref("customer", null=True)
    amount_micros: int = big()
