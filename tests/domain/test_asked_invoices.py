"""Invoices that ask for money: top-ups that are credit once paid, proformas that wait in advances until provisioned."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from bot.domain.credit_note import ApplyNote, ApproveNote, DraftNote, ReasonCode
from bot.domain.credit_notes import apply_note, approve_note, draft_note
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import (
    CustomerNotSettled,
    MasterShort,
    MoreThanLeft,
    NotEnoughUsable,
    NothingToAllocate,
    NotUndoable,
    Refused,
    WrongState,
)
from bot.domain.invoice_changes import DeleteDraft, EditDraft, VoidInvoice, delete_draft, edit_draft, void_invoice
from bot.domain.invoices import (
    DraftInvoice,
    LineInput,
    SendInvoice,
    SwitchAutoAllocation,
    send_invoice,
    switch_auto_allocation,
)
from bot.domain.limits import SetLimit, set_limit
from bot.domain.master_moves import TopUpMaster, top_up_master
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState, LotKind
from bot.domain.payments import (
    AllocatePayment,
    PaymentChanged,
    allocate_payment,
)
from bot.domain.ports import Page
from bot.domain.proformas import ProvisionProforma, provision_proforma
from bot.domain.receivables import AgeingQuestion
from bot.domain.undo import Undo, undo
from tests.domain.invoice_stages import PROFORMA, TOP_UP, allocate, asked, take_back
from tests.domain.usage_steps import charge
from tests.test_ageing_oracle import compare_identity
from tests.world import MANAGER, World, money, withdraw

Worlds = Callable[[], AbstractContextManager[World]]
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def tie(world: World) -> None:
    """The books prove themselves, and every past day's report ties."""
    world.check()
    for back in range(40):
        world.store.read(lambda books, back=back: compare_identity(books, world.day(-back)))  # type: ignore[misc]


@pytest.mark.rules(14, 91, 92, 93)
def test_a_top_up_invoice_is_credit_once_it_is_paid(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    draft = asked(world, customer, 500, TOP_UP, send=False)
    assert draft.number is None
    with pytest.raises(WrongState, match="is a draft; send it or mark it as sent first"):
        world.pay(500, customer, to=((draft, None),))
    sent = world.do(send_invoice, SendInvoice(invoice_id=draft.id)).invoice
    assert (sent.number, sent.status, sent.posted_on, sent.is_provisioned) == (
        "TOP-0001",
        "awaiting payment",
        None,
        False,
    )
    assert world.read_customer(customer).balance == money(0)
    paid = world.pay(800, customer, to=((sent, None),))
    after = world.read_invoice(sent)
    assert (after.status, after.is_provisioned) == ("paid", True)
    assert paid.left == money(300)
    assert world.read_customer(customer).balance == money(800)
    file = world.store.read(lambda books: books.customer_file(customer.id, world.today))
    assert {(each.kind, each.number, each.open) for each in file.unapplied} == {
        (LotKind.PAYMENT, "PAY-0001", money(300)),
        (LotKind.TOP_UP, "TOP-0001", money(500)),
    }
    tie(world)


@pytest.mark.rules(14)
def test_a_top_up_is_paid_whole_from_one_payment(world: World) -> None:
    customer = world.customer()
    sent = asked(world, customer, 500, TOP_UP)
    small, large = world.pay(300, customer), world.pay(600, customer)
    for paid, part in ((small, None), (small, 300), (large, 499)):
        with pytest.raises(MoreThanLeft):
            allocate(world, paid, sent, part)
    allocate(world, large, sent, 500)
    with pytest.raises(NothingToAllocate, match="is paid"):
        allocate(world, small, sent)
    tie(world)


@pytest.mark.rules(15)
def test_a_top_up_is_taken_back_only_while_its_credit_is_whole(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    sent = asked(world, customer, 50, TOP_UP, issued=-5)
    paid = world.pay(50, customer, received=-3, to=((sent, None),))
    back = take_back(world, paid, sent)
    assert back.left == money(50)
    assert world.read_invoice(sent).status == "awaiting payment"
    undone = world.do(undo, Undo(operation_id=back.operation_id))
    assert (undone.left, world.read_invoice(sent).status) == (money(0), "paid")
    tie(world)
    charge(world, customer, 10)
    with pytest.raises(WrongState, match=r"SGD 10\.00 of TOP-0001 went to usage of .* since"):
        take_back(world, paid, sent)
    with pytest.raises(NotUndoable):
        world.do(undo, Undo(operation_id=paid.operation_id))
    tie(world)


@pytest.mark.rules(15)
def test_a_held_top_up_is_not_taken_back(world: World) -> None:
    customer = world.customer()
    sent = asked(world, customer, 50, TOP_UP)
    paid = world.pay(50, customer, to=((sent, None),))
    withdraw(world, customer, 20)
    with pytest.raises(WrongState, match="went to a withdrawal since"):
        take_back(world, paid, sent)
    tie(world)


@pytest.mark.rules(15, 24, 27)
def test_the_credit_of_a_top_up_pays_what_is_owed_and_both_are_taken_back_together(world: World) -> None:
    customer = world.customer()
    sent = asked(world, customer, 50, TOP_UP)
    kept = world.pay(50, customer)
    assert world.read_invoice(sent).open == money(50), "no credit pays it by itself"
    owed = world.invoice(customer, 30)
    assert world.read_invoice(owed).status == "paid"
    take_back(world, kept)
    allocate(world, kept, sent)
    world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=owed.id, on=True))
    assert world.read_invoice(owed).status == "paid"
    with pytest.raises(WrongState, match=r"SGD 30\.00 of TOP-0001 went to INV-0001 since"):
        take_back(world, kept, sent)
    both = take_back(world, kept)
    assert (both.left, world.read_invoice(owed).open, world.read_invoice(sent).open) == (
        money(50),
        money(30),
        money(50),
    )
    world.do(undo, Undo(operation_id=both.operation_id))
    assert (world.read_invoice(owed).status, world.read_invoice(sent).status) == ("paid", "paid")
    tie(world)


