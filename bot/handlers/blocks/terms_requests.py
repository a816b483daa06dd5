"""The card of terms that others approve first: the terms of now, those asked for, and what is in use."""

from datetime import datetime

from bot.domain.approvals import ApprovalChanged
from bot.domain.limits import LimitChanged
from bot.domain.modes import ModeSwitched
from bot.domain.money import Money
from bot.domain.settings import Settings
from bot.domain.terms_requests import TermsFile, TermsKind, TermsRequest, TermsState
from bot.handlers.blocks.approvals import asked_parts, decided_lines, deciding, decision_said
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.terms import limit_parts
from bot.handlers.blocks.text import amount, balance, counted, shorten
from bot.handlers.forms import Block, button, confirmation, option

NAMES = {TermsKind.SET: "Limit", TermsKind.EXTEND: "Longer limit", TermsKind.SWITCH: "Switch of mode"}


def terms_request_title(file: TermsFile, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    made = file.request
    wanted = made.mode.value if made.kind is TermsKind.SWITCH else amount(made.limit or made.was_limit, settings.locale)
    worth = wanted if made.kind is TermsKind.SWITCH else f"{made.was_limit.currency.code} {wanted}"
    state = file.approval.status if made.state is TermsState.REQUESTED else made.state.value
    return f"{NAMES[made.kind]} {made.number} · {shorten(file.customer.name, 80)} · {worth} · {state}"


def terms_request_card(file: TermsFile, settings: Settings, at: datetime) -> list[Block]:
    """Title, the change, what stands now, who asked and who decides, and what can be done."""
    made = file.request
    return [
        rich((bold(typed(terms_request_title(file, settings))),), block_id="title"),
        rich(*_change(made, settings), (bold("Reason "), typed(made.reason, 500)), block_id="facts"),
        rich(*_now(file, settings, at), block_id="effect"),
        rich(asked_parts(file.approval), *decided_lines(file.approval), block_id="context"),
        *_actions(file, settings),
    ]


def _change(made: TermsRequest, settings: Settings) -> list[tuple[Part, ...]]:
    """`Limit 500.00 until 1 Dec → 8,000.00 for 14 days from the approval`."""
    lines: list[tuple[Part, ...]] = []
    if made.kind is TermsKind.SWITCH:
        lines.append((bold("Mode "), f"{made.was_mode.value} → {made.mode.value}"))
    if made.limit is None:
        return lines
    days = counted(made.days, "day") if made.days is not None else ""
    wanted = amount(made.limit, settings.locale)
    if made.kind is TermsKind.EXTEND:
        after: tuple[Part, ...] = (f"{wanted} for {days} longer",)
    else:
        after = (wanted, f" for {days} from the approval on" if days else " for good")
    return [*lines, (bold("Limit "), *_was(made, settings), " → ", *after)]


def _was(made: TermsRequest, settings: Settings) -> tuple[Part, ...]:
    if not made.was_limit:
        return ("none",)
    until = (" until ", moment(made.was_ends_at)) if made.was_ends_at is not None else ()
    return (amount(made.was_limit, settings.locale), *until)


def _now(file: TermsFile, settings: Settings, at: datetime) -> list[tuple[Part, ...]]:
    """What the customer uses, so that a limit is judged by it."""
    customer, locale = file.customer, settings.locale
    unbilled = Money(customer.controls.unbilled, customer.currency)
    return [
        (bold("Now  "), *limit_parts(customer, settings, at)),
        (bold("Balance "), balance(customer.balance, locale), bold("  Not invoiced "), amount(unbilled, locale)),
    ]


def _actions(file: TermsFile, settings: Settings) -> list[Block]:
    made = file.request
    if made.state is not TermsState.REQUESTED:
        return []
    worth = f" {amount(made.limit, settings.locale)}" if made.limit is not None else ""
    what = f"{NAMES[made.kind]}{worth} for {shorten(file.customer.name, 80)}, from now on."
    return [
        {
            "type": "actions",
            "block_id": "actions",
            "elements": [
                *deciding(file.approval, confirmation("Approve this?", what, yes="Approve")),
                button("Customer", "customer_show", str(made.customer_id)),
                {
                    "type": "overflow",
                    "action_id": "terms_request_more",
                    "options": [option("Cancel the request", f"cancel:{file.approval.id}")],
                },
            ],
        }
    ]


def terms_request_said(outcome: ApprovalChanged | LimitChanged | ModeSwitched) -> tuple[Part, ...]:
    """The line of the thread."""
    if isinstance(outcome, ApprovalChanged):
        return decision_said(outcome)
    return (person(outcome.by), f" {outcome.step}", " · ", moment(outcome.at))
