"""Runs of jobs: a row per business period, claimed with a lease, done once whoever tries."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.storage.database import now_of
from bot.storage.ids import new_id
from bot.storage.store import Store
from bot.storage.tables import AuditRow, JobRunRow, OutboxRow

_run = JobRunRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above

LEASE = timedelta(minutes=2)
FIRST_BACK_OFF_SECONDS = 30
LONGEST_BACK_OFF_SECONDS = 600
MOST_ATTEMPTS = 8
BASELINES_KEPT = 5
DIGEST = "digest"


class Asked(StrEnum):
    """What asking for a run by hand led to."""

    PLANNED = "planned"
    AT_WORK = "at work"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One period of a job as it stands; `sent` is what became of its message."""

    id: int
    job: str
    period: str
    target: str
    day: date
    asked_by: str
    state: str
    owner: str | None
    attempt: int
    not_before: datetime
    finished_at: datetime | None
    error: str
    result: str
    payload: str
    baseline: str
    sent: str = ""
    send_error: str = ""
    # Asked by a job of many steps before each of them; raises when another process is to go on with the run.
    go_on: Callable[[], None] = field(default=lambda: None, compare=False, repr=False)

    @property
    def is_copy(self) -> bool:
        """Whether this run posts again what an earlier one of its day made."""
        return " copy " in self.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a run leaves behind: its result in words, what to send, and what the next one compares with."""

    result: str
    payload: str
    baseline: str = ""
    error: str = ""
    kind: str = DIGEST  # of its message


def period_of(target: str, day: date, again: str = "") -> str:
    """The business period of a digest: its channel and local date; a copy has a name of its own behind."""
    return f"{target} {day} copy {again}" if again else f"{target} {day}"


class JobRuns:
    """The runs of one book's jobs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def last_day(self, job: str, target: str) -> date | None:
        """The newest day that was planned, whatever became of it."""
        statement = select(func.max(_run.c.day)).where(_run.c.job == job, _run.c.target == target)
        found: date | None = self._store.database.read(lambda connection: connection.execute(statement).scalar(), None)
        return found

    def opened_on(self, zone: str) -> date | None:
        """The day on which the book's first operation was done, in a zone."""
        statement = select(_audit.c.at).order_by(_audit.c.id).limit(1)
        first: datetime | None = self._store.database.read(lambda each: each.execute(statement).scalar(), None)
        return first.astimezone(ZoneInfo(zone)).date() if first is not None else None

    def plan(self, job: str, target: str, day: date, now: datetime) -> bool:
        """Enter a period to be run; false when somebody did before. Older ones that still wait are given up."""

        def work(connection: Connection) -> bool:
            if not _enter(connection, _new(job, period_of(target, day), target, day, now)):
                return False
            idle = or_(_run.c.state == "waiting", and_(_run.c.state == "running", _run.c.lease_until < now))
            connection.execute(
                update(_run)
                .where(_run.c.job == job, _run.c.target == target, _run.c.day < day, _run.c.asked_by == "", idle)
                .values(
                    state="failed",
                    finished_at=now,
                    lease_until=None,
                    error=func.trim(_run.c.error + f" Given up: {day} is due."),
                )
            )
            return True

        return self._store.write(work)

    def ask(self, job: str, target: str, day: date, now: datetime, *, by: str, again: str = "") -> Asked:
        """Enter a period by hand; one that failed is tried anew, one that is done only as a copy: `again` names it."""

        def work(connection: Connection) -> Asked:
            period = period_of(target, day)
            row = connection.execute(select(_run).where(_run.c.job == job, _run.c.period == period)).first()
            if row is None:
                _enter(connection, {**_new(job, period, target, day, now), "asked_by": by})
                return Asked.PLANNED
            if row.state == "failed":
                connection.execute(
                    update(_run)
                    .where(_run.c.id == row.id, _run.c.state == "failed")
                    .values(state="waiting", attempt=0, not_before=now, asked_by=by, error="", finished_at=None)
                )
                return Asked.PLANNED
            if row.state != "done":
                return Asked.AT_WORK
            if _send_anew(connection, row.outbox_id, now_of(connection)):
                return Asked.PLANNED
            if not again:
                return Asked.DONE
            copy = {**_new(job, period_of(target, day, again), target, day, now), "asked_by": by}
            copy["payload"] = row.payload
            _enter(connection, copy)
            return Asked.PLANNED

        return self._store.write(work)

    def claim(self, owner: str, now: datetime) -> Sequence[JobRun]:
        """A run to do now: one whose time has come, or whose worker was not heard of in its lease.

        One at a time, so that none waits behind another while its lease goes by, and other processes can have the rest.
        """
        free = or_(
            and_(_run.c.state == "waiting", _run.c.not_before <= now),
            and_(_run.c.state == "running", _run.c.lease_until < now),
        )
        due = select(_run.c.id).where(free).order_by(_run.c.id).limit(1)

        def work(connection: Connection) -> Sequence[JobRun]:
            ids = [row.id for row in connection.execute(due.with_for_update(skip_locked=True))]
            connection.execute(
                update(_run)
                .where(_run.c.id.in_(ids))
                .values(
                    state="running", owner=owner, lease_until=now + LEASE, started_at=now, attempt=_run.c.attempt + 1
                )
            )
            return [
                _read(row) for row in connection.execute(select(_run).where(_run.c.id.in_(ids)).order_by(_run.c.id))
            ]

        if self._store.database.read(lambda connection: connection.execute(due).first(), None) is None:
            return ()
        return self._store.write(work)

    def renew(self, run: JobRun, now: datetime) -> bool:
        """Begin a fresh lease; false when another worker has the run by now."""
        statement = update(_run).where(*_mine(run)).values(lease_until=now + LEASE)
        return self._store.write(lambda connection: connection.execute(statement).rowcount == 1)

    def release(self, owner: str, now: datetime) -> int:
        """Let others take over at once what this worker has in hand; returns how many runs.

        Safe in the middle of a run: what it would write at its end is refused, since the run is no more its own.
        """
        mine = (_run.c.state == "running", _run.c.owner == owner)
        free = {"state": "waiting", "lease_until": None, "not_before": now}
        return self._store.write(
            lambda connection: connection.execute(update(_run).where(*mine).values(**free)).rowcount
        )

    def finish(self, run: JobRun, done: Finished, now: datetime) -> bool:
        """Note a run as done and put its message, if it has one, in the outbox, together; false when another took it
        over meanwhile.
        """

        def work(connection: Connection) -> bool:
            made = new_id() if done.payload else None
            values = {
                "state": "done",
                "finished_at": now,
                "lease_until": None,
                "result": done.result,
                "error": done.error,
                "payload": done.payload,
                "baseline": done.baseline,
                "outbox_id": made,
            }
            if not connection.execute(update(_run).where(*_mine(run)).values(**values)).rowcount:
                return False
            at = now_of(connection)
            if done.kind == DIGEST:
                _replace_unsent(connection, run, at)
            if made is not None:
                message = _message(made, done.kind, run.target, run.id, done.payload, at)
                connection.execute(insert(_outbox), message)
            _forget_old_baselines(connection, run)
            return True

        return self._store.write(work)

    def put_off(self, run: JobRun, error: str, now: datetime) -> bool:
        """Try again later, or give up after many tries; returns whether it was given up."""
        gives_up = run.attempt >= MOST_ATTEMPTS
        wait = timedelta(seconds=min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS << (run.attempt - 1)))
        values: dict[str, Any] = {"lease_until": None, "error": error}
        values |= (
            {"state": "failed", "finished_at": now} if gives_up else {"state": "waiting", "not_before": now + wait}
        )
        statement = update(_run).where(*_mine(run)).values(**values)
        self._store.write(lambda connection: connection.execute(statement))
        return gives_up

    def newest(self, job: str, target: str) -> JobRun | None:
        """The run that a list shows for a job: the one entered last."""
        return self._one(_runs().where(_run.c.job == job, _run.c.target == target).order_by(_run.c.id.desc()))

    def of_period(self, job: str, period: str) -> JobRun | None:
        """The run of a period as it stands, with what became of its message."""
        return self._one(_runs().where(_run.c.job == job, _run.c.period == period))

    def _one(self, statement: Select[Any]) -> JobRun | None:
        row = self._store.database.read(lambda connection: connection.execute(statement.limit(1)).first(), None)
        return _read(row, sent=row.sent, send_error=row.send_error) if row is not None else None

    def add_files(self, about: int, files: Sequence[dict[str, Any]], destination: dict[str, str]) -> None:
        """The files for the thread of a run's message; nothing when they are there already."""

        def work(connection: Connection) -> None:
            mine = (_outbox.c.document_kind == "job", _outbox.c.document_id == about, _outbox.c.kind == "digest_file")
            if connection.execute(select(_outbox.c.id).where(*mine).limit(1)).first() is None:
                to = json.dumps(destination)
                for each in files:
                    row = _message(new_id(), "digest_file", to, about, json.dumps(each), now_of(connection))
                    connection.execute(insert(_outbox), row)

        self._store.write(work)


