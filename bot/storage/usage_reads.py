"""Questions about usage."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, cast, func, select, union

from bot.domain.customers import Mode
from bot.domain.money import Money, currency
from bot.domain.month_end import MonthSum
from bot.domain.usage import Charge, UsageSum
from bot.storage.tables import ChargeRow, CreditRow, InvoiceRow, UsageRefundRow
from bot.storage.usage import charge_of

_charge = ChargeRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_refund = UsageRefundRow.__table__  # type: ignore[attr-defined]  # as above
_credit = CreditRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_USED = select(_charge.c.customer_id).where(_charge.c.invoice_id.is_(None), _charge.c.posted_on <= bindparam("through"))
_GIVEN_BACK = (
    select(_refund.c.customer_id)
    .join(_credit, _credit.c.id == _refund.c.credit_id)
    .where(_refund.c.unbilled, _refund.c.invoice_id.is_(None), _credit.c.made_on <= bindparam("through"))
)
_TO_BILL = union(_USED, _GIVEN_BACK)


def _sum(column: Any) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


_BELOW = case((_invoice.c.total_micros < 0, _invoice.c.total_micros), else_=0)
_OF_MONTH = (
    select(
        _invoice.c.currency,
        _invoice.c.usage_mode,
        func.count().label("documents"),
        _sum(_invoice.c.total_micros).label("total"),
        _sum(_invoice.c.total_micros - _invoice.c.settled_micros).label("to_pay"),
        _sum(_BELOW).label("below"),
    )
    .where(_invoice.c.usage_through == bindparam("through"))
    .group_by(_invoice.c.currency, _invoice.c.usage_mode)
    .order_by(_invoice.c.currency, _invoice.c.usage_mode)
)


class UsageReads:
    """What a report may ask about usage."""

    _connection: Connection

    def usage_since(self, customer_id: int, since: date) -> Sequence[UsageSum]:
        """What a customer used since a day, by product, the most expensive first."""
        net, tax = (cast(func.sum(column), BigInteger) for column in (_charge.c.net_micros, _charge.c.tax_micros))
        statement = (
            select(_charge.c.product, _charge.c.currency, func.count(), net, tax)
            .where(_charge.c.customer_id == customer_id, _charge.c.posted_on >= since)
            .group_by(_charge.c.product, _charge.c.currency)
            .order_by((net + tax).desc(), _charge.c.product)
        )
        return [
            UsageSum(product, lines, Money(of_net, currency(code)), Money(of_tax, currency(code)))
            for product, code, lines, of_net, of_tax in self._connection.execute(statement)
        ]

    def customers_to_bill(self, through: date) -> Sequence[int]:
        """Who used something up to a day that is on no invoice, or had it refunded, by id."""
        return sorted(self._connection.execute(_TO_BILL, {"through": through}).scalars())

    def billed_of_month(self, through: date) -> Sequence[MonthSum]:
        """The invoices and summaries of usage that reach exactly to a day, by currency and mode."""
        return [
            MonthSum(
                mode=Mode(row.usage_mode),
                count=int(row.documents),
                total=Money(int(row.total), currency(row.currency)),
                to_pay=Money(int(row.to_pay), currency(row.currency)),
                below=Money(int(row.below), currency(row.currency)),
            )
            for row in self._connection.execute(_OF_MONTH, {"through": through})
        ]

    def charge(self, external_id: str) -> Charge | None:
        """A line of usage by its id."""
        row = self._connection.execute(select(_charge).where(_charge.c.external_id == external_id)).first()
        return charge_of(row) if row is not None else None
