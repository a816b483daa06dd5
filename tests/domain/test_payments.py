"""Payments: recorded, assigned, allocated, edited, voided."""

from datetime import timedelta

import pytest

from bot.domain.allocation import Portion
from bot.domain.customers import Mode
from bot.domain.errors import (
    CurrencyMixed,
    CustomerClosed,
    DateInFuture,
    DateTooEarly,
    InvoiceOfAnotherCustomer,
    MissingText,
    MoreThanLeft,
    NoEditsLeft,
    NotFound,
    NothingToAllocate,
    NotPositive,
    PaymentAssigned,
    PaymentHasAllocations,
    PaymentNotAssigned,
    TextTooLong,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    EditPayment,
    Method,
    Payment,
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
from bot.domain.ports import Page
from bot.domain.settings import ChangeSetting, change_setting
from tests.domain.expect import ask_sql, everything, expect_refusal, run_sql, standing
from tests.world import ADMIN, World, money


def read_payment(world: World, number: str) -> Payment:
    found = world.store.read(lambda books: books.payment(number))
    assert found is not None
    return found


def correction(payment: Payment, **changes: str) -> EditPayment:
    return EditPayment(
        payment_id=payment.id,
        version=payment.version,
        payer=changes.get("payer", payment.payer),
        method=Method(changes.get("method", payment.method.value)),
        reference=changes.get("reference", payment.reference),
        invoice_hint=changes.get("invoice_hint", payment.invoice_hint),
        remark=changes.get("remark", payment.remark),
    )


@pytest.mark.rule(1)
def test_a_recorded_payment_keeps_all_seven_particulars(world: World) -> None:
    world.do(
        record_payment,
        RecordPayment(
            payer=" Acme Trading ",
            amount=money("1234.56"),
            received_on=world.day(-3),
            method=Method.CHEQUE,
            reference="CHQ 000123",
            invoice_hint="INV-0007",
            remark="first half",
        ),
    )
    kept = read_payment(world, "PAY-0001")
    assert (kept.payer, kept.amount, kept.received_on) == ("Acme Trading", money("1234.56"), world.day(-3))
    assert (kept.method, kept.reference) == (Method.CHEQUE, "CHQ 000123")
    assert (kept.invoice_hint, kept.remark) == ("INV-0007", "first half")
    assert kept.customer_id is None
    assert kept.edits_left == 5
    world.check()


@pytest.mark.rules(1, 4)
@pytest.mark.parametrize("method", [method for method in Method if method is not Method.PLATFORM])
def test_every_way_money_comes_in_has_its_own_cash_account(world: World, method: Method) -> None:
    command = RecordPayment(payer="Somebody", amount=money(5), received_on=world.today, method=method)
    assert world.do(record_payment, command).payment.method is method
    rows = ask_sql(world, "SELECT account, detail, amount_micros FROM posting ORDER BY amount_micros DESC")
    assert rows == [("cash", method.value, 5_000_000), ("suspense", "", -5_000_000)]


@pytest.mark.rule(2)
def test_recording_alone_changes_no_balance_and_no_invoice(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 100)
    before = standing(world, customer)
    changed = world.pay(100)
    assert changed.effect is None
    assert changed.left == money(100)
    assert standing(world, customer) == before
    world.check()


@pytest.mark.rule(3)
@pytest.mark.parametrize("amount", ["0", "-1", "-0.01"])
def test_an_amount_that_is_not_positive_is_refused(world: World, amount: str) -> None:
    with expect_refusal(world, NotPositive, field="amount"):
        world.pay(amount)


@pytest.mark.rule(3)
def test_money_from_the_future_is_refused_and_today_is_not(world: World) -> None:
    with expect_refusal(world, DateInFuture, field="received_on"):
        world.pay(10, received=1)
    assert world.pay(10, received=0).payment.received_on == world.today


@pytest.mark.rule(3)
def test_the_future_begins_by_the_calendar_of_the_book(world: World) -> None:
    with expect_refusal(world, DateInFuture, field="received_on"):
        world.pay(10, received=1)
    world.do(change_setting, ChangeSetting(name="zone", value="Pacific/Kiritimati"), by=ADMIN)
    world.now += timedelta(hours=2)
    assert world.pay(10, received=1).payment.received_on == world.day(1)


@pytest.mark.parametrize(("amount", "code"), [("1.005", "SGD"), ("100.5", "JPY"), ("1.2345", "KWD"), ("0.1", "IDR")])
def test_an_amount_finer_than_its_currency_is_refused(world: World, amount: str, code: str) -> None:
    with expect_refusal(world, TooPreciseForCurrency, field="amount"):
        world.pay(amount, of=code)


@pytest.mark.rule(4)
def test_the_typed_payer_stays_whoever_the_payment_is_assigned_to(world: World) -> None:
    acme, bravo = world.customer("ACME"), world.customer("BRAVO")
    paid = world.do(record_payment, RecordPayment(payer="J. Doe", amount=money(40), received_on=world.today)).payment
    world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=acme.id))
    assigned = read_payment(world, paid.number)
    assert (assigned.payer, assigned.customer_id) == ("J. Doe", acme.id)
    with expect_refusal(world, PaymentAssigned, field="customer"):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=bravo.id))
    assert read_payment(world, paid.number).customer_id == acme.id


