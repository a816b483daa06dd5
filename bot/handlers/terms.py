"""/credit-limit and /payment-mode: what a customer buys on, each with what it means before it is confirmed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.customers import Customer, Mode
from bot.domain.limits import ExtendLimit, LimitChanged, SetLimit, extend_limit, set_limit
from bot.domain.modes import SwitchMode, is_first_week, switch_mode
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.domain.terms_requests import LONGEST_REASON
from bot.handlers import find
from bot.handlers.approvals import open_cancel
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.blocks.terms import (
    advice_lines,
    asked_done,
    limit_card,
    limit_effect,
    limit_parts,
    mode_card,
    mode_effect,
    terms_title,
)
from bot.handlers.blocks.text import balance, date_text, escape, money, shorten
from bot.handlers.commands import Command, Reply, Sub, command, id_of, press
from bot.handlers.flow import Doubt, Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, Form, NumberField, SearchField, TextField, Values, button
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import Phrase, phrase, whole
from bot.handlers.request import Call

KEYWORDS = {
    "for": "days",
    "limit": "limit",
    "prepaid": "mode",
    "postpaid": "mode",
    **dict.fromkeys(("because", "reason"), "reason"),
}

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID", dispatches=True)
AMOUNT = TextField("amount", "Limit", placeholder="500 or 1,234.50 SGD; 0 is none", longest=40, dispatches=True)
DAYS = NumberField(
    "days", "For so many days", needed=False, whole=True, hint="Empty means for good. For prepaid customers only."
)
MORE_DAYS = NumberField("days", "So many days longer", whole=True)
MODE = ChoiceField(
    "mode", "From now on", choices=tuple((mode.value.capitalize(), mode.value) for mode in Mode), dispatches=True
)
LIMIT = TextField(
    "limit", "Permanent limit", needed=False, longest=40, hint="Empty leaves the limit as it is.", dispatches=True
)
REASON = TextField(
    "reason",
    "Reason",
    needed=False,
    longest=LONGEST_REASON,
    multiline=True,
    hint="Needed where policy has others approve it; they see it.",
)


def _customer(values: Values, call: Call) -> Customer:
    customer_id = int(values.need(CUSTOMER)[1])
    return call.desk.ask(lambda books: books.customer(customer_id), call.request)


def _whole(values: Values, field: NumberField) -> int | None:
    days = values.get(field)
    return int(days) if days is not None else None


def _set(values: Values, _about: Mapping[str, Any], call: Call) -> SetLimit:
    customer = _customer(values, call)
    worth = find.money_typed(values.need(AMOUNT), settings_of(call), customer.currency)
    return SetLimit(customer_id=customer.id, amount=worth, days=_whole(values, DAYS), reason=values.text(REASON))


def _switch(values: Values, _about: Mapping[str, Any], call: Call) -> SwitchMode:
    customer = _customer(values, call)
    text = values.text(LIMIT).strip()
    limit = find.money_typed(text, settings_of(call), customer.currency, field="limit") if text else None
    return SwitchMode(customer_id=customer.id, mode=Mode(values.need(MODE)), limit=limit, reason=values.text(REASON))


def _untimely(made: SwitchMode, call: Call) -> Doubt | None:
    """Outside the first week of the month a switch is confirmed once more. Rule 65."""
    now = call.request.now
    if is_first_week(now):
        return None
    today = date_text(now.date(), settings_of(call).locale)
    look = {"type": "actions", "block_id": "look", "elements": [_show_button(made.customer_id)]}
    return Doubt(
        f"Today is {today}. A switch is best in the first week of the month, after the monthly invoice went out.",
        look,
        "I know that the first week is best",
    )


def _show_button(customer_id: int) -> Block:
    return button("Customer", "customer_show", str(customer_id))


def _limit_verb(outcome: LimitChanged, settings: Settings) -> str:
    verb = {"set": "Set", "removed": "Remove", "extended": "Extend", "requested": "Request"}[outcome.step]
    about = outcome.before if outcome.step == "removed" else outcome.after
    return f"{verb} {money(Money(about.limit_micros, about.currency), settings.locale)}"


def _limit_done(outcome: LimitChanged, settings: Settings) -> Sequence[Block]:
    return limit_card(outcome, settings) if outcome.request is None else asked_done(outcome.request.number)


SET = flow(
    Flow(
        form=Form("limit_set", "Credit limit", (CUSTOMER, AMOUNT, DAYS, REASON)),
        operation=set_limit,
        command=_set,
        effect=limit_effect,
        verb=_limit_verb,
        done=_limit_done,
    )
)
EXTEND = flow(
    Flow(
        form=Form("limit_extend", "Extend a limit", (MORE_DAYS, REASON)),
        operation=extend_limit,
        command=lambda values, about, _call: ExtendLimit(
            customer_id=int(about["customer"]), days=_whole(values, MORE_DAYS) or 0, reason=values.text(REASON)
        ),
        effect=limit_effect,
        verb=_limit_verb,
        done=_limit_done,
    )
)
SWITCH = flow(
    Flow(
        form=Form("mode_switch", "Switch payment mode", (CUSTOMER, MODE, LIMIT, REASON)),
        operation=switch_mode,
        command=_switch,
        effect=mode_effect,
        verb=lambda outcome, _settings: f"{'Request' if outcome.request else 'Switch to'} {outcome.after.mode.value}",
        done=lambda outcome, settings: (
            mode_card(outcome, settings) if outcome.request is None else asked_done(outcome.request.number)
        ),
        warn=_untimely,
    )
)


def _about(call: Call, customer: Customer) -> Mapping[str, Any]:
    settings = settings_of(call)
    held = balance(customer.balance, settings.locale)
    return {"customer": str(customer.id), "line": f"{customer.name} ({customer.code}), balance {held}"}


def open_limit(call: Call, customer: Customer) -> None:
    """The form of a limit for a customer."""
    SET.open(call, Values({"customer": find.customer_option(customer)}))


def open_switch(call: Call, customer: Customer) -> None:
    """The dry run of a customer's switch to the other mode."""
    _open_switch(call, "", customer)


