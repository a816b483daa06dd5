"""Every operation on a small stage of its own: what to carry out and by whom."""

from collections.abc import Callable
from typing import Any

from bot.desk import SYSTEM
from bot.domain.allocation import Portion
from bot.domain.customers import EditCustomer, Mode, NewCustomer, edit_customer, new_customer
from bot.domain.invoices import (
    DraftInvoice,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.operation import Operation, Role
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
from bot.domain.people import Grant, Leave, Profile, Revoke, grant, leave, revoke
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from tests.world import ADMIN, CLERK, MANAGER, OWNER, SGD, TEAM, VIEWER, World, money

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


def staged_digest(world: World) -> Staged:
    return plan_digest, PlanDigest(channel="C0DIGEST", at="08:30"), ADMIN


def staged_grant(world: World) -> Staged:
    return grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.OWNER), OWNER


def staged_revoke(world: World) -> Staged:
    return revoke, Revoke(profile=Profile(team=TEAM, user=VIEWER)), ADMIN


def staged_leave(world: World) -> Staged:
    return leave, Leave(profile=Profile(team=TEAM, user=VIEWER, deleted=True)), SYSTEM


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
    "plan_digest": staged_digest,
    "grant": staged_grant,
    "revoke": staged_revoke,
    "leave": staged_leave,
}
