"""The days in a message, in the ways that banks write them; what can be two days is asked back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.errors import Refused
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.notice_text import Part, Role, Text

_MONTHS = {
    1: "jan january januar januari janvier janv enero ene gennaio gen jän jänner ม.ค. มกราคม",
    2: "feb february februar februari février févr fév febrero febbraio ก.พ. กุมภาพันธ์",
    3: "mar march märz mär mrz maart mrt mars marzo maret มี.ค. มีนาคม",
    4: "apr april avril avr abril abr aprile เม.ย. เมษายน",
    5: "may mai mei mayo maggio mag พ.ค. พฤษภาคม",
    6: "jun june juni juin junio giugno giu มิ.ย. มิถุนายน",
    7: "jul july juli juillet juil julio luglio lug ก.ค. กรกฎาคม",
    8: "aug august augustus août aout agosto ago agustus agt ส.ค. สิงหาคม",
    9: "sep sept september septembre septiembre settembre set ก.ย. กันยายน",
    10: "oct october oktober okt octobre octubre ottobre ott ต.ค. ตุลาคม",
    11: "nov november novembre noviembre nopember พ.ย. พฤศจิกายน",
    12: "dec december dezember dez décembre déc diciembre dic dicembre desember des ธ.ค. ธันวาคม",
}
_MONTH_OF = {name: number for number, names in _MONTHS.items() for name in names.split()}
_ENGLISH = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = "|".join(re.escape(each) for each in sorted(_MONTH_OF, key=len, reverse=True))
_TIME = r"(?:[T ,]{1,2}(?P<hour>\d\d):(?P<minute>\d\d)(?::\d\d)?(?:\.\d+)? ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)(?!\w))?"
_DATES = tuple(
    re.compile(rf"(?<![\w./-]){pattern}(?![\w/]|[.-]\d)", re.IGNORECASE)
    for pattern in (
        rf"(?P<iso>\d{{4}}-\d\d-\d\d)(?:T(?=\d\d:\d\d))?{_TIME.replace('[T ,]{1,2}', '[ ,]{0,2}')}",
        r"(?P<iso>\d{4}[/.]\d{1,2}[/.]\d{1,2})",
        r"(?P<numbers>\d{1,2}[/.-]\d{1,2}[/.-](?:\d{4}|\d{2}))",
        (
            rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|"
            rf"\.)?(?: of)?[ -]?(?P<month>{_NAME})(?!\w)\.?,?(?:[ -]?(?P<year>\d{{4}}|['’]?\d{{2}}(?![:.,]\d|\d|"
            rf" ?[ap]m)))?"
        ),
        rf"(?P<month>{_NAME})\.?[ -](?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,? (?P<year>\d{{4}}))?",
        rf"(?P<day>\d\d)(?P<month>{_NAME})(?P<year>\d{{4}}|\d{{2}})?",
    )
)
_EASTERN = re.compile(r"(?<![\d和年])(?:(?P<year>\d{4}) ?年 ?)?(?P<month>\d{1,2}) ?月 ?(?P<day>\d{1,2}) ?日")
_COMPACT = re.compile(r"(?<![\w.,])(?:(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)|(?P<short>\d{6}))(?!\d|[.,]\d)")
_SPOKEN = re.compile(
    (
        r"\b(?P<word>today|yesterday|this (?:morning|afternoon|evening)|just now|(?:last |on )(?:mon|tues?|"
        r"wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?)\b"
    ),
    re.IGNORECASE,
)
_BARE = re.compile(
    r"\b(?:on|dated?|am|le|el|il|pada|tgl)[ .:]+(?P<numbers>\d{1,2}[/.]\d{1,2})(?![\w/]|[.,]\d|\.?\d)", re.IGNORECASE
)
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PROMISED = re.compile(
    (
        r"\b(?:(?P<word>today|tomorrow)|(?P<vague>(?:next|end of(?: the)?|this|in \w+) (?:week|month|days|weeks|"
        r"mon|tue|wed|thu|fri|sat|sun)\w*|month end|soon|shortly)|(?:by|on|before) (?P<weekday>mon|tues?|"
        r"wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?|"
        r"(?:by|on|before) (?P<numbers>\d{1,2}[/.]\d{1,2})(?![\w/]|[.,]\d))\b"
    ),
    re.IGNORECASE,
)
_NOT_IT = re.compile(
    r"(?:\bdue(?: date| on| by)?|\binv(?:oice)? ?date|\binvoices? (?:\S+ )?(?:of|from|dated?)|\bdated|\bexpir\w*|"
    r"\bvalid (?:until|till|to)|\bstatement(?: date| of)?|"
    r"\bsince|\buntil|\bbefore|\bby|\bperiod|\bfrom|\bto|\bbooked on|\bissued(?: on)?|\bordered on|\bsent on|"
    r"\binitiated on|\binstructed on|\brechnung (?:\S+ )?vom|"
    r"\bfacture (?:\S+ )?du|\bas of|\bas at|\bper)[ :]*$",
    re.IGNORECASE,
)
_VALUE = re.compile(
    (
        r"(?:\bvalue(?: date)?|\bval(?:uta)?|\bwert(?:stellung)?|\bvalue dated|\bcredited(?: to (?:your|"
        r"our) \w+)? on|\bdate de valeur|\bfecha valor|起算日)[ .:]*$"
    ),
    re.IGNORECASE,
)
_BUDDHIST = range(2540, 2600)
_OLDEST_DAYS = 400
_MEAN = re.compile(r"[฿ก-๛]|\bTHB\b|baht", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Day:
    """A date in the message: where, which day, how firm; without a value, why it is asked."""

    start: int
    end: int
    value: date | None
    role: Role
    asked: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """When the message was written, in the book's zone."""

    day: date
    zone: str = "UTC"


