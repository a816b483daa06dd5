"""Entries, lots and allocations inside a write."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, select, update

from bot.domain.errors import NotFound
from bot.domain.ledger import Entry
from bot.domain.money import Money, currency
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, Lot, LotKind
from bot.domain.usage import usage_label
from bot.storage.session import Session
from bot.storage.tables import NEVER_OWED, AllocationRow, CreditNoteRow, InvoiceRow, LotRow, UsageDayRow

_lot = LotRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_day = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_back = _allocation.alias("back")

LOTS = select(_lot)
_LOT = LOTS.where(_lot.c.id == bindparam("id"))
_FREE = LOTS.where(_lot.c.customer_id == bindparam("customer_id"), _lot.c.open_micros > _lot.c.held_micros)
_OF_TOP_UP = LOTS.where(_lot.c.invoice_id == bindparam("invoice_id"), _lot.c.closed_on.is_(None))
_CLOSE = (
    update(_lot).where(_lot.c.id == bindparam("row_id")).values(open_micros=0, closed_on=bindparam("new_closed_on"))
)
_MATCHES = (
    select(
        _allocation,
        func.coalesce(_lot.c.number, _note.c.number).label("lot_number"),
        func.coalesce(_lot.c.currency, _note.c.currency).label("currency"),
        _invoice.c.number.label("invoice_number"),
        _day.c.used_on,
        func.coalesce(_invoice.c.open_micros, _day.c.open_micros).label("open_micros"),
        func.coalesce(_invoice.c.total_micros, _day.c.total_micros).label("total_micros"),
    )
    .outerjoin(_lot, _lot.c.id == _allocation.c.lot_id)
    .outerjoin(_note, _note.c.id == _allocation.c.credit_note_id)
    .outerjoin(_invoice, _invoice.c.id == _allocation.c.invoice_id)
    .outerjoin(_day, _day.c.id == _allocation.c.usage_day_id)
)
LIVE = (
    _MATCHES.outerjoin(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_allocation.c.reverses_id.is_(None), _back.c.id.is_(None))
    .order_by(_allocation.c.issue_on, _allocation.c.id)
)
OF_LOT = LIVE.where(_allocation.c.lot_id == bindparam("lot_id"))
OF_NOTE = LIVE.where(_allocation.c.credit_note_id == bindparam("note_id"))
OF_INVOICE = LIVE.where(_allocation.c.invoice_id == bindparam("invoice_id"))
MADE_BY = LIVE.where(_allocation.c.operation_id == bindparam("operation_id"))
TAKEN_BACK_BY = (
    _MATCHES.join(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_back.c.operation_id == bindparam("operation_id"))
    .order_by(_allocation.c.id)
)
# What an operation matched and a later one took back.
TAKEN_BACK_SINCE = (
    select(_invoice.c.number)
    .join(_allocation, _allocation.c.invoice_id == _invoice.c.id)
    .join(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_allocation.c.operation_id == bindparam("operation_id"))
    .distinct()
)
# Provisioning a proforma takes back what it was paid with and matches it again.
REMATCHED = (
    select(_invoice.c.number)
    .join(_allocation, _allocation.c.invoice_id == _invoice.c.id)
    .join(_back, _back.c.reverses_id == _allocation.c.id)
    .where(_allocation.c.operation_id == bindparam("operation_id"), _allocation.c.advance, _invoice.c.kind == "tax")
    .distinct()
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
        invoice_id=row.invoice_id,
        closed_on=row.closed_on,
    )


def allocation_of(row: Any) -> Allocation:
    of = currency(row.currency)
    is_usage, is_note = row.usage_day_id is not None, row.credit_note_id is not None
    return Allocation(
        id=row.id,
        customer_id=row.customer_id,
        lot_id=row.credit_note_id if is_note else row.lot_id,
        lot_number=row.lot_number,
        invoice_id=row.usage_day_id if is_usage else row.invoice_id,
        invoice_number=usage_label(row.used_on) if is_usage else row.invoice_number,
        due_on=row.due_on,
        amount=Money(row.amount_micros, of),
        effective_on=row.effective_on,
        entry_id=row.entry_id,
        automatic=row.automatic,
        invoice_open=Money(row.open_micros, of),
        invoice_total=Money(row.total_micros, of),
        is_usage=is_usage,
        is_note=is_note,
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

    def of_top_up(self, invoice_id: int) -> Lot | None:
        """The credit that a top-up invoice opened, unless it was taken back."""
        row = self._session.connection.execute(_OF_TOP_UP, {"invoice_id": invoice_id}).first()
        return lot_of(row) if row is not None else None

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
                "invoice_id": lot.invoice_id,
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

    def of_note(self, note_id: int) -> tuple[Allocation, ...]:
        return tuple(allocation_of(row) for row in self._session.connection.execute(OF_NOTE, {"note_id": note_id}))

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
                "lot_id": None if allocation.is_note else allocation.lot_id,
                "credit_note_id": allocation.lot_id if allocation.is_note else None,
                "invoice_id": None if allocation.is_usage else allocation.invoice_id,
                "usage_day_id": allocation.invoice_id if allocation.is_usage else None,
                "amount_micros": -allocation.amount.micros if back else allocation.amount.micros,
                "effective_on": allocation.effective_on,
                "recorded_at": self._session.now,
                "issue_on": invoice.issue_on,
                "due_on": invoice.due_on,
                "posted_on": invoice.posted_on if invoice.is_owed else NEVER_OWED,
                "credit_on": lot.opened_on,
                "automatic": allocation.automatic,
                "advance": invoice.kind is InvoiceKind.PROFORMA,
                "reverses_id": allocation.reverses,
                "entry_id": allocation.entry_id,
                "operation_id": self._session.operation_id,
            },
        )
