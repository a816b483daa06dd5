"""/payment: the typed fast path, lists, cards and buttons; its forms stand in a module of their own."""

from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.payments import (
    Method,
    Payment,
)
from bot.domain.ports import Page
from bot.handlers import find
from bot.handlers.blocks.cards import payment_file_card, payment_title
from bot.handlers.blocks.lists import payment_table
from bot.handlers.blocks.rich import preformatted
from bot.handlers.blocks.text import counted, date_text, escape, money, shorten
from bot.handlers.commands import OTHER_VERSION, Command, Reply, Sub, command, id_of, press
from bot.handlers.entries import entries_reply
from bot.handlers.files import MORE, PAPER, document_json, file_format, list_json, offer, send_file
from bot.handlers.flow import settings_of
from bot.handlers.forms import (
    Values,
    button,
    context,
)
from bot.handlers.parse.amounts import parse_amount
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.errors import WordsNotUnderstood
from bot.handlers.parse.words import Phrase, Word, join, phrase, whole
from bot.handlers.payment_forms import ALLOCATE, ASSIGN, EDIT, PROVE, RECORD, UNALLOCATE, UNASSIGN, VOID
from bot.handlers.request import Call

LIST_ROWS = 20


KEYWORDS = {
    **dict.fromkeys(("bank", "transfer", "cheque", "check", "giro", "cash", "card", "platform"), "method"),
    "bank transfer": "method",
    "ref": "reference",
    "reference": "reference",
    "inv": "invoices",
    "invoice": "invoices",
    "invoices": "invoices",
    "on": "received",
    "received": "received",
    "note": "remark",
    "remark": "remark",
    "from": "payer",
}
METHODS = {
    "bank": Method.BANK_TRANSFER,
    "transfer": Method.BANK_TRANSFER,
    "cheque": Method.CHEQUE,
    "check": Method.CHEQUE,
    "giro": Method.GIRO,
    "cash": Method.CASH,
    "card": Method.CARD,
    "platform": Method.PLATFORM,
}


def fast_path(call: Call, text: str) -> Reply | None:
    """`Acme 500 bank ref TT-881 inv INV-0042`: the form, filled and previewed; an ambiguous name answers choices."""
    if not text:
        RECORD.open(call, fresh(call))
        return None
    name, _ = _name_and_amount(phrase(text, KEYWORDS))
    found = find.customers_named(call, name) if name else ()
    nobody = button("Nobody yet", "choose_payment_nobody", text)
    asked = find.ask_which(found, name, "choose_payment", text, nobody)
    if asked is None:
        _open_filled(call, text, found[0] if found else None)
    return asked


def fresh(call: Call) -> Values:
    """The form of a payment with nothing known yet."""
    return Values({"received_on": settings_of(call).today(call.request.now), "method": Method.BANK_TRANSFER.value})


def _open_filled(call: Call, text: str, customer: Customer | None) -> None:
    spoken = phrase(text, KEYWORDS)
    values = _filled(fresh(call).but(words=text), spoken, _name_and_amount(spoken), customer, call)
    RECORD.open(call, values, preview=True)


def _filled(
    values: Values,
    spoken: Phrase,
    name_and_amount: tuple[str, str],
    customer: Customer | None,
    call: Call,
) -> Values:
    name, typed_amount = name_and_amount
    settings = settings_of(call)
    today = settings.today(call.request.now)
    given: dict[str, Any] = {
        "amount": typed_amount,
        "reference": spoken.text("reference"),
        "remark": spoken.text("remark"),
    }
    if customer is not None:
        given["customer"] = find.customer_option(customer)
    if customer is None or (name and not find.is_certain(customer, name)):
        given["payer"] = name
    if spoken.text("payer"):
        given["payer"] = spoken.text("payer")
    if spoken.text("received"):
        given["received_on"] = parse_date(spoken.text("received"), today=today)
    if "method" in spoken.spelled:
        given["method"] = METHODS[spoken.spelled["method"].lower().split()[0].rstrip(":")].value
    numbers = spoken.text("invoices").replace(",", " ").split()
    invoices = [find.invoice_named(call, number.partition("=")[0]) for number in numbers]
    given["invoices"] = tuple(find.invoice_option(invoice, settings) for invoice in invoices)
    given["parts"] = "\n".join(number.replace("=", " ") for number in numbers if "=" in number)
    return values.but(**given)


