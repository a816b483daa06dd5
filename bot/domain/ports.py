"""What the domain asks of storage: `Books` inside one write, `ReadBooks` for questions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from bot.domain.approval_ports import ApprovalQuestions
from bot.domain.credit_ports import CreditQuestions
from bot.domain.customer_file import CustomerFile
from bot.domain.customers import Contact, Customer
from bot.domain.dispute_ports import DisputeBooks, DisputeQuestions
from bot.domain.ledger import Account, Entry
from bot.domain.mail import MailBooks, MailQuestions
from bot.domain.money import Money
from bot.domain.open_items import Allocation, Invoice, Lot, Made
from bot.domain.operation import Role
from bot.domain.people import Person, Profile
from bot.domain.receivables import Ageing, AgeingDetail, AgeingQuestion, AgeingRow
from bot.domain.reminder_views import ReminderQuestions
from bot.domain.settings import Settings
from bot.domain.statement_ports import StatementQuestions

if TYPE_CHECKING:
    from bot.domain.approval_ports import Approvals, Delegations, Withdrawals
    from bot.domain.credit_ports import Credits, Master
    from bot.domain.disputes import Dispute
    from bot.domain.intake_ports import Intakes
    from bot.domain.invoices import InvoiceLine
    from bot.domain.note_ports import Notes
    from bot.domain.payments import Payment, PaymentState
    from bot.domain.promises import PromiseStanding
    from bot.domain.proofs import Proof
    from bot.domain.reminder_ports import Reminders
    from bot.domain.terms_ports import Terms, TermsRequests
    from bot.domain.top_up_ports import TopUps
    from bot.domain.usage_ports import Usage
    from bot.domain.write_off import WriteOff


@dataclass(frozen=True, slots=True)
class Identity:
    """A fresh customer's ids."""

    id: int
    uuid: str
    wallet_id: str


class Customers(Protocol):
    def lock(self, customer_id: int) -> Customer: ...

    def taken(self, *, code: str, uuid: str, wallet_id: str) -> str | None: ...

    def new_identity(self) -> Identity: ...

    def contacts(self, customer_id: int) -> tuple[Contact, ...]: ...

    def insert(self, customer: Customer, contacts: Sequence[Contact]) -> None: ...

    def update(self, customer: Customer, contacts: Sequence[Contact]) -> None: ...

    def set_state(self, customer: Customer) -> None: ...

    def move(self, before: Customer, after: Customer) -> None: ...


class Payments(Protocol):
    def lock(self, payment_id: int) -> "Payment": ...

    def insert(self, payment: "Payment") -> None: ...

    def insert_assigned(self, payment: "Payment", on: date) -> None: ...

    def update(self, payment: "Payment") -> None: ...

    def assign(self, payment: "Payment", on: date) -> None: ...

    def unassign(self, payment: "Payment", customer_id: int, lot_id: int, on: date) -> None: ...

    def last_customer(self, payment_id: int) -> int: ...

    def attach(self, payment: "Payment", proofs: "Sequence[Proof]") -> None: ...

    def has(self, payment: "Payment", proof: "Proof") -> bool: ...


class Lots(Protocol):
    def get(self, lot_id: int) -> Lot: ...

    def of_top_up(self, invoice_id: int) -> Lot | None: ...

    def free(self, customer_id: int) -> Sequence[Lot]: ...

    def insert(self, lot: Lot) -> None: ...

    def close(self, lot: Lot, on: date) -> None: ...


class Invoices(Protocol):
    def get(self, invoice_id: int) -> Invoice: ...

    def get_many(self, invoice_ids: Sequence[int]) -> Sequence[Invoice]: ...

    def lines(self, invoice_id: int) -> "tuple[InvoiceLine, ...]": ...

    def open_auto(self, customer_id: int) -> Sequence[Invoice]: ...

    def open_of(self, customer_id: int) -> Sequence[Invoice]: ...

    def waiting_of(self, customer_id: int) -> Invoice | None: ...

    def open_top_up(self, customer_id: int) -> Invoice | None: ...

    def insert(self, invoice: Invoice, lines: "Sequence[InvoiceLine]") -> None: ...

    def edit(self, draft: Invoice, lines: "Sequence[InvoiceLine]") -> None: ...

    def delete(self, draft: Invoice) -> None: ...

    def send(self, invoice: Invoice) -> None: ...

    def void(self, invoice: Invoice) -> None: ...

    def provision(self, invoice: Invoice) -> None: ...

    def set_auto(self, invoice_id: int, *, on: bool) -> None: ...


class Allocations(Protocol):
    def of_lot(self, lot_id: int) -> tuple[Allocation, ...]: ...

    def of_invoice(self, invoice_id: int) -> tuple[Allocation, ...]: ...

    def of_note(self, note_id: int) -> tuple[Allocation, ...]: ...

    def insert(self, allocation: Allocation, lot: Lot, invoice: Invoice) -> None: ...


class Ledger(Protocol):
    def post(self, entry: Entry) -> int: ...


class Numbers(Protocol):
    def next(self, series: str) -> str: ...


class People(Protocol):
    def find(self, team: str, user: str) -> Person | None: ...

    def owner(self) -> Person | None: ...

    def put(self, profile: Profile, role: Role) -> Person: ...

    def hand_over(self, former: Person, owner: Person) -> None: ...
    def deactivate(self, person: Person) -> None: ...


class SettingStore(Protocol):
    def current(self) -> Settings: ...

    def change(self, name: str, value: str) -> None: ...

    def currencies_in_use(self) -> frozenset[str]: ...


class Operations(Protocol):
    def made(self, operation_id: int) -> Made: ...

    def undone(self, operation_id: int) -> None: ...

    def later_on_payment(self, payment_id: int, operation_id: int) -> str | None: ...


