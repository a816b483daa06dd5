"""Who stands in for whom, inside a write and asked."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.domain.approval import Mandate
from bot.domain.delegations import Delegation
from bot.domain.operation import Role
from bot.domain.people import Person
from bot.storage.session import Session
from bot.storage.tables import DelegationRow, PersonRow

_delegation = DelegationRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_person = PersonRow.__table__  # type: ignore[attr-defined]  # as above
_stand_in = _person.alias("stand_in")

_LIVE = (
    select(
        _delegation,
        _person.c.slack_user.label("principal"),
        _person.c.role,
        _person.c.active,
        _stand_in.c.slack_user.label("stand_in"),
    )
    .join(_person, _person.c.id == _delegation.c.principal_id)
    .join(_stand_in, _stand_in.c.id == _delegation.c.stand_in_id)
    .where(_delegation.c.ended_at.is_(None))
)
_OF = _LIVE.where(_person.c.team == bindparam("in_team"), _person.c.slack_user == bindparam("of_user"))
_FOR = _LIVE.where(_stand_in.c.team == bindparam("in_team"), _stand_in.c.slack_user == bindparam("of_user"))


def mandates_of(connection: Connection, team: str, user: str) -> Sequence[Mandate]:
    """In whose place somebody may decide, each with the right of that person as it is now."""
    rows = connection.execute(_FOR.order_by(_delegation.c.id), {"in_team": team, "of_user": user})
    return [
        Mandate(principal=row.principal, role=Role(row.role) if row.active else Role.NONE, until=row.until)
        for row in rows
    ]


def delegation_of(connection: Connection, team: str, user: str) -> Delegation | None:
    """Who stands in for somebody, if that was said and not taken back."""
    row = connection.execute(_OF, {"in_team": team, "of_user": user}).first()
    return _known(row) if row is not None else None


def _known(row: Any) -> Delegation:
    return Delegation(id=row.id, principal=row.principal, stand_in=row.stand_in, last_day=row.last_day, until=row.until)


class SqlDelegations:
    """Delegations inside a write; whoever changes one has the principal's row."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def current(self, principal: Person) -> Delegation | None:
        return delegation_of(self._session.connection, principal.team, principal.user)

    def mandates(self, team: str, user: str) -> Sequence[Mandate]:
        return mandates_of(self._session.connection, team, user)

    def insert(self, made: Delegation, principal: Person, stand_in: Person) -> None:
        self._session.connection.execute(
            insert(_delegation),
            {
                "id": made.id,
                "principal_id": principal.id,
                "stand_in_id": stand_in.id,
                "last_day": made.last_day,
                "until": made.until,
                "ended_at": None,
                "operation_id": self._session.operation_id,
            },
        )

    def end(self, principal: Person) -> None:
        live = update(_delegation).where(_delegation.c.principal_id == principal.id, _delegation.c.ended_at.is_(None))
        self._session.connection.execute(live.values(ended_at=self._session.now))
