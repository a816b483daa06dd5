"""A report as one table: what stands in its columns, not how a CSV file or a spreadsheet writes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.money import Money

Cell = str | Money | date | datetime | None


class Kind(StrEnum):
    """What a column holds; an empty cell is None in each."""

    TEXT = "text"
    AMOUNT = "amount"  # Money, each with its own currency
    DATE = "date"
    MOMENT = "moment"  # an aware instant


class Style(StrEnum):
    """What a row is to its neighbours."""

    PLAIN = "plain"
    GROUP = "group"  # a heading with figures of its own
    INSIDE = "inside"  # belongs to the group above it
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, what stands below it, and how wide it is in characters."""

    title: str
    kind: Kind = Kind.TEXT
    width: int = 12


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[Cell, ...]
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A report that is written row by row; rows come once, and what is said of them is known when all have come."""

    name: str  # of the file, without its ending
    title: str
    facts: tuple[str, ...]  # company, day, when it was made: above the headings where there is room
    columns: tuple[Column, ...]
    rows: Iterable[Row]
    says: Callable[[], str]


def digits_of(money: Money) -> int:
    """The decimals of an amount: its currency's, or all six when it is finer than a minor unit."""
    return money.currency.digits if money.is_whole_minor else 6


def plain_amount(money: Money) -> str:
    """`-1234.50`, exact, for machines and for cells that cannot hold the number."""
    return f"{money.decimal():.{digits_of(money)}f}"
