"""Messages to send: claimed with a lease, one in flight per document, settled once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Exists, Row, Update, and_, delete, func, insert, or_, select, update

from bot.observe import outcome
from bot.storage import mails
from bot.storage.database import now_of
from bot.storage.ids import new_id
from bot.storage.store import Store
from bot.storage.tables import MessageRow, OutboxRow, RequestRow

_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_message = MessageRow.__table__  # type: ignore[attr-defined]  # as above
_request = RequestRow.__table__  # type: ignore[attr-defined]  # as above

BATCH = 20
LEASE = timedelta(seconds=120)
CHANNEL_WAIT = timedelta(seconds=15)
MOST_LISTED = 200
FILES = ("report", "digest_file", "proof", "paper")
MAILS = ("mail",)
LANES = {"files": FILES, "mails": MAILS}  # each with workers of its own; the rest are messages
LETTER = "letter"  # a text for one person
BESIDE = ("report", "proof", "paper", LETTER, *MAILS)  # nothing waits for these
HELD = ("failed", "parked")  # for good, and by a restore: an operator decides
FREE = {"lease_until": None, "lease_owner": None}


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row this worker may send until its lease ends."""

    id: int
    kind: str
    purpose: str
    destination: str
    document_kind: str
    document_id: int
    payload: str
    attempts: int
    recorded_at: datetime
    owner: str
    operation: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class Undelivered:
    """A row that was not sent yet, for the operator: nothing of what it says."""

    id: int
    kind: str
    document_kind: str
    document_id: int
    state: str
    attempts: int
    error: str
    recorded_at: datetime


def _blocked() -> Exists:
    """Whether an older row of the same document waits or is in flight, unless nothing waits for that."""
    older = _outbox.alias("older")
    return (
        select(older.c.id)
        .where(
            older.c.document_kind == _outbox.c.document_kind,
            older.c.document_id == _outbox.c.document_id,
            older.c.id < _outbox.c.id,
            older.c.state == "waiting",
            _outbox.c.kind.not_in(("report", LETTER)),
            older.c.kind.not_in(BESIDE),
        )
        .exists()
    )


def _claimed(row: Row[Any], owner: str) -> Claimed:
    return Claimed(
        row.id,
        row.kind,
        row.purpose,
        row.destination,
        row.document_kind,
        row.document_id,
        row.payload,
        row.attempts,
        row.recorded_at,
        owner,
        row.operation,
        row.outcome,
    )