def _name_and_amount(spoken: Phrase) -> tuple[str, str]:
    """The amount is the last word or two before the first keyword that reads as one; the rest is the name."""
    words = [*spoken.lead, *spoken.clauses.get("method", ())]
    for start in range(len(words)):
        for length in (2, 1):
            piece = words[start : start + length]
            if len(piece) == length and not any(word.quoted for word in piece) and _is_amount(join(tuple(piece))):
                return join(tuple(_but(words, start, length))), join(tuple(piece))
    return join(tuple(words)), ""


def _name_in(text: str) -> str:
    """The name in a line that `record` could read; without an amount it is no payment to record."""
    try:
        name, typed_amount = _name_and_amount(phrase(text, KEYWORDS))
    except WordsNotUnderstood:
        return ""
    return name if typed_amount else ""


def _but(words: list[Word], start: int, length: int) -> list[Word]:
    return words[:start] + words[start + length :]


def _is_amount(text: str) -> bool:
    if not any(letter.isdigit() for letter in text):
        return False
    try:
        parse_amount(text)
    except Refused as refusal:
        return refusal.code in {"AmountAmbiguous", "CurrencyAmbiguous", "AmountTooLarge"}
    return True


def _show(call: Call, text: str) -> Reply:
    """`PAYMENT [pdf]`."""
    number, form = file_format(text, PAPER)
    payment = find.payment_named(call, number)
    if form:
        return send_file(call, "receipt", document_json(payment.id), form)
    file = call.desk.ask(lambda books: books.payment_file(payment.id), call.request)
    settings = settings_of(call)
    left = Money(file.left_micros, payment.amount.currency)
    return Reply(escape(payment_title(payment, file.customer, left, settings)), payment_file_card(file, settings))


def _list(call: Call, text: str) -> Reply:
    """`[unassigned|assigned|void] [customer or text] [csv|xlsx]`."""
    text, form = file_format(text)
    first, _, rest = text.partition(" ")
    state = first.lower() if first.lower() in {"unassigned", "assigned", "void"} else ""
    wanted = whole(rest if state else text)
    settings = settings_of(call)
    page = Page(text=wanted, state=state, limit=LIST_ROWS + 1)
    lines = call.desk.ask(lambda books: books.list_payments(page), call.request)
    if form and lines:
        return send_file(call, "payments", list_json(page), form)
    if not lines:
        return Reply("No payment matches. Try /payment list unassigned, or a name or reference.")
    text_table = payment_table(lines[:LIST_ROWS], settings)
    more = f"{MORE}; or narrow the list with a name or reference." if len(lines) > LIST_ROWS else ""
    blocks = [preformatted(text_table, block_id="payments"), *([context(more)] if more else [])]
    blocks += offer("payments", list_json(page))
    return Reply(f"{counted(len(lines[:LIST_ROWS]), 'payment')}, newest first", blocks)


def _about(call: Call, payment: Payment, **more: Any) -> dict[str, Any]:
    """Which payment a form is about; the line is shown and never read back."""
    locale = settings_of(call).locale
    received = date_text(payment.received_on, locale)
    line = f"{payment.number} · {shorten(payment.payer, 80)} · {money(payment.amount, locale)} · received {received}"
    return {"payment": str(payment.id), "line": line, **more}


def open_assign(call: Call, payment: Payment) -> None:
    ASSIGN.open(call, Values(), _about(call, payment))


def open_allocate(call: Call, payment: Payment) -> None:
    about = _about(call, payment, customer=str(payment.customer_id or 0))
    if payment.customer_id is None:
        open_assign(call, payment)
        return
    ALLOCATE.open(call, Values(), about)


def open_unassign(call: Call, payment: Payment) -> None:
    UNASSIGN.open(call, Values(), _about(call, payment), preview=True)


def open_unallocate(call: Call, payment: Payment) -> None:
    UNALLOCATE.open(call, Values(), _about(call, payment), preview=True)


