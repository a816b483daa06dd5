"""Jobs from the command line: the list, and a run whose message is sent before the command ends."""

import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from bot.desk import SYSTEM, Desk
from bot.domain.digest_plans import DigestPlan, plans_of
from bot.domain.errors import Refused
from bot.domain.month_end import month_label, read_month, run_day
from bot.domain.month_plans import BOOK, MONTH_END, month_end_of
from bot.domain.settings import Settings
from bot.handlers.blocks.jobs import NO_CHANNEL, coming_text, last_text, next_text
from bot.handlers.blocks.text import table
from bot.jobs.delivery import Runs
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.ids import new_id
from bot.storage.jobs import Asked, JobRun, JobRuns, period_of
from bot.storage.store import Store

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.2
COMMAND_LINE = f"{SYSTEM}: command line"
ALREADY = {
    "digest": "done already, nothing was posted; --again posts a copy, marked as one",
    MONTH_END: "done already; --again invoices who was left out",
}
HEADINGS = ("job", "channel", "when", "last run", "next run")


def listed(store: Store, now: datetime) -> str:
    """Each job and channel: how the last run went and when the next one comes."""
    settings = store.read(lambda books: books.settings())
    plans = plans_of(settings)
    runs = JobRuns(store)
    monthly, last = month_end_of(settings), runs.newest(MONTH_END, BOOK)
    coming = coming_text(monthly, last, now, settings) if monthly is not None else "never: it is switched off"
    label = monthly.label if monthly is not None else "off"
    rows = [[MONTH_END, BOOK, label, last_text(last, settings), coming]]
    for plan in plans:
        last = runs.newest("digest", plan.channel)
        coming = next_text(plan, last, now, settings)
        rows.append(["digest", plan.channel, plan.label, last_text(last, settings), coming])
    shown = table(rows, HEADINGS, ["left"] * len(HEADINGS))
    return shown if plans else f"{shown}\n{NO_CHANNEL}"


def run_now(
    desk: Desk, workers: Sequence[Runs], name: str, day: date | None, channel: str, *, again: bool
) -> Iterator[str]:
    """Run a job for a day and see its message sent; a day that is done is left alone unless asked for again.

    Refuses: Refused, for a job, channel or day that there is not.
    """
    if name not in JOBS:
        raise Refused(f"There is no job {name[:20]}; choose one of {', '.join(JOBS)}.")
    settings = desk.store.read(lambda books: books.settings())
    today = settings.today(desk.store.now())
    if name == MONTH_END:
        month = read_month(day.isoformat() if day is not None else "", today)
        reference = str(new_id()) if again else ""
        said = _one(desk, workers, (MONTH_END, BOOK), run_day(month), settings, reference)
        yield f"{MONTH_END} {month_label(month)}: {said}"
        return
    wanted = day or today
    if wanted > today:
        raise Refused(f"{wanted} lies in the future; a digest is of today or an earlier day.")
    for plan in _chosen(settings, channel):
        reference = str(new_id()) if again else ""
        yield f"{name} {plan.channel}: {_one(desk, workers, (name, plan.channel), wanted, settings, reference)}"


def _chosen(settings: Settings, channel: str) -> Sequence[DigestPlan]:
    plans = plans_of(settings)
    if not plans:
        raise Refused(NO_CHANNEL)
    chosen = [plan for plan in plans if channel in {"", plan.channel}]
    if not chosen:
        raise Refused(f"{channel[:20]} gets no digest; choose one of {', '.join(plan.channel for plan in plans)}.")
    return chosen


def _one(
    desk: Desk, workers: Sequence[Runs], job: tuple[str, str], day: date, settings: Settings, reference: str
) -> str:
    runs, (name, target) = JobRuns(desk.store), job
    asked = runs.ask(name, target, day, desk.store.now(), by=COMMAND_LINE, again=reference)
    if asked is Asked.DONE:
        return ALREADY[name]
    copy = runs.of_period(name, period_of(target, day, reference))
    period = copy.period if copy is not None else period_of(target, day)
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        Runner(desk).run_once()
        _send(workers)
        found = runs.of_period(name, period)
        assert found is not None
        if _is_over(found):
            while _send(workers):
                pass
            return last_text(found, settings)
        time.sleep(PAUSE_SECONDS)
    return "not finished yet; the running bot goes on with it, and duedesk jobs list says how it went"


def _send(workers: Sequence[Runs]) -> int:
    return sum(each.run_once() for each in workers)


def _is_over(run: JobRun) -> bool:
    """Whether nothing more comes soon: sent, refused, or failed at its first try."""
    is_told = run.state == "done" and not run.payload
    return (
        is_told
        or run.state == "failed"
        or run.sent in {"done", "failed"}
        or (run.state == "waiting" and run.attempt > 0)
    )
