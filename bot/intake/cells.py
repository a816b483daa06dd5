"""The texts of one line as values; what cannot be one is a fault with its column and what to write instead."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from bot.domain.errors import Refused
from bot.domain.money import LARGEST_MICROS, MICROS, Currency, Money, currency
from bot.domain.settings import Settings
from bot.intake.faults import Faults
from bot.intake.reader import Row

T = TypeVar("T")
PLAIN = re.compile(r"(\d{1,13})(?:\.(\d+))?")
TWO_PARTS = re.compile(r"(\d{1,2})[/.-](\d{1,2})(?:[/.-](\d{2,4}))?")
FINEST = 6
MONTHS = 12
ANSWERS = {
    "": True,
    "yes": True,
    "y": True,
    "true": True,
    "1": True,
    "no": False,
    "n": False,
    "false": False,
    "0": False,
}


@dataclass
class Line:
    """One line being read: faults go where they belong, and a line with one gives nothing."""

    file: str
    row: Row
    faults: Faults
    settings: Settings
    is_wrong: bool = False

    def fault(self, column: str, says: str) -> None:
        self.is_wrong = True
        self.faults.add(self.file, self.row.line, column, says)

    def text(self, column: str) -> str:
        return self.row.cells[column]

    def clean(self, column: str, check: Callable[[str], T]) -> T | None:
        """A value as a check of the business makes it; its refusal is the fault."""
        try:
            return check(self.row.cells[column])
        except Refused as refusal:
            self.fault(column, refusal.sentence)
            return None

    def currency(self, column: str) -> Currency | None:
        """A currency that this book keeps."""
        text = self.text(column).strip()
        if not text:
            self.fault(column, "the currency is empty; write a code such as SGD.")
            return None
        of = self.clean(column, currency)
        if of is not None:
            try:
                self.settings.check_currency(of, column)
            except Refused as refusal:
                self.fault(column, refusal.sentence)
                return None
        return of

    def same_currency(self, column: str, of: Currency) -> None:
        """A currency beside an amount is the customer's own."""
        text = self.text(column).strip().upper()
        if text and text != of.code:
            other = self.currency(column)
            if other is not None:
                self.fault(column, f"the customer is kept in {of.code}; write {of.code}, or leave it empty.")

    def day(self, column: str, *, needed: bool = True) -> date | None:
        """A day as 2026-11-03 and in no other way, so that none is guessed."""
        text = self.text(column).strip()
        if not text and not needed:
            return None
        found = _day(text)
        if found is None:
            self.fault(column, _no_day(text))
        return found

    def amount(self, column: str, of: Currency, *, zero: bool = False, finest: int | None = None) -> Money | None:
        """An amount as 1234.50, no finer than its currency."""
        text = self.text(column).strip()
        micros = _micros(text, of.digits if finest is None else finest)
        if isinstance(micros, str):
            digits = of.digits if finest is None else finest
            self.fault(column, micros.format(code=of.code, digits=digits))
            return None
        if micros == 0 and not zero:
            self.fault(column, "the amount must be more than zero; leave the line out when nothing is open.")
            return None
        return Money(micros, of)

    def signed(self, column: str, of: Currency) -> Money | None:
        """A total that may be nothing."""
        return self.amount(column, of, zero=True)

    def number(self, column: str, default: str) -> Decimal | None:
        """A plain number with at most six decimals."""
        text = self.text(column).strip() or default
        micros = _micros(text, FINEST)
        if isinstance(micros, str):
            self.fault(column, micros.format(code="", digits=FINEST).strip())
            return None
        return Decimal(text)

    def whole(self, column: str) -> int | None:
        text = self.text(column).strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < FINEST):
            self.fault(column, f"{shown(text)} is no whole number; write one such as 30, or leave it empty.")
            return None
        return int(text)

    def choice(self, column: str, choices: Mapping[str, T]) -> T | None:
        """One of some words, in any case."""
        text = self.text(column).strip().lower()
        if text not in choices:
            words = ", ".join(each for each in choices if each)
            self.fault(column, f"{shown(text)} is none of {words}; write one of them.")
            return None
        return choices[text]

    def answer(self, column: str) -> bool:
        """Yes or no; empty is yes."""
        text = self.text(column).strip().lower()
        if text not in ANSWERS:
            self.fault(column, f"{shown(text)} is neither yes nor no; write one of them.")
        return ANSWERS.get(text, True)


def shown(text: str) -> str:
    """What somebody wrote, short and in one line."""
    return repr(text[:30]) if text else "an empty cell"


@lru_cache(maxsize=4096)
def _day(text: str) -> date | None:
    if len(text) != len("2026-11-03") or text[4] != "-" or not text.isascii():
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _no_day(text: str) -> str:
    found = TWO_PARTS.fullmatch(text)
    if found is not None and 1 <= int(found[1]) <= MONTHS and 1 <= int(found[2]) <= MONTHS:
        return f"{shown(text)} can be two days, depending on which number is the month; write it as 2026-11-03."
    return f"{shown(text)} is no day; write it as 2026-11-03."


@lru_cache(maxsize=4096)
def _micros(text: str, digits: int) -> int | str:
    """Micros of a plain number, or the sentence that says what is wrong with it."""
    found = PLAIN.fullmatch(text)
    if found is None or not text.isascii():
        if text.startswith(("-", "(")) or text.endswith("-"):
            return "the amount is negative; amounts are more than zero here."
        if not text:
            return "the amount is empty; write it as 1234.50."
        return f"{shown(text)} is no plain number; write it as 1234.50, without commas or currency.".replace(
            "{", "{{"
        ).replace("}", "}}")
    decimals = (found[2] or "").rstrip("0")
    if len(decimals) > digits:
        return "{code} amounts have at most {digits} decimals; round it as the other system does."
    micros = int(found[1]) * MICROS + int(decimals.ljust(FINEST, "0") or 0)
    return micros if micros <= LARGEST_MICROS else "the amount must stay below a million million."
