"""The budgets as data: what must hold, what we want beside it, and how each value comes from the figures of a run."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from benchmarks.measure import Figure

ENGINES = ("sqlite", "postgresql")


class Kind(Enum):
    MUST = "must"
    WANT = "want"


class How(Enum):
    """How a value is worked out; of several cases at the largest size the worst one counts."""

    RATIO = "ours over the floor, medians of the same run"
    VALUE = "ours, median"
    EXPONENT = "e, where ours grows as N to the power of e from the smallest books to the largest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One limit for one measure of one work on one engine."""

    name: str
    work: str
    measure: str
    engine: str
    kind: Kind
    how: How
    limit: float
    unit: str


@dataclass(frozen=True, slots=True)
class Verdict:
    budget: Budget
    value: float | None

    @property
    def is_met(self) -> bool:
        """What was not measured is not met."""
        return self.value is not None and self.value <= self.budget.limit


# Name, work, measure, how, then for each engine (or for both) what must hold and what we want, and the unit.
TABLE: tuple[tuple[str, str, str, How, str, dict[str, tuple[float, float | None]]], ...] = (
    ("W1 record", "W1", "time", How.RATIO, "x floor", {"sqlite": (4, 2.5), "postgresql": (2.5, 1.5)}),
    ("W2 age", "W2", "time", How.RATIO, "x floor", dict.fromkeys(ENGINES, (1.5, 1.2))),
    ("W2 age, growth exponent", "W2", "time", How.EXPONENT, "", dict.fromkeys(ENGINES, (1.05, None))),
    ("W2 age, peak memory", "W2", "peak memory", How.VALUE, "MB", dict.fromkeys(ENGINES, (250, None))),
    ("W3 plan of reminders", "W3", "plan, each reminder", How.RATIO, "x floor", dict.fromkeys(ENGINES, (5, 3))),
    ("W5 interact, p99", "W5", "p99", How.VALUE, "ms", dict.fromkeys(ENGINES, (250, 50))),
    ("W5 interact, slowest ack", "W5", "slowest", How.VALUE, "ms", dict.fromkeys(ENGINES, (3000, None))),
    (
        "W5, fifty at once, slow database",
        "W5",
        "slow database, p99",
        How.VALUE,
        "ms",
        dict.fromkeys(ENGINES, (1000, None)),
    ),
    ("import, peak memory", "import", "peak memory", How.VALUE, "MB", {"sqlite": (250, None)}),
    ("customer card", "card", "time", How.VALUE, "ms", dict.fromkeys(ENGINES, (50, 20))),
    ("start to ready", "start", "ready", How.VALUE, "ms", dict.fromkeys(ENGINES, (3000, 1500))),
    ("resident when ready", "start", "resident", How.VALUE, "MB", dict.fromkeys(ENGINES, (130, 100))),
)


def all_budgets() -> list[Budget]:
    return [
        Budget(name=name, work=work, measure=measure, engine=engine, kind=kind, how=how, limit=limit, unit=unit)
        for name, work, measure, how, unit, limits in TABLE
        for engine, pair in limits.items()
        for kind, limit in zip(Kind, pair, strict=True)
        if limit is not None
    ]


def judge(figures: Sequence[Figure], works: Iterable[str]) -> list[Verdict]:
    """Every budget of the works that the run was asked for, with its value where there is one."""
    asked = set(works)
    return [Verdict(budget, value_of(budget, figures)) for budget in all_budgets() if budget.work in asked]


def value_of(budget: Budget, figures: Sequence[Figure]) -> float | None:
    mine = [
        figure
        for figure in figures
        if (figure.work, figure.measure, figure.engine) == (budget.work, budget.measure, budget.engine)
    ]
    if budget.how is How.EXPONENT:
        values = [exponent([figure for figure in mine if figure.case == case]) for case in {each.case for each in mine}]
    else:
        largest = max((figure.size for figure in mine), default=0)
        at_largest = [figure for figure in mine if figure.size == largest]
        values = [figure.ratio if budget.how is How.RATIO else median_of_ours(figure) for figure in at_largest]
    known = [value for value in values if value is not None]
    return max(known) if known and len(known) == len(values) else None


def median_of_ours(figure: Figure) -> float | None:
    return figure.ours.median if figure.ours is not None else None


def exponent(figures: Sequence[Figure]) -> float | None:
    """How ours grows between the smallest and the largest books of one case."""
    first, last = min(figures, key=lambda each: each.size), max(figures, key=lambda each: each.size)
    if first.size == last.size or first.ours is None or last.ours is None:
        return None
    return math.log(last.ours.median / first.ours.median) / math.log(last.size / first.size)
