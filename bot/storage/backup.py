"""A book into an archive, from one snapshot; and an archive into a book, in one transaction, on either engine."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, inspect, select, text, types, update
from sqlalchemy.exc import DBAPIError

from bot import __version__
from bot.storage import guards, parking, requests, schema, verify
from bot.storage.archive import (
    BLOCK,
    FORMAT,
    Archive,
    BadBackup,
    Column,
    Kind,
    Manifest,
    Part,
    TableFile,
    Writer,
    damaged,
    decode,
    encode,
    reading,
    writing,
)
from bot.storage.database import now_of
from bot.storage.store import Store
from bot.storage.tables import BookRow

_book = BookRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one

VERSION_TABLE = "alembic_version"
KINDS: tuple[tuple[type[types.TypeEngine[Any]], Kind], ...] = (
    (types.Boolean, "boolean"),
    (types.Integer, "integer"),
    (types.DateTime, "instant"),
    (types.Date, "date"),
    (types.String, "text"),
    (types.LargeBinary, "bytes"),
)
DEPENDED_ON = "2BP01"
LINES = 500  # of SQLite, handed on together


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    schema: str
    parked: int
    stopped: bool  # whether reminders are off, for what was sent since is not known


def backup(store: Store, path: Path) -> Manifest:
    """All of a book as it is at one moment, in a new archive, while others go on writing. Refuses: BadBackup."""

    def work(connection: Connection) -> Manifest:
        _take_time(connection)
        version = schema.version(connection)
        if not version:
            raise BadBackup(f"The book {store.book} has no schema, so there is nothing to back up.")
        with writing(path) as archive:
            for name, columns in tables(connection).items():
                _dump(connection, archive, name, columns)
            manifest = Manifest(
                format=FORMAT,
                program=__version__,
                schema=version,
                book=store.book,
                engine=connection.dialect.name,
                made_at=now_of(connection).isoformat(timespec="seconds"),
                findings=len(_findings(connection)) if version == schema.newest() else None,
                tables=tuple(archive.tables),
            )
            archive.finish(manifest)
        return manifest

    if not store.database.exists():
        raise BadBackup(f"There is no book {store.book} at DATABASE_URL, so there is nothing to back up.")
    if store.is_current():
        while store.seal() == requests.MOST_SEALED:  # not until none is left: others go on writing
            pass
    return store.database.read(work, None)


def restore(store: Store, path: Path, *, replace: bool = False, resume_delivery: bool = False) -> Restored:
    """Make a book from an archive, proved before it is kept; all of it or nothing. Refuses: BadBackup."""
    with reading(path) as archive:
        manifest = archive.manifest
        if not schema.knows(manifest.schema):
            raise BadBackup(
                f"The backup was made by Duedesk {manifest.program} with a newer schema, {manifest.schema};"
                " start the newer program."
            )
        archive.check()

        def work(connection: Connection) -> Restored:
            _take_time(connection)
            before = _clear(connection, store.book, replace=replace)
            schema.bring(connection, manifest.schema)
            _load_all(connection, path, archive)
            schema.bring(connection, "head")
            guards.install(connection)
            # Processes that still run read their settings again.
            connection.execute(
                update(_book).where(_book.c.settings_version <= before).values(settings_version=before + 1)
            )
            held, reason = not resume_delivery, f"restored from the backup of {manifest.made_at}"
            parked = parking.park(connection, reason) if held else 0
            stopped = held and parking.stop_reminding(connection, reason)
            while requests.seal(connection):
                pass
            _prove(connection)
            return Restored(manifest, schema.version(connection), parked, stopped)

        try:
            return store.database.rebuild(work)
        except DBAPIError as fault:
            raise _unwritten(fault.orig) from fault


def _unwritten(fault: BaseException | None) -> BadBackup:
    """A full disk, a lock, a view in the way: what the database says, without values of rows."""
    said = str(fault) if isinstance(fault, sqlite3.Error) else type(fault).__name__
    if isinstance(fault, psycopg.Error) and fault.sqlstate == DEPENDED_ON:
        said = "a view or something else that is not Duedesk's stands on its tables; take that away first"
    return BadBackup(f"The book cannot be written: {said}. Nothing was restored.")


def tables(connection: Connection) -> dict[str, tuple[Column, ...]]:
    """Every table of the book as the database has it, what is referred to first."""
    looked = inspect(connection)
    found = {}
    for name, _ in looked.get_sorted_table_and_fkc_names():
        if name is not None and name != VERSION_TABLE:
            found[name] = tuple(Column(each["name"], _kind(each["type"])) for each in looked.get_columns(name))
    return found


def _kind(of: types.TypeEngine[Any]) -> Kind:
    return next(kind for each, kind in KINDS if isinstance(of, each))


def _take_time(connection: Connection) -> None:
    """A large book takes longer than any request may."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL TimeZone = 'UTC'")


def _findings(connection: Connection) -> Sequence[object]:
    """What verify says of the same snapshot, and on SQLite what the file says of itself."""
    settings = requests.load_settings(connection, requests.settings_version(connection))
    found: list[object] = list(verify.findings(connection, settings))
    if connection.dialect.name == "sqlite":
        told = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        found += [each for each in told if each != "ok"]
    return found


# --- out --------------------------------------------------------------------------------------------------------------