class Outbox:
    """The outbox of one book."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(
        self, owner: str, *, lane: Literal["messages", "files", "mails"] = "messages", most: int = BATCH
    ) -> Sequence[Claimed]:
        """Rows that are due, oldest first; a document whose older row still waits or is in flight is left alone.

        Files and mails are claimed by workers of their own, files one at a time, since each may take long. An owner's
        own lease does not stop it: a worker has one batch at a time, so what is still leased to it was left behind when
        the database went away under it.
        """
        others = [each for kinds in LANES.values() for each in kinds]
        wanted = _outbox.c.kind.not_in(others) if lane == "messages" else _outbox.c.kind.in_(LANES[lane])

        def work(connection: Connection) -> Sequence[Claimed]:
            now = now_of(connection)
            due = (
                select(_outbox.c.id)
                .where(
                    _outbox.c.state == "waiting",
                    wanted,
                    _outbox.c.not_before <= now,
                    or_(_outbox.c.lease_until.is_(None), _outbox.c.lease_until < now, _outbox.c.lease_owner == owner),
                    ~_blocked(),
                )
                .order_by(_outbox.c.id)
                .limit(1 if lane == "files" else most)
                .with_for_update(skip_locked=True)
            )
            ids = [row.id for row in connection.execute(due)]
            if not ids:
                return ()
            connection.execute(
                update(_outbox)
                .where(_outbox.c.id.in_(ids))
                .values(lease_until=now + LEASE, lease_owner=owner, attempts=_outbox.c.attempts + 1)
            )
            rows = connection.execute(
                select(_outbox, _request.c.operation, _request.c.outcome)
                .outerjoin(_request, _request.c.operation_id == _outbox.c.operation_id)
                .where(_outbox.c.id.in_(ids))
                .order_by(_outbox.c.id)
            )
            return [_claimed(row, owner) for row in rows]

        if not self._store.database.read(lambda connection: _anything_waits(connection, wanted), None):
            return ()
        return self._store.write(work)

    def message(self, document_kind: str, document_id: int) -> tuple[str, str, int] | None:
        """Where a document's card is, and the newest row it shows."""
        statement = select(_message.c.channel, _message.c.ts, _message.c.shows).where(
            _message.c.document_kind == document_kind, _message.c.document_id == document_id
        )
        row = self._store.database.read(lambda connection: connection.execute(statement).first(), None)
        return (row.channel, row.ts, row.shows) if row is not None else None

    def add_report(self, connection: Connection, *, payload: str, destination: str, kind: str = "report") -> int:
        """A file or long report for one person, or a text."""
        made = new_id()
        connection.execute(
            insert(_outbox),
            {
                "id": made,
                "kind": kind,
                "purpose": "person",
                "destination": destination,
                "document_kind": "book",
                "document_id": 0,
                "payload": payload,
                "state": "waiting",
                "attempts": 0,
                "not_before": now_of(connection),
                "error": "",
                "recorded_at": now_of(connection),
            },
        )
        return made

    def renew(self, row: Claimed) -> bool:
        """Begin a fresh lease; false when another worker has the row by now."""
        return self._store.write(
            lambda connection: self._settle(connection, row, {"lease_until": now_of(connection) + LEASE})
        )

    def release(self, owner: str, *, but: int) -> int:
        """Let other workers have at once what this one claimed and did not begin; returns how many rows.

        The one row that it has in hand stays its own. To the others this claim was no attempt.
        """
        mine = (_outbox.c.state == "waiting", _outbox.c.lease_owner == owner, _outbox.c.id != but)
        free = {**FREE, "attempts": _outbox.c.attempts - 1}
        return self._store.write(
            lambda connection: connection.execute(update(_outbox).where(*mine).values(**free)).rowcount
        )

    def done(self, row: Claimed, channel: str = "", ts: str = "", *, root: bool = False) -> None:
        """Settle a row; the first card of a document becomes its place, later ones its newest state.

        Nothing when its lease ended and another worker took it over: that one finds what was sent.
        """

        def work(connection: Connection) -> None:
            sent = {"state": "done", "channel": channel or None, "ts": ts or None, "done_at": now_of(connection)}
            if not self._settle(connection, row, {**FREE, **sent}):
                return
            if root:
                connection.execute(
                    insert(_message),
                    {
                        "id": new_id(),
                        "document_kind": row.document_kind,
                        "document_id": row.document_id,
                        "channel": channel,
                        "ts": ts,
                        "shows": row.id,
                    },
                )
            elif ts:
                connection.execute(
                    update(_message)
                    .where(
                        and_(
                            _message.c.document_kind == row.document_kind,
                            _message.c.document_id == row.document_id,
                            _message.c.shows < row.id,
                        )
                    )
                    .values(shows=row.id)
                )

        self._store.write(work)

    def forget(self, row: Claimed) -> None:
        """A document's card is gone from Slack; the next one becomes its place."""
        statement = delete(_message).where(
            _message.c.document_kind == row.document_kind, _message.c.document_id == row.document_id
        )
        self._store.write(lambda connection: connection.execute(statement))

    def later(self, row: Claimed, wait: timedelta, error: str, *, attempts: int | None = None) -> None:
        """Try again after a while; `attempts` when this one does not count."""
        outcome.set("later")
        self._store.write(
            lambda connection: self._settle(
                connection,
                row,
                {
                    **FREE,
                    "not_before": now_of(connection) + wait,
                    "error": error,
                    "attempts": row.attempts if attempts is None else attempts,
                },
            )
        )

    def failed(self, row: Claimed, error: str) -> None:
        """Give up; the row is kept and shown to the operator."""
        outcome.set("failed")
        self._store.write(
            lambda connection: self._settle(
                connection, row, {**FREE, "state": "failed", "error": error, "done_at": now_of(connection)}
            )
        )

    def undelivered(self) -> Sequence[Undelivered]:
        """What waits, what failed for good, and what a restore held back; oldest first."""
        names = ("id", "kind", "document_kind", "document_id", "state", "attempts", "error", "recorded_at")
        statement = (
            select(*(_outbox.c[name] for name in names))
            .where(_outbox.c.state.in_(("waiting", *HELD)))
            .order_by(_outbox.c.state, _outbox.c.id)
            .limit(MOST_LISTED)
        )
        rows = self._store.database.read(lambda connection: connection.execute(statement).all(), None)
        return [Undelivered(*row) for row in rows]

    def retry(self, which: int | Literal["all"]) -> int:
        """Send one row that failed or was held back after all, or all of them; returns how many. Each counts as tried,
        so that one that was sent is looked for first.
        """

        def work(connection: Connection) -> int:
            now = now_of(connection)
            again = {"state": "waiting", "attempts": 1, "not_before": now, "done_at": None}
            held = _mails_in(connection, which)
            mails.lock(connection, held)
            found = connection.execute(_held(which).values(**again)).rowcount
            mails.reopen(connection, held, now)
            return found

        return self._store.write(work)

    def drop(self, which: int | Literal["all"]) -> int:
        """Never send one row that failed or was held back, or all of them; the rows are kept. Returns how many."""

        def work(connection: Connection) -> int:
            now = now_of(connection)
            held = _mails_in(connection, which)
            mails.lock(connection, held)
            found = connection.execute(_held(which).values(state="dropped", done_at=now)).rowcount
            mails.give_up(connection, held, now)
            return found

        return self._store.write(work)

    def counts(self) -> Mapping[str, int]:
        """How many rows are in each state."""
        statement = select(_outbox.c.state, func.count()).group_by(_outbox.c.state)
        rows = self._store.database.read(lambda connection: connection.execute(statement).all(), None)
        return {row[0]: int(row[1]) for row in rows}

    @classmethod
    def keep(cls, connection: Connection, row: Claimed) -> bool:
        """Begin a fresh lease inside a write; false when another worker has the row by now."""
        return cls._settle(connection, row, {"lease_until": now_of(connection) + LEASE})

    @classmethod
    def put_off(cls, connection: Connection, row: Claimed, until: datetime, error: str, attempts: int) -> None:
        """Try again after an instant, inside a write; nothing when another worker has the row by now."""
        cls._settle(connection, row, {**FREE, "not_before": until, "error": error, "attempts": max(0, attempts)})

    @staticmethod
    def _settle(connection: Connection, row: Claimed, values: dict[str, Any]) -> bool:
        """Change a row that is still this worker's."""
        statement = (
            update(_outbox)
            .where(_outbox.c.id == row.id, _outbox.c.state == "waiting", _outbox.c.lease_owner == row.owner)
            .values(**values)
        )
        return connection.execute(statement).rowcount == 1


def _held(which: int | Literal["all"]) -> Update:
    statement = update(_outbox).where(_outbox.c.state.in_(HELD))
    return statement if which == "all" else statement.where(_outbox.c.id == which)


def _mails_in(connection: Connection, which: int | Literal["all"]) -> list[int]:
    """The mails whose rows are held."""
    held = select(_outbox.c.document_id).where(_outbox.c.state.in_(HELD), _outbox.c.kind.in_(MAILS))
    return list(connection.execute(held if which == "all" else held.where(_outbox.c.id == which)).scalars())


def _anything_waits(connection: Connection, wanted: ColumnElement[bool]) -> bool:
    due = (_outbox.c.state == "waiting", wanted, _outbox.c.not_before <= now_of(connection))
    return connection.execute(select(_outbox.c.id).where(*due).limit(1)).first() is not None
