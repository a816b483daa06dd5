"""Imports: customers and invoices of another system, written in batches by whoever operates the machine."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.customers import (
    Contact,
    Customer,
    EditCustomer,
    NewCustomer,
    clean_contacts,
    clean_text,
    edit_customer,
    new_customer,
)
from bot.domain.errors import DateInFuture, DateTooEarly, NoAccess, NotFound, Refused, WrongState
from bot.domain.invoices import LONGEST_DESCRIPTION, InvoiceLine, LineInput, due_days, price_lines
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import LARGEST_MICROS, Currency, Money, total
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Announcement, Context, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

OPERATOR = "system"
MOST_IN_A_BATCH = 5000
LONGEST_NUMBER = 28  # a number that was given back is longer by a mark, and the column keeps forty
LONGEST_NAME = 60
LONGEST_ID_DIGITS = 12  # longer numbers of digits alone are taken for ids


class IntakeKind(StrEnum):
    """What an import brings that keeps its own numbers."""

    OPENING = "opening"
    INVOICES = "invoices"


class IntakeState(StrEnum):
    """How far an import is; one that was cut off stays begun until it is run again."""

    BEGUN = "begun"
    WHOLE = "whole"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """One import: its name, what its files come to, and the day it is dated."""

    id: int
    kind: IntakeKind
    name: str
    digest: str
    as_of: date
    state: IntakeState


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeTotal:
    """What an opening comes to in one currency."""

    receivables: Money
    unapplied: Money
    wallet: Money

    @property
    def currency(self) -> Currency:
        return self.receivables.currency

    def told(self) -> str:
        return f"receivables {self.receivables}, unapplied {self.unapplied}, wallet {self.wallet}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginIntake:
    """Begin an import, or go on with the one of the same content."""

    kind: IntakeKind
    name: str
    digest: str
    as_of: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCustomer:
    """A customer as a file has it, with the credit limit it had."""

    terms: NewCustomer
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCustomers:
    """Open the customers that are not there yet, and correct the contacts of those that are."""

    customers: tuple[ImportedCustomer, ...]
    intake_id: int | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishIntake:
    """Say that an import is whole, if the books come to what its files came to."""

    intake_id: int
    totals: tuple[IntakeTotal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeStep:
    """What one batch of an import did."""

    what: str
    name: str
    written: int
    corrected: int = 0
    intake: Intake | None = None
    told: str = ""
    operation_id: int

    def trace(self) -> Trace:
        corrected = f", {self.corrected} corrected" if self.corrected else ""
        counted = f"{self.written} {self.what}{corrected}" if self.written or self.corrected else self.what
        return Trace(
            description="; ".join(filter(None, (f"{self.name}: {counted}", self.told))),
            document=self.name[:80],
            after={"written": str(self.written), "corrected": str(self.corrected)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.NONE)
def begin_intake(command: BeginIntake, books: "Books", context: Context) -> IntakeStep:
    """Begin an import, or find the one of this content that was cut off. Refuses: NoAccess, DateInFuture,
    DateTooEarly, WrongState.
    """
    check_operator(context)
    check_dated(command.as_of, context.today, books)
    name = clean_text(command.name, "name", LONGEST_NAME, needed=True)
    found = books.intakes.named(command.kind, name)
    if found is not None and found.digest != command.digest:
        raise other_content(found)
    if found is None:
        found = Intake(
            id=books.new_id(),
            kind=command.kind,
            name=name,
            digest=command.digest,
            as_of=command.as_of,
            state=IntakeState.BEGUN,
        )
        books.intakes.insert(found)
    return IntakeStep(
        what=f"{command.kind.value} begun as of {found.as_of}",
        name=name,
        written=0,
        intake=found,
        operation_id=context.operation_id,
    )


@operation(by=Role.NONE)
def import_customers(command: ImportCustomers, books: "Books", context: Context) -> IntakeStep:
    """Open customers as a form would, one audit row for the batch. Rules 60, 64, 102. Refuses: NoAccess and what
    opening a customer refuses.
    """
    check_operator(context)
    check_batch(command.customers)
    intake = begun(books.intakes.get(command.intake_id)) if command.intake_id is not None else None
    known = books.intakes.lock_customers([each.terms.code for each in command.customers])
    opened = corrected = 0
    for each in command.customers:
        customer = known.get(each.terms.code)
        if customer is None:
            customer = new_customer.run(each.terms, books, context).customer
            opened += 1
        elif _correct_contacts(customer, each.terms.contacts, books, context):
            corrected += 1
        if each.limit is not None and each.limit.micros != customer.limit_micros:
            books.intakes.set_limit(customer, each.limit, command.intake_id)
    return IntakeStep(
        what="customers",
        name=intake.name if intake is not None else "import",
        written=opened,
        corrected=corrected,
        operation_id=context.operation_id,
    )


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


@operation(by=Role.NONE)
def finish_intake(command: FinishIntake, books: "Books", context: Context) -> IntakeStep:
    """Mark an import as whole once what is in the books is what its files came to. Refuses: NoAccess, WrongState."""
    check_operator(context)
    intake = begun(books.intakes.get(command.intake_id))
    if intake.kind is IntakeKind.OPENING:
        posted = {each.currency.code: each for each in books.intakes.totals(intake.id)}
        wanted = {each.currency.code: each for each in command.totals}
        for code in sorted({*posted, *wanted}):
            if posted.get(code) != wanted.get(code):
                raise WrongState(
                    f"The books have {_told(posted.get(code))} of {intake.name}; the files say"
                    f" {_told(wanted.get(code))}. Take it back and import it again."
                )
    books.intakes.set_state(intake.id, IntakeState.WHOLE)
    return IntakeStep(
        what=f"{intake.kind.value} whole",
        name=intake.name,
        written=0,
        intake=replace(intake, state=IntakeState.WHOLE),
        told="; ".join(each.told() for each in command.totals),
        operation_id=context.operation_id,
    )


def check_operator(context: Context) -> None:
    """Imports come from the command line of the machine alone. Refuses: NoAccess."""
    if context.person != OPERATOR:
        raise NoAccess("Files are imported on the command line by whoever operates the machine.")


def check_dated(as_of: date, today: date, books: "Books") -> None:
    """An import is dated in the open period. Refuses: DateInFuture, DateTooEarly."""
    if as_of > today:
        raise DateInFuture(f"{as_of} lies in the future; give today or an earlier day.", field="as_of")
    first_open = books.settings.current().first_open_day()
    if as_of < first_open:
        raise DateTooEarly(f"{as_of} is locked; the first open day is {first_open}.", field="as_of")


def check_batch(lines: Sequence[object]) -> None:
    """What one transaction takes. Refuses: Refused."""
    if len(lines) > MOST_IN_A_BATCH:
        raise Refused(f"A batch has at most {MOST_IN_A_BATCH:,} lines.")


def begun(intake: Intake) -> Intake:
    """An import that is not whole yet. Refuses: WrongState."""
    if intake.state is not IntakeState.BEGUN:
        raise WrongState(f"{intake.name} is {intake.state.value.replace('_', ' ')} already; it takes no more lines.")
    return intake


def other_content(found: Intake) -> WrongState:
    """What is said when a name comes with other lines."""
    stands = "was taken over already" if found.state is IntakeState.WHOLE else "was begun"
    return WrongState(
        f"{found.name} {stands} with other content, as of {found.as_of}. Take it back first, or give these files"
        " another name with --name."
    )


def clean_number(text: str, own_prefixes: Iterable[str] = ()) -> str:
    """A document's own number, in capitals as numbers are looked for. Refuses: MissingText, TextTooLong, Refused."""
    number = clean_text(text, "number", LONGEST_NUMBER, needed=True).upper()
    if not number.isprintable() or "~" in number:
        raise Refused("A number has no line breaks, control characters or ~; write it in one line.", field="number")
    if number.isdigit() and len(number) > LONGEST_ID_DIGITS:
        raise Refused("A number of digits alone has at most 12 of them; put a letter before it.", field="number")
    for prefix in own_prefixes:
        if number.startswith(prefix) and number[len(prefix) :].isdigit():
            raise Refused(
                f"{number} looks like a number of this book's own series {prefix}; choose another prefix for the"
                " series with /duedesk settings, or another number.",
                field="number",
            )
    return number


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


