"""Ageing, audit and lists as tables, each described once; rows come from the books one by one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from bot.documents.reminder_tables import REMINDER_COLUMNS, asked_id, reminder_rows
from bot.documents.statement_table import statement_columns, statement_rows
from bot.documents.table import Cell, Column, Kind, Row, Style, Table
from bot.domain.money import Currency, Money, currency
from bot.domain.payments import Payment, PaymentState
from bot.domain.ports import AuditQuestion, Page, ReadBooks
from bot.domain.receivables import AgeingQuestion, AgeingRow, Basis, bucket_labels
from bot.domain.settings import Settings
from bot.domain.statements import StatementKind, StatementQuestion

EVERYTHING = 2**62
NAME_WIDTH, TEXT_WIDTH, AMOUNT_WIDTH, DATE_WIDTH, MOMENT_WIDTH = 36, 20, 14, 12, 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asked for, and when it is answered."""

    question: dict[str, Any]
    asked_at: datetime
    made_at: datetime


def ageing_table(books: ReadBooks, asked: Asked) -> Table:
    """Rows by customer with their invoices below, and totals by currency. Rules 79-84."""
    question = question_of(asked.question)
    settings = books.settings()
    tally = _Tally()
    labels = bucket_labels(question.edges)
    figures = (*labels, "prepaid debt", "total", "unapplied credit")
    columns = (
        Column("customer", width=NAME_WIDTH),
        Column("code"),
        Column("invoice", width=14),
        Column("issued", Kind.DATE, DATE_WIDTH),
        Column("due", Kind.DATE, DATE_WIDTH),
        Column("currency", width=10),
        *(Column(each, Kind.AMOUNT, AMOUNT_WIDTH) for each in figures),
    )
    since = "due" if question.basis is Basis.DUE else "issue"
    return Table(
        name=f"aged-receivables-{question.as_of}",
        title="Aged receivables",
        facts=(settings.company, f"as of {question.as_of}, by {since} date", made(settings, asked)),
        columns=columns,
        rows=_ageing_rows(books, question, tally),
        says=lambda: f"Aged receivables as of {question.as_of}, {tally.told('customer')}",
    )


def _ageing_rows(books: ReadBooks, question: AgeingQuestion, tally: "_Tally") -> Iterator[Row]:
    """Both statements are in the order of names, so that the invoices of a customer follow it."""
    details = books.each_ageing_detail(question)
    detail = next(details, None)
    sums: dict[str, _Sums] = {}
    for row in books.each_ageing_row(question):
        tally.count += 1
        sums.setdefault(row.currency.code, _Sums(row.currency, len(row.buckets_micros))).add(row)
        heads: tuple[Cell, ...] = (row.name, row.code, None, None, None, row.currency.code)
        yield Row((*heads, *_money(row.currency, *_figures_of(row))), Style.GROUP)
        while detail is not None and detail.customer_id == row.customer_id:
            buckets = [detail.open.micros if place == detail.bucket else 0 for place in range(len(row.buckets_micros))]
            heads = (row.name, row.code, detail.number, detail.issue_on, detail.due_on, row.currency.code)
            figures = _money(row.currency, *buckets, 0, detail.open.micros)
            yield Row((*heads, *figures, None), Style.INSIDE)
            detail = next(details, None)
    assert detail is None, "an open invoice without a line of its customer"
    nothing: tuple[Cell, ...] = (None,) * 4
    for code, each in sorted(sums.items()):
        yield Row(("Total", *nothing, code, *_money(each.currency, *each.figures)), Style.TOTAL)
    yield from _suspense_rows(books, question)


def _suspense_rows(books: ReadBooks, question: AgeingQuestion) -> Iterator[Row]:
    """Money that is nobody's yet stands apart, below the totals and in none of them. Rule 84."""
    for code, micros in sorted(books.suspense(question).items()):
        if micros:
            empty: tuple[Cell, ...] = (None,) * (len(question.edges) + 4)
            of = currency(code)
            yield Row(("Payments not assigned yet", *((None,) * 4), code, *empty, Money(micros, of)))


@dataclass(slots=True)
class _Tally:
    """How many rows have come."""

    count: int = 0
    oldest: datetime | None = None

    def told(self, noun: str) -> str:
        return f"{self.count:,} {noun}{'' if self.count == 1 else 's'}"


