"""The button that takes a fresh operation back: which operation reverses it is looked up when it is pressed."""

from typing import Any

from bot.domain import credit_undo, invoice_undo, note_undo, request_undo, terms_undo, undo
from bot.domain.operation import OPERATIONS, Role
from bot.domain.undoing import Undo, undone_with
from bot.handlers.blocks.text import escape
from bot.handlers.commands import Reply, id_of, press
from bot.handlers.request import Call, button_key

# Each of them enters what it reverses; a process that can show the button knows them all.
REVERSALS = (undo, credit_undo, invoice_undo, note_undo, request_undo, terms_undo)


@press("undo", by=Role.CLERK)
def press_undo(call: Call, action: dict[str, Any]) -> Reply:
    """Reverse a fresh operation; the click acts once."""
    made = Undo(operation_id=id_of(action["value"]))
    name, kind = call.desk.ask(lambda books: books.made_by(made.operation_id), call.request)
    reversal = OPERATIONS[undone_with(name, kind)]
    outcome = call.desk.carry_out(reversal, made, call.keyed(button_key(call, action)))
    return Reply(escape(f"Undone: {outcome.trace().description}"))
