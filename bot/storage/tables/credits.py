"""Credit given and taken without money, and the master account at the platform."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Column, Index, String, UniqueConstraint
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, day, instant, key, partial, ref, word, words


class CreditRow(Table, table=True):
    """A document that gave a customer credit, or took some away."""

    __tablename__ = "credit"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("kind in ('issue', 'take-back', 'payout', 'refund')", name="kind"),
        CheckConstraint("(kind = 'issue') = (lot_id is not null)", name="lot"),
        CheckConstraint("(kind = 'issue') = (purpose <> '')", name="purpose"),
        CheckConstraint("state in ('made', 'undone')", name="state"),
        CheckConstraint("amount_micros > 0", name="amount"),
        Index("ix_credit_customer", "customer_id", "id"),
    )
    id: int = key()
    number: str = word()
    kind: str = word(10)
    purpose: str = word(12)
    customer_id: int = ref("customer")
    currency: str = word(3)
    amount_micros: int = big()
    made_on: date = day()
    remark: str = words()
    reference: str = word(200)
    lot_id: int | None = ref("lot", null=True)
    state: str = word(8)
    recorded_at: datetime = instant()
    recorded_by: str = word()


class TakenRow(Table, table=True):
    """What a document took of one lot; given back once at most, by a row with the amount negated."""

    __tablename__ = "taken"
    __table_args__ = (
        CheckConstraint(
            "(reverses_id is null and amount_micros > 0) or (reverses_id is not null and amount_micros < 0)",
            name="sign",
        ),
        partial("uq_taken_reverses_id", "reverses_id", where="reverses_id is not null", unique=True),
        Index("ix_taken_ageing", "effective_on", "customer_id", "credit_on", "amount_micros"),
        Index("ix_taken_lot", "lot_id"),
        Index("ix_taken_credit", "credit_id"),
    )
    id: int = key()
    credit_id: int = ref("credit")
    lot_id: int = ref("lot")
    customer_id: int = ref("customer")
    amount_micros: int = big()
    effective_on: date = day()
    credit_on: date = day()
    reverses_id: int | None = ref("taken", null=True)
    entry_id: int = big()
    operation_id: int = ref("audit", deferred=True)


class MasterRow(Table, table=True):
    """The company's balance at the platform in one currency, moved only beside postings."""

    __tablename__ = "master_account"
    __table_args__ = (CheckConstraint("limit_micros >= 0", name="limit"),)
    currency: str = Field(sa_column=Column(String(3), primary_key=True))
    balance_micros: int = big(default=0)
    limit_micros: int = big(default=0)
    opened_at: datetime = instant()


class MasterTopUpRow(Table, table=True):
    """Money that the company paid to the platform."""

    __tablename__ = "master_top_up"
    __table_args__ = (UniqueConstraint("number"), CheckConstraint("amount_micros > 0", name="amount"))
    id: int = key()
    number: str = word()
    currency: str = word(3)
    amount_micros: int = big()
    paid_on: date = day()
    method: str = word(20)
    reference: str = word(200)
    remark: str = words()
    recorded_at: datetime = instant()
    recorded_by: str = word()
