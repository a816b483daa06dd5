"""The floors: the same work as hand-written SQL on a minimal schema, through `sqlite3` and `psycopg` alone.

Statements are written once with `?`; only the begin, the row lock and the way of loading differ between the engines.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import psycopg

from benchmarks import schema
from benchmarks.data import Books, Receipt, Totals, signed

Row = Sequence[Any]


def bucket_sums(column: str) -> str:
    """The five columns of ageing over one column of amounts; `bucket_days` fills the marks."""
    between = f"CAST(sum(CASE WHEN due_on >= ? AND due_on < ? THEN {column} ELSE 0 END) AS bigint)"
    return f"""
        CAST(sum(CASE WHEN due_on >= ? THEN {column} ELSE 0 END) AS bigint) AS not_due,
        {between} AS days_30, {between} AS days_60, {between} AS days_90,
        CAST(sum(CASE WHEN due_on < ? THEN {column} ELSE 0 END) AS bigint) AS older"""


def bucket_days(as_of: date) -> list[date]:
    """The edges of the buckets in the order in which `bucket_sums` marks them."""
    first, second, third, fourth = (as_of - timedelta(days=days) for days in (0, 30, 60, 90))
    return [first, second, first, third, second, fourth, third, fourth]


# Sums are linear: what was open at a date is what is open now plus what was allocated later. Each half is grouped on
# its own, so that the first comes in the order of its index and neither has to meet the other row by row.
AGE = f"""
    SELECT customer, currency, CAST(sum(not_due) AS bigint), CAST(sum(days_30) AS bigint),
        CAST(sum(days_60) AS bigint), CAST(sum(days_90) AS bigint), CAST(sum(older) AS bigint)
    FROM (
        SELECT customer, currency, {bucket_sums("open_micros")} FROM invoices
        WHERE open_micros > 0 AND issued_on <= ? GROUP BY customer, currency
        UNION ALL
        SELECT customer, currency, {bucket_sums("amount_micros")} FROM allocations
        WHERE effective_on > ? AND issued_on <= ? GROUP BY customer, currency
    ) AS halves
    GROUP BY customer, currency
"""
CARD_CUSTOMER = "SELECT name, currency, receivable_micros FROM customers WHERE number = ?"
CARD_ITEMS = """
    SELECT number, issued_on, due_on, total_micros, open_micros FROM invoices
    WHERE customer = ? AND open_micros > 0 ORDER BY due_on, number
"""
LOCK_CUSTOMER = "SELECT receivable_micros FROM customers WHERE number = ?"
LOCK_INVOICE = "SELECT open_micros, issued_on, due_on FROM invoices WHERE number = ?"
ADD_PAYMENT = """
    INSERT INTO payments (customer, currency, received_on, amount_micros) VALUES (?, ?, ?, ?) RETURNING number
"""
ADD_ALLOCATION = """
    INSERT INTO allocations (payment, invoice, customer, currency, issued_on, due_on, effective_on, amount_micros)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
LOWER_INVOICE = "UPDATE invoices SET open_micros = open_micros - ? WHERE number = ?"
LOWER_CUSTOMER = "UPDATE customers SET receivable_micros = receivable_micros - ? WHERE number = ?"
ADD_ENTRY = """
    INSERT INTO entries (document, account, customer, posted_on, amount_micros)
    VALUES (?, ?, ?, ?, ?), (?, ?, ?, ?, ?)
"""
RECORD_AT_ONCE = """
    WITH paid AS (
        INSERT INTO payments (customer, currency, received_on, amount_micros)
        VALUES (%(customer)s, %(currency)s, %(day)s, %(micros)s) RETURNING number
    ), lowered AS (
        UPDATE invoices SET open_micros = open_micros - %(micros)s
        WHERE number = %(invoice)s AND open_micros >= %(micros)s RETURNING issued_on, due_on
    ), control AS (
        UPDATE customers SET receivable_micros = receivable_micros - %(micros)s WHERE number = %(customer)s
    ), allocated AS (
        INSERT INTO allocations (payment, invoice, customer, currency, issued_on, due_on, effective_on, amount_micros)
        SELECT paid.number, %(invoice)s, %(customer)s, %(currency)s, issued_on, due_on, %(day)s, %(micros)s
        FROM paid, lowered
    )
    INSERT INTO entries (document, account, customer, posted_on, amount_micros)
    SELECT paid.number, line.account, line.customer, %(day)s, line.amount_micros FROM paid, (VALUES
        ('cash', NULL::bigint, %(micros)s::bigint), ('suspense', NULL, -%(micros)s),
        ('suspense', NULL, %(micros)s), ('deposits', %(customer)s, -%(micros)s),
        ('deposits', %(customer)s, %(micros)s), ('receivable', %(customer)s, -%(micros)s)
    ) AS line (account, customer, amount_micros)
"""


