"""Messages to send: claimed with a lease, one in flight per document, settled once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from bot.storage.database import now_of
from bot.storage.ids import new_id
from bot.storage.store import Store
from bot.storage.tables import MessageRow, OutboxRow, RequestRow

_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_message = MessageRow.__table__  # type: ignore[attr-defined]  # as above
_request = RequestRow.__table__  # type: ignore[attr-defined]  # as above

BATCH = 20
LEASE = timedelta(seconds=60)
CHANNEL_WAIT = timedelta(seconds=15)


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
    operation: str | None
    outcome: str | None


class Outbox:
    """The outbox of one book."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def claim(self, owner: str, *, reports: bool = False) -> Sequence[Claimed]:
        """Rows that are due, oldest first; a document whose older row still waits or is in flight is left alone.

        Reports are claimed by workers of their own, one at a time, since each may take long.
        """
        wanted = _outbox.c.kind == "report" if reports else _outbox.c.kind != "report"

        def work(connection: Connection) -> Sequence[Claimed]:
            now = now_of(connection)
            older = _outbox.alias("older")
            blocked = (
                select(older.c.id)
                .where(
                    older.c.document_kind == _outbox.c.document_kind,
                    older.c.document_id == _outbox.c.document_id,
                    older.c.id < _outbox.c.id,
                    older.c.state == "waiting",
                    _outbox.c.kind != "report",
                    older.c.kind != "report",
                )
                .exists()
            )
            due = (
                select(_outbox.c.id)
                .where(
                    _outbox.c.state == "waiting",
                    wanted,
                    _outbox.c.not_before <= now,
                    or_(_outbox.c.lease_until.is_(None), _outbox.c.lease_until < now),
                    ~blocked,
                )
                .order_by(_outbox.c.id)
                .limit(1 if reports else BATCH)
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
            return [
                Claimed(
                    row.id,
                    row.kind,
                    row.purpose,
                    row.destination,
                    row.document_kind,
                    row.document_id,
                    row.payload,
                    row.attempts,
                    row.operation,
                    row.outcome,
                )
                for row in rows
            ]

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

    def add_report(self, connection: Connection, *, payload: str, destination: str) -> int:
        """A file or long report for one person."""
        made = new_id()
        connection.execute(
            insert(_outbox),
            {
                "id": made,
                "kind": "report",
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

    def done(self, row: Claimed, channel: str = "", ts: str = "", *, root: bool = False) -> None:
        """Settle a row; the first card of a document becomes its place, later ones its newest state."""

        def work(connection: Connection) -> None:
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
            self._settle(connection, row, {"state": "done", "channel": channel or None, "ts": ts or None})

        self._store.write(work)

    def forget(self, row: Claimed) -> None:
        """A document's card is gone from Slack; the next one becomes its place."""
        statement = delete(_message).where(
            _message.c.document_kind == row.document_kind, _message.c.document_id == row.document_id
        )
        self._store.write(lambda connection: connection.execute(statement))

    def renew(self, row: Claimed) -> None:
        """Keep a row whose sending takes long from being taken over."""

        def work(connection: Connection) -> None:
            mine = (_outbox.c.id == row.id, _outbox.c.state == "waiting")
            connection.execute(update(_outbox).where(*mine).values(lease_until=now_of(connection) + LEASE))

        self._store.write(work)

    def later(self, row: Claimed, wait: timedelta, error: str) -> None:
        """Try again after a while."""
        self._store.write(
            lambda connection: self._settle(
                connection, row, {"not_before": now_of(connection) + wait, "error": error}, done=False
            )
        )

    def wait_for_channel(self, row: Claimed) -> None:
        """Without a finance channel nothing can be posted yet; it is kept and does not count as an attempt."""
        self._store.write(
            lambda connection: self._settle(
                connection,
                row,
                {
                    "not_before": now_of(connection) + CHANNEL_WAIT,
                    "error": "no finance channel is set",
                    "attempts": 0,
                },
                done=False,
            )
        )

    def failed(self, row: Claimed, error: str) -> None:
        """Give up; the row is kept and shown to the operator."""
        self._store.write(lambda connection: self._settle(connection, row, {"state": "failed", "error": error}))

    def counts(self) -> Mapping[str, int]:
        """How many rows are in each state."""
        statement = select(_outbox.c.state, func.count()).group_by(_outbox.c.state)
        rows = self._store.database.read(lambda connection: connection.execute(statement).all(), None)
        return {row[0]: int(row[1]) for row in rows}

    @staticmethod
    def _settle(connection: Connection, row: Claimed, values: dict[str, Any], *, done: bool = True) -> None:
        moment: datetime | None = now_of(connection) if done else None
        connection.execute(
            update(_outbox)
            .where(_outbox.c.id == row.id, _outbox.c.state == "waiting")
            .values(lease_until=None, lease_owner=None, done_at=moment, **values)
        )


def _anything_waits(connection: Connection, wanted: ColumnElement[bool]) -> bool:
    due = (_outbox.c.state == "waiting", wanted, _outbox.c.not_before <= now_of(connection))
    return connection.execute(select(_outbox.c.id).where(*due).limit(1)).first() is not None
