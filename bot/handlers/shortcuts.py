"""Shortcuts: record a payment and find a customer anywhere in Slack, record a payment from a message."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.domain.operation import Role
from bot.handlers.commands import id_of
from bot.handlers.customers import show_customer
from bot.handlers.flow import Answer, update
from bot.handlers.forms import Form, FormRefused, SearchField, Values, message_view
from bot.handlers.from_message import open_from_message, open_promise_from_message
from bot.handlers.payment_forms import RECORD
from bot.handlers.payments import fresh
from bot.handlers.request import Call
from bot.handlers.statements import ASK, show_asked
from bot.handlers.withdrawals import fast_path

WANTED = SearchField("customer", "Customer", placeholder="Name, code or wallet ID")
FIND = Form("find_customer", "Find a customer", (WANTED,), submit="Show")


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A shortcut: its id, its name and description in Slack's menu, who may, the form it opens; `on` is where its menu
    is, `global` or a `message`.
    """

    callback_id: str
    name: str
    description: str
    by: Role
    open: Callable[[Call], None]
    on: str = "global"


def open_record(call: Call) -> None:
    RECORD.open(call, fresh(call))


def open_withdrawal(call: Call) -> None:
    fast_path(call, "")


def open_find(call: Call) -> None:
    call.client.views_open(trigger_id=call.trigger_id, view=FIND.draw(Values(), "{}"))


def show_found(call: Call) -> Answer:
    """The card of the chosen customer, in place of the search. Refuses: NoAccess, NotFound."""
    try:
        values = FIND.read(call.view)
    except FormRefused as refused:
        return {"response_action": "errors", "errors": refused.errors}
    chosen = id_of(values.need(WANTED)[1])
    customer = call.desk.ask(lambda books: books.customer(chosen), call.request)
    return update(message_view(FIND.title, list(show_customer(call, customer).blocks)))


SHORTCUTS: Mapping[str, Shortcut] = {
    each.callback_id: each
    for each in (
        Shortcut("record_payment", "Record a payment", "Record, assign and allocate money", Role.CLERK, open_record),
        Shortcut("request_withdrawal", "Request a withdrawal", "Ask for credit to leave", Role.CLERK, open_withdrawal),
        Shortcut("open_find_customer", "Find a customer", "By name, code or wallet ID", Role.VIEWER, open_find),
        Shortcut(
            "record_from_message",
            "Record this payment",
            "Record a payment from this message",
            Role.CLERK,
            open_from_message,
            on="message",
        ),
        Shortcut(
            "promise_from_message",
            "Log a promise to pay",
            "Log a promise to pay from this message",
            Role.VIEWER,
            open_promise_from_message,
            on="message",
        ),
    )
}
READERS: Mapping[str, Callable[[Call], dict[str, Any]]] = {
    FIND.callback_id: show_found,
    ASK.callback_id: show_asked,
}
