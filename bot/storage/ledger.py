"""Entries, lots and allocations inside a write."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, select, update

from bot.domain.errors import NotFound
from bot.domain.ledger import Entry
from bot.domain.money import Money, currency
from bot.domain.open_items import Allocation, Invoice, Lot, LotKind
from bot.storage.session import Session
from bot.storage.tables import AllocationRow, InvoiceRow, LotRow

_lot = LotRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_back = _allocation.alias("back")

LOTS = select(_lot)
_LOT = LOTS.where(_lot.c.id == bindparam("id"))
_FREE = LOTS.where(_lot.c.customer_id == bindparam("customer_id"), _lot.c.open_micros > _lot.c.held_micros)
_CLOSE = (
    update(_lot).where(_lot.c.id == bindparam("row_id")).values(open_micros=0, closed_on=bindparam("new_closed_on"))
)
LIVE = (
    select(
        _allocation,
        _lot.c.number.label("lot_number"),
        _lot.c.currency,
        _invoice.c.number.label("invoice_number"),
        _invoice.c.open_micros,
        _invoice.c.total_micros,
    )
    .join(_lot, _lot.c.id == _allocation.c.lot_id)
    .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
    .outerjoin(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_allocation.c.reverses_id.is_(None), _back.c.id.is_(None))
    .order_by(_allocation.c.issue_on, _allocation.c.id)
)
OF_LOT = LIVE.where(_allocation.c.lot_id == bindparam("lot_id"))
OF_INVOICE = LIVE.where(_allocation.c.invoice_id == bindparam("invoice_id"))
MADE_BY = LIVE.where(_allocation.c.operation_id == bindparam("operation_id"))
TAKEN_BACK_BY = (
    select(
        _allocation,
        _lot.c.number.label("lot_number"),
        _lot.c.currency,
        _invoice.c.number.label("invoice_number"),
        _invoice.c.open_micros,
        _invoice.c.total_micros,
    )
    .join(_lot, _lot.c.id == _allocation.c.lot_id)
    .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
    .join(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_back.c.operation_id == bindparam("operation_id"))
    .order_by(_allocation.c.id)
)


def lot_of(row: Any) -> Lot:
    of = currency(row.currency)
    return Lot(
        id=row.id,
        customer_id=row.customer_id,
        kind=LotKind(row.kind),
        number=row.number,
        amount=Money(row.amount_micros, of),
        open=Money(row.open_micros, of),
        held=Money(row.held_micros, of),
        opened_on=row.opened_on,
        rose_on=row.rose_on,
        payment_id=row.payment_id,
        suspense_on=row.suspense_on,
        intake_id=row.intake_id,
    )


def allocation_of(row: Any) -> Allocation:
    of = currency(row.currency)
    return Allocation(
        id=row.id,
        customer_id=row.customer_id,
        lot_id=row.lot_id,
        lot_number=row.lot_number,
        invoice_id=row.invoice_id,
        invoice_number=row.invoice_number,
        due_on=row.due_on,
        amount=Money(row.amount_micros, of),
        effective_on=row.effective_on,
        entry_id=row.entry_id,
        automatic=row.automatic,
        invoice_open=Money(row.open_micros, of),
        invoice_total=Money(row.total_micros, of),
    )


class SqlLedger:
    """Posts entries; nothing else writes them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def post(self, entry: Entry) -> int:
        entry_id = self._session.new_id()
        pending = self._session.pending
        for posting in entry.postings:
            pending.add(
                "posting",
                {
                    "id": self._session.new_id(),
                    "entry_id": entry_id,
                    "account": posting.account.value,
                    "detail": posting.detail,
                    "customer_id": posting.customer_id,
                    "amount_micros": posting.amount_micros,
                },
            )
        pending.add(
            "entry",
            {
                "id": entry_id,
                "kind": entry.kind,
                "currency": entry.currency.code,
                "effective_on": entry.effective_on,
                "recorded_at": self._session.now,
                "reverses_id": entry.reverses,
                "operation_id": self._session.operation_id,
            },
        )
        return entry_id


class SqlLots:
    """The credit lots of deposits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, lot_id: int) -> Lot:
        row = self._session.connection.execute(_LOT, {"id": lot_id}).first()
        if row is None:
            raise NotFound("There is no such credit.")
        return lot_of(row)

    def free(self, customer_id: int) -> Sequence[Lot]:
        return [lot_of(row) for row in self._session.connection.execute(_FREE, {"customer_id": customer_id})]

    def insert(self, lot: Lot) -> None:
        self._session.pending.add(
            "lot",
            {
                "id": lot.id,
                "customer_id": lot.customer_id,
                "kind": lot.kind.value,
                "number": lot.number,
                "currency": lot.amount.currency.code,
                "amount_micros": lot.amount.micros,
                "open_micros": lot.amount.micros,
                "held_micros": 0,
                "opened_on": lot.opened_on,
                "rose_on": lot.rose_on,
                "payment_id": lot.payment_id,
                "suspense_on": lot.suspense_on,
                "intake_id": lot.intake_id,
            },
        )

    def close(self, lot: Lot, on: date) -> None:
        self._session.pending.change(_CLOSE, {"row_id": lot.id, "new_closed_on": on})


class SqlAllocations:
    """Matches of credits to debits."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def of_lot(self, lot_id: int) -> tuple[Allocation, ...]:
        return tuple(allocation_of(row) for row in self._session.connection.execute(OF_LOT, {"lot_id": lot_id}))

    def of_invoice(self, invoice_id: int) -> tuple[Allocation, ...]:
        rows = self._session.connection.execute(OF_INVOICE, {"invoice_id": invoice_id})
        return tuple(allocation_of(row) for row in rows)

    def insert(self, allocation: Allocation, lot: Lot, invoice: Invoice) -> None:
        """Write a match, or, when it reverses one, its taking back; the guard moves both open amounts."""
        back = allocation.reverses is not None
        self._session.pending.add(
            "allocation",
            {
                "id": allocation.id,
                "customer_id": allocation.customer_id,
                "lot_id": allocation.lot_id,
                "invoice_id": allocation.invoice_id,
                "amount_micros": -allocation.amount.micros if back else allocation.amount.micros,
                "effective_on": allocation.effective_on,
                "recorded_at": self._session.now,
                "issue_on": invoice.issue_on,
                "due_on": invoice.due_on,
                "posted_on": invoice.posted_on,
                "credit_on": lot.opened_on,
                "automatic": allocation.automatic,
                "reverses_id": allocation.reverses,
                "entry_id": allocation.entry_id,
                "operation_id": self._session.operation_id,
            },
        )
