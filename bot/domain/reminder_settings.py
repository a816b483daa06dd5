"""What a book has decided about reminders: when they are planned and sent, and to whom never."""

from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.errors import SettingRefused
from bot.domain.reminder_plan import CustomerFacts, Planned, Policy, decide
from bot.domain.reminder_windows import Hours, is_known_country, is_working_day, read_hours
from bot.domain.schedules import Schedule, days_label, instant, read_days, read_time

if TYPE_CHECKING:
    from bot.domain.settings import Settings

OFF, REVIEW, AUTOMATIC = "off", "review", "automatic"
WAYS = (OFF, REVIEW, AUTOMATIC)
TIMES = ("reminder_plan_at", "reminder_send_at", "reminder_hours")
LONGEST_GAP = 90
LONGEST_FRESH = 60
LONGEST_NOTE = 1000
LOOKED_AHEAD = 60  # days
FEW = 200  # invoices; of a customer with more a few days are looked at


def hours_of(settings: "Settings") -> Hours:
    """The hours of the book, on the days on which it reminds."""
    return replace(read_hours(settings.reminder_hours), weekdays=read_days(settings.reminder_days))


def plan_schedule(settings: "Settings") -> Schedule | None:
    """When the plan of a day is made; never when reminders are off."""
    if settings.reminders == OFF:
        return None
    return Schedule(at=read_time(settings.reminder_plan_at), weekdays=read_days(settings.reminder_days))


def is_sending_day(settings: "Settings", day: date) -> bool:
    """Whether anything is sent on a day: one of the book's days, and no public holiday of its country."""
    return is_working_day(day, hours_of(settings), settings.reminder_holidays)


def send_at_of(settings: "Settings", day: date, now: datetime) -> datetime | None:
    """When a plan that is made now is sent: at its time, or, when that is late, after as long as people usually have to
    look at it; not at all when that is after hours.
    """
    usual = instant(day, read_time(settings.reminder_send_at), settings.zone)
    look = usual - instant(day, read_time(settings.reminder_plan_at), settings.zone)
    at = max(usual, now + look if settings.reminders == REVIEW and now > usual - look else now)
    return at if at < instant(day, hours_of(settings).closes, settings.zone) else None


def policy_of(
    settings: "Settings", day: date, templates: AbstractSet[str], *, send_at: datetime | None = None
) -> Policy:
    """What holds on a day; `templates` are the names of all that there are, folded."""
    return Policy(
        today=day,
        send_at=send_at or instant(day, read_time(settings.reminder_send_at), settings.zone),
        zone=settings.zone,
        country=settings.reminder_holidays,
        hours=hours_of(settings),
        gap_days=settings.reminder_gap_days,
        templates=frozenset(templates),
        is_off=settings.reminders == OFF,
    )


def next_look(customer: CustomerFacts, settings: "Settings", today: date, templates: AbstractSet[str]) -> date | None:
    """The first day on which something would be sent as things stand now, if any within some weeks."""
    ahead = LOOKED_AHEAD if len(customer.invoices) <= FEW else LOOKED_AHEAD // 10
    for days in range(ahead):
        day = today + timedelta(days=days)
        if isinstance(decide(customer, policy_of(settings, day, templates)), Planned):
            return day
    return None


def check_time(value: str) -> str:
    """A time of day in its stored form. Refuses: SettingRefused."""
    return f"{read_time(value):%H:%M}"


def check_order(settings: "Settings") -> None:
    """A plan is made before it is sent, and sent before the hours end: otherwise nobody could look at it, or nothing
    would ever be sent. Refuses: SettingRefused.
    """
    plan_at, send_at = read_time(settings.reminder_plan_at), read_time(settings.reminder_send_at)
    if not plan_at < send_at < hours_of(settings).closes:
        times = f"at {plan_at:%H:%M} and sent at {send_at:%H:%M} within {settings.reminder_hours}"
        raise SettingRefused(
            f"Reminders would be planned {times}; they are planned before they are sent, and sent before the hours end."
            " Change another of the three first.",
            field="value",
        )


def check_hours(value: str) -> str:
    """`08:00-18:00` in its stored form. Refuses: SettingRefused."""
    return read_hours(value).label


def check_days(value: str) -> str:
    """Days of the week in their stored form. Refuses: SettingRefused."""
    return days_label(read_days(value.strip()))


def check_holidays(value: str) -> str:
    """A country whose public holidays are kept, or nothing. Refuses: SettingRefused."""
    country = value.strip().upper()
    if country and not is_known_country(country):
        raise SettingRefused(
            f"The public holidays of {country[:20]} are not known; type a code such as SG or DE, or nothing.",
            field="value",
        )
    return country


def check_note(value: str) -> str:
    """How to pay, as reminders say it. Refuses: SettingRefused."""
    if len(value) > LONGEST_NOTE:
        raise SettingRefused(f"Keep the payment note to {LONGEST_NOTE} characters.", field="value")
    return value