@pytest.mark.rules(5, 9)
def test_assign_and_allocate_to_several_invoices_is_one_step(world: World) -> None:
    customer = world.customer()
    one = world.invoice(customer, 100, auto=False)
    two = world.invoice(customer, 50, auto=False)
    paid = world.pay(120)
    changed = world.do(
        assign_payment,
        AssignPayment(
            payment_id=paid.payment.id,
            customer_id=customer.id,
            portions=(Portion(invoice_id=one.id, amount=money(90)), Portion(invoice_id=two.id, amount=money(30))),
        ),
    )
    assert changed.step is PaymentStep.ASSIGNED
    assert [(each.invoice_number, each.amount) for each in changed.allocations] == [
        (one.number, money(90)),
        (two.number, money(30)),
    ]
    assert changed.left == money(0)
    assert world.read_invoice(one).open == money(10)
    assert world.read_invoice(two).open == money(20)
    assert changed.payment.edits == 1
    world.check()


@pytest.mark.rule(5)
def test_recording_with_a_customer_and_invoices_does_all_three(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 80, auto=False)
    changed = world.pay(80, customer, to=((invoice, None),))
    assert changed.step is PaymentStep.RECORDED
    assert changed.customer is not None
    assert changed.customer.amount_due == money(0)
    assert world.read_invoice(invoice).status == "paid"
    world.check()


@pytest.mark.rules(6, 7)
def test_five_assign_and_unassign_actions_succeed_and_the_sixth_is_refused(world: World) -> None:
    customer, other = world.customer("ACME"), world.customer("BRAVO")
    paid = world.pay(70).payment
    for number in range(1, 6):
        if number % 2:
            who = other if number == 3 else customer
            changed = world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=who.id))
        else:
            changed = world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
        assert changed.payment.edits == number
        assert changed.payment.edits_left == 5 - number
    with expect_refusal(world, NoEditsLeft):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    assert read_payment(world, paid.number).customer_id == customer.id
    assert world.read_customer(customer).balance == money(70)
    assert world.read_customer(other).balance == money(0)


@pytest.mark.rule(6)
def test_recording_with_a_customer_costs_the_first_of_the_five_actions(world: World) -> None:
    customer = world.customer()
    paid = world.pay(70, customer).payment
    assert paid.edits == 1
    for _ in range(2):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
        paid = world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id)).payment
    assert paid.edits_left == 0
    with expect_refusal(world, NoEditsLeft):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))


@pytest.mark.rule(6)
def test_an_unassigned_payment_without_edits_cannot_be_assigned(world: World) -> None:
    customer = world.customer()
    paid = world.pay(70).payment
    run_sql(world, "UPDATE payment SET edits = 5 WHERE id = :id", id=paid.id)
    before = everything(world)
    with pytest.raises(NoEditsLeft):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id))
    assert everything(world) == before


