"""Imports inside a write: many customers locked at once, what is there already, and taking an opening back whole."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, literal, select, union_all, update

from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.intake import Intake, IntakeKind, IntakeState, IntakeTotal
from bot.domain.money import Money, currency
from bot.domain.opening import Brought
from bot.storage import customers
from bot.storage.session import Session
from bot.storage.tables import (
    AllocationRow,
    AssignmentRow,
    CreditLimitRow,
    CustomerRow,
    IntakeRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    WriteOffRow,
)

_intake = IntakeRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_assignment = AssignmentRow.__table__  # type: ignore[attr-defined]  # as above
_limit = CreditLimitRow.__table__  # type: ignore[attr-defined]  # as above
_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # as above

GROUP = 1000
_ID: Any = bindparam("of_intake")
_GET = select(_intake).where(_intake.c.id == _ID).with_for_update()
STANDING = select(_intake).where(_intake.c.state != IntakeState.TAKEN_BACK.value)
_NAMED = STANDING.where(_intake.c.kind == bindparam("kind"), _intake.c.name == bindparam("name"))
_STATE = update(_intake).where(_intake.c.id == bindparam("row_id")).values(state=bindparam("new_state"))
_BY_CODE = customers.SELECT.where(_customer.c.code.in_(bindparam("codes", expanding=True)))
_LOCK_CODES = _BY_CODE.order_by(_customer.c.id).with_for_update()
_INVOICES = select(_invoice.c.number).where(_invoice.c.number.in_(bindparam("numbers", expanding=True)))
_PAYMENTS = select(_payment.c.number).where(_payment.c.number.in_(bindparam("numbers", expanding=True)))
_WALLETS = (_lot.c.intake_id == _ID, _lot.c.payment_id.is_(None))
_BALANCES = select(_lot.c.customer_id).where(*_WALLETS, _lot.c.customer_id.in_(bindparam("ids", expanding=True)))
_NEW_LIMIT = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values(limit_micros=bindparam("new_limit"), limit_ends_at=None)
)
_LIMITS = select(_limit).where(_limit.c.intake_id == _ID)
_LIMITS_OF = select(_limit).where(_limit.c.customer_id == bindparam("of_customer")).order_by(_limit.c.id)
_BETWEEN: Any = (bindparam("first_id"), bindparam("last_id"))
_VOID_INVOICES = (
    update(_invoice)
    .where(_invoice.c.intake_id == _ID, _invoice.c.customer_id.between(*_BETWEEN))
    .values(state="void", open_micros=0, number=_invoice.c.number + bindparam("mark"), version=_invoice.c.version + 1)
)
_CLOSE_LOTS = (
    update(_lot)
    .where(_lot.c.intake_id == _ID, _lot.c.customer_id.between(*_BETWEEN))
    .values(open_micros=0, closed_on=bindparam("on_day"))
)
_VOID_PAYMENTS = (
    update(_payment)
    .where(_payment.c.intake_id == _ID, _payment.c.customer_id.between(*_BETWEEN))
    .values(
        state="void",
        voided_on=bindparam("on_day"),
        customer_id=None,
        lot_id=None,
        edits=_payment.c.edits + 1,
        number=_payment.c.number + bindparam("mark"),
        version=_payment.c.version + 1,
    )
)


def intake_of(row: Row[Any]) -> Intake:
    """A row of an import as the domain knows it."""
    return Intake(
        id=row.id,
        kind=IntakeKind(row.kind),
        name=row.name,
        digest=row.digest,
        as_of=row.as_of,
        state=IntakeState(row.state),
    )


def _used() -> Any:
    """What refers to an opening's documents, each in a few words."""
    paid = literal("invoice ") + _invoice.c.number + literal(" is or was paid by ") + _lot.c.number
    of_invoices = (
        select(paid.label("used"))
        .select_from(_allocation)
        .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
        .join(_lot, _lot.c.id == _allocation.c.lot_id)
        .where(_invoice.c.intake_id == _ID, _allocation.c.reverses_id.is_(None))
    )
    pays = literal("credit ") + _lot.c.number + literal(" pays or paid ") + _invoice.c.number
    of_lots = (
        select(pays.label("used"))
        .select_from(_allocation)
        .join(_lot, _lot.c.id == _allocation.c.lot_id)
        .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
        .where(_lot.c.intake_id == _ID, _invoice.c.intake_id.is_distinct_from(_ID), _allocation.c.reverses_id.is_(None))
    )
    moved = select((literal("payment ") + _payment.c.number + literal(" was un-assigned or voided")).label("used"))
    of_payments = moved.where(_payment.c.intake_id == _ID, (_payment.c.edits != 1) | (_payment.c.state != "recorded"))
    held = select((literal("credit ") + _lot.c.number + literal(" is held or was withdrawn")).label("used"))
    whole = (_lot.c.open_micros == _lot.c.amount_micros) & (_lot.c.held_micros == 0)
    used = select(_allocation.c.lot_id).where(_allocation.c.lot_id == _lot.c.id).exists()
    of_holds = held.where(_lot.c.intake_id == _ID, ~whole, _lot.c.closed_on.is_(None), ~used)
    changed = select((literal("invoice ") + _invoice.c.number + literal(" is ") + _invoice.c.state).label("used"))
    of_states = changed.where(_invoice.c.intake_id == _ID, _invoice.c.state != "sent")
    given_up = literal("invoice ") + _invoice.c.number + literal(" is or was written off by ") + _write_off.c.number
    of_write_offs = (
        select(given_up.label("used"))
        .select_from(_write_off)
        .join(_invoice, _invoice.c.id == _write_off.c.invoice_id)
        .where(_invoice.c.intake_id == _ID, _write_off.c.number.is_not(None))
    )
    every = union_all(of_invoices, of_lots, of_payments, of_holds, of_states, of_write_offs)
    return every.order_by("used").limit(bindparam("most"))


