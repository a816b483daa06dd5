"""Transactions on both engines: batches, deadlines, retries, a lost COMMIT, ids."""

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Connection, create_engine, make_url, text
from sqlalchemy.exc import IntegrityError, OperationalError

from bot.desk import LEAST_SECONDS_TO_RETRY, MOST_TRIES, Desk
from bot.domain.allocation import Portion
from bot.domain.customers import Customer
from bot.domain.errors import Busy, NotUndoable, OutcomeUnknown, Refused
from bot.domain.operation import Context, Operation, Outcome
from bot.domain.payments import (
    AssignPayment,
    PaymentChanged,
    RecordPayment,
    UnassignPayment,
    assign_payment,
    record_payment,
    unassign_payment,
)
from bot.domain.ports import Books
from bot.domain.undo import Undo, undo
from bot.storage import ids, postgres, sqlite
from bot.storage.books import SqlBooks
from bot.storage.database import Database
from bot.storage.ids import new_id, rise_above
from bot.storage.shelf import Library
from bot.storage.sqlite import BATCH, SqliteDatabase
from bot.storage.store import Store
from tests.world import CLERK, START, TEAM, World, money

CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)

on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)


def put(name: str, value: str = "x") -> Callable[[Connection], str]:
    """A write of one setting row."""

    def work(connection: Connection) -> str:
        connection.execute(
            text("INSERT INTO setting (name, value) VALUES (:name, :value)"), {"name": name, "value": value}
        )
        return name

    return work


def kept(database: Database) -> set[str]:
    def names(connection: Connection) -> set[str]:
        return set(connection.execute(text("SELECT name FROM setting")).scalars())

    return database.read(names, None)


def count(world: World, table: str) -> int:
    return world.store.read(
        lambda books: int(books.connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())
    )


