"""The schema by migrations is the schema of the tables; books share nothing; rows give back what was put in."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from bot.domain.customers import Contact, Customer, Mode, NewCustomer, new_customer
from bot.domain.errors import NotFound, Refused
from bot.domain.invoices import InvoiceLine
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import LARGEST_MICROS, Money, currency
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, InvoiceState, Lot, LotKind
from bot.domain.operation import Role
from bot.domain.payments import Method, Payment, PaymentState, RecordPayment, record_payment
from bot.domain.people import Profile
from bot.domain.settings import ChangeSetting, Settings, change_setting
from bot.storage import guards, schema
from bot.storage.books import SqlBooks
from bot.storage.ids import new_id
from bot.storage.reports import SqlReadBooks
from bot.storage.shelf import Library
from bot.storage.store import Store
from bot.storage.tables import metadata
from tests.world import ADMIN, START, TEAM, World, money

DAY = date(2026, 11, 23)
SPECIAL = (
    "Ünïcødé & <b>markup</b> *stars* _under_ ~x~ `code`",
    "ไทย 日本語 العربية עברית 한국어",
    "e\u0301 vs é, \u202eright to left\u202c, zero\u200bwidth, 👩‍👩‍👧‍👦",
    "%_\\'\";--\t\n",
)
# What a text column takes: anything but NUL and half characters, which the desk refuses.
texts = st.one_of(
    st.sampled_from(SPECIAL), st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=40)
)
amounts = st.one_of(st.sampled_from([1, LARGEST_MICROS]), st.integers(1, LARGEST_MICROS))
currencies = st.sampled_from(["SGD", "JPY", "KWD"]).map(currency)
dates = st.dates(date(1900, 1, 1), date(9999, 12, 31))
instants = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  # given a zone here
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def triggers(connection: Connection) -> list[str]:
    sqlite = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    postgres = (
        "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace"
    )
    statement = sqlite if connection.dialect.name == "sqlite" else postgres
    return sorted(connection.execute(text(statement)).scalars())


def differences(connection: Connection) -> list[Any]:
    name = connection.dialect.name

    def include(_object: object, named: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return not (kind == "table" and named == "alembic_version")

    options = {"compare_type": True, "compare_server_default": name == "postgresql", "include_object": include}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def test_a_book_made_by_migrations_is_what_the_tables_say(world: World) -> None:
    database = world.store.database
    assert database.read(differences, None) == []
    assert database.read(schema.version, None) == schema.newest()
    assert world.store.is_current()


def test_the_bounds_of_the_tables_are_there_too(world: World) -> None:
    """Alembic does not compare CHECK constraints; each of ours is looked up by name."""
    wanted = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if type(constraint).__name__ == "CheckConstraint"
    }

    def read(connection: Connection) -> set[str]:
        if connection.dialect.name == "postgresql":
            ours = "contype = 'c' AND connamespace = current_schema()::regnamespace"
            return set(connection.execute(text(f"SELECT conname FROM pg_constraint WHERE {ours}")).scalars())
        made = " ".join(connection.execute(text("SELECT sql FROM sqlite_master WHERE type = 'table'")).scalars())
        return {name for name in wanted if f"CONSTRAINT {name} CHECK" in made}

    assert len(wanted) > 30
    assert world.store.database.read(read, None) == wanted


def test_upgrading_again_changes_nothing(world: World) -> None:
    world.pay(10, world.customer())
    before = world.store.database.read(triggers, None)
    series = world.store.read(lambda books: books.connection.execute(text("SELECT * FROM series")).all())
    for _ in range(2):
        assert world.store.upgrade() == schema.newest()
    assert world.store.database.read(triggers, None) == before == sorted(name for name, _ in guards.names())
    assert world.store.read(lambda books: books.connection.execute(text("SELECT * FROM series")).all()) == series
    world.check()


def test_a_book_without_a_schema_is_not_served(library: Library) -> None:
    store = Store.open(library, "empty")
    assert not store.is_current()
    store.upgrade()
    assert store.is_current()
    assert store.database.read(triggers, None) == sorted(name for name, _ in guards.names())


def everything(store: Store) -> dict[str, list[str]]:
    def read(connection: Connection) -> dict[str, list[str]]:
        return {
            name: sorted(str(row) for row in connection.execute(table.select()))
            for name, table in metadata.tables.items()
        }

    return store.database.read(read, None)


@pytest.fixture
def one_connection(book_url: str) -> Iterator[Library]:
    """A library in which both books take turns on the same PostgreSQL connection."""
    library = Library(book_url, limit=1)
    yield library
    library.close()


def test_two_books_in_one_library_share_nothing(one_connection: Library) -> None:
    first = World(Store.open(one_connection))
    Store.open(one_connection, "second").upgrade()
    second = World(Store.open(one_connection, "second"))
    ours, theirs = first.customer("SAME"), second.customer("SAME")
    first.do(change_setting, ChangeSetting(name="payment_series", value="A-:3"), by=ADMIN)
    for index in range(12):
        before = everything(second.store)
        mine = first.pay(10 + index, ours).payment
        assert everything(second.store) == before
        before = everything(first.store)
        yours = second.pay(20 + index, theirs).payment
        assert everything(first.store) == before
        assert (mine.number, yours.number) == (f"A-{index + 1:03}", f"PAY-{index + 1:04}")
    command = RecordPayment(payer="Both", amount=money(1), received_on=DAY)
    request = first.request(key="the same key")
    outcomes = [world.desk.carry_out(record_payment, command, request) for world in (first, second)]
    assert outcomes[0].payment.id != outcomes[1].payment.id
    with pytest.raises(NotFound):
        second.store.read(lambda books: books.customer(ours.id))
    for world, total in ((first, sum(range(10, 22))), (second, sum(range(20, 32)))):
        controls = world.read_customer(ours if world is first else theirs).controls
        assert controls.deposits == money(total).micros
        world.check()


def test_books_with_names_that_look_alike_are_two(library: Library) -> None:
    dash, line = Store.open(library, "a-b"), Store.open(library, "a_b")
    dash.upgrade()
    assert not line.is_current()
    line.upgrade()
    World(dash)
    assert everything(line)["person"] == []


def test_a_book_has_a_plain_short_name(library: Library) -> None:
    for name in ("", "../main", 'a"b', "a b", "a.b", "x" * 51):
        with pytest.raises(AssertionError):
            library.database(name)


def test_a_second_book_is_a_file_beside_the_first(tmp_path: Path) -> None:
    library = Library(f"sqlite:///{tmp_path}/books.db")
    Store.open(library).upgrade()
    Store.open(library, "second").upgrade()
    library.close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"books.db", "books-second.db"}


# --- each type through its table --------------------------------------------------------------------------------------


class Paper:
    """An open transaction that is rolled back, to write to and read from."""

    def __init__(self, connection: Connection) -> None:
        self.books = SqlBooks(connection, Settings(), operation_id=new_id(), now=START)
        self.reading = SqlReadBooks(connection, Settings())

    def customer(self, of: str = "SGD", **changes: Any) -> Customer:
        identity = self.books.customers.new_identity()
        made = Customer(
            id=identity.id,
            code=f"C{identity.id}",
            name="Somebody",
            uuid=identity.uuid,
            wallet_id=identity.wallet_id,
            currency=currency(of),
            mode=Mode.PREPAID,
        )
        return replace(made, **changes)


def on_paper(world: World, work: Any) -> None:
    world.store.write(lambda connection: work(Paper(connection)), keep=False)


@settings(max_examples=25, deadline=None, suppress_health_check=UNHURRIED)
@given(
    name=texts,
    billing=texts,
    of=currencies,
    mode=st.sampled_from(Mode),
    due=st.none() | st.integers(0, 365),
    contacts=st.lists(st.builds(Contact, name=texts, email=texts, phone=texts), max_size=3),
)
def test_a_customer_comes_back_as_it_was(
    world: World, name: str, billing: str, of: Any, mode: Mode, due: int | None, contacts: list[Contact]
) -> None:
    def work(paper: Paper) -> None:
        made = paper.customer(name=name, billing_name=billing, currency=of, mode=mode, due_days=due, country="SG")
        paper.books.customers.insert(made, contacts)
        paper.books.flush()
        assert paper.reading.customer(made.id) == made == paper.books.customers.lock(made.id)
        assert paper.reading.customer_file(made.id, START.date()).contacts == tuple(contacts)
        edited = replace(made, name=billing, billing_name=name, due_days=None, zone="Asia/Singapore", version=2)
        paper.books.customers.update(edited, contacts[:1])
        after = edited.moved(deposits=LARGEST_MICROS, receivable=LARGEST_MICROS, unbilled=-LARGEST_MICROS)
        paper.books.customers.move(edited, after)
        paper.books.flush()
        assert paper.reading.customer(made.id) == after
        assert paper.reading.customer_file(made.id, START.date()).contacts == tuple(contacts[:1])

    on_paper(world, work)


@settings(max_examples=25, deadline=None, suppress_health_check=UNHURRIED)
@given(
    words=st.tuples(texts, texts, texts, texts),
    micros=amounts,
    of=currencies,
    days=st.tuples(dates, dates, dates),
    at=instants,
    method=st.sampled_from(Method),
)
def test_a_payment_comes_back_as_it_was(
    world: World,
    words: tuple[str, str, str, str],
    micros: int,
    of: Any,
    days: tuple[date, date, date],
    at: datetime,
    method: Method,
) -> None:
    made = Payment(
        id=new_id(),
        number=f"T-{new_id()}",
        payer=words[0],
        amount=Money(micros, of),
        received_on=days[0],
        posted_on=days[1],
        suspense_on=days[1],
        method=method,
        reference=words[1],
        invoice_hint=words[2],
        remark=words[3],
        recorded_at=at,
        recorded_by="U0CLERK",
    )

    def work(paper: Paper) -> None:
        paper.books.payments.insert(made)
        paper.books.flush()
        assert paper.reading.payment(str(made.id)) == made == paper.reading.payment(made.number)
        void = replace(made, state=PaymentState.VOID, voided_on=days[2], version=9, edits=5, payer=words[3])
        paper.books.payments.update(void)
        paper.books.flush()
        assert paper.books.payments.lock(made.id) == void

    on_paper(world, work)


@settings(max_examples=25, deadline=None, suppress_health_check=UNHURRIED)
@given(
    of=currencies,
    net=amounts,
    tax=st.integers(0, LARGEST_MICROS),
    days=st.tuples(dates, dates, dates),
    words=st.tuples(texts, texts),
    kind=st.sampled_from([InvoiceKind.TAX, InvoiceKind.PROFORMA, InvoiceKind.TOP_UP]),
    quantity=st.decimals("0.000001", "1000000", places=6),
    rate=st.decimals("0", "100", places=6),
    flags=st.tuples(st.booleans(), st.booleans()),
)
def test_an_invoice_comes_back_as_it_was(
    world: World,
    of: Any,
    net: int,
    tax: int,
    days: tuple[date, date, date],
    words: tuple[str, str],
    kind: InvoiceKind,
    quantity: Decimal,
    rate: Decimal,
    flags: tuple[bool, bool],
) -> None:
    def work(paper: Paper) -> None:
        customer = paper.customer(currency=of)
        paper.books.customers.insert(customer, ())
        draft = Invoice(
            id=new_id(),
            kind=kind,
            customer_id=customer.id,
            number=None,
            draft_reference=f"DRAFT-{new_id()}",
            issue_on=days[0],
            due_on=days[1],
            posted_on=None,
            rose_on=None,
            net=Money(net, of),
            tax=Money(tax, of),
            total=Money(net + tax, of),
            open=Money(0, of),
            state=InvoiceState.DRAFT,
            auto_allocate=flags[0],
            disputed=flags[1],
            remark=words[0],
        )
        line = InvoiceLine(
            description=words[1],
            quantity=quantity,
            unit_price=Money(net, of),
            tax_rate=rate,
            net=Money(net, of),
            tax=Money(tax, of),
        )
        paper.books.invoices.insert(draft, [line, replace(line, description="second")])
        paper.books.flush()
        assert paper.reading.invoice(str(draft.id)) == draft == paper.books.invoices.get(draft.id)
        assert paper.books.invoices.lines(draft.id) == (line, replace(line, description="second"))
        sent = replace(
            draft,
            number=f"T-{draft.id}",
            state=InvoiceState.SENT,
            posted_on=days[2],
            rose_on=days[2],
            open=draft.total,
            version=2,
        )
        paper.books.invoices.send(sent)
        assert paper.books.invoices.get(draft.id) == sent
        paper.books.invoices.set_auto(draft.id, on=not flags[0])
        paper.books.flush()
        assert paper.books.invoices.get(draft.id) == replace(sent, auto_allocate=not flags[0], version=3)

    on_paper(world, work)


@settings(max_examples=20, deadline=None, suppress_health_check=UNHURRIED)
@given(
    micros=st.integers(3, LARGEST_MICROS),
    kind=st.sampled_from(LotKind),
    day=st.dates(date(1900, 1, 1), date(9999, 1, 1)),
    automatic=st.booleans(),
)
def test_a_lot_and_its_matches_come_back_as_they_were(
    world: World, micros: int, kind: LotKind, day: date, automatic: bool
) -> None:
    sgd = currency("SGD")
    part, later = Money(micros // 3, sgd), day + timedelta(days=1)
    assert part

    def work(paper: Paper) -> None:
        customer = paper.customer()
        paper.books.customers.insert(customer, ())
        lot = Lot(
            id=new_id(),
            customer_id=customer.id,
            kind=kind,
            number="L-1",
            amount=Money(micros, sgd),
            open=Money(micros, sgd),
            held=Money(0, sgd),
            opened_on=day,
            rose_on=day,
        )
        invoice = Invoice(
            id=new_id(),
            kind=InvoiceKind.TAX,
            customer_id=customer.id,
            number=f"T-{new_id()}",
            draft_reference="DRAFT-1",
            issue_on=day,
            due_on=day,
            posted_on=day,
            rose_on=day,
            net=lot.amount,
            tax=Money(0, sgd),
            total=lot.amount,
            open=lot.amount,
            state=InvoiceState.SENT,
            auto_allocate=True,
        )
        paper.books.lots.insert(lot)
        paper.books.invoices.insert(invoice, ())
        entry = Entry(
            kind="allocation",
            currency=sgd,
            effective_on=day,
            postings=(
                Posting(Account.DEPOSITS, part.micros, customer.id),
                Posting(Account.RECEIVABLE, -part.micros, customer.id),
            ),
        )
        made = Allocation(
            id=new_id(),
            customer_id=customer.id,
            lot_id=lot.id,
            lot_number=lot.number,
            invoice_id=invoice.id,
            invoice_number=invoice.label,
            due_on=day,
            amount=part,
            effective_on=day,
            entry_id=paper.books.ledger.post(entry),
            automatic=automatic,
            invoice_open=lot.amount - part,
            invoice_total=lot.amount,
        )
        paper.books.allocations.insert(made, lot, invoice)
        paper.books.flush()
        assert paper.books.lots.get(lot.id) == replace(lot, open=lot.amount - part)
        assert paper.books.invoices.get(invoice.id) == replace(invoice, open=lot.amount - part)
        assert paper.books.allocations.of_lot(lot.id) == (made,) == paper.books.allocations.of_invoice(invoice.id)
        again = paper.books.ledger.post(replace(entry, effective_on=later))
        back = replace(made, id=new_id(), effective_on=later, reverses=made.id, entry_id=again)
        paper.books.allocations.insert(back, lot, invoice)
        paper.books.flush()
        assert paper.books.allocations.of_lot(lot.id) == ()
        assert paper.books.lots.get(lot.id) == replace(lot, rose_on=later)
        assert paper.books.invoices.get(invoice.id) == replace(invoice, rose_on=later)

    on_paper(world, work)


@settings(max_examples=15, deadline=None, suppress_health_check=UNHURRIED)
@given(name=texts.filter(bool), role=st.sampled_from([role for role in Role if role is not Role.OWNER]))
def test_a_person_comes_back_as_it_was(world: World, name: str, role: Role) -> None:
    def work(paper: Paper) -> None:
        profile = Profile(team=TEAM, user="U0NEW", enterprise="E0001", name=name)
        made = paper.books.people.put(profile, role)
        assert paper.reading.person(TEAM, "U0NEW") == made == paper.books.people.find(TEAM, "U0NEW")
        assert (made.name, made.role, made.enterprise) == (name, role, "E0001")

    on_paper(world, work)


def test_settings_come_back_as_they_were(world: World) -> None:
    wanted = {
        "company": SPECIAL[1],
        "zone": "Asia/Kathmandu",
        "locale": "th",
        "currencies": "SGD JPY KWD",
        "due_days": "0",
        "tax_rates": "9 0 7.5",
        "invoice_series": "X/:12",
        "undo_minutes": "0",
        "hard_lock": "2026-01-31",
        "finance_channel": "C0FINANCE",
    }
    for name, value in wanted.items():
        world.do(change_setting, ChangeSetting(name=name, value=value), by=ADMIN)
    found = world.store.read(lambda books: books.settings())
    assert {name: str(getattr(found, name)) for name in wanted} == wanted
    assert found == Store(world.store.database, "main").read(lambda books: books.settings())


@pytest.mark.parametrize("word", ["a\x00b", "\ud800", "ends in \x00"])
def test_a_character_that_no_column_keeps_is_refused_kindly(world: World, word: str) -> None:
    command = RecordPayment(payer=word, amount=money(1), received_on=DAY)
    with pytest.raises(Refused, match="character"):
        world.do(record_payment, command)
    with pytest.raises(Refused, match="character"):
        world.do(new_customer, NewCustomer(code="X", name=word, currency=currency("SGD"), mode=Mode.PREPAID))
    fine = replace(command, payer="C:\\u0000 is a path")
    assert world.do(record_payment, fine).payment.payer == "C:\\u0000 is a path"
    assert world.do(record_payment, replace(command, payer=SPECIAL[2])).payment.payer == SPECIAL[2]
