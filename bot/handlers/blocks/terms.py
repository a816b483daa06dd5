"""What a customer buys on, as cards and forms show it: its limit and its payment mode."""

from datetime import datetime

from bot.domain.customers import Customer, Mode
from bot.domain.limits import LimitChanged, limit_at, used_of_limit
from bot.domain.modes import ModeSwitched
from bot.domain.money import Money
from bot.domain.settings import INVOICING, Settings
from bot.handlers.blocks.approvals import PEOPLE
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, balance, counted, money
from bot.handlers.blocks.top_ups import switched_lines
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button, context

CELLS = 10
WHOLE = 100
# How much is enough, by how a customer pays and is invoiced. Rule 63.
ADVICE = {
    Mode.PREPAID: (
        ("for some days", "enough for what is bought in that time"),
        ("for good", "large, until the customer tops up"),
    ),
    Mode.POSTPAID: (
        ("an invoice for each purchase, a monthly one for usage", "the usage expected"),
        ("one monthly invoice for everything", "subscriptions, hardware and services, and usage"),
        ("no invoices are sent", "subscriptions, hardware and services, and usage"),
    ),
}


def limit_parts(customer: Customer, settings: Settings, now: datetime) -> tuple[Part, ...]:
    """`Limit 100.00 until 30 Nov  Usable 91.33  in use 8.67 [bar] 9 %`. Rules 59, 61."""
    limit, locale = limit_at(customer, now), settings.locale
    parts: list[Part] = [bold("Limit "), amount(limit, locale)]
    if limit and customer.limit_ends_at is not None:
        parts += [" until ", moment(customer.limit_ends_at)]
    parts += [bold("  Usable "), amount(customer.usable(now), locale)]
    used = used_of_limit(customer, now)
    if limit and used:
        percent = used.micros * WHOLE // limit.micros
        parts.append(f"  in use {amount(used, locale)} {bar(percent)} {percent} %")
    return tuple(parts)


