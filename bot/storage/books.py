"""One open transaction over all repositories: reads answer at once, writes are kept until the end and done together."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Date, Dialect, Table
from sqlalchemy.sql.expression import Executable
from sqlalchemy.types import TypeEngine

from bot.domain.settings import Settings
from bot.storage import tables
from bot.storage.approvals import SqlApprovals
from bot.storage.credits import SqlCredits, SqlMaster
from bot.storage.customers import SqlCustomers
from bot.storage.database import unanswered
from bot.storage.delegations import SqlDelegations
from bot.storage.disputes import SqlDisputes, SqlPromises
from bot.storage.ids import new_id
from bot.storage.intakes import SqlIntakes
from bot.storage.invoices import SqlInvoices
from bot.storage.ledger import SqlAllocations, SqlLedger, SqlLots
from bot.storage.mails import SqlMails
from bot.storage.notes import SqlNotes
from bot.storage.payments import SqlPayments
from bot.storage.people import SqlPeople, SqlSettings
from bot.storage.reminders import SqlReminders
from bot.storage.requests import SqlNumbers, SqlOperations
from bot.storage.terms import SqlTerms
from bot.storage.terms_requests import SqlTermsRequests
from bot.storage.top_ups import SqlTopUps
from bot.storage.usage import SqlUsage
from bot.storage.withdrawals import SqlWithdrawals
from bot.storage.write_offs import SqlWriteOffs

# The order in which pending rows are inserted: what is referred to comes first, an entry after its postings. Rows that
# come before what they refer to cost SQLite a search through every table that refers there.
ORDER = (
    "audit",
    "customer",
    "contact",
    "payment",
    "payment_proof",
    "invoice",
    "invoice_line",
    "lot",
    "assignment",
    "credit",
    "master_top_up",
    "intake",
    "credit_limit",
    "mode_history",
    "payment_settings",
    "top_up_attempt",
    "usage_day",
    "charge",
    "usage_refund",
    "posting",
    "entry",
    "written_off",
    "allocation",
    "taken",
    "dispute",
    "promise",
    "invoice_flag",
    "mail",
    "reminder_template",
    "reminder_schedule",
    "reminder_run",
    "reminder_message",
    "reminder_line",
    "reminder_left",
    "outbox",
    "request_key",
)
TABLES: dict[str, Table] = {name: tables.metadata.tables[name] for name in ORDER}
MARKS = {"sqlite": "?", "postgresql": "%s"}
AT_ONCE = 100  # rows in one statement
CHANGED_ON_THE_WAY = (Date, tables.Instant)


@lru_cache(maxsize=256)
def written(table: str, names: tuple[str, ...], dialect: Dialect) -> "Written":
    """An insert of these columns, written once: composing statements would take most of the time of a flush."""
    columns = [TABLES[table].c[name] for name in names]
    assert all(each.default is None for each in TABLES[table].c if each.name not in names)
    marks = ", ".join([MARKS[dialect.name]] * len(columns))
    return Written(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})",  # noqa: S608  # names of our own tables
        tuple((each.name, _binder(each.type, dialect)) for each in columns),
    )


def _binder(of: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What a driver needs done to a value; few days and instants occur in one flush, so they are kept."""
    bind = of.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=64)(bind) if bind is not None and isinstance(of, CHANGED_ON_THE_WAY) else bind


@dataclass(frozen=True, slots=True)
class Written:
    """A statement as the driver takes it, and how each of its values is bound."""

    statement: str
    binders: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    @lru_cache(maxsize=8)  # noqa: B019  # what is written once is kept for ever
    def of_many(self, count: int) -> str:
        """The same for so many rows in one statement."""
        head, _, marks = self.statement.partition(" VALUES ")
        return f"{head} VALUES {', '.join([marks] * count)}"

    def bound(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple([row[name] if bind is None else bind(row[name]) for name, bind in self.binders])


def insert_all(cursor: Any, made: Written, rows: Sequence[tuple[Any, ...]], dialect: str) -> None:
    """Insert bound rows. To PostgreSQL many go in few statements, as each costs it more than its row does."""
    if len(rows) == 1:
        cursor.execute(made.statement, rows[0])
    elif dialect == "sqlite" or len(rows) < AT_ONCE:
        cursor.executemany(made.statement, rows)
    else:
        for begin in range(0, len(rows), AT_ONCE):
            batch = rows[begin : begin + AT_ONCE]
            cursor.execute(made.of_many(len(batch)), [value for row in batch for value in row])


class Pending:
    """Writes of one transaction that have not reached the database yet."""

    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.updates: list[tuple[Executable, Mapping[str, Any] | Sequence[Mapping[str, Any]]]] = []

    def add(self, table: str, row: dict[str, Any]) -> None:
        self.rows[table].append(row)

    def change(self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """An update, or one for each of many rows, done after all inserts."""
        self.updates.append((statement, values))

    def flush(self, connection: Connection) -> None:
        """Send everything, one statement per table, without waiting for the answer of each."""
        with unanswered(connection) as cursor:
            for name in ORDER:
                rows = self.rows.get(name)
                if rows:
                    made = written(name, tuple(rows[0]), connection.dialect)
                    insert_all(cursor, made, [made.bound(row) for row in rows], connection.dialect.name)
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
        self.intakes = SqlIntakes(self)
        self.approvals = SqlApprovals(self)
        self.withdrawals = SqlWithdrawals(self)
        self.delegations = SqlDelegations(self)
        self.terms_requests = SqlTermsRequests(self)
        self.credits = SqlCredits(self)
        self.master = SqlMaster(self)
        self.usage = SqlUsage(self)
        self.terms = SqlTerms(self)
        self.notes = SqlNotes(self)
        self.top_ups = SqlTopUps(self)
        self.disputes = SqlDisputes(self)
        self.promises = SqlPromises(self)
        self.write_offs = SqlWriteOffs(self)
        self.mails = SqlMails(self)
        self.reminders = SqlReminders(self)
        self.undoes: int | None = None

    def new_id(self) -> int:
        return new_id()

    def new_reference(self) -> str:
        """A short random reference for drafts."""
        return secrets.token_hex(3).upper()

    def posts_up_to(self, day: str) -> bool:
        """Whether an entry of this transaction counts on that day or before."""
        return any(row["effective_on"].isoformat() <= day for row in self.pending.rows["entry"])

    def flush(self) -> None:
        self.pending.flush(self.connection)
