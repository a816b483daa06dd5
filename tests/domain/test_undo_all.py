"""Undo beside payments and credit: notes, limits, modes and requests; refused once something was built on it."""

from datetime import timedelta

import pytest

from bot.domain import credit_undo
from bot.domain.approvals import Approve, approve_request
from bot.domain.credit_note import ApplyNote, ApproveNote, CreditNote, DraftNote, ReasonCode, UnapplyNote, VoidNote
from bot.domain.credit_notes import apply_note, approve_note, draft_note, unapply_note, void_note
from bot.domain.customers import Customer, Mode
from bot.domain.errors import NoAccess, NotUndoable
from bot.domain.invoice_undo import undo_invoice
from bot.domain.invoices import LineInput, draft_invoice
from bot.domain.limits import ExtendLimit, SetLimit, extend_limit, limit_at, set_limit
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.note_undo import undo_note
from bot.domain.open_items import Invoice
from bot.domain.operation import Actor
from bot.domain.request_undo import undo_request
from bot.domain.terms_undo import undo_limit, undo_mode
from bot.domain.undo import Undo
from bot.domain.undoing import CORRECTED_BY, UNDONE_BY
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from bot.domain.worklist import Worklist
from bot.storage.reports import SqlReadBooks
from tests.domain.expect import ask_sql, expect_refusal
from tests.domain.invoice_stages import PROFORMA, TOP_UP, asking
from tests.domain.samples import all_operations
from tests.domain.usage_steps import charge
from tests.world import CLERK, MANAGER, OWNER, TEAM, VIEWER, World, money

# What no undo reverses and no document corrects: people, settings, imports, and what the system does by itself.
ADMINISTRATIVE = {
    *("grant", "revoke", "leave", "set_owner", "change_setting", "move_locks", "plan_digest"),
    *("delegate", "end_delegation", "announce_limit", "expire_request", "remind_of_request"),
    *("begin_reminders", "plan_reminders", "show_reminders", "release_due", "send_reminder", "expire_reminder"),
    *("tell_reminders", "tell_broken_promise"),
}


def noted(world: World, customer: Customer, amount: int) -> CreditNote:
    line = LineInput(description="x", unit_price=money(amount))
    command = DraftNote(
        customer_id=customer.id, issue_on=world.today, code=ReasonCode.DISCOUNT, reason="", lines=(line,)
    )
    draft = world.do(draft_note, command).note
    return world.do(approve_note, ApproveNote(note_id=draft.id), by=MANAGER).note


def apply(world: World, note: CreditNote, invoice: Invoice, amount: int | None = None) -> int:
    part = money(amount) if amount is not None else None
    return world.do(apply_note, ApplyNote(note_id=note.id, portions=((invoice.id, part),))).operation_id


def limit(world: World, customer: Customer, amount: int, days: int | None = None) -> int:
    command = SetLimit(customer_id=customer.id, amount=money(amount), days=days, reason="x")
    return world.do(set_limit, command, by=MANAGER).operation_id


def in_force(world: World, customer: Customer) -> str:
    return str(limit_at(world.read_customer(customer), world.now))


@pytest.mark.rule(36, 38)
def test_applying_a_note_is_undone_whole_and_taking_it_back_as_well(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100)
    note = noted(world, customer, 40)
    applied = apply(world, note, invoice, 30)
    world.do(undo_note, Undo(operation_id=applied))
    assert world.read_invoice(invoice).open == money(100)
    apply(world, note, invoice, 30)
    back = world.do(unapply_note, UnapplyNote(note_id=note.id)).operation_id
    assert not world.read_invoice(invoice).auto_allocate
    again = world.do(undo_note, Undo(operation_id=back))
    assert again.note.open == money(10)
    assert (world.read_invoice(invoice).open, world.read_invoice(invoice).auto_allocate) == (money(70), True)
    with expect_refusal(world, NotUndoable, says="undone already"):
        world.do(undo_note, Undo(operation_id=back))
    world.check()


def test_undo_of_a_note_is_refused_with_what_was_built_on_it(world: World) -> None:
    customer = world.customer()
    first, second = world.invoice(customer, 50, auto=False), world.invoice(customer, 50, auto=False)
    note = noted(world, customer, 40)
    applied = apply(world, note, first)
    back = world.do(unapply_note, UnapplyNote(note_id=note.id)).operation_id
    with expect_refusal(world, NotUndoable, says=f"taken back from {first.number} since"):
        world.do(undo_note, Undo(operation_id=applied))
    other = apply(world, note, second)
    with expect_refusal(world, NotUndoable, says=f"is applied to {second.number} since"):
        world.do(undo_note, Undo(operation_id=back))
    world.do(undo_note, Undo(operation_id=other))
    world.pay(20, customer, to=((first, 20),))
    with expect_refusal(world, NotUndoable, says=f"{first.number} is paid by PAY-0001 since"):
        world.do(undo_note, Undo(operation_id=back))
    world.do(void_note, VoidNote(note_id=note.id, reason="x"), by=MANAGER)
    with expect_refusal(world, NotUndoable, says="is void since"):
        world.do(undo_note, Undo(operation_id=back))
    world.now += timedelta(minutes=11)
    with expect_refusal(world, NotUndoable, says="The time for undo has passed; take the note back"):
        world.do(undo_note, Undo(operation_id=applied))
    world.check()


