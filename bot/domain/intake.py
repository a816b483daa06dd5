"""Imports: customers and invoices of another system, written in batches by whoever operates the machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

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
from bot.domain.money import Currency, Money
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Announcement, Context, Role, Trace, operation
from bot.domain.payment_settings import PaymentSettings, is_from_stripe, with_settings

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
    settings: PaymentSettings | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCustomers:
    """Open the customers that are not there yet, and correct the contacts of those that are."""

    customers: tuple[ImportedCustomer, ...]
    intake_id: int | None = None


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
        if each.settings is not None:
            _bring_settings(customer, each.settings, books, is_new=each.terms.code not in known)
    return IntakeStep(
        what="customers",
        name=intake.name if intake is not None else "import",
        written=opened,
        corrected=corrected,
        operation_id=context.operation_id,
    )


def _bring_settings(customer: Customer, given: PaymentSettings, books: "Books", *, is_new: bool) -> None:
    """Of a customer that was there, only what Stripe says is taken over; nothing is topped up before there is a
    balance. Rule 71. Refuses: Refused.
    """
    if is_new and given.acts:
        raise Refused(f"{customer.code} has no balance yet; switch its automatic top-up on when it has.")
    kept = None if is_new else books.top_ups.settings(customer)
    if is_new or (is_from_stripe(given, kept) and (kept is None or replace(kept, id=0) != given)):
        books.top_ups.put(with_settings(customer, given), replace(given, id=books.new_id()))


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