class Gate:
    """Work that holds the writer until it is let go, so that others queue up behind it."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, _connection: Connection) -> None:
        self.entered.set()
        assert self.open.wait(10)


@pytest.fixture
def database(library: Library) -> Database:
    return library.database("main")


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=48) as executor:
        yield executor


# --- one file, one writer ---------------------------------------------------------------------------------------------


@on_sqlite
def test_a_failing_job_takes_no_other_of_its_batch_along(database: SqliteDatabase, pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    first = pool.submit(database.write, gate, None)
    assert gate.entered.wait(5)

    def breaks(connection: Connection) -> None:
        put("half")(connection)
        raise Refused("no")

    good = [pool.submit(database.write, put(f"good{index}"), None) for index in range(5)]
    bad = [pool.submit(database.write, breaks, None) for _ in range(3)]
    double = [pool.submit(database.write, put("once"), None) for _ in range(2)]
    gate.open.set()
    first.result()
    assert {each.result() for each in good} == {f"good{index}" for index in range(5)}
    for each in bad:
        with pytest.raises(Refused):
            each.result()
    faults = [each.exception() for each in double]
    assert sum(isinstance(fault, IntegrityError) for fault in faults) == 1
    assert kept(database) == {"once", *(f"good{index}" for index in range(5))}


@on_sqlite
def test_waiting_writers_share_one_commit_and_none_is_answered_before_it(
    database: SqliteDatabase, pool: ThreadPoolExecutor
) -> None:
    gate = Gate()
    held = pool.submit(database.write, gate, None)
    assert gate.entered.wait(5)
    others = [pool.submit(database.write, put(f"row{index}"), None) for index in range(BATCH - 1)]
    while database._jobs.qsize() < BATCH - 1:
        time.sleep(0.001)
    assert kept(database) == set()
    assert not any(each.done() for each in others)
    gate.open.set()
    held.result()
    for each in others:
        name = each.result()
        assert name in kept(database)


@on_sqlite
def test_a_fault_at_commit_is_the_fault_of_one_only(database: SqliteDatabase, pool: ThreadPoolExecutor) -> None:
    gate = Gate()
    runs: list[str] = []
    held = pool.submit(database.write, gate, None)
    assert gate.entered.wait(5)

    def counted(name: str) -> Callable[[Connection], str]:
        def work(connection: Connection) -> str:
            runs.append(name)
            return put(name)(connection)

        return work

    def orphan(connection: Connection) -> None:
        connection.execute(
            text(
                "INSERT INTO posting (id, entry_id, account, detail, amount_micros) VALUES (1, 999, 'cash', 'cash', 5)"
            )
        )

    good = [pool.submit(database.write, counted(f"good{index}"), None) for index in range(4)]
    while database._jobs.qsize() < 4:
        time.sleep(0.001)
    bad = pool.submit(database.write, orphan, None)
    while database._jobs.qsize() < 5:
        time.sleep(0.001)
    after = pool.submit(database.write, counted("after"), None)
    gate.open.set()
    held.result()
    with pytest.raises(IntegrityError):
        bad.result()
    assert {each.result() for each in (*good, after)} == {"good0", "good1", "good2", "good3", "after"}
    assert kept(database) == {"good0", "good1", "good2", "good3", "after"}
    assert database.write(put("later"), None) == "later"


@on_sqlite
def test_a_transaction_that_sqlite_gave_up_is_done_again_without_its_culprit(
    database: SqliteDatabase, pool: ThreadPoolExecutor
) -> None:
    database.write(put("taken"), None)
    gate = Gate()
    held = pool.submit(database.write, gate, None)
    assert gate.entered.wait(5)

    def gives_up(connection: Connection) -> None:
        connection.exec_driver_sql("INSERT OR ROLLBACK INTO setting (name, value) VALUES ('taken', 'again')")

    before = pool.submit(database.write, put("before"), None)
    while database._jobs.qsize() < 1:
        time.sleep(0.001)
    culprit = pool.submit(database.write, gives_up, None)
    while database._jobs.qsize() < 2:
        time.sleep(0.001)
    after = pool.submit(database.write, put("after"), None)
    gate.open.set()
    held.result()
    with pytest.raises(IntegrityError):
        culprit.result()
    assert (before.result(), after.result()) == ("before", "after")
    assert kept(database) == {"taken", "before", "after"}
    with pytest.raises(IntegrityError):
        database.write(gives_up, None)
    assert database.write(put("later"), None) == "later"


@on_sqlite
def test_an_idle_book_has_no_writer_and_the_next_write_gets_one(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "IDLE_SECONDS", 0.0)
    database = library.database("main")
    assert isinstance(database, SqliteDatabase)

    def is_idle() -> bool:
        return database._thread is None

    assert is_idle()
    for name in ("first", "second"):
        database.write(put(name), None)
        until = time.monotonic() + 10
        while not is_idle():
            assert time.monotonic() < until
            time.sleep(0.001)
    with ThreadPoolExecutor(16) as pool:  # while it ends and begins
        list(pool.map(lambda number: database.write(put(f"together {number}"), None), range(200)))
    assert len(kept(database)) == 202


@on_sqlite
def test_a_full_disk_refuses_one_write_and_leaves_the_writer_alive(database: SqliteDatabase) -> None:
    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        try:
            put("large", "x" * 500_000)(connection)
        finally:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")

    with pytest.raises(OperationalError, match="full"):
        database.write(fill, None)
    database.write(put("small"), None)
    assert kept(database) == {"small"}


@on_sqlite
def test_a_job_whose_deadline_passed_while_it_waited_is_never_run(
    database: SqliteDatabase, pool: ThreadPoolExecutor
) -> None:
    gate = Gate()
    held = pool.submit(database.write, gate, None)
    assert gate.entered.wait(5)
    with pytest.raises(Busy):
        database.write(put("late"), time.monotonic() + 0.1)
    with pytest.raises(Busy):
        database.write(put("too late"), time.monotonic() - 1)
    assert not held.done()
    gate.open.set()
    held.result()
    database.write(put("next"), None)
    assert kept(database) == {"next"}


@on_sqlite
def test_a_job_that_runs_at_its_deadline_is_answered_with_what_it_did(
    database: SqliteDatabase, pool: ThreadPoolExecutor
) -> None:
    gate = Gate()

    def slow(connection: Connection) -> str:
        gate(connection)
        return put("done")(connection)

    waiting = pool.submit(database.write, slow, time.monotonic() + 0.05)
    assert gate.entered.wait(5)
    time.sleep(0.08)
    gate.open.set()
    assert waiting.result() == "done"
    assert kept(database) == {"done"}


@on_sqlite
def test_a_lock_of_another_process_is_waited_for_within_the_deadline(
    database: SqliteDatabase, book_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "MOST_LOCK_SECONDS", 600.0)
    other = create_engine(book_url, isolation_level="AUTOCOMMIT")
    with other.connect() as holder:
        holder.exec_driver_sql("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            database.write(put("late"), time.monotonic() + 0.2)
        holder.exec_driver_sql("ROLLBACK")
    other.dispose()
    database.write(put("next"), None)
    assert kept(database) == {"next"}


@on_sqlite
def test_a_closed_book_takes_its_last_writes(book_url: str) -> None:
    library = Library(book_url)
    database = library.database("main")
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(database.write, put(f"row{index}"), None) for index in range(20)]
        done = {each.result() for each in waiting}
    library.close()
    again = Library(book_url)
    assert kept(again.database("main")) == done
    again.close()


# --- both engines -----------------------------------------------------------------------------------------------------


def test_what_is_rolled_back_leaves_nothing(database: Database) -> None:
    assert database.write(put("preview"), None, keep=False) == "preview"
    with pytest.raises(ZeroDivisionError):
        database.write(lambda connection: (put("broken")(connection), 1 // 0), None)
    assert kept(database) == set()


def test_a_read_sees_one_snapshot(database: Database) -> None:
    def twice(connection: Connection) -> tuple[int, int]:
        many = text("SELECT COUNT(*) FROM setting")
        before = int(connection.execute(many).scalar_one())
        database.write(put("meanwhile"), None)
        return before, int(connection.execute(many).scalar_one())

    assert database.read(twice, None) == (0, 0)
    assert kept(database) == {"meanwhile"}


def test_a_read_can_wait_for_no_longer_than_its_deadline(database: Database) -> None:
    with pytest.raises(Busy):
        database.read(lambda _: None, time.monotonic() - 0.1)


def test_ids_are_unique_and_rise_over_threads() -> None:
    found: list[list[int]] = [[] for _ in range(8)]

    def take(mine: list[int]) -> None:
        mine.extend(new_id() for _ in range(10_000))

    threads = [threading.Thread(target=take, args=(mine,)) for mine in found]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    every = [each for mine in found for each in mine]
    assert len(set(every)) == len(every)
    assert all(mine == sorted(mine) for mine in found)
    assert all(0 < each < 2**63 for each in every)


def test_ids_rise_above_what_another_process_gave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ids, "_last_id", ids._last_id)
    ahead = new_id() + (5_000 << 22)
    rise_above(ahead)
    assert new_id() > ahead
    rise_above(1)
    assert new_id() > ahead


# --- PostgreSQL: waits, conflicts, lost connections -------------------------------------------------------------------


class Held:
    """Another connection that holds a customer's row."""

    def __init__(self, url: str, customer: Customer) -> None:
        self.engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
        self.connection = self.engine.connect()
        self.connection.execute(text("SET search_path = book_main"))
        self.connection.execute(text("SELECT 1 FROM customer WHERE id = :id FOR UPDATE"), {"id": customer.id})

    def let_go(self) -> None:
        self.connection.rollback()
        self.connection.close()
        self.engine.dispose()


