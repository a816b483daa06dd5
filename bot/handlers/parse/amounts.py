"""`1,234.50`, `1234.5 SGD`, `S$1.2k` to an exact amount; what can be read in two ways is asked back."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from babel import Locale

from bot.domain.errors import UnknownCurrency
from bot.domain.money import LARGEST_MICROS, MICROS, Currency, Money, currency
from bot.handlers.parse.errors import (
    AmountAmbiguous,
    AmountNotUnderstood,
    AmountTooLarge,
    CurrencyAmbiguous,
    CurrencyNotKnown,
    TooPrecise,
)

# Symbols and the currencies they may stand for.
SYMBOLS: dict[str, tuple[str, ...]] = {
    "S$": ("SGD",),
    "US$": ("USD",),
    "A$": ("AUD",),
    "AU$": ("AUD",),
    "C$": ("CAD",),
    "CA$": ("CAD",),
    "HK$": ("HKD",),
    "NZ$": ("NZD",),
    "NT$": ("TWD",),
    "R$": ("BRL",),
    "RP": ("IDR",),
    "RM": ("MYR",),
    "€": ("EUR",),
    "£": ("GBP",),
    "₫": ("VND",),
    "฿": ("THB",),
    "₱": ("PHP",),
    "₹": ("INR",),
    "₩": ("KRW",),
    "₺": ("TRY",),
    "¥": ("JPY", "CNY"),
    "$": ("USD", "SGD", "AUD", "CAD", "HKD", "NZD"),
}
_SUFFIXES = {"": 1, "k": 1_000, "m": 1_000_000}
_SHAPE = re.compile(r"(?P<sign>[-+−]?)(?P<digits>\d[\d.,' ]*)(?P<suffix>[km]?)", re.IGNORECASE)
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact number and the currency typed beside it, if any."""

    decimal: Decimal
    currency: Currency | None

    def money(self, default: Currency | None) -> Money:
        """As money, in the typed currency or the default. Refuses: CurrencyNotKnown, TooPrecise, AmountTooLarge."""
        of = self.currency or default
        if of is None:
            raise CurrencyNotKnown("Say in which currency, such as 500 SGD.", field="amount")
        if self.decimal.copy_abs() * MICROS > LARGEST_MICROS:
            raise AmountTooLarge("The amount must stay below a million million.", field="amount")
        exponent = self.decimal.normalize().as_tuple().exponent
        if isinstance(exponent, int) and -exponent > of.digits:
            raise TooPrecise(f"{of.code} amounts have at most {of.digits} decimals; type fewer.", field="amount")
        return Money.from_decimal(self.decimal, of)


def parse_amount(text: str, *, locale: str = "en", default: Currency | None = None) -> Amount:
    """Read an amount. Refuses: AmountNotUnderstood, AmountAmbiguous, CurrencyNotKnown, CurrencyAmbiguous,
    AmountTooLarge.
    """
    cleaned = " ".join(_plain_digits(text).split())
    if not cleaned or len(cleaned) > LONGEST:
        raise AmountNotUnderstood("Type an amount such as 1,234.50 or 500 SGD.", field="amount")
    found = _SHAPE.search(cleaned)
    if found is None:
        raise _not_understood(text)
    around = (cleaned[: found.start()].strip(), cleaned[found.end() :].strip())
    if any(letter.isdigit() for part in around for letter in part):
        raise _not_understood(text)
    sign = found["sign"]
    before = around[0]
    if before and before[0] in "-−+":
        sign, before = before[0], before[1:].strip()
    named = [part for part in (before, around[1]) if part]
    if len(named) > 1:
        raise _not_understood(text)
    of = _currency(named[0], default) if named else None
    number = _number(found["digits"].strip(), locale) * _SUFFIXES[found["suffix"].lower()]
    if number * MICROS > LARGEST_MICROS:
        raise AmountTooLarge("The amount must stay below a million million.", field="amount")
    return Amount(-number if sign in {"-", "−"} else number, of)


def _plain_digits(text: str) -> str:
    """Full-width and other digits as 0-9, no-break spaces as spaces."""
    return "".join(
        str(unicodedata.digit(each)) if unicodedata.category(each) == "Nd" else "'" if each == "’" else each
        for each in unicodedata.normalize("NFKC", text)
    )


def _currency(text: str, default: Currency | None) -> Currency:
    candidates = SYMBOLS.get(text.upper())
    if candidates is None:
        try:
            return currency(text) if re.fullmatch(r"[A-Za-z]{3}", text) else _unknown(text)
        except UnknownCurrency:
            return _unknown(text)
    if len(candidates) == 1:
        return currency(candidates[0])
    if default is not None and default.code in candidates:
        return default
    raise CurrencyAmbiguous(
        f"{text} can be {' or '.join(candidates)}; type the code, such as 500 {candidates[0]}.", field="amount"
    )


def _unknown(text: str) -> Currency:
    raise CurrencyNotKnown(f"{text[:12]} is not a currency; type a code such as SGD.", field="amount")


def _number(text: str, locale: str) -> Decimal:
    """Digits with separators to a number; a single separator before three digits is asked back unless the locale
    groups by it.
    """
    marks = re.findall(r"[.,' ]", text)
    kinds = list(dict.fromkeys(marks))
    if not kinds:
        return Decimal(text)
    last = marks[-1]
    head, _, tail = text.rpartition(last)
    if len(kinds) == 1:
        grouped = re.fullmatch(rf"\d{{1,3}}(?:{re.escape(last)}\d{{3}})+", text) is not None
        if last in "' " or len(marks) > 1:
            if not grouped:
                raise _not_understood(text)
            return Decimal(text.replace(last, ""))
        if grouped and len(tail) == 3:  # noqa: PLR2004  # the one case that reads as thousands or as decimals
            if last == "," and str(Locale.parse(locale).number_symbols["latn"]["group"]) == ",":
                return Decimal(text.replace(",", ""))
            raise AmountAmbiguous(
                f"{text} can be {head}{tail} or {head}.{tail} in decimals; type {head}{tail} or {head}.{tail}0.",
                field="amount",
            )
        if not head or not tail:
            raise _not_understood(text)
        return Decimal(f"{head}.{tail}")
    separator = kinds[0]
    if len(kinds) != 2 or last not in ".," or marks.count(last) != 1 or separator == last or not tail:  # noqa: PLR2004  # grouping and decimal mark
        raise _not_understood(text)
    if re.fullmatch(rf"\d{{1,3}}(?:{re.escape(separator)}\d{{3}})+", head) is None:
        raise _not_understood(text)
    return Decimal(f"{head.replace(separator, '')}.{tail}")


def _not_understood(text: str) -> AmountNotUnderstood:
    return AmountNotUnderstood(
        f"{text.strip()[:30]} is not an amount; type one such as 1,234.50 or 500 SGD.", field="amount"
    )
