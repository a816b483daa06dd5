"""The steps that payment operations and undo share, and the rules they check."""

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching, Portion, effective_day, split_oldest_first
from bot.domain.customers import Customer
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    MoreThanLeft,
    NoEditsLeft,
    NothingToAllocate,
    NotPositive,
    PaymentNotAssigned,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.ledger import Account, Side, transfer
from bot.domain.master import needed_master
from bot.domain.money import Currency, Money
from bot.domain.open_items import InvoiceKind, InvoiceState, Lot, LotKind
from bot.domain.operation import Context

if TYPE_CHECKING:
    from bot.domain.ports import Books
from bot.domain.payment import EDITS, MOST_PORTIONS, Payment, PaymentState


def void(payment: Payment, wanted: date, books: "Books", context: Context) -> Payment:
    """Suspense / cash, and the payment is void."""
    on = effective_day(wanted, (payment.suspense_on,), books.settings.current().first_open_day(), context.today)
    books.ledger.post(
        transfer(
            "payment voided",
            payment.amount,
            debit=Side(Account.SUSPENSE),
            credit=payment.came_from,
            on=on,
        )
    )
    if payment.is_at_platform:
        needed_master(books, payment.amount.currency)
        books.master.move(-payment.amount)
    after = replace(payment, state=PaymentState.VOID, voided_on=on, version=payment.version + 1)
    books.payments.update(after)
    return after


def load_assigned(payment_id: int, books: "Books", context: Context) -> tuple[Payment, Matching]:
    """A payment, its customer and lot, locked in that order. Refuses: PaymentNotAssigned, NotFound."""
    payment = books.payments.lock(payment_id)
    check_not_void(payment)
    if payment.customer_id is None or payment.lot_id is None:
        raise PaymentNotAssigned(f"{payment.number} is not assigned to a customer; assign it first.")
    customer = books.customers.lock(payment.customer_id).open_for_business()
    return payment, Matching(customer, books, context, lots=[books.lots.get(payment.lot_id)])


def assign(payment: Payment, matching: Matching, on: date, books: "Books") -> Payment:
    """Suspense / deposits: opens a lot for the customer, costs one edit. Rules 6, 20, 21."""
    customer = matching.customer
    zero = Money(0, payment.amount.currency)
    lot = Lot(
        id=books.new_id(),
        customer_id=customer.id,
        kind=LotKind.PAYMENT,
        number=payment.number,
        amount=payment.amount,
        open=payment.amount,
        held=zero,
        opened_on=on,
        rose_on=on,
        payment_id=payment.id,
        suspense_on=payment.suspense_on,
    )
    matching.open_lot(lot)
    matching.post(
        transfer(
            "assignment",
            payment.amount,
            debit=Side(Account.SUSPENSE),
            credit=Side(Account.DEPOSITS, customer.id),
            on=on,
        ),
        deposits=payment.amount.micros,
    )
    after = replace(
        payment, customer_id=customer.id, lot_id=lot.id, edits=payment.edits + 1, version=payment.version + 1
    )
    books.payments.assign(after, on)
    return after


def unassign(payment: Payment, matching: Matching, wanted: date, books: "Books", context: Context) -> Payment:
    """Deposits / suspense: closes the whole lot, costs one edit. Rules 6, 18."""
    lot = matching.lots[payment.lot_id or 0]
    assert lot.open == payment.amount
    floors = (lot.opened_on, lot.rose_on)
    on = effective_day(wanted, floors, books.settings.current().first_open_day(), context.today)
    matching.post(
        transfer(
            "assignment taken back",
            payment.amount,
            debit=Side(Account.DEPOSITS, matching.customer.id),
            credit=Side(Account.SUSPENSE),
            on=on,
        ),
        deposits=-payment.amount.micros,
    )
    books.lots.close(lot, on)
    after = replace(
        payment,
        customer_id=None,
        lot_id=None,
        suspense_on=on,
        edits=payment.edits + 1,
        version=payment.version + 1,
    )
    books.payments.unassign(after, matching.customer.id, lot.id, on)
    return after