@dataclass(slots=True)
class _Sums:
    """The column totals of one currency, added up while the rows go by. Rule 82."""

    currency: Currency
    buckets: int
    figures: list[int] = field(default_factory=list)

    def add(self, row: AgeingRow) -> None:
        self.figures = self.figures or [0] * (self.buckets + 3)
        for place, micros in enumerate(_figures_of(row)):
            self.figures[place] += micros


def _figures_of(row: AgeingRow) -> tuple[int, ...]:
    return (*row.buckets_micros, row.prepaid_debt_micros, row.total_micros, row.unapplied_micros)


def _money(of: Currency, *micros: int) -> tuple[Money, ...]:
    return tuple(Money(each, of) for each in micros)


def audit_table(books: ReadBooks, asked: Asked) -> Table:
    """The six columns; says how many entries and which time range it covers. Rule 116."""
    given = asked.question
    until = _instant(given["until"]) or asked.asked_at
    question = AuditQuestion(
        since=_instant(given["since"]),
        until=until,
        event=given["event"],
        app=given["app"],
        customer_id=given["customer"],
        actor=given["actor"],
        past_lock=given.get("exceptions", False),
        limit=EVERYTHING,
    )
    tally = _Tally()

    def rows() -> Iterator[Row]:
        for each in books.each_audit(question):
            tally.count += 1
            tally.oldest = each.at
            yield Row((each.app, each.event, each.description, each.actor, each.affected, each.at))

    def says() -> str:
        since = question.since or tally.oldest
        start = since.isoformat() if since else "the beginning"
        return (
            f"Audit log: {tally.count} {'entry' if tally.count == 1 else 'entries'} from {start} to {until.isoformat()}"
        )

    settings = books.settings()
    return Table(
        name="audit",
        title="Audit log",
        facts=(settings.company, f"until {until:%Y-%m-%d %H:%M} UTC; times are UTC", made(settings, asked)),
        columns=(
            Column("App"),
            Column("Event", width=TEXT_WIDTH),
            Column("Description", width=60),
            Column("Actor", width=14),
            Column("Affected Organization", width=NAME_WIDTH),
            Column("Datetime", Kind.MOMENT, MOMENT_WIDTH),
        ),
        rows=rows(),
        says=says,
    )


def payments_table(books: ReadBooks, asked: Asked) -> Table:
    """The payments of a list, all of them, newest first."""
    settings = books.settings()
    tally = _Tally()

    def rows() -> Iterator[Row]:
        for line in books.each_payment(page_of(asked.question)):
            tally.count += 1
            payment = line.payment
            void = payment.state is PaymentState.VOID
            left = None if void else Money(line.open_micros, payment.amount.currency)
            yield Row(
                (
                    payment.number,
                    line.customer_name,
                    line.customer_code,
                    payment.payer,
                    payment.received_on,
                    payment.method.value,
                    payment.reference,
                    _state_of(payment),
                    payment.amount.currency.code,
                    payment.amount,
                    left,
                    payment.invoice_hint,
                    payment.remark,
                )
            )

    return Table(
        name=f"payments-{settings.today(asked.asked_at)}",
        title="Payments",
        facts=(settings.company, narrowed(asked.question), made(settings, asked)),
        columns=(
            Column("payment", width=14),
            Column("customer", width=NAME_WIDTH),
            Column("code"),
            Column("payer", width=NAME_WIDTH),
            Column("received", Kind.DATE, DATE_WIDTH),
            Column("method", width=14),
            Column("reference", width=TEXT_WIDTH),
            Column("state"),
            Column("currency", width=10),
            Column("amount", Kind.AMOUNT, AMOUNT_WIDTH),
            Column("left", Kind.AMOUNT, AMOUNT_WIDTH),
            Column("invoice named", width=TEXT_WIDTH),
            Column("remark", width=NAME_WIDTH),
        ),
        rows=rows(),
        says=lambda: f"Payments: {tally.told('payment')}",
    )


def _state_of(payment: Payment) -> str:
    if payment.state is PaymentState.VOID:
        return "void"
    return "assigned" if payment.customer_id is not None else "unassigned"


