"""Keys, stored outcomes, the audit log with its seals, gapless numbers, and what an operation made."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, literal, or_, select, text, true, update

from bot.domain.errors import NotFound
from bot.domain.open_items import Allocation, Made
from bot.domain.operation import Role, Trace
from bot.domain.people import Person
from bot.domain.settings import Settings, with_values
from bot.storage import ledger
from bot.storage.ids import new_id
from bot.storage.people import SETTINGS
from bot.storage.session import Session
from bot.storage.tables import (
    AuditRow,
    BookRow,
    FlagRow,
    PersonRow,
    RequestRow,
    SealRow,
    SeriesRow,
)

_audit = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_seal = SealRow.__table__  # type: ignore[attr-defined]  # as above
_request = RequestRow.__table__  # type: ignore[attr-defined]  # as above
_series = SeriesRow.__table__  # type: ignore[attr-defined]  # as above
_person = PersonRow.__table__  # type: ignore[attr-defined]  # as above
_book = BookRow.__table__  # type: ignore[attr-defined]  # as above
_flag = FlagRow.__table__  # type: ignore[attr-defined]  # as above

_one = select(literal(1).label("one")).subquery()
# One look answers who acts, whether the key was used, and whether the settings changed.
_OPENING = (
    select(
        _person.c.id.label("person_id"),
        _person.c.role,
        _person.c.active,
        _person.c.name,
        _book.c.settings_version,
        _request.c.content_hash,
        _request.c.operation,
        _request.c.outcome,
        _request.c.operation_id,
    )
    .select_from(_one)
    .outerjoin(_book, true())
    .outerjoin(_person, (_person.c.team == bindparam("team")) & (_person.c.slack_user == bindparam("slack_user")))
    .outerjoin(_request, _request.c.key == bindparam("key"))
)
_SETTINGS_VERSION = select(_book.c.settings_version)
_NEXT = (
    update(_series)
    .where(_series.c.name == bindparam("series_name"))
    .values(last=_series.c.last + 1)
    .returning(_series.c.last)
)
_NEW_SERIES = insert(_series)
_MADE = (
    select(_audit, _request.c.operation)
    .join(_request, _request.c.operation_id == _audit.c.id)
    .where(_audit.c.id == bindparam("operation_id"))
)
_UNDONE_BY = select(_audit.c.id).where(_audit.c.undoes_id == bindparam("operation_id"))
_FLAGS = select(_flag.c.invoice_id, _flag.c.was).where(_flag.c.operation_id == bindparam("operation_id"))
_undoing = _audit.alias("undoing")
# An operation that was undone since, and the undo of another one, are as if they had not been.
_LATER = (
    select(_audit.c.event)
    .outerjoin(_undoing, _undoing.c.undoes_id == _audit.c.id)
    .where(
        _audit.c.document_kind == "payment",
        _audit.c.document_id == bindparam("payment_id"),
        _audit.c.id > bindparam("operation_id"),
        _audit.c.event != "Attach proofs",  # a file more changes nothing that is undone
        _undoing.c.id.is_(None),
        or_(_audit.c.undoes_id.is_(None), _audit.c.undoes_id == bindparam("operation_id")),
    )
    .order_by(_audit.c.id.desc())
    .limit(1)
)
GENESIS = "0" * 64
KEYS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Stored:
    """A write that was done before under the same key."""

    content_hash: str
    operation: str
    outcome: str
    operation_id: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What a write finds when it begins."""

    person: Person | None
    settings_version: int
    stored: Stored | None


def keys_used(connection: Connection, keys: Sequence[str]) -> frozenset[str]:
    """Which of these keys something was carried out under."""
    found: set[str] = set()
    for start in range(0, len(keys), KEYS_AT_ONCE):
        some = _request.c.key.in_(keys[start : start + KEYS_AT_ONCE])
        found.update(connection.execute(select(_request.c.key).where(some)).scalars())
    return frozenset(found)


