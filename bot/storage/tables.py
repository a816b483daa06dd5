"""Every table, once; private to storage. Amounts are integer micro-units, instants are UTC."""

from datetime import UTC, date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC on both engines."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert value.tzinfo is not None
        utc = value.astimezone(UTC)
        return utc if dialect.name == "postgresql" else utc.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


KEY = BigInteger().with_variant(Integer, "sqlite")  # to SQLite such a key is the row itself, without an index beside it


class Table(SQLModel):
    """The base of all tables, with names for every constraint so that a migration can find it."""

    metadata = MetaData(naming_convention=NAMES)


def key() -> int:
    """A 64-bit id given by us, so that rows can refer to each other before they are written."""
    return Field(sa_column=Column(KEY, primary_key=True, autoincrement=False))  # type: ignore[no-any-return]


def big(*, null: bool = False, default: int | None = None) -> int:
    """A 64-bit number, such as micros."""
    server = text(str(default)) if default is not None else None
    return Field(sa_column=Column(BigInteger, nullable=null, server_default=server))  # type: ignore[no-any-return]


def ref(target: str, *, null: bool = False, deferred: bool = False) -> int:
    """A reference to another row's id."""
    deferral = {"deferrable": True, "initially": "DEFERRED"} if deferred else {}
    return Field(sa_column=Column(BigInteger, ForeignKey(f"{target}.id", **deferral), nullable=null))  # type: ignore[no-any-return,arg-type]


def word(length: int = 40, *, null: bool = False) -> str:
    return Field(sa_column=Column(String(length), nullable=null))  # type: ignore[no-any-return]


def words(*, null: bool = False) -> str:
    return Field(sa_column=Column(Text, nullable=null))  # type: ignore[no-any-return]


def day(*, null: bool = False) -> date:
    return Field(sa_column=Column(Date, nullable=null))  # type: ignore[no-any-return]


def instant(*, null: bool = False) -> datetime:
    return Field(sa_column=Column(Instant, nullable=null))  # type: ignore[no-any-return]


def partial(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index over some rows only; what it leaves out costs a write nothing."""
    return Index(name, *columns, unique=unique, postgresql_where=text(where), sqlite_where=text(where))


class SettingRow(Table, table=True):
    """One setting of this book, as text."""

    __tablename__ = "setting"
    name: str = Field(sa_column=Column(String(40), primary_key=True))
    value: str = words()


class BookRow(Table, table=True):
    """The book itself: one row, whose version rises with each change of a setting."""

    __tablename__ = "book"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)
    id: int = key()
    name: str = word(60)
    settings_version: int = big(default=1)
    digest_key: str = word(64)


class SeriesRow(Table, table=True):
    """The counter of a gapless series; locked by the transaction that takes a number."""

    __tablename__ = "series"
    name: str = Field(sa_column=Column(String(40), primary_key=True))
    last: int = big(default=0)


class PersonRow(Table, table=True):
    """A person with a right in this book."""

    __tablename__ = "person"
    __table_args__ = (
        UniqueConstraint("team", "slack_user"),
        CheckConstraint("role between 0 and 5", name="role"),
        partial("uq_person_one_owner", "role", where="role = 5", unique=True),
    )
    id: int = key()
    team: str = word()
    enterprise: str | None = word(null=True)
    slack_user: str = word()
    name: str = word(200)
    role: int = big()
    active: bool = True
    direct_channel: str | None = word(null=True)


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
    deposits_micros: int = big(default=0)
    advances_micros: int = big(default=0)
    credit_notes_micros: int = big(default=0)
    receivable_micros: int = big(default=0)
    unbilled_micros: int = big(default=0)
    payouts_due_micros: int = big(default=0)
    reserved_micros: int = big(default=0)
    version: int = big(default=1)


class ContactRow(Table, table=True):
    """A person at a customer; the only table with contact data."""

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


class ModeRow(Table, table=True):
    """A dated payment mode."""

    __tablename__ = "mode_history"
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    mode: str = word(10)
    starts_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)


class PaymentRow(Table, table=True):
    """Money that came in."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("edits between 0 and 5", name="edits"),
        CheckConstraint("(customer_id is null) = (lot_id is null)", name="assigned"),
        CheckConstraint("state = 'recorded' or customer_id is null", name="void"),
        CheckConstraint("(state = 'void') = (voided_on is not null)", name="voided"),
        Index("ix_payment_customer", "customer_id", "received_on"),
        Index("ix_payment_twins", "amount_micros", "received_on"),
        partial("ix_payment_voided", "voided_on", where="voided_on is not null"),
        partial("ix_payment_unassigned", "received_on", where="customer_id is null and state = 'recorded'"),
    )
    id: int = key()
    number: str = word()
    payer: str = word(200)
    amount_micros: int = big()
    currency: str = word(3)
    received_on: date = day()
    posted_on: date = day()
    suspense_on: date = day()
    method: str = word(20)
    reference: str = word(200)
    invoice_hint: str = word(200)
    remark: str = words()
    state: str = word(10)
    customer_id: int | None = ref("customer", null=True)
    lot_id: int | None = big(null=True)  # the lot refers here; verify proves the pair
    edits: int = big(default=0)
    voided_on: date | None = day(null=True)
    version: int = big(default=1)
    recorded_at: datetime = instant()
    recorded_by: str = word()


class AssignmentRow(Table, table=True):
    """One assign or un-assign action of a payment, dated. Rules 6, 7."""

    __tablename__ = "assignment"
    __table_args__ = (CheckConstraint("step in ('assign', 'unassign')", name="step"),)
    id: int = key()
    payment_id: int = Field(sa_column=Column(BigInteger, ForeignKey("payment.id"), nullable=False, index=True))
    customer_id: int = ref("customer")
    lot_id: int = ref("lot", deferred=True)
    step: str = word(10)
    effective_on: date = day()
    recorded_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)


