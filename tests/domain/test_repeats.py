"""The same key twice: one effect and one answer; previews: an answer and no effect."""

from dataclasses import replace

import pytest

from bot.domain.allocation import Portion
from bot.domain.errors import KeyReused, MoreThanLeft, NoAccess
from bot.domain.operation import OPERATIONS
from bot.domain.payments import RecordPayment, record_payment
from bot.domain.settings import ChangeSetting, change_setting
from tests.domain.expect import audit_count, everything, expect_refusal
from tests.domain.stages import STAGES
from tests.world import ADMIN, MANAGER, STRANGER, World, money


@pytest.mark.rule(115)
@pytest.mark.parametrize("name", list(STAGES))
def test_the_same_key_and_content_is_done_once_and_answered_alike(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    assert OPERATIONS[name] is operation
    count = audit_count(world)
    first = world.do(operation, command, by=by, key="intent:1")
    assert audit_count(world) == count + 1
    after = everything(world)
    again = world.do(operation, command, by=by, key="intent:1")
    assert again == first
    assert everything(world) == after
    world.check()


@pytest.mark.parametrize("name", list(STAGES))
def test_a_preview_shows_the_outcome_and_writes_nothing(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    before = everything(world)
    request = world.request(by, key="intent:1")
    shown = world.desk.preview(operation, command, request)
    assert everything(world) == before
    done = world.desk.carry_out(operation, command, request)
    assert type(shown) is type(done)
    assert everything(world) != before
    shown_number = getattr(getattr(shown, "payment", None), "number", None)
    assert shown_number == getattr(getattr(done, "payment", None), "number", None)
    world.check()


def test_the_same_key_with_other_content_is_refused_naming_what_was_done(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    world.do(record_payment, command, key="intent:1")
    with expect_refusal(world, KeyReused, says="PAY-0001 recorded: SGD 5.00"):
        world.do(record_payment, replace(command, amount=money(6)), key="intent:1")
    with expect_refusal(world, KeyReused):
        world.do(change_setting, ChangeSetting(name="company", value="x"), by=ADMIN, key="intent:1")


def test_the_same_key_by_another_person_is_refused(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    world.do(record_payment, command, key="intent:1")
    with expect_refusal(world, KeyReused):
        world.do(record_payment, command, key="intent:1", by=MANAGER)
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, key="intent:1", by=STRANGER)


def test_a_repeat_answers_as_then_even_after_things_moved_on(world: World) -> None:
    customer = world.customer()
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today, customer_id=customer.id)
    first = world.do(record_payment, command, key="intent:1")
    world.invoice(customer, 5)
    again = world.do(record_payment, command, key="intent:1")
    assert again == first
    assert again.left == money(5)
    assert world.read_customer(customer).balance == money(0)


def test_a_refused_request_leaves_its_key_free(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 5, auto=False)
    portions = (Portion(invoice_id=invoice.id, amount=money(6)),)
    command = RecordPayment(
        payer="x", amount=money(6), received_on=world.today, customer_id=customer.id, portions=portions
    )
    with expect_refusal(world, MoreThanLeft, field="invoices"):
        world.do(record_payment, command, key="intent:1")
    corrected = replace(command, portions=())
    assert world.do(record_payment, corrected, key="intent:1").payment.number == "PAY-0001"
    world.check()


def test_different_keys_with_the_same_content_are_two_payments(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    numbers = [world.do(record_payment, command, key=f"intent:{n}").payment.number for n in range(2)]
    assert numbers == ["PAY-0001", "PAY-0002"]


def test_delivery_is_woken_by_commits_only(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(5), received_on=world.today)
    woken: list[int] = []
    world.desk.on_commit = lambda: woken.append(1)
    world.desk.preview(record_payment, command, world.request())
    with pytest.raises(NoAccess):
        world.do(record_payment, command, by=STRANGER)
    assert woken == []
    world.do(record_payment, command)
    assert woken == [1]
