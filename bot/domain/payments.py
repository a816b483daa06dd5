"""Record, assign, allocate, edit and void payments."""

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching, Portion, effective_day, split_oldest_first
from bot.domain.customers import Customer, clean_text, corrections
from bot.domain.errors import (
    NothingToAllocate,
    PaymentAssigned,
    PaymentHasAllocations,
    Refused,
    WrongState,
)
from bot.domain.ledger import Account, Side, transfer
from bot.domain.master import needed_master
from bot.domain.money import Money, total
from bot.domain.open_items import Allocation, InvoiceKind
from bot.domain.operation import Context, Role, operation
from bot.domain.proofs import check_proofs

if TYPE_CHECKING:
    from bot.domain.ports import Books
from bot.domain.payment import (
    EDITS,
    LONGEST_REFERENCE,
    LONGEST_REMARK,
    MOST_PORTIONS,
    UNDOABLE_STEPS,
    AllocatePayment,
    AssignPayment,
    AttachProofs,
    EditPayment,
    Method,
    Payment,
    PaymentChanged,
    PaymentState,
    PaymentStep,
    Postponed,
    RecordPayment,
    Timing,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    changed_payment,
    matched_payment,
)
from bot.domain.payment_steps import (
    assign,
    check_amount,
    check_currency,
    check_edits,
    check_not_void,
    check_portion,
    check_portions,
    check_received,
    load_assigned,
    match_portions,
    unassign,
    void,
)

__all__ = [
    "EDITS",
    "LONGEST_REFERENCE",
    "LONGEST_REMARK",
    "MOST_PORTIONS",
    "UNDOABLE_STEPS",
    "AllocatePayment",
    "AssignPayment",
    "AttachProofs",
    "EditPayment",
    "Method",
    "Payment",
    "PaymentChanged",
    "PaymentState",
    "PaymentStep",
    "Postponed",
    "RecordPayment",
    "Timing",
    "UnallocatePayment",
    "UnassignPayment",
    "VoidPayment",
    "allocate_payment",
    "assign",
    "assign_payment",
    "attach_proofs",
    "changed_payment",
    "check_amount",
    "check_currency",
    "check_edits",
    "check_not_void",
    "check_portion",
    "check_portions",
    "check_received",
    "edit_payment",
    "load_assigned",
    "match_portions",
    "matched_payment",
    "record_payment",
    "unallocate_payment",
    "unassign",
    "unassign_payment",
    "void",
    "void_payment",
]


@operation(by=Role.CLERK)
def record_payment(command: RecordPayment, books: "Books", context: Context) -> PaymentChanged:
    """Write down money that came in. Rules 1-5. Refuses: NotPositive, DateInFuture, CurrencyMixed, MoreThanLeft and
    what allocation refuses.
    """
    check_amount(command.amount)
    check_received(command.received_on, context.today)
    customer = books.customers.lock(command.customer_id) if command.customer_id is not None else None
    first_open = books.settings.current().first_open_day()
    posted_on = max(command.received_on, first_open)
    asked_on = command.received_on if command.received_on < posted_on else None
    timing = Timing.of(posted_on, asked_on, first_open)
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
        suspense_on=posted_on,
        recorded_at=context.now,
        recorded_by=context.person,
    )
    matching = None
    if customer is not None:
        check_currency(payment, customer)
        matching = Matching(customer.open_for_business(), books, context)
        matching.load_invoices([portion.invoice_id for portion in command.portions])
        check_portions(command.portions, payment.amount, matching)
    check_platform(payment, customer)
    proofs = check_proofs(command.proofs)
    if payment.is_at_platform:
        needed_master(books, payment.amount.currency)
        books.master.move(payment.amount)
    payment = replace(payment, number=books.numbers.next("payment"), proofs=len(proofs))
    books.payments.insert(payment)
    books.payments.attach(payment, proofs)
    books.ledger.post(
        transfer(
            "payment",
            payment.amount,
            debit=payment.came_from,
            credit=Side(Account.SUSPENSE),
            on=posted_on,
        )
    )
    if matching is None:
        made = changed_payment(PaymentStep.RECORDED, payment, payment.amount, context, timing=timing)
    else:
        made = _assign(payment, matching, command.portions, timing, PaymentStep.RECORDED)
    return replace(made, proofs=proofs)


