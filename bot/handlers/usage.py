"""/customer usage: what a customer used, and charging it by hand; /credit refund takes usage back."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from bot.domain.credits import CreditChanged
from bot.domain.customers import Customer, Mode
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.refunds import LONGEST_REMARK, RefundUsage, refund_usage
from bot.domain.settings import Settings
from bot.domain.usage import LONGEST_ID, LONGEST_PRODUCT, ChargeUsage, UsageCharged, UsageLine, charge_usage
from bot.handlers import find
from bot.handlers.blocks.credits import credit_effect, credit_said, master_lines
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, balance, date_text, escape, money, shorten, table
from bot.handlers.commands import Reply
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, DateField, Form, NumberField, SearchField, TextField, Values, context
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import Phrase, phrase
from bot.handlers.request import Call

KEYWORDS = {
    "for": "product",
    "tax": "tax",
    "cost": "cost",
    "on": "used_on",
    **dict.fromkeys(("id", "of"), "external_id"),
    **dict.fromkeys(("because", "reason"), "remark"),
}

FINEST = 6  # decimals of a price or a cost; documents are rounded to the currency

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID", dispatches=True)
PRICE = TextField("amount", "Price without tax", placeholder="12.50 SGD", longest=40, dispatches=True)
PRODUCT = TextField("product", "What was used", longest=LONGEST_PRODUCT, placeholder="Calls")
TAX = NumberField("tax_rate", "Tax in per cent", needed=False, hint="Empty means the book's first rate.")
USED_ON = DateField("used_on", "Used on", needed=False, hint="Empty means today.")
COST = TextField("cost", "What the platform charges for it", needed=False, longest=40, dispatches=True)
LINE_ID = TextField("external_id", "Id", needed=False, longest=LONGEST_ID, hint="The same id is never charged twice.")
AMOUNT = TextField("amount", "Amount, tax included", placeholder="12.50 SGD", longest=40, dispatches=True)
OF_LINE = TextField(
    "external_id", "Id of the usage", needed=False, longest=LONGEST_ID, hint="Empty: usage from before these books."
)
BACK = TextField("cost", "What the platform gives back", needed=False, longest=40, dispatches=True)
REASON = TextField("remark", "Reason", longest=LONGEST_REMARK, multiline=True)


def _customer(values: Values, call: Call) -> Customer:
    customer_id = int(values.need(CUSTOMER)[1])
    return call.desk.ask(lambda books: books.customer(customer_id), call.request)


def _cost(values: Values, field: TextField, customer: Customer, call: Call) -> Money | None:
    text = values.text(field).strip()
    if not text:
        return None
    return find.money_typed(text, settings_of(call), customer.currency, field="cost", finest=FINEST)


def _charge(values: Values, about: Mapping[str, Any], call: Call) -> ChargeUsage:
    customer, settings = _customer(values, call), settings_of(call)
    rate = values.get(TAX)
    line = UsageLine(
        external_id=values.text(LINE_ID).strip() or str(about["id"]),
        used_on=values.get(USED_ON) or settings.today(call.request.now),
        product=values.need(PRODUCT),
        net=find.money_typed(values.need(PRICE), settings, customer.currency, finest=FINEST),
        tax_rate=rate if rate is not None else settings.rates()[0],
        cost=_cost(values, COST, customer, call),
    )
    return ChargeUsage(customer_id=customer.id, lines=(line,))


def _refund(values: Values, _about: Mapping[str, Any], call: Call) -> RefundUsage:
    customer = _customer(values, call)
    return RefundUsage(
        customer_id=customer.id,
        amount=find.money_typed(values.need(AMOUNT), settings_of(call), customer.currency),
        remark=values.need(REASON),
        external_id=values.text(OF_LINE).strip(),
        cost=_cost(values, BACK, customer, call),
    )


def _charged(outcome: UsageCharged, settings: Settings) -> list[tuple[Part, ...]]:
    """What was charged, and what the customer may still spend. Rules 107-113."""
    customer, locale = outcome.effect.after, settings.locale
    if not outcome.charged:
        return [("This usage is charged already; nothing is charged again.",)]
    taxed = f" and {amount(outcome.tax, locale)} tax" if outcome.tax else ""
    lines: list[tuple[Part, ...]] = [
        (f"{money(outcome.net, locale)}{taxed} for ", typed(outcome.product), ", ", typed(customer.name))
    ]
    if outcome.mode is Mode.POSTPAID:
        before, after = (Money(each.controls.unbilled, customer.currency) for each in (outcome.effect.before, customer))
        lines.append((bold("Unbilled "), f"{amount(before, locale)} → {amount(after, locale)}"))
    else:
        lines += effect_lines(outcome.effect, settings)
    lines.append((bold("May still spend "), amount(outcome.usable, locale)))
    return [*lines, *master_lines(outcome.master, settings)]


def _effect(outcome: UsageCharged, settings: Settings) -> Sequence[Block]:
    return [rich((bold("What will happen"),), *_charged(outcome, settings), block_id="effect")]


def _done(outcome: UsageCharged, settings: Settings) -> Sequence[Block]:
    return [rich(*_charged(outcome, settings), block_id="done")]


def _refunded(outcome: CreditChanged, settings: Settings) -> Sequence[Block]:
    worth = money(outcome.credit.amount, settings.locale)
    said = rich((f"{outcome.credit.number}, {worth}: ", *credit_said(outcome, settings)), block_id="done")
    return [said, context("Its card is in the finance channel.")]


CHARGE = flow(
    Flow(
        form=Form("usage_charge", "Charge usage", (CUSTOMER, PRICE, PRODUCT, TAX, USED_ON, COST, LINE_ID)),
        operation=charge_usage,
        command=_charge,
        effect=_effect,
        verb=lambda outcome, settings: f"Charge {money(outcome.gross, settings.locale)}",
        done=_done,
    )
)
REFUND = flow(
    Flow(
        form=Form("usage_refund", "Refund usage", (CUSTOMER, AMOUNT, OF_LINE, BACK, REASON)),
        operation=refund_usage,
        command=_refund,
        effect=credit_effect,
        verb=lambda outcome, settings: f"Refund {money(outcome.credit.amount, settings.locale)}",
        done=_refunded,
    )
)


def show_usage(call: Call, text: str) -> Reply | None:
    """`Acme` shows this month's usage; `Acme 12.50 for Calls on yesterday cost 4 id C-17` opens the form, filled."""
    spoken = phrase(text, KEYWORDS)
    name, worth = name_and_amount(spoken)
    if not worth and not spoken.clauses:
        return _month(call, find.customer_named(call, name))
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    return _typed("charge", call, text, name)


