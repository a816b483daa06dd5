"""Plans of reminders between which people, outages and restores come: nothing old is sent, nobody waits for ever."""

from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from bot.domain.errors import SettingRefused, WrongState
from bot.domain.reminder_ports import Message, MessageState, ReminderRun, RunState
from bot.domain.reminder_runs import (
    CancelReminders,
    ExcludeReminder,
    PostponeReminders,
    ReleaseReminders,
    cancel_reminders,
    exclude_reminder,
    postpone_reminders,
    release_reminders,
)
from bot.domain.reminder_sending import RemindNow, remind_now
from bot.domain.reminder_templates import RetireSchedule, SaveSchedule, retire_schedule, save_schedule
from bot.domain.reminder_terms import SetReminders, set_reminders
from bot.domain.settings import ChangeSetting, change_setting
from bot.storage import reminder_reads
from bot.storage.backup import backup, restore
from tests.domain.expect import expect_refusal
from tests.jobs.reminding import deliver, messages, reminding, tick
from tests.jobs.test_reminder_trouble import DAY, MONDAY, day, late
from tests.world import OWNER, World

pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


def planned(world: World) -> tuple[ReminderRun, list[Message]]:
    """The newest plan and its messages."""
    run = world.store.read(lambda books: books.newest_run())
    assert run is not None
    return run, [each.message for each in world.store.read(lambda books: books.reminder_messages(run.id))]


@pytest.mark.rule(89)
def test_who_was_left_out_is_taken_in_again_only_today_and_when_nothing_else_waits(world: World) -> None:
    reminding(world, reminders="review")
    acme, other = late(world, "ACME"), late(world, "OTHER")
    tick(world, MONDAY)
    _, out = planned(world)
    for each in out:
        world.do(exclude_reminder, ExcludeReminder(message_id=each.id, version=1))
    world.do(remind_now, RemindNow(customer_id=acme.id))
    again = {each.customer_id: ExcludeReminder(message_id=each.id, version=2, back=True) for each in out}
    with expect_refusal(world, WrongState):
        world.do(exclude_reminder, again[acme.id])
    world.now = MONDAY + timedelta(hours=11)
    with expect_refusal(world, WrongState):
        world.do(exclude_reminder, again[other.id])


@pytest.mark.rule(87)
def test_a_plan_that_nobody_answered_is_over_with_its_day_and_stops_no_later_one(world: World) -> None:
    reminding(world, reminders="review", reminder_fresh_days="3")
    for code in ("ONE", "TWO", "THREE"):
        late(world, code)
    tick(world, MONDAY)
    old, waiting = planned(world)
    assert (old.state, len(waiting)) == (RunState.HELD, 3)
    with patch.object(reminder_reads, "_LATE", reminder_reads._LATE.limit(1)):  # as with hundreds left
        tick(world, MONDAY + DAY)
    run, waiting = planned(world)
    assert (run.day - old.day, len(waiting)) == (DAY, 3)
    with expect_refusal(world, WrongState):
        world.do(release_reminders, ReleaseReminders(run_id=old.id, version=old.version))
    with expect_refusal(world, SettingRefused, field="until"):
        world.do(postpone_reminders, PostponeReminders(run_id=run.id, version=run.version, until="18:00"))
    world.do(cancel_reminders, CancelReminders(run_id=run.id, version=run.version))
    world.do(change_setting, ChangeSetting(name="reminder_fresh_days", value="0"), by=OWNER)
    assert day(world, MONDAY + 2 * DAY) == ["one", "three", "two"]


def test_times_at_which_nobody_could_look_or_nothing_is_ever_sent_are_refused(world: World) -> None:
    for name, value in (
        ("reminder_plan_at", "10:00"),
        ("reminder_send_at", "07:30"),
        ("reminder_send_at", "18:00"),
        ("reminder_hours", "08:00-09:30"),
    ):
        with expect_refusal(world, SettingRefused, field="value"):
            world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)


def test_a_schedule_whose_name_has_other_than_english_letters_stays_while_somebody_has_it(world: World) -> None:
    reminding(world)
    made = world.do(save_schedule, SaveSchedule(name="Übung", steps="7 days after: First")).schedule
    world.do(set_reminders, SetReminders(customer_id=late(world, "ACME").id, version=0, schedule="übung"))
    changed = world.do(save_schedule, SaveSchedule(name="ÜBUNG", steps=made.steps, over=made.id)).schedule
    with expect_refusal(world, WrongState):
        world.do(retire_schedule, RetireSchedule(schedule_id=changed.id, name="Übung"))


@pytest.mark.rule(89)
def test_after_a_restore_nobody_is_reminded_until_somebody_turns_it_on(world: World, tmp_path: Path) -> None:
    reminding(world)
    for code in ("ONE", "TWO"):
        late(world, code)
    tick(world, MONDAY)
    backup(world.store, tmp_path / "morning.zip")
    assert day(world, MONDAY) == ["one", "two"]
    assert restore(world.store, tmp_path / "morning.zip", replace=True).stopped
    assert day(world, MONDAY + timedelta(hours=1)) == day(world, MONDAY + DAY) == []
    _, out = planned(world)
    assert {each.state for each in out} == {MessageState.EXCLUDED}
    world.do(change_setting, ChangeSetting(name="reminders", value="automatic"), by=OWNER)
    assert day(world, MONDAY + 2 * DAY) == ["one", "two"]
    assert len(messages(world, MessageState.SENT)) == 2
    assert deliver(world) == []
    world.check()
