"""The entries behind one document: what its own operations posted, and each match it takes part in, whoever made it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, literal, null, or_, select, union_all

from bot.domain.ledger import Account
from bot.domain.money import Money, currency
from bot.domain.ports import EntryLine
from bot.storage.tables import (
    AllocationRow,
    AuditRow,
    CreditNoteRow,
    EntryRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PostingRow,
    WriteOffRow,
    WrittenOffRow,
)

_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # as above
_written_off = WrittenOffRow.__table__  # type: ignore[attr-defined]  # as above

_MATCHES = (
    select(
        _allocation.c.entry_id,
        _payment.c.id.label("payment_id"),
        func.coalesce(_payment.c.number, _note.c.number, _lot.c.number).label("payment"),
        _invoice.c.id.label("invoice_id"),
        func.coalesce(_invoice.c.number, literal("usage")).label("invoice"),
    )
    .outerjoin(_lot, _lot.c.id == _allocation.c.lot_id)
    .outerjoin(_note, _note.c.id == _allocation.c.credit_note_id)
    .outerjoin(_invoice, _invoice.c.id == _allocation.c.invoice_id)
    .outerjoin(_payment, _payment.c.id == _lot.c.payment_id)
)
_GIVEN_UP = (
    select(
        _written_off.c.entry_id,
        null().label("payment_id"),
        _write_off.c.number.label("payment"),
        _written_off.c.invoice_id,
        _invoice.c.number.label("invoice"),
    )
    .join(_write_off, _write_off.c.id == _written_off.c.write_off_id)
    .join(_invoice, _invoice.c.id == _written_off.c.invoice_id)
)
_MATCHED = union_all(_MATCHES, _GIVEN_UP).subquery()


def of_payment(connection: Connection, payment_id: int) -> Sequence[EntryLine]:
    """A payment's entries in the order they were made; matches name the invoice."""
    return _lines(connection, "payment", payment_id, _MATCHED.c.payment_id, _MATCHED.c.invoice)


def of_invoice(connection: Connection, invoice_id: int) -> Sequence[EntryLine]:
    """An invoice's entries in the order they were made; matches name the payment, the credit note or the
    write-off.
    """
    return _lines(connection, "invoice", invoice_id, _MATCHED.c.invoice_id, _MATCHED.c.payment)


def _lines(connection: Connection, kind: str, document_id: int, mine: Any, other: Any) -> Sequence[EntryLine]:
    """A match belongs to its two documents, not to the operation that made it: a sweep makes those of others."""
    own = (_audit.c.document_kind == kind) & (_audit.c.document_id == document_id) & _MATCHED.c.entry_id.is_(None)
    statement: Select[Any] = (
        select(
            _entry.c.id,
            _entry.c.kind,
            _entry.c.effective_on,
            _entry.c.currency,
            _posting.c.account,
            _posting.c.detail,
            _posting.c.amount_micros,
            other.label("other"),
        )
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .join(_audit, _audit.c.id == _entry.c.operation_id)
        .outerjoin(_MATCHED, _MATCHED.c.entry_id == _entry.c.id)
        .where(or_(own, mine == document_id))
        .order_by(_entry.c.id, _posting.c.amount_micros.desc(), _posting.c.id)
    )
    return [
        EntryLine(
            entry_id=row.id,
            kind=row.kind,
            effective_on=row.effective_on,
            account=Account(row.account),
            detail=row.detail,
            amount=Money(row.amount_micros, currency(row.currency)),
            other=row.other or "",
        )
        for row in connection.execute(statement)
    ]
