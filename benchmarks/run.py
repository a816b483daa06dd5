"""`python -m benchmarks.run [--quick] [--only W1,W2]`: floors and ours beside each other, judged by the budgets."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from benchmarks import importing, postgres, reminding, report, works
from benchmarks.budgets import ENGINES, Kind, Verdict, judge
from benchmarks.child import ROOT
from benchmarks.measure import Figure, probe
from benchmarks.ours import Adapter, find_adapter
from benchmarks.stage import FULL, QUICK, Plan, Stage, demand_true_floor, staged

BEGIN = time.perf_counter()

# In this order on one stage, since what only reads has to come before what writes. W2 runs at every size, the others
# at the largest.
WORKS: dict[str, tuple[Callable[[Stage], list[Figure]], ...]] = {
    "W2": (works.age, works.age_memory),
    "W3": (reminding.remind,),
    "card": (works.card,),
    "start": (works.start,),
    "import": (importing.import_lines,),
    "W1": (works.record,),
    "W5": (works.interact,),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, report, and return zero when every budget that must be met is met."""
    options = read_options(arguments)
    plan = QUICK if options.quick else FULL
    if options.sizes:
        plan = replace(plan, sizes=tuple(sorted(options.sizes)))
    adapter = find_adapter()
    before = probe()
    figures = list(measure(plan, options.only, adapter))
    after = probe()
    verdicts = judge(figures, options.only)
    path = report.write_json(figures, verdicts, {"plan": repr(plan), "probe_ms": [before.values, after.values]})
    print(*report.figures_table(figures), "", *report.budgets_table(verdicts), "", sep="\n")
    print(report.busyness(before, after))
    print(f"Written to {path.relative_to(ROOT)}.")
    return conclude(verdicts, has_adapter=adapter is not None)


def conclude(verdicts: Sequence[Verdict], *, has_adapter: bool) -> int:
    """Say what is missing, then how many budgets are met; the last line is for machines too."""
    if not has_adapter:
        print("Nothing of ours is plugged in (see benchmarks/ours.py): these are the floors alone.")
    missing: dict[str, dict[str, None]] = {}
    for budget in (each.budget for each in verdicts if each.value is None):
        missing.setdefault(budget.name, {})[budget.engine] = None
    if missing:
        print("Not measured:", "; ".join(f"{name} on {' and '.join(engines)}" for name, engines in missing.items()))
    wanted, of_wanted = report.budgets_met(verdicts, Kind.WANT)
    print(f"wanted beyond the budgets: {wanted} of {of_wanted} reached")
    met, of_all = report.budgets_met(verdicts, Kind.MUST)
    print(f"budgets: {met} of {of_all} met")
    return 0 if met == of_all else 1


def measure(plan: Plan, asked: Sequence[str], adapter: Adapter | None) -> Iterator[Figure]:
    with postgres.running_postgres() as conninfo:
        say(f"PostgreSQL {postgres.server_version(conninfo)}")
        for engine in ENGINES:
            for size in plan.sizes:
                chosen = [name for name in WORKS if name in asked and (name == "W2" or size == plan.sizes[-1])]
                if not chosen:
                    continue
                say(f"{engine}, N = {size:,}: loading")
                with staged(engine, size, plan, adapter, conninfo) as stage:
                    if size == plan.sizes[0]:
                        demand_true_floor(stage)
                    for name in chosen:
                        say(f"{engine}, N = {size:,}: {name}")
                        for work in WORKS[name]:
                            yield from work(stage)


def say(progress: str) -> None:
    """On the error stream, so that the report alone can be kept."""
    print(f"{time.perf_counter() - BEGIN:6.1f} s  {progress}", file=sys.stderr, flush=True)


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="N = 5,000 and 25,000 invoices instead of up to 1,000,000")
    parser.add_argument("--only", type=work_names, default=list(WORKS), help=f"some of {','.join(WORKS)}")
    parser.add_argument("--sizes", type=sizes, default=(), help="other sizes, such as 10000,50000")
    return parser.parse_args(arguments)


def work_names(text: str) -> list[str]:
    names = text.split(",")
    unknown = [name for name in names if name not in WORKS]
    if unknown:
        message = f"no work named {', '.join(unknown)}; there are {', '.join(WORKS)}"
        raise argparse.ArgumentTypeError(message)
    return names


def sizes(text: str) -> list[int]:
    """Smaller books would not have an open invoice for every receipt of a full run."""
    found = [int(each) for each in text.split(",")]
    if min(found) < FULL.all_receipts:
        message = f"books need {FULL.all_receipts:,} open invoices or more"
        raise argparse.ArgumentTypeError(message)
    return found


if __name__ == "__main__":
    sys.exit(main())
