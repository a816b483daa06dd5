"""Disputes and promises inside a write, and how their rows read."""

from typing import Any

from sqlalchemy import bindparam, select, update

from bot.domain.disputes import Dispute, DisputeStep
from bot.domain.money import Money, currency
from bot.domain.promises import Promise
from bot.storage.session import Session
from bot.storage.tables import DisputeRow, InvoiceRow, PromiseRow

_dispute = DisputeRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_promise = PromiseRow.__table__  # type: ignore[attr-defined]  # as above

DISPUTES = select(_dispute)
_NEWEST = DISPUTES.where(_dispute.c.invoice_id == bindparam("invoice_id")).order_by(_dispute.c.id.desc()).limit(1)
_FLAG = update(_invoice).where(_invoice.c.id == bindparam("row_id")).values(disputed=bindparam("new_disputed"))
_MINE = select(_promise).where(_promise.c.customer_id == bindparam("customer_id"), _promise.c.ended_at.is_(None))
_END = (
    update(_promise)
    .where(_promise.c.id == bindparam("row_id"))
    .values(ended_at=bindparam("new_ended_at"), ended_by=bindparam("new_ended_by"))
)


def dispute_of(row: Any) -> Dispute:
    """A step of a dispute as the domain knows it."""
    return Dispute(
        id=row.id,
        invoice_id=row.invoice_id,
        customer_id=row.customer_id,
        step=DisputeStep(row.step),
        reason=row.reason,
        person=row.person,
        at=row.recorded_at,
        on=row.recorded_on,
    )


def promise_of(row: Any) -> Promise:
    """A promise as the domain knows it."""
    return Promise(
        id=row.id,
        customer_id=row.customer_id,
        invoice_id=row.invoice_id,
        amount=Money(row.amount_micros, currency(row.currency)),
        promised_on=row.promised_on,
        logged_by=row.logged_by,
        logged_at=row.logged_at,
        logged_on=row.logged_on,
        source=row.source,
    )


class SqlDisputes:
    """The disputes inside a write; whoever opens or resolves one locks its customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def newest(self, invoice_id: int) -> Dispute | None:
        row = self._session.connection.execute(_NEWEST, {"invoice_id": invoice_id}).first()
        return dispute_of(row) if row is not None else None

    def insert(self, made: Dispute) -> None:
        """A step, and the invoice's flag with it."""
        session = self._session
        session.pending.add(
            "dispute",
            {
                "id": made.id,
                "invoice_id": made.invoice_id,
                "customer_id": made.customer_id,
                "step": made.step.value,
                "reason": made.reason,
                "person": made.person,
                "recorded_at": made.at,
                "recorded_on": made.on,
                "operation_id": session.operation_id,
            },
        )
        session.pending.change(_FLAG, {"row_id": made.invoice_id, "new_disputed": made.step is DisputeStep.OPENED})


class SqlPromises:
    """The promises inside a write; whoever logs or ends one locks its customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def standing(self, customer_id: int, invoice_id: int | None) -> Promise | None:
        """The promise in force about an invoice, or about all that a customer owes."""
        about = _promise.c.invoice_id.is_(None) if invoice_id is None else _promise.c.invoice_id == invoice_id
        row = self._session.connection.execute(_MINE.where(about), {"customer_id": customer_id}).first()
        return promise_of(row) if row is not None else None

    def insert(self, made: Promise) -> None:
        self._session.pending.add(
            "promise",
            {
                "id": made.id,
                "customer_id": made.customer_id,
                "invoice_id": made.invoice_id,
                "currency": made.amount.currency.code,
                "amount_micros": made.amount.micros,
                "promised_on": made.promised_on,
                "source": made.source,
                "logged_by": made.logged_by,
                "logged_at": made.logged_at,
                "logged_on": made.logged_on,
                "ended_at": None,
                "ended_by": None,
            },
        )

    def end(self, promise: Promise, person: str) -> None:
        values = {"row_id": promise.id, "new_ended_at": self._session.now, "new_ended_by": person}
        self._session.pending.change(_END, values)