def open_refund(call: Call, text: str) -> Reply | None:
    """`Acme 10 of C-17 cost 3 because Dropped`: the form, filled and previewed."""
    if not text:
        REFUND.open(call, Values())
        return None
    return _typed("refund", call, text, name_and_amount(phrase(text, KEYWORDS))[0])


def _typed(which: str, call: Call, text: str, name: str) -> Reply | None:
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, f"choose_usage_{which}", text)
    if asked is not None:
        return asked
    OPENERS[which](call, text, find.customer_named(call, name))
    return None


def _open_charge(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    rate = spoken.text("tax").rstrip("%")
    given = {
        **_shared(spoken, customer),
        "product": spoken.text("product"),
        "tax_rate": Decimal(rate) if rate.isdigit() else None,
        "used_on": _day(call, spoken.text("used_on")),
    }
    CHARGE.open(call, Values(given), {"id": f"typed-{secrets.token_hex(6)}"}, preview=True)


def _open_refund(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    REFUND.open(call, Values({**_shared(spoken, customer), "remark": spoken.text("remark")}), preview=True)


def _shared(spoken: Phrase, customer: Customer) -> dict[str, Any]:
    return {
        "customer": find.customer_option(customer),
        "amount": name_and_amount(spoken)[1],
        "cost": spoken.text("cost"),
        "external_id": spoken.text("external_id"),
    }


def _day(call: Call, text: str) -> date | None:
    return parse_date(text, today=settings_of(call).today(call.request.now)) if text else None


OPENERS = {"charge": _open_charge, "refund": _open_refund}


def _month(call: Call, customer: Customer) -> Reply:
    """Usage of the month by product, what is unbilled, and what may still be spent."""
    settings = settings_of(call)
    since = settings.today(call.request.now).replace(day=1)
    sums = call.desk.ask(lambda books: books.usage_since(customer.id, since), call.request)
    locale = settings.locale
    lines: list[tuple[Part, ...]] = [
        (bold("Balance "), balance(customer.balance, locale)),
        (bold("Unbilled "), amount(Money(customer.controls.unbilled, customer.currency), locale)),
        (bold("May still spend "), amount(customer.usable(call.request.now), locale)),
    ]
    title = f"Usage of {customer.name} since {date_text(since, locale)}"
    if not sums:
        lines.append(("Nothing was charged this month.",))
        return Reply(escape(shorten(title, 150)), [rich((bold(typed(title)),), *lines, block_id="usage")])
    rows = [
        [shorten(each.product, 30), f"{each.lines:,}", *(amount(part, locale) for part in (each.net, each.tax))]
        for each in sums
    ]
    shown = table(rows, ("used", "lines", "net", "tax"), ("left", "right", "right", "right"))
    head = rich((bold(typed(title)),), *lines, block_id="usage")
    return Reply(escape(shorten(title, 150)), [head, preformatted(shown, block_id="sums")])


find.on_choice("choose_usage_charge", _open_charge, by=Role.CLERK)
find.on_choice("choose_usage_refund", _open_refund, by=Role.MANAGER)
