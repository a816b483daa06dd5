"""Signs of life of a book: who serves it, when a request last arrived, when it was last proved, what waits, and when
each watch last looked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from bot.storage import mail_reads
from bot.storage.database import now_of
from bot.storage.outbox import MAILS
from bot.storage.requests import unsealed_since
from bot.storage.store import Store
from bot.storage.tables import JobRunRow, OutboxRow, PulseRow

_pulse = PulseRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above
_run = JobRunRow.__table__  # type: ignore[attr-defined]  # as above

SERVING, PROVED, HEARTBEAT, WATCH, TURN = "serving", "proved", "heartbeat", "watch", "turn"
NOTED = timedelta(minutes=1)  # a look at which nothing happened is written down no more often, by whoever looks
MOST_TROUBLED = 100
FORGOTTEN = timedelta(days=90)
SILENT = timedelta(minutes=5)  # a process shows itself every half minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What a book shows of itself at one moment."""

    now: datetime
    began_at: datetime | None  # when the process that is seen last began to serve
    seen_at: datetime | None
    serving: tuple[str, ...]  # the names of processes that were seen of late
    request_at: datetime | None
    proved_at: datetime | None
    findings: int
    unsealed_since: datetime | None
    outbox: dict[str, int]
    waiting_since: datetime | None
    mails: Mapping[str, int]
    troubled_mails: int
    undelivered: int  # messages and files that were given up
    failures: tuple[str, ...]  # why messages were given up: Slack's words and names of faults
    heartbeat_at: datetime | None  # when the books were last proved right by the heartbeat
    heartbeat_since: datetime | None  # or since when one was to be had


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a watch did: when it last looked, when it last did something and how much, and what stood in its way at its
    last look, if anything did.
    """

    at: datetime
    acted_at: datetime | None
    did: int
    fault: str


def signs(store: Store, deadline: float | None = None) -> Signs:
    return store.database.read(_signs, deadline)


def _signs(connection: Connection) -> Signs:
    newest = select(_pulse).where(_pulse.c.kind == SERVING).order_by(_pulse.c.seen_at.desc()).limit(1)
    process = connection.execute(newest).first()
    now = now_of(connection)
    lately = select(_pulse.c.name).where(_pulse.c.kind == SERVING, _pulse.c.seen_at >= now - SILENT)
    proof = connection.execute(select(_pulse).where(_pulse.c.name == PROVED)).first()
    counts = connection.execute(select(_outbox.c.state, func.count()).group_by(_outbox.c.state)).all()
    waiting = select(func.min(_outbox.c.recorded_at)).where(_outbox.c.state == "waiting")
    good = connection.execute(select(_pulse.c.seen_at).where(_pulse.c.name == HEARTBEAT)).scalar()
    first_run = connection.execute(select(func.min(_run.c.recorded_at)).where(_run.c.job == HEARTBEAT)).scalar()
    begun = [each for each in (first_run, process.began_at if process is not None else None) if each is not None]
    given_up = (_outbox.c.state == "failed", _outbox.c.kind.not_in(MAILS))
    why = select(_outbox.c.error).where(*given_up).distinct().order_by(_outbox.c.error).limit(5)
    return Signs(
        now=now,
        serving=tuple(connection.execute(lately.order_by(_pulse.c.name)).scalars()),
        began_at=process.began_at if process is not None else None,
        seen_at=process.seen_at if process is not None else None,
        request_at=connection.execute(select(func.max(_pulse.c.request_at))).scalar(),
        proved_at=proof.seen_at if proof is not None else None,
        findings=int(proof.findings or 0) if proof is not None else 0,
        unsealed_since=unsealed_since(connection),
        outbox={row[0]: int(row[1]) for row in counts},
        waiting_since=connection.execute(waiting).scalar(),
        mails=mail_reads.counts(connection),
        troubled_mails=len(mail_reads.troubled(connection, MOST_TROUBLED)),
        undelivered=int(connection.execute(select(func.count()).where(*given_up)).scalar() or 0),
        failures=tuple(connection.execute(why).scalars()),
        heartbeat_at=good,
        heartbeat_since=good or min(begun, default=None),
    )


def numbers_taken(store: Store) -> frozenset[int]:
    """What processes that were seen of late have in their ids; two with one number could make the same id."""

    def ask(connection: Connection) -> frozenset[int]:
        lately = select(_pulse.c.name).where(_pulse.c.kind == SERVING, _pulse.c.seen_at >= now_of(connection) - SILENT)
        said = (name.rpartition(" ")[2] for name in connection.execute(lately).scalars())
        return frozenset(int(each) for each in said if each.isdecimal())

    return store.database.read(ask, None)


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


def heart_beat(store: Store) -> None:
    """The books were proved right just now by the heartbeat."""

    def work(connection: Connection) -> None:
        now = now_of(connection)
        _put(connection, HEARTBEAT, {"kind": HEARTBEAT, "began_at": now, "seen_at": now, "findings": 0})

    store.write(work)


def looks(store: Store) -> Mapping[str, Look]:
    """The last look of each watch, whichever process it was that looked."""
    return store.database.read(_looks, None)


def _looks(connection: Connection) -> Mapping[str, Look]:
    return {
        row.name.removeprefix(f"{WATCH} "): Look(
            at=row.seen_at, acted_at=row.acted_at, did=row.did or 0, fault=row.fault or ""
        )
        for row in connection.execute(select(_pulse).where(_pulse.c.kind == WATCH))
    }


def looked(store: Store, ended: Mapping[str, int | str]) -> bool:
    """Watches have looked: how much each did, or its fault. Written down when one did something or fares otherwise than
    before, else once a minute whatever the number of processes; returns whether it was.
    """
    now, known = store.database.read(lambda connection: (now_of(connection), _looks(connection)), None)
    if not any(_is_news(each, known.get(name), now) for name, each in ended.items()):
        return False

    def work(connection: Connection) -> None:
        at = now_of(connection)
        for name, each in ended.items():
            values: dict[str, object] = {"kind": WATCH, "seen_at": at, "fault": each if isinstance(each, str) else None}
            if isinstance(each, int) and each:
                values |= {"acted_at": at, "did": each}
            _put(connection, f"{WATCH} {name}", values)

    store.write(work)
    return True


def _is_news(ended: int | str, known: Look | None, now: datetime) -> bool:
    if known is None or now - known.at >= NOTED:
        return True
    return known.fault != ended if isinstance(ended, str) else bool(ended) or bool(known.fault)


def take_turn(store: Store, name: str, every: timedelta) -> bool:
    """Whether it is this process's turn to do what one process does now and then; the next one's comes later."""

    def work(connection: Connection) -> bool:
        now = now_of(connection)
        mine = update(_pulse).where(_pulse.c.name == name, _pulse.c.seen_at <= now - every).values(seen_at=now)
        if connection.execute(mine).rowcount:
            return True
        if connection.execute(select(_pulse.c.name).where(_pulse.c.name == name)).first() is not None:
            return False
        connection.execute(insert(_pulse).values(name=name, kind=TURN, began_at=now, seen_at=now))
        return True

    try:
        return store.write(work)
    except IntegrityError:  # somebody else took the first turn there ever was
        return False


def _put(connection: Connection, name: str, values: dict[str, object]) -> None:
    """Change a row or make it; two that make it at once make one."""
    if connection.execute(update(_pulse).where(_pulse.c.name == name).values(values)).rowcount:
        return
    row = {"began_at": values["seen_at"], **values, "name": name}
    made = (
        sqlite.insert(_pulse).values(**row).on_conflict_do_nothing(index_elements=["name"])
        if connection.dialect.name == "sqlite"
        else postgresql.insert(_pulse).values(**row).on_conflict_do_nothing(index_elements=["name"])
    )
    connection.execute(made)
