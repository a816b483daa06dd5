"""Whose limit something is to be told of: one statement over all customers, however many there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, func, literal, or_, select, update

from bot.domain.settings import Settings
from bot.storage.tables import CustomerRow, Instant, LimitWatchRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_watch = LimitWatchRow.__table__  # type: ignore[attr-defined]  # as above

MOST_AT_ONCE = 200
_NOW, _SOON = bindparam("now", type_=Instant()), bindparam("soon", type_=Instant())
_MONTH = case((_customer.c.mode == "postpaid", bindparam("month")), else_="")
_TEMPORARY = and_(_customer.c.limit_ends_at.is_not(None), _customer.c.limit_micros > 0)
_LIMIT = case((and_(_TEMPORARY, _customer.c.limit_ends_at <= _NOW), 0), else_=_customer.c.limit_micros)
_OWN = _customer.c.deposits_micros - _customer.c.receivable_micros
_RUNNING = case(
    (and_(_customer.c.month_ends_at > _NOW, _customer.c.month_micros > 0), _customer.c.month_micros), else_=0
)
# What is used of the limit, as the domain counts it; below zero while more is there than is used.
_USED = _customer.c.reserved_micros + case(
    (_customer.c.mode == "prepaid", _customer.c.unbilled_micros - _OWN),
    else_=_RUNNING - case((_OWN > 0, _OWN), else_=0),
)
# Shares by subtraction: a product of a large limit would not fit.
_LEVEL = case(
    (_USED <= 0, 0),
    (_USED >= _LIMIT, 100),
    (_LIMIT - _LIMIT // literal(10, BigInteger) <= _USED, 90),
    (_LIMIT - _LIMIT // literal(5, BigInteger) <= _USED, 80),
    else_=0,
)
_TOLD = case((_watch.c.month == _MONTH, _watch.c.level), else_=0)
_END_TOLD = func.coalesce(_watch.c.end_told, 0)
_END = case(
    (and_(_TEMPORARY, _customer.c.limit_ends_at <= _NOW), 2),
    (and_(_TEMPORARY, _customer.c.limit_ends_at <= _SOON), 1),
    else_=0,
)
_STIRRED = (
    select(
        _customer.c.id,
        _LEVEL.label("level"),
        func.coalesce(_watch.c.version, 0).label("version"),
        or_(_END_TOLD < _END, _LEVEL > _TOLD).label("tells"),
    )
    .outerjoin(_watch, _watch.c.customer_id == _customer.c.id)
    .where(
        _customer.c.state != "closed",
        or_(_END_TOLD < _END, _LEVEL != _TOLD),
    )
    .order_by(_customer.c.id)
    .limit(MOST_AT_ONCE)
)
_FALL = (
    update(_watch)
    .where(_watch.c.customer_id == bindparam("of_customer"), _watch.c.version == bindparam("seen"))
    .values(level=bindparam("new_level"), version=_watch.c.version + 1)
)


@dataclass(frozen=True, slots=True)
class Stirred:
    """A customer of whose limit something is to be told, or less is used than was told."""

    customer_id: int
    level: int
    version: int
    tells: bool


def stirred(connection: Connection, settings: Settings, now: datetime) -> Sequence[Stirred]:
    """Some of those of whom something is to be told or forgotten now."""
    asked = {
        "now": now,
        "soon": now + timedelta(days=settings.limit_notice_days),
        "month": f"{settings.today(now):%Y-%m}",
    }
    rows = connection.execute(_STIRRED, asked)
    return [Stirred(row.id, row.level, row.version, bool(row.tells)) for row in rows]


def fall(connection: Connection, fallen: Sequence[Stirred]) -> int:
    """Less is used than was told: the shares above it are told again when they are reached again."""
    for each in fallen:
        values = {"of_customer": each.customer_id, "seen": each.version, "new_level": each.level}
        connection.execute(_FALL, values)
    return len(fallen)
