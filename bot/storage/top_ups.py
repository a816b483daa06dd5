"""Payment settings and automatic top-ups inside a write; whoever changes one locks the customer first."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, cast, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.domain.customers import Customer
from bot.domain.money import Currency, Money
from bot.domain.payment import Method
from bot.domain.payment_settings import PaymentSettings, TopUpMethod, threshold_of_card
from bot.domain.topups import Attempt, Past, TopUpCode
from bot.storage.session import Session
from bot.storage.tables import (
    CreditRow,
    CustomerRow,
    InvoiceRow,
    PaymentRow,
    PaymentSettingsRow,
    TopUpAttemptRow,
    TopUpDayRow,
    UsageDayRow,
)

_settings = PaymentSettingsRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_attempt = TopUpAttemptRow.__table__  # type: ignore[attr-defined]  # as above
_day = TopUpDayRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_usage = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_credit = CreditRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above

_NEWEST = (
    select(_settings)
    .where(_settings.c.customer_id == bindparam("of_customer"))
    .order_by(_settings.c.version.desc())
    .limit(2)
)
_CARD = (
    select(_payment.c.amount_micros, _payment.c.recorded_at)
    .where(
        _payment.c.customer_id == bindparam("of_customer"),
        _payment.c.method == Method.CARD.value,
        _payment.c.state == "recorded",
    )
    .order_by(_payment.c.received_on.desc(), _payment.c.id.desc())
    .limit(1)
)
_BUSIEST = select(cast(func.coalesce(func.max(_usage.c.total_micros), 0), BigInteger)).where(
    _usage.c.customer_id == bindparam("of_customer"), _usage.c.used_on >= bindparam("since")
)
_PAST = select(_attempt.c.day, _attempt.c.code, _attempt.c.amount_micros).where(
    _attempt.c.customer_id == bindparam("of_customer"), _attempt.c.day >= bindparam("since")
)
_MADE_UNDER = (
    select(func.coalesce(_credit.c.number, _invoice.c.number))
    .select_from(_attempt)
    .outerjoin(_credit, _credit.c.id == _attempt.c.credit_id)
    .outerjoin(_invoice, _invoice.c.id == _attempt.c.invoice_id)
    .where(_attempt.c.settings_id == bindparam("settings_id"), _attempt.c.code == TopUpCode.DONE.value)
    .limit(1)
)
_LEVEL = update(_customer).where(_customer.c.id == bindparam("row_id")).values(top_up_at_micros=bindparam("new_level"))
_LOCK_DAY = (
    select(_day.c.total_micros)
    .where(_day.c.currency == bindparam("code"), _day.c.day == bindparam("of_day"))
    .with_for_update()
)
_ADD = (
    update(_day)
    .where(_day.c.currency == bindparam("code"), _day.c.day == bindparam("of_day"))
    .values(total_micros=_day.c.total_micros + bindparam("by_micros"))
)


def settings_of(row: Any, of: Currency) -> PaymentSettings | None:
    """A row as the domain knows it; without a method there are no settings."""
    if row.method is None:
        return None
    amount, threshold = (
        None if micros is None else Money(micros, of) for micros in (row.amount_micros, row.threshold_micros)
    )
    return PaymentSettings(method=TopUpMethod(row.method), amount=amount, threshold=threshold, auto=row.auto, id=row.id)


def settings_in_force(connection: Connection, customer: Customer) -> PaymentSettings | None:
    """The newest settings; for Stripe with the amount and threshold of a later card payment, if there is one. Rule
    71.
    """
    row = connection.execute(_NEWEST, {"of_customer": customer.id}).first()
    found = settings_of(row, customer.currency) if row is not None else None
    if row is None or found is None or found.method is not TopUpMethod.STRIPE:
        return found
    card = connection.execute(_CARD, {"of_customer": customer.id}).first()
    if card is None or card.recorded_at < row.starts_at:
        return found
    paid = Money(card.amount_micros, customer.currency)
    return PaymentSettings(
        method=found.method, amount=paid, threshold=threshold_of_card(paid), auto=found.auto, id=found.id
    )


def newest_settings(connection: Connection, customer_ids: Sequence[int]) -> Mapping[int, Any]:
    """The newest row of each of some customers."""
    later = _settings.alias("later")
    is_newest = ~exists().where(later.c.customer_id == _settings.c.customer_id, later.c.version > _settings.c.version)
    rows = connection.execute(select(_settings).where(_settings.c.customer_id.in_(customer_ids), is_newest))
    return {row.customer_id: row for row in rows}


class SqlTopUps:
    """Payment settings and what came of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def settings(self, customer: Customer) -> PaymentSettings | None:
        return settings_in_force(self._session.connection, customer)

    def last_change(self, customer: Customer) -> tuple[int, PaymentSettings | None]:
        """The operation that set the settings in force, and those before them."""
        rows = self._session.connection.execute(_NEWEST, {"of_customer": customer.id}).all()
        former = settings_of(rows[1], customer.currency) if len(rows) > 1 else None
        return (rows[0].operation_id if rows else 0), former

    def put(self, customer: Customer, settings: PaymentSettings | None) -> None:
        """A row that ends the one before, and the level beside the customer's balance."""
        session = self._session
        before = session.connection.execute(_NEWEST, {"of_customer": customer.id}).first()
        amount, threshold = (settings.amount, settings.threshold) if settings is not None else (None, None)
        session.pending.add(
            "payment_settings",
            {
                "id": settings.id if settings is not None else session.new_id(),
                "customer_id": customer.id,
                "version": before.version + 1 if before is not None else 1,
                "method": settings.method.value if settings is not None else None,
                "amount_micros": amount.micros if amount is not None else None,
                "threshold_micros": threshold.micros if threshold is not None else None,
                "auto": settings is not None and settings.auto,
                "starts_at": session.now,
                "operation_id": session.operation_id,
            },
        )
        session.pending.change(_LEVEL, {"row_id": customer.id, "new_level": customer.top_up_at_micros})

    def last_card(self, customer: Customer) -> Money | None:
        row = self._session.connection.execute(_CARD, {"of_customer": customer.id}).first()
        return Money(row.amount_micros, customer.currency) if row is not None else None

    def busiest_day(self, customer: Customer, since: date) -> Money:
        """What was used on the day of most usage since a day."""
        asked = {"of_customer": customer.id, "since": since}
        return Money(int(self._session.connection.execute(_BUSIEST, asked).scalar_one()), customer.currency)

    def past(self, customer: Customer, month: date) -> Past:
        """What was topped up and what was told since the first day of a month."""
        rows = self._session.connection.execute(_PAST, {"of_customer": customer.id, "since": month}).all()
        done = [row for row in rows if row.code == TopUpCode.DONE.value]
        return Past(
            days=frozenset(row.day for row in done),
            told=frozenset((row.day, TopUpCode(row.code)) for row in rows),
            total=Money(sum(row.amount_micros for row in done), customer.currency),
        )

    def lock_day(self, day: date, of: Currency) -> Money:
        """What was topped up on a day in a currency; nobody else tops up in it until this is done."""
        connection = self._session.connection
        insert = postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert
        there = {"currency": of.code, "day": day, "total_micros": 0}
        connection.execute(insert(_day).on_conflict_do_nothing(), there)
        return Money(int(connection.execute(_LOCK_DAY, {"code": of.code, "of_day": day}).scalar_one()), of)

    def made_under(self, settings_id: int) -> str:
        """The number of what these settings topped up, if they did."""
        found = self._session.connection.execute(_MADE_UNDER, {"settings_id": settings_id}).scalar()
        return str(found) if found is not None else ""

    def insert(self, attempt: Attempt) -> None:
        session = self._session
        session.pending.add(
            "top_up_attempt",
            {
                "id": attempt.id,
                "customer_id": attempt.customer_id,
                "settings_id": attempt.settings_id,
                "day": attempt.day,
                "code": attempt.code.value,
                "method": attempt.method.value,
                "currency": attempt.amount.currency.code,
                "amount_micros": attempt.amount.micros,
                "balance_micros": attempt.balance.micros,
                "threshold_micros": attempt.threshold.micros,
                "credit_id": attempt.credit_id,
                "invoice_id": attempt.invoice_id,
                "operation_id": session.operation_id,
            },
        )
        if attempt.code is TopUpCode.DONE:
            moved = {"code": attempt.amount.currency.code, "of_day": attempt.day, "by_micros": attempt.amount.micros}
            session.pending.change(_ADD, moved)
