"""When a job is due: by the wall clock of a zone, through both nights on which clocks change, and after outages."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.digest_plans import DigestPlan, as_text, check_plans, written
from bot.domain.errors import SettingRefused
from bot.domain.schedules import Schedule, due, instant, next_run, read_days, read_time

NEW_YORK, LONDON = "America/New_York", "Europe/London"
DAILY = tuple(range(7))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "wall", "wanted"),
    [
        (LONDON, "2026-11-23", "09:00", "2026-11-23T09:00"),
        (LONDON, "2026-07-01", "09:00", "2026-07-01T08:00"),
        (
            LONDON,
            "2026-03-29",
            "01:30",
            "2026-03-29T01:00",
        ),  # 01:00 to 02:00 does not exist: at 02:00, the next there is
        (LONDON, "2026-03-29", "02:00", "2026-03-29T01:00"),
        (LONDON, "2026-10-25", "01:30", "2026-10-25T00:30"),  # comes twice: the first
        (NEW_YORK, "2026-03-08", "02:30", "2026-03-08T07:00"),
        (NEW_YORK, "2026-11-01", "01:30", "2026-11-01T05:30"),
        ("Pacific/Apia", "2011-12-30", "09:00", "2011-12-30T10:00"),  # a day that was left out whole
        ("Asia/Singapore", "2026-11-23", "00:00", "2026-11-22T16:00"),
    ],
)
def test_a_local_time_has_one_instant(zone: str, day: str, wall: str, wanted: str) -> None:
    assert instant(date.fromisoformat(day), time.fromisoformat(wall), zone) == at(wanted)


@pytest.mark.parametrize("zone", [LONDON, NEW_YORK])
@pytest.mark.parametrize("wall", ["01:30", "02:30"])
@pytest.mark.parametrize("month", [3, 10])
def test_each_day_comes_once_through_the_nights_on_which_clocks_change(zone: str, wall: str, month: int) -> None:
    schedule = Schedule(at=time.fromisoformat(wall), weekdays=DAILY)
    now, end = at(f"2026-{month:02}-01T12:00"), at(f"2026-{month:02}-01T12:00") + timedelta(days=45)
    last: date | None = now.astimezone(ZoneInfo(zone)).date()
    days = []
    while now < end:
        day = due(schedule, last, now, zone)
        if day is not None:
            days.append(day)
            last = day
            assert due(schedule, last, now, zone) is None
        now += timedelta(minutes=10)
    assert days == [days[0] + timedelta(days=index) for index in range(len(days))]
    assert len(days) in {44, 45}


def test_after_an_outage_the_newest_day_alone_is_due() -> None:
    schedule = Schedule()
    friday = date(2026, 11, 20)
    assert due(schedule, friday, at("2026-11-22T23:00"), "UTC") is None
    assert due(schedule, friday, at("2026-11-26T10:00"), "UTC") == date(2026, 11, 26)
    assert due(schedule, friday, at("2026-11-26T08:59"), "UTC") == date(2026, 11, 25)
    assert due(schedule, date(2026, 11, 26), at("2026-11-26T10:00"), "UTC") is None
    assert due(Schedule(weekdays=(0,)), date(2026, 11, 2), at("2026-11-29T12:00"), "UTC") == date(2026, 11, 23)


def test_what_never_ran_begins_today() -> None:
    assert due(Schedule(), None, at("2026-11-23T09:00"), "UTC") == date(2026, 11, 23)
    assert due(Schedule(), None, at("2026-11-23T08:59"), "UTC") is None
    assert due(Schedule(), None, at("2026-11-22T12:00"), "UTC") is None


def test_a_moved_time_of_day_does_not_make_a_second_run() -> None:
    assert due(Schedule(at=time(9, 30)), date(2026, 11, 23), at("2026-11-23T09:40"), "UTC") is None
    assert next_run(Schedule(at=time(9, 30)), date(2026, 11, 23), at("2026-11-23T09:10"), "UTC") == at(
        "2026-11-24T09:30"
    )


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # given a zone here
    wall=st.times(),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from([LONDON, NEW_YORK, "Asia/Singapore", "Australia/Lord_Howe", "UTC"]),
)
def test_the_next_run_is_due_when_it_comes_and_not_before(now: datetime, wall: time, days: set[int], zone: str) -> None:
    schedule = Schedule(at=wall.replace(second=0, microsecond=0), weekdays=tuple(sorted(days)))
    last = due(schedule, date(2025, 1, 1), now, zone)
    assert last is not None
    coming = next_run(schedule, last, now, zone)
    assert coming > now
    assert due(schedule, last, coming - timedelta(seconds=1), zone) is None
    day = due(schedule, last, coming, zone)
    assert day is not None
    assert day > last


def test_days_and_times_are_read_as_people_type_them() -> None:
    assert read_days("mon-fri") == read_days("Weekdays") == read_days("monday, tue wed,thu fri") == (0, 1, 2, 3, 4)
    assert read_days("fri - mon") == (0, 4, 5, 6)
    assert read_days("daily") == DAILY
    assert read_time("9:30") == time(9, 30)
    for wrong in ("", "24:00", "9", "9.30", "09:60", "soon"):
        with pytest.raises(SettingRefused, match="is no time of day"):
            read_time(wrong)
    for wrong in ("", "never", "mon-", "mo-fr"):
        with pytest.raises(SettingRefused, match=r"[Tt]ype days"):
            read_days(wrong)


def test_plans_come_back_as_they_were_written() -> None:
    text = "C0ONE 09:00 weekdays all; C0TWO 17:30 mon,thu SGD,USD; C0THREE off"
    assert check_plans(text) == text
    assert "; ".join(as_text(each) for each in written(text)) == text
    assert written("") == ()
    assert DigestPlan(channel="C1").label == "weekdays 09:00, all currencies"
    with pytest.raises(SettingRefused):
        check_plans("C0ONE at nine")
