"""Suspending, closing and opening a customer again: nothing is deleted, and a closed one has nothing left."""

from collections.abc import Callable

import pytest

from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerChanged, CustomerState
from bot.domain.errors import CustomerClosed, MissingText, Refused, TextTooLong, WrongState
from bot.domain.payments import (
    AssignPayment,
    UnallocatePayment,
    UnassignPayment,
    assign_payment,
    unallocate_payment,
    unassign_payment,
)
from bot.domain.undo import Undo, undo
from tests.domain.expect import ask_sql, run_sql
from tests.world import World

CLOSED, SUSPENDED, ACTIVE = CustomerState.CLOSED, CustomerState.SUSPENDED, CustomerState.ACTIVE


def put(world: World, customer: Customer, state: CustomerState, reason: str = "Contract ended") -> CustomerChanged:
    version = world.read_customer(customer).version
    command = ChangeCustomerState(customer_id=customer.id, version=version, state=state, reason=reason)
    return world.do(change_customer_state, command)


def owes(world: World, customer: Customer) -> None:
    world.invoice(customer, 30)


def has_credit(world: World, customer: Customer) -> None:
    world.pay(30, customer)


def owes_what_it_has(world: World, customer: Customer) -> None:
    """Nothing by the net, and yet neither is zero."""
    world.invoice(customer, 30, auto=False)
    world.pay(30, customer)


def has_a_draft(world: World, customer: Customer) -> None:
    world.invoice(customer, 30, send=False)


LEFT: dict[str, tuple[Callable[[World, Customer], None], str]] = {
    "debt": (owes, "debt SGD 30.00"),
    "credit": (has_credit, "credit SGD 30.00"),
    "both": (owes_what_it_has, "credit SGD 30.00, debt SGD 30.00"),
    "draft": (has_a_draft, "the draft DRAFT-"),
}


@pytest.mark.rule(45)
@pytest.mark.parametrize("name", LEFT)
def test_a_customer_with_credit_or_debt_is_not_closed(world: World, name: str) -> None:
    leave, says = LEFT[name]
    acme = world.customer()
    leave(world, acme)
    with pytest.raises(WrongState, match=says):
        put(world, acme, CLOSED)
    assert world.read_customer(acme).state is ACTIVE
    assert put(world, acme, SUSPENDED).customer.state is SUSPENDED
    world.check()


@pytest.mark.rule(45)
@pytest.mark.parametrize("account", ["advances", "credit_notes", "unbilled", "payouts_due", "reserved"])
def test_each_account_keeps_it_open(world: World, account: str) -> None:
    acme = world.customer()
    run_sql(world, f"UPDATE customer SET {account}_micros = 5000000")
    with pytest.raises(WrongState, match=r"SGD 5\.00"):
        put(world, acme, CLOSED)


@pytest.mark.rule(45)
def test_a_closed_customer_keeps_all_it_had_and_takes_nothing_new(world: World) -> None:
    acme = world.customer()
    invoice = world.invoice(acme, 30, auto=False)
    paid = world.pay(30, acme, to=((invoice, None),))
    waiting = world.pay(5)
    put(world, acme, CLOSED)
    before = ask_sql(world, "SELECT COUNT(*) FROM entry")
    payment = paid.payment.id
    refused: list[Callable[[], object]] = [
        lambda: world.pay(5, acme),
        lambda: world.invoice(acme, 5),
        lambda: world.do(assign_payment, AssignPayment(payment_id=waiting.payment.id, customer_id=acme.id)),
        lambda: world.do(unallocate_payment, UnallocatePayment(payment_id=payment)),
        lambda: world.do(unassign_payment, UnassignPayment(payment_id=payment)),
        lambda: world.do(undo, Undo(operation_id=paid.operation_id)),
    ]
    for act in refused:
        with pytest.raises(CustomerClosed, match="open it again first"):
            act()
    assert ask_sql(world, "SELECT COUNT(*) FROM entry") == before
    assert put(world, acme, ACTIVE).kind == "opened again"
    assert world.do(undo, Undo(operation_id=paid.operation_id)).payment.state.value == "void"
    world.check()


def test_a_suspended_customer_still_pays_and_is_not_operational(world: World) -> None:
    acme = world.customer()
    invoice = world.invoice(acme, 30, auto=False)
    after = put(world, acme, SUSPENDED).customer
    assert not after.is_operational(world.now)
    paid = world.pay(50, acme, to=((invoice, None),))
    assert paid.allocations[0].amount == invoice.total
    assert not world.invoice(acme, 20).open
    world.check()


@pytest.mark.parametrize(
    ("reason", "refusal"), [("  ", MissingText), ("x" * 301, TextTooLong)], ids=["empty", "too long"]
)
def test_a_change_has_a_reason(world: World, reason: str, refusal: type[Refused]) -> None:
    acme = world.customer()
    with pytest.raises(refusal) as refused:
        put(world, acme, SUSPENDED, reason)
    assert refused.value.field == "reason"


def test_a_change_over_somebody_elses_and_one_that_changes_nothing_are_refused(world: World) -> None:
    acme = world.customer()
    stale = ChangeCustomerState(customer_id=acme.id, version=7, state=SUSPENDED, reason="Late")
    with pytest.raises(WrongState, match="changed by somebody else"):
        world.do(change_customer_state, stale)
    with pytest.raises(WrongState, match="is active already"):
        put(world, acme, ACTIVE)


def test_the_log_keeps_both_states_and_the_reason(world: World) -> None:
    put(world, world.customer(), SUSPENDED, "Cheque bounced")
    (row,) = ask_sql(world, "SELECT description, before, after FROM audit WHERE event = 'Change customer state'")
    assert row[0] == "ACME suspended: Cheque bounced"
    assert '"state": "active"' in row[1]
    assert '"state": "suspended"' in row[2]
