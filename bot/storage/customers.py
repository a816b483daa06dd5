"""Customers and their contacts."""

import unicodedata
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, or_, select, update

from bot.domain.customers import Contact, Controls, Customer, CustomerState, Mode, Month
from bot.domain.errors import NotFound
from bot.domain.money import currency
from bot.domain.ports import Identity
from bot.storage.session import Session
from bot.storage.tables import ContactRow, CustomerRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_contact = ContactRow.__table__  # type: ignore[attr-defined]  # as above
COLUMNS = tuple(column for column in _customer.c if column.name != "search_name")
SELECT = select(*COLUMNS)
_LOCK = SELECT.where(_customer.c.id == bindparam("id")).with_for_update()
_TAKEN = select(_customer.c.code, _customer.c.uuid, _customer.c.wallet_id).where(
    or_(
        _customer.c.code == bindparam("code"),
        _customer.c.uuid == bindparam("uuid"),
        _customer.c.wallet_id == bindparam("wallet_id"),
    )
)
_CONTROLS = ("deposits", "advances", "credit_notes", "receivable", "unbilled", "payouts_due", "reserved")
_MOVE = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values(
        {f"{name}_micros": _customer.c[f"{name}_micros"] + bindparam(f"by_{name}") for name in _CONTROLS}
        | {name: bindparam(f"new_{name}") for name in ("month_starts_on", "month_ends_at", "month_micros")}
    )
)
_NAMES = ("code", "name", "due_days", "billing_name", "country", "zone", "version")
_UPDATE = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in (*_NAMES, "search_name")})
)
_STATE = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values(state=bindparam("new_state"), version=bindparam("new_version"))
)
_CONTACTS = select(_contact).where(_contact.c.customer_id == bindparam("of_customer")).order_by(_contact.c.id)
_CONTACTS_GONE = delete(_contact).where(_contact.c.customer_id == bindparam("of_customer"))
_CONTACT_NEW = insert(_contact)


def folded(text: str) -> str:
    """A name as searches compare it: no accents, no case."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()[:200]


def from_row(row: Row[Any]) -> Customer:
    """A customer row as the domain knows it."""
    return Customer(
        id=row.id,
        code=row.code,
        name=row.name,
        uuid=row.uuid,
        wallet_id=row.wallet_id,
        currency=currency(row.currency),
        mode=Mode(row.mode),
        due_days=row.due_days,
        state=CustomerState(row.state),
        billing_name=row.billing_name,
        country=row.country,
        zone=row.zone,
        limit_micros=row.limit_micros,
        limit_ends_at=row.limit_ends_at,
        month=_month(row.month_starts_on, row.month_ends_at),
        month_micros=row.month_micros,
        controls=Controls(
            deposits=row.deposits_micros,
            advances=row.advances_micros,
            credit_notes=row.credit_notes_micros,
            receivable=row.receivable_micros,
            unbilled=row.unbilled_micros,
            payouts_due=row.payouts_due_micros,
            reserved=row.reserved_micros,
        ),
        version=row.version,
        top_up_at_micros=row.top_up_at_micros,
    )


def _month(starts_on: date | None, ends_at: datetime | None) -> Month | None:
    return Month(starts_on=starts_on, ends_at=ends_at) if starts_on is not None and ends_at is not None else None


def _moved(before: Customer, after: Customer) -> dict[str, Any]:
    """By how much each control account moves, and what is unbilled of the month now."""
    month = after.month
    return {
        **{f"by_{name}": getattr(after.controls, name) - getattr(before.controls, name) for name in _CONTROLS},
        "new_month_starts_on": month.starts_on if month is not None else None,
        "new_month_ends_at": month.ends_at if month is not None else None,
        "new_month_micros": after.month_micros,
    }


def contacts_of(connection: Connection, customer_id: int) -> tuple[Contact, ...]:
    """A customer's contacts in the order in which they were typed."""
    rows = connection.execute(_CONTACTS, {"of_customer": customer_id})
    return tuple(Contact(name=row.name, email=row.email, phone=row.phone) for row in rows)


class SqlCustomers:
    """The customers inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, customer_id: int) -> Customer:
        row = self._session.connection.execute(_LOCK, {"id": customer_id}).first()
        if row is None:
            raise NotFound("There is no such customer.", field="customer")
        return from_row(row)

    def taken(self, *, code: str, uuid: str, wallet_id: str) -> str | None:
        row = self._session.connection.execute(
            _TAKEN, {"code": code, "uuid": uuid or "-", "wallet_id": wallet_id or "-"}
        ).first()
        if row is None:
            return None
        return "code" if row.code == code else "UUID" if row.uuid == uuid else "wallet ID"

    def new_identity(self) -> Identity:
        made = self._session.new_id()
        return Identity(made, str(uuid.uuid4()), f"W-{made % 10**12:012d}")

    def contacts(self, customer_id: int) -> tuple[Contact, ...]:
        return contacts_of(self._session.connection, customer_id)

    def insert(self, customer: Customer, contacts: Sequence[Contact]) -> None:
        self._session.pending.add(
            "customer",
            {
                "id": customer.id,
                "code": customer.code,
                "name": customer.name,
                "search_name": folded(customer.name),
                "uuid": customer.uuid,
                "wallet_id": customer.wallet_id,
                "currency": customer.currency.code,
                "mode": customer.mode.value,
                "due_days": customer.due_days,
                "state": customer.state.value,
                "billing_name": customer.billing_name,
                "country": customer.country,
                "zone": customer.zone,
            },
        )
        for contact in contacts:
            self._session.pending.add("contact", self._contact(customer.id, contact))

    def update(self, customer: Customer, contacts: Sequence[Contact]) -> None:
        values = {f"new_{name}": getattr(customer, name) for name in _NAMES}
        values |= {"row_id": customer.id, "new_search_name": folded(customer.name)}
        self._session.pending.change(_UPDATE, values)
        self._session.pending.change(_CONTACTS_GONE, {"of_customer": customer.id})
        for contact in contacts:
            self._session.pending.change(_CONTACT_NEW, self._contact(customer.id, contact))

    def set_state(self, customer: Customer) -> None:
        values = {"row_id": customer.id, "new_state": customer.state.value, "new_version": customer.version}
        self._session.pending.change(_STATE, values)

    def move(self, before: Customer, after: Customer) -> None:
        """Move the control accounts by what this operation posted."""
        if before != after:
            self._session.pending.change(_MOVE, {"row_id": after.id, **_moved(before, after)})

    def move_many(self, moves: Sequence[tuple[Customer, Customer]]) -> None:
        """Move the control accounts of many customers by one statement."""
        values = [{"row_id": after.id, **_moved(before, after)} for before, after in moves]
        if values:
            self._session.pending.change(_MOVE, values)

    def _contact(self, customer_id: int, contact: Contact) -> dict[str, Any]:
        return {
            "id": self._session.new_id(),
            "customer_id": customer_id,
            "name": contact.name,
            "email": contact.email,
            "phone": contact.phone,
        }
