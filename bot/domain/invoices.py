"""Invoices of every kind through their lives: draft, sent, partly paid, paid, void."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Context as Digits
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import CurrencyMixed, DateInFuture, DateTooEarly, MissingText, NotPositive, Refused, WrongState
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.mailing import Mailing, mail_sent_invoice
from bot.domain.money import LARGEST_MICROS, Money, multiply, tax_of, total
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

DRAFT = "DRAFT-"
MOST_LINES = 100
LONGEST_DESCRIPTION = 500
HIGHEST_RATE = 100
LARGEST_QUANTITY = 1_000_000_000
MILLIONTH = Decimal("0.000001")
WIDE = Digits(prec=200)


class InvoiceStep(StrEnum):
    """What just happened to an invoice."""

    DRAFTED = "drafted"
    SENT = "sent"
    AUTO_ON = "auto-allocation on"
    AUTO_OFF = "auto-allocation off"
    EDITED = "edited"
    DELETED = "deleted"
    VOIDED = "voided"
    PROVISIONED = "provisioned"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """A line as typed: quantity, price per unit without tax, tax rate in per cent; of a proforma what it will cost."""

    description: str
    unit_price: Money
    quantity: Decimal = Decimal(1)
    tax_rate: Decimal = Decimal(0)
    cost: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """A line with its rounded net and tax. Rule 104."""

    description: str
    quantity: Decimal
    unit_price: Money
    tax_rate: Decimal
    net: Money
    tax: Money
    cost: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInvoice:
    """Write an invoice, as a draft or sent at once. Rule 91."""

    customer_id: int
    lines: tuple[LineInput, ...]
    issue_on: date
    due_on: date | None = None
    remark: str = ""
    auto_allocate: bool = True
    send: bool = False
    kind: InvoiceKind = InvoiceKind.TAX
    mail: Mailing = Mailing.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class SendInvoice:
    """Make a draft final: it gets its number, and a tax invoice is owed."""

    invoice_id: int
    mail: Mailing = Mailing.NO


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAutoAllocation:
    """Let free credit pay this invoice by itself, or not. Rules 23, 26."""

    invoice_id: int
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceChanged:
    """An invoice was drafted, sent or switched; carries all its card shows."""

    step: InvoiceStep
    invoice: Invoice
    lines: tuple[InvoiceLine, ...]
    effect: Effect
    allocations: tuple[Allocation, ...]
    operation_id: int
    reason: str = ""
    mailed_to: tuple[str, ...] = ()

    @property
    def is_locked_out(self) -> bool:
        """Whether it counts later than it was issued because of a period lock."""
        return self.invoice.posted_on is not None and self.invoice.posted_on > self.invoice.issue_on

    def trace(self) -> Trace:
        invoice = self.invoice
        return Trace(
            description="; ".join(filter(None, (f"{invoice.label} {self.step.value}: {invoice.total}", self.reason))),
            customer_id=invoice.customer_id,
            document=invoice.label,
            before={"amount_due": str(self.effect.before.amount_due)},
            after={"amount_due": str(self.effect.after.amount_due), "state": invoice.status, "open": str(invoice.open)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = announce_invoices((self.invoice,))
        final = self.step in {InvoiceStep.SENT, InvoiceStep.PROVISIONED}
        papers = tuple(replace(each, paper="invoice") for each in mine if final)
        return (*mine, *papers, *self.effect.announcements(but=self.invoice.id))


@operation(by=Role.CLERK)
def draft_invoice(command: DraftInvoice, books: "Books", context: Context) -> InvoiceChanged:
    """Write an invoice and, if asked, send it. Rules 91, 92, 102, 104. Refuses: NotPositive, DateInFuture,
    DateTooEarly, NotMailable, Refused.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    lines = price_lines(command.lines, customer, command.kind)
    invoice = new_draft(command, lines, customer, books, context)
    if command.send:
        sent = _send(invoice, lines, customer, books, context, is_new=True)
        return _mailed(command.mail, sent, customer, books, context)
    books.invoices.insert(invoice, lines)
    effect = Effect.none(customer)
    return changed_invoice(InvoiceStep.DRAFTED, invoice, lines, effect, (), context)


@operation(by=Role.CLERK)
def send_invoice(command: SendInvoice, books: "Books", context: Context) -> InvoiceChanged:
    """Give a draft its number; existing credit pays a tax invoice. Rules 23, 28, 100, 103. Refuses: WrongState,
    CustomerClosed, NotMailable.
    """
    invoice = books.invoices.get(command.invoice_id)
    customer = books.customers.lock(invoice.customer_id).open_for_business()
    invoice = books.invoices.get(command.invoice_id)
    if invoice.state is not InvoiceState.DRAFT:
        raise WrongState(f"{invoice.label} is {invoice.status} already; only a draft can be sent.")
    sent = _send(invoice, books.invoices.lines(invoice.id), customer, books, context, is_new=False)
    return _mailed(command.mail, sent, customer, books, context)