def _dump(connection: Connection, archive: Writer, name: str, columns: Sequence[Column]) -> None:
    """One table in the order of its key, a block at a time."""
    kinds = {each.name: each.kind for each in columns}
    key = inspect(connection).get_pk_constraint(name)["constrained_columns"]
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        chosen, order = ", ".join(map(_quoted, kinds)), ", ".join(map(_quoted, key))
        statement = f"SELECT {chosen} FROM {_quoted(name)} ORDER BY {order}"  # noqa: S608  # names of our own tables

        def fill(part: Part) -> None:
            cursor = raw.execute(statement)
            while rows := cursor.fetchmany(LINES):
                part.write("".join([_line(name, row, columns) for row in rows]).encode())

    else:
        chosen = ", ".join(_shown(each) for each in columns)
        order = ", ".join(_quoted(each) + (' COLLATE "C"' if kinds[each] == "text" else "") for each in key)
        statement = f"COPY (SELECT {chosen} FROM {_quoted(name)} ORDER BY {order}) TO STDOUT"  # noqa: S608  # as above

        def fill(part: Part) -> None:
            with raw.cursor() as cursor, cursor.copy(statement) as copy:
                for block in copy:
                    part.write(bytes(block))

    archive.table(name, columns, fill)


def _line(table: str, row: Sequence[Any], columns: Sequence[Column]) -> str:
    try:
        return encode(row, [each.kind for each in columns])
    except TypeError as fault:
        raise BadBackup(
            f"The table {table} keeps a value that is not a value of type {fault}; run: duedesk verify."
        ) from None


def _shown(column: Column) -> str:
    """How PostgreSQL writes a value as SQLite keeps it."""
    name = _quoted(column.name)
    match column.kind:
        case "boolean":
            return f"{name}::int"
        case "date":
            return f"to_char({name}, 'YYYY-MM-DD')"
        case "instant":
            return f"to_char({name} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


# --- in ---------------------------------------------------------------------------------------------------------------


def _clear(connection: Connection, book: str, *, replace: bool) -> int:
    """An empty place for a book; returns the version of the settings that were there. Refuses: BadBackup."""
    version = schema.version(connection)
    there = inspect(connection).get_table_names()
    if there and not version:
        raise BadBackup("The database has tables that are not Duedesk's; choose another DATABASE_URL.")
    before = 0
    if version:
        done = connection.exec_driver_sql("SELECT COUNT(*) FROM audit").scalar()
        if done and not replace:
            raise BadBackup(
                f"The book {book} is not empty: it has {done} operations. Restore into another book with --book,"
                " or put the backup in its place with --replace."
            )
        before = int(connection.execute(select(_book.c.settings_version)).scalar() or 0)
    if connection.dialect.name == "sqlite":
        _run(connection, (f"DROP TABLE {_quoted(each)}" for each in there))
    elif there:
        # Without CASCADE: a view that somebody made over the books is not dropped in passing.
        _run(connection, [f"DROP TABLE {', '.join(map(_quoted, there))}"])
    return before


def _load_all(connection: Connection, path: Path, archive: Archive) -> None:
    """Fill the tables of the archive's schema, past the guards, which would post and move it all a second time."""
    expected = tables(connection)
    if {each.name: set(each.columns) for each in archive.manifest.tables} != {
        name: set(columns) for name, columns in expected.items()
    }:
        raise damaged(path, f"its tables are not those of the schema {archive.manifest.schema}")
    dialect = connection.dialect.name
    _run(connection, guards.remove(dialect))
    # What a migration put there is in the archive as well, perhaps changed since.
    _run(connection, (f"DELETE FROM {_quoted(name)}" for name in reversed(expected)))  # noqa: S608  # names of our own tables
    by_name = {each.name: each for each in archive.manifest.tables}
    for name in expected:
        try:
            _load(connection, archive, by_name[name])
        except (psycopg.OperationalError, sqlite3.OperationalError) as fault:
            raise _unwritten(fault) from fault
        except (psycopg.Error, sqlite3.Error, ValueError) as fault:
            raise damaged(path, f"the rows of the table {name} do not fit ({type(fault).__name__})") from None
    if dialect == "postgresql":
        # Only ours are counted for the planner: the database may hold other books, at work.
        _run(connection, ("SET CONSTRAINTS ALL IMMEDIATE", f"ANALYZE {', '.join(map(_quoted, expected))}"))
    elif connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        raise damaged(path, "a row refers to one that is not there")


def _load(connection: Connection, archive: Archive, table: TableFile) -> None:
    raw: Any = connection.connection.driver_connection
    named = ", ".join(_quoted(each.name) for each in table.columns)
    with archive.rows(table) as lines:
        if connection.dialect.name == "sqlite":
            kinds = [each.kind for each in table.columns]
            marks = ", ".join("?" * len(kinds))
            statement = f"INSERT INTO {_quoted(table.name)} ({named}) VALUES ({marks})"  # noqa: S608  # as above
            raw.executemany(statement, (decode(line, kinds) for line in lines))
            return
        with raw.cursor() as cursor, cursor.copy(f"COPY {_quoted(table.name)} ({named}) FROM STDIN") as copy:
            while block := lines.read(BLOCK):
                copy.write(block)


def _prove(connection: Connection) -> None:
    """What was restored proves itself before it is kept. Refuses: BadBackup."""
    settings = requests.load_settings(connection, requests.settings_version(connection))
    found = list(verify.findings(connection, settings))
    if found:
        raise BadBackup(
            f"The books in the backup are not right: verify names {len(found)}, first {found[0].check}:"
            f" {found[0].where}. Nothing was restored."
        )


def _run(connection: Connection, statements: Iterable[str]) -> None:
    for each in statements:
        connection.execute(text(each.replace(":", "\\:")))