def kill(url: str, condition: str = "true") -> int:
    """End the desk's connections, as a restart of the server would."""
    other = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with other.connect() as connection:
        statement = (
            "SELECT COUNT(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
            f" WHERE application_name = 'duedesk' AND datname = current_database() AND {condition}"
        )
        killed = int(connection.execute(text(statement)).scalar_one())
    other.dispose()
    return killed


def recording(customer: Customer | None = None) -> RecordPayment:
    return RecordPayment(
        payer="Somebody",
        amount=money(10),
        received_on=START.date(),
        customer_id=customer.id if customer is not None else None,
    )


def after(first: Callable[[Books], None], operation: Operation[CommandT, OutcomeT]) -> Operation[CommandT, OutcomeT]:
    """The operation, with something happening inside its transaction before it."""

    def run(command: CommandT, books: Books, context: Context) -> OutcomeT:
        first(books)
        return operation.run(command, books, context)

    return Operation(operation.name, operation.by, run, operation.doc)


def once(work: Callable[[Books], None]) -> Callable[[Books], None]:
    """Work that is done in the first try only."""
    tries: list[int] = []

    def first(books: Books) -> None:
        tries.append(1)
        if len(tries) == 1:
            work(books)

    return first


def connection_of(books: Books) -> Connection:
    assert isinstance(books, SqlBooks)
    return books.connection


