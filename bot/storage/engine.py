"""SQLite or PostgreSQL: connect, begin, commit within a deadline, and the few differences between the two."""

import contextlib
import queue
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from bot.domain.errors import Busy

T = TypeVar("T")
Work = Callable[[Connection], T]

BATCH = 32
BATCH_SECONDS = 0.002
CHECKPOINT_PAGES = 8000  # 32 MB: a page written in many commits is copied into the book once
MOST_LOCK_SECONDS = 1.5
SLOW_SECONDS = 0.1
BUSY = "The desk is busy and nothing was done; try again in a moment."
DEFAULT_SECONDS = 30.0
LONGEST_BOOK = 50  # a PostgreSQL name is cut at 63 bytes, and two cut alike would be one schema
IDS_PER_MILLISECOND = 1 << 10
_process = random.SystemRandom().getrandbits(12) << 10
_last_id = (0, 0)
_id_lock = threading.Lock()


def new_id() -> int:
    """A 63-bit id that always rises in this process: milliseconds, this process, a counter.

    A full counter, or a clock set back, borrows the next millisecond, so that no id comes twice.
    """
    global _last_id  # noqa: PLW0603  # one counter for the process is the point
    with _id_lock:
        last, counter = _last_id
        now = time.time_ns() // 1_000_000
        if now > last:
            last, counter = now, 0
        elif counter + 1 < IDS_PER_MILLISECOND:
            counter += 1
        else:
            last, counter = last + 1, 0
        _last_id = (last, counter)
        return last << 22 | _process | counter


def rise_above(other: int) -> None:
    """Later ids of this process rise above one that another process gave."""
    global _last_id  # noqa: PLW0603  # as above
    with _id_lock:
        _last_id = max(_last_id, (other >> 22, IDS_PER_MILLISECOND - 1))


class CommitUnknown(Exception):  # noqa: N818  # not known is not an error yet
    """COMMIT was sent and no answer came."""


class Overtaken(Exception):  # noqa: N818  # not an error: the transaction is tried again
    """A transaction that began later changed the same document first; a fresh id keeps the order of ids true."""


class Rollback(Exception):  # noqa: N818  # not an error: it carries a preview's result out of a transaction
    """Ends a transaction without keeping it."""


def seconds_left(deadline: float | None) -> float:
    """What is left of a deadline on the monotonic clock; refuses when nothing is."""
    if deadline is None:
        return DEFAULT_SECONDS
    left = deadline - time.monotonic()
    if left <= 0:
        raise Busy(BUSY)
    return left