@pytest.mark.rule(8)
def test_allocation_changes_cost_no_edit(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 30, auto=False)
    paid = world.pay(30, customer).payment
    for _ in range(7):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id, portions=(Portion(invoice_id=invoice.id),)))
        world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    assert read_payment(world, paid.number).edits == 1
    world.check()


@pytest.mark.rule(17)
def test_taking_the_payment_of_a_paid_invoice_back_makes_it_unpaid_again(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 100)
    paid = world.pay(100, customer).payment
    assert world.read_invoice(invoice).status == "paid"
    changed = world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    again = world.read_invoice(invoice)
    assert (again.status, again.open, again.auto_allocate) == ("awaiting payment", money(100), False)
    assert (changed.left, changed.allocations) == (money(100), ())
    assert world.read_customer(customer).amount_due == money(0)
    world.check()


@pytest.mark.rule(17)
def test_one_of_several_allocations_can_be_taken_back(world: World) -> None:
    customer = world.customer()
    one, two = world.invoice(customer, 40, issued=-2), world.invoice(customer, 60, issued=-1)
    paid = world.pay(100, customer).payment
    changed = world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id, invoice_ids=(one.id,)))
    assert [each.invoice_id for each in changed.allocations] == [two.id]
    assert changed.left == money(40)
    assert world.read_invoice(one).status == "awaiting payment"
    assert world.read_invoice(two).status == "paid"
    world.check()


@pytest.mark.rule(18)
def test_unassigning_is_refused_while_allocations_exist_and_names_them(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 10)
    paid = world.pay(25, customer).payment
    with expect_refusal(world, PaymentHasAllocations, says=str(invoice.number)):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    changed = world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    assert changed.payment.customer_id is None
    assert world.read_customer(customer).amount_due == money(10)
    world.check()


@pytest.mark.rule(19)
def test_an_assigned_payment_can_be_neither_edited_nor_voided(world: World) -> None:
    paid = world.pay(25, world.customer()).payment
    with expect_refusal(world, PaymentAssigned):
        world.do(edit_payment, correction(paid, payer="Other"))
    with expect_refusal(world, PaymentAssigned):
        world.do(void_payment, VoidPayment(payment_id=paid.id, reason="twice"))


@pytest.mark.rule(19)
def test_an_unassigned_payment_can_be_corrected_and_moves_its_cash(world: World) -> None:
    paid = world.pay(25).payment
    changed = world.do(
        edit_payment,
        correction(paid, payer="Right Name", method="cash", reference="R-9", invoice_hint="INV-3", remark="seen"),
    )
    assert changed.step is PaymentStep.EDITED
    kept = read_payment(world, paid.number)
    assert (kept.payer, kept.method, kept.reference) == ("Right Name", Method.CASH, "R-9")
    assert (kept.invoice_hint, kept.remark, kept.amount) == ("INV-3", "seen", money(25))
    assert kept.version == paid.version + 1
    cash = ask_sql(
        world, "SELECT detail, SUM(amount_micros) FROM posting WHERE account = 'cash' GROUP BY detail ORDER BY detail"
    )
    assert [(detail, int(amount)) for detail, amount in cash] == [("bank transfer", 0), ("cash", 25_000_000)]
    world.check()


@pytest.mark.rule(19)
def test_a_voided_payment_keeps_its_number_and_leaves_suspense(world: World) -> None:
    paid = world.pay(25).payment
    changed = world.do(void_payment, VoidPayment(payment_id=paid.id, reason="entered twice"))
    assert (changed.left, changed.note) == (money(0), "entered twice")
    assert "entered twice" in changed.trace().description
    kept = read_payment(world, paid.number)
    assert (kept.state, kept.voided_on) == (PaymentState.VOID, world.today)
    assert ask_sql(world, "SELECT account FROM posting GROUP BY account, detail HAVING SUM(amount_micros) <> 0") == []
    world.check()