@operation(by=Role.CLERK)
def switch_auto_allocation(command: SwitchAutoAllocation, books: "Books", context: Context) -> InvoiceChanged:
    """Switch an invoice's auto-allocation; on lets free credit pay it now. Rules 23, 26. Refuses: WrongState."""
    invoice = books.invoices.get(command.invoice_id)
    customer = books.customers.lock(invoice.customer_id)
    invoice = books.invoices.get(command.invoice_id)
    if not invoice.is_owed:
        raise WrongState(f"{invoice.label} is a {invoice.called}; it is paid by hand only.")
    if invoice.state is not InvoiceState.SENT or not invoice.open:
        raise WrongState(f"{invoice.label} is {invoice.status}; auto-allocation is for invoices with something open.")
    matching = Matching(customer, books, context, invoices=[invoice])
    matching.switch_auto(invoice.id, on=command.on)
    if command.on:
        matching.sweep(context.today)
    matching.write()
    step = InvoiceStep.AUTO_ON if command.on else InvoiceStep.AUTO_OFF
    after = matching.invoices[invoice.id]
    live = (*books.allocations.of_invoice(invoice.id), *matching.made_for(invoice.id))
    return changed_invoice(step, after, books.invoices.lines(invoice.id), matching.effect(), live, context)


def _mailed(
    wish: Mailing, sent: InvoiceChanged, customer: Customer, books: "Books", context: Context
) -> InvoiceChanged:
    return replace(sent, mailed_to=mail_sent_invoice(wish, sent.invoice, customer, books, context))


def _send(
    draft: Invoice,
    lines: tuple[InvoiceLine, ...],
    customer: Customer,
    books: "Books",
    context: Context,
    *,
    is_new: bool,
) -> InvoiceChanged:
    posted_on = max(draft.issue_on, books.settings.current().first_open_day())
    if not draft.is_owed:
        asked = ask(draft, lines, posted_on, books, is_new=is_new)
        return changed_invoice(InvoiceStep.SENT, asked, lines, Effect.none(customer), (), context)
    number = books.numbers.next("invoice")
    sent = replace(
        draft,
        state=InvoiceState.SENT,
        number=number,
        posted_on=posted_on,
        rose_on=posted_on,
        open=draft.total,
        version=2,
    )
    if is_new:
        books.invoices.insert(sent, lines)
    else:
        books.invoices.send(sent)
    matching = Matching(customer, books, context, invoices=[sent])
    matching.post(invoice_entry(sent, posted_on), receivable=sent.total.micros)
    matching.sweep(context.today)
    matching.write()
    made = matching.made_for(sent.id)
    return changed_invoice(InvoiceStep.SENT, matching.invoices[sent.id], lines, matching.effect(), made, context)


def ask(draft: Invoice, lines: tuple[InvoiceLine, ...], on: date, books: "Books", *, is_new: bool) -> Invoice:
    """A top-up invoice or a proforma asks for money from a day on: nothing is posted, nothing is owed. Rule 27."""
    number = books.numbers.next(draft.kind.value)
    asked = replace(draft, state=InvoiceState.SENT, number=number, rose_on=on, open=draft.total, version=2)
    if is_new:
        books.invoices.insert(asked, lines)
    else:
        books.invoices.send(asked)
    return asked


def new_draft(
    command: DraftInvoice, lines: tuple[InvoiceLine, ...], customer: Customer, books: "Books", context: Context
) -> Invoice:
    """The invoice of these lines, without its number yet. Refuses: NotPositive, DateInFuture, DateTooEarly, Refused."""
    net = total([line.net for line in lines], customer.currency)
    tax = total([line.tax for line in lines], customer.currency)
    if (net + tax).micros <= 0:
        raise NotPositive("The invoice's total must be more than zero.", field="lines")
    if (net + tax).micros > LARGEST_MICROS:
        raise Refused("The invoice's total must stay below a million million.", field="lines")
    if command.issue_on > context.today:
        raise DateInFuture("The issue date lies in the future; invoices are dated today or earlier.", field="issue_on")
    due_on = command.due_on or command.issue_on + timedelta(days=due_days(customer, books))
    if due_on < command.issue_on:
        raise DateTooEarly("The due date lies before the issue date.", field="due_on")
    return Invoice(
        id=books.new_id(),
        kind=command.kind,
        customer_id=customer.id,
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        issue_on=command.issue_on,
        due_on=due_on,
        posted_on=None,
        rose_on=None,
        net=net,
        tax=tax,
        total=net + tax,
        open=Money(0, customer.currency),
        state=InvoiceState.DRAFT,
        auto_allocate=command.auto_allocate and command.kind is not InvoiceKind.TOP_UP,
        remark=clean_text(command.remark, "remark", LONGEST_DESCRIPTION),
        version=1,
    )


