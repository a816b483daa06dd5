"""Reminders from the plan of the morning to the mail: each step once, nothing that is paid, held back or too late."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.domain.reminder_ports import MessageState
from tests.jobs.letterbox import worker
from tests.jobs.reminding import at_noon, deliver, messages, newest, reachable, reminding, tick, waiting_mails
from tests.smtp import MailHost
from tests.world import World

MONDAY = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TEN = timedelta(hours=2)


@pytest.mark.rule(87, 88)
def test_what_is_due_goes_out_once_by_itself_with_what_it_owes(world: World) -> None:
    reminding(world)
    acme = reachable(world)
    late = world.invoice(acme, 120, issued=-40, due=-8)
    coming = world.invoice(acme, 80, issued=-1, due=3)
    world.invoice(acme, 10, issued=-1, due=20)
    tick(world, MONDAY)
    assert newest(world).result == "1 message planned, 0 customers left out"
    assert waiting_mails(world) == []
    tick(world, MONDAY + TEN)
    tick(world, MONDAY + TEN, name="two")
    (mail,) = deliver(world)
    assert mail.mail.to == ("acme@example.com",)
    assert mail.mail.subject == "First: SGD 200.00"
    assert late.number is not None
    assert coming.number is not None
    assert [late.number in mail.mail.body, coming.number in mail.mail.body] == [True, True]
    tick(world, MONDAY + TEN)
    assert waiting_mails(world) == []
    (sent,) = messages(world, MessageState.SENT)
    assert (sent.sent_on, sent.level, sent.invoices) == (date(2026, 11, 23), 1, 2)
    world.check()


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost().running() as made:
        yield made


@pytest.mark.rule(88)
def test_what_is_paid_while_the_mail_waits_is_not_reminded_of(world: World, book_url: str, host: MailHost) -> None:
    reminding(world)
    at_noon(world)
    acme, other = reachable(world), reachable(world, "OTHER")
    late = world.invoice(acme, 120, issued=-40, due=-8)
    paid = world.invoice(acme, 80, issued=-40, due=-9)
    gone = world.invoice(other, 70, issued=-40, due=-9)
    for _ in range(2):
        tick(world)
    assert len(waiting_mails(world)) == 2
    world.pay(80, acme, to=((paid, None),))
    world.pay(70, other, to=((gone, None),))
    assert worker(world.store, book_url, host.server).run_once() == 2
    assert host.taken == []
    tick(world)
    assert worker(world.store, book_url, host.server).run_once() == 1
    (taken,) = host.taken
    said = str(taken.message)
    assert late.number is not None
    assert [each in said for each in (late.number, "SGD 120.00", "SGD 80.00", "SGD 200.00")] == [
        True,
        True,
        False,
        False,
    ]
    by_customer = {each.customer_id: each for each in messages(world)}
    assert by_customer[acme.id].state is MessageState.SENT
    assert (by_customer[other.id].state, by_customer[other.id].note) == (
        MessageState.DROPPED,
        "nothing of it is open any more",
    )
    world.check()
