"""From words to documents and customers; ambiguity becomes choices, never a guess."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import NotFound, Refused
from bot.domain.money import Currency, Money, currency
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.payments import Payment
from bot.domain.ports import InvoiceListLine, Page, ReadBooks
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import rich, typed
from bot.handlers.blocks.text import escape, money, shorten
from bot.handlers.commands import Reply, id_of, press, suggest
from bot.handlers.forms import Block, Option, button, option
from bot.handlers.parse.amounts import parse_amount
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.errors import DateNotUnderstood
from bot.handlers.request import Call

MOST_CHOICES = 5
LONGEST_CARRIED = 1900  # of what a button may carry, the id beside it
MOST_OPTIONS = 50


def customers_named(call: Call, text: str) -> Sequence[Customer]:
    """The customers that a text may mean, best first. Rule 60."""
    return call.desk.ask(lambda books: books.find_customers(text, MOST_OPTIONS), call.request)


def customer_named(call: Call, text: str) -> Customer:
    """The one customer that a text means. Refuses: NotFound, naming the candidates when there are several."""
    found = customers_named(call, text)
    if not found:
        raise NotFound(
            f"No customer is called {text[:60] or 'nothing'}; type a code, name, UUID or wallet ID.", field="customer"
        )
    if len(found) > 1:
        names = ", ".join(f"{each.name} ({each.code})" for each in found[:MOST_CHOICES])
        raise NotFound(f"{text[:60]} can be {shorten(names, 160)}{_and_more(found)}; type the code.", field="customer")
    return found[0]


def payment_named(call: Call, text: str) -> Payment:
    """A payment by its number or id. Refuses: NotFound."""
    found = call.desk.ask(lambda books: books.payment(text), call.request)
    if found is None:
        raise NotFound(
            f"There is no payment {text[:30] or 'without a number'}; type one such as PAY-0107.", field="payment"
        )
    return found


def invoice_named(call: Call, text: str) -> Invoice:
    """An invoice by its number, draft reference or id. Refuses: NotFound."""
    found = invoice_like(call, text)
    if found is None:
        raise NotFound(
            f"There is no invoice {text[:30] or 'without a number'}; type one such as INV-0042.", field="invoices"
        )
    return found


def invoice_like(call: Call, text: str) -> Invoice | None:
    """An invoice by its number, draft reference or id, if there is one."""
    return call.desk.ask(lambda books: books.invoice(text), call.request)


def is_certain(customer: Customer, text: str) -> bool:
    """Whether a text names a customer beyond doubt: an id of theirs, or the beginning of a word of the name."""
    wanted = " ".join(text.split()).casefold()
    ids = (customer.code, customer.uuid, customer.wallet_id)
    return wanted in {each.casefold() for each in ids} or f" {wanted}" in f" {customer.name.casefold()}"


def ask_which(found: Sequence[Customer], name: str, action_id: str, text: str, *others: Block) -> Reply | None:
    """Buttons to choose from, unless nobody was found or the one customer is certain. Refuses: NotFound."""
    if not found or (len(found) == 1 and is_certain(found[0], name)):
        return None
    said = which(found, name)
    if len(found) == 1:
        said = f"There is no {shorten(name, 40)}. Do you mean this customer?"
    return Reply(escape(said), [rich(typed(said)), *choices(found[:MOST_CHOICES], action_id, text, *others)])


def which(found: Sequence[Customer], name: str) -> str:
    """The question above the buttons; how many customers have none is said."""
    more = _and_more(found)
    return f"Which {shorten(name, 40)} do you mean?" + (f" These{more}; type more of the name." if more else "")


def _and_more(found: Sequence[Customer]) -> str:
    """How many were found beyond those that are named."""
    left = len(found) - MOST_CHOICES
    return f" and {'at least ' if len(found) == MOST_OPTIONS else ''}{left} more" if left > 0 else ""


def customer_option(customer: Customer) -> Option:
    return (f"{shorten(customer.name, 50)} · {customer.code}", str(customer.id))


def invoice_option(invoice: Invoice, settings: Settings) -> Option:
    return (f"{invoice.label} · {money(invoice.open, settings.locale)} left", str(invoice.id))


def invoices_like(books: ReadBooks, page: Page, today: date) -> Sequence[InvoiceListLine]:
    """Invoices by customer or number; if none is found, by the issue date that the text is. Rule 13. Refuses:
    DateAmbiguous.
    """
    return invoices_found(books, page, today)[1]


def invoices_found(books: ReadBooks, page: Page, today: date) -> tuple[Page, Sequence[InvoiceListLine]]:
    """The same, with the filters that found them. Refuses: DateAmbiguous."""
    found = books.list_invoices(page)
    day = None if found else _day(page.text, today)
    if day is None:
        return page, found
    dated = replace(page, text="", on=day)
    return dated, books.list_invoices(dated)


def _day(text: str, today: date) -> date | None:
    """A day, if the text is one; without a digit it is a name: `sun` is Sun Foods. Refuses: DateAmbiguous."""
    if not any(letter.isdigit() for letter in text):
        return None
    try:
        return parse_date(text, today=today)
    except DateNotUnderstood:
        return None


def choices(customers: Sequence[Customer], action_id: str, text: str, *others: Block) -> list[Block]:
    """A short list of buttons for an ambiguous name; each carries the customer's id and what was typed.
    Refuses: NotFound, more than a button carries.
    """
    if len(text) > LONGEST_CARRIED:
        raise NotFound("The name can be several customers; type the code of one instead.", field="customer")
    elements = [
        button(f"{customer.name} · {customer.code}", f"{action_id}_{index}", f"{customer.id} {text}")
        for index, customer in enumerate(customers)
    ]
    return [{"type": "actions", "block_id": "choices", "elements": [*elements, *others]}]


def on_choice(action_id: str, run: Callable[[Call, str, Customer], Reply | None], *, by: Role) -> None:
    """Enter what the buttons of `ask_which` do: go on with the chosen customer and what was typed."""

    def entered(index: int) -> None:
        @press(f"{action_id}_{index}", by=by)
        def chosen(call: Call, action: dict[str, Any]) -> Reply | None:
            customer_id, _, text = str(action["value"]).partition(" ")
            found = call.desk.ask(lambda books: books.customer(id_of(customer_id)), call.request)
            return run(call, text, found)

        assert chosen.action_id

    for index in range(MOST_CHOICES):
        entered(index)


def money_typed(
    text: str, settings: Settings, default: Currency | None, *, field: str = "amount", finest: int | None = None
) -> Money:
    """An amount as typed, in the typed currency, the customer's, or the book's only one; a price may be finer than the
    currency. Refuses: Refused.
    """
    codes = settings.currency_codes()
    fallback = default or (currency(codes[0]) if len(codes) == 1 else None)
    try:
        made = parse_amount(text, locale=settings.locale, default=fallback).money(fallback, finest)
        if default is None:  # else the customer's currency is the one it has to be, and the domain says so
            settings.check_currency(made.currency, field)
    except Refused as refusal:
        refusal.field = field
        raise
    return made


@suggest("customer")
def suggest_customers(call: Call, text: str) -> list[Block]:
    """Customers whose name, code, UUID or wallet ID is like what was typed. Rule 60."""
    found = call.desk.ask(lambda books: books.find_customers(text, MOST_OPTIONS), call.request)
    return [option(*customer_option(each), description=f"{each.currency.code} · {each.mode.value}") for each in found]


@suggest("invoices")
def suggest_invoices(call: Call, text: str) -> list[Block]:
    """Open invoices of the chosen customer by number or issue date, oldest first, with what is left. Rule 13."""
    chosen = call.metadata.get("about", {}).get("customer")
    state = (call.view.get("state") or {}).get("values", {}).get("customer", {}).get("customer", {})
    picked = state.get("selected_option")
    customer_id = int(picked["value"]) if picked else int(chosen) if chosen else None

    def question(books: ReadBooks) -> list[Block]:
        page = Page(text=text, customer_id=customer_id, state="open", limit=MOST_OPTIONS)
        settings = books.settings()
        return [
            option(
                *invoice_option(line.invoice, settings), description=f"{line.customer_code} · due {line.invoice.due_on}"
            )
            for line in invoices_like(books, page, settings.today(call.request.now))
        ]

    return call.desk.ask(question, call.request)
