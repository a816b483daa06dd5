"""Allocation: by hand, oldest first, its bounds and its dates."""

from datetime import date, timedelta

import pytest

from bot.domain.allocation import Portion, effective_day, split_oldest_first
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    DateTooEarly,
    InvoiceOfAnotherCustomer,
    MoreThanLeft,
    NothingToAllocate,
    NotPositive,
    TooPreciseForCurrency,
)
from bot.domain.invoices import SwitchAutoAllocation, switch_auto_allocation
from bot.domain.money import Money
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    UnallocatePayment,
    UnassignPayment,
    allocate_payment,
    assign_payment,
    unallocate_payment,
    unassign_payment,
)
from bot.domain.settings import ChangeSetting, change_setting
from tests.domain.expect import ask_sql, expect_refusal, report, run_sql
from tests.world import ADMIN, SGD, World, money

DAY = date(2026, 11, 2)


def an_invoice(number: str, amount: str, issue_on: date = DAY) -> Invoice:
    total = money(amount)
    return Invoice(
        id=int(number.rpartition("-")[2]),
        kind=InvoiceKind.TAX,
        customer_id=1,
        number=number,
        draft_reference="DRAFT-1",
        issue_on=issue_on,
        due_on=issue_on,
        posted_on=issue_on,
        rose_on=issue_on,
        net=total,
        tax=money(0),
        total=total,
        open=total,
        state=InvoiceState.SENT,
        auto_allocate=True,
    )


def shares(amount: str, *invoices: Invoice) -> list[tuple[str | None, Money]]:
    return [(invoice.number, share) for invoice, share in split_oldest_first(money(amount), invoices)]


@pytest.mark.rules(24, 25)
def test_the_oldest_invoice_is_paid_first_until_the_money_runs_out() -> None:
    invoices = [an_invoice(f"I-{n}", str(n * 100), DAY + timedelta(days=n)) for n in (3, 1, 4, 2)]
    assert shares("500", *invoices) == [("I-1", money(100)), ("I-2", money(200)), ("I-3", money(200))]
    assert shares("0.01", *invoices) == [("I-1", money("0.01"))]
    assert shares("5000", *invoices)[-1] == ("I-4", money(400))
    assert shares("5") == []


@pytest.mark.rule(30)
def test_equal_dates_go_by_number_as_people_count() -> None:
    invoices = [an_invoice(number, "10") for number in ("I-10", "I-9", "I-2")]
    assert [number for number, _ in shares("25", *invoices)] == ["I-2", "I-9", "I-10"]


@pytest.mark.rule(30)
def test_invoices_of_one_day_are_paid_in_the_order_of_their_numbers(world: World) -> None:
    customer = world.customer()
    world.do(change_setting, ChangeSetting(name="invoice_series", value="I-:1"), by=ADMIN)
    invoices = [world.invoice(customer, 10) for _ in range(11)]
    assert [invoice.number for invoice in invoices[8:]] == ["I-9", "I-10", "I-11"]
    changed = world.pay(95, customer)
    assert [each.invoice_number for each in changed.allocations] == [f"I-{n}" for n in range(1, 11)]
    assert changed.allocations[-1].amount == money(5)
    assert world.read_invoice(invoices[10]).open == money(10)
    world.check()


@pytest.mark.rules(24, 25)
def test_the_worked_example_holds_whatever_the_order_of_entry(world: World) -> None:
    customer = world.customer()
    order = {400: -1, 200: -3, 300: -2, 100: -4}
    invoices = {amount: world.invoice(customer, amount, issued=issued) for amount, issued in order.items()}
    world.pay(500, customer)
    states = {amount: world.read_invoice(invoice) for amount, invoice in invoices.items()}
    assert {amount: invoice.status for amount, invoice in states.items()} == {
        100: "paid",
        200: "paid",
        300: "partially paid",
        400: "awaiting payment",
    }
    assert states[300].total - states[300].open == money(200)
    world.check()


