"""/invoice usage: what a postpaid customer used becomes an invoice."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from bot.domain.customers import Customer
from bot.domain.invoices import InvoiceChanged
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from bot.handlers import find
from bot.handlers.blocks.cards import invoice_card
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.text import amount, money
from bot.handlers.commands import Reply
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, DateField, Form, SearchField, Values
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import join, phrase
from bot.handlers.request import Call

MOST_LINES = 12
KEYWORDS = {"through": "through", "until": "through"}
CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code or wallet ID", dispatches=True)
THROUGH = DateField("through", "Usage up to", hint="The last day of the month before, as a rule.")


def _command(values: Values, _about: Mapping[str, Any], _call: Call) -> InvoiceUsage:
    return InvoiceUsage(customer_id=int(values.need(CUSTOMER)[1]), through=values.need(THROUGH))


def _effect(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
    """The lines as they will stand on it, and what stays unbilled."""
    locale, after = settings.locale, outcome.effect.after
    lines: list[tuple[Part, ...]] = [
        (bold("What will happen"),),
        (f"An invoice of {money(outcome.invoice.total, locale)} for ", typed(after.name), " is sent"),
        *((typed(each.description, 100), f"  {amount(each.net, locale)}") for each in outcome.lines[:MOST_LINES]),
    ]
    if len(outcome.lines) > MOST_LINES:
        lines.append((f"and {len(outcome.lines) - MOST_LINES} more lines",))
    before = Money(outcome.effect.before.controls.unbilled, after.currency)
    left = Money(after.controls.unbilled, after.currency)
    lines.append((bold("Unbilled "), f"{amount(before, locale)} → {amount(left, locale)}"))
    return [rich(*lines, *effect_lines(outcome.effect, settings), block_id="effect")]


USAGE = flow(
    Flow(
        form=Form("invoice_usage", "Invoice usage", (CUSTOMER, THROUGH)),
        operation=invoice_usage,
        command=_command,
        effect=_effect,
        verb=lambda outcome, settings: f"Send {money(outcome.invoice.total, settings.locale)}",
        done=invoice_card,
    )
)


def open_usage(call: Call, text: str) -> Reply | None:
    """`Acme [through 31 oct]`: the form, filled and previewed; an ambiguous name answers choices."""
    if not text:
        USAGE.open(call, Values({"through": _last_month(call)}))
        return None
    name = join(phrase(text, KEYWORDS).lead)
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, "choose_usage_invoice", text)
    if asked is not None:
        return asked
    _open_filled(call, text, find.customer_named(call, name))
    return None


def _open_filled(call: Call, text: str, customer: Customer) -> None:
    typed_day = phrase(text, KEYWORDS).text("through")
    today = settings_of(call).today(call.request.now)
    through = parse_date(typed_day, today=today) if typed_day else _last_month(call)
    USAGE.open(call, Values({"customer": find.customer_option(customer), "through": through}), preview=True)


def _last_month(call: Call) -> date:
    return settings_of(call).today(call.request.now).replace(day=1) - timedelta(days=1)


find.on_choice("choose_usage_invoice", _open_filled, by=Role.CLERK)
