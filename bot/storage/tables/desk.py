"""What the desk keeps beside the books: audit, keys, and the outbox."""

from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    String,
    UniqueConstraint,
)
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, instant, key, partial, ref, word, words
from bot.storage.tables.columns import day as on_day


class AuditRow(Table, table=True):
    """Who did what, when, to whom; never changed or deleted. Rules 115, 117."""

    __tablename__ = "audit"
    __table_args__ = (
        partial("uq_audit_undoes_id", "undoes_id", where="undoes_id is not null", unique=True),
        Index("ix_audit_at", "at"),
        Index("ix_audit_customer", "customer_id", "at"),
    )
    id: int = key()
    at: datetime = instant()
    app: str = word(40)
    event: str = word(60)
    description: str = words()
    team: str = word()
    actor: str = word()
    customer_id: int | None = big(null=True)
    document: str | None = word(80, null=True)
    document_kind: str | None = word(20, null=True)
    document_id: int | None = big(null=True)
    request_id: str = word(80)
    before: str = words()
    after: str = words()
    undoes_id: int | None = ref("audit", null=True)


class SealRow(Table, table=True):
    """A link of the hash chain over audit rows, in the order of sealing."""

    __tablename__ = "audit_seal"
    __table_args__ = (UniqueConstraint("audit_id"),)
    seq: int = key()
    audit_id: int = ref("audit")
    previous_hash: str = word(64)
    hash: str = word(64)


class RequestRow(Table, table=True):
    """A write's key, the hash of its content and its stored outcome."""

    __tablename__ = "request_key"
    __table_args__ = (UniqueConstraint("operation_id"),)
    key: str = Field(sa_column=Column(String(255), primary_key=True))
    content_hash: str = word(64)
    operation: str = word(60)
    outcome: str = words()
    operation_id: int = ref("audit", deferred=True)
    at: datetime = instant()


class OutboxRow(Table, table=True):
    """A message to send after commit, frozen as it was when it was caused."""

    __tablename__ = "outbox"
    __table_args__ = (
        partial("ix_outbox_waiting", "not_before", where="state = 'waiting'"),
        partial("ix_outbox_failed", "error", where="state = 'failed'"),
        Index("ix_outbox_document", "document_kind", "document_id", "id"),
    )
    id: int = key()
    kind: str = word(20)
    purpose: str = word(20)
    destination: str = word(400)
    document_kind: str = word(20)
    document_id: int = big()
    operation_id: int | None = ref("audit", null=True, deferred=True)
    payload: str = words()
    state: str = word(10)
    attempts: int = big(default=0)
    not_before: datetime = instant()
    lease_until: datetime | None = instant(null=True)
    lease_owner: str | None = word(80, null=True)
    error: str = words()
    recorded_at: datetime = instant()
    done_at: datetime | None = instant(null=True)
    channel: str | None = word(null=True)
    ts: str | None = word(null=True)


class MessageRow(Table, table=True):
    """Where a document's card lives in Slack, and the newest outbox row it shows."""

    __tablename__ = "message"
    __table_args__ = (UniqueConstraint("document_kind", "document_id"),)
    id: int = key()
    document_kind: str = word(20)
    document_id: int = big()
    channel: str = word()
    ts: str = word()
    shows: int = big()


class JobRunRow(Table, table=True):
    """One business period of a job: claimed by one process at a time, done once."""

    __tablename__ = "job_run"
    __table_args__ = (
        UniqueConstraint("job", "period"),
        CheckConstraint("state in ('waiting', 'running', 'done', 'failed')", name="state"),
        Index("ix_job_run_target", "job", "target", "day"),
        partial("ix_job_run_open", "not_before", where="state in ('waiting', 'running')"),
    )
    id: int = key()
    job: str = word()
    period: str = word(120)
    target: str = word()
    day: date = on_day()
    asked_by: str = word()
    state: str = word(10)
    owner: str | None = word(80, null=True)
    lease_until: datetime | None = instant(null=True)
    attempt: int = big(default=0)
    not_before: datetime = instant()
    recorded_at: datetime = instant()
    started_at: datetime | None = instant(null=True)
    finished_at: datetime | None = instant(null=True)
    error: str = words()
    result: str = words()
    payload: str = words()
    baseline: str = words()
    outbox_id: int | None = big(null=True)


class PulseRow(Table, table=True):
    """A sign of life: a process that serves the book, the last proof of the books, the last good heartbeat, or the last
    look of a watch. Not part of the books.
    """

    __tablename__ = "pulse"
    name: str = Field(sa_column=Column(String(100), primary_key=True))
    kind: str = word(10)
    began_at: datetime = instant()
    seen_at: datetime = instant()
    request_at: datetime | None = instant(null=True)
    findings: int | None = big(null=True)
    acted_at: datetime | None = instant(null=True)  # when a watch last did something, how much, and its last fault
    did: int | None = big(null=True)
    fault: str | None = word(100, null=True)
