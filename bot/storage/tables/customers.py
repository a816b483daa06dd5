"""Customers, their contacts, limits and modes."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    UniqueConstraint,
)
from sqlmodel import Field

from bot.storage.tables.columns import KEY, Table, big, day, instant, key, partial, ref, word


class CustomerRow(Table, table=True):
    """A customer with its control accounts, moved only beside postings."""

    __tablename__ = "customer"
    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("uuid"),
        UniqueConstraint("wallet_id"),
        CheckConstraint("deposits_micros >= 0", name="deposits"),
        CheckConstraint("advances_micros >= 0", name="advances"),
        CheckConstraint("credit_notes_micros >= 0", name="credit_notes"),
        CheckConstraint("receivable_micros >= 0", name="receivable"),
        CheckConstraint("payouts_due_micros >= 0", name="payouts_due"),
        CheckConstraint("reserved_micros >= 0", name="reserved"),
        CheckConstraint("limit_micros >= 0", name="limit"),
        CheckConstraint("mode in ('prepaid', 'postpaid')", name="mode"),
        CheckConstraint("state in ('active', 'suspended', 'closed')", name="state"),
        Index("ix_customer_search", "search_name"),
        partial("ix_customer_top_up", "id", where="top_up_at_micros is not null"),
    )
    id: int = key()
    code: str = word(24)
    name: str = word(200)
    search_name: str = word(200)
    uuid: str = word()
    wallet_id: str = word()
    currency: str = word(3)
    mode: str = word(10)
    due_days: int | None = big(null=True)
    state: str = word(10)
    billing_name: str = word(200)
    country: str = word(2)
    zone: str = word(60)
    limit_micros: int = big(default=0)
    limit_ends_at: datetime | None = instant(null=True)
    month_starts_on: date | None = day(null=True)
    month_ends_at: datetime | None = instant(null=True)
    month_micros: int = big(default=0)
    deposits_micros: int = big(default=0)
    advances_micros: int = big(default=0)
    credit_notes_micros: int = big(default=0)
    receivable_micros: int = big(default=0)
    unbilled_micros: int = big(default=0)
    payouts_due_micros: int = big(default=0)
    reserved_micros: int = big(default=0)
    version: int = big(default=1)
    top_up_at_micros: int | None = big(null=True)  # the level at which these books top it up, if they do


class ContactRow(Table, table=True):
    """A person at a customer; beside mails, the only table with contact data."""

    __tablename__ = "contact"
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    name: str = word(200)
    email: str = word(200)
    phone: str = word(60)


class CreditLimitRow(Table, table=True):
    """A dated credit limit; a new row ends the one before."""

    __tablename__ = "credit_limit"
    __table_args__ = (CheckConstraint("amount_micros >= 0", name="amount"),)
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    amount_micros: int = big()
    days: int | None = big(null=True)
    starts_at: datetime = instant()
    ends_at: datetime | None = instant(null=True)
    operation_id: int = ref("audit", deferred=True)
    intake_id: int | None = big(null=True)


class LimitWatchRow(Table, table=True):
    """What was told of a customer's limit, so that each is told once; no part of the books."""

    __tablename__ = "limit_watch"
    __table_args__ = (CheckConstraint("level in (0, 80, 90, 100)", name="level"),)
    customer_id: int = Field(sa_column=Column(KEY, ForeignKey("customer.id"), primary_key=True, autoincrement=False))
    level: int = big(default=0)
    month: str = word(7)
    end_told: int = big(default=0)
    version: int = big(default=1)


class ModeRow(Table, table=True):
    """A dated payment mode."""

    __tablename__ = "mode_history"
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    mode: str = word(10)
    starts_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)
