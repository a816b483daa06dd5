"""A process that dies anywhere between the plan of the morning and the last message handed over: another goes on where
it ended, and every customer gets one message.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from bot.storage.store import Store
from tests.jobs.reminding import deliver, reachable, reminding, tick
from tests.world import World

MORNING = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
TEN = MORNING + timedelta(hours=2)
LATER = timedelta(minutes=3)  # longer than a lease
CODES = ("ONE", "TWO", "THREE")


class DiedError(BaseException):
    """The process is no more; nothing in it catches this."""


class Mortal:
    """The writes of a process until it dies: before its last one was kept, or right after."""

    def __init__(self, store: Store, writes: int, *, kept: bool) -> None:
        self._write = store.write
        self._left = writes
        self._kept = kept

    def __call__(self, work: Callable[..., Any], *given: Any, **more: Any) -> Any:
        self._left -= 1
        if self._left < 0 and not self._kept:
            raise DiedError
        result = self._write(work, *given, **more)
        if self._left < 0:
            raise DiedError
        return result


@pytest.mark.rule(87, 89)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_whoever_dies_between_plan_and_sending_leaves_no_message_out_and_none_twice(
    worlds: Callable[[], AbstractContextManager[World]],
) -> None:
    writes = 0
    while _died(worlds, writes, kept=False) | _died(worlds, writes, kept=True):
        writes += 1
    assert writes > len(CODES) + 4  # begun, planned, shown, released, and a message each


def _died(worlds: Callable[[], AbstractContextManager[World]], writes: int, *, kept: bool) -> bool:
    with worlds() as world:
        reminding(world)
        for code in CODES:
            world.invoice(reachable(world, code), 50, issued=-40, due=-9)
        died = False
        try:
            with patch.object(world.store, "write", Mortal(world.store, writes, kept=kept)):
                tick(world, MORNING)
                tick(world, TEN)
        except DiedError:
            died = True
        for minutes in range(3):
            tick(world, max(world.now, TEN) + LATER * (minutes + 1), name="two")
        to = Counter(each.mail.to[0] for each in deliver(world))
        assert to == {f"{code.lower()}@example.com": 1 for code in CODES}
        world.check()
    return died
