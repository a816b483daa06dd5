"""The card of a withdrawal: the evidence that a person needs to approve it, as it stands now."""

from collections.abc import Sequence

from bot.domain.approvals import ApprovalChanged
from bot.domain.money import Money
from bot.domain.operation import DocumentKind
from bot.domain.settings import Settings
from bot.domain.withdrawals import Withdrawal, WithdrawalChanged, WithdrawalFile, WithdrawalState
from bot.handlers.blocks.approvals import asked_parts, decided_lines, deciding, decision_said
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, balance, change, date_text, money, shorten, table
from bot.handlers.forms import Block, button, confirmation, option

PERMANENT = "The record is permanent: it can be rejected or cancelled while it waits, and is never deleted."
MOST_LOTS = 5


def withdrawal_status(file: WithdrawalFile) -> str:
    """The state as words: how many approvals are missing, or how it ended."""
    state = file.withdrawal.state
    if state is WithdrawalState.REQUESTED:
        return file.approval.status
    return "approved, to be paid" if state is WithdrawalState.APPROVED else state.value


def withdrawal_title(file: WithdrawalFile, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    made = file.withdrawal
    worth = money(made.amount, settings.locale)
    return f"Withdrawal {made.number} · {shorten(file.customer.name, 80)} · {worth} · {withdrawal_status(file)}"


def withdrawal_card(file: WithdrawalFile, settings: Settings) -> list[Block]:
    """Title, facts, what it does to the balance, who asked and who decides, and what can be done."""
    return [
        rich((bold(typed(withdrawal_title(file, settings))),), block_id="title"),
        rich(*_facts(file, settings), block_id="facts"),
        rich(*_evidence(file, settings), block_id="effect"),
        rich(asked_parts(file.approval), *decided_lines(file.approval), block_id="context"),
        *_actions(file, settings),
    ]


def _facts(file: WithdrawalFile, settings: Settings) -> list[tuple[Part, ...]]:
    made = file.withdrawal
    to = (" · ", typed(made.details)) if made.details else ()
    lines: list[tuple[Part, ...]] = [
        (bold("Pay out by "), made.gateway.value, *to),
        (bold("Reason "), typed(made.reason, 500)),
    ]
    if made.paid_on is not None:
        lines.append((bold("Paid "), date_text(made.paid_on, settings.locale), ", reference ", typed(made.reference)))
    return lines


def _evidence(file: WithdrawalFile, settings: Settings) -> list[tuple[Part, ...]]:
    made, customer, locale = file.withdrawal, file.customer, settings.locale
    lines: list[tuple[Part, ...]] = []
    if made.state is WithdrawalState.REQUESTED:
        reserved = Money(customer.controls.reserved, customer.currency)
        lines += [
            (bold("Balance "), change(customer.balance, customer.balance - made.amount, locale)),
            (bold("Reserved now "), amount(reserved, locale)),
            (bold("Paid-in money left "), amount(file.paid_in_left, locale)),
        ]
    else:
        lines.append((bold("Balance "), balance(customer.balance, locale)))
    taken = [
        (f"{amount(part, locale)} of ", bold(number), f" from {date_text(day, locale)}")
        for number, day, part in file.lots[:MOST_LOTS]
    ]
    lines += taken
    if len(file.lots) > MOST_LOTS:
        lines.append((f"and of {len(file.lots) - MOST_LOTS} more credits",))
    return [*lines, *_earlier(file, settings)]


def _earlier(file: WithdrawalFile, settings: Settings) -> list[tuple[Part, ...]]:
    """The last withdrawals; money that goes somewhere else than last time is pointed out."""
    if not file.earlier:
        return [(bold("Last withdrawals "), "none")]
    shown = ", ".join(
        f"{each.number} {amount(each.amount, settings.locale)}"
        + (f" on {date_text(each.executed_on, settings.locale)}" if each.executed_on is not None else "")
        for each in file.earlier
    )
    lines: list[tuple[Part, ...]] = [(bold("Last withdrawals "), shown)]
    last = file.earlier[0]
    if (last.gateway, last.details) != (file.withdrawal.gateway, file.withdrawal.details):
        lines.append((bold("Paid out differently than "), last.number, ": check by phone."))
    return lines


def _actions(file: WithdrawalFile, settings: Settings) -> list[Block]:
    made, approval = file.withdrawal, file.approval
    customer = button("Customer", "customer_show", str(made.customer_id))
    if made.state is WithdrawalState.REQUESTED:
        sure = confirmation(
            "Approve this withdrawal?",
            f"{money(made.amount, settings.locale)} of {shorten(file.customer.name, 80)} leaves. It cannot be undone.",
            yes="Approve",
        )
        more = [option("Cancel the request", f"cancel:{approval.id}")]
        elements = [
            *deciding(approval, sure),
            customer,
            {"type": "overflow", "action_id": "withdrawal_more", "options": more},
        ]
    elif made.state is WithdrawalState.APPROVED:
        elements = [button("Mark as paid…", "withdrawal_paid", str(made.id), style="primary"), customer]
    else:
        return []
    return [{"type": "actions", "block_id": "actions", "elements": elements}]


def requested_effect(outcome: WithdrawalChanged, settings: Settings) -> list[Block]:
    """What a request does, and the warning that comes before confirming it. Rule 42."""
    locale, before, after = settings.locale, outcome.effect.before, outcome.effect.after
    made = outcome.withdrawal
    lines: list[tuple[Part, ...]] = [
        (bold("What will happen"),),
        (f"{money(made.amount, locale)} of ", typed(after.name), f" is to leave by {made.gateway.value}"),
        *((f"{amount(part, locale)} of ", bold(number)) for number, part in outcome.lots[:MOST_LOTS]),
    ]
    reserved = [Money(each.controls.reserved, each.currency) for each in (before, after)]
    lines.append((bold("Reserved "), f"{amount(reserved[0], locale)} → {amount(reserved[1], locale)}"))
    if outcome.needed:
        people = "one manager approves" if outcome.needed == 1 else "two managers approve"
        lines.append((f"The balance stays until {people}; you cannot approve it yourself.",))
    else:
        lines.append(effect_lines(outcome.effect, settings)[0])
    return [rich(*lines, (PERMANENT,), block_id="effect")]


def paid_effect(outcome: WithdrawalChanged, settings: Settings) -> list[Block]:
    made = outcome.withdrawal
    worth = money(made.amount, settings.locale)
    return [
        rich(
            (bold("What will happen"),),
            (f"{made.number}, {worth}, is marked as paid by {made.gateway.value}; this is final.",),
            block_id="effect",
        )
    ]


def closed_effect(outcome: ApprovalChanged, settings: Settings) -> list[Block]:
    """A request that is turned down or taken back: what is free again, and what that pays at once."""
    worth = money(outcome.approval.amount, settings.locale)
    released = outcome.approval.document is DocumentKind.WITHDRAWAL
    what = f"{worth} is released" if released else "nothing else changes"
    lines: list[tuple[Part, ...]] = [
        (bold("What will happen"),),
        (f"{outcome.approval.label} is {outcome.step}; {what}.",),
        *((bold(each.invoice.label), " is paid with it") for each in outcome.effect.touched[:MOST_LOTS]),
    ]
    return [rich(*lines, block_id="effect")]


def said(outcome: ApprovalChanged | WithdrawalChanged, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread: who did what, when, and what came of it."""
    if isinstance(outcome, WithdrawalChanged):
        parts: tuple[Part, ...] = (person(outcome.by), f" {outcome.step}", " · ", moment(outcome.at))
        reference = outcome.withdrawal.reference
        return (*parts, " · reference ", typed(reference)) if reference else parts
    parts = decision_said(outcome)
    if outcome.step == "still waits":
        return parts
    if outcome.released:
        return (*parts, f" · {money(outcome.approval.amount, settings.locale)} released")
    seen = f" · evidence version {outcome.approval.version}"
    if outcome.effect.before.balance != outcome.effect.after.balance:
        seen += f" · executed, balance {balance(outcome.effect.after.balance, settings.locale)}"
    return (*parts, seen)


def withdrawal_table(lines: Sequence[tuple[Withdrawal, str]], settings: Settings) -> str:
    rows = [
        [made.number, shorten(name, 26), made.gateway.value, made.state.value, money(made.amount, settings.locale)]
        for made, name in lines
    ]
    return table(rows, ("number", "customer", "by", "state", "amount"), ("left", "left", "left", "left", "right"))
