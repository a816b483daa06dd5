"""Invoices of usage: what is unbilled becomes what is owed, what was deducted is summed up; each charge once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.customers import Mode
from bot.domain.errors import DateInFuture, WrongState
from bot.domain.invoices import DRAFT, InvoiceChanged, InvoiceLine, InvoiceStep, changed_invoice, due_days
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import Money, total
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState, Lot, LotKind
from bot.domain.operation import Context, Role, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceUsage:
    """Invoice what a customer used up to a day, and no charge twice."""

    customer_id: int
    through: date


@dataclass(frozen=True, slots=True)
class UsageGroup:
    """Usage of one product at one tax rate that is on no invoice, less its refunds, to the micro."""

    product: str
    tax_rate: Decimal
    lines: int
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageBill:
    """Usage charged in one mode up to a day: its lines, what it is to the micro, and what of it is still open."""

    mode: Mode
    through: date
    lines: tuple[InvoiceLine, ...]
    exact_net: Money
    exact_tax: Money
    still_open: Money

    @property
    def exact(self) -> Money:
        return self.exact_net + self.exact_tax


@operation(by=Role.CLERK)
def invoice_usage(command: InvoiceUsage, books: "Books", context: Context) -> InvoiceChanged:
    """Make usage a tax invoice of today: what is unbilled, or else a summary of what was deducted. Rules 57, 91, 101,
    104, 105. Refuses: WrongState, DateInFuture, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    if command.through > context.today:
        raise DateInFuture("The last day lies in the future; usage is invoiced once it happened.", field="through")
    matching = Matching(customer, books, context)
    # Today still grows by prepaid usage, and a day that is summed up does not.
    whole_days = min(command.through, context.today - timedelta(days=1))
    bill = bill_of(Mode.POSTPAID, command.through, matching) or bill_of(Mode.PREPAID, whole_days, matching)
    if bill is None:
        raise WrongState(
            f"{customer.name} has nothing to invoice up to {command.through}; what comes to less than the smallest "
            "coin goes on the next invoice, and prepaid usage of today is summed up from tomorrow on.",
            field="through",
        )
    sent = send_bill(bill, matching)
    matching.sweep(context.today)
    matching.write()
    return billed(sent, bill, matching)


def bill_of(mode: Mode, through: date, matching: Matching) -> UsageBill | None:
    """What is to be invoiced, or nothing while no line comes to the smallest coin: it waits for the next invoice."""
    customer, books = matching.customer, matching.books
    groups = books.usage.to_bill(customer.id, mode, through, customer.currency)
    lines = lines_of(groups)
    if not any(line.net or line.tax for line in lines):
        return None
    zero = Money(0, customer.currency)
    unpaid = zero
    if mode is Mode.PREPAID:
        days = books.usage.open_days(customer.id)
        unpaid = total([each.open for each in days if each.used_on <= through], customer.currency)
    return UsageBill(
        mode=mode,
        through=through,
        lines=lines,
        exact_net=total([each.net for each in groups], customer.currency),
        exact_tax=total([each.tax for each in groups], customer.currency),
        still_open=unpaid,
    )


def send_bill(bill: UsageBill, matching: Matching) -> Invoice:
    """Give usage its number and make it what is owed; what is below zero becomes credit, what was paid stays paid."""
    customer, books, context = matching.customer, matching.books, matching.context
    invoice = _invoice(bill, matching)
    if bill.mode is Mode.POSTPAID:
        month = books.settings.current().month(context.now)
        left = books.usage.unbilled_after(customer.id, bill.through, month.starts_on)
        matching.customer = replace(customer, month=month, month_micros=left)
    invoice = replace(invoice, number=books.numbers.next("invoice"))
    books.invoices.insert(invoice, bill.lines)
    books.usage.bill(invoice)
    if bill.mode is Mode.PREPAID:
        _close_days(bill, matching)
    matching.add_debit(invoice, invoice.open)
    on = invoice.posted_on or context.today
    entry, moved = usage_entry(invoice, bill, on)
    if entry is not None:
        matching.post(entry, **moved)
    if invoice.is_negative and bill.mode is Mode.POSTPAID:
        zero = Money(0, customer.currency)
        lot = Lot(
            id=books.new_id(),
            customer_id=customer.id,
            kind=LotKind.NEGATIVE_INVOICE,
            number=invoice.label,
            amount=-invoice.total,
            open=-invoice.total,
            held=zero,
            opened_on=on,
            rose_on=on,
            invoice_id=invoice.id,
        )
        matching.open_lot(lot)
    return invoice


