"""The shortcut on a message: the form of a payment with what the message says as suggestions, each with its words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from slack_sdk.errors import SlackApiError

from bot.domain.customers import Customer
from bot.domain.money import Money
from bot.domain.open_items import Invoice
from bot.domain.payments import LONGEST_REFERENCE
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.text import amount, date_text, shorten
from bot.handlers.disputes import PROMISE
from bot.handlers.flow import settings_of
from bot.handlers.forms import Values
from bot.handlers.parse.messages import seen
from bot.handlers.parse.notice import Notice, Reading, read_notice, read_promise
from bot.handlers.parse.notice_dates import Posted
from bot.handlers.parse.notice_money import Book
from bot.handlers.payment_forms import RECORD
from bot.handlers.payments import fresh
from bot.handlers.request import Call

LONGEST_QUOTE = 60
NO_TEXT = "The message has no text to read; fill in what its file shows."
MOST_CARRIED = 1200  # of what a form carries


@dataclass
class Suggestions:
    """The values that a form is filled with, the words that each came from, and what is asked instead."""

    given: dict[str, Any] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def take(self, name: str, called: str, reading: Reading[Any], value: Any) -> None:
        """One field: filled and quoted, or left empty with the reason."""
        if reading.value is not None:
            self.given[name] = value
            self.read.append(f"{called} from “{shorten(' '.join(reading.source.split()), LONGEST_QUOTE)}”")
        elif reading.asked:
            self.asked.append(f"{called}: {reading.asked}")

    def notes(self, notice: Notice) -> list[str]:
        """What the person is told above the form."""
        return [
            *([notice.nothing] if notice.nothing else []),
            *([f"Read {'; '.join(self.read)}."] if self.read else []),
            *([f"Please fill in or check {'; '.join(self.asked)}."] if self.asked else []),
        ]


def open_from_message(call: Call) -> None:
    """Open the form of a payment with what the message says; nothing is written before the person has seen it."""
    settings = settings_of(call)
    message = call.body.get("message") or {}
    text = seen(message)
    posted = _posted(call, settings)
    book = Book(settings.locale, settings.currency_codes())
    notice = read_notice(text, book=book, posted=Posted(posted.date(), settings.zone))
    if not text:
        notice = Notice(nothing=NO_TEXT)
    made = suggestions(call, notice, settings)
    where = _place(call)
    line = f"From a message {where}, {date_text(posted.date(), settings.locale)} {posted:%H:%M}"
    values = fresh(call).but(**{"received_on": None, "remark": f"From a message {where}", **made.given})
    RECORD.open(call, values, {"line": line, "notes": _carried(made.notes(notice))})


def open_promise_from_message(call: Call) -> None:
    """Open the form of a promise with what the message says; nothing is written before the person has seen it."""
    settings = settings_of(call)
    text = seen(call.body.get("message") or {})
    posted = _posted(call, settings)
    book = Book(settings.locale, settings.currency_codes())
    notice = read_promise(text, book=book, posted=Posted(posted.date(), settings.zone))
    if not text:
        notice = Notice(nothing=NO_TEXT)
    made = promised(call, notice, settings)
    line = f"From a message {_place(call)}, {date_text(posted.date(), settings.locale)} {posted:%H:%M}"
    about = {"line": line, "notes": _carried(made.notes(notice)), "from_message": True}
    PROMISE.open(call, Values(made.given), about)


def promised(call: Call, notice: Notice, settings: Settings) -> Suggestions:
    """What a message says of a promise, held against the customers and invoices of the book."""
    made = Suggestions()
    if notice.nothing:
        return made
    made.take("amount", "amount", notice.amount, _typed(notice, settings))
    made.take("promised_on", "paid by", notice.day, notice.day.value)
    if notice.day.value is None and not notice.day.asked:
        made.asked.append("paid by: no day stands in the message")
    named = [_invoice(call, number, settings) for number in notice.invoices.value or ()]
    invoices = [invoice for invoice in named if invoice is not None and invoice.open]
    customer = _customer(call, notice) or _owner(call, notice, invoices, made)
    if customer is not None:
        made.given["customer"] = find.customer_option(customer)
    else:
        made.asked.append("customer: nobody of these books is named for certain")
    if len(named) == 1 and invoices and customer is not None and invoices[0].customer_id == customer.id:
        made.given["invoice"] = invoices[0].label
    elif notice.invoices.value or notice.invoices.asked:
        made.asked.append("invoice: name the one it is about, or leave it empty for all that is owed")
    return made


def suggestions(call: Call, notice: Notice, settings: Settings) -> Suggestions:
    """What the message says, held against the customers and invoices of the book."""
    made = Suggestions()
    if notice.nothing:
        return made
    made.take("amount", "amount", notice.amount, _typed(notice, settings))
    made.take("payer", "payer", notice.payer, notice.payer.value)
    made.take("reference", "reference", _short(notice.reference), notice.reference.value)
    made.take("received_on", "received on", notice.day, notice.day.value)
    if notice.day.value is None and not notice.day.asked:
        made.asked.append("received on: no day stands in the message")
    customer = _customer(call, notice)
    named = [(number, _invoice(call, number, settings)) for number in notice.invoices.value or ()]
    customer = customer or _owner(call, notice, [invoice for _, invoice in named if invoice is not None], made)
    if customer is not None:
        made.given["customer"] = find.customer_option(customer)
    else:
        who = f"nobody is called {shorten(notice.payer.value, 60)}" if notice.payer.value else "no payer was read"
        made.asked.append(f"customer: {who}")
    _take_invoices(made, notice, named, customer, settings)
    return made


def _take_invoices(
    made: Suggestions,
    notice: Notice,
    named: Sequence[tuple[str, Invoice | None]],
    customer: Customer | None,
    settings: Settings,
) -> None:
    """Those of the customer that are open are chosen; of each other it is said why not."""
    chosen = []
    for number, invoice in named:
        if invoice is None:
            made.asked.append(f"invoices: there is no {shorten(number, 30)}")
        elif customer is None or invoice.customer_id != customer.id:
            made.asked.append(f"invoices: {invoice.label} is another customer's")
        elif not invoice.open:
            made.asked.append(f"invoices: {invoice.label} is {invoice.status}")
        else:
            chosen.append(invoice)
    unique = {each.id: each for each in chosen}
    reading = notice.invoices
    if unique:
        made.take(
            "invoices", "invoices", reading, tuple(find.invoice_option(each, settings) for each in unique.values())
        )
    elif reading.asked:
        made.asked.append(f"invoices: {reading.asked}")


def _customer(call: Call, notice: Notice) -> Customer | None:
    """The one customer of exactly that name or code; likeness alone is no match."""
    payer = notice.payer.value
    if payer is None:
        return None
    wanted = _folded(payer)
    found = find.customers_named(call, payer)
    same = [each for each in found if wanted in {_folded(each.name), _folded(each.code)}]
    return same[0] if len(same) == 1 else None


def _owner(call: Call, notice: Notice, invoices: Sequence[Invoice], made: Suggestions) -> Customer | None:
    """Whose invoices are named, if all are one customer's; somebody else may have paid for them, so it is said."""
    owners = {each.customer_id for each in invoices}
    if len(owners) != 1:
        return None
    customer = call.desk.ask(lambda books: books.customer(next(iter(owners))), call.request)
    of = notice.currency.value
    if of is not None and of != customer.currency:
        return None
    made.asked.append(f"customer: {invoices[0].label} is one of {shorten(customer.name, 60)}, who is chosen for it")
    return customer


