"""Questions about usage."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import BigInteger, Connection, cast, func, select

from bot.domain.money import Money, currency
from bot.domain.usage import Charge, UsageSum
from bot.storage.tables import ChargeRow
from bot.storage.usage import charge_of

_charge = ChargeRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one


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

    def charge(self, external_id: str) -> Charge | None:
        """A line of usage by its id."""
        row = self._connection.execute(select(_charge).where(_charge.c.external_id == external_id)).first()
        return charge_of(row) if row is not None else None
