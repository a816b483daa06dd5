"""Usage inside a write: charges, the days that prepaid customers pay for, and refunds."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, bindparam, case, cast, func, literal, select, union_all, update

from bot.domain.credits import Credit
from bot.domain.customers import Mode
from bot.domain.money import MICROS, Currency, Money, currency, plain
from bot.domain.open_items import Invoice
from bot.domain.refunds import Refunded, is_unbilled
from bot.domain.usage import Charge, UsageDay
from bot.domain.usage_invoices import UsageGroup
from bot.domain.withdrawals import WITHDRAWABLE
from bot.storage.session import Session
from bot.storage.tables import (
    AllocationRow,
    ChargeRow,
    CreditRow,
    CustomerRow,
    InvoiceRow,
    LotRow,
    UsageDayRow,
    UsageRefundRow,
)

_charge = ChargeRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_refund = UsageRefundRow.__table__  # type: ignore[attr-defined]  # as above
_day = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_credit = CreditRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above

MOST_ASKED = 500  # ids in one question
_KNOWN = select(_charge).where(_charge.c.external_id.in_(bindparam("ids", expanding=True)))
_FOUND = select(_charge).where(_charge.c.external_id == bindparam("external_id"))
_DAYS = (
    select(_day, _customer.c.currency, _invoice.c.number.label("summary"))
    .join(_customer, _customer.c.id == _day.c.customer_id)
    .outerjoin(_invoice, _invoice.c.id == _day.c.summary_invoice_id)
)
_BILLED_THROUGH = select(func.max(_invoice.c.usage_through)).where(
    _invoice.c.customer_id == bindparam("customer_id"), _invoice.c.usage_through.is_not(None)
)


def _sum(column: Any) -> Any:
    return cast(func.coalesce(func.sum(column), 0), BigInteger)


_SO_FAR = select(
    _sum(_refund.c.net_micros + _refund.c.tax_micros).label("gross"),
    _sum(_refund.c.tax_micros).label("tax"),
    _sum(_refund.c.cost_micros).label("cost"),
).where(_refund.c.charge_id == bindparam("charge_id"))
_MAY_LEAVE = _lot.c.kind.in_([each.value for each in WITHDRAWABLE])


def _split(amount: Any) -> Any:
    """How much of something is credit that may leave, and how much is other."""
    return select(
        _sum(case((_MAY_LEAVE, amount), else_=0)).label("paid"),
        _sum(case((_MAY_LEAVE, 0), else_=amount)).label("other"),
    )


_PAID_BY = (
    _split(_allocation.c.amount_micros)
    .join_from(_allocation, _lot, _lot.c.id == _allocation.c.lot_id)
    .where(_allocation.c.usage_day_id == bindparam("day_id"))
)
_CAME_BACK = (
    _split(_lot.c.amount_micros)
    .join_from(_refund, _charge, _charge.c.id == _refund.c.charge_id)
    .join(_credit, _credit.c.id == _refund.c.credit_id)
    .join(_lot, (_lot.c.number == _credit.c.number) & (_lot.c.customer_id == _credit.c.customer_id))
    .where(_charge.c.usage_day_id == bindparam("day_id"))
)
_OF_DAY = _DAYS.where(_day.c.customer_id == bindparam("customer_id"), _day.c.used_on == bindparam("used_on"))
_OPEN_DAYS = _DAYS.where(_day.c.customer_id == bindparam("customer_id"), _day.c.open_micros > 0)
_RAISE = (
    update(_day)
    .where(_day.c.id == bindparam("row_id"))
    .values(
        total_micros=_day.c.total_micros + bindparam("by_micros"),
        open_micros=_day.c.open_micros + bindparam("by_micros"),
        rose_on=bindparam("new_rose_on"),
    )
)


_TO_BILL = (
    _charge.c.customer_id == bindparam("of_customer"),
    _charge.c.mode == bindparam("in_mode"),
    _charge.c.invoice_id.is_(None),
    _charge.c.posted_on <= bindparam("through"),
)
_GIVEN_BACK_BY = select(_credit.c.id).where(
    _credit.c.customer_id == bindparam("of_customer"), _credit.c.made_on <= bindparam("through")
)
_TO_TAKE_OFF = (
    _refund.c.customer_id == bindparam("of_customer"),
    _refund.c.unbilled,
    literal("postpaid") == bindparam("in_mode"),
    _refund.c.invoice_id.is_(None),
    _refund.c.credit_id.in_(_GIVEN_BACK_BY),
)
_GROUP = (_charge.c.product, _charge.c.tax_rate_micros)
_PARTS = union_all(
    select(*_GROUP, literal(1).label("one"), _charge.c.net_micros, _charge.c.tax_micros).where(*_TO_BILL),
    select(*_GROUP, literal(0).label("one"), -_refund.c.net_micros, -_refund.c.tax_micros)
    .join(_refund, _refund.c.charge_id == _charge.c.id)
    .where(*_TO_TAKE_OFF),
).subquery("parts")
_TO_BILL_BY_PRODUCT = (
    select(
        _PARTS.c.product,
        _PARTS.c.tax_rate_micros,
        cast(func.sum(_PARTS.c.one), BigInteger).label("lines"),
        cast(func.sum(_PARTS.c.net_micros), BigInteger).label("net"),
        cast(func.sum(_PARTS.c.tax_micros), BigInteger).label("tax"),
    )
    .group_by(_PARTS.c.product, _PARTS.c.tax_rate_micros)
    .order_by(_PARTS.c.product, _PARTS.c.tax_rate_micros)
)
_LATER = (_charge.c.posted_on >= bindparam("since"), _charge.c.mode == "postpaid")
_UNBILLED_AFTER = select(
    select(_sum(_charge.c.net_micros + _charge.c.tax_micros))
    .where(
        *_LATER,
        _charge.c.customer_id == bindparam("of_customer"),
        _charge.c.invoice_id.is_(None),
        _charge.c.posted_on > bindparam("through"),
    )
    .scalar_subquery()
    - select(_sum(_refund.c.net_micros + _refund.c.tax_micros))
    .join_from(_refund, _charge, _charge.c.id == _refund.c.charge_id)
    .join(_credit, _credit.c.id == _refund.c.credit_id)
    .where(
        *_LATER,
        _refund.c.customer_id == bindparam("of_customer"),
        _refund.c.unbilled,
        _refund.c.invoice_id.is_(None),
        _credit.c.made_on > bindparam("through"),
    )
    .scalar_subquery()
)
_BILL = update(_charge).where(*_TO_BILL).values(invoice_id=bindparam("new_invoice"))
_TAKE_OFF = update(_refund).where(*_TO_TAKE_OFF).values(invoice_id=bindparam("new_invoice"))
_SUM_UP = (
    update(_day)
    .where(
        _day.c.customer_id == bindparam("of_customer"),
        _day.c.used_on <= bindparam("through"),
        _day.c.summary_invoice_id.is_(None),
    )
    .values(
        summary_invoice_id=bindparam("new_invoice"),
        moved_micros=_day.c.open_micros,
        moved_on=bindparam("new_moved_on"),
        open_micros=0,
    )
)


def charge_of(row: Any) -> Charge:
    """A charge as the domain knows it."""
    of = currency(row.currency)
    return Charge(
        id=row.id,
        external_id=row.external_id,
        customer_id=row.customer_id,
        mode=Mode(row.mode),
        used_on=row.used_on,
        posted_on=row.posted_on,
        product=row.product,
        net=Money(row.net_micros, of),
        tax_rate=plain(Decimal(row.tax_rate_micros).scaleb(-6)),
        tax=Money(row.tax_micros, of),
        cost=Money(row.cost_micros, of),
        usage_day_id=row.usage_day_id,
        entry_id=row.entry_id,
        invoice_id=row.invoice_id,
    )


class SqlUsage:
    """The usage inside a write; whoever charges locks the customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def known(self, external_ids: Sequence[str]) -> Mapping[str, Charge]:
        connection = self._session.connection
        found = {}
        for start in range(0, len(external_ids), MOST_ASKED):
            ids = list(external_ids[start : start + MOST_ASKED])
            for row in connection.execute(_KNOWN, {"ids": ids}):
                found[row.external_id] = charge_of(row)
        return found

    def find(self, external_id: str) -> Charge | None:
        row = self._session.connection.execute(_FOUND, {"external_id": external_id}).first()
        return charge_of(row) if row is not None else None

    def refunded(self, charge: Charge) -> Refunded:
        """What came back of a charge, and of what its day was paid with."""
        of = charge.net.currency
        connection = self._session.connection
        so_far = connection.execute(_SO_FAR, {"charge_id": charge.id}).one()
        paid = other = 0
        if charge.usage_day_id is not None:
            asked = {"day_id": charge.usage_day_id}
            spent = connection.execute(_PAID_BY, asked).one()
            back = connection.execute(_CAME_BACK, asked).one()
            paid, other = max(0, spent.paid - back.paid), max(0, spent.other - back.other)
        figures = (so_far.gross, so_far.tax, so_far.cost, paid, other)
        return Refunded(*(Money(int(each), of) for each in figures))

    def day(self, customer_id: int, on: date) -> UsageDay | None:
        row = self._session.connection.execute(_OF_DAY, {"customer_id": customer_id, "used_on": on}).first()
        return self._days([row])[0] if row is not None else None

    def days(self, ids: Sequence[int]) -> Sequence[UsageDay]:
        if not ids:
            return ()
        return self._days(self._session.connection.execute(_DAYS.where(_day.c.id.in_(ids))).all())

    def open_days(self, customer_id: int) -> Sequence[UsageDay]:
        return self._days(self._session.connection.execute(_OPEN_DAYS, {"customer_id": customer_id}).all())

    def insert_day(self, day: UsageDay) -> None:
        self._session.pending.add(
            "usage_day",
            {
                "id": day.id,
                "customer_id": day.customer_id,
                "used_on": day.used_on,
                "rose_on": day.rose_on,
                "total_micros": day.total.micros,
                "open_micros": day.open.micros,
                "summary_invoice_id": None,
                "moved_micros": 0,
                "moved_on": None,
            },
        )

    def raise_day(self, day: UsageDay, by: Money) -> None:
        """More to pay for a day. It comes before the matches that pay it, so it is done at once."""
        values = {"row_id": day.id, "by_micros": by.micros, "new_rose_on": day.rose_on}
        self._session.connection.execute(_RAISE, values)

    def insert(self, charges: Sequence[Charge]) -> None:
        for each in charges:
            self._session.pending.add(
                "charge",
                {
                    "id": each.id,
                    "external_id": each.external_id,
                    "customer_id": each.customer_id,
                    "mode": each.mode.value,
                    "used_on": each.used_on,
                    "posted_on": each.posted_on,
                    "product": each.product,
                    "currency": each.net.currency.code,
                    "net_micros": each.net.micros,
                    "tax_rate_micros": int(each.tax_rate * MICROS),
                    "tax_micros": each.tax.micros,
                    "cost_micros": each.cost.micros,
                    "usage_day_id": each.usage_day_id,
                    "invoice_id": None,
                    "entry_id": each.entry_id,
                    "operation_id": self._session.operation_id,
                },
            )

    def to_bill(self, customer_id: int, mode: Mode, through: date, of: Currency) -> Sequence[UsageGroup]:
        """What is to be invoiced, by product and tax rate."""
        asked = {"of_customer": customer_id, "in_mode": mode.value, "through": through}
        return [
            UsageGroup(
                row.product,
                plain(Decimal(row.tax_rate_micros).scaleb(-6)),
                int(row.lines),
                Money(int(row.net), of),
                Money(int(row.tax), of),
            )
            for row in self._session.connection.execute(_TO_BILL_BY_PRODUCT, asked)
        ]

    def unbilled_after(self, customer_id: int, through: date, since: date) -> int:
        """What stays unbilled since a day, in micros, once everything up to another day is invoiced."""
        asked = {"of_customer": customer_id, "through": through, "since": since}
        return int(self._session.connection.execute(_UNBILLED_AFTER, asked).scalar() or 0)

    def bill(self, invoice: Invoice) -> None:
        """What is on an invoice is on no other, and what is open of days is open of their summary. Rule 101."""
        assert invoice.usage_mode is not None
        of = {"of_customer": invoice.customer_id, "through": invoice.usage_through, "new_invoice": invoice.id}
        self._session.pending.change(_BILL, {**of, "in_mode": invoice.usage_mode.value})
        if invoice.is_summary:
            self._session.pending.change(_SUM_UP, {**of, "new_moved_on": invoice.posted_on})
        else:
            self._session.pending.change(_TAKE_OFF, {**of, "in_mode": invoice.usage_mode.value})

    def billed_through(self, customer_id: int) -> date | None:
        """The last day that an invoice or a summary of usage reached."""
        found: date | None = self._session.connection.execute(_BILLED_THROUGH, {"customer_id": customer_id}).scalar()
        return found

    def insert_refund(self, made: Credit, charge: Charge | None, tax: Money, cost: Money, entry_id: int) -> None:
        self._session.pending.add(
            "usage_refund",
            {
                "id": self._session.new_id(),
                "credit_id": made.id,
                "charge_id": charge.id if charge is not None else None,
                "customer_id": made.customer_id,
                "currency": made.amount.currency.code,
                "net_micros": (made.amount - tax).micros,
                "tax_micros": tax.micros,
                "cost_micros": cost.micros,
                "unbilled": is_unbilled(charge),
                "invoice_id": None,
                "entry_id": entry_id,
                "operation_id": self._session.operation_id,
            },
        )

    @staticmethod
    def _days(rows: Sequence[Any]) -> list[UsageDay]:
        return [_usage_day(row, currency(row.currency)) for row in rows]


def _usage_day(row: Any, of: Currency) -> UsageDay:
    return UsageDay(
        id=row.id,
        customer_id=row.customer_id,
        used_on=row.used_on,
        rose_on=row.rose_on,
        total=Money(row.total_micros, of),
        open=Money(row.open_micros, of),
        summary=row.summary or "",
    )