def date_spans(text: Text) -> list[tuple[int, int]]:
    """Where dates stand, so that their numbers are taken for nothing else."""
    patterns = (*_DATES, _EASTERN)
    return [found.span() for pattern in patterns for found in pattern.finditer(text.plain) if _is_one(found)]


def days_of(text: Text, parts: Sequence[Part], posted: Posted) -> list[Day]:
    """Every date in the message that can be the day of the payment."""
    days: list[Day] = []
    for part in parts:
        taken: list[tuple[int, int]] = []
        for pattern in (*_DATES, _EASTERN, _BARE, _SPOKEN, *_in_labels(part)):
            for found in pattern.finditer(text.plain, part.start, part.end):
                start, end = found.span()
                if not _is_one(found) or any(start < last and first < end for first, last in taken):
                    continue
                taken.append((start, end))
                days += _day(text, part, found, posted)
    return sorted(days, key=lambda day: day.start)


def promised_days(text: Text, posted: Posted) -> list[Day]:
    """Every day in the message by which somebody can mean to pay: that of the message or a later one."""
    days: list[Day] = []
    for pattern in (*_DATES, _EASTERN, _PROMISED):
        for found in pattern.finditer(text.plain):
            start, end = found.span()
            if _is_one(found) and not any(start < day.end and day.start < end for day in days):
                days.append(_promised(text, found, posted))
    return sorted(days, key=lambda day: day.start)


def _promised(text: Text, found: "re.Match[str]", posted: Posted) -> Day:
    start, end = found.span()
    shown = " ".join(text.plain[start:end].split())
    groups = found.groupdict()
    if groups.get("vague"):
        return Day(start, end, None, Role.DATE, f"{shown} is no single day")
    if name := groups.get("weekday"):
        ahead = (_WEEKDAYS.index(name.lower()[:3]) - posted.day.weekday()) % 7
        asked = f"{shown} can be the day of the message or a week later" if not ahead else ""
        return Day(start, end, posted.day + timedelta(days=ahead) if ahead else None, Role.DATE, asked)
    try:
        is_thai = _MEAN.search(text.plain) is not None
        value = _value(found, posted, is_thai=is_thai, future=True)
    except Refused as refusal:
        return Day(start, end, None, Role.DATE, refusal.sentence.rstrip("."))
    if value < posted.day:
        return Day(start, end, None, Role.DATE, f"{shown} is before the day of the message")
    return Day(start, end, value, Role.DATE)


def _in_labels(part: Part) -> "tuple[re.Pattern[str], ...]":
    return (_COMPACT,) if part.role in {Role.DATE, Role.VALUE_DATE, Role.SETTLED} else ()


