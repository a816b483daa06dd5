"""Credit limits and payment modes: what a customer buys on, at any moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import (
    CurrencyMixed,
    CustomerClosed,
    NoAccess,
    NotEnoughUsable,
    NotPositive,
    Refused,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.limits import (
    ExtendLimit,
    Limit,
    LimitChanged,
    SetLimit,
    ends_after,
    extend_limit,
    limit_at,
    limit_in_force,
    set_limit,
    used_of_limit,
)
from bot.domain.modes import ModeSwitched, SwitchMode, is_first_week, switch_mode
from tests.domain.expect import ask_sql, expect_refusal, standing
from tests.domain.usage_steps import charge
from tests.world import CLERK, MANAGER, START, World, money


def limit(world: World, customer: Customer, amount: str | int, days: int | None = None) -> LimitChanged:
    command = SetLimit(customer_id=customer.id, amount=money(amount, customer.currency.code), days=days)
    return world.do(set_limit, command, by=MANAGER)


def switch(world: World, customer: Customer, mode: Mode, amount: str | int | None = None) -> ModeSwitched:
    given_limit = None if amount is None else money(amount)
    return world.do(switch_mode, SwitchMode(customer_id=customer.id, mode=mode, limit=given_limit), by=MANAGER)


def counts(world: World, customer: Customer) -> object:
    return limit_at(world.read_customer(customer), world.now)


@pytest.mark.rule(56, 61)
def test_a_prepaid_limit_is_optional_for_good_or_for_days(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    assert counts(world, customer) == money(0)
    limit(world, customer, 500)
    world.now += timedelta(days=400)
    assert counts(world, customer) == money(500)
    limit(world, customer, 80, days=3)
    now = world.read_customer(customer)
    assert (limit_at(now, world.now), now.limit_ends_at) == (money(80), ends_after(3, world.now))
    world.check()


@pytest.mark.rule(59)
def test_a_temporary_limit_stops_counting_at_the_end_of_its_last_day_and_leaves_none(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limit(world, customer, 500)
    limit(world, customer, 80, days=2)
    end = datetime(2026, 11, 26, tzinfo=UTC)
    assert world.read_customer(customer).limit_ends_at == end
    world.now = end - timedelta(microseconds=1)
    charge(world, customer, 10)
    world.now = end
    assert counts(world, customer) == money(0)
    assert world.read_customer(customer).usable(world.now) == money(-10)
    with expect_refusal(world, NotEnoughUsable, field="amount"):
        charge(world, customer, 1)


@pytest.mark.rule(59)
@given(
    rows=some.lists(
        some.tuples(some.integers(0, 5000), some.integers(0, 900), some.none() | some.integers(1, 30)), max_size=8
    ),
    at=some.integers(-10, 1000),
)
def test_the_limit_in_force_depends_on_the_rows_and_the_moment_alone(
    rows: list[tuple[int, int, int | None]], at: int
) -> None:
    moment = START + timedelta(hours=at)
    made = [
        Limit(
            amount=money(amount),
            starts_at=START + timedelta(hours=hours, microseconds=number),
            ends_at=None if days is None else ends_after(days, START + timedelta(hours=hours)),
        )
        for number, (amount, hours, days) in enumerate(rows)
    ]
    found = limit_in_force(made, moment, money(0))
    assert found == limit_in_force(list(reversed(made)), moment, money(0))
    later = Limit(amount=money(7), starts_at=moment + timedelta(hours=1))
    assert limit_in_force([*made, later], moment, money(0)) == found
    expected = money(0)
    for row in sorted(made, key=lambda each: each.starts_at):
        if row.starts_at <= moment:
            expected = row.amount if row.ends_at is None or moment < row.ends_at else money(0)
    assert found == expected


@pytest.mark.rule(58)
def test_days_are_refused_for_postpaid_customers(world: World) -> None:
    customer = world.customer()
    with expect_refusal(world, Refused, field="days", says="postpaid; its limit is permanent"):
        limit(world, customer, 500, days=3)
    limit(world, customer, 500)
    assert counts(world, customer) == money(500)


@pytest.mark.rule(57)
def test_a_postpaid_customer_needs_a_limit_to_buy(world: World) -> None:
    customer = world.customer()
    with expect_refusal(world, NotEnoughUsable, field="amount", says="credit limit"):
        charge(world, customer, 1)
    limit(world, customer, 5)
    charge(world, customer, 5)
    world.check()


@pytest.mark.rule(62)
def test_lowering_a_limit_below_its_use_is_allowed_and_said(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limit(world, customer, 100)
    charge(world, customer, 60)
    lowered = limit(world, customer, 50)
    assert lowered.is_below_use
    assert world.read_customer(customer).usable(world.now) == money(-10)
    assert not world.read_customer(customer).is_operational(world.now)
    assert not limit(world, customer, 60).is_below_use


@pytest.mark.rule(60)
def test_a_customer_is_found_by_name_uuid_and_wallet_id(world: World) -> None:
    customer = world.customer(name="Borneo Foods")
    for text in ("borneo", customer.uuid, customer.wallet_id, customer.wallet_id.lower(), "ACME"):
        found = world.store.read(lambda books, text=text: books.find_customers(text))  # type: ignore[misc]  # bound now
        assert [each.id for each in found] == [customer.id]


@pytest.mark.rule(108)
def test_the_use_of_a_limit_is_what_is_owed_or_unbilled(world: World) -> None:
    prepaid, postpaid = world.customer(mode=Mode.PREPAID), world.customer("POST")
    for customer in (prepaid, postpaid):
        limit(world, customer, 100)
        charge(world, customer, "8.67")
        assert used_of_limit(world.read_customer(customer), world.now) == money("8.67")
    world.pay(5, postpaid)
    assert used_of_limit(world.read_customer(postpaid), world.now) == money("3.67")


def test_a_temporary_limit_is_extended_from_its_own_end(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limit(world, customer, 80, days=2)
    made = world.do(extend_limit, ExtendLimit(customer_id=customer.id, days=5), by=MANAGER)
    assert made.after.limit_ends_at == datetime(2026, 12, 1, tzinfo=UTC)
    world.now = datetime(2026, 12, 1, tzinfo=UTC)
    with expect_refusal(world, WrongState, field="days", says="is none; only a temporary one"):
        world.do(extend_limit, ExtendLimit(customer_id=customer.id, days=5), by=MANAGER)
    limit(world, customer, 80)
    with expect_refusal(world, WrongState, field="days", says="only a temporary one"):
        world.do(extend_limit, ExtendLimit(customer_id=customer.id, days=5), by=MANAGER)
    rows = ask_sql(world, "SELECT amount_micros, days FROM credit_limit ORDER BY starts_at, id")
    assert rows == [(money(80).micros, 2), (money(80).micros, 5), (money(80).micros, None)]
    world.check()


@pytest.mark.parametrize(
    ("amount", "days", "refusal", "field"),
    [
        (money(-1), None, NotPositive, "amount"),
        (money("0.001"), None, TooPreciseForCurrency, "amount"),
        (money(5, "EUR"), None, CurrencyMixed, "amount"),
        (money(5), 0, Refused, "days"),
        (money(5), 3651, Refused, "days"),
        (money(0), 5, Refused, "days"),
        (money(0), None, WrongState, "amount"),
    ],
)
def test_a_limit_that_cannot_be_is_refused_on_its_field(
    world: World, amount: object, days: int | None, refusal: type[Refused], field: str
) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    command = SetLimit(customer_id=customer.id, amount=money(1), days=days)
    with expect_refusal(world, refusal, field=field):
        world.do(set_limit, replace(command, amount=amount), by=MANAGER)  # type: ignore[arg-type]  # of the table
    with expect_refusal(world, NoAccess, says="right of a manager"):
        world.do(set_limit, command, by=CLERK)


@pytest.mark.rule(64, 68)
@pytest.mark.parametrize("mode", list(Mode))
def test_a_switch_converts_nothing(world: World, mode: Mode) -> None:
    assert {each.value for each in Mode} == {"prepaid", "postpaid"}
    customer = world.customer(mode=mode)
    limit(world, customer, 100)
    charge(world, customer, 30)
    world.invoice(customer, 50)
    world.pay(20, customer)
    before = standing(world, customer)
    other = next(each for each in Mode if each is not mode)
    made = switch(world, customer, other)
    assert standing(world, customer) == before
    assert (made.open_count, made.open_total.micros > 0) == (1, True)
    assert world.read_customer(customer).mode is other
    assert ask_sql(world, "SELECT mode FROM mode_history") == [(other.value,)]
    world.check()


@pytest.mark.rule(65)
def test_the_first_week_is_day_one_to_seven_by_utc(world: World) -> None:
    days = {day: is_first_week(datetime(2026, 12, day, 12, tzinfo=UTC)) for day in range(1, 32)}
    assert [day for day, first in days.items() if first] == [1, 2, 3, 4, 5, 6, 7]
    customer = world.customer()
    assert not switch(world, customer, Mode.PREPAID).is_timely
    world.now = datetime(2026, 12, 3, tzinfo=UTC)
    assert switch(world, customer, Mode.POSTPAID).is_timely


@pytest.mark.rule(66, 67)
def test_a_switch_says_what_is_missing_and_what_may_have_to_go(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    assert switch(world, customer, Mode.POSTPAID).lacks_limit
    limit(world, customer, 100)
    made = switch(world, customer, Mode.PREPAID)
    assert made.keeps_limit
    assert counts(world, customer) == money(100)
    assert not switch(world, customer, Mode.POSTPAID).lacks_limit


def test_a_temporary_limit_is_replaced_in_the_same_step(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limit(world, customer, 100, days=5)
    with expect_refusal(world, Refused, field="limit", says="needs a permanent one"):
        switch(world, customer, Mode.POSTPAID)
    made = switch(world, customer, Mode.POSTPAID, 70)
    assert (made.after.limit_ends_at, counts(world, customer)) == (None, money(70))
    with expect_refusal(world, WrongState, field="mode", says="postpaid already"):
        switch(world, customer, Mode.POSTPAID)
    world.check()


def test_a_closed_customer_has_no_terms(world: World) -> None:
    customer = world.customer()
    closed = ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.CLOSED, reason="Gone")
    world.do(change_customer_state, closed)
    with expect_refusal(world, CustomerClosed, field="customer"):
        limit(world, customer, 5)
    with expect_refusal(world, CustomerClosed, field="customer"):
        switch(world, customer, Mode.PREPAID)
