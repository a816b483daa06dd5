"""What can be done about a customer from its card and from the digest: buttons, and menus of all else."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.operation import Role
from bot.handlers import credit_notes, customers, disputes, find, invoices, payment_settings, terms, withdrawals
from bot.handlers.blocks.digest import MOVER_MENU, MOVER_MORE
from bot.handlers.commands import PRESSES, Reply, id_of, press
from bot.handlers.customer_states import open_state
from bot.handlers.flow import settings_of
from bot.handlers.forms import Values
from bot.handlers.payment_forms import RECORD
from bot.handlers.request import Call


@dataclass(frozen=True, slots=True)
class Choice:
    """What a choice of the menu opens, and the right that it needs."""

    by: Role
    open: Callable[[Call, Customer], None]


def _state(verb: str) -> Choice:
    return Choice(Role.CLERK, lambda call, customer: open_state(call, customer, verb))


CHOICES: Mapping[str, Choice] = {
    "invoice": Choice(Role.CLERK, invoices.open_for),
    "note": Choice(Role.CLERK, credit_notes.open_for),
    "withdraw": Choice(Role.CLERK, withdrawals.open_for),
    "limit": Choice(Role.MANAGER, terms.open_limit),
    "mode": Choice(Role.MANAGER, terms.open_switch),
    "settings": Choice(Role.CLERK, payment_settings.open_for),
    "edit": Choice(Role.CLERK, customers.open_edit),
    **{verb: _state(verb) for verb in ("suspend", "close", "reopen")},
}


def _by_id(call: Call, value: str) -> Customer:
    return call.desk.ask(lambda books: books.customer(id_of(value)), call.request)


@press("customer_show", by=Role.VIEWER)
def press_show(call: Call, action: dict[str, Any]) -> Reply:
    return customers.show_customer(call, _by_id(call, action["value"]))


@press("customer_more", by=Role.VIEWER)
def press_more(call: Call, action: dict[str, Any]) -> None:
    """The menu of a customer's card; each choice asks for its own right. Refuses: NoAccess, Refused."""
    verb, _, about = action["selected_option"]["value"].partition(":")
    if verb not in CHOICES:
        raise Refused("This menu is from another version; open the customer again.")
    call.desk.ask(lambda _: None, call.request, by=CHOICES[verb].by)
    CHOICES[verb].open(call, _by_id(call, about))


@press("customer_pay", by=Role.CLERK)
def press_pay(call: Call, action: dict[str, Any]) -> None:
    customer = _by_id(call, action["value"])
    today = settings_of(call).today(call.request.now)
    given = {"customer": find.customer_option(customer), "received_on": today, "method": "bank transfer"}
    RECORD.open(call, Values(given))


@press("customer_promise", by=Role.VIEWER)
def press_promise(call: Call, action: dict[str, Any]) -> None:
    """The form of a promise about all that the customer owes."""
    disputes.open_promise(call, _by_id(call, action["value"]), None)


@press(MOVER_MORE, by=Role.VIEWER)
def press_mover_more(call: Call, action: dict[str, Any]) -> Reply | None:
    """The menu of a customer in the digest: what was chosen is done as if its own button had been pressed, with its
    right. Refuses: NoAccess, Refused.
    """
    action_id, _, about = action["selected_option"]["value"].partition(":")
    if action_id not in {each.action_id for each in MOVER_MENU}:
        raise Refused("This menu is from another version; the next digest has the one of today.")
    chosen = PRESSES[action_id]
    call.desk.ask(lambda _: None, call.request, by=chosen.by)
    return chosen.run(call, {**action, "value": about})
