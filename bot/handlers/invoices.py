"""/invoice: new, send, list, show, auto-allocation on and off."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import MissingText, Refused
from bot.domain.invoices import (
    DraftInvoice,
    InvoiceChanged,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import invoice_card, invoice_file_card, invoice_title
from bot.handlers.blocks.effects import effect_lines, locked_up_to
from bot.handlers.blocks.lists import invoice_table
from bot.handlers.blocks.rich import Part, bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, escape, money, shorten
from bot.handlers.commands import OTHER_VERSION, Command, Reply, Sub, command, id_of, press
from bot.handlers.entries import entries_reply
from bot.handlers.files import MORE, PAPER, document_json, file_format, list_json, offer, send_file
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, DateField, Form, SearchField, TextField, TickField, Values, context
from bot.handlers.parse.words import as_seen, whole
from bot.handlers.request import Call, button_key
from bot.handlers.usage_invoices import open_usage

LIST_ROWS = 20
STATES = ("draft", "open", "partly", "paid")

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID")
LINES = TextField(
    "lines",
    "Lines",
    multiline=True,
    longest=3000,
    placeholder="Consulting; 2 x 500; 9%",
    hint="One a line: description; quantity x price; tax. Quantity and tax may be left out.",
)
ISSUE = DateField("issue_on", "Issue date")
DUE = DateField("due_on", "Due date", needed=False, hint="Empty means by the customer's terms.")
REMARK = TextField("remark", "Remark", needed=False, multiline=True, longest=500)
NOT_AUTO = TickField("manual", "Auto-allocation", text="Do not let free credit pay this invoice by itself")
SEND = TickField("send", "Send", text="Send it now: it gets its number and is final")
MOST_LINE_PARTS = 3


def read_lines(text: str, settings: Settings, call: Call, customer_id: int) -> tuple[LineInput, ...]:
    """`Consulting; 2 x 500; 9%`, one a line; the tax defaults to the book's first rate. Refuses: Refused."""
    customer = call.desk.ask(lambda books: books.customer(customer_id), call.request)
    made = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        if len(parts) < 2 or len(parts) > MOST_LINE_PARTS:  # noqa: PLR2004  # a description and a price at least
            raise Refused(
                "Type each line as: description; quantity x price; tax, such as Consulting; 2 x 500; 9%.", field="lines"
            )
        quantity, price = _quantity(parts[1])
        rate = _rate(parts[2]) if len(parts) == MOST_LINE_PARTS else settings.rates()[0]
        made.append(
            LineInput(
                description=parts[0],
                unit_price=find.money_typed(price, settings, customer.currency, field="lines"),
                quantity=quantity,
                tax_rate=rate,
            )
        )
    if not made:
        raise MissingText("An invoice has at least one line.", field="lines")
    return tuple(made)


def _quantity(text: str) -> tuple[Decimal, str]:
    for mark in ("×", " x ", " X ", "*"):
        before, found, after = text.partition(mark)
        if found:
            number = before.strip()
            if not number.replace(".", "", 1).isdigit() or not number.isascii():
                raise Refused(
                    f"{number[:20] or 'Nothing'} is not a quantity; type one such as 2 or 1.5.", field="lines"
                )
            return Decimal(number), after.strip()
    return Decimal(1), text


def _rate(text: str) -> Decimal:
    number = text.removesuffix("%").strip()
    if not number.isascii() or not number.replace(".", "", 1).isdigit():
        raise Refused(f"{text[:20]} is not a tax rate; type one such as 9%.", field="lines")
    return Decimal(number)


def _command(values: Values, _about: Mapping[str, Any], call: Call) -> DraftInvoice:
    settings = settings_of(call)
    customer_id = int(values.need(CUSTOMER)[1])
    return DraftInvoice(
        customer_id=customer_id,
        lines=read_lines(values.need(LINES), settings, call, customer_id),
        issue_on=values.need(ISSUE),
        due_on=values.get(DUE),
        remark=values.text(REMARK),
        auto_allocate=not values.ticked(NOT_AUTO),
        send=values.ticked(SEND),
    )


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
        lines += effect_lines(outcome.effect, settings)
        lines += [
            (f"{money(each.amount, settings.locale)} paid from {each.lot_number}",) for each in outcome.allocations
        ]
        lines.append(("Once sent it is final; a credit note corrects it.",))
    else:
        lines.append(("Saved as a draft: nothing is owed until it is sent.",))
    return [rich(*lines, block_id="effect")]


