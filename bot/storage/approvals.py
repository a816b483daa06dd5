"""Requests for approval and votes, inside a write and asked."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from bot.domain.approvals import APPROVABLE, Approval, ApprovalState
from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.operation import DocumentKind
from bot.storage.session import Session
from bot.storage.tables import ApprovalExecutionRow, ApprovalRow, ApprovalVoteRow, MessageRow, PersonRow

_approval = ApprovalRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_vote = ApprovalVoteRow.__table__  # type: ignore[attr-defined]  # as above
_execution = ApprovalExecutionRow.__table__  # type: ignore[attr-defined]  # as above
_message = MessageRow.__table__  # type: ignore[attr-defined]  # as above
_person = PersonRow.__table__  # type: ignore[attr-defined]  # as above

MOST_WAITING = 500

_ONE = select(_approval).where(_approval.c.id == bindparam("id"))
_LOCKED = _ONE.with_for_update()
_IN_THREAD = (
    select(_approval)
    .join(
        _message,
        (_message.c.document_kind == _approval.c.document_kind) & (_message.c.document_id == _approval.c.document_id),
    )
    .where(_message.c.channel == bindparam("in_channel"), _message.c.ts == bindparam("thread"))
)
_ABOUT_DOCUMENT = select(_approval).where(
    _approval.c.document_kind == bindparam("kind"), _approval.c.document_id == bindparam("about_id")
)
_VOTES = (
    select(_vote.c.approval_id, _vote.c.person, _vote.c.in_place_of)
    .where(_vote.c.approval_id.in_(bindparam("ids", expanding=True)))
    .order_by(_vote.c.id)
)
NOTHING = 1  # the least amount that a row can have stands for none: real ones are whole minor units


def approval_of(connection: Connection, row: Any) -> Approval:
    """A request as the domain knows it, with those who approved it, and how many more could while it waits."""
    made = _known(row, connection.execute(_VOTES, {"ids": [row.id]}).all())
    return replace(made, able=_able(connection, made)) if made.state is ApprovalState.WAITING else made


def _known(row: Any, votes: Sequence[Any]) -> Approval:
    return Approval(
        id=row.id,
        operation=row.operation,
        document=DocumentKind(row.document_kind),
        document_id=row.document_id,
        label=row.label,
        customer_id=row.customer_id,
        amount=Money(0 if row.amount_micros == NOTHING else row.amount_micros, currency(row.currency)),
        requester=row.requester,
        requested_at=row.requested_at,
        policy=row.policy,
        needed=row.needed,
        content_hash=row.content_hash,
        version=row.version,
        expires_at=row.expires_at,
        state=ApprovalState(row.state),
        approvers=tuple(vote.person for vote in votes),
        stand_ins=tuple((vote.person, vote.in_place_of) for vote in votes if vote.in_place_of),
        reason=row.reason,
        reminded_at=row.reminded_at,
    )


def _able(connection: Connection, made: Approval) -> int:
    """How many people have the right who neither asked nor were counted: each stands for one approval."""
    used = (made.requester, *made.counted)
    entitled = select(func.count()).where(
        _person.c.active, _person.c.role >= int(APPROVABLE[made.operation].role), _person.c.slack_user.not_in(used)
    )
    return int(connection.execute(entitled).scalar() or 0)


def find_approval(connection: Connection, approval_id: int, *, lock: bool = False) -> Approval:
    row = connection.execute(_LOCKED if lock else _ONE, {"id": approval_id}).first()
    if row is None:
        raise NotFound("There is no such request.")
    return approval_of(connection, row)


def approval_in_thread(connection: Connection, channel: str, ts: str) -> Approval | None:
    """The request whose document's card begins a thread."""
    row = connection.execute(_IN_THREAD, {"in_channel": channel, "thread": ts}).first()
    return approval_of(connection, row) if row is not None else None


def approval_about(connection: Connection, document_kind: str, document_id: int) -> Approval | None:
    """The request that is about a document, if one was ever made."""
    row = connection.execute(_ABOUT_DOCUMENT, {"kind": document_kind, "about_id": document_id}).first()
    return approval_of(connection, row) if row is not None else None


class SqlApprovals:
    """The requests inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, approval_id: int) -> Approval:
        return find_approval(self._session.connection, approval_id)

    def lock(self, approval_id: int) -> Approval:
        return find_approval(self._session.connection, approval_id, lock=True)

    def insert(self, made: Approval) -> None:
        self._session.connection.execute(
            insert(_approval),
            {
                "id": made.id,
                "operation": made.operation,
                "document_kind": made.document.value,
                "document_id": made.document_id,
                "label": made.label,
                "customer_id": made.customer_id,
                "amount_micros": made.amount.micros or NOTHING,
                "currency": made.amount.currency.code,
                "requester": made.requester,
                "requested_at": made.requested_at,
                "policy": made.policy,
                "needed": made.needed,
                "content_hash": made.content_hash,
                "version": made.version,
                "expires_at": made.expires_at,
                "state": made.state.value,
                "reason": made.reason,
                "reminded_at": made.reminded_at,
            },
        )

    def vote(self, approval: Approval, person: str, in_place_of: str) -> None:
        session = self._session
        session.connection.execute(
            insert(_vote),
            {
                "id": session.new_id(),
                "approval_id": approval.id,
                "person": person,
                "in_place_of": in_place_of,
                "version": approval.version,
                "recorded_at": session.now,
                "operation_id": session.operation_id,
            },
        )

    def executed(self, approval: Approval) -> None:
        """Carried out; the database refuses a second time."""
        self._session.connection.execute(
            insert(_execution), {"approval_id": approval.id, "operation_id": self._session.operation_id}
        )
        self.close(approval)

    def close(self, approval: Approval) -> None:
        self._change(approval, state=approval.state.value, reason=approval.reason)

    def remind(self, approval: Approval) -> None:
        self._change(approval, reminded_at=self._session.now)

    def about(self, document: DocumentKind, document_id: int) -> Approval:
        found = approval_about(self._session.connection, document.value, document_id)
        assert found is not None
        return found

    def waits_for(self, document: DocumentKind, document_id: int) -> bool:
        found = approval_about(self._session.connection, document.value, document_id)
        return found is not None and found.state is ApprovalState.WAITING

    def _change(self, approval: Approval, **values: Any) -> None:
        self._session.connection.execute(update(_approval).where(_approval.c.id == approval.id).values(**values))


def waiting(connection: Connection) -> Sequence[Approval]:
    """Requests that nobody decided yet, the first to end first."""
    statement = select(_approval).where(_approval.c.state == "waiting").order_by(_approval.c.expires_at, _approval.c.id)
    return approvals_of(connection, connection.execute(statement.limit(MOST_WAITING)).all())


def approvals_of(connection: Connection, rows: Sequence[Any]) -> Sequence[Approval]:
    """Requests with their votes, asked at once."""
    votes: dict[int, list[Any]] = {row.id: [] for row in rows}
    for vote in connection.execute(_VOTES, {"ids": list(votes)}) if rows else ():
        votes[vote.approval_id].append(vote)
    return [_known(row, votes[row.id]) for row in rows]