@pytest.mark.rule(9)
def test_one_payment_pays_several_invoices_by_hand(world: World) -> None:
    customer = world.customer()
    invoices = [world.invoice(customer, 50, auto=False) for _ in range(3)]
    paid = world.pay(100, customer).payment
    portions = tuple(
        Portion(invoice_id=invoice.id, amount=money(part)) for invoice, part in zip(invoices, (10, 20, 30), strict=True)
    )
    changed = world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))
    assert [each.amount for each in changed.allocations] == [money(10), money(20), money(30)]
    assert changed.left == money(40)
    assert [world.read_invoice(each).open for each in invoices] == [money(40), money(30), money(20)]
    world.check()


def test_named_amounts_go_first_and_the_others_share_the_rest_oldest_first(world: World) -> None:
    customer = world.customer()
    old = world.invoice(customer, 50, issued=-3, auto=False)
    middle = world.invoice(customer, 50, issued=-2, auto=False)
    young = world.invoice(customer, 50, issued=-1, auto=False)
    changed = world.pay(100, customer, to=((middle, None), (young, 40), (old, None)))
    assert {each.invoice_id: each.amount for each in changed.allocations} == {
        young.id: money(40),
        old.id: money(50),
        middle.id: money(10),
    }
    world.check()


@pytest.mark.rule(9)
def test_allocating_without_naming_invoices_pays_oldest_first_with_auto_allocation_off_too(world: World) -> None:
    customer = world.customer()
    old, young = world.invoice(customer, 50, issued=-3, auto=False), world.invoice(customer, 50, auto=False)
    paid = world.pay(60, customer).payment
    changed = world.do(allocate_payment, AllocatePayment(payment_id=paid.id))
    assert [(each.invoice_id, each.amount) for each in changed.allocations] == [
        (old.id, money(50)),
        (young.id, money(10)),
    ]
    assert not any(each.automatic for each in changed.allocations)
    world.check()


@pytest.mark.rule(10)
def test_the_sum_of_allocations_never_exceeds_the_payment(world: World) -> None:
    customer = world.customer()
    one, two = world.invoice(customer, 80, auto=False), world.invoice(customer, 80, auto=False)
    paid = world.pay(100, customer).payment

    def allocate(*parts: tuple[Invoice, str]) -> None:
        portions = tuple(Portion(invoice_id=invoice.id, amount=money(part)) for invoice, part in parts)
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))

    with expect_refusal(world, MoreThanLeft, field="invoices", says="SGD 100.00 left"):
        allocate((one, "60"), (two, "40.01"))
    allocate((one, "60"))
    with expect_refusal(world, MoreThanLeft, field="invoices", says="SGD 40.00 left"):
        allocate((two, "40.01"))
    allocate((two, "40"))
    assert world.read_invoice(two).open == money(40)
    world.check()


@pytest.mark.rule(11)
def test_an_allocation_never_exceeds_what_is_open_of_the_invoice(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 80, auto=False)
    paid = world.pay(200, customer, to=((invoice, 30),)).payment
    with expect_refusal(world, MoreThanLeft, field="invoices", says="Allocate at most SGD 50.00"):
        portions = (Portion(invoice_id=invoice.id, amount=money("50.01")),)
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))
    portions = (Portion(invoice_id=invoice.id, amount=money(50)),)
    world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))
    assert world.read_invoice(invoice).status == "paid"
    world.check()


@pytest.mark.rule(12)
def test_an_invoice_of_another_customer_is_refused(world: World) -> None:
    customer, other = world.customer("ACME"), world.customer("BRAVO")
    foreign = world.invoice(other, 80, auto=False)
    paid = world.pay(80, customer).payment
    portions = (Portion(invoice_id=foreign.id),)
    with expect_refusal(world, InvoiceOfAnotherCustomer, field="invoices", says=str(foreign.number)):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))
    loose = world.pay(80).payment
    with expect_refusal(world, InvoiceOfAnotherCustomer, field="invoices"):
        world.do(assign_payment, AssignPayment(payment_id=loose.id, customer_id=customer.id, portions=portions))


