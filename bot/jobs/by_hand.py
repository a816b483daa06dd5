"""Jobs and watches from the command line: the list, and a run whose message is sent before the command ends."""

import time
from collections.abc import Iterator, Sequence
from datetime import date, datetime

from bot.desk import SYSTEM, Desk
from bot.domain.errors import Refused
from bot.domain.job_plans import DELIVERY, JOB_PLANS, NO_CHANNEL, WATCH_PLANS, JobPlan
from bot.domain.month_plans import BOOK
from bot.domain.settings import Settings
from bot.handlers.blocks.jobs import (
    coming_text,
    delivery_last_text,
    delivery_next_text,
    every_text,
    last_text,
    look_text,
    soon_text,
)
from bot.handlers.blocks.text import table
from bot.handlers.jobs import NAMES, chosen, day_of
from bot.jobs.delivery import Runs
from bot.jobs.runner import Runner
from bot.storage.ids import new_id
from bot.storage.jobs import Asked, JobRun, JobRuns, period_of
from bot.storage.pulse import looks, signs
from bot.storage.store import Store

PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.2
COMMAND_LINE = f"{SYSTEM}: command line"
HEADINGS = ("job", "channel", "when", "last run", "next run")


def listed(store: Store, now: datetime) -> str:
    """Each job and channel, each watch and delivery: how the last run went and when the next one comes."""
    settings = store.read(lambda books: books.settings())
    runs, rows = JobRuns(store), list[list[str]]()
    for plan in JOB_PLANS.values():
        targets = plan.targets(settings)
        for target in targets:
            last = runs.newest(plan.name, target.name)
            coming = coming_text(target.schedule, last, now, settings)
            rows.append([plan.name, target.name, target.when, last_text(last, settings), coming])
        if not targets and plan.is_of_book:
            last = runs.newest(plan.name, BOOK)
            rows.append([plan.name, BOOK, "off", last_text(last, settings), "never: it is switched off"])
    seen, known = signs(store), looks(store)
    for watch in WATCH_PLANS.values():
        look = known.get(watch.name)
        rows.append([watch.name, BOOK, every_text(watch), look_text(look, settings), soon_text(watch, look, seen)])
    rows.append([DELIVERY, BOOK, "all the time", delivery_last_text(seen, settings), delivery_next_text(seen)])
    shown = table(rows, HEADINGS, ["left"] * len(HEADINGS))
    return shown if any(row[0] == "digest" for row in rows) else f"{shown}\n{NO_CHANNEL}"


def run_now(
    desk: Desk, workers: Sequence[Runs], name: str, day: date | None, channel: str, *, again: bool
) -> Iterator[str]:
    """Run a job for a day and see its message sent; a day that is done is left alone unless asked for again. A watch
    looks once more each time.

    Refuses: Refused, for a job, channel or day that there is not.
    """
    if name not in NAMES:
        raise Refused(f"There is no job {name[:20]}; choose one of {', '.join(NAMES)}.")
    settings = desk.store.read(lambda books: books.settings())
    today = settings.today(desk.store.now())
    if name not in JOB_PLANS and day is not None:
        raise Refused(f"{name} looks at what there is now; leave --date out.")
    if name == DELIVERY:
        sent = sum(iter(lambda: _send(workers), 0))
        yield f"{name}: {sent} taken in hand; duedesk outbox list says what is left"
    elif name in WATCH_PLANS:
        yield f"{name}: {_one(desk, workers, (name, BOOK), today, settings, str(new_id()))}"
    else:
        yield from _of_job(desk, workers, JOB_PLANS[name], day, channel, again=again)


def _of_job(
    desk: Desk, workers: Sequence[Runs], plan: JobPlan, day: date | None, channel: str, *, again: bool
) -> Iterator[str]:
    settings = desk.store.read(lambda books: books.settings())
    typed = day.isoformat() if day is not None else ""
    wanted, called = day_of(plan, typed, settings, settings.today(desk.store.now()))
    reference = str(new_id()) if again else ""
    for target in chosen(plan, settings, [channel] if channel else []):
        said = _one(desk, workers, (plan.name, target.name), wanted, settings, reference)
        yield f"{called if target.name == BOOK else f'{plan.name} {target.name}'}: {said}"


def _one(
    desk: Desk, workers: Sequence[Runs], job: tuple[str, str], day: date, settings: Settings, reference: str
) -> str:
    runs, (name, target) = JobRuns(desk.store), job
    asked = runs.ask(name, target, day, desk.store.now(), by=COMMAND_LINE, again=reference)
    if asked is Asked.DONE:
        plan = JOB_PLANS[name]
        return f"done already{', ' + plan.unchanged if plan.unchanged else ''}; add --again {plan.again}"
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
