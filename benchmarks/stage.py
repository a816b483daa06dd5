"""The stage of one comparison: the same books loaded on both sides of one engine, and the proof that they agree."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from benchmarks import postgres
from benchmarks.data import PAST, TODAY, Books, Receipt
from benchmarks.doors import PEOPLE
from benchmarks.floors import Floor
from benchmarks.measure import Figure, Measured, Sample, in_turn
from benchmarks.ours import Adapter, Ours, Side

DATES = {"today": TODAY, "a year back": PAST}
MODES = ("http", "socket")
WARM_UP = 20

Samples = tuple[Sample | None, Sample | None]
"""The floor's and ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much of everything one run does."""

    sizes: tuple[int, ...]
    repeats: int
    receipts: int
    cards: int
    seconds: int
    starts: int
    imported: int

    @property
    def all_receipts(self) -> int:
        """Twice W1 with its warm-up turn (statement by statement and at once), then W5 at both doors with its burst."""
        return 2 * (self.repeats + 1) * self.receipts + len(MODES) * (WARM_UP + PEOPLE * (self.seconds + 1))


QUICK = Plan(sizes=(5_000, 25_000), repeats=4, receipts=100, cards=50, seconds=2, starts=1, imported=5_000)
FULL = Plan(
    sizes=(10_000, 100_000, 1_000_000), repeats=5, receipts=400, cards=200, seconds=20, starts=5, imported=1_000_000
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Floor and ours, both open on books of the same history on the same engine."""

    engine: str
    size: int
    plan: Plan
    floor: Floor
    ours: Ours | None
    floor_where: str
    ours_where: str
    receipts: Iterator[Receipt]
    adapter: Adapter | None
    conninfo: str

    def take(self, count: int) -> list[Receipt]:
        return list(islice(self.receipts, count))

    def figure(self, work: str, measure: str, unit: str, samples: Samples, *, case: str = "") -> Figure:
        floor, ours = samples
        return Figure(
            work=work, measure=measure, case=case, size=self.size, unit=unit, engine=self.engine, floor=floor, ours=ours
        )

    def turns(self, measured: Callable[[Side], Measured]) -> tuple[Sample, Sample | None]:
        ours = measured(self.ours) if self.ours is not None else None
        return in_turn(self.plan.repeats, measured(self.floor), ours)


class FiguresDisagreeError(Exception):
    """Both sides were asked the same question and answered differently, so no time of theirs means anything."""


@contextmanager
def staged(
    engine: str, size: int, plan: Plan, adapter: Adapter | None, conninfo: str, *, books: Books | None = None
) -> Iterator[Stage]:
    """Load both sides in places of their own, and delete them afterwards."""
    books = books or Books(size)
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        places = [f"{side}_{size}_{books.of_customer}" for side in ("floor", "ours")]
        if engine == "sqlite":
            floor_where, ours_where = (str(Path(folder) / f"{place}.db") for place in places)
        else:
            floor_where, ours_where = (postgres.create_database(conninfo, place) for place in places)
        floor = Floor(engine, floor_where)
        ours = opened(adapter, engine, ours_where)
        try:
            for side, where in ((floor, floor_where), (ours, ours_where)):
                if side is not None:
                    side.load(books)
                    settle(engine, where)
            yield Stage(
                engine=engine,
                size=size,
                plan=plan,
                floor=floor,
                ours=ours,
                floor_where=floor_where,
                ours_where=ours_where,
                adapter=adapter,
                conninfo=conninfo,
                receipts=iter(books.receipts(min(size, plan.all_receipts))),
            )
        finally:
            floor.close()
            if ours is not None:
                ours.close()
            if engine != "sqlite":
                for place in places:
                    postgres.drop_database(conninfo, place)


def opened(adapter: Adapter | None, engine: str, where: str) -> Ours | None:
    try:
        return adapter.open_ours(engine, where) if adapter is not None else None
    except NotImplementedError:
        return None


def settle(engine: str, where: str) -> None:
    """Leave nothing of the load to be done during a measurement; SQLite has nothing that its own close would not do."""
    if engine != "sqlite":
        postgres.settle(where)


def demand_agreement(stage: Stage, as_of: date) -> None:
    """Compare what both sides make of the books at a date; also the proof that both recorded the same receipts."""
    if stage.ours is None:
        return
    try:
        found = stage.ours.totals(stage.ours.age(as_of))
    except NotImplementedError:
        return
    expected = stage.floor.totals(stage.floor.age(as_of))
    if found != expected:
        message = f"{stage.engine}, {stage.size} invoices, {as_of}: ours {found}, floor {expected}"
        raise FiguresDisagreeError(message)


def demand_true_floor(stage: Stage) -> None:
    """The floor itself against the history added up one invoice after another."""
    for as_of in DATES.values():
        expected = Books(stage.size).totals(as_of)
        found = stage.floor.totals(stage.floor.age(as_of))
        if found != expected:
            message = f"{stage.engine}, {stage.size} invoices, {as_of}: floor {found}, history {expected}"
            raise FiguresDisagreeError(message)
