"""Which channels get the ageing digest, in which form, when, and in which currencies."""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.errors import SettingRefused
from bot.domain.schedules import LAST_MONTHDAY, Schedule, days_label, read_days, read_time

if TYPE_CHECKING:
    from bot.domain.settings import Settings

ALL, OFF = "all", "off"
PARTS = 4


class Form(StrEnum):
    """What a digest is about: the time since the last one, a week, or a month with what happened in it."""

    DAYS = "days"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """One channel's digest; no currencies named means all of them."""

    channel: str
    schedule: Schedule = field(default_factory=Schedule)
    form: Form = Form.DAYS
    currencies: tuple[str, ...] = ()
    is_on: bool = True

    @property
    def label(self) -> str:
        """`weekdays 09:00, all currencies` or `weekly mon 09:00, SGD`, as it is typed."""
        if not self.is_on:
            return OFF
        return f"{' '.join(_when(self))} {self.schedule.at:%H:%M}, {', '.join(self.currencies) or 'all currencies'}"

    def on(self, days: str) -> "DigestPlan":
        """The same plan on other days: `mon-fri`, `weekly mon` or `monthly 1`. Refuses: SettingRefused."""
        form, _, rest = days.strip().lower().partition(" ")
        if form == Form.MONTHLY:
            return replace(self, form=Form.MONTHLY, schedule=Schedule(at=self.schedule.at, monthday=_monthday(rest)))
        if form == Form.WEEKLY:
            return replace(self, form=Form.WEEKLY, schedule=Schedule(at=self.schedule.at, weekdays=_weekday(rest)))
        return replace(self, form=Form.DAYS, schedule=Schedule(at=self.schedule.at, weekdays=read_days(days)))


def plans_of(settings: "Settings", *, with_off: bool = False) -> tuple[DigestPlan, ...]:
    """All channels with a digest: those planned, and the digest channel at its usual time."""
    plans = {each.channel: each for each in written(settings.digests)}
    if settings.digest_channel and settings.digest_channel not in plans:
        plans[settings.digest_channel] = DigestPlan(channel=settings.digest_channel)
    return tuple(each for each in plans.values() if each.is_on or with_off)


def plan_of(settings: "Settings", channel: str) -> DigestPlan:
    """The plan of a channel; the usual one where it has none any more."""
    found = (each for each in plans_of(settings) if each.channel == channel)
    return next(found, DigestPlan(channel=channel))


def written(text: str) -> tuple[DigestPlan, ...]:
    """The plans of a stored text: `C0123 09:00 weekdays all; C0456 09:00 monthly:1 SGD; C0789 off`. Refuses:
    SettingRefused.
    """
    return tuple(_plan(entry.split()) for entry in text.split(";") if entry.strip())


def as_text(plan: DigestPlan) -> str:
    if not plan.is_on:
        return f"{plan.channel} {OFF}"
    return f"{plan.channel} {plan.schedule.at:%H:%M} {':'.join(_when(plan))} {','.join(plan.currencies) or ALL}"


def check_plans(value: str) -> str:
    """A text of plans in its stored form. Refuses: SettingRefused."""
    return "; ".join(as_text(each) for each in written(value))


def _plan(words: list[str]) -> DigestPlan:
    if len(words) == 2 and words[1] == OFF:  # noqa: PLR2004  # a channel and off
        return DigestPlan(channel=words[0], is_on=False)
    if len(words) != PARTS:
        raise SettingRefused(
            "Plan a digest with /duedesk settings digest #channel at 09:00 on weekdays.", field="value"
        )
    channel, at, days, codes = words
    made = DigestPlan(
        channel=channel,
        schedule=Schedule(at=read_time(at)),
        currencies=() if codes == ALL else tuple(codes.split(",")),
    )
    return made.on(days.replace(":", " "))


def _when(plan: DigestPlan) -> tuple[str, ...]:
    """Its form, if it has one, and its days."""
    if plan.form is Form.MONTHLY:
        return (plan.form.value, str(plan.schedule.monthday))
    days = days_label(plan.schedule.weekdays)
    return (plan.form.value, days) if plan.form is Form.WEEKLY else (days,)


def _monthday(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,2}", text.strip()) is None or not 1 <= int(text) <= LAST_MONTHDAY:
        raise SettingRefused(
            f"A monthly digest has a day from 1 to {LAST_MONTHDAY}, such as monthly 1 09:00.", field="value"
        )
    return int(text)


def _weekday(text: str) -> tuple[int, ...]:
    days = read_days(text) if text.strip() else ()
    if len(days) != 1:
        raise SettingRefused("A weekly digest has one day of the week, such as weekly mon 09:00.", field="value")
    return days
