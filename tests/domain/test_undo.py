"""Undo: all that an operation posted is reversed, once, in time, unless something was built on it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bot.domain.allocation import Portion
from bot.domain.customers import Customer
from bot.domain.errors import NoEditsLeft, NotFound, NotUndoable
from bot.domain.invoices import (
    DraftInvoice,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    draft_invoice,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    EditPayment,
    Payment,
    PaymentChanged,
    PaymentState,
    PaymentStep,
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
from bot.domain.people import Grant, Profile, grant
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from tests.domain.expect import ask_sql, expect_refusal, report, run_sql, standing
from tests.world import ADMIN, MANAGER, STRANGER, TEAM, World, money


@dataclass
class Scene:
    """A customer with two open invoices and one that pays itself no more, before anything happens."""

    world: World
    customer: Customer
    first: Invoice
    second: Invoice
    manual: Invoice

    def standing(self) -> tuple[object, ...]:
        return standing(self.world, self.customer)

    def payment(self, payment: Payment) -> Payment:
        found = self.world.store.read(lambda books: books.payment(payment.number))
        assert found is not None
        return found

    def undo(self, operation_id: int, by: str = MANAGER) -> PaymentChanged:
        return self.world.do(undo, Undo(operation_id=operation_id), by=by)


@pytest.fixture
def scene(world: World) -> Scene:
    customer = world.customer()
    first, second = world.invoice(customer, 100, issued=-9), world.invoice(customer, 50, issued=-8)
    return Scene(world, customer, first, second, world.invoice(customer, 70, issued=-7, auto=False))


def do_record(scene: Scene) -> PaymentChanged:
    return scene.world.pay(30)


def do_record_assigned(scene: Scene) -> PaymentChanged:
    return scene.world.pay(160, scene.customer, received=-3, to=((scene.manual, 20),))


def do_assign(scene: Scene) -> PaymentChanged:
    paid = scene.world.pay(180, received=-3).payment
    portions = (Portion(invoice_id=scene.manual.id, amount=money(10)),)
    command = AssignPayment(payment_id=paid.id, customer_id=scene.customer.id, portions=portions)
    return scene.world.do(assign_payment, command)


def do_unassign(scene: Scene) -> PaymentChanged:
    for invoice in (scene.first, scene.second):
        scene.world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False))
    paid = scene.world.pay(40, scene.customer, received=-3).payment
    return scene.world.do(unassign_payment, UnassignPayment(payment_id=paid.id))


def do_allocate(scene: Scene) -> PaymentChanged:
    paid = scene.world.pay(200, scene.customer, received=-3).payment
    return scene.world.do(allocate_payment, AllocatePayment(payment_id=paid.id))


def do_unallocate(scene: Scene) -> PaymentChanged:
    """The money of the first invoice is freed and runs into the second."""
    paid = scene.world.pay(100, scene.customer, received=-3).payment
    return scene.world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))


DOINGS: dict[str, Callable[[Scene], PaymentChanged]] = {
    "record": do_record,
    "record_assigned": do_record_assigned,
    "assign": do_assign,
    "unassign": do_unassign,
    "allocate": do_allocate,
    "unallocate": do_unallocate,
}


@pytest.mark.parametrize("name", ["record", "record_assigned", "assign"])
def test_undo_brings_everything_back(scene: Scene, name: str) -> None:
    before = scene.standing()
    changed = DOINGS[name](scene)
    assert changed.undo_until == scene.world.now + timedelta(minutes=10)
    if name != "record":
        assert scene.standing() != before
    undone = scene.undo(changed.operation_id)
    assert undone.step is PaymentStep.UNDONE
    assert undone.undo_until is None
    assert scene.standing() == before
    kept = scene.payment(changed.payment)
    assert kept == undone.payment
    assert kept.customer_id is None
    assert kept.state is (PaymentState.RECORDED if name == "assign" else PaymentState.VOID)
    assert undone.left == (changed.payment.amount if name == "assign" else money(0))
    scene.world.check()


def test_undo_of_unassigning_gives_the_payment_back_to_its_customer(scene: Scene) -> None:
    for invoice in (scene.first, scene.second):
        scene.world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False))
    paid = scene.world.pay(40, scene.customer, received=-30).payment
    before = scene.standing()
    command = UnassignPayment(payment_id=paid.id, effective_on=scene.world.day(-5))
    changed = scene.world.do(unassign_payment, command)
    undone = scene.undo(changed.operation_id)
    assert scene.standing() == before
    assert (undone.payment.customer_id, undone.left, undone.payment.edits) == (scene.customer.id, money(40), 3)
    for offset in (-31, -30, -6, -5, -4, 0):
        found = report(scene.world, as_of=scene.world.day(offset), customer_id=scene.customer.id)
        assert sum(row.unapplied_micros for row in found.rows) == (0 if offset == -31 else 40_000_000), offset
    scene.world.check()


def test_undo_of_allocating_frees_the_money_again(scene: Scene) -> None:
    paid = scene.world.pay(200, scene.customer).payment
    before = scene.standing()
    changed = scene.world.do(allocate_payment, AllocatePayment(payment_id=paid.id))
    assert scene.standing() != before
    undone = scene.undo(changed.operation_id)
    assert scene.standing() == before
    assert (undone.left, undone.payment.edits) == (money(50), 1)
    assert {each.invoice_id for each in undone.allocations} == {scene.first.id, scene.second.id}
    scene.world.check()


def test_undo_of_taking_back_matches_again_and_returns_flags_and_sweep(scene: Scene) -> None:
    paid = scene.world.pay(100, scene.customer, received=-3).payment
    before = scene.standing()
    changed = scene.world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    assert scene.world.read_invoice(scene.second).status == "paid"
    undone = scene.undo(changed.operation_id)
    assert scene.standing() == before
    assert scene.world.read_invoice(scene.first).auto_allocate
    assert [(each.invoice_id, each.amount) for each in undone.allocations] == [(scene.first.id, money(100))]
    assert undone.left == money(0)
    scene.world.check()


@pytest.mark.parametrize("name", list(DOINGS))
def test_undo_is_done_once(scene: Scene, name: str) -> None:
    changed = DOINGS[name](scene)
    scene.undo(changed.operation_id)
    with expect_refusal(scene.world, NotUndoable, says="undone already"):
        scene.undo(changed.operation_id)


@pytest.mark.parametrize("name", list(DOINGS))
def test_undo_ends_with_its_time(scene: Scene, name: str) -> None:
    changed = DOINGS[name](scene)
    scene.world.now += timedelta(minutes=10, seconds=1)
    with expect_refusal(scene.world, NotUndoable, says="time"):
        scene.undo(changed.operation_id)
    scene.world.now -= timedelta(seconds=1)
    assert scene.undo(changed.operation_id).step is PaymentStep.UNDONE
    scene.world.check()


def test_the_time_for_undo_is_a_setting(scene: Scene) -> None:
    scene.world.do(change_setting, ChangeSetting(name="undo_minutes", value="60"), by=ADMIN)
    changed = do_record_assigned(scene)
    assert changed.undo_until == scene.world.now + timedelta(minutes=60)
    scene.world.now += timedelta(minutes=59)
    assert scene.undo(changed.operation_id).step is PaymentStep.UNDONE


@pytest.mark.parametrize("name", list(DOINGS))
def test_undoing_the_same_by_the_same_key_is_answered_once(scene: Scene, name: str) -> None:
    changed = DOINGS[name](scene)
    first = scene.world.do(undo, Undo(operation_id=changed.operation_id), key="button:1")
    again = scene.world.do(undo, Undo(operation_id=changed.operation_id), key="button:1")
    assert again == first
    scene.world.check()


def test_undo_of_an_assignment_consumes_an_edit(scene: Scene) -> None:
    changed = do_assign(scene)
    assert changed.payment.edits == 1
    assert scene.undo(changed.operation_id).payment.edits == 2
    again = AssignPayment(payment_id=changed.payment.id, customer_id=scene.customer.id)
    assert scene.world.do(assign_payment, again).payment.edits == 3


@pytest.mark.rules(6, 7)
def test_undo_is_not_offered_for_the_fifth_action_and_refused_if_asked(scene: Scene) -> None:
    paid = scene.world.pay(40).payment
    run_sql(scene.world, "UPDATE invoice SET auto_allocate = :off", off=False)
    offered = []
    for number in range(5):
        if number % 2:
            changed = scene.world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
        else:
            command = AssignPayment(payment_id=paid.id, customer_id=scene.customer.id)
            changed = scene.world.do(assign_payment, command)
        offered.append(changed.undo_until is not None)
    assert offered == [True, True, True, True, False]
    with expect_refusal(scene.world, NoEditsLeft):
        scene.undo(changed.operation_id)
    allocated = scene.world.do(allocate_payment, AllocatePayment(payment_id=paid.id))
    assert allocated.undo_until is not None
    assert scene.undo(allocated.operation_id).payment.edits == 5
    scene.world.check()


@pytest.mark.parametrize("name", list(DOINGS))
def test_undo_is_refused_while_a_later_operation_on_the_payment_stands(scene: Scene, name: str) -> None:
    changed = DOINGS[name](scene)
    paid = changed.payment
    if paid.customer_id is None:
        scene.world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=scene.customer.id))
        says = "Assign payment"
    else:
        scene.world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
        says = "Unallocate payment"
    with expect_refusal(scene.world, NotUndoable, says=says):
        scene.undo(changed.operation_id)
    scene.world.check()


def test_undo_is_possible_again_once_the_later_operation_was_undone(scene: Scene) -> None:
    before = scene.standing()
    recorded = scene.world.pay(30, received=-20)
    assigned = scene.world.do(
        assign_payment, AssignPayment(payment_id=recorded.payment.id, customer_id=scene.customer.id)
    )
    with expect_refusal(scene.world, NotUndoable, says="Assign payment"):
        scene.undo(recorded.operation_id)
    scene.undo(assigned.operation_id)
    undone = scene.undo(recorded.operation_id)
    assert undone.payment.state is PaymentState.VOID
    assert undone.payment.voided_on == scene.world.today, "it was in suspense until the assignment, and came back then"
    assert scene.standing() == before
    with expect_refusal(scene.world, NotUndoable, says="undone already"):
        scene.undo(recorded.operation_id)
    scene.world.check()


def test_undo_of_money_that_a_later_invoice_used_names_that_invoice(scene: Scene) -> None:
    changed = scene.world.pay(400, scene.customer)
    later = scene.world.invoice(scene.customer, 5)
    with expect_refusal(scene.world, NotUndoable, says=str(later.number)):
        scene.undo(changed.operation_id)
    scene.world.do(unallocate_payment, UnallocatePayment(payment_id=changed.payment.id, invoice_ids=(later.id,)))
    with expect_refusal(scene.world, NotUndoable, says="Unallocate payment"):
        scene.undo(changed.operation_id)
    scene.world.check()


def test_undo_of_taking_back_is_refused_once_the_invoice_is_paid_otherwise(scene: Scene) -> None:
    paid = scene.world.pay(100, scene.customer).payment
    changed = scene.world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    other = scene.world.pay(1, scene.customer, to=((scene.first, 1),)).payment
    with expect_refusal(scene.world, NotUndoable, says=f"{scene.first.number} is paid by {other.number}"):
        scene.undo(changed.operation_id)


def test_undo_of_taking_back_is_refused_once_the_money_pays_something_else(scene: Scene) -> None:
    paid = scene.world.pay(100, scene.customer).payment
    changed = scene.world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    later = scene.world.invoice(scene.customer, 5)
    with expect_refusal(scene.world, NotUndoable, says=f"{paid.number} pays {later.number}"):
        scene.undo(changed.operation_id)


def test_undo_reverses_on_the_days_of_what_it_undoes(scene: Scene) -> None:
    changed = scene.world.pay(40, scene.customer, received=-8)
    scene.undo(changed.operation_id)
    days = ask_sql(
        scene.world,
        "SELECT kind, effective_on FROM entry WHERE operation_id <> :mine ORDER BY id DESC LIMIT 3",
        mine=changed.operation_id,
    )
    assert {str(day) for _, day in days} == {str(scene.world.day(-8))}
    for offset in range(-10, 1):
        found = report(scene.world, as_of=scene.world.day(offset))
        assert all(row.unapplied_micros == 0 for row in found.rows)
        assert all(total.suspense == money(0) for total in found.totals)
    scene.world.check()


def test_money_that_waited_for_a_younger_invoice_is_never_counted_below_zero(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 10, issued=-3)
    changed = world.pay(10, customer, received=-9)
    world.do(undo, Undo(operation_id=changed.operation_id))
    for offset in range(-10, 1):
        found = report(world, as_of=world.day(offset))
        assert all(total.suspense.micros >= 0 for total in found.totals), offset
        assert all(min(row.buckets_micros) >= 0 and row.unapplied_micros >= 0 for row in found.rows), offset
    world.check()


def test_undo_under_a_newer_hard_lock_posts_on_the_first_open_day(scene: Scene) -> None:
    changed = scene.world.pay(40, scene.customer, received=-6)
    scene.world.do(change_setting, ChangeSetting(name="hard_lock", value=str(scene.world.day(-2))), by=ADMIN)
    last = ask_sql(scene.world, "SELECT MAX(id) FROM entry")[0][0]
    undone = scene.undo(changed.operation_id)
    days = ask_sql(scene.world, "SELECT MIN(effective_on), MAX(effective_on) FROM entry WHERE id > :last", last=last)
    assert [tuple(map(str, row)) for row in days] == [(str(scene.world.day(-1)),) * 2]
    assert undone.payment.voided_on == scene.world.day(-1)
    scene.world.check()


def test_what_has_no_undo_says_what_corrects_it(scene: Scene) -> None:
    world = scene.world
    line = LineInput(description="x", unit_price=money(5))
    plain = DraftInvoice(customer_id=scene.customer.id, lines=(line,), issue_on=world.today)
    draft = world.do(draft_invoice, plain)
    paid = world.pay(5).payment
    edit = EditPayment(payment_id=paid.id, version=1, payer="y", method=paid.method)
    undone = scene.undo(world.pay(5).operation_id)
    setting = ChangeSetting(name="due_days", value="9")
    right = Grant(profile=Profile(team=TEAM, user=STRANGER), role=Role.VIEWER)
    for operation_id, says in (
        (draft.operation_id, "delete the draft"),
        (world.do(send_invoice, SendInvoice(invoice_id=draft.invoice.id)).operation_id, "on its own card"),
        (world.do(edit_payment, edit).operation_id, "edit the payment again"),
        (world.do(void_payment, VoidPayment(payment_id=paid.id, reason="x")).operation_id, "record the money again"),
        (undone.operation_id, "do the operation again"),
        (world.do(change_setting, setting, by=ADMIN).operation_id, "a new operation"),
        (world.do(grant, right, by=ADMIN).operation_id, "a new operation"),
    ):
        with expect_refusal(world, NotUndoable, says=says):
            scene.undo(operation_id)
    with expect_refusal(world, NotFound):
        scene.undo(1)


def test_an_undone_recording_can_be_recorded_again_under_a_new_number(scene: Scene) -> None:
    first = do_record_assigned(scene)
    scene.undo(first.operation_id)
    second = do_record_assigned(scene)
    assert (first.payment.number, second.payment.number) == ("PAY-0001", "PAY-0002")
    assert second.left == money(0)
    preview = scene.world.desk.preview(undo, Undo(operation_id=second.operation_id), scene.world.request())
    assert preview.payment.state is PaymentState.VOID
    assert scene.payment(second.payment).state is PaymentState.RECORDED
    command = RecordPayment(payer="x", amount=money(1), received_on=scene.world.today)
    assert scene.world.do(record_payment, command).payment.number == "PAY-0003"
    scene.world.check()
