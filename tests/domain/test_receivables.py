"""Aged receivables: buckets, totals that tie at every day, credit apart, rows that open to invoices."""

import random
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from bot.domain.errors import Refused
from bot.domain.payments import (
    AssignPayment,
    Payment,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    assign_payment,
    unallocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.receivables import (
    Ageing,
    AgeingDetail,
    AgeingQuestion,
    AgeingRow,
    Basis,
    add_up,
    bucket_labels,
    bucket_limits,
    bucket_of,
    check_edges,
)
from tests.domain.expect import ask_sql, report
from tests.world import SGD, World, money

EDGES = (30, 60, 90)


def detail(world: World, **changes: object) -> list[AgeingDetail]:
    question = replace(AgeingQuestion(as_of=world.today), **changes)  # type: ignore[arg-type]
    return list(world.store.read(lambda books: books.ageing_detail(question, limit=1000)))


def in_units(row: AgeingRow) -> tuple[int, ...]:
    return tuple(amount // 1_000_000 for amount in row.buckets_micros)


@pytest.mark.rule(80)
@pytest.mark.parametrize(
    ("days", "bucket"),
    [(-5, 0), (0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (4000, 4)],
)
def test_each_age_falls_in_one_bucket(days: int, bucket: int) -> None:
    assert bucket_of(days, EDGES) == bucket
    as_of = date(2026, 11, 23)
    limits = bucket_limits(as_of, EDGES)
    assert sum(as_of - timedelta(days=days) < limit for limit in limits) == bucket


@pytest.mark.rule(80)
def test_the_buckets_are_named_as_people_say_them() -> None:
    assert bucket_labels(EDGES) == ("current", "1-30", "31-60", "61-90", "over 90")
    assert bucket_labels((7,)) == ("current", "1-7", "over 7")
    assert check_edges([10, 20]) == (10, 20)


@pytest.mark.rule(80)
@pytest.mark.parametrize("edges", [(), (0,), (30, 30), (60, 30), (3651,), tuple(range(1, 10))])
def test_edges_that_do_not_rise_are_refused(edges: tuple[int, ...]) -> None:
    with pytest.raises(Refused) as caught:
        check_edges(edges)
    assert caught.value.field == "buckets"


@pytest.mark.rules(79, 80)
def test_the_report_breaks_down_by_days_past_due_and_ends_with_totals(world: World) -> None:
    acme, bravo = world.customer("ACME"), world.customer("BRAVO")
    for amount, late in ((1, -10), (2, 0), (4, 1), (8, 30), (16, 31), (32, 60), (64, 61), (128, 90), (256, 91)):
        world.invoice(acme, amount, issued=-120, due=-late)
    world.invoice(bravo, 1000, issued=-120, due=-45)
    found = report(world)
    assert found.labels == ("current", "1-30", "31-60", "61-90", "over 90")
    assert {row.code: in_units(row) for row in found.rows} == {
        "ACME": (3, 12, 48, 192, 256),
        "BRAVO": (0, 0, 1000, 0, 0),
    }
    (total,) = found.totals
    assert total.buckets == (money(3), money(12), money(1048), money(192), money(256))
    assert (total.total, total.customers) == (money(1511), 2)
    world.check()


@pytest.mark.rule(80)
def test_age_can_be_counted_from_the_issue_date_with_other_edges(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 5, issued=-8, due=20)
    world.invoice(customer, 7, issued=-7, due=20)
    found = report(world, basis=Basis.ISSUE, edges=(7, 14))
    assert found.labels == ("current", "1-7", "8-14", "over 14")
    assert in_units(found.rows[0]) == (0, 7, 5, 0)
    assert in_units(report(world).rows[0]) == (12, 0, 0, 0, 0)
    assert [each.bucket for each in detail(world, basis=Basis.ISSUE, edges=(7, 14))] == [2, 1]


@pytest.mark.rule(81)
def test_only_sent_invoices_count_with_what_is_open_of_them(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 11, issued=-3, send=False)
    world.invoice(customer, 20, issued=-3)
    world.pay(20, customer)
    world.invoice(customer, 50, issued=-2)
    world.pay(15, customer)
    world.invoice(customer, 7, issued=-1)
    found = report(world)
    assert found.totals[0].total == money(42)
    assert [each.open for each in detail(world)] == [money(35), money(7)]
    assert [each.total for each in detail(world)] == [money(50), money(7)]
    world.check()


@pytest.mark.rule(81)
def test_with_nothing_owed_the_report_is_empty(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 20)
    world.pay(20, customer)
    assert report(world).rows == ()
    assert report(world).totals == ()
    assert detail(world) == []


@pytest.mark.rules(82, 83)
def test_rows_columns_and_details_add_up_exactly(world: World) -> None:
    dice = random.Random(7)  # noqa: S311  # a fixed sequence, nothing secret
    customers = [world.customer(f"C{number}", of="SGD" if number < 4 else "KWD") for number in range(6)]
    for _ in range(40):
        customer = dice.choice(customers)
        issued = -dice.randrange(150)
        amount = f"{dice.randrange(1, 10**6) / 100:.2f}"
        world.invoice(customer, amount, issued=issued, due=issued + dice.randrange(60))
        if dice.random() < 0.5:
            world.pay(f"{dice.randrange(1, 10**5) / 100:.2f}", customer, received=-dice.randrange(100))
    for as_of in (world.today, world.day(-20), world.day(-60), world.day(-140), world.day(-200)):
        found = report(world, as_of=as_of)
        assert tuple(total.currency.code for total in found.totals) == tuple(
            sorted({row.currency.code for row in found.rows})
        )
        for total in found.totals:
            rows = [row for row in found.rows if row.currency == total.currency]
            columns = [sum(column) for column in zip(*(row.buckets_micros for row in rows), strict=True)]
            assert [bucket.micros for bucket in total.buckets] == columns
            assert total.total.micros == sum(row.total_micros for row in rows) == sum(columns)
            assert total.unapplied.micros == sum(row.unapplied_micros for row in rows)
            assert report(world, as_of=as_of, currency_code=total.currency.code).totals == (total,)
            behind = detail(world, as_of=as_of, currency_code=total.currency.code)
            assert sum(each.open.micros for each in behind) == total.total.micros
        for row in found.rows:
            opened = detail(world, as_of=as_of, customer_id=row.customer_id)
            sums = [0] * len(row.buckets_micros)
            for each in opened:
                sums[each.bucket] += each.open.micros
            assert tuple(sums) == row.buckets_micros
            assert report(world, as_of=as_of, customer_id=row.customer_id).rows == (row,)
    world.check()


@pytest.mark.rule(83)
def test_a_customer_opens_to_its_invoices(world: World) -> None:
    acme, bravo = world.customer("ACME"), world.customer("BRAVO")
    late = world.invoice(acme, 100, issued=-50, due=-31)
    current = world.invoice(acme, 40, issued=-5, due=3)
    world.invoice(bravo, 999, issued=-5)
    world.pay(30, acme, received=-10)
    opened = detail(world, customer_id=acme.id)
    assert [(each.number, each.open, each.days_late, each.bucket) for each in opened] == [
        (late.number, money(70), 31, 2),
        (current.number, money(40), -3, 0),
    ]
    assert [each.invoice_id for each in opened] == [late.id, current.id]
    (row,) = report(world, customer_id=acme.id).rows
    assert row.total_micros == sum(each.open.micros for each in opened)
    before = detail(world, customer_id=acme.id, as_of=world.day(-11))
    assert [(each.number, each.open) for each in before] == [(late.number, money(100))]


@pytest.mark.rule(84)
def test_unapplied_payments_stand_apart_and_are_not_netted(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 100, due=30, auto=False)
    world.pay(60, customer)
    only_credit = world.customer("CREDIT")
    world.pay(9, only_credit)
    world.pay(25)
    found = report(world)
    rows = {row.code: (row.total_micros // 10**6, row.unapplied_micros // 10**6) for row in found.rows}
    assert rows == {"ACME": (100, 60), "CREDIT": (0, 9)}
    (total,) = found.totals
    assert (total.total, total.unapplied, total.suspense) == (money(100), money(69), money(25))
    world.check()


@pytest.mark.rule(84)
def test_money_of_nobody_is_shown_even_when_nobody_owes(world: World) -> None:
    world.pay(25)
    world.pay(300, of="JPY")
    found = report(world)
    assert found.rows == ()
    assert [(str(total.suspense), total.customers) for total in found.totals] == [("JPY 300", 0), ("SGD 25.00", 0)]
    assert [str(total.suspense) for total in report(world, currency_code="SGD").totals] == ["SGD 25.00"]
    assert report(world, currency_code="EUR").totals == ()


@pytest.mark.rule(84)
def test_a_past_report_knows_where_money_was_that_day(world: World) -> None:
    customer = world.customer()
    assigned = world.pay(10, received=-9).payment
    void = world.pay(5, received=-8).payment
    world.now += timedelta(days=2)
    world.do(assign_payment, AssignPayment(payment_id=assigned.id, customer_id=customer.id))
    world.now += timedelta(days=2)
    world.do(void_payment, VoidPayment(payment_id=void.id, reason="twice"))
    world.now += timedelta(days=2)
    world.do(unassign_payment, UnassignPayment(payment_id=assigned.id))

    def at(offset: int) -> tuple[int, int]:
        found = report(world, as_of=world.day(offset))
        return (
            sum(total.suspense.micros for total in found.totals) // 10**6,
            sum(row.unapplied_micros for row in found.rows) // 10**6,
        )

    assert [at(offset) for offset in (-16, -15, -14, -5, -4, -3, -2, -1, 0)] == [
        (0, 0),
        (10, 0),
        (15, 0),
        (15, 0),
        (5, 10),
        (5, 10),
        (0, 10),
        (0, 10),
        (10, 0),
    ]
    world.check()


def is_allocated(world: World, payment: Payment) -> bool:
    return bool(world.store.read(lambda books: books.payment_file(payment.id)).allocations)


@pytest.mark.rules(81, 82)
def test_a_past_report_stays_what_it_was_when_later_things_happen(world: World) -> None:
    acme, bravo = world.customer("ACME"), world.customer("BRAVO", of="JPY")
    seen: list[tuple[date, Ageing]] = []
    payments = []
    dice = random.Random(11)  # noqa: S311  # a fixed sequence, nothing secret
    for _ in range(12):
        for customer in (acme, bravo):
            world.invoice(customer, dice.randrange(10, 99), due=dice.randrange(40), auto=dice.random() < 0.7)
            payments.append(world.pay(dice.randrange(5, 120), customer).payment)
        chosen = payments.pop(dice.randrange(len(payments)))
        if is_allocated(world, chosen):
            world.do(unallocate_payment, UnallocatePayment(payment_id=chosen.id))
        seen.append((world.today, report(world)))
        world.now += timedelta(days=7)
    assert len({found.totals for _, found in seen}) > 6
    for as_of, found in seen:
        assert report(world, as_of=as_of) == found
    for (earlier, _), (later, _) in pairwise(seen):
        assert earlier < later
    world.check()


@pytest.mark.rules(82, 84)
def test_rows_tie_to_the_control_accounts(world: World) -> None:
    customers = {}
    for number in range(5):
        customer = world.customer(f"C{number}")
        customers[customer.id] = customer
        world.invoice(customer, 50 + number, auto=number % 2 == 0)
        world.pay(20 * number + 1, customer)
    for row in report(world).rows:
        controls = world.read_customer(customers[row.customer_id]).controls
        assert (row.total_micros, row.unapplied_micros) == (controls.receivable, controls.deposits)
    kept = ask_sql(world, "SELECT SUM(amount_micros) FROM posting WHERE account = 'receivable'")
    assert int(kept[0][0]) == sum(row.total_micros for row in report(world).rows)


@pytest.mark.rule(82)
def test_totals_are_sums_of_the_rows_own_figures() -> None:
    rows = [AgeingRow(n, f"C{n}", "", SGD, (n, 2 * n, 0, 0, 4 * n), 8 * n, 16 * n) for n in (1, 2, 3)]
    (total,) = add_up(rows, {"SGD": 5}, EDGES)
    assert [bucket.micros for bucket in total.buckets] == [6, 12, 0, 0, 24]
    assert (total.prepaid_debt.micros, total.unapplied.micros, total.suspense.micros) == (48, 96, 5)
    assert total.total.micros == sum(row.total_micros for row in rows) == 90
    assert total.customers == 3
