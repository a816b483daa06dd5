"""/invoice write-off: ask for a debt to be given up, and reverse what was given up wrongly."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.errors import WrongState
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.domain.write_off import LONGEST_REASON, RequestWriteOff, UndoWriteOff, WriteOff, WriteOffChanged, WriteOffState
from bot.domain.write_offs import request_write_off, undo_write_off
from bot.handlers import find
from bot.handlers.approvals import open_cancel
from bot.handlers.blocks.rich import rich
from bot.handlers.blocks.text import date_text, money
from bot.handlers.blocks.write_offs import write_off_effect, write_off_said
from bot.handlers.commands import id_of, press
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, Form, TextField, Values, context
from bot.handlers.parse.words import join, phrase
from bot.handlers.request import Call

KEYWORDS = {"because": "reason", "reason": "reason"}
UNDO = "undo"
AMOUNT = TextField(
    "amount",
    "Amount",
    needed=False,
    longest=40,
    hint="Empty means all that is open; a small part leaves the rest owed.",
    dispatches=True,
)
REASON = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)


def _request(values: Values, about: Mapping[str, Any], call: Call) -> RequestWriteOff:
    settings, worth = settings_of(call), values.text(AMOUNT).strip()
    invoice = find.invoice_named(call, str(about["invoice"]))
    return RequestWriteOff(
        invoice_id=invoice.id,
        reason=values.need(REASON),
        amount=find.money_typed(worth, settings, invoice.total.currency) if worth else None,
    )


def _done(outcome: WriteOffChanged, _settings: Settings) -> Sequence[Block]:
    said = rich((f"{outcome.write_off.label}: ", *write_off_said(outcome)), block_id="done")
    return [said, context("Its card and its thread show it.")]


REQUEST = flow(
    Flow(
        form=Form("write_off_request", "Write off a debt", (AMOUNT, REASON), intro="Another manager decides."),
        operation=request_write_off,
        command=_request,
        effect=write_off_effect,
        verb=lambda outcome, settings: f"Ask for {money(outcome.write_off.amount, settings.locale)}",
        done=_done,
    )
)
REVERSE = flow(
    Flow(
        form=Form("write_off_undo", "Reverse a write-off", (REASON,), intro="The invoice is owed again."),
        operation=undo_write_off,
        command=lambda values, about, _call: UndoWriteOff(
            write_off_id=int(about["write_off"]), reason=values.need(REASON)
        ),
        effect=write_off_effect,
        verb=lambda outcome, settings: f"Reverse {money(outcome.write_off.amount, settings.locale)}",
        done=_done,
    )
)


def run_write_off(call: Call, text: str) -> None:
    """`INV-0033 [0.50] because ...`, or `INV-0033 undo because ...`."""
    spoken = phrase(text, KEYWORDS)
    number, *rest = [word.text for word in spoken.lead] or [""]
    invoice = find.invoice_named(call, number)
    if [each.lower() for each in rest] == [UNDO]:
        open_reverse(call, _made_of(call, invoice), spoken.text("reason"))
        return
    open_request(call, invoice, amount=join(spoken.lead[1:]), reason=spoken.text("reason"))


def open_request(call: Call, invoice: Invoice, *, amount: str = "", reason: str = "") -> None:
    settings = settings_of(call)
    due = date_text(invoice.due_on, settings.locale)
    line = f"{invoice.label} · {money(invoice.open, settings.locale)} open · due {due}"
    REQUEST.open(
        call,
        Values({"amount": amount, "reason": reason}),
        {"invoice": str(invoice.id), "line": line},
        preview=bool(reason),
    )


def open_reverse(call: Call, made: WriteOff, reason: str = "") -> None:
    """The form of a reversal, for a manager. Refuses: NoAccess."""
    call.desk.ask(lambda _: None, call.request, by=Role.MANAGER)
    line = f"{made.label} · {money(made.amount, settings_of(call).locale)} · {made.status}"
    REVERSE.open(call, Values({"reason": reason}), {"write_off": str(made.id), "line": line}, preview=bool(reason))


def _made_of(call: Call, invoice: Invoice) -> WriteOff:
    """The newest write-off of an invoice that stands. Refuses: WrongState."""
    file = call.desk.ask(lambda books: books.invoice_file(invoice.id), call.request)
    made = [each for each in file.write_offs if each.state is WriteOffState.MADE]
    if not made:
        raise WrongState(f"Nothing of {invoice.label} is written off.")
    return made[-1]


@press("write_off_undo", by=Role.MANAGER)
def press_undo(call: Call, action: dict[str, Any]) -> None:
    write_off_id = id_of(action["value"])
    open_reverse(call, call.desk.ask(lambda books: books.write_off_file(write_off_id), call.request).write_off)


@press("write_off_cancel", by=Role.CLERK)
def press_cancel(call: Call, action: dict[str, Any]) -> None:
    open_cancel(call, id_of(action["value"]))