def bar(percent: int) -> str:
    """Ten cells, full as far as the share goes."""
    full = min(CELLS, percent * CELLS // WHOLE)
    return f"[{'█' * full}{'░' * (CELLS - full)}]"


def advice_lines(mode: Mode, invoicing: str) -> list[tuple[Part, ...]]:
    """The sizing advice for a mode; for postpaid the line of how this book sends invoices is marked. Rule 63."""
    head: tuple[Part, ...] = (bold(f"How much, for a {mode.value} customer"),)
    ours = INVOICING.index(invoicing) if mode is Mode.POSTPAID else None
    return [
        head,
        *(
            (f"{when}: {enough}", *((bold(" (this book)"),) if place == ours else ()))
            for place, (when, enough) in enumerate(ADVICE[mode])
        ),
    ]


def limit_effect(outcome: LimitChanged, settings: Settings) -> list[Block]:
    """The limit before and after, what may be spent then, and the advice."""
    before, after, locale = outcome.before, outcome.after, settings.locale
    lines: list[tuple[Part, ...]] = [
        (bold("What will happen"),),
        (typed(after.name), f" ({after.code}), {after.mode.value}"),
        _changed(outcome, settings),
        _usable(before, after, outcome.at, settings),
    ]
    if after.limit_ends_at is not None:
        lines.append(("After that there is none: the limit before it does not come back.",))
    if outcome.request is not None:
        lines.append((waits(outcome.needed, "the limit"),))
    elif outcome.is_below_use:
        used = money(used_of_limit(after, outcome.at), locale)
        lines.append((f"{used} is in use: nothing can be bought until that is paid or the limit is raised.",))
    return [rich(*lines, block_id="effect"), rich(*advice_lines(after.mode, settings.invoicing), block_id="advice")]


def waits(needed: int, what: str) -> str:
    """What is said before something that others approve is asked for."""
    return f"First {PEOPLE[needed]}; until then {what} stays as it is."


def _changed(outcome: LimitChanged, settings: Settings) -> tuple[Part, ...]:
    return (
        bold("Limit "),
        *limit_then(outcome.before, outcome.at, settings),
        " → ",
        *limit_then(outcome.after, outcome.at, settings),
    )


def limit_then(customer: Customer, at: datetime, settings: Settings) -> tuple[Part, ...]:
    limit = limit_at(customer, at)
    if not limit:
        return ("none",)
    worth = amount(limit, settings.locale)
    return (worth, " until ", moment(customer.limit_ends_at)) if customer.limit_ends_at is not None else (worth,)


def _usable(before: Customer, after: Customer, at: datetime, settings: Settings) -> tuple[Part, ...]:
    was, now = (amount(each.usable(at), settings.locale) for each in (before, after))
    return (bold("May still spend "), f"{was} → {now}")


def terms_title(customer: Customer, what: str) -> str:
    return f"Customer {customer.name} · {customer.code} · {what}"


def limit_card(outcome: LimitChanged, settings: Settings) -> list[Block]:
    """A customer has another limit."""
    return _card(outcome, f"limit {outcome.step}", [_changed(outcome, settings), _spend(outcome, settings)])


def asked_done(number: str) -> list[Block]:
    """What is said once others were asked."""
    return [
        rich((bold(number), " waits for approval."), block_id="done"),
        context("Its card is in the approvals channel; its thread holds each step."),
    ]


def limit_said(outcome: LimitChanged, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread."""
    said: tuple[Part, ...] = (person(outcome.by), f" limit {outcome.step}", " · ", moment(outcome.at), " · ")
    return (*said, *_changed(outcome, settings)[1:])


def _spend(outcome: LimitChanged | ModeSwitched, settings: Settings) -> tuple[Part, ...]:
    return _usable(outcome.before, outcome.after, outcome.at, settings)


def _card(outcome: LimitChanged | ModeSwitched, what: str, lines: list[tuple[Part, ...]]) -> list[Block]:
    customer, said = outcome.after, list[Block]()
    elements = [button("Customer", "customer_show", str(customer.id))]
    if outcome.undo_until is not None:
        elements.insert(0, undo_button(outcome.operation_id, outcome.trace().description))
        said.append(rich(("undo until ", moment(outcome.undo_until)), block_id="context"))
    return [
        rich((bold(typed(terms_title(customer, what))),), block_id="title"),
        rich(*lines, block_id="facts"),
        *said,
        {"type": "actions", "block_id": "actions", "elements": elements},
    ]


def mode_lines(outcome: ModeSwitched, settings: Settings) -> list[tuple[Part, ...]]:
    """Every consequence of a switch, one a line. Rules 65-68."""
    before, after, locale = outcome.before, outcome.after, settings.locale
    unbilled = Money(after.controls.unbilled, after.currency)
    prepaid = after.mode is Mode.PREPAID
    lines: list[tuple[Part, ...]] = [
        (bold("Balance "), balance(after.balance, locale), " stays as it is"),
        (
            bold("Credit limit "),
            *limit_then(before, outcome.at, settings),
            " → ",
            *limit_then(after, outcome.at, settings),
        ),
        _spend(outcome, settings),
        (
            bold("Usage not invoiced "),
            amount(unbilled, locale),
            " stays, and is invoiced at the end of the month" if unbilled else "",
        ),
        (bold("Usage from now on "), "is paid from credit at once" if prepaid else "waits for the monthly invoice"),
    ]
    if outcome.open_count:
        worth = amount(outcome.open_total, locale)
        lines.append((bold(counted(outcome.open_count, "open invoice").capitalize()), f" {worth}, due as before"))
    lines += switched_lines(outcome, settings)
    if outcome.request is not None:
        lines.append((waits(outcome.needed, "all of it"),))
    if outcome.lacks_limit:
        lines.append(("Without a limit nothing can be bought: give one here, or with /credit-limit.",))
    if outcome.keeps_limit:
        lines.append(("Consider removing the limit: a prepaid customer may spend it as well.",))
    return lines


def mode_effect(outcome: ModeSwitched, settings: Settings) -> list[Block]:
    """The dry run: what is different from now on, and what stays."""
    after = outcome.after
    head: tuple[Part, ...] = (bold(f"{outcome.before.mode.value} → {after.mode.value}, from now: "), typed(after.name))
    return [rich(head, *mode_lines(outcome, settings), block_id="effect")]


def mode_card(outcome: ModeSwitched, settings: Settings) -> list[Block]:
    """A customer pays another way."""
    return _card(outcome, mode_title(outcome), mode_lines(outcome, settings))


def mode_title(outcome: ModeSwitched) -> str:
    return f"{'again' if outcome.step == 'undone' else 'now'} {outcome.after.mode.value}"


def mode_said(outcome: ModeSwitched) -> tuple[Part, ...]:
    """The line of the thread."""
    changed = f" {outcome.before.mode.value} → {outcome.after.mode.value}"
    return (person(outcome.by), changed, " · ", moment(outcome.at))
