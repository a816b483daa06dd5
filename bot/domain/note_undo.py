"""Undo of applying a credit note and of taking one back, refused once something was built on it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.credit_note import CreditNote, NoteChanged, NoteState
from bot.domain.credit_notes import changed_note
from bot.domain.errors import NotUndoable
from bot.domain.open_items import InvoiceState, Made
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books


@operation(by=Role.CLERK)
def undo_note(command: Undo, books: "Books", context: Context) -> NoteChanged:
    """Reverse a fresh match of a note, or take one up again; flags return, nothing is swept. Refuses: NotUndoable."""
    made = books.operations.made(command.operation_id)
    applied = made.name == "apply_note"
    instead = "take the note back from its invoices instead" if applied else "apply the note again"
    check_fresh(made, "undo_note", books, context, lambda: instead)
    customer = books.customers.lock(books.notes.get(made.document_id or 0).customer_id).open_for_business()
    note = books.notes.get(made.document_id or 0)
    matching = Matching(customer, books, context, lots=[note.as_lot()])
    matching.load_matched((*made.allocations, *made.taken_back))
    _check_not_built_on(made, note, matching)
    for each in made.allocations:
        matching.unmatch(each, each.effective_on)
    for each in made.taken_back:
        matching.match(note.id, each.invoice_id, each.amount, each.effective_on, automatic=False)
    for invoice_id, was in made.flags:
        matching.switch_auto(invoice_id, on=was)
    matching.write()
    books.operations.undone(made.operation_id)
    return changed_note("undone", replace(note, open=matching.lots[note.id].open), matching, context)


def _check_not_built_on(made: Made, note: CreditNote, matching: Matching) -> None:
    """What was matched still is; what was taken back can be matched again. Refuses: NotUndoable."""
    books = matching.books
    if note.state is not NoteState.SENT:
        raise NotUndoable(f"{note.label} is {note.status} since; draft it again instead.")
    for invoice in matching.invoices.values():
        if invoice.state is not InvoiceState.SENT:
            raise NotUndoable(f"{invoice.label} is {invoice.status} since; nothing of it is matched any more.")
    if made.taken_back_since:
        back = ", ".join(made.taken_back_since)
        raise NotUndoable(f"{note.label} was taken back from {back} since; undo that first.")
    for each in made.taken_back:
        if matching.invoices[each.invoice_id].open < each.amount:
            payers = ", ".join(paid.lot_number for paid in books.allocations.of_invoice(each.invoice_id))
            raise NotUndoable(f"{each.invoice_number} is paid by {payers} since; take that back first.")
    if sum(each.amount.micros for each in made.taken_back) > note.open.micros:
        used = ", ".join(each.invoice_number for each in books.allocations.of_note(note.id))
        raise NotUndoable(f"{note.label} is applied to {used} since; take that back first.")


undoes("undo_note", DocumentKind.CREDIT_NOTE, "apply_note", "unapply_note")