@operation(by=Role.CLERK)
def attach_proofs(command: AttachProofs, books: "Books", context: Context) -> PaymentChanged:
    """Add files that prove a payment; nothing is posted. Refuses: Refused, WrongState."""
    payment = books.payments.lock(command.payment_id)
    check_not_void(payment)
    proofs = tuple(each for each in check_proofs(command.proofs, needed=True) if not books.payments.has(payment, each))
    if not proofs:
        raise Refused(f"{payment.number} has these files already; choose others.", field="proof")
    payment = replace(payment, proofs=payment.proofs + len(proofs))
    books.payments.update(payment)
    books.payments.attach(payment, proofs)
    if payment.customer_id is not None and payment.lot_id is not None:
        matching = Matching(
            books.customers.lock(payment.customer_id), books, context, lots=[books.lots.get(payment.lot_id)]
        )
        made = matched_payment(PaymentStep.PROVED, payment, matching, books.allocations.of_lot(payment.lot_id))
    else:
        made = changed_payment(PaymentStep.PROVED, payment, payment.amount, context)
    return replace(made, proofs=proofs)


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
    first_open = books.settings.current().first_open_day()
    on = effective_day(wanted, (payment.suspense_on,), first_open, context.today)
    came = Postponed.CAME_LATER if payment.suspense_on == payment.posted_on else Postponed.UNASSIGNED_LATER
    timing = Timing.of(on, command.effective_on, first_open, [(payment.suspense_on, came)])
    return _assign(payment, matching, command.portions, timing, PaymentStep.ASSIGNED)


@operation(by=Role.CLERK)
def unassign_payment(command: UnassignPayment, books: "Books", context: Context) -> PaymentChanged:
    """Take a payment away from its customer; costs one of five edits. Rules 6, 7, 18. Refuses: PaymentNotAssigned,
    PaymentHasAllocations, NoEditsLeft.
    """
    payment, matching = load_assigned(command.payment_id, books, context)
    check_edits(payment)
    lot = matching.lots[payment.lot_id or 0]
    if lot.open != payment.amount or lot.held:
        live = books.allocations.of_lot(lot.id)
        used = total([each.amount for each in live if each.is_usage], payment.amount.currency)
        if used:
            raise PaymentHasAllocations(
                f"{used} of {payment.number} was used since and stays with {matching.customer.name}; /credit take-back "
                "and /credit issue put a wrong assignment right."
            )
        pays = ", ".join(each.invoice_number for each in live)
        if not pays:
            raise PaymentHasAllocations(
                f"A withdrawal holds or took money of {payment.number}; it can only be un-assigned whole."
            )
        raise PaymentHasAllocations(
            f"{payment.number} pays {pays or 'other documents'}; take those allocations back first."
        )
    after = unassign(payment, matching, command.effective_on or context.today, books, context)
    matching.write()
    floors = [(lot.opened_on, Postponed.ASSIGNED_LATER), (lot.rose_on, Postponed.MOVED_LATER)]
    first_open = books.settings.current().first_open_day()
    timing = Timing.of(after.suspense_on, command.effective_on, first_open, floors)
    return changed_payment(PaymentStep.UNASSIGNED, after, payment.amount, context, matching=matching, timing=timing)


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
    first = min(matching.made, key=lambda each: each.effective_on)
    floors = [(lot.opened_on, Postponed.ASSIGNED_LATER), (lot.rose_on, Postponed.MOVED_LATER)]
    issued = matching.invoices[first.invoice_id].posted_on
    floors += [(issued, Postponed.ISSUED_LATER)] if issued is not None else []
    timing = Timing.of(first.effective_on, command.effective_on, books.settings.current().first_open_day(), floors)
    return matched_payment(PaymentStep.ALLOCATED, payment, matching, earlier, timing)


