"""Dates as people type them: a missing year or week is filled by one plain rule, `3/4` is asked back."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.errors import Refused
from bot.handlers.blocks.text import date_text
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.errors import DateAmbiguous, DateNotUnderstood

MONDAY = date(2026, 11, 23)
days = st.dates(date(2001, 1, 1), date(2089, 12, 31))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        ("2026/11/22", date(2026, 11, 22)),
        ("2026.1.2", date(2026, 1, 2)),
        ("today", MONDAY),
        (" Yesterday ", date(2026, 11, 22)),
        ("tomorrow", date(2026, 11, 24)),
        ("friday", date(2026, 11, 20)),
        ("fri", date(2026, 11, 20)),
        ("last fri", date(2026, 11, 20)),
        ("thurs", date(2026, 11, 19)),
        ("monday", MONDAY),
        ("last monday", date(2026, 11, 16)),
        ("3 nov", date(2026, 11, 3)),
        ("nov 3", date(2026, 11, 3)),
        ("Nov 3rd", date(2026, 11, 3)),
        ("23 nov", MONDAY),
        ("24 nov", date(2025, 11, 24)),
        ("29 feb", date(2024, 2, 29)),
        ("29/2", date(2024, 2, 29)),
        ("3 november 2025", date(2025, 11, 3)),
        ("November 3, 2025", date(2025, 11, 3)),
        ("3 nov 25", date(2025, 11, 3)),
        ("3 sept", date(2026, 9, 3)),
        ("-3d", date(2026, 11, 20)),
        ("−3 d", date(2026, 11, 20)),
        ("3 days ago", date(2026, 11, 20)),
        ("1 day ago", date(2026, 11, 22)),
        ("end of last month", date(2026, 10, 31)),
        ("last month end", date(2026, 10, 31)),
        ("25/12/2026", date(2026, 12, 25)),
        ("12/25/2026", date(2026, 12, 25)),
        ("25.12.2026", date(2026, 12, 25)),
        ("25/12", date(2025, 12, 25)),
        ("3/3/2026", date(2026, 3, 3)),
        ("31/12/99", date(2099, 12, 31)),
    ],
)
def test_a_date_with_one_reading_is_read(text: str, day: date) -> None:
    assert parse_date(text, today=MONDAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3 dec", date(2026, 12, 3)),
        ("23 nov", MONDAY),
        ("22 nov", date(2027, 11, 22)),
        ("25/12", date(2026, 12, 25)),
        ("29 feb", date(2028, 2, 29)),
        ("3 nov 2025", date(2025, 11, 3)),
    ],
)
def test_a_date_that_lies_ahead_is_the_nearest_one_not_before_today(text: str, day: date) -> None:
    assert parse_date(text, today=MONDAY, future=True) == day


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("3/4", ("3 apr", "4 mar")),
        ("03/04/2026", ("3 apr 2026", "4 mar 2026")),
        ("3.4.26", ("3 apr 2026", "4 mar 2026")),
        ("25/12/26", ("25 dec 2026", "26 dec 2025")),
    ],
)
def test_an_ambiguous_date_names_two_readings_and_each_can_be_typed(text: str, readings: tuple[str, str]) -> None:
    with pytest.raises(DateAmbiguous) as caught:
        parse_date(text, today=MONDAY)
    assert caught.value.sentence == f"{text} can be {readings[0]} or {readings[1]}; type one of these."
    assert len({parse_date(each, today=MONDAY) for each in readings}) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("31 feb", "February 2026 has 28 days"),
        ("29 feb 2025", "February 2025 has 28 days"),
        ("31/4/2026", "April 2026 has 30 days"),
        ("2026-11-31", "November 2026 has 30 days"),
        ("2026-13-01", "does not exist"),
        ("0 nov", "does not exist"),
        ("13/13", "does not exist"),
        ("0000-01-01", "does not exist"),
    ],
)
def test_a_day_that_does_not_exist_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(DateNotUnderstood, match=reason) as caught:
        parse_date(text, today=MONDAY)
    assert "2026-11-22, yesterday or 3 nov" in caught.value.sentence
    assert caught.value.field == "date"


@pytest.mark.parametrize(
    "text", ["", "soon", "last", "ma 3", "3 xyz", "next fri", "20261122", "3", "-3", "3 nov 2", "١/٢"]
)
def test_what_is_no_date_is_refused_with_what_to_type(text: str) -> None:
    with pytest.raises(DateNotUnderstood, match="is not a date; type one such as"):
        parse_date(text, today=MONDAY)


@given(day=days, today=days, future=st.booleans())
def test_a_full_date_does_not_depend_on_today(day: date, today: date, future: bool) -> None:
    for text in (
        day.isoformat(),
        f"{day:%Y/%m/%d}",
        date_text(day),
        date_text(day, "en_GB"),
        f"{day:%B} {day.day} {day.year}",
    ):
        assert parse_date(text, today=today, future=future) == day


@given(day=days, today=days)
def test_a_date_without_a_year_is_the_nearest_on_the_wanted_side_of_today(day: date, today: date) -> None:
    text = f"{day.day} {day:%b}"
    past, ahead = parse_date(text, today=today), parse_date(text, today=today, future=True)
    assert past <= today <= ahead
    assert {(each.month, each.day) for each in (past, ahead)} == {(day.month, day.day)}
    between = ahead - past
    assert not between or between <= timedelta(days=366 if (day.month, day.day) != (2, 29) else 8 * 366)


@given(today=days, back=st.integers(0, 6))
def test_a_weekday_alone_is_the_latest_one_and_last_means_before_today(today: date, back: int) -> None:
    day = today - timedelta(days=back)
    assert parse_date(f"{day:%A}", today=today) == day
    assert parse_date(f"last {day:%a}", today=today) == (day if back else today - timedelta(days=7))


@given(
    first=st.integers(1, 12),
    second=st.integers(1, 12),
    year=st.none() | st.integers(2001, 2089),
    mark=st.sampled_from("/.-"),
)
def test_day_and_month_that_could_change_places_are_never_guessed(
    first: int, second: int, year: int | None, mark: str
) -> None:
    text = f"{first}{mark}{second}{f'{mark}{year}' if year else ''}"
    if first == second:
        assert parse_date(text, today=MONDAY).day == first
        return
    with pytest.raises(DateAmbiguous):
        parse_date(text, today=MONDAY)


def assert_sentence(refusal: Refused) -> None:
    assert 0 < len(refusal.sentence) < 200
    assert refusal.sentence.endswith(".")


@given(
    text=st.one_of(st.text(max_size=60), st.from_regex(r"[0-9]{1,4}[-/. ]([0-9]{1,2}|feb|jun)([-/. ][0-9]{1,4})?")),
    future=st.booleans(),
)
def test_any_text_gives_a_date_or_a_sentence(text: str, future: bool) -> None:
    try:
        assert isinstance(parse_date(text, today=MONDAY, future=future), date)
    except Refused as refusal:
        assert_sentence(refusal)
