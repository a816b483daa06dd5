"""The sample company of the demo, whatever the time of day at which it is made."""

from datetime import UTC, date, datetime

from sandbox.sample import moment


def test_nothing_of_the_sample_is_done_later_than_it_is_written() -> None:
    early = datetime(2026, 11, 29, 21, 30, tzinfo=UTC)  # the morning of the 30th in Singapore
    assert moment(date(2026, 11, 30), 7, early) == early
    assert moment(date(2026, 11, 29), 7, early) == datetime(2026, 11, 29, 2, 7, tzinfo=UTC)
