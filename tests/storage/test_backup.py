"""A backup is one moment of a book, whatever goes on beside it; a restore gives that moment back, or nothing."""

import hashlib
import json
import random
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.desk import Desk
from bot.domain.errors import Busy
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.delivery import Worker
from bot.storage import guards, schema
from bot.storage.archive import BadBackup, reading
from bot.storage.backup import KINDS, backup, restore
from bot.storage.outbox import Outbox
from bot.storage.shelf import Library
from bot.storage.store import Store
from bot.storage.tables import metadata
from tests.conftest import ENGINES, fresh_book
from tests.histories import History, Step, any_step
from tests.slack import Slack
from tests.storage.test_migrations import triggers
from tests.world import ADMIN, World

Books = Callable[[str], AbstractContextManager[Library]]
Worlds = Callable[[], AbstractContextManager[World]]
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
HOSTILE = "Tab\there \\N \\. line\nbreak \r\x0b\x08\x0c 'quote' ไทย 👩‍👩‍👧 e\u0301 \\x41"


@pytest.fixture
def books(request: pytest.FixtureRequest) -> Books:
    """A library with an empty book on any engine, to restore into."""

    @contextmanager
    def opened(engine: str) -> Iterator[Library]:
        with fresh_book(request, engine) as url:
            library = Library(url)
            try:
                yield library
            finally:
                library.close()

    return opened


@pytest.fixture
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("backups") / "book.zip"


def rows(connection: Connection) -> dict[str, list[Any]]:
    """Every row of every table, by the values that the program sees."""
    return {
        table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
        for table in metadata.sorted_tables
    }


def everything(store: Store) -> dict[str, list[Any]]:
    return store.database.read(rows, None)


def opened(store: Store, world: World) -> World:
    """A desk over a restored book, at the time of the old one."""
    made = World.__new__(World)
    made.store, made.now = store, world.now
    made.desk = Desk(store, clock=lambda: made.now)
    return made


def a_book(world: World) -> None:
    """Something of everything, with texts that a format could trip over."""
    customer = world.customer("ACME", name=HOSTILE)
    invoice = world.invoice(customer, 300, issued=-40, due=-10, tax="9")
    world.pay(120, customer, to=((invoice, 100),), reference="\\")
    world.pay(7, reference="\\N")
    world.check()


def tampered(file: Path, table: str, change: Callable[[bytes], bytes]) -> Path:
    """A backup with another content and checksums that fit it."""
    made = file.with_name("tampered.zip")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        for each in manifest["tables"]:
            content = old.read(f"tables/{each['name']}.copy")
            if each["name"] == table:
                content = change(content)
                each["sha256"], each["rows"] = hashlib.sha256(content).hexdigest(), content.count(b"\n")
            new.writestr(f"tables/{each['name']}.copy", content)
        new.writestr("manifest.json", json.dumps(manifest))
    return made


# --- what comes back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ENGINES)
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(any_step(), min_size=12, max_size=30))
def test_a_random_book_comes_back_row_by_row_and_goes_on(
    worlds: Worlds, books: Books, file: Path, target: str, steps: list[Step]
) -> None:
    file.unlink(missing_ok=True)
    with worlds() as world, books(target) as library:
        history = History(world)
        for step in steps:
            history.take(step)
        made = backup(world.store, file)
        store = Store.open(library, "second")
        done = restore(store, file, resume_delivery=True)
        assert everything(store) == everything(world.store)
        assert made.rows == done.manifest.rows == sum(len(each) for each in everything(store).values())
        assert made.findings == 0
        assert store.database.read(triggers, None) == sorted(name for name, _ in guards.names())
        again = opened(store, world)
        numbers = [each.pay(3).payment.number for each in (world, again)]
        assert numbers[0] == numbers[1]
        again.invoice(again.customer("NEW"), 5)
        again.check()


@pytest.mark.parametrize("target", ENGINES)
def test_a_book_is_written_the_same_whichever_engine_it_is_on(
    world: World, books: Books, file: Path, target: str
) -> None:
    a_book(world)
    made = backup(world.store, file)
    with books(target) as library:
        store = Store.open(library, "second")
        restore(store, file, resume_delivery=True)
        assert backup(store, file.with_name("second.zip")).tables == made.tables
        found = store.read(lambda books: books.connection.execute(text("SELECT name FROM customer")).scalar())
        assert found == HOSTILE


