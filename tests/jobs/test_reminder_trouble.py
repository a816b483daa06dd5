"""Reminders when something is odd: one customer never stops the others, nobody is forgotten, and nobody hears twice."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.domain.customers import Contact, Customer, EditCustomer, edit_customer
from bot.domain.mail import MailState
from bot.domain.reminder_ports import MessageState
from bot.domain.reminder_templates import SaveSchedule, SaveTemplate, save_schedule, save_template
from bot.domain.reminder_terms import SetReminders, set_reminders
from bot.domain.settings import ChangeSetting, change_setting
from bot.storage import mails
from bot.storage.outbox import Outbox
from bot.storage.parking import park
from bot.storage.tables import CustomerRow
from tests.jobs.letterbox import worker
from tests.jobs.reminding import BODY, at_noon, deliver, messages, reachable, reminding, tick, waiting_mails
from tests.smtp import MailHost
from tests.world import OWNER, World

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


@pytest.mark.rule(87, 89)
def test_a_level_that_repeats_goes_on_after_an_earlier_one_came_back(world: World) -> None:
    reminding(world, steps="7 days after, every 3 days: First")
    late(world, "ACME")
    tick(world, MONDAY)
    tick(world, MONDAY + TEN)
    (first,) = deliver(world)
    assert day(world, MONDAY + 3 * DAY) == ["acme"]
    world.store.write(lambda each: mails.settle(each, first.mail.id, MailState.BOUNCED, "550 no", world.now))
    assert [day(world, MONDAY + days * DAY) for days in (7, 10, 14)] == [["acme"], ["acme"], ["acme"]]
    world.check()


@pytest.mark.rule(87, 89)
def test_a_schedule_that_became_shorter_repeats_its_last_step_as_often_as_it_says(world: World) -> None:
    reminding(world, steps="1 day after: First\n2 days after: Second\n4 days after: Last", reminder_gap_days="1")
    late(world, "ACME")
    assert [day(world, MONDAY + days * DAY) for days in (0, 1, 3)] == [["acme"], ["acme"], ["acme"]]
    (usual,) = world.store.read(lambda books: books.reminder_schedules())
    shorter = SaveSchedule(name="Usual", steps="1 day after, every 3 days: First", over=usual.id)
    world.do(save_schedule, shorter)
    assert [day(world, MONDAY + days * DAY) for days in (4, 7, 8, 9, 10, 11)] == [[], ["acme"], [], [], ["acme"], []]
    world.check()


@pytest.mark.rule(87)
def test_who_turns_out_to_live_where_it_is_night_is_not_written_to(world: World) -> None:
    reminding(world)
    late(world, "GOOD")
    moved = late(world, "MOVED")
    tick(world, MONDAY)
    as_imported(world, moved, zone="Pacific/Auckland")  # ten is eleven at night there
    assert day(world, MONDAY + TEN) == ["good"]
    tick(world, MONDAY + timedelta(hours=11))  # its hours end where it was planned for
    tick(world, MONDAY + DAY)
    tick(world, MONDAY + timedelta(hours=36, minutes=30))  # half past nine in Auckland
    assert handed(world) == ["moved"]


@pytest.mark.rule(87)
def test_who_turns_reminders_off_stops_those_that_wait_as_well(world: World) -> None:
    reminding(world)
    late(world, "ACME")
    tick(world, MONDAY)
    world.do(change_setting, ChangeSetting(name="reminders", value="off"), by=OWNER)
    tick(world, MONDAY + TEN)
    assert handed(world) == []
    assert [each.note for each in messages(world)] == ["reminders are off"]


@pytest.mark.rule(87, 90)
def test_a_letter_that_cannot_be_written_is_seen_to_have_failed_and_is_tried_with_the_next_plan(world: World) -> None:
    reminding(world)
    text = SaveTemplate(name="How", language="en", subject="{{ payment_note }}", body=BODY)
    world.do(save_template, text)
    world.do(save_schedule, SaveSchedule(name="Other", steps="7 days after: How"))
    late(world, "GOOD")
    world.do(set_reminders, SetReminders(customer_id=late(world, "ODD").id, version=0, schedule="Other"))
    assert day(world, MONDAY) == ["good"]
    (failed,) = messages(world, MessageState.FAILED)
    assert failed.note == "Nothing is left of the subject once it is filled in."
    world.do(change_setting, ChangeSetting(name="payment_note", value="Pay to 12-34"), by=OWNER)
    assert day(world, MONDAY + DAY) == ["odd"]
    world.check()


@pytest.mark.rule(88)
def test_a_customer_with_hundreds_of_invoices_and_marks_that_nobody_sees_is_reminded(world: World) -> None:
    reminding(world)
    customer = reachable(world)
    for _ in range(3):
        world.invoice(customer, 5, issued=-40, due=-8)
    as_imported(world, customer, name="Ac\u200bme \u202eLtd\u00ad")
    many = "{% for invoice in invoices %}{{ invoice.number }} " + "y" * 7_900 + "{% endfor %}"
    world.do(save_template, SaveTemplate(name="First", language="fr", subject="{{ customer }}", body=many))
    world.do(set_reminders, SetReminders(customer_id=customer.id, version=0, language="fr"))
    tick(world, MONDAY)
    tick(world, MONDAY + TEN)
    (mail,) = waiting_mails(world)
    assert mail.mail.subject == "Ac me Ltd"
    assert len(mail.mail.body) > 20_000


def move(world: World, customer: Customer, *addresses: str) -> None:
    """The customer is written to elsewhere from now on."""
    contacts = tuple(Contact(name=each, email=each) for each in addresses)
    version = world.read_customer(customer).version
    command = EditCustomer(
        customer_id=customer.id, version=version, code=customer.code, name=customer.name, contacts=contacts
    )
    world.do(edit_customer, command)


def test_a_mail_that_waits_goes_to_nobody_who_is_no_contact_any_more(world: World, book_url: str) -> None:
    reminding(world)
    at_noon(world)
    left = late(world, "LEFT")
    for _ in range(2):
        tick(world)
    assert handed(world) == ["left"]
    move(world, left, "new@example.com")
    with MailHost().running() as host:
        send = worker(world.store, book_url, host.server)
        send.run_once()
        assert host.taken == []
        tick(world)
        send.run_once()
    assert [each.recipients for each in host.taken] == [["new@example.com"]]


def test_a_mail_server_that_is_away_all_day_costs_nobody_the_next_one(world: World) -> None:
    reminding(world)
    late(world, "ACME")
    tick(world, MONDAY)
    tick(world, MONDAY + TEN)
    assert handed(world) == ["acme"]
    tick(world, MONDAY + timedelta(hours=11))
    assert handed(world) == []
    assert day(world, MONDAY + DAY) == ["acme"]


def test_what_a_restore_held_back_and_an_operator_drops_is_taken_as_sent(world: World) -> None:
    reminding(world)
    acme = late(world, "ACME")
    world.do(set_reminders, SetReminders(customer_id=acme.id, version=0, channel="slack:C1"), by=OWNER)
    tick(world, MONDAY)
    tick(world, MONDAY + TEN)
    assert world.store.write(lambda connection: park(connection, "restored")) >= 1
    Outbox(world.store).drop("all")
    tick(world, MONDAY + DAY)
    (sent,) = messages(world)
    assert sent.state is MessageState.SENT
    world.check()
