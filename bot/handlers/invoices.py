"""/invoice: new, send, list, show, auto-allocation on and off."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.invoice_changes import EditDraft, edit_draft
from bot.domain.invoices import (
    DraftInvoice,
    InvoiceChanged,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.mailing import Mailing
from bot.domain.open_items import Invoice, InvoiceKind
from bot.domain.operation import Role
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import invoice_card, invoice_file_card, invoice_title
from bot.handlers.blocks.effects import effect_lines, locked_up_to
from bot.handlers.blocks.invoice_kinds import ONCE_SENT, SAVED, TITLES, label_of
from bot.handlers.blocks.lists import invoice_table
from bot.handlers.blocks.rich import Part, bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, escape, money, shorten
from bot.handlers.commands import OTHER_VERSION, Command, Reply, Sub, command, id_of, press
from bot.handlers.disputes import open_hold, open_promise, run_dispute, run_invoice_promise
from bot.handlers.entries import entries_reply
from bot.handlers.files import MORE, PAPER, document_json, file_format, list_json, offer, send_file
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, DateField, Form, SearchField, TextField, TickField, Values, context
from bot.handlers.invoice_kinds import KIND, kind_first, open_step, typed_step
from bot.handlers.invoice_lines import LINES, line_typed, read_lines
from bot.handlers.mails import open_invoice
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import as_seen, phrase, whole
from bot.handlers.reminder_terms import open_chasing
from bot.handlers.request import Call, button_key
from bot.handlers.usage_invoices import open_usage
from bot.handlers.write_offs import open_request, run_write_off

LIST_ROWS = 20
STATES = ("draft", "open", "partly", "paid", "disputed")

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID")
ISSUE = DateField("issue_on", "Issue date")
DUE = DateField("due_on", "Due date", needed=False, hint="Empty means by the customer's terms.")
REMARK = TextField("remark", "Remark", needed=False, multiline=True, longest=500)
NOT_AUTO = TickField("manual", "Auto-allocation", text="Do not let free credit pay this invoice by itself")
SEND = TickField("send", "Send", text="Send it now: it gets its number and is final")
MAIL = TickField("mail", "E-mail", text="E-mail it to the customer once it is sent")
DRAFTED = (KIND, CUSTOMER, LINES, ISSUE, DUE, SEND)


def _mailing(call: Call) -> dict[str, Any]:
    """What a form carries so that it offers e-mail, where that is set up."""
    return {"mails": True} if call.desk.mails else {}


def _wish(values: Values) -> Mailing:
    return Mailing.YES if values.ticked(MAIL) else Mailing.NO


def _command(values: Values, _about: Mapping[str, Any], call: Call) -> DraftInvoice:
    settings = settings_of(call)
    customer_id = int(values.need(CUSTOMER)[1])
    kind = InvoiceKind(values.need(KIND))
    return DraftInvoice(
        customer_id=customer_id,
        lines=read_lines(values.need(LINES), settings, call, customer_id, kind),
        issue_on=values.need(ISSUE),
        due_on=values.get(DUE),
        remark=values.text(REMARK),
        auto_allocate=not values.ticked(NOT_AUTO),
        send=values.ticked(SEND),
        kind=kind,
        mail=_wish(values) if values.ticked(SEND) else Mailing.NO,
    )


def _edit_command(values: Values, about: Mapping[str, Any], call: Call) -> EditDraft:
    draft = find.invoice_named(call, str(about["invoice"]))
    settings = settings_of(call)
    content = DraftInvoice(
        customer_id=draft.customer_id,
        lines=read_lines(values.need(LINES), settings, call, draft.customer_id, draft.kind),
        issue_on=values.need(ISSUE),
        due_on=values.get(DUE),
        remark=values.text(REMARK),
        auto_allocate=not values.ticked(NOT_AUTO),
        kind=draft.kind,
    )
    return EditDraft(invoice_id=draft.id, version=int(about["version"]), content=content)


def _effect(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
    invoice = outcome.invoice
    lines: list[tuple[Part, ...]] = [(bold("What will happen"),)]
    for line in outcome.lines[:10]:
        tax = f" + tax {amount(line.tax, settings.locale)}" if line.tax else ""
        lines.append(
            (f"{line.quantity:f} × ", typed(line.description, 100), f"  {amount(line.net, settings.locale)}{tax}")
        )
    due = date_text(invoice.due_on, settings.locale)
    lines.append((bold("Total "), money(invoice.total, settings.locale), f", due {due}"))
    if invoice.number:
        if outcome.is_locked_out and invoice.posted_on is not None:
            day = invoice.posted_on
            lines.append((f"Counts from {date_text(day, settings.locale)} ({locked_up_to(day, settings)}).",))
        lines += effect_lines(outcome.effect, settings) if invoice.is_owed else []
        lines += [
            (f"{money(each.amount, settings.locale)} paid from {each.lot_number}",) for each in outcome.allocations
        ]
        if outcome.mailed_to:
            lines.append((f"E-mailed to {', '.join(outcome.mailed_to)}",))
        lines.append((ONCE_SENT[invoice.kind],))
    else:
        lines.append((SAVED[invoice.kind],))
    return [rich(*lines, block_id="effect")]


NEW = flow(
    Flow(
        form=Form("invoice_new", "New invoice", (*DRAFTED, MAIL, NOT_AUTO, REMARK)),
        fields=lambda about: (*DRAFTED, *((MAIL,) if "mails" in about else ()), NOT_AUTO, REMARK),
        operation=draft_invoice,
        command=_command,
        effect=_effect,
        verb=lambda outcome, settings: (
            f"{'Send' if outcome.invoice.number else 'Save'} {money(outcome.invoice.total, settings.locale)}"
        ),
        done=invoice_card,
    )
)

EDIT = flow(
    Flow(
        form=Form("invoice_edit", "Edit a draft", (LINES, ISSUE, DUE, NOT_AUTO, REMARK)),
        operation=edit_draft,
        command=_edit_command,
        effect=_effect,
        verb=lambda outcome, settings: f"Save {money(outcome.invoice.total, settings.locale)}",
        done=invoice_card,
    )
)

SEND_FORM = flow(
    Flow(
        form=Form(
            "invoice_send_form", "Send an invoice", (MAIL,), intro="A sent invoice has its number and stays as it is."
        ),
        fields=lambda about: (MAIL,) if "mails" in about else (),
        operation=send_invoice,
        command=lambda values, about, _call: SendInvoice(invoice_id=int(about["invoice"]), mail=_wish(values)),
        effect=_effect,
        verb=lambda outcome, settings: f"Send {money(outcome.invoice.total, settings.locale)}",
        done=invoice_card,
    )
)


def _new(call: Call, text: str, customer: Customer | None = None) -> Reply | None:
    """`Acme; Consulting; 2 x 500; 9%`: the form, filled; an ambiguous name answers choices."""
    kind, rest = kind_first(as_seen(text))
    name, _, lines = (part.strip() for part in rest.partition(";"))
    if kind is InvoiceKind.TOP_UP and not lines:
        name, lines = _topped_up(rest)
    name = name.strip('"“”')
    if customer is None and name:
        found = find.customers_named(call, name)
        if not found:
            return Reply(f"No customer is called {escape(shorten(name, 60))}; /customer new opens one.")
        asked = find.ask_which(found, name, "choose_invoice", text)
        if asked is not None:
            return asked
        customer = found[0]
    today = settings_of(call).today(call.request.now)
    given: dict[str, Any] = {"issue_on": today, "lines": lines, "kind": (kind or InvoiceKind.TAX).value}
    if customer is not None:
        given["customer"] = find.customer_option(customer)
    given["mail"] = settings_of(call).mails_invoices
    NEW.open(call, Values(given), _mailing(call), preview=kind is not None and bool(lines) and customer is not None)
    return None


def _topped_up(text: str) -> tuple[str, str]:
    """`Acme 500 because Starter pack`: the name, and the one line of it."""
    spoken = phrase(text, {"because": "reason", "for": "reason"})
    name, worth = name_and_amount(spoken)
    return name, f"{spoken.text('reason') or 'Top-up of credit'}; {worth}" if worth else ""


def open_edit(call: Call, draft: Invoice) -> None:
    """The form of a draft, filled with what it says. Refuses: NoAccess."""
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    file = call.desk.ask(lambda books: books.invoice_file(draft.id), call.request)
    settings = settings_of(call)
    given = {
        "lines": "\n".join(line_typed(each, settings) for each in file.lines),
        "issue_on": draft.issue_on,
        "due_on": draft.due_on,
        "manual": not draft.auto_allocate,
        "remark": draft.remark,
    }
    line = f"{TITLES[draft.kind]} {draft.label} · {shorten(file.customer.name, 80)} · {label_of(draft)}"
    EDIT.open(call, Values(given), {"invoice": str(draft.id), "version": draft.version, "line": line})


def _edit(call: Call, text: str) -> None:
    open_edit(call, find.invoice_named(call, text))


def _send(call: Call, text: str) -> None:
    invoice = find.invoice_named(call, text)
    given = {"mail": settings_of(call).mails_invoices}
    SEND_FORM.open(call, Values(given), {"invoice": str(invoice.id), **_mailing(call)}, preview=True)


def _email(call: Call, text: str) -> None:
    open_invoice(call, find.invoice_named(call, text))


def show_invoice(call: Call, invoice: Invoice) -> Reply:
    file = call.desk.ask(lambda books: books.invoice_file(invoice.id), call.request)
    settings = settings_of(call)
    return Reply(escape(invoice_title(file.invoice, file.customer, settings)), invoice_file_card(file, settings))


def _show(call: Call, text: str) -> Reply:
    """`INVOICE [pdf]`."""
    number, form = file_format(text, PAPER)
    invoice = find.invoice_named(call, number)
    return send_file(call, "invoice", document_json(invoice.id), form) if form else show_invoice(call, invoice)


def _list(call: Call, text: str) -> Reply:
    """`[tax|proforma|top-up] [draft|open|partly|paid] [customer, number or issue date] [csv|xlsx]`. Rules 13, 91."""
    settings = settings_of(call)
    text, form = file_format(text)
    kind, text = kind_first(text)
    first, _, rest = text.partition(" ")
    state = first.lower() if first.lower() in STATES else ""
    wanted = Page(
        text=whole(rest if state else text), state=state, kind=kind.value if kind else "", limit=LIST_ROWS + 1
    )
    today = settings.today(call.request.now)
    page, lines = call.desk.ask(lambda books: find.invoices_found(books, wanted, today), call.request)
    if form and lines:
        return send_file(call, "invoices", list_json(page), form)
    if not lines:
        return Reply("No invoice matches. Try /invoice list open, a customer, a number or an issue date.")
    shown = invoice_table(lines[:LIST_ROWS], settings)
    more = f"{MORE}; or narrow the list." if len(lines) > LIST_ROWS else ""
    blocks = [preformatted(shown, block_id="list"), *([context(more)] if more else [])]
    return Reply(counted(len(lines[:LIST_ROWS]), "invoice"), [*blocks, *offer("invoices", list_json(page))])


def _auto(call: Call, text: str) -> Reply:
    """`on|off INVOICE`: switches at once; it moves money only where free credit is there to pay."""
    switch, _, number = text.partition(" ")
    if switch.lower() not in {"on", "off"}:
        return Reply("Type /invoice auto on INV-0042, or off.")
    invoice = find.invoice_named(call, number)
    made = SwitchAutoAllocation(invoice_id=invoice.id, on=switch.lower() == "on")
    outcome = call.desk.carry_out(switch_auto_allocation, made, call.request)
    return Reply(escape(outcome.trace().description), invoice_card(outcome, settings_of(call)))


def _promise_of(call: Call, invoice: Invoice) -> None:
    customer = call.desk.ask(lambda books: books.customer(invoice.customer_id), call.request)
    open_promise(call, customer, invoice)


def _write_off_of(call: Call, invoice: Invoice) -> None:
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    open_request(call, invoice)


# What the overflow menu of a card opens, beside the entries.
STEPS: Mapping[str, Callable[[Call, Invoice], None]] = {
    "dispute": lambda call, invoice: open_hold(call, invoice, resolve=False),
    "resolve": lambda call, invoice: open_hold(call, invoice, resolve=True),
    "promise": _promise_of,
    "write_off": _write_off_of,
    "leave": lambda call, invoice: open_chasing(call, invoice, again=False),
    "chase": lambda call, invoice: open_chasing(call, invoice, again=True),
    "edit": open_edit,
    "delete": open_step("delete"),
    "void": open_step("void"),
}


INVOICE = command(
    Command(
        "invoice",
        "Write, send and find invoices",
        "new Acme; Consulting; 2 x 500; 9%",
        main="list",
        subs=(
            Sub("new", Role.CLERK, "/invoice new Acme; Consulting; 2 x 500; 9%", "top-up and proforma too", _new),
            Sub("send", Role.CLERK, "/invoice send DRAFT-1A2B3C", "makes a draft final", _send),
            Sub("email", Role.CLERK, "/invoice email INV-0001", "to the customer, as a PDF", _email),
            Sub("edit", Role.CLERK, "/invoice edit DRAFT-1A2B3C", "writes a draft anew", _edit),
            Sub("delete", Role.CLERK, "/invoice delete DRAFT-1A2B3C", "drops a draft", typed_step("delete")),
            Sub("provision", Role.CLERK, "/invoice provision PRO-0001", "a tax invoice of it", typed_step("provision")),
            Sub("void", Role.CLERK, "/invoice void TOP-0001", "gives it up while unpaid", typed_step("void")),
            Sub("usage", Role.CLERK, "/invoice usage Acme through 31 oct", "invoices postpaid usage", open_usage),
            Sub("list", Role.VIEWER, "/invoice list open Acme", "by customer, number or issue date", _list),
            Sub("show", Role.VIEWER, "/invoice show INV-0001", "an invoice's card", _show),
            Sub("auto", Role.CLERK, "/invoice auto off INV-0001", "switches auto-allocation", _auto),
            Sub("dispute", Role.VIEWER, "/invoice dispute INV-0001 because Wrong quantity", "not chased", run_dispute),
            Sub("promise", Role.VIEWER, "/invoice promise INV-0001 by 28 nov", "logs it", run_invoice_promise),
            Sub(
                "write-off",
                Role.CLERK,
                "/invoice write-off INV-0001 because Insolvent",
                "asks a manager",
                run_write_off,
            ),
        ),
    )
)


@press("invoice_send", by=Role.CLERK)
def press_send(call: Call, action: dict[str, Any]) -> Reply:
    mails = call.desk.mails and settings_of(call).mails_invoices
    made = SendInvoice(invoice_id=id_of(action["value"]), mail=Mailing.IF_POSSIBLE if mails else Mailing.NO)
    outcome = call.desk.carry_out(send_invoice, made, call.keyed(button_key(call, action)))
    return Reply(escape(outcome.trace().description), invoice_card(outcome, settings_of(call)))


@press("invoice_auto", by=Role.CLERK)
def press_auto(call: Call, action: dict[str, Any]) -> Reply:
    switch, _, about = action["value"].partition(":")
    value = about.partition(":")[0]  # the version behind it makes the key of each press its own
    if switch not in {"on", "off"}:
        raise Refused(OTHER_VERSION)
    made = SwitchAutoAllocation(invoice_id=id_of(value), on=switch == "on")
    outcome = call.desk.carry_out(switch_auto_allocation, made, call.keyed(button_key(call, action)))
    return Reply(escape(outcome.trace().description))


@press("invoice_more", by=Role.VIEWER)
def press_more(call: Call, action: dict[str, Any]) -> Reply | None:
    """The overflow menu of an invoice's card."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    invoice_id = id_of(about)
    if verb in STEPS:
        STEPS[verb](call, find.invoice_named(call, about))
        return None
    file = call.desk.ask(lambda books: books.invoice_file(invoice_id), call.request)
    lines = call.desk.ask(lambda books: books.invoice_entries(invoice_id), call.request)
    return entries_reply(file.invoice.label, lines, settings_of(call))


@press("invoice_pdf", by=Role.VIEWER)
def press_pdf(call: Call, action: dict[str, Any]) -> Reply:
    """The invoice as a PDF file, for the one who pressed."""
    return send_file(call, "invoice", document_json(id_of(action["value"])), "pdf")


def open_for(call: Call, customer: Customer) -> None:
    """The form of a new invoice for a customer."""
    today = settings_of(call).today(call.request.now)
    given = {"customer": find.customer_option(customer), "issue_on": today, "kind": InvoiceKind.TAX.value}
    NEW.open(call, Values({**given, "mail": settings_of(call).mails_invoices}), _mailing(call))


find.on_choice("choose_invoice", _new, by=Role.CLERK)