class Database:
    """Where a book lives: `run` does one piece of work in one transaction."""

    dialect: str

    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True) -> T:
        raise NotImplementedError

    def read(self, work: Work[T], deadline: float | None) -> T:
        raise NotImplementedError

    def exclusive(self, work: Work[T]) -> T:
        """Work on the schema itself."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


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
        path.parent.mkdir(parents=True, exist_ok=True)
        self._engine = _sqlite_engine(path)
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="book-writer", daemon=True)
        self._thread.start()
        self._closed = False

    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True) -> T:
        job = _Job(work, deadline, keep=keep)
        left = seconds_left(deadline)
        self._jobs.put(job)
        try:
            return job.future.result(timeout=left)
        except FutureTimeout:
            if job.future.cancel():
                raise Busy(BUSY) from None
            return job.future.result()

    def read(self, work: Work[T], deadline: float | None) -> T:
        seconds_left(deadline)
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return work(connection)
            finally:
                connection.exec_driver_sql("ROLLBACK")

    def exclusive(self, work: Work[T]) -> T:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                result = work(connection)
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")
            return result

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._jobs.put(None)
            self._thread.join(timeout=10)
            self._engine.dispose()

    def _serve(self) -> None:
        with self._engine.connect() as connection:
            while (job := self._jobs.get()) is not None:
                if not self._batch(connection, job):
                    return

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
        URL.create("sqlite+pysqlite", database=str(path)),
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


class PostgresDatabase(Database):
    """One schema of a PostgreSQL server; a shared pool, admission counted, every wait within the deadline."""

    dialect = "postgresql"

    def __init__(self, engine: Engine, schema: str, admission: threading.BoundedSemaphore) -> None:
        assert schema.replace("-", "").replace("_", "").isalnum()
        self._engine = engine
        self._schema = schema
        self._admission = admission

    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True) -> T:
        with self._begun(deadline, "") as connection:
            try:
                result = work(connection)
            except BaseException:
                _end(connection, "ROLLBACK")
                raise
            if keep:
                self._commit(connection)
            else:
                _end(connection, "ROLLBACK")
            return result

    def read(self, work: Work[T], deadline: float | None) -> T:
        with self._begun(deadline, "ISOLATION LEVEL REPEATABLE READ READ ONLY") as connection:
            try:
                return work(connection)
            finally:
                _end(connection, "ROLLBACK")

    def exclusive(self, work: Work[T]) -> T:
        with self._connection(None) as connection:
            connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('duedesk schema'))")
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
            self._begin(connection, None, "")
            try:
                result = work(connection)
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _end(connection, "ROLLBACK")
                raise
            finally:
                connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('duedesk schema'))")
            return result

    def close(self) -> None:
        """The pool belongs to the library."""

    @contextlib.contextmanager
    def _connection(self, deadline: float | None) -> Iterator[Connection]:
        if not self._admission.acquire(timeout=seconds_left(deadline)):
            raise Busy(BUSY)
        try:
            with self._engine.connect() as connection:
                yield connection
        finally:
            self._admission.release()

    @contextlib.contextmanager
    def _begun(self, deadline: float | None, how: str) -> Iterator[Connection]:
        """A connection with its transaction begun; one that died in the pool is replaced, as nothing was done on it."""
        with self._connection(deadline) as connection:
            try:
                self._begin(connection, deadline, how)
            except DBAPIError as fault:
                if not fault.connection_invalidated:
                    raise
                connection.rollback()
                self._begin(connection, deadline, how)
            yield connection

    def _begin(self, connection: Connection, deadline: float | None, how: str) -> None:
        waits = _waits(seconds_left(deadline))
        connection.info["deadline"] = None
        connection.exec_driver_sql(f'BEGIN {how}; SET LOCAL search_path = "{self._schema}"; {waits}')
        if deadline is not None:
            connection.info["deadline"] = (deadline, time.monotonic() + SLOW_SECONDS)

    @staticmethod
    def _commit(connection: Connection) -> None:
        connection.info["deadline"] = None
        try:
            connection.exec_driver_sql("COMMIT")
        except DBAPIError as fault:
            if fault.connection_invalidated:
                raise CommitUnknown from fault
            raise


@contextlib.contextmanager
def unanswered(connection: Connection) -> Iterator[Any]:
    """A cursor of the driver for statements whose answers nobody reads; PostgreSQL gets them in one round trip.

    Their faults come at the end there, and the connection is given up: the driver takes statements for prepared that
    the server then skipped.
    """
    raw: Any = connection.connection.driver_connection
    postgres = connection.dialect.name == "postgresql"
    try:
        with raw.pipeline() if postgres else contextlib.nullcontext():
            yield raw.cursor()
    except DBAPIError as fault:
        if postgres:
            connection.invalidate(fault)
        raise
    except (psycopg.Error, sqlite3.Error) as fault:
        gone = connection.dialect.is_disconnect(fault, raw, None)  # type: ignore[arg-type]  # a driver's error
        if postgres:
            connection.invalidate(fault)
        base = psycopg.Error if postgres else sqlite3.Error
        raise DBAPIError.instance(
            None, None, fault, base, connection_invalidated=gone, dialect=connection.dialect
        ) from fault


def _waits(seconds: float) -> str:
    milliseconds = max(1, int(seconds * 1000))
    return f"SET LOCAL statement_timeout = {milliseconds}; SET LOCAL lock_timeout = {milliseconds}"


def _shorten_waits(connection: Connection, *_: Any) -> None:
    """After a statement that waited, the next one gets what is left of the deadline, not all of it again."""
    limit = connection.info.get("deadline")
    if limit is not None and time.monotonic() > limit[1]:
        deadline, now = limit[0], time.monotonic()
        connection.info["deadline"] = (deadline, now + SLOW_SECONDS)
        raw: Any = connection.connection.dbapi_connection
        raw.execute(_waits(deadline - now))


def _end(connection: Connection, how: str) -> None:
    """End a transaction; a connection that is gone has ended it by itself."""
    if connection.invalidated:
        return
    connection.info["deadline"] = None
    try:
        connection.exec_driver_sql(how)
    except DBAPIError:
        connection.invalidate()


RETRIED = frozenset({"40001", "40P01"})
TAKEN = "23505"


def state_of(fault: DBAPIError) -> str:
    """PostgreSQL's five-letter code of a fault, or nothing."""
    return str(getattr(fault.orig, "sqlstate", "") or "")