@pytest.mark.rule(12)
def test_the_database_itself_refuses_to_join_two_customers(world: World) -> None:
    customer, other = world.customer("ACME"), world.customer("BRAVO")
    own = world.invoice(customer, 80)
    world.pay(50, customer)
    foreign = world.invoice(other, 80, auto=False)
    copy = """INSERT INTO allocation (id, customer_id, lot_id, invoice_id, amount_micros, effective_on, recorded_at,
        issue_on, due_on, posted_on, automatic, entry_id, operation_id) SELECT id + 1, customer_id, lot_id, :foreign,
        amount_micros, effective_on, recorded_at, issue_on, due_on, posted_on, automatic, entry_id, operation_id
        FROM allocation"""
    before = ask_sql(world, "SELECT COUNT(*) FROM allocation")
    with pytest.raises(Exception, match="an allocation joins one customer in time"):
        run_sql(world, copy, foreign=foreign.id)
    assert ask_sql(world, "SELECT COUNT(*) FROM allocation") == before
    assert world.read_invoice(own).open == money(30)
    world.check()


@pytest.mark.parametrize(
    ("amount", "code", "refusal"),
    [
        ("0", "SGD", NotPositive),
        ("-5", "SGD", NotPositive),
        ("1.001", "SGD", TooPreciseForCurrency),
        ("5", "EUR", CurrencyMixed),
    ],
)
def test_a_portion_is_a_plain_amount_of_the_currency(
    world: World, amount: str, code: str, refusal: type[NotPositive]
) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 80, auto=False)
    paid = world.pay(80, customer).payment
    portions = (Portion(invoice_id=invoice.id, amount=money(amount, code)),)
    with expect_refusal(world, refusal, field="invoices"):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))


def test_more_than_a_hundred_invoices_at_once_are_refused(world: World) -> None:
    customer = world.customer()
    invoices = [world.invoice(customer, 1, auto=False) for _ in range(101)]
    paid = world.pay(101, customer).payment
    portions = tuple(Portion(invoice_id=invoice.id) for invoice in invoices)
    with expect_refusal(world, NothingToAllocate, field="invoices", says="at most 100"):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions))
    changed = world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=portions[:100]))
    assert (len(changed.allocations), changed.left) == (100, money(1))
    world.check()


@pytest.mark.rule(22)
def test_what_is_left_stays_with_the_customer_as_credit(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 30)
    changed = world.pay(100, customer)
    assert changed.left == money(70)
    file = world.store.read(lambda books: books.customer_file(customer.id, world.today))
    assert [(lot.number, lot.open) for lot in file.unapplied] == [(changed.payment.number, money(70))]
    for part in (40, 30):
        assert world.invoice(customer, part).status == "paid"
    assert world.read_customer(customer).amount_due == money(0)
    world.check()


@pytest.mark.rule(23)
def test_a_sent_tax_invoice_allows_auto_allocation_unless_told_otherwise(world: World) -> None:
    customer = world.customer()
    sent = world.invoice(customer, 30)
    assert sent.kind is InvoiceKind.TAX
    assert sent.auto_allocate
    partly = world.pay(10, customer)
    assert [each.automatic for each in partly.allocations] == [True]
    rest = world.pay(20, customer)
    assert [each.invoice_id for each in rest.allocations] == [sent.id]
    assert world.read_invoice(sent).status == "paid"
    world.check()


@pytest.mark.rule(26)
def test_an_invoice_with_auto_allocation_off_is_skipped(world: World) -> None:
    customer = world.customer()
    off = world.invoice(customer, 30, issued=-9, auto=False)
    on = world.invoice(customer, 30)
    changed = world.pay(50, customer)
    assert [each.invoice_id for each in changed.allocations] == [on.id]
    assert world.read_invoice(off).open == money(30)
    assert changed.left == money(20)
    world.check()


