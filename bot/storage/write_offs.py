"""Write-offs inside a write, and how their rows read."""

from datetime import date
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from bot.domain.dispute_ports import WrittenOff
from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.open_items import Invoice
from bot.domain.write_off import WriteOff, WriteOffState
from bot.storage.session import Session
from bot.storage.tables import WriteOffRow, WrittenOffRow

_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_row = WrittenOffRow.__table__  # type: ignore[attr-defined]  # as above

WRITE_OFFS = select(_write_off)
_ONE = WRITE_OFFS.where(_write_off.c.id == bindparam("id"))
_WAITING = WRITE_OFFS.where(
    _write_off.c.invoice_id == bindparam("invoice_id"), _write_off.c.state == WriteOffState.REQUESTED.value
)
_MADE_BY = select(_row).where(_row.c.write_off_id == bindparam("write_off_id"), _row.c.reverses_id.is_(None))
_CHANGE = (
    update(_write_off)
    .where(_write_off.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in ("number", "state", "made_on", "undone_on")})
)


def write_off_of(row: Any) -> WriteOff:
    """A write-off as the domain knows it."""
    return WriteOff(
        id=row.id,
        number=row.number,
        draft_reference=row.draft_reference,
        customer_id=row.customer_id,
        invoice_id=row.invoice_id,
        amount=Money(row.amount_micros, currency(row.currency)),
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=WriteOffState(row.state),
        made_on=row.made_on,
        undone_on=row.undone_on,
    )


class SqlWriteOffs:
    """The write-offs inside a write; whoever changes one locks its customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, write_off_id: int) -> WriteOff:
        row = self._session.connection.execute(_ONE, {"id": write_off_id}).first()
        if row is None:
            raise NotFound("There is no such write-off.")
        return write_off_of(row)

    def waiting_of(self, invoice_id: int) -> WriteOff | None:
        row = self._session.connection.execute(_WAITING, {"invoice_id": invoice_id}).first()
        return write_off_of(row) if row is not None else None

    def made_by(self, write_off_id: int) -> WrittenOff:
        """What a write-off took off its invoice."""
        row = self._session.connection.execute(_MADE_BY, {"write_off_id": write_off_id}).one()
        amount = Money(row.amount_micros, self.get(write_off_id).amount.currency)
        return WrittenOff(id=row.id, amount=amount, effective_on=row.effective_on, entry_id=row.entry_id)

    def insert(self, made: WriteOff) -> None:
        """A request is written at once: the approval that is asked for with it reads what it is about."""
        self._session.connection.execute(
            insert(_write_off),
            {
                "id": made.id,
                "number": None,
                "draft_reference": made.draft_reference,
                "customer_id": made.customer_id,
                "invoice_id": made.invoice_id,
                "currency": made.amount.currency.code,
                "amount_micros": made.amount.micros,
                "reason": made.reason,
                "requested_by": made.requested_by,
                "requested_at": made.requested_at,
                "state": made.state.value,
                "made_on": None,
                "undone_on": None,
            },
        )

    def make(self, made: WriteOff, invoice: Invoice, entry_id: int) -> None:
        """Take the amount off the invoice; the guard moves it."""
        assert made.made_on is not None
        self.close(made)
        self._add(made, invoice, made.amount.micros, made.made_on, entry_id, None)

    def reverse(self, made: WriteOff, before: WrittenOff, invoice: Invoice, on: date, entry_id: int) -> None:
        """Give it back by a row of its own; the guard makes the invoice owed again."""
        self.close(made)
        self._add(made, invoice, -before.amount.micros, on, entry_id, before.id)

    def close(self, made: WriteOff) -> None:
        names = ("number", "made_on", "undone_on")
        values = {f"new_{name}": getattr(made, name) for name in names} | {"new_state": made.state.value}
        self._session.connection.execute(_CHANGE, {"row_id": made.id, **values})

    def _add(
        self, made: WriteOff, invoice: Invoice, micros: int, on: date, entry_id: int, reverses_id: int | None
    ) -> None:
        session = self._session
        session.pending.add(
            "written_off",
            {
                "id": session.new_id(),
                "write_off_id": made.id,
                "invoice_id": invoice.id,
                "customer_id": made.customer_id,
                "amount_micros": micros,
                "effective_on": on,
                "issue_on": invoice.issue_on,
                "due_on": invoice.due_on,
                "posted_on": invoice.posted_on,
                "reverses_id": reverses_id,
                "entry_id": entry_id,
                "operation_id": session.operation_id,
            },
        )
