"""Taking over an existing book: open invoices, unapplied payments and balances against `opening_balances`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, clean_text
from bot.domain.errors import CurrencyMixed, DateTooEarly, WrongState
from bot.domain.intake import (
    Intake,
    IntakeKind,
    IntakeState,
    IntakeStep,
    begun,
    check_batch,
    check_dated,
    check_operator,
    owner_of,
    sent_invoice,
)
from bot.domain.invoices import LONGEST_DESCRIPTION, InvoiceLine
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import Money, currency
from bot.domain.open_items import Invoice, Lot, LotKind
from bot.domain.operation import Context, Role, operation
from bot.domain.payment import LONGEST_REFERENCE, LONGEST_REMARK, Method, Payment
from bot.domain.payment_steps import check_amount

if TYPE_CHECKING:
    from bot.domain.ports import Books

MOST_REFERENCES = 10
OPENING_LINE = "Opening balance"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningInvoice:
    """An invoice of the earlier system with what was open of it on the day."""

    number: str
    customer_code: str
    issue_on: date
    due_on: date
    open: Money
    description: str = ""
    remark: str = ""
    auto_allocate: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningPayment:
    """What was unapplied of a payment on the day."""

    number: str
    customer_code: str
    received_on: date
    amount: Money
    method: Method = Method.BANK_TRANSFER
    payer: str = ""
    reference: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningBalance:
    """The credit of a customer's wallet on the day."""

    customer_code: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOpening:
    """A batch of an opening; lines that are there already are left alone."""

    intake_id: int
    invoices: tuple[OpeningInvoice, ...] = ()
    payments: tuple[OpeningPayment, ...] = ()
    balances: tuple[OpeningBalance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBackOpening:
    """Reverse all that an opening brought."""

    intake_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What an opening brought one customer."""

    customer: Customer
    receivable_micros: int
    deposits_micros: int


@operation(by=Role.NONE)
def post_opening(command: PostOpening, books: "Books", context: Context) -> IntakeStep:
    """Receivable / opening_balances, and opening_balances / deposits, on the day of the opening. Refuses: NoAccess,
    WrongState, CurrencyMixed, NotPositive.
    """
    check_operator(context)
    lines: list[OpeningInvoice | OpeningPayment | OpeningBalance] = []
    lines += [*command.invoices, *command.payments, *command.balances]
    check_batch(lines)
    intake = begun(books.intakes.get(command.intake_id))
    check_dated(intake.as_of, context.today, books)
    customers = books.intakes.lock_customers([each.customer_code for each in lines])
    taken_invoices = books.intakes.taken_invoices([each.number for each in command.invoices])
    taken_payments = books.intakes.taken_payments([each.number for each in command.payments])
    owners = {each.customer_code: owner_of(each.customer_code, customers) for each in lines}
    taken_balances = books.intakes.taken_balances(intake.id, [each.id for each in owners.values()])
    debits = [
        _invoice(each, owners[each.customer_code], intake, books)
        for each in command.invoices
        if each.number not in taken_invoices
    ]
    paid = [
        _payment(each, owners[each.customer_code], intake, books, context)
        for each in command.payments
        if each.number not in taken_payments
    ]
    lots = [lot for _, lot in paid]
    lots += [
        _balance(each, owners[each.customer_code], intake, books)
        for each in command.balances
        if owners[each.customer_code].id not in taken_balances
    ]
    for invoice, line in debits:
        books.invoices.insert(invoice, (line,))
    for payment, lot in paid:
        books.payments.insert_assigned(payment, lot.opened_on)
    for lot in lots:
        books.lots.insert(lot)
    _post([invoice for invoice, _ in debits], lots, customers.values(), intake, books)
    written = len(debits) + len(lots)
    return IntakeStep(what="opening lines", name=intake.name, written=written, operation_id=context.operation_id)


@operation(by=Role.NONE, alone=True)
def take_back_opening(command: TakeBackOpening, books: "Books", context: Context) -> IntakeStep:
    """Turn an opening's entries round on its own day while nothing refers to it. Refuses: NoAccess, WrongState,
    DateTooEarly.
    """
    check_operator(context)
    intake = books.intakes.get(command.intake_id)
    if intake.kind is not IntakeKind.OPENING or intake.state is IntakeState.TAKEN_BACK:
        raise WrongState(f"{intake.name} is no opening that can be taken back; it may have been taken back already.")
    first_open = books.settings.current().first_open_day()
    if intake.as_of < first_open:
        raise DateTooEarly(f"{intake.name} stands on {intake.as_of}, which is locked since; it cannot be taken back.")
    found = books.intakes.references(intake.id, MOST_REFERENCES + 1)
    if found:
        more = " and more" if len(found) > MOST_REFERENCES else ""
        named = "; ".join(found[:MOST_REFERENCES])
        raise WrongState(f"{intake.name} cannot be taken back, since it was used: {named}{more}.")
    customers = 0
    for group in books.intakes.brought(intake.id):
        customers += len(group)
        for entry in _turned(group, intake):
            books.ledger.post(entry)
        books.intakes.move_many([(each.customer, _without(each)) for each in group])
    documents = books.intakes.give_back(intake)
    return IntakeStep(
        what="documents taken back",
        name=intake.name,
        written=documents,
        intake=replace(intake, state=IntakeState.TAKEN_BACK),
        told=f"{customers} customers, dated {intake.as_of}",
        operation_id=context.operation_id,
    )


def _invoice(given: OpeningInvoice, customer: Customer, intake: Intake, books: "Books") -> tuple[Invoice, InvoiceLine]:
    _check(given.open, customer, given.number)
    if given.issue_on > intake.as_of or given.due_on < given.issue_on:
        raise DateTooEarly(
            f"{given.number} has to be issued by {intake.as_of} and due no earlier than it was issued.", field="due"
        )
    invoice = replace(
        sent_invoice(given.number, customer, given.open, intake, books),
        issue_on=given.issue_on,
        due_on=given.due_on,
        auto_allocate=given.auto_allocate,
        remark=clean_text(given.remark, "remark", LONGEST_DESCRIPTION),
    )
    description = clean_text(given.description, "description", LONGEST_DESCRIPTION) or OPENING_LINE
    zero = Money(0, given.open.currency)
    line = InvoiceLine(
        description=description,
        quantity=Decimal(1),
        unit_price=given.open,
        tax_rate=Decimal(0),
        net=given.open,
        tax=zero,
    )
    return invoice, line


def _payment(
    given: OpeningPayment, customer: Customer, intake: Intake, books: "Books", context: Context
) -> tuple[Payment, Lot]:
    _check(given.amount, customer, given.number)
    if given.received_on > intake.as_of:
        raise DateTooEarly(f"{given.number} has to be received by {intake.as_of}.", field="received")
    payment = Payment(
        id=books.new_id(),
        number=given.number,
        payer=clean_text(given.payer, "payer", LONGEST_REFERENCE) or customer.name[:LONGEST_REFERENCE],
        amount=given.amount,
        received_on=given.received_on,
        method=given.method,
        reference=clean_text(given.reference, "reference", LONGEST_REFERENCE),
        remark=clean_text(given.remark, "remark", LONGEST_REMARK),
        customer_id=customer.id,
        lot_id=books.new_id(),
        edits=1,
        posted_on=intake.as_of,
        suspense_on=intake.as_of,
        recorded_at=context.now,
        recorded_by=context.person,
        intake_id=intake.id,
    )
    return payment, _lot(payment.lot_id or 0, customer, given.amount, intake, payment=payment)


def _balance(given: OpeningBalance, customer: Customer, intake: Intake, books: "Books") -> Lot:
    _check(given.amount, customer, f"The balance of {customer.code}")
    return _lot(books.new_id(), customer, given.amount, intake)


def _lot(lot_id: int, customer: Customer, amount: Money, intake: Intake, *, payment: Payment | None = None) -> Lot:
    return Lot(
        id=lot_id,
        customer_id=customer.id,
        kind=LotKind.PAYMENT if payment is not None else LotKind.TOP_UP,
        number=payment.number if payment is not None else f"OB-{customer.code}",
        amount=amount,
        open=amount,
        held=Money(0, amount.currency),
        opened_on=intake.as_of,
        rose_on=intake.as_of,
        payment_id=payment.id if payment is not None else None,
        suspense_on=intake.as_of if payment is not None else None,
        intake_id=intake.id,
    )


def _check(amount: Money, customer: Customer, label: str) -> None:
    """Money of a line: more than zero, no finer than its currency, and the customer's own. Refuses: Refused."""
    check_amount(amount)
    if amount.currency != customer.open_for_business().currency:
        raise CurrencyMixed(
            f"{label} is in {amount.currency.code}; {customer.name} is kept in {customer.currency.code}.",
            field="currency",
        )


def _post(
    invoices: Sequence[Invoice], lots: Sequence[Lot], customers: Iterable[Customer], intake: Intake, books: "Books"
) -> None:
    """One entry for the debts and one for the credits of each currency, one posting for each customer."""
    owed: dict[int, int] = defaultdict(int)
    held: dict[int, int] = defaultdict(int)
    for invoice in invoices:
        owed[invoice.customer_id] += invoice.total.micros
    for lot in lots:
        held[lot.customer_id] += lot.amount.micros
    group = [
        Brought(customer=each, receivable_micros=owed[each.id], deposits_micros=held[each.id])
        for each in customers
        if owed[each.id] or held[each.id]
    ]
    for entry in _entries(group, intake, kind="opening", sign=1):
        books.ledger.post(entry)
    books.intakes.move_many(
        [
            (each.customer, each.customer.moved(receivable=each.receivable_micros, deposits=each.deposits_micros))
            for each in group
        ]
    )


def _turned(group: Sequence[Brought], intake: Intake) -> Iterable[Entry]:
    return _entries(group, intake, kind="opening taken back", sign=-1)


def _without(brought: Brought) -> Customer:
    return brought.customer.moved(receivable=-brought.receivable_micros, deposits=-brought.deposits_micros)


def _entries(group: Sequence[Brought], intake: Intake, *, kind: str, sign: int) -> Iterable[Entry]:
    for code in sorted({each.customer.currency.code for each in group}):
        mine = [each for each in group if each.customer.currency.code == code]
        for account, debit, amounts in (
            (Account.RECEIVABLE, 1, [(each.customer.id, each.receivable_micros) for each in mine]),
            (Account.DEPOSITS, -1, [(each.customer.id, each.deposits_micros) for each in mine]),
        ):
            postings = [Posting(account, sign * debit * micros, owner) for owner, micros in amounts if micros]
            if postings:
                against = Posting(Account.OPENING_BALANCES, -sum(each.amount_micros for each in postings))
                yield Entry(
                    kind=kind, currency=currency(code), effective_on=intake.as_of, postings=(*postings, against)
                )
