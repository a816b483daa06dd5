"""The table of jobs: what each is called, for whom it is due and when, and what it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.desk import Desk
from bot.domain.digest_plans import plans_of
from bot.domain.schedules import Schedule
from bot.domain.settings import Settings
from bot.jobs.digest import run_digest
from bot.storage.jobs import Finished, JobRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somewhere a job runs for: a channel, on its own schedule."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; its function computes and writes nothing, so that a run given up half way has done nothing."""

    name: str
    targets: Callable[[Settings], Sequence[Target]]
    run: Callable[[Desk, JobRun], Finished]


def _digest_targets(settings: Settings) -> Sequence[Target]:
    return [Target(name=plan.channel, schedule=plan.schedule) for plan in plans_of(settings)]


JOBS: Mapping[str, Job] = {
    "digest": Job(name="digest", targets=_digest_targets, run=run_digest),
}