def _invoice(call: Call, number: str, settings: Settings) -> Invoice | None:
    """An invoice by its number, however it is spaced; bare digits are the count of our own series."""
    tries = [number, "-".join(number.split()), "".join(number.split())]
    if number.isascii() and number.isdigit():
        tries.append(settings.number("invoice", int(number)))
    for each in dict.fromkeys(tries):
        found = find.invoice_like(call, each)
        if found is not None and found.number is not None and found.number.casefold() == each.casefold():
            return found
    return None


def _short(reading: Reading[str]) -> Reading[str]:
    """A reference that the form takes."""
    if reading.value is None or len(reading.value) <= LONGEST_REFERENCE:
        return reading
    return Reading(asked=f"it is longer than {LONGEST_REFERENCE} characters")


def _carried(notes: list[str]) -> list[str]:
    """The notes, cut to what a form carries with it."""
    limit = 600
    while len(json.dumps(notes, ensure_ascii=False)) > MOST_CARRIED:
        limit //= 2
        notes = [shorten(each, limit) for each in notes]
    return notes


def _typed(notice: Notice, settings: Settings) -> str:
    """The amount as it would be typed."""
    value, of = notice.amount.value, notice.currency.value
    if value is None or of is None:
        return ""
    return f"{amount(Money.from_decimal(value, of), settings.locale)} {of.code}"


def _folded(name: str) -> str:
    return " ".join("".join(each if each.isalnum() else " " for each in name.casefold()).split())


def _posted(call: Call, settings: Settings) -> datetime:
    """When the message was written, in the book's zone; now, if it does not say."""
    stamp = str((call.body.get("message") or {}).get("ts") or "").partition(".")[0]
    at = datetime.fromtimestamp(int(stamp), UTC) if stamp.isascii() and stamp.isdigit() else call.request.now
    return at.astimezone(ZoneInfo(settings.zone))


def _place(call: Call) -> str:
    """`in #bank-feed`; a private channel's name is asked for, and left out where the bot is no member."""
    name = str((call.body.get("channel") or {}).get("name") or "")
    if name == "privategroup":
        try:
            name = str(call.client.conversations_info(channel=call.channel)["channel"].get("name") or "")
        except SlackApiError as fault:
            if fault.response.get("error") != "channel_not_found":
                raise
            return "in a private channel"
    return "in a direct message" if name in {"", "directmessage"} else f"in #{shorten(name, 80)}"
