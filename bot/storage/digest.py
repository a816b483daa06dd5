"""What the digest asks of the ledger at a day: receivable by kind of entry, credit, and what fell late."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, case, cast, func, not_, or_, select

from bot.domain.digest import Account
from bot.domain.digest_figures import SOLD_DAYS, MonthFigures, month_of
from bot.domain.ledger import Account as LedgerAccount
from bot.domain.money import currency
from bot.domain.month_end import last_day
from bot.domain.receivables import AgeingQuestion
from bot.storage.ageing import open_then
from bot.storage.tables import CreditNoteRow, CustomerRow, EntryRow, InvoiceRow, PostingRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above

RECEIVABLE = LedgerAccount.RECEIVABLE.value
MOST_IDS = 500  # of a list within a statement
CREDIT = tuple(each.value for each in (LedgerAccount.DEPOSITS, LedgerAccount.ADVANCES, LedgerAccount.CREDIT_NOTES))


def accounts(connection: Connection, as_of: date, since: date | None) -> Sequence[Account]:
    """Every customer's accounts by the entries in force at a day, and what of it fell late since an earlier one."""
    receivable: dict[int, dict[str, int]] = defaultdict(dict)
    credit: dict[int, int] = defaultdict(int)
    total = cast(func.sum(_posting.c.amount_micros), BigInteger)
    sums = (
        select(_posting.c.customer_id, _posting.c.account, _entry.c.kind, total)
        .join(_entry, _entry.c.id == _posting.c.entry_id)
        .where(_entry.c.effective_on <= as_of, _posting.c.account.in_((RECEIVABLE, *CREDIT)))
        .group_by(_posting.c.customer_id, _posting.c.account, _entry.c.kind)
    )
    for customer_id, account, kind, amount in connection.execute(sums):
        if account == RECEIVABLE:
            receivable[customer_id][kind] = amount
        else:
            credit[customer_id] -= amount
    late = _newly_late(connection, as_of, since) if since is not None else {}
    in_force = connection.execute(select(_entry.c.id).where(_entry.c.effective_on > as_of).limit(1)).first() is None
    return [
        Account(
            customer_id=row.id,
            code=row.code,
            name=row.name,
            currency=currency(row.currency),
            receivable_micros=receivable[row.id],
            credit_micros=credit[row.id],
            kept_micros=(row.receivable_micros, row.credit) if in_force else None,
            newly_late_micros=late.get(row.id, 0),
        )
        for row in connection.execute(_customers())
    ]


def _customers() -> Any:
    held = _customer.c.deposits_micros + _customer.c.advances_micros + _customer.c.credit_notes_micros
    columns = (_customer.c.id, _customer.c.code, _customer.c.name, _customer.c.currency, _customer.c.receivable_micros)
    return select(*columns, held.label("credit")).order_by(_customer.c.id)


def _newly_late(connection: Connection, as_of: date, since: date) -> dict[int, int]:
    """What is open of invoices whose due date was not yet past at the earlier day and is past now, by customer."""
    then = open_then(AgeingQuestion(as_of=as_of)).subquery()
    return _left(connection, then, then.c.due_on >= since, then.c.due_on < as_of)


def sold(connection: Connection, as_of: date) -> Mapping[str, int]:
    """What was invoiced in the ninety days up to a day less what credit notes took back, in micros by currency, tax
    included: sent tax invoices and approved notes by their own dates. Summaries of prepaid usage ask for nothing that
    was not deducted already, and are left out.
    """
    window = (as_of - timedelta(days=SOLD_DAYS - 1), as_of)
    invoiced = (
        _invoice.c.kind == "tax",
        _invoice.c.state.in_(("sent", "written_off")),
        _invoice.c.issue_on.between(*window),
        _invoice.c.posted_on <= as_of,
        func.coalesce(_invoice.c.usage_mode, "") != "prepaid",
    )
    noted = (
        _note.c.number.is_not(None),
        _note.c.issue_on.between(*window),
        _note.c.posted_on <= as_of,
        or_(_note.c.voided_on.is_(None), _note.c.voided_on > as_of),
    )
    sums: dict[str, int] = defaultdict(int)
    for table, conditions, sign in ((_invoice, invoiced, 1), (_note, noted, -1)):
        statement = select(table.c.currency, _total(table.c.total_micros)).where(*conditions).group_by(table.c.currency)
        for code, micros in connection.execute(statement):
            sums[code] += sign * int(micros)
    return sums


def doubtful(connection: Connection, as_of: date, *, days: int, promised: frozenset[int]) -> Mapping[int, int]:
    """What is open of invoices that are more than so many days late, disputed, or among those of a broken promise; by
    customer, in micros, each invoice once.
    """
    then = open_then(AgeingQuestion(as_of=as_of)).subquery()
    late_or_disputed = or_(then.c.due_on < as_of - timedelta(days=days), then.c.disputed)
    sums: dict[int, int] = defaultdict(int, _left(connection, then, late_or_disputed))
    ids = sorted(promised)
    for begin in range(0, len(ids), MOST_IDS):
        mine = then.c.id.in_(ids[begin : begin + MOST_IDS])
        for customer_id, micros in _left(connection, then, not_(late_or_disputed), mine).items():
            sums[customer_id] += micros
    return sums


def month(connection: Connection, first: date) -> Mapping[str, MonthFigures]:
    """What a month came to in each currency, from the entries in force in it."""
    opened: dict[str, int] = defaultdict(int)
    moved: dict[str, dict[str, int]] = defaultdict(dict)
    before = case((_entry.c.effective_on < first, _posting.c.amount_micros), else_=0)
    within = case((_entry.c.effective_on >= first, _posting.c.amount_micros), else_=0)
    statement = (
        select(_entry.c.currency, _entry.c.kind, _total(before), _total(within))
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .where(_posting.c.account == RECEIVABLE, _entry.c.effective_on <= last_day(first))
        .group_by(_entry.c.currency, _entry.c.kind)
    )
    for code, kind, earlier, in_it in connection.execute(statement):
        opened[code] += earlier
        moved[code][kind] = in_it
    return {code: month_of(opened[code], moved[code], currency(code)) for code in opened}


def _left(connection: Connection, then: Any, *conditions: ColumnElement[bool]) -> dict[int, int]:
    """What is left of the invoices of such conditions, by customer."""
    statement = select(then.c.customer_id, _total(then.c.left_micros)).where(*conditions).group_by(then.c.customer_id)
    return {row[0]: int(row[1]) for row in connection.execute(statement)}


def _total(amount: Any) -> Any:
    return cast(func.sum(amount), BigInteger)
