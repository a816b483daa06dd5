"""Payment settings and automatic top-ups, with books behind them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from bot.desk import SYSTEM
from bot.domain.credit_undo import undo_credit
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import (
    CurrencyMixed,
    MissingText,
    NoAccess,
    NotPositive,
    NotUndoable,
    Refused,
    TooPreciseForCurrency,
    TopUpRefused,
    WrongState,
)
from bot.domain.invoice_changes import VoidInvoice, void_invoice
from bot.domain.open_items import Invoice
from bot.domain.payment_settings import (
    PaymentSettings,
    SwitchAutoTrigger,
    TopUpMethod,
    set_payment_settings,
    switch_auto_trigger,
    undo_payment_settings,
)
from bot.domain.payments import Method, RecordPayment, UnallocatePayment, record_payment, unallocate_payment
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.topups import TopUpCode, TopUpTried, TriggerTopUp, trigger_top_up
from bot.domain.undo import Undo
from bot.jobs import topups
from bot.jobs.topups import watch_top_ups
from bot.storage.faults import Overtaken
from tests.domain.expect import ask_sql, expect_refusal
from tests.domain.test_terms import switch
from tests.domain.top_up_stages import fell, mastered, rule, ruled, set_rule
from tests.domain.usage_steps import charge, refund
from tests.world import ADMIN, CLERK, MANAGER, World, money

MASTER, CHEQUE, STRIPE = TopUpMethod.MASTER, TopUpMethod.CHEQUE, TopUpMethod.STRIPE


def trigger(world: World, customer: Customer, key: str | None = None) -> TopUpTried:
    return world.do(trigger_top_up, TriggerTopUp(customer_id=customer.id), by=SYSTEM, key=key)


def settings(world: World, customer: Customer) -> PaymentSettings | None:
    found = world.store.read(lambda books: books.payment_settings(customer))
    return replace(found, id=0) if found is not None else None


def attempts(world: World) -> list[tuple[object, ...]]:
    return ask_sql(world, "SELECT code, amount_micros FROM top_up_attempt ORDER BY id")


def balance(world: World, customer: Customer) -> object:
    return world.read_customer(customer).balance


@pytest.mark.rule(73, 76)
def test_a_charge_that_reaches_the_threshold_issues_the_amount_at_once(world: World) -> None:
    mastered(world)
    customer = ruled(world, 50, 20)
    charge(world, customer, "79.999999")
    assert attempts(world) == []
    charge(world, customer, "0.000001")
    assert attempts(world) == [("done", money(50).micros)]
    assert balance(world, customer) == money(70)
    (made,) = ask_sql(world, "SELECT kind, purpose, recorded_by, remark FROM credit")
    assert made[:3] == ("issue", "goodwill", "system")
    assert made[3] == "Automatic top-up: the balance was SGD 20.00, the threshold is SGD 20.00"
    (audited,) = ask_sql(world, "SELECT actor, document FROM audit WHERE event = 'Trigger top up'")
    assert audited == (SYSTEM, "CRD-0001")
    world.check()


@pytest.mark.rule(72, 74)
def test_by_cheque_an_invoice_is_sent_and_the_wallet_rises_once_it_is_paid(world: World) -> None:
    customer = ruled(world, 50, 20, by=CHEQUE)
    charge(world, customer, 85)
    assert attempts(world) == [("done", money(50).micros)]
    assert balance(world, customer) == money(15)
    sent = waiting(world)
    assert (sent.status, sent.total, sent.kind, sent.automatic) == ("awaiting payment", money(50), "top_up", True)
    world.now += timedelta(days=1)
    charge(world, customer, 1)
    charge(world, customer, 1)
    assert [code for code, _ in attempts(world)] == ["done", "attempt_open"]
    assert watch_top_ups(world.desk, world.now) == 0
    world.pay(50, customer, to=((sent, None),))
    assert balance(world, customer) == money(63)
    charge(world, customer, 50)
    assert [code for code, _ in attempts(world)] == ["done", "attempt_open", "done"]
    assert waiting(world).id != sent.id
    world.check()


def waiting(world: World) -> Invoice:
    """The automatic top-up invoice that waits to be paid."""
    ((invoice_id,),) = ask_sql(world, "SELECT id FROM invoice WHERE kind = 'top_up' AND open_micros > 0")
    found = world.store.read(lambda books: books.invoice(str(invoice_id)))
    assert found is not None
    return found


@pytest.mark.rule(74, 94)
def test_a_void_invoice_waits_no_longer_and_a_paid_one_is_not_opened_beside_another(world: World) -> None:
    customer = ruled(world, 50, 20, by=CHEQUE)
    charge(world, customer, 85)
    first = waiting(world)
    paid = world.pay(50, customer, to=((first, None),))
    world.now += timedelta(days=1)
    set_rule(world, customer, 50, 90, by=CHEQUE)
    second = waiting(world)
    with expect_refusal(world, WrongState, field="invoices", says=f"void {second.label} first"):
        world.do(unallocate_payment, UnallocatePayment(payment_id=paid.payment.id))
    world.do(void_invoice, VoidInvoice(invoice_id=second.id, reason="Twice"))
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.payment.id))
    assert waiting(world).id == first.id
    world.now += timedelta(days=1)
    assert trigger(world, customer).attempt.code is TopUpCode.ATTEMPT_OPEN
    world.check()


@pytest.mark.rule(74)
def test_it_happens_once_a_utc_day_and_the_second_fall_is_told_once(world: World) -> None:
    mastered(world)
    customer = ruled(world, 50, 20)
    world.now = datetime(2026, 11, 23, 23, 50, tzinfo=UTC)
    charge(world, customer, 80)
    charge(world, customer, 60)
    charge(world, customer, 1)
    assert [code for code, _ in attempts(world)] == ["done", "done_today"]
    assert balance(world, customer) == money(9)
    with expect_refusal(world, TopUpRefused, says="topped up today by UTC"):
        trigger(world, customer)
    world.now = datetime(2026, 11, 24, tzinfo=UTC)
    assert watch_top_ups(world.desk, world.now) == 1
    assert balance(world, customer) == money(59)
    world.check()


@pytest.mark.rule(77)
def test_a_short_partner_issues_nothing_and_finance_is_told_once_a_day(world: World) -> None:
    mastered(world, 60)
    customer = fell(world)
    tried = trigger(world, customer)
    assert tried.attempt.code is TopUpCode.MASTER_SHORT
    assert "can cover SGD 45.00 and not the SGD 50.00" in tried.sentence
    assert ask_sql(world, "SELECT COUNT(*) FROM credit") == [(0,)]
    assert balance(world, customer) == money(15)
    told = ask_sql(world, "SELECT document_kind, document_id FROM outbox WHERE document_kind = 'top_up'")
    assert told == [("top_up", tried.attempt.id)]
    with expect_refusal(world, TopUpRefused, says="nothing was issued"):
        trigger(world, customer)
    mastered(world, 5)
    assert trigger(world, customer).attempt.code is TopUpCode.DONE
    assert balance(world, customer) == money(65)
    world.check()


@pytest.mark.rule(75)
def test_switched_off_nothing_happens(world: World) -> None:
    mastered(world)
    customer = ruled(world)
    world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=False))
    charge(world, customer, 95)
    assert watch_top_ups(world.desk, world.now) == 0
    with expect_refusal(world, TopUpRefused, says="is off"):
        trigger(world, customer)
    assert attempts(world) == []
    on = world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=True), by=MANAGER)
    assert on.fires_at_once
    assert attempts(world) == [("done", money(50).micros)]
    world.check()


@pytest.mark.rule(71)
def test_stripe_keeps_its_own_amount_and_threshold_and_nothing_is_triggered(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    with expect_refusal(world, WrongState, field="method", says="has not paid by card"):
        world.do(set_payment_settings, rule(customer, None, None, by=STRIPE))
    by_card(world, customer, 100)
    for field, given in (
        ("amount", rule(customer, 5, None, by=STRIPE)),
        ("threshold", rule(customer, None, 5, by=STRIPE)),
    ):
        with expect_refusal(world, Refused, field=field, says="leave it empty"):
            world.do(set_payment_settings, given)
    world.do(set_payment_settings, rule(customer, None, None, by=STRIPE))
    assert settings(world, customer) == PaymentSettings(
        method=STRIPE, amount=money(100), threshold=money(20), auto=True
    )
    by_card(world, customer, 33)
    now = settings(world, customer)
    assert now is not None
    assert (now.amount, now.threshold) == (money(33), money("6.60"))
    charge(world, customer, 133)
    with expect_refusal(world, TopUpRefused, says="Stripe tops up"):
        trigger(world, customer)
    assert watch_top_ups(world.desk, world.now) == 0
    assert attempts(world) == []
    world.check()


def by_card(world: World, customer: Customer, amount: int) -> None:
    paid = RecordPayment(
        payer="x", amount=money(amount), received_on=world.today, method=Method.CARD, customer_id=customer.id
    )
    world.do(record_payment, paid)


def test_the_sweep_tops_up_what_fell_without_a_charge_and_one_bad_customer_stops_nobody(world: World) -> None:
    mastered(world)
    customers = [fell(world, code=code) for code in ("BAD", "GOOD")]
    ruled(world, code="FULL")
    carry_out = world.desk.carry_out

    def broken(operation: object, command: TriggerTopUp, request: object) -> object:
        if command.customer_id == customers[0].id:
            raise RuntimeError("broken")
        return carry_out(operation, command, request)  # type: ignore[arg-type]  # handed on

    with patch.object(world.desk, "carry_out", broken):
        assert watch_top_ups(world.desk, world.now) == 1
    assert [balance(world, each) for each in customers] == [money(15), money(65)]
    assert watch_top_ups(world.desk, world.now) == 0
    world.now += timedelta(minutes=topups.MINUTES)
    assert watch_top_ups(world.desk, world.now) == 1
    assert balance(world, customers[0]) == money(65)
    world.check()


def test_a_payment_or_a_refund_that_lifts_the_balance_leaves_nothing_to_do(world: World) -> None:
    mastered(world)
    customer = fell(world)
    world.pay(6, customer)
    assert watch_top_ups(world.desk, world.now) == 0
    charge(world, customer, 1)
    assert attempts(world) == [("done", money(50).micros)]
    world.now += timedelta(days=1)
    refund(world, customer, 1)
    assert watch_top_ups(world.desk, world.now) == 0
    world.check()


def test_a_charge_stands_when_the_top_up_is_cut_off_and_the_sweep_makes_it_good(world: World) -> None:
    mastered(world)
    customer = ruled(world)
    with patch("bot.desk.trigger_top_up", new=replace(trigger_top_up, run=_cut_off)):
        assert charge(world, customer, 90).charged == 1
    assert attempts(world) == []
    assert watch_top_ups(world.desk, world.now) == 1
    assert balance(world, customer) == money(60)
    world.check()


def _cut_off(*_: object) -> TopUpTried:
    raise Overtaken


def test_a_repeated_charge_tops_up_no_second_time(world: World) -> None:
    mastered(world)
    customer = ruled(world)
    for _ in range(2):
        charge(world, customer, 90, line_id="CALL-A")
    assert [code for code, _ in attempts(world)] == ["done"]
    world.check()


def test_caps_hold_at_a_time_in_a_month_and_on_a_day_over_all_customers(world: World) -> None:
    mastered(world)
    for name, value in (("top_up_most", "50"), ("top_up_monthly", "100"), ("top_up_daily", "60")):
        world.do(change_setting, ChangeSetting(name=name, value=value), by=ADMIN)
    first, second = (fell(world, code=code) for code in ("ONE", "TWO"))
    with expect_refusal(world, Refused, field="amount", says="At most SGD 50.00 is topped up at a time"):
        world.do(set_payment_settings, rule(first, 51), by=MANAGER)
    assert trigger(world, first).attempt.code is TopUpCode.DONE
    capped = trigger(world, second)
    assert (capped.attempt.code, "top_up_daily" in capped.sentence) == (TopUpCode.CAP_REACHED, True)
    for day, code in ((24, "done"), (25, "cap_reached")):
        world.now = datetime(2026, 11, day, 9, tzinfo=UTC)
        charge(world, first, 48)
        assert attempts(world)[-1][0] == code
    world.now = datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert trigger(world, first).attempt.code is TopUpCode.DONE
    world.check()


def test_a_suspended_customer_is_told_of_and_a_closed_one_has_its_top_up_switched_off(world: World) -> None:
    mastered(world)
    customer = fell(world)
    suspend = ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.SUSPENDED, reason="Late")
    world.do(change_customer_state, suspend)
    assert trigger(world, customer).attempt.code is TopUpCode.CUSTOMER_NOT_ACTIVE
    empty = ruled(world, 50, 0, paid=1, code="EMPTY")
    with patch("bot.desk.trigger_top_up", new=replace(trigger_top_up, run=_cut_off)):
        charge(world, empty, 1)
    closed = ChangeCustomerState(customer_id=empty.id, version=1, state=CustomerState.CLOSED, reason="Gone")
    assert "automatic top-up" in world.do(change_customer_state, closed).changed
    assert world.read_customer(empty).top_up_at_micros is None
    world.now += timedelta(days=1)
    assert watch_top_ups(world.desk, world.now) == 1
    assert [code for code, _ in attempts(world)] == ["customer_not_active"] * 2
    world.check()


def test_only_the_clock_and_charges_trigger(world: World) -> None:
    customer = fell(world)
    with expect_refusal(world, NoAccess, says="by a charge and by the clock"):
        world.do(trigger_top_up, TriggerTopUp(customer_id=customer.id), by=MANAGER)


def test_what_issues_credit_by_itself_is_switched_on_by_a_manager(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(100, customer)
    with expect_refusal(world, NoAccess, field="auto", says="Only a manager"):
        world.do(set_payment_settings, rule(customer))
    world.do(set_payment_settings, rule(customer, on=False), by=CLERK)
    with expect_refusal(world, NoAccess, field="auto", says="Only a manager"):
        world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=True))
    world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=True), by=MANAGER)
    world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=False), by=CLERK)
    assert world.read_customer(customer).top_up_at_micros is None
    world.check()


@pytest.mark.rule(70)
@pytest.mark.parametrize(
    ("changes", "refusal", "field"),
    [
        ({"amount": money(0)}, NotPositive, "amount"),
        ({"threshold": money(-1)}, NotPositive, "threshold"),
        ({"amount": None}, MissingText, "amount"),
        ({"threshold": None}, MissingText, "threshold"),
        ({"amount": money(5, "EUR")}, CurrencyMixed, "amount"),
        ({"threshold": money("0.001")}, TooPreciseForCurrency, "threshold"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_settings_that_cannot_be_are_refused_on_their_field(
    world: World, changes: dict[str, object], refusal: type[Refused], field: str
) -> None:
    assert {each.value for each in TopUpMethod} == {"cheque", "stripe", "master"}
    customer = world.customer(mode=Mode.PREPAID)
    with expect_refusal(world, refusal, field=field):
        world.do(set_payment_settings, replace(rule(customer, by=CHEQUE), **changes))  # type: ignore[arg-type]  # of the table


def test_settings_are_for_prepaid_customers(world: World) -> None:
    customer = world.customer()
    with expect_refusal(world, WrongState, field="customer", says="only a prepaid customer has a wallet"):
        world.do(set_payment_settings, rule(customer, by=CHEQUE))
    with expect_refusal(world, WrongState, field="customer", says="has no payment settings yet"):
        world.do(switch_auto_trigger, SwitchAutoTrigger(customer_id=customer.id, on=True))


@pytest.mark.rule(78)
def test_the_settings_say_when_they_fire_at_once_are_too_small_or_do_not_help(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(100, customer)
    charge(world, customer, 60, ago=2)
    large = set_rule(world, customer, 60, 39, by=CHEQUE, on=False)
    assert (large.is_small, large.stays_below, large.fires_at_once) == (False, False, False)
    small = set_rule(world, customer, 59, 99, by=CHEQUE, on=False)
    assert (small.busiest, small.is_small, small.stays_below) == (money(60), True, True)
    request = world.request(MANAGER)
    shown = world.desk.preview(set_payment_settings, rule(customer, 60, 40, by=MASTER), request)
    assert shown.fires_at_once


def test_settings_are_put_back_by_undo_until_something_followed(world: World) -> None:
    mastered(world)
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(100, customer)
    first = set_rule(world, customer, 50, 20, by=CHEQUE)
    second = set_rule(world, customer, 70, 30)
    with expect_refusal(world, NotUndoable, says="were changed since"):
        world.do(undo_payment_settings, Undo(operation_id=first.operation_id))
    world.do(undo_payment_settings, Undo(operation_id=second.operation_id))
    assert settings(world, customer) == PaymentSettings(method=CHEQUE, amount=money(50), threshold=money(20), auto=True)
    with expect_refusal(world, NotUndoable, says="undone already"):
        world.do(undo_payment_settings, Undo(operation_id=second.operation_id))
    fired = set_rule(world, customer, 50, 100)
    with expect_refusal(world, NotUndoable, says="CRD-0001 came of these settings"):
        world.do(undo_payment_settings, Undo(operation_id=fired.operation_id))
    other = world.customer("OTHER", mode=Mode.PREPAID)
    world.pay(100, other)
    only = set_rule(world, other)
    undone = world.do(undo_payment_settings, Undo(operation_id=only.operation_id))
    assert (settings(world, other), undone.after, undone.undo_until) == (None, None, None)
    set_rule(world, other)
    world.now += timedelta(hours=1)
    with expect_refusal(world, NotUndoable, says="time for undo has passed"):
        world.do(undo_payment_settings, Undo(operation_id=fired.operation_id))
    world.check()


def test_an_automatic_issue_is_not_undone_but_taken_back(world: World) -> None:
    mastered(world)
    tried = trigger(world, fell(world))
    assert tried.credit is not None
    assert tried.credit.undo_until is None
    with expect_refusal(world, NotUndoable, says="take the credit back, or void the invoice"):
        world.do(undo_credit, Undo(operation_id=tried.operation_id), by=MANAGER)


@pytest.mark.rule(68)
def test_a_switch_to_postpaid_switches_the_automatic_top_up_off_and_says_so(world: World) -> None:
    mastered(world)
    customer = ruled(world)
    made = switch(world, customer, Mode.POSTPAID, 100)
    assert made.switched_off is not None
    now = settings(world, customer)
    assert now is not None
    assert (now.auto, now.amount) == (False, money(50))
    assert world.read_customer(customer).top_up_at_micros is None
    back = switch(world, customer, Mode.PREPAID)
    assert (back.switched_off, back.top_up_rule is not None) == (None, True)
    charge(world, customer, 95)
    assert attempts(world) == []
    world.check()
