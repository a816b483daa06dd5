"""Books to test on: files and databases of a real PostgreSQL, put back to what a template has and used again."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import DBAPIError

from bot.storage import sqlite
from bot.storage.postgres import pool
from bot.storage.shelf import Library
from bot.storage.store import Store

BARE = "bare"
MOST_USES = 100  # a database then goes, and with it what deleted rows left behind
MOST_PREPARED = 1000
QUICK = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")
# All that a test could have changed but rows: who did needs a database of its own, and the next test another.
SHAPE = text(
    """SELECT md5(string_agg(each, ',' ORDER BY each)) FROM (
    SELECT concat_ws(' ', oid, relname, relkind, relnatts, relhastriggers) AS each FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, tgname, tgenabled) FROM pg_trigger
    UNION ALL SELECT concat_ws(' ', oid, xmin) FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, conname) FROM pg_constraint WHERE oid >= 16384
    UNION ALL SELECT concat_ws(' ', oid, nspname) FROM pg_namespace
    UNION ALL SELECT concat_ws(' ', setdatabase, setconfig) FROM pg_db_role_setting) AS shape"""
)
BUSY = text(
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
)

new_file_engine = sqlite._sqlite_engine
Fill = Callable[[str], None]
Template = tuple[str, Fill]  # its name, and what makes it of a bare book


class KeptEngine:
    """An engine that outlives the libraries it is lent to: its connections and compiled statements stay warm."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def dispose(self) -> None:
        """Its owner does that."""


class Files:
    """SQLite books, a copy of a template each; a path is used again, so that its compiled statements are too."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._templates: dict[str, Path] = {}
        self._idle: list[Path] = []
        self._serial = itertools.count(1)
        self._engines: dict[Path, Engine] = {}

    def template(self, name: str, fill: Fill) -> None:
        """Make what books of a name begin with, once."""
        if name not in self._templates:
            path = self._folder / f"{name}.db"
            if name != BARE:
                shutil.copy(self._templates[BARE], path)
            fill(f"sqlite:///{path}")
            self._templates[name] = path

    @contextmanager
    def book(self, name: str) -> Iterator[str]:
        """A fresh book with what the template has."""
        path = self._idle.pop() if self._idle else self._folder / f"{next(self._serial)}" / "book.db"
        shutil.rmtree(path.parent, ignore_errors=True)
        path.parent.mkdir()
        shutil.copy(self._templates[name], path)
        yield f"sqlite:///{path}"
        if path in self._engines:
            self._engines[path].dispose()
        self._idle.append(path)

    def lend(self, path: Path) -> Engine:
        """The engine for a path: kept for a book of ours, new for any other."""
        if path.name != "book.db" or path.parent.parent != self._folder:
            return new_file_engine(path)
        if path not in self._engines:
            self._engines[path] = new_file_engine(path)
        return self._engines[path]


class Databases:
    """PostgreSQL books, a database each; rows are put back between two tests; one that changed otherwise is dropped."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._engine = create_engine(_driven(server), isolation_level="AUTOCOMMIT")
        self._tables: list[str] = []
        self._rows: dict[str, str] = {}
        self._idle: list[Kept] = []
        self._serial = itertools.count(1)
        self.kept: dict[tuple[str, int], KeptEngine] = {}
        for each in QUICK:
            self._run(f"ALTER SYSTEM SET {each}")
        self._run("SELECT pg_reload_conf()")

    def template(self, name: str, fill: Fill) -> None:
        """Make what books of a name begin with, once."""
        if name in self._rows:
            return
        if name == BARE:
            self._run("CREATE DATABASE template_book")
            self._fill(name, "template_book", fill)
        else:
            self._run("CREATE DATABASE filled TEMPLATE template_book")
            self._fill(name, "filled", fill)
            self._run("DROP DATABASE filled")

    def _fill(self, name: str, database: str, fill: Fill) -> None:
        fill(self._url(database))
        engine = create_engine(_driven(self._url(database)))
        with engine.connect() as connection:
            names = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'book_main'"))
            self._tables = [f'book_main."{each}"' for each in names.scalars()]
            self._rows[name] = "; ".join(filter(None, (_rows(connection, each) for each in self._tables)))
        engine.dispose()

    @contextmanager
    def book(self, name: str) -> Iterator[str]:
        """A fresh book with what the template has."""
        kept = self._idle.pop() if self._idle else self._new()
        kept.put_back([f"DELETE FROM {each}" for each in self._tables], self._rows[name])
        yield kept.url
        if kept.uses < MOST_USES and kept.is_as_before():
            self._idle.append(kept)
        else:
            self._drop(kept)

    def _new(self) -> "Kept":
        name = f"book_{next(self._serial)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template_book")
        return Kept(name, self._url(name))

    def _drop(self, kept: "Kept") -> None:
        kept.close()
        for key in [key for key in self.kept if key[0] == kept.url]:
            self.kept.pop(key)._engine.dispose()
        self._run(f"DROP DATABASE {kept.name} WITH (FORCE)")

    def lend(self, url: URL, size: int) -> Any:
        """The engine for an address: kept for a database of ours, new for any other."""
        address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        if url.query != make_url(self._server).query or not str(url.database).startswith("book_"):
            return pool(url, size)
        key = (address, size)
        if key not in self.kept:
            made = pool(url, size)
            event.listen(made, "connect", _keeping_prepared)
            self.kept[key] = KeptEngine(made)
        return self.kept[key]

    def close(self) -> None:
        """Every connection, so that the server can end."""
        for engine in self.kept.values():
            engine._engine.dispose()
        for kept in self._idle:
            kept.close()
        self._engine.dispose()

    def _url(self, database: str) -> str:
        return make_url(self._server).set(database=database).render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))


class Kept:
    """One database that is used again, and what it looked like when it was new."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url
        self.uses = 0
        self._engine = create_engine(_driven(url), isolation_level="AUTOCOMMIT")
        self._shape = self._look()

    def put_back(self, emptied: list[str], rows: str) -> None:
        """The rows a book begins with, and no others; the guards of the tables look away meanwhile."""
        self.uses += 1
        away = "SET LOCAL session_replication_role = replica; SET LOCAL lock_timeout = '5s'"
        with self._engine.connect() as connection:
            connection.execute(BUSY)
            raw: Any = connection.connection.dbapi_connection
            raw.execute(f"BEGIN; {away}; {'; '.join(emptied)}; {rows}; COMMIT")

    def is_as_before(self) -> bool:
        """Whether a test changed nothing but rows."""
        try:
            return self._look() == self._shape
        except DBAPIError:
            return False

    def close(self) -> None:
        self._engine.dispose()

    def _look(self) -> str:
        with self._engine.connect() as connection:
            return str(connection.execute(SHAPE).scalar())


def upgraded(url: str) -> None:
    """A book with the newest schema and nothing in it."""
    library = Library(url)
    Store.open(library).upgrade()
    library.close()


def _keeping_prepared(connection: Any, _record: object) -> None:
    """A proof of the books is more statements than a connection keeps prepared: none would be there the next time."""
    connection.prepared_max = MOST_PREPARED


def _rows(connection: Connection, table: str) -> str:
    """A statement that puts back the rows of a table, or nothing where there are none."""
    found = connection.execute(text(f"SELECT CAST(json_agg(each) AS text) FROM {table} AS each")).scalar()
    if not found:
        return ""
    literal = found.replace("'", "''")
    return f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, '{literal}')"


def _driven(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")
