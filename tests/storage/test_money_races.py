"""Two things at once that cannot both be: one effect each, and every loser is answered with a sentence."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from bot.desk import SYSTEM
from bot.domain.allocation import Portion
from bot.domain.approvals import (
    Approve,
    Cancel,
    Expire,
    approve_request,
    cancel_request,
    expire_request,
)
from bot.domain.credit_note import ApplyNote, ApproveNote, DraftNote, ReasonCode
from bot.domain.credit_notes import apply_note, approve_note, draft_note
from bot.domain.credits import IssueCredit, Purpose, issue_credit
from bot.domain.customers import Customer, Mode
from bot.domain.errors import (
    MasterShort,
    MoreThanLeft,
    NotEnoughUsable,
    NothingToAllocate,
    NotUndoable,
    Refused,
    WrongState,
)
from bot.domain.invoices import LineInput
from bot.domain.limits import SetLimit, set_limit
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.month_end import CloseMonth, close_month, month_before
from bot.domain.open_items import Invoice
from bot.domain.operation import Operation, Request, Role
from bot.domain.payments import RecordPayment, record_payment
from bot.domain.people import Grant, Profile, grant
from bot.domain.terms_undo import undo_limit
from bot.domain.topups import TopUpCode, TopUpTried, TriggerTopUp, trigger_top_up
from bot.domain.undo import Undo
from bot.domain.usage import ChargeUsage, charge_usage
from bot.domain.withdrawals import Gateway, RequestWithdrawal, Withdrawal, request_withdrawal
from bot.domain.write_off import RequestWriteOff, WriteOff
from bot.domain.write_offs import request_write_off
from tests.domain.expect import ask_sql
from tests.domain.top_up_stages import set_rule
from tests.domain.usage_steps import charge, limited, used
from tests.storage.test_races import at_once, done
from tests.world import CLERK, MANAGER, OWNER, TEAM, World, money

ROUNDS = 50
OTHER = "U0OTHER"


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=8) as executor:
        yield executor


@pytest.fixture
def manned(world: World) -> World:
    """A second manager, and a prepaid customer with money for all rounds."""
    profile = Profile(team=TEAM, user=OTHER, name=OTHER)
    world.do(grant, Grant(profile=profile, role=Role.MANAGER), by=OWNER)
    return world


def by(world: World, operation: Operation[Any, Any], command: Any, who: str = CLERK) -> Callable[[], Any]:
    return partial(world.do, operation, command, by=who)


def asked(world: World, customer: Customer, amount: int = 40) -> Withdrawal:
    command = RequestWithdrawal(customer_id=customer.id, amount=money(amount), gateway=Gateway.CASH, reason="Ended")
    return world.do(request_withdrawal, command).withdrawal


def one_won(results: Sequence[Any], *answers: type[Refused]) -> None:
    """One effect; every loser was told why."""
    assert len(done(results)) == 1, results
    losers = [each for each in results if isinstance(each, Refused)]
    assert len(losers) == len(results) - 1
    assert {type(each) for each in losers} <= set(answers), losers
    assert all(each.sentence for each in losers)


def prepaid(world: World, amount: int) -> Customer:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(amount, customer)
    return customer


def test_two_approvers_at_once_execute_once(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = prepaid(manned, 40 * ROUNDS)
    for _ in range(ROUNDS):
        approval = Approve(approval_id=asked(manned, customer).approval_id, version=1)
        votes = [by(manned, approve_request, approval, who) for who in (MANAGER, OTHER)]
        one_won(at_once(pool, votes), WrongState)
    assert manned.read_customer(customer).controls.payouts_due == money(40 * ROUNDS).micros
    manned.check()


def test_approving_cancelling_and_expiring_at_once_end_one_way(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = prepaid(manned, 40 * ROUNDS)
    start = manned.now
    for _ in range(ROUNDS):
        manned.now = start
        made = asked(manned, customer)
        late = replace(manned.request(SYSTEM), now=start + timedelta(hours=72))
        ways: list[Callable[[], Any]] = [
            by(manned, approve_request, Approve(approval_id=made.approval_id, version=1), MANAGER),
            by(manned, cancel_request, Cancel(approval_id=made.approval_id)),
            partial(expired, manned, made, late),
        ]
        one_won(at_once(pool, ways), WrongState)
    now = manned.read_customer(customer).controls
    assert now.reserved == 0
    assert now.deposits + now.payouts_due == money(40 * ROUNDS).micros
    manned.check()


def expired(world: World, made: Withdrawal, late: Request) -> object:
    return world.desk.carry_out(expire_request, Expire(approval_id=made.approval_id), late)


@pytest.mark.rule(44)
def test_eight_withdrawals_never_take_more_than_the_balance(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer(mode=Mode.PREPAID)
    for _ in range(ROUNDS):
        manned.pay(40, customer)
        command = RequestWithdrawal(customer_id=customer.id, amount=money(40), gateway=Gateway.CASH, reason="x")
        one_won(at_once(pool, [by(manned, request_withdrawal, command)] * 8), MoreThanLeft)
    assert manned.read_customer(customer).controls.reserved == money(40 * ROUNDS).micros
    manned.check()


@pytest.mark.rule(44, 107)
def test_a_charge_and_a_withdrawal_of_the_same_money_do_not_both_succeed(
    manned: World, pool: ThreadPoolExecutor
) -> None:
    customer = manned.customer(mode=Mode.PREPAID)
    for _ in range(ROUNDS):
        manned.pay(40, customer)
        ask = RequestWithdrawal(customer_id=customer.id, amount=money(40), gateway=Gateway.CASH, reason="x")
        use = ChargeUsage(customer_id=customer.id, lines=(used(40, manned.today),))
        ways = [by(manned, request_withdrawal, ask), by(manned, charge_usage, use)]
        one_won(at_once(pool, ways), MoreThanLeft, NotEnoughUsable)
    now = manned.read_customer(customer)
    assert now.usable(manned.now) == money(0)
    manned.check()


@pytest.mark.rule(64)
def test_two_switches_of_mode_at_once_are_one(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer(mode=Mode.PREPAID)
    for number in range(ROUNDS):
        other = (Mode.POSTPAID, Mode.PREPAID)[number % 2]
        command = SwitchMode(customer_id=customer.id, mode=other)
        ways = [by(manned, switch_mode, command, who) for who in (MANAGER, OTHER)]
        one_won(at_once(pool, ways), WrongState)
    manned.check()


@pytest.mark.rule(56)
def test_two_who_approve_a_limit_at_once_carry_it_out_once(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer(mode=Mode.PREPAID)
    for number in range(ROUNDS):
        asking = SetLimit(customer_id=customer.id, amount=money(5000 + number), reason="x")
        manned.do(set_limit, asking, by=MANAGER)
        (approval,) = manned.store.read(lambda books: books.waiting_approvals())
        vote = Approve(approval_id=approval.id, version=1)
        one_won(at_once(pool, [by(manned, approve_request, vote, who) for who in (OTHER, OWNER)]), WrongState)
    assert len(ask_sql(manned, "SELECT id FROM credit_limit")) == ROUNDS
    manned.check()


@pytest.mark.rule(56, 107)
def test_a_limit_is_undone_or_bought_on_and_never_both(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer(mode=Mode.PREPAID)
    for number in range(ROUNDS):
        command = SetLimit(customer_id=customer.id, amount=money(40 + number))
        made = manned.do(set_limit, command, by=MANAGER)
        use = ChargeUsage(customer_id=customer.id, lines=(used(40, manned.today),))
        ways = [
            by(manned, undo_limit, Undo(operation_id=made.operation_id), MANAGER),
            by(manned, charge_usage, use),
        ]
        one_won(at_once(pool, ways), NotUndoable, NotEnoughUsable)
        if manned.read_customer(customer).limit_micros:
            manned.pay(40, customer)
            manned.do(set_limit, SetLimit(customer_id=customer.id, amount=money(0)), by=MANAGER)
    manned.check()


@pytest.mark.rule(48)
def test_two_that_issue_to_two_customers_never_hand_out_more_than_there_is(
    manned: World, pool: ThreadPoolExecutor
) -> None:
    customers = [manned.customer(code) for code in ("ONE", "TWO")]
    for _ in range(ROUNDS):
        manned.do(top_up_master, TopUpMaster(amount=money(10), paid_on=manned.today), by=MANAGER)
        ways = [by(manned, issue_credit, issuing(customer), MANAGER) for customer in customers]
        one_won(at_once(pool, ways), MasterShort)
    assert manned.store.read(lambda books: books.masters())[0].usable == money(0)
    manned.check()


def asked_to_give_up(world: World, customer: Customer) -> tuple[Invoice, WriteOff]:
    invoice = world.invoice(customer, 10, auto=False)
    command = RequestWriteOff(invoice_id=invoice.id, reason="Gone")
    return invoice, world.do(request_write_off, command).write_off


def approval_of(world: World, made: WriteOff) -> Approve:
    approval = world.store.read(lambda books: books.write_off_file(made.id)).approval
    assert approval is not None
    return Approve(approval_id=approval.id, version=1)


def test_two_approvals_of_a_write_off_at_once_give_it_up_once(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer()
    for _ in range(ROUNDS):
        approval = approval_of(manned, asked_to_give_up(manned, customer)[1])
        one_won(at_once(pool, [by(manned, approve_request, approval, who) for who in (MANAGER, OTHER)]), WrongState)
    assert manned.read_customer(customer).controls.receivable == 0
    manned.check()


def test_a_payment_and_a_write_off_of_one_debt_at_once_are_one(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer()
    for _ in range(ROUNDS):
        invoice, made = asked_to_give_up(manned, customer)
        portions = (Portion(invoice_id=invoice.id, amount=money(10)),)
        pay = RecordPayment(
            payer="x", amount=money(10), received_on=manned.today, customer_id=customer.id, portions=portions
        )
        ways = [by(manned, approve_request, approval_of(manned, made), MANAGER), by(manned, record_payment, pay)]
        one_won(at_once(pool, ways), MoreThanLeft, NothingToAllocate)
        assert manned.read_invoice(invoice).status in {"paid", "written off"}
    assert manned.read_customer(customer).balance == money(0)
    manned.check()


def issuing(customer: Customer) -> IssueCredit:
    return IssueCredit(customer_id=customer.id, amount=money(10), purpose=Purpose.GOODWILL, remark="x")


@pytest.mark.rule(38)
def test_two_applications_of_one_note_are_one(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = manned.customer()
    invoice = manned.invoice(customer, 10 * ROUNDS + 1, auto=False)
    line = LineInput(description="x", unit_price=money(10))
    draft = DraftNote(
        customer_id=customer.id, issue_on=manned.today, code=ReasonCode.DISCOUNT, reason="", lines=(line,)
    )
    for _ in range(ROUNDS):
        note = manned.do(draft_note, draft).note
        manned.do(approve_note, ApproveNote(note_id=note.id), by=MANAGER)
        command = ApplyNote(note_id=note.id, portions=((invoice.id, money(10)),))
        one_won(at_once(pool, [by(manned, apply_note, command)] * 2), MoreThanLeft)
    assert manned.read_invoice(invoice).open == money(1)
    manned.check()


@pytest.mark.rule(74)
def test_three_top_ups_at_once_are_one_and_the_others_are_told_why(manned: World, pool: ThreadPoolExecutor) -> None:
    customer = prepaid(manned, 10)
    set_rule(manned, customer, 1, 10_000)
    for number in range(ROUNDS):
        manned.now += timedelta(days=1)
        results = at_once(pool, [by(manned, trigger_top_up, TriggerTopUp(customer_id=customer.id), SYSTEM)] * 3)
        tried = [each.attempt.code for each in results if isinstance(each, TopUpTried)]
        assert sorted(tried) == [TopUpCode.DONE, TopUpCode.DONE_TODAY], results
        (refused,) = [each for each in results if isinstance(each, Refused)]
        assert "topped up today" in refused.sentence
        assert manned.read_customer(customer).balance == money(12 + number)
    manned.check()


@pytest.mark.rule(101)
def test_two_month_ends_at_once_invoice_a_customer_once(manned: World, pool: ThreadPoolExecutor) -> None:
    start = manned.now
    for number in range(ROUNDS):
        manned.now = start
        customer = limited(manned, 100, mode=(Mode.POSTPAID, Mode.PREPAID)[number % 2], code=f"C{number}")
        charge(manned, customer, 10)
        manned.now = start + timedelta(days=9)
        command = CloseMonth(customer_id=customer.id, month=month_before(manned.today))
        clock = partial(manned.do, close_month, command, by=SYSTEM, key=f"month-end:{number}")
        ways: list[Callable[[], Any]] = [clock, clock, by(manned, close_month, command, SYSTEM)]
        results = at_once(pool, ways)
        assert len({each.made[0].invoice.number for each in done(results)}) == 1
        assert {type(each) for each in results if isinstance(each, Refused)} <= {WrongState}, results
    assert ask_sql(manned, "SELECT COUNT(*), COUNT(DISTINCT customer_id) FROM invoice") == [(ROUNDS, ROUNDS)]
    manned.check()
