"""A statement of account as a table: a row for each item or movement, written as it is read."""

from collections.abc import Iterator

from bot.documents.table import Cell, Column, Kind, Row, Style
from bot.domain.money import Money
from bot.domain.ports import ReadBooks
from bot.domain.receivables import AgeingQuestion, bucket_labels
from bot.domain.statements import Statement, StatementKind, with_balances
from bot.handlers.blocks.statements import credit_name

AMOUNT_WIDTH, DATE_WIDTH, NAME_WIDTH = 14, 12, 26
NOTHING: tuple[Cell, ...] = (None,) * 5


def statement_columns(kind: StatementKind) -> tuple[Column, ...]:
    if kind is StatementKind.ACTIVITY:
        return (
            Column("date", Kind.DATE, DATE_WIDTH),
            Column("what", width=NAME_WIDTH),
            Column("document", width=16),
            Column("reference", width=20),
            Column("currency", width=10),
            *(Column(each, Kind.AMOUNT, AMOUNT_WIDTH) for each in ("debit", "credit", "balance")),
        )
    return (
        Column("what", width=NAME_WIDTH),
        Column("number", width=16),
        Column("issued", Kind.DATE, DATE_WIDTH),
        Column("due", Kind.DATE, DATE_WIDTH),
        Column("days late", width=10),
        Column("bucket"),
        Column("currency", width=10),
        *(Column(each, Kind.AMOUNT, AMOUNT_WIDTH) for each in ("total", "open")),
    )


def statement_rows(books: ReadBooks, account: Statement) -> Iterator[Row]:
    """What is owed is positive, credit is negative, so that the column comes to the balance."""
    is_open = account.question.kind is StatementKind.OPEN
    yield from _open_rows(books, account) if is_open else _activity_rows(books, account)


def _activity_rows(books: ReadBooks, account: Statement) -> Iterator[Row]:
    question, sums = account.question, account.sums
    code = account.customer.currency.code
    yield Row((question.since, "Opening balance", None, None, code, None, None, sums.opening), Style.GROUP)
    for line in with_balances(sums.opening, books.each_movement(question)):
        each = line.movement
        heads: tuple[Cell, ...] = (each.on, each.name, each.document, each.reference, code)
        yield Row((*heads, line.debit, line.credit, line.balance))
    total: tuple[Cell, ...] = (question.until, "Closing balance", None, None, code)
    yield Row((*total, sums.debits, sums.credits, sums.closing), Style.TOTAL)


def _open_rows(books: ReadBooks, account: Statement) -> Iterator[Row]:
    code, labels = account.customer.currency.code, bucket_labels(account.edges)
    question = AgeingQuestion(as_of=account.question.until, customer_id=account.customer.id)
    for each in books.each_ageing_detail(question):
        dated: tuple[Cell, ...] = (each.issue_on, each.due_on, str(max(0, each.days_late)))
        yield Row(("Invoice", each.number, *dated, labels[each.bucket], code, each.total, each.open))
    if account.prepaid_debt:
        yield Row(("Usage not invoiced", *NOTHING, code, None, account.prepaid_debt))
    for credit in books.each_open_credit(account.question):
        heads: tuple[Cell, ...] = (credit_name(credit), credit.number, credit.since, None, None, None, code)
        yield Row((*heads, -credit.amount, -credit.open))
    if account.sums.advances:
        yield Row(("Paid ahead on proformas", *NOTHING, code, None, -account.sums.advances))
    balance: Money = account.balance
    yield Row(("Balance", *NOTHING, code, None, balance), Style.TOTAL)
