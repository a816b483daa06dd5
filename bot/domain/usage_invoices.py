"""The invoice of a postpaid customer's usage: what is unbilled up to a day becomes what is owed, each charge once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.errors import DateInFuture, WrongState
from bot.domain.invoices import DRAFT, InvoiceChanged, InvoiceLine, InvoiceStep, changed_invoice, due_days
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import Money, total
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
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
    """Unbilled usage of one product at one tax rate, less its refunds, to the micro."""

    product: str
    tax_rate: Decimal
    lines: int
    net: Money
    tax: Money


@operation(by=Role.CLERK)
def invoice_usage(command: InvoiceUsage, books: "Books", context: Context) -> InvoiceChanged:
    """Make unbilled usage a tax invoice of today. Rules 57, 91, 101, 104. Refuses: WrongState, DateInFuture,
    CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    if command.through > context.today:
        raise DateInFuture("The last day lies in the future; usage is invoiced once it happened.", field="through")
    groups = books.usage.unbilled(customer.id, command.through, customer.currency)
    lines = lines_of(groups)
    net = total([each.net for each in lines], customer.currency)
    tax = total([each.tax for each in lines], customer.currency)
    if (net + tax).micros <= 0:
        raise WrongState(
            f"{customer.name} has nothing to invoice up to {command.through}; what was refunded beyond it goes on the "
            "next invoice.",
            field="through",
        )
    exact_net = total([each.net for each in groups], customer.currency)
    exact_tax = total([each.tax for each in groups], customer.currency)
    posted_on = max(context.today, books.settings.current().first_open_day())
    sent = Invoice(
        id=books.new_id(),
        kind=InvoiceKind.TAX,
        customer_id=customer.id,
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        issue_on=context.today,
        due_on=context.today + timedelta(days=due_days(customer, books)),
        posted_on=posted_on,
        rose_on=posted_on,
        net=net,
        tax=tax,
        total=net + tax,
        open=net + tax,
        state=InvoiceState.SENT,
        auto_allocate=True,
        remark=f"Usage up to {command.through}",
        version=2,
        usage_net_micros=exact_net.micros,
    )
    sent = replace(sent, number=books.numbers.next("invoice"))
    books.invoices.insert(sent, lines)
    books.usage.bill(customer.id, command.through, sent.id)
    matching = Matching(customer, books, context, invoices=[sent])
    gross = exact_net + exact_tax
    entry = usage_entry(sent, exact_net, exact_tax, posted_on)
    month = books.settings.current().month(context.now)
    left = books.usage.unbilled_after(customer.id, command.through, month.starts_on)
    matching.customer = replace(customer, month=month, month_micros=left)
    matching.post(entry, receivable=sent.total.micros, unbilled=-gross.micros)
    matching.sweep(context.today)
    matching.write()
    after, made = matching.invoices[sent.id], matching.made_for(sent.id)
    return changed_invoice(InvoiceStep.SENT, after, lines, matching.effect(), made, context)


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


def usage_entry(invoice: Invoice, net: Money, tax: Money, on: date) -> Entry:
    """Receivable / unbilled; tax_unbilled / tax_payable; what rounding makes of both / rounding."""
    postings = [
        Posting(Account.RECEIVABLE, invoice.total.micros, invoice.customer_id),
        Posting(Account.UNBILLED, -(net + tax).micros, invoice.customer_id),
    ]
    others = (
        (Account.TAX_UNBILLED, tax.micros),
        (Account.TAX_PAYABLE, -invoice.tax.micros),
        (Account.ROUNDING, net.micros - invoice.net.micros),
    )
    postings += [Posting(account, amount) for account, amount in others if amount]
    return Entry(kind="invoice", currency=invoice.total.currency, effective_on=on, postings=tuple(postings))