def test_a_void_payment_takes_nothing_any_more(world: World) -> None:
    customer = world.customer()
    paid = world.pay(25).payment
    void = world.do(void_payment, VoidPayment(payment_id=paid.id, reason="twice")).payment
    with expect_refusal(world, WrongState):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id))
    with expect_refusal(world, WrongState):
        world.do(edit_payment, correction(void))
    with expect_refusal(world, WrongState):
        world.do(void_payment, VoidPayment(payment_id=paid.id, reason="again"))
    with expect_refusal(world, WrongState):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))
    with expect_refusal(world, WrongState):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id))
    with expect_refusal(world, WrongState):
        world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))


def test_a_form_that_was_overtaken_is_refused(world: World) -> None:
    paid = world.pay(25).payment
    world.do(edit_payment, correction(paid, remark="first"))
    with expect_refusal(world, WrongState, says="somebody else"):
        world.do(edit_payment, correction(paid, remark="second"))


def test_texts_that_are_missing_or_too_long_are_refused_at_their_field(world: World) -> None:
    def recording(**texts: str) -> RecordPayment:
        return RecordPayment(
            payer=texts.get("payer", "Somebody"),
            amount=money(5),
            received_on=world.today,
            reference=texts.get("reference", ""),
            invoice_hint=texts.get("invoice_hint", ""),
            remark=texts.get("remark", ""),
        )

    with expect_refusal(world, MissingText, field="payer"):
        world.do(record_payment, recording(payer="  "))
    for field, longest in (("payer", 140), ("reference", 140), ("invoice_hint", 140), ("remark", 1000)):
        with expect_refusal(world, TextTooLong, field=field):
            world.do(record_payment, recording(**{field: "x" * (longest + 1)}))
        assert world.do(record_payment, recording(**{field: "x" * longest})).payment.number
    paid = world.pay(25).payment
    with expect_refusal(world, MissingText, field="payer"):
        world.do(edit_payment, correction(paid, payer=""))
    with expect_refusal(world, TextTooLong, field="remark"):
        world.do(edit_payment, correction(paid, remark="x" * 1001))
    with expect_refusal(world, MissingText, field="reason"):
        world.do(void_payment, VoidPayment(payment_id=paid.id, reason=" "))


@pytest.mark.rule(20)
def test_an_assigned_payment_raises_the_balance_of_a_prepaid_customer(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    changed = world.pay(200, customer)
    assert changed.customer is not None
    assert changed.customer.balance == money(200)
    now = world.read_customer(customer)
    assert now.balance == now.usable(world.now) == money(200)
    world.do(unassign_payment, UnassignPayment(payment_id=changed.payment.id))
    assert world.read_customer(customer).balance == money(0)
    world.check()


@pytest.mark.rule(21)
def test_an_assigned_payment_lowers_the_amount_due_of_a_postpaid_customer_or_raises_its_credit(world: World) -> None:
    customer = world.customer(mode=Mode.POSTPAID)
    world.invoice(customer, 150, auto=False)
    assert world.read_customer(customer).amount_due == money(150)
    world.pay(100, customer)
    assert world.read_customer(customer).amount_due == money(50)
    world.pay(80, customer)
    assert world.read_customer(customer).amount_due == money(-30)
    world.check()


@pytest.mark.rule(22)
def test_money_beyond_an_invoice_pays_a_later_one(world: World) -> None:
    customer = world.customer()
    first = world.invoice(customer, 100)
    changed = world.pay(130, customer)
    assert world.read_invoice(first).status == "paid"
    assert changed.left == money(30)
    later = world.invoice(customer, 50)
    assert later.open == money(20)
    assert later.status == "partially paid"
    world.check()


def test_payments_and_customers_of_different_currencies_do_not_meet(world: World) -> None:
    yen = world.customer("TOKYO", of="JPY")
    paid = world.pay(25).payment
    with expect_refusal(world, CurrencyMixed, field="amount"):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=yen.id))
    with expect_refusal(world, CurrencyMixed, field="amount"):
        world.do(
            record_payment,
            RecordPayment(payer="x", amount=money(5), received_on=world.today, customer_id=yen.id),
        )
    invoice = world.invoice(yen, 1000, auto=False)
    with expect_refusal(world, CurrencyMixed, field="invoices"):
        world.do(
            record_payment,
            RecordPayment(
                payer="x",
                amount=money(1000, "JPY"),
                received_on=world.today,
                customer_id=yen.id,
                portions=(Portion(invoice_id=invoice.id, amount=money(10, "SGD")),),
            ),
        )


