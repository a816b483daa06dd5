"""Requests that wait for approval, who approved them, and the withdrawals that they are about."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, String, UniqueConstraint
from sqlmodel import Field

from bot.storage.tables.columns import KEY, Table, big, day, instant, key, partial, ref, word, words


class ApprovalRow(Table, table=True):
    """A request that others decide; one for each document."""

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("document_kind", "document_id"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("needed between 0 and 2", name="needed"),
        CheckConstraint("state in ('waiting', 'approved', 'rejected', 'cancelled', 'expired')", name="state"),
        partial("ix_approval_waiting", "expires_at", where="state = 'waiting'"),
        Index("ix_approval_customer", "customer_id"),
    )
    id: int = key()
    operation: str = word()
    document_kind: str = word(20)
    document_id: int = big()
    label: str = word()
    customer_id: int = ref("customer")
    amount_micros: int = big()
    currency: str = word(3)
    requester: str = word()
    requested_at: datetime = instant()
    policy: str = word(120)
    needed: int = big()
    content_hash: str = word(64)
    version: int = big(default=1)
    expires_at: datetime = instant()
    state: str = word(10)
    reason: str = words()
    reminded_at: datetime | None = instant(null=True)


class ApprovalVoteRow(Table, table=True):
    """One person's approval; each person counts once for a request."""

    __tablename__ = "approval_vote"
    __table_args__ = (UniqueConstraint("approval_id", "person"),)
    id: int = key()
    approval_id: int = ref("approval")
    person: str = word()
    in_place_of: str = Field(sa_column=Column(String(40), nullable=False, server_default=""))
    version: int = big()
    recorded_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)


class ApprovalExecutionRow(Table, table=True):
    """That an approved request was carried out; its key lets it be only once."""

    __tablename__ = "approval_execution"
    approval_id: int = Field(sa_column=Column(KEY, ForeignKey("approval.id"), primary_key=True, autoincrement=False))
    operation_id: int = ref("audit", deferred=True)


class DelegationRow(Table, table=True):
    """Who decides approvals in whose place, up to and with a day."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("principal_id <> stand_in_id", name="other"),
        partial("uq_delegation_live", "principal_id", where="ended_at is null", unique=True),
        partial("ix_delegation_stand_in", "stand_in_id", where="ended_at is null"),
    )
    id: int = key()
    principal_id: int = ref("person")
    stand_in_id: int = ref("person")
    last_day: date = day()
    until: datetime = instant()
    ended_at: datetime | None = instant(null=True)
    operation_id: int = ref("audit", deferred=True)


class TermsRequestRow(Table, table=True):
    """A limit or a mode that others approve first, beside the terms that it replaces."""

    __tablename__ = "terms_request"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("kind in ('set', 'extend', 'switch')", name="kind"),
        CheckConstraint("limit_micros >= 0", name="limit"),
        CheckConstraint("state in ('requested', 'approved', 'rejected', 'cancelled', 'expired')", name="state"),
        Index("ix_terms_request_customer", "customer_id"),
    )
    id: int = key()
    number: str = word()
    customer_id: int = ref("customer")
    currency: str = word(3)
    kind: str = word(10)
    limit_micros: int | None = big(null=True)
    days: int | None = big(null=True)
    mode: str = word(10)
    was_mode: str = word(10)
    was_limit_micros: int = big()
    was_ends_at: datetime | None = instant(null=True)
    reason: str = words()
    requested_by: str = word()
    requested_at: datetime = instant()
    state: str = word(10)
    operation_id: int = ref("audit", deferred=True)


class WithdrawalRow(Table, table=True):
    """Credit that leaves, or was to leave; its hold has the same id."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("gateway in ('cash', 'cheque', 'bank transfer')", name="gateway"),
        CheckConstraint("state in ('requested', 'approved', 'paid', 'rejected', 'cancelled', 'expired')", name="state"),
        CheckConstraint("(state in ('approved', 'paid')) = (executed_on is not null)", name="executed"),
        CheckConstraint("(state = 'paid') = (paid_on is not null)", name="paid"),
        Index("ix_withdrawal_customer", "customer_id", "id"),
    )
    id: int = key()
    number: str = word()
    customer_id: int = ref("customer")
    amount_micros: int = big()
    currency: str = word(3)
    gateway: str = word(20)
    details: str = word(200)
    reason: str = words()
    requested_by: str = word()
    requested_at: datetime = instant()
    state: str = word(10)
    executed_on: date | None = day(null=True)
    paid_on: date | None = day(null=True)
    reference: str = word(200)


class WithdrawnRow(Table, table=True):
    """What an executed withdrawal took of one lot, once; the guard moves the lot."""

    __tablename__ = "withdrawn"
    __table_args__ = (
        UniqueConstraint("withdrawal_id", "lot_id"),
        CheckConstraint("amount_micros > 0", name="amount"),
        Index("ix_withdrawn_ageing", "effective_on", "customer_id", "credit_on", "amount_micros"),
    )
    id: int = key()
    withdrawal_id: int = ref("withdrawal")
    lot_id: int = Field(sa_column=Column(BigInteger, ForeignKey("lot.id"), nullable=False, index=True))
    customer_id: int = ref("customer")
    amount_micros: int = big()
    effective_on: date = day()
    credit_on: date = day()
    entry_id: int = big()
    operation_id: int = ref("audit", deferred=True)
