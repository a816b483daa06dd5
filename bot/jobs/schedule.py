"""The table of jobs: what each is called, for whom it is due and when, and what it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.desk import Desk
from bot.domain.digest_plans import plans_of
from bot.domain.month_plans import BOOK, MONTH_END, month_end_of
from bot.domain.schedules import Schedule
from bot.domain.settings import Settings
from bot.jobs.digest import run_digest
from bot.jobs.month_end import run_month_end
from bot.storage.jobs import Finished, JobRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somewhere a job runs for: a channel, on its own schedule."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; its function writes nothing, so that a run given up half way has done nothing, or steps that have a
    key each, so that the run after it goes on where it ended.
    """

    name: str
    targets: Callable[[Settings], Sequence[Target]]
    run: Callable[[Desk, JobRun], Finished]
    catches_up: bool = False  # also what was due since the book was opened, when it never ran
    period: Callable[[date], date] = lambda day: day  # the day that a run is entered under


def _digest_targets(settings: Settings) -> Sequence[Target]:
    return [Target(name=plan.channel, schedule=plan.schedule) for plan in plans_of(settings)]


def first_of_month(day: date) -> date:
    """A month ends once, on whichever day it is asked for."""
    return day.replace(day=1)


def _month_end_targets(settings: Settings) -> Sequence[Target]:
    schedule = month_end_of(settings)
    return [Target(name=BOOK, schedule=schedule)] if schedule is not None else []


JOBS: Mapping[str, Job] = {
    "digest": Job(name="digest", targets=_digest_targets, run=run_digest),
    MONTH_END: Job(
        name=MONTH_END, targets=_month_end_targets, run=run_month_end, catches_up=True, period=first_of_month
    ),
}
