"""Tax invoices that another system numbered and sent, written in batches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import DateInFuture, DateTooEarly, Refused
from bot.domain.intake import Intake, IntakeStep, begun, check_batch, check_operator, owner_of, sent_invoice
from bot.domain.invoices import LONGEST_DESCRIPTION, InvoiceLine, LineInput, due_days, price_lines
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import LARGEST_MICROS, total
from bot.domain.open_items import Invoice
from bot.domain.operation import Context, Role, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedInvoice:
    """A tax invoice that another system numbered and sent."""

    number: str
    customer_code: str
    issue_on: date
    due_on: date | None
    line: LineInput
    remark: str = ""
    auto_allocate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportInvoices:
    """Write invoices that are not there yet."""

    intake_id: int
    invoices: tuple[ImportedInvoice, ...]


@operation(by=Role.NONE)
def import_invoices(command: ImportInvoices, books: "Books", context: Context) -> IntakeStep:
    """Write invoices under their own numbers; credit pays them as when one is sent. Rules 23, 102, 104. Refuses:
    NoAccess, WrongState and what sending an invoice refuses.
    """
    check_operator(context)
    check_batch(command.invoices)
    intake = begun(books.intakes.get(command.intake_id))
    customers = books.intakes.lock_customers([each.customer_code for each in command.invoices])
    taken = books.intakes.taken_invoices([each.number for each in command.invoices])
    made = [
        invoice_of(each, owner_of(each.customer_code, customers), intake, books, context)
        for each in command.invoices
        if each.number not in taken
    ]
    for entry in _sold([invoice for invoice, _ in made]):
        books.ledger.post(entry)
    for invoice, line in made:
        books.invoices.insert(invoice, (line,))
    _owe([invoice for invoice, _ in made], customers.values(), books, context)
    return IntakeStep(what="invoices", name=intake.name, written=len(made), operation_id=context.operation_id)


def invoice_of(
    given: ImportedInvoice, customer: Customer, intake: Intake, books: "Books", context: Context
) -> tuple[Invoice, InvoiceLine]:
    """The invoice and its line, priced as the form does. Rules 102, 104. Refuses: what the form refuses."""
    if given.issue_on > context.today:
        raise DateInFuture(f"{given.number} is issued in the future.", field="issued")
    (line,) = price_lines((given.line,), customer.open_for_business())
    due_on = given.due_on or given.issue_on + timedelta(days=due_days(customer, books))
    if due_on < given.issue_on:
        raise DateTooEarly(f"{given.number} is due before it was issued.", field="due")
    posted_on = max(given.issue_on, books.settings.current().first_open_day())
    gross = line.net + line.tax
    if not 0 < gross.micros <= LARGEST_MICROS:
        raise Refused(f"The total of {given.number} must be more than zero.", field="unit_price")
    invoice = sent_invoice(given.number, customer, gross, intake, books)
    return replace(
        invoice,
        net=line.net,
        tax=line.tax,
        issue_on=given.issue_on,
        due_on=due_on,
        posted_on=posted_on,
        rose_on=posted_on,
        auto_allocate=given.auto_allocate,
        remark=clean_text(given.remark, "remark", LONGEST_DESCRIPTION),
    ), line


def _sold(invoices: Sequence[Invoice]) -> Iterable[Entry]:
    """Receivable / revenue, tax_payable: one entry for each day and currency, one posting for each customer."""
    grouped: dict[tuple[date, str], list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        assert invoice.posted_on is not None
        grouped[invoice.posted_on, invoice.total.currency.code].append(invoice)
    for (on, _), mine in sorted(grouped.items()):
        of = mine[0].total.currency
        owed: dict[int, int] = defaultdict(int)
        for invoice in mine:
            owed[invoice.customer_id] += invoice.total.micros
        net, tax = (total([getattr(each, part) for each in mine], of) for part in ("net", "tax"))
        others = ((Account.REVENUE, net), (Account.TAX_PAYABLE, tax))
        postings = [Posting(Account.RECEIVABLE, micros, customer_id) for customer_id, micros in owed.items()]
        postings += [Posting(account, -amount.micros) for account, amount in others if amount]
        yield Entry(kind="invoice", currency=of, effective_on=on, postings=tuple(postings))


def _owe(invoices: Sequence[Invoice], customers: Iterable[Customer], books: "Books", context: Context) -> None:
    """Move what each customer owes; where there is credit, it pays as it does when an invoice is sent."""
    mine: dict[int, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        mine[invoice.customer_id].append(invoice)
    plain = []
    for customer in customers:
        new = mine.get(customer.id, [])
        if not new:
            continue
        owing = customer.moved(receivable=sum(each.total.micros for each in new))
        if not customer.controls.deposits:
            plain.append((customer, owing))
            continue
        matching = Matching(customer, books, context, invoices=new)
        matching.customer = owing
        matching.sweep(context.today)
        matching.write()
    books.intakes.move_many(plain)
