"""Questions about disputes, promises and write-offs; those of the whole book are one statement each."""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypedDict

from sqlalchemy import BigInteger, BindParameter, Connection, Select, bindparam, case, cast, func, select

from bot.domain.customers import Customer
from bot.domain.disputes import Dispute, DisputeStep
from bot.domain.errors import NotFound
from bot.domain.held import DisputedSum
from bot.domain.money import Money, currency
from bot.domain.open_items import Invoice
from bot.domain.promises import PromiseStanding
from bot.domain.write_off import WriteOff, WriteOffFile
from bot.storage.approvals import approval_about
from bot.storage.disputes import DISPUTES, dispute_of, promise_of
from bot.storage.naming import is_named
from bot.storage.tables import (
    AllocationRow,
    CustomerRow,
    DisputeRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PromiseRow,
    ReminderStopRow,
    WriteOffRow,
)
from bot.storage.write_offs import WRITE_OFFS, write_off_of

_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_dispute = DisputeRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_promise = PromiseRow.__table__  # type: ignore[attr-defined]  # as above
_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # as above
_later = _dispute.alias("later")

MOST_EARLIER = 3
_stop = ReminderStopRow.__table__  # type: ignore[attr-defined]  # as above
_STOPPED = select(_stop.c.reason).where(_stop.c.invoice_id == bindparam("of_invoice"))


class Held(TypedDict):
    """What keeps an invoice from being chased, and what of it is given up."""

    dispute: Dispute | None
    promise: PromiseStanding | None
    write_offs: tuple[WriteOff, ...]
    stopped: str | None


class DisputeReads:
    """What a report may ask about disputes, promises and write-offs."""

    _connection: Connection
    if TYPE_CHECKING:

        def customer(self, customer_id: int) -> Customer: ...

        def invoice(self, number_or_id: str) -> Invoice | None: ...

    def disputes_of(self, customer_id: int) -> tuple[Dispute, ...]:
        """The disputes of a customer's invoices with something open, the oldest first."""
        rows = self._connection.execute(disputed().where(_dispute.c.customer_id == customer_id))
        return tuple(dispute_of(row) for row in rows)

    def promises_of(self, customer_id: int) -> tuple[PromiseStanding, ...]:
        """The promises in force of a customer, the next day first."""
        return promises(self._connection, customer_id)

    def promises_waited_for(self) -> tuple[PromiseStanding, ...]:
        """The promises in force of the whole book of whose debts something is left."""
        return promises(self._connection)

    def disputed_sums(self) -> tuple[DisputedSum, ...]:
        """What is disputed in each currency, added up by the database."""
        each = disputed().order_by(None).subquery()
        total = cast(func.sum(each.c.open_micros), BigInteger)
        sums = select(each.c.currency, func.count(), total, func.min(each.c.recorded_on)).group_by(each.c.currency)
        return tuple(
            DisputedSum(count=count, open=Money(micros, currency(code)), since=since)
            for code, count, micros, since in self._connection.execute(sums)
        )

    def _held_back(self, invoice: Invoice) -> Held:
        """What an invoice's card says of disputes, promises and write-offs."""
        about = disputed().where(_dispute.c.invoice_id == invoice.id)
        row = self._connection.execute(about).first() if invoice.disputed else None
        mine = WRITE_OFFS.where(_write_off.c.invoice_id == invoice.id, _write_off.c.state.in_(("requested", "made")))
        promised = [each for each in self.promises_of(invoice.customer_id) if each.promise.invoice_id == invoice.id]
        return {
            "dispute": dispute_of(row) if row is not None else None,
            "promise": promised[0] if promised else None,
            "write_offs": tuple(
                write_off_of(found) for found in self._connection.execute(mine.order_by(_write_off.c.id))
            ),
            "stopped": self._connection.execute(_STOPPED, {"of_invoice": invoice.id}).scalar(),
        }

    def write_off(self, number_or_id: str) -> WriteOff | None:
        """A write-off by its number, draft reference or id."""
        wanted = is_named(_write_off, number_or_id, _write_off.c.draft_reference)
        row = self._connection.execute(WRITE_OFFS.where(wanted)).first()
        return write_off_of(row) if row is not None else None

    def write_off_file(self, write_off_id: int) -> WriteOffFile:
        """All that its card shows."""
        made = self.write_off(str(write_off_id))
        invoice = self.invoice(str(made.invoice_id)) if made is not None else None
        if made is None or invoice is None:
            raise NotFound("There is no such write-off.")
        earlier = WRITE_OFFS.where(
            _write_off.c.customer_id == made.customer_id, _write_off.c.id < made.id, _write_off.c.state == "made"
        )
        rows = self._connection.execute(earlier.order_by(_write_off.c.id.desc()).limit(MOST_EARLIER))
        return WriteOffFile(
            write_off=made,
            invoice=invoice,
            customer=self.customer(made.customer_id),
            approval=approval_about(self._connection, "write_off", made.id),
            earlier=tuple(write_off_of(row) for row in rows),
        )


