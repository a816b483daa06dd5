"""Aged receivables: buckets, rows and totals that tie."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise

from bot.domain.errors import Refused
from bot.domain.money import Currency, Money, currency, total

STANDARD_EDGES = (30, 60, 90)
MOST_EDGES = 8
LARGEST_EDGE = 3650


class Basis(StrEnum):
    """What an invoice's age is counted from."""

    DUE = "due"
    ISSUE = "issue"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingQuestion:
    """Which receivables, at which day, aged how. Rules 79-83."""

    as_of: date
    basis: Basis = Basis.DUE
    edges: tuple[int, ...] = STANDARD_EDGES
    customer_id: int | None = None
    currency_code: str | None = None


@dataclass(frozen=True, slots=True)
class AgeingRow:
    """One customer: what is open per bucket, prepaid debt, and unapplied credit apart. Rules 82, 84."""

    customer_id: int
    code: str
    name: str
    currency: Currency
    buckets_micros: tuple[int, ...]
    prepaid_debt_micros: int
    unapplied_micros: int

    @property
    def total_micros(self) -> int:
        return sum(self.buckets_micros) + self.prepaid_debt_micros


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingTotal:
    """The column totals of one currency. Rule 82."""

    currency: Currency
    buckets: tuple[Money, ...]
    prepaid_debt: Money
    unapplied: Money
    suspense: Money
    customers: int

    @property
    def total(self) -> Money:
        return total(self.buckets, self.currency) + self.prepaid_debt


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """The report: rows by customer, totals by currency, and whether it ties to the control accounts."""

    question: AgeingQuestion
    rows: tuple[AgeingRow, ...]
    totals: tuple[AgeingTotal, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return bucket_labels(self.question.edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgeingDetail:
    """One open invoice behind a row. Rule 83."""

    customer_id: int
    invoice_id: int
    number: str
    issue_on: date
    due_on: date
    total: Money
    open: Money
    days_late: int
    bucket: int
    disputed: bool = False  # now, whatever the day asked about


def check_edges(edges: Sequence[int]) -> tuple[int, ...]:
    """Bucket edges in days, rising. Rule 80. Refuses: Refused."""
    rising = tuple(edges)
    if not rising or len(rising) > MOST_EDGES or rising[0] < 1 or rising[-1] > LARGEST_EDGE:
        raise Refused(f"Type one to {MOST_EDGES} bucket edges in days, such as 30,60,90.", field="buckets")
    if any(later <= earlier for earlier, later in pairwise(rising)):
        raise Refused("Bucket edges must rise, such as 30,60,90.", field="buckets")
    return rising


def bucket_labels(edges: Sequence[int]) -> tuple[str, ...]:
    """current, 1-30, 31-60, 61-90, over 90. Rule 80."""
    lows = (1, *(edge + 1 for edge in edges[:-1]))
    return ("current", *(f"{low}-{high}" for low, high in zip(lows, edges, strict=True)), f"over {edges[-1]}")


def bucket_of(days_late: int, edges: Sequence[int]) -> int:
    """The bucket of an age in days: day 30 is in 1-30, day 31 in 31-60. Rule 80."""
    if days_late <= 0:
        return 0
    return 1 + sum(days_late > edge for edge in edges)


def bucket_limits(as_of: date, edges: Sequence[int]) -> tuple[date, ...]:
    """For each bucket but the last, the earliest date that still falls in it."""
    return (as_of, *(as_of - timedelta(days=edge) for edge in edges))


def add_up(rows: Sequence[AgeingRow], suspense: dict[str, int], edges: Sequence[int]) -> tuple[AgeingTotal, ...]:
    """Totals per currency: sums of the rows' own figures; a currency with unassigned money only has its line too.
    Rules 82, 84.
    """
    currencies = {code: currency(code) for code, amount in suspense.items() if amount}
    currencies |= {row.currency.code: row.currency for row in rows}
    totals = []
    for code in sorted(currencies):
        of = currencies[code]
        mine = [row for row in rows if row.currency.code == code]
        columns = zip(*(row.buckets_micros for row in mine), strict=True) if mine else [(0,)] * (len(edges) + 2)
        totals.append(
            AgeingTotal(
                currency=of,
                buckets=tuple(Money(sum(column), of) for column in columns),
                prepaid_debt=Money(sum(row.prepaid_debt_micros for row in mine), of),
                unapplied=Money(sum(row.unapplied_micros for row in mine), of),
                suspense=Money(suspense.get(code, 0), of),
                customers=len(mine),
            )
        )
    return tuple(totals)
