"""The table of jobs: what each of the plans does when it is due."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.desk import Desk
from bot.domain.job_plans import DIGEST, HEARTBEAT, JOB_PLANS, REMINDERS, JobPlan, Target
from bot.domain.month_plans import MONTH_END
from bot.domain.settings import Settings
from bot.jobs.digest import run_digest
from bot.jobs.heartbeat import run_heartbeat
from bot.jobs.month_end import run_month_end
from bot.jobs.reminders import run_reminders
from bot.storage.jobs import Finished, JobRun

Run = Callable[[Desk, JobRun], Finished]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job; its function writes nothing, so that a run given up half way has done nothing, or steps that have a
    key each, so that the run after it goes on where it ended.
    """

    name: str
    targets: Callable[[Settings], Sequence[Target]]
    run: Run
    catches_up: bool = False  # also what was due since the book was opened, when it never ran
    period: Callable[[date], date] = lambda day: day  # the day that a run is entered under


RUNS: Mapping[str, Run] = {
    HEARTBEAT: run_heartbeat,
    MONTH_END: run_month_end,
    REMINDERS: run_reminders,
    DIGEST: run_digest,
}


def _job(plan: JobPlan) -> Job:
    return Job(
        name=plan.name,
        targets=plan.targets,
        run=RUNS[plan.name],
        catches_up=plan.catches_up,
        period=plan.period,
    )


JOBS: Mapping[str, Job] = {name: _job(plan) for name, plan in JOB_PLANS.items()}
