"""All of a book as rows, streamed from one snapshot; texts as they are kept, amounts as plain decimals."""

import json
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from bot.storage.reports import SqlReadBooks
from bot.storage.tables import (
    AllocationRow,
    AuditRow,
    ContactRow,
    CustomerRow,
    EntryRow,
    InvoiceLineRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PostingRow,
)
from bot.storage.top_ups import newest_settings

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_contact = ContactRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_line = InvoiceLineRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # as above
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above
OWED = (_invoice.c.open_micros > 0, _invoice.c.kind == "tax")  # what another book takes over as debt
AT_A_TIME = 1000
Rows = Iterator[Sequence[str]]


def customers(books: SqlReadBooks) -> Rows:
    """The columns that `import customers` reads; contacts come along a group of customers at a time."""
    for group in _groups(books, select(_customer).order_by(_customer.c.code)):
        contacts: dict[int, list[Any]] = {}
        mine = _contact.c.customer_id.in_([row.id for row in group])
        for each in books.connection.execute(select(_contact).where(mine).order_by(_contact.c.id)):
            contacts.setdefault(each.customer_id, []).append(each)
        rules = newest_settings(books.connection, [row.id for row in group if row.mode == "prepaid"])
        for row in group:
            limit = amount(row.limit_micros) if row.limit_micros else ""
            words = (row.billing_name, row.country, row.zone, row.uuid, row.wallet_id, limit)
            terms = (row.code, row.name, row.currency, row.mode, _text(row.due_days))
            yield (*terms, *words, *_contacts(contacts.get(row.id, [])), *_settings(rules.get(row.id)))


def _contacts(found: list[Any]) -> tuple[str, str, str, str]:
    if not found:
        return ("", "", "", "")
    first, *others = found
    more = [{"name": each.name, "email": each.email, "phone": each.phone} for each in others]
    return (first.name, first.email, first.phone, json.dumps(more, ensure_ascii=False) if more else "")


def _settings(row: Any) -> tuple[str, str, str, str]:
    """How a prepaid customer is topped up by itself; without a method there is no rule."""
    if row is None or row.method is None or row.amount_micros is None or row.threshold_micros is None:
        return ("", "", "", "")
    return (row.method, amount(row.amount_micros), amount(row.threshold_micros), "on" if row.auto else "off")


def invoices(books: SqlReadBooks) -> Rows:
    query = _with_code(select(_invoice, _customer.c.code), _invoice).order_by(_invoice.c.id)
    for row in _rows(books, query):
        named = (row.number or "", row.draft_reference, row.kind, row.state, row.code, row.currency)
        days = (_text(row.issue_on), _text(row.due_on), _text(row.posted_on))
        sums = map(amount, (row.net_micros, row.tax_micros, row.total_micros, row.open_micros))
        yield (*named, *days, *sums, "yes" if row.auto_allocate else "no", row.remark)


def lines(books: SqlReadBooks) -> Rows:
    label = func.coalesce(_invoice.c.number, _invoice.c.draft_reference).label("invoice")
    query = select(_line, label).join(_invoice, _invoice.c.id == _line.c.invoice_id)
    for row in _rows(books, query.order_by(_line.c.invoice_id, _line.c.position)):
        figures = (row.quantity_micros, row.unit_price_micros, row.tax_rate_micros, row.net_micros, row.tax_micros)
        yield (row.invoice, str(row.position), row.description, *map(amount, figures))


def payments(books: SqlReadBooks) -> Rows:
    left = func.coalesce(_lot.c.open_micros, _payment.c.amount_micros).label("left_micros")
    joined = _payment.outerjoin(_customer, _customer.c.id == _payment.c.customer_id).outerjoin(
        _lot, _lot.c.id == _payment.c.lot_id
    )
    query = select(_payment, _customer.c.code, left).select_from(joined).order_by(_payment.c.id)
    for row in _rows(books, query):
        unapplied = row.left_micros if row.state == "recorded" else 0
        named = (row.number, row.state, row.code or "", row.payer, row.currency)
        yield (
            *named,
            amount(row.amount_micros),
            amount(unapplied),
            _text(row.received_on),
            row.method,
            row.reference,
            row.invoice_hint,
            row.remark,
        )


def allocations(books: SqlReadBooks) -> Rows:
    query = (
        select(_allocation, _lot.c.number.label("credit"), _invoice.c.number.label("invoice"), _invoice.c.currency)
        .join(_lot, _lot.c.id == _allocation.c.lot_id)
        .join(_invoice, _invoice.c.id == _allocation.c.invoice_id)
        .order_by(_allocation.c.id)
    )
    for row in _rows(books, query):
        when = (_text(row.effective_on), row.recorded_at.isoformat(), "yes" if row.automatic else "no")
        yield (row.credit, row.invoice, row.currency, amount(row.amount_micros), *when, _text(row.reverses_id))


def entries(books: SqlReadBooks) -> Rows:
    """The journal: a row for each posting, debit positive and credit negative."""
    query = (
        select(_entry, _posting.c.account, _posting.c.detail, _posting.c.amount_micros, _customer.c.code)
        .join(_posting, _posting.c.entry_id == _entry.c.id)
        .outerjoin(_customer, _customer.c.id == _posting.c.customer_id)
        .order_by(_entry.c.id, _posting.c.id)
    )
    for row in _rows(books, query):
        head = (str(row.id), row.kind, _text(row.effective_on), row.recorded_at.isoformat(), _text(row.operation_id))
        yield (*head, row.account, row.detail, row.code or "", row.currency, amount(row.amount_micros))


