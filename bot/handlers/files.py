"""Files for the asker alone: what there is, who may read it, how it is asked for; delivery renders and sends it."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.errors import Refused
from bot.domain.operation import Role
from bot.domain.ports import Page, ReadBooks
from bot.handlers.commands import OTHER_VERSION, Reply, carried, id_of, press
from bot.handlers.forms import Block, button
from bot.handlers.parse.words import split
from bot.handlers.request import Call
from bot.storage.outbox import Outbox

SHEETS = ("csv", "xlsx")
PAPER = ("pdf",)
MORE = "There are more: as a file you get all of them"
READERS: Mapping[str, Role] = {
    "ageing": Role.VIEWER,
    "audit": Role.ADMINISTRATOR,
    "payments": Role.VIEWER,
    "invoices": Role.VIEWER,
    "invoice": Role.VIEWER,
    "receipt": Role.VIEWER,
    "note": Role.VIEWER,
    "statement": Role.VIEWER,
    "notes": Role.VIEWER,
    "withdrawals": Role.VIEWER,
    "credits": Role.VIEWER,
    "reminders": Role.VIEWER,
    "reminder_log": Role.VIEWER,
}
PAPERS: Mapping[str, Callable[[ReadBooks, int], object]] = {
    "invoice": lambda books, document_id: books.invoice_file(document_id),
    "receipt": lambda books, document_id: books.payment_file(document_id),
    "note": lambda books, document_id: books.note_file(document_id),
}
LONGEST_CARRIED = 1900  # of what a button may carry


def file_format(text: str, formats: tuple[str, ...] = SHEETS) -> tuple[str, str]:
    """A command's words without the last one, if that names a file's format; in quotes it is a name."""
    words = split(text)
    last = words[-1] if words else None
    if last is None or last.quoted or last.text.lower() not in formats:
        return text, ""
    return text.rstrip()[: -len(last.text)].rstrip(), last.text.lower()


def list_json(page: Page) -> dict[str, Any]:
    """A list's filters, as its file is made from later."""
    return {
        "text": page.text,
        "state": page.state,
        "on": page.on.isoformat() if page.on is not None else None,
        **({"kind": page.kind} if page.kind else {}),
    }


def document_json(document_id: int) -> dict[str, Any]:
    """Which document a file shows; an id is a text, because programs that read JSON round long numbers."""
    return {"id": str(document_id)}


def send_file(call: Call, kind: str, question: Mapping[str, Any], form: str = "csv") -> Reply:
    """Put a file for the asker in the outbox, and say where it goes. Refuses: NoAccess, NotFound."""
    find = PAPERS.get(kind)
    call.desk.ask(
        lambda books: find(books, id_of(question["id"])) if find is not None else None, call.request, by=READERS[kind]
    )
    store = call.desk.store
    asked = {"file": kind, "format": form, "question": question, "asked_at": call.request.now.isoformat()}
    destination = json.dumps({"user": call.request.actor.user, "team": call.request.actor.team})
    store.write(
        lambda connection: Outbox(store).add_report(connection, payload=json.dumps(asked), destination=destination),
        call.request.deadline,
    )
    call.desk.on_commit()
    return Reply(f"The {form.upper()} file is on its way to your direct messages.")


def offer(kind: str, question: Mapping[str, Any]) -> list[Block]:
    """A button that sends the answer above it as a spreadsheet; none when it cannot carry the question."""
    value = json.dumps([kind, question], separators=(",", ":"), ensure_ascii=False)
    if len(value) > LONGEST_CARRIED:
        return []
    return [{"type": "actions", "block_id": "as_file", "elements": [button("As a file", "as_file", value)]}]


@press("as_file", by=Role.VIEWER)
def press_as_file(call: Call, action: dict[str, Any]) -> Reply:
    """The list or report above as a spreadsheet, for the one who pressed. Refuses: NoAccess."""
    with carried():
        kind, question = json.loads(action["value"])
    if kind not in READERS or not isinstance(question, dict):
        raise Refused(OTHER_VERSION)
    return send_file(call, kind, question, "xlsx")
