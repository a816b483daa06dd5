"""Which channels get the ageing digest, when, and in which currencies."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.domain.errors import SettingRefused
from bot.domain.schedules import Schedule, days_label, read_days, read_time

if TYPE_CHECKING:
    from bot.domain.settings import Settings

ALL, OFF = "all", "off"
PARTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestPlan:
    """One channel's digest; no currencies named means all of them."""

    channel: str
    schedule: Schedule = field(default_factory=Schedule)
    currencies: tuple[str, ...] = ()
    is_on: bool = True

    @property
    def label(self) -> str:
        """`weekdays 09:00, all currencies`."""
        return f"{self.schedule.label}, {', '.join(self.currencies) or 'all currencies'}" if self.is_on else OFF


def plans_of(settings: "Settings", *, with_off: bool = False) -> tuple[DigestPlan, ...]:
    """All channels with a digest: those planned, and the digest channel at its usual time."""
    plans = {each.channel: each for each in written(settings.digests)}
    if settings.digest_channel and settings.digest_channel not in plans:
        plans[settings.digest_channel] = DigestPlan(channel=settings.digest_channel)
    return tuple(each for each in plans.values() if each.is_on or with_off)


def written(text: str) -> tuple[DigestPlan, ...]:
    """The plans of a stored text: `C0123 09:00 weekdays all; C0456 off`. Refuses: SettingRefused."""
    return tuple(_plan(entry.split()) for entry in text.split(";") if entry.strip())


def as_text(plan: DigestPlan) -> str:
    if not plan.is_on:
        return f"{plan.channel} {OFF}"
    days = days_label(plan.schedule.weekdays)
    return f"{plan.channel} {plan.schedule.at:%H:%M} {days} {','.join(plan.currencies) or ALL}"


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
    return DigestPlan(
        channel=channel,
        schedule=Schedule(at=read_time(at), weekdays=read_days(days)),
        currencies=() if codes == ALL else tuple(codes.split(",")),
    )