def open_edit(call: Call, payment: Payment) -> None:
    values = Values(
        {
            "payer": payment.payer,
            "method": payment.method.value,
            "reference": payment.reference,
            "invoice_hint": payment.invoice_hint,
            "remark": payment.remark,
        }
    )
    EDIT.open(call, values, _about(call, payment, version=payment.version))


def open_void(call: Call, payment: Payment) -> None:
    VOID.open(call, Values(), _about(call, payment))


def open_proof(call: Call, payment: Payment) -> None:
    PROVE.open(call, Values(), _about(call, payment))


OPENERS = {
    "assign": open_assign,
    "allocate": open_allocate,
    "unassign": open_unassign,
    "unallocate": open_unallocate,
    "edit": open_edit,
    "void": open_void,
    "proof": open_proof,
}


def _opener(name: str) -> Any:
    def run(call: Call, text: str) -> Reply | None:
        OPENERS[name](call, find.payment_named(call, text.partition(" ")[0]))
        return None

    return run


PAYMENT = command(
    Command(
        "payment",
        "Record, assign and allocate payments",
        "Acme 500 bank ref TT-881 inv INV-0042",
        main="record",
        subs=(
            Sub(
                "record",
                Role.CLERK,
                "/payment Acme 500 bank ref TT-881 inv INV-0042",
                "records, assigns and allocates",
                fast_path,
            ),
            Sub("list", Role.VIEWER, "/payment list unassigned", "the newest payments", _list),
            Sub("show", Role.VIEWER, "/payment show PAY-0001", "a payment's card", _show),
            Sub("assign", Role.CLERK, "/payment assign PAY-0001", "says whose money it is", _opener("assign")),
            Sub("unassign", Role.CLERK, "/payment unassign PAY-0001", "takes it away again", _opener("unassign")),
            Sub("allocate", Role.CLERK, "/payment allocate PAY-0001", "pays invoices with it", _opener("allocate")),
            Sub(
                "unallocate",
                Role.CLERK,
                "/payment unallocate PAY-0001",
                "takes allocations back",
                _opener("unallocate"),
            ),
            Sub("edit", Role.CLERK, "/payment edit PAY-0001", "corrects particulars while unassigned", _opener("edit")),
            Sub("proof", Role.CLERK, "/payment proof PAY-0001", "adds a file that proves it", _opener("proof")),
            Sub("void", Role.CLERK, "/payment void PAY-0001", "reverses an unassigned payment", _opener("void")),
        ),
        aliases={"new": "record", "add": "record"},
        name_in=_name_in,
    )
)


@press("payment_show", by=Role.VIEWER)
def press_show(call: Call, action: dict[str, Any]) -> Reply:
    return _show(call, action["value"])


@press("payment_assign", by=Role.CLERK)
def press_assign(call: Call, action: dict[str, Any]) -> None:
    open_assign(call, find.payment_named(call, action["value"]))


@press("payment_allocate", by=Role.CLERK)
def press_allocate(call: Call, action: dict[str, Any]) -> None:
    open_allocate(call, find.payment_named(call, action["value"]))


@press("payment_more", by=Role.VIEWER)
def press_more(call: Call, action: dict[str, Any]) -> Reply | None:
    """The overflow menu of a payment's card."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    if verb == "entries":
        payment = find.payment_named(call, about)
        lines = call.desk.ask(lambda books: books.payment_entries(payment.id), call.request)
        return entries_reply(payment.number, lines, settings_of(call))
    if verb == "receipt":
        return send_file(call, "receipt", document_json(id_of(about)), "pdf")
    if verb not in OPENERS:
        raise Refused(OTHER_VERSION)
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    OPENERS[verb](call, find.payment_named(call, about))
    return None


@press("choose_payment_nobody", by=Role.CLERK)
def press_nobody(call: Call, action: dict[str, Any]) -> None:
    """None of the offered customers: the money is recorded under the typed name, to be assigned later."""
    _open_filled(call, action["value"], None)


find.on_choice("choose_payment", _open_filled, by=Role.CLERK)
