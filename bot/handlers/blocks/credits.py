"""Cards of credit given, taken back and paid out, and of the master account."""

from collections.abc import Sequence

from bot.domain.credits import Credit, CreditChanged, CreditFile, CreditKind, CreditState
from bot.domain.master import MasterAccount, MasterEffect
from bot.domain.master_moves import MasterChanged, TopUp
from bot.domain.money import Money
from bot.domain.settings import Settings
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, moment, person, preformatted, rich, typed
from bot.handlers.blocks.text import amount, balance, date_text, money, shorten, table
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button

MOST_LINES = 5
NAMES = {
    CreditKind.ISSUE: "Credit issued",
    CreditKind.TAKE_BACK: "Credit taken back",
    CreditKind.PAYOUT: "Credit paid out by the platform",
    CreditKind.REFUND: "Usage refunded",
}


def credit_title(file: CreditFile, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    made = file.credit
    worth = money(made.amount, settings.locale)
    return f"{NAMES[made.kind]} {made.number} · {shorten(file.customer.name, 80)} · {worth} · {credit_status(file)}"


def credit_status(file: CreditFile) -> str:
    """The state as words; of an issue, how much of it is left."""
    if file.credit.state is CreditState.UNDONE:
        return "undone"
    if file.left is None:
        return "done"
    return "unused" if file.left == file.credit.amount else "partly used" if file.left else "used up"


def credit_card(file: CreditFile, settings: Settings, outcome: CreditChanged | None = None) -> list[Block]:
    """Title, facts, what it did to the balances, who did it, and undo while it can be undone."""
    made = file.credit
    said: tuple[Part, ...] = ("by ", person(made.recorded_by), " · ", moment(made.recorded_at))
    blocks = [
        rich((bold(typed(credit_title(file, settings))),), block_id="title"),
        rich(*_facts(file, settings), block_id="facts"),
    ]
    if outcome is not None:
        blocks.append(rich(*_moved(outcome, settings), block_id="effect"))
        if outcome.undo_until is not None:
            said = (*said, " · undo until ", moment(outcome.undo_until))
    return [*blocks, rich(said, block_id="context"), *_actions(file, settings, outcome)]


def _facts(file: CreditFile, settings: Settings) -> list[tuple[Part, ...]]:
    made = file.credit
    purpose = f"{made.purpose.value}, {date_text(made.made_on, settings.locale)}" if made.purpose is not None else ""
    lines: list[tuple[Part, ...]] = [(bold("Purpose "), purpose)] if purpose else []
    for label, text in (("Reason ", made.remark), ("Reference ", made.reference)):
        if text:
            lines.append((bold(label), typed(text, 500)))
    if file.left is not None and made.state is CreditState.MADE:
        lines.append((bold("Left of it "), amount(file.left, settings.locale)))
    return lines


def _moved(outcome: CreditChanged, settings: Settings) -> list[tuple[Part, ...]]:
    locale = settings.locale
    lines: list[tuple[Part, ...]] = list(effect_lines(outcome.effect, settings))
    unbilled = [Money(each.controls.unbilled, each.currency) for each in (outcome.effect.before, outcome.effect.after)]
    if unbilled[0] != unbilled[1]:
        lines.append((bold("Unbilled "), f"{amount(unbilled[0], locale)} → {amount(unbilled[1], locale)}"))
    lines += [(f"{amount(part, locale)} of ", bold(number)) for number, part in outcome.lots[:MOST_LINES]]
    for touched in outcome.effect.touched[:MOST_LINES]:
        invoice = touched.invoice
        left = "paid" if not invoice.open else f"{amount(invoice.open, locale)} left"
        lines.append((bold(invoice.label), f"  {amount(touched.open_before, locale)} → {left}"))
    return [*lines, *master_lines(outcome.master, settings)]


def master_lines(effect: MasterEffect | None, settings: Settings) -> list[tuple[Part, ...]]:
    """What the partner holds at the platform and what it can hand out of it, before and after. Rules 46, 50."""
    if effect is None:
        return []
    before, after, locale = effect.before, effect.after, settings.locale
    shown = [("Master account ", before.balance, after.balance), ("Can be handed out ", before.usable, after.usable)]
    return [
        (bold(label), amount(now, locale) if was == now else f"{amount(was, locale)} → {amount(now, locale)}")
        for label, was, now in shown
    ]


def _actions(file: CreditFile, settings: Settings, outcome: CreditChanged | None) -> list[Block]:
    made = file.credit
    if made.state is CreditState.UNDONE:
        return []
    elements: list[Block] = []
    if outcome is not None and outcome.undo_until is not None:
        what = f"{made.number}, {money(made.amount, settings.locale)} of {shorten(file.customer.name, 80)}."
        elements.append(undo_button(outcome.operation_id, what))
    elements.append(button("Customer", "customer_show", str(made.customer_id)))
    return [{"type": "actions", "block_id": "actions", "elements": elements}]


def credit_effect(outcome: CreditChanged, settings: Settings) -> list[Block]:
    """What will happen, before it is confirmed."""
    made, locale = outcome.credit, settings.locale
    name = typed(outcome.effect.after.name)
    first: dict[CreditKind, tuple[Part, ...]] = {
        CreditKind.ISSUE: (f"{money(made.amount, locale)} of credit for ", name),
        CreditKind.TAKE_BACK: (f"{money(made.amount, locale)} of issued credit is taken from ", name),
        CreditKind.PAYOUT: (f"{money(made.amount, locale)} of ", name, " left by the platform; this is final"),
        CreditKind.REFUND: (f"{money(made.amount, locale)} of usage is refunded to ", name),
    }
    return [rich((bold("What will happen"),), first[made.kind], *_moved(outcome, settings), block_id="effect")]


def credit_said(outcome: CreditChanged, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread."""
    now = balance(outcome.effect.after.balance, settings.locale)
    return (person(outcome.by), f" {outcome.step}", " · ", moment(outcome.at), f" · balance {now}")


def credit_table(lines: Sequence[tuple[Credit, str]], settings: Settings) -> str:
    rows = [
        [
            made.number,
            shorten(name, 26),
            made.kind.value,
            made.purpose.value if made.purpose is not None else "",
            "undone" if made.state is CreditState.UNDONE else "",
            money(made.amount, settings.locale),
        ]
        for made, name in lines
    ]
    heads = ("number", "customer", "what", "purpose", "state", "amount")
    return table(rows, heads, ("left", "left", "left", "left", "left", "right"))


def top_up_title(made: TopUp, settings: Settings) -> str:
    return f"Master account topped up {made.number} · {money(made.amount, settings.locale)}"


def top_up_card(made: TopUp, settings: Settings, outcome: MasterChanged | None = None) -> list[Block]:
    """Money paid to the platform, and what there is to hand out now."""
    facts: list[tuple[Part, ...]] = [
        (bold("Paid "), f"{date_text(made.paid_on, settings.locale)} by {made.method.value}")
    ]
    for label, text in (("Reference ", made.reference), ("Remark ", made.remark)):
        if text:
            facts.append((bold(label), typed(text, 500)))
    moved = master_lines(outcome.effect, settings) if outcome is not None else []
    return [
        rich((bold(typed(top_up_title(made, settings))),), block_id="title"),
        rich(*facts, block_id="facts"),
        *([rich(*moved, block_id="effect")] if moved else []),
        rich(("by ", person(made.recorded_by), " · ", moment(made.recorded_at)), block_id="context"),
    ]


def master_changed_effect(outcome: MasterChanged, settings: Settings) -> list[Block]:
    """What will happen to the master account; the first top-up says what it begins to restrict."""
    after = outcome.effect.after
    lines: list[tuple[Part, ...]] = [(bold("What will happen"),)]
    if outcome.top_up is not None:
        lines.append((f"{money(outcome.top_up.amount, settings.locale)} is added to the master account",))
    if outcome.opened:
        owed = money(after.liability, settings.locale)
        lines.append((f"This opens it: customers hold {owed}, which it has to cover.",))
        lines.append((f"From now on {after.currency.code} credit that it cannot cover is not issued.",))
    if after.usable.micros < 0:
        lines.append(("It does not cover what customers hold: no credit can be issued.",))
    return [rich(*lines, *master_lines(outcome.effect, settings), block_id="effect")]


def master_card(accounts: Sequence[MasterAccount], settings: Settings) -> list[Block]:
    """Each currency's account: what stands there, what customers hold of it, what can be handed out. Rule 50."""
    heads = ("currency", "balance", "reserved", "owed to customers", "limit", "can be handed out")
    rows = [[each.currency.code, *(_plain(part, settings) for part in _parts(each))] for each in accounts]
    return [preformatted(table(rows, heads, ("left", *("right",) * 5)), block_id="master")]


def _parts(account: MasterAccount) -> tuple[Money, ...]:
    return account.balance, account.reserved, account.liability, account.limit, account.usable


def _plain(of: Money, settings: Settings) -> str:
    return amount(of, settings.locale)
