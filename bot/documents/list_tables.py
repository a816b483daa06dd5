"""Lists of credit notes, withdrawals and credits as tables, each described once and read row by row."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.documents.reports import (
    AMOUNT_WIDTH,
    DATE_WIDTH,
    NAME_WIDTH,
    TEXT_WIDTH,
    Asked,
    made,
    narrowed,
    page_of,
)
from bot.documents.table import Cell, Column, Kind, Row, Table
from bot.domain.credit_note import CreditNote
from bot.domain.credits import Credit
from bot.domain.ports import Page, ReadBooks
from bot.domain.withdrawals import Withdrawal

NUMBER, CUSTOMER, CURRENCY = (
    Column("number", width=16),
    Column("customer", width=NAME_WIDTH),
    Column("currency", width=10),
)


@dataclass(frozen=True, slots=True)
class _List:
    """What a list is called, its columns, where its documents come from, and the cells of one."""

    title: str
    columns: Sequence[Column]
    each: Callable[[ReadBooks, Page], Iterator[tuple[Any, str]]]
    cells: Callable[[Any, str], tuple[Cell, ...]]


def _day(title: str) -> Column:
    return Column(title, Kind.DATE, DATE_WIDTH)


def _amount(title: str) -> Column:
    return Column(title, Kind.AMOUNT, AMOUNT_WIDTH)


def _note(note: CreditNote, customer: str) -> tuple[Cell, ...]:
    about = (note.label, customer, note.issue_on, note.status, note.code.value, note.total.currency.code)
    return (*about, note.net, note.tax, note.total, note.open, note.reason)


def _withdrawal(made_: Withdrawal, customer: str) -> tuple[Cell, ...]:
    about = (made_.number, customer, made_.requested_at, made_.state.value, made_.gateway.value, made_.details)
    paid = (made_.executed_on, made_.paid_on, made_.reference, made_.reason)
    return (*about, made_.amount.currency.code, made_.amount, *paid)


def _credit(credit: Credit, customer: str) -> tuple[Cell, ...]:
    purpose = credit.purpose.value if credit.purpose is not None else None
    about = (credit.number, customer, credit.made_on, credit.kind.value, purpose, credit.state.value)
    return (*about, credit.amount.currency.code, credit.amount, credit.reference, credit.remark)


LISTS = {
    "notes": _List(
        "Credit notes",
        (
            NUMBER,
            CUSTOMER,
            _day("dated"),
            Column("state", width=17),
            Column("because of", width=16),
            CURRENCY,
            *(_amount(each) for each in ("net", "tax", "total", "not applied")),
            Column("reason", width=NAME_WIDTH),
        ),
        lambda books, page: books.each_note(page),
        _note,
    ),
    "withdrawals": _List(
        "Withdrawals",
        (
            NUMBER,
            CUSTOMER,
            Column("asked", Kind.MOMENT, TEXT_WIDTH),
            Column("state"),
            Column("paid by", width=14),
            Column("to", width=NAME_WIDTH),
            CURRENCY,
            _amount("amount"),
            _day("executed"),
            _day("paid"),
            Column("reference", width=TEXT_WIDTH),
            Column("reason", width=NAME_WIDTH),
        ),
        lambda books, page: books.each_withdrawal(page),
        _withdrawal,
    ),
    "credits": _List(
        "Credits",
        (
            NUMBER,
            CUSTOMER,
            _day("made"),
            Column("what"),
            Column("purpose"),
            Column("state"),
            CURRENCY,
            _amount("amount"),
            Column("reference", width=TEXT_WIDTH),
            Column("remark", width=NAME_WIDTH),
        ),
        lambda books, page: books.each_credit(page),
        _credit,
    ),
}


def list_table(kind: str) -> Callable[[ReadBooks, Asked], Table]:
    """How the table of one of the lists is made: all of it, newest first."""
    described = LISTS[kind]

    def table(books: ReadBooks, asked: Asked) -> Table:
        settings, count = books.settings(), 0

        def rows() -> Iterator[Row]:
            nonlocal count
            for document, customer in described.each(books, page_of(asked.question)):
                count += 1
                yield Row(described.cells(document, customer))

        return Table(
            name=f"{described.title.lower().replace(' ', '-')}-{settings.today(asked.asked_at)}",
            title=described.title,
            facts=(settings.company, narrowed(asked.question), made(settings, asked)),
            columns=tuple(described.columns),
            rows=rows(),
            says=lambda: f"{described.title}: {count:,}",
        )

    return table
