"""ISO dates, `yesterday`, `last fri`, `3 nov`; `3/4` is asked back."""

import re
from calendar import monthrange
from datetime import MAXYEAR, MINYEAR, date, timedelta

from bot.handlers.parse.errors import DateAmbiguous, DateNotUnderstood

_MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SHORTEST_NAME = 3
LONGEST_LEAP_GAP = 8  # years from one 29 February to the next across a century such as 2100
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
EXAMPLES = "type one such as 2026-11-22, yesterday or 3 nov"
FIRST_YEAR, LAST_YEAR = 2000, 2099


def parse_date(text: str, *, today: date, future: bool = False) -> date:
    """Read a date of this century, as `read_date` does. Refuses: DateNotUnderstood, DateAmbiguous."""
    return check_century(read_date(text, today=today, future=future))


def check_century(day: date) -> date:
    """Books are kept in this century; another year is a slip. Refuses: DateNotUnderstood."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise DateNotUnderstood(f"{day} is not in the years {FIRST_YEAR} to {LAST_YEAR}; {EXAMPLES}.", field="date")
    return day


def read_date(text: str, *, today: date, future: bool = False) -> date:
    """Read a date; without a year it is the latest one not after today, or with `future` the next one not before.
    Refuses: DateNotUnderstood, DateAmbiguous.
    """
    words = " ".join(text.lower().replace(",", " ").split())
    if words in _WORDS:
        return today + timedelta(days=_WORDS[words])
    for read in (_year_first, _ago, _weekday, _month_end):
        found = read(words, today)
        if found is not None:
            return found
    found = _numbers(words, today, future=future) or _named_month(words, today, future=future)
    if found is None:
        raise DateNotUnderstood(f"{text.strip()[:30] or 'Nothing'} is not a date; {EXAMPLES}.", field="date")
    return found


def _year_first(text: str, _today: date) -> date | None:
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text, re.ASCII)
    return _made(int(found[1]), int(found[2]), int(found[3]), text) if found else None


def _ago(text: str, today: date) -> date | None:
    found = re.fullmatch(r"[-−](\d{1,4}) ?d|(\d{1,4}) days? ago", text, re.ASCII)
    return today - timedelta(days=int(found[1] or found[2])) if found else None


def _weekday(text: str, today: date) -> date | None:
    last, _, name = text.rpartition(" ")
    wanted = _index(name, _DAYS)
    if last not in {"", "last"} or wanted is None:
        return None
    back = (today.weekday() - wanted) % 7
    return today - timedelta(days=back or (7 if last else 0))


def _month_end(text: str, today: date) -> date | None:
    return today.replace(day=1) - timedelta(days=1) if text in {"end of last month", "last month end"} else None


def _numbers(text: str, today: date, *, future: bool) -> date | None:
    """`25/12/2026`; refused when day and month, or day and a short year, could change places."""
    found = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?", text, re.ASCII)
    if found is None:
        return None
    first, second, year = int(found[1]), int(found[2]), _full_year(found[3])
    readings = [(year, second, first), (year, first, second)]
    if found[3] is not None and len(found[3]) < len("2026") and len(found[1]) == len(found[3]):
        readings.append((_full_year(found[1]), second, int(found[3])))
    possible = list(dict.fromkeys(each for each in readings if _exists(*each)))
    if len(possible) > 1:
        one, other = (_spelled(*each) for each in possible[:2])
        raise DateAmbiguous(f"{text} can be {one} or {other}; type one of these.", field="date")
    return _dated(*(possible or readings)[0], text, today, future=future)


def _named_month(text: str, today: date, *, future: bool) -> date | None:
    """`3 nov`, `nov 3`, `3rd november 2025`."""
    pattern = r"(?:(\d{1,2})(?:st|nd|rd|th)? ([a-z]+)|([a-z]+) (\d{1,2})(?:st|nd|rd|th)?)(?: (\d{4}|\d{2}))?"
    found = re.fullmatch(pattern, text, re.ASCII)
    month = _index(found[2] or found[3], _MONTHS) if found else None
    if found is None or month is None:
        return None
    return _dated(_full_year(found[5]), month + 1, int(found[1] or found[4]), text, today, future=future)


def _index(name: str, names: tuple[str, ...]) -> int | None:
    """Which of the names this is, in full or cut to no less than three letters."""
    if len(name) < SHORTEST_NAME:
        return None
    return next((index for index, full in enumerate(names) if full.startswith(name)), None)


def _full_year(text: str | None) -> int | None:
    """A year of two digits lies in this century."""
    return None if text is None else int(text) + (2000 if len(text) < len("2026") else 0)


def _exists(year: int | None, month: int, day: int) -> bool:
    """Whether there is such a day in that year, or in any."""
    try:
        date(year if year is not None else 2000, month, day)
    except ValueError:
        return False
    return True


def _spelled(year: int | None, month: int, day: int) -> str:
    shown = f"{day} {_MONTHS[month - 1][:SHORTEST_NAME]}"
    return shown if year is None else f"{shown} {year}"


def _dated(year: int | None, month: int, day: int, text: str, today: date, *, future: bool) -> date:
    """In the given year, or in the year nearest to today on the wanted side."""
    if year is not None or not _exists(None, month, day):
        return _made(today.year if year is None else year, month, day, text)
    step = 1 if future else -1
    for tried in range(today.year, today.year + step * (LONGEST_LEAP_GAP + 1), step):
        if _exists(tried, month, day):
            made = date(tried, month, day)
            if made == today or (made > today) == future:
                return made
    raise AssertionError("a day that exists in some year comes within eight years")


def _made(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateNotUnderstood(
            f"{text[:30]} does not exist{_why(year, month, day)}; {EXAMPLES}.", field="date"
        ) from None


def _why(year: int, month: int, day: int) -> str:
    """The reason, where there is a month to speak of."""
    if not 1 <= month <= len(_MONTHS) or not MINYEAR <= year <= MAXYEAR or day < 1:
        return ""
    return f": {_MONTHS[month - 1].capitalize()} {year} has {monthrange(year, month)[1]} days"
