"""Exact money: integer micro-units (10^-6) with an ISO 4217 currency; the only place that knows micros."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Self

from bot.domain.errors import CurrencyMixed, Refused, UnknownCurrency

MICROS = 1_000_000
LARGEST_MICROS = 10**12 * MICROS

# ISO 4217 codes in circulation. Two decimals unless named below; IDR and VND round to whole units by rule 104.
_CODES = frozenset(
    """AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG""".split(),  # noqa: SIM905  # a list of codes reads better as words
)
_WHOLE = frozenset("BIF CLP DJF GNF IDR ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF".split())  # noqa: SIM905  # as above
_THREE = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905  # as above


@dataclass(frozen=True, slots=True)
class Currency:
    """An ISO 4217 currency and the decimals its documents round to."""

    code: str
    digits: int

    @property
    def unit_micros(self) -> int:
        """One minor unit, in micros."""
        return int(MICROS // 10**self.digits)


@lru_cache(maxsize=256)
def currency(code: str) -> Currency:
    """The currency of an ISO code in any case. Rule 104. Refuses: UnknownCurrency."""
    found = code.strip().upper()
    if found not in _CODES:
        raise UnknownCurrency(
            f"{code.strip()[:12]} is not a currency code; type one such as SGD or EUR.", field="currency"
        )
    return Currency(found, 0 if found in _WHOLE else 3 if found in _THREE else 2)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount in one currency; mixing currencies is refused. Rule 112."""

    micros: int
    currency: Currency

    @classmethod
    def parse(cls, text: str, of: Currency) -> Self:
        """Canonical decimal text such as `1234.5` to money. Refuses what is no plain decimal or is finer than a
        micro.
        """
        try:
            number = Decimal(text)
        except InvalidOperation:
            raise Refused(f"{text[:20]} is not an amount.", field="amount") from None
        return cls.from_decimal(number, of)

    @classmethod
    def from_decimal(cls, number: Decimal, of: Currency) -> Self:
        scaled = number * MICROS if number.is_finite() else None
        if scaled is None or scaled != scaled.to_integral_value() or abs(scaled) > LARGEST_MICROS:
            raise Refused(
                "The amount must be a plain number with at most six decimals, below a million million.", field="amount"
            )
        return cls(int(scaled), of)

    def decimal(self) -> Decimal:
        return Decimal(self.micros).scaleb(-6)

    def rounded(self) -> "Money":
        """Half up (away from zero at the middle) to the currency's minor unit. Rule 104."""
        return Money(round_half_up(self.micros, self.currency.unit_micros), self.currency)

    @property
    def is_whole_minor(self) -> bool:
        return self.micros % self.currency.unit_micros == 0

    def __add__(self, other: "Money") -> "Money":
        return Money(self.micros + self._same(other).micros, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.micros - self._same(other).micros, self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.micros, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.micros < self._same(other).micros

    def __le__(self, other: "Money") -> bool:
        return self.micros <= self._same(other).micros

    def __gt__(self, other: "Money") -> bool:
        return self.micros > self._same(other).micros

    def __ge__(self, other: "Money") -> bool:
        return self.micros >= self._same(other).micros

    def __bool__(self) -> bool:
        return self.micros != 0

    def __str__(self) -> str:
        number = self.decimal()
        digits = self.currency.digits if self.is_whole_minor else 6
        return f"{self.currency.code} {number:,.{digits}f}"

    def _same(self, other: "Money") -> "Money":
        if other.currency is not self.currency and other.currency != self.currency:
            raise CurrencyMixed(
                f"{self.currency.code} and {other.currency.code} cannot be mixed; amounts must be in one currency.",
                field="amount",
            )
        return other


def plain(number: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent: 9, not 9.000000 nor 9E+0."""
    return Decimal(f"{number.normalize():f}")


def round_half_up(micros: int, unit: int) -> int:
    """Round to a multiple of unit, the middle away from zero."""
    sign = -1 if micros < 0 else 1
    return sign * ((abs(micros) + unit // 2) // unit) * unit


def multiply(price: Money, quantity: Decimal) -> Money:
    """Price times quantity, rounded half up to the minor unit of a document line. Rule 104."""
    exact = price.decimal() * quantity
    step = Decimal(1).scaleb(-price.currency.digits)
    return Money.from_decimal(exact.quantize(step, rounding=ROUND_HALF_UP), price.currency)


def tax_of(net: Money, rate_percent: Decimal) -> Money:
    """Tax on one document line, rounded half up to the minor unit. Rule 104."""
    return multiply(net, rate_percent / 100)


def total(amounts: "list[Money] | tuple[Money, ...]", of: Currency) -> Money:
    """The sum of rounded figures, zero of the currency when there are none. Rule 104."""
    result = Money(0, of)
    for amount in amounts:
        result += amount
    return result
