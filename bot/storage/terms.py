"""The terms a customer buys on, inside a write: its limit and its payment mode, each a dated row."""

from collections.abc import Sequence

from sqlalchemy import bindparam, insert, literal, or_, select, union_all, update

from bot.domain.customers import Customer
from bot.domain.limit_watch import Watched
from bot.domain.limits import Limit
from bot.domain.money import Money
from bot.storage.session import Session
from bot.storage.tables import (
    AuditRow,
    ChargeRow,
    CreditLimitRow,
    CustomerRow,
    HoldRow,
    LimitWatchRow,
    ModeRow,
)

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_limit = CreditLimitRow.__table__  # type: ignore[attr-defined]  # as above
_mode = ModeRow.__table__  # type: ignore[attr-defined]  # as above
_watch = LimitWatchRow.__table__  # type: ignore[attr-defined]  # as above
_charge = ChargeRow.__table__  # type: ignore[attr-defined]  # as above
_hold = HoldRow.__table__  # type: ignore[attr-defined]  # as above
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above
_LIMIT = (
    update(_customer)
    .where(_customer.c.id == bindparam("row_id"))
    .values(limit_micros=bindparam("new_limit"), limit_ends_at=bindparam("new_ends_at"))
)
_MODE = update(_customer).where(_customer.c.id == bindparam("row_id")).values(mode=bindparam("new_mode"))
_REARM = (
    update(_watch)
    .where(_watch.c.customer_id == bindparam("of_customer"))
    .values(level=0, end_told=0, version=_watch.c.version + 1)
)
_WATCHED = select(_watch).where(_watch.c.customer_id == bindparam("of"))
_MADE = select(_limit.c.id).where(
    _limit.c.operation_id == bindparam("operation"), _limit.c.customer_id == bindparam("of")
)
_BEFORE = (
    select(_limit)
    .where(_limit.c.customer_id == bindparam("of"), _limit.c.id < bindparam("row"))
    .order_by(_limit.c.id.desc())
    .limit(1)
)
_undoing = _audit.alias("undoing")
# An operation that was undone since, and the undo of another one, are as if they had not been.
_LATER = (
    select(_audit.c.event)
    .outerjoin(_undoing, _undoing.c.undoes_id == _audit.c.id)
    .where(
        _audit.c.customer_id == bindparam("of"),
        _audit.c.id > bindparam("operation"),
        _audit.c.undoes_id.is_(None),
        _undoing.c.id.is_(None),
        or_(
            _audit.c.id.in_(select(_limit.c.operation_id).where(_limit.c.customer_id == bindparam("of"))),
            _audit.c.id.in_(select(_mode.c.operation_id).where(_mode.c.customer_id == bindparam("of"))),
        ),
    )
    .order_by(_audit.c.id.desc())
    .limit(1)
)
MOST_BOUGHT = 4
_BOUGHT = union_all(
    select(_charge.c.external_id.label("what"), literal(0).label("kind")).where(
        _charge.c.customer_id == bindparam("of"), _charge.c.operation_id > bindparam("operation")
    ),
    select(_hold.c.document, literal(1)).where(
        _hold.c.customer_id == bindparam("of"),
        _hold.c.operation_id > bindparam("operation"),
        _hold.c.state != "released",
    ),
).limit(MOST_BOUGHT)


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
        session.pending.change(_REARM, {"of_customer": customer.id})

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
        session.pending.change(_REARM, {"of_customer": customer.id})

    def limit_before(self, customer: Customer, operation_id: int) -> Limit | None:
        """The limit that the one of an operation replaced; nothing if that operation set none."""
        connection = self._session.connection
        made = connection.execute(_MADE, {"operation": operation_id, "of": customer.id}).scalar()
        if made is None:
            return None
        row = connection.execute(_BEFORE, {"of": customer.id, "row": made}).first()
        if row is None:
            return Limit(amount=Money(0, customer.currency), starts_at=self._session.now)
        return Limit(
            amount=Money(row.amount_micros, customer.currency),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            days=row.days,
        )

    def later(self, customer_id: int, operation_id: int) -> str | None:
        found = self._session.connection.execute(_LATER, {"of": customer_id, "operation": operation_id}).scalar()
        return str(found) if found is not None else None

    def watched(self, customer_id: int) -> Watched:
        """What was told of a limit; nothing yet where there is no row."""
        row = self._session.connection.execute(_WATCHED, {"of": customer_id}).first()
        if row is None:
            return Watched()
        return Watched(level=row.level, month=row.month, end_told=row.end_told, version=row.version)

    def tell(self, customer_id: int, told: Watched) -> None:
        """Keep what is told now; whoever does has the customer's row."""
        values = {"level": told.level, "month": told.month, "end_told": told.end_told, "version": told.version + 1}
        connection = self._session.connection
        if told.version:
            connection.execute(update(_watch).where(_watch.c.customer_id == customer_id).values(**values))
        else:
            connection.execute(insert(_watch), {"customer_id": customer_id, **values})

    def bought_since(self, customer_id: int, operation_id: int) -> Sequence[str]:
        """Usage and withdrawals of a customer since an operation, by their names; a few of them."""
        rows = self._session.connection.execute(_BOUGHT, {"of": customer_id, "operation": operation_id})
        return [str(row.what) for row in rows]