@pytest.mark.rule(56, 62)
def test_the_limit_before_counts_again_with_its_end(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    first = limit(world, customer, 100, days=5)
    before = world.read_customer(customer)
    longer = world.do(extend_limit, ExtendLimit(customer_id=customer.id, days=7), by=MANAGER).operation_id
    raised = limit(world, customer, 900)
    with expect_refusal(world, NotUndoable, says="were changed since (Set limit)"):
        world.do(undo_limit, Undo(operation_id=longer), by=MANAGER)
    with expect_refusal(world, NoAccess):
        world.do(undo_limit, Undo(operation_id=raised), by=CLERK)
    for operation_id in (raised, longer):
        world.do(undo_limit, Undo(operation_id=operation_id), by=MANAGER)
    assert world.read_customer(customer) == before
    world.do(undo_limit, Undo(operation_id=first), by=MANAGER)
    assert in_force(world, customer) == "SGD 0.00"
    assert len(ask_sql(world, "SELECT id FROM credit_limit")) == 6
    world.check()


def test_a_limit_on_which_something_was_bought_is_not_taken_away(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(10, customer)
    raised = limit(world, customer, 100)
    charge(world, customer, 5, line_id="SMALL")
    again = world.do(undo_limit, Undo(operation_id=raised), by=MANAGER)
    assert str(again.after.usable(world.now)) == "SGD 5.00"
    raised = limit(world, customer, 100)
    charge(world, customer, 50, line_id="CALL-17")
    with expect_refusal(world, NotUndoable, says="CALL-17 was bought on this limit since; set another limit"):
        world.do(undo_limit, Undo(operation_id=raised), by=MANAGER)
    world.check()


@pytest.mark.rule(64)
def test_a_switch_is_undone_with_its_limit_until_something_was_bought(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limit(world, customer, 100, days=5)
    before = world.read_customer(customer)
    command = SwitchMode(customer_id=customer.id, mode=Mode.POSTPAID, limit=money(300))
    switched = world.do(switch_mode, command, by=MANAGER)
    undone = world.do(undo_mode, Undo(operation_id=switched.operation_id), by=MANAGER)
    assert (undone.step, world.read_customer(customer)) == ("undone", before)
    switched = world.do(switch_mode, command, by=MANAGER)
    charge(world, customer, 5, line_id="CALL-18")
    with expect_refusal(world, NotUndoable, says="CALL-18 came since; switch back with /payment-mode"):
        world.do(undo_mode, Undo(operation_id=switched.operation_id), by=MANAGER)
    world.check()


@pytest.mark.rule(43)
def test_a_request_is_undone_by_cancelling_until_it_is_decided(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(100, customer)
    command = RequestWithdrawal(customer_id=customer.id, amount=money(40), gateway=Gateway.CASH, reason="x")
    asked = world.do(request_withdrawal, command)
    with expect_refusal(world, NoAccess):
        world.do(undo_request, Undo(operation_id=asked.operation_id), by=VIEWER)
    undone = world.do(undo_request, Undo(operation_id=asked.operation_id))
    assert (undone.step, undone.effect.after.controls.reserved) == ("undone", 0)
    again = world.do(request_withdrawal, command)
    world.do(approve_request, Approve(approval_id=again.withdrawal.approval_id, version=1), by=MANAGER)
    with expect_refusal(world, NotUndoable, says="is approved since; record the money again"):
        world.do(undo_request, Undo(operation_id=again.operation_id))
    terms = limit(world, customer, 9000)
    world.do(undo_request, Undo(operation_id=terms), by=MANAGER)
    assert ask_sql(world, "SELECT state FROM terms_request") == [("cancelled",)]
    terms = limit(world, customer, 9000)
    (approval,) = world.store.read(lambda books: books.waiting_approvals())
    world.do(approve_request, Approve(approval_id=approval.id, version=1), by=OWNER)
    with expect_refusal(world, NotUndoable, says="set the terms again"):
        world.do(undo_request, Undo(operation_id=terms), by=MANAGER)
    world.check()


@pytest.mark.rules(94, 95, 96, 97)
def test_a_sent_top_up_invoice_or_proforma_is_undone_by_voiding_and_a_tax_invoice_is_not(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    for kind in (TOP_UP, PROFORMA):
        sent = world.do(draft_invoice, asking(world, customer, 10, kind))
        undone = world.do(undo_invoice, Undo(operation_id=sent.operation_id))
        assert (undone.invoice.status, undone.invoice.number) == ("void", sent.invoice.number)
        with expect_refusal(world, NotUndoable, says="undone already"):
            world.do(undo_invoice, Undo(operation_id=sent.operation_id))
        paid = world.do(draft_invoice, asking(world, customer, 10, kind))
        world.pay(10, customer, to=((paid.invoice, None),))
        with expect_refusal(world, NotUndoable, says="take that payment back first"):
            world.do(undo_invoice, Undo(operation_id=paid.operation_id))
    owed = world.invoiced(customer, 10)
    with expect_refusal(world, NotUndoable, says="a credit note corrects it"):
        world.do(undo_invoice, Undo(operation_id=owed.operation_id))
    waiting = world.do(draft_invoice, asking(world, customer, 10, TOP_UP))
    done = {each.operation_id: each.is_undoable for each in world.store.read(lambda books: home_of(books, world)).done}
    assert (done[waiting.operation_id], done[owed.operation_id]) == (True, False)
    world.check()


def home_of(books: SqlReadBooks, world: World) -> Worklist:
    return books.worklist(Actor(team=TEAM, user=CLERK), world.now)


def test_each_operation_can_be_undone_or_names_what_corrects_it() -> None:
    assert credit_undo.undo_credit.name in UNDONE_BY.values()
    undone = {name for name, _ in UNDONE_BY}
    known = {each.name for each in all_operations()}
    imports = {each for each in known if "intake" in each or "opening" in each or each.startswith("import_")}
    left = known - undone - set(CORRECTED_BY) - ADMINISTRATIVE - imports
    assert not left
    assert not set(CORRECTED_BY) - known
