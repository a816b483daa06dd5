"""Credit documents and the master account inside a write."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, cast, func, insert, select, update

from bot.domain.credits import Credit, CreditKind, CreditState, Purpose, Taken
from bot.domain.errors import NotFound
from bot.domain.master import MasterAccount
from bot.domain.master_moves import TopUp
from bot.domain.money import Currency, Money, currency
from bot.domain.open_items import Lot
from bot.storage.session import Session
from bot.storage.tables import CreditRow, CustomerRow, MasterRow, MasterTopUpRow, TakenRow

_credit = CreditRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_taken = TakenRow.__table__  # type: ignore[attr-defined]  # as above
_master = MasterRow.__table__  # type: ignore[attr-defined]  # as above
_top_up = MasterTopUpRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above

CREDITS = select(_credit)
_CREDIT = CREDITS.where(_credit.c.id == bindparam("id"))
_UNDONE = update(_credit).where(_credit.c.id == bindparam("row_id")).values(state=CreditState.UNDONE.value)
_TAKEN_BY = select(_taken).where(_taken.c.credit_id == bindparam("credit_id"), _taken.c.reverses_id.is_(None))
_BALANCE = _customer.c.deposits_micros - _customer.c.receivable_micros - _customer.c.unbilled_micros
# What customers hold of the master account, never less their debts. Rule 51.
_LIABILITY = (
    select(
        cast(
            func.coalesce(func.sum(case((_BALANCE > 0, _BALANCE), else_=0) + _customer.c.advances_micros), 0),
            BigInteger,
        )
    )
    .where(_customer.c.currency == _master.c.currency)
    .scalar_subquery()
)
MASTERS = select(_master, _LIABILITY.label("liability_micros"))
_LOCK = select(_master.c.currency).where(_master.c.currency == bindparam("code")).with_for_update()
_MASTER = MASTERS.where(_master.c.currency == bindparam("code"))
_MOVE = (
    update(_master)
    .where(_master.c.currency == bindparam("code"))
    .values(balance_micros=_master.c.balance_micros + bindparam("by_micros"))
)
_LIMIT = update(_master).where(_master.c.currency == bindparam("code")).values(limit_micros=bindparam("new_limit"))


def credit_of(row: Any) -> Credit:
    """A credit row as the domain knows it."""
    return Credit(
        id=row.id,
        number=row.number,
        kind=CreditKind(row.kind),
        customer_id=row.customer_id,
        amount=Money(row.amount_micros, currency(row.currency)),
        made_on=row.made_on,
        remark=row.remark,
        reference=row.reference,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        purpose=Purpose(row.purpose) if row.purpose else None,
        lot_id=row.lot_id,
        state=CreditState(row.state),
    )


def master_of(row: Any) -> MasterAccount:
    """A master account as the domain knows it; nothing reserves of it yet."""
    of = currency(row.currency)
    return MasterAccount(
        balance=Money(row.balance_micros, of),
        limit=Money(row.limit_micros, of),
        liability=Money(int(row.liability_micros), of),
        reserved=Money(0, of),
    )


class SqlCredits:
    """The credit documents inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, credit_id: int) -> Credit:
        row = self._session.connection.execute(_CREDIT, {"id": credit_id}).first()
        if row is None:
            raise NotFound("There is no such credit.")
        return credit_of(row)

    def insert(self, made: Credit) -> None:
        self._session.pending.add(
            "credit",
            {
                "id": made.id,
                "number": made.number,
                "kind": made.kind.value,
                "purpose": made.purpose.value if made.purpose is not None else "",
                "customer_id": made.customer_id,
                "currency": made.amount.currency.code,
                "amount_micros": made.amount.micros,
                "made_on": made.made_on,
                "remark": made.remark,
                "reference": made.reference,
                "lot_id": made.lot_id,
                "state": made.state.value,
                "recorded_at": made.recorded_at,
                "recorded_by": made.recorded_by,
            },
        )

    def take(self, made: Credit, taken: Sequence[Taken], lots: Mapping[int, Lot]) -> None:
        """What each lot gives; the guard moves its open amount."""
        for each in taken:
            self._add(made, each, lots[each.lot_id].opened_on, None)

    def give_back(self, made: Credit, on: date, entry_id: int) -> None:
        """Each lot has again what the document took of it."""
        session = self._session
        of = made.amount.currency
        for row in session.connection.execute(_TAKEN_BY, {"credit_id": made.id}).all():
            back = Taken(session.new_id(), row.lot_id, Money(-row.amount_micros, of), on, entry_id)
            self._add(made, back, row.credit_on, row.id)

    def set_undone(self, made: Credit) -> None:
        self._session.pending.change(_UNDONE, {"row_id": made.id})

    def _add(self, made: Credit, taken: Taken, credit_on: date, reverses_id: int | None) -> None:
        self._session.pending.add(
            "taken",
            {
                "id": taken.id,
                "credit_id": made.id,
                "lot_id": taken.lot_id,
                "customer_id": made.customer_id,
                "amount_micros": taken.amount.micros,
                "effective_on": taken.effective_on,
                "credit_on": credit_on,
                "reverses_id": reverses_id,
                "entry_id": taken.entry_id,
                "operation_id": self._session.operation_id,
            },
        )


class SqlMaster:
    """The master accounts inside a write; whoever hands out credit of one locks it after the customer."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, of: Currency) -> MasterAccount | None:
        """The account as it stands once nobody else moves it: the sum of what is owed is asked after the lock."""
        connection = self._session.connection
        asked = {"code": of.code}
        if connection.execute(_LOCK, asked).first() is None:
            return None
        return master_of(connection.execute(_MASTER, asked).one())

    def open(self, of: Currency) -> MasterAccount:
        connection = self._session.connection
        connection.execute(insert(_master), {"currency": of.code, "opened_at": self._session.now})
        return master_of(connection.execute(_MASTER, {"code": of.code}).one())

    def move(self, by: Money) -> None:
        self._session.pending.change(_MOVE, {"code": by.currency.code, "by_micros": by.micros})

    def set_limit(self, limit: Money) -> None:
        self._session.pending.change(_LIMIT, {"code": limit.currency.code, "new_limit": limit.micros})

    def insert(self, made: TopUp) -> None:
        self._session.pending.add(
            "master_top_up",
            {
                "id": made.id,
                "number": made.number,
                "currency": made.amount.currency.code,
                "amount_micros": made.amount.micros,
                "paid_on": made.paid_on,
                "method": made.method.value,
                "reference": made.reference,
                "remark": made.remark,
                "recorded_at": made.recorded_at,
                "recorded_by": made.recorded_by,
            },
        )