def sent_invoice(number: str, customer: Customer, gross: Money, intake: Intake, books: "Books") -> Invoice:
    """An invoice of an import, open whole, dated on its day."""
    return Invoice(
        id=books.new_id(),
        kind=InvoiceKind.TAX,
        customer_id=customer.id,
        number=number,
        draft_reference="",
        issue_on=intake.as_of,
        due_on=intake.as_of,
        posted_on=intake.as_of,
        rose_on=intake.as_of,
        net=gross,
        tax=Money(0, gross.currency),
        total=gross,
        open=gross,
        state=InvoiceState.SENT,
        auto_allocate=True,
        version=2,
        intake_id=intake.id,
    )


def owner_of(code: str, customers: dict[str, Customer]) -> Customer:
    """The customer of a line. Refuses: NotFound."""
    found = customers.get(code)
    if found is None:
        raise NotFound(f"There is no customer {code} in this book.", field="customer")
    return found


def _told(of: IntakeTotal | None) -> str:
    return of.told() if of is not None else "nothing"


def _correct_contacts(customer: Customer, contacts: tuple[Contact, ...], books: "Books", context: Context) -> bool:
    wanted = clean_contacts(contacts)
    if not wanted or wanted == books.customers.contacts(customer.id):
        return False
    same = EditCustomer(
        customer_id=customer.id,
        version=customer.version,
        code=customer.code,
        name=customer.name,
        due_days=customer.due_days,
        billing_name=customer.billing_name,
        country=customer.country,
        zone=customer.zone,
        contacts=wanted,
    )
    edit_customer.run(same, books, context)
    return True


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
