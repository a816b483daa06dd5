"""Questions to the books: lists, cards, searches. Ageing has a module of its own."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any

from rapidfuzz import fuzz, process
from sqlalchemy import Connection, CursorResult, Select, and_, func, or_, select

from bot.domain.customer_file import CustomerFile
from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.ids import id_in
from bot.domain.invoices import DRAFT
from bot.domain.locks import PAST_LOCK
from bot.domain.money import Money
from bot.domain.open_items import Allocation, Invoice
from bot.domain.operation import Actor
from bot.domain.payments import Payment, PaymentState
from bot.domain.people import Person
from bot.domain.ports import (
    AuditLine,
    AuditQuestion,
    EntryLine,
    Finding,
    InvoiceFile,
    InvoiceListLine,
    Page,
    PaymentFile,
    PaymentLine,
)
from bot.domain.receivables import Ageing, AgeingDetail, AgeingQuestion, AgeingRow
from bot.domain.settings import Settings
from bot.domain.worklist import Worklist
from bot.storage import ageing, customer_card, customers, journal, ledger, people, verify, worklist
from bot.storage.approval_reads import ApprovalReads
from bot.storage.credit_reads import CreditReads
from bot.storage.dispute_reads import DisputeReads
from bot.storage.invoices import INVOICES, LINES, invoice_of, line_of
from bot.storage.mail_reads import MailReads
from bot.storage.note_reads import NoteReads
from bot.storage.payments import PAYMENTS, payment_of
from bot.storage.reminder_card_reads import ReminderCardReads
from bot.storage.reminder_reads import ReminderReads
from bot.storage.statements import StatementReads
from bot.storage.tables import (
    AuditRow,
    CustomerRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PersonRow,
)
from bot.storage.top_up_reads import TopUpReads
from bot.storage.usage_reads import UsageReads

_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above
_person = PersonRow.__table__  # type: ignore[attr-defined]  # as above

TWIN_DAYS = timedelta(days=14)
MOST_TWINS = 3
MOST_FUZZY = 50_000
LIKELY = 72
OWNER = 5
_STEPS = {
    "unassigned": and_(_payment.c.customer_id.is_(None), _payment.c.state == "recorded"),
    "assigned": _payment.c.customer_id.is_not(None),
    "void": _payment.c.state == "void",
}
_INVOICE_STATES = {
    "draft": _invoice.c.state == "draft",
    "open": _invoice.c.open_micros > 0,
    "paid": and_(_invoice.c.state == "sent", _invoice.c.open_micros == 0),
    "disputed": and_(_invoice.c.disputed, _invoice.c.open_micros > 0),
    "partly": and_(_invoice.c.open_micros > 0, _invoice.c.open_micros < _invoice.c.total_micros),
}


def like(text: str) -> str:
    """A search text as a pattern, its own wildcards taken literally."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class SqlReadBooks(
    ApprovalReads,
    CreditReads,
    DisputeReads,
    MailReads,
    NoteReads,
    ReminderReads,
    ReminderCardReads,
    StatementReads,
    TopUpReads,
    UsageReads,
):
    """Read-only questions in one snapshot, on either engine."""

    def __init__(self, connection: Connection, settings: Settings) -> None:
        self._connection = connection
        self._settings = settings

    def settings(self) -> Settings:
        return self._settings

    def person(self, team: str, user: str) -> Person | None:
        row = self._connection.execute(people.FIND, {"team": team, "slack_user": user}).first()
        return people.person_of(row) if row is not None else None

    def has_owner(self) -> bool:
        """Whether anybody owns this book yet. Rule 120."""
        return self._connection.execute(select(_person.c.id).where(_person.c.role == OWNER)).first() is not None

    def people(self) -> Sequence[Person]:
        rows = self._connection.execute(
            people.PEOPLE.where(_person.c.role > 0).order_by(_person.c.role.desc(), _person.c.name)
        )
        return [people.person_of(row) for row in rows]

    def customer(self, customer_id: int) -> Customer:
        row = self._connection.execute(customers.SELECT.where(_customer.c.id == customer_id)).first()
        if row is None:
            raise NotFound("There is no such customer.", field="customer")
        return customers.from_row(row)

    def customer_file(self, customer_id: int, today: date) -> CustomerFile:
        customer = self.customer(customer_id)
        return replace(
            customer_card.customer_file(self._connection, customer, today),
            disputes=self.disputes_of(customer_id),
            promises=self.promises_of(customer_id),
            reminders=self.reminder_standing(customer, today),
        )

    def find_customers(self, text: str, limit: int = 10) -> Sequence[Customer]:
        """By code, name, UUID or wallet ID; then by likeness, so that a typo still finds. Rule 60."""
        wanted = text.strip()
        exact = or_(
            _customer.c.code == wanted.upper(),
            _customer.c.uuid == wanted.lower(),
            _customer.c.wallet_id == wanted.upper(),
        )
        rows = self._connection.execute(customers.SELECT.where(exact).limit(1)).all()
        if rows or not wanted:
            return [customers.from_row(row) for row in rows] if wanted else self.list_customers(Page(limit=limit))
        folded = customers.folded(wanted)
        named = customers.SELECT.where(
            or_(
                _customer.c.search_name.like(like(folded), escape="\\"),
                _customer.c.code.like(like(wanted.upper()), escape="\\"),
            )
        )
        order = (_customer.c.search_name != folded, func.length(_customer.c.name), _customer.c.name)
        rows = self._connection.execute(named.order_by(*order).limit(limit)).all()
        if rows:
            same = [row for row in rows if customers.folded(row.name) == folded]
            return [customers.from_row(row) for row in (same if len(same) == 1 else rows)]
        return self._alike(folded, limit)

    def _alike(self, folded: str, limit: int) -> Sequence[Customer]:
        names = self._connection.execute(select(_customer.c.id, _customer.c.search_name).limit(MOST_FUZZY))
        choices = {row.id: row.search_name for row in names}
        found = process.extract(folded, choices, scorer=fuzz.WRatio, limit=limit, score_cutoff=LIKELY)
        ids = [key for _, _, key in found]
        rows = self._connection.execute(customers.SELECT.where(_customer.c.id.in_(ids)))
        by_id = {row.id: customers.from_row(row) for row in rows}
        return [by_id[each] for each in ids]

    def has_customer_called(self, name: str) -> bool:
        """Whether a customer has exactly this name, in any case and with or without its accents."""
        called = select(_customer.c.id).where(_customer.c.search_name == customers.folded(name)).limit(1)
        return self._connection.execute(called).first() is not None

    def list_customers(self, page: Page) -> Sequence[Customer]:
        statement = customers.SELECT.order_by(_customer.c.search_name, _customer.c.id)
        if page.text:
            statement = statement.where(_customer.c.search_name.like(like(customers.folded(page.text)), escape="\\"))
        rows = self._connection.execute(statement.limit(page.limit).offset(page.offset))
        return [customers.from_row(row) for row in rows]

    def payment(self, number_or_id: str) -> Payment | None:
        row = self._connection.execute(PAYMENTS.where(_named(_payment, number_or_id))).first()
        return payment_of(row) if row is not None else None

    def payment_file(self, payment_id: int) -> PaymentFile:
        payment = self.payment(str(payment_id))
        if payment is None:
            raise NotFound("There is no such payment.", field="payment")
        allocations: tuple[Allocation, ...] = ()
        left = payment.amount.micros if payment.state is PaymentState.RECORDED else 0
        if payment.lot_id is not None:
            rows = self._connection.execute(ledger.OF_LOT, {"lot_id": payment.lot_id})
            allocations = tuple(ledger.allocation_of(row) for row in rows)
            left = int(
                self._connection.execute(select(_lot.c.open_micros).where(_lot.c.id == payment.lot_id)).scalar() or 0
            )
        customer = self.customer(payment.customer_id) if payment.customer_id is not None else None
        return PaymentFile(payment=payment, customer=customer, left_micros=left, allocations=allocations)

    def list_payments(self, page: Page, state: PaymentState | None = None) -> Sequence[PaymentLine]:
        return list(self.each_payment(page, state))

    def each_payment(self, page: Page, state: PaymentState | None = None) -> Iterator[PaymentLine]:
        """The payments of a list one by one, newest first; a long list is never in memory as a whole."""
        joined = _payment.outerjoin(_customer, _customer.c.id == _payment.c.customer_id).outerjoin(
            _lot, _lot.c.id == _payment.c.lot_id
        )
        left = func.coalesce(_lot.c.open_micros, _payment.c.amount_micros).label("left_micros")
        named = (_customer.c.name.label("customer_name"), _customer.c.code.label("customer_code"))
        statement = select(_payment, *named, left).select_from(joined)
        if state is not None:
            statement = statement.where(_payment.c.state == state.value)
        if page.state:
            statement = statement.where(_STEPS[page.state])
        if page.customer_id is not None:
            statement = statement.where(_payment.c.customer_id == page.customer_id)
        if page.text:
            plain = (_payment.c.number, _payment.c.payer, _payment.c.reference, _customer.c.code)
            found = [column.ilike(like(page.text), escape="\\") for column in plain]
            found.append(_customer.c.search_name.like(like(customers.folded(page.text)), escape="\\"))
            statement = statement.where(or_(*found))
        newest = statement.order_by(_payment.c.received_on.desc(), _payment.c.id.desc())
        for row in self._each(newest.limit(page.limit).offset(page.offset), page.limit):
            yield PaymentLine(
                payment=payment_of(row),
                customer_name=row.customer_name or "",
                customer_code=row.customer_code or "",
                open_micros=row.left_micros,
            )

    def twins(
        self, payer: str, amount: Money, reference: str, received_on: date, customer_id: int | None = None
    ) -> Sequence[Payment]:
        """Payments of the same amount within 14 days that may be the same money: by reference, or by who paid where
        one of the references is missing. Void ones are none.
        """
        asked, theirs = _bare(reference), func.lower(func.replace(_payment.c.reference, " ", ""))
        is_theirs = func.lower(_payment.c.payer) == payer.lower()
        if customer_id is not None:
            is_theirs = or_(is_theirs, _payment.c.customer_id == customer_id)
        alike = or_(theirs == asked, and_(is_theirs, theirs == "")) if asked else is_theirs
        statement = PAYMENTS.where(
            _payment.c.amount_micros == amount.micros,
            _payment.c.currency == amount.currency.code,
            _payment.c.received_on.between(received_on - TWIN_DAYS, received_on + TWIN_DAYS),
            _payment.c.state == "recorded",
            alike,
        )
        rows = self._connection.execute(statement.order_by(_payment.c.id.desc()).limit(MOST_TWINS))
        return [payment_of(row) for row in rows]

    def invoice(self, number_or_id: str) -> Invoice | None:
        row = self._connection.execute(INVOICES.where(_named(_invoice, number_or_id))).first()
        return invoice_of(row) if row is not None else None

    def invoice_file(self, invoice_id: int) -> InvoiceFile:
        invoice = self.invoice(str(invoice_id))
        if invoice is None:
            raise NotFound("There is no such invoice.", field="invoice")
        lines = self._connection.execute(LINES, {"invoice_id": invoice_id})
        allocations = self._connection.execute(ledger.OF_INVOICE, {"invoice_id": invoice_id})
        return InvoiceFile(
            invoice=invoice,
            lines=tuple(line_of(row) for row in lines),
            customer=self.customer(invoice.customer_id),
            allocations=tuple(ledger.allocation_of(row) for row in allocations),
            **self._held_back(invoice),
        )

    def list_invoices(self, page: Page) -> Sequence[InvoiceListLine]:
        return list(self.each_invoice(page))

    def each_invoice(self, page: Page) -> Iterator[InvoiceListLine]:
        """By customer name, invoice number or issue date, one by one. Rule 13."""
        statement = _invoice_lines()
        if page.state:
            statement = statement.where(_INVOICE_STATES[page.state])
        if page.kind:
            statement = statement.where(_invoice.c.kind == page.kind)
        if page.customer_id is not None:
            statement = statement.where(_invoice.c.customer_id == page.customer_id)
        if page.on is not None:
            statement = statement.where(_invoice.c.issue_on == page.on)
        if page.text:
            statement = statement.where(
                or_(
                    _invoice.c.number.like(like(page.text.upper()), escape="\\"),
                    _invoice.c.proforma_number.like(like(page.text.upper()), escape="\\"),
                    _invoice.c.draft_reference.like(like(page.text.upper()), escape="\\"),
                    _customer.c.search_name.like(like(customers.folded(page.text)), escape="\\"),
                )
            )
        oldest = page.state in {"open", "partly"}
        order = _invoice.c.issue_on if oldest else _invoice.c.issue_on.desc()
        ordered = statement.order_by(order, func.length(_invoice.c.number), _invoice.c.number)
        for row in self._each(ordered.limit(page.limit).offset(page.offset), page.limit):
            yield InvoiceListLine(
                invoice=invoice_of(row), customer_name=row.customer_name, customer_code=row.customer_code
            )

    def ageing(self, question: AgeingQuestion) -> Ageing:
        return ageing.ageing(self._connection, question)

    def ageing_detail(self, question: AgeingQuestion, limit: int = 200) -> Sequence[AgeingDetail]:
        return ageing.detail(self._connection, question, limit)

    def each_ageing_row(self, question: AgeingQuestion) -> Iterator[AgeingRow]:
        return ageing.each_row(self._connection, question, batch=ageing.BATCH)

    def each_ageing_detail(self, question: AgeingQuestion) -> Iterator[AgeingDetail]:
        return ageing.each_detail(self._connection, question, ageing.BATCH)

    def suspense(self, question: AgeingQuestion) -> Mapping[str, int]:
        return ageing.suspense(self._connection, question)

    def audit(self, question: AuditQuestion) -> Sequence[AuditLine]:
        return list(self.each_audit(question))

    def each_audit(self, question: AuditQuestion) -> Iterator[AuditLine]:
        """The audit log by time, app, event, customer and actor, one by one. Rule 116."""
        statement = select(_audit, _customer.c.code, _customer.c.name).outerjoin(
            _customer, _customer.c.id == _audit.c.customer_id
        )
        if question.since is not None:
            statement = statement.where(_audit.c.at >= question.since)
        if question.until is not None:
            statement = statement.where(_audit.c.at < question.until)
        for column, wanted in (
            (_audit.c.event, question.event),
            (_audit.c.app, question.app),
            (_audit.c.customer_id, question.customer_id),
            (_audit.c.actor, question.actor),
        ):
            if wanted is not None:
                statement = statement.where(column == wanted)
        if question.past_lock:
            statement = statement.where(_audit.c.after.contains(f'"{PAST_LOCK}": ', autoescape=True))
        newest = statement.order_by(_audit.c.at.desc(), _audit.c.id.desc()).limit(question.limit)
        for row in self._each(newest, question.limit):
            yield AuditLine(
                id=row.id,
                at=row.at,
                app=row.app,
                event=row.event,
                description=row.description,
                actor=row.actor,
                affected=f"{row.name} ({row.code})" if row.code else "",
                document=row.document or "",
                request_id=row.request_id,
            )

    def _each(self, statement: Select[Any], limit: int) -> CursorResult[Any]:
        """The rows of a list; what may be long is read in batches."""
        return self._connection.execute(statement, execution_options=ageing.batches_of(limit))

    def payment_entries(self, payment_id: int) -> Sequence[EntryLine]:
        return journal.of_payment(self._connection, payment_id)

    def invoice_entries(self, invoice_id: int) -> Sequence[EntryLine]:
        return journal.of_invoice(self._connection, invoice_id)

    def worklist(self, actor: Actor, now: datetime) -> Worklist:
        """What waits, and what a person did last. Rule 118."""
        return worklist.worklist(self._connection, self._settings, actor, now)

    def verify(self) -> Iterable[Finding]:
        return verify.findings(self._connection, self._settings)

    @cached_property
    def connection(self) -> Connection:
        return self._connection


def _bare(reference: str) -> str:
    """A reference as it is compared: no spaces, no case."""
    return "".join(reference.split()).lower()


def _named(table: Any, number_or_id: str) -> Any:
    """A document by its number, or by its id when the text is one."""
    text = number_or_id.strip()
    by_number = table.c.number == text.upper()
    if table is _invoice:
        by_number = or_(by_number, table.c.proforma_number == text.upper())
    if table is _invoice and text.upper().startswith(DRAFT):  # which has no index: few are asked for by it
        by_number = or_(by_number, table.c.draft_reference == text.upper())
    wanted_id = id_in(text) if len(text) > 12 else None  # noqa: PLR2004  # ids are longer than any number
    return by_number if wanted_id is None else table.c.id == wanted_id


def _invoice_lines() -> Select[Any]:
    joined = _invoice.join(_customer, _customer.c.id == _invoice.c.customer_id)
    return select(
        _invoice, _customer.c.name.label("customer_name"), _customer.c.code.label("customer_code")
    ).select_from(joined)
