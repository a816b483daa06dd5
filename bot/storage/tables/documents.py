"""Payments, invoices and credit notes, and the lots of credit behind them."""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlmodel import Field

from bot.storage.tables.columns import Table, big, day, instant, key, partial, ref, word, words, yes_or_no

OPEN_TOP_UP = "automatic and kind = 'top_up' and open_micros > 0"


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
        Index("ix_payment_received", "received_on", "id"),
        Index("ix_payment_twins", "amount_micros", "received_on"),
        partial("ix_payment_voided", "voided_on", where="voided_on is not null"),
        partial("ix_payment_unassigned", "received_on", where="customer_id is null and state = 'recorded'"),
        partial("ix_payment_intake", "intake_id", "customer_id", where="intake_id is not null"),
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
    intake_id: int | None = big(null=True)  # the import that brought it; verify proves that it is there
    proofs: int = big(default=0)


class ProofRow(Table, table=True):
    """A file that was given as the proof of a payment; the file itself stays in Slack."""

    __tablename__ = "payment_proof"
    __table_args__ = (UniqueConstraint("payment_id", "file_id"),)
    id: int = key()
    payment_id: int = ref("payment")
    file_id: str = word()
    name: str = words()
    size: int = big()
    operation_id: int = ref("audit", deferred=True)


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
        partial("ix_lot_intake", "intake_id", "customer_id", where="intake_id is not null"),
        partial("ix_lot_invoice", "invoice_id", where="invoice_id is not null"),
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
    intake_id: int | None = big(null=True)


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
        CheckConstraint("open_micros between 0 and total_micros - settled_micros", name="open"),
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
        partial("ix_invoice_draft", "issue_on", where="state = 'draft'"),
        partial("ix_invoice_customer_draft", "customer_id", where="state = 'draft'"),
        partial("ix_invoice_intake", "intake_id", "customer_id", where="intake_id is not null"),
        partial("ix_invoice_proforma", "proforma_number", where="proforma_number is not null", unique=True),
        partial("ix_invoice_open_top_up", "customer_id", where=OPEN_TOP_UP, unique=True),
        partial("ix_invoice_usage", "customer_id", "usage_through", where="usage_through is not null"),
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
    intake_id: int | None = big(null=True)
    usage_net_micros: int | None = big(null=True)
    automatic: bool = yes_or_no()
    cost_micros: int = big(default=0)
    usage_mode: str | None = word(10, null=True)
    usage_through: date | None = day(null=True)
    usage_lines: int | None = big(null=True)  # how many lines it has, some of them below zero
    settled_micros: int = big(default=0)  # of the total, what no match settles


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
    cost_micros: int = big(default=0)


class CreditNoteRow(Table, table=True):
    """A credit note; a credit outside deposits."""

    __tablename__ = "credit_note"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("open_micros between 0 and total_micros", name="open"),
        partial("ix_credit_note_ageing", "customer_id", "posted_on", "open_micros", where="open_micros > 0"),
        partial("ix_credit_note_voided", "voided_on", where="voided_on is not null"),
        partial("ix_credit_note_invoice", "invoice_id", where="invoice_id is not null"),
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
    code: str = Field(sa_column=Column(String(20), nullable=False, server_default=""))
    drafted_by: str = Field(sa_column=Column(String(40), nullable=False, server_default=""))
    drafted_at: datetime | None = instant(null=True)
    invoice_id: int | None = big(null=True)  # the invoice it is about; verify proves that it is there
    copied_from: int | None = big(null=True)
    voided_on: date | None = day(null=True)


class CreditNoteLineRow(Table, table=True):
    """A line of a credit note, of a line of an invoice when the note is about one."""

    __tablename__ = "credit_note_line"
    __table_args__ = (Index("ix_credit_note_line_note", "note_id"),)
    id: int = key()
    note_id: int = ref("credit_note")
    position: int = big()
    of_position: int | None = big(null=True)
    description: str = words()
    quantity_micros: int = big()
    unit_price_micros: int = big()
    tax_rate_micros: int = big()
    net_micros: int = big()
    tax_micros: int = big()


class UsageDayRow(Table, table=True):
    """Prepaid usage of one customer on one day: a debit without a due date."""

    __tablename__ = "usage_day"
    __table_args__ = (
        UniqueConstraint("customer_id", "used_on"),
        partial("ix_usage_day_open", "customer_id", "used_on", "open_micros", where="open_micros > 0"),
        partial("ix_usage_day_moved", "moved_on", "customer_id", "used_on", "moved_micros", where="moved_micros > 0"),
        CheckConstraint("open_micros between 0 and total_micros", name="open"),
    )
    id: int = key()
    customer_id: int = ref("customer")
    used_on: date = day()
    rose_on: date = day()
    total_micros: int = big()
    open_micros: int = big()
    summary_invoice_id: int | None = ref("invoice", null=True)
    moved_micros: int = big(default=0)  # what was open when it was summed up, and is of the summary since
    moved_on: date | None = day(null=True)
