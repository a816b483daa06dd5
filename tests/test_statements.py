"""Statements at every day of any history: they add up, follow on each other, and say what ledger and ageing say."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import event, text

from bot.domain.customers import Customer, Mode
from bot.domain.errors import Refused
from bot.domain.money import Money
from bot.domain.payments import UnassignPayment, unassign_payment
from bot.domain.receivables import AgeingQuestion
from bot.domain.statements import (
    AccountSums,
    Movement,
    Statement,
    StatementKind,
    StatementQuestion,
    usual_start,
    with_balances,
)
from bot.domain.usage import ChargeUsage, UsageLine, charge_usage
from bot.storage.reports import SqlReadBooks
from tests.moves import ANY, Desk, Move
from tests.world import SGD, World, money, withdraw

Worlds = Callable[[], AbstractContextManager[World]]
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
MANY = 100_000
POSTED = text(
    """SELECT p.account, SUM(p.amount_micros) FROM posting p JOIN entry e ON e.id = p.entry_id
    WHERE e.effective_on <= :day AND p.customer_id = :customer GROUP BY p.account"""
)


def asked(customer: Customer, until: date, since: date | None = None) -> StatementQuestion:
    kind = StatementKind.OPEN if since is None else StatementKind.ACTIVITY
    return StatementQuestion(customer_id=customer.id, kind=kind, until=until, since=since or until)


def compare(books: SqlReadBooks, customer: Customer, since: date, middle: date, until: date) -> None:
    """One customer, three days in their order."""
    whole = books.statement(asked(customer, until, since), MANY)
    first = books.statement(asked(customer, middle, since), MANY)
    second = books.statement(asked(customer, until, middle + timedelta(days=1)), MANY)
    assert second.sums.opening == first.balance
    assert first.sums.opening == whole.sums.opening
    assert second.balance == whole.balance
    assert [*first.lines, *second.lines] == list(whole.lines)
    assert_adds_up(books, whole)
    assert_items(books, books.statement(asked(customer, until), MANY), whole)
    assert_ledger(books, whole)


def assert_adds_up(books: SqlReadBooks, made: Statement) -> None:
    """Opening and every movement are the closing, to the last digit; a cut list leaves the right rest."""
    sums = made.sums
    assert len(made.lines) == sums.movements
    assert sum(each.movement.micros for each in made.lines) == (sums.closing - sums.opening).micros
    if made.lines:
        assert made.lines[-1].balance == sums.closing
    assert all(made.question.since <= each.movement.on <= made.question.until for each in made.lines)
    streamed = with_balances(sums.opening, books.each_movement(made.question))
    assert tuple(streamed) == made.lines
    assert books.statement(made.question, 3).lines == made.lines[-3:]


def assert_items(books: SqlReadBooks, made: Statement, activity: Statement) -> None:
    """What is open comes to the balance of the movements, item by item, and to the strip of the ageing."""
    assert made.balance == activity.balance
    invoices = sum(each.open.micros for each in made.invoices)
    unapplied = sum(each.open.micros for each in made.credits)
    assert all(each.open.micros > 0 for each in made.invoices)
    assert all(each.open.micros > 0 for each in made.credits)
    assert all(each.open <= each.amount for each in made.credits)
    assert made.balance.micros == invoices + made.prepaid_debt.micros - unapplied - made.sums.advances.micros
    report = books.ageing(AgeingQuestion(as_of=made.question.until))
    row = next((each for each in report.rows if each.customer_id == made.customer.id), None)
    assert row == made.strip
    if row is not None:
        assert sum(row.buckets_micros) == invoices
        assert row.unapplied_micros == unapplied + made.sums.advances.micros
    assert tuple(books.each_open_credit(made.question)) == made.credits


def assert_ledger(books: SqlReadBooks, made: Statement) -> None:
    """The control accounts of that day, from the postings alone."""
    day = {"day": made.question.until, "customer": made.customer.id}
    posted = {account: int(amount) for account, amount in books.connection.execute(POSTED, day)}
    controls = ("receivable", "deposits", "advances", "credit_notes")
    assert made.balance.micros == sum(posted.get(each, 0) for each in controls)
    assert made.sums.unbilled.micros == posted.get("unbilled", 0)
    assert made.sums.payouts_due.micros == -posted.get("payouts_due", 0)


def play(worlds: Worlds, moves: list[Move], cuts: tuple[int, int, int]) -> None:
    with worlds() as world:
        desk = Desk(world)
        for move in moves:
            desk.take(move)
        periods = (
            tuple(world.day(-30) + timedelta(days=each) for each in sorted(cuts)),
            (world.day(-6), world.day(-2), world.today),
        )
        for code in ("PRE", "POST"):
            for days in periods:
                compare_all(world, desk.named(code), days)


def compare_all(world: World, customer: Customer, days: tuple[date, ...]) -> None:
    world.store.read(lambda books: compare(books, customer, *days))


CUTS = some.tuples(some.integers(20, 40), some.integers(24, 30), some.integers(20, 40))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(max_examples=12, deadline=None, suppress_health_check=UNHURRIED)
@given(moves=some.lists(ANY, min_size=25, max_size=50), cuts=CUTS)
def test_statements_of_any_history_add_up_and_tie(
    worlds: Worlds, moves: list[Move], cuts: tuple[int, int, int]
) -> None:
    play(worlds, moves, cuts)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@settings(max_examples=3, deadline=None, suppress_health_check=UNHURRIED)
@given(moves=some.lists(ANY, min_size=25, max_size=40), cuts=CUTS)
def test_statements_of_any_history_add_up_and_tie_on_postgresql(
    worlds: Worlds, moves: list[Move], cuts: tuple[int, int, int]
) -> None:
    play(worlds, moves, cuts)


def test_every_movement_has_a_name_and_the_number_of_its_document(world: World) -> None:
    acme = world.customer(mode=Mode.PREPAID)
    invoice = world.invoice(acme, 100, issued=-9)
    paid = world.pay(130, acme, received=-5, reference="TT-881").payment
    world.do(unassign_payment, UnassignPayment(payment_id=world.pay(20, acme, received=-4).payment.id))
    for number in ("U-1", "U-2"):
        line = UsageLine(external_id=number, used_on=world.today, product="Calls", net=money("2.50"))
        world.do(charge_usage, ChargeUsage(customer_id=acme.id, lines=(line,)))
    gone = withdraw(world, acme, 15)
    question = asked(acme, world.today, world.day(-30))
    made = world.store.read(lambda books: books.statement(question, 20))
    found = [(each.movement.name, each.movement.document, each.movement.micros) for each in made.lines]
    assert found == [
        ("Invoice", invoice.number, 100_000_000),
        ("Payment", paid.number, -130_000_000),
        ("Payment", "PAY-0002", -20_000_000),
        ("Payment taken away", "PAY-0002", 20_000_000),
        ("Usage", "", 5_000_000),
        ("Withdrawal", gone.number, 15_000_000),
    ]
    assert made.lines[1].movement.reference == "TT-881"
    assert made.balance == money(-10)
    assert made.sums.payouts_due == money(15)


def test_a_statement_that_does_not_add_up_is_shown_to_nobody(world: World) -> None:
    acme = world.customer()
    world.invoice(acme, 100)
    made = world.store.read(lambda books: books.statement(asked(acme, world.today), 9))
    wrong: AccountSums = replace(made.sums, debits=money(99))
    with pytest.raises(Refused, match=r"does not add up: the open items come to SGD 100.00, the ledger to SGD 99.00"):
        replace(made, sums=wrong).proven()


def test_the_days_of_a_statement_are_checked() -> None:
    today = date(2026, 11, 23)
    question = StatementQuestion(customer_id=1, kind=StatementKind.ACTIVITY, until=today, since=today)
    assert question.check(today) is question
    with pytest.raises(Refused, match="for today or an earlier day"):
        question.check(today - timedelta(days=1))
    with pytest.raises(Refused, match="is after the last"):
        replace(question, since=today + timedelta(days=1)).check(today)
    assert usual_start(date(2026, 1, 31)) == date(2025, 12, 1)


def test_the_running_balance_starts_at_the_opening() -> None:
    moved = [Movement(on=date(2026, 1, 1), kind="x", document="", reference="", micros=each) for each in (5, -7)]
    first, second = with_balances(Money(1, SGD), moved)
    assert (first.debit, first.credit, first.balance) == (Money(5, SGD), None, Money(6, SGD))
    assert (second.debit, second.credit, second.balance) == (None, Money(7, SGD), Money(-1, SGD))


def test_a_statement_reads_one_customer_along_indexes(world: World) -> None:
    acme = world.customer()
    world.pay(60, acme, to=((world.invoice(acme, 100), None),))

    def plans(books: SqlReadBooks) -> list[str]:
        connection = books.connection
        noted: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            noted.append((statement, values))

        event.listen(connection, "before_cursor_execute", note)
        for since in (None, world.day(-30)):
            books.statement(asked(acme, world.today, since), 20)
        event.remove(connection, "before_cursor_execute", note)
        how = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            how = "EXPLAIN"
        assert len(noted) < 20
        return [
            str(row) for statement, values in noted for row in connection.exec_driver_sql(f"{how} {statement}", values)
        ]

    lines = world.store.read(plans)
    assert any("ix_posting_customer" in line for line in lines)
    scans = re.compile(
        r"Seq Scan on|SCAN (posting|entry|invoice|lot|payment|allocation)|ix_allocation_ageing \(effective_on<"
    )
    named = [line for line in lines if scans.search(line)]
    assert named == []
