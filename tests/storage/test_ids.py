"""Ids rise and never come twice, however fast they are asked for and whatever the clock does."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from bot.storage.ids import new_id


def test_ids_rise_even_when_asked_for_faster_than_a_millisecond_has_room() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert all(earlier < later for earlier, later in pairwise(ids))
    assert max(ids) < 2**63


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(4) as threads:
        ids = [each for batch in threads.map(lambda _: [new_id() for _ in range(5_000)], range(4)) for each in batch]
    assert len(set(ids)) == len(ids)


def test_a_clock_set_back_does_not_repeat_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    earlier = time.time_ns() - 10**12
    monkeypatch.setattr("bot.storage.ids.time.time_ns", lambda: earlier)
    assert first < new_id() < new_id()