def is_conflict(fault: DBAPIError) -> bool:
    """Whether trying the whole transaction again can help.

    Deadlock, serialisation, a lost connection before COMMIT, or a key, code or name that another one wrote meanwhile:
    the second try sees it and refuses or repeats as it should.
    """
    return fault.connection_invalidated or state_of(fault) in {*RETRIED, TAKEN}


def is_passing(fault: DBAPIError) -> bool:
    """Whether the desk was busy, rather than wrong, when a fault is left after all tries."""
    return fault.connection_invalidated or state_of(fault) in RETRIED or is_timeout(fault)


def is_timeout(fault: DBAPIError) -> bool:
    """Whether a wait ended with the deadline."""
    return state_of(fault) in {"57014", "55P03"} or "database is locked" in str(fault.orig)


class Library:
    """Opens books: one SQLite file or one PostgreSQL schema each, nothing shared between two."""

    def __init__(self, url: str, *, limit: int = 24) -> None:
        self._url = make_url(url)
        self._limit = limit
        self._open: dict[str, Database] = {}
        self._lock = threading.Lock()
        self._engine: Engine | None = None
        self._admission = threading.BoundedSemaphore(limit)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    def database(self, book: str) -> Database:
        """The database of one book, opened once."""
        assert book.replace("-", "").replace("_", "").isalnum(), book
        assert len(book.encode()) <= LONGEST_BOOK, book
        with self._lock:
            if book not in self._open:
                self._open[book] = self._sqlite(book) if self.is_sqlite else self._postgres(book)
            return self._open[book]

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def _sqlite(self, book: str) -> Database:
        path = Path(self._url.database or "duedesk.db")
        return SqliteDatabase(path if book == "main" else path.with_name(f"{path.stem}-{book}{path.suffix}"))

    def _postgres(self, book: str) -> Database:
        if self._engine is None:
            self._engine = create_engine(
                self._url.set(drivername="postgresql+psycopg"),
                hide_parameters=True,  # as above
                isolation_level="AUTOCOMMIT",
                pool_size=self._limit,
                max_overflow=2,
                pool_pre_ping=False,
                pool_reset_on_return=None,
                connect_args={"connect_timeout": 5, "application_name": "duedesk"},
            )
            event.listen(self._engine, "after_cursor_execute", _shorten_waits)
        return PostgresDatabase(self._engine, f"book_{book}", self._admission)


def now_of(connection: Connection) -> datetime:
    """Now by the database's clock, which all processes share."""
    if connection.dialect.name == "postgresql":
        now = connection.exec_driver_sql("SELECT clock_timestamp()").scalar()
        assert isinstance(now, datetime)
        return now.astimezone(UTC)
    return datetime.now(UTC)
