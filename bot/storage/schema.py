"""Bring a book to the newest schema, and say at which it is."""

import secrets
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, select

from bot.storage import guards
from bot.storage.database import Database
from bot.storage.tables import BookRow, SeriesRow

_book = BookRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_series = SeriesRow.__table__  # type: ignore[attr-defined]  # as above

SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None, scripts: Path | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(scripts or SCRIPTS))
    config.attributes["connection"] = connection
    return config


def newest(scripts: Path | None = None) -> str:
    """The newest schema this program knows, of a book or of what else has a tree of its own."""
    return _newest_of(scripts or SCRIPTS)


@cache
def _newest_of(scripts: Path) -> str:
    """Asked whenever a book is opened; the files of a program stay as they are while it runs."""
    return ScriptDirectory(str(scripts)).get_current_head() or ""


def knows(revision: str) -> bool:
    """Whether this program can bring a book to a schema, and on from there."""
    return any(each.revision == revision for each in ScriptDirectory.from_config(_config()).walk_revisions())


def bring(connection: Connection, revision: str) -> None:
    """Bring what is open to a schema."""
    with guards.once(connection):
        migrate(connection, revision)


def migrate(connection: Connection, revision: str, scripts: Path | None = None) -> None:
    """Go through the migrations of a tree, without guards of a book at the end."""
    command.upgrade(_config(connection, scripts), revision)


def version(connection: Connection) -> str:
    """The schema a book is at, or nothing when it is empty."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def upgrade(database: Database, book: str) -> str:
    """Bring a book to the newest schema in one transaction; returns the version it is at."""

    def work(connection: Connection) -> str:
        if version(connection) != newest():
            bring(connection, "head")
        if connection.execute(select(_book.c.id)).first() is None:
            connection.execute(
                insert(_book), {"id": 1, "name": book, "settings_version": 1, "digest_key": secrets.token_hex(32)}
            )
            connection.execute(insert(_series), [{"name": "payment", "last": 0}, {"name": "invoice", "last": 0}])
        return version(connection)

    return database.exclusive(work)
