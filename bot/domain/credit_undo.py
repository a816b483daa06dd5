"""Undo of an issue or a take-back: the reversal of all that it posted, refused once something was built on it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.credits import Credit, CreditChanged, CreditKind, CreditState, changed_credit
from bot.domain.errors import NotUndoable
from bot.domain.ledger import Account, Side, transfer
from bot.domain.money import Money
from bot.domain.open_items import Allocation
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books


@operation(by=Role.MANAGER)
def undo_credit(command: Undo, books: "Books", context: Context) -> CreditChanged:
    """Reverse a fresh issue or take-back; what it paid is open again, nothing is swept. Refuses: NotUndoable."""
    made = books.operations.made(command.operation_id)
    instead = "take the credit back instead" if made.name == "issue_credit" else "issue the credit again"
    check_fresh(made, "undo_credit", books, context, lambda: instead)
    credit = books.credits.get(made.document_id or 0)
    customer = books.customers.lock(credit.customer_id).open_for_business()
    master = books.master.lock(customer.currency)
    matching = Matching(customer, books, context)
    if credit.kind is CreditKind.ISSUE:
        _close_issued(credit, made.allocations, matching)
    else:
        _give_back(credit, matching)
    matching.write()
    undone = replace(credit, state=CreditState.UNDONE)
    books.credits.set_undone(undone)
    books.operations.undone(made.operation_id)
    return replace(changed_credit("undone", undone, matching, context, master), undo_until=None)


def _close_issued(credit: Credit, own: Sequence[Allocation], matching: Matching) -> None:
    """Deposits / credit issued, once nothing but this operation used the lot. Refuses: NotUndoable."""
    books = matching.books
    lot = books.lots.get(credit.lot_id or 0)
    matching.lots[lot.id] = lot
    used = sum(each.amount.micros for each in own if each.lot_id == lot.id)
    if lot.held or lot.open.micros + used != lot.amount.micros:
        left = Money(lot.open.micros + used - lot.held.micros, lot.amount.currency)
        raise NotUndoable(
            f"Of {credit.number} only {left} is left whole: the rest was used or is held since. Take back what is left."
        )
    for other in {each.lot_id for each in own} - {lot.id}:
        matching.lots[other] = books.lots.get(other)
    matching.load_matched(own)
    for each in own:
        matching.unmatch(each, each.effective_on)
    lot = matching.lots[lot.id]
    matching.post(
        transfer(
            "credit issue undone",
            credit.amount,
            debit=Side(Account.DEPOSITS, credit.customer_id),
            credit=Side(Account.CREDIT_ISSUED),
            on=max(lot.rose_on, credit.made_on),
        ),
        deposits=-credit.amount.micros,
    )
    books.lots.close(lot, max(lot.rose_on, credit.made_on))


def _give_back(credit: Credit, matching: Matching) -> None:
    """Credit issued / deposits, and each lot has again what was taken of it."""
    books, today = matching.books, matching.context.today
    entry_id = matching.post(
        transfer(
            "credit take-back undone",
            credit.amount,
            debit=Side(Account.CREDIT_ISSUED),
            credit=Side(Account.DEPOSITS, credit.customer_id),
            on=today,
        ),
        deposits=credit.amount.micros,
    )
    books.credits.give_back(credit, today, entry_id)


undoes("undo_credit", DocumentKind.CREDIT, "issue_credit", "take_back_credit")