@on_postgres
def test_a_lock_wait_ends_with_the_deadline_as_busy(world: World, book_url: str) -> None:
    customer = world.customer()
    held = Held(book_url, customer)
    before = count(world, "audit")
    started = time.monotonic()
    request = world.request()
    with pytest.raises(Busy):
        world.desk.carry_out(record_payment, recording(customer), replace(request, deadline=started + 0.4))
    assert time.monotonic() - started > 0.3
    held.let_go()
    assert (count(world, "audit"), count(world, "payment")) == (before, 0)
    assert world.desk.carry_out(record_payment, recording(customer), request).payment.number == "PAY-0001"
    world.check()


@on_postgres
def test_several_lock_waits_share_one_deadline(world: World, book_url: str) -> None:
    """Each wait is shorter than the deadline, their sum is not."""
    customer = world.customer()
    other = world.customer("OTHER")
    held = [Held(book_url, customer), Held(book_url, other)]
    timer = threading.Timer(1.8, held[0].let_go)
    timer.start()

    def waits(books: Books) -> None:
        books.customers.lock(customer.id)
        books.customers.lock(other.id)

    started = time.monotonic()
    with pytest.raises(Busy):
        world.desk.carry_out(
            after(waits, record_payment), recording(customer), replace(world.request(), deadline=started + 2)
        )
    assert time.monotonic() - started < 3.6  # waits of two seconds each
    timer.join()
    held[1].let_go()
    assert count(world, "payment") == 0


