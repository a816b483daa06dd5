"""A book in one schema of a PostgreSQL server, behind a pool that all books share."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import psycopg
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Busy
from bot.storage.database import Database, T, Work, seconds_left
from bot.storage.faults import BUSY, CommitUnknown

SLOW_SECONDS = 0.1


class PostgresDatabase(Database):
    """One schema of a PostgreSQL server; a shared pool, admission counted, every wait within the deadline."""

    dialect = "postgresql"
    carries_words = True

    def __init__(self, engine: Engine, schema: str, admission: threading.BoundedSemaphore) -> None:
        assert schema.replace("-", "").replace("_", "").isalnum()
        self._engine = engine
        self._schema = schema
        self._words = f"duedesk_{schema}"
        self._admission = admission

    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True, alone: bool = False) -> T:
        # Without it a setting such as the hard lock could change between its being read and the end of a write.
        lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
        with self._begun(deadline, "", f"SELECT {lock}(hashtext('{self._schema} rules'))") as connection:
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

    def rebuild(self, work: Work[T]) -> T:
        """While nobody writes; who reads waits, or sees what was there before."""
        lock = "SELECT pg_advisory_xact_lock(hashtext('{}'))"
        alone = f"{lock.format('duedesk schema')}; {lock.format(f'{self._schema} rules')}"
        with self._begun(None, "", f'{alone}; CREATE SCHEMA IF NOT EXISTS "{self._schema}"') as connection:
            try:
                result = work(connection)
            except BaseException:
                _end(connection, "ROLLBACK")
                raise
            self._commit(connection)
            return result

    def say(self, words: Iterable[str]) -> None:
        """By NOTIFY in transactions of their own: inside a commit it would make all commits wait for each other."""
        with self._connection(None) as connection:
            for word in words:
                connection.exec_driver_sql("SELECT pg_notify(%s, %s)", (self._words, word))

    @contextlib.contextmanager
    def hearing(self) -> Iterator[Callable[[float], Sequence[str]]]:
        with self._engine.connect() as connection:
            connection.detach()  # it is none of the pool's any more, and closed at the end
            connection.exec_driver_sql(f'LISTEN "{self._words}"')
            raw: Any = connection.connection.dbapi_connection

            def heard(seconds: float) -> Sequence[str]:
                try:
                    return [each.payload for each in raw.notifies(timeout=seconds, stop_after=1)]
                except psycopg.Error as fault:
                    raise ConnectionError(type(fault).__name__) from fault

            yield heard

    def erase(self) -> None:
        with self._begun(None, "", "SELECT pg_advisory_xact_lock(hashtext('duedesk schema'))") as connection:
            connection.exec_driver_sql(f'DROP SCHEMA IF EXISTS "{self._schema}" CASCADE')
            self._commit(connection)

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
    def _begun(self, deadline: float | None, how: str, first: str = "") -> Iterator[Connection]:
        """A connection with its transaction begun; one that died in the pool is replaced, as nothing was done on it."""
        with self._connection(deadline) as connection:
            try:
                self._begin(connection, deadline, how, first)
            except DBAPIError as fault:
                if not fault.connection_invalidated:
                    _end(connection, "ROLLBACK")
                    raise
                connection.rollback()
                self._begin(connection, deadline, how, first)
            yield connection

    def _begin(self, connection: Connection, deadline: float | None, how: str, first: str = "") -> None:
        waits = _waits(seconds_left(deadline))
        connection.info["deadline"] = None
        connection.exec_driver_sql(f'BEGIN {how}; SET LOCAL search_path = "{self._schema}"; {waits}; {first}')
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


def _waits(seconds: float) -> str:
    """One command, since a pipeline takes no two in one string."""
    milliseconds = max(1, int(seconds * 1000))
    names = ("statement_timeout", "lock_timeout")
    return "SELECT " + ", ".join(f"set_config('{name}', '{milliseconds}', true)" for name in names)


def _shorten_waits(connection: Connection, *_: Any) -> None:
    """After a statement that waited, the next one gets what is left of the deadline, not all of it again."""
    limit = connection.info.get("deadline")
    if limit is not None and time.monotonic() > limit[1]:
        deadline, now = limit[0], time.monotonic()
        connection.info["deadline"] = (deadline, now + SLOW_SECONDS)
        raw: Any = connection.connection.dbapi_connection
        milliseconds = str(max(1, int((deadline - now) * 1000)))
        # One statement, as this may be in the middle of a pipeline, where the server takes no two at once.
        raw.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true)",
            (milliseconds, milliseconds),
        )


def _end(connection: Connection, how: str) -> None:
    """End a transaction; a connection that is gone has ended it by itself."""
    if connection.invalidated:
        return
    connection.info["deadline"] = None
    try:
        connection.exec_driver_sql(how)
    except DBAPIError:
        connection.invalidate()


def pool(url: URL, size: int) -> Engine:
    """Connections of one server; every one is used by one request at a time."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # what people typed stays out of fault traces
        isolation_level="AUTOCOMMIT",
        pool_size=size,
        max_overflow=2,
        pool_pre_ping=False,
        pool_reset_on_return=None,
        pool_use_lifo=True,  # the connection used last has most statements prepared
        connect_args={"connect_timeout": 5, "application_name": "duedesk"},
    )
    event.listen(engine, "after_cursor_execute", _shorten_waits)
    return engine
