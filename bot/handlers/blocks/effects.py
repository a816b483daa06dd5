"""What an operation did or will do, line by line: for previews, cards and threads."""

from collections.abc import Sequence
from datetime import date, timedelta

from bot.domain.allocation import Effect
from bot.domain.customers import Mode
from bot.domain.open_items import Allocation, Invoice
from bot.domain.payments import PaymentChanged, PaymentStep, Postponed
from bot.domain.settings import Settings
from bot.handlers.blocks.invoice_kinds import asked_lines
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.text import amount, change, counted, date_text, money
from bot.handlers.forms import Block

MOST_LINES = 10
Line = tuple[Part, ...]
BECAUSE = {
    Postponed.CAME_LATER: "the payment came in later",
    Postponed.UNASSIGNED_LATER: "the payment was un-assigned later",
    Postponed.ASSIGNED_LATER: "the payment was assigned later",
    Postponed.ISSUED_LATER: "the invoice was issued later",
    Postponed.ALLOCATED_LATER: "it was allocated later",
    Postponed.MOVED_LATER: "the payment or the invoice was moved later",
}


def effect_preview(outcome: PaymentChanged, settings: Settings) -> list[Block]:
    """What will happen, below the form: what this step does to the payment, to invoices, and to what is owed."""
    lines: list[Line] = [(bold("What will happen"),), *_step_lines(outcome, settings)]
    lines += [*asked_lines(outcome.effect, settings), *effective_lines(outcome, settings)]
    if outcome.effect is not None:
        lines += effect_lines(outcome.effect, settings)
    if outcome.step in {PaymentStep.ASSIGNED, PaymentStep.UNASSIGNED}:
        left = outcome.payment.edits_left
        times = f"It can be assigned or un-assigned {counted(left, 'more time')} after this."
        lines.append((times if left else "This is the last time: the payment then stays as it is.",))
    return [rich(*lines, block_id="effect")]


def _step_lines(outcome: PaymentChanged, settings: Settings) -> list[Line]:
    payment, locale = outcome.payment, settings.locale
    worth = money(payment.amount, locale)
    if outcome.step is not PaymentStep.RECORDED:  # whose number is only given at the end
        worth = f"{payment.number}, {worth}"
    match outcome.step:
        case PaymentStep.VOIDED:
            return [(f"{worth}, is taken out of the books again; its number stays.",)]
        case PaymentStep.EDITED:
            return correction_lines(outcome)
        case PaymentStep.UNASSIGNED:
            return [(f"{worth}, is nobody's again and waits to be assigned.",)]
        case PaymentStep.PROVED:
            return [(worth,), *_proof_lines(outcome)]
        case PaymentStep.UNALLOCATED:
            return [*_taken_back_lines(outcome, settings), *left_lines(outcome, settings)]
        case PaymentStep.ALLOCATED:
            return [*made_lines(outcome, settings), *left_lines(outcome, settings)]
    who = typed(outcome.customer.name) if outcome.customer is not None else "nobody yet: assign it later"
    received = f"received {date_text(payment.received_on, locale)} by {payment.method.value}"
    lines: list[Line] = [(f"{worth}, {received}, for ", who)]
    lines += [*made_lines(outcome, settings), *left_lines(outcome, settings)]
    return [*lines, *_proof_lines(outcome)]


def _proof_lines(outcome: PaymentChanged) -> list[Line]:
    """The files that come with it, by name."""
    if not outcome.proofs:
        return []
    names: list[Line] = [(typed(each.name, 100),) for each in outcome.proofs]
    return [(f"With {counted(len(names), 'file')} as proof:",), *names]


def made_lines(outcome: PaymentChanged, settings: Settings) -> list[Line]:
    """What this operation matches."""
    return allocation_lines(outcome.made, settings, since=outcome.effective_on)


def allocation_lines(allocations: Sequence[Allocation], settings: Settings, *, since: date | None = None) -> list[Line]:
    """`INV-0042  300.00 of 300.00 → paid`; from which day, where that is later than the operation's."""
    lines: list[Line] = []
    for each in allocations[:MOST_LINES]:
        left = each.invoice_open
        after = (
            "paid"
            if not left
            else f"{amount(left, settings.locale)} left, due {date_text(each.due_on, settings.locale)}"
        )
        of = f"{amount(each.amount, settings.locale)} of {amount(each.invoice_total, settings.locale)}"
        lines.append((bold(each.invoice_number), f"  {of} → {after}{_from(each.effective_on, since, settings)}"))
    return [*lines, *_and_more(allocations)]


