"""`1,234.50`, `1234.5 SGD`, `S$1.2k` to an exact amount; what can be read in two ways is asked back."""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

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
    "₪": ("ILS",),
    "₽": ("RUB",),
    "₴": ("UAH",),
    "ZŁ": ("PLN",),
    "KČ": ("CZK",),
    "CN¥": ("CNY",),
    "JP¥": ("JPY",),
    "MX$": ("MXN",),
    "¥": ("JPY", "CNY"),
    "KR": ("SEK", "NOK", "DKK", "ISK"),
    "$": ("USD", "SGD", "AUD", "CAD", "HKD", "NZD"),
}
_ZEROS = {"": 0, "k": 3, "m": 6}
_SIGNS = "-−+"
# A suffix stands alone: the M of `500 MYR` belongs to the currency.
_SHAPE = re.compile(r"(?P<sign>[-+−]?)(?P<digits>\d[\d.,' ]*)(?P<suffix>(?:[km](?![^\W\d_]))?)", re.IGNORECASE)
# Arabic marks and the typographic apostrophe, as the marks that the rest of this page reads.
_MARKS = {"’": "'", "٬": "'", "٫": "."}
_SOLE_MARK = re.compile(r"(\d{1,3})([.,])(\d{3})")
LONGEST = 60


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact number and the currency typed beside it, if any."""

    decimal: Decimal
    currency: Currency | None

    def money(self, default: Currency | None, finest: int | None = None) -> Money:
        """As money, in the typed currency or the default, with its decimals or as many as said. Refuses:
        CurrencyNotKnown, TooPrecise, AmountTooLarge.
        """
        of = self.currency or default
        if of is None:
            raise CurrencyNotKnown("Say in which currency, such as 500 SGD.", field="amount")
        if _is_too_large(self.decimal):
            raise _too_large()
        digits = of.digits if finest is None else finest
        if _decimals(self.decimal) > digits:
            most = f"at most {digits} decimals" if digits else "no decimals"
            raise TooPrecise(f"{of.code} amounts have {most}; type fewer.", field="amount")
        return Money.from_decimal(self.decimal, of)


def parse_amount(text: str, *, locale: str = "en", default: Currency | None = None) -> Amount:
    """Read an amount. Refuses: AmountNotUnderstood, AmountAmbiguous, CurrencyNotKnown, CurrencyAmbiguous,
    AmountTooLarge.
    """
    cleaned = " ".join(_plain_characters(text).split())
    if not cleaned or len(cleaned) > LONGEST:
        raise AmountNotUnderstood("Type an amount such as 1,234.50 or 500 SGD.", field="amount")
    found = _SHAPE.search(cleaned)
    if found is None:
        raise _not_understood(text)
    before, after = cleaned[: found.start()].strip(), cleaned[found.end() :].strip()
    signs = found["sign"]
    if before[:1] and before[0] in _SIGNS:
        signs, before = before[0] + signs, before[1:].strip()
    named = before + after
    if len(signs) > 1 or (before and after) or any(each.isnumeric() or each in _SIGNS + ".," for each in named):
        raise _not_understood(text)
    of = _currency(named, default) if named else None
    number = _times_ten(
        _number(found["digits"].strip(), found["suffix"], locale, of or default), _ZEROS[found["suffix"].lower()]
    )
    if _is_too_large(number):
        raise _too_large()
    return Amount(number.copy_negate() if signs in {"-", "−"} else number, of)


def _plain_characters(text: str) -> str:
    """Digits of any script as 0-9 and full-width letters as narrow ones; a superscript or a fraction is no digit."""
    return "".join(plain_character(each) for each in text)


def plain_character(each: str) -> str:
    """One character as this page reads it: a digit as 0-9, a wide letter narrow, any space as a space."""
    if unicodedata.category(each) == "Nd":
        return str(unicodedata.digit(each))
    if unicodedata.decomposition(each).startswith(("<wide>", "<narrow>", "<small>")):
        each = unicodedata.normalize("NFKC", each)
    return " " if unicodedata.category(each) == "Zs" else _MARKS.get(each, each)


def _times_ten(number: Decimal, zeros: int) -> Decimal:
    """Exact for any length; arithmetic in Decimal's context would round beyond 28 digits."""
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    return Decimal((sign, digits, exponent + zeros)) if zeros else number


