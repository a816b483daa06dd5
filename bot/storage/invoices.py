"""Invoices inside a write."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, and_, bindparam, delete, func, insert, or_, select, update

from bot.domain.customers import Mode
from bot.domain.errors import NotFound
from bot.domain.invoices import InvoiceLine
from bot.domain.money import MICROS, Money, currency, plain
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.storage.session import Session
from bot.storage.tables import InvoiceLineRow, InvoiceRow

_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_line = InvoiceLineRow.__table__  # type: ignore[attr-defined]  # as above

INVOICES = select(_invoice)
_INVOICE = INVOICES.where(_invoice.c.id == bindparam("id"))
_MANY = INVOICES.where(_invoice.c.id.in_(bindparam("ids", expanding=True)))
_MINE = INVOICES.where(_invoice.c.customer_id == bindparam("customer_id"))
_OPEN = _MINE.where(_invoice.c.open_micros > 0, _invoice.c.kind == "tax").order_by(
    _invoice.c.issue_on, func.length(_invoice.c.number), _invoice.c.number
)
_OPEN_AUTO = _OPEN.where(_invoice.c.auto_allocate, _invoice.c.state == "sent")
_WAITING = _MINE.where(
    or_(_invoice.c.state == "draft", and_(_invoice.c.open_micros > 0, _invoice.c.kind != "tax"))
).limit(1)
_OPEN_TOP_UP = _MINE.where(_invoice.c.open_micros > 0, _invoice.c.kind == "top_up", _invoice.c.automatic).limit(1)
_LINES = (
    select(_line, _invoice.c.currency)
    .join(_invoice, _invoice.c.id == _line.c.invoice_id)
    .where(_line.c.invoice_id == bindparam("invoice_id"))
    .order_by(_line.c.position)
)
_SEND = (
    update(_invoice)
    .where(_invoice.c.id == bindparam("row_id"))
    .values(
        state="sent",
        number=bindparam("new_number"),
        posted_on=bindparam("new_posted_on"),
        rose_on=bindparam("new_rose_on"),
        open_micros=_invoice.c.total_micros,
        version=_invoice.c.version + 1,
    )
)
_VOID = (
    update(_invoice)
    .where(_invoice.c.id == bindparam("row_id"))
    .values(state="void", open_micros=0, version=_invoice.c.version + 1)
)
_PROVISION = (
    update(_invoice)
    .where(_invoice.c.id == bindparam("row_id"))
    .values(
        kind="tax",
        proforma_number=_invoice.c.number,
        version=_invoice.c.version + 1,
        **{name: bindparam(f"new_{name}") for name in ("number", "issue_on", "due_on", "posted_on", "rose_on")},
        cost_micros=bindparam("new_cost"),
    )
)
_DRAFT_CHANGES = ("issue_on", "due_on", "remark", "auto_allocate")
_EDIT = (
    update(_invoice)
    .where(_invoice.c.id == bindparam("row_id"))
    .values(
        {
            **{name: bindparam(f"new_{name}") for name in _DRAFT_CHANGES},
            **{f"{name}_micros": bindparam(f"new_{name}") for name in ("net", "tax", "total")},
            "version": _invoice.c.version + 1,
        }
    )
)
_LINES_GONE = delete(_line).where(_line.c.invoice_id == bindparam("of_invoice"))
_LINE_NEW = insert(_line)
_GONE = delete(_invoice).where(_invoice.c.id == bindparam("row_id"))
_AUTO = (
    update(_invoice)
    .where(_invoice.c.id == bindparam("row_id"))
    .values(auto_allocate=bindparam("new_auto"), version=_invoice.c.version + 1)
)


def invoice_of(row: Row[Any]) -> Invoice:
    """An invoice row as the domain knows it."""
    of = currency(row.currency)
    return Invoice(
        id=row.id,
        kind=InvoiceKind(row.kind),
        customer_id=row.customer_id,
        number=row.number,
        draft_reference=row.draft_reference,
        issue_on=row.issue_on,
        due_on=row.due_on,
        posted_on=row.posted_on,
        rose_on=row.rose_on,
        net=Money(row.net_micros, of),
        tax=Money(row.tax_micros, of),
        total=Money(row.total_micros, of),
        open=Money(row.open_micros, of),
        state=InvoiceState(row.state),
        auto_allocate=row.auto_allocate,
        disputed=row.disputed,
        remark=row.remark,
        version=row.version,
        intake_id=row.intake_id,
        usage_net_micros=row.usage_net_micros,
        proforma_number=row.proforma_number,
        automatic=row.automatic,
        cost=Money(row.cost_micros, of) if row.cost_micros else None,
        usage_mode=Mode(row.usage_mode) if row.usage_mode is not None else None,
        usage_through=row.usage_through,
        settled_micros=row.settled_micros,
    )


def line_of(row: Row[Any]) -> InvoiceLine:
    of = currency(row.currency)
    return InvoiceLine(
        description=row.description,
        quantity=plain(Decimal(row.quantity_micros).scaleb(-6)),
        unit_price=Money(row.unit_price_micros, of),
        tax_rate=plain(Decimal(row.tax_rate_micros).scaleb(-6)),
        net=Money(row.net_micros, of),
        tax=Money(row.tax_micros, of),
        cost=Money(row.cost_micros, of) if getattr(row, "cost_micros", 0) else None,  # a note's line has none
    )


def line_values(line: InvoiceLine) -> dict[str, Any]:
    """A line as the row of a note or an invoice keeps it."""
    return {
        "description": line.description,
        "quantity_micros": int(line.quantity * MICROS),
        "unit_price_micros": line.unit_price.micros,
        "tax_rate_micros": int(line.tax_rate * MICROS),
        "net_micros": line.net.micros,
        "tax_micros": line.tax.micros,
    }


LINES = _LINES


class SqlInvoices:
    """The invoices inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, invoice_id: int) -> Invoice:
        row = self._session.connection.execute(_INVOICE, {"id": invoice_id}).first()
        if row is None:
            raise NotFound("There is no such invoice.", field="invoices")
        return invoice_of(row)

    def get_many(self, invoice_ids: Sequence[int]) -> Sequence[Invoice]:
        if not invoice_ids:
            return ()
        found = [invoice_of(row) for row in self._session.connection.execute(_MANY, {"ids": list(invoice_ids)})]
        if len(found) != len(set(invoice_ids)):
            raise NotFound("One of these invoices does not exist.", field="invoices")
        return found

    def lines(self, invoice_id: int) -> tuple[InvoiceLine, ...]:
        return tuple(line_of(row) for row in self._session.connection.execute(_LINES, {"invoice_id": invoice_id}))

    def open_auto(self, customer_id: int) -> Sequence[Invoice]:
        return [invoice_of(row) for row in self._session.connection.execute(_OPEN_AUTO, {"customer_id": customer_id})]

    def waiting_of(self, customer_id: int) -> Invoice | None:
        """Any draft of the customer, or a top-up invoice or proforma that asks for money."""
        row = self._session.connection.execute(_WAITING, {"customer_id": customer_id}).first()
        return invoice_of(row) if row is not None else None

    def open_top_up(self, customer_id: int) -> Invoice | None:
        """A top-up invoice that a rule wrote and nobody has paid."""
        row = self._session.connection.execute(_OPEN_TOP_UP, {"customer_id": customer_id}).first()
        return invoice_of(row) if row is not None else None

    def open_of(self, customer_id: int) -> Sequence[Invoice]:
        return [invoice_of(row) for row in self._session.connection.execute(_OPEN, {"customer_id": customer_id})]

    def insert(self, invoice: Invoice, lines: Sequence[InvoiceLine]) -> None:
        self._session.pending.add(
            "invoice",
            {
                "id": invoice.id,
                "kind": invoice.kind.value,
                "customer_id": invoice.customer_id,
                "number": invoice.number,
                "draft_reference": invoice.draft_reference,
                "currency": invoice.total.currency.code,
                "issue_on": invoice.issue_on,
                "due_on": invoice.due_on,
                "posted_on": invoice.posted_on,
                "rose_on": invoice.rose_on,
                "net_micros": invoice.net.micros,
                "tax_micros": invoice.tax.micros,
                "total_micros": invoice.total.micros,
                "open_micros": invoice.open.micros,
                "state": invoice.state.value,
                "auto_allocate": invoice.auto_allocate,
                "disputed": invoice.disputed,
                "remark": invoice.remark,
                "version": invoice.version,
                "intake_id": invoice.intake_id,
                "usage_net_micros": invoice.usage_net_micros,
                "automatic": invoice.automatic,
                "usage_mode": invoice.usage_mode,
                "usage_through": invoice.usage_through,
                "usage_lines": len(lines) if invoice.usage_mode is not None else None,
                "settled_micros": invoice.settled_micros,
            },
        )
        for row in self._line_rows(invoice, lines):
            self._session.pending.add("invoice_line", row)

    def _line_rows(self, invoice: Invoice, lines: Sequence[InvoiceLine]) -> Iterator[dict[str, Any]]:
        for position, line in enumerate(lines, 1):
            yield {
                "id": self._session.new_id(),
                "invoice_id": invoice.id,
                "position": position,
                **line_values(line),
                "cost_micros": line.cost.micros if line.cost is not None else 0,
            }

    def edit(self, draft: Invoice, lines: Sequence[InvoiceLine]) -> None:
        """Give a draft other lines and days."""
        values = {f"new_{name}": getattr(draft, name) for name in _DRAFT_CHANGES}
        values |= {f"new_{name}": getattr(draft, name).micros for name in ("net", "tax", "total")}
        pending = self._session.pending
        pending.change(_EDIT, {"row_id": draft.id, **values})
        pending.change(_LINES_GONE, {"of_invoice": draft.id})
        for row in self._line_rows(draft, lines):
            pending.change(_LINE_NEW, row)

    def delete(self, draft: Invoice) -> None:
        """Drop a draft; the guards let nothing else go. Rule 92."""
        self._session.pending.change(_LINES_GONE, {"of_invoice": draft.id})
        self._session.pending.change(_GONE, {"row_id": draft.id})

    def void(self, invoice: Invoice) -> None:
        self._session.pending.change(_VOID, {"row_id": invoice.id})

    def provision(self, invoice: Invoice) -> None:
        """Make a proforma a tax invoice; at once, since what it was paid with is matched to it anew."""
        names = ("number", "issue_on", "due_on", "posted_on", "rose_on")
        values: dict[str, Any] = {f"new_{name}": getattr(invoice, name) for name in names}
        values |= {"row_id": invoice.id, "new_cost": invoice.cost.micros if invoice.cost is not None else 0}
        self._session.connection.execute(_PROVISION, values)

    def send(self, invoice: Invoice) -> None:
        """Make a draft final. It happens before allocations to it are inserted, so it is done at once."""
        self._session.connection.execute(
            _SEND,
            {
                "row_id": invoice.id,
                "new_number": invoice.number,
                "new_posted_on": invoice.posted_on,
                "new_rose_on": invoice.rose_on,
            },
        )

    def set_auto(self, invoice_id: int, *, on: bool) -> None:
        self._session.pending.add(
            "invoice_flag",
            {
                "id": self._session.new_id(),
                "invoice_id": invoice_id,
                "was": not on,
                "operation_id": self._session.operation_id,
            },
        )
        self._session.pending.change(_AUTO, {"row_id": invoice_id, "new_auto": on})