def last_posted(connection: Connection, job: str, target: str, before: date) -> JobRun | None:
    """The run that the next one follows: the newest of an earlier day whose message did reach Slack."""
    statement = _runs().where(
        _run.c.job == job,
        _run.c.target == target,
        _run.c.day < before,
        _run.c.state == "done",
        _run.c.baseline != "",
        _outbox.c.state == "done",
    )
    row = connection.execute(statement.order_by(_run.c.day.desc()).limit(1)).first()
    return _read(row) if row is not None else None


def _runs() -> Select[Any]:
    joined = _run.outerjoin(_outbox, _outbox.c.id == _run.c.outbox_id)
    return select(_run, _outbox.c.state.label("sent"), _outbox.c.error.label("send_error")).select_from(joined)


def _mine(run: JobRun) -> tuple[Any, ...]:
    """The row as long as this claim of it holds."""
    return _run.c.id == run.id, _run.c.state == "running", _run.c.owner == run.owner, _run.c.attempt == run.attempt


def _new(job: str, period: str, target: str, day: date, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "job": job,
        "period": period,
        "target": target,
        "day": day,
        "asked_by": "",
        "state": "waiting",
        "attempt": 0,
        "not_before": now,
        "recorded_at": now,
        "error": "",
        "result": "",
        "payload": "",
        "baseline": "",
    }