def _open_set(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    given = {
        "customer": find.customer_option(customer),
        "amount": name_and_amount(spoken, "limit")[1],
        "days": _days(spoken),
        "reason": spoken.text("reason"),
    }
    SET.open(call, Values(given), preview=bool(given["amount"]))


def _open_remove(call: Call, _text: str, customer: Customer) -> None:
    SET.open(call, Values({"customer": find.customer_option(customer), "amount": "0"}), preview=True)


def _open_extend(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    days = _days(spoken)
    EXTEND.open(
        call, Values({"days": days, "reason": spoken.text("reason")}), _about(call, customer), preview=days is not None
    )


def _open_switch(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    other = Mode.PREPAID if customer.mode is Mode.POSTPAID else Mode.POSTPAID
    given = {
        "customer": find.customer_option(customer),
        "mode": spoken.spelled.get("mode", other.value).lower().rstrip(":"),
        "limit": spoken.text("limit"),
        "reason": spoken.text("reason"),
    }
    SWITCH.open(call, Values(given), preview=True)


def _days(spoken: Phrase) -> int | None:
    """`for 14 days`."""
    text = spoken.text("days").partition(" ")[0]
    return int(text) if text.isascii() and text.isdigit() else None


OPENERS: dict[str, Callable[[Call, str, Customer], None]] = {
    "set": _open_set,
    "remove": _open_remove,
    "extend": _open_extend,
    "switch": _open_switch,
}
BLANK: dict[str, Flow[Any, Any]] = {"set": SET, "remove": SET, "switch": SWITCH}


def _typed(which: str) -> Callable[[Call, str], Reply | None]:
    """The sub-command of a step: the form, filled and checked; an ambiguous name answers choices."""

    def run(call: Call, text: str) -> Reply | None:
        if not text and which in BLANK:
            BLANK[which].open(call, Values({}))
            return None
        name, _ = name_and_amount(phrase(text, KEYWORDS), "mode") if which == "set" else (_name(text), "")
        found = find.customers_named(call, name) if name else ()
        asked = find.ask_which(found, name, f"choose_terms_{which}", text)
        if asked is not None:
            return asked
        OPENERS[which](call, text, find.customer_named(call, name))
        return None

    return run


def _name(text: str) -> str:
    spoken = phrase(text, KEYWORDS)
    return " ".join(word.text for word in (*spoken.lead, *spoken.clauses.get("mode", ())))


def _show(call: Call, text: str) -> Reply:
    """What a customer buys on now, and how much limit is enough. Rules 61, 63."""
    customer, settings = find.customer_named(call, whole(text)), settings_of(call)
    title = terms_title(customer, customer.mode.value)
    lines = [
        (bold(typed(title)),),
        limit_parts(customer, settings, call.request.now),
        *advice_lines(customer.mode, settings.invoicing),
    ]
    return Reply(escape(shorten(title, 150)), [rich(*lines, block_id="terms")])


LIMITS = command(
    Command(
        "credit-limit",
        "Set, extend and remove credit limits",
        "Acme 5000",
        main="set",
        subs=(
            Sub(
                "set",
                Role.MANAGER,
                "/credit-limit Acme 500 for 14 days",
                "sets a limit, for good or some days",
                _typed("set"),
            ),
            Sub("show", Role.VIEWER, "/credit-limit show Acme", "the limit in force, until when, and advice", _show),
            Sub(
                "extend",
                Role.MANAGER,
                "/credit-limit extend Acme for 7 days",
                "lets a temporary limit end later",
                _typed("extend"),
            ),
            Sub("remove", Role.MANAGER, "/credit-limit remove Acme", "takes the limit away", _typed("remove")),
        ),
    )
)
MODES = command(
    Command(
        "payment-mode",
        "Switch between prepaid and postpaid",
        "switch Acme postpaid limit 500",
        main="switch",
        subs=(
            Sub(
                "switch",
                Role.MANAGER,
                "/payment-mode Acme postpaid limit 500",
                "shows every consequence, then switches",
                _typed("switch"),
            ),
            Sub("show", Role.VIEWER, "/payment-mode show Acme", "how a customer pays, and its limit", _show),
        ),
    )
)


@press("terms_request_more", by=Role.CLERK)
def press_more(call: Call, action: dict[str, Any]) -> None:
    """The overflow menu of a request's card."""
    open_cancel(call, id_of(action["selected_option"]["value"].partition(":")[2]))


for _which, _opener in OPENERS.items():
    find.on_choice(f"choose_terms_{_which}", _opener, by=Role.MANAGER)