def invoices_table(books: ReadBooks, asked: Asked) -> Table:
    """The invoices of a list, all of them. Rule 13."""
    settings = books.settings()
    tally = _Tally()

    def rows() -> Iterator[Row]:
        for line in books.each_invoice(page_of(asked.question)):
            tally.count += 1
            invoice = line.invoice
            yield Row(
                (
                    invoice.label,
                    line.customer_name,
                    line.customer_code,
                    invoice.issue_on,
                    invoice.due_on,
                    invoice.status,
                    invoice.total.currency.code,
                    invoice.net,
                    invoice.tax,
                    invoice.total,
                    invoice.open,
                    invoice.remark,
                )
            )

    return Table(
        name=f"invoices-{settings.today(asked.asked_at)}",
        title="Invoices",
        facts=(settings.company, narrowed(asked.question), made(settings, asked)),
        columns=(
            Column("invoice", width=16),
            Column("customer", width=NAME_WIDTH),
            Column("code"),
            Column("issued", Kind.DATE, DATE_WIDTH),
            Column("due", Kind.DATE, DATE_WIDTH),
            Column("state", width=17),
            Column("currency", width=10),
            *(Column(each, Kind.AMOUNT, AMOUNT_WIDTH) for each in ("net", "tax", "total", "open")),
            Column("remark", width=NAME_WIDTH),
        ),
        rows=rows(),
        says=lambda: f"Invoices: {tally.told('invoice')}",
    )


def statement_table(books: ReadBooks, asked: Asked) -> Table:
    """A customer's account, all of it. Refuses: NotFound, Refused."""
    question, settings = statement_question(asked.question), books.settings()
    account = books.statement(question, 1)
    is_open = question.kind is StatementKind.OPEN
    days = f"at {question.until}" if is_open else f"{question.since} to {question.until}"
    name = f"{account.customer.name} ({account.customer.code})"
    return Table(
        name=f"statement-{account.customer.code}-{question.until}",
        title="Statement of account",
        facts=(settings.company, name, f"{'open items' if is_open else 'activity'} {days}", made(settings, asked)),
        columns=statement_columns(question.kind),
        rows=statement_rows(books, account),
        says=lambda: f"Statement of account {days}: {name}",
    )


def statement_question(given: dict[str, Any]) -> StatementQuestion:
    """A statement's question, as it was kept."""
    return StatementQuestion(
        customer_id=int(given["customer"]),
        kind=StatementKind(given["kind"]),
        since=date.fromisoformat(given["since"]),
        until=date.fromisoformat(given["until"]),
    )


def page_of(given: dict[str, Any]) -> Page:
    """A list's filters, without an end."""
    return Page(
        text=given["text"],
        state=given["state"],
        kind=given.get("kind", ""),
        on=date.fromisoformat(given["on"]) if given.get("on") else None,
        limit=EVERYTHING,
    )


def narrowed(given: dict[str, Any]) -> str:
    """The filters of a list in words."""
    parts = [
        given["state"],
        given.get("kind", "").replace("_", "-"),
        f"with {given['text']}" if given["text"] else "",
        f"of {given['on']}" if given.get("on") else "",
    ]
    return " ".join(filter(None, parts)) or "all"


def question_of(given: dict[str, Any]) -> AgeingQuestion:
    """A report's question, as it was kept."""
    return AgeingQuestion(
        as_of=date.fromisoformat(given["as_of"]),
        basis=Basis(given["basis"]),
        edges=tuple(given["edges"]),
        customer_id=given["customer"],
        currency_code=given["currency"],
    )


def reminders_table(books: ReadBooks, asked: Asked) -> Table:
    """The plan of a day with who is left out of it and why, or what was sent, to one customer or to all."""
    settings = books.settings()
    run_id, customer_id = asked_id(asked.question.get("run")), asked_id(asked.question.get("customer"))
    day = books.reminder_run(run_id).day if run_id is not None else settings.today(asked.asked_at)
    title = f"Reminders for {day}" if run_id is not None else "Reminders sent"
    return Table(
        name=f"reminders-{day}",
        title=title,
        facts=(settings.company, made(settings, asked)),
        columns=REMINDER_COLUMNS,
        rows=reminder_rows(books, run_id, customer_id),
        says=lambda: title,
    )


def made(settings: Settings, asked: Asked) -> str:
    """When a file was made, in the book's zone."""
    return f"made {asked.made_at.astimezone(ZoneInfo(settings.zone)):%Y-%m-%d %H:%M} {settings.zone}"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


TABLES: dict[str, Callable[[ReadBooks, Asked], Table]] = {
    "ageing": ageing_table,
    "audit": audit_table,
    "payments": payments_table,
    "invoices": invoices_table,
    "statement": statement_table,
    "reminders": reminders_table,
    "reminder_log": reminders_table,
}
