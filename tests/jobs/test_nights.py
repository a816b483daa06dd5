"""Nights on which clocks are changed, both ways: what is due in the hour that is missing, or comes twice, runs once."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.tables import JobRunRow
from tests.jobs.reminding import reachable, reminding, waiting_mails
from tests.world import OWNER, World

TEN_MINUTES = timedelta(minutes=10)
# Half an hour is added to and taken from the clocks of Lord Howe, at two in the morning.
NIGHTS = {
    "Europe/Berlin": (date(2027, 3, 28), date(2027, 10, 31)),
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),
}


@pytest.mark.rule(87)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("zone", NIGHTS)
def test_each_job_runs_once_for_each_day_when_clocks_are_changed(world: World, zone: str) -> None:
    at_night = {"reminder_plan_at": "01:45", "reminder_send_at": "02:15", "reminder_hours": "01:00-23:00"}
    reminding(world, reminder_days="daily", **at_night)
    settings = {
        "zone": zone,
        "digest_channel": "C0DIGEST",
        "digests": "C0DIGEST 02:10 daily all",
    }
    for name, value in settings.items():
        world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)
    customer = reachable(world)
    for night in NIGHTS[zone]:
        world.now = datetime.combine(night - timedelta(days=1), time(23), tzinfo=ZoneInfo(zone)).astimezone(UTC)
        month_end = ChangeSetting(name="month_end", value=f"{min(night.day, 28)} at 02:20")
        world.do(change_setting, month_end, by=OWNER)
        world.invoice(customer, 50, issued=-30, due=-10)
        ends = datetime.combine(night, time(5), tzinfo=ZoneInfo(zone)).astimezone(UTC)
        before = _runs(world)
        while world.now < ends:
            for name in ("one", "two"):
                Runner(world.desk, jobs=JOBS, now=lambda: world.now, name=name).run_once()
            world.now += TEN_MINUTES
        ran = _runs(world) - before
        assert ran["digest", night] == 1
        assert ran["reminders", night] == 1
        assert max(ran.values()) == 1
    mails = waiting_mails(world)
    assert len(mails) == 1  # the second night's invoice waits, as the first message to this customer is not settled
    world.check()


def _runs(world: World) -> Counter[tuple[str, date]]:
    """How often each job ran for each day."""
    table = JobRunRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
    rows = world.store.read(lambda books: books.connection.execute(table.select()).all())
    assert all(row.state == "done" for row in rows), [(row.job, row.state, row.error) for row in rows]
    return Counter((row.job, row.day) for row in rows)
