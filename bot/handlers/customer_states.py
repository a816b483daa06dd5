"""/customer suspend, close, reopen: one form with the reason, and what changes."""

from collections.abc import Sequence

from bot.domain.customer_states import LONGEST_REASON, ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerChanged, CustomerState
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import customer_opened
from bot.handlers.blocks.customer import STATES
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.blocks.text import balance
from bot.handlers.commands import Run
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, Form, TextField, Values
from bot.handlers.parse.words import whole
from bot.handlers.request import Call

REASON = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)
VERBS = {verb: state for state, _, verb in STATES}
BUTTONS = {state: label for state, label, _ in STATES}
MEANS = {
    CustomerState.SUSPENDED: "It can buy nothing. Payments, allocations and invoices go on.",
    CustomerState.CLOSED: "It takes no payment and no invoice any more. Nothing is deleted; it can be opened again.",
    CustomerState.ACTIVE: "It can pay and be invoiced as before.",
}


def _effect(outcome: CustomerChanged, _settings: Settings) -> Sequence[Block]:
    customer = outcome.customer
    (state,) = outcome.corrected
    return [
        rich(
            (bold("What will happen"),),
            (typed(customer.name), f" ({customer.code})  {state.before} → {state.after}"),
            (MEANS[customer.state],),
            block_id="effect",
        )
    ]


STATE = flow(
    Flow(
        form=Form("customer_state", "Suspend, close or reopen", (REASON,)),
        operation=change_customer_state,
        command=lambda values, about, _call: ChangeCustomerState(
            customer_id=int(about["customer"]),
            version=int(about["version"]),
            state=CustomerState(about["state"]),
            reason=values.need(REASON),
        ),
        effect=_effect,
        verb=lambda outcome, _settings: f"{BUTTONS[outcome.customer.state]} {outcome.customer.code}",
        done=customer_opened,
    )
)


def open_state(call: Call, customer: Customer, verb: str) -> None:
    """The form of one change; what keeps it from being done is said when it is checked."""
    settings = settings_of(call)
    held = balance(customer.balance, settings.locale)
    line = f"{BUTTONS[VERBS[verb]]}: {customer.name} ({customer.code}), balance {held}"
    about = {"customer": str(customer.id), "version": customer.version, "state": VERBS[verb].value, "line": line}
    STATE.open(call, Values(), about)


def typed_verb(verb: str) -> Run:
    """The sub-command of a verb."""

    def run(call: Call, text: str) -> None:
        open_state(call, find.customer_named(call, whole(text)), verb)

    return run
