"""Payments inside a write."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.payments import Method, Payment, PaymentState
from bot.domain.proofs import Proof
from bot.storage.faults import Overtaken
from bot.storage.ids import rise_above
from bot.storage.session import Session
from bot.storage.tables import AssignmentRow, AuditRow, PaymentRow, ProofRow

_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_proof = ProofRow.__table__  # type: ignore[attr-defined]  # as above
_assignment = AssignmentRow.__table__  # type: ignore[attr-defined]  # as above
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above

PAYMENTS = select(_payment)
_PAYMENT_LOCK = PAYMENTS.where(_payment.c.id == bindparam("id")).with_for_update()
_LATER_ID = (
    select(_audit.c.id)
    .where(
        _audit.c.id > bindparam("operation_id"),
        _audit.c.document_kind == "payment",
        _audit.c.document_id == bindparam("payment_id"),
    )
    .order_by(_audit.c.id.desc())
    .limit(1)
)
_PAYMENT_CHANGES = (
    "payer",
    "method",
    "reference",
    "invoice_hint",
    "remark",
    "state",
    "customer_id",
    "lot_id",
    "suspense_on",
    "edits",
    "voided_on",
    "version",
    "proofs",
)
_PAYMENT_UPDATE = (
    update(_payment)
    .where(_payment.c.id == bindparam("row_id"))
    .values({name: bindparam(f"new_{name}") for name in _PAYMENT_CHANGES})
)
_PROOF = select(_proof.c.id).where(
    _proof.c.payment_id == bindparam("payment_id"), _proof.c.file_id == bindparam("file_id")
)
_LAST_CUSTOMER = (
    select(_assignment.c.customer_id)
    .where(_assignment.c.payment_id == bindparam("payment_id"))
    .order_by(_assignment.c.id.desc())
    .limit(1)
)


def payment_of(row: Row[Any]) -> Payment:
    """A payment row as the domain knows it."""
    return Payment(
        id=row.id,
        number=row.number,
        payer=row.payer,
        amount=Money(row.amount_micros, currency(row.currency)),
        received_on=row.received_on,
        method=Method(row.method),
        reference=row.reference,
        invoice_hint=row.invoice_hint,
        remark=row.remark,
        state=PaymentState(row.state),
        customer_id=row.customer_id,
        lot_id=row.lot_id,
        edits=row.edits,
        voided_on=row.voided_on,
        version=row.version,
        posted_on=row.posted_on,
        suspense_on=row.suspense_on,
        recorded_at=row.recorded_at,
        recorded_by=row.recorded_by,
        proofs=row.proofs,
        intake_id=row.intake_id,
    )


class SqlPayments:
    """The payments inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lock(self, payment_id: int) -> Payment:
        row = self._session.connection.execute(_PAYMENT_LOCK, {"id": payment_id}).first()
        if row is None:
            raise NotFound("There is no such payment.", field="payment")
        self._keep_order(payment_id)
        return payment_of(row)

    def _keep_order(self, payment_id: int) -> None:
        """Undo asks by id what came later, so an id given before the wait for the lock must not be the smaller one."""
        connection = self._session.connection
        if connection.dialect.name == "postgresql":
            asked = {"payment_id": payment_id, "operation_id": self._session.operation_id}
            later = connection.execute(_LATER_ID, asked).scalar()
            if later is not None:
                rise_above(later)
                raise Overtaken

    def insert(self, payment: Payment) -> None:
        values = {name: getattr(payment, name) for name in _PAYMENT_CHANGES}
        self._session.pending.add(
            "payment",
            values
            | {
                "id": payment.id,
                "number": payment.number,
                "amount_micros": payment.amount.micros,
                "currency": payment.amount.currency.code,
                "received_on": payment.received_on,
                "posted_on": payment.posted_on,
                "method": payment.method.value,
                "state": payment.state.value,
                "recorded_at": payment.recorded_at,
                "recorded_by": payment.recorded_by,
                "intake_id": payment.intake_id,
            },
        )

    def insert_assigned(self, payment: Payment, on: date) -> None:
        """A payment that comes with its customer and its credit."""
        assert payment.customer_id is not None
        assert payment.lot_id is not None
        self.insert(payment)
        self._step("assign", payment.id, payment.customer_id, payment.lot_id, on)

    def update(self, payment: Payment) -> None:
        fresh = next((row for row in self._session.pending.rows["payment"] if row["id"] == payment.id), None)
        values = {name: getattr(payment, name) for name in _PAYMENT_CHANGES}
        values |= {"method": payment.method.value, "state": payment.state.value}
        if fresh is not None:
            fresh.update(values)
            return
        self._session.pending.change(
            _PAYMENT_UPDATE, {"row_id": payment.id, **{f"new_{name}": value for name, value in values.items()}}
        )

    def assign(self, payment: Payment, on: date) -> None:
        assert payment.customer_id is not None
        assert payment.lot_id is not None
        self.update(payment)
        self._step("assign", payment.id, payment.customer_id, payment.lot_id, on)

    def unassign(self, payment: Payment, customer_id: int, lot_id: int, on: date) -> None:
        self.update(payment)
        self._step("unassign", payment.id, customer_id, lot_id, on)

    def attach(self, payment: Payment, proofs: Sequence[Proof]) -> None:
        for each in proofs:
            self._session.pending.add(
                "payment_proof",
                {
                    "id": self._session.new_id(),
                    "payment_id": payment.id,
                    "file_id": each.file_id,
                    "name": each.name,
                    "size": each.size,
                    "operation_id": self._session.operation_id,
                },
            )

    def has(self, payment: Payment, proof: Proof) -> bool:
        asked = {"payment_id": payment.id, "file_id": proof.file_id}
        return self._session.connection.execute(_PROOF, asked).first() is not None

    def last_customer(self, payment_id: int) -> int:
        """Whose money a payment was last said to be or not to be."""
        found: int | None = self._session.connection.execute(_LAST_CUSTOMER, {"payment_id": payment_id}).scalar()
        if found is None:
            raise NotFound("This payment was never assigned.", field="payment")
        return found

    def _step(self, step: str, payment_id: int, customer_id: int, lot_id: int, on: date) -> None:
        self._session.pending.add(
            "assignment",
            {
                "id": self._session.new_id(),
                "payment_id": payment_id,
                "customer_id": customer_id,
                "lot_id": lot_id,
                "step": step,
                "effective_on": on,
                "recorded_at": self._session.now,
                "operation_id": self._session.operation_id,
            },
        )