def test_a_backup_is_one_moment_while_others_write(
    world: World, books: Books, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    customers = [world.customer(f"C{index}") for index in range(3)]
    stop = threading.Event()
    recorded: list[int] = []

    def write(index: int) -> None:
        while not stop.is_set():
            try:
                invoice = world.invoice(customers[index], 10)
                world.pay(10, customers[index], to=((invoice, 10),))
            except Busy:
                continue
            recorded.append(index)

    threads = [threading.Thread(target=write, args=(index,)) for index in range(3)]
    for each in threads:
        each.start()
    try:
        while len(recorded) < 6:
            stop.wait(0.005)
        seen: list[dict[str, list[Any]]] = []
        read = world.store.database.read

        def watched(work: Callable[[Connection], Any], deadline: float | None) -> Any:
            def both(connection: Connection) -> Any:
                result = work(connection)
                if file.exists():
                    seen.append(rows(connection))
                return result

            return read(both, deadline)

        before = len(recorded)
        with monkeypatch.context() as patched:
            patched.setattr(world.store.database, "read", watched)
            backup(world.store, file)
        while len(recorded) < before + 6:
            stop.wait(0.005)
    finally:
        stop.set()
        for each in threads:
            each.join()
    with books("postgresql" if world.store.database.dialect == "sqlite" else "sqlite") as library:
        store = Store.open(library, "second")
        restore(store, file, resume_delivery=True)
        found, (snapshot, *_) = everything(store), seen
        assert {**found, "audit_seal": []} == {**snapshot, "audit_seal": []}
        assert set(snapshot["audit_seal"]) <= set(found["audit_seal"])
        assert before <= len(found["payment"]) < len(everything(world.store)["payment"])
        assert store.verify() == []


def test_guards_work_after_a_restore(world: World, books: Books, file: Path, engine_name: str) -> None:
    a_book(world)
    backup(world.store, file)
    with books(engine_name) as library:
        store = Store.open(library)
        restore(store, file)
        for statement in (
            "UPDATE posting SET amount_micros = amount_micros + 1",
            "DELETE FROM audit",
            "UPDATE customer SET currency = 'USD'",
            "DELETE FROM invoice_line",
        ):
            with pytest.raises(DBAPIError):
                store.write(lambda connection, each=statement: connection.execute(text(each)))  # type: ignore[misc]
        with pytest.raises(DBAPIError):
            store.write(
                lambda connection: connection.execute(
                    text(
                        "INSERT INTO outbox SELECT id + 1, kind, purpose, destination, document_kind, document_id, 12,"
                        " payload, state, attempts, not_before, lease_until, lease_owner, error, recorded_at, done_at,"
                        " channel, ts FROM outbox LIMIT 1"
                    )
                )
            )


def test_every_kind_of_column_can_be_backed_up() -> None:
    for table in metadata.sorted_tables:
        for column in table.columns:
            of = getattr(column.type, "impl_instance", column.type)
            assert any(isinstance(of, each) for each, _ in KINDS), column


# --- where a restore may go -------------------------------------------------------------------------------------------


def test_a_book_that_is_not_empty_is_only_replaced_when_that_is_said(world: World, file: Path) -> None:
    a_book(world)
    backup(world.store, file)
    before = everything(world.store)
    world.pay(99)
    world.do(change_setting, ChangeSetting(name="company", value="Later"), by=ADMIN)
    since = everything(world.store)
    with pytest.raises(BadBackup, match=r"The book main is not empty: it has \d+ operations"):
        restore(world.store, file)
    assert everything(world.store) == since
    restore(world.store, file, replace=True, resume_delivery=True)
    after = everything(world.store)
    assert {**after, "book": []} == {**before, "book": []}
    assert world.store.read(lambda books: books.settings()).company == ""
    assert after["book"][0][2] > since["book"][0][2]
    assert world.pay(99).payment.number == since["payment"][-1][1]
    world.check()


@pytest.mark.parametrize(
    ("table", "change", "says"),
    [
        ("posting", lambda content: content.replace(b"\t327000000\n", b"\t327000001\n"), "are not right"),
        ("audit", lambda content: content.replace(b"ACME", b"EMCA"), "are not right"),
        ("posting", lambda content: content[: content.index(b"\n") + 1], "are not right|do not fit"),
        ("customer", lambda content: content.replace(b"\tSGD\t", b"\t"), "do not fit"),
        ("customer", lambda _: b"", "refers to one|do not fit"),
    ],
)
def test_books_that_are_not_right_are_not_restored_and_what_was_there_stays(
    world: World, books: Books, file: Path, engine_name: str, table: str, change: Callable[[bytes], bytes], says: str
) -> None:
    a_book(world)
    backup(world.store, file)
    bad = tampered(file, table, change)
    world.pay(1)
    before = everything(world.store)
    with pytest.raises(BadBackup, match=says):
        restore(world.store, bad, replace=True)
    assert everything(world.store) == before
    assert world.store.database.read(triggers, None) == sorted(name for name, _ in guards.names())
    world.pay(1)
    world.check()
    with books(engine_name) as library:
        fresh = Store.open(library, "fresh")
        with pytest.raises(BadBackup, match=says):
            restore(fresh, bad)
        assert not fresh.is_current()
        if engine_name == "sqlite":
            assert not fresh.database.exists()
        restore(fresh, file)
        assert fresh.verify() == []


@SQLITE
def test_a_damaged_backup_is_refused(world: World, file: Path, tmp_path: Path) -> None:
    a_book(world)
    good = backup(world.store, file)
    whole = file.read_bytes()
    chance = random.Random()  # noqa: S311  # any place will do
    spoilt = file.with_name("spoilt.zip")
    for length in {0, 1, len(whole) // 2, len(whole) - 1, *(chance.randrange(len(whole)) for _ in range(20))}:
        spoilt.write_bytes(whole[:length])
        with pytest.raises(BadBackup, match="is damaged"), reading(spoilt) as archive:
            archive.check()
    refused = 0
    for _ in range(300):
        place = chance.randrange(len(whole))
        spoilt.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        try:
            with reading(spoilt) as archive:
                archive.check()
                # A day in a zip's own list, say: all that is restored is as it was.
                assert archive.manifest == good
        except BadBackup:
            refused += 1
    assert refused > 200
    library = Library(f"sqlite:///{tmp_path}/none.db")
    spoilt.write_bytes(whole[:-30])
    with pytest.raises(BadBackup, match="is damaged"):
        restore(Store.open(library), spoilt)
    library.close()
    assert not (tmp_path / "none.db").exists()


@SQLITE
def test_a_database_of_somebody_else_is_never_replaced(world: World, file: Path, tmp_path: Path) -> None:
    backup(world.store, file)
    library = Library(f"sqlite:///{tmp_path}/else.db")
    store = Store.open(library)
    store.database.exclusive(lambda connection: connection.execute(text("CREATE TABLE recipe (name TEXT)")))
    with pytest.raises(BadBackup, match="tables that are not Duedesk's"):
        restore(store, file, replace=True)
    assert store.database.read(lambda c: c.execute(text("SELECT * FROM recipe")).all(), None) == []
    library.close()


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_view_over_the_books_is_not_dropped_in_passing(world: World, file: Path) -> None:
    a_book(world)
    backup(world.store, file)
    world.store.database.exclusive(lambda c: c.execute(text("CREATE VIEW seen AS SELECT name FROM customer")))
    with pytest.raises(BadBackup, match="a view or something else that is not Duedesk's stands on its tables"):
        restore(world.store, file, replace=True)
    world.check()


# --- older and newer programs -----------------------------------------------------------------------------------------

LATER = '''"""Customers have nicknames."""

import sqlalchemy as sa
from alembic import op

from bot.storage import guards

revision = "9999"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("customer", sa.Column("nickname", sa.String(40), nullable=False, server_default="none"))
    op.execute("UPDATE customer SET nickname = code")
    guards.install(op.get_bind())
'''


@contextmanager
def a_newer_program(folder: Path) -> Iterator[None]:
    """The program with one more migration."""
    shutil.copytree(schema.SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions" / "9999_nicknames.py").write_text(LATER.format(before=schema.newest()), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(schema, "SCRIPTS", folder)
        yield


def test_an_older_backup_is_restored_and_upgraded_and_a_newer_one_refused(
    world: World, books: Books, file: Path, tmp_path: Path, engine_name: str
) -> None:
    a_book(world)
    newer = file.with_name("newer.zip")
    backup(world.store, file)
    before = everything(world.store)
    with books(engine_name) as library:
        store = Store.open(library, "second")
        with a_newer_program(tmp_path / "migrations"):
            done = restore(store, file, resume_delivery=True)
            assert done.schema == "9999"
            assert store.is_current()
            named = store.database.read(lambda c: c.execute(text("SELECT nickname FROM customer")).scalar(), None)
            assert named == "ACME"
            assert everything(store) == before
            assert store.database.read(triggers, None) == sorted(name for name, _ in guards.names())
            backup(store, newer)
        with pytest.raises(BadBackup, match=r"a newer schema, 9999; start the newer program"):
            restore(Store.open(library), newer)
        assert everything(Store.open(library))["audit"] == []


# --- what was waiting to be sent --------------------------------------------------------------------------------------


def test_what_waited_in_a_backup_is_held_back_until_somebody_says(slack: Slack, books: Books, file: Path) -> None:
    """The same message may have left since: sending it again is a decision, and even then it is looked for first."""
    slack.world.pay(10, reference="sent since")
    backup(slack.world.store, file)
    posted = len(slack.cards())
    with books("sqlite") as library:
        store = Store.open(library)
        waiting = everything(slack.world.store)["outbox"]
        done = restore(store, file)
        assert done.parked == len(waiting) == Outbox(store).counts()["parked"] == 1
        desk = opened(store, slack.world)
        worker = Worker(desk.desk, slack.duedesk.client)
        assert worker.run_once() == 0
        desk.pay(11, reference="new")
        assert worker.run_once() == 1
        assert len(slack.cards()) == posted + 1
        assert Outbox(store).retry("all") == 1
        assert worker.run_once() == 1
        assert len(slack.cards()) == posted + 1
        assert "parked" not in Outbox(store).counts()
        restore(store, file, replace=True)
        assert Outbox(store).drop("all") == 1
        assert (worker.run_once(), Outbox(store).retry("all")) == (0, 0)
