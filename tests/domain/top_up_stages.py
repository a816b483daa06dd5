"""One way to carry out each operation on payment settings and automatic top-ups."""

from collections.abc import Callable
from typing import Any

from bot.desk import SYSTEM
from bot.domain.customers import Customer, Mode
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.payment_settings import (
    PaymentSettingsChanged,
    SetPaymentSettings,
    SwitchAutoTrigger,
    TopUpMethod,
    set_payment_settings,
    switch_auto_trigger,
    undo_payment_settings,
)
from bot.domain.payments import UnassignPayment, unassign_payment
from bot.domain.topups import TriggerTopUp, trigger_top_up
from bot.domain.undo import Undo
from tests.world import CLERK, MANAGER, World, money

Staged = tuple[Any, Any, str]


def rule(
    customer: Customer,
    amount: str | int | None = 50,
    at: str | int | None = 20,
    *,
    by: TopUpMethod = TopUpMethod.MASTER,
    on: bool = True,
) -> SetPaymentSettings:
    code = customer.currency.code
    worth, threshold = (None if each is None else money(each, code) for each in (amount, at))
    return SetPaymentSettings(customer_id=customer.id, method=by, amount=worth, threshold=threshold, auto=on)


def ruled(
    world: World,
    amount: str | int = 50,
    at: str | int = 20,
    *,
    by: TopUpMethod = TopUpMethod.MASTER,
    paid: str | int = 100,
    code: str = "ACME",
) -> Customer:
    """A prepaid customer with money, which is topped up by itself."""
    customer = world.customer(code, mode=Mode.PREPAID)
    world.pay(paid, customer)
    set_rule(world, customer, amount, at, by=by)
    return customer


def set_rule(
    world: World,
    customer: Customer,
    amount: str | int = 50,
    at: str | int = 20,
    *,
    by: TopUpMethod = TopUpMethod.MASTER,
    on: bool = True,
) -> PaymentSettingsChanged:
    return world.do(set_payment_settings, rule(customer, amount, at, by=by, on=on), by=MANAGER)


def fell(world: World, *, by: TopUpMethod = TopUpMethod.MASTER, code: str = "ACME") -> Customer:
    """A customer whose balance fell to its threshold by what tops up nothing at once."""
    customer = world.customer(code, mode=Mode.PREPAID)
    world.pay(15, customer)
    more = world.pay(60, customer)
    set_rule(world, customer, by=by)
    world.do(unassign_payment, UnassignPayment(payment_id=more.payment.id))
    return customer


def mastered(world: World, amount: str | int = 5000) -> None:
    """A master account with so much to hand out."""
    world.do(top_up_master, TopUpMaster(amount=money(amount), paid_on=world.today), by=MANAGER)


def staged_set(world: World) -> Staged:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(100, customer)
    return set_payment_settings, rule(customer, by=TopUpMethod.CHEQUE), CLERK


def staged_switch(world: World) -> Staged:
    return switch_auto_trigger, SwitchAutoTrigger(customer_id=ruled(world).id, on=False), CLERK


def staged_undo(world: World) -> Staged:
    operation, command, by = staged_set(world)
    made = world.do(operation, command, by=by)
    return undo_payment_settings, Undo(operation_id=made.operation_id), CLERK


def staged_trigger(world: World) -> Staged:
    mastered(world)
    return trigger_top_up, TriggerTopUp(customer_id=fell(world).id), SYSTEM


TOP_UP_STAGES: dict[str, Callable[[World], Staged]] = {
    "set_payment_settings": staged_set,
    "switch_auto_trigger": staged_switch,
    "undo_payment_settings": staged_undo,
    "trigger_top_up": staged_trigger,
}


def topped_up(world: World) -> None:
    """Two wallets at their threshold, one topped up from the master account, one by an invoice that waits."""
    for code, method in (("FALLEN", TopUpMethod.MASTER), ("WAITS", TopUpMethod.CHEQUE)):
        customer = fell(world, by=method, code=code)
        world.do(trigger_top_up, TriggerTopUp(customer_id=customer.id), by=SYSTEM)
