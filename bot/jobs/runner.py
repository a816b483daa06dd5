"""Runs what is due: each period of a job once, whoever tries and however often; one bad run never stops the rest."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from apscheduler.schedulers.background import BackgroundScheduler

from bot.desk import Desk
from bot.domain.job_plans import Target
from bot.domain.schedules import due
from bot.domain.settings import Settings
from bot.jobs.lease import HandedOver, Kept, Overtaken, new_name
from bot.jobs.schedule import JOBS, Job
from bot.jobs.watches import AT_ONCE, WATCHES, Watch
from bot.metrics import OTHER, Metrics
from bot.observe import log, request_id
from bot.storage.jobs import Finished, JobRun, JobRuns
from bot.storage.pulse import looked

TICK_SECONDS = 10
STOP_SECONDS = 15.0
TICK = "tick"
MOST_RUNS = 200  # of one tick
NAME = new_name()


@dataclass(frozen=True, slots=True)
class Runner:
    """One runner of one book's jobs; any number may run, periods are claimed with a lease. Now is the database's."""

    desk: Desk
    jobs: Mapping[str, Job] = field(default_factory=lambda: JOBS)
    watches: Mapping[str, Watch] = field(default_factory=lambda: WATCHES)
    now: Callable[[], datetime] | None = None
    name: str = NAME
    metrics: Metrics | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def run_once(self) -> int:
        """Plan what has become due and do what is planned; returns how many runs were tried."""
        runs = JobRuns(self.desk.store)
        settings = self.desk.store.read(lambda books: books.settings())
        for job in self.jobs.values():
            for target in job.targets(settings):
                self._plan(runs, job, target, settings)
        self._watch()
        tried = 0
        while tried < MOST_RUNS and not self.stopping.is_set():
            claimed = runs.claim(self.name, self._now())
            if not claimed:
                break
            for run in claimed:
                self._run(runs, run)
            tried += len(claimed)
        return tried

    def release(self) -> None:
        """Let other processes go on at once with what this one has in hand and does not finish."""
        if JobRuns(self.desk.store).release(self.name, self._now()):
            log.warning("a job is handed over in the middle")

    def _watch(self) -> None:
        """What is looked after with every tick, beside the jobs: none of them stops another."""
        ended: dict[str, int | str] = {}
        for name, watch in self.watches.items():
            if self.stopping.is_set():
                return
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
            with Kept(run, lambda each: runs.renew(each, self._now()), self.stopping) as held:
                done = self._done(held)
            if runs.finish(run, done, self._now()):
                log.info(
                    "job %s is done for %s: %s", run.job, run.period, "with a difference" if done.error else "well"
                )
                self.desk.on_commit()
            else:
                return self._overtaken(run)
        except HandedOver:
            self.release()
            return "handed over"
        except Overtaken:
            return self._overtaken(run)
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

    @staticmethod
    def _overtaken(run: JobRun) -> str:
        log.warning("job %s for %s was taken over meanwhile", run.job, run.period)
        return "overtaken"

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
        self._idle = threading.Event()
        self._idle.set()
        self._asked = threading.Event()

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
        """Somebody asked for a run: look now, or once more when a look has begun already."""
        self._asked.set()
        if self._scheduler.running and not self.runner.stopping.is_set():
            self._scheduler.modify_job(TICK, next_run_time=datetime.now(UTC))

    def hand_over(self) -> None:
        """Begin nothing more, and leave what is in hand to others at its next step."""
        self.runner.stopping.set()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End; a run that takes longer than so many seconds is handed over in the middle."""
        self.hand_over()
        if not self._idle.wait(max(0.0, seconds)):
            self.runner.release()

    def _tick(self) -> None:
        self._idle.clear()
        try:
            self._asked.set()
            while self._asked.is_set() and not self.runner.stopping.is_set():
                self._asked.clear()
                self.runner.run_once()
        except Exception as fault:  # noqa: BLE001  # the database may be away; it is asked again
            log.error("jobs stopped for a moment", exc_info=fault)
        finally:
            self._idle.set()
