"""What an import asks of the books before it writes: who and what is there already, many at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from bot.domain.customers import Contact, Customer
from bot.domain.intake import Intake
from bot.domain.open_items import Invoice
from bot.domain.payments import Payment
from bot.domain.usage import Charge
from bot.storage import customers
from bot.storage.intakes import STANDING, intake_of
from bot.storage.invoices import invoice_of
from bot.storage.payments import PAYMENTS, payment_of
from bot.storage.reports import SqlReadBooks
from bot.storage.tables import ChargeRow, ContactRow, CustomerRow, IntakeRow, InvoiceRow, LotRow, PaymentRow
from bot.storage.usage import charge_of

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_contact = ContactRow.__table__  # type: ignore[attr-defined]  # as above
_intake = IntakeRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_charge = ChargeRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
GROUP = 1000


@dataclass(frozen=True, slots=True)
class Known:
    """A customer of the book with its contacts."""

    customer: Customer
    contacts: tuple[Contact, ...]


def known_customers(books: SqlReadBooks, codes: Sequence[str]) -> dict[str, Known]:
    """Those of these codes that the book has."""
    found: dict[str, Known] = {}
    for rows in _many(books, customers.SELECT, _customer.c.code, codes):
        ids = [row.id for row in rows]
        contacts: dict[int, list[Contact]] = {}
        query = select(_contact).where(_contact.c.customer_id.in_(ids)).order_by(_contact.c.id)
        for row in books.connection.execute(query):
            contact = Contact(name=row.name, email=row.email, phone=row.phone)
            contacts.setdefault(row.customer_id, []).append(contact)
        for row in rows:
            found[row.code] = Known(customers.from_row(row), tuple(contacts.get(row.id, ())))
    return found


def currencies_of(books: SqlReadBooks, codes: Sequence[str]) -> dict[str, str]:
    """What currency those of these codes are kept in that the book has."""
    query = select(_customer.c.code, _customer.c.currency)
    return {row.code: row.currency for group in _many(books, query, _customer.c.code, codes) for row in group}


def owners_of(books: SqlReadBooks, column: str, values: Sequence[str]) -> dict[str, str]:
    """The codes of customers that have one of these UUIDs or wallet IDs."""
    query = select(_customer.c[column].label("value"), _customer.c.code)
    rows = _many(books, query, _customer.c[column], values)
    return {row.value: row.code for group in rows for row in group}


def known_invoices(books: SqlReadBooks, numbers: Sequence[str]) -> dict[str, tuple[Invoice, str]]:
    """Those of these numbers that the book has, with the customer's code."""
    joined = _invoice.join(_customer, _customer.c.id == _invoice.c.customer_id)
    query = select(_invoice, _customer.c.code.label("customer_code")).select_from(joined)
    rows = _many(books, query, _invoice.c.number, numbers)
    return {row.number: (invoice_of(row), row.customer_code) for group in rows for row in group}


def known_payments(books: SqlReadBooks, numbers: Sequence[str]) -> dict[str, Payment]:
    """Those of these numbers that the book has."""
    rows = _many(books, PAYMENTS, _payment.c.number, numbers)
    return {row.number: payment_of(row) for group in rows for row in group}


def known_balances(books: SqlReadBooks, intake_id: int, codes: Sequence[str]) -> dict[str, int]:
    """What an opening brought the wallets of these customers, in micros."""
    joined = _lot.join(_customer, _customer.c.id == _lot.c.customer_id)
    query = select(_customer.c.code, _lot.c.amount_micros).select_from(joined)
    mine = query.where(_lot.c.intake_id == intake_id, _lot.c.payment_id.is_(None))
    return {row.code: row.amount_micros for group in _many(books, mine, _customer.c.code, codes) for row in group}


def known_usage(books: SqlReadBooks, external_ids: Sequence[str]) -> dict[str, Charge]:
    """Those of these ids that the book has charged."""
    rows = _many(books, select(_charge), _charge.c.external_id, external_ids)
    return {row.external_id: charge_of(row) for group in rows for row in group}


def intakes(books: SqlReadBooks) -> Sequence[Intake]:
    """Every import that stands, the newest first."""
    return [intake_of(row) for row in books.connection.execute(STANDING.order_by(_intake.c.id.desc()))]


def _many(books: SqlReadBooks, query: Any, column: Any, values: Sequence[str]) -> Iterator[Sequence[Any]]:
    """The rows of some values, a group of them at a time."""
    wanted = list(dict.fromkeys(each for each in values if each))
    asked = query.where(column.in_(bindparam("some", expanding=True)))
    for start in range(0, len(wanted), GROUP):
        yield books.connection.execute(asked, {"some": wanted[start : start + GROUP]}).all()
