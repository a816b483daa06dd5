"""Promises to pay: an amount by a day, of one invoice or of what a customer owes; kept or broken by what came in."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, clean_text
from bot.domain.disputes import check_owed
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    DateTooEarly,
    InvoiceOfAnotherCustomer,
    MoreThanLeft,
    NoAccess,
    NotPositive,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.money import Money
from bot.domain.open_items import Invoice
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_SOURCE = 300
LONGEST_WAIT = timedelta(days=366)


class PromiseState(StrEnum):
    """How a promise stands, by what came in."""

    OPEN = "open"
    KEPT = "kept"
    BROKEN = "broken"
    SETTLED = "settled"  # nothing is left to pay, though less came in than was promised


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What a customer said it pays and by when; who logged it, and where it was said."""

    id: int
    customer_id: int
    invoice_id: int | None
    amount: Money
    promised_on: date
    logged_by: str
    logged_at: datetime
    logged_on: date
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseStanding:
    """A promise as it stands: what came in for it by its day, and what is left of what it is about."""

    promise: Promise
    label: str
    paid: Money
    left: Money

    def state(self, today: date) -> PromiseState:
        return promise_state(self.promise, paid=self.paid, left=self.left, today=today)


def promise_state(promise: Promise, *, paid: Money, left: Money, today: date) -> PromiseState:
    """Kept once the amount came in by its day; broken when the day has passed and something is left to pay."""
    if paid >= promise.amount:
        return PromiseState.KEPT
    if left.micros <= 0:
        return PromiseState.SETTLED
    return PromiseState.BROKEN if today > promise.promised_on else PromiseState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPromise:
    """Write down what a customer promised; without an amount all that is open, without an invoice of all it owes."""

    customer_id: int
    promised_on: date
    amount: Money | None = None
    invoice_id: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndPromise:
    """Take a promise back that was logged by mistake, or that no longer holds."""

    customer_id: int
    invoice_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseChanged:
    """A promise was logged, in place of an earlier one about the same, or was taken back."""

    step: str
    promise: Promise
    customer: Customer
    label: str
    by: str
    at: datetime
    operation_id: int
    replaced: Promise | None = None

    def trace(self) -> Trace:
        made, before = self.promise, self.replaced
        return Trace(
            description=f"{self.label} promise {self.step}: {made.amount} by {made.promised_on}",
            customer_id=made.customer_id,
            document=self.label,
            before={"promise": f"{before.amount} by {before.promised_on}"} if before is not None else {},
            after={"promise": f"{made.amount} by {made.promised_on}" if self.step == "logged" else "none"},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.promise.invoice_id is not None:
            return (Announcement(document=DocumentKind.INVOICE, document_id=self.promise.invoice_id),)
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.promise.customer_id),)


@operation(by=Role.VIEWER)
def log_promise(command: LogPromise, books: "Books", context: Context) -> PromiseChanged:
    """Write a promise down; it takes the place of an earlier one about the same. Rule 85. Refuses: WrongState,
    NotPositive, MoreThanLeft, CurrencyMixed, TooPreciseForCurrency, DateTooEarly, DateInFuture, CustomerClosed,
    InvoiceOfAnotherCustomer, TextTooLong.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    invoice = books.invoices.get(command.invoice_id) if command.invoice_id is not None else None
    left = _left(invoice, customer)
    label = invoice.label if invoice is not None else customer.code
    amount = command.amount if command.amount is not None else left
    _check_amount(amount, left, label)
    _check_day(command.promised_on, context)
    earlier = books.promises.standing(customer.id, command.invoice_id)
    made = Promise(
        id=books.new_id(),
        customer_id=customer.id,
        invoice_id=command.invoice_id,
        amount=amount,
        promised_on=command.promised_on,
        logged_by=context.person,
        logged_at=context.now,
        logged_on=context.today,
        source=clean_text(command.source, "source", LONGEST_SOURCE),
    )
    if earlier is not None:
        books.promises.end(earlier, context.person)
    books.promises.insert(made)
    return _changed("logged", made, customer, label, context, replaced=earlier)


@operation(by=Role.VIEWER)
def end_promise(command: EndPromise, books: "Books", context: Context) -> PromiseChanged:
    """Take a promise back, by who logged it or a clerk. Refuses: WrongState, NoAccess."""
    customer = books.customers.lock(command.customer_id)
    invoice = books.invoices.get(command.invoice_id) if command.invoice_id is not None else None
    label = invoice.label if invoice is not None else customer.code
    found = books.promises.standing(customer.id, command.invoice_id)
    if found is None:
        raise WrongState(f"No promise is logged for {label}.")
    if context.person != found.logged_by and context.role < Role.CLERK:
        raise NoAccess(f"Somebody else logged the promise for {label}; they or a clerk take it back.")
    books.promises.end(found, context.person)
    return _changed("taken back", found, customer, label, context, replaced=found)


def _left(invoice: Invoice | None, customer: Customer) -> Money:
    """What a promise can be about. Refuses: WrongState, InvoiceOfAnotherCustomer."""
    if invoice is None:
        left = Money(customer.controls.receivable, customer.currency)
        if not left:
            raise WrongState(f"{customer.name} owes nothing; there is nothing to promise.", field="customer")
        return left
    if invoice.customer_id != customer.id:
        raise InvoiceOfAnotherCustomer(f"{invoice.label} belongs to another customer.", field="invoice")
    check_owed(invoice)
    return invoice.open


def _check_amount(amount: Money, left: Money, label: str) -> None:
    if amount.currency != left.currency:
        raise CurrencyMixed(f"{label} is kept in {left.currency.code}; type that.", field="amount")
    if amount.micros <= 0:
        raise NotPositive("The amount promised must be more than zero.", field="amount")
    if not amount.is_whole_minor and amount != left:
        raise TooPreciseForCurrency(f"{amount.currency.code} has fewer decimals than this.", field="amount")
    if amount > left:
        raise MoreThanLeft(f"{label} has {left} open; {amount} was promised. Type at most {left}.", field="amount")


def _check_day(day: date, context: Context) -> None:
    if day < context.today:
        raise DateTooEarly(f"{day} has passed; choose today or a later day.", field="promised_on")
    if day > context.today + LONGEST_WAIT:
        raise DateInFuture(f"{day} is more than a year away; choose an earlier day.", field="promised_on")


def _changed(
    step: str, promise: Promise, customer: Customer, label: str, context: Context, *, replaced: Promise | None
) -> PromiseChanged:
    return PromiseChanged(
        step=step,
        promise=promise,
        customer=customer,
        label=label,
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        replaced=replaced,
    )
