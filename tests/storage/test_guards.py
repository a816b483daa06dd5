"""The database itself refuses, whoever asks and with whatever SQL."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import BigInteger, Connection, Date, Row, insert, text
from sqlalchemy.exc import IntegrityError

from bot.domain.allocation import Portion
from bot.domain.delegations import delegate
from bot.domain.open_items import Invoice
from bot.domain.payments import (
    AllocatePayment,
    UnallocatePayment,
    UnassignPayment,
    allocate_payment,
    unallocate_payment,
    unassign_payment,
)
from bot.storage import guards
from bot.storage.ids import new_id
from bot.storage.tables import metadata
from tests.domain.approval_stages import delegating, limit_approved
from tests.domain.credit_stages import consumed, credited, credited_by_notes
from tests.domain.dispute_stages import disputed_promised_and_given_up
from tests.domain.invoice_stages import PROFORMA, TOP_UP, asked
from tests.domain.mail_stages import mailed
from tests.domain.top_up_stages import topped_up
from tests.jobs.reminding import reminded
from tests.world import MANAGER, START, TEAM, World, money, withdraw

Values = dict[str, Any]
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
CHANGES = {
    "code": "'OTHER'",
    "currency": "'USD'",
    "kind": "'goodwill'",
    "number": "'X-1'",
    "name": "'other'",
    "uuid": "'other'",
    **dict.fromkeys(("operation", "document", "document_kind", "requester", "details", "reason"), "'other'"),
    "gateway": "'cash'",
    "draft_reference": "'DRAFT-X'",
    "purpose": "'correction'",
    **dict.fromkeys(("external_id", "product"), "'other'"),
    **dict.fromkeys(("recipients", "copies", "reply_to", "subject", "body", "paper", "mark"), "'other'"),
    "about": "'reminder'",
    "mode": "CASE mode WHEN 'prepaid' THEN 'postpaid' ELSE 'prepaid' END",
    "was_mode": "'other'",
    "requested_by": "'other'",
    **dict.fromkeys(("folded", "language", "saved_by", "steps", "way", "template", "why"), "'other'"),
    "is_default": "NOT is_default",
    **dict.fromkeys(
        (
            "opened_at",
            "recorded_at",
            "logged_at",
            "was_ends_at",
            "until",
            "planned_at",
            "hours_from",
            "closes_at",
        ),
        "'2020-01-01 00:00:00'",
    ),
}


def add(connection: Connection, table: str, values: Values) -> int:
    row = {"id": new_id()} | values
    connection.execute(insert(metadata.tables[table]), row)
    return int(row["id"])


@dataclass
class Filled:
    """A book with at least one row in every table that has a guard."""

    world: World
    invoice: Invoice
    paid: Invoice
    draft: Invoice
    stranger: Invoice
    lot_id: int
    credit_on: date
    stranger_lot_id: int
    closed_lot_id: int
    operation_id: int

    def refuses(self, *statements: str) -> None:
        """Each statement alone is refused, and nothing changed."""
        before = self.everything()
        for statement in statements:
            with pytest.raises(IntegrityError):
                self.world.store.write(lambda connection, each=statement: connection.execute(text(each)))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert self.everything() == before

    def accepts(self, *statements: str) -> None:
        def work(connection: Connection) -> int:
            return connection.execute(text(statement)).rowcount

        for statement in statements:
            assert self.world.store.write(work, keep=False) > 0, statement

    def everything(self) -> dict[str, list[Row[Any]]]:
        def read(connection: Connection) -> dict[str, list[Row[Any]]]:
            return {
                name: sorted(connection.execute(table.select()).all(), key=str)
                for name, table in metadata.tables.items()
            }

        return self.world.store.database.read(read, None)

    def entry(self, connection: Connection, *amounts: int, kind: str = "test") -> int:
        """An entry of deposits and receivable of the customer."""
        entry_id = new_id()
        accounts = ("deposits", "receivable", "deposits")
        for account, amount in zip(accounts, amounts, strict=False):
            posting = {"entry_id": entry_id, "account": account, "detail": "", "amount_micros": amount}
            add(connection, "posting", posting | {"customer_id": self.invoice.customer_id})
        values = {"kind": kind, "currency": "SGD", "effective_on": START.date(), "recorded_at": START}
        return add(connection, "entry", {"id": entry_id} | values | {"operation_id": self.operation_id})

    def allocate(self, connection: Connection, **changes: Any) -> None:
        """A whole match with its entry, right but for the changes."""
        invoice = self.invoice
        amount = int(changes.get("amount_micros", money(1).micros))
        values = {
            "customer_id": invoice.customer_id,
            "lot_id": self.lot_id,
            "invoice_id": invoice.id,
            "amount_micros": amount,
            "effective_on": START.date(),
            "recorded_at": START,
            "issue_on": invoice.issue_on,
            "due_on": invoice.due_on,
            "posted_on": invoice.posted_on,
            "credit_on": self.credit_on,
            "automatic": False,
            "entry_id": self.entry(connection, amount or 1, -amount or -1),
            "operation_id": self.operation_id,
        }
        add(connection, "allocation", values | changes)

    def matches(self) -> tuple[Row[Any], Row[Any], Row[Any]]:
        """A live match, one that was taken back, and its taking back."""
        rows = self.everything()["allocation"]
        back = next(row for row in rows if row.reverses_id is not None)
        reversed_ids = {row.reverses_id for row in rows}
        live = next(row for row in rows if row.id not in reversed_ids and row.reverses_id is None)
        return live, next(row for row in rows if row.id == back.reverses_id), back

    def reversal(self, of: Row[Any], **changes: Any) -> Values:
        """What takes a match back, but for the changes."""
        names = ("customer_id", "lot_id", "invoice_id", "issue_on", "due_on", "posted_on", "credit_on")
        same = {name: getattr(of, name) for name in names}
        back = {"amount_micros": -of.amount_micros, "effective_on": START.date(), "reverses_id": of.id}
        return same | back | changes


@pytest.fixture
def filled(world: World) -> Filled:
    customer = world.customer()
    other = world.customer("OTHER")
    paid = world.invoice(customer, 40, tax="9", auto=False, issued=-3)
    invoice = world.invoice(customer, 100, auto=False, issued=-2)
    draft = world.invoice(customer, 10, send=False)
    stranger = world.invoice(other, 100, auto=False)
    payment = world.pay(500, customer, received=-1, to=((paid, 20),)).payment
    world.do(unallocate_payment, UnallocatePayment(payment_id=payment.id))
    again = Portion(invoice_id=paid.id, amount=money(30))
    world.do(allocate_payment, AllocatePayment(payment_id=payment.id, portions=(again,)))
    gone = world.pay(5, customer).payment
    done = world.do(unassign_payment, UnassignPayment(payment_id=gone.id))
    world.invoice(other, 1)
    limit_approved(world, world.customer("TERMS"))
    world.do(delegate, delegating(world), by=MANAGER)
    swept = world.pay(8, other).payment
    world.do(unallocate_payment, UnallocatePayment(payment_id=swept.id))

    leaving = world.customer("LEAVING")
    world.pay(50, leaving)
    withdraw(world, leaving)
    credited(world, world.customer("GIVEN"))
    consumed(world)
    credited_by_notes(world)
    topped_up(world)
    disputed_promised_and_given_up(world)
    mailed(world)
    reminded(world)

    def more(connection: Connection) -> None:
        facts = {"customer_id": customer.id, "operation_id": done.operation_id, "starts_at": START}
        add(connection, "credit_limit", facts | {"amount_micros": 5})
        add(connection, "mode_history", facts | {"mode": "prepaid"})
        given = {"payment_id": payment.id, "operation_id": done.operation_id}
        add(connection, "payment_proof", given | {"file_id": "F1", "name": "slip.pdf", "size": 5})

    world.store.write(more)
    world.store.seal()
    assert payment.lot_id is not None
    assert gone.lot_id is not None
    assert swept.lot_id is not None
    return Filled(
        world=world,
        invoice=invoice,
        paid=paid,
        draft=draft,
        stranger=stranger,
        lot_id=payment.lot_id,
        credit_on=payment.suspense_on,
        stranger_lot_id=swept.lot_id,
        closed_lot_id=gone.lot_id,
        operation_id=done.operation_id,
    )


def test_every_guard_is_installed_and_no_other(world: World) -> None:
    sqlite = text("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
    postgres = text(
        "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND t.tgenabled = 'O' AND c.relnamespace = current_schema()::regnamespace"
    )
    statement = sqlite if world.store.database.dialect == "sqlite" else postgres
    found = world.store.database.read(lambda connection: connection.execute(statement).all(), None)
    assert sorted((row[0], row[1]) for row in found) == sorted(guards.names())


@pytest.mark.rule(117)
def test_written_rows_never_change_and_are_never_deleted(filled: Filled) -> None:
    content = filled.everything()
    for name in guards.FROZEN:
        assert content[name], name
        columns = [column.name for column in metadata.tables[name].columns]
        filled.refuses(f"DELETE FROM {name}", *(f"UPDATE {name} SET {column} = {column}" for column in columns))


@on_sqlite
def test_a_row_cannot_be_replaced(filled: Filled) -> None:
    for name in (*guards.FROZEN, *guards.KEPT):
        filled.refuses(f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}")


@on_postgres
def test_tables_cannot_be_emptied_at_once(filled: Filled) -> None:
    for name in (*guards.FROZEN, *guards.KEPT):
        filled.refuses(f"TRUNCATE {name} CASCADE")
    filled.refuses("TRUNCATE invoice CASCADE")


def test_documents_are_never_deleted_and_their_facts_never_change(filled: Filled) -> None:
    content = filled.everything()
    for name, columns in guards.KEPT.items():
        assert content[name], name
        filled.refuses(f"DELETE FROM {name}")
        for column in columns:
            kind = metadata.tables[name].columns[column].type
            other = CHANGES.get(column, "'2020-01-01'" if isinstance(kind, Date) else f"COALESCE({column}, 0) + 1")
            assert column in CHANGES or isinstance(kind, Date | BigInteger)
            filled.refuses(f"UPDATE {name} SET {column} = {other}")
            filled.accepts(f"UPDATE {name} SET {column} = {column}")


@pytest.mark.parametrize("amounts", [(), (5,), (5, -4), (5, 5), (5, -6, 2)])
def test_an_entry_that_does_not_balance_is_refused(filled: Filled, amounts: tuple[int, ...]) -> None:
    before = filled.everything()
    with pytest.raises(IntegrityError):
        filled.world.store.write(lambda connection: filled.entry(connection, *amounts))
    assert filled.everything() == before
    filled.world.store.write(lambda connection: filled.entry(connection, 5, -6, 1), keep=False)


def test_an_entry_takes_no_further_posting(filled: Filled) -> None:
    entry = filled.everything()["entry"][0]
    posting = {"account": "cash", "detail": "cash", "amount_micros": 1}
    for entry_id in (entry.id, new_id()):
        values = posting | {"entry_id": entry_id}
        with pytest.raises(IntegrityError):
            filled.world.store.write(lambda connection, row=values: add(connection, "posting", row))  # type: ignore[misc]  # mypy infers no lambda with a default


def test_a_posting_is_never_nothing(filled: Filled) -> None:
    with pytest.raises(IntegrityError):
        filled.world.store.write(lambda connection: filled.entry(connection, 0, 0))


@pytest.mark.rules(9, 10, 11, 12)
def test_a_match_that_does_not_fit_is_refused(filled: Filled) -> None:
    yesterday = START.date() - timedelta(days=1)
    wrong: dict[str, Values] = {
        "more than is open of the invoice": {"amount_micros": filled.invoice.open.micros + 1},
        "nothing": {"amount_micros": 0},
        "less than nothing": {"amount_micros": -1},
        "an invoice of another customer": _of(filled.stranger),
        "another customer's money": {"lot_id": filled.stranger_lot_id, "credit_on": START.date()},
        "said to be of another customer": {"customer_id": filled.stranger.customer_id},
        "money that was taken back": {"lot_id": filled.closed_lot_id, "credit_on": START.date()},
        "a draft": {"invoice_id": filled.draft.id, "posted_on": START.date()},
        "another due date": {"due_on": date(2020, 1, 1)},
        "another issue date": {"issue_on": date(2020, 1, 1)},
        "another posting date": {"posted_on": date(2020, 1, 1)},
        "money from another day": {"credit_on": date(2020, 1, 1)},
        "before the invoice": {"effective_on": yesterday - timedelta(days=9)},
        "before the money last came back": {"effective_on": yesterday},
        "an entry that is not there": {"entry_id": new_id()},
        "no debit": {"invoice_id": None},
        "no credit": {"lot_id": None},
    }
    before = filled.everything()
    filled.world.store.write(filled.allocate, keep=False)
    for name, changes in wrong.items():
        with pytest.raises(IntegrityError):
            filled.world.store.write(lambda connection, these=changes: filled.allocate(connection, **these))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert filled.everything() == before, name


def _of(invoice: Invoice) -> Values:
    return {
        "invoice_id": invoice.id,
        "issue_on": invoice.issue_on,
        "due_on": invoice.due_on,
        "posted_on": invoice.posted_on,
    }


@pytest.mark.rule(10)
def test_a_payment_is_never_spent_twice(filled: Filled) -> None:
    """The invoice has more open than the payment has left."""
    customer = filled.world.store.read(lambda books: books.customer(filled.invoice.customer_id))
    large = filled.world.invoice(customer, 10_000, auto=False)
    changes = _of(large) | {"amount_micros": money(500).micros + 1}
    before = filled.everything()
    with pytest.raises(IntegrityError):
        filled.world.store.write(lambda connection: filled.allocate(connection, **changes))
    assert filled.everything() == before


@pytest.mark.rule(17)
def test_a_taking_back_that_matches_nothing_is_refused(filled: Filled) -> None:
    live, gone, back = filled.matches()
    day = timedelta(days=1)
    wrong: dict[str, Values] = {
        "another amount": filled.reversal(live, amount_micros=-live.amount_micros + 1),
        "the same sign": filled.reversal(live, amount_micros=live.amount_micros),
        "another invoice": filled.reversal(live, **_of(filled.invoice)),
        "another lot": filled.reversal(live, lot_id=filled.closed_lot_id),
        "taken back already": filled.reversal(gone),
        "a taking back": filled.reversal(back, amount_micros=gone.amount_micros),
        "no match at all": filled.reversal(live, reverses_id=new_id()),
        "before the match": filled.reversal(live, effective_on=START.date() - 30 * day),
    }
    before = filled.everything()
    filled.world.store.write(lambda connection: filled.allocate(connection, **filled.reversal(live)), keep=False)
    for name, changes in wrong.items():
        with pytest.raises(IntegrityError):
            filled.world.store.write(lambda connection, these=changes: filled.allocate(connection, **these))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert filled.everything() == before, name


@pytest.mark.rule(100)
def test_a_final_invoice_does_not_change(filled: Filled) -> None:
    where = f"WHERE id = {filled.invoice.id}"
    one = "net_micros = net_micros + 1, total_micros = total_micros + 1"
    filled.refuses(
        f"UPDATE invoice SET number = 'INV-9999' {where}",
        f"UPDATE invoice SET number = NULL, state = 'draft' {where}",
        f"UPDATE invoice SET state = 'draft' {where}",
        f"UPDATE invoice SET customer_id = {filled.stranger.customer_id} {where}",
        f"UPDATE invoice SET currency = 'USD' {where}",
        f"UPDATE invoice SET issue_on = '2020-01-01' {where}",
        f"UPDATE invoice SET due_on = '2030-01-01' {where}",
        f"UPDATE invoice SET posted_on = '2020-01-01' {where}",
        f"UPDATE invoice SET {one} {where}",
        f"UPDATE invoice SET net_micros = net_micros - 1, tax_micros = tax_micros + 1 {where}",
        f"UPDATE invoice SET open_micros = -1 {where}",
        f"UPDATE invoice SET open_micros = total_micros + 1 {where}",
        f"DELETE FROM invoice {where}",
    )
    lines = f"WHERE invoice_id = {filled.invoice.id}"
    copied = "invoice_id, position + 1, description, quantity_micros, unit_price_micros, tax_rate_micros"
    names = "id, invoice_id, position, description, quantity_micros, unit_price_micros, tax_rate_micros"
    filled.refuses(
        f"UPDATE invoice_line SET description = 'Something else' {lines}",
        f"DELETE FROM invoice_line {lines}",
        f"INSERT INTO invoice_line ({names}, net_micros, tax_micros)"
        f" SELECT {new_id()}, {copied}, 1, 0 FROM invoice_line {lines}",
    )


@pytest.mark.rules(27, 94, 95, 96, 98)
def test_what_nobody_owes_becomes_a_tax_invoice_or_void_and_nothing_else(filled: Filled) -> None:
    world = filled.world
    asking = world.customer("ASKING")
    top_up, proforma, whole = (asked(world, asking, 50, kind, issued=-1) for kind in (TOP_UP, PROFORMA, PROFORMA))
    world.pay(80, asking, to=((top_up, None), (proforma, 20)))
    provisioned = (
        "kind = 'tax', proforma_number = number, number = 'INV-9999', posted_on = '2026-11-23', rose_on = '2026-11-23',"
        " issue_on = '2026-11-23', due_on = '2026-12-23'"
    )
    filled.accepts(
        f"UPDATE invoice SET {provisioned} WHERE id = {proforma.id}",
        f"UPDATE invoice SET state = 'void', open_micros = 0 WHERE id = {whole.id}",
    )
    filled.refuses(
        f"UPDATE invoice SET {provisioned} WHERE id = {top_up.id}",
        f"UPDATE invoice SET {provisioned}, net_micros = net_micros - 1, tax_micros = 1 WHERE id = {proforma.id}",
        f"UPDATE invoice SET kind = 'tax' WHERE id = {proforma.id}",
        f"UPDATE invoice SET number = 'PRO-9' WHERE id = {proforma.id}",
        f"UPDATE invoice SET posted_on = '2026-11-23' WHERE id = {proforma.id}",
        f"UPDATE invoice SET state = 'void', open_micros = 0 WHERE id = {proforma.id}",
        f"UPDATE invoice SET state = 'void', open_micros = 0 WHERE id = {top_up.id}",
        f"UPDATE invoice SET state = 'void', open_micros = 0 WHERE id = {filled.invoice.id}",
        f"DELETE FROM invoice WHERE id = {whole.id}",
    )


@pytest.mark.rules(14, 27)
def test_what_nobody_owes_is_matched_by_hand_and_a_top_up_whole(filled: Filled) -> None:
    world = filled.world
    customer = world.store.read(lambda books: books.customer(filled.invoice.customer_id))
    top_up, proforma = (asked(world, customer, 50, kind, issued=-1) for kind in (TOP_UP, PROFORMA))
    never = date(9999, 12, 31)
    right: dict[str, Values] = {
        "part of a proforma": _of(proforma) | {"posted_on": never, "advance": True},
        "a whole top-up": _of(top_up) | {"posted_on": never, "amount_micros": money(50).micros},
    }
    for changes in right.values():
        world.store.write(lambda connection, these=changes: filled.allocate(connection, **these), keep=False)  # type: ignore[misc]  # mypy infers no lambda with a default
    part, whole = right.values()
    wrong: dict[str, Values] = {
        "a debt by its posting day": part | {"posted_on": START.date()},
        "no advance": part | {"advance": False},
        "an advance on what is owed": {"advance": True},
        "by itself": part | {"automatic": True},
        "part of a top-up": whole | {"amount_micros": money(20).micros},
        "an advance on a top-up": whole | {"advance": True},
    }
    before = filled.everything()
    for name, changes in wrong.items():
        with pytest.raises(IntegrityError):
            world.store.write(lambda connection, these=changes: filled.allocate(connection, **these))  # type: ignore[misc]  # mypy infers no lambda with a default
        assert filled.everything() == before, name


def test_a_draft_may_change(filled: Filled) -> None:
    draft = filled.draft.id
    filled.accepts(
        f"UPDATE invoice SET due_on = '2030-01-01' WHERE id = {draft}",
        f"UPDATE invoice_line SET description = 'Better' WHERE invoice_id = {draft}",
        f"DELETE FROM invoice_line WHERE invoice_id = {draft}",
    )

    def remove(connection: Connection) -> None:
        connection.execute(text(f"DELETE FROM invoice_line WHERE invoice_id = {draft}"))
        connection.execute(text(f"DELETE FROM invoice WHERE id = {draft}"))

    filled.world.store.write(remove, keep=False)


@pytest.mark.rule(120)
def test_there_is_never_a_second_owner(filled: Filled) -> None:
    person = {"team": TEAM, "slack_user": "U0OTHER", "name": "Other", "active": True}
    filled.world.store.write(lambda connection: add(connection, "person", person | {"role": 4}), keep=False)
    with pytest.raises(IntegrityError):
        filled.world.store.write(lambda connection: add(connection, "person", person | {"role": 5}))
    filled.refuses("UPDATE person SET role = 5 WHERE role = 4", "UPDATE person SET role = 6 WHERE role = 5")


def test_kept_figures_stay_within_their_bounds(filled: Filled) -> None:
    filled.refuses(
        *(
            f"UPDATE customer SET {name}_micros = -1"
            for name in ("deposits", "advances", "credit_notes", "receivable", "payouts_due", "reserved", "limit")
        ),
        f"UPDATE lot SET open_micros = amount_micros + 1 WHERE id = {filled.lot_id}",
        f"UPDATE lot SET held_micros = amount_micros + 1 WHERE id = {filled.lot_id}",
        f"UPDATE lot SET open_micros = 1 WHERE id = {filled.closed_lot_id}",
        "UPDATE payment SET edits = 6",
        "UPDATE payment SET state = 'void'",
        "UPDATE payment SET customer_id = NULL WHERE customer_id IS NOT NULL",
    )