def test_undo_takes_a_top_up_back_with_all_that_its_credit_paid(world: World) -> None:
    customer = world.customer()
    sent, owed = asked(world, customer, 50, TOP_UP), world.invoice(customer, 30)
    paid = world.pay(50, customer, to=((sent, None),))
    assert world.read_invoice(owed).status == "paid"
    world.do(undo, Undo(operation_id=paid.operation_id))
    assert (world.read_invoice(owed).open, world.read_invoice(sent).open) == (money(30), money(50))
    assert world.read_customer(customer).controls.deposits == 0
    tie(world)


@pytest.mark.rules(92, 94, 96, 97)
def test_only_what_nobody_owes_is_voided_and_only_drafts_are_deleted(world: World) -> None:
    customer = world.customer()
    sent, proforma, tax = (
        asked(world, customer, 50, TOP_UP),
        asked(world, customer, 50, PROFORMA),
        world.invoice(customer, 5),
    )
    paid = world.pay(100, customer, to=((sent, None), (proforma, 20)))
    for invoice, said in (
        (sent, "is paid by PAY-0001"),
        (proforma, "partially paid by PAY-0001"),
        (tax, "credit note"),
    ):
        with pytest.raises(WrongState, match=said):
            world.do(void_invoice, VoidInvoice(invoice_id=invoice.id))
        with pytest.raises(WrongState, match="only a draft is deleted"):
            world.do(delete_draft, DeleteDraft(invoice_id=invoice.id))
    take_back(world, paid, sent, proforma)
    for invoice in (sent, proforma):
        voided = world.do(void_invoice, VoidInvoice(invoice_id=invoice.id, reason="Not wanted")).invoice
        assert (voided.state, voided.number, voided.open) == (InvoiceState.VOID, invoice.number, money(0))
        with pytest.raises(NothingToAllocate):
            allocate(world, paid, invoice)
    draft = asked(world, customer, 7, PROFORMA, send=False)
    world.do(delete_draft, DeleteDraft(invoice_id=draft.id))
    assert world.store.read(lambda books: books.invoice(str(draft.id))) is None
    tie(world)


def limited(world: World, customer: Customer, limit: int) -> None:
    world.do(set_limit, SetLimit(customer_id=customer.id, amount=money(limit)), by=MANAGER)


@pytest.mark.rules(29, 98, 99, 100)
def test_provisioning_pays_from_the_balance_and_leaves_what_only_the_limit_covers(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.pay(10, customer)
    limited(world, customer, 50)
    proforma = asked(world, customer, 30, PROFORMA)
    assert world.read_customer(customer).balance == money(10), "a proforma is not owed"
    made = world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id)).invoice
    assert (made.kind, made.number, made.proforma_number) == (InvoiceKind.TAX, "INV-0001", "PRO-0001")
    assert (made.status, made.open, made.is_provisioned) == ("partially paid", money(20), True)
    after = world.read_customer(customer)
    assert (after.balance, after.usable(world.now)) == (money(-20), money(30))
    tie(world)


