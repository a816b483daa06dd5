"""The forms that suspend, resume and close a customer."""

from collections.abc import Sequence

from bot.domain.customer_states import SetCustomerState, set_customer_state
from bot.domain.customers import Customer, CustomerChanged, CustomerState
from bot.domain.settings import Settings
from bot.handlers.blocks.cards import customer_opened
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.flow import Flow, flow
from bot.handlers.forms import Block, Form, Values
from bot.handlers.request import Call

SAYS = {
    CustomerState.ACTIVE: "goes on as before.",
    CustomerState.SUSPENDED: "is suspended. It keeps its credit and its debt, and can be resumed.",
    CustomerState.CLOSED: "is closed for good and takes no new documents. It stays in the books.",
}


def _effect(outcome: CustomerChanged, _settings: Settings) -> Sequence[Block]:
    what = SAYS[outcome.customer.state]
    return [rich((bold("What will happen"),), (typed(outcome.customer.name), f" {what}"), block_id="effect")]


def _flow(name: str, title: str, state: CustomerState) -> Flow[SetCustomerState, CustomerChanged]:
    return flow(
        Flow(
            form=Form(f"customer_{name}", title, (), intro="Nothing is deleted; the customer stays in the books."),
            operation=set_customer_state,
            command=lambda _values, about, _call: SetCustomerState(customer_id=int(about["customer"]), state=state),
            effect=_effect,
            verb=lambda outcome, _settings: f"{name.capitalize()} {outcome.customer.code}",
            done=customer_opened,
        )
    )


FLOWS_OF_STATES = {
    "suspend": _flow("suspend", "Suspend a customer", CustomerState.SUSPENDED),
    "resume": _flow("resume", "Resume a customer", CustomerState.ACTIVE),
    "close": _flow("close", "Close a customer", CustomerState.CLOSED),
}


def open_state(call: Call, name: str, customer: Customer) -> None:
    """The form, previewed, or with the reason on top why it cannot be."""
    about = {"customer": str(customer.id), "line": f"{customer.name} · {customer.code} · {customer.state.value}"}
    FLOWS_OF_STATES[name].open(call, Values(), about, preview=True)
