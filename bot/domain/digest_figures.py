"""Figures of a digest beside its buckets: days sales outstanding, what is at risk, and what a month came to."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from bot.domain.money import Currency, Money
from bot.domain.promises import PromiseStanding, PromiseState
from bot.domain.receivables import AgeingRow

SOLD_DAYS = 90
TENTH = Decimal("0.1")
# How kinds of entry are called in a month, in the order of its columns; other kinds go by their own name behind.
MONTH_KINDS = {
    "invoice": "new invoices",
    "allocation": "collected",
    "allocation taken back": "collected",
    "note applied": "credited",
    "note taken back": "credited",
    "write-off": "written off",
    "write-off reversed": "written off",
}
MONTH_COLUMNS = tuple(dict.fromkeys(MONTH_KINDS.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One reason why receivables changed in a month, and by how much."""

    label: str
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFigures:
    """A month of one currency: receivables when it began, why they changed, and when it ended. Opened and columns add
    up to closed, to the micro-unit.
    """

    opened: Money
    columns: tuple[Column, ...]
    closed: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """What broken promises are about: whole customers, and single invoices of others."""

    customers: frozenset[int]
    invoices: frozenset[int]


def days_outstanding(receivable: Money, sold: Money) -> Decimal | None:
    """Days sales outstanding, in days with one decimal, half up: receivables x 90 / what was invoiced in the 90 days
    up to the day, tax included, less credit notes. None where that is zero or less: there are no sales to compare with.

    The plain method (ending receivables x days / credit sales of these days), as the Credit Research Foundation gives
    it, not the count-back one: both its figures stand in the books, so that anybody can do the sum again.
    """
    if sold.micros <= 0:
        return None
    return _tenths(receivable.micros * SOLD_DAYS, sold.micros)


def per_cent(part: Money, whole: Money) -> Decimal | None:
    """A share in per cent with one decimal, half up; none of nothing."""
    return _tenths(part.micros * 100, whole.micros) if whole.micros > 0 else None


def _tenths(numerator: int, denominator: int) -> Decimal:
    return (Decimal(numerator) / Decimal(denominator)).quantize(TENTH, rounding=ROUND_HALF_UP)


def broken_of(promises: Sequence[PromiseStanding], as_of: date) -> Broken:
    """What the promises are about whose day has passed and of which something is left to pay."""
    broken = [each.promise for each in promises if each.state(as_of) is PromiseState.BROKEN]
    customers = frozenset(each.customer_id for each in broken if each.invoice_id is None)
    invoices = frozenset(
        each.invoice_id for each in broken if each.invoice_id is not None and each.customer_id not in customers
    )
    return Broken(customers=customers, invoices=invoices)


def at_risk_of(
    rows: Collection[AgeingRow], doubtful_micros: Mapping[int, int], broken: frozenset[int]
) -> Mapping[str, int]:
    """What is at risk by currency, in micros: of each customer what of its invoices is doubtful, and all it owes where
    a promise about all of it is broken. Nothing counts twice.
    """
    sums: dict[str, int] = defaultdict(int)
    for row in rows:
        of_row = row.total_micros if row.customer_id in broken else doubtful_micros.get(row.customer_id, 0)
        sums[row.currency.code] += of_row
    return sums


def month_of(opened_micros: int, kinds_micros: Mapping[str, int], of: Currency) -> MonthFigures:
    """A month from what was receivable before it and what each kind of entry moved in it."""
    sums: dict[str, int] = dict.fromkeys(MONTH_COLUMNS, 0)
    for kind, micros in sorted(kinds_micros.items()):
        label = MONTH_KINDS.get(kind, kind)
        sums[label] = sums.get(label, 0) + micros
    columns = tuple(
        Column(label=label, amount=Money(micros, of))
        for label, micros in sums.items()
        if micros or label in MONTH_COLUMNS
    )
    closed = opened_micros + sum(kinds_micros.values())
    return MonthFigures(opened=Money(opened_micros, of), columns=columns, closed=Money(closed, of))
