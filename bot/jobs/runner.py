"""Runs what is due: each period of a job once, whoever tries and however often; one bad run never stops the rest."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from bot.desk import Desk
from bot.domain.job_plans import Target
from bot.domain.schedules import due
from bot.domain.settings import Settings
from bot.jobs.schedule import JOBS, Job
from bot.jobs.watches import AT_ONCE, WATCHES, Watch
from bot.metrics import OTHER, Metrics
from bot.observe import log, request_id
from bot.storage.jobs import LEASE, Finished, JobRun, JobRuns
from bot.storage.pulse import looked

TICK_SECONDS = 10
TICK = "tick"
RENEWED_SECONDS = LEASE.total_seconds() / 3


@dataclass(frozen=True, slots=True)
class Runner:
    """One runner of one book's jobs; any number may run, periods are claimed with a lease. Now is the database's."""

    desk: Desk
    jobs: Mapping[str, Job] = field(default_factory=lambda: JOBS)
    watches: Mapping[str, Watch] = field(default_factory=lambda: WATCHES)
    now: Callable[[], datetime] | None = None
    name: str = f"{socket.gethostname()}:{os.getpid()}"
    metrics: Metrics | None = None

    def run_once(self) -> int:
        """Plan what has become due and do what is planned; returns how many runs were tried."""
        runs = JobRuns(self.desk.store)
        settings = self.desk.store.read(lambda books: books.settings())
        for job in self.jobs.values():
            for target in job.targets(settings):
                self._plan(runs, job, target, settings)
        self._watch()
        claimed = runs.claim(self.name, self._now())
        with self._held(runs, claimed):
            for run in claimed:
                self._run(runs, run)
        return len(claimed)

    @contextmanager
    def _held(self, runs: JobRuns, claimed: Sequence[JobRun]) -> Iterator[None]:
        """Keep what was claimed for as long as it takes: to prove a large book takes longer than a lease."""
        if not claimed:
            yield
            return
        over = threading.Event()
        holder = threading.Thread(target=self._hold, args=(runs, claimed, over), name="lease", daemon=True)
        holder.start()
        try:
            yield
        finally:
            over.set()
            holder.join()

    def _hold(self, runs: JobRuns, claimed: Sequence[JobRun], over: threading.Event) -> None:
        while not over.wait(RENEWED_SECONDS):
            try:
                runs.renew(claimed, self._now())
            except Exception as fault:  # noqa: BLE001  # the database may be away; it is asked again before the lease ends
                log.error("the lease of a job could not be renewed", exc_info=fault)

    def _watch(self) -> None:
        """What is looked after with every tick, beside the jobs: none of them stops another."""
        ended: dict[str, int | str] = {}
        for name, watch in self.watches.items():
            try:
                ended[name] = watch(self.desk, self._now())
            except Exception as fault:  # noqa: BLE001  # the others go on; this one looks again with the next tick
                log.error("%s cannot be watched", name, exc_info=fault)
                ended[name] = type(fault).__name__
        if ended:
            looked(self.desk.store, ended)

    def _now(self) -> datetime:
        return self.now() if self.now is not None else self.desk.store.now()

    def _plan(self, runs: JobRuns, job: Job, target: Target, settings: Settings) -> None:
        try:
            now = self._now()
            last = runs.last_day(job.name, target.name)
            if last is None and job.catches_up:
                last = runs.opened_on(settings.zone)
            day = due(target.schedule, last, now, settings.zone)
            if day is not None:
                runs.plan(job.name, target.name, job.period(day), now)
        except Exception as fault:  # noqa: BLE001  # one channel never stops the others
            log.error("job %s cannot be planned for %s", job.name, target.name, exc_info=fault)

    def _run(self, runs: JobRuns, run: JobRun) -> None:
        """One run with its id in each line of the log, and counted."""
        request_id.set(f"job-{run.id}")
        result = "fault"
        try:
            result = self._tried(runs, run)
        finally:
            if self.metrics is not None:
                self.metrics.job_ran(run.job if run.job in {*self.jobs, *self.watches} else OTHER, result)
            request_id.set("-")

    def _tried(self, runs: JobRuns, run: JobRun) -> str:
        try:
            done = self._done(run)
            if runs.finish(run, done, self._now()):
                log.info(
                    "job %s is done for %s: %s", run.job, run.period, "with a difference" if done.error else "well"
                )
                self.desk.on_commit()
            else:
                log.warning("job %s for %s was taken over meanwhile", run.job, run.period)
                return "overtaken"
        except Exception as fault:  # noqa: BLE001  # whatever it is, it is kept with the run and shown in the list
            log.error("job %s failed for %s, attempt %s", run.job, run.period, run.attempt, exc_info=fault)
            self._put_off(runs, run, fault)
            return "fault"
        return "done"

    def _done(self, run: JobRun) -> Finished:
        """What a run came to; a watch that somebody asked for looks at once."""
        job = self.jobs.get(run.job)
        if job is not None:
            return job.run(self.desk, run)
        watch = AT_ONCE.get(run.job, self.watches.get(run.job))
        assert watch is not None, f"there is no job {run.job}"
        did = watch(self.desk, self._now())
        looked(self.desk.store, {run.job: did})
        return Finished(
            result=f"looked, and did {did:,}" if did else "looked, and had nothing to do", payload="", kind="watch"
        )

    def _put_off(self, runs: JobRuns, run: JobRun, fault: Exception) -> None:
        try:
            runs.put_off(run, f"attempt {run.attempt}: {type(fault).__name__}", self._now())
        except Exception as second:  # noqa: BLE001  # the database is away; the lease ends and the run is taken over
            log.error("job %s for %s could not be put off", run.job, run.period, exc_info=second)


class JobsThread:
    """Asks the runner every ten seconds, and at once when somebody asked for a run."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._scheduler = BackgroundScheduler(timezone=UTC)

    def start(self) -> None:
        self._scheduler.add_job(
            self._tick,
            "interval",
            seconds=TICK_SECONDS,
            id=TICK,
            next_run_time=datetime.now(UTC),
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def wake(self) -> None:
        """Somebody asked for a run: look now."""
        if self._scheduler.running:
            self._scheduler.modify_job(TICK, next_run_time=datetime.now(UTC))

    def stop(self) -> None:
        """Finish what is being done and end."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)

    def _tick(self) -> None:
        try:
            self.runner.run_once()
        except Exception as fault:  # noqa: BLE001  # the database may be away; it is asked again
            log.error("jobs stopped for a moment", exc_info=fault)