@pytest.mark.rules(98, 99)
def test_provisioning_is_all_or_nothing(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    limited(world, customer, 19)
    proforma = asked(world, customer, 30, PROFORMA)
    paid = world.pay(10, customer)
    allocate(world, paid, proforma, 10)
    with pytest.raises(NotEnoughUsable, match=r"SGD 20\.00 is more"):
        world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id))
    assert world.read_invoice(proforma).kind is PROFORMA
    limited(world, customer, 20)
    made = world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id)).invoice
    assert (made.kind, made.open) == (InvoiceKind.TAX, money(20))
    for again in (made, asked(world, customer, 5, TOP_UP), asked(world, customer, 5, PROFORMA, send=False)):
        with pytest.raises(WrongState, match=r"only a (sent )?proforma is provisioned"):
            world.do(provision_proforma, ProvisionProforma(invoice_id=again.id))
    tie(world)


@pytest.mark.rules(16, 17, 95, 96)
def test_the_payment_of_a_proforma_is_removed_before_and_after_it_is_a_tax_invoice(world: World) -> None:
    customer = world.customer()
    proforma = asked(world, customer, 100, PROFORMA, issued=-9, tax=9)
    paid = world.pay(109, customer, received=-6, to=((proforma, None),))
    before = world.read_customer(customer)
    assert (before.controls.advances, before.controls.deposits, before.amount_due) == (109_000_000, 0, money(0))
    take_back(world, paid)
    assert world.read_customer(customer).controls.advances == 0
    again = allocate(world, paid, proforma)
    made = world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id)).invoice
    assert (made.status, made.issue_on, (made.due_on - made.issue_on).days) == ("paid", world.today, 30)
    with pytest.raises(NotUndoable, match="INV-0001 changed since"):
        world.do(undo, Undo(operation_id=again.operation_id))
    tie(world)
    take_back(world, paid, proforma)
    owed = world.read_invoice(proforma)
    assert (owed.status, owed.auto_allocate) == ("awaiting payment", False)
    assert world.read_customer(customer).controls.receivable == 109_000_000
    with pytest.raises(WrongState, match="credit note"):
        world.do(void_invoice, VoidInvoice(invoice_id=owed.id))
    with pytest.raises(WrongState, match="credit note"):
        world.do(edit_draft, editing(customer, owed, 5))
    tie(world)


def editing(customer: Customer, draft: Invoice, amount: int) -> EditDraft:
    line = LineInput(description="Other", unit_price=money(amount), cost=money(1))
    content = DraftInvoice(customer_id=customer.id, lines=(line, line), issue_on=draft.issue_on, kind=PROFORMA)
    return EditDraft(invoice_id=draft.id, version=draft.version, content=content)


@pytest.mark.rules(92, 96)
def test_a_draft_is_edited_and_then_sent(world: World) -> None:
    customer = world.customer()
    draft = asked(world, customer, 10, PROFORMA, send=False)
    after = world.do(edit_draft, editing(customer, draft, 20)).invoice
    assert (after.total, after.draft_reference) == (money(40), draft.draft_reference)
    with pytest.raises(WrongState, match="somebody else"):
        world.do(edit_draft, editing(customer, draft, 30))
    other = replace(editing(customer, after, 30).content, kind=TOP_UP)
    with pytest.raises(WrongState, match="stays a proforma"):
        world.do(edit_draft, EditDraft(invoice_id=after.id, version=after.version, content=other))
    sent = world.do(send_invoice, SendInvoice(invoice_id=draft.id))
    assert (sent.invoice.number, [each.net for each in sent.lines]) == ("PRO-0001", [money(20), money(20)])
    tie(world)


