"""Questions about payment settings, and whose wallet is at its threshold."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from bot.domain.customers import Customer, CustomerState
from bot.domain.payment_settings import PaymentSettings
from bot.domain.topups import TopUpCode
from bot.storage.tables import CustomerRow, InvoiceRow, TopUpAttemptRow
from bot.storage.top_ups import settings_in_force

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_attempt = TopUpAttemptRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_BALANCE = _customer.c.deposits_micros - _customer.c.receivable_micros - _customer.c.unbilled_micros

_WAITS = exists().where(
    _invoice.c.customer_id == _customer.c.id,
    _invoice.c.automatic,
    _invoice.c.kind == "top_up",
    _invoice.c.open_micros > 0,
)


class TopUpReads:
    """What a report may ask about payment settings."""

    _connection: Connection

    def payment_settings(self, customer: Customer) -> PaymentSettings | None:
        """The settings in force."""
        return settings_in_force(self._connection, customer)

    def at_threshold(self, day: date) -> Sequence[int]:
        """Customers whose balance is at their threshold or below, but for those of whom all is done and told today."""

        def told(code: TopUpCode) -> ColumnElement[bool]:
            return exists().where(
                _attempt.c.customer_id == _customer.c.id, _attempt.c.day == day, _attempt.c.code == code.value
            )

        statement = (
            select(_customer.c.id)
            .where(
                _customer.c.top_up_at_micros.is_not(None),
                _customer.c.top_up_at_micros >= _BALANCE,
                _customer.c.mode == "prepaid",
                _customer.c.state != CustomerState.CLOSED.value,
                ~told(TopUpCode.DONE_TODAY),
                ~and_(_WAITS, or_(told(TopUpCode.DONE), told(TopUpCode.ATTEMPT_OPEN))),
            )
            .order_by(_customer.c.id)
        )
        return [int(row.id) for row in self._connection.execute(statement)]
