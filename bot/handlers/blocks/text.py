"""Escape, cut, money, dates and aligned tables; everything typed by people passes through here."""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from babel import Locale, dates
from tabulate import tabulate

from bot.domain.money import Money

ISOLATE, END = "\u2068", "\u2069"
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
WIDTH, LONGEST_NAME, SHORTEST_NAME = 76, 24, 12
_TURNING = frozenset({"R", "AL", "AN"})
_JOINER = "\u200d"
_FLAG_LETTERS = "".join(map(chr, range(0x1F1E6, 0x1F200)))
_UNSHOWN = frozenset({"Cc", "Zl", "Zp"})


def escape(text: str) -> str:
    """Text as mrkdwn shows it literally: the three characters Slack gives a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """At most so many characters, cut with an ellipsis before a combining mark is torn off."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    end = limit - 1
    while end > 0 and _tears(text, end):
        end -= 1
    return text[:end] + "…"


def _tears(text: str, end: int) -> bool:
    """Whether a cut here parts an accent, a joined emoji or a flag from what it belongs to."""
    following = text[end]
    if unicodedata.category(following) in {"Mn", "Me"} or _JOINER in {following, text[end - 1]}:
        return True
    if "\U0001f3fb" <= following <= "\U0001f3ff":  # a skin tone
        return True
    letters_before = len(text[:end]) - len(text[:end].rstrip(_FLAG_LETTERS))
    return following in _FLAG_LETTERS and letters_before % 2 == 1


def plain(text: str) -> dict[str, Any]:
    """A plain text object: nothing in it is formatted; control characters are made visible, emptiness too."""
    return {"type": "plain_text", "text": bidi_safe(text) or "–", "emoji": False}


def bidi_safe(text: str) -> str:
    """The text with its own direction isolated, so that it cannot reorder what stands around it."""
    return "\n".join(_isolated(line) for line in text.replace("\r\n", "\n").split("\n"))


def _isolated(line: str) -> str:
    """A line of its own, since the end of a paragraph ends every isolate."""
    visible = "".join("�" if each != "\t" and unicodedata.category(each) in _UNSHOWN else each for each in line)
    cleaned = "".join(each for each in visible if each not in _OVERRIDES)
    turning = cleaned != visible or any(unicodedata.bidirectional(each) in _TURNING for each in cleaned)
    return f"{ISOLATE}{cleaned}{END}" if turning and cleaned else cleaned


def _locale(name: str) -> Locale:
    """A locale, written de_CH or de-CH."""
    return Locale.parse(name.replace("-", "_"))


@cache
def _symbols(locale: str) -> tuple[str, str]:
    symbols = _locale(locale).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])


def amount(of: Money, locale: str = "en") -> str:
    """Digits of the currency, or up to six where a wallet has them, with the locale's separators. Rule 112."""
    group, point = _symbols(locale)
    digits = of.currency.digits if of.is_whole_minor else 6
    whole, _, fraction = f"{abs(of.decimal()):.{digits}f}".partition(".")
    if not of.is_whole_minor:
        fraction = fraction.rstrip("0").ljust(of.currency.digits, "0")
    grouped = f"{int(whole):,}".replace(",", group)
    sign = "−" if of.micros < 0 else ""
    return f"{sign}{grouped}{point if fraction else ''}{fraction}"


def money(of: Money, locale: str = "en") -> str:
    """`SGD 1,234.50`."""
    return f"{of.currency.code} {amount(of, locale)}"


def signed(of: Money, locale: str = "en") -> str:
    """`+1,310.00` or `−4,900.00`, a movement; zero has no sign."""
    return f"+{amount(of, locale)}" if of.micros > 0 else amount(of, locale)


def balance(of: Money, locale: str = "en") -> str:
    """`120.00 CR` for credit held, `120.00 DR` for debt. Rule 113."""
    if not of:
        return amount(of, locale)
    return f"{amount(of if of.micros > 0 else -of, locale)} {'CR' if of.micros > 0 else 'DR'}"


def change(before: Money, after: Money, locale: str = "en") -> str:
    """`620.00 DR → 120.00 DR`."""
    if before == after:
        return f"{balance(after, locale)} (unchanged)"
    return f"{balance(before, locale)} → {balance(after, locale)}"


def date_text(day: date, locale: str = "en") -> str:
    """`22 Nov 2026`, in the locale's month names."""
    return str(dates.format_date(day, "d MMM y", locale=_locale(locale)))


def short_date(day: date, locale: str = "en") -> str:
    """`1 Apr 26`, for the columns of a table."""
    return str(dates.format_date(day, "d MMM yy", locale=_locale(locale)))


def counted(number: int, noun: str) -> str:
    """`1 payment`, `2 payments`, `1,200 customers`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def when(at: datetime) -> str:
    """An instant that each reader sees in their own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at.astimezone(UTC):%d %b %Y %H:%M} UTC>"


def fitted(rows: Sequence[Sequence[str]], headers: Sequence[str], aligns: Sequence[str], *, named: int) -> str:
    """A table whose column of names gives way, so that all fits a line of Slack's code blocks where it can."""
    lines = [list(headers), *map(list, rows)]
    figures = sum(2 + max(len(line[place]) for line in lines) for place in range(len(headers)) if place != named)
    room = min(LONGEST_NAME, max(SHORTEST_NAME, WIDTH - figures))
    cut = [[shorten(cell, room) if place == named else cell for place, cell in enumerate(row)] for row in rows]
    return table(cut, headers, aligns)


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], aligns: Sequence[str]) -> str:
    """A table in fixed width; cells are text, never guessed to be numbers. Headings are a line like the others, since
    tabulate would make the columns of its own headings wider.
    """
    return tabulate(
        [[bidi_safe(cell.replace("\n", " ")) for cell in row] for row in (headers, *rows)],
        tablefmt="plain",
        colalign=list(aligns),
        disable_numparse=True,
    )