_REFERENCES = _used()


def _sums(*, between: bool) -> Any:
    """What each customer owes and holds by an import, of all customers or of those between two ids."""

    def grouped(table: Any, owed: Any, held: Any) -> Any:
        found = select(table.c.customer_id, owed.label("owed"), held.label("held")).where(table.c.intake_id == _ID)
        if between:
            found = found.where(table.c.customer_id.between(bindparam("first_id"), bindparam("last_id")))
        return found.group_by(table.c.customer_id)

    debts = grouped(_invoice, func.sum(_invoice.c.total_micros), literal(0))
    credits_ = grouped(_lot, literal(0), func.sum(_lot.c.amount_micros))
    parts = union_all(debts, credits_).subquery("parts")
    sums = [func.sum(parts.c[name]).label(name) for name in ("owed", "held")]
    return select(parts.c.customer_id, *sums).group_by(parts.c.customer_id)


_BROUGHT = _sums(between=True)
_ALL = _sums(between=False).subquery("sums")
_NEXT_IDS = select(_customer.c.id).where(_customer.c.id > bindparam("after_id")).order_by(_customer.c.id).limit(GROUP)
_MANY = customers.SELECT.where(_customer.c.id.in_(bindparam("ids", expanding=True)))
_of_currency = (
    select(
        _customer.c.currency,
        func.sum(_ALL.c.owed).label("receivables"),
        func.sum(_ALL.c.held).label("credit"),
    )
    .join(_ALL, _ALL.c.customer_id == _customer.c.id)
    .group_by(_customer.c.currency)
)
_WALLET = (
    select(_lot.c.currency, func.sum(_lot.c.amount_micros).label("wallet")).where(*_WALLETS).group_by(_lot.c.currency)
)
_MINE = (
    select(_payment.c.id, _payment.c.customer_id, _payment.c.lot_id)
    .where(_payment.c.intake_id == _ID, _payment.c.id > bindparam("after_id"))
    .order_by(_payment.c.id)
    .limit(GROUP)
)
_TAKEN_BACK = select(func.count()).where(_intake.c.state == IntakeState.TAKEN_BACK.value)


