"""How things are measured: in turn, repeatedly, beside a fixed loop that tells how busy the machine was."""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

PROBE_STEPS = 300_000
PROBE_REPEATS = 9


@dataclass(frozen=True, slots=True)
class Sample:
    """The same thing measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the least to the greatest, as a share of the median."""
        return (max(self.values) - min(self.values)) / self.median if self.median else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measure of one work, of the floor and of ours where each could be measured."""

    work: str
    measure: str
    case: str
    size: int
    unit: str
    engine: str = ""
    floor: Sample | None = None
    ours: Sample | None = None

    @property
    def ratio(self) -> float | None:
        if self.floor is None or self.ours is None or not self.floor.median:
            return None
        return self.ours.median / self.floor.median


Measured = Callable[[], float]


def in_turn(repeats: int, floor: Measured, ours: Measured | None) -> tuple[Sample, Sample | None]:
    """Measure floor and ours alternately, so that a drift of the machine meets both; one turn before that to warm up.

    Ours counts as not measured when it raises NotImplementedError.
    """
    floor()
    if ours is not None:
        try:
            ours()
        except NotImplementedError:
            ours = None
    floor_values: list[float] = []
    ours_values: list[float] = []
    for _ in range(repeats):
        floor_values.append(quietly(floor))
        if ours is not None:
            ours_values.append(quietly(ours))
    return Sample(tuple(floor_values)), Sample(tuple(ours_values)) if ours_values else None


def quietly(measured: Measured) -> float:
    """Collect garbage before instead of during: what one side left behind must not be charged to the other."""
    gc.collect()
    gc.disable()
    try:
        return measured()
    finally:
        gc.enable()


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so large a share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def probe() -> Sample:
    """A fixed loop in milliseconds; it takes longer when others use the machine."""

    def loop() -> int:
        return sum(step * step for step in range(PROBE_STEPS))

    return Sample(tuple(milliseconds(loop) for _ in range(PROBE_REPEATS)))
