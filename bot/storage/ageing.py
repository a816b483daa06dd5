"""Aged receivables at any day: what is open now, plus what later matches took off, each half grouped on its own."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, func, select

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
from bot.storage.tables import AllocationRow, CustomerRow, InvoiceRow, LotRow, PaymentRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above


def ageing(connection: Connection, question: AgeingQuestion) -> Ageing:
    """The report; sums in micros per customer and bucket. Rules 79-84."""
    found: dict[int, list[int]] = {}
    width = len(question.edges) + 2
    for statement in (_open_now(question), _taken_off_later(question)):
        for row in connection.execute(statement):
            sums = found.setdefault(row[0], [0] * width)
            for index in range(width):
                sums[index] += int(row[index + 1])
    unapplied, assigned = _unapplied(connection, question)
    names = connection.execute(_names(question)).all()
    rows = _rows(names, question, found, unapplied)
    suspense: dict[str, int] = {}
    if question.customer_id is None:
        for each in names:
            suspense[each.currency] = suspense.get(each.currency, 0) + assigned.get(each.id, 0)
        suspense = _suspense(connection, question.as_of, suspense)
    if question.currency_code is not None:
        suspense = {question.currency_code: suspense.get(question.currency_code, 0)}
    return Ageing(question=question, rows=tuple(rows), totals=add_up(rows, suspense, question.edges))


def detail(connection: Connection, question: AgeingQuestion, limit: int) -> Sequence[AgeingDetail]:
    """The invoices behind the report at the same day, by the same rule. Rule 83."""
    later = (
        select(_allocation.c.invoice_id, func.sum(_allocation.c.amount_micros).label("later"))
        .where(_allocation.c.effective_on > question.as_of, *_of_customer(_allocation, question))
        .group_by(_allocation.c.invoice_id)
        .subquery()
    )
    in_currency = [_invoice.c.currency == question.currency_code] if question.currency_code is not None else []
    left = _invoice.c.open_micros + func.coalesce(later.c.later, 0)
    statement = (
        select(_invoice, left.label("left_micros"))
        .outerjoin(later, later.c.invoice_id == _invoice.c.id)
        .where(_invoice.c.posted_on <= question.as_of, left > 0, *_of_customer(_invoice, question), *in_currency)
        .order_by(_invoice.c.due_on, _invoice.c.number)
        .limit(limit)
    )
    return [_detail(row, question) for row in connection.execute(statement)]


def _detail(row: Any, question: AgeingQuestion) -> AgeingDetail:
    of = currency(row.currency)
    since = row.due_on if question.basis is Basis.DUE else row.issue_on
    days = (question.as_of - since).days
    return AgeingDetail(
        invoice_id=row.id,
        number=row.number,
        issue_on=row.issue_on,
        due_on=row.due_on,
        total=Money(row.total_micros, of),
        open=Money(row.left_micros, of),
        days_late=days,
        bucket=bucket_of(days, question.edges),
    )


def _open_now(question: AgeingQuestion) -> Any:
    buckets = _buckets(_invoice, question, _invoice.c.open_micros)
    return (
        select(_invoice.c.customer_id, *buckets)
        .where(_invoice.c.open_micros > 0, _invoice.c.posted_on <= question.as_of, *_of_customer(_invoice, question))
        .group_by(_invoice.c.customer_id)
    )


def _taken_off_later(question: AgeingQuestion) -> Any:
    buckets = _buckets(_allocation, question, _allocation.c.amount_micros)
    return (
        select(_allocation.c.customer_id, *buckets)
        .where(
            _allocation.c.effective_on > question.as_of,
            _allocation.c.posted_on <= question.as_of,
            *_of_customer(_allocation, question),
        )
        .group_by(_allocation.c.customer_id)
    )


def _of_customer(table: Any, question: AgeingQuestion) -> list[ColumnElement[bool]]:
    return [table.c.customer_id == question.customer_id] if question.customer_id is not None else []


def _buckets(table: Any, question: AgeingQuestion, amount: ColumnElement[int]) -> list[ColumnElement[int]]:
    """One sum per bucket: an invoice falls in the first bucket whose earliest date it reaches. Rule 80."""
    since = table.c.due_on if question.basis is Basis.DUE else table.c.issue_on
    limits = bucket_limits(question.as_of, question.edges)
    columns: list[ColumnElement[int]] = []
    later: date | None = None
    for limit in (*limits, None):
        condition = since >= limit if limit is not None else since < limits[-1]
        if later is not None and limit is not None:
            condition = (since < later) & condition
        columns.append(func.coalesce(func.sum(case((condition, amount), else_=0)), 0))
        later = limit
    return columns


def _unapplied(connection: Connection, question: AgeingQuestion) -> tuple[dict[int, int], dict[int, int]]:
    """Credit in hand at the day, and what payments moved into it since, per customer. Rule 84.

    What is there now, less lots opened since, plus lots closed and matches made since.
    """
    held = _customer.c.deposits_micros + _customer.c.advances_micros + _customer.c.credit_notes_micros
    mine = [_customer.c.id == question.customer_id] if question.customer_id is not None else []
    found = {row[0]: int(row[1]) for row in connection.execute(select(_customer.c.id, held).where(held > 0, *mine))}
    assigned: dict[int, int] = {}
    for row in connection.execute(_later(_allocation, _allocation.c.effective_on, question)):
        found[row[0]] = found.get(row[0], 0) + int(row[1])
    for on, sign in ((_lot.c.opened_on, -1), (_lot.c.closed_on, 1)):
        statement = _later(_lot, on, question).add_columns(_lot.c.kind).group_by(_lot.c.kind)
        for customer_id, amount, kind in connection.execute(statement):
            found[customer_id] = found.get(customer_id, 0) + sign * int(amount)
            if kind == "payment":
                assigned[customer_id] = assigned.get(customer_id, 0) - sign * int(amount)
    return found, assigned


def _later(table: Any, on: ColumnElement[date], question: AgeingQuestion) -> Any:
    return (
        select(table.c.customer_id, func.sum(table.c.amount_micros))
        .where(on > question.as_of, *_of_customer(table, question))
        .group_by(table.c.customer_id)
    )


_NAMES = select(_customer.c.id, _customer.c.code, _customer.c.name, _customer.c.currency).order_by(
    _customer.c.search_name, _customer.c.id
)


def _names(question: AgeingQuestion) -> Any:
    statement = _NAMES
    if question.customer_id is not None:
        statement = statement.where(_customer.c.id == question.customer_id)
    if question.currency_code is not None:
        statement = statement.where(_customer.c.currency == question.currency_code)
    return statement


def _rows(
    names: Sequence[Any], question: AgeingQuestion, found: dict[int, list[int]], unapplied: dict[int, int]
) -> list[AgeingRow]:
    nothing = [0] * (len(question.edges) + 2)
    rows = []
    for each in names:
        sums = found.get(each.id, nothing)
        credit = unapplied.get(each.id, 0)
        if credit or any(sums):
            rows.append(AgeingRow(each.id, each.code, each.name, currency(each.currency), tuple(sums), 0, credit))
    return rows


def _suspense(connection: Connection, day: date, assigned_since: dict[str, int]) -> dict[str, int]:
    """Money recorded and not yet assigned at the day: what waits now, less what came since, plus what left since."""
    found = dict(assigned_since)
    waiting = (_payment.c.customer_id.is_(None) & (_payment.c.state == "recorded"), 1)
    for condition, sign in (waiting, (_payment.c.posted_on > day, -1), (_payment.c.voided_on > day, 1)):
        statement = select(_payment.c.currency, func.sum(_payment.c.amount_micros)).where(condition)
        for code, amount in connection.execute(statement.group_by(_payment.c.currency)):
            found[code] = found.get(code, 0) + sign * int(amount)
    return found
