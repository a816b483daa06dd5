"""The soft lock: a manager passes it with a reason that is kept; the hard lock: nobody."""

from dataclasses import replace
from datetime import date

import pytest

from bot.domain.errors import KeyReused, MissingText, NoAccess, Refused, SettingRefused, TextTooLong
from bot.domain.locks import LocksMoved, MoveLocks, move_locks
from bot.domain.payments import PaymentChanged, RecordPayment, VoidPayment, record_payment, void_payment
from bot.domain.ports import AuditLine, AuditQuestion
from bot.domain.settings import Settings
from tests.domain.expect import ask_sql
from tests.world import ADMIN, CLERK, MANAGER, OWNER, VIEWER, World, money

WHY = "The bank sent it late"


def lock(world: World, soft: int | None, hard: int | None = None, by: str = ADMIN) -> LocksMoved:
    """Both locks, their last days so many days from today."""
    soft_day, hard_day = (world.day(each) if each is not None else None for each in (soft, hard))
    return world.do(move_locks, MoveLocks(soft=soft_day, hard=hard_day), by=by)


def pay(world: World, day: int, reason: str = "", by: str = MANAGER, key: str | None = None) -> PaymentChanged:
    command = RecordPayment(payer="Somebody", amount=money(5), received_on=world.day(day))
    return world.desk.carry_out(record_payment, command, replace(world.request(by, key), past_lock=reason))


def exceptions(world: World) -> list[AuditLine]:
    return list(world.store.read(lambda books: books.audit(AuditQuestion(past_lock=True))))


def settings(world: World) -> Settings:
    return world.store.read(lambda books: books.settings())


@pytest.mark.parametrize("by", [CLERK, MANAGER, OWNER])
def test_what_is_dated_before_the_soft_lock_counts_from_the_first_open_day(world: World, by: str) -> None:
    lock(world, -10)
    made = pay(world, -20, by=by)
    assert (made.payment.received_on, made.payment.posted_on) == (world.day(-20), world.day(-9))
    assert made.is_locked_out
    acme = world.customer()
    sent = world.invoiced(acme, 10, issued=-20)
    assert (sent.invoice.posted_on, sent.is_locked_out) == (world.day(-9), True)
    assert not world.invoiced(acme, 10, issued=-9).is_locked_out
    assert exceptions(world) == []
    world.check()


@pytest.mark.parametrize("by", [MANAGER, ADMIN, OWNER])
def test_a_manager_passes_the_soft_lock_with_a_reason_that_is_kept(world: World, by: str) -> None:
    lock(world, -10)
    made = pay(world, -20, WHY, by=by)
    assert (made.payment.posted_on, made.is_locked_out) == (world.day(-20), False)
    (kept,) = exceptions(world)
    assert (kept.actor, kept.document) == (by, made.payment.number)
    assert kept.description == f"PAY-0001 recorded: SGD 5.00; past the soft lock: {WHY}"
    assert [str(day) for (day,) in ask_sql(world, "SELECT effective_on FROM entry")] == [str(world.day(-20))]
    world.check()


def test_a_reason_that_was_not_needed_makes_no_exception(world: World) -> None:
    lock(world, -10)
    pay(world, -9, WHY)
    pay(world, -20)
    assert exceptions(world) == []
    world.do(void_payment, VoidPayment(payment_id=pay(world, -3).payment.id, reason='"past_soft_lock": "no"'))
    assert exceptions(world) == []


@pytest.mark.parametrize("by", [CLERK, VIEWER])
def test_nobody_below_a_manager_passes_the_soft_lock(world: World, by: str) -> None:
    lock(world, -10)
    with pytest.raises(NoAccess):
        pay(world, -20, WHY, by=by)
    assert ask_sql(world, "SELECT COUNT(*) FROM entry") == [(0,)]


@pytest.mark.parametrize(("reason", "refusal"), [("  ", MissingText), ("x" * 301, TextTooLong)])
def test_a_reason_is_a_text_of_some_length(world: World, reason: str, refusal: type[Refused]) -> None:
    lock(world, -10)
    with pytest.raises(refusal, match="reason"):
        pay(world, -20, reason)
    assert ask_sql(world, "SELECT COUNT(*) FROM entry") == [(0,)]


def test_no_reason_passes_the_hard_lock(world: World) -> None:
    lock(world, -5, -10)
    assert pay(world, -7, WHY).payment.posted_on == world.day(-7)
    assert pay(world, -20, WHY).payment.posted_on == world.day(-9)
    assert pay(world, -20).payment.posted_on == world.day(-4)
    assert len(exceptions(world)) == 2
    world.check()


def test_one_key_with_another_reason_is_refused(world: World) -> None:
    lock(world, -10)
    first = pay(world, -20, WHY, key="intent")
    assert pay(world, -20, WHY, key="intent") == first
    with pytest.raises(KeyReused):
        pay(world, -20, "Something else", key="intent")
    assert len(exceptions(world)) == 1


def test_the_soft_lock_moves_both_ways_and_the_hard_lock_forward_alone(world: World) -> None:
    lock(world, -5, -10)
    assert settings(world).first_open_day() == world.day(-4)
    lock(world, -8, -10)
    lock(world, None, -10)
    assert settings(world).first_open_day() == world.day(-9)
    for back in (-11, None):
        with pytest.raises(SettingRefused, match="only moves forward") as refused:
            lock(world, None, back)
        assert refused.value.field == "hard_lock"
    described = [line.description for line in world.store.read(lambda books: books.audit(AuditQuestion(limit=3)))]
    assert described[0] == f"Soft lock {world.day(-8)} to none"
    assert described[2] == f"Soft lock none to {world.day(-5)}, hard lock none to {world.day(-10)}"


@pytest.mark.parametrize(
    ("soft", "hard", "field", "says"),
    [
        (date(2026, 11, 23), None, "soft_lock", "before today"),
        (None, date(2026, 11, 24), "hard_lock", "before today"),
        (date(2026, 10, 31), date(2026, 10, 31), "soft_lock", "covers 2026-10-31 already"),
        (None, None, "soft_lock", "stand there already"),
    ],
)
def test_a_lock_that_cannot_stand_is_refused_on_its_field(
    world: World, soft: date | None, hard: date | None, field: str, says: str
) -> None:
    with pytest.raises(SettingRefused, match=says) as refused:
        world.do(move_locks, MoveLocks(soft=soft, hard=hard), by=ADMIN)
    assert refused.value.field == field
    assert settings(world).first_open_day() == date.min


def test_a_hard_lock_that_overtakes_the_soft_one_leaves_it_where_it_stands(world: World) -> None:
    lock(world, -10)
    moved = lock(world, -10, -5)
    assert (moved.after.is_softly_locked, moved.after.first_open_day()) == (False, world.day(-4))


def test_only_an_administrator_moves_locks(world: World) -> None:
    with pytest.raises(NoAccess):
        lock(world, -10, by=MANAGER)
