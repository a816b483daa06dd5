"""Aged receivables at any day: what is open now, plus what has been taken off since, added up by the database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Date,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from bot.domain.money import Money, currency
from bot.domain.receivables import (
    Ageing,
    AgeingDetail,
    AgeingQuestion,
    AgeingRow,
    Basis,
    add_up,
    bucket_limits,
    bucket_of,
)
from bot.storage.tables import (
    AllocationRow,
    CreditNoteRow,
    CustomerRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    TakenRow,
    UsageDayRow,
    WithdrawnRow,
    WrittenOffRow,
)

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_day = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_taken = TakenRow.__table__  # type: ignore[attr-defined]  # as above
_withdrawn = WithdrawnRow.__table__  # type: ignore[attr-defined]  # as above
_written_off = WrittenOffRow.__table__  # type: ignore[attr-defined]  # as above
BATCH = 1000  # rows of a file that are in memory together
_DAY = bindparam("day", type_=Date)
_WAITED = _allocation.c.credit_on < _allocation.c.effective_on  # most credit is matched on its first day


@dataclass(frozen=True, slots=True)
class Part:
    """Rows whose amounts add up to a part of what was open at the day."""

    table: Any
    amount: ColumnElement[int]
    conditions: tuple[ColumnElement[bool], ...]

    def grouped(self, *columns: Any, of_customer: bool) -> Any:
        mine = [self.table.c.customer_id == bindparam("customer_id")] if of_customer else []
        found = select(self.table.c.customer_id, *columns).where(*self.conditions, *mine)
        return found.group_by(self.table.c.customer_id)


_OFF_SINCE = _allocation.c.effective_on > _DAY
_IS_ADVANCE: ColumnElement[bool] = literal_column("allocation.advance")  # as the index of these says it, word for word
_DEBITS = (
    Part(_invoice, _invoice.c.open_micros, (_invoice.c.open_micros > 0, _invoice.c.posted_on <= _DAY)),
    Part(_allocation, _allocation.c.amount_micros, (_OFF_SINCE, _allocation.c.posted_on <= _DAY)),
    Part(
        _written_off,
        _written_off.c.amount_micros,
        (_written_off.c.effective_on > _DAY, _written_off.c.posted_on <= _DAY),
    ),
)
_USED = (_allocation.c.usage_day_id.is_not(None), _OFF_SINCE, _allocation.c.posted_on <= _DAY)
_PREPAID = (
    Part(_day, _day.c.open_micros, (_day.c.open_micros > 0, _day.c.used_on <= _DAY)),
    Part(_allocation, _allocation.c.amount_micros, _USED),
    Part(_day, _day.c.moved_micros, (_day.c.moved_on > _DAY, _day.c.moved_micros > 0, _day.c.used_on <= _DAY)),
)
_CREDITS = (
    Part(_allocation, _allocation.c.amount_micros, (_OFF_SINCE, _allocation.c.credit_on <= _DAY, _WAITED)),
    Part(_allocation, _allocation.c.amount_micros, (_IS_ADVANCE, _allocation.c.effective_on <= _DAY)),
    Part(_lot, _lot.c.open_micros, (_lot.c.open_micros > 0, _lot.c.opened_on <= _DAY)),
    Part(_note, _note.c.open_micros, (_note.c.open_micros > 0, _note.c.posted_on <= _DAY)),
    Part(
        _note,
        _note.c.total_micros,
        (_note.c.voided_on > _DAY, _note.c.number.is_not(None), _note.c.posted_on <= _DAY),
    ),
    Part(_lot, _lot.c.amount_micros, (_lot.c.closed_on > _DAY, _lot.c.opened_on <= _DAY)),
    Part(_taken, _taken.c.amount_micros, (_taken.c.effective_on > _DAY, _taken.c.credit_on <= _DAY)),
    Part(_withdrawn, _withdrawn.c.amount_micros, (_withdrawn.c.effective_on > _DAY, _withdrawn.c.credit_on <= _DAY)),
)


def ageing(connection: Connection, question: AgeingQuestion) -> Ageing:
    """The report; sums in micros per customer and bucket. Rules 79-84."""
    rows = tuple(each_row(connection, question))
    return Ageing(question=question, rows=rows, totals=add_up(rows, suspense(connection, question), question.edges))


def each_row(connection: Connection, question: AgeingQuestion, *, batch: int | None = None) -> Iterator[AgeingRow]:
    """The rows by customer name, one by one; in batches they are never in memory together."""
    of_customer, in_currency = question.customer_id is not None, question.currency_code is not None
    statement = _by_customer(len(question.edges), question.basis, of_customer=of_customer, in_currency=in_currency)
    for customer_id, code, name, of, credit, prepaid, *buckets in connection.execute(
        statement, _asked(question), execution_options=in_batches(batch)
    ):
        yield AgeingRow(customer_id, code, name, currency(of), tuple(buckets), prepaid, credit)


def suspense(connection: Connection, question: AgeingQuestion) -> dict[str, int]:
    """Money in nobody's name at the day, in micros by currency; none of it is one customer's."""
    found: dict[str, int] = {}
    if question.customer_id is None:
        for code, amount in connection.execute(_SUSPENSE, {"day": question.as_of}):
            if question.currency_code in {None, code}:
                found[code] = found.get(code, 0) + amount
    return found


def batches_of(limit: int) -> dict[str, Any]:
    """How a list of so many rows at most is read: what may be long in batches."""
    return in_batches(BATCH if limit > BATCH else None)


def in_batches(size: int | None) -> dict[str, Any]:
    """How a statement is read whose rows are too many to hold: so many at a time, by a cursor of the server."""
    return {"yield_per": size} if size is not None else {}


def _asked(question: AgeingQuestion) -> dict[str, Any]:
    limits = bucket_limits(question.as_of, question.edges)
    return {
        "day": question.as_of,
        "customer_id": question.customer_id,
        "currency_code": question.currency_code,
        **{f"limit_{index}": limit for index, limit in enumerate(limits)},
    }


def detail(connection: Connection, question: AgeingQuestion, limit: int) -> Sequence[AgeingDetail]:
    """The invoices behind the report at the same day, by the same rule. Rule 83."""
    statement = open_then(question).order_by(_invoice.c.due_on, _invoice.c.number).limit(limit)
    return [_detail(row, question) for row in connection.execute(statement)]


def each_detail(connection: Connection, question: AgeingQuestion, batch: int) -> Iterator[AgeingDetail]:
    """The same invoices in the order of the report's rows, so that both are read side by side. Rule 83."""
    statement = open_then(question).join(_customer, _customer.c.id == _invoice.c.customer_id)
    ordered = statement.order_by(_customer.c.search_name, _customer.c.id, _invoice.c.due_on, _invoice.c.number)
    for row in connection.execute(ordered, execution_options=in_batches(batch)):
        yield _detail(row, question)