def _is_one(found: "re.Match[str]") -> bool:
    """`may` in small letters without a year is more often no month."""
    month = found.groupdict().get("month") or ""
    return not (month in {"may", "mar", "set", "mag", "des", "gen", "dic"} and not found.groupdict().get("year"))


def _day(text: Text, part: Part, found: "re.Match[str]", posted: Posted) -> list[Day]:
    start, end = found.span()
    before = text.plain[max(part.start, start - 30) : start]
    role = _role(part, before)
    if role is Role.OTHER:
        return []
    shown = " ".join(text.plain[start:end].split())
    try:
        value = _value(found, posted, is_thai=_MEAN.search(text.plain) is not None)
    except Refused as refusal:
        return [Day(start, end, None, role, refusal.sentence.rstrip("."))]
    if value > posted.day:
        return [Day(start, end, None, role, f"{shown} is after the day of the message")]
    if (posted.day - value).days > _OLDEST_DAYS:
        return [Day(start, end, None, role, f"{shown} is long before the message")]
    if not _is_same_here(found, value, posted):
        return [Day(start, end, None, role, f"{shown} is another day in the book's time zone")]
    return [Day(start, end, value, role)]


def _role(part: Part, before: str) -> Role:
    if part.role in {Role.VALUE_DATE, Role.SETTLED}:
        return Role.VALUE_DATE
    if part.role in {Role.OTHER, Role.PURPOSE, Role.REFERENCE, Role.TRANSACTION, Role.PAYER}:
        return Role.OTHER
    if _NOT_IT.search(before):
        return Role.OTHER
    return Role.VALUE_DATE if _VALUE.search(before) else Role.DATE


def _value(found: "re.Match[str]", posted: Posted, *, is_thai: bool, future: bool = False) -> date:
    """The day a pattern found. Refuses: DateAmbiguous, DateNotUnderstood."""
    groups = found.groupdict()
    if word := groups.get("word"):
        said = word.lower().removeprefix("on ")
        said = "today" if said.startswith(("this", "just")) else said
        return parse_date(said, today=posted.day, future=future)
    if short := groups.get("short"):
        return parse_date(f"20{short[:2]}-{short[2:4]}-{short[4:]}", today=posted.day)
    if numbers := groups.get("numbers") or groups.get("iso"):
        written = _gregorian(numbers) if is_thai else _with_century(numbers, posted)
        return parse_date(written, today=posted.day, future=future)
    year = (groups.get("year") or "").lstrip("'’")
    month = groups["month"].casefold()
    name = month if month.isdigit() else str(_MONTH_OF[month])
    written = f"{int(groups['day'])} {_ENGLISH[(int(name) - 1) % 12]} {year}".strip()
    if not 1 <= int(name) <= len(_ENGLISH):
        written = found[0]
    return parse_date(_gregorian(written) if is_thai else written, today=posted.day, future=future)


def _with_century(numbers: str, posted: Posted) -> str:
    """`23-11-26` ends in the year when it cannot begin with one: no bank writes of a payment years ago or to come."""
    found = re.fullmatch(r"(\d\d)([-/.]\d\d[-/.])(\d\d)", numbers)
    if found is None or abs(int(found[1]) - posted.day.year % 100) <= 1:
        return numbers
    return f"{found[1]}{found[2]}20{found[3]}"


def _gregorian(written: str) -> str:
    """A year of the Buddhist calendar as one of ours."""
    return re.sub(r"\d{4}", lambda year: str(int(year[0]) - 543 if int(year[0]) in _BUDDHIST else year[0]), written)


def _is_same_here(found: "re.Match[str]", value: date, posted: Posted) -> bool:
    """Whether an instant with its own zone is the same day in the book's zone."""
    groups = found.groupdict()
    if not groups.get("zone"):
        return True
    zone = groups["zone"].upper().replace("UTC", "Z").replace("GMT", "Z")
    try:
        there = datetime.strptime(
            f"{value} {groups['hour']}:{groups['minute']} {'+0000' if zone == 'Z' else zone}", "%Y-%m-%d %H:%M %z"
        )
    except ValueError:
        return False
    return there.astimezone(UTC).astimezone(ZoneInfo(posted.zone)).date() == value
