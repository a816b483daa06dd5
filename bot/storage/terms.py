"""The terms a customer buys on, inside a write: its limit and its payment mode, each a dated row."""

from sqlalchemy import bindparam, update

from bot.domain.customers import Customer
from bot.storage.session import Session
from bot.storage.tables import CustomerRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_LIMIT = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values(limit_micros=bindparam("new_limit"), limit_ends_at=bindparam("new_ends_at"))
)
_MODE = update(_customer).where(_customer.c.id == bindparam("row_id")).values(mode=bindparam("new_mode"))


class SqlTerms:
    """Limits and modes; whoever changes one locks the customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def set_limit(self, customer: Customer, days: int | None) -> None:
        session = self._session
        session.pending.add(
            "credit_limit",
            {
                "id": session.new_id(),
                "customer_id": customer.id,
                "amount_micros": customer.limit_micros,
                "days": days,
                "starts_at": session.now,
                "ends_at": customer.limit_ends_at,
                "operation_id": session.operation_id,
                "intake_id": None,
            },
        )
        session.pending.change(
            _LIMIT,
            {"row_id": customer.id, "new_limit": customer.limit_micros, "new_ends_at": customer.limit_ends_at},
        )

    def switch_mode(self, customer: Customer) -> None:
        session = self._session
        session.pending.add(
            "mode_history",
            {
                "id": session.new_id(),
                "customer_id": customer.id,
                "mode": customer.mode.value,
                "starts_at": session.now,
                "operation_id": session.operation_id,
            },
        )
        session.pending.change(_MODE, {"row_id": customer.id, "new_mode": customer.mode.value})
