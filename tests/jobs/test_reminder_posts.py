"""Reminders in a channel that is shared with a customer: posted once, with what is owed then, and nowhere else."""

from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.customers import Customer
from bot.domain.reminder_ports import Message, MessageState
from bot.domain.reminder_terms import SetReminders, set_reminders
from bot.storage.reminder_settling import withdraw_reminder
from tests.jobs.reminding import at_noon, messages, reachable, reminding, tick, waiting_mails
from tests.slack import Slack
from tests.world import OWNER

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def linked(slack: Slack, version: int, channel: str, customer: Customer) -> None:
    command = SetReminders(customer_id=customer.id, version=version, channel=channel)
    slack.world.do(set_reminders, command, by=OWNER)


def handed(slack: Slack) -> tuple[Customer, Any, Message]:
    """A customer with a channel, two late invoices, and a message for the channel that waits to be posted."""
    world = slack.world
    at_noon(world)
    reminding(world)
    customer = reachable(world)
    first = world.invoice(customer, 50, issued=-40, due=-8)
    world.invoice(customer, 70, issued=-40, due=-8)
    linked(slack, 0, "slack:C0SHARED", customer)
    for _ in range(2):
        tick(world)
    (message,) = messages(world, MessageState.QUEUED)
    return customer, first, message


def posted(slack: Slack) -> list[str]:
    slack.deliver()
    return [each["text"] for each in slack.person(OWNER).messages("shared")]


@pytest.mark.rule(88, 89)
def test_a_post_that_was_written_anew_is_never_posted_as_it_was_before(slack: Slack) -> None:
    customer, first, message = handed(slack)
    world = slack.world
    world.pay(50, customer, to=((first, None),))
    assert message.mail_id is not None
    row = message.mail_id
    # The process withdraws it and dies before it settles the row, which waits on beside the one that takes its place.
    world.store.write(lambda each: withdraw_reminder(each, message.id, row, world.now, "what it says has changed"))
    tick(world)
    waiting = "SELECT COUNT(*) FROM outbox WHERE kind = 'reminder_post' AND state = 'waiting'"
    assert world.store.read(lambda books: books.connection.execute(text(waiting)).scalar()) == 2
    assert posted(slack) == ["First: SGD 70.00"]
    (sent,) = messages(world)
    assert (sent.state, sent.invoices) == (MessageState.SENT, 1)
    world.check()


def test_a_channel_that_is_the_customers_no_more_gets_nothing(slack: Slack) -> None:
    customer, _, _ = handed(slack)
    linked(slack, 1, "", customer)
    assert posted(slack) == []
    tick(slack.world)
    (mail,) = waiting_mails(slack.world)
    assert mail.mail.to == ("acme@example.com",)