def test_a_closed_customer_takes_no_payment(world: World) -> None:
    customer = world.customer()
    paid = world.pay(25).payment
    run_sql(world, "UPDATE customer SET state = 'closed' WHERE id = :id", id=customer.id)
    with expect_refusal(world, CustomerClosed, field="customer"):
        world.pay(10, customer)
    with expect_refusal(world, CustomerClosed, field="customer"):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id))


def test_allocation_needs_an_assigned_payment(world: World) -> None:
    paid = world.pay(25).payment
    with expect_refusal(world, PaymentNotAssigned):
        world.do(allocate_payment, AllocatePayment(payment_id=paid.id))
    with expect_refusal(world, PaymentNotAssigned):
        world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id))
    with expect_refusal(world, PaymentNotAssigned):
        world.do(unassign_payment, UnassignPayment(payment_id=paid.id))


def test_what_does_not_exist_is_not_found(world: World) -> None:
    customer = world.customer()
    paid = world.pay(25).payment
    with expect_refusal(world, NotFound, field="payment"):
        world.do(assign_payment, AssignPayment(payment_id=1, customer_id=customer.id))
    with expect_refusal(world, NotFound, field="customer"):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=1))
    with expect_refusal(world, NotFound, field="invoices"):
        portions = (Portion(invoice_id=1),)
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id, portions=portions))


def test_nothing_to_allocate_is_said_so(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 25, auto=False)
    draft = world.invoice(customer, 25, send=False)
    paid = world.pay(40, customer).payment

    def allocation(*portions: Portion) -> AllocatePayment:
        return AllocatePayment(payment_id=paid.id, portions=portions)

    with expect_refusal(world, WrongState, field="invoices", says="is a draft; send it"):
        world.do(allocate_payment, allocation(Portion(invoice_id=draft.id)))
    with expect_refusal(world, NothingToAllocate, field="invoices", says="twice"):
        world.do(allocate_payment, allocation(Portion(invoice_id=invoice.id), Portion(invoice_id=invoice.id)))
    with expect_refusal(world, NotFound, field="invoices"):
        world.do(allocate_payment, allocation(*(Portion(invoice_id=number) for number in range(1, 102))))
    with expect_refusal(world, NothingToAllocate, field="invoices", says="pays none"):
        world.do(unallocate_payment, UnallocatePayment(payment_id=paid.id, invoice_ids=(draft.id,)))
    world.do(allocate_payment, allocation())
    with expect_refusal(world, NothingToAllocate, field="invoices", says="no invoice"):
        world.do(allocate_payment, allocation())
    with expect_refusal(world, NothingToAllocate, field="invoices", says="paid"):
        world.do(allocate_payment, allocation(Portion(invoice_id=invoice.id)))
    other = world.invoice(customer, 100)
    assert other.open == money(85)
    with expect_refusal(world, NothingToAllocate, field="invoices", says="fully allocated"):
        world.do(allocate_payment, allocation())


@pytest.mark.rules(10, 11, 12)
def test_a_refused_recording_leaves_no_payment_and_no_number(world: World) -> None:
    customer, other = world.customer("ACME"), world.customer("BRAVO")
    invoice = world.invoice(customer, 60, auto=False)
    foreign = world.invoice(other, 60, auto=False)
    with expect_refusal(world, MoreThanLeft, field="invoices"):
        world.pay(50, customer, to=((invoice, 51),))
    with expect_refusal(world, MoreThanLeft, field="invoices"):
        world.pay(100, customer, to=((invoice, "60.01"),))
    with expect_refusal(world, InvoiceOfAnotherCustomer, field="invoices"):
        world.pay(50, customer, to=((foreign, 50),))
    assert world.pay(50, customer).payment.number == "PAY-0001"
    world.check()


