"""When something is due: wall-clock times of a zone, a business day at a time, each day once."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bot.domain.errors import SettingRefused

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GROUPS = {"weekdays": (0, 1, 2, 3, 4), "daily": tuple(range(7)), "weekends": (5, 6)}
WEEKDAYS = GROUPS["weekdays"]
NINE = time(9)
WEEK = 7
MONTH = 31
LAST_MONTHDAY = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A time of day on some days of the week, or on one of each month, in the book's zone."""

    at: time = NINE
    weekdays: tuple[int, ...] = WEEKDAYS
    monthday: int = 0  # of each month, instead of days of the week

    def falls_on(self, day: date) -> bool:
        return day.day == self.monthday if self.monthday else day.weekday() in self.weekdays

    def is_of_month(self, last: date, day: date) -> bool:
        """Whether it was done in the month of that day already: once a month is once."""
        return bool(self.monthday) and (last.year, last.month) == (day.year, day.month)

    @property
    def reach(self) -> int:
        """Within so many days it falls on one of them."""
        return MONTH if self.monthday else WEEK

    @property
    def label(self) -> str:
        """`weekdays 09:00`, as it is shown and typed."""
        days = f"day {self.monthday} of each month" if self.monthday else days_label(self.weekdays)
        return f"{days} {self.at:%H:%M}"


@lru_cache(maxsize=1024)
def is_known_zone(zone: str) -> bool:
    """Whether a time zone is one, such as Asia/Singapore."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def instant(day: date, at: time, zone: str) -> datetime:
    """The instant of a local time: the first of two in autumn, and the next one there is in spring."""
    place = ZoneInfo(zone)
    wanted = datetime.combine(day, at)  # a wall clock, given its zone below
    first, second = (wanted.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first.astimezone(place).replace(tzinfo=None) == wanted:
        return first
    # The clocks jump over this time between `second` and `first`: what exists next is the moment of the jump.
    low, high = min(first, second), max(first, second)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(place).replace(tzinfo=None) >= wanted:
            high = middle
        else:
            low = middle
    return (low if low.astimezone(place).replace(tzinfo=None) >= wanted else high).replace(microsecond=0)


def due(schedule: Schedule, last: date | None, now: datetime, zone: str) -> date | None:
    """The business day to run for now, if any: the newest whose time has come and that comes after the last.

    Days missed in an outage are caught up by the newest alone. What never ran begins today, not with a day gone by.
    """
    today = now.astimezone(ZoneInfo(zone)).date()
    for back in range(schedule.reach + 1):
        day = today - timedelta(days=back)
        if schedule.falls_on(day) and instant(day, schedule.at, zone) <= now:
            is_new = day == today if last is None else day > last and not schedule.is_of_month(last, day)
            return day if is_new else None
    return None


def next_run(schedule: Schedule, last: date | None, now: datetime, zone: str) -> datetime:
    """When it runs next: now when it is due, else the first time still to come."""
    if due(schedule, last, now, zone) is not None:
        return now
    today = now.astimezone(ZoneInfo(zone)).date()
    days = [today + timedelta(days=ahead) for ahead in range(2 * schedule.reach + 1)]
    coming = [
        instant(day, schedule.at, zone)
        for day in days
        if schedule.falls_on(day) and (last is None or (day > last and not schedule.is_of_month(last, day)))
    ]
    return min(each for each in coming if each > now)


def read_time(text: str) -> time:
    """`09:00`, `9:30` or `17:00`. Refuses: SettingRefused."""
    found = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})", text.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:  # noqa: PLR2004  # a day's hours and minutes
        raise SettingRefused(
            f"{text.strip()[:20] or 'Nothing'} is no time of day; type one such as 09:00.", field="value"
        )
    return time(int(found[1]), int(found[2]))


def read_days(text: str) -> tuple[int, ...]:
    """`weekdays`, `daily`, `mon-fri` or `mon, thu`. Refuses: SettingRefused."""
    days: set[int] = set()
    for word in re.sub(r"\s*-\s*", "-", text.lower()).replace(",", " ").split():
        begin, dash, end = (part[:3] if part not in GROUPS else part for part in word.partition("-"))
        if word in GROUPS:
            days.update(GROUPS[word])
        elif begin in DAYS and not dash:
            days.add(DAYS.index(begin))
        elif begin in DAYS and end in DAYS:
            first, span = DAYS.index(begin), (DAYS.index(end) - DAYS.index(begin)) % WEEK
            days.update((first + ahead) % WEEK for ahead in range(span + 1))
        else:
            raise SettingRefused(
                f"{word[:20]} is no day of the week; type days such as mon,thu or mon-fri, weekdays or daily.",
                field="value",
            )
    if not days:
        raise SettingRefused("Type days such as mon,thu or mon-fri, weekdays or daily.", field="value")
    return tuple(sorted(days))


def read_monthly(text: str) -> Schedule | None:
    """`1 at 06:00`, a day of each month and a time, or `off`. Refuses: SettingRefused."""
    if text.strip().lower() == "off":
        return None
    found = re.fullmatch(r"([0-9]{1,2}) at ([0-9:]+)", " ".join(text.lower().split()))
    if found is None or not 1 <= int(found[1]) <= LAST_MONTHDAY:
        raise SettingRefused(
            f"Type a day from 1 to {LAST_MONTHDAY} and a time, such as 1 at 06:00, or off.", field="value"
        )
    return Schedule(at=read_time(found[2]), monthday=int(found[1]))


def check_monthly(value: str) -> str:
    """The same in its stored form. Refuses: SettingRefused."""
    schedule = read_monthly(value)
    return f"{schedule.monthday} at {schedule.at:%H:%M}" if schedule is not None else "off"


def read_daily(text: str) -> Schedule | None:
    """`07:00`, a time of each day, or `off`. Refuses: SettingRefused."""
    if text.strip().lower() == "off":
        return None
    return Schedule(at=read_time(text), weekdays=GROUPS["daily"])


def check_daily(value: str) -> str:
    """The same in its stored form. Refuses: SettingRefused."""
    schedule = read_daily(value)
    return f"{schedule.at:%H:%M}" if schedule is not None else "off"


def days_label(days: tuple[int, ...]) -> str:
    """`weekdays`, `daily`, or the days by their names."""
    named = next((name for name, group in GROUPS.items() if group == days), None)
    return named or ",".join(DAYS[each] for each in days)
