"""Usage becomes an invoice: each charge once, rounded by line, and the limit starts afresh."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.customers import Customer, Mode
from bot.domain.errors import DateInFuture, WrongState
from bot.domain.invoices import InvoiceChanged
from bot.domain.money import Money
from bot.domain.usage_invoices import InvoiceUsage, UsageGroup, invoice_usage, lines_of
from tests.domain.expect import ask_sql, expect_refusal, report
from tests.domain.usage_steps import charge, limited, refund
from tests.world import SGD, World, money


def billed(world: World, customer: Customer, ago: int = 0) -> InvoiceChanged:
    return world.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=world.day(-ago)))


@pytest.mark.rule(57, 104)
def test_unbilled_usage_becomes_a_rounded_invoice_and_the_limit_starts_afresh(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    for number in range(3):
        charge(world, customer, "10.123456", tax="9", ago=number)
    assert world.read_customer(customer).usable(world.now) < money(70)
    made = billed(world, customer)
    assert (made.invoice.net, made.invoice.tax, made.invoice.total) == (money("30.37"), money("2.73"), money("33.10"))
    assert [line.description for line in made.lines] == ["Calls, 3 charges"]
    now = world.read_customer(customer)
    assert (now.controls.unbilled, now.usable(world.now)) == (0, money(100))
    assert now.amount_due == money("33.10")
    assert ask_sql(world, "SELECT SUM(amount_micros) FROM posting WHERE account = 'tax_unbilled'") == [(0,)]
    world.check()


@pytest.mark.rule(101)
def test_a_charge_is_on_exactly_one_invoice(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 10, ago=5)
    charge(world, customer, 20, ago=1)
    first = billed(world, customer, ago=3)
    second = billed(world, customer)
    assert (first.invoice.total, second.invoice.total) == (money(10), money(20))
    with expect_refusal(world, WrongState, field="through", says="nothing to invoice"):
        billed(world, customer)
    rows = ask_sql(world, "SELECT COUNT(*), COUNT(invoice_id), COUNT(DISTINCT invoice_id) FROM charge")
    assert rows == [(2, 2, 2)]
    world.check()


def test_a_refund_before_the_invoice_is_taken_off_it_and_one_after_off_the_next(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 10, tax="9", line_id="C-1")
    charge(world, customer, 20, tax="9", line_id="C-2")
    refund(world, customer, "5.45", of="C-1")
    assert billed(world, customer).invoice.total == money("27.25")
    refund(world, customer, "5.45", of="C-1")
    now = world.read_customer(customer)
    assert (Money(now.controls.unbilled, SGD), now.amount_due) == (money("-5.45"), money("27.25"))
    charge(world, customer, 10, tax="9", line_id="C-3")
    assert billed(world, customer).invoice.total == money("5.45")
    world.check()


def test_a_month_that_comes_to_nothing_waits_for_the_next_invoice(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 10, line_id="C-1")
    refund(world, customer, 10, of="C-1")
    with expect_refusal(world, WrongState, field="through", says="goes on the next invoice"):
        billed(world, customer)
    charge(world, customer, 30)
    assert billed(world, customer).invoice.total == money(30)
    world.check()


def test_credit_in_hand_pays_the_invoice_at_once_and_past_days_stay(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 30)
    world.pay(12, customer)
    before = report(world)
    day = world.today
    world.now += timedelta(days=3)
    assert billed(world, customer).invoice.open == money(18)
    assert report(world, as_of=day).rows == before.rows
    with expect_refusal(world, DateInFuture, field="through"):
        billed(world, customer, ago=-1)
    world.check()


@given(parts=some.lists(some.tuples(some.integers(1, 10**9), some.integers(0, 10**8)), min_size=1, max_size=6))
def test_each_line_is_rounded_by_itself_and_never_by_more_than_half_a_cent(parts: list[tuple[int, int]]) -> None:
    groups = [UsageGroup("Calls", Decimal(9), 1, Money(net, SGD), Money(tax, SGD)) for net, tax in parts]
    for group, line in zip(groups, lines_of(groups), strict=True):
        for exact, rounded in ((group.net, line.net), (group.tax, line.tax)):
            assert rounded.is_whole_minor
            assert abs(rounded.micros - exact.micros) <= SGD.unit_micros // 2
