"""One open transaction over all repositories: reads answer at once, writes are kept until the end and done together."""

import secrets
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, insert
from sqlalchemy.sql.expression import Executable

from bot.domain.settings import Settings
from bot.storage import tables
from bot.storage.customers import SqlCustomers
from bot.storage.documents import SqlInvoices, SqlPayments
from bot.storage.engine import new_id
from bot.storage.ledger import SqlAllocations, SqlLedger, SqlLots
from bot.storage.people import SqlPeople, SqlSettings
from bot.storage.requests import SqlNumbers, SqlOperations

# The order in which pending rows are inserted: what is referred to at once comes first, an entry after its postings.
ORDER = (
    "customer",
    "contact",
    "payment",
    "invoice",
    "invoice_line",
    "lot",
    "assignment",
    "posting",
    "entry",
    "allocation",
    "invoice_flag",
    "audit",
    "outbox",
    "request_key",
)
TABLES: dict[str, Table] = {name: tables.metadata.tables[name] for name in ORDER}
INSERTS = {name: insert(table) for name, table in TABLES.items()}


class Pending:
    """Writes of one transaction that have not reached the database yet."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.updates: list[tuple[Executable, Mapping[str, Any]]] = []

    def add(self, table: str, row: dict[str, Any]) -> None:
        self.rows[table].append(row)

    def change(self, statement: Executable, values: Mapping[str, Any]) -> None:
        """An update, done after all inserts."""
        self.updates.append((statement, values))

    def flush(self, connection: Connection) -> None:
        """Send everything, one statement per table."""
        for name in ORDER:
            rows = self.rows.get(name)
            if rows:
                connection.execute(INSERTS[name], rows)
        for statement, values in self.updates:
            connection.execute(statement, values)
        self.rows.clear()
        self.updates.clear()


class SqlBooks:
    """The books of one transaction, on either engine."""

    def __init__(self, connection: Connection, settings: Settings, *, operation_id: int, now: datetime) -> None:
        self.connection = connection
        self.operation_id = operation_id
        self.now = now
        self.pending = Pending()
        self.settings = SqlSettings(self, settings)
        self.customers = SqlCustomers(self)
        self.payments = SqlPayments(self)
        self.lots = SqlLots(self)
        self.invoices = SqlInvoices(self)
        self.allocations = SqlAllocations(self)
        self.ledger = SqlLedger(self)
        self.numbers = SqlNumbers(self)
        self.people = SqlPeople(self)
        self.operations = SqlOperations(self)
        self.undoes: int | None = None

    def new_id(self) -> int:
        return new_id()

    def new_reference(self) -> str:
        """A short random reference for drafts."""
        return secrets.token_hex(3).upper()

    def flush(self) -> None:
        self.pending.flush(self.connection)