class LotRow(Table, table=True):
    """A credit in a customer's deposits; `open` and `rose_on` are moved by the allocation guard."""

    __tablename__ = "lot"
    __table_args__ = (
        CheckConstraint("amount_micros > 0", name="amount"),
        CheckConstraint("open_micros between 0 and amount_micros", name="open"),
        CheckConstraint("held_micros between 0 and open_micros", name="held"),
        CheckConstraint("closed_on is null or open_micros = 0", name="closed"),
        partial("ix_lot_free", "customer_id", "opened_on", "open_micros", where="open_micros > 0"),
        partial("ix_lot_waited", "opened_on", where="suspense_on < opened_on"),
        partial("ix_lot_closed", "closed_on", "customer_id", "kind", "amount_micros", where="closed_on is not null"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    kind: str = word(20)
    number: str = word()
    currency: str = word(3)
    amount_micros: int = big()
    open_micros: int = big()
    held_micros: int = big(default=0)
    opened_on: date = day()
    rose_on: date = day()
    closed_on: date | None = day(null=True)
    payment_id: int | None = ref("payment", null=True)
    suspense_on: date | None = day(null=True)
    invoice_id: int | None = ref("invoice", null=True)


class HoldRow(Table, table=True):
    """A reservation of credit by a document."""

    __tablename__ = "hold"
    __table_args__ = (CheckConstraint("amount_micros > 0", name="amount"),)
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    amount_micros: int = big()
    document: str = word(80)
    state: str = word(10)
    recorded_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)


class HoldLotRow(Table, table=True):
    """Which lots a hold reserves; nothing else consumes them."""

    __tablename__ = "hold_lot"
    __table_args__ = (UniqueConstraint("hold_id", "lot_id"), CheckConstraint("amount_micros > 0", name="amount"))
    id: int = key()
    hold_id: int = ref("hold")
    lot_id: int = Field(sa_column=Column(BigInteger, ForeignKey("lot.id"), nullable=False, index=True))
    amount_micros: int = big()


class InvoiceRow(Table, table=True):
    """A document the customer owes once sent; `open` and `rose_on` are moved by the allocation guard."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("total_micros = net_micros + tax_micros", name="total"),
        CheckConstraint("open_micros between 0 and total_micros", name="open"),
        CheckConstraint("kind in ('tax', 'proforma', 'top_up')", name="kind"),
        CheckConstraint("state in ('draft', 'sent', 'void', 'written_off')", name="state"),
        CheckConstraint("(state = 'draft') = (number is null)", name="numbered"),
        partial(
            "ix_invoice_ageing",
            "customer_id",
            "posted_on",
            "due_on",
            "issue_on",
            "open_micros",
            where="open_micros > 0",
        ),
        Index("ix_invoice_customer", "customer_id", "issue_on"),
        Index("ix_invoice_issue", "issue_on"),
    )
    id: int = key()
    kind: str = word(10)
    customer_id: int = ref("customer")
    number: str | None = word(null=True)
    proforma_number: str | None = word(null=True)
    draft_reference: str = word()
    currency: str = word(3)
    issue_on: date = day()
    due_on: date = day()
    posted_on: date | None = day(null=True)
    rose_on: date | None = day(null=True)
    net_micros: int = big()
    tax_micros: int = big()
    total_micros: int = big()
    open_micros: int = big()
    state: str = word(12)
    auto_allocate: bool = True
    disputed: bool = False
    remark: str = words()
    version: int = big(default=1)


class InvoiceLineRow(Table, table=True):
    """A line of an invoice; quantity and rate are millionths too."""

    __tablename__ = "invoice_line"
    id: int = key()
    invoice_id: int = Field(sa_column=Column(BigInteger, ForeignKey("invoice.id"), nullable=False, index=True))
    position: int = big()
    description: str = words()
    quantity_micros: int = big()
    unit_price_micros: int = big()
    tax_rate_micros: int = big()
    net_micros: int = big()
    tax_micros: int = big()


class CreditNoteRow(Table, table=True):
    """A credit note; a credit outside deposits."""

    __tablename__ = "credit_note"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("open_micros between 0 and total_micros", name="open"),
    )
    id: int = key()
    customer_id: int = Field(sa_column=Column(BigInteger, ForeignKey("customer.id"), nullable=False, index=True))
    number: str | None = word(null=True)
    draft_reference: str = word()
    currency: str = word(3)
    issue_on: date = day()
    posted_on: date | None = day(null=True)
    rose_on: date | None = day(null=True)
    net_micros: int = big()
    tax_micros: int = big()
    total_micros: int = big()
    open_micros: int = big()
    state: str = word(12)
    reason: str = words()
    version: int = big(default=1)


class UsageDayRow(Table, table=True):
    """Prepaid usage of one customer on one day: a debit without a due date."""

    __tablename__ = "usage_day"
    __table_args__ = (
        UniqueConstraint("customer_id", "used_on"),
        CheckConstraint("open_micros between 0 and total_micros", name="open"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    used_on: date = day()
    rose_on: date = day()
    total_micros: int = big()
    open_micros: int = big()
    summary_invoice_id: int | None = ref("invoice", null=True)


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
    )
    id: int = key()
    entry_id: int = ref("entry", deferred=True)
    account: str = word(20)
    detail: str = word(20)
    customer_id: int | None = ref("customer", null=True)
    amount_micros: int = big()


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


metadata = Table.metadata
