"""The works: each takes a stage and returns its figures, floor and ours in turn."""

from collections.abc import Callable, Sequence
from datetime import date

from benchmarks import child
from benchmarks.data import PAST, TODAY, Books, Receipt
from benchmarks.doors import PEOPLE, all_at_once, dispatch_floor, fifty_people
from benchmarks.measure import Figure, Measured, Sample, in_turn, milliseconds, percentile
from benchmarks.ours import Ours, Side
from benchmarks.stage import DATES, MODES, WARM_UP, Stage, demand_agreement

DATABASE_SECONDS = 0.1  # for each request of the burst
SINGLE_CALL_SIZE = 100_000  # one call from that many open invoices on, ten at a tenth of them


def age(stage: Stage) -> list[Figure]:
    """W2 at both dates; small books several times in a turn, as a few milliseconds alone are mostly noise."""
    calls = max(1, SINGLE_CALL_SIZE // stage.size)
    figures = []
    for case, as_of in DATES.items():
        demand_agreement(stage, as_of)

        def measured(side: Side, as_of: date = as_of) -> Measured:
            return lambda: milliseconds(lambda: [side.age(as_of) for _ in range(calls)]) / calls

        figures.append(stage.figure("W2", "time", "ms", stage.turns(measured), case=case))
    return figures


def age_memory(stage: Stage) -> list[Figure]:
    """The peak of a process that opens the books and ages them once."""

    def peak(side: str, where: str) -> Sample | None:
        spent = child.spawn("age", side, stage.engine, where, PAST.isoformat())
        return Sample((spent.peak_mb,)) if spent is not None else None

    ours = peak("ours", stage.ours_where) if stage.ours is not None else None
    return [stage.figure("W2", "peak memory", "MB", (peak("floor", stage.floor_where), ours))]


def record(stage: Stage) -> list[Figure]:
    """W1; both sides write down the same receipts and must come to the same ageing afterwards."""
    plan = stage.plan
    batches = [stage.take(plan.receipts) for _ in range(plan.repeats + 1)]

    def each(write: Callable[[Receipt], object], batches: Sequence[Sequence[Receipt]]) -> Measured:
        rest = iter(batches)

        def one_turn() -> float:
            batch = next(rest)
            return milliseconds(lambda: [write(receipt) for receipt in batch]) / len(batch)

        return one_turn

    samples = stage.turns(lambda side: each(side.record, batches))
    figures = [stage.figure("W1", "time", "ms", samples)]
    if samples[1] is not None:
        demand_agreement(stage, TODAY)
    if stage.engine == "postgresql":
        more = [stage.take(plan.receipts) for _ in range(plan.repeats + 1)]
        at_once = in_turn(plan.repeats, each(stage.floor.record_at_once, more), None)
        figures.append(stage.figure("W1", "as one statement", "ms", at_once))
    return figures


def card(stage: Stage) -> list[Figure]:
    """The mean of cards spread over all customers, in each repeat."""
    last = Books(stage.size).customer_count
    count = min(last, stage.plan.cards)
    customers = [1 + index * last // count for index in range(count)]

    def measured(side: Side) -> Measured:
        return lambda: milliseconds(lambda: [side.card(customer) for customer in customers]) / count

    return [stage.figure("card", "time", "ms", stage.turns(measured))]


def start(stage: Stage) -> list[Figure]:
    """From the start of a process to ready; the floor is importing the libraries and nothing else."""
    kept: dict[str, list[child.Spent]] = {"stack": [], "start": []}

    def measured(*task: str) -> Measured:
        def one_turn() -> float:
            spent = child.spawn(*task)
            if spent is None:
                raise NotImplementedError
            kept[task[0]].append(spent)
            return spent.milliseconds

        return one_turn

    ours = measured("start", stage.engine, stage.ours_where) if stage.ours is not None else None
    ready = in_turn(stage.plan.starts, measured("stack"), ours)
    floor_mb, ours_mb = (
        Sample(tuple(spent.resident_mb for spent in kept[task][1:])) if sample is not None else None
        for task, sample in zip(("stack", "start"), ready, strict=True)
    )
    return [
        stage.figure("start", "ready", "ms", ready),
        stage.figure("start", "resident", "MB", (floor_mb, ours_mb)),
    ]


def interact(stage: Stage) -> list[Figure]:
    """W5 at both doors; the floor is what Bolt itself takes for a command that does nothing."""
    figures = [stage.figure("W5", "dispatch alone", "ms", (dispatch_floor(stage.plan.repeats), None))]
    for mode in MODES:
        warm_up = stage.take(WARM_UP)
        receipts = stage.take(PEOPLE * stage.plan.seconds)
        burst = stage.take(PEOPLE)
        took = at_door(stage.ours, mode, warm_up, receipts, burst) if stage.ours is not None else {}
        for measure in ("p99", "slowest", "slow database, p99"):
            ours = Sample((took[measure],)) if measure in took else None
            figures.append(stage.figure("W5", measure, "ms", (None, ours), case=mode))
    return figures


def at_door(
    ours: Ours, mode: str, warm_up: Sequence[Receipt], receipts: Sequence[Receipt], burst: Sequence[Receipt]
) -> dict[str, float]:
    """Fifty people at their pace, then fifty commands in one moment with a database that takes its time."""
    try:
        with ours.door(mode, DATABASE_SECONDS) as (act, ask):
            for receipt in warm_up:
                act(receipt)
            paced = fifty_people(act, receipts)
            at_once = all_at_once(ask, burst)
    except NotImplementedError:
        return {}
    return {
        "p99": percentile(paced, 0.99),
        "slowest": max(paced),
        "slow database, p99": percentile(at_once, 0.99),
    }
