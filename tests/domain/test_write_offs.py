"""Write-offs: asked for, approved, reversed; what is given up is owed no more, and past days stay as they were."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from bot.domain.allocation import Portion
from bot.domain.approvals import (
    Approve,
    Cancel,
    Expire,
    Reject,
    approve_request,
    cancel_request,
    expire_request,
    reject_request,
)
from bot.domain.errors import (
    CurrencyMixed,
    EvidenceChanged,
    MissingText,
    MoreThanLeft,
    NoAccess,
    NothingToAllocate,
    NotPositive,
    OwnRequest,
    SettingRefused,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.locks import MoveLocks, move_locks
from bot.domain.open_items import InvoiceState
from bot.domain.payments import AllocatePayment, UnallocatePayment, allocate_payment, unallocate_payment
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.write_off import RequestWriteOff, UndoWriteOff, WriteOff, WriteOffState
from bot.domain.write_offs import request_write_off, undo_write_off
from tests.domain.dispute_stages import approve, given_up
from tests.domain.expect import ask_sql, expect_refusal, report, run_sql
from tests.test_ageing_oracle import compare_identity
from tests.world import ADMIN, CLERK, MANAGER, OWNER, VIEWER, World, money


def ties_at_every_day(world: World, first: int = -70) -> None:
    """Buckets are the receivable account at every past day. Section 8."""
    for each in range(first, 2):
        day = world.day(each)
        world.store.read(lambda books, day=day: compare_identity(books, day))  # type: ignore[misc]  # bound now
    world.check()


def read(world: World, write_off_id: int) -> WriteOff:
    found = world.store.read(lambda books: books.write_off(str(write_off_id)))
    assert found is not None
    return found


def posted(world: World) -> int:
    statement = "SELECT COALESCE(SUM(amount_micros), 0) FROM posting WHERE account = 'write_off'"
    return int(ask_sql(world, statement)[0][0])


def test_what_is_given_up_leaves_the_ageing_from_its_day_on_and_not_before(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100, issued=-60, due=-41, tax="9", auto=False)
    world.pay(9, customer, received=-10, to=((invoice, 9),))
    before = report(world).rows
    day = world.today
    world.now += timedelta(days=3)
    made = given_up(world, invoice)
    now = world.read_invoice(invoice)
    assert (made.number, made.amount, made.made_on) == ("WO-0001", money(100), world.today)
    assert (now.state, now.status, now.open) == (InvoiceState.WRITTEN_OFF, "written off", money(0))
    assert report(world).rows == ()
    assert report(world, as_of=day).rows == before
    assert posted(world) == money(100).micros
    assert world.read_customer(customer).amount_due == money(0)
    ties_at_every_day(world)


def test_money_that_comes_in_later_stays_credit_until_the_write_off_is_reversed(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100, issued=-5)
    made = given_up(world, invoice)
    world.now += timedelta(days=2)
    paid = world.pay(100, customer).payment
    assert world.read_customer(customer).balance == money(100)
    share = (Portion(invoice_id=invoice.id, amount=money(100)),)
    with expect_refusal(world, NothingToAllocate, field="invoices", says="is written off; it takes no payment"):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=share))
    outcome = world.do(undo_write_off, UndoWriteOff(write_off_id=made.id, reason="They paid"), by=MANAGER)
    assert [each.lot_number for each in outcome.made] == [paid.number]
    assert (outcome.write_off.state, outcome.write_off.undone_on) == (WriteOffState.UNDONE, made.made_on)
    assert world.read_invoice(invoice).status == "paid"
    assert posted(world) == 0
    with expect_refusal(world, WrongState, says="is undone; only what is written off"):
        world.do(undo_write_off, UndoWriteOff(write_off_id=made.id, reason="Again"), by=MANAGER)
    ties_at_every_day(world)


def test_a_reversal_of_a_locked_day_counts_from_today(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 50, issued=-5, auto=False)
    made = given_up(world, invoice)
    day = world.today
    world.now += timedelta(days=40)
    world.do(move_locks, MoveLocks(soft=None, hard=world.day(-10)), by=ADMIN)
    undone = world.do(undo_write_off, UndoWriteOff(write_off_id=made.id, reason="Wrong one"), by=MANAGER).write_off
    assert undone.undone_on == world.today
    assert report(world, as_of=day).rows == ()
    assert report(world).rows[0].total_micros == money(50).micros
    ties_at_every_day(world)


def test_a_small_difference_is_given_up_and_the_rest_stays_owed(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100, auto=False)
    world.pay(60, customer, to=((invoice, 60),))
    given_up(world, invoice, "0.50")
    now = world.read_invoice(invoice)
    assert (now.status, now.open) == ("partially paid", money("39.50"))
    paid = world.pay("39.50", customer, to=((invoice, None),)).payment
    assert world.read_invoice(invoice).status == "paid"
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    rest = given_up(world, invoice)
    assert (rest.number, world.read_invoice(invoice).status) == ("WO-0002", "written off")
    first = world.store.read(lambda books: books.payment("PAY-0001"))
    assert first is not None
    with expect_refusal(world, WrongState, field="invoices", says="reverse that write-off first"):
        world.do(unallocate_payment, UnallocatePayment(payment_id=first.id))
    ties_at_every_day(world)


def test_others_decide_once_and_what_is_open_is_asked_again_at_that_moment(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100, auto=False)
    made = world.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="Gone"), by=MANAGER).write_off
    assert (made.number, made.status) == (None, "requested")
    with expect_refusal(world, OwnRequest):
        approve(world, made, by=MANAGER)
    with expect_refusal(world, WrongState, field="invoice", says="waits for approval for INV-0001 already"):
        world.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="Gone"))
    paid = world.pay(70, customer, to=((invoice, 70),)).payment
    with expect_refusal(world, MoreThanLeft, says="at most SGD 30.00 is possible now. It stays open"):
        approve(world, made, by=ADMIN)
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    approve(world, made, by=ADMIN)
    with expect_refusal(world, WrongState, says="decided already: approved"):
        approve(world, made, by=OWNER)
    assert ask_sql(world, "SELECT COUNT(*) FROM written_off") == [(1,)]
    ties_at_every_day(world)


def test_what_nobody_approves_is_closed_without_a_number_and_may_be_asked_again(world: World) -> None:
    invoice = world.invoice(world.customer(), 100)
    states: list[tuple[str | None, str]] = []
    for ended in ("rejected", "cancelled", "expired"):
        made = world.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="Gone")).write_off
        waiting = world.store.read(lambda books: books.waiting_approvals())[0].id
        if ended == "rejected":
            world.do(reject_request, Reject(approval_id=waiting, version=1, reason="No"), by=ADMIN)
        elif ended == "cancelled":
            world.do(cancel_request, Cancel(approval_id=waiting))
        else:
            world.now += timedelta(hours=72)
            world.do(expire_request, Expire(approval_id=waiting), by="system")
        found = read(world, made.id)
        states.append((found.number, found.state.value))
    assert states == [(None, "rejected"), (None, "cancelled"), (None, "expired")]
    assert world.read_invoice(invoice).open == money(100)
    assert given_up(world, invoice).number == "WO-0001"
    world.check()


def test_what_was_shown_is_what_is_approved(world: World) -> None:
    invoice = world.invoice(world.customer(), 100)
    made = world.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="Gone")).write_off
    policy = ChangeSetting(name="approval_policy", value="write_off two")
    world.do(change_setting, policy, by=OWNER)
    with expect_refusal(world, EvidenceChanged):
        approve(world, made)
    with expect_refusal(world, SettingRefused, field="value", says="always needs somebody else"):
        world.do(change_setting, ChangeSetting(name="approval_policy", value="write_off none"), by=OWNER)


def test_what_cannot_be_given_up_is_refused(world: World) -> None:
    customer = world.customer()
    invoice, draft = world.invoice(customer, 30, auto=False), world.invoice(customer, 20, send=False)
    gone = given_up(world, world.invoice(customer, 10, auto=False))
    for changed, refusal, field in (
        ({"invoice_id": draft.id}, WrongState, "invoice"),
        ({"invoice_id": gone.invoice_id}, WrongState, "invoice"),
        ({"amount": money(31)}, MoreThanLeft, "amount"),
        ({"amount": money(0)}, NotPositive, "amount"),
        ({"amount": money(5, "JPY")}, CurrencyMixed, "amount"),
        ({"amount": money("0.001")}, TooPreciseForCurrency, "amount"),
        ({"reason": " "}, MissingText, "reason"),
    ):
        command = RequestWriteOff(**{"invoice_id": invoice.id, "reason": "Gone", **changed})  # type: ignore[arg-type]
        with expect_refusal(world, refusal, field=field):
            world.do(request_write_off, command)
    with expect_refusal(world, NoAccess):
        world.do(request_write_off, RequestWriteOff(invoice_id=invoice.id, reason="Gone"), by=VIEWER)
    with expect_refusal(world, NoAccess):
        world.do(undo_write_off, UndoWriteOff(write_off_id=gone.id, reason="Wrong"), by=CLERK)
    with expect_refusal(world, WrongState):
        world.do(approve_request, Approve(approval_id=_approval_of(world, gone.id), version=1), by=ADMIN)


def _approval_of(world: World, write_off_id: int) -> int:
    approval = world.store.read(lambda books: books.write_off_file(write_off_id)).approval
    assert approval is not None
    return approval.id


def test_nothing_but_its_document_makes_an_invoice_written_off(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30, auto=False)
    paid = world.invoice(customer, 10, auto=False)
    world.pay(10, customer, to=((paid, None),))
    gone = world.invoice(customer, 5, auto=False)
    given_up(world, gone)
    for statement in (
        f"UPDATE invoice SET state = 'written_off' WHERE id = {invoice.id}",
        f"UPDATE invoice SET state = 'written_off' WHERE id = {paid.id}",
        f"UPDATE invoice SET state = 'sent' WHERE id = {gone.id}",
        f"UPDATE invoice SET state = 'void' WHERE id = {gone.id}",
        f"UPDATE invoice SET open_micros = 1 WHERE id = {gone.id}",
        "UPDATE written_off SET amount_micros = 1",
        "DELETE FROM written_off",
        "UPDATE write_off SET amount_micros = 1",
    ):
        with pytest.raises(IntegrityError):
            run_sql(world, statement)
    world.check()
