"""One book's database, whichever engine it is on: a piece of work is one transaction within a deadline."""

import contextlib
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Busy
from bot.storage.faults import BUSY

T = TypeVar("T")
Work = Callable[[Connection], T]
DEFAULT_SECONDS = 30.0


def seconds_left(deadline: float | None) -> float:
    """What is left of a deadline on the monotonic clock; refuses when nothing is."""
    if deadline is None:
        return DEFAULT_SECONDS
    left = deadline - time.monotonic()
    if left <= 0:
        raise Busy(BUSY)
    return left


class Database(ABC):
    """Where a book lives: each piece of work is one transaction, kept or not."""

    dialect: str
    carries_words = False  # between processes, whoever of them is there to hear

    @abstractmethod
    def write(self, work: Work[T], deadline: float | None, *, keep: bool = True, alone: bool = False) -> T:
        """Work that is kept or rolled back; what is done alone waits for other writes, and they wait for it."""

    @abstractmethod
    def read(self, work: Work[T], deadline: float | None) -> T: ...

    @abstractmethod
    def exclusive(self, work: Work[T]) -> T:
        """Work on the schema itself."""

    @abstractmethod
    def rebuild(self, work: Work[T]) -> T:
        """Work that puts a whole book in place, all of it or nothing; it checks references itself."""

    @abstractmethod
    def erase(self) -> None:
        """Take away all there is."""

    def exists(self) -> bool:
        """Whether there is anything yet to ask."""
        return True

    def say(self, words: Iterable[str]) -> None:  # noqa: B027  # a file has nobody to tell
        """Say words to who hears them now, in any process; nothing where they are not carried."""

    @contextlib.contextmanager
    def hearing(self) -> Iterator[Callable[[float], Sequence[str]]]:
        """A connection of its own that waits so many seconds for words; none come where they are not carried."""
        yield lambda _: ()

    @abstractmethod
    def close(self) -> None: ...


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


def now_of(connection: Connection) -> datetime:
    """Now by the database's clock, which all processes share."""
    if connection.dialect.name == "postgresql":
        now = connection.exec_driver_sql("SELECT clock_timestamp()").scalar()
        assert isinstance(now, datetime)
        return now.astimezone(UTC)
    return datetime.now(UTC)
