"""Disputes and promises: who may, what they hold back, how promises are kept or broken by what came in."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bot.domain.customers import Controls, Customer, CustomerState, Mode
from bot.domain.disputes import OpenDispute, ResolveDispute, open_dispute, resolve_dispute
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    DateTooEarly,
    InvoiceOfAnotherCustomer,
    MissingText,
    MoreThanLeft,
    NoAccess,
    NotPositive,
    WrongState,
)
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.payments import UnassignPayment, unassign_payment
from bot.domain.promises import (
    EndPromise,
    LogPromise,
    Promise,
    PromiseStanding,
    PromiseState,
    end_promise,
    log_promise,
    promise_state,
)
from bot.domain.reminders import NotReminded, why_not_reminded
from tests.domain.dispute_stages import owed
from tests.domain.expect import expect_refusal
from tests.world import CLERK, MANAGER, SGD, START, VIEWER, World, money

TODAY = date(2026, 11, 23)


def test_a_disputed_invoice_stays_owed_aged_and_payable_until_somebody_entitled_resolves_it(world: World) -> None:
    invoice = owed(world)
    customer = world.store.read(lambda books: books.customer(invoice.customer_id))
    world.do(open_dispute, OpenDispute(invoice_id=invoice.id, reason="Wrong quantity"), by=VIEWER)
    now = world.read_invoice(invoice)
    assert (now.disputed, now.open, now.status) == (True, money(30), "awaiting payment")
    (found,) = world.store.read(lambda books: books.disputes_of(customer.id))
    assert (found.reason, found.person, found.on) == ("Wrong quantity", VIEWER, world.today)
    with expect_refusal(world, WrongState, field="invoice", says="disputed already"):
        world.do(open_dispute, OpenDispute(invoice_id=invoice.id, reason="Again"))
    with expect_refusal(world, MissingText, field="reason"):
        world.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason=" "))
    world.pay(30, customer, to=((invoice, None),))
    assert world.store.read(lambda books: books.disputes_of(customer.id)) == ()
    world.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason="They agreed"), by=VIEWER)
    assert not world.read_invoice(invoice).disputed
    with expect_refusal(world, WrongState, field="invoice", says="is not disputed"):
        world.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason="x"))
    with expect_refusal(world, WrongState, field="invoice", says="is paid; choose a sent invoice"):
        world.do(open_dispute, OpenDispute(invoice_id=invoice.id, reason="x"))
    world.check()


def test_a_viewer_ends_only_what_they_logged_themselves(world: World) -> None:
    invoice = owed(world)
    world.do(open_dispute, OpenDispute(invoice_id=invoice.id, reason="Wrong quantity"), by=MANAGER)
    promise = LogPromise(customer_id=invoice.customer_id, invoice_id=invoice.id, promised_on=world.day(2))
    world.do(log_promise, promise, by=MANAGER)
    with expect_refusal(world, NoAccess, says="they or a clerk resolve it"):
        world.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason="x"), by=VIEWER)
    end = EndPromise(customer_id=invoice.customer_id, invoice_id=invoice.id)
    with expect_refusal(world, NoAccess, says="they or a clerk take it back"):
        world.do(end_promise, end, by=VIEWER)
    world.do(resolve_dispute, ResolveDispute(invoice_id=invoice.id, reason="x"), by=CLERK)
    world.do(end_promise, end, by=CLERK)
    with expect_refusal(world, WrongState, says="No promise is logged for INV-0001"):
        world.do(end_promise, end, by=CLERK)


def states(world: World, customer_id: int) -> list[tuple[str, str, int]]:
    """The promises in force as they stand: about what, how, and what came in."""
    found = world.store.read(lambda books: books.promises_of(customer_id))
    return [(each.label, each.state(world.today).value, each.paid.micros) for each in found]


def test_a_promise_is_kept_by_what_came_in_after_it_and_by_its_day(world: World) -> None:
    invoice = owed(world)
    customer = world.store.read(lambda books: books.customer(invoice.customer_id))
    world.pay(4, customer, to=((invoice, 4),))
    world.now += timedelta(minutes=1)
    whole = LogPromise(customer_id=customer.id, invoice_id=invoice.id, promised_on=world.day(3))
    made = world.do(log_promise, whole, by=VIEWER).promise
    assert made.amount == money(26)
    assert states(world, customer.id) == [("INV-0001", "open", 0)]
    world.now += timedelta(days=3)
    paid = world.pay(20, customer, to=((invoice, 20),)).payment
    assert states(world, customer.id) == [("INV-0001", "open", money(20).micros)]
    world.now += timedelta(days=1)
    assert states(world, customer.id) == [("INV-0001", "broken", money(20).micros)]
    late = world.pay(6, customer, received=-1, to=((invoice, 6),)).payment  # received in time, written down a day later
    assert states(world, customer.id) == [("INV-0001", "kept", money(26).micros)]
    assert paid.id != late.id
    world.check()


def test_a_promise_of_all_a_customer_owes_counts_all_it_pays_and_nothing_twice(world: World) -> None:
    customer = world.customer()
    first, second = (world.invoice(customer, 100, issued=-40, due=-10, auto=False) for _ in range(2))
    about = LogPromise(customer_id=customer.id, promised_on=world.day(2), amount=money(150), source="in #sales")
    world.do(log_promise, about, by=VIEWER)
    world.now += timedelta(days=1)
    world.pay(100, customer, to=((first, None),))
    payment = world.pay(50, customer).payment
    assert states(world, customer.id) == [("ACME", "kept", money(150).micros)]
    world.do(unassign_payment, UnassignPayment(payment_id=payment.id))
    assert states(world, customer.id) == [("ACME", "open", money(100).micros)]
    world.now += timedelta(days=2)
    assert states(world, customer.id) == [("ACME", "broken", money(100).micros)]
    again = world.do(log_promise, replace(about, promised_on=world.day(2), amount=None))
    assert again.replaced is not None
    assert again.promise.amount == money(100)
    assert states(world, customer.id) == [("ACME", "open", 0)]
    world.pay(100, customer, received=-30, to=((second, None),))
    assert states(world, customer.id) == [("ACME", "settled", 0)]
    world.check()


def test_what_cannot_be_promised_is_refused(world: World) -> None:
    invoice, other = owed(world), world.customer("OTHER")
    good = LogPromise(
        customer_id=invoice.customer_id, invoice_id=invoice.id, promised_on=world.day(1), amount=money(10)
    )
    for changed, refusal, field in (
        ({"amount": money(31)}, MoreThanLeft, "amount"),
        ({"amount": money(0)}, NotPositive, "amount"),
        ({"amount": money(5, "JPY")}, CurrencyMixed, "amount"),
        ({"promised_on": world.day(-1)}, DateTooEarly, "promised_on"),
        ({"promised_on": world.day(400)}, DateInFuture, "promised_on"),
        ({"customer_id": other.id}, InvoiceOfAnotherCustomer, "invoice"),
        ({"customer_id": other.id, "invoice_id": None}, WrongState, "customer"),
    ):
        with expect_refusal(world, refusal, field=field):
            world.do(log_promise, replace(good, **changed))


PROMISE = Promise(
    id=1,
    customer_id=7,
    invoice_id=None,
    amount=money(20),
    promised_on=TODAY,
    logged_by=VIEWER,
    logged_at=START,
    logged_on=TODAY - timedelta(days=3),
)


@pytest.mark.parametrize(
    ("paid", "left", "today", "state"),
    [
        ("0", "30", TODAY, PromiseState.OPEN),
        ("19.99", "10.01", TODAY, PromiseState.OPEN),
        ("20", "10", TODAY, PromiseState.KEPT),
        ("20", "10", TODAY + timedelta(days=9), PromiseState.KEPT),
        ("0", "30", TODAY + timedelta(days=1), PromiseState.BROKEN),
        ("19.99", "0.01", TODAY + timedelta(days=1), PromiseState.BROKEN),
        ("5", "0", TODAY + timedelta(days=1), PromiseState.SETTLED),
        ("0", "0", TODAY, PromiseState.SETTLED),
    ],
)
def test_a_promise_stands_as_what_came_in_says(paid: str, left: str, today: date, state: PromiseState) -> None:
    assert promise_state(PROMISE, paid=money(paid), left=money(left), today=today) is state


CUSTOMER = Customer(
    id=7, code="ACME", name="Acme", uuid="u", wallet_id="W", currency=SGD, mode=Mode.POSTPAID, controls=Controls()
)
INVOICE = Invoice(
    id=11,
    kind=InvoiceKind.TAX,
    customer_id=7,
    number="INV-0001",
    draft_reference="",
    issue_on=TODAY,
    due_on=TODAY,
    posted_on=TODAY,
    rose_on=TODAY,
    net=money(30),
    tax=money(0),
    total=money(30),
    open=money(30),
    state=InvoiceState.SENT,
    auto_allocate=True,
)


def promised(**changed: object) -> PromiseStanding:
    made = replace(PROMISE, **changed)  # type: ignore[arg-type]
    return PromiseStanding(promise=made, label="ACME", paid=money(0), left=money(30))


@pytest.mark.rule(85)
@pytest.mark.parametrize(
    ("invoice", "customer", "promises", "reason"),
    [
        (INVOICE, CUSTOMER, (), None),
        (replace(INVOICE, open=money(1)), CUSTOMER, (), None),
        (INVOICE, replace(CUSTOMER, mode=Mode.PREPAID), (), NotReminded.PREPAID),
        (INVOICE, replace(CUSTOMER, state=CustomerState.SUSPENDED), (), NotReminded.NOT_ACTIVE),
        (INVOICE, replace(CUSTOMER, state=CustomerState.CLOSED), (), NotReminded.NOT_ACTIVE),
        (replace(INVOICE, kind=InvoiceKind.PROFORMA), CUSTOMER, (), NotReminded.NO_TAX_INVOICE),
        (replace(INVOICE, kind=InvoiceKind.TOP_UP), CUSTOMER, (), NotReminded.NO_TAX_INVOICE),
        (replace(INVOICE, kind=InvoiceKind.USAGE), CUSTOMER, (), NotReminded.NO_TAX_INVOICE),
        (replace(INVOICE, state=InvoiceState.DRAFT), CUSTOMER, (), NotReminded.NOT_SENT),
        (replace(INVOICE, state=InvoiceState.VOID), CUSTOMER, (), NotReminded.VOID),
        (replace(INVOICE, state=InvoiceState.WRITTEN_OFF, open=money(0)), CUSTOMER, (), NotReminded.WRITTEN_OFF),
        (replace(INVOICE, open=money(0)), CUSTOMER, (), NotReminded.PAID),
        (replace(INVOICE, total=money(-30), open=money(0)), CUSTOMER, (), NotReminded.NEGATIVE),
        (replace(INVOICE, disputed=True), CUSTOMER, (), NotReminded.DISPUTED),
        (INVOICE, CUSTOMER, (promised(),), NotReminded.PROMISED),
        (INVOICE, CUSTOMER, (promised(invoice_id=11),), NotReminded.PROMISED),
        (INVOICE, CUSTOMER, (promised(invoice_id=12),), None),
        (INVOICE, CUSTOMER, (promised(customer_id=8),), None),
        (INVOICE, CUSTOMER, (promised(promised_on=TODAY - timedelta(days=1)),), None),
        (INVOICE, CUSTOMER, (replace(promised(), paid=money(20)),), None),
    ],
)
def test_only_what_rule_85_names_is_chased(
    invoice: Invoice, customer: Customer, promises: tuple[PromiseStanding, ...], reason: NotReminded | None
) -> None:
    assert why_not_reminded(invoice, customer, promises, TODAY) is reason
