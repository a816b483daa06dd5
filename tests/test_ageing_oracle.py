"""Ageing at every day of random histories, against books kept by hand and against the sums of the postings."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.domain.receivables import Ageing, AgeingQuestion, AgeingRow, Basis
from bot.storage.reports import SqlReadBooks
from tests.histories import History, Step, any_step
from tests.world import World

pytestmark = pytest.mark.rules(79, 80, 81, 82, 84)

EDGES = ((30, 60, 90), (1,), (2, 5, 9))
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
Worlds = Callable[[], AbstractContextManager[World]]
IDENTITY = text(
    """SELECT p.customer_id, p.account, SUM(p.amount_micros) FROM posting p JOIN entry e ON e.id = p.entry_id
    WHERE e.effective_on <= :day AND p.account IN ('receivable', 'deposits', 'advances', 'credit_notes')
    GROUP BY p.customer_id, p.account"""
)
WAITING = text(
    """SELECT e.currency, -SUM(p.amount_micros) FROM posting p JOIN entry e ON e.id = p.entry_id
    WHERE e.effective_on <= :day AND p.account = 'suspense' GROUP BY e.currency"""
)


def compare(history: History) -> None:
    """Every day, both bases, several bucket sets, in one snapshot."""
    history.world.store.read(lambda books: compare_days(history, books))


def compare_days(history: History, books: SqlReadBooks) -> None:
    for index, day in enumerate(history.copy.days()):
        for basis in Basis:
            compare_day(history, books, AgeingQuestion(as_of=day, basis=basis, edges=EDGES[index % 3]))
        compare_identity(books, day)
    today = history.copy.days()[-1]
    for edges in EDGES:
        for basis in Basis:
            compare_day(history, books, AgeingQuestion(as_of=today, basis=basis, edges=edges))
    for day in history.copy.days()[::4]:
        compare_parts(books, AgeingQuestion(as_of=day, edges=(2, 5, 9)))


def compare_day(history: History, books: SqlReadBooks, question: AgeingQuestion) -> None:
    copy, day = history.copy, question.as_of
    report = books.ageing(question)
    aged = {row.customer_id: row.buckets_micros for row in report.rows if any(row.buckets_micros)}
    assert aged == copy.aged(day, question.basis, question.edges), question
    assert {row.customer_id: row.unapplied_micros for row in report.rows if row.unapplied_micros} == copy.unapplied(day)
    assert {each.currency.code: each.suspense.micros for each in report.totals if each.suspense} == copy.suspense(day)
    assert all(amount >= 0 for row in report.rows for amount in (*row.buckets_micros, row.unapplied_micros))
    assert_totals(report)


def assert_totals(report: Ageing) -> None:
    """Rows add up to columns, and columns to the total, exactly. Rule 82."""
    for total in report.totals:
        mine = [row for row in report.rows if row.currency == total.currency]
        columns = [sum(row.buckets_micros[index] for row in mine) for index in range(len(total.buckets))]
        assert [each.micros for each in total.buckets] == columns
        assert total.total.micros == sum(row.total_micros for row in mine)
        assert total.unapplied.micros == sum(row.unapplied_micros for row in mine)
        assert total.customers == len(mine)


def compare_identity(books: SqlReadBooks, day: date) -> None:
    """Buckets are the receivable account, unapplied the credit accounts, to the micro, at any date."""
    posted: dict[int, list[int]] = {}
    for customer_id, account, amount in books.connection.execute(IDENTITY, {"day": day}):
        sums = posted.setdefault(customer_id, [0, 0])
        if account == "receivable":
            sums[0] += int(amount)
        else:
            sums[1] -= int(amount)
    report = books.ageing(AgeingQuestion(as_of=day))
    rows = {row.customer_id: [row.total_micros, row.unapplied_micros] for row in report.rows}
    assert rows == {customer_id: sums for customer_id, sums in posted.items() if any(sums)}, day
    waiting = {code: int(amount) for code, amount in books.connection.execute(WAITING, {"day": day}) if amount}
    assert {each.currency.code: each.suspense.micros for each in report.totals if each.suspense} == waiting, day


def compare_parts(books: SqlReadBooks, question: AgeingQuestion) -> None:
    """All customers are the sum of each; the detail of a row is the row."""
    whole = books.ageing(question)
    parts: list[AgeingRow] = []
    for row in whole.rows:
        one = replace(question, customer_id=row.customer_id)
        parts.extend(books.ageing(one).rows)
        sums = [0] * len(row.buckets_micros)
        for line in books.ageing_detail(one):
            assert line.open.micros > 0
            assert line.open <= line.total
            sums[line.bucket] += line.open.micros
        assert tuple(sums) == row.buckets_micros
    assert tuple(parts) == whole.rows
    by_currency = [row for code in ("SGD", "JPY") for row in books.ageing(replace(question, currency_code=code)).rows]
    assert sorted(by_currency, key=str) == sorted(whole.rows, key=str)


def play(worlds: Worlds, taken: list[Step]) -> None:
    with worlds() as world:
        history = History(world)
        for step in taken:
            history.take(step)
        compare(history)
        world.check()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(max_examples=40, deadline=None, suppress_health_check=UNHURRIED)
@given(taken=st.lists(any_step(), min_size=10, max_size=40))
def test_every_day_of_any_history_is_as_the_books_kept_by_hand_say(worlds: Worlds, taken: list[Step]) -> None:
    play(worlds, taken)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@settings(max_examples=8, deadline=None, suppress_health_check=UNHURRIED)
@given(taken=st.lists(any_step(), min_size=15, max_size=40))
def test_every_day_of_any_history_is_the_same_on_postgresql(worlds: Worlds, taken: list[Step]) -> None:
    play(worlds, taken)
