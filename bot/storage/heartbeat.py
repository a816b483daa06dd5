"""What the heartbeat asks of a book, in one snapshot: its proof, what it is about, and who is called."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, select, union_all

from bot.domain.heartbeat import Counts, FailedRun
from bot.domain.operation import Role
from bot.storage.tables import CustomerRow, EntryRow, InvoiceRow, JobRunRow, PersonRow, SealRow, UsageDayRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_day = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_seal = SealRow.__table__  # type: ignore[attr-defined]  # as above
_run = JobRunRow.__table__  # type: ignore[attr-defined]  # as above
_person = PersonRow.__table__  # type: ignore[attr-defined]  # as above

MOST_RUNS = 20


def counts(connection: Connection) -> Counts:
    """What the books hold at this moment, and where their audit chain ends."""
    head = connection.execute(select(_seal.c.seq, _seal.c.hash).order_by(_seal.c.seq.desc()).limit(1)).first()
    owed = (_invoice.c.kind == "tax", _invoice.c.posted_on.is_not(None), _invoice.c.open_micros > 0)
    items = union_all(select(_invoice.c.id).where(*owed), select(_day.c.id).where(_day.c.open_micros > 0)).subquery()
    return Counts(
        customers=_count(connection, _customer.c.id),
        entries=_count(connection, _entry.c.id),
        open_items=_count(connection, items.c.id),
        chain_length=head.seq if head is not None else 0,
        chain_head=head.hash if head is not None else "",
    )


def failed_runs(connection: Connection, since: datetime) -> Sequence[FailedRun]:
    """Runs that were given up since a moment and were not made good, the newest first."""
    statement = (
        select(_run.c.job, _run.c.period, _run.c.error)
        .where(_run.c.state == "failed", _run.c.finished_at > since)
        .order_by(_run.c.id.desc())
        .limit(MOST_RUNS)
    )
    return [FailedRun(name=row.job, of=row.period, why=row.error) for row in connection.execute(statement)]


def last_done(connection: Connection, job: str) -> datetime | None:
    """When a job was last done."""
    found: datetime | None = connection.execute(
        select(func.max(_run.c.finished_at)).where(_run.c.job == job, _run.c.state == "done")
    ).scalar()
    return found


def to_call(connection: Connection) -> tuple[str, ...]:
    """The Slack ids of the owner and the administrators, the owner first."""
    able = (_person.c.role >= int(Role.ADMINISTRATOR), _person.c.active)
    statement = select(_person.c.slack_user).where(*able).order_by(_person.c.role.desc(), _person.c.id)
    return tuple(connection.execute(statement).scalars())


def _count(connection: Connection, column: object) -> int:
    return int(connection.execute(select(func.count(column))).scalar() or 0)  # type: ignore[arg-type]  # a column
