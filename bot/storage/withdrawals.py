"""Withdrawals inside a write. These are done at once: credit that is released has to be seen by the sweep that follows,
and what is taken from a lot by the guard.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, cast, func, insert, or_, select, update

from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.ports import Page
from bot.domain.withdrawals import (
    WITHDRAWABLE,
    Gateway,
    Portion,
    Withdrawal,
    WithdrawalFile,
    WithdrawalState,
)
from bot.storage.ageing import batches_of
from bot.storage.approvals import find_approval
from bot.storage.customers import folded
from bot.storage.naming import is_named
from bot.storage.session import Session
from bot.storage.tables import ApprovalRow, CustomerRow, HoldLotRow, HoldRow, LotRow, WithdrawalRow, WithdrawnRow

_approval = ApprovalRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_withdrawal = WithdrawalRow.__table__  # type: ignore[attr-defined]  # as above
_withdrawn = WithdrawnRow.__table__  # type: ignore[attr-defined]  # as above
_hold = HoldRow.__table__  # type: ignore[attr-defined]  # as above
_hold_lot = HoldLotRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above

MOST_EARLIER = 3

_ABOUT = (_approval.c.document_kind == "withdrawal") & (_approval.c.document_id == _withdrawal.c.id)
WITHDRAWALS = select(_withdrawal, _approval.c.id.label("approval_id")).outerjoin(_approval, _ABOUT)
_WITHDRAWAL = WITHDRAWALS.where(_withdrawal.c.id == bindparam("id"))
_LOTS_OF = select(_hold_lot.c.lot_id, _hold_lot.c.amount_micros, _lot.c.opened_on).join(
    _lot, _lot.c.id == _hold_lot.c.lot_id
)


def withdrawal_of(row: Any) -> Withdrawal:
    """A withdrawal row as the domain knows it."""
    return Withdrawal(
        id=row.id,
        number=row.number,
        customer_id=row.customer_id,
        amount=Money(row.amount_micros, currency(row.currency)),
        gateway=Gateway(row.gateway),
        details=row.details,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        approval_id=row.approval_id or 0,
        state=WithdrawalState(row.state),
        executed_on=row.executed_on,
        paid_on=row.paid_on,
        reference=row.reference,
    )


class SqlWithdrawals:
    """The withdrawals inside a write, with the credit they hold; a withdrawal's hold has its id. Whoever changes one
    locks its customer first.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, withdrawal_id: int) -> Withdrawal:
        row = self._session.connection.execute(_WITHDRAWAL, {"id": withdrawal_id}).first()
        if row is None:
            raise NotFound("There is no such withdrawal.", field="withdrawal")
        return withdrawal_of(row)

    def insert(self, made: Withdrawal) -> None:
        self._session.connection.execute(
            insert(_withdrawal),
            {
                "id": made.id,
                "number": made.number,
                "customer_id": made.customer_id,
                "amount_micros": made.amount.micros,
                "currency": made.amount.currency.code,
                "gateway": made.gateway.value,
                "details": made.details,
                "reason": made.reason,
                "requested_by": made.requested_by,
                "requested_at": made.requested_at,
                "state": made.state.value,
                "executed_on": None,
                "paid_on": None,
                "reference": "",
            },
        )

    def update(self, made: Withdrawal) -> None:
        self._session.connection.execute(
            update(_withdrawal)
            .where(_withdrawal.c.id == made.id)
            .values(
                state=made.state.value,
                executed_on=made.executed_on,
                paid_on=made.paid_on,
                reference=made.reference,
            )
        )

    def reserve(self, made: Withdrawal, portions: Sequence[Portion]) -> None:
        """Hold the lots; nothing else takes of them what is held."""
        session = self._session
        session.connection.execute(
            insert(_hold),
            {
                "id": made.id,
                "customer_id": made.customer_id,
                "amount_micros": made.amount.micros,
                "document": made.number,
                "state": "open",
                "recorded_at": session.now,
                "operation_id": session.operation_id,
            },
        )
        session.connection.execute(
            insert(_hold_lot),
            [
                {"id": session.new_id(), "hold_id": made.id, "lot_id": each.lot.id, "amount_micros": each.amount.micros}
                for each in portions
            ],
        )
        for each in portions:
            self._hold(each.lot.id, each.amount.micros)

    def release(self, made: Withdrawal) -> None:
        """Give back what is held."""
        self._close_hold(made, "released")
        for row in self._lots(made):
            self._hold(row.lot_id, -row.amount_micros)
        self.update(made)

    def consume(self, made: Withdrawal, on: date, entry_id: int) -> None:
        """Take what is held out of the lots."""
        session = self._session
        session.connection.execute(
            insert(_withdrawn),
            [
                {
                    "id": session.new_id(),
                    "withdrawal_id": made.id,
                    "lot_id": row.lot_id,
                    "customer_id": made.customer_id,
                    "amount_micros": row.amount_micros,
                    "effective_on": on,
                    "credit_on": row.opened_on,
                    "entry_id": entry_id,
                    "operation_id": session.operation_id,
                }
                for row in self._lots(made)
            ],
        )
        self._close_hold(made, "consumed")
        self.update(made)

    def _lots(self, made: Withdrawal) -> Sequence[Any]:
        return self._session.connection.execute(_LOTS_OF.where(_hold_lot.c.hold_id == made.id)).all()

    def _hold(self, lot_id: int, by_micros: int) -> None:
        self._session.connection.execute(
            update(_lot).where(_lot.c.id == lot_id).values(held_micros=_lot.c.held_micros + by_micros)
        )

    def _close_hold(self, made: Withdrawal, state: str) -> None:
        self._session.connection.execute(
            update(_hold).where(_hold.c.id == made.id, _hold.c.state == "open").values(state=state)
        )


