"""ISO dates, `yesterday`, `last fri`, `3 nov`; `3/4` is asked back."""

import re
from datetime import date, timedelta

from bot.handlers.parse.errors import DateAmbiguous, DateNotUnderstood

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_FULL = (
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
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WORDS = {"today": 0, "yesterday": -1, "tomorrow": 1}
MONTHS_IN_YEAR = 12
EXAMPLES = "type one such as 2026-11-22, yesterday or 3 nov"


def parse_date(text: str, *, today: date, future: bool = False) -> date:
    """Read a date; without a year it is the latest one not after today. Refuses: DateNotUnderstood, DateAmbiguous."""
    words = " ".join(text.lower().replace(",", " ").split())
    if words in _WORDS:
        return today + timedelta(days=_WORDS[words])
    for read in (_iso, _slashes, _ago, _weekday, _month_end):
        found = read(words, today)
        if found is not None:
            return found
    found = _named_month(words, today, future=future)
    if found is None:
        raise DateNotUnderstood(f"{text.strip()[:30] or 'Nothing'} is not a date; {EXAMPLES}.", field="date")
    return found


def _made(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise DateNotUnderstood(f"{text[:30]} does not exist; {EXAMPLES}.", field="date") from None


def _iso(text: str, _today: date) -> date | None:
    found = re.fullmatch(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", text, re.ASCII)
    return _made(int(found[1]), int(found[2]), int(found[3]), text) if found else None


def _slashes(text: str, today: date) -> date | None:
    found = re.fullmatch(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{4}|\d{2}))?", text, re.ASCII)
    if found is None:
        return None
    first, second = int(found[1]), int(found[2])
    year = int(found[3]) if found[3] else today.year
    year += 2000 if year < 100 else 0  # noqa: PLR2004  # two digits of a year
    if first != second and first <= MONTHS_IN_YEAR and second <= MONTHS_IN_YEAR:
        day_first, month_first = f"{first} {_MONTHS[second - 1]}", f"{second} {_MONTHS[first - 1]}"
        raise DateAmbiguous(f"{text} can be {day_first} or {month_first}; type one of these.", field="date")
    day, month = (first, second) if second <= MONTHS_IN_YEAR else (second, first)
    made = _made(year, month, day, text)
    return made if found[3] or made <= today else _made(year - 1, month, day, text)


def _ago(text: str, today: date) -> date | None:
    found = re.fullmatch(r"-(\d{1,4})d|(\d{1,4}) days? ago", text, re.ASCII)
    return today - timedelta(days=int(found[1] or found[2])) if found else None


def _weekday(text: str, today: date) -> date | None:
    last, _, name = text.rpartition(" ")
    if last not in {"", "last"} or (name not in _DAYS and name not in _FULL_DAYS):
        return None
    wanted = (_DAYS if name in _DAYS else _FULL_DAYS).index(name)
    back = (today.weekday() - wanted) % 7
    return today - timedelta(days=back or (7 if last else 0))


def _month_end(text: str, today: date) -> date | None:
    return today.replace(day=1) - timedelta(days=1) if text in {"end of last month", "last month end"} else None


def _named_month(text: str, today: date, *, future: bool) -> date | None:
    pattern = r"(?:(\d{1,2})(?:st|nd|rd|th)? ([a-z]+)|([a-z]+) (\d{1,2})(?:st|nd|rd|th)?)(?: (\d{4}|\d{2}))?"
    found = re.fullmatch(pattern, text, re.ASCII)
    name = (found[2] or found[3]) if found else ""
    if found is None or (name not in _MONTHS and name not in _FULL and name != "sept"):
        return None
    month = 9 if name == "sept" else (_MONTHS if name in _MONTHS else _FULL).index(name) + 1
    day = int(found[1] or found[4])
    if found[5]:
        year = int(found[5])
        return _made(year + 2000 if year < 100 else year, month, day, text)  # noqa: PLR2004  # two digits of a year
    for year in range(today.year + (1 if future else 0), today.year - 9, -1):
        try:
            made = date(year, month, day)
        except ValueError:
            continue
        if future or made <= today:
            return made if not future or made >= today else None
    return _made(today.year, month, day, text)
