"""Delegation while away: who stands in decides approvals alone, as one person with whom they stand in for."""

from datetime import timedelta

import pytest

from bot.domain.approvals import Approval, Approve, approve_request
from bot.domain.customers import Customer
from bot.domain.delegations import Delegate, EndDelegation, delegate, end_delegation
from bot.domain.errors import ApprovedAlready, NoAccess, OwnRequest, Refused, WrongState
from bot.domain.operation import Role
from bot.domain.people import Grant, Leave, Profile, grant, leave
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from tests.domain.expect import ask_sql, expect_refusal
from tests.world import ADMIN, CLERK, MANAGER, OWNER, TEAM, VIEWER, World, money

OTHER = "U0OTHER"


@pytest.fixture
def manned(world: World) -> World:
    """A second clerk who asks, and a manager who is away until tomorrow: the first clerk stands in."""
    world.do(grant, Grant(profile=Profile(team=TEAM, user=OTHER, name=OTHER), role=Role.CLERK), by=OWNER)
    stand_in(world, MANAGER, CLERK, days=1)
    return world


def stand_in(world: World, principal: str, who: str, days: int) -> None:
    profile = Profile(team=TEAM, user=who, name=who)
    world.do(delegate, Delegate(profile=profile, last_day=world.day(days)), by=principal)


def asked(world: World, by: str = OTHER, amount: int = 40) -> Approval:
    customer = customer_of(world)
    world.pay(amount, customer)
    command = RequestWithdrawal(customer_id=customer.id, amount=money(amount), gateway=Gateway.CASH, reason="x")
    made = world.do(request_withdrawal, command, by=by)
    return world.store.read(lambda books: books.approval(made.withdrawal.approval_id))


def customer_of(world: World) -> Customer:
    found = world.store.read(lambda books: books.find_customers("ACME"))
    return found[0] if found else world.customer()


def approve(world: World, approval: Approval, by: str) -> Approval:
    return world.do(approve_request, Approve(approval_id=approval.id, version=1), by=by).approval


def test_a_clerk_who_stands_in_approves_and_it_is_said_for_whom(manned: World) -> None:
    approval = approve(manned, asked(manned), CLERK)
    assert (approval.approvers, approval.in_place_of(CLERK)) == ((CLERK,), MANAGER)
    assert ask_sql(manned, "SELECT person, in_place_of FROM approval_vote") == [(CLERK, MANAGER)]
    said = ask_sql(manned, "SELECT description FROM audit ORDER BY id DESC LIMIT 1")
    assert said == [(f"WDR-0001 approved for {MANAGER}, SGD 40.00",)]
    manned.check()


def test_both_together_are_one_of_two(manned: World) -> None:
    rows = ChangeSetting(name="approval_policy", value="withdrawal two")
    manned.do(change_setting, rows, by=OWNER)
    first, second = asked(manned), asked(manned)
    approve(manned, first, CLERK)
    approve(manned, second, MANAGER)
    with expect_refusal(manned, ApprovedAlready):
        approve(manned, first, MANAGER)
    with expect_refusal(manned, ApprovedAlready):
        approve(manned, second, CLERK)
    assert approve(manned, first, ADMIN).state == "approved"
    manned.check()


def test_nobody_decides_what_they_or_whom_they_stand_in_for_asked_for(manned: World) -> None:
    own, of_principal = asked(manned, by=CLERK), asked(manned, by=MANAGER)
    with expect_refusal(manned, OwnRequest, says="You asked for"):
        approve(manned, own, CLERK)
    with expect_refusal(manned, OwnRequest, says="You stand in for who asked"):
        approve(manned, of_principal, CLERK)
    manned.check()


def test_a_delegation_ends_with_its_day_by_word_and_with_the_right_behind_it(manned: World) -> None:
    approval = asked(manned)
    manned.now += timedelta(days=2)
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, CLERK)
    stand_in(manned, MANAGER, CLERK, days=1)
    manned.do(end_delegation, EndDelegation(), by=MANAGER)
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, CLERK)
    with expect_refusal(manned, WrongState, says="Nobody stands in"):
        manned.do(end_delegation, EndDelegation(), by=MANAGER)
    stand_in(manned, MANAGER, CLERK, days=1)
    manned.do(grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.CLERK), by=OWNER)
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, CLERK)
    manned.do(grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.MANAGER), by=OWNER)
    manned.do(leave, Leave(profile=Profile(team=TEAM, user=MANAGER, deleted=True)), by="system")
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, CLERK)
    manned.check()


def test_there_are_no_chains(manned: World) -> None:
    manned.do(grant, Grant(profile=Profile(team=TEAM, user=CLERK, name="C"), role=Role.MANAGER), by=OWNER)
    stand_in(manned, CLERK, viewer_as_clerk(manned), days=1)
    manned.do(grant, Grant(profile=Profile(team=TEAM, user=CLERK, name="C"), role=Role.CLERK), by=OWNER)
    approval = asked(manned)
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, VIEWER)
    assert approve(manned, approval, CLERK).in_place_of(CLERK) == MANAGER
    manned.check()


def viewer_as_clerk(world: World) -> str:
    world.do(grant, Grant(profile=Profile(team=TEAM, user=VIEWER, name="V"), role=Role.CLERK), by=OWNER)
    return VIEWER


def test_who_stands_in_is_another_person_with_a_right_and_only_the_last_one(manned: World) -> None:
    with expect_refusal(manned, Refused, field="person"):
        stand_in(manned, MANAGER, MANAGER, days=1)
    with expect_refusal(manned, NoAccess, field="person", says="at least the right of a clerk"):
        stand_in(manned, MANAGER, VIEWER, days=1)
    with expect_refusal(manned, Refused, field="until"):
        stand_in(manned, MANAGER, CLERK, days=-1)
    stand_in(manned, MANAGER, OTHER, days=1)
    approval = asked(manned, by=ADMIN)
    with expect_refusal(manned, NoAccess):
        approve(manned, approval, CLERK)
    assert approve(manned, approval, OTHER).in_place_of(OTHER) == MANAGER
    manned.check()


def test_it_is_known_when_nobody_else_can_approve(manned: World) -> None:
    for user in (ADMIN, MANAGER):
        manned.do(leave, Leave(profile=Profile(team=TEAM, user=user, deleted=True)), by="system")
    assert asked(manned, by=OWNER).is_stuck
    assert not asked(manned, by=OTHER).is_stuck
