"""The history in our tables, in bulk: what is a fact of its own is copied in, what follows from it is derived by SQL.

Every id is a multiple of `SPAN` for its table, plus the number in the history. All of it is one operation's.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, time
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.data import PAST, Books, History, signed
from benchmarks.floors import stored
from bot.domain.settings import Settings
from bot.storage import guards
from bot.storage.tables import metadata

Row = Sequence[Any]

SPAN = 10**15
CUSTOMER, PAYMENT, LOT, INVOICE, LINE, ASSIGNMENT, ALLOCATION, OPERATION = (SPAN * each for each in range(1, 9))
INVOICED, RECEIVED, ASSIGNED, MATCHED = (SPAN * each for each in range(11, 15))  # the entries
LOADED_AT = datetime.combine(PAST, time(9), UTC)

COPIED = {
    "customer": "id code name search_name uuid wallet_id currency mode state billing_name country zone"
    " receivable_micros",
    "payment": "id number payer amount_micros currency received_on posted_on method reference invoice_hint remark state"
    " suspense_on customer_id lot_id edits recorded_at recorded_by",
    "invoice": "id kind customer_id number draft_reference currency issue_on due_on posted_on rose_on net_micros"
    " tax_micros total_micros open_micros state auto_allocate disputed remark",
    "allocation": "id customer_id lot_id invoice_id amount_micros effective_on recorded_at issue_on due_on posted_on"
    " credit_on automatic reverses_id entry_id operation_id",
    "audit": "id at app event description team actor request_id before after",
    "request_key": "key content_hash operation outcome operation_id at",
}
DERIVED = (
    """
    INSERT INTO lot (id, customer_id, kind, number, currency, amount_micros, open_micros, opened_on, rose_on,
        payment_id, suspense_on)
    SELECT lot_id, customer_id, 'payment', number, currency, amount_micros, 0, posted_on,
        coalesce(back.last, posted_on), payment.id, suspense_on
    FROM payment LEFT JOIN (SELECT lot_id AS of_lot, max(effective_on) AS last FROM allocation
        WHERE reverses_id IS NOT NULL GROUP BY lot_id) AS back ON of_lot = lot_id
    """,
    f"""
    INSERT INTO invoice_line (id, invoice_id, position, description, quantity_micros, unit_price_micros,
        tax_rate_micros, net_micros, tax_micros)
    SELECT id - {INVOICE} + {LINE}, id, 1, 'Service', 1000000, total_micros, 0, total_micros, 0 FROM invoice
    """,
    f"""
    INSERT INTO assignment (id, payment_id, customer_id, lot_id, step, effective_on, recorded_at, operation_id)
    SELECT id - {PAYMENT} + {ASSIGNMENT}, id, customer_id, lot_id, 'assign', posted_on, recorded_at, {OPERATION}
    FROM payment
    """,
    "UPDATE series SET last = (SELECT count(*) FROM payment) WHERE name = 'payment'",
    "UPDATE series SET last = (SELECT count(*) FROM invoice) WHERE name = 'invoice'",
)
# Where entries come from: their kind, base and source, the source's base and day, then debit and credit.
ENTRIES = (
    ("invoice", INVOICED, "invoice", INVOICE, "posted_on", "total_micros", "receivable", "revenue"),
    ("payment", RECEIVED, "payment", PAYMENT, "posted_on", "amount_micros", "cash", "suspense"),
    ("assignment", ASSIGNED, "payment", PAYMENT, "posted_on", "amount_micros", "suspense", "deposits"),
    ("allocation", MATCHED, "allocation", ALLOCATION, "effective_on", "amount_micros", "deposits", "receivable"),
)
OF_CUSTOMERS = frozenset({"receivable", "deposits"})


def entries() -> Iterator[str]:
    """Both sides of every entry, then its head, as the guard of entries has it."""
    for kind, base, table, source, day, amount, debit, credit in ENTRIES:
        entry = f"{table}.id - {source} + {base}"
        for side, account in enumerate((debit, credit)):
            customer = "customer_id" if account in OF_CUSTOMERS else "NULL"
            yield f"""
                INSERT INTO posting (id, entry_id, account, detail, customer_id, amount_micros)
                SELECT 2 * ({entry}) + {side}, {entry}, '{account}', '', {customer}, {"-" * side}{amount} FROM {table}
            """
        currency = "lot.currency" if table == "allocation" else "currency"
        joined = "JOIN lot ON lot.id = lot_id" if table == "allocation" else ""
        yield f"""
            INSERT INTO entry (id, kind, currency, effective_on, recorded_at, operation_id)
            SELECT {entry}, '{kind}', {currency}, {day}, '{LOADED_AT:%Y-%m-%d %H:%M:%S.%f}', {OPERATION}
            FROM {table} {joined}
        """


def load(engine: str, where: str, books: Books) -> None:
    """Fill the upgraded, empty book `main`; guards, references and indexes come back when all is in."""
    rows: dict[str, Iterable[Row]] = {
        "customer": customers(books),
        "payment": payments(books),
        "invoice": map(invoice, books.histories()),
        "allocation": allocations(books),
        "audit": [(OPERATION, LOADED_AT, "bench", "loaded", "Loaded", "T1", "U1", "load", "{}", "{}")],
        "request_key": [("load", "0" * 64, "load", "{}", OPERATION, LOADED_AT)],
    }
    fill = fill_sqlite if engine == "sqlite" else fill_postgres
    fill(where, rows, [*DERIVED, *entries()])


def customers(books: Books) -> Iterator[Row]:
    for number, name, currency, receivable in books.customers():
        made, code = CUSTOMER + number, f"C{number:06}"
        named = (code, name, name.lower(), f"uuid-{number}", f"W-{number:012}")
        yield (made, *named, currency, "postpaid", "active", name, "SG", "UTC", receivable)


def payments(books: Books) -> Iterator[Row]:
    name = Settings().number
    for number, customer, currency, day, micros in books.payments():
        facts = (name("payment", number), f"Customer {customer:06}", micros, currency, day, day)
        words = ("bank transfer", f"TT-{number}", "", "", "recorded", day)
        yield (PAYMENT + number, *facts, *words, CUSTOMER + customer, LOT + number, 1, LOADED_AT, "U1")


def invoice(history: History) -> Row:
    number, customer, currency, issued_on, due_on, total, left = history.invoice
    rose_on = max((each.effective_on for each in history.allocations if each.reverses is not None), default=issued_on)
    names = (Settings().number("invoice", number), f"DRAFT-{number:06}")
    days = (issued_on, due_on, issued_on, rose_on)
    ids = (INVOICE + number, "tax", CUSTOMER + customer)
    return (*ids, *names, currency, *days, total, 0, total, left, "sent", False, False, "")


def allocations(books: Books) -> Iterator[Row]:
    for _, payments, matches in books.histories():
        received = {each.number: each.received_on for each in payments}
        for each in matches:
            ids = (ALLOCATION + each.number, CUSTOMER + each.customer, LOT + each.payment, INVOICE + each.invoice)
            days = (each.effective_on, LOADED_AT, each.issued_on, each.due_on, each.issued_on, received[each.payment])
            reverses = None if each.reverses is None else ALLOCATION + each.reverses
            yield (*ids, signed(each), *days, False, reverses, MATCHED + each.number, OPERATION)


def fill_sqlite(where: str, rows: dict[str, Iterable[Row]], statements: Sequence[str]) -> None:
    with closing(sqlite3.connect(where, isolation_level=None)) as connection:
        run: Callable[..., Any] = connection.execute
        run("PRAGMA foreign_keys = OFF")
        run("BEGIN IMMEDIATE")
        for statement in guards.remove("sqlite"):
            run(statement)
        indexes = run("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchall()
        for name, _ in indexes:
            run(f"DROP INDEX {name}")
        for table, each in rows.items():
            columns = COPIED[table].split()
            marks = ", ".join("?" * len(columns))
            kept = map(as_text, each)
            connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", kept)
        for statement in (
            *statements,
            *(made for _, made in indexes),
            *guards.statements("sqlite", set(metadata.tables)),
        ):
            run(statement)
        run("COMMIT")


def as_text(row: Row) -> Row:
    return stored(f"{each:%Y-%m-%d %H:%M:%S.%f}" if type(each) is datetime else each for each in row)


INDEXES = """
    SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE c.relnamespace = 'book_main'::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid)
"""


def fill_postgres(where: str, rows: dict[str, Iterable[Row]], statements: Sequence[str]) -> None:
    with psycopg.connect(where) as connection, connection.cursor() as cursor:
        run: Callable[..., Any] = cursor.execute
        run("SET search_path = book_main")
        run("SET timezone = 'UTC'")
        run("SET session_replication_role = replica")  # neither guards nor references are asked
        indexes = run(INDEXES).fetchall()
        for name, _ in indexes:
            run(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
        for table, each in rows.items():
            with cursor.copy(f"COPY {table} ({', '.join(COPIED[table].split())}) FROM STDIN") as copy:
                for row in each:
                    copy.write_row(row)
        for statement in (*statements, *(made for _, made in indexes)):
            run(statement)