def test_numbers_have_no_hole_after_refusals_and_previews(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 60, auto=False)
    numbers = []
    for _ in range(4):
        numbers.append(world.pay(5).payment.number)
        with pytest.raises(MoreThanLeft):
            world.pay(5, customer, to=((invoice, 6),))
        with pytest.raises(NotPositive):
            world.pay(0)
        command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
        shown = world.desk.preview(record_payment, command, world.request())
        assert shown.payment.number == f"PAY-{len(numbers) + 1:04d}"
    assert numbers == ["PAY-0001", "PAY-0002", "PAY-0003", "PAY-0004"]
    world.check()


def test_an_effect_before_its_documents_are_in_force_is_refused(world: World) -> None:
    world.do(change_setting, ChangeSetting(name="zone", value="Pacific/Kiritimati"), by=ADMIN)
    world.now += timedelta(hours=2)
    customer = world.customer()
    paid = world.pay(30, received=1).payment
    world.do(change_setting, ChangeSetting(name="zone", value="UTC"), by=ADMIN)
    with expect_refusal(world, DateTooEarly, field="effective_on", says=str(world.day(1))):
        world.do(assign_payment, AssignPayment(payment_id=paid.id, customer_id=customer.id))


def test_payments_are_listed_by_state_customer_and_text(world: World) -> None:
    customer = world.customer()
    assigned = world.pay(10, customer, reference="FT-77").payment
    waiting = world.pay(20).payment
    void = world.pay(30).payment
    world.do(void_payment, VoidPayment(payment_id=void.id, reason="twice"))

    def numbers(page: Page) -> list[str]:
        return world.store.read(lambda books: [line.payment.number for line in books.list_payments(page)])

    assert numbers(Page(state="assigned")) == [assigned.number]
    assert numbers(Page(state="unassigned")) == [waiting.number]
    assert numbers(Page(state="void")) == [void.number]
    assert numbers(Page(customer_id=customer.id)) == [assigned.number]
    assert numbers(Page(text="FT-7")) == [assigned.number]
    assert numbers(Page()) == [void.number, waiting.number, assigned.number]


def test_the_same_money_entered_twice_is_recognised(world: World) -> None:
    first = world.pay(10, reference="FT-77").payment
    second = world.do(
        record_payment,
        RecordPayment(payer="Other name", amount=money(10), received_on=world.today, reference="FT-77"),
    ).payment
    world.pay(11, reference="FT-77")

    def twins(payer: str, reference: str) -> list[str]:
        return world.store.read(
            lambda books: [each.number for each in books.twins(payer, money(10), reference, world.day(0))]
        )

    assert twins("Nobody", "FT-77") == [second.number, first.number]
    assert twins("Nobody", " ft -77") == [second.number, first.number]
    assert twins(first.payer.upper(), "") == [first.number]
    assert twins(first.payer, "FT-78") == []
    assert twins("Nobody", "") == []
    world.do(void_payment, VoidPayment(payment_id=second.id, reason="Entered twice"))
    assert twins("Nobody", "FT-77") == [first.number]
    assert world.store.read(lambda books: books.twins("Nobody", money(10), "FT-77", world.day(15))) == []
    assert world.store.read(lambda books: books.twins("Nobody", money(10), "FT-77", world.day(-14))) != []


def test_the_files_of_a_payment_and_an_invoice_show_each_other(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 60, tax="9")
    paid = world.pay(40, customer).payment
    payment_file = world.store.read(lambda books: books.payment_file(paid.id))
    assert payment_file.customer is not None
    assert (payment_file.customer.code, payment_file.left_micros) == ("ACME", 0)
    assert [(each.invoice_number, each.amount) for each in payment_file.allocations] == [(invoice.number, money(40))]
    invoice_file = world.store.read(lambda books: books.invoice_file(invoice.id))
    assert [(each.lot_number, each.amount) for each in invoice_file.allocations] == [(paid.number, money(40))]
    assert [(line.net, line.tax) for line in invoice_file.lines] == [(money(60), money("5.40"))]
    waiting = world.pay(15).payment
    assert world.store.read(lambda books: books.payment_file(waiting.id)).left_micros == 15_000_000
    with pytest.raises(NotFound):
        world.store.read(lambda books: books.payment_file(1))