@on_postgres
def test_a_write_whose_statements_all_waited_is_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The waits are shortened between the statements of a pipeline as well."""
    monkeypatch.setattr(postgres, "SLOW_SECONDS", -1.0)
    customer = world.customer()
    invoice = world.invoice(customer, 100)
    request = replace(world.request(), deadline=time.monotonic() + 5)
    world.desk.carry_out(record_payment, recording(customer), request)
    assert world.read_invoice(invoice).open != invoice.total
    world.check()


@on_postgres
def test_a_full_desk_is_busy_at_the_deadline(book_url: str) -> None:
    library = Library(book_url, limit=1)
    database = library.database("main")
    gate = Gate()
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(database.write, gate, None)
        assert gate.entered.wait(5)
        with pytest.raises(Busy):
            database.write(put("late"), time.monotonic() + 0.1)
        gate.open.set()
        held.result()
    database.write(put("next"), None)
    assert kept(database) == {"next"}
    library.close()


@on_postgres
@pytest.mark.parametrize("state", ["40001", "40P01", "23505"])
def test_a_conflict_is_tried_again(world: World, state: str) -> None:
    def conflict(books: Books) -> None:
        raising = f"DO $$ BEGIN RAISE EXCEPTION 'conflict' USING ERRCODE = '{state}'; END $$"
        connection_of(books).exec_driver_sql(raising)

    outcome = world.do(after(once(conflict), record_payment), recording())
    assert outcome.payment.number == "PAY-0001"
    assert count(world, "payment") == 1
    world.check()


@on_postgres
def test_a_conflict_that_never_ends_is_busy_and_does_nothing(world: World) -> None:
    tries: list[int] = []

    def conflict(books: Books) -> None:
        tries.append(1)
        connection_of(books).exec_driver_sql("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$")

    with pytest.raises(Busy):
        world.do(after(conflict, record_payment), recording())
    assert len(tries) == MOST_TRIES
    request = replace(world.request(), deadline=time.monotonic() + LEAST_SECONDS_TO_RETRY / 2)
    with pytest.raises(Busy):
        world.desk.carry_out(after(conflict, record_payment), recording(), request)
    assert len(tries) == MOST_TRIES + 1
    assert count(world, "payment") == 0


@on_postgres
def test_two_that_lock_in_opposite_orders_are_both_done(world: World) -> None:
    """PostgreSQL ends one of the two; the desk tries it again."""
    customers = [world.customer(), world.customer("OTHER")]
    both = threading.Barrier(2, timeout=10)

    def run(order: list[Customer]) -> PaymentChanged:
        def crosses(books: Books) -> None:
            books.customers.lock(order[0].id)
            both.wait()
            books.customers.lock(order[1].id)

        return world.do(after(once(crosses), record_payment), recording())

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(run, [customers, customers[::-1]]))
    assert {outcome.payment.number for outcome in outcomes} == {"PAY-0001", "PAY-0002"}
    world.check()


@on_postgres
def test_connections_that_died_in_the_pool_are_replaced(world: World, book_url: str) -> None:
    for _ in range(2):
        world.do(record_payment, recording())
        assert kill(book_url) >= 1
        world.do(record_payment, recording())
        assert kill(book_url) >= 1
        assert world.desk.ask(lambda books: books.person(TEAM, CLERK), world.request()) is not None
    assert count(world, "payment") == 4
    world.check()


@on_postgres
def test_a_connection_lost_in_the_middle_is_tried_again(world: World, book_url: str) -> None:
    def cut(_books: Books) -> None:
        assert kill(book_url, "state = 'idle in transaction'") == 1

    outcome = world.do(after(once(cut), record_payment), recording())
    assert outcome.payment.number == "PAY-0001"
    assert count(world, "payment") == 1
    world.check()


@on_postgres
def test_a_fault_on_a_lost_connection_is_told_as_it_was(database: Database, book_url: str) -> None:
    def cut(connection: Connection) -> None:
        kill(book_url, "state = 'idle in transaction'")
        put("lost")(connection)

    with pytest.raises(OperationalError):
        database.write(cut, None)
    with pytest.raises(OperationalError):
        database.read(cut, None)
    database.write(put("next"), None)
    assert kept(database) == {"next"}


@on_postgres
def test_an_operation_that_waited_is_later_than_the_one_it_waited_for(world: World) -> None:
    """Its id was given before the wait; undo must still see it as the later one."""
    payment = world.pay(100, world.customer()).payment
    other = world.customer("OTHER")
    begun, go = threading.Event(), threading.Event()

    def waits(_books: Books) -> None:
        begun.set()
        assert go.wait(10)

    assigning = AssignPayment(payment_id=payment.id, customer_id=other.id)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(world.do, after(once(waits), assign_payment), assigning)
        assert begun.wait(10)
        quick = world.do(unassign_payment, UnassignPayment(payment_id=payment.id))
        go.set()
        last = slow.result()
    assert last.operation_id > quick.operation_id
    with pytest.raises(NotUndoable):
        world.do(undo, Undo(operation_id=quick.operation_id))
    world.do(undo, Undo(operation_id=last.operation_id))
    world.check()


# --- PostgreSQL: the answer to COMMIT is lost -------------------------------------------------------------------------


class Link:
    """One connection through the proxy."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.is_mute = False
        self.answered = threading.Event()

    def cut(self) -> None:
        for each in (self.client, self.server):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