def match_portions(portions: tuple[Portion, ...], lot_id: int, wanted: date, matching: Matching) -> None:
    """Named amounts and top-ups first, then as much as possible for the others, oldest first. Rules 5, 9, 14."""
    rest = []
    for portion in portions:
        invoice = matching.invoices[portion.invoice_id]
        whole = invoice.open if invoice.kind is InvoiceKind.TOP_UP else None
        amount = portion.amount or whole
        if amount is None:
            rest.append(invoice)
        else:
            matching.match(lot_id, invoice.id, amount, wanted, automatic=False)
    for invoice, share in split_oldest_first(matching.lots[lot_id].free, rest):
        matching.match(lot_id, invoice.id, share, wanted, automatic=False)


def check_portions(portions: tuple[Portion, ...], free: Money, matching: Matching) -> None:
    """The same invoice once, sums within the payment and each invoice. Rules 10-12, 93. Refuses: NothingToAllocate,
    MoreThanLeft, WrongState.
    """
    ids = [portion.invoice_id for portion in portions]
    if len(set(ids)) != len(ids):
        raise NothingToAllocate("An invoice is named twice; name each once.", field="invoices")
    if len(ids) > MOST_PORTIONS:
        raise NothingToAllocate(f"Choose at most {MOST_PORTIONS} invoices at a time.", field="invoices")
    for invoice_id in ids:
        invoice = matching.invoices[invoice_id]
        if invoice.state is InvoiceState.DRAFT:
            raise WrongState(
                f"{invoice.label} is a draft; send it or mark it as sent first, then it takes a payment.",
                field="invoices",
            )
        if not invoice.open:
            raise NothingToAllocate(f"{invoice.label} is {invoice.status}; it takes no payment.", field="invoices")
    for portion in portions:
        if portion.amount is not None:
            check_portion(portion.amount, free.currency)
    named = sum(portion.amount.micros for portion in portions if portion.amount is not None)
    if named > free.micros:
        asked = Money(named, free.currency)
        raise MoreThanLeft(f"These allocations add up to {asked}; the payment has {free} left.", field="invoices")


def check_portion(amount: Money, of: Currency) -> None:
    """The amount for one invoice, in the payment's currency. Refuses: CurrencyMixed, NotPositive,
    TooPreciseForCurrency.
    """
    if amount.currency != of:
        raise CurrencyMixed(f"This payment is in {of.code}; allocate {of.code} amounts.", field="invoices")
    check_amount(amount, field="invoices")


def check_amount(amount: Money, *, field: str = "amount") -> None:
    """More than zero, no finer than the currency. Rule 3. Refuses: NotPositive, TooPreciseForCurrency."""
    if amount.micros <= 0:
        raise NotPositive("The amount must be more than zero.", field=field)
    if not amount.is_whole_minor:
        raise TooPreciseForCurrency(
            f"{amount.currency.code} amounts have at most {amount.currency.digits} decimals.", field=field
        )


def check_received(received_on: date, today: date) -> None:
    """Money cannot have come in after today. Rule 3. Refuses: DateInFuture."""
    if received_on > today:
        raise DateInFuture(f"{received_on} lies in the future; money is recorded once it came in.", field="received_on")


def check_currency(payment: Payment, customer: Customer) -> None:
    """A customer has one currency. Refuses: CurrencyMixed."""
    if payment.amount.currency != customer.currency:
        raise CurrencyMixed(
            f"{customer.name} is kept in {customer.currency.code}; this payment is in {payment.amount.currency.code}.",
            field="amount",
        )


def check_edits(payment: Payment) -> None:
    """Assign and un-assign share five actions. Rules 6, 7. Refuses: NoEditsLeft."""
    if payment.edits >= EDITS:
        raise NoEditsLeft(f"{payment.number} was assigned and un-assigned {EDITS} times; it stays as it is now.")


def check_not_void(payment: Payment) -> None:
    if payment.state is PaymentState.VOID:
        raise WrongState(f"{payment.number} is void; record the money again if it did come in.")