@pytest.mark.rules(23, 26)
def test_switching_auto_allocation_on_lets_free_credit_pay_and_off_stops_it(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30, auto=False)
    world.pay(20, customer)
    assert world.read_invoice(invoice).open == money(30)
    changed = world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=True))
    assert changed.invoice.open == world.read_invoice(invoice).open == money(10)
    assert [each.amount for each in changed.allocations] == [money(20)]
    world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False))
    world.pay(20, customer)
    assert world.read_invoice(invoice).open == money(10)
    world.check()


@pytest.mark.rules(17, 26)
def test_money_taken_back_does_not_run_into_the_same_invoice_but_pays_the_next(world: World) -> None:
    customer = world.customer()
    first, second = world.invoice(customer, 50, issued=-2), world.invoice(customer, 50, issued=-1)
    paid = world.pay(50, customer).payment
    changed = world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    assert world.read_invoice(first).open == money(50)
    assert not world.read_invoice(first).auto_allocate
    assert world.read_invoice(second).status == "paid"
    assert [each.invoice_id for each in changed.allocations] == [second.id]
    world.check()


@pytest.mark.rule(28)
def test_credit_in_hand_pays_an_invoice_when_it_is_sent(world: World) -> None:
    customer = world.customer()
    world.pay(30, customer)
    world.pay(30, customer)
    changed = world.invoiced(customer, 50)
    assert changed.invoice.status == "paid"
    assert [(each.lot_number, each.amount) for each in changed.allocations] == [
        ("PAY-0001", money(30)),
        ("PAY-0002", money(20)),
    ]
    assert world.read_customer(customer).balance == money(10)
    world.check()


def test_credit_is_consumed_by_its_day_then_its_number(world: World) -> None:
    customer = world.customer()
    late = world.pay(10, customer).payment
    early = world.pay(10, customer, received=-5).payment
    changed = world.invoiced(customer, 15)
    assert [each.lot_number for each in changed.allocations] == [early.number, late.number]
    world.check()


def test_the_first_day_no_floor_forbids() -> None:
    today, first = DAY, DAY - timedelta(days=10)
    early = DAY - timedelta(days=20)
    assert effective_day(early, (), first, today) == first
    assert effective_day(early, (DAY - timedelta(days=3),), first, today) == DAY - timedelta(days=3)
    assert effective_day(today, (first,), first, today) == today
    with pytest.raises(DateInFuture):
        effective_day(today + timedelta(days=1), (), first, today)
    with pytest.raises(DateTooEarly):
        effective_day(today, (today + timedelta(days=1),), first, today)


def test_an_allocation_is_effective_no_earlier_than_payment_and_invoice(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 10, issued=-4)
    changed = world.pay(10, customer, received=-9)
    assert [each.effective_on for each in changed.allocations] == [world.day(-4)]
    world.invoice(customer, 10, issued=-9)
    changed = world.pay(10, customer, received=-4)
    assert [each.effective_on for each in changed.allocations] == [world.day(-4)]
    world.check()


def test_a_later_allocation_is_of_today_unless_a_day_is_typed(world: World) -> None:
    customer = world.customer()
    one, two = (world.invoice(customer, 10, issued=-9, auto=False) for _ in range(2))
    paid = world.pay(20, customer, received=-8).payment

    def allocate(invoice: Invoice, on: date | None) -> date:
        portions = (Portion(invoice_id=invoice.id),)
        command = AllocatePayment(payment_id=paid.id, portions=portions, effective_on=on)
        return world.do(allocate_payment, command).allocations[-1].effective_on

    with expect_refusal(world, DateInFuture, field="effective_on"):
        allocate(one, world.day(1))
    assert allocate(one, None) == world.today
    assert allocate(two, world.day(-20)) == world.day(-8)
    world.check()


