"""Signs of life of a book: who serves it, when a request last arrived, when it was last proved, what waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from bot.storage.database import now_of
from bot.storage.requests import unsealed_since
from bot.storage.store import Store
from bot.storage.tables import OutboxRow, PulseRow

_pulse = PulseRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above

SERVING, PROVED = "serving", "proved"
FORGOTTEN = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a book shows of itself at one moment."""

    now: datetime
    began_at: datetime | None  # when the process that is seen last began to serve
    seen_at: datetime | None
    request_at: datetime | None
    proved_at: datetime | None
    findings: int
    unsealed_since: datetime | None
    outbox: dict[str, int]
    waiting_since: datetime | None
    failures: tuple[str, ...]  # why messages were given up: Slack's words and names of faults


def signs(store: Store, deadline: float | None = None) -> Signs:
    return store.database.read(_signs, deadline)


def _signs(connection: Connection) -> Signs:
    newest = select(_pulse).where(_pulse.c.kind == SERVING).order_by(_pulse.c.seen_at.desc()).limit(1)
    process = connection.execute(newest).first()
    proof = connection.execute(select(_pulse).where(_pulse.c.name == PROVED)).first()
    counts = connection.execute(select(_outbox.c.state, func.count()).group_by(_outbox.c.state)).all()
    waiting = select(func.min(_outbox.c.recorded_at)).where(_outbox.c.state == "waiting")
    why = select(_outbox.c.error).where(_outbox.c.state == "failed").distinct().order_by(_outbox.c.error).limit(5)
    return Signs(
        now=now_of(connection),
        began_at=process.began_at if process is not None else None,
        seen_at=process.seen_at if process is not None else None,
        request_at=connection.execute(select(func.max(_pulse.c.request_at))).scalar(),
        proved_at=proof.seen_at if proof is not None else None,
        findings=int(proof.findings or 0) if proof is not None else 0,
        unsealed_since=unsealed_since(connection),
        outbox={row[0]: int(row[1]) for row in counts},
        waiting_since=connection.execute(waiting).scalar(),
        failures=tuple(connection.execute(why).scalars()),
    )


def beat(store: Store, name: str, *, began_ago: float, request_ago: float | None) -> None:
    """A process serves this book, since so many seconds; its last request came so many seconds ago."""

    def work(connection: Connection) -> None:
        now = now_of(connection)
        values = {"kind": SERVING, "began_at": now - timedelta(seconds=began_ago), "seen_at": now}
        if request_ago is not None:
            values["request_at"] = now - timedelta(seconds=request_ago)
        connection.execute(delete(_pulse).where(and_(_pulse.c.kind == SERVING, _pulse.c.seen_at < now - FORGOTTEN)))
        _put(connection, name, values)

    store.write(work)


def proved(store: Store, findings: int) -> None:
    """The books were proved just now."""

    def work(connection: Connection) -> None:
        now = now_of(connection)
        _put(connection, PROVED, {"kind": PROVED, "began_at": now, "seen_at": now, "findings": findings})

    store.write(work)


def _put(connection: Connection, name: str, values: dict[str, object]) -> None:
    if not connection.execute(update(_pulse).where(_pulse.c.name == name).values(values)).rowcount:
        connection.execute(insert(_pulse).values(name=name, **values))
