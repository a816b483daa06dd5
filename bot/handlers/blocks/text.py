"""Escape, cut, money, dates and aligned tables; everything typed by people passes through here."""

import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from typing import Any

from babel import Locale, dates
from tabulate import tabulate

from bot.domain.money import Money

ISOLATE, END = "\u2068", "\u2069"
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_TURNING = frozenset({"R", "AL", "AN"})


def escape(text: str) -> str:
    """Text as mrkdwn shows it literally: the three characters Slack gives a meaning."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shorten(text: str, limit: int) -> str:
    """At most so many characters, cut with an ellipsis before a combining mark is torn off."""
    if len(text) <= limit:
        return text
    end = limit - 1
    while end > 0 and (unicodedata.combining(text[end]) or text[end] in "‍️"):
        end -= 1
    return text[:end] + "…"


def plain(text: str) -> dict[str, Any]:
    """A plain text object: nothing in it is formatted; control characters are made visible, emptiness too."""
    return {"type": "plain_text", "text": bidi_safe(text) or "–", "emoji": False}


def bidi_safe(text: str) -> str:
    """The text with its own direction isolated, so that it cannot reorder what stands around it."""
    visible = "".join("�" if unicodedata.category(each) == "Cc" and each not in "\n\t" else each for each in text)
    cleaned = "".join(each for each in visible if each not in _OVERRIDES)
    turning = cleaned != visible or any(unicodedata.bidirectional(each) in _TURNING for each in cleaned)
    return f"{ISOLATE}{cleaned}{END}" if turning else cleaned


@cache
def _symbols(locale: str) -> tuple[str, str]:
    symbols = Locale.parse(locale).number_symbols["latn"]
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
    return str(dates.format_date(day, "d MMM y", locale=locale))


def when(at: datetime) -> str:
    """An instant that each reader sees in their own zone."""
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{at:%d %b %Y %H:%M} UTC>"


def table(rows: Sequence[Sequence[str]], headers: Sequence[str], aligns: Sequence[str]) -> str:
    """A table in fixed width; cells are text, never guessed to be numbers."""
    return tabulate(
        [[bidi_safe(cell.replace("\n", " ")) for cell in row] for row in rows],
        headers=list(headers),
        tablefmt="plain",
        colalign=list(aligns),
        disable_numparse=True,
    )
