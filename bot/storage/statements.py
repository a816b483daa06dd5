"""A customer's account at any day: its movements as the ledger has them, and the credit that was open then."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)

from bot.domain.customers import Customer
from bot.domain.ledger import Account
from bot.domain.money import Currency, Money
from bot.domain.open_items import LotKind
from bot.domain.receivables import AgeingQuestion
from bot.domain.statements import (
    BALANCE,
    AccountSums,
    Movement,
    OpenCredit,
    Statement,
    StatementKind,
    StatementQuestion,
    with_balances,
)
from bot.storage import ageing
from bot.storage.customers import contacts_of
from bot.storage.tables import (
    AllocationRow,
    AuditRow,
    CreditNoteRow,
    CreditRow,
    EntryRow,
    InvoiceRow,
    LotRow,
    PaymentRow,
    PostingRow,
    TakenRow,
    WithdrawalRow,
    WithdrawnRow,
    WriteOffRow,
)

_allocation = AllocationRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_audit = AuditRow.__table__  # type: ignore[attr-defined]  # as above
_credit = CreditRow.__table__  # type: ignore[attr-defined]  # as above
_entry = EntryRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_posting = PostingRow.__table__  # type: ignore[attr-defined]  # as above
_taken = TakenRow.__table__  # type: ignore[attr-defined]  # as above
_withdrawal = WithdrawalRow.__table__  # type: ignore[attr-defined]  # as above
_withdrawn = WithdrawnRow.__table__  # type: ignore[attr-defined]  # as above
_write_off = WriteOffRow.__table__  # type: ignore[attr-defined]  # as above

_OF: Any = bindparam("of_customer")
_SINCE: Any = bindparam("since", type_=Date)
_UNTIL: Any = bindparam("until", type_=Date)


def _sum(amount: Any) -> Any:
    """PostgreSQL adds whole numbers up to one that drivers take for a decimal."""
    return cast(func.coalesce(func.sum(amount), 0), BigInteger)


_ALONE = case((_entry.c.kind == "usage", literal_column("0")), else_=_entry.c.id)
# One line for each entry that changed the balance; matches of credit to debt change nothing. Usage is told by the day.
_MOVED = (
    select(
        _entry.c.effective_on,
        _entry.c.kind,
        func.min(_entry.c.id).label("entry_id"),
        _sum(_posting.c.amount_micros).label("micros"),
    )
    .join(_posting, _posting.c.entry_id == _entry.c.id)
    .where(
        _posting.c.customer_id == _OF,
        _posting.c.account.in_([each.value for each in BALANCE]),
        _entry.c.effective_on <= _UNTIL,
    )
    .group_by(
        _entry.c.effective_on, _entry.c.kind, case((_entry.c.kind == "usage", literal_column("0")), else_=_entry.c.id)
    )
    .having(func.sum(_posting.c.amount_micros) != 0)
    .subquery("moved")
)
_IN_TIME = _MOVED.c.effective_on >= _SINCE
_SUMS = select(
    _sum(case((_IN_TIME, 0), else_=_MOVED.c.micros)).label("opening"),
    _sum(case((and_(_IN_TIME, _MOVED.c.micros > 0), _MOVED.c.micros), else_=0)).label("debits"),
    _sum(case((and_(_IN_TIME, _MOVED.c.micros < 0), -_MOVED.c.micros), else_=0)).label("credits"),
    _sum(case((_IN_TIME, 1), else_=0)).label("movements"),
)
_BESIDE = (
    select(_posting.c.account, _sum(_posting.c.amount_micros))
    .join(_entry, _entry.c.id == _posting.c.entry_id)
    .where(
        _posting.c.customer_id == _OF,
        _posting.c.account.in_(("advances", "unbilled", "payouts_due")),
        _entry.c.effective_on <= _UNTIL,
    )
    .group_by(_posting.c.account)
)
_IS_IMPORTED = and_(_MOVED.c.kind == "invoice", _audit.c.document_kind.is_(None))


def _of_kind(table: Any, kind: str) -> Any:
    return and_(_audit.c.document_kind == kind, table.c.id == _audit.c.document_id)


# The document is that of the operation which posted: numbers come from the documents, whatever they were called then.
_MOVEMENTS = (
    select(
        _MOVED.c.effective_on,
        case((_IS_IMPORTED, literal("imported invoices")), else_=_MOVED.c.kind).label("kind"),
        _MOVED.c.micros,
        func.coalesce(
            _payment.c.number,
            _invoice.c.number,
            _note.c.number,
            _credit.c.number,
            _withdrawal.c.number,
            _write_off.c.number,
            "",
        ).label("document"),
        func.coalesce(_payment.c.reference, "").label("reference"),
    )
    .join(_entry, _entry.c.id == _MOVED.c.entry_id)
    .join(_audit, _audit.c.id == _entry.c.operation_id)
    .outerjoin(_payment, _of_kind(_payment, "payment"))
    .outerjoin(_invoice, _of_kind(_invoice, "invoice"))
    .outerjoin(_note, _of_kind(_note, "credit_note"))
    .outerjoin(_credit, _of_kind(_credit, "credit"))
    .outerjoin(_withdrawal, _of_kind(_withdrawal, "withdrawal"))
    .outerjoin(_write_off, _of_kind(_write_off, "write_off"))
    .where(_IN_TIME)
)
_OLDEST = _MOVEMENTS.order_by(_MOVED.c.effective_on, _MOVED.c.entry_id)
_NEWEST = _MOVEMENTS.order_by(_MOVED.c.effective_on.desc(), _MOVED.c.entry_id.desc())


def _left(table: Any, amount: Any, lot: Any, note: Any, *conditions: Any) -> Any:
    found = select(lot.label("lot_id"), note.label("note_id"), amount.label("micros"))
    return found.where(table.c.customer_id == _OF, *conditions)


def _since(table: Any, lot: Any, note: Any) -> Any:
    """What was taken off a credit after the day, of a credit that was there by then."""
    return _left(table, table.c.amount_micros, lot, note, table.c.effective_on > _UNTIL, table.c.credit_on <= _UNTIL)


# What is open of a credit now, and what has been taken off it since the day; as the ageing counts, but each by itself.
_NONE = cast(null(), BigInteger)
_PARTS = union_all(
    _left(_lot, _lot.c.open_micros, _lot.c.id, _NONE, _lot.c.open_micros > 0, _lot.c.opened_on <= _UNTIL),
    _left(_lot, _lot.c.amount_micros, _lot.c.id, _NONE, _lot.c.closed_on > _UNTIL, _lot.c.opened_on <= _UNTIL),
    _since(_allocation, _allocation.c.lot_id, _allocation.c.credit_note_id),
    _since(_taken, _taken.c.lot_id, _NONE),
    _since(_withdrawn, _withdrawn.c.lot_id, _NONE),
    _left(_note, _note.c.open_micros, _NONE, _note.c.id, _note.c.open_micros > 0, _note.c.posted_on <= _UNTIL),
    _left(
        _note,
        _note.c.total_micros,
        _NONE,
        _note.c.id,
        _note.c.voided_on > _UNTIL,
        _note.c.number.is_not(None),
        _note.c.posted_on <= _UNTIL,
    ),
).subquery("parts")
_GROUPED = (
    select(_PARTS.c.lot_id, _PARTS.c.note_id, _sum(_PARTS.c.micros).label("micros"))
    .group_by(_PARTS.c.lot_id, _PARTS.c.note_id)
    .having(func.sum(_PARTS.c.micros) != 0)
    .subquery("grouped")
)
_SINCE_WHEN = func.coalesce(_lot.c.opened_on, _note.c.posted_on)
_CREDITS = (
    select(
        func.coalesce(_lot.c.kind, literal(LotKind.CREDIT_NOTE.value)).label("kind"),
        func.coalesce(_lot.c.number, _note.c.number, "").label("number"),
        _SINCE_WHEN.label("opened_on"),
        func.coalesce(_lot.c.amount_micros, _note.c.total_micros).label("amount_micros"),
        _GROUPED.c.micros,
    )
    .select_from(_GROUPED)
    .outerjoin(_lot, _lot.c.id == _GROUPED.c.lot_id)
    .outerjoin(_note, _note.c.id == _GROUPED.c.note_id)
    .order_by(_SINCE_WHEN, _lot.c.id, _note.c.id)
)


class StatementReads:
    """What a statement may ask of the books."""

    _connection: Connection

    def customer(self, customer_id: int) -> Customer:
        raise NotImplementedError

    def statement(self, question: StatementQuestion, limit: int) -> Statement:
        """An account in one snapshot, proven against the ageing. Refuses: NotFound, Refused."""
        customer = self.customer(question.customer_id)
        aged = AgeingQuestion(as_of=question.until, customer_id=customer.id)
        report = ageing.ageing(self._connection, aged)
        sums = self._sums(question, customer.currency)
        is_open = question.kind is StatementKind.OPEN
        movements = () if is_open else self._newest(question, limit)
        before = sums.closing - Money(sum(each.micros for each in movements), customer.currency)
        made = Statement(
            question=question,
            customer=customer,
            contacts=contacts_of(self._connection, customer.id),
            sums=sums,
            strip=next(iter(report.rows), None),
            edges=aged.edges,
            invoices=tuple(ageing.detail(self._connection, aged, limit)) if is_open else (),
            credits=self._open_credits(question, limit) if is_open else (),
            lines=tuple(with_balances(before, movements)),
        )
        return made.proven()

    def each_movement(self, question: StatementQuestion) -> Iterator[Movement]:
        """The movements of the days asked for, the oldest first, one by one."""
        for row in self._connection.execute(
            _OLDEST, _asked(question), execution_options=ageing.in_batches(ageing.BATCH)
        ):
            yield _movement(row)

    def each_open_credit(self, question: StatementQuestion) -> Iterator[OpenCredit]:
        """The credit that paid nothing yet at the last day, the oldest first, one by one."""
        of = self.customer(question.customer_id).currency
        how = ageing.in_batches(ageing.BATCH)
        for row in self._connection.execute(_CREDITS, _asked(question), execution_options=how):
            yield _open_credit(row, of)

    def _open_credits(self, question: StatementQuestion, limit: int) -> tuple[OpenCredit, ...]:
        of = self.customer(question.customer_id).currency
        rows = self._connection.execute(_CREDITS.limit(limit), _asked(question))
        return tuple(_open_credit(row, of) for row in rows)

    def _newest(self, question: StatementQuestion, limit: int) -> Sequence[Movement]:
        rows = self._connection.execute(_NEWEST.limit(limit), _asked(question)).all()
        return [_movement(row) for row in reversed(rows)]

    def _sums(self, question: StatementQuestion, of: Currency) -> AccountSums:
        row = self._connection.execute(_SUMS, _asked(question)).one()
        found = self._connection.execute(_BESIDE, {"of_customer": question.customer_id, "until": question.until})
        beside = {account: int(micros) for account, micros in found}
        return AccountSums(
            opening=Money(int(row.opening), of),
            debits=Money(int(row.debits), of),
            credits=Money(int(row.credits), of),
            movements=int(row.movements),
            advances=Money(-beside.get(Account.ADVANCES.value, 0), of),
            unbilled=Money(beside.get(Account.UNBILLED.value, 0), of),
            payouts_due=Money(-beside.get(Account.PAYOUTS_DUE.value, 0), of),
        )


def _asked(question: StatementQuestion) -> dict[str, Any]:
    return {"of_customer": question.customer_id, "since": question.since, "until": question.until}


def _movement(row: Any) -> Movement:
    return Movement(
        on=row.effective_on, kind=row.kind, document=row.document, reference=row.reference, micros=int(row.micros)
    )


def _open_credit(row: Any, of: Currency) -> OpenCredit:
    return OpenCredit(
        kind=LotKind(row.kind),
        number=row.number,
        since=row.opened_on,
        amount=Money(int(row.amount_micros), of),
        open=Money(int(row.micros), of),
    )