@pytest.mark.rules(54, 55, 98)
def test_what_a_provisioned_sale_costs_is_paid_by_the_master_account(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.do(top_up_master, TopUpMaster(amount=money(100), paid_on=world.today), by=MANAGER)
    world.pay(500, customer)
    dear, cheap = asked(world, customer, 200, PROFORMA, cost=101), asked(world, customer, 200, PROFORMA, cost=40)
    with pytest.raises(MasterShort):
        world.do(provision_proforma, ProvisionProforma(invoice_id=dear.id))
    world.do(provision_proforma, ProvisionProforma(invoice_id=cheap.id))
    (master,) = world.store.read(lambda books: books.masters())
    assert (master.balance, master.liability) == (money(60), money(300))
    tie(world)


@pytest.mark.rules(51)
def test_advances_stay_in_the_liability_of_the_master_account(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    world.do(top_up_master, TopUpMaster(amount=money(100), paid_on=world.today), by=MANAGER)
    proforma = asked(world, customer, 60, PROFORMA)
    world.pay(80, customer, to=((proforma, None),))
    (master,) = world.store.read(lambda books: books.masters())
    assert master.liability == money(80)
    assert world.read_customer(customer).usable(world.now) == money(20)


@pytest.mark.rule(27)
def test_nothing_but_a_payment_is_allocated_to_what_nobody_owes(world: World) -> None:
    customer = world.customer()
    sent = asked(world, customer, 50, TOP_UP)
    proforma = asked(world, customer, 50, PROFORMA)
    line = LineInput(description="Returned", unit_price=money(50))
    given = DraftNote(customer_id=customer.id, issue_on=world.today, code=ReasonCode.RETURNED, reason="", lines=(line,))
    note = world.do(draft_note, given).note
    world.do(approve_note, ApproveNote(note_id=note.id), by=MANAGER)
    for invoice in (sent, proforma):
        with pytest.raises(WrongState, match="applied to a sent tax invoice"):
            world.do(apply_note, ApplyNote(note_id=note.id, portions=((invoice.id, None),)))
        with pytest.raises(WrongState, match="paid by hand"):
            world.do(switch_auto_allocation, SwitchAutoAllocation(invoice_id=invoice.id, on=False))
    paid = world.pay(200, customer)
    with pytest.raises(NothingToAllocate, match="no invoice"):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.payment.id))
    report = world.store.read(lambda books: books.ageing(AgeingQuestion(as_of=world.today)))
    assert [(row.total_micros, row.unapplied_micros) for row in report.rows] == [(0, 250_000_000)]
    tie(world)


@pytest.mark.rules(45)
def test_a_customer_with_advances_or_an_invoice_that_waits_is_not_closed(world: World) -> None:
    customer = world.customer()
    proforma = asked(world, customer, 50, PROFORMA)

    def close() -> None:
        command = ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.CLOSED, reason="Gone")
        world.do(change_customer_state, command)

    with pytest.raises(WrongState, match="has the proforma invoice PRO-0001, awaiting payment; void it"):
        close()
    paid = world.pay(50, customer, to=((proforma, None),))
    with pytest.raises(CustomerNotSettled, match=r"advances SGD 50\.00"):
        close()
    take_back(world, paid)
    world.do(void_invoice, VoidInvoice(invoice_id=proforma.id))
    withdraw(world, customer, 50)
    with pytest.raises(CustomerNotSettled, match="payouts"):
        close()


STEPS = ("pay top-up", "pay part", "pay rest", "take back top-up", "take back proforma", "provision", "undo")


@pytest.mark.rules(14, 15, 16, 17, 98)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(max_examples=25, deadline=None, suppress_health_check=UNHURRIED)
@given(order=some.lists(some.sampled_from(STEPS), min_size=4, max_size=12))
def test_payments_are_matched_and_taken_back_in_any_order(worlds: Worlds, order: list[str]) -> None:
    with worlds() as world:
        customer = world.customer(mode=Mode.PREPAID)
        world.invoice(customer, 30)
        top_up, proforma = asked(world, customer, 50, TOP_UP), asked(world, customer, 40, PROFORMA)
        paid, last = world.pay(130, customer), [0]

        def done(made: PaymentChanged) -> None:
            last[0] = made.operation_id

        steps: dict[str, Callable[[], object]] = {
            "pay top-up": lambda: done(allocate(world, paid, top_up)),
            "pay part": lambda: done(allocate(world, paid, proforma, 15)),
            "pay rest": lambda: done(allocate(world, paid, proforma)),
            "take back top-up": lambda: done(take_back(world, paid, top_up)),
            "take back proforma": lambda: done(take_back(world, paid, proforma)),
            "provision": lambda: world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id)),
            "undo": lambda: world.do(undo, Undo(operation_id=last[0])),
        }
        for step in order:
            with suppress(Refused):
                steps[step]()
            world.check()
            after = world.read_customer(customer)
            assert (
                after.controls.deposits + after.controls.advances - after.controls.receivable + _invoiced(world)
                == money(130).micros
            )
        tie(world)


def _invoiced(world: World) -> int:
    """What all tax invoices are about."""
    lines = world.store.read(lambda books: books.list_invoices(Page(limit=9)))
    return sum(each.invoice.total.micros for each in lines if each.invoice.is_owed)
