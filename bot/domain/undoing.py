"""Undo, whatever is undone: which operation reverses which, until when, and what corrects a thing that has none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.errors import NotUndoable
from bot.domain.open_items import Made
from bot.domain.operation import Context, DocumentKind

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """Take back one operation whole."""

    operation_id: int


# The operation that undoes one of a name when it left a document of a kind.
UNDONE_BY: dict[tuple[str, str], str] = {}
CORRECTED_BY = {
    "edit_payment": "edit the payment again",
    "void_payment": "record the money again",
    "attach_proofs": "a proof stays; add the right one",
    "draft_invoice": "delete the draft",
    "provision_proforma": "a credit note corrects a tax invoice",
    "delete_draft": "write the draft again",
    "edit_draft": "edit the draft again",
    "void_invoice": "write the invoice again",
    "close_month": "a credit note corrects the invoice, and a refund the usage",
    "invoice_usage": "a credit note corrects the invoice, and a refund the usage",
    "switch_auto_allocation": "switch auto-allocation back",
    "approve_request": "withdrawn money is recorded again, a credit note is voided, terms are set again",
    "reject_request": "ask for it again",
    "cancel_request": "ask for it again",
    "pay_withdrawal": "record the money again if it came back",
    "pay_out_at_platform": "issue the credit again",
    "refund_usage": "charge the usage again",
    "charge_usage": "a refund corrects usage",
    "import_usage": "a refund corrects usage",
    "top_up_master": "a payout corrects a top-up",
    "set_master_limit": "set the limit again",
    "draft_note": "give the draft up",
    "copy_note": "give the draft up",
    "approve_note": "void the credit note while nothing of it is applied",
    "void_note": "draft the credit note again",
    "new_customer": "close the customer",
    "edit_customer": "edit the customer again",
    "change_customer_state": "change the state back",
    "undo": "do the operation again",
    "trigger_top_up": "take the credit back, or void the invoice",
    "undo_payment_settings": "do the operation again",
    "undo_credit": "do the operation again",
    "undo_note": "do the operation again",
    "undo_invoice": "send it again",
    "undo_limit": "do the operation again",
    "undo_mode": "do the operation again",
    "undo_request": "ask for it again",
    "open_dispute": "resolve the dispute",
    "resolve_dispute": "open the dispute again",
    "log_promise": "cancel the promise",
    "end_promise": "log the promise again",
    "request_write_off": "cancel the request, or reverse the write-off",
    "mail_statement": "what was e-mailed stays; send the right one",
    "mail_invoice": "what was e-mailed stays; send the right one",
    "settle_mail": "send the mail again",
    "undo_write_off": "ask for the write-off again",
    "save_template": "write the template once more",
    "retire_template": "write the template again",
    "save_schedule": "write the schedule once more",
    "retire_schedule": "write the schedule again",
    "set_reminders": "change it back under How it is reminded",
    "pause_reminders": "resume the reminders",
    "resume_reminders": "pause the reminders again",
    "stop_chasing": "chase the invoice again",
    "go_on_chasing": "say again that it is not chased",
    "release_reminders": "what was sent stays sent; leave out what was not sent yet",
    "postpone_reminders": "postpone it again, or send now",
    "cancel_reminders": "the plan of the next day takes it up again",
    "exclude_reminder": "take it in again, or leave it out again",
    "edit_reminder": "edit the message again",
    "remind_now": "what was sent stays sent",
}


def undoes(by: str, kind: DocumentKind, *names: str) -> None:
    """Say which operation reverses operations of these names that left a document of this kind."""
    for name in names:
        assert (name, kind.value) not in UNDONE_BY, name
        UNDONE_BY[name, kind.value] = by


def undone_with(name: str, kind: str) -> str:
    """The operation that undoes one of a name that left a document of a kind. Refuses: NotUndoable."""
    by = UNDONE_BY.get((name, kind))
    if by is None:
        raise NotUndoable(f"This cannot be undone; {CORRECTED_BY.get(name, 'a new operation corrects it')}.")
    return by


def check_fresh(made: Made, by: str, books: "Books", context: Context, instead: Callable[[], str]) -> None:
    """Of a kind that this undo reverses, not undone yet, and fresh. Refuses: NotUndoable."""
    if undone_with(made.name, made.document_kind) != by:
        raise NotUndoable("This cannot be undone that way; press Undo on its own card.")
    if made.undone_by is not None:
        raise NotUndoable("This was undone already; nothing was changed.")
    if context.now > books.settings.current().undo_until(made.at):
        raise NotUndoable(f"The time for undo has passed; {instead()}.")