def changed_invoice(
    step: InvoiceStep,
    invoice: Invoice,
    lines: tuple[InvoiceLine, ...],
    effect: Effect,
    allocations: tuple[Allocation, ...],
    context: Context,
) -> InvoiceChanged:
    """What became of an invoice, with all its card shows."""
    return InvoiceChanged(
        step=step,
        invoice=invoice,
        lines=lines,
        effect=effect,
        allocations=allocations,
        operation_id=context.operation_id,
    )


def invoice_entry(invoice: Invoice, on: date) -> Entry:
    """Receivable / revenue, tax_payable."""
    postings = [
        Posting(Account.RECEIVABLE, invoice.total.micros, invoice.customer_id),
        Posting(Account.REVENUE, -invoice.net.micros),
    ]
    if invoice.tax:
        postings.append(Posting(Account.TAX_PAYABLE, -invoice.tax.micros))
    return Entry(kind="invoice", currency=invoice.total.currency, effective_on=on, postings=tuple(postings))


def price_lines(
    lines: tuple[LineInput, ...], customer: Customer, kind: InvoiceKind = InvoiceKind.TAX
) -> tuple[InvoiceLine, ...]:
    """Net and tax per line, each rounded half up; totals are sums of rounded figures. Rule 104. Refuses: Refused."""
    if kind is InvoiceKind.TOP_UP and any(line.tax_rate for line in lines):
        raise Refused("A top-up invoice is no tax invoice; leave the tax out.", field="lines")
    if kind is not InvoiceKind.PROFORMA and any(line.cost for line in lines):
        raise Refused("Only a proforma says what its lines will cost.", field="lines")
    if not lines:
        raise MissingText("An invoice has at least one line; describe what it is for.", field="lines")
    if len(lines) > MOST_LINES:
        raise Refused(f"An invoice has at most {MOST_LINES} lines.", field="lines")
    return tuple(_price(line, customer) for line in lines)


def _price(line: LineInput, customer: Customer) -> InvoiceLine:
    if line.unit_price.currency != customer.currency:
        raise CurrencyMixed(
            f"{customer.name} is invoiced in {customer.currency.code}, not {line.unit_price.currency.code}.",
            field="lines",
        )
    if not (is_kept_exactly(line.tax_rate) and 0 <= line.tax_rate <= HIGHEST_RATE):
        raise Refused("The tax rate goes from 0 to 100 per cent, with at most six decimals.", field="lines")
    if not (is_kept_exactly(line.quantity) and line.quantity <= LARGEST_QUANTITY):
        raise Refused(f"The quantity is a number up to {LARGEST_QUANTITY:,} with at most six decimals.", field="lines")
    if line.quantity <= 0:
        raise NotPositive("The quantity must be more than zero.", field="lines")
    if line.unit_price.micros <= 0:
        raise NotPositive("The price must be more than zero.", field="lines")
    if line.unit_price.micros * line.quantity > LARGEST_MICROS:
        raise Refused("The price times the quantity must stay below a million million.", field="lines")
    cost = line.cost
    if cost is not None and (cost.currency != customer.currency or not 0 <= cost.micros <= LARGEST_MICROS):
        raise Refused(f"The cost is an amount in {customer.currency.code}, not less than zero.", field="lines")
    net = multiply(line.unit_price, line.quantity)
    return InvoiceLine(
        description=clean_text(line.description, "lines", LONGEST_DESCRIPTION, needed=True, called="description"),
        quantity=line.quantity,
        unit_price=line.unit_price,
        tax_rate=line.tax_rate,
        net=net,
        tax=tax_of(net, line.tax_rate),
        cost=cost or None,
    )


def is_kept_exactly(number: Decimal) -> bool:
    """Whether a quantity or rate has no more than the six decimals that are kept."""
    return number.is_finite() and number == number.quantize(MILLIONTH, context=WIDE)


def due_days(customer: Customer, books: "Books") -> int:
    """The customer's terms, or the book's. Rule 102."""
    return customer.due_days if customer.due_days is not None else books.settings.current().due_days


def announce_invoices(invoices: tuple[Invoice, ...]) -> tuple[Announcement, ...]:
    """A card for each final invoice."""
    return tuple(
        Announcement(document=DocumentKind.INVOICE, document_id=invoice.id)
        for invoice in invoices
        if invoice.state is not InvoiceState.DRAFT
    )