def opening(connection: Connection, *, team: str, user: str, key: str) -> Opening:
    """Who acts, under which settings, and what the key did before."""
    row = connection.execute(_OPENING, {"team": team, "slack_user": user, "key": key}).one()
    person = None
    if row.person_id is not None:
        person = Person(id=row.person_id, team=team, user=user, name=row.name, role=Role(row.role), active=row.active)
    stored = None
    if row.content_hash is not None:
        stored = Stored(row.content_hash, row.operation, row.outcome, row.operation_id)
    return Opening(person, row.settings_version or 0, stored)


def load_settings(connection: Connection, version: int) -> Settings:
    return with_values({row.name: row.value for row in connection.execute(SETTINGS)}, version)


def settings_version(connection: Connection) -> int:
    return int(connection.execute(_SETTINGS_VERSION).scalar() or 0)


def made_by(connection: Connection, operation_id: int) -> tuple[str, str]:
    """The name of an operation and the kind of document that it left. Refuses: NotFound."""
    row = connection.execute(_MADE, {"operation_id": operation_id}).first()
    if row is None:
        raise NotFound("There is no such operation.")
    return str(row.operation), str(row.document_kind or "")


class SqlNumbers:
    """Gapless numbers: the counter's row stays locked until the transaction ends."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def next(self, series: str) -> str:
        taken = self._session.connection.execute(_NEXT, {"series_name": series}).scalar()
        if taken is None:
            self._session.connection.execute(_NEW_SERIES, {"name": series, "last": 1})
            taken = 1
        settings: Settings = self._session.settings.current()  # type: ignore[attr-defined]  # SqlBooks has them
        return settings.number(series, int(taken))


class SqlOperations:
    """What earlier operations made, for undo."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def made(self, operation_id: int) -> Made:
        connection = self._session.connection
        asked = {"operation_id": operation_id}
        row = connection.execute(_MADE, asked).first()
        if row is None:
            raise NotFound("There is no such operation.")
        return Made(
            operation_id=operation_id,
            name=row.operation,
            at=row.at,
            person=row.actor,
            undone_by=connection.execute(_UNDONE_BY, asked).scalar(),
            allocations=tuple(ledger.allocation_of(each) for each in connection.execute(ledger.MADE_BY, asked)),
            taken_back=self._taken_back(operation_id),
            payment_id=row.document_id if row.document_kind == "payment" else None,
            flags=tuple((flag.invoice_id, flag.was) for flag in connection.execute(_FLAGS, asked)),
            document_id=row.document_id,
            rematched=tuple(connection.execute(ledger.REMATCHED, asked).scalars()),
            taken_back_since=tuple(connection.execute(ledger.TAKEN_BACK_SINCE, asked).scalars()),
            document_kind=row.document_kind or "",
        )

    def _taken_back(self, operation_id: int) -> tuple[Allocation, ...]:
        rows = self._session.connection.execute(ledger.TAKEN_BACK_BY, {"operation_id": operation_id})
        return tuple(ledger.allocation_of(row) for row in rows)

    def undone(self, operation_id: int) -> None:
        self._session.undoes = operation_id

    def later_on_payment(self, payment_id: int, operation_id: int) -> str | None:
        asked = {"payment_id": payment_id, "operation_id": operation_id}
        found = self._session.connection.execute(_LATER, asked).scalar()
        return str(found) if found is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An operation to record: audit row, key, and the messages it causes."""

    app: str
    event: str
    name: str
    key: str
    content_hash: str
    outcome: str
    team: str
    user: str
    request_id: str
    trace: Trace
    document_kind: str | None
    document_id: int | None
    messages: Sequence[Mapping[str, Any]] = ()


def record(session: Session, done: Record) -> None:
    """Keep the audit row, the outbox rows and the key beside what the operation wrote."""
    pending = session.pending
    pending.add(
        "audit",
        {
            "id": session.operation_id,
            "at": session.now,
            "app": done.app,
            "event": done.event,
            "description": done.trace.description,
            "team": done.team,
            "actor": done.user,
            "customer_id": done.trace.customer_id,
            "document": done.trace.document,
            "document_kind": done.document_kind,
            "document_id": done.document_id,
            "request_id": done.request_id,
            "before": json.dumps(dict(done.trace.before), sort_keys=True),
            "after": json.dumps(dict(done.trace.after), sort_keys=True),
            "undoes_id": session.undoes,
        },
    )
    for message in done.messages:
        pending.add(
            "outbox",
            {
                "id": new_id(),
                "state": "waiting",
                "attempts": 0,
                "not_before": session.now,
                "error": "",
                "recorded_at": session.now,
                "operation_id": session.operation_id,
                **message,
            },
        )
    pending.add(
        "request_key",
        {
            "key": done.key,
            "content_hash": done.content_hash,
            "operation": done.name,
            "outcome": done.outcome,
            "operation_id": session.operation_id,
            "at": session.now,
        },
    )


_SEALED_FIELDS = (
    "id",
    "at",
    "app",
    "event",
    "description",
    "team",
    "actor",
    "customer_id",
    "document",
    "document_kind",
    "document_id",
    "request_id",
    "before",
    "after",
    "undoes_id",
)
MOST_SEALED = 500  # at once
_UNSEALED = (
    select(_audit)
    .outerjoin(_seal, _seal.c.audit_id == _audit.c.id)
    .where(_seal.c.seq.is_(None))
    .order_by(_audit.c.id)
    .limit(MOST_SEALED)
)
_HEAD = select(_seal.c.seq, _seal.c.hash).order_by(_seal.c.seq.desc()).limit(1)
_NEW_SEALS = insert(_seal)
_with_seal = _audit.outerjoin(_seal, _seal.c.audit_id == _audit.c.id)
_OLDEST_UNSEALED = select(func.min(_audit.c.at)).select_from(_with_seal).where(_seal.c.seq.is_(None))
_UNSEALED_BEFORE = (
    select(func.count()).select_from(_with_seal).where(_seal.c.seq.is_(None), _audit.c.at < bindparam("instant"))
)


def link(previous: str, row: Any) -> str:
    """The hash of an audit row chained to the one before. Rule 117."""
    fields = [getattr(row, name) for name in _SEALED_FIELDS]
    plain = [each.astimezone(UTC).isoformat() if isinstance(each, datetime) else each for each in fields]
    return hashlib.sha256(f"{previous}{json.dumps(plain, ensure_ascii=False)}".encode()).hexdigest()


def seal(connection: Connection) -> int:
    """Seal committed audit rows in order; returns how many. One sealer at a time."""
    if (
        connection.dialect.name == "postgresql"
        and not connection.execute(
            text("SELECT pg_try_advisory_xact_lock(hashtext(current_schema() || ' sealer'))")
        ).scalar()
    ):
        return 0
    rows = connection.execute(_UNSEALED).all()
    if not rows:
        return 0
    head = connection.execute(_HEAD).first()
    seq, previous = (head.seq, head.hash) if head is not None else (0, GENESIS)
    seals = []
    for row in rows:
        seq += 1
        current = link(previous, row)
        seals.append({"seq": seq, "audit_id": row.id, "previous_hash": previous, "hash": current})
        previous = current
    connection.execute(_NEW_SEALS, seals)
    return len(seals)


def unsealed_since(connection: Connection) -> datetime | None:
    """When the oldest row was written that is not sealed, if there is one."""
    found: datetime | None = connection.execute(_OLDEST_UNSEALED).scalar()
    return found


def unsealed_before(connection: Connection, instant: datetime) -> int:
    """How many audit rows older than an instant are not sealed."""
    return int(connection.execute(_UNSEALED_BEFORE, {"instant": instant}).scalar() or 0)
