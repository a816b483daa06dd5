"""Undo of payments: the reversal of all that a fresh operation posted, refused once something was built on it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching, effective_day
from bot.domain.errors import NotUndoable
from bot.domain.money import Money
from bot.domain.open_items import Allocation, InvoiceKind, LotKind, Made
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.payments import (
    Payment,
    PaymentChanged,
    PaymentState,
    PaymentStep,
    assign,
    changed_payment,
    check_edits,
    matched_payment,
    unassign,
    void,
)
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books


__all__ = ["Undo", "undo"]


@operation(by=Role.CLERK)
def undo(command: Undo, books: "Books", context: Context) -> PaymentChanged:
    """Reverse a fresh payment operation with its sweep; flags return, nothing is swept. Refuses: NotUndoable,
    NoEditsLeft.
    """
    made = books.operations.made(command.operation_id)
    check_fresh(made, "undo", books, context, lambda: _instead(made.document_id or 0, books))
    payment = books.payments.lock(made.payment_id or 0)
    if made.name == "record_payment" and payment.customer_id is None:
        _check_latest(made, payment, books)
        after = void(payment, payment.suspense_on, books, context)
        books.operations.undone(made.operation_id)
        return changed_payment(PaymentStep.UNDONE, after, Money(0, after.amount.currency), context)
    customer_id = payment.customer_id or books.payments.last_customer(payment.id)
    customer = books.customers.lock(customer_id).open_for_business()
    lots = [books.lots.get(payment.lot_id)] if payment.lot_id is not None else []
    matching = Matching(customer, books, context, lots=lots)
    _check_latest(made, payment, books)
    _check_unchanged(made)
    if payment.lot_id is not None:
        matching.load_lots(each.lot_id for each in (*made.allocations, *made.taken_back))
    earlier = books.allocations.of_lot(payment.lot_id) if payment.lot_id is not None else ()
    _check_not_built_on(made, payment, earlier, matching)
    matching.load_matched((*made.allocations, *made.taken_back))
    _check_room(made, matching, books)
    after = _reverse(made, payment, matching, books, context)
    for invoice_id, was in made.flags:
        matching.load_invoices([invoice_id])
        matching.switch_auto(invoice_id, on=was)
    matching.write()
    books.operations.undone(made.operation_id)
    if after.lot_id is None:
        left = Money(0, after.amount.currency) if after.state is PaymentState.VOID else after.amount
        return changed_payment(PaymentStep.UNDONE, after, left, context, matching=matching)
    return matched_payment(PaymentStep.UNDONE, after, matching, earlier)


def _instead(payment_id: int, books: "Books") -> str:
    """What brings an old payment back a step, by how it stands now."""
    payment = books.payments.lock(payment_id)
    if payment.state is PaymentState.VOID:
        return f"{payment.number} is void already"
    if payment.lot_id is None:
        return f"void {payment.number} instead, or assign it"
    if books.allocations.of_lot(payment.lot_id):
        return f"take the allocations of {payment.number} back instead"
    return f"un-assign {payment.number} instead"


def _check_latest(made: Made, payment: Payment, books: "Books") -> None:
    later = books.operations.later_on_payment(payment.id, made.operation_id)
    if later is not None:
        raise NotUndoable(f"{payment.number} was changed since ({later}); undo that first, or correct it as it is now.")


def _check_not_built_on(
    made: Made, payment: Payment, live: tuple[Allocation, ...], matching: Matching | None = None
) -> None:
    """Refused once a later operation used the money, naming the invoices."""
    if made.name not in {"record_payment", "assign_payment"}:
        return
    if matching is not None and payment.lot_id is not None:
        lot = matching.lots[payment.lot_id]
        used = sum(each.amount.micros for each in live)
        if lot.held or lot.open.micros + used != lot.amount.micros:
            raise NotUndoable(f"A withdrawal holds or took money of {payment.number}; cancel it first if it waits.")
    own = {allocation.id for allocation in made.allocations}
    built = [allocation.invoice_number for allocation in live if allocation.id not in own]
    if built:
        raise NotUndoable(f"{payment.number} pays {', '.join(built)} since; take those allocations back first.")


def _check_room(made: Made, matching: Matching, books: "Books") -> None:
    """What was taken back can be matched again, unless its invoice or its money was used since. Refuses:
    NotUndoable.
    """
    own = {allocation.id for allocation in made.allocations}
    for allocation in made.taken_back:
        invoice = matching.invoices[allocation.invoice_id]
        open_again = sum(each.amount.micros for each in made.allocations if each.invoice_id == invoice.id)
        if invoice.open.micros + open_again < allocation.amount.micros:
            payers = [each.lot_number for each in books.allocations.of_invoice(invoice.id) if each.id not in own]
            raise NotUndoable(f"{invoice.label} is paid by {', '.join(payers)} since; take that back first.")
    for lot_id in {allocation.lot_id for allocation in made.taken_back}:
        lot = matching.lots[lot_id]
        if lot.kind is LotKind.TOP_UP:  # credit of a top-up that is paid again
            continue
        free_again = sum(each.amount.micros for each in made.allocations if each.lot_id == lot_id)
        wanted = sum(each.amount.micros for each in made.taken_back if each.lot_id == lot_id)
        if lot.free.micros + free_again < wanted:
            paid = [each.invoice_number for each in books.allocations.of_lot(lot_id) if each.id not in own]
            raise NotUndoable(f"{lot.number} pays {', '.join(paid)} since; take those allocations back first.")


def _check_unchanged(made: Made) -> None:
    """What it matched is matched still: provisioning matches a proforma's money anew. Refuses: NotUndoable."""
    if made.rematched:
        raise NotUndoable(f"{', '.join(made.rematched)} changed since; take its payment back instead.")


def _reverse(made: Made, payment: Payment, matching: Matching, books: "Books", context: Context) -> Payment:
    for allocation in sorted(made.allocations, key=lambda each: _is_top_up(each, matching)):
        matching.unmatch(allocation, allocation.effective_on)
    if made.name in {"record_payment", "assign_payment"}:
        check_edits(payment)
        day = matching.lots[payment.lot_id or 0].rose_on
        payment = unassign(payment, matching, day, books, context)
        return void(payment, day, books, context) if made.name == "record_payment" else payment
    if made.name == "unassign_payment":
        check_edits(payment)
        first_open = books.settings.current().first_open_day()
        day = effective_day(payment.suspense_on, (), first_open, context.today)
        return assign(payment, matching, day, books)
    for allocation in sorted(made.taken_back, key=lambda each: not _is_top_up(each, matching)):
        matching.match(
            _renewed(allocation.lot_id, matching),
            allocation.invoice_id,
            allocation.amount,
            allocation.effective_on,
            automatic=allocation.automatic,
        )
    return replace(payment)


def _is_top_up(allocation: Allocation, matching: Matching) -> bool:
    """Whether it paid a top-up invoice: it goes after what its credit paid, and comes before it."""
    return matching.invoices[allocation.invoice_id].kind is InvoiceKind.TOP_UP


def _renewed(lot_id: int, matching: Matching) -> int:
    """The credit that a top-up invoice, paid again, opened in the place of the one that was taken back."""
    lot = matching.lots[lot_id]
    credit = matching.top_up_of(lot.invoice_id) if lot.kind is LotKind.TOP_UP and lot.invoice_id else None
    return credit.id if credit is not None else lot_id


undoes(
    "undo",
    DocumentKind.PAYMENT,
    "record_payment",
    "assign_payment",
    "unassign_payment",
    "allocate_payment",
    "unallocate_payment",
)
