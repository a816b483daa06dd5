"""Open items: credits are lots, debits are invoices, allocations join one to the other."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.customers import Mode
from bot.domain.money import Money


class InvoiceKind(StrEnum):
    TAX = "tax"
    PROFORMA = "proforma"
    TOP_UP = "top_up"
    USAGE = "usage"  # a day of prepaid usage, matched as an invoice is; no document


CALLED = {
    InvoiceKind.TAX: "invoice",
    InvoiceKind.PROFORMA: "proforma invoice",
    InvoiceKind.TOP_UP: "top-up invoice",
    InvoiceKind.USAGE: "usage",
}
OWED = frozenset({InvoiceKind.TAX, InvoiceKind.USAGE})


class InvoiceState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    VOID = "void"
    WRITTEN_OFF = "written_off"


class LotKind(StrEnum):
    """Kinds of credit in the order in which they are consumed; the second group is withdrawable."""

    GOODWILL = "goodwill"
    CORRECTION = "correction"
    NEGATIVE_INVOICE = "negative_invoice"
    COMMISSION = "commission"
    PAYMENT = "payment"
    TOP_UP = "top_up"
    CREDIT_NOTE = "credit_note"  # an approved note, matched as a lot is; no part of deposits


FIRST_CONSUMED = (LotKind.GOODWILL, LotKind.CORRECTION, LotKind.NEGATIVE_INVOICE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A document the customer owes once sent; `open` is what is still owed."""

    id: int
    kind: InvoiceKind
    customer_id: int
    number: str | None
    draft_reference: str
    issue_on: date
    due_on: date
    posted_on: date | None
    rose_on: date | None
    net: Money
    tax: Money
    total: Money
    open: Money
    state: InvoiceState
    auto_allocate: bool
    disputed: bool = False
    remark: str = ""
    version: int = 1
    intake_id: int | None = None  # the import that brought it, with its number
    usage_net_micros: int | None = None  # of an invoice of usage: its net before rounding
    proforma_number: str | None = None  # what a tax invoice was called before it was provisioned
    automatic: bool = False  # a top-up invoice that a rule wrote, not a person
    cost: Money | None = None  # what a provisioned sale cost at the platform
    usage_mode: Mode | None = None  # of an invoice of usage: how that was charged; prepaid makes it a summary
    usage_through: date | None = None  # of an invoice of usage: its last day
    settled_micros: int = 0  # of the total, what no match settles: deducted already, or, below zero, given as credit

    @property
    def is_summary(self) -> bool:
        """Whether it sums up what was deducted from credit as it was used."""
        return self.usage_mode is Mode.PREPAID

    @property
    def is_negative(self) -> bool:
        """Whether the issuer owes the recipient: more was refunded than used. Rule 105."""
        return self.total.micros < 0

    @property
    def to_pay(self) -> Money:
        """What was to pay when it was issued."""
        return Money(self.total.micros - self.settled_micros, self.total.currency)

    @property
    def label(self) -> str:
        return self.number or self.draft_reference

    @property
    def is_owed(self) -> bool:
        """Whether it counts as a debt once sent: a top-up invoice and a proforma ask for money, nobody owes it."""
        return self.kind in OWED

    @property
    def called(self) -> str:
        """What its kind is called in a sentence."""
        return CALLED[self.kind]

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is allocated."""
        return self.open == self.total

    @property
    def is_provisioned(self) -> bool:
        """Whether what it is for was handed over: a tax invoice when sent, a top-up once it is paid. Rule 14."""
        if self.state is not InvoiceState.SENT:
            return False
        return self.is_owed or (self.kind is InvoiceKind.TOP_UP and not self.open)

    @property
    def status(self) -> str:
        """The state as one word or two. Rule 100."""
        if self.state is InvoiceState.SENT:
            if self.is_negative:
                return "given as credit"
            if not self.open:
                return "paid"
            return "awaiting payment" if self.open == self.total else "partially paid"
        return self.state.value.replace("_", " ")

    @property
    def sort_key(self) -> tuple[date, bool, int, str]:
        """Oldest issue date first, usage after the invoices of its day, then the number (as people count: shorter
        before longer). Rules 24, 30.
        """
        return (self.issue_on, self.kind is InvoiceKind.USAGE, len(self.label), self.label)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A credit in a customer's deposits: what is open of it, what is held, and the day its open amount last rose.

    `suspense_on` is the day from which a payment's money had waited in suspense when this lot was opened.
    """

    id: int
    customer_id: int
    kind: LotKind
    number: str
    amount: Money
    open: Money
    held: Money
    opened_on: date
    rose_on: date
    payment_id: int | None = None
    suspense_on: date | None = None
    intake_id: int | None = None
    invoice_id: int | None = None  # the top-up invoice that it was paid on, or the negative one that gave it
    closed_on: date | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing of it is used or held."""
        return self.open == self.amount and not self.held

    @property
    def free(self) -> Money:
        return self.open - self.held

    @property
    def sort_key(self) -> tuple[int, date, int, str]:
        """Credit that cannot be withdrawn goes first, then the oldest, then the number."""
        group = FIRST_CONSUMED.index(self.kind) if self.kind in FIRST_CONSUMED else len(FIRST_CONSUMED)
        return (group, self.opened_on, len(self.number), self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """A match of a credit to an invoice; taken back once at most, by a row of its own. Rules 9-12."""

    id: int
    customer_id: int
    lot_id: int
    lot_number: str
    invoice_id: int
    invoice_number: str
    due_on: date
    amount: Money
    effective_on: date
    entry_id: int
    automatic: bool
    invoice_open: Money
    invoice_total: Money
    reverses: int | None = None
    is_usage: bool = False  # of a day of usage, by its id and its name
    is_note: bool = False  # by a credit note, by its id and number


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What one operation wrote, as undo needs to know it."""

    operation_id: int
    name: str
    at: datetime
    person: str
    undone_by: int | None
    allocations: tuple[Allocation, ...]
    taken_back: tuple[Allocation, ...]
    payment_id: int | None
    flags: tuple[tuple[int, bool], ...]
    document_id: int | None = None
    rematched: tuple[str, ...] = ()  # invoices whose match another operation took back
    taken_back_since: tuple[str, ...] = ()  # the same, of whatever kind
    document_kind: str = ""
