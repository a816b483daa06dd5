"""Withdrawals through the desk, on both engines: reserved at once, approved by others, carried out once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from bot.domain.approvals import (
    Approval,
    Approve,
    Cancel,
    Expire,
    Reject,
    Remind,
    approve_request,
    cancel_request,
    expire_request,
    reject_request,
    remind_of_request,
)
from bot.domain.customers import Customer, Mode
from bot.domain.errors import (
    ApprovedAlready,
    CurrencyMixed,
    EvidenceChanged,
    MissingText,
    MoreThanLeft,
    NoAccess,
    NotPositive,
    NotUndoable,
    OwnRequest,
    PaymentHasAllocations,
    Refused,
    WrongState,
)
from bot.domain.money import Money
from bot.domain.operation import Role
from bot.domain.payments import UnassignPayment, unassign_payment
from bot.domain.people import Grant, Profile, grant
from bot.domain.receivables import AgeingQuestion
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from bot.domain.withdrawals import (
    Gateway,
    PayWithdrawal,
    RequestWithdrawal,
    Withdrawal,
    WithdrawalState,
    pay_withdrawal,
    request_withdrawal,
)
from bot.storage.reports import SqlReadBooks
from tests.world import ADMIN, CLERK, MANAGER, OWNER, TEAM, VIEWER, World, money

SECOND = "U0SECOND"
SYSTEM = "system"


def ask(world: World, customer: Customer, amount: str | int = 100, *, by: str = CLERK, **more: Any) -> Withdrawal:
    command = RequestWithdrawal(
        customer_id=customer.id,
        amount=money(amount, customer.currency.code),
        gateway=Gateway.BANK_TRANSFER,
        reason="Contract ended",
        details="Acme a/c ending 4321",
    )
    return world.do(request_withdrawal, replace(command, **more), by=by).withdrawal


def approve(world: World, made: Withdrawal, by: str = MANAGER, version: int = 1) -> Any:
    return world.do(approve_request, Approve(approval_id=made.approval_id, version=version), by=by)


def reject(world: World, made: Withdrawal, by: str = MANAGER, reason: str = "Wrong account") -> Any:
    return world.do(reject_request, Reject(approval_id=made.approval_id, version=1, reason=reason), by=by)


def state_of(world: World, made: Withdrawal) -> Withdrawal:
    return world.store.read(lambda books: books.withdrawal_file(made.id)).withdrawal


def approval_of(world: World, made: Withdrawal) -> Approval:
    return world.store.read(lambda books: books.approval(made.approval_id))


def figures(world: World, customer: Customer) -> tuple[int, int, int]:
    """Deposits, reserved and payouts due, in whole units."""
    held = world.read_customer(customer).controls
    return tuple(each // 10**6 for each in (held.deposits, held.reserved, held.payouts_due))  # type: ignore[return-value]


def paid_in(world: World, amount: int = 500, mode: Mode = Mode.PREPAID) -> Customer:
    customer = world.customer(mode=mode)
    world.pay(amount, customer)
    return customer


def two_needed(world: World) -> None:
    world.do(change_setting, ChangeSetting(name="approval_policy", value="withdrawal two"), by=OWNER)
    world.do(grant, Grant(profile=Profile(team=TEAM, user=SECOND, name="Second"), role=Role.MANAGER), by=OWNER)


@pytest.mark.rule(41)
@pytest.mark.parametrize("gateway", Gateway)
def test_a_withdrawal_keeps_its_fields_from_request_to_paid(world: World, gateway: Gateway) -> None:
    acme = paid_in(world)
    made = ask(world, acme, 120, gateway=gateway)
    assert (made.number, made.gateway, made.reason, made.details) == (
        "WDR-0001",
        gateway,
        "Contract ended",
        "Acme a/c ending 4321",
    )
    approve(world, made)
    world.do(pay_withdrawal, PayWithdrawal(withdrawal_id=made.id, reference="FT-7781"))
    paid = state_of(world, made)
    assert (paid.state, paid.reference, paid.paid_on) == (WithdrawalState.PAID, "FT-7781", world.today)
    cash = "SELECT SUM(amount_micros) FROM posting WHERE account = 'cash' AND detail = :gateway"
    out = world.store.read(lambda books: books.connection.execute(text(cash), {"gateway": gateway.value}).scalar())
    assert out == (380 if gateway is Gateway.BANK_TRANSFER else -120) * 10**6
    assert figures(world, acme) == (380, 0, 0)
    world.check()


@pytest.mark.rule(43)
def test_the_balance_falls_when_it_is_approved_and_cash_when_it_is_paid(world: World) -> None:
    acme = paid_in(world)
    made = ask(world, acme, 120)
    assert figures(world, acme) == (500, 120, 0)
    assert world.read_customer(acme).usable(world.now) == money(380)
    done = approve(world, made)
    assert (done.effect.before.balance, done.effect.after.balance) == (money(500), money(380))
    assert figures(world, acme) == (380, 0, 120)
    assert (
        world.store.read(
            lambda books: books.connection.execute(
                text("SELECT COUNT(*) FROM posting WHERE account = 'master'")
            ).scalar()
        )
        == 0
    )
    world.check()


@pytest.mark.rule(42)
@pytest.mark.parametrize("table", ["withdrawal", "withdrawn", "hold", "hold_lot", "approval", "approval_vote"])
def test_nothing_of_a_withdrawal_can_be_deleted(world: World, table: str) -> None:
    acme = paid_in(world)
    approve(world, ask(world, acme))
    with pytest.raises(DBAPIError):
        world.store.write(lambda connection: connection.execute(text(f"DELETE FROM {table}")))
    assert figures(world, acme) == (400, 0, 100)


@pytest.mark.rule(44)
def test_no_more_leaves_than_the_balance_less_what_is_reserved(world: World) -> None:
    acme = paid_in(world)
    ask(world, acme, 300)
    with pytest.raises(MoreThanLeft, match=r"at most SGD 200\.00"):
        ask(world, acme, "200.01")
    ask(world, acme, 200)
    assert figures(world, acme) == (500, 500, 0)
    world.check()


@pytest.mark.rule(44)
def test_debt_lowers_what_can_leave_and_a_limit_does_not_raise_it(world: World) -> None:
    acme = paid_in(world, mode=Mode.POSTPAID)
    world.invoice(acme, 120, auto=False)
    with pytest.raises(MoreThanLeft, match=r"at most SGD 380\.00"):
        ask(world, acme, 381)
    assert figures(world, acme) == (500, 0, 0)


@pytest.mark.rule(44)
@pytest.mark.parametrize("kind", ["goodwill", "correction", "negative_invoice"])
def test_credit_that_was_not_paid_in_never_leaves(world: World, kind: str) -> None:
    acme = paid_in(world)
    given = text(
        "INSERT INTO lot (id, customer_id, kind, number, currency, amount_micros, open_micros, held_micros, opened_on,"
        " rose_on) VALUES (1, :customer, :kind, 'ISS-1', 'SGD', 900000000, 900000000, 0, :day, :day)"
    )
    raised = text("UPDATE customer SET deposits_micros = deposits_micros + 900000000 WHERE id = :customer")
    values = {"customer": acme.id, "kind": kind, "day": world.today}
    world.store.write(lambda connection: connection.execute(given, values))
    world.store.write(lambda connection: connection.execute(raised, values))
    with pytest.raises(MoreThanLeft, match=r"at most SGD 500\.00"):
        ask(world, acme, 501)
    made = ask(world, acme, 500)
    lots = world.store.read(lambda books: books.withdrawal_file(made.id)).lots
    assert [number for number, _, _ in lots] == ["PAY-0001"]


def test_the_oldest_money_is_held_first(world: World) -> None:
    acme = world.customer(mode=Mode.PREPAID)
    world.pay(100, acme, received=-1)
    world.pay(100, acme, received=-9)
    made = ask(world, acme, 150)
    lots = world.store.read(lambda books: books.withdrawal_file(made.id)).lots
    assert [(number, amount) for number, _, amount in lots] == [("PAY-0002", money(100)), ("PAY-0001", money(50))]


def test_held_money_pays_no_invoice_and_released_money_does(world: World) -> None:
    acme = paid_in(world, 100, Mode.POSTPAID)
    made = ask(world, acme)
    invoice = world.invoice(acme, 60)
    assert world.read_invoice(invoice).open == money(60)
    done = reject(world, made)
    assert done.released
    assert world.read_invoice(invoice).open == money(0)
    assert figures(world, acme) == (40, 0, 0)
    world.check()


@pytest.mark.parametrize("end", ["reject", "cancel", "expire"])
def test_each_end_without_approval_releases_what_was_reserved(world: World, end: str) -> None:
    acme = paid_in(world)
    made = ask(world, acme)
    if end == "reject":
        reject(world, made)
    elif end == "cancel":
        world.do(cancel_request, Cancel(approval_id=made.approval_id))
    else:
        world.now += timedelta(hours=72)
        world.do(expire_request, Expire(approval_id=made.approval_id), by=SYSTEM)
    assert figures(world, acme) == (500, 0, 0)
    assert state_of(world, made).state.value == {"reject": "rejected", "cancel": "cancelled", "expire": "expired"}[end]
    for late in (approve, reject):
        with pytest.raises(WrongState, match="decided already"):
            late(world, made)
    with pytest.raises(WrongState, match="only an approved withdrawal is paid"):
        world.do(pay_withdrawal, PayWithdrawal(withdrawal_id=made.id, reference="FT-1"))
    world.check()


@pytest.mark.parametrize(
    ("changed", "refusal", "field"),
    [
        ({"amount": money(0)}, NotPositive, "amount"),
        ({"amount": money(-5)}, NotPositive, "amount"),
        ({"amount": money("0.001")}, Refused, "amount"),
        ({"amount": money(5, "USD")}, CurrencyMixed, "amount"),
        ({"amount": money(501)}, MoreThanLeft, "amount"),
        ({"reason": "  "}, MissingText, "reason"),
        ({"reason": "x" * 501}, Refused, "reason"),
        ({"details": ""}, MissingText, "details"),
    ],
)
def test_a_bad_request_is_refused_on_its_field(
    world: World, changed: dict[str, Any], refusal: type[Refused], field: str
) -> None:
    acme = paid_in(world)
    good = RequestWithdrawal(
        customer_id=acme.id, amount=money(100), gateway=Gateway.BANK_TRANSFER, reason="Contract ended", details="4321"
    )
    with pytest.raises(refusal) as raised:
        world.do(request_withdrawal, replace(good, **changed))
    assert raised.value.field == field
    assert figures(world, acme) == (500, 0, 0)


@pytest.mark.parametrize("by", [VIEWER, CLERK])
def test_only_a_manager_decides(world: World, by: str) -> None:
    made = ask(world, paid_in(world), by=MANAGER)
    for decide in (approve, reject):
        with pytest.raises(NoAccess, match=r"right of a (manager|clerk)"):
            decide(world, made, by=by)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


@pytest.mark.parametrize("by", [MANAGER, ADMIN, OWNER])
def test_nobody_decides_an_own_request_whatever_the_right(world: World, by: str) -> None:
    acme = paid_in(world)
    made = ask(world, acme, by=by)
    for decide in (approve, reject):
        with pytest.raises(OwnRequest):
            decide(world, made, by=by)
    assert figures(world, acme) == (500, 100, 0)


def test_a_requester_who_becomes_manager_still_cannot_approve(world: World) -> None:
    made = ask(world, paid_in(world))
    world.do(grant, Grant(profile=Profile(team=TEAM, user=CLERK, name="Clerk"), role=Role.MANAGER), by=OWNER)
    with pytest.raises(OwnRequest):
        approve(world, made, by=CLERK)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


def test_a_manager_whose_right_was_taken_meanwhile_cannot_approve(world: World) -> None:
    made = ask(world, paid_in(world))
    world.do(grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.CLERK), by=OWNER)
    with pytest.raises(NoAccess):
        approve(world, made)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


def test_two_distinct_people_approve_where_policy_says_two(world: World) -> None:
    two_needed(world)
    acme = paid_in(world)
    made = ask(world, acme)
    approve(world, made)
    assert figures(world, acme) == (500, 100, 0)
    with pytest.raises(ApprovedAlready):
        approve(world, made)
    approve(world, made, by=SECOND)
    assert figures(world, acme) == (400, 0, 100)
    world.check()


def test_large_amounts_need_two_by_default(world: World) -> None:
    acme = paid_in(world, 30_000)
    needed = [approval_of(world, made).needed for made in (ask(world, acme, "9999.99"), ask(world, acme, 10_000))]
    assert needed == [1, 2]


def test_a_policy_of_none_carries_out_at_once(world: World) -> None:
    world.do(change_setting, ChangeSetting(name="approval_policy", value="withdrawal none"), by=OWNER)
    acme = paid_in(world)
    made = ask(world, acme)
    assert state_of(world, made).state is WithdrawalState.APPROVED
    assert figures(world, acme) == (400, 0, 100)
    world.check()


def test_a_policy_that_changed_since_voids_the_approval(world: World) -> None:
    acme = paid_in(world)
    made = ask(world, acme)
    world.do(change_setting, ChangeSetting(name="approval_policy", value="withdrawal two"), by=OWNER)
    with pytest.raises(EvidenceChanged, match="cancel it and ask again"):
        approve(world, made)
    assert figures(world, acme) == (500, 100, 0)
    world.do(cancel_request, Cancel(approval_id=made.approval_id))
    world.check()


def test_only_the_owner_changes_the_policy(world: World) -> None:
    for name, value in (("approval_policy", "withdrawal none"), ("approval_hours", "1")):
        with pytest.raises(NoAccess, match="Only the owner"):
            world.do(change_setting, ChangeSetting(name=name, value=value), by=ADMIN)
    assert world.store.read(lambda books: books.settings()).approval_hours == 72


def test_an_old_version_of_the_evidence_is_refused(world: World) -> None:
    made = ask(world, paid_in(world))
    with pytest.raises(EvidenceChanged, match="newest card"):
        approve(world, made, version=2)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


def test_a_balance_that_fell_since_is_named_and_the_request_stays_open(world: World) -> None:
    acme = paid_in(world, mode=Mode.POSTPAID)
    made = ask(world, acme, 400)
    world.invoice(acme, 300, auto=False)
    with pytest.raises(MoreThanLeft, match=r"at most SGD 200\.00 is possible now\. It stays open"):
        approve(world, made)
    assert state_of(world, made).state is WithdrawalState.REQUESTED
    world.check()


def test_an_expired_request_is_not_approved_even_before_it_is_swept(world: World) -> None:
    made = ask(world, paid_in(world))
    world.now += timedelta(hours=72)
    with pytest.raises(WrongState, match="expired"):
        approve(world, made)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


def test_a_request_is_pointed_out_once_and_half_way(world: World) -> None:
    made = ask(world, paid_in(world))
    remind = Remind(approval_id=made.approval_id)
    with pytest.raises(WrongState, match="too early"):
        world.do(remind_of_request, remind, by=SYSTEM)
    world.now += timedelta(hours=36)
    world.do(remind_of_request, remind, by=SYSTEM)
    with pytest.raises(WrongState, match="already"):
        world.do(remind_of_request, remind, by=SYSTEM)
    with pytest.raises(WrongState, match="still be decided"):
        world.do(expire_request, Expire(approval_id=made.approval_id), by=SYSTEM)
    assert state_of(world, made).state is WithdrawalState.REQUESTED


def test_a_request_is_cancelled_by_its_maker_or_a_manager(world: World) -> None:
    acme = paid_in(world)
    made = ask(world, acme, by=MANAGER)
    with pytest.raises(NoAccess, match="somebody else"):
        world.do(cancel_request, Cancel(approval_id=made.approval_id), by=CLERK)
    world.do(cancel_request, Cancel(approval_id=made.approval_id), by=MANAGER)
    assert figures(world, acme) == (500, 0, 0)


def test_money_that_is_held_or_gone_is_not_taken_from_its_payment(world: World) -> None:
    acme = world.customer(mode=Mode.PREPAID)
    paid = world.pay(500, acme)
    made = ask(world, acme)
    for _ in range(2):
        with pytest.raises(NotUndoable, match="A withdrawal holds or took"):
            world.do(undo, Undo(operation_id=paid.operation_id))
        with pytest.raises(PaymentHasAllocations, match="A withdrawal holds or took"):
            world.do(unassign_payment, UnassignPayment(payment_id=paid.payment.id))
        if state_of(world, made).state is WithdrawalState.REQUESTED:
            approve(world, made)
    world.check()


def test_ageing_shows_the_credit_as_it_was_at_each_day(world: World) -> None:
    acme = paid_in(world)
    world.now += timedelta(days=2)
    approve(world, ask(world, acme, 120))
    for day, credit in ((-2, 500), (-1, 500), (0, 380)):
        question = AgeingQuestion(as_of=world.day(day))
        (row,) = world.store.read(partial(SqlReadBooks.ageing, question=question)).rows
        assert row.unapplied_micros == Money.parse(str(credit), acme.currency).micros
    world.check()


def test_the_database_refuses_to_carry_out_twice(world: World) -> None:
    acme = paid_in(world)
    made = ask(world, acme)
    approve(world, made)
    again = text(
        "INSERT INTO approval_execution (approval_id, operation_id) SELECT approval_id, operation_id"
        " FROM approval_execution"
    )
    taken = text(
        "INSERT INTO withdrawn SELECT id + 1, withdrawal_id, lot_id, customer_id, amount_micros, effective_on,"
        " credit_on, entry_id, operation_id FROM withdrawn"
    )
    for statement in (again, taken):
        with pytest.raises(DBAPIError):
            world.store.write(partial(Connection.execute, statement=statement))
    assert figures(world, acme) == (400, 0, 100)


def test_eight_who_approve_at_once_carry_out_once(world: World) -> None:
    acme = paid_in(world)
    managers = [f"U0M{number}" for number in range(8)]
    for each in managers:
        world.do(grant, Grant(profile=Profile(team=TEAM, user=each, name=each), role=Role.MANAGER), by=OWNER)
    for round_ in range(3):
        made = ask(world, acme)
        start = Barrier(8, timeout=30)

        def decide(by: str, made: Withdrawal = made, start: Barrier = start) -> bool:
            start.wait()
            try:
                approve(world, made, by=by)
            except WrongState:
                return False
            return True

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(decide, managers)) == 1
        assert figures(world, acme) == (400 - 100 * round_, 0, 100 + 100 * round_)
    world.check()


def test_the_same_click_twice_changes_nothing(world: World) -> None:
    acme = paid_in(world)
    made = ask(world, acme)
    command = Approve(approval_id=made.approval_id, version=1)
    first = world.do(approve_request, command, by=MANAGER, key="button:1")
    assert world.do(approve_request, command, by=MANAGER, key="button:1") == first
    assert figures(world, acme) == (400, 0, 100)
    world.check()


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        ("UPDATE lot SET held_micros = 0", "held credit equals open holds"),
        ("UPDATE withdrawal SET state = 'cancelled'", "a hold has its open request"),
        ("UPDATE hold SET state = 'released'", "reserved equals holds"),
        ("UPDATE approval SET state = 'cancelled'", "a withdrawal is as its approval"),
        ("UPDATE approval SET state = 'approved'", "executed once when approved"),
        ("UPDATE customer SET payouts_due_micros = 1", "payouts due are approved and not paid"),
    ],
)
def test_verify_names_what_does_not_fit(world: World, wrong: str, check: str) -> None:
    ask(world, paid_in(world))
    world.check()
    world.store.write(lambda connection: connection.execute(text(wrong)))
    assert check in {each.check for each in world.store.verify()}