def find_withdrawal(connection: Connection, number_or_id: str) -> Withdrawal | None:
    """A withdrawal by its number or id."""
    row = connection.execute(WITHDRAWALS.where(is_named(_withdrawal, number_or_id))).first()
    return withdrawal_of(row) if row is not None else None


def each_withdrawal(connection: Connection, page: Page) -> Iterator[tuple[Withdrawal, str]]:
    """The newest first, each with its customer's name; a long list is never in memory as a whole."""
    statement = WITHDRAWALS.add_columns(_customer.c.name.label("customer_name")).join(
        _customer, _customer.c.id == _withdrawal.c.customer_id
    )
    if page.state:
        statement = statement.where(_withdrawal.c.state == page.state)
    if page.text:
        statement = statement.where(
            or_(
                _withdrawal.c.number == page.text.upper(),
                _customer.c.code == page.text.upper(),
                _customer.c.search_name.contains(folded(page.text), autoescape=True),
            )
        )
    newest = statement.order_by(_withdrawal.c.id.desc()).limit(page.limit).offset(page.offset)
    for row in connection.execute(newest, execution_options=batches_of(page.limit)):
        yield withdrawal_of(row), row.customer_name


def withdrawal_file(connection: Connection, withdrawal_id: int, customer: Customer) -> WithdrawalFile:
    """All that a withdrawal's card shows: the evidence as it stands now."""
    made = withdrawal_of(connection.execute(_WITHDRAWAL, {"id": withdrawal_id}).one())
    lots = connection.execute(
        _LOTS_OF.add_columns(_lot.c.number).where(_hold_lot.c.hold_id == made.id).order_by(_lot.c.opened_on, _lot.c.id)
    )
    paid_in = select(cast(func.coalesce(func.sum(_lot.c.open_micros), 0), BigInteger)).where(
        _lot.c.customer_id == made.customer_id, _lot.c.kind.in_([each.value for each in WITHDRAWABLE])
    )
    earlier = WITHDRAWALS.where(
        _withdrawal.c.customer_id == made.customer_id,
        _withdrawal.c.id < made.id,
        _withdrawal.c.state.in_(("approved", "paid")),
    )
    of = made.amount.currency
    return WithdrawalFile(
        withdrawal=made,
        customer=customer,
        approval=find_approval(connection, made.approval_id),
        lots=tuple((row.number, row.opened_on, Money(row.amount_micros, of)) for row in lots),
        paid_in_left=Money(int(connection.execute(paid_in).scalar() or 0), of),
        earlier=tuple(
            withdrawal_of(row)
            for row in connection.execute(earlier.order_by(_withdrawal.c.id.desc()).limit(MOST_EARLIER))
        ),
    )
