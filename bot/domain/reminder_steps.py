"""When a reminder of an invoice is due: the steps of a schedule, before, on and after the due date."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from bot.domain.errors import Refused, ScheduleRefused
from bot.domain.money import Money, currency

MOST_STEPS = 12
FURTHEST = 365
LONGEST_TEMPLATE_NAME = 60
EXAMPLE = "7 days after: First reminder"
_LINE = re.compile(
    r"(?:on(?: the)? due(?: date)?|(?P<days>\d{1,4}) days? (?P<side>before|after)(?: due)?)"
    r"(?:, every (?P<every>\d{1,4}) days?)?"
    r"(?:, from (?P<least>[A-Za-z]{3} [0-9.]{1,20}))?"
    r" ?: ?(?P<template>.+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A reminder so many days from the due date: notices come before and on it, levels after, each after the one
    before was sent. A level may repeat until the next one is due.
    """

    offset: int
    template: str
    level: int = 0
    every: int = 0
    least: Money | None = None

    @property
    def label(self) -> str:
        """`7 days after, every 14 days, from SGD 50: First reminder`, as it is typed."""
        days = f"{abs(self.offset)} day{'' if abs(self.offset) == 1 else 's'}"
        said = "on due" if not self.offset else f"{days} {'before' if self.offset < 0 else 'after'}"
        said += f", every {self.every} days" if self.every else ""
        if self.least is not None:
            said += f", from {self.least.currency.code} {self.least.decimal().normalize():f}"
        return f"{said}: {self.template}"

    @property
    def name(self) -> str:
        """`level 2`, or `notice` before and on the due date."""
        return f"level {self.level}" if self.level else "notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far an invoice was reminded: the level that was sent last, how often and when, and the last notice."""

    level: int = 0
    times: int = 0
    sent_on: date | None = None
    notice: int | None = None  # its offset


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A step that is due for an invoice, since when, and whether it was sent before."""

    step: Step
    since: date
    times: int = 0


NEVER = Reached()


def read_steps(text: str) -> tuple[Step, ...]:
    """The steps of a schedule, one a line, in the order of their days. Refuses: ScheduleRefused."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise ScheduleRefused(f"A schedule needs a line such as {EXAMPLE}.", field="steps")
    if len(lines) > MOST_STEPS:
        raise ScheduleRefused(f"A schedule has at most {MOST_STEPS} lines.", field="steps")
    read = sorted((_read(number, line) for number, line in enumerate(lines, 1)), key=lambda each: each.offset)
    for before, after in pairwise(read):
        if before.offset == after.offset:
            raise ScheduleRefused(f"Two lines are for the same day: {before.label} and {after.label}.", field="steps")
    levels = 0
    made = []
    for step in read:
        levels += step.offset > 0
        made.append(
            Step(
                offset=step.offset,
                template=step.template,
                level=levels if step.offset > 0 else 0,
                every=step.every,
                least=step.least,
            )
        )
    return tuple(made)


def _read(number: int, line: str) -> Step:
    found = _LINE.fullmatch(" ".join(line.split()))
    if found is None:
        raise ScheduleRefused(
            f"Line {number} cannot be read: {line.strip()[:60]}. Type one such as {EXAMPLE},"
            " or 3 days before: Friendly notice, on due: Due today, 30 days after, every 14 days: Final notice.",
            field="steps",
        )
    days, every = int(found["days"] or 0), int(found["every"] or 0)
    before = (found["side"] or "").lower() == "before"
    if days > FURTHEST or every > FURTHEST:
        raise ScheduleRefused(f"Line {number}: days go up to {FURTHEST}.", field="steps")
    if found["every"] and (before or not days or not every):
        raise ScheduleRefused(
            f"Line {number}: only what comes after the due date repeats, every 1 day or more.", field="steps"
        )
    if len(found["template"].strip()) > LONGEST_TEMPLATE_NAME:
        raise ScheduleRefused(f"Line {number}: no template has such a long name.", field="steps")
    return Step(
        offset=-days if before else days,
        template=found["template"].strip(),
        every=every,
        least=_least(number, found["least"]),
    )


def _least(number: int, text: str | None) -> Money | None:
    if not text:
        return None
    code, _, amount = text.partition(" ")
    try:
        return Money.parse(amount, currency(code))
    except Refused as refusal:
        raise ScheduleRefused(f"Line {number}: {refusal.sentence}", field="steps") from None


@lru_cache(maxsize=256)
def steps_of(text: str) -> tuple[Step, ...]:
    """The steps of a schedule as it is kept."""
    return read_steps(text)


def due_step(steps: tuple[Step, ...], due_on: date, reached: Reached, today: date) -> Due | None:
    """The step to send for an invoice on a day, if any.

    A level is due once its day has come and the level before was sent, at least as long ago as the schedule has between
    the two: who was reminded late is not rushed through the rest. A notice is due from its day until the next step's,
    so that one missed in an outage is made good as long as it still tells the truth.
    """
    late = (today - due_on).days
    for step in steps:
        if step.level == reached.level + 1:
            return _first(step, steps, due_on, reached, today) or _again(steps, reached, today)
    return _again(steps, reached, today) if reached.level else _notice(steps, late, due_on, reached)


def _first(step: Step, steps: tuple[Step, ...], due_on: date, reached: Reached, today: date) -> Due | None:
    """The next level, or the notice before it."""
    since = due_on + timedelta(days=step.offset)
    if reached.level and reached.sent_on is not None:
        before = next((each for each in steps if each.level == reached.level), None)
        gap = step.offset - (before.offset if before is not None else 0)
        since = max(since, reached.sent_on + timedelta(days=gap))
    if since <= today:
        return Due(step=step, since=since)
    return None if reached.level else _notice(steps, (today - due_on).days, due_on, reached)


def _notice(steps: tuple[Step, ...], late: int, due_on: date, reached: Reached) -> Due | None:
    """The newest notice whose day has come, unless it was sent; none once the due date has passed."""
    if late > 0:
        return None
    come = [step for step in steps if not step.level and step.offset <= late]
    if not come or (reached.notice is not None and reached.notice >= come[-1].offset):
        return None
    return Due(step=come[-1], since=due_on + timedelta(days=come[-1].offset))


def _again(steps: tuple[Step, ...], reached: Reached, today: date) -> Due | None:
    """The level that was reached, once more, if it repeats; of a shorter schedule its last step, as that level."""
    levels = [step for step in steps if step.level]
    if not reached.level or not levels or reached.sent_on is None:
        return None
    step = replace(levels[min(reached.level, len(levels)) - 1], level=reached.level)
    since = reached.sent_on + timedelta(days=step.every)
    return Due(step=step, since=since, times=reached.times) if step.every and since <= today else None
