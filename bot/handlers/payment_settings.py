"""/payment-settings: how a prepaid customer is topped up by itself, with what it means before it is confirmed."""

from collections.abc import Callable, Mapping
from typing import Any

from bot.domain.customers import Customer
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.payment_settings import (
    SetPaymentSettings,
    SwitchAutoTrigger,
    TopUpMethod,
    set_payment_settings,
    switch_auto_trigger,
)
from bot.handlers import find
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.blocks.text import escape, shorten
from bot.handlers.blocks.top_ups import rule_lines, settings_card, settings_effect
from bot.handlers.commands import Command, Reply, Sub, command
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import ChoiceField, Form, SearchField, TextField, Values
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import Phrase, phrase, whole
from bot.handlers.request import Call

METHODS = {
    "cheque": TopUpMethod.CHEQUE,
    "tt": TopUpMethod.CHEQUE,
    "stripe": TopUpMethod.STRIPE,
    "master": TopUpMethod.MASTER,
}
KEYWORDS = {**dict.fromkeys(METHODS, "method"), "at": "threshold", "on": "auto", "off": "auto"}
ON, OFF = "on", "off"

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID", dispatches=True)
METHOD = ChoiceField(
    "method",
    "Payment method",
    choices=tuple((each.label[:1].upper() + each.label[1:], each.value) for each in TopUpMethod),
    dispatches=True,
)
AMOUNT = TextField(
    "amount",
    "Trigger amount",
    needed=False,
    longest=40,
    placeholder="500 or 1,234.50 SGD",
    hint="How much at a time: enough for a day of usage. Empty for Stripe, which knows its own.",
    dispatches=True,
)
THRESHOLD = TextField(
    "threshold",
    "When the balance is at",
    needed=False,
    longest=40,
    placeholder="100",
    hint="The whole balance is compared, whatever limit there is and whatever is reserved. Empty for Stripe.",
    dispatches=True,
)
AUTO = ChoiceField("auto", "Automatic top-up", choices=(("On", ON), ("Off", OFF)), dispatches=True)


def _customer(values: Values, call: Call) -> Customer:
    customer_id = int(values.need(CUSTOMER)[1])
    return call.desk.ask(lambda books: books.customer(customer_id), call.request)


def _money(values: Values, field: TextField, customer: Customer, call: Call) -> Money | None:
    text = values.text(field).strip()
    return find.money_typed(text, settings_of(call), customer.currency, field=field.name) if text else None


def _set(values: Values, _about: Mapping[str, Any], call: Call) -> SetPaymentSettings:
    customer = _customer(values, call)
    return SetPaymentSettings(
        customer_id=customer.id,
        method=TopUpMethod(values.need(METHOD)),
        amount=_money(values, AMOUNT, customer, call),
        threshold=_money(values, THRESHOLD, customer, call),
        auto=values.need(AUTO) == ON,
    )


def _switch(values: Values, _about: Mapping[str, Any], call: Call) -> SwitchAutoTrigger:
    return SwitchAutoTrigger(customer_id=_customer(values, call).id, on=values.need(AUTO) == ON)


SET = flow(
    Flow(
        form=Form("payment_settings_set", "Payment settings", (CUSTOMER, METHOD, AMOUNT, THRESHOLD, AUTO)),
        operation=set_payment_settings,
        command=_set,
        effect=settings_effect,
        verb=lambda _outcome, _settings: "Save",
        done=settings_card,
    )
)
SWITCH = flow(
    Flow(
        form=Form("payment_settings_switch", "Automatic top-up", (CUSTOMER, AUTO)),
        operation=switch_auto_trigger,
        command=_switch,
        effect=settings_effect,
        verb=lambda outcome, _settings: f"Switch {ON if outcome.after is not None and outcome.after.auto else OFF}",
        done=settings_card,
    )
)


def open_for(call: Call, customer: Customer) -> None:
    """The form of a customer, with what is set already."""
    _open_set(call, "", customer)


