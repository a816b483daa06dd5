"""A book, opened: writes and reads with its settings, its schema and its proof."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from bot.domain.ports import Finding
from bot.domain.settings import Settings
from bot.storage import requests, schema, verify
from bot.storage.database import Database, now_of
from bot.storage.reports import SqlReadBooks
from bot.storage.shelf import Library

T = TypeVar("T")
PROOF_SECONDS = 3600.0  # large books take longer than a question may


class Store:
    """One book of a library; holds no state but a copy of the settings, renewed when their version rises."""

    def __init__(self, database: Database, book: str) -> None:
        self.database = database
        self.book = book
        self._settings = Settings(version=-1)

    @classmethod
    def open(cls, library: Library, book: str = "main") -> "Store":
        """Open a book of the library; it need not have a schema yet."""
        return cls(library.database(book), book)

    def upgrade(self) -> str:
        """Bring the book to the newest schema."""
        return schema.upgrade(self.database, self.book)

    def is_current(self) -> bool:
        """Whether the book is at the schema this program serves."""
        return self.database.exists() and self.database.read(schema.version, None) == schema.newest()

    def schema(self) -> str:
        """The schema the book is at, or nothing where there is no book yet."""
        return self.database.read(schema.version, None) if self.database.exists() else ""

    def write(
        self, work: Callable[[Connection], T], deadline: float | None = None, *, keep: bool = True, alone: bool = False
    ) -> T:
        return self.database.write(work, deadline, keep=keep, alone=alone)

    def read(self, work: Callable[[SqlReadBooks], T], deadline: float | None = None) -> T:
        """Ask the books in one read-only snapshot."""

        def ask(connection: Connection) -> T:
            version = requests.settings_version(connection)
            return work(SqlReadBooks(connection, self.settings(connection, version)))

        return self.database.read(ask, deadline)

    def settings(self, connection: Connection, version: int) -> Settings:
        """The settings at a version, read again only when it rose."""
        if self._settings.version != version:
            self._settings = requests.load_settings(connection, version)
        return self._settings

    def now(self) -> datetime:
        return self.database.read(now_of, None)

    def seal(self) -> int:
        """Seal new audit rows; returns how many."""
        return self.write(requests.seal)

    def verify(self) -> Sequence[Finding]:
        """Prove the books; nothing found means they are right."""
        until = time.monotonic() + PROOF_SECONDS
        return self.read(lambda books: list(verify.findings(books.connection, books.settings())), until)