def test_a_new_allocation_is_no_earlier_than_the_day_the_open_amount_rose(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 10, issued=-9, auto=False)
    paid = world.pay(10, customer, received=-8, to=((invoice, None),)).payment
    back = UnallocatePayment(payment_id=paid.id, effective_on=world.day(-3))
    world.do(unallocate_payment, back)
    again = AllocatePayment(payment_id=paid.id, effective_on=world.day(-8))
    assert world.do(allocate_payment, again).allocations[0].effective_on == world.day(-3)
    world.check()


def test_taking_back_is_no_earlier_than_what_it_takes_back(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 10, issued=-9, auto=False)
    paid = world.pay(10, customer, received=-4, to=((invoice, None),)).payment
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id, effective_on=world.day(-30)))
    days = ask_sql(world, "SELECT effective_on FROM entry WHERE reverses_id IS NOT NULL")
    assert [str(row[0]) for row in days] == [str(world.day(-4))]
    with expect_refusal(world, DateInFuture, field="effective_on"):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id, effective_on=world.day(1)))
    world.do(unassign_payment, UnassignPayment(payment_id=paid.id, effective_on=world.day(-30)))
    assert ask_sql(world, "SELECT step, effective_on FROM assignment ORDER BY id DESC LIMIT 1") == [
        ("unassign", ask_sql(world, "SELECT closed_on FROM lot")[0][0])
    ]
    world.check()


def test_a_payment_is_never_two_customers_money_on_one_day(world: World) -> None:
    first, second = world.customer("ACME"), world.customer("BRAVO")
    paid = world.pay(10, first, received=-20).payment
    world.do(unassign_payment, UnassignPayment(payment_id=paid.id, effective_on=world.day(-5)))
    world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=second.id, effective_on=world.day(-15)))
    for offset in range(-25, 1):
        found = report(world, as_of=world.day(offset))
        credit = {row.code: row.unapplied_micros for row in found.rows}
        suspense = sum(total.suspense.micros for total in found.totals)
        expected = {} if offset < -20 else {"ACME": 10_000_000} if offset < -5 else {"BRAVO": 10_000_000}
        assert credit == expected, offset
        assert suspense == 0
    world.check()


def test_nothing_is_posted_on_or_before_the_hard_lock(world: World) -> None:
    customer = world.customer()
    old = world.invoice(customer, 10, issued=-30, auto=False)
    paid = world.pay(10, customer, received=-29).payment
    world.do(change_setting, ChangeSetting(name="hard_lock", value=str(world.day(-10))), by=ADMIN)
    last = ask_sql(world, "SELECT MAX(id) FROM entry")[0][0]
    command = AllocatePayment(payment_id=paid.id, portions=(Portion(invoice_id=old.id),), effective_on=world.day(-29))
    assert world.do(allocate_payment, command).allocations[0].effective_on == world.day(-9)
    late = world.pay(5, received=-20).payment
    assert (late.received_on, late.posted_on) == (world.day(-20), world.day(-9))
    sent = world.invoice(customer, 10, issued=-20, auto=False)
    assert (sent.issue_on, sent.posted_on) == (world.day(-20), world.day(-9))
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id, effective_on=world.day(-15)))
    world.do(unassign_payment, UnassignPayment(payment_id=paid.id, effective_on=world.day(-15)))
    days = ask_sql(world, "SELECT COUNT(*), MIN(effective_on) FROM entry WHERE id > :last", last=last)
    assert [(count, str(day)) for count, day in days] == [(5, str(world.day(-9)))]
    world.check()


def test_two_currencies_are_paid_side_by_side(world: World) -> None:
    dollars, yen, dinar = world.customer("SG"), world.customer("JP", of="JPY"), world.customer("KW", of="KWD")
    for customer, amount, part in ((dollars, "100.10", "40.05"), (yen, "1000", "333"), (dinar, "9.999", "3.333")):
        invoice = world.invoice(customer, amount)
        world.pay(part, customer)
        code = customer.currency.code
        assert world.read_invoice(invoice).open == money(amount, code) - money(part, code)
    assert {str(total.total) for total in report(world).totals} == {"SGD 60.05", "JPY 667", "KWD 6.666"}
    assert SGD.digits == 2
    world.check()
