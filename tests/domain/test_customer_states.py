"""Suspending, resuming and closing a customer."""

import pytest

from bot.domain.customer_states import SetCustomerState, set_customer_state
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import CustomerClosed, CustomerNotSettled, WrongState
from bot.domain.withdrawals import PayWithdrawal, pay_withdrawal
from tests.world import World, withdraw

ACTIVE, SUSPENDED, CLOSED = CustomerState.ACTIVE, CustomerState.SUSPENDED, CustomerState.CLOSED


def put(world: World, customer: Customer, state: CustomerState) -> CustomerState:
    world.do(set_customer_state, SetCustomerState(customer_id=customer.id, state=state))
    return world.read_customer(customer).state


@pytest.mark.rule(45)
def test_a_customer_is_closed_only_when_nothing_is_left(world: World) -> None:
    acme = world.customer(mode=Mode.PREPAID)
    world.pay(40, acme)
    with pytest.raises(CustomerNotSettled, match=r"deposits SGD 40\.00"):
        put(world, acme, CLOSED)
    made = withdraw(world, acme)
    with pytest.raises(CustomerNotSettled, match=r"payouts due SGD 40\.00"):
        put(world, acme, CLOSED)
    world.do(pay_withdrawal, PayWithdrawal(withdrawal_id=made.id, reference="FT-1"))
    assert put(world, acme, CLOSED) is CLOSED
    with pytest.raises(CustomerClosed):
        world.pay(5, acme)
    with pytest.raises(WrongState, match="for good"):
        put(world, acme, ACTIVE)
    world.check()


@pytest.mark.rule(45)
def test_debt_and_credit_of_the_same_amount_are_not_settled(world: World) -> None:
    acme = world.customer()
    world.invoice(acme, 50, auto=False)
    world.pay(50, acme)
    with pytest.raises(CustomerNotSettled, match=r"deposits SGD 50\.00, receivable SGD 50\.00"):
        put(world, acme, CLOSED)
    assert world.read_customer(acme).state is ACTIVE


def test_a_suspended_customer_keeps_what_it_has_and_can_go_on(world: World) -> None:
    acme = world.customer(mode=Mode.PREPAID)
    world.pay(40, acme)
    assert put(world, acme, SUSPENDED) is SUSPENDED
    assert world.read_customer(acme).balance.decimal() == 40
    with pytest.raises(WrongState, match="suspended already"):
        put(world, acme, SUSPENDED)
    assert put(world, acme, ACTIVE) is ACTIVE
    world.check()