def open_then(question: AgeingQuestion) -> Any:
    """Each invoice that was open at the day, with what was left of it."""
    in_currency = [_invoice.c.currency == question.currency_code] if question.currency_code is not None else []
    mine = (_invoice.c.posted_on <= question.as_of, *_of_customer(_invoice, question), *in_currency)
    if question.customer_id is not None:  # one customer's invoices are few: each looks for its own matches
        left = _invoice.c.open_micros + _off_since(_allocation, question) + _off_since(_written_off, question)
        return select(_invoice, left.label("left_micros")).where(*mine, left > 0)
    taken_off = union_all(
        *(
            select(table.c.invoice_id, table.c.amount_micros).where(table.c.effective_on > question.as_of)
            for table in (_allocation, _written_off)
        )
    ).subquery()
    later = (
        select(taken_off.c.invoice_id, func.sum(taken_off.c.amount_micros).label("later"))
        .group_by(taken_off.c.invoice_id)
        .subquery()
    )
    left = _invoice.c.open_micros + func.coalesce(later.c.later, 0)
    joined = select(_invoice, left.label("left_micros")).outerjoin(later, later.c.invoice_id == _invoice.c.id)
    return joined.where(*mine, left > 0)


def _off_since(table: Any, question: AgeingQuestion) -> Any:
    """What was taken off an invoice after the day."""
    since = select(func.coalesce(_sum(table.c.amount_micros), 0))
    return since.where(table.c.invoice_id == _invoice.c.id, table.c.effective_on > question.as_of).scalar_subquery()


def _detail(row: Any, question: AgeingQuestion) -> AgeingDetail:
    of = currency(row.currency)
    since = row.due_on if question.basis is Basis.DUE else row.issue_on
    days = (question.as_of - since).days
    return AgeingDetail(
        customer_id=row.customer_id,
        invoice_id=row.id,
        number=row.number,
        issue_on=row.issue_on,
        due_on=row.due_on,
        total=Money(row.total_micros, of),
        open=Money(row.left_micros, of),
        days_late=days,
        bucket=bucket_of(days, question.edges),
        disputed=row.disputed,
    )


