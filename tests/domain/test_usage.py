"""Usage: charged in real time when prepaid, into unbilled when postpaid; refunded as what it was paid with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.desk import SYSTEM
from bot.domain.credits import PayOutAtPlatform, pay_out_at_platform
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Controls, Customer, CustomerState, Mode
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    KeyReused,
    MasterNotOpen,
    MasterShort,
    MissingText,
    MoreThanLeft,
    NotEnoughUsable,
    NotFound,
    NotPositive,
    PaymentHasAllocations,
    Refused,
    WrongState,
)
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.money import Money
from bot.domain.payments import UnassignPayment, unassign_payment
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from bot.domain.usage import ChargeUsage, ImportUsage, UsageLine, charge_usage, import_usage, tax_in_micros
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from tests.domain.expect import ask_sql, expect_refusal, report, run_sql, standing
from tests.domain.test_credits import at_platform, issue, three, top_up
from tests.domain.usage_steps import charge, limited, refund, used
from tests.world import MANAGER, OWNER, SGD, START, World, money, withdraw


def controls(world: World, customer: Customer) -> Controls:
    return world.read_customer(customer).controls


def prepaid(world: World, paid: str | int = 0, code: str = "ACME") -> Customer:
    customer = world.customer(code, mode=Mode.PREPAID)
    if paid:
        world.pay(paid, customer)
    return customer


@pytest.mark.rule(53, 54)
def test_the_worked_example_of_ten_steps_gives_its_figures(world: World) -> None:
    customer = prepaid(world)
    run: list[tuple[Callable[[], object], tuple[int, int, int]]] = [
        (lambda: top_up(world, 2000), (2000, 0, 2000)),
        (lambda: top_up(world, 4000), (6000, 0, 6000)),
        (lambda: world.pay(200, customer), (6000, 200, 5800)),
        (lambda: world.pay(300, customer), (6000, 500, 5500)),
        (lambda: at_platform(world, customer, 1000), (7000, 1500, 5500)),
        (lambda: charge(world, customer, 50, cost=10), (6990, 1450, 5540)),
        (lambda: pay_out(world, customer, 500), (6490, 950, 5540)),
        (lambda: withdraw(world, customer, 200), (6490, 750, 5740)),
        (lambda: refund(world, customer, 100, cost=30), (6520, 850, 5670)),
    ]
    for step, (partner, owed, usable) in run:
        step()
        assert three(world, customer) == (money(partner), money(owed), money(usable))
    world.check()


def pay_out(world: World, customer: Customer, amount: int) -> None:
    command = PayOutAtPlatform(customer_id=customer.id, amount=money(amount), reference="po_1")
    world.do(pay_out_at_platform, command, by=MANAGER)


@pytest.mark.rule(54)
def test_a_purchase_and_its_refund_move_both_balances(world: World) -> None:
    customer = prepaid(world, 100)
    top_up(world, 500)
    before = three(world, customer)
    charge(world, customer, 30, cost=12, line_id="C-1")
    assert three(world, customer) == (before[0] - money(12), before[1] - money(30), before[2] + money(18))
    refund(world, customer, 30, of="C-1", cost=12)
    assert three(world, customer) == before
    world.check()


@pytest.mark.rule(55)
def test_a_sale_whose_cost_the_partner_cannot_pay_is_refused(world: World) -> None:
    customer = prepaid(world, 100)
    top_up(world, 5)
    with expect_refusal(world, MasterShort, field="cost", says="SGD 5.00 is left"):
        charge(world, customer, 30, cost="5.01")
    charge(world, customer, 30, cost=5)
    world.check()


@pytest.mark.rule(56, 107, 108)
def test_a_prepaid_customer_spends_its_balance_and_limit_and_what_is_used_of_it_accumulates(world: World) -> None:
    customer = limited(world, 100)
    world.pay(10, customer)
    charge(world, customer, "18.67")
    now = world.read_customer(customer)
    assert now.balance == money("-8.67")
    assert now.usable(world.now) == money("91.33")
    world.now = START.replace(month=12, day=20)
    assert world.read_customer(customer).usable(world.now) == money("91.33")
    with expect_refusal(world, NotEnoughUsable, field="amount", says="at most SGD 91.33"):
        charge(world, customer, "91.34")
    charge(world, customer, "91.33")
    assert world.read_customer(customer).usable(world.now) == money(0)
    world.check()


@pytest.mark.rule(69)
def test_postpaid_without_a_limit_spends_only_credit_in_hand(world: World) -> None:
    customer = world.customer()
    with expect_refusal(world, NotEnoughUsable, field="amount", says="takes a credit limit"):
        charge(world, customer, 1)
    world.pay(20, customer)
    charge(world, customer, 20)
    with expect_refusal(world, NotEnoughUsable, field="amount", says="at most SGD 0.00"):
        charge(world, customer, "0.01")


@pytest.mark.rule(57, 109, 110)
def test_a_postpaid_limit_caps_what_is_unbilled_and_not_the_debt(world: World) -> None:
    customer = limited(world, 2400, mode=Mode.POSTPAID)
    world.invoice(customer, 500)
    assert world.read_customer(customer).usable(world.now) == money(2400)
    charge(world, customer, 100)
    assert controls(world, customer).unbilled == money(100).micros
    assert world.read_customer(customer).usable(world.now) == money(2300)
    other = limited(world, 2400, mode=Mode.POSTPAID, code="OTHER")
    world.pay(424, other)
    assert world.read_customer(other).usable(world.now) == money(2824)
    world.check()


@pytest.mark.rule(111, 112)
def test_the_balance_of_a_postpaid_customer_is_unbilled_and_due_to_the_micro(world: World) -> None:
    customer = limited(world, 5000, mode=Mode.POSTPAID)
    charge(world, customer, "1610.61")
    due = Controls(receivable=money("0.20544").micros, unbilled=controls(world, customer).unbilled)
    assert replace(customer, controls=due).balance == money("-1610.81544")
    charge(world, customer, "0.000001")
    assert controls(world, customer).unbilled == money("1610.610001").micros
    assert tax_in_micros(money("0.000005"), Decimal(10)) == money("0.000001")
    world.check()


@pytest.mark.rule(106)
def test_what_is_reserved_is_consumed_by_success_and_released_by_failure(world: World) -> None:
    customer = prepaid(world, 100)
    command = RequestWithdrawal(customer_id=customer.id, amount=money(60), gateway=Gateway.CASH, reason="Ended")
    world.do(request_withdrawal, command)
    now = world.read_customer(customer)
    assert now.balance.micros - now.usable(world.now).micros == now.controls.reserved == money(60).micros
    with expect_refusal(world, NotEnoughUsable, field="amount", says="at most SGD 40.00"):
        charge(world, customer, 41)
    charge(world, customer, 40)
    assert controls(world, customer).reserved == money(60).micros
    world.check()


@pytest.mark.rule(114)
def test_a_customer_with_nothing_left_to_spend_is_not_operational(world: World) -> None:
    customer = prepaid(world, 10)
    assert world.read_customer(customer).is_operational(world.now)
    charge(world, customer, 10)
    assert not world.read_customer(customer).is_operational(world.now)


def test_usage_is_paid_from_credit_goodwill_first_on_the_later_of_both_days(world: World) -> None:
    customer = prepaid(world, 100)
    issue(world, customer, 5)
    charge(world, customer, 8, ago=3, tax="9")
    assert ask_sql(world, "SELECT number, open_micros FROM lot ORDER BY number") == [
        ("CRD-0001", 0),
        ("PAY-0001", money("96.28").micros),
    ]
    found = ask_sql(world, "SELECT effective_on FROM allocation WHERE usage_day_id IS NOT NULL")
    assert {str(day)[:10] for (day,) in found} == {str(world.today)}
    assert controls(world, customer).receivable == 0
    world.check()


def test_usage_beyond_the_balance_is_a_debt_without_a_due_date_and_paid_by_the_next_payment(world: World) -> None:
    customer = limited(world, 100)
    charge(world, customer, 30, ago=40)
    row = report(world).rows[0]
    assert (row.buckets_micros, row.prepaid_debt_micros) == ((0, 0, 0, 0, 0), money(30).micros)
    before = report(world, as_of=world.day(-1))
    world.pay(50, customer)
    assert [each.prepaid_debt_micros for each in report(world).rows] == [0]
    assert report(world, as_of=world.day(-1)) == before
    assert report(world, as_of=world.day(-41)).rows == ()
    world.check()


def test_an_older_invoice_is_paid_before_usage_and_usage_before_a_younger_one(world: World) -> None:
    customer = limited(world, 100)
    charge(world, customer, 10, ago=5)
    old, young = world.invoice(customer, 10, issued=-5), world.invoice(customer, 10, issued=-4)
    world.pay(15, customer)
    assert world.read_invoice(old).status == "paid"
    assert ask_sql(world, "SELECT open_micros FROM usage_day") == [(money(5).micros,)]
    assert world.read_invoice(young).open == money(10)
    world.check()


def test_each_id_is_charged_once_and_never_with_other_content(world: World) -> None:
    customer = prepaid(world, 100)
    charge(world, customer, 10, line_id="C-1")
    again = charge(world, customer, 10, line_id="C-1")
    assert (again.charged, again.known, controls(world, customer).deposits) == (0, 1, money(90).micros)
    with expect_refusal(world, KeyReused, field="external_id", says="C-1 is in the book with another"):
        charge(world, customer, 11, line_id="C-1")
    twice = (used(1, world.today, line_id="C-2"), used(1, world.today, line_id="C-2"))
    with expect_refusal(world, KeyReused, field="external_id", says="same id"):
        world.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=twice))


def test_a_batch_is_one_entry_for_each_day_and_what_is_over_is_booked_and_said(world: World) -> None:
    customer = prepaid(world, 10)
    lines = tuple(used(4, world.day(-ago), line_id=f"L-{ago}-{number}") for ago in (2, 1) for number in range(3))
    with expect_refusal(world, NotEnoughUsable, field="amount"):
        world.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=lines))
    made = world.do(import_usage, ImportUsage(customer_id=customer.id, lines=lines), by=SYSTEM)
    assert (made.charged, made.gross, made.is_over) == (6, money(24), True)
    assert ask_sql(world, "SELECT COUNT(*) FROM entry WHERE kind = 'usage'") == [(2,)]
    assert controls(world, customer).receivable == money(14).micros
    world.check()


def test_late_usage_is_posted_today_when_its_day_is_locked(world: World) -> None:
    customer = prepaid(world, 10)
    run_sql(world, "INSERT INTO setting (name, value) VALUES ('hard_lock', :day)", day=str(world.day(-5)))
    run_sql(world, "UPDATE book SET settings_version = settings_version + 1")
    charge(world, customer, 4, ago=9)
    assert [str(row[0])[:10] for row in ask_sql(world, "SELECT used_on FROM usage_day")] == [str(world.today)]
    assert [str(row[0])[:10] for row in ask_sql(world, "SELECT used_on FROM charge")] == [str(world.day(-9))]
    world.check()


def test_a_payment_that_was_used_stays_and_its_undo_takes_only_its_own_back(world: World) -> None:
    customer = limited(world, 100)
    charge(world, customer, 30)
    before = standing(world, customer)
    paid = world.pay(50, customer)
    with expect_refusal(world, PaymentHasAllocations, says="SGD 30.00 of PAY-0001 was used since"):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.payment.id))
    world.do(undo, Undo(operation_id=paid.operation_id))
    assert standing(world, customer) == before
    world.check()


def test_a_refund_comes_back_as_what_paid_and_first_what_could_not_leave(world: World) -> None:
    customer = prepaid(world, 100)
    issue(world, customer, 5)
    charge(world, customer, 8, line_id="C-1")
    refund(world, customer, 6, of="C-1")
    kinds = ask_sql(world, "SELECT kind, amount_micros FROM lot WHERE number = 'CRD-0002' ORDER BY kind")
    assert kinds == [("correction", money(5).micros), ("payment", money(1).micros)]
    refund(world, customer, 2, of="C-1")
    assert ask_sql(world, "SELECT kind FROM lot WHERE number = 'CRD-0003'") == [("payment",)]
    with expect_refusal(world, MoreThanLeft, field="amount", says="at most SGD 0.00 is left"):
        refund(world, customer, 1, of="C-1")
    world.check()


def test_a_refund_of_usage_not_invoiced_yet_lowers_what_is_unbilled(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 10, tax="9", line_id="C-1")
    refund(world, customer, "5.45", of="C-1")
    assert controls(world, customer).unbilled == money("5.45").micros
    refund(world, customer, "5.45", of="C-1")
    assert controls(world, customer).unbilled == 0
    assert ask_sql(world, "SELECT SUM(net_micros), SUM(tax_micros) FROM usage_refund") == [
        (money(10).micros, money("0.9").micros)
    ]
    world.check()


def test_what_cannot_be_refunded_is_explained(world: World) -> None:
    customer, other = prepaid(world, 100), prepaid(world, 50, "OTHER")
    charge(world, customer, 10, line_id="C-1")
    with expect_refusal(world, NotFound, field="external_id", says="has no usage C-9"):
        refund(world, customer, 1, of="C-9")
    with expect_refusal(world, NotFound, field="external_id"):
        refund(world, other, 1, of="C-1")
    with expect_refusal(world, MoreThanLeft, field="cost", says="at most SGD 0.00 comes back"):
        refund(world, customer, 1, of="C-1", cost=1)
    with expect_refusal(world, MasterNotOpen, field="method"):
        refund(world, customer, 1, cost=1)
    with expect_refusal(world, NotPositive, field="cost"):
        refund(world, customer, 1, cost=-1)
    world.do(top_up_master, TopUpMaster(amount=money(1), paid_on=world.today), by=MANAGER)
    with expect_refusal(world, MasterShort, field="amount"):
        refund(world, customer, 5)


def test_a_suspended_customer_buys_nothing(world: World) -> None:
    customer = prepaid(world, 100)
    made = ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.SUSPENDED, reason="Late")
    world.do(change_customer_state, made)
    with expect_refusal(world, WrongState, field="customer", says="is suspended"):
        charge(world, customer, 1)


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"net": money(0)}, NotPositive, "amount"),
        ({"net": money(1, "EUR")}, CurrencyMixed, "amount"),
        ({"cost": money(-1)}, NotPositive, "amount"),
        ({"tax_rate": Decimal(101)}, Refused, "tax_rate"),
        ({"tax_rate": Decimal("0.0000001")}, Refused, "tax_rate"),
        ({"used_on": START.date().replace(day=24)}, DateInFuture, "used_on"),
        ({"external_id": " "}, MissingText, "external_id"),
        ({"product": ""}, MissingText, "product"),
    ],
)
def test_bad_usage_is_refused_on_its_field(
    world: World, changed: dict[str, object], refusal: type[Refused], field: str
) -> None:
    customer = prepaid(world, 100)
    line: UsageLine = replace(used(1, world.today), **changed)  # type: ignore[arg-type]  # what the table changes
    with expect_refusal(world, refusal, field=field):
        world.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=(line,)))


@given(net=some.integers(1, 10**12), rate=some.integers(0, 100 * 10**6))
def test_tax_to_the_micro_is_within_half_a_micro(net: int, rate: int) -> None:
    percent = Decimal(rate).scaleb(-6)
    exact = Decimal(net) * percent / 100
    tax = tax_in_micros(Money(net, SGD), percent)
    assert abs(Decimal(tax.micros) - exact) <= Decimal("0.5")


@pytest.mark.rules(57, 109)
def test_a_postpaid_limit_starts_afresh_with_each_month_of_the_books_zone(world: World) -> None:
    customer = limited(world, 50, mode=Mode.POSTPAID)
    charge(world, customer, 45, line_id="NOV")
    with expect_refusal(world, NotEnoughUsable, field="amount", says="at most SGD 5.00"):
        charge(world, customer, 6)
    world.do(change_setting, ChangeSetting(name="zone", value="Asia/Singapore"), by=OWNER)
    charge(world, customer, 1, line_id="ZONE")
    world.now = datetime(2026, 11, 30, 15, 59, tzinfo=UTC)
    assert world.read_customer(customer).usable(world.now) == money(4)
    world.now = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)
    assert world.read_customer(customer).usable(world.now) == money(50)
    charge(world, customer, 48, ago=-1, line_id="DEC")
    refund(world, customer, 5, of="NOV")
    assert world.read_customer(customer).usable(world.now) == money(2)
    refund(world, customer, 8, of="DEC")
    assert world.read_customer(customer).usable(world.now) == money(10)
    assert world.read_customer(customer).balance == money(-81)
    world.check()


@pytest.mark.rule(57)
def test_what_is_invoiced_of_the_running_month_is_free_again(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 30, line_id="A", ago=2)
    charge(world, customer, 20, line_id="B")
    refund(world, customer, 10, of="A")
    world.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=world.day(-1)))
    assert world.read_customer(customer).usable(world.now) == money(90)
    world.check()
    world.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=world.today))
    assert world.read_customer(customer).usable(world.now) == money(100)
    world.check()
