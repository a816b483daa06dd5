"""Undo of a top-up invoice or a proforma that was sent: it is void; a tax invoice is corrected by a credit note."""

from typing import TYPE_CHECKING

from bot.domain.errors import NotUndoable, WrongState
from bot.domain.invoice_changes import VoidInvoice, void
from bot.domain.invoices import InvoiceChanged
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books


@operation(by=Role.CLERK)
def undo_invoice(command: Undo, books: "Books", context: Context) -> InvoiceChanged:
    """Void a fresh top-up invoice or proforma of which nothing is allocated. Rules 94-97. Refuses: NotUndoable."""
    made = books.operations.made(command.operation_id)
    check_fresh(made, "undo_invoice", books, context, lambda: "void it while nothing is allocated")
    try:
        voided = void(VoidInvoice(invoice_id=made.document_id or 0), books, context)
    except WrongState as refusal:
        raise NotUndoable(refusal.sentence) from refusal
    books.operations.undone(made.operation_id)
    return voided


undoes("undo_invoice", DocumentKind.INVOICE, "draft_invoice", "send_invoice")