NEW = flow(
    Flow(
        form=Form("invoice_new", "New tax invoice", (CUSTOMER, LINES, ISSUE, DUE, SEND, NOT_AUTO, REMARK)),
        operation=draft_invoice,
        command=_command,
        effect=_effect,
        verb=lambda outcome, settings: (
            f"{'Send' if outcome.invoice.number else 'Save'} {money(outcome.invoice.total, settings.locale)}"
        ),
        done=invoice_card,
    )
)

SEND_FORM = flow(
    Flow(
        form=Form(
            "invoice_send_form", "Send an invoice", (), intro="A sent tax invoice is final; a credit note corrects it."
        ),
        operation=send_invoice,
        command=lambda _values, about, _call: SendInvoice(invoice_id=int(about["invoice"])),
        effect=_effect,
        verb=lambda outcome, settings: f"Send {money(outcome.invoice.total, settings.locale)}",
        done=invoice_card,
    )
)


def _new(call: Call, text: str, customer: Customer | None = None) -> Reply | None:
    """`Acme; Consulting; 2 x 500; 9%`: the form, filled; an ambiguous name answers choices."""
    name, _, lines = (part.strip() for part in as_seen(text).partition(";"))
    name = name.strip('"“”')
    if customer is None and name:
        found = find.customers_named(call, name)
        if not found:
            return Reply(f"No customer is called {escape(shorten(name, 60))}; /customer new opens one.")
        asked = find.ask_which(found, name, "choose_invoice", text)
        if asked is not None:
            return asked
        customer = found[0]
    given: dict[str, Any] = {"issue_on": settings_of(call).today(call.request.now), "lines": lines}
    if customer is not None:
        given["customer"] = find.customer_option(customer)
    NEW.open(call, Values(given))
    return None


def _send(call: Call, text: str) -> None:
    invoice = find.invoice_named(call, text)
    SEND_FORM.open(call, Values(), {"invoice": str(invoice.id)}, preview=True)


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
    """`[draft|open|partly|paid] [customer, number or issue date] [csv|xlsx]`. Rule 13."""
    settings = settings_of(call)
    text, form = file_format(text)
    first, _, rest = text.partition(" ")
    state = first.lower() if first.lower() in STATES else ""
    wanted = Page(text=whole(rest if state else text), state=state, limit=LIST_ROWS + 1)
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


INVOICE = command(
    Command(
        "invoice",
        "Write, send and find tax invoices",
        "new Acme; Consulting; 2 x 500; 9%",
        main="list",
        subs=(
            Sub("new", Role.CLERK, "/invoice new Acme; Consulting; 2 x 500; 9%", "writes a tax invoice", _new),
            Sub("send", Role.CLERK, "/invoice send DRAFT-1A2B3C", "makes a draft final", _send),
            Sub("usage", Role.CLERK, "/invoice usage Acme through 31 oct", "invoices postpaid usage", open_usage),
            Sub("list", Role.VIEWER, "/invoice list open Acme", "by customer, number or issue date", _list),
            Sub("show", Role.VIEWER, "/invoice show INV-0001", "an invoice's card", _show),
            Sub("auto", Role.CLERK, "/invoice auto off INV-0001", "switches auto-allocation", _auto),
        ),
    )
)


@press("invoice_send", by=Role.CLERK)
def press_send(call: Call, action: dict[str, Any]) -> Reply:
    made = SendInvoice(invoice_id=id_of(action["value"]))
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
def press_more(call: Call, action: dict[str, Any]) -> Reply:
    """The overflow menu of an invoice's card."""
    invoice_id = id_of(action["selected_option"]["value"].partition(":")[2])
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
    NEW.open(call, Values({"customer": find.customer_option(customer), "issue_on": today}))


find.on_choice("choose_invoice", _new, by=Role.CLERK)
