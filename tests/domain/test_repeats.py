"""The same key twice: one effect and one answer; previews: an answer and no effect."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.domain.allocation import Portion
from bot.domain.customers import EditCustomer, Mode, NewCustomer, edit_customer, new_customer
from bot.domain.errors import KeyReused, MoreThanLeft, NoAccess
from bot.domain.invoices import (
    DraftInvoice,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.operation import OPERATIONS, Operation, Role
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    EditPayment,
    Method,
    RecordPayment,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    assign_payment,
    edit_payment,
    record_payment,
    unallocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.people import Grant, Profile, Revoke, grant, revoke
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from tests.domain.expect import audit_count, everything, expect_refusal
from tests.world import ADMIN, CLERK, MANAGER, OWNER, SGD, STRANGER, TEAM, VIEWER, World, money

Staged = tuple[Operation[Any, Any], Any, str]


def staged_record(world: World) -> Staged:
    customer = world.customer()
    invoice = world.invoice(customer, 10, auto=False)
    world.invoice(customer, 7, tax="9")
    portions = (Portion(invoice_id=invoice.id, amount=money(4)),)
    command = RecordPayment(
        payer="Zoë", amount=money(30), received_on=world.today, customer_id=customer.id, portions=portions
    )
    return record_payment, command, CLERK


def staged_assign(world: World) -> Staged:
    customer = world.customer()
    return assign_payment, AssignPayment(payment_id=world.pay(30).payment.id, customer_id=customer.id), CLERK


def staged_unassign(world: World) -> Staged:
    return unassign_payment, UnassignPayment(payment_id=world.pay(30, world.customer()).payment.id), CLERK


def staged_allocate(world: World) -> Staged:
    customer = world.customer()
    world.invoice(customer, 10, auto=False)
    return allocate_payment, AllocatePayment(payment_id=world.pay(30, customer).payment.id), CLERK


def staged_unallocate(world: World) -> Staged:
    customer = world.customer()
    world.invoice(customer, 10)
    return unallocate_payment, UnallocatePayment(payment_id=world.pay(30, customer).payment.id), CLERK


def staged_edit(world: World) -> Staged:
    paid = world.pay(30).payment
    return edit_payment, EditPayment(payment_id=paid.id, version=1, payer="New", method=Method.CASH), CLERK


def staged_void(world: World) -> Staged:
    return void_payment, VoidPayment(payment_id=world.pay(30).payment.id, reason="twice"), CLERK


def staged_undo(world: World) -> Staged:
    return undo, Undo(operation_id=world.pay(30, world.customer()).operation_id), CLERK


def staged_draft(world: World) -> Staged:
    line = LineInput(description="x", unit_price=money("3.333333"))
    command = DraftInvoice(customer_id=world.customer().id, lines=(line,), issue_on=world.today, send=True)
    return draft_invoice, command, CLERK


def staged_send(world: World) -> Staged:
    return send_invoice, SendInvoice(invoice_id=world.invoice(world.customer(), 10, send=False).id), CLERK


def staged_switch(world: World) -> Staged:
    invoice = world.invoice(world.customer(), 10)
    return switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False), CLERK


def staged_new_customer(world: World) -> Staged:
    return new_customer, NewCustomer(code="ACME", name="Acme", currency=SGD, mode=Mode.PREPAID), CLERK


def staged_edit_customer(world: World) -> Staged:
    customer = world.customer()
    return edit_customer, EditCustomer(customer_id=customer.id, version=1, code="ACME", name="Neu"), CLERK


def staged_setting(world: World) -> Staged:
    return change_setting, ChangeSetting(name="company", value="Duedesk"), ADMIN


def staged_grant(world: World) -> Staged:
    return grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.OWNER), OWNER


def staged_revoke(world: World) -> Staged:
    return revoke, Revoke(profile=Profile(team=TEAM, user=VIEWER)), ADMIN


STAGES: dict[str, Callable[[World], Staged]] = {
    "record_payment": staged_record,
    "assign_payment": staged_assign,
    "unassign_payment": staged_unassign,
    "allocate_payment": staged_allocate,
    "unallocate_payment": staged_unallocate,
    "edit_payment": staged_edit,
    "void_payment": staged_void,
    "undo": staged_undo,
    "draft_invoice": staged_draft,
    "send_invoice": staged_send,
    "switch_auto_allocation": staged_switch,
    "new_customer": staged_new_customer,
    "edit_customer": staged_edit_customer,
    "change_setting": staged_setting,
    "grant": staged_grant,
    "revoke": staged_revoke,
}


@pytest.mark.rule(115)
@pytest.mark.parametrize("name", list(STAGES))
def test_the_same_key_and_content_is_done_once_and_answered_alike(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    assert OPERATIONS[name] is operation
    count = audit_count(world)
    first = world.do(operation, command, by=by, key="intent:1")
    assert audit_count(world) == count + 1
    after = everything(world)
    again = world.do(operation, command, by=by, key="intent:1")
    assert again == first
    assert everything(world) == after
    world.check()


@pytest.mark.parametrize("name", list(STAGES))
def test_a_preview_shows_the_outcome_and_writes_nothing(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    before = everything(world)
    request = world.request(by, key="intent:1")
    shown = world.desk.preview(operation, command, request)
    assert everything(world) == before
    done = world.desk.carry_out(operation, command, request)
    assert type(shown) is type(done)
    assert everything(world) != before
    shown_number = getattr(getattr(shown, "payment", None), "number", None)
    assert shown_number == getattr(getattr(done, "payment", None), "number", None)
    world.check()


def test_the_same_key_with_other_content_is_refused_naming_what_was_done(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    world.do(record_payment, command, key="intent:1")
    with expect_refusal(world, KeyReused, says="PAY-0001 recorded: SGD 5.00"):
        world.do(record_payment, replace(command, amount=money(6)), key="intent:1")
    with expect_refusal(world, KeyReused):
        world.do(change_setting, ChangeSetting(name="company", value="x"), by=ADMIN, key="intent:1")


def test_the_same_key_by_another_person_is_refused(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    world.do(record_payment, command, key="intent:1")
    with expect_refusal(world, KeyReused):
        world.do(record_payment, command, key="intent:1", by=MANAGER)
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, key="intent:1", by=STRANGER)


def test_a_repeat_answers_as_then_even_after_things_moved_on(world: World) -> None:
    customer = world.customer()
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today, customer_id=customer.id)
    first = world.do(record_payment, command, key="intent:1")
    world.invoice(customer, 5)
    again = world.do(record_payment, command, key="intent:1")
    assert again == first
    assert again.left == money(5)
    assert world.read_customer(customer).balance == money(0)


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 5, auto=False)
    portions = (Portion(invoice_id=invoice.id, amount=money(6)),)
    command = RecordPayment(
        payer="x", amount=money(6), received_on=world.today, customer_id=customer.id, portions=portions
    )
    with expect_refusal(world, MoreThanLeft, field="invoices"):
        world.do(record_payment, command, key="intent:1")
    corrected = replace(command, portions=())
    assert world.do(record_payment, corrected, key="intent:1").payment.number == "PAY-0001"
    world.check()


def test_different_keys_with_the_same_content_are_two_payments(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    numbers = [world.do(record_payment, command, key=f"intent:{n}").payment.number for n in range(2)]
    assert numbers == ["PAY-0001", "PAY-0002"]


def test_delivery_is_woken_by_commits_only(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    woken: list[int] = []
    world.desk.on_commit = lambda: woken.append(1)
    world.desk.preview(record_payment, command, world.request())
    with pytest.raises(NoAccess):
        world.do(record_payment, command, by=STRANGER)
    assert woken == []
    world.do(record_payment, command)
    assert woken == [1]
