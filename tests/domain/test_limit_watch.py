"""The limit watch: what is told of limits, to whom, and that it is told once."""

from datetime import timedelta

import pytest

from bot.domain.customers import Customer, Mode
from bot.domain.errors import WrongState
from bot.domain.limit_watch import AlertKind, AnnounceLimit, announce_limit, level_of
from bot.domain.limits import SetLimit, set_limit
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.limits import watch_limits
from bot.storage.limit_watch import stirred
from tests.domain.expect import ask_sql, expect_refusal, run_sql
from tests.domain.usage_steps import charge
from tests.world import MANAGER, OWNER, World, money


def told(world: World) -> list[str]:
    """What the watch tells now, by the words of the audit log."""
    count = int(ask_sql(world, "SELECT COUNT(*) FROM audit")[0][0])
    watch_limits(world.desk, world.now)
    rows = ask_sql(world, "SELECT description FROM audit ORDER BY id")[count:]
    return [str(row[0]).partition(":")[0] for row in rows]


def limited(world: World, amount: int, *, mode: Mode = Mode.PREPAID, days: int | None = None) -> Customer:
    customer = world.customer(mode=mode)
    limit(world, customer, amount, days)
    return customer


def limit(world: World, customer: Customer, amount: int, days: int | None = None) -> None:
    command = SetLimit(customer_id=customer.id, amount=money(amount), days=days, reason="x")
    world.do(set_limit, command, by=MANAGER)


@pytest.mark.rule(61)
def test_each_share_is_told_once_and_again_after_less_was_used(world: World) -> None:
    customer = limited(world, 100)
    assert told(world) == []
    charge(world, customer, "79.99", line_id="A")
    assert told(world) == []
    charge(world, customer, "0.01")
    assert told(world) == ["ACME limit 80 % used"]
    assert told(world) == []
    charge(world, customer, 20)
    assert told(world) == ["ACME limit 100 % used"]
    world.pay(15, customer)
    assert told(world) == []
    charge(world, customer, 5)
    assert told(world) == ["ACME limit 90 % used"]
    limit(world, customer, 110)
    assert told(world) == ["ACME limit 80 % used"]
    world.check()


@pytest.mark.rule(57)
def test_a_new_month_tells_anew_for_who_is_postpaid(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID)
    charge(world, customer, 95)
    assert told(world) == ["ACME limit 90 % used"]
    world.now += timedelta(days=8)
    assert world.now.month == 12
    assert told(world) == []
    charge(world, customer, 92)
    assert told(world) == ["ACME limit 90 % used"]
    world.check()


def test_without_a_limit_less_than_nothing_is_told_once(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    assert told(world) == []
    world.invoice(customer, 10, auto=False)
    assert told(world) == ["ACME limit over, with none in force"]
    assert told(world) == []
    world.check()


@pytest.mark.rule(59)
def test_the_end_of_a_temporary_limit_is_told_some_days_before_and_when_it_is_there(world: World) -> None:
    customer = limited(world, 100, days=5)
    charge(world, customer, 50)
    ends_at = world.read_customer(customer).limit_ends_at
    assert ends_at is not None
    world.now = ends_at - timedelta(days=3, seconds=1)
    assert told(world) == []
    world.now = ends_at - timedelta(days=3)
    assert told(world) == ["ACME limit ends"]
    limit(world, customer, 100, days=1)
    assert told(world) == ["ACME limit ends"]
    world.now = (world.read_customer(customer).limit_ends_at or ends_at) - timedelta(seconds=1)
    assert told(world) == []
    world.now += timedelta(seconds=1)
    assert told(world) == ["ACME limit ended"]
    assert told(world) == ["ACME limit over, with none in force"]
    assert told(world) == []
    world.check()


def test_the_notice_is_a_setting_and_a_closed_customer_is_left_alone(world: World) -> None:
    customer = limited(world, 100, days=9)
    world.do(change_setting, ChangeSetting(name="limit_notice_days", value="10"), by=OWNER)
    run_sql(world, "UPDATE customer SET state = 'closed'")
    assert told(world) == []
    with expect_refusal(world, WrongState, says="Nothing is to be told"):
        world.do(announce_limit, AnnounceLimit(customer_id=customer.id, version=0), by="system")
    run_sql(world, "UPDATE customer SET state = 'active'")
    assert told(world) == ["ACME limit ends"]


def test_two_who_watch_at_once_tell_once(world: World) -> None:
    customer = limited(world, 100)
    charge(world, customer, 100)
    found = world.store.read(lambda books: stirred(books.connection, books.settings(), world.now))
    assert [(each.level, each.tells) for each in found] == [(100, True)]
    first = world.do(announce_limit, AnnounceLimit(customer_id=customer.id, version=0), by="system")
    assert first.kind is AlertKind.USE
    with expect_refusal(world, WrongState):
        world.do(announce_limit, AnnounceLimit(customer_id=customer.id, version=0), by="system")


def test_the_statement_finds_what_the_domain_finds(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    for limit_micros in (1, 7, 100, 999_999_999_999_999):
        for used in (0, 1, 79, 80, 89, 90, 99, 100, 101):
            owed = -(-used * limit_micros // 100)
            run_sql(world, f"UPDATE customer SET limit_micros = {limit_micros}, receivable_micros = {owed}")
            level = level_of(world.read_customer(customer), world.now)
            rows = world.store.read(lambda books: stirred(books.connection, books.settings(), world.now))
            assert [each.level for each in rows] == ([level] if level else []), (limit_micros, used)