@lru_cache(maxsize=64)
def _by_customer(edges: int, basis: Basis, *, of_customer: bool, in_currency: bool) -> Any:
    """One row per customer who owed or was owed anything: unapplied credit, then the buckets, by name.

    Each part is grouped on its own, in the order of its index; no part meets another row by row.
    """
    names = [f"since_{index}" for index in range(edges + 1)]
    parts = union_all(*_parts(names, basis, of_customer=of_customer)).subquery("parts")
    sums = [_sum(parts.c[name]).label(name) for name in ("credit", "prepaid", *names, "whole")]
    grouped = select(parts.c.customer_id, *sums).group_by(parts.c.customer_id).subquery("grouped")
    reached = [grouped.c[name] for name in (*names, "whole")]
    buckets = [reached[0], *(later - earlier for earlier, later in pairwise(reached))]
    wanted = [_customer.c.currency == bindparam("currency_code")] if in_currency else []
    return (
        select(
            _customer.c.id,
            _customer.c.code,
            _customer.c.name,
            _customer.c.currency,
            grouped.c.credit,
            grouped.c.prepaid,
            *buckets,
        )
        .join(grouped, grouped.c.customer_id == _customer.c.id)
        .where(or_(grouped.c.credit != 0, grouped.c.prepaid != 0, *(each != 0 for each in reached)), *wanted)
        .order_by(_customer.c.search_name, _customer.c.id)
    )


def _parts(names: Sequence[str], basis: Basis, *, of_customer: bool) -> Iterator[Any]:
    """What is open now, and what has been taken off it since: first of invoices, then of credit. Rule 84.

    Of invoices, how much is as young as each bucket reaches, and the whole: a bucket is the difference of two, which
    asks half of what asking for both its ends would. A credit counts from the day it came to be. A match carries that
    day and those of its invoice.
    """
    nothing: ColumnElement[int] = literal_column("0")
    for part in _DEBITS:
        since = part.table.c.due_on if basis is Basis.DUE else part.table.c.issue_on
        young = [
            _sum(case((since >= bindparam(f"limit_{index}"), part.amount), else_=0)).label(name)
            for index, name in enumerate(names)
        ]
        whole = (nothing.label("prepaid"), *young, _sum(part.amount).label("whole"))
        yield part.grouped(nothing.label("credit"), *whole, of_customer=of_customer)
    none = [nothing.label(name) for name in (*names, "whole")]
    for part in _PREPAID:
        yield part.grouped(nothing.label("credit"), _sum(part.amount).label("prepaid"), *none, of_customer=of_customer)
    yield _used_since(names, of_customer=of_customer)
    for part in _CREDITS:
        credit = (_sum(part.amount).label("credit"), nothing.label("prepaid"))
        yield part.grouped(*credit, *none, of_customer=of_customer)


def _used_since(names: Sequence[str], *, of_customer: bool) -> Any:
    """What was matched to usage has no age: what the matches above count of it, by its day, is taken off again."""
    nothing: ColumnElement[int] = literal_column("0")
    part = Part(_allocation, -_allocation.c.amount_micros, _USED)
    young = [
        _sum(case((_allocation.c.posted_on >= bindparam(f"limit_{index}"), part.amount), else_=0)).label(name)
        for index, name in enumerate(names)
    ]
    whole = (nothing.label("prepaid"), *young, _sum(part.amount).label("whole"))
    return part.grouped(nothing.label("credit"), *whole, of_customer=of_customer)


def _sum(amount: ColumnElement[int]) -> ColumnElement[int]:
    """PostgreSQL adds whole numbers up to one that drivers take for a decimal."""
    return cast(func.sum(amount), BigInteger)


def _waited(table: Any, *conditions: ColumnElement[bool]) -> Any:
    found = select(table.c.currency, _sum(table.c.amount_micros))
    return found.where(*conditions, table.c.suspense_on <= _DAY).group_by(table.c.currency)


# Money in nobody's name at the day: what waits now, what was voided since, and what was assigned since.
_SUSPENSE = union_all(
    _waited(_payment, _payment.c.customer_id.is_(None), _payment.c.state == "recorded"),
    _waited(_payment, _payment.c.voided_on > _DAY),
    _waited(_lot, _lot.c.opened_on > _DAY, _lot.c.suspense_on < _lot.c.opened_on),
)


def _of_customer(table: Any, question: AgeingQuestion) -> list[ColumnElement[bool]]:
    return [table.c.customer_id == question.customer_id] if question.customer_id is not None else []
