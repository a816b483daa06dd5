"""Record, assign, allocate, edit and void payments."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching, Portion, effective_day, split_oldest_first
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    MoreThanLeft,
    NoEditsLeft,
    NothingToAllocate,
    NotPositive,
    PaymentAssigned,
    PaymentHasAllocations,
    PaymentNotAssigned,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.ledger import Account, Side, transfer
from bot.domain.money import Currency, Money
from bot.domain.open_items import Allocation, Lot, LotKind
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

EDITS = 5
LONGEST_REFERENCE = 140
LONGEST_REMARK = 1000
MOST_PORTIONS = 100


class Method(StrEnum):
    """How money came in."""

    BANK_TRANSFER = "bank transfer"
    CHEQUE = "cheque"
    GIRO = "GIRO"
    CASH = "cash"
    CARD = "card"


class PaymentState(StrEnum):
    RECORDED = "recorded"
    VOID = "void"


class PaymentStep(StrEnum):
    """What just happened to a payment."""

    RECORDED = "recorded"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    ALLOCATED = "allocated"
    UNALLOCATED = "allocation taken back"
    EDITED = "edited"
    VOIDED = "voided"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in; `payer` is what was typed, the customer is who it was assigned to. Rules 1, 4."""

    id: int
    number: str
    payer: str
    amount: Money
    received_on: date
    method: Method
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""
    state: PaymentState = PaymentState.RECORDED
    customer_id: int | None = None
    lot_id: int | None = None
    edits: int = 0
    voided_on: date | None = None
    version: int = 1
    posted_on: date
    recorded_at: datetime
    recorded_by: str

    @property
    def edits_left(self) -> int:
        return EDITS - self.edits


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """Write money down; with a customer it is assigned, with invoices also allocated, in one step. Rules 1, 5."""

    payer: str
    amount: Money
    received_on: date
    method: Method = Method.BANK_TRANSFER
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""
    customer_id: int | None = None
    portions: tuple[Portion, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignPayment:
    """Say whose money it is, and optionally which invoices it pays. Rules 4-7."""

    payment_id: int
    customer_id: int
    portions: tuple[Portion, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignPayment:
    """Take a whole, unallocated payment away from its customer. Rules 6, 7, 18."""

    payment_id: int
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatePayment:
    """Pay invoices from what is left of an assigned payment; no invoices means oldest first. Rules 8-12."""

    payment_id: int
    portions: tuple[Portion, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnallocatePayment:
    """Take allocations of a payment back; no invoices means all of them. Rules 8, 17."""

    payment_id: int
    invoice_ids: tuple[int, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPayment:
    """Correct an unassigned payment's particulars; the amount is corrected by voiding and recording again. Rule 19."""

    payment_id: int
    version: int
    payer: str
    method: Method
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidPayment:
    """Reverse an unassigned payment; it stays in the books as void. Rule 19."""

    payment_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChanged:
    """Something happened to a payment; carries all its card shows."""

    step: PaymentStep
    payment: Payment
    left: Money
    allocations: tuple[Allocation, ...]
    effect: Effect | None
    operation_id: int
    undo_until: datetime | None = None
    by: str = ""
    at: datetime
    note: str = ""

    @property
    def customer(self) -> Customer | None:
        return self.effect.after if self.effect is not None and self.payment.customer_id is not None else None

    def trace(self) -> Trace:
        payment, effect = self.payment, self.effect
        what = f"{payment.number} {self.step.value}: {payment.amount}"
        paid = ", ".join(f"{each.amount} to {each.invoice_number}" for each in self.allocations)
        return Trace(
            description="; ".join(filter(None, (what, paid, self.note))),
            customer_id=effect.after.id if effect is not None else None,
            document=payment.number,
            before={"amount_due": str(effect.before.amount_due)} if effect is not None else {},
            after={
                "left": str(self.left),
                "edits": str(payment.edits),
                "state": payment.state.value,
                **({"amount_due": str(effect.after.amount_due)} if effect is not None else {}),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.PAYMENT, document_id=self.payment.id)
        return (mine, *(self.effect.announcements() if self.effect is not None else ()))


@operation(by=Role.CLERK)
def record_payment(command: RecordPayment, books: "Books", context: Context) -> PaymentChanged:
    """Write down money that came in. Rules 1-5. Refuses: NotPositive, DateInFuture, CurrencyMixed, MoreThanLeft and
    what allocation refuses.
    """
    check_amount(command.amount)
    check_received(command.received_on, context.today)
    customer = books.customers.lock(command.customer_id) if command.customer_id is not None else None
    posted_on = max(command.received_on, books.settings.current().first_open_day())
    payment = Payment(
        id=books.new_id(),
        number="",
        payer=clean_text(command.payer, "payer", LONGEST_REFERENCE, needed=True),
        amount=command.amount,
        received_on=command.received_on,
        method=command.method,
        reference=clean_text(command.reference, "reference", LONGEST_REFERENCE),
        invoice_hint=clean_text(command.invoice_hint, "invoice_hint", LONGEST_REFERENCE),
        remark=clean_text(command.remark, "remark", LONGEST_REMARK),
        posted_on=posted_on,
        recorded_at=context.now,
        recorded_by=context.person,
    )
    matching = None
    if customer is not None:
        check_currency(payment, customer)
        matching = Matching(customer.open_for_business(), books, context)
        matching.load_invoices([portion.invoice_id for portion in command.portions])
        check_portions(command.portions, payment.amount, matching)
    payment = replace(payment, number=books.numbers.next("payment"))
    books.payments.insert(payment)
    books.ledger.post(
        transfer(
            "payment",
            payment.amount,
            debit=Side(Account.CASH, detail=payment.method.value),
            credit=Side(Account.SUSPENSE),
            on=posted_on,
        )
    )
    if matching is None:
        return changed_payment(PaymentStep.RECORDED, payment, payment.amount, None, (), context)
    return _assign(payment, matching, command.portions, posted_on, PaymentStep.RECORDED)


@operation(by=Role.CLERK)
def assign_payment(command: AssignPayment, books: "Books", context: Context) -> PaymentChanged:
    """Give a payment to one customer; what is left pays invoices that allow it. Rules 4-7, 20-25. Refuses:
    WrongState, NoEditsLeft, CurrencyMixed.
    """
    payment = books.payments.lock(command.payment_id)
    check_not_void(payment)
    if payment.customer_id is not None:
        raise PaymentAssigned(f"{payment.number} is assigned already; un-assign it first.", field="customer")
    check_edits(payment)
    customer = books.customers.lock(command.customer_id).open_for_business()
    check_currency(payment, customer)
    matching = Matching(customer, books, context)
    matching.load_invoices([portion.invoice_id for portion in command.portions])
    check_portions(command.portions, payment.amount, matching)
    wanted = command.effective_on or context.today
    on = effective_day(wanted, (free_since(payment, books),), books.settings.current().first_open_day(), context.today)
    return _assign(payment, matching, command.portions, on, PaymentStep.ASSIGNED)


@operation(by=Role.CLERK)
def unassign_payment(command: UnassignPayment, books: "Books", context: Context) -> PaymentChanged:
    """Take a payment away from its customer; costs one of five edits. Rules 6, 7, 18. Refuses: PaymentNotAssigned,
    PaymentHasAllocations, NoEditsLeft.
    """
    payment, matching = load_assigned(command.payment_id, books, context)
    check_edits(payment)
    lot = matching.lots[payment.lot_id or 0]
    if lot.open != payment.amount or lot.held:
        pays = ", ".join(each.invoice_number for each in books.allocations.of_lot(lot.id))
        raise PaymentHasAllocations(
            f"{payment.number} pays {pays or 'other documents'}; take those allocations back first."
        )
    after = unassign(payment, matching, command.effective_on or context.today, books, context)
    matching.write()
    return changed_payment(PaymentStep.UNASSIGNED, after, payment.amount, matching.effect(), (), context)


@operation(by=Role.CLERK)
def allocate_payment(command: AllocatePayment, books: "Books", context: Context) -> PaymentChanged:
    """Pay invoices from what is left. Rules 8-12, 22. Refuses: PaymentNotAssigned, MoreThanLeft,
    InvoiceOfAnotherCustomer, NothingToAllocate.
    """
    payment, matching = load_assigned(command.payment_id, books, context)
    lot = matching.lots[payment.lot_id or 0]
    earlier = books.allocations.of_lot(lot.id)
    if not lot.free:
        raise NothingToAllocate(f"{payment.number} is fully allocated; nothing is left of it.", field="invoices")
    wanted = command.effective_on or context.today
    if command.portions:
        matching.load_invoices([portion.invoice_id for portion in command.portions])
        check_portions(command.portions, lot.free, matching)
        match_portions(command.portions, lot.id, wanted, matching)
    else:
        owed = books.invoices.open_of(matching.customer.id)
        matching.load_invoices([invoice.id for invoice in owed])
        for invoice, share in split_oldest_first(lot.free, owed):
            matching.match(lot.id, invoice.id, share, wanted, automatic=False)
    if not matching.made:
        raise NothingToAllocate(
            f"{matching.customer.name} has no invoice with something open; the money stays as credit.", field="invoices"
        )
    matching.write()
    return matched_payment(PaymentStep.ALLOCATED, payment, matching, earlier, context)


@operation(by=Role.CLERK)
def unallocate_payment(command: UnallocatePayment, books: "Books", context: Context) -> PaymentChanged:
    """Take allocations back; each invoice is owed again and pays itself no more. Rules 8, 17. Refuses:
    PaymentNotAssigned, NothingToAllocate.
    """
    payment, matching = load_assigned(command.payment_id, books, context)
    live = books.allocations.of_lot(payment.lot_id or 0)
    chosen = [each for each in live if not command.invoice_ids or each.invoice_id in command.invoice_ids]
    if not chosen:
        raise NothingToAllocate(f"{payment.number} pays none of these invoices.", field="invoices")
    matching.load_invoices([each.invoice_id for each in chosen])
    for allocation in chosen:
        matching.unmatch(allocation, command.effective_on or context.today)
        matching.switch_auto(allocation.invoice_id, on=False)
    matching.sweep(context.today)
    matching.write()
    return matched_payment(PaymentStep.UNALLOCATED, payment, matching, live, context)


@operation(by=Role.CLERK)
def edit_payment(command: EditPayment, books: "Books", context: Context) -> PaymentChanged:
    """Correct particulars while unassigned. Rule 19. Refuses: PaymentAssigned, WrongState, MissingText, TextTooLong."""
    payment = _lock_unassigned(command.payment_id, books)
    if payment.version != command.version:
        raise WrongState(f"{payment.number} was changed by somebody else meanwhile; open the form again.")
    after = replace(
        payment,
        payer=clean_text(command.payer, "payer", LONGEST_REFERENCE, needed=True),
        reference=clean_text(command.reference, "reference", LONGEST_REFERENCE),
        invoice_hint=clean_text(command.invoice_hint, "invoice_hint", LONGEST_REFERENCE),
        remark=clean_text(command.remark, "remark", LONGEST_REMARK),
        method=command.method,
        version=payment.version + 1,
    )
    if after.method is not payment.method:
        books.ledger.post(
            transfer(
                "payment method corrected",
                payment.amount,
                debit=Side(Account.CASH, detail=after.method.value),
                credit=Side(Account.CASH, detail=payment.method.value),
                on=effective_day(
                    context.today, (payment.posted_on,), books.settings.current().first_open_day(), context.today
                ),
            )
        )
    books.payments.update(after)
    return changed_payment(PaymentStep.EDITED, after, after.amount, None, (), context)


@operation(by=Role.CLERK)
def void_payment(command: VoidPayment, books: "Books", context: Context) -> PaymentChanged:
    """Reverse an unassigned payment; it keeps its number. Rule 19. Refuses: PaymentAssigned, WrongState,
    MissingText.
    """
    payment = _lock_unassigned(command.payment_id, books)
    reason = clean_text(command.reason, "reason", LONGEST_REMARK, needed=True)
    after = void(payment, context.today, books, context)
    changed = changed_payment(PaymentStep.VOIDED, after, Money(0, payment.amount.currency), None, (), context)
    return replace(changed, note=reason)


def free_since(payment: Payment, books: "Books") -> date:
    """The day an unassigned payment came into suspense, or came back into it: it is nobody else's before."""
    return max(payment.posted_on, books.payments.last_step(payment.id)[1]) if payment.edits else payment.posted_on


def void(payment: Payment, wanted: date, books: "Books", context: Context) -> Payment:
    """Suspense / cash, and the payment is void."""
    on = effective_day(wanted, (payment.posted_on,), books.settings.current().first_open_day(), context.today)
    books.ledger.post(
        transfer(
            "payment voided",
            payment.amount,
            debit=Side(Account.SUSPENSE),
            credit=Side(Account.CASH, detail=payment.method.value),
            on=on,
        )
    )
    after = replace(payment, state=PaymentState.VOID, voided_on=on, version=payment.version + 1)
    books.payments.update(after)
    return after


def load_assigned(payment_id: int, books: "Books", context: Context) -> tuple[Payment, Matching]:
    """A payment, its customer and lot, locked in that order. Refuses: PaymentNotAssigned, NotFound."""
    payment = books.payments.lock(payment_id)
    check_not_void(payment)
    if payment.customer_id is None or payment.lot_id is None:
        raise PaymentNotAssigned(f"{payment.number} is not assigned to a customer; assign it first.")
    customer = books.customers.lock(payment.customer_id)
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
    after = replace(payment, customer_id=None, lot_id=None, edits=payment.edits + 1, version=payment.version + 1)
    books.payments.unassign(after, matching.customer.id, lot.id, on)
    return after


def _assign(
    payment: Payment, matching: Matching, portions: tuple[Portion, ...], on: date, step: PaymentStep
) -> PaymentChanged:
    after = assign(payment, matching, on, matching.books)
    assert after.lot_id is not None
    match_portions(portions, after.lot_id, on, matching)
    matching.sweep(on)
    matching.write()
    return matched_payment(step, after, matching, (), matching.context)


def matched_payment(
    step: PaymentStep, payment: Payment, matching: Matching, earlier: Sequence[Allocation], context: Context
) -> PaymentChanged:
    mine = tuple(each for each in matching.live(earlier) if each.lot_id == payment.lot_id)
    left = matching.lots[payment.lot_id or 0].open
    return changed_payment(step, payment, left, matching.effect(), mine, context)


def changed_payment(
    step: PaymentStep,
    payment: Payment,
    left: Money,
    effect: Effect | None,
    allocations: tuple[Allocation, ...],
    context: Context,
) -> PaymentChanged:
    costs_edit = step in {PaymentStep.ASSIGNED, PaymentStep.UNASSIGNED} or (
        step is PaymentStep.RECORDED and payment.customer_id is not None
    )
    undoable = step in UNDOABLE_STEPS and not (costs_edit and payment.edits >= EDITS)
    return PaymentChanged(
        step=step,
        payment=payment,
        left=left,
        allocations=allocations,
        effect=effect,
        operation_id=context.operation_id,
        undo_until=context.undo_until if undoable else None,
        by=context.person,
        at=context.now,
    )


UNDOABLE_STEPS = frozenset(
    {
        PaymentStep.RECORDED,
        PaymentStep.ASSIGNED,
        PaymentStep.UNASSIGNED,
        PaymentStep.ALLOCATED,
        PaymentStep.UNALLOCATED,
    }
)


def match_portions(portions: tuple[Portion, ...], lot_id: int, wanted: date, matching: Matching) -> None:
    """Named amounts first, then as much as possible for the others, oldest first. Rules 5, 9."""
    for portion in portions:
        if portion.amount is not None:
            matching.match(lot_id, portion.invoice_id, portion.amount, wanted, automatic=False)
    rest = [matching.invoices[portion.invoice_id] for portion in portions if portion.amount is None]
    for invoice, share in split_oldest_first(matching.lots[lot_id].free, rest):
        matching.match(lot_id, invoice.id, share, wanted, automatic=False)


def check_portions(portions: tuple[Portion, ...], free: Money, matching: Matching) -> None:
    """The same invoice once, sums within the payment and each invoice. Rules 10-12. Refuses: NothingToAllocate,
    MoreThanLeft.
    """
    ids = [portion.invoice_id for portion in portions]
    if len(set(ids)) != len(ids):
        raise NothingToAllocate("An invoice is named twice; name each once.", field="invoices")
    if len(ids) > MOST_PORTIONS:
        raise NothingToAllocate(f"Choose at most {MOST_PORTIONS} invoices at a time.", field="invoices")
    for invoice_id in ids:
        invoice = matching.invoices[invoice_id]
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


def _lock_unassigned(payment_id: int, books: "Books") -> Payment:
    payment = books.payments.lock(payment_id)
    check_not_void(payment)
    if payment.customer_id is not None:
        raise PaymentAssigned(f"{payment.number} is assigned; take its allocations back and un-assign it first.")
    return payment