def _taken_back_lines(outcome: PaymentChanged, settings: Settings) -> list[Line]:
    """Each invoice that is owed again, and what the freed money pays at once."""
    touched = {each.invoice.id: each.invoice for each in outcome.effect.touched} if outcome.effect is not None else {}
    lines: list[Line] = []
    for each in outcome.taken_back[:MOST_LINES]:
        now = f"{_open_again(touched.get(each.invoice_id), settings)}{_from_later(each, outcome, settings)}"
        lines.append((bold(each.invoice_number), f"  {amount(each.amount, settings.locale)} taken back{now}"))
    return [*lines, *_and_more(outcome.taken_back), *made_lines(outcome, settings)]


def _open_again(invoice: Invoice | None, settings: Settings) -> str:
    return f" → {amount(invoice.open, settings.locale)} open" if invoice is not None else ""


def _from_later(taken_back: Allocation, outcome: PaymentChanged, settings: Settings) -> str:
    """Nothing is taken back before the day it was matched."""
    return _from(taken_back.effective_on, outcome.effective_on, settings)


def _from(day: date, since: date | None, settings: Settings) -> str:
    return f", from {date_text(day, settings.locale)}" if since is not None and day > since else ""


def _and_more(allocations: Sequence[Allocation]) -> list[Line]:
    rest = len(allocations) - MOST_LINES
    return [(f"and {counted(rest, 'more invoice')}",)] if rest > 0 else []


def correction_lines(outcome: PaymentChanged) -> list[Line]:
    """Each particular that changes: before and after."""
    return [
        (
            bold(f"{each.name.capitalize()} "),
            typed(each.before or "empty", 200),
            " → ",
            typed(each.after or "empty", 200),
        )
        for each in outcome.corrected
    ]


def left_lines(outcome: PaymentChanged, settings: Settings) -> list[Line]:
    if not outcome.left or outcome.customer is None:
        return []
    return [(f"{money(outcome.left, settings.locale)} left as credit",)]


def effective_lines(outcome: PaymentChanged, settings: Settings) -> list[Line]:
    """From which day it counts, where one was asked for; why it is not that one."""
    day, asked = outcome.effective_on, outcome.asked_on
    if day is None or asked is None:
        return []
    takes = f"Takes effect {date_text(day, settings.locale)}"
    if outcome.postponed is None:
        return [(f"{takes}.",)]
    because = BECAUSE.get(outcome.postponed, locked_up_to(day, settings))
    return [(f"{takes} ({date_text(asked, settings.locale)} was asked; {because}).",)]


def locked_up_to(first_open: date, settings: Settings) -> str:
    """Which lock moved a day, and who can pass it."""
    day = date_text(first_open - timedelta(days=1), settings.locale)
    may = "; a manager may post earlier with a reason" if settings.is_softly_locked else ""
    return f"the books are locked up to {day}{may}"


def effect_lines(effect: Effect, settings: Settings) -> list[Line]:
    """Amount due or balance before and after: what people check before they tap. Rules 20, 21, 113."""
    before, after = effect.before, effect.after
    if after.mode is Mode.PREPAID:
        return [(bold("Balance "), change(before.balance, after.balance, settings.locale))]
    moved = change(-before.amount_due, -after.amount_due, settings.locale)
    return [(bold("Amount due "), moved)]


def told(outcome: PaymentChanged, settings: Settings) -> str:
    """What was taken back, matched or corrected, in one line; nothing where the step says it all."""
    own, locale = outcome.payment.number, settings.locale

    def each_of(allocations: Sequence[Allocation], link: str) -> list[str]:
        return [
            f"{money(each.amount, locale)}{'' if each.lot_number == own else f' of {each.lot_number}'} "
            f"{link} {each.invoice_number}"
            for each in allocations[:MOST_LINES]
        ] + [text for line in _and_more(allocations) for text in line if isinstance(text, str)]

    matches = (", ".join(each_of(outcome.taken_back, "back from")), ", ".join(each_of(outcome.made, "to")))
    return "; ".join(filter(None, (*matches, ", ".join(each.name for each in outcome.corrected))))


def summary(outcome: PaymentChanged, settings: Settings) -> str:
    """The operation in one line, as its undo names it: `PAY-0001 allocated: SGD 100.00; SGD 100.00 to INV-0001`."""
    what = f"{outcome.payment.number} {outcome.step.value}: {money(outcome.moved, settings.locale)}"
    return "; ".join(filter(None, (what, told(outcome, settings))))
