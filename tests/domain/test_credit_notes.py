"""Credit notes: drafted, approved, applied, taken back, void; never more than was invoiced."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.allocation import Portion
from bot.domain.approvals import Approve, Reject, approve_request, reject_request
from bot.domain.credit_note import (
    ApplyNote,
    ApproveNote,
    CopyNote,
    CreditNote,
    DraftNote,
    Left,
    NoteChanged,
    NoteState,
    ReasonCode,
    UnapplyNote,
    VoidNote,
    split_of_invoice,
)
from bot.domain.credit_notes import apply_note, approve_note, copy_note, draft_note, unapply_note, void_note
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerState
from bot.domain.errors import (
    CustomerClosed,
    DateInFuture,
    InvoiceOfAnotherCustomer,
    MissingText,
    MoreThanLeft,
    NoAccess,
    NotPositive,
    OwnRequest,
    Refused,
    WrongState,
)
from bot.domain.invoices import InvoiceLine, LineInput
from bot.domain.money import Money, currency, tax_of
from bot.domain.open_items import Invoice
from bot.domain.operation import DocumentKind
from bot.domain.payments import AllocatePayment, UnallocatePayment, allocate_payment, unallocate_payment
from tests.domain.expect import ask_sql, expect_refusal, report
from tests.world import CLERK, MANAGER, World, money


def drafted(world: World, customer: Customer, amount: str | int, *, tax: str = "0", issued: int = 0) -> CreditNote:
    line = LineInput(description="Returned", unit_price=money(amount, customer.currency.code), tax_rate=Decimal(tax))
    command = DraftNote(
        customer_id=customer.id, issue_on=world.day(issued), code=ReasonCode.RETURNED, reason="", lines=(line,)
    )
    return world.do(draft_note, command).note


def of_invoice(world: World, invoice: Invoice, amount: str | int | None = None) -> CreditNote:
    worth = None if amount is None else money(amount, invoice.total.currency.code)
    command = DraftNote(
        customer_id=invoice.customer_id,
        issue_on=world.today,
        code=ReasonCode.WRONG_PRICE,
        reason="",
        invoice_id=invoice.id,
        amount=worth,
    )
    return world.do(draft_note, command).note


def approved(world: World, note: CreditNote) -> CreditNote:
    return world.do(approve_note, ApproveNote(note_id=note.id), by=MANAGER).note


def noted(world: World, customer: Customer, amount: str | int, *, tax: str = "0", issued: int = 0) -> CreditNote:
    """An approved note."""
    return approved(world, drafted(world, customer, amount, tax=tax, issued=issued))


def applied(world: World, note: CreditNote, *to: tuple[Invoice, str | int | None]) -> NoteChanged:
    portions = tuple((invoice.id, None if part is None else money(part)) for invoice, part in to)
    return world.do(apply_note, ApplyNote(note_id=note.id, portions=portions))


@pytest.mark.rule(31, 32, 40)
def test_a_note_is_drafted_approved_numbered_and_copied_as_a_draft(world: World) -> None:
    customer = world.customer()
    draft = drafted(world, customer, 50, tax="9")
    assert (draft.number, draft.status, draft.label[:6]) == (None, "draft", "DRAFT-")
    sent = approved(world, draft)
    assert (sent.number, sent.status, sent.total) == ("CN-0001", "awaiting payment", money("54.50"))
    copy = world.do(copy_note, CopyNote(note_id=sent.id, issue_on=world.today)).note
    assert (copy.number, copy.state, copy.total, copy.copied_from) == (None, NoteState.DRAFT, sent.total, sent.id)
    assert approved(world, copy).number == "CN-0002"
    world.check()


@pytest.mark.rule(33)
def test_a_draft_is_not_applied(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30)
    draft = drafted(world, customer, 50)
    with expect_refusal(world, WrongState, says="is draft; only an approved note"):
        applied(world, draft, (invoice, None))


@pytest.mark.rule(34, 37, 38)
def test_a_note_is_applied_in_part_to_several_invoices_and_closed_when_all_is(world: World) -> None:
    customer = world.customer()
    first, second = world.invoice(customer, 30, auto=False), world.invoice(customer, 40, auto=False)
    note = noted(world, customer, 50)
    part = applied(world, note, (first, 10), (second, 15))
    assert (part.note.status, part.note.open) == ("partly applied", money(25))
    assert [world.read_invoice(each).open for each in (first, second)] == [money(20), money(25)]
    with expect_refusal(world, MoreThanLeft, field="invoices", says="has SGD 20.00 left"):
        applied(world, note, (first, 21))
    with expect_refusal(world, MoreThanLeft, field="invoices", says="CN-0001 has SGD 5.00 left"):
        applied(world, note, (first, 20), (second, 6))
    done = applied(world, note, (second, None))
    assert (done.note.status, done.note.open) == ("applied", money(0))
    assert world.read_invoice(second).status == "paid"
    with expect_refusal(world, MoreThanLeft, field="invoices", says="nothing is left of it"):
        applied(world, note, (first, None))
    world.check()


@pytest.mark.rule(35, 36)
def test_a_paid_invoice_takes_a_note_once_its_payment_is_taken_back(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30)
    paid = world.pay(30, customer).payment
    note = noted(world, customer, 50)
    with expect_refusal(world, WrongState, field="invoices", says="paid by PAY-0001; take that payment back"):
        applied(world, note, (invoice, None))
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    assert applied(world, note, (invoice, None)).note.open == money(20)
    assert world.read_invoice(invoice).status == "paid"
    world.check()


@pytest.mark.rule(39)
def test_an_applied_note_is_not_voided_and_a_void_one_not_applied(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30)
    note = noted(world, customer, 50, tax="9")
    applied(world, note, (invoice, None))
    void = VoidNote(note_id=note.id, reason="Written twice")
    with expect_refusal(world, WrongState, says="take it back from its invoices first"):
        world.do(void_note, void, by=MANAGER)
    world.do(unapply_note, UnapplyNote(note_id=note.id))
    gone = world.do(void_note, void, by=MANAGER).note
    assert (gone.number, gone.status) == ("CN-0001", "void")
    with expect_refusal(world, WrongState, says="is void; only an approved note"):
        applied(world, note, (invoice, None))
    with expect_refusal(world, WrongState, says="void already"):
        world.do(void_note, void, by=MANAGER)
    assert world.read_customer(customer).controls.credit_notes == 0
    world.check()


def test_a_note_taken_back_leaves_the_invoice_open_and_out_of_the_sweep(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30)
    note = noted(world, customer, 30)
    applied(world, note, (invoice, None))
    world.do(unapply_note, UnapplyNote(note_id=note.id, invoice_ids=(invoice.id,)))
    world.pay(30, customer)
    now = world.read_invoice(invoice)
    assert (now.open, now.auto_allocate) == (money(30), False)
    with expect_refusal(world, WrongState, field="invoices", says="applied to none"):
        world.do(unapply_note, UnapplyNote(note_id=note.id))
    world.check()


def test_nothing_lets_a_note_pay_by_itself(world: World) -> None:
    customer = world.customer()
    noted(world, customer, 30)
    invoice = world.invoice(customer, 30)
    world.pay(10, customer)
    assert world.read_invoice(invoice).open == money(20)
    assert world.read_customer(customer).balance == money(-20)
    world.check()


def test_a_payment_and_a_note_share_an_invoice_and_each_is_taken_back_alone(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30, auto=False)
    note = noted(world, customer, 10)
    applied(world, note, (invoice, None))
    paid = world.pay(50, customer).payment
    share = (Portion(invoice_id=invoice.id, amount=money(20)),)
    world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=share))
    assert world.read_invoice(invoice).status == "paid"
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    assert world.read_invoice(invoice).open == money(20)
    world.check()


def test_past_reports_keep_a_note_that_was_applied_or_voided_since(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30, auto=False, issued=-5)
    kept, gone = noted(world, customer, 20, issued=-3), noted(world, customer, 7, issued=-2)
    before = report(world)
    assert before.rows[0].unapplied_micros == money(27).micros
    day = world.today
    world.now += timedelta(days=2)
    applied(world, kept, (invoice, 15))
    world.do(void_note, VoidNote(note_id=gone.id, reason="Twice"), by=MANAGER)
    assert report(world).rows[0].unapplied_micros == money(5).micros
    assert report(world, as_of=day).rows == before.rows
    assert report(world, as_of=day - timedelta(days=3)).rows[0].unapplied_micros == money(20).micros
    world.do(unapply_note, UnapplyNote(note_id=kept.id))
    assert report(world, as_of=day).rows == before.rows
    world.check()


def test_notes_of_an_invoice_never_exceed_it_and_the_last_closes_it(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, "33.33", tax="7", auto=False)
    parts = [approved(world, of_invoice(world, invoice, "11.89")) for _ in range(2)]
    with expect_refusal(world, MoreThanLeft, field="amount", says="At most SGD 11.88"):
        of_invoice(world, invoice, "11.89")
    last = of_invoice(world, invoice)
    late = of_invoice(world, invoice, 5)
    parts.append(approved(world, last))
    assert sum(each.net.micros for each in parts) == invoice.net.micros
    assert sum(each.tax.micros for each in parts) == invoice.tax.micros
    with expect_refusal(world, MoreThanLeft, field="invoice", says="credited already"):
        approved(world, late)
    with expect_refusal(world, MoreThanLeft, field="invoice", says="credited already"):
        of_invoice(world, invoice)
    world.check()


@given(
    code=some.sampled_from(["SGD", "JPY", "KWD"]),
    lines=some.lists(some.tuples(some.integers(1, 10**7), some.integers(0, 3000)), min_size=1, max_size=4),
    shares=some.lists(some.integers(1, 99), max_size=5),
)
def test_partial_notes_in_any_sizes_close_net_and_tax_to_zero(
    code: str, lines: list[tuple[int, int]], shares: list[int]
) -> None:
    of = currency(code)
    zero = Money(0, of)
    left = []
    for position, (units, rate) in enumerate(lines, 1):
        net = Money(units * of.unit_micros, of)
        percent = Decimal(rate).scaleb(-2)
        tax = tax_of(net, percent)
        line = InvoiceLine(description="x", quantity=Decimal(1), unit_price=net, tax_rate=percent, net=net, tax=tax)
        left.append(Left(position, line, net, tax))
    for share in [*shares, None]:
        whole = sum(each.gross.micros for each in left)
        if not whole:
            break
        part = None
        if share is not None:
            part = Money(max(1, whole * share // 100 // of.unit_micros) * of.unit_micros, of)
        made = split_of_invoice(part, left)
        by_position = {each.of_position: each.line for each in made}
        for each in made:
            assert each.line.net.is_whole_minor
            assert each.line.tax.is_whole_minor
            assert min(each.line.net, each.line.tax) >= zero
        if part is not None:
            assert sum((each.line.net + each.line.tax).micros for each in made) == part.micros
        left = [
            replace(
                each,
                net=each.net - by_position[each.position].net if each.position in by_position else each.net,
                tax=each.tax - by_position[each.position].tax if each.position in by_position else each.tax,
            )
            for each in left
        ]
        assert all(each.net >= zero and each.tax >= zero for each in left)
    assert all(not each.net and not each.tax for each in left)


def test_from_the_amount_of_the_policy_on_others_approve(world: World) -> None:
    customer = world.customer()
    draft = drafted(world, customer, 1000)
    with expect_refusal(world, OwnRequest, says="decided by approval"):
        approved(world, draft)
    waiting = world.store.read(lambda books: books.waiting_approvals())[0]
    assert (waiting.document, waiting.amount, waiting.requester) == (DocumentKind.CREDIT_NOTE, money(1000), CLERK)
    with expect_refusal(world, WrongState, says="waits for approval"):
        world.do(void_note, VoidNote(note_id=draft.id, reason="x"), by=MANAGER)
    world.do(approve_request, Approve(approval_id=waiting.id, version=1), by=MANAGER)
    found = world.store.read(lambda books: books.note("CN-0001"))
    assert found is not None
    assert found.status == "awaiting payment"
    world.check()
    other = drafted(world, customer, 2000)
    asked = world.store.read(lambda books: books.waiting_approvals())[0]
    world.do(reject_request, Reject(approval_id=asked.id, version=1, reason="Too much"), by=MANAGER)
    gone = world.store.read(lambda books: books.note(str(other.id)))
    assert gone is not None
    assert (gone.status, gone.number) == ("void", None)
    world.check()


def test_a_note_is_not_approved_for_a_customer_that_was_closed_meanwhile(world: World) -> None:
    customer = world.customer()
    drafted(world, customer, 1000)
    closed = ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.CLOSED, reason="Gone")
    world.do(change_customer_state, closed)
    waiting = world.store.read(lambda books: books.waiting_approvals())[0]
    with expect_refusal(world, CustomerClosed, field="customer"):
        world.do(approve_request, Approve(approval_id=waiting.id, version=1), by=MANAGER)
    world.do(reject_request, Reject(approval_id=waiting.id, version=1, reason="Closed"), by=MANAGER)
    world.check()


def test_what_cannot_be_is_refused(world: World) -> None:
    customer, other = world.customer(), world.customer("OTHER")
    foreign = world.invoice(other, 30)
    line = LineInput(description="x", unit_price=money(5))
    good = DraftNote(
        customer_id=customer.id, issue_on=world.today, code=ReasonCode.OTHER, reason="Agreed", lines=(line,)
    )
    for changed, refusal, field in (
        ({"issue_on": world.day(1)}, DateInFuture, "issue_on"),
        ({"reason": " "}, MissingText, "reason"),
        ({"lines": ()}, MissingText, "lines"),
        ({"lines": (replace(line, unit_price=money(0)),)}, NotPositive, "lines"),
        ({"invoice_id": foreign.id}, WrongState, "invoice"),
    ):
        with expect_refusal(world, refusal, field=field):
            world.do(draft_note, replace(good, **changed))
    note = noted(world, customer, 10)
    with expect_refusal(world, InvoiceOfAnotherCustomer, field="invoices"):
        applied(world, note, (foreign, None))
    with expect_refusal(world, Refused, field="invoices"):
        applied(world, note)
    with expect_refusal(world, NoAccess, says="right of a manager"):
        world.do(approve_note, ApproveNote(note_id=note.id), by=CLERK)
    assert ask_sql(world, "SELECT COUNT(*) FROM credit_note") == [(1,)]
