"""People with rights, and the settings of the book, inside a write."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, union, update

from bot.domain.operation import Role
from bot.domain.people import Person, Profile
from bot.domain.settings import Settings
from bot.storage.session import Session
from bot.storage.tables import BookRow, CustomerRow, PaymentRow, PersonRow, SettingRow

_person = PersonRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_setting = SettingRow.__table__  # type: ignore[attr-defined]  # as above
_book = BookRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above

PEOPLE = select(_person)
FIND = PEOPLE.where(_person.c.team == bindparam("team"), _person.c.slack_user == bindparam("slack_user"))
_FIND_LOCKED = FIND.with_for_update()
_OWNER = PEOPLE.where(_person.c.role == int(Role.OWNER)).with_for_update()
_NEW = insert(_person)
_CHANGE = (
    update(_person)
    .where(_person.c.id == bindparam("row_id"))
    .values(role=bindparam("new_role"), active=bindparam("new_active"), name=bindparam("new_name"))
)
SETTINGS = select(_setting.c.name, _setting.c.value)
_SETTING_GONE = delete(_setting).where(_setting.c.name == bindparam("of_name"))
_SETTING_NEW = insert(_setting)
_CURRENCIES = union(select(_customer.c.currency), select(_payment.c.currency))
_NEWER = update(_book).values(settings_version=_book.c.settings_version + 1)


def person_of(row: Row[Any]) -> Person:
    return Person(
        id=row.id,
        team=row.team,
        user=row.slack_user,
        enterprise=row.enterprise,
        name=row.name,
        role=Role(row.role),
        active=row.active,
    )


class SqlPeople:
    """Who may do what in this book."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, team: str, user: str) -> Person | None:
        row = self._session.connection.execute(_FIND_LOCKED, {"team": team, "slack_user": user}).first()
        return person_of(row) if row is not None else None

    def owner(self) -> Person | None:
        row = self._session.connection.execute(_OWNER).first()
        return person_of(row) if row is not None else None

    def put(self, profile: Profile, role: Role) -> Person:
        """Write a person's right at once; a second owner is refused by the database, and the desk tries again."""
        current = self.find(profile.team, profile.user)
        if current is None:
            person_id = self._session.new_id()
            self._session.connection.execute(
                _NEW,
                {
                    "id": person_id,
                    "team": profile.team,
                    "enterprise": profile.enterprise,
                    "slack_user": profile.user,
                    "name": profile.name,
                    "role": int(role),
                    "active": True,
                },
            )
        else:
            person_id = current.id
            self._change(replace(current, role=role, name=profile.name or current.name, active=True))
        return Person(
            id=person_id,
            team=profile.team,
            user=profile.user,
            enterprise=profile.enterprise,
            name=profile.name,
            role=role,
        )

    def hand_over(self, former: Person, owner: Person) -> None:
        """The former owner becomes administrator first, so that there is one owner at every moment the database
        sees.
        """
        self._change(replace(former, role=Role.ADMINISTRATOR))
        self._change(replace(owner, role=Role.OWNER))

    def deactivate(self, person: Person) -> None:
        """Keep the right for the record; it lets nobody do anything."""
        self._change(replace(person, active=False))

    def _change(self, person: Person) -> None:
        values = {"new_role": int(person.role), "new_active": person.active, "new_name": person.name}
        self._session.connection.execute(_CHANGE, {"row_id": person.id, **values})


class SqlSettings:
    """The settings as this transaction found them."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._session = session
        self._settings = settings

    def current(self) -> Settings:
        return self._settings

    def currencies_in_use(self) -> frozenset[str]:
        """The currencies of customers and payments."""
        return frozenset(self._session.connection.execute(_CURRENCIES).scalars())

    def change(self, name: str, value: str) -> None:
        pending = self._session.pending
        pending.change(_NEWER, {})  # first, for it locks the book's row: two that change one setting take turns
        pending.change(_SETTING_GONE, {"of_name": name})
        pending.change(_SETTING_NEW, {"name": name, "value": value})
