"""A customer at a glance: a fixed number of questions, each answered along an index of that customer."""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Connection, Select, bindparam, cast, func, select, union_all

from bot.domain.customer_file import CustomerFile
from bot.domain.customers import Customer
from bot.domain.money import Money
from bot.domain.payment import Payment
from bot.domain.withdrawals import Withdrawal
from bot.storage import customers, ledger
from bot.storage.approvals import approvals_of
from bot.storage.invoices import INVOICES, invoice_of
from bot.storage.notes import NOTES, note_of
from bot.storage.payments import PAYMENTS, payment_of
from bot.storage.tables import (
    ApprovalRow,
    CreditNoteRow,
    EntryRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PostingRow,
    UsageDayRow,
    WithdrawalRow,
)
from bot.storage.top_ups import settings_in_force
from bot.storage.withdrawals import WITHDRAWALS, withdrawal_of

_approval = ApprovalRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_day = UsageDayRow.__table__  # type: ignore[attr-defined]  # as above
_withdrawal = WithdrawalRow.__table__  # type: ignore[attr-defined]  # as above

CARD_ITEMS = 5
_OF: Any = bindparam("of_customer")
_SINCE: Any = bindparam("since")


def _sum(amount: Any) -> Any:
    return cast(func.coalesce(func.sum(amount), 0), BigInteger)


_OWED = (_invoice.c.customer_id == _OF, _invoice.c.open_micros > 0)
_OPEN = INVOICES.where(*_OWED).order_by(_invoice.c.due_on, _invoice.c.number).limit(CARD_ITEMS)
_LOTS = ledger.LOTS.where(_lot.c.customer_id == _OF, _lot.c.open_micros > 0).order_by(_lot.c.opened_on, _lot.c.id)
_NOTES = NOTES.where(_note.c.customer_id == _OF, _note.c.open_micros > 0).order_by(_note.c.posted_on, _note.c.id)
_WAITING = select(_approval).where(_approval.c.customer_id == _OF, _approval.c.state == "waiting")
_TO_PAY = WITHDRAWALS.where(_withdrawal.c.customer_id == _OF, _withdrawal.c.state == "approved")
_LAST = PAYMENTS.where(_payment.c.customer_id == _OF).order_by(_payment.c.received_on.desc(), _payment.c.id.desc())


def _count(table: Any, *conditions: Any) -> Select[Any]:
    return select(func.count()).select_from(table).where(table.c.customer_id == _OF, *conditions)


_COUNTS = union_all(
    _count(_invoice, _invoice.c.open_micros > 0),
    _count(_invoice, _invoice.c.state == "draft"),
    _count(_note, _note.c.state == "draft"),
)
# Prepaid usage has a row for each day; of what is not invoiced yet there are no more entries than days and files.
_USED = union_all(
    select(_sum(_day.c.total_micros)).where(_day.c.customer_id == _OF, _day.c.used_on >= _SINCE),
    select(_sum(_posting.c.amount_micros))
    .join(_entry, _entry.c.id == _posting.c.entry_id)
    .where(
        _posting.c.customer_id == _OF,
        _posting.c.account == "unbilled",
        _entry.c.kind == "usage",
        _entry.c.effective_on >= _SINCE,
    ),
)


def customer_file(connection: Connection, customer: Customer, today: date) -> CustomerFile:
    """All that a customer's card shows; the month is the one of today."""
    asked = {"of_customer": customer.id}
    invoices, drafts, notes = connection.execute(_COUNTS, asked).scalars()
    used = connection.execute(_USED, {**asked, "since": today.replace(day=1)}).scalars()
    waiting = connection.execute(_WAITING.order_by(_approval.c.expires_at).limit(CARD_ITEMS), asked).all()
    return CustomerFile(
        customer=customer,
        contacts=customers.contacts_of(connection, customer.id),
        open_invoices=tuple(invoice_of(row) for row in connection.execute(_OPEN, asked)),
        open_count=invoices,
        unapplied=tuple(ledger.lot_of(row) for row in connection.execute(_LOTS.limit(CARD_ITEMS), asked)),
        notes=tuple(note_of(row) for row in connection.execute(_NOTES.limit(CARD_ITEMS), asked)),
        waiting=tuple(approvals_of(connection, waiting)),
        to_pay=_to_pay(connection, customer),
        draft_invoices=drafts,
        draft_notes=notes,
        month_usage=Money(sum(int(each) for each in used), customer.currency),
        last_payment=_last_payment(connection, customer.id),
        payment_settings=settings_in_force(connection, customer),
    )


def _to_pay(connection: Connection, customer: Customer) -> tuple[Withdrawal, ...]:
    """Withdrawals whose money has not left yet; the control account says whether there is any."""
    if not customer.controls.payouts_due:
        return ()
    statement = _TO_PAY.order_by(_withdrawal.c.id).limit(CARD_ITEMS)
    return tuple(withdrawal_of(row) for row in connection.execute(statement, {"of_customer": customer.id}))


def _last_payment(connection: Connection, customer_id: int) -> Payment | None:
    row = connection.execute(_LAST.limit(1), {"of_customer": customer_id}).first()
    return payment_of(row) if row is not None else None
