"""Undo of a request that waits for approval: it is cancelled, and what it reserved is free again."""

from typing import TYPE_CHECKING

from bot.domain.approvals import ApprovalChanged, ApprovalState, close_request
from bot.domain.errors import NotUndoable
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books

INSTEAD = {
    DocumentKind.WITHDRAWAL: "record the money again if it comes back",
    DocumentKind.TERMS: "set the terms again",
}


@operation(by=Role.CLERK)
def undo_request(command: Undo, books: "Books", context: Context) -> ApprovalChanged:
    """Cancel a fresh request that nobody decided yet. Refuses: NotUndoable, NoAccess."""
    made = books.operations.made(command.operation_id)
    check_fresh(made, "undo_request", books, context, lambda: "cancel it while it waits")
    kind = DocumentKind(made.document_kind)
    books.customers.lock(books.approvals.about(kind, made.document_id or 0).customer_id)
    approval = books.approvals.about(kind, made.document_id or 0)
    if approval.state is not ApprovalState.WAITING:
        raise NotUndoable(f"{approval.label} is {approval.state.value} since; {INSTEAD[kind]}.")
    closed = close_request(approval.id, "undone", books, context)
    books.operations.undone(made.operation_id)
    return closed


undoes("undo_request", DocumentKind.WITHDRAWAL, "request_withdrawal")
undoes("undo_request", DocumentKind.TERMS, "set_limit", "extend_limit", "switch_mode")
