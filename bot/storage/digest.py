"""What the digest asks of the ledger at a day: receivable by kind of entry, credit, and what fell late."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, cast, func, select

from bot.domain.digest import Account
from bot.domain.ledger import Account as LedgerAccount
from bot.domain.money import currency
from bot.storage.tables import AllocationRow, CustomerRow, EntryRow, InvoiceRow, PostingRow

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above

RECEIVABLE = LedgerAccount.RECEIVABLE.value
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
    fell_late = (_invoice.c.due_on >= since, _invoice.c.due_on < as_of)
    later = (
        select(_allocation.c.invoice_id, func.sum(_allocation.c.amount_micros).label("later"))
        .where(_allocation.c.effective_on > as_of)
        .group_by(_allocation.c.invoice_id)
        .subquery()
    )
    left = _invoice.c.open_micros + func.coalesce(later.c.later, 0)
    statement = (
        select(_invoice.c.customer_id, cast(func.sum(left), BigInteger))
        .outerjoin(later, later.c.invoice_id == _invoice.c.id)
        .where(_invoice.c.posted_on <= as_of, left > 0, *fell_late)
        .group_by(_invoice.c.customer_id)
    )
    return {row[0]: int(row[1]) for row in connection.execute(statement)}
