"""/credit-note: draft, copy, approve, apply, take back, void; and looking at them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.credit_note import (
    LONGEST_REASON,
    ApplyNote,
    ApproveNote,
    CopyNote,
    CreditNote,
    DraftNote,
    NoteChanged,
    ReasonCode,
    UnapplyNote,
    VoidNote,
)
from bot.domain.credit_notes import apply_note, approve_note, copy_note, draft_note, unapply_note, void_note
from bot.domain.customers import Customer
from bot.domain.errors import NotFound, Refused
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.credit_notes import note_card, note_effect, note_said, note_table, note_title
from bot.handlers.blocks.rich import preformatted, rich
from bot.handlers.blocks.text import counted, escape, money
from bot.handlers.commands import OTHER_VERSION, Command, Reply, Sub, command, id_of, press
from bot.handlers.files import MORE, PAPER, document_json, file_format, list_json, offer, send_file
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, DateField, Form, SearchField, TextField, Values, context
from bot.handlers.invoice_lines import read_lines
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import as_seen, phrase, whole
from bot.handlers.payment_forms import INVOICES, PARTS, portions_of
from bot.handlers.request import Call, button_key

LIST_ROWS = 20
STATES = ("draft", "open", "void")
KEYWORDS = {
    **{code.value: "code" for code in ReasonCode if code is not ReasonCode.OTHER},
    **dict.fromkeys(("because", "reason"), "reason"),
}

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID", dispatches=True)
INVOICE = TextField("invoice", "Invoice it is about", needed=False, longest=40, placeholder="INV-0042", dispatches=True)
AMOUNT = TextField(
    "amount",
    "Amount, tax included",
    needed=False,
    longest=40,
    hint="Of the invoice; empty means all that is left of it.",
    dispatches=True,
)
LINES = TextField(
    "lines",
    "Lines",
    needed=False,
    multiline=True,
    longest=3000,
    hint="Without an invoice, one a line: description; quantity x price; tax.",
)
CODE = ChoiceField("code", "Because of", choices=tuple((code.value.capitalize(), code.value) for code in ReasonCode))
REASON = TextField("reason", "Reason", needed=False, longest=LONGEST_REASON, multiline=True)
WHY = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)
ISSUE = DateField("issue_on", "Dated")


def _draft(values: Values, _about: Mapping[str, Any], call: Call) -> DraftNote:
    customer_id = int(values.need(CUSTOMER)[1])
    settings = settings_of(call)
    text = values.text(INVOICE).strip()
    invoice = _invoice_of(call, text) if text else None
    worth = values.text(AMOUNT).strip()
    of = invoice.total.currency if invoice is not None else None
    return DraftNote(
        customer_id=customer_id,
        issue_on=values.need(ISSUE),
        code=ReasonCode(values.need(CODE)),
        reason=values.text(REASON),
        invoice_id=invoice.id if invoice is not None else None,
        amount=find.money_typed(worth, settings, of) if worth and invoice is not None else None,
        lines=() if invoice is not None else read_lines(values.text(LINES), settings, call, customer_id),
    )


def _invoice_of(call: Call, text: str) -> Invoice:
    found = find.invoice_like(call, text)
    if found is None:
        raise NotFound(f"There is no invoice {text[:30]}; type a number such as INV-0042.", field="invoice")
    return found


def _apply(values: Values, about: Mapping[str, Any], call: Call) -> ApplyNote:
    customer = call.desk.ask(lambda books: books.customer(int(about["customer"])), call.request)
    portions = portions_of(values, call, settings_of(call), customer)
    return ApplyNote(note_id=int(about["note"]), portions=tuple((each.invoice_id, each.amount) for each in portions))


def _done(outcome: NoteChanged, settings: Settings) -> Sequence[Block]:
    said = rich((f"{outcome.note.label}: ", *note_said(outcome, settings)), block_id="done")
    return [said, context("Its card and its thread show it.")]


def _verb(said: str) -> Callable[[NoteChanged, Settings], str]:
    return lambda outcome, settings: f"{said} {money(outcome.note.total, settings.locale)}"


NEW = flow(
    Flow(
        form=Form("note_new", "New credit note", (CUSTOMER, INVOICE, AMOUNT, LINES, CODE, REASON, ISSUE)),
        operation=draft_note,
        command=_draft,
        effect=note_effect,
        verb=_verb("Draft"),
        done=_done,
    )
)
COPY = flow(
    Flow(
        form=Form("note_copy", "Copy a credit note", (ISSUE,)),
        operation=copy_note,
        command=lambda values, about, _call: CopyNote(note_id=int(about["note"]), issue_on=values.need(ISSUE)),
        effect=note_effect,
        verb=_verb("Draft"),
        done=_done,
    )
)
APPLY = flow(
    Flow(
        form=Form("note_apply", "Apply a credit note", (INVOICES, PARTS)),
        operation=apply_note,
        command=_apply,
        effect=note_effect,
        verb=lambda _outcome, _settings: "Apply",
        done=_done,
    )
)
UNAPPLY = flow(
    Flow(
        form=Form("note_unapply", "Take a credit note back", (), intro="Its invoices are owed again."),
        operation=unapply_note,
        command=lambda _values, about, _call: UnapplyNote(note_id=int(about["note"])),
        effect=note_effect,
        verb=lambda _outcome, _settings: "Take back",
        done=_done,
    )
)
VOID = flow(
    Flow(
        form=Form("note_void", "Void a credit note", (WHY,), intro="It stays in the books as void."),
        operation=void_note,
        command=lambda values, about, _call: VoidNote(note_id=int(about["note"]), reason=values.need(WHY)),
        effect=note_effect,
        verb=_verb("Void"),
        done=_done,
    )
)


def note_named(call: Call, text: str) -> CreditNote:
    """A credit note by its number, draft reference or id. Refuses: NotFound."""
    found = call.desk.ask(lambda books: books.note(text), call.request)
    if found is None:
        raise NotFound(f"There is no credit note {text[:30] or 'without a number'}; type one such as CN-0012.")
    return found


def _new(call: Call, text: str) -> Reply | None:
    """`INV-0042 50 wrong price because ...`, or `Acme; Returned; 2 x 10; 9%`: the form, filled."""
    if not text:
        NEW.open(call, _blank(call))
        return None
    first = text.split(maxsplit=1)[0]
    invoice = find.invoice_like(call, first)
    if invoice is not None:
        _open_of(call, invoice, text[len(first) :])
        return None
    name = as_seen(text).partition(";")[0].strip()
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, "choose_note", text)
    if asked is not None:
        return asked
    _open_lines(call, text, find.customer_named(call, name))
    return None


def _blank(call: Call, **given: Any) -> Values:
    today = settings_of(call).today(call.request.now)
    return Values({"issue_on": today, "code": ReasonCode.WRONG_PRICE.value, **given})


def _open_of(call: Call, invoice: Invoice, text: str) -> None:
    spoken = phrase(text, KEYWORDS)
    customer = call.desk.ask(lambda books: books.customer(invoice.customer_id), call.request)
    code = spoken.spelled.get("code", ReasonCode.WRONG_PRICE.value).lower().rstrip(":")
    given = {
        "customer": find.customer_option(customer),
        "invoice": invoice.label,
        "amount": name_and_amount(spoken, "code")[1],
        "code": code,
        "reason": spoken.text("reason"),
    }
    NEW.open(call, _blank(call, **given), preview=True)


def _open_lines(call: Call, text: str, customer: Customer) -> None:
    lines = as_seen(text).partition(";")[2].strip()
    given = {"customer": find.customer_option(customer), "lines": lines, "code": ReasonCode.RETURNED.value}
    NEW.open(call, _blank(call, **given), preview=bool(lines))


def open_for(call: Call, customer: Customer) -> None:
    """The form of a new note for a customer."""
    NEW.open(call, _blank(call, customer=find.customer_option(customer)))


def _about(call: Call, note: CreditNote) -> Mapping[str, Any]:
    worth = money(note.total, settings_of(call).locale)
    line = f"{note.label} · {worth} · {note.status}"
    return {"note": str(note.id), "customer": str(note.customer_id), "line": line}


def open_copy(call: Call, note: CreditNote) -> None:
    COPY.open(call, _blank(call), _about(call, note), preview=True)


def open_apply(call: Call, note: CreditNote) -> None:
    """The form of what it pays; the invoice it is about is chosen while something is open of it."""
    invoice = _invoice_of(call, str(note.invoice_id)) if note.invoice_id is not None else None
    given = {}
    if invoice is not None and invoice.open:
        given["invoices"] = (find.invoice_option(invoice, settings_of(call)),)
    APPLY.open(call, Values(given), _about(call, note), preview=bool(given))


def open_unapply(call: Call, note: CreditNote) -> None:
    UNAPPLY.open(call, Values(), _about(call, note), preview=True)


def open_void(call: Call, note: CreditNote) -> None:
    VOID.open(call, Values(), _about(call, note))


OPENERS = {"copy": open_copy, "apply": open_apply, "unapply": open_unapply, "void": open_void}


def _open(verb: str) -> Callable[[Call, str], None]:
    return lambda call, text: OPENERS[verb](call, note_named(call, text.strip()))


def _approve(call: Call, text: str) -> Reply:
    """`CN or DRAFT`: marks a draft as sent."""
    note = note_named(call, text.strip())
    outcome = call.desk.carry_out(approve_note, ApproveNote(note_id=note.id), call.request)
    return Reply(escape(outcome.trace().description))


def _show(call: Call, text: str) -> Reply:
    """`NOTE [pdf]`."""
    number, form = file_format(text, PAPER)
    note = note_named(call, number.strip())
    if form:
        return send_file(call, "note", document_json(note.id), form)
    file = call.desk.ask(lambda books: books.note_file(note.id), call.request)
    settings = settings_of(call)
    return Reply(escape(note_title(file, settings)), note_card(file, settings))


def _list(call: Call, text: str) -> Reply:
    """`[draft|open|void] [customer or number] [csv|xlsx]`."""
    text, form = file_format(text)
    first, _, rest = text.partition(" ")
    state = first.lower() if first.lower() in STATES else ""
    page = Page(text=whole(rest if state else text), state=state, limit=LIST_ROWS + 1)
    lines = call.desk.ask(lambda books: books.list_notes(page), call.request)
    if not lines:
        return Reply("No credit note matches. Try /credit-note list open, or a name.")
    if form:
        return send_file(call, "notes", list_json(page), form)
    shown = preformatted(note_table(lines[:LIST_ROWS], settings_of(call)), block_id="notes")
    more = [context(f"{MORE}; or narrow the list with a state or a name.")] if len(lines) > LIST_ROWS else []
    return Reply(
        f"{counted(len(lines[:LIST_ROWS]), 'credit note')}, newest first",
        [shown, *more, *offer("notes", list_json(page))],
    )


NOTE = command(
    Command(
        "credit-note",
        "Draft, approve and apply credit notes",
        "INV-0042 50 wrong price because Agreed by phone",
        main="new",
        subs=(
            Sub(
                "new",
                Role.CLERK,
                "/credit-note INV-0001 50 wrong price",
                "drafts a note",
                _new,
            ),
            Sub("copy", Role.CLERK, "/credit-note copy CN-0001", "drafts a note like another", _open("copy")),
            Sub("approve", Role.MANAGER, "/credit-note approve DRAFT-1A2B3C", "gives it its number", _approve),
            Sub("apply", Role.CLERK, "/credit-note apply CN-0001", "lets it pay invoices", _open("apply")),
            Sub("unapply", Role.CLERK, "/credit-note unapply CN-0001", "takes it back from them", _open("unapply")),
            Sub("void", Role.MANAGER, "/credit-note void CN-0001", "gives it up for good", _open("void")),
            Sub("list", Role.VIEWER, "/credit-note list open", "the newest notes", _list),
            Sub("show", Role.VIEWER, "/credit-note show CN-0001", "a note's card", _show),
        ),
    )
)


@press("note_approve", by=Role.MANAGER)
def press_approve(call: Call, action: dict[str, Any]) -> Reply:
    made = ApproveNote(note_id=id_of(action["value"]))
    outcome = call.desk.carry_out(approve_note, made, call.keyed(button_key(call, action)))
    return Reply(escape(outcome.trace().description))


@press("note_apply", by=Role.CLERK)
def press_apply(call: Call, action: dict[str, Any]) -> None:
    open_apply(call, note_named(call, action["value"]))


@press("note_more", by=Role.VIEWER)
def press_more(call: Call, action: dict[str, Any]) -> Reply | None:
    """The overflow menu of a note's card."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    if verb == "pdf":
        return send_file(call, "note", document_json(id_of(about)), "pdf")
    if verb not in OPENERS:
        raise Refused(OTHER_VERSION)
    call.desk.ask(lambda _: None, call.request, by=Role.MANAGER if verb == "void" else Role.CLERK)
    OPENERS[verb](call, note_named(call, about))
    return None


find.on_choice("choose_note", _open_lines, by=Role.CLERK)