class Floor:
    """One connection to the minimal schema on one engine."""

    def __init__(self, engine: str, where: str) -> None:
        self.is_sqlite = engine == "sqlite"
        self.engine = engine
        self.connection: Any
        if self.is_sqlite:
            self.connection = sqlite3.connect(where, isolation_level=None)
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = FULL")
        else:
            self.connection = psycopg.connect(where, autocommit=True)

    def load(self, books: Books) -> None:
        """Create the tables, fill them in bulk, index them, and write the history out as entries."""
        for table in schema.TABLES:
            self.run(table.format(key=schema.KEYS[self.engine]))
        self.run("BEGIN")
        for table, rows in floor_rows(books):
            self.fill(table, rows)
        for statement in (*schema.INDEXES, *schema.HISTORY):
            self.run(statement)
        self.run("COMMIT")

    def fill(self, table: str, rows: Iterable[Row]) -> None:
        """Insert ready rows the fastest way that the engine has."""
        if self.is_sqlite:
            rows = iter(rows)
            first = stored(next(rows))
            insert = f"INSERT INTO {table} VALUES ({', '.join('?' * len(first))})"
            self.connection.execute(insert, first)
            self.connection.executemany(insert, map(stored, rows))
            return
        with closing(self.connection.cursor()) as cursor:
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            # Rows came with their numbers; new ones have to count on from there.
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'number'), max(number)) FROM {table}")

    def fill_plain(self, table: str, rows: Iterable[Row]) -> None:
        """The same for a table that counts nothing."""
        if self.is_sqlite:
            self.connection.executemany(f"INSERT INTO {table} VALUES (?, ?)", map(stored, rows))
            return
        with closing(self.connection.cursor()) as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def record(self, receipt: Receipt) -> None:
        """Payment, assignment and allocation with their three entries, statement by statement, one durable commit."""
        _, customer, currency, invoice, day, micros = receipt
        lock = "" if self.is_sqlite else " FOR UPDATE"
        self.run("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
        self.run(LOCK_CUSTOMER + lock, customer).fetchone()
        open_micros, issued_on, due_on = self.run(LOCK_INVOICE + lock, invoice).fetchone()
        assert open_micros >= micros
        payment = self.run(ADD_PAYMENT, customer, currency, day, micros).fetchone()[0]
        self.run(ADD_ALLOCATION, payment, invoice, customer, currency, issued_on, due_on, day, micros)
        self.run(LOWER_INVOICE, micros, invoice)
        self.run(LOWER_CUSTOMER, micros, customer)
        lines = (("cash", None), ("suspense", None)), (("suspense", None), ("deposits", customer))
        for debit, credit in (*lines, (("deposits", customer), ("receivable", customer))):
            self.run(ADD_ENTRY, payment, *debit, day, micros, payment, *credit, day, -micros)
        self.run("COMMIT")

    def record_at_once(self, receipt: Receipt) -> None:
        """The same as one data-modifying statement, which PostgreSQL alone knows."""
        _, customer, currency, invoice, day, micros = receipt
        self.connection.execute(
            RECORD_AT_ONCE,
            {"customer": customer, "currency": currency, "invoice": invoice, "day": day, "micros": micros},
        )

    def age(self, as_of: date) -> list[Row]:
        edges = bucket_days(as_of)
        rows: list[Row] = self.run(AGE, *edges, as_of, *edges, as_of, as_of).fetchall()
        return rows

    def totals(self, report: Any) -> Totals:
        totals: dict[str, tuple[int, ...]] = {}
        for _, currency, *buckets in report:
            before = totals.get(currency, (0,) * len(buckets))
            totals[currency] = tuple(map(int.__add__, before, buckets))
        return totals

    def card(self, customer: int) -> tuple[Row, list[Row]]:
        return self.run(CARD_CUSTOMER, customer).fetchone(), self.run(CARD_ITEMS, customer).fetchall()

    def close(self) -> None:
        self.connection.close()

    def run(self, statement: str, *values: Any) -> Any:
        if self.is_sqlite:
            return self.connection.execute(statement, stored(values))
        return self.connection.execute(statement.replace("?", "%s"), values or None)


def stored(row: Iterable[Any]) -> tuple[Any, ...]:
    """A row as SQLite keeps it: it has no dates, and the bot keeps them as text."""
    return tuple([value.isoformat() if type(value) is date else value for value in row])


def floor_rows(books: Books) -> Iterator[tuple[str, Iterable[Row]]]:
    """The rows of each table; a reversal is an amount below nil here, so that no query has to ask."""
    yield "customers", books.customers()
    yield "invoices", books.invoices()
    yield "payments", books.payments()
    yield "allocations", ((*each[:8], signed(each)) for each in books.allocations())