def _enter(connection: Connection, row: dict[str, Any]) -> bool:
    unique = ["job", "period"]
    made = (
        sqlite.insert(_run).values(**row).on_conflict_do_nothing(index_elements=unique)
        if connection.dialect.name == "sqlite"
        else postgresql.insert(_run).values(**row).on_conflict_do_nothing(index_elements=unique)
    )
    return connection.execute(made.returning(_run.c.id)).first() is not None  # PostgreSQL counts no insert


def _message(made: int, kind: str, destination: str, about: int, payload: str, now: datetime) -> dict[str, Any]:
    return {
        "id": made,
        "kind": kind,
        "purpose": "digest",
        "destination": destination,
        "document_kind": "job",
        "document_id": about,
        "payload": payload,
        "state": "waiting",
        "attempts": 0,
        "not_before": now,
        "error": "",
        "recorded_at": now,
    }


def _replace_unsent(connection: Connection, run: JobRun, now: datetime) -> None:
    """An older digest that still waits to be sent is not sent after a newer one."""
    older = select(_run.c.outbox_id).where(
        _run.c.job == run.job, _run.c.target == run.target, _run.c.day < run.day, _run.c.outbox_id.is_not(None)
    )
    connection.execute(
        update(_outbox)
        .where(
            _outbox.c.id.in_(older),
            _outbox.c.state == "waiting",
            or_(_outbox.c.lease_until.is_(None), _outbox.c.lease_until < now),
        )
        .values(state="failed", error=f"not sent before {run.day} was due", done_at=now)
    )


def _send_anew(connection: Connection, outbox_id: int | None, now: datetime) -> bool:
    """A message that was given up is tried again; as one more attempt, so that it is looked for before it is sent."""
    again = {"state": "waiting", "attempts": 1, "not_before": now, "error": "", "done_at": None, "lease_until": None}
    statement = update(_outbox).where(_outbox.c.id == outbox_id, _outbox.c.state == "failed").values(**again)
    return bool(connection.execute(statement).rowcount)


def _forget_old_baselines(connection: Connection, run: JobRun) -> None:
    """What a digest compares with is as large as the list of customers: the newest few that were posted are kept, and
    those that may still be.
    """
    mine = (_run.c.job == run.job, _run.c.target == run.target, _run.c.baseline != "")
    posted = (
        select(_run.c.day)
        .join(_outbox, _outbox.c.id == _run.c.outbox_id)
        .where(*mine, _outbox.c.state == "done")
        .order_by(_run.c.day.desc())
        .offset(BASELINES_KEPT - 1)
        .limit(1)
    )
    oldest = connection.execute(posted).scalar()
    if oldest is not None:
        connection.execute(update(_run).where(*mine, _run.c.day < oldest).values(baseline=""))


def _read(row: Any, *, sent: str | None = None, send_error: str | None = None) -> JobRun:
    return JobRun(
        id=row.id,
        job=row.job,
        period=row.period,
        target=row.target,
        day=row.day,
        asked_by=row.asked_by,
        state=row.state,
        owner=row.owner,
        attempt=row.attempt,
        not_before=row.not_before,
        finished_at=row.finished_at,
        error=row.error,
        result=row.result,
        payload=row.payload,
        baseline=row.baseline,
        sent=sent or "",
        send_error=send_error or "",
    )