def _open_set(call: Call, text: str, customer: Customer) -> None:
    """What is typed, in place of what is set already."""
    spoken = phrase(text, KEYWORDS)
    known = call.desk.ask(lambda books: books.payment_settings(customer), call.request)
    typed_method = METHODS.get(_spelled(spoken, "method"))
    method = typed_method or (known.method if known is not None else None)
    worth, threshold = name_and_amount(spoken, "method")[1], spoken.text("threshold")
    if known is not None and method is not TopUpMethod.STRIPE:
        worth = worth or _plain(known.amount)
        threshold = threshold or _plain(known.threshold)
    auto = _spelled(spoken, "auto") or (OFF if known is not None and not known.auto else ON)
    given = {
        "customer": find.customer_option(customer),
        "method": method.value if method is not None else None,
        "amount": worth,
        "threshold": threshold,
        "auto": auto,
    }
    SET.open(call, Values(given), preview=bool(worth) or method is TopUpMethod.STRIPE)


def _open_switch(on: str) -> Callable[[Call, str, Customer], None]:
    def opened(call: Call, _text: str, customer: Customer) -> None:
        given = {"customer": find.customer_option(customer), "auto": on}
        SWITCH.open(call, Values(given), preview=True)

    return opened


def _spelled(spoken: Phrase, name: str) -> str:
    return spoken.spelled.get(name, "").lower().rstrip(":")


def _plain(worth: Money | None) -> str:
    return f"{worth.decimal():f} {worth.currency.code}" if worth is not None else ""


OPENERS: dict[str, Callable[[Call, str, Customer], None]] = {
    "set": _open_set,
    ON: _open_switch(ON),
    OFF: _open_switch(OFF),
}


def _typed(which: str) -> Callable[[Call, str], Reply | None]:
    """The sub-command of a step: the form, filled and checked; an ambiguous name answers choices."""

    def run(call: Call, text: str) -> Reply | None:
        if not text:
            blank = Values({}) if which == "set" else Values({"auto": which})
            (SET if which == "set" else SWITCH).open(call, blank)
            return None
        name = name_and_amount(phrase(text, KEYWORDS), "method")[0] if which == "set" else whole(text)
        found = find.customers_named(call, name) if name else ()
        asked = find.ask_which(found, name, f"choose_settings_{which}", text)
        if asked is not None:
            return asked
        OPENERS[which](call, text, find.customer_named(call, name))
        return None

    return run


def _show(call: Call, text: str) -> Reply:
    """The settings in force, and how to size them. Rule 78."""
    customer, settings = find.customer_named(call, whole(text)), settings_of(call)
    rule = call.desk.ask(lambda books: books.payment_settings(customer), call.request)
    title = f"Customer {customer.name} · {customer.code} · payment settings"
    lines = [(bold(typed(title)),), *rule_lines(rule, customer, settings)]
    return Reply(escape(shorten(title, 150)), [rich(*lines, block_id="settings")])


SETTINGS = command(
    Command(
        "payment-settings",
        "How prepaid customers are topped up",
        "Acme cheque 500 at 100 on",
        main="set",
        name_in=lambda text: name_and_amount(phrase(text, KEYWORDS), "method")[0],
        subs=(
            Sub(
                "set",
                Role.CLERK,
                "/payment-settings Acme cheque 500 at 100 on",
                "sets method, amount and threshold",
                _typed("set"),
            ),
            Sub("show", Role.VIEWER, "/payment-settings show Acme", "the settings in force", _show),
            Sub("on", Role.CLERK, "/payment-settings on Acme", "switches the automatic top-up on", _typed(ON)),
            Sub("off", Role.CLERK, "/payment-settings off Acme", "switches it off", _typed(OFF)),
        ),
    )
)


for _which, _opener in OPENERS.items():
    find.on_choice(f"choose_settings_{_which}", _opener, by=Role.CLERK)
