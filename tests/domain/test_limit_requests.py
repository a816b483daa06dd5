"""Limits and modes that others approve first: asked for, decided by others, carried out once, or left as they were."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.approvals import (
    Approval,
    Approve,
    Cancel,
    Expire,
    Reject,
    approve_request,
    cancel_request,
    expire_request,
    reject_request,
)
from bot.domain.customers import Customer, Mode
from bot.domain.errors import EvidenceChanged, MissingText, NoAccess, OwnRequest, WrongState
from bot.domain.limits import ExtendLimit, LimitChanged, SetLimit, allows_more, extend_limit, limit_at, set_limit
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.settings import ChangeSetting, Settings, change_setting
from tests.domain.expect import ask_sql, expect_refusal
from tests.world import CLERK, MANAGER, OWNER, START, World, money

SYSTEM = "system"


def ask(world: World, customer: Customer, amount: str | int, days: int | None = None) -> LimitChanged:
    command = SetLimit(customer_id=customer.id, amount=money(amount), days=days, reason="More orders")
    return world.do(set_limit, command, by=MANAGER)


def waits(world: World) -> Approval:
    return world.store.read(lambda books: books.waiting_approvals())[0]


def approve(world: World, by: str = OWNER) -> None:
    world.do(approve_request, Approve(approval_id=waits(world).id, version=1), by=by)


def in_force(world: World, customer: Customer) -> str:
    return str(limit_at(world.read_customer(customer), world.now))


def policy(world: World, rows: str) -> None:
    world.do(change_setting, ChangeSetting(name="approval_policy", value=rows), by=OWNER)


@pytest.mark.rule(56, 61)
def test_a_large_limit_waits_for_another_manager_and_begins_with_the_approval(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    ask(world, customer, "4999.99")
    assert in_force(world, customer) == "SGD 4,999.99"
    asked = ask(world, customer, 5000, days=2)
    assert (asked.step, asked.needed) == ("requested", 1)
    assert in_force(world, customer) == "SGD 4,999.99"
    with expect_refusal(world, OwnRequest):
        approve(world, by=MANAGER)
    world.now += timedelta(days=1)
    approve(world)
    after = world.read_customer(customer)
    assert (in_force(world, customer), after.limit_ends_at) == (
        "SGD 5,000.00",
        (START + timedelta(days=4)).replace(hour=0),
    )
    rows = ask_sql(world, "SELECT amount_micros, days FROM credit_limit ORDER BY id")
    assert [tuple(row) for row in rows] == [(4_999_990_000, None), (5_000_000_000, 2)]
    assert ask_sql(world, "SELECT state FROM terms_request") == [("approved",)]
    world.check()


@pytest.mark.rule(62)
def test_a_decrease_never_waits_and_voids_what_was_asked(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    ask(world, customer, 9000)
    approve(world)
    ask(world, customer, 20_000)
    ask(world, customer, 100)
    assert in_force(world, customer) == "SGD 100.00"
    with expect_refusal(world, EvidenceChanged, says="cancel it and ask again"):
        approve(world)
    world.do(cancel_request, Cancel(approval_id=waits(world).id), by=MANAGER)
    assert in_force(world, customer) == "SGD 100.00"
    world.check()


@pytest.mark.parametrize("end", ["rejected", "cancelled", "expired"])
def test_what_is_not_approved_leaves_the_limit_as_it_was(world: World, end: str) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    ask(world, customer, 200, days=9)
    before = world.read_customer(customer)
    ask(world, customer, 8000)
    approval = waits(world)
    if end == "rejected":
        world.do(reject_request, Reject(approval_id=approval.id, version=1, reason="Pays late"), by=OWNER)
    elif end == "cancelled":
        world.do(cancel_request, Cancel(approval_id=approval.id), by=MANAGER)
    else:
        world.now = approval.expires_at
        world.do(expire_request, Expire(approval_id=approval.id), by=SYSTEM)
    assert world.read_customer(customer) == before
    assert ask_sql(world, "SELECT state FROM terms_request") == [(end,)]
    world.check()


def test_a_request_says_why_and_longer_is_more(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    ask(world, customer, 6000, days=5)
    approve(world)
    with expect_refusal(world, MissingText, field="reason"):
        world.do(extend_limit, ExtendLimit(customer_id=customer.id, days=7), by=MANAGER)
    longer = ExtendLimit(customer_id=customer.id, days=7, reason="Season")
    assert world.do(extend_limit, longer, by=MANAGER).request is not None
    ends_at = world.read_customer(customer).limit_ends_at
    approve(world)
    assert ends_at is not None
    assert world.read_customer(customer).limit_ends_at == ends_at + timedelta(days=7)
    world.check()


@pytest.mark.rule(64)
def test_a_switch_waits_where_policy_says_so_and_brings_no_limit_around_it(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    large = SwitchMode(customer_id=customer.id, mode=Mode.POSTPAID, limit=money(7000), reason="Grown")
    made = world.do(switch_mode, large, by=MANAGER)
    assert (made.needed, world.read_customer(customer).mode) == (1, Mode.PREPAID)
    assert waits(world).operation == "limit_increase"
    world.do(cancel_request, Cancel(approval_id=waits(world).id), by=MANAGER)
    policy(world, "mode_switch two; limit_increase none")
    plain = SwitchMode(customer_id=customer.id, mode=Mode.POSTPAID, reason="Grown")
    assert world.do(switch_mode, plain, by=MANAGER).needed == 2
    assert waits(world).amount == money(0)
    approve(world)
    assert world.read_customer(customer).mode is Mode.PREPAID
    assert (
        world.store.read(lambda books: books.approval(waits(world).id)).able == 1
    )  # the administrator: the owner was counted and the manager asked
    approve(world, by="U0ADMIN")
    assert world.read_customer(customer).mode is Mode.POSTPAID
    world.check()


def test_what_became_impossible_meanwhile_is_not_carried_out(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    ask(world, customer, 6000, days=5)
    approval = waits(world)
    world.do(switch_mode, SwitchMode(customer_id=customer.id, mode=Mode.POSTPAID), by=MANAGER)
    with expect_refusal(world, EvidenceChanged):
        approve(world)
    policy(world, "limit_increase two")
    with expect_refusal(world, EvidenceChanged):
        approve(world)
    world.do(reject_request, Reject(approval_id=approval.id, version=1, reason="Changed"), by=OWNER)
    with expect_refusal(world, WrongState, says="decided already"):
        world.do(approve_request, Approve(approval_id=approval.id, version=1), by=OWNER)
    world.check()


LIMITS = some.tuples(some.integers(0, 3), some.none() | some.integers(-1, 3))


@given(before=LIMITS, after=LIMITS)
def test_more_is_allowed_exactly_if_some_moment_allows_more(
    before: tuple[int, int | None], after: tuple[int, int | None]
) -> None:
    was, now = customer_with(*before), customer_with(*after)
    moments = [START + timedelta(days=day, hours=1) for day in range(6)]
    grows = any(limit_at(now, at) > limit_at(was, at) for at in moments)
    assert allows_more(was, now, moments[0]) == grows


def customer_with(amount: int, days: int | None) -> Customer:
    ends_at = None if days is None else START + timedelta(days=days)
    return Customer(
        id=1,
        code="A",
        name="A",
        uuid="u",
        wallet_id="w",
        currency=money(1).currency,
        mode=Mode.PREPAID,
        limit_micros=money(amount).micros,
        limit_ends_at=ends_at,
    )


def test_the_default_policy_asks_for_large_limits_alone() -> None:
    rows = Settings().approval_policy
    assert "limit_increase one from 5000 SGD" in rows
    assert "mode_switch none" in rows


def test_a_clerk_asks_for_no_limit(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    with expect_refusal(world, NoAccess, says="right of a manager"):
        world.do(set_limit, SetLimit(customer_id=customer.id, amount=money(9000), reason="x"), by=CLERK)
