"""A book in one SQLite file, with one fair writer for all."""

import contextlib
import queue
import sqlite3
import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, Generic
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from bot.domain.errors import Busy
from bot.storage.database import Database, T, Work, seconds_left
from bot.storage.faults import BUSY

BATCH = 32
BATCH_SECONDS = 0.002
CHECKPOINT_PAGES = 8000  # 32 MB: a page written in many commits is copied into the book once
MOST_LOCK_SECONDS = 1.5
IDLE_SECONDS = 60.0  # of many books most are idle at any time, and need no writer then


class _Job(Generic[T]):
    def __init__(self, work: Work[T], deadline: float | None, *, keep: bool) -> None:
        self.work = work
        self.deadline = deadline
        self.keep = keep
        self.future: Future[T] = Future()


class SqliteDatabase(Database):
    """One file, one fair writer thread that commits waiting writers together; readers see snapshots."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engine = _sqlite_engine(path)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._closed = False

    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True, alone: bool = False) -> T:  # noqa: ARG002  # each writer is alone here
        job = _Job(work, deadline, keep=keep)
        left = seconds_left(deadline)
        self._hand_over(job)
        try:
            return job.future.result(timeout=left)
        except FutureTimeout:
            if job.future.cancel():
                raise Busy(BUSY) from None
            return job.future.result()

    def _hand_over(self, job: _Job[Any]) -> None:
        """To the writer, which begins with the first job and ends when nothing was written for a while."""
        with self._starting:
            self._jobs.put(job)
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._serve, name="book-writer", daemon=True)
                self._thread.start()

    def read(self, work: Work[T], deadline: float | None) -> T:
        seconds_left(deadline)
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return work(connection)
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def exclusive(self, work: Work[T]) -> T:
        """Work on the schema makes the file; nothing else does, so that a mistyped path is no new, empty book."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            return result

    def rebuild(self, work: Work[T]) -> T:
        """In the file itself, never by another file in its place: processes that run would go on with the old one."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        with self._engine.connect() as connection:
            # References are checked row by row against tables that are half there otherwise.
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            try:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                try:
                    result = work(connection)
                    connection.exec_driver_sql("COMMIT")
                except BaseException:
                    _give_up(connection)
                    raise
            except BaseException:
                is_empty = connection.exec_driver_sql("SELECT 1 FROM sqlite_master").first() is None
                connection.invalidate()
                if is_empty:
                    self._remove()
                raise
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            return result

    def _remove(self) -> None:
        """Take away the file, and what the write-ahead log left beside it."""
        self._engine.dispose()
        for each in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + each).unlink(missing_ok=True)

    def erase(self) -> None:
        self.close()
        self._remove()

    def exists(self) -> bool:
        return self._path.exists()

    def close(self) -> None:
        with self._starting:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
            writer = self._thread
        if writer is not None:
            writer.join(timeout=10)
        self._engine.dispose()

    def _serve(self) -> None:
        with contextlib.ExitStack() as stack:
            connection: Connection | None = None
            while (job := self._next()) is not None:
                if connection is None:
                    try:
                        connection = stack.enter_context(self._engine.connect())
                    except SQLAlchemyError as fault:
                        job.future.set_exception(_kindly(fault))
                        continue
                if not self._batch(connection, job):
                    return

    def _next(self) -> _Job[Any] | None:
        """The next job; nothing when told to stop, or when none came for a while."""
        try:
            return self._jobs.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            with self._starting:
                if self._jobs.empty():
                    self._thread = None
                    return None
            return self._jobs.get()

    def _batch(self, connection: Connection, first: _Job[Any]) -> bool:
        """Run waiting jobs in savepoints of one transaction, then answer them; false when told to stop."""
        started = time.monotonic()
        done: list[tuple[_Job[Any], Any]] = []
        job: _Job[Any] | None = first
        more = True
        begun = False
        while job is not None:
            if job.future.set_running_or_notify_cancel():
                try:
                    if not begun:
                        _begin(connection, job)
                        begun = True
                    done.append((job, _in_savepoint(connection, job)))
                except BaseException as fault:  # noqa: BLE001  # whatever it is, the caller that waits must get it
                    job.future.set_exception(_kindly(fault))
                    if begun and not _is_open(connection):
                        self._again(connection, done)
                        begun = False
            if len(done) >= BATCH or time.monotonic() - started > BATCH_SECONDS:
                break
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            more = job is not None
        if begun:
            self._commit(connection, done)
        return more

    def _commit(self, connection: Connection, done: list[tuple[_Job[Any], Any]]) -> None:
        try:
            connection.exec_driver_sql("COMMIT")
        except DBAPIError:
            _give_up(connection)
            self._again(connection, done)
            return
        for job, result in done:
            job.future.set_result(result)

    def _again(self, connection: Connection, done: list[tuple[_Job[Any], Any]]) -> None:
        for job, _ in done:
            self._alone(connection, job)
        done.clear()

    @staticmethod
    def _alone(connection: Connection, job: _Job[Any]) -> None:
        """A failed batch is run again one by one, so that one fault takes nobody along."""
        try:
            _begin(connection, job)
            result = _in_savepoint(connection, job)
            connection.exec_driver_sql("COMMIT")
        except BaseException as fault:  # noqa: BLE001  # as above
            _give_up(connection)
            job.future.set_exception(_kindly(fault))
        else:
            job.future.set_result(result)


def _begin(connection: Connection, job: _Job[Any]) -> None:
    """Wait for another process no longer than the job has left."""
    milliseconds = int(min(MOST_LOCK_SECONDS, seconds_left(job.deadline)) * 1000)
    if connection.info.get("busy_timeout") != milliseconds:
        connection.info["busy_timeout"] = milliseconds
        connection.exec_driver_sql(f"PRAGMA busy_timeout={milliseconds}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _is_open(connection: Connection) -> bool:
    """Whether the transaction is still there: a full disk makes SQLite give up all of it."""
    raw: Any = connection.connection.dbapi_connection
    return bool(raw.in_transaction)


def _give_up(connection: Connection) -> None:
    if _is_open(connection):
        connection.exec_driver_sql("ROLLBACK")


def _in_savepoint(connection: Connection, job: _Job[Any]) -> Any:
    connection.exec_driver_sql("SAVEPOINT job")
    try:
        result = job.work(connection)
    except BaseException:
        if _is_open(connection):
            connection.exec_driver_sql("ROLLBACK TO job")
            connection.exec_driver_sql("RELEASE job")
        raise
    if not job.keep:
        connection.exec_driver_sql("ROLLBACK TO job")
    connection.exec_driver_sql("RELEASE job")
    return result


def _kindly(fault: BaseException) -> BaseException:
    """A lock held by another process is a busy desk, not a bug."""
    if isinstance(fault, OperationalError) and "locked" in str(fault.orig):
        return Busy(BUSY)
    return fault


def _sqlite_engine(path: Path) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=f"file:{quote(str(path))}", query={"mode": "rw", "uri": "true"}),
        hide_parameters=True,  # what people typed stays out of fault traces
        connect_args={
            "check_same_thread": False,
            "isolation_level": None,
            "timeout": MOST_LOCK_SECONDS,
            "cached_statements": 512,
        },
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=16,
        max_overflow=64,
        pool_reset_on_return=None,
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: sqlite3.Connection, _record: object) -> None:
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "recursive_triggers=ON",
            "cache_size=-16000",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            raw.execute(f"PRAGMA {pragma}")

    return engine