class Proxy:
    """A socket between desk and server that loses a COMMIT on its way there, or the answer on its way back."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder, self.server = folder, server
        self.lose = ""
        self.lost = 0
        self.threads: list[threading.Thread] = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{self.folder}/.s.PGSQL.5432")
        self.listener.listen(16)
        self._start(self._accept)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.lose == "everything":
                client.close()
                continue
            server = socket.socket(socket.AF_UNIX)
            server.connect(self.server)
            link = Link(client, server)
            self._start(self._forward, link)
            self._start(self._back, link)

    def _forward(self, link: Link) -> None:
        while data := received(link.client):
            if self.lose and b"COMMIT" in data:
                self.lost += 1
                self._lose_commit(link, data)
                break
            link.server.sendall(data)
        link.cut()

    def _lose_commit(self, link: Link, data: bytes) -> None:
        how, self.lose = (
            self.lose,
            {"answer and server": "everything", "every question": "every question"}.get(self.lose, ""),
        )
        if "answer" in how:
            link.is_mute = True
            link.server.sendall(data)
            assert link.answered.wait(5)

    def _back(self, link: Link) -> None:
        while data := received(link.server):
            if link.is_mute:
                link.answered.set()
            else:
                link.client.sendall(data)


def received(source: socket.socket) -> bytes:
    try:
        return source.recv(65536)
    except OSError:
        return b""


@pytest.fixture
def proxy(book_url: str) -> Iterator[Proxy]:
    folder = str(make_url(book_url).query["host"])
    with tempfile.TemporaryDirectory(prefix="px") as here:
        between = Proxy(Path(here), f"{folder}/.s.PGSQL.5432")
        yield between
        between.close()


@pytest.fixture
def far(book_url: str, proxy: Proxy, world: World) -> Iterator[Desk]:
    """A desk that reaches its server through the proxy; `world` looks at the same book directly."""
    library = Library(make_url(book_url).set(query={"host": str(proxy.folder)}).render_as_string(hide_password=False))
    desk = Desk(Store.open(library), clock=lambda: world.now)
    desk.ask(lambda books: books.settings(), world.request())  # SQLAlchemy commits when it first connects
    yield desk
    library.close()


@on_postgres
def test_a_commit_whose_answer_was_lost_is_found_by_its_key(world: World, far: Desk, proxy: Proxy) -> None:
    request = world.request()
    proxy.lose = "answer"
    outcome = far.carry_out(record_payment, recording(), request)
    assert proxy.lost == 1
    assert count(world, "payment") == 1
    assert far.carry_out(record_payment, recording(), request) == outcome
    assert world.desk.carry_out(record_payment, recording(), request) == outcome
    assert (count(world, "payment"), count(world, "outbox")) == (1, 1)
    world.check()


@on_postgres
def test_a_commit_that_never_arrived_is_tried_again(world: World, far: Desk, proxy: Proxy) -> None:
    request = world.request()
    proxy.lose = "question"
    outcome = far.carry_out(record_payment, recording(), request)
    assert proxy.lost == 1
    assert outcome.payment.number == "PAY-0001"
    assert count(world, "payment") == 1
    world.check()


@on_postgres
def test_after_a_lost_commit_nobody_says_that_nothing_was_done(world: World, far: Desk, proxy: Proxy) -> None:
    request = world.request()
    proxy.lose = "answer and server"
    with pytest.raises(OutcomeUnknown):
        far.carry_out(record_payment, recording(), request)
    assert count(world, "payment") == 1
    proxy.lose = ""
    assert far.carry_out(record_payment, recording(), request).payment.number == "PAY-0001"
    assert count(world, "payment") == 1
    world.check()


@on_postgres
def test_commits_that_never_arrive_end_as_not_known(world: World, far: Desk, proxy: Proxy) -> None:
    request = world.request()
    proxy.lose = "every question"
    with pytest.raises(OutcomeUnknown):
        far.carry_out(record_payment, recording(), request)
    assert proxy.lost == MOST_TRIES
    assert count(world, "payment") == 0
    proxy.lose = ""
    far.carry_out(record_payment, recording(), request)
    assert count(world, "payment") == 1
    world.check()


@on_postgres
def test_a_slow_write_has_what_is_left_of_its_deadline_and_is_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if each statement had waited: the next ones get shorter waits, in the middle of a pipeline too."""
    monkeypatch.setattr("bot.storage.postgres.SLOW_SECONDS", -1.0)
    customer = world.customer()
    invoice = world.invoice(customer, 100)
    portions = (Portion(invoice_id=invoice.id),)
    for index in range(12):
        request = replace(world.request(), deadline=time.monotonic() + 20)
        command = replace(recording(), customer_id=customer.id, portions=portions if index == 0 else ())
        paid = world.desk.carry_out(record_payment, command, request)
        world.desk.carry_out(
            undo, Undo(operation_id=paid.operation_id), replace(world.request(), deadline=request.deadline)
        )
    world.check()