def audit(books: SqlReadBooks) -> Rows:
    query = select(_audit, _customer.c.code).outerjoin(_customer, _customer.c.id == _audit.c.customer_id)
    for row in _rows(books, query.order_by(_audit.c.id)):
        what = (row.app, row.event, row.description, row.actor, row.code or "", row.at.isoformat())
        yield (str(row.id), *what, row.document or "", row.request_id, row.before, row.after)


def opening_invoices(books: SqlReadBooks) -> Rows:
    """What is open now, in the columns that `import opening` reads."""
    query = _with_code(select(_invoice, _customer.c.code), _invoice).where(*OWED)
    for row in _rows(books, query.order_by(_invoice.c.id)):
        days = (_text(row.issue_on), _text(row.due_on))
        flag = "yes" if row.auto_allocate else "no"
        yield (row.number, row.code, *days, amount(row.open_micros), row.currency, "", row.remark, flag)


def opening_payments(books: SqlReadBooks) -> Rows:
    query = (
        select(_payment, _customer.c.code, _lot.c.open_micros)
        .join(_lot, _lot.c.id == _payment.c.lot_id)
        .join(_customer, _customer.c.id == _payment.c.customer_id)
        .where(_lot.c.open_micros > 0)
        .order_by(_payment.c.id)
    )
    for row in _rows(books, query):
        money = (_text(row.received_on), amount(row.open_micros), row.currency)
        yield (row.number, row.code, *money, row.method, row.payer, row.reference, row.remark)


def opening_balances(books: SqlReadBooks) -> Rows:
    total = func.sum(_lot.c.open_micros).label("total")
    query = _with_code(select(_customer.c.code, _lot.c.currency, total).select_from(_lot), _lot)
    mine = query.where(_lot.c.open_micros > 0, _lot.c.payment_id.is_(None))
    for row in _rows(books, mine.group_by(_customer.c.code, _lot.c.currency).order_by(_customer.c.code)):
        yield (row.code, amount(int(row.total)), row.currency)


def control(books: SqlReadBooks) -> Rows:
    """The control totals of the opening that the files above are."""
    sums: dict[str, list[int]] = {}
    debts = select(_invoice.c.currency, func.sum(_invoice.c.open_micros)).group_by(_invoice.c.currency)
    paid = select(_lot.c.currency, func.sum(_lot.c.open_micros)).group_by(_lot.c.currency)
    held = _lot.c.open_micros > 0
    for index, query in enumerate(
        (
            debts.where(*OWED),
            paid.where(held, _lot.c.payment_id.is_not(None)),
            paid.where(held, _lot.c.payment_id.is_(None)),
        )
    ):
        for code, total in books.connection.execute(query):
            sums.setdefault(code, [0, 0, 0])[index] = int(total)
    for code, figures in sorted(sums.items()):
        yield (code, *map(amount, figures))


def amount(micros: int) -> str:
    """Micros as a plain decimal without trailing zeros: 1234.5."""
    text = f"{Decimal(micros).scaleb(-6):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _with_code(query: Any, table: Any) -> Any:
    return query.join(_customer, _customer.c.id == table.c.customer_id)


def _rows(books: SqlReadBooks, query: Any) -> Iterator[Any]:
    with books.connection.execute(query.execution_options(yield_per=AT_A_TIME)) as found:
        yield from found


def _groups(books: SqlReadBooks, query: Any) -> Iterator[Sequence[Any]]:
    with books.connection.execute(query.execution_options(yield_per=AT_A_TIME)) as found:
        yield from found.partitions()


# Each file with its columns, in the order in which it is written.
FILES: dict[str, tuple[tuple[str, ...], Callable[[SqlReadBooks], Rows]]] = {
    "customers": (
        (
            *("code", "name", "currency", "mode", "due_days", "billing_name", "country", "zone", "uuid", "wallet_id"),
            *("limit", "contact", "email", "phone", "more_contacts"),
            *("payment_method", "trigger_amount", "threshold", "auto_trigger"),
        ),
        customers,
    ),
    "invoices": (
        (
            *("number", "draft", "kind", "state", "customer", "currency", "issued", "due", "posted"),
            *("net", "tax", "total", "open", "auto_allocate", "remark"),
        ),
        invoices,
    ),
    "lines": (
        ("invoice", "position", "description", "quantity", "unit_price", "tax_rate", "net", "tax"),
        lines,
    ),
    "payments": (
        (
            *("number", "state", "customer", "payer", "currency", "amount", "unapplied", "received", "method"),
            *("reference", "invoice_hint", "remark"),
        ),
        payments,
    ),
    "allocations": (
        ("credit", "invoice", "currency", "amount", "effective", "recorded", "automatic", "reverses"),
        allocations,
    ),
    "entries": (
        (
            *("entry", "kind", "effective", "recorded", "operation"),
            *("account", "detail", "customer", "currency", "amount"),
        ),
        entries,
    ),
    "audit": (
        (
            *("operation", "app", "event", "description", "actor", "customer", "at"),
            *("document", "request", "before", "after"),
        ),
        audit,
    ),
    "opening/invoices": (
        ("number", "customer", "issued", "due", "open", "currency", "description", "remark", "auto_allocate"),
        opening_invoices,
    ),
    "opening/payments": (
        ("number", "customer", "received", "amount", "currency", "method", "payer", "reference", "remark"),
        opening_payments,
    ),
    "opening/balances": (("customer", "amount", "currency"), opening_balances),
    "opening/control": (("currency", "receivables", "unapplied", "wallet"), control),
}
FILES["opening/customers"] = FILES["customers"]
