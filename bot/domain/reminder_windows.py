"""When a customer may be written to: working hours of its own zone, on working days that are no public holiday."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from bot.domain.errors import SettingRefused
from bot.domain.schedules import WEEKDAYS, instant, read_time

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From when until when on a working day somebody may be written to."""

    opens: time = time(8)
    closes: time = time(18)
    weekdays: tuple[int, ...] = WEEKDAYS

    @property
    def label(self) -> str:
        """`08:00-18:00`, as it is typed."""
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Within these instants a message is sent: a customer's working hours, and not before the book sends."""

    hours_from: datetime
    opens_at: datetime
    closes_at: datetime


def read_hours(text: str) -> Hours:
    """`08:00-18:00`. Refuses: SettingRefused."""
    found = re.fullmatch(r"\s*([0-9:]+)\s*(?:-|–|to)\s*([0-9:]+)\s*", text)
    if found is None:
        raise SettingRefused("Type from when until when, such as 08:00-18:00.", field="value")
    hours = Hours(opens=read_time(found[1]), closes=read_time(found[2]))
    if hours.closes <= hours.opens:
        raise SettingRefused("The hours end after they begin, such as 08:00-18:00.", field="value")
    return hours


@lru_cache(maxsize=1024)
def holiday(day: date, country: str) -> str:
    """What a public holiday of a country is called, by its ISO code; nothing on other days, or where none is known."""
    import holidays  # takes a moment, and is needed once reminders are planned

    if country not in _countries():
        return ""
    return str(holidays.country_holidays(country, years=day.year).get(day) or "")


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    import holidays  # as above

    return frozenset(holidays.list_supported_countries())


def is_known_country(country: str) -> bool:
    """Whether the public holidays of a country are known."""
    return country in _countries()


def is_working_day(day: date, hours: Hours, country: str) -> bool:
    return day.weekday() in hours.weekdays and not (country and holiday(day, country))


@lru_cache(maxsize=4096)
def window_of(send_at: datetime, hours: Hours, zone: str, country: str) -> Window | None:
    """The first working hours of a customer that have not ended at the time of sending; nothing when none begin within
    a day of it, for then another plan comes first.
    """
    local = send_at.astimezone(ZoneInfo(zone)).date()
    for day in (local, local + DAY):
        opens, closes = instant(day, hours.opens, zone), instant(day, hours.closes, zone)
        if closes <= send_at or opens >= send_at + DAY or not is_working_day(day, hours, country):
            continue
        return Window(hours_from=opens, opens_at=max(opens, send_at), closes_at=closes)
    return None
