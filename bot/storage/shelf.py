"""Opens books: where each lives, by the address of the database."""

import threading
from pathlib import Path

from sqlalchemy import Engine, make_url

from bot.storage.database import Database
from bot.storage.postgres import PostgresDatabase, pool
from bot.storage.sqlite import SqliteDatabase

LONGEST_BOOK = 50  # a PostgreSQL name is cut at 63 bytes, and two cut alike would be one schema

REGISTRY = "."


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

    def registry(self) -> Database:
        """The database that says which workspace has which book: a name that no book can have."""
        with self._lock:
            if REGISTRY not in self._open:
                if self.is_sqlite:
                    path = Path(self._url.database or "duedesk.db")
                    self._open[REGISTRY] = SqliteDatabase(path.with_name(f"{path.stem}.registry{path.suffix}"))
                else:
                    self._open[REGISTRY] = self._postgres_schema("duedesk_registry")
            return self._open[REGISTRY]

    def erase(self, book: str) -> None:
        """Take a book away with all it holds; nobody may be using it."""
        self.database(book).erase()
        with self._lock:
            del self._open[book]

    def close(self) -> None:
        with self._lock:
            for database in self._open.values():
                database.close()
            self._open.clear()
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None

    def file(self, book: str) -> Path | None:
        """The file of a book, where a book is a file."""
        if not self.is_sqlite:
            return None
        path = Path(self._url.database or "duedesk.db")
        return path if book == "main" else path.with_name(f"{path.stem}-{book}{path.suffix}")

    def _sqlite(self, book: str) -> Database:
        path = self.file(book)
        assert path is not None
        return SqliteDatabase(path)

    def _postgres(self, book: str) -> Database:
        return self._postgres_schema(f"book_{book}")

    def _postgres_schema(self, schema: str) -> Database:
        if self._engine is None:
            self._engine = pool(self._url, self._limit)
        return PostgresDatabase(self._engine, schema, self._admission)
