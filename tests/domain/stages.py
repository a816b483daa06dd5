"""Every operation on a small stage of its own: what to carry out and by whom."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from bot.desk import SYSTEM
from bot.domain.allocation import Portion
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Contact, CustomerState, EditCustomer, Mode, NewCustomer, edit_customer, new_customer
from bot.domain.imported_invoices import ImportedInvoice, ImportInvoices, import_invoices
from bot.domain.intake import (
    BeginIntake,
    FinishIntake,
    ImportCustomers,
    ImportedCustomer,
    IntakeKind,
    IntakeTotal,
    begin_intake,
    finish_intake,
    import_customers,
)
from bot.domain.invoices import (
    DraftInvoice,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.locks import MoveLocks, move_locks
from bot.domain.opening import (
    OpeningBalance,
    OpeningInvoice,
    OpeningPayment,
    PostOpening,
    TakeBackOpening,
    post_opening,
    take_back_opening,
)
from bot.domain.operation import Operation, Role
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    AttachProofs,
    EditPayment,
    Method,
    RecordPayment,
    UnallocatePayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    assign_payment,
    attach_proofs,
    edit_payment,
    record_payment,
    unallocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.people import Grant, Leave, Profile, Revoke, grant, leave, revoke
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.proofs import Proof
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from tests.domain.approval_stages import APPROVAL_STAGES
from tests.domain.credit_stages import CREDIT_STAGES
from tests.domain.dispute_stages import DISPUTE_STAGES
from tests.domain.invoice_stages import INVOICE_STAGES
from tests.domain.mail_stages import MAIL_STAGES
from tests.domain.reminder_stages import REMINDER_STAGES
from tests.domain.top_up_stages import TOP_UP_STAGES
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


def staged_proof(world: World) -> Staged:
    slip = Proof(file_id="F0001", name="slip.pdf", size=5)
    return attach_proofs, AttachProofs(payment_id=world.pay(30, world.customer()).payment.id, proofs=(slip,)), CLERK


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


def staged_state(world: World) -> Staged:
    made = ChangeCustomerState(
        customer_id=world.customer().id, version=1, state=CustomerState.SUSPENDED, reason="Late again"
    )
    return change_customer_state, made, CLERK


def staged_setting(world: World) -> Staged:
    return change_setting, ChangeSetting(name="company", value="Duedesk"), ADMIN


def staged_locks(world: World) -> Staged:
    return move_locks, MoveLocks(soft=world.day(-10), hard=None), ADMIN


def staged_digest(world: World) -> Staged:
    return plan_digest, PlanDigest(channel="C0DIGEST", at="08:30"), ADMIN


def staged_grant(world: World) -> Staged:
    return grant, Grant(profile=Profile(team=TEAM, user=MANAGER, name="M"), role=Role.OWNER), OWNER


def staged_revoke(world: World) -> Staged:
    return revoke, Revoke(profile=Profile(team=TEAM, user=VIEWER)), ADMIN


def staged_leave(world: World) -> Staged:
    return leave, Leave(profile=Profile(team=TEAM, user=VIEWER, deleted=True)), SYSTEM


OPENED = date(2026, 10, 31)


def begun(world: World, kind: IntakeKind = IntakeKind.OPENING) -> int:
    """An import that has begun."""
    begin = BeginIntake(kind=kind, name="old", digest="0" * 64, as_of=OPENED)
    intake = world.do(begin_intake, begin, by=SYSTEM).intake
    assert intake is not None
    return intake.id


def staged_begin(world: World) -> Staged:
    return begin_intake, BeginIntake(kind=IntakeKind.OPENING, name="old", digest="0" * 64, as_of=OPENED), SYSTEM


def staged_import_customers(world: World) -> Staged:
    known = NewCustomer(code="ACME", name="ACME", currency=SGD, mode=Mode.PREPAID, contacts=(Contact(name="Ann"),))
    new = NewCustomer(code="NEW", name="Zoë", currency=SGD, mode=Mode.PREPAID)
    world.customer()
    both = (ImportedCustomer(terms=known), ImportedCustomer(terms=new, limit=money(50)))
    return import_customers, ImportCustomers(customers=both), SYSTEM


def staged_import_invoices(world: World) -> Staged:
    world.pay(5, world.customer())
    line = LineInput(description="Zoë", unit_price=money("3.333333"), tax_rate=Decimal(9))
    given = ImportedInvoice(number="X-1", customer_code="ACME", issue_on=OPENED, due_on=None, line=line)
    intake_id = begun(world, IntakeKind.INVOICES)
    return import_invoices, ImportInvoices(intake_id=intake_id, invoices=(given,)), SYSTEM


def posting(world: World) -> PostOpening:
    world.customer()
    return PostOpening(
        intake_id=begun(world),
        invoices=(
            OpeningInvoice(number="OLD-1", customer_code="ACME", issue_on=OPENED, due_on=OPENED, open=money("7.50")),
        ),
        payments=(OpeningPayment(number="OP-1", customer_code="ACME", received_on=OPENED, amount=money(3)),),
        balances=(OpeningBalance(customer_code="ACME", amount=money(2)),),
    )


def staged_post_opening(world: World) -> Staged:
    return post_opening, posting(world), SYSTEM


def staged_finish(world: World) -> Staged:
    command = posting(world)
    world.do(post_opening, command, by=SYSTEM)
    total = IntakeTotal(receivables=money("7.50"), unapplied=money(3), wallet=money(2))
    return finish_intake, FinishIntake(intake_id=command.intake_id, totals=(total,)), SYSTEM


def staged_take_back(world: World) -> Staged:
    command = posting(world)
    world.do(post_opening, command, by=SYSTEM)
    return take_back_opening, TakeBackOpening(intake_id=command.intake_id), SYSTEM


STAGES: dict[str, Callable[[World], Staged]] = {
    "record_payment": staged_record,
    "assign_payment": staged_assign,
    "unassign_payment": staged_unassign,
    "allocate_payment": staged_allocate,
    "unallocate_payment": staged_unallocate,
    "edit_payment": staged_edit,
    "attach_proofs": staged_proof,
    "void_payment": staged_void,
    "undo": staged_undo,
    "draft_invoice": staged_draft,
    "send_invoice": staged_send,
    "switch_auto_allocation": staged_switch,
    "new_customer": staged_new_customer,
    "edit_customer": staged_edit_customer,
    "change_customer_state": staged_state,
    "change_setting": staged_setting,
    "move_locks": staged_locks,
    "plan_digest": staged_digest,
    "grant": staged_grant,
    "revoke": staged_revoke,
    "leave": staged_leave,
    "begin_intake": staged_begin,
    "import_customers": staged_import_customers,
    "import_invoices": staged_import_invoices,
    "post_opening": staged_post_opening,
    "finish_intake": staged_finish,
    "take_back_opening": staged_take_back,
    **APPROVAL_STAGES,
    **CREDIT_STAGES,
    **INVOICE_STAGES,
    **TOP_UP_STAGES,
    **DISPUTE_STAGES,
    **MAIL_STAGES,
    **REMINDER_STAGES,
}