class SqlIntakes:
    """The imports inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._customers = customers.SqlCustomers(session)

    def named(self, kind: IntakeKind, name: str) -> Intake | None:
        row = self._session.connection.execute(_NAMED, {"kind": kind.value, "name": name}).first()
        return intake_of(row) if row is not None else None

    def get(self, intake_id: int) -> Intake:
        row = self._session.connection.execute(_GET, {"of_intake": intake_id}).first()
        if row is None:
            raise NotFound("There is no such import.")
        return intake_of(row)

    def insert(self, intake: Intake) -> None:
        self._session.pending.add(
            "intake",
            {
                "id": intake.id,
                "kind": intake.kind.value,
                "name": intake.name,
                "digest": intake.digest,
                "as_of": intake.as_of,
                "state": intake.state.value,
                "begun_at": self._session.now,
                "operation_id": self._session.operation_id,
            },
        )

    def set_state(self, intake_id: int, state: IntakeState) -> None:
        self._session.pending.change(_STATE, {"row_id": intake_id, "new_state": state.value})

    def lock_customers(self, codes: Sequence[str]) -> dict[str, Customer]:
        """The customers of a batch by code, locked in the order of their ids."""
        wanted = sorted(set(codes))
        found: dict[str, Customer] = {}
        for start in range(0, len(wanted), GROUP):
            rows = self._session.connection.execute(_LOCK_CODES, {"codes": wanted[start : start + GROUP]})
            found.update({row.code: customers.from_row(row) for row in rows})
        return found

    def move_many(self, moves: Sequence[tuple[Customer, Customer]]) -> None:
        self._customers.move_many(moves)

    def set_limit(self, customer: Customer, limit: Money, intake_id: int | None) -> None:
        """A dated row, and the limit in force beside the customer."""
        self._session.pending.add(
            "credit_limit",
            {
                "id": self._session.new_id(),
                "customer_id": customer.id,
                "amount_micros": limit.micros,
                "days": None,
                "starts_at": self._session.now,
                "ends_at": None,
                "operation_id": self._session.operation_id,
                "intake_id": intake_id,
            },
        )
        self._session.pending.change(_NEW_LIMIT, {"row_id": customer.id, "new_limit": limit.micros})

    def taken_invoices(self, numbers: Sequence[str]) -> frozenset[str]:
        return self._taken(_INVOICES, numbers)

    def taken_payments(self, numbers: Sequence[str]) -> frozenset[str]:
        return self._taken(_PAYMENTS, numbers)

    def taken_balances(self, intake_id: int, customer_ids: Sequence[int]) -> frozenset[int]:
        asked = {"of_intake": intake_id, "ids": sorted(set(customer_ids))}
        return frozenset(self._session.connection.execute(_BALANCES, asked).scalars()) if customer_ids else frozenset()

    def totals(self, intake_id: int) -> Sequence[IntakeTotal]:
        """What an opening's documents come to, currency by currency."""
        connection, asked = self._session.connection, {"of_intake": intake_id}
        wallets = {row.currency: int(row.wallet) for row in connection.execute(_WALLET, asked)}
        found = []
        for row in connection.execute(_of_currency.order_by(_customer.c.currency), asked):
            of, wallet = currency(row.currency), wallets.get(row.currency, 0)
            found.append(
                IntakeTotal(
                    receivables=Money(int(row.receivables), of),
                    unapplied=Money(int(row.credit) - wallet, of),
                    wallet=Money(wallet, of),
                )
            )
        return found

    def references(self, intake_id: int, limit: int) -> Sequence[str]:
        rows = self._session.connection.execute(_REFERENCES, {"of_intake": intake_id, "most": limit})
        return list(rows.scalars())

    def brought(self, intake_id: int) -> Iterator[Sequence[Brought]]:
        """What each customer owes and holds by an opening, a group at a time; a group is written before the next."""
        connection = self._session.connection
        for first_id, last_id in self._ranges():
            asked = {"of_intake": intake_id, "first_id": first_id, "last_id": last_id}
            sums = connection.execute(_BROUGHT, asked).all()
            rows = connection.execute(_MANY, {"ids": [row.customer_id for row in sums]})
            owners = {row.id: customers.from_row(row) for row in rows}
            yield [
                Brought(
                    customer=owners[row.customer_id], receivable_micros=int(row.owed), deposits_micros=int(row.held)
                )
                for row in sums
            ]
            self._session.pending.flush(connection)

    def give_back(self, intake: Intake) -> int:
        """Make an opening's documents void, give their numbers back, and its limits return; how many documents."""
        connection = self._session.connection
        self._unassign(intake)
        mark = f"~{int(connection.execute(_TAKEN_BACK).scalar() or 0) + 1}"
        count = 0
        for first_id, last_id in self._ranges():
            mine = {"of_intake": intake.id, "first_id": first_id, "last_id": last_id}
            count += connection.execute(_VOID_INVOICES, {**mine, "mark": mark}).rowcount
            connection.execute(_VOID_PAYMENTS, {**mine, "mark": mark, "on_day": intake.as_of})
            count += connection.execute(_CLOSE_LOTS, {**mine, "on_day": intake.as_of}).rowcount
        self._return_limits(intake)
        self.set_state(intake.id, IntakeState.TAKEN_BACK)
        return int(count)

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """The customers' ids in groups, so that no statement takes as long as the whole."""
        last = 0
        while ids := self._session.connection.execute(_NEXT_IDS, {"after_id": last}).scalars().all():
            last = ids[-1]
            yield ids[0], last

    def _unassign(self, intake: Intake) -> None:
        connection, last = self._session.connection, 0
        while rows := connection.execute(_MINE, {"of_intake": intake.id, "after_id": last}).all():
            for row in rows:
                self._session.pending.add(
                    "assignment",
                    {
                        "id": self._session.new_id(),
                        "payment_id": row.id,
                        "customer_id": row.customer_id,
                        "lot_id": row.lot_id,
                        "step": "unassign",
                        "effective_on": intake.as_of,
                        "recorded_at": self._session.now,
                        "operation_id": self._session.operation_id,
                    },
                )
            last = rows[-1].id
            self._session.pending.flush(connection)

    def _return_limits(self, intake: Intake) -> None:
        """The limit before the opening's, unless another was set since."""
        connection = self._session.connection
        for mine in connection.execute(_LIMITS, {"of_intake": intake.id}).all():
            rows = connection.execute(_LIMITS_OF, {"of_customer": mine.customer_id}).all()
            if rows[-1].id != mine.id:
                continue
            before = rows[-2].amount_micros if len(rows) > 1 else 0
            owner = connection.execute(_MANY, {"ids": [mine.customer_id]}).one()
            customer = customers.from_row(owner)
            self.set_limit(customer, Money(before, customer.currency), None)

    def has_numbers_like(self, prefix: str) -> bool:
        """Whether an imported document is numbered as a series with this prefix would number."""
        for table in (_invoice, _payment):
            found = select(table.c.number).where(
                table.c.intake_id.is_not(None), func.substr(table.c.number, 1, len(prefix)) == prefix
            )
            numbers = self._session.connection.execute(found).scalars()
            if any(number[len(prefix) :].isdigit() for number in numbers):
                return True
        return False

    def _taken(self, statement: Any, numbers: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        for start in range(0, len(numbers), GROUP):
            rows = self._session.connection.execute(statement, {"numbers": list(numbers[start : start + GROUP])})
            found.update(rows.scalars())
        return frozenset(found)