def _decimals(number: Decimal) -> int:
    """How many decimals a number needs; zeros at its end do not count."""
    _, _, fraction = f"{number:f}".partition(".")
    return len(fraction.rstrip("0"))


def _is_too_large(number: Decimal) -> bool:
    return number.copy_abs() > LARGEST_MICROS // MICROS


def _too_large() -> AmountTooLarge:
    return AmountTooLarge("The amount must be at most a million million; type a smaller one.", field="amount")


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
        f"{text} can be {' or '.join(candidates)}; type the code, such as 500 {candidates[0]}.",
        field="amount",
    )


def _unknown(text: str) -> Currency:
    raise CurrencyNotKnown(f"{text[:12]} is not a currency; type a code such as SGD.", field="amount")


def _number(text: str, suffix: str, locale: str, of: Currency | None) -> Decimal:
    """Digits with separators to a number. Refuses: AmountNotUnderstood, AmountAmbiguous."""
    marks = re.findall(r"[.,' ]", text)
    if not marks:
        return Decimal(text)
    sole = _SOLE_MARK.fullmatch(text)
    if sole is not None:
        return _thousands_or_decimals(sole, suffix, locale, of)
    last = marks[-1]
    is_decimal = last in ".," and marks.count(last) == 1
    whole, fraction = text.rsplit(last, 1) if is_decimal else (text, "")
    groups = set(marks[:-1] if is_decimal else marks)
    if len(groups) > 1 or (is_decimal and not fraction):
        raise _not_understood(text)
    for mark in groups:
        if re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", whole) is None:
            raise _not_understood(text)
        whole = whole.replace(mark, "")
    return Decimal(f"{whole}.{fraction}" if is_decimal else whole)


def _thousands_or_decimals(sole: "re.Match[str]", suffix: str, locale: str, of: Currency | None) -> Decimal:
    """One mark before three digits: the locale's comma groups, a leading zero cannot, all else is asked back; offered
    is what the currency can have, spelled as the locale does.
    """
    whole, mark, tail = sole.groups()
    leads_with_zero = whole.startswith("0")
    grouping, point = _locale_marks(locale)
    is_grouping = grouping == mark
    if leads_with_zero and not is_grouping:
        return Decimal(f"{whole}.{tail}")
    if mark == "," and is_grouping and not leads_with_zero:
        return Decimal(whole + tail)
    thousands, decimals = f"{int(whole + tail)}{suffix}", f"{int(whole)}{point}{tail}"
    needed = _decimals(_times_ten(Decimal(f"{whole}.{tail}"), _ZEROS[suffix.lower()]))
    if of is None or needed <= of.digits:
        instead = f"type {thousands} or {decimals}0{suffix}"
    elif of.digits:
        instead = f"{of.code} has at most {of.digits} decimals: type {thousands}, or fewer decimals"
    else:
        instead = f"{of.code} has no decimals: type {thousands}"
    raise AmountAmbiguous(
        f"{sole[0]}{suffix} can be {thousands} or {decimals}{suffix} in decimals; {instead}.", field="amount"
    )


@cache
def _locale_marks(locale: str) -> tuple[str, str]:
    """What a locale groups digits with, and what it puts before decimals."""
    symbols = Locale.parse(locale.replace("-", "_")).number_symbols["latn"]
    return str(symbols["group"]), str(symbols["decimal"])


def _not_understood(text: str) -> AmountNotUnderstood:
    return AmountNotUnderstood(
        f"{text.strip()[:30]} is not an amount; type one such as 1,234.50 or 500 SGD.", field="amount"
    )
