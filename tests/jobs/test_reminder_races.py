"""Reminders while others do the same or the opposite in the same moment: one plan, one message for each, none lost."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from bot.desk import Desk
from bot.domain.mail import MailState
from bot.domain.mailing import Decision, SettleMail, settle_mail
from bot.domain.operation import Actor, Request
from bot.domain.reminder_ports import MessageState
from bot.domain.reminder_runs import (
    EditReminder,
    ExcludeReminder,
    ReleaseReminders,
    edit_reminder,
    exclude_reminder,
    release_reminders,
)
from bot.domain.reminder_sending import RemindNow, remind_now
from bot.domain.reminder_templates import SaveSchedule, save_schedule
from bot.jobs.reminders import watch_reminders
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from tests.jobs.reminding import deliver, messages, reminding, tick, waiting_mails
from tests.jobs.test_reminder_plans import planned
from tests.jobs.test_reminder_trouble import DAY, MONDAY, TEN, late
from tests.storage.test_races import at_once, done
from tests.world import CLERK, TEAM, World

pytestmark = pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
CUSTOMERS = 8


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(max_workers=24) as executor:
        yield executor


def look(world: World, name: str) -> None:
    """A whole tick of one process."""
    Runner(
        Desk(world.store, clock=lambda: world.now),
        jobs={"reminders": JOBS["reminders"]},
        watches={"reminders": watch_reminders},
        now=lambda: world.now,
        name=name,
    ).run_once()


def looks(world: World) -> list[Callable[[], object]]:
    return [partial(look, world, f"process {number}") for number in range(3)]


@pytest.mark.rule(87, 88, 89)
def test_processes_and_people_at_once_send_each_customer_one_message(world: World, pool: ThreadPoolExecutor) -> None:
    reminding(world, reminders="review")
    customers = [late(world, f"C{number}") for number in range(CUSTOMERS)]
    owed = {each.id: world.invoice(each, 30, issued=-40, due=-9) for each in customers}
    world.now = MONDAY
    at_once(pool, looks(world))
    run, waiting = planned(world)
    assert len(waiting) == CUSTOMERS
    world.now = MONDAY + TEN
    send = ReleaseReminders(run_id=run.id, version=run.version)
    redelivered = Request(
        actor=Actor(team=TEAM, user=CLERK), now=world.now, key="pressed", request_id="1", command="test"
    )
    people: list[Callable[[], object]] = [partial(world.desk.carry_out, release_reminders, send, redelivered)] * 2
    out = {each.id for each in waiting[:2]}
    people += [partial(world.do, exclude_reminder, ExcludeReminder(message_id=each, version=1)) for each in out]
    other = EditReminder(message_id=waiting[2].id, version=1, subject="Other", body="{{ total }}")
    people.append(partial(world.do, edit_reminder, other))
    for each in waiting[3:5]:
        customer = next(found for found in customers if found.id == each.customer_id)
        people.append(partial(world.pay, 30, customer, to=((owed[customer.id], None),)))
    at_once(pool, [*looks(world), *people])
    at_once(pool, looks(world))
    _, left = planned(world)
    handed = waiting_mails(world)
    excluded = sum(each.state.value == "excluded" for each in left)
    assert len({each.mail.customer_id for each in handed}) == len(handed) == CUSTOMERS - excluded
    assert len(deliver(world)) == len(handed)
    world.check()


@pytest.mark.rule(89)
def test_what_failed_is_sent_again_while_the_next_plan_is_made(world: World, pool: ThreadPoolExecutor) -> None:
    reminding(world)
    customers = [late(world, f"C{number}") for number in range(CUSTOMERS)]
    tick(world, MONDAY)
    tick(world, MONDAY + TEN)
    failed = deliver(world, MailState.FAILED)
    world.now = MONDAY + DAY
    again: list[Callable[[], object]] = [
        partial(world.do, settle_mail, SettleMail(mail_id=each.mail.id, decision=Decision.AGAIN)) for each in failed
    ]
    again += [partial(world.do, remind_now, RemindNow(customer_id=each.id)) for each in customers]
    at_once(pool, [*looks(world), *again])
    for moment in (world.now, world.now + TEN, world.now + TEN):
        tick(world, moment)
    going = messages(world, MessageState.QUEUED)  # a mail of any other message is withdrawn before it leaves
    assert len({each.customer_id for each in going}) == len(going) == CUSTOMERS
    for each in going:
        assert each.mail_id is not None
        deliver(world, only=each.mail_id)
    world.check()


def test_of_many_schedules_made_the_default_at_once_one_is(world: World, pool: ThreadPoolExecutor) -> None:
    reminding(world)
    made = [SaveSchedule(name=f"S{number}", steps="7 days after: First", is_default=True) for number in range(4)]
    assert len(done(at_once(pool, [partial(world.do, save_schedule, each) for each in made]))) == len(made)
    kept = world.store.read(lambda books: books.reminder_schedules())
    assert (len(kept), sum(each.is_default for each in kept)) == (5, 1)
