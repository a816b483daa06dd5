"""/withdraw: ask for credit to leave, look at withdrawals, cancel one, mark one as paid."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.operation import Role
from bot.domain.ports import Page
from bot.domain.settings import Settings
from bot.domain.withdrawals import (
    LONGEST_DETAILS,
    LONGEST_REASON,
    LONGEST_REFERENCE,
    Gateway,
    PayWithdrawal,
    RequestWithdrawal,
    Withdrawal,
    WithdrawalChanged,
    WithdrawalState,
    pay_withdrawal,
    request_withdrawal,
)
from bot.handlers import find
from bot.handlers.approvals import open_cancel
from bot.handlers.blocks.rich import preformatted, rich
from bot.handlers.blocks.text import counted, escape, money
from bot.handlers.blocks.withdrawals import (
    paid_effect,
    requested_effect,
    said,
    withdrawal_card,
    withdrawal_table,
    withdrawal_title,
)
from bot.handlers.commands import Command, Reply, Sub, command, id_of, press
from bot.handlers.files import MORE, file_format, list_json, offer, send_file
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, DateField, Form, SearchField, TextField, Values, context
from bot.handlers.parse.named import name_and_amount
from bot.handlers.parse.words import phrase, whole
from bot.handlers.request import Call

LIST_ROWS = 20
KEYWORDS = {
    **dict.fromkeys(("bank", "transfer", "cheque", "check", "cash", "bank transfer"), "gateway"),
    "to": "details",
    "account": "details",
    "because": "reason",
    "reason": "reason",
}
GATEWAYS = {"cheque": Gateway.CHEQUE, "check": Gateway.CHEQUE, "cash": Gateway.CASH}

CUSTOMER = SearchField("customer", "Customer", placeholder="Name, code, UUID or wallet ID", dispatches=True)
AMOUNT = TextField("amount", "Amount", placeholder="500 or 1,234.50 SGD", longest=40, dispatches=True)
GATEWAY = ChoiceField(
    "gateway", "Pay out by", choices=tuple((f"{each.value[0].upper()}{each.value[1:]}", each.value) for each in Gateway)
)
DETAILS = TextField(
    "details", "To which account", needed=False, longest=LONGEST_DETAILS, hint="Needed for a bank transfer."
)
REASON = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)
REFERENCE = TextField("reference", "Payment reference", longest=LONGEST_REFERENCE)
PAID_ON = DateField("effective_on", "Paid on", needed=False, hint="Empty means today.")


def _request(values: Values, _about: Mapping[str, Any], call: Call) -> RequestWithdrawal:
    customer_id = int(values.need(CUSTOMER)[1])
    customer = call.desk.ask(lambda books: books.customer(customer_id), call.request)
    return RequestWithdrawal(
        customer_id=customer_id,
        amount=find.money_typed(values.need(AMOUNT), settings_of(call), customer.currency),
        gateway=Gateway(values.need(GATEWAY)),
        details=values.text(DETAILS),
        reason=values.need(REASON),
    )


def _done(outcome: WithdrawalChanged, settings: Settings) -> Sequence[Block]:
    return [
        rich((f"{outcome.withdrawal.number}: ", *said(outcome, settings)), block_id="done"),
        context("Its card is in the approvals channel; its thread holds each step."),
    ]


REQUEST = flow(
    Flow(
        form=Form("withdrawal_request", "Request a withdrawal", (CUSTOMER, AMOUNT, GATEWAY, DETAILS, REASON)),
        operation=request_withdrawal,
        command=_request,
        effect=requested_effect,
        verb=lambda outcome, settings: f"Request {money(outcome.withdrawal.amount, settings.locale)}",
        done=_done,
    )
)
PAID = flow(
    Flow(
        form=Form("withdrawal_paid", "Mark as paid", (REFERENCE, PAID_ON)),
        operation=pay_withdrawal,
        command=lambda values, about, _call: PayWithdrawal(
            withdrawal_id=int(about["withdrawal"]),
            reference=values.need(REFERENCE),
            paid_on=values.get(PAID_ON),
        ),
        effect=paid_effect,
        verb=lambda outcome, _settings: f"Paid {outcome.withdrawal.number}",
        done=_done,
    )
)


def fast_path(call: Call, text: str) -> Reply | None:
    """`Acme 500 bank to a/c 4321 because Contract ended`: the form, filled and previewed."""
    if not text:
        REQUEST.open(call, Values({"gateway": Gateway.BANK_TRANSFER.value}))
        return None
    name, _ = name_and_amount(phrase(text, KEYWORDS), "gateway")
    found = find.customers_named(call, name) if name else ()
    asked = find.ask_which(found, name, "choose_withdrawal", text)
    if asked is not None:
        return asked
    if not found:
        raise NotFound(f"No customer is called {name[:60] or 'nothing'}; type a code, name, UUID or wallet ID.")
    _open_filled(call, text, found[0])
    return None


def _open_filled(call: Call, text: str, customer: Customer) -> None:
    spoken = phrase(text, KEYWORDS)
    typed = spoken.spelled.get("gateway", "bank").lower().rstrip(":")
    given: dict[str, Any] = {
        "customer": find.customer_option(customer),
        "amount": name_and_amount(spoken, "gateway")[1],
        "gateway": GATEWAYS.get(typed, Gateway.BANK_TRANSFER).value,
        "details": spoken.text("details"),
        "reason": spoken.text("reason"),
    }
    REQUEST.open(call, Values(given), preview=True)


def open_for(call: Call, customer: Customer) -> None:
    """The form of a withdrawal of a customer."""
    REQUEST.open(call, Values({"customer": find.customer_option(customer), "gateway": Gateway.BANK_TRANSFER.value}))


def withdrawal_named(call: Call, text: str) -> Withdrawal:
    """A withdrawal by its number. Refuses: NotFound."""
    found = call.desk.ask(lambda books: books.withdrawal(text), call.request)
    if found is None:
        raise NotFound(f"There is no withdrawal {text[:30] or 'without a number'}; type one such as WDR-0012.")
    return found


def _show(call: Call, text: str) -> Reply:
    made = withdrawal_named(call, text.strip())
    file = call.desk.ask(lambda books: books.withdrawal_file(made.id), call.request)
    settings = settings_of(call)
    return Reply(escape(withdrawal_title(file, settings)), withdrawal_card(file, settings))


def _list(call: Call, text: str) -> Reply:
    """`[state] [customer or number] [csv|xlsx]`."""
    text, form = file_format(text)
    first, _, rest = text.partition(" ")
    state = first.lower() if first.lower() in set(WithdrawalState) else ""
    page = Page(text=whole(rest if state else text), state=state, limit=LIST_ROWS + 1)
    lines = call.desk.ask(lambda books: books.list_withdrawals(page), call.request)
    if not lines:
        return Reply("No withdrawal matches. Try /withdraw list requested, or a name.")
    if form:
        return send_file(call, "withdrawals", list_json(page), form)
    shown = preformatted(withdrawal_table(lines[:LIST_ROWS], settings_of(call)), block_id="withdrawals")
    more = [context(f"{MORE}; or narrow the list with a state or a name.")] if len(lines) > LIST_ROWS else []
    return Reply(
        f"{counted(len(lines[:LIST_ROWS]), 'withdrawal')}, newest first",
        [shown, *more, *offer("withdrawals", list_json(page))],
    )


def _cancel(call: Call, text: str) -> None:
    open_cancel(call, withdrawal_named(call, text.strip()).approval_id)


def open_paid(call: Call, made: Withdrawal) -> None:
    """The form that takes the reference of the payment."""
    line = f"{made.number} · {money(made.amount, settings_of(call).locale)} · {made.gateway.value}"
    PAID.open(call, Values(), {"withdrawal": str(made.id), "line": line})


def _paid(call: Call, text: str) -> None:
    open_paid(call, withdrawal_named(call, text.partition(" ")[0]))


WITHDRAW = command(
    Command(
        "withdraw",
        "Request withdrawals and mark them as paid",
        "Acme 500 bank to a/c 4321 because Contract ended",
        main="request",
        subs=(
            Sub(
                "request",
                Role.CLERK,
                "/withdraw Acme 500 bank to a/c 4321 because Contract ended",
                "reserves credit and asks a manager",
                fast_path,
            ),
            Sub("list", Role.VIEWER, "/withdraw list requested", "the newest withdrawals", _list),
            Sub("show", Role.VIEWER, "/withdraw show WDR-0001", "a withdrawal's card", _show),
            Sub("cancel", Role.CLERK, "/withdraw cancel WDR-0001", "takes a request back that waits", _cancel),
            Sub("paid", Role.CLERK, "/withdraw paid WDR-0001", "takes the payment reference", _paid),
        ),
    )
)


@press("withdrawal_paid", by=Role.CLERK)
def press_paid(call: Call, action: dict[str, Any]) -> None:
    open_paid(call, withdrawal_named(call, action["value"]))


@press("withdrawal_more", by=Role.CLERK)
def press_more(call: Call, action: dict[str, Any]) -> None:
    """The overflow menu of a withdrawal's card."""
    open_cancel(call, id_of(action["selected_option"]["value"].partition(":")[2]))


find.on_choice("choose_withdrawal", _open_filled, by=Role.CLERK)