def billed(sent: Invoice, bill: UsageBill, matching: Matching) -> InvoiceChanged:
    """The invoice after all that the operation matched."""
    after, made = matching.invoices[sent.id], matching.made_for(sent.id)
    return changed_invoice(InvoiceStep.SENT, after, bill.lines, matching.effect(), made, matching.context)


def lines_of(groups: Sequence[UsageGroup]) -> tuple[InvoiceLine, ...]:
    """A line for each product and tax rate, net and tax each rounded half up; totals are sums of these. Rule 104."""
    return tuple(
        InvoiceLine(
            description=f"{each.product}, {each.lines:,} charge{'s' if each.lines != 1 else ''}",
            quantity=Decimal(1),
            unit_price=each.net.rounded(),
            tax_rate=each.tax_rate,
            net=each.net.rounded(),
            tax=each.tax.rounded(),
        )
        for each in groups
    )


def open_of(mode: Mode, worth: Money, still_open: Money) -> Money:
    """What is to pay of an invoice of usage: all of it, or of a summary what was not deducted; never less than zero."""
    nothing = Money(0, worth.currency)
    if mode is Mode.POSTPAID:
        return max(worth, nothing)
    return min(still_open.rounded(), max(worth, nothing))


def usage_entry(invoice: Invoice, bill: UsageBill, on: date) -> tuple[Entry | None, dict[str, int]]:
    """What an invoice of usage posts, and how it moves the customer's accounts; nothing where all is zero."""
    if bill.mode is Mode.PREPAID:
        # The summary instead of its days; revenue and tax were posted with each charge.
        parts = [
            (Account.RECEIVABLE, invoice.open.micros),
            (Account.RECEIVABLE, -bill.still_open.micros),
            (Account.ROUNDING, (bill.still_open - invoice.open).micros),
        ]
        moved = {"receivable": (invoice.open - bill.still_open).micros}
    else:
        # Receivable, or deposits below zero, / unbilled; tax_unbilled / tax_payable; what rounding makes of both.
        control = Account.DEPOSITS if invoice.is_negative else Account.RECEIVABLE
        parts = [
            (control, invoice.total.micros),
            (Account.UNBILLED, -bill.exact.micros),
            (Account.TAX_UNBILLED, bill.exact_tax.micros),
            (Account.TAX_PAYABLE, -invoice.tax.micros),
            (Account.ROUNDING, bill.exact_net.micros - invoice.net.micros),
        ]
        moved = {control.value: abs(invoice.total.micros), "unbilled": -bill.exact.micros}
    of_customer = {Account.RECEIVABLE, Account.DEPOSITS, Account.UNBILLED}
    postings = tuple(
        Posting(account, amount, invoice.customer_id if account in of_customer else None)
        for account, amount in parts
        if amount
    )
    if not postings:
        return None, {}
    return Entry(kind="invoice", currency=invoice.total.currency, effective_on=on, postings=postings), moved


def _invoice(bill: UsageBill, matching: Matching) -> Invoice:
    customer, books, today = matching.customer, matching.books, matching.context.today
    net = total([each.net for each in bill.lines], customer.currency)
    tax = total([each.tax for each in bill.lines], customer.currency)
    posted_on = max(today, books.settings.current().first_open_day())
    left = open_of(bill.mode, net + tax, bill.still_open)
    what = "Usage" if bill.mode is Mode.POSTPAID else "Summary of usage deducted from credit"
    return Invoice(
        id=books.new_id(),
        kind=InvoiceKind.TAX,
        customer_id=customer.id,
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        issue_on=today,
        due_on=today + timedelta(days=due_days(customer, books)),
        posted_on=posted_on,
        rose_on=posted_on,
        net=net,
        tax=tax,
        total=net + tax,
        open=left,
        state=InvoiceState.SENT,
        auto_allocate=True,
        remark=f"{what} up to {bill.through}",
        version=2,
        usage_net_micros=bill.exact_net.micros,
        usage_mode=bill.mode,
        usage_through=bill.through,
        settled_micros=(net + tax - left).micros,
    )


def _close_days(bill: UsageBill, matching: Matching) -> None:
    """What is open of the days that a summary sums up is open of the summary instead: no sweep pays the days."""
    customer = matching.customer
    nothing = Money(0, customer.currency)
    for day in matching.books.usage.open_days(customer.id):
        if day.used_on <= bill.through:
            matching.add_debit(replace(day, open=nothing).as_debit(), nothing)
