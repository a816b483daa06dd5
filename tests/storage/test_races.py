"""Many at once on one book: nothing is matched twice, numbered twice, or done twice."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import pytest
from sqlalchemy import text

from bot.domain.allocation import Portion
from bot.domain.customers import Mode, NewCustomer, new_customer
from bot.domain.errors import AlreadyTaken, KeyReused, MoreThanLeft, NotUndoable, OwnerExists, Refused
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.operation import Context, Operation, Outcome
from bot.domain.payments import (
    AllocatePayment,
    AssignPayment,
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
from bot.domain.operation import Role
from bot.domain.ports import Books
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.undo import Undo, undo
from bot.storage.engine import Library
from bot.storage.store import Store
from tests.world import ADMIN, SGD, TEAM, World, money

T = TypeVar("T")
CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
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

    return [each.result() for each in [pool.submit(run, work) for work in works]]


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

        def pay(payment_id: int, invoice_id: int = invoice.id) -> PaymentChanged:
            portions = (Portion(invoice_id=invoice_id),)
            return world.do(allocate_payment, AllocatePayment(payment_id=payment_id, portions=portions))

        results = at_once(pool, [lambda each=payment.id: pay(each) for payment in payments])  # type: ignore[misc]  # bound now
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

        def pay(payment_id: int, invoice_id: int = invoice.id) -> PaymentChanged:
            portions = (Portion(invoice_id=invoice_id, amount=money(30)),)
            return world.do(allocate_payment, AllocatePayment(payment_id=payment_id, portions=portions))

        results = at_once(pool, [lambda each=payment.id: pay(each) for payment in payments])  # type: ignore[misc]  # bound now
        assert refused(results) == [MoreThanLeft] * 5
        assert world.read_invoice(invoice).open == money(10)
    world.check()


@pytest.mark.rules(10)
def test_eight_that_spend_one_payment_never_spend_more_than_it(world: World, pool: ThreadPoolExecutor) -> None:
    customer = world.customer()
    for _ in range(ROUNDS):
        payment = world.pay(100, customer).payment
        invoices = [world.invoice(customer, 30, auto=False) for _ in range(THREADS)]

        def pay(invoice_id: int, payment_id: int = payment.id) -> PaymentChanged:
            portions = (Portion(invoice_id=invoice_id),)
            return world.do(allocate_payment, AllocatePayment(payment_id=payment_id, portions=portions))

        results = at_once(pool, [lambda each=invoice.id: pay(each) for invoice in invoices])  # type: ignore[misc]  # bound now
        assert sorted(outcome.left.micros for outcome in done(results)) == [money(left).micros for left in (0, 10, 40, 70)]
        left = [world.read_invoice(invoice).open for invoice in invoices]
        assert sum(each.micros for each in left) == money(THREADS * 30 - 100).micros
        world.pay(THREADS * 30 - 100, customer, to=tuple((each, None) for each in invoices if world.read_invoice(each).open))
    world.check()


@dataclass(frozen=True)
class Gesture:
    """Something a person presses, sent eight times over by a nervous network."""

    prepare: Callable[[World], object]
    operation: Callable[[], Operation[object, Outcome]]


def _recorded(world: World) -> object:
    return RecordPayment(payer="Somebody", amount=money(10), received_on=world.today)


def _recorded_for_customer(world: World) -> object:
    customer = world.customer(f"C{world.request().key.partition(':')[2]}")
    world.invoice(customer, 4)
    return RecordPayment(payer="Somebody", amount=money(10), received_on=world.today, customer_id=customer.id)


def _assigned(world: World) -> object:
    customer = world.customer(f"C{world.request().key.partition(':')[2]}")
    return AssignPayment(payment_id=world.pay(10).payment.id, customer_id=customer.id)


def _unassigned(world: World) -> object:
    customer = world.customer(f"C{world.request().key.partition(':')[2]}")
    return UnassignPayment(payment_id=world.pay(10, customer).payment.id)


def _allocated(world: World) -> object:
    customer = world.customer(f"C{world.request().key.partition(':')[2]}")
    world.invoice(customer, 10, auto=False)
    return AllocatePayment(payment_id=world.pay(10, customer).payment.id)


def _voided(world: World) -> object:
    return VoidPayment(payment_id=world.pay(10).payment.id, reason="A test")


def _undone(world: World) -> object:
    return Undo(operation_id=world.pay(10).operation_id)


def _invoiced(world: World) -> object:
    customer = world.customer(f"C{world.request().key.partition(':')[2]}")
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
        results = at_once(pool, [lambda: world.desk.carry_out(operation, command, request)] * THREADS)  # noqa: B023  # run in this round
        assert refused(results) == []
        assert all(each == results[0] for each in results)
        after = _rows(world)
        assert (after["audit"], after["request_key"]) == (before["audit"] + 1, before["request_key"] + 1)
    world.check()


def _rows(world: World) -> Counter[str]:
    return world.store.read(
        lambda books: Counter(
            {
                table: int(books.connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar_one())
                for table in ("audit", "request_key", "outbox", "payment", "entry", "allocation")
            }
        )
    )


def test_one_key_with_eight_contents_acts_once_and_refuses_the_rest(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        key = f"same:{index}"

        def record(amount: int, key: str = key) -> PaymentChanged:
            command = RecordPayment(payer="Somebody", amount=money(amount), received_on=world.today)
            return world.do(record_payment, command, key=key)

        results = at_once(pool, [lambda each=amount: record(each) for amount in range(1, THREADS + 1)])  # type: ignore[misc]  # bound now
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
        undoing = Undo(operation_id=operation_id)
        results = at_once(pool, [lambda: world.do(undo, undoing)] * 2)  # noqa: B023  # run in this round
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

        def work(mine: int, payments: list[int] = [each.id for each in payments]) -> int:  # noqa: B006  # read only
            first, second = customers[:: 1 if mine % 2 else -1]
            count = 0
            for payment_id in payments[:: 1 if mine % 3 else -1]:
                for customer in (first, second):
                    for step in (
                        lambda: world.do(
                            assign_payment, AssignPayment(payment_id=payment_id, customer_id=customer.id)  # noqa: B023  # run at once
                        ),
                        lambda: world.invoice(customer, 1),  # noqa: B023  # run at once
                        lambda: world.do(unassign_payment, UnassignPayment(payment_id=payment_id)),  # noqa: B023  # run at once
                    ):
                        try:
                            step()
                            count += 1
                        except Refused:
                            pass
            return count

        results = at_once(pool, [lambda each=mine: work(each) for mine in range(THREADS)])  # type: ignore[misc]  # bound now
        assert refused(results) == []
    assert _deadlocks(world) == deadlocks
    world.check()


def _deadlocks(world: World) -> int:
    if world.store.database.dialect == "sqlite":
        return 0
    statement = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    return world.store.read(lambda books: int(books.connection.execute(statement).scalar_one()))


def test_two_customers_with_one_code_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        command = NewCustomer(code=f"SAME-{index}", name="Same", currency=SGD, mode=Mode.PREPAID)
        results = at_once(pool, [lambda: world.do(new_customer, command)] * 4)  # noqa: B023  # run in this round
        assert refused(results) == [AlreadyTaken] * 3
    world.check()


def test_rights_and_settings_changed_at_once(world: World, pool: ThreadPoolExecutor) -> None:
    for index in range(ROUNDS):
        profile = Profile(team=TEAM, user=f"U{index}", name="New")

        def give(role: Role, profile: Profile = profile) -> RightChanged:
            return world.do(grant, Grant(profile=profile, role=role), by=ADMIN)

        results = at_once(pool, [lambda each=role: give(each) for role in (Role.VIEWER, Role.CLERK, Role.MANAGER) * 2])  # type: ignore[misc]  # bound now
        assert refused(results) == []
        setting = at_once(
            pool,
            [
                lambda each=days: world.do(change_setting, ChangeSetting(name="due_days", value=str(each)), by=ADMIN)  # type: ignore[misc]  # bound now
                for days in range(THREADS)
            ],
        )
        assert refused(setting) == []
    last = world.store.read(lambda books: books.settings())
    assert last.version == 1 + ROUNDS * THREADS
    world.check()


def test_of_eight_first_owners_one_is(library: Library, pool: ThreadPoolExecutor) -> None:
    world = World(Store.open(library))
    with_none = world.store.read(lambda books: [person for person in books.people() if person.role is Role.OWNER])
    assert len(with_none) == 1
    results = at_once(
        pool,
        [
            lambda each=index: world.do(set_owner, SetOwner(profile=Profile(team=TEAM, user=f"U{each}")), by=f"U{each}")  # type: ignore[misc]  # bound now
            for index in range(THREADS)
        ],
    )
    assert refused(results) == [OwnerExists] * THREADS
    replace(world)
    world.check()
