"""What keeps debts from being chased, added up by currency: disputes with their age, promises open and broken."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.domain.money import Money, total
from bot.domain.promises import PromiseStanding, PromiseState


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputedSum:
    """The disputed invoices of one currency: how many, what is open of them, since when the oldest is disputed."""

    count: int
    open: Money
    since: date


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """One currency: what is disputed, and what was promised, open or broken."""

    disputes: int
    disputed: Money
    oldest_days: int
    promises: int
    promised: Money
    broken: int
    promised_broken: Money | None = None  # of the promised, what was not kept; nothing in digests of before
    next_on: date | None = None  # the next day that something open is promised for


def held_back(
    disputes: Sequence[DisputedSum], promises: Sequence[PromiseStanding], as_of: date
) -> Mapping[str, HeldBack]:
    """By currency; kept promises hold nothing back any more."""
    by_code = {each.open.currency.code: each for each in disputes}
    standing: dict[str, list[PromiseStanding]] = defaultdict(list)
    for each in promises:
        if each.state(as_of) in {PromiseState.OPEN, PromiseState.BROKEN}:
            standing[each.promise.amount.currency.code].append(each)
    return {code: _held(by_code.get(code), standing[code], as_of) for code in sorted({*by_code, *standing})}


def _held(disputed: DisputedSum | None, promises: Sequence[PromiseStanding], as_of: date) -> HeldBack:
    of = disputed.open.currency if disputed is not None else promises[0].promise.amount.currency
    broken = [each.promise for each in promises if each.state(as_of) is PromiseState.BROKEN]
    waited_for = [each.promise.promised_on for each in promises if each.state(as_of) is PromiseState.OPEN]
    return HeldBack(
        disputes=disputed.count if disputed is not None else 0,
        disputed=disputed.open if disputed is not None else Money(0, of),
        oldest_days=max(0, (as_of - disputed.since).days) if disputed is not None else 0,
        promises=len(promises),
        promised=total([each.promise.amount for each in promises], of),
        broken=len(broken),
        promised_broken=total([each.amount for each in broken], of),
        next_on=min(waited_for, default=None),
    )