def disputed() -> Select[Any]:
    """The newest step of each invoice that is disputed and owed, the oldest first."""
    newer = select(_later.c.id).where(_later.c.invoice_id == _dispute.c.invoice_id, _later.c.id > _dispute.c.id)
    return (
        DISPUTES.add_columns(_invoice.c.currency, _invoice.c.open_micros, _invoice.c.number)
        .join(_invoice, _invoice.c.id == _dispute.c.invoice_id)
        .where(
            _invoice.c.disputed,
            _invoice.c.open_micros > 0,
            _dispute.c.step == DisputeStep.OPENED.value,
            ~newer.exists(),
        )
        .order_by(_dispute.c.recorded_on, _dispute.c.id)
    )


def promises(
    connection: Connection, customer_id: int | None = None, *, customers: Sequence[int] | None = None
) -> tuple[PromiseStanding, ...]:
    """Promises in force with what came in for each and what is left of its debt: of one customer, of some with
    something left, or all of which something is left.
    """
    if customer_id is not None:
        rows = connection.execute(_promises(Whose.ONE), {"of_customer": customer_id})
    elif customers is not None:
        rows = connection.execute(_promises(Whose.SOME), {"of_customers": list(customers)})
    else:
        rows = connection.execute(_promises(Whose.ALL))
    return tuple(_standing(row) for row in rows)


class Whose(Enum):
    """Whose promises are asked for."""

    ONE = "one"
    SOME = "some"
    ALL = "all"


@cache
def _promises(whose: Whose) -> Select[Any]:
    """The question, written once for each way to ask it."""
    of_all = _promise.c.invoice_id.is_(None)
    left = case((of_all, _customer.c.receivable_micros), else_=_invoice.c.open_micros)
    some: BindParameter[int] = bindparam("of_customers", expanding=True)
    where = {
        Whose.ONE: (_promise.c.customer_id == bindparam("of_customer"),),
        Whose.SOME: (left > 0, _promise.c.customer_id.in_(some)),
        Whose.ALL: (left > 0,),
    }
    asked = (
        select(_promise, left.label("left"), case((of_all, _customer.c.code), else_=_invoice.c.number).label("label"))
        .join(_customer, _customer.c.id == _promise.c.customer_id)
        .outerjoin(_invoice, _invoice.c.id == _promise.c.invoice_id)
        .where(
            _promise.c.ended_at.is_(None),
            *where[whose],
        )
        .cte("asked")
    )
    # Money that was recorded after the promise was, and received by its day.
    in_time = (
        _payment.c.received_on.between(asked.c.logged_on, asked.c.promised_on),
        _payment.c.recorded_at > asked.c.logged_at,
    )
    of_invoices = (
        select(asked.c.id, _allocation.c.amount_micros)
        .join(_allocation, _allocation.c.invoice_id == asked.c.invoice_id)
        .join(_lot, _lot.c.id == _allocation.c.lot_id)
        .join(_payment, _payment.c.id == _lot.c.payment_id)
        .where(*in_time)
    )
    of_customers = (
        select(asked.c.id, _payment.c.amount_micros)
        .join(_payment, _payment.c.customer_id == asked.c.customer_id)
        .where(*in_time, asked.c.invoice_id.is_(None), _payment.c.state == "recorded")
    )
    came_in = of_invoices.union_all(of_customers).subquery("came_in")
    sums = (
        select(came_in.c.id, cast(func.sum(came_in.c.amount_micros), BigInteger).label("paid"))
        .group_by(came_in.c.id)
        .subquery("sums")
    )
    return (
        select(asked, func.coalesce(sums.c.paid, 0).label("paid"))
        .outerjoin(sums, sums.c.id == asked.c.id)
        .order_by(asked.c.promised_on, asked.c.id)
    )


def _standing(row: Any) -> PromiseStanding:
    of = currency(row.currency)
    return PromiseStanding(
        promise=promise_of(row), label=row.label, paid=Money(int(row.paid), of), left=Money(int(row.left), of)
    )
