"""Reminders when something is odd: one customer never stops the others, nobody is forgotten, and nobody hears twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.customers import Customer
from bot.storage.tables import CustomerRow
from tests.jobs.reminding import deliver, reachable, reminding, tick, waiting_mails
from tests.world import World

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEN = timedelta(hours=2)
DAY = timedelta(days=1)
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
_customer: Any = CustomerRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one


def late(world: World, code: str) -> Customer:
    """A customer with something eight days overdue."""
    customer = reachable(world, code)
    world.invoice(customer, 50, issued=-40, due=-8)
    return customer


def as_imported(world: World, customer: Customer, **values: str) -> None:
    """As its row came in long ago, before anybody looked at what it says."""
    of = update(_customer).where(_customer.c.id == customer.id)
    world.store.write(lambda connection: connection.execute(of.values(**values)))


def handed(world: World) -> list[str]:
    """Whom a mail was handed over for."""
    return sorted(each.mail.to[0].partition("@")[0] for each in waiting_mails(world))


def day(world: World, at: datetime) -> list[str]:
    """The plan of a day and its sending; whom something goes to, taken over at once."""
    tick(world, at)
    tick(world, at + TEN)
    found = handed(world)
    deliver(world)
    return found


@pytest.mark.rule(87)
def test_a_customer_in_no_zone_is_reminded_in_the_zone_of_the_book_and_stops_nobody(world: World) -> None:
    reminding(world)
    late(world, "GOOD")
    as_imported(world, late(world, "ODD"), zone="../Singapur", country="sg")
    assert day(world, MONDAY) == ["good", "odd"]
