"""Provisioning: a proforma whose price is paid or covered becomes a tax invoice, whole or not at all."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.customers import Customer, CustomerState
from bot.domain.errors import WrongState
from bot.domain.invoices import InvoiceChanged, InvoiceLine, InvoiceStep, changed_invoice, invoice_entry
from bot.domain.ledger import Account, Side, transfer
from bot.domain.money import Money, total
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Context, Role, operation
from bot.domain.usage import check_cost, check_spending

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionProforma:
    """Hand over what a proforma is for: it is a tax invoice from today."""

    invoice_id: int


@operation(by=Role.CLERK)
def provision_proforma(command: ProvisionProforma, books: "Books", context: Context) -> InvoiceChanged:
    """Turn a proforma into a tax invoice, all of it; what it was paid with pays it. Rules 29, 55, 98, 99. Refuses:
    WrongState, NotEnoughUsable, MasterShort, CustomerClosed.
    """
    customer = books.customers.lock(books.invoices.get(command.invoice_id).customer_id).open_for_business()
    proforma = books.invoices.get(command.invoice_id)
    check_provisionable(proforma, customer, context)
    lines = books.invoices.lines(proforma.id)
    cost = _cost_of(lines, customer, books)
    live = books.allocations.of_invoice(proforma.id)
    matching = Matching(customer, books, context, invoices=[proforma])
    matching.load_lots(each.lot_id for each in live)
    days = proforma.due_on - proforma.issue_on
    tax_invoice = replace(
        proforma,
        kind=InvoiceKind.TAX,
        proforma_number=proforma.number,
        number=books.numbers.next("invoice"),
        issue_on=context.today,
        due_on=context.today + days,
        posted_on=context.today,
        rose_on=context.today,
        cost=cost or None,
        version=proforma.version + 1,
    )
    _turn(tax_invoice, live, matching)
    if cost:
        sold = transfer("cost of a sale", cost, debit=Side(Account.COST), credit=Side(Account.MASTER), on=context.today)
        books.ledger.post(sold)
        books.master.move(-cost)
    matching.sweep(context.today)
    matching.write()
    return changed_invoice(
        InvoiceStep.PROVISIONED,
        matching.invoices[proforma.id],
        lines,
        matching.effect(),
        matching.made_for(proforma.id),
        context,
    )


def check_provisionable(proforma: Invoice, customer: Customer, context: Context) -> None:
    """A sent proforma of an active customer, whose unpaid rest may be spent. Rules 98, 99. Refuses: WrongState,
    NotEnoughUsable.
    """
    if proforma.kind is not InvoiceKind.PROFORMA:
        raise WrongState(f"{proforma.label} is a {proforma.called}; only a proforma is provisioned.")
    if proforma.state is not InvoiceState.SENT:
        raise WrongState(f"{proforma.label} is {proforma.status}; only a sent proforma is provisioned.")
    if customer.state is not CustomerState.ACTIVE:
        raise WrongState(f"{customer.name} is {customer.state.value}; nothing is provisioned.")
    if proforma.open:
        check_spending(customer, proforma.open, context.now)


def _cost_of(lines: tuple[InvoiceLine, ...], customer: Customer, books: "Books") -> Money:
    """What the sale costs at the platform; without an account there, nothing. Rule 55. Refuses: MasterShort."""
    cost = total([line.cost for line in lines if line.cost is not None], customer.currency)
    master = books.master.lock(customer.currency) if cost else None
    check_cost(master, cost)
    return cost if master is not None else Money(0, customer.currency)


def _turn(tax_invoice: Invoice, live: tuple[Allocation, ...], matching: Matching) -> None:
    """Advances / deposits, receivable / revenue and tax, and the same matches again, deposits / receivable."""
    today = matching.context.today
    for each in live:
        matching.unmatch(each, today)
    matching.books.invoices.provision(tax_invoice)
    whole = replace(tax_invoice, open=tax_invoice.total)
    matching.invoices[tax_invoice.id] = whole
    matching.post(invoice_entry(whole, today), receivable=whole.total.micros)
    for each in live:
        matching.match(each.lot_id, whole.id, each.amount, today, automatic=each.automatic)