@operation(by=Role.CLERK)
def unallocate_payment(command: UnallocatePayment, books: "Books", context: Context) -> PaymentChanged:
    """Take allocations back; each invoice is owed again and pays itself no more. Rules 8, 15-17. Refuses:
    PaymentNotAssigned, NothingToAllocate, WrongState.
    """
    payment, matching = load_assigned(command.payment_id, books, context)
    live = books.allocations.of_lot(payment.lot_id or 0)
    chosen = [
        each
        for each in _with_spent_top_ups(live, matching)
        if not each.is_usage and (not command.invoice_ids or each.invoice_id in command.invoice_ids)
    ]
    if not chosen:
        raise NothingToAllocate(f"{payment.number} pays none of these invoices.", field="invoices")
    matching.load_invoices([each.invoice_id for each in chosen])
    for allocation in chosen:
        matching.unmatch(allocation, command.effective_on or context.today)
        if matching.invoices[allocation.invoice_id].is_owed:
            matching.switch_auto(allocation.invoice_id, on=False)
    on = min(matching.days)
    matching.sweep(context.today)
    matching.write()
    floors = [(each.effective_on, Postponed.ALLOCATED_LATER) for each in chosen]
    timing = Timing.of(on, command.effective_on, books.settings.current().first_open_day(), floors)
    return matched_payment(PaymentStep.UNALLOCATED, payment, matching, live, timing)


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
    corrected = corrections(payment, after, ("payer", "method", "reference", "invoice_hint", "remark"))
    if not corrected:
        raise WrongState(f"Nothing of {payment.number} is different; change a field, or close the form.")
    if after.is_at_platform != payment.is_at_platform:
        raise WrongState(
            f"Whether {payment.number} was paid to the platform cannot be changed; void it and record it again.",
            field="method",
        )
    if after.came_from != payment.came_from:
        books.ledger.post(
            transfer(
                "payment method corrected",
                payment.amount,
                debit=after.came_from,
                credit=payment.came_from,
                on=effective_day(
                    context.today, (payment.posted_on,), books.settings.current().first_open_day(), context.today
                ),
            )
        )
    books.payments.update(after)
    return replace(changed_payment(PaymentStep.EDITED, after, after.amount, context), corrected=corrected)


@operation(by=Role.CLERK)
def void_payment(command: VoidPayment, books: "Books", context: Context) -> PaymentChanged:
    """Reverse an unassigned payment; it keeps its number. Rule 19. Refuses: PaymentAssigned, WrongState,
    MissingText.
    """
    payment = _lock_unassigned(command.payment_id, books)
    reason = clean_text(command.reason, "reason", LONGEST_REMARK, needed=True)
    after = void(payment, context.today, books, context)
    changed = changed_payment(PaymentStep.VOIDED, after, Money(0, payment.amount.currency), context)
    return replace(changed, note=reason)


def _assign(
    payment: Payment,
    matching: Matching,
    portions: tuple[Portion, ...],
    timing: Timing,
    step: PaymentStep,
) -> PaymentChanged:
    on = timing.effective_on
    after = assign(payment, matching, on, matching.books)
    assert after.lot_id is not None
    match_portions(portions, after.lot_id, on, matching)
    matching.sweep(on)
    matching.write()
    return matched_payment(step, after, matching, (), timing)


def _with_spent_top_ups(live: tuple[Allocation, ...], matching: Matching) -> list[Allocation]:
    """A payment's matches and those of the credit that it topped up: what the credit paid is taken back before it."""
    matching.load_invoices([each.invoice_id for each in live if not each.is_usage])
    topped_up = [
        each for each in live if not each.is_usage and matching.invoices[each.invoice_id].kind is InvoiceKind.TOP_UP
    ]
    spent: list[Allocation] = []
    for each in topped_up:
        credit = matching.top_up_of(each.invoice_id)
        spent += matching.books.allocations.of_lot(credit.id) if credit is not None else ()
    others = [each for each in live if each not in topped_up]
    return [*others, *spent, *topped_up]


def check_platform(payment: Payment, customer: Customer | None) -> None:
    """What was paid to the platform is known with its customer. Refuses: WrongState."""
    if payment.is_at_platform and customer is None:
        raise WrongState("Say which customer paid the platform; it cannot be assigned later.", field="customer")


def _lock_unassigned(payment_id: int, books: "Books") -> Payment:
    payment = books.payments.lock(payment_id)
    check_not_void(payment)
    if payment.customer_id is not None:
        raise PaymentAssigned(f"{payment.number} is assigned; take its allocations back and un-assign it first.")
    return payment