class Books(DisputeBooks, MailBooks, Protocol):
    """The books inside one open transaction: reads answer at once, writes are done together at the end."""

    @property
    def customers(self) -> Customers: ...

    @property
    def payments(self) -> Payments: ...

    @property
    def lots(self) -> Lots: ...

    @property
    def invoices(self) -> Invoices: ...

    @property
    def allocations(self) -> Allocations: ...

    @property
    def ledger(self) -> Ledger: ...

    @property
    def numbers(self) -> Numbers: ...

    @property
    def people(self) -> People: ...

    @property
    def settings(self) -> SettingStore: ...

    @property
    def operations(self) -> Operations: ...

    @property
    def intakes(self) -> "Intakes": ...

    @property
    def approvals(self) -> "Approvals": ...

    @property
    def withdrawals(self) -> "Withdrawals": ...

    @property
    def delegations(self) -> "Delegations": ...

    @property
    def terms_requests(self) -> "TermsRequests": ...

    @property
    def credits(self) -> "Credits": ...

    @property
    def master(self) -> "Master": ...

    @property
    def usage(self) -> "Usage": ...

    @property
    def terms(self) -> "Terms": ...

    @property
    def notes(self) -> "Notes": ...

    @property
    def top_ups(self) -> "TopUps": ...

    @property
    def reminders(self) -> "Reminders": ...

    def new_id(self) -> int: ...

    def new_reference(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line of the audit log, with its six exported columns and what lies behind them. Rules 115, 116."""

    id: int
    at: datetime
    app: str
    event: str
    description: str
    actor: str
    affected: str
    document: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One posting of an entry behind a document, debit positive; `other` is the document a match joins it to."""

    entry_id: int
    kind: str
    effective_on: date
    account: Account
    detail: str
    amount: Money
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditQuestion:
    """Filters of the audit log. Rule 116."""

    since: datetime | None = None
    until: datetime | None = None
    event: str | None = None
    app: str | None = None
    customer_id: int | None = None
    actor: str | None = None
    past_lock: bool = False  # only what was posted past the soft lock
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """How a list is narrowed and cut."""

    text: str = ""
    customer_id: int | None = None
    state: str = ""
    kind: str = ""
    on: date | None = None
    limit: int = 20
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentLine:
    """A payment as lists show it."""

    payment: "Payment"
    customer_name: str
    open_micros: int
    customer_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceListLine:
    """An invoice as lists and searches show it. Rule 13."""

    invoice: Invoice
    customer_name: str
    customer_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFile:
    """All that a payment's card shows."""

    payment: "Payment"
    customer: Customer | None
    left_micros: int
    allocations: tuple[Allocation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFile:
    """All that an invoice's card shows."""

    invoice: Invoice
    lines: "tuple[InvoiceLine, ...]"
    customer: Customer
    allocations: tuple[Allocation, ...]
    dispute: "Dispute | None" = None
    promise: "PromiseStanding | None" = None
    write_offs: "tuple[WriteOff, ...]" = ()
    stopped: str | None = None  # why it is not chased


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something the books' own proof found wrong: what, where, and the two figures that differ."""

    check: str
    where: str
    kept: str
    recomputed: str


class ReadBooks(
    ApprovalQuestions,
    CreditQuestions,
    DisputeQuestions,
    MailQuestions,
    ReminderQuestions,
    StatementQuestions,
    Protocol,
):
    """Questions to the books; a report cannot be handed a writer."""

    def settings(self) -> Settings: ...

    def person(self, team: str, user: str) -> Person | None: ...

    def people(self) -> Sequence[Person]: ...

    def customer(self, customer_id: int) -> Customer: ...

    def customer_file(self, customer_id: int, today: date) -> CustomerFile: ...

    def find_customers(self, text: str, limit: int = 10) -> Sequence[Customer]: ...

    def has_customer_called(self, name: str) -> bool: ...

    def list_customers(self, page: Page) -> Sequence[Customer]: ...

    def payment(self, number_or_id: str) -> "Payment | None": ...

    def payment_file(self, payment_id: int) -> PaymentFile: ...

    def list_payments(self, page: Page, state: "PaymentState | None" = None) -> Sequence[PaymentLine]: ...

    def twins(
        self, payer: str, amount: Money, reference: str, received_on: date, customer_id: int | None = None
    ) -> "Sequence[Payment]": ...

    def invoice(self, number_or_id: str) -> Invoice | None: ...

    def invoice_file(self, invoice_id: int) -> InvoiceFile: ...

    def list_invoices(self, page: Page) -> Sequence[InvoiceListLine]: ...

    def ageing(self, question: AgeingQuestion) -> Ageing: ...

    def ageing_detail(self, question: AgeingQuestion, limit: int = 200) -> Sequence[AgeingDetail]: ...

    def each_payment(self, page: Page) -> Iterator[PaymentLine]: ...

    def each_invoice(self, page: Page) -> Iterator[InvoiceListLine]: ...

    def each_ageing_row(self, question: AgeingQuestion) -> Iterator[AgeingRow]: ...

    def each_ageing_detail(self, question: AgeingQuestion) -> Iterator[AgeingDetail]: ...

    def suspense(self, question: AgeingQuestion) -> Mapping[str, int]: ...

    def audit(self, question: AuditQuestion) -> Sequence[AuditLine]: ...

    def payment_entries(self, payment_id: int) -> Sequence[EntryLine]: ...

    def invoice_entries(self, invoice_id: int) -> Sequence[EntryLine]: ...
    def each_audit(self, question: AuditQuestion) -> Iterator[AuditLine]: ...

    def verify(self) -> Iterable[Finding]: ...
