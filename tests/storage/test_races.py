"""Many at once on one book: nothing is matched twice, numbered twice, or done twice."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import text

from bot.desk import Desk
from bot.domain.allocation import Portion
from bot.domain.customers import Customer, Mode, NewCustomer, new_customer
from bot.domain.errors import AlreadyTaken, KeyReused, MoreThanLeft, NotUndoable, OwnerExists, Refused
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.operation import Actor, Context, Operation, Request, Role
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
    Payment,
    PaymentChanged,
    PaymentStep,
    RecordPayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    assign_payment,
    record_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.people import Grant, Profile, RightChanged, SetOwner, grant, set_owner
from bot.domain.ports import Books
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from bot.storage.reports import SqlReadBooks
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.world import ADMIN, SGD, START, TEAM, World, money

T = TypeVar("T")
THREADS = 8
ROUNDS = 10


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=THREADS) as executor:
        yield executor


def at_once(pool: ThreadPoolExecutor, works: Sequence[Callable[[], T]]) -> list[T | Refused]:
    """Run everything in the same moment; a refusal is a result too, any other fault is a failure."""
    start = threading.Barrier(len(works), timeout=30)

    def run(work: Callable[[], T]) -> T | Refused:
        start.wait()
        try:
            return work()
        except Refused as refusal:
            return refusal

    running = [pool.submit(run, work) for work in works]
    return [each.result() for each in running]


def done(results: Sequence[T | Refused]) -> list[T]:
    return [each for each in results if not isinstance(each, Refused)]


def refused(results: Sequence[object]) -> list[type]:
    return [type(each) for each in results if isinstance(each, Refused)]


def numbers(world: World, table: str) -> list[int]:
    statement = text(f"SELECT number FROM {table} WHERE number IS NOT NULL ORDER BY number")
    found = world.store.read(lambda books: list(books.connection.execute(statement).scalars()))
    return [int(str(number).rpartition("-")[2]) for number in found]


@pytest.mark.rules(10, 11)
def test_eight_that_pay_one_invoice_never_pay_more_than_it(world: World, pool: ThreadPoolExecutor) -> None:
    customer = world.customer()
    for _ in range(ROUNDS):
        invoice = world.invoice(customer, 100, auto=False)
        payments = [world.pay(30, customer).payment for _ in range(THREADS)]

        portions = (Portion(invoice_id=invoice.id),)
        commands = [AllocatePayment(payment_id=payment.id, portions=portions) for payment in payments]
        results = at_once(pool, [partial(world.do, allocate_payment, command) for command in commands])
        paid = [outcome.payment.amount - outcome.left for outcome in done(results)]
        assert sorted(part.micros for part in paid) == [money(part).micros for part in (10, 30, 30, 30)]
        assert len(refused(results)) == 4
        assert world.read_invoice(invoice).status == "paid"
    world.check()


@pytest.mark.rules(10, 11)
def test_a_named_amount_is_paid_whole_or_refused(world: World, pool: ThreadPoolExecutor) -> None:
    customer = world.customer()
    for _ in range(ROUNDS):
        invoice = world.invoice(customer, 100, auto=False)
        payments = [world.pay(30, customer).payment for _ in range(THREADS)]

        portions = (Portion(invoice_id=invoice.id, amount=money(30)),)
        commands = [AllocatePayment(payment_id=payment.id, portions=portions) for payment in payments]
        results = at_once(pool, [partial(world.do, allocate_payment, command) for command in commands])
        assert refused(results) == [MoreThanLeft] * 5
        assert world.read_invoice(invoice).open == money(10)
    world.check()


@pytest.mark.rules(10)
def test_eight_that_spend_one_payment_never_spend_more_than_it(world: World, pool: ThreadPoolExecutor) -> None:
    customer = world.customer()
    for _ in range(ROUNDS):
        payment = world.pay(100, customer).payment
        invoices = [world.invoice(customer, 30, auto=False) for _ in range(THREADS)]

        commands = [
            AllocatePayment(payment_id=payment.id, portions=(Portion(invoice_id=invoice.id),)) for invoice in invoices
        ]
        results = at_once(pool, [partial(world.do, allocate_payment, command) for command in commands])
        assert sorted(outcome.left for outcome in done(results)) == [money(left) for left in (0, 10, 40, 70)]
        after = [world.read_invoice(invoice) for invoice in invoices]
        assert sum(each.open.micros for each in after) == money(THREADS * 30 - 100).micros
        world.pay(THREADS * 30 - 100, customer, to=tuple((each, None) for each in after if each.open))
    world.check()


def _fresh(world: World) -> Customer:
    return world.customer(f"C{world.request().key.partition(':')[2]}")


def _recorded(world: World) -> object:
    return RecordPayment(payer="Somebody", amount=money(10), received_on=world.today)


def _recorded_for_customer(world: World) -> object:
    customer = _fresh(world)
    world.invoice(customer, 4)
    return RecordPayment(payer="Somebody", amount=money(10), received_on=world.today, customer_id=customer.id)


def _assigned(world: World) -> object:
    customer = _fresh(world)
    world.invoice(customer, 4)
    return AssignPayment(payment_id=world.pay(10).payment.id, customer_id=customer.id)


def _unassigned(world: World) -> object:
    customer = _fresh(world)
    return UnassignPayment(payment_id=world.pay(10, customer).payment.id)


def _allocated(world: World) -> object:
    customer = _fresh(world)
    world.invoice(customer, 10, auto=False)
    return AllocatePayment(payment_id=world.pay(10, customer).payment.id)


def _voided(world: World) -> object:
    return VoidPayment(payment_id=world.pay(10).payment.id, reason="A test")


def _undone(world: World) -> object:
    return Undo(operation_id=world.pay(10).operation_id)


def _invoiced(world: World) -> object:
    customer = _fresh(world)
    world.pay(4, customer)
    line = LineInput(description="Service", unit_price=money(10))
    return DraftInvoice(customer_id=customer.id, lines=(line,), issue_on=world.today, send=True)


def _opened(world: World) -> object:
    code = f"N{world.request().key.partition(':')[2]}"
    return NewCustomer(code=code, name=code, currency=SGD, mode=Mode.PREPAID)


GESTURES: dict[str, tuple[Callable[[World], object], object]] = {
    "record": (_recorded, record_payment),
    "record for a customer": (_recorded_for_customer, record_payment),
    "assign": (_assigned, assign_payment),
    "unassign": (_unassigned, unassign_payment),
    "allocate": (_allocated, allocate_payment),
    "void": (_voided, void_payment),
    "undo": (_undone, undo),
    "invoice": (_invoiced, draft_invoice),
    "new customer": (_opened, new_customer),
}


@pytest.mark.parametrize("gesture", GESTURES)
def test_one_key_sent_eight_times_at_once_acts_once_and_answers_alike(
    world: World, pool: ThreadPoolExecutor, gesture: str
) -> None:
    prepare, operation = GESTURES[gesture]
    assert isinstance(operation, Operation)
    for _ in range(ROUNDS):
        command = prepare(world)
        before = _rows(world)
        request = world.request()
        results = at_once(pool, [partial(world.desk.carry_out, operation, command, request)] * THREADS)
        assert refused(results) == []
        assert all(each == results[0] for each in results)
        after = _rows(world)
        assert (after["audit"], after["request_key"]) == (before["audit"] + 1, before["request_key"] + 1)
    world.check()


def _rows(world: World) -> Counter[str]:
    def count(books: SqlReadBooks) -> Counter[str]:
        tables = ("audit", "request_key")
        return Counter(
            {table: books.connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one() for table in tables}
        )

    return world.store.read(count)


def test_one_key_with_eight_contents_acts_once_and_refuses_the_rest(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        commands = [
            RecordPayment(payer="Somebody", amount=money(amount), received_on=world.today)
            for amount in range(1, THREADS + 1)
        ]
        sending = [partial(world.do, record_payment, command, key=f"same:{index}") for command in commands]
        results = at_once(pool, sending)
        assert len(done(results)) == 1
        assert refused(results) == [KeyReused] * (THREADS - 1)
    assert numbers(world, "payment") == list(range(1, ROUNDS + 1))
    world.check()


def test_numbers_have_no_hole_under_eight_threads_with_refusals(world: World, pool: ThreadPoolExecutor) -> None:
    customers = [world.customer(f"C{index}") for index in range(THREADS)]

    def fails(command: RecordPayment, books: Books, context: Context) -> PaymentChanged:
        record_payment.run(command, books, context)
        raise Refused("Refused after its number was taken.")

    refusing = Operation(record_payment.name, record_payment.by, fails, record_payment.doc)
    line = LineInput(description="Service", unit_price=money(3))

    def work(mine: int) -> int:
        made = 0
        for index in range(20):
            command = RecordPayment(
                payer="Somebody", amount=money(2), received_on=world.today, customer_id=customers[mine].id
            )
            if (index + mine) % 5 == 0:
                with pytest.raises(Refused):
                    world.do(refusing, command)
            else:
                world.do(record_payment, command)
                made += 1
            drafting = DraftInvoice(
                customer_id=customers[(mine + index) % THREADS].id, lines=(line,), issue_on=world.today, send=True
            )
            if (index + mine) % 5 == 1:
                world.desk.preview(draft_invoice, drafting, world.request())
            else:
                world.do(draft_invoice, drafting)
        return made

    made = sum(pool.map(work, range(THREADS)))
    assert numbers(world, "payment") == list(range(1, made + 1))
    assert numbers(world, "invoice") == list(range(1, made + 1))
    world.check()


def test_of_two_undos_at_once_one_wins(world: World, pool: ThreadPoolExecutor) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 5)
    for _ in range(ROUNDS):
        operation_id = world.pay(10, customer).operation_id
        assert world.read_invoice(invoice).status == "paid"
        results = at_once(pool, [partial(world.do, undo, Undo(operation_id=operation_id))] * 2)
        assert refused(results) == [NotUndoable]
        assert [each.step for each in done(results)] == [PaymentStep.UNDONE]
        assert world.read_invoice(invoice).open == money(5)
    world.check()


def test_opposite_orders_over_customers_and_payments_do_not_deadlock(world: World, pool: ThreadPoolExecutor) -> None:
    """Assign to two customers back and forth, invoice both, from both ends."""
    customers = [world.customer(), world.customer("OTHER")]
    deadlocks = _deadlocks(world)
    for _ in range(ROUNDS):
        payments = [world.pay(10).payment for _ in range(2)]

        works = [
            partial(_back_and_forth, world, customers[:: 1 if mine % 2 else -1], payments[:: 1 if mine % 3 else -1])
            for mine in range(THREADS)
        ]
        assert refused(at_once(pool, works)) == []
    assert _deadlocks(world) == deadlocks
    world.check()


def _back_and_forth(world: World, customers: Sequence[Customer], payments: Sequence[Payment]) -> None:
    for payment in payments:
        for customer in customers:
            assigning = AssignPayment(payment_id=payment.id, customer_id=customer.id)
            with contextlib.suppress(Refused):
                world.do(assign_payment, assigning)
            world.invoice(customer, 1)
            with contextlib.suppress(Refused):
                world.do(unassign_payment, UnassignPayment(payment_id=payment.id))


def _deadlocks(world: World) -> int:
    if world.store.database.dialect == "sqlite":
        return 0
    statement = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return world.store.read(lambda books: int(books.connection.execute(statement).scalar_one()))


def test_two_customers_with_one_code_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        command = NewCustomer(code=f"SAME-{index}", name="Same", currency=SGD, mode=Mode.PREPAID)
        results = at_once(pool, [partial(world.do, new_customer, command)] * 4)
        assert refused(results) == [AlreadyTaken] * 3
    world.check()


def test_rights_and_settings_changed_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        profile = Profile(team=TEAM, user=f"U{index}", name="New")

        granting = [Grant(profile=profile, role=role) for role in (Role.VIEWER, Role.CLERK, Role.MANAGER) * 2]
        assert refused(at_once(pool, [partial(world.do, grant, command, by=ADMIN) for command in granting])) == []
        changing = [ChangeSetting(name="due_days", value=str(days)) for days in range(THREADS)]
        works = [partial(world.do, change_setting, command, by=ADMIN) for command in changing]
        assert refused(at_once(pool, works)) == []
    assert world.store.read(lambda books: books.settings().version) == 1 + ROUNDS * THREADS
    world.check()


@pytest.mark.rule(3)
def test_a_lock_of_days_waits_for_what_is_being_written_into_them(world: World, pool: ThreadPoolExecutor) -> None:
    """A payment that read the settings before keeps its day; the lock stands once it is in the books."""
    begun, go_on = threading.Event(), threading.Event()

    def slow(command: RecordPayment, books: Books, context: Context) -> PaymentChanged:
        begun.set()
        assert go_on.wait(10)
        return record_payment.run(command, books, context)

    command = RecordPayment(payer="x", amount=money(1), received_on=world.day(-9))
    paying = pool.submit(world.do, replace(record_payment, run=slow), command)
    assert begun.wait(10)
    locking = pool.submit(
        world.do, change_setting, ChangeSetting(name="hard_lock", value=world.day(-5).isoformat()), by=ADMIN
    )
    with pytest.raises(FutureTimeout):
        locking.result(timeout=0.3)
    go_on.set()
    assert paying.result().payment.posted_on == world.day(-9)
    assert locking.result().after == world.day(-5).isoformat()
    assert world.do(record_payment, command).payment.posted_on == world.day(-4)
    world.check()


def test_of_eight_first_owners_one_is(library: Library, pool: ThreadPoolExecutor) -> None:
    store = Store.open(library)
    desk = Desk(store)

    def name(user: str) -> RightChanged:
        actor = Actor(team=TEAM, user=user)
        request = Request(actor=actor, now=START, key=f"first:{user}", request_id=user)
        return desk.carry_out(set_owner, SetOwner(profile=Profile(team=TEAM, user=user)), request)

    results = at_once(pool, [partial(name, f"U{index}") for index in range(THREADS)])
    assert refused(results) == [OwnerExists] * (THREADS - 1)
    people = store.read(lambda books: books.people())
    assert [person.role for person in people] == [Role.OWNER]
    store.seal()
    assert store.verify() == []
