"""Any history over all operations on money: the books prove themselves after each step, and past days tie.

`verify` proves that entries balance and controls are their open items (I1, I2, I6, I16), that nothing is matched beyond
what it was at any day (I4), within one customer and currency (I5), who approved what and that it was carried out once
(I8), notes by their lines (I9), limits by their rows (I10), numbers (I11), and one audit row and key each (I15). Here
are checked that ageing ties at past days (I3), nothing spends or reserves below zero (I7), nothing is dated under a
hard lock (I12), automatic top-ups keep their brakes (I14), and a switch of mode moves nothing (I17).
"""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from bot.storage.reports import SqlReadBooks
from tests.moves import KINDS, Desk, Move, any_of
from tests.test_ageing_oracle import compare_identity
from tests.world import World

Worlds = Callable[[], AbstractContextManager[World]]
UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
STEPS = 40  # of each history: 40 of them on SQLite and 12 on PostgreSQL
PAST = (0, 1, 2, 5, 11, 23)  # days back at which ageing ties after each step; at the end all days do
KEPT = json.loads((Path(__file__).parent / "kept_histories.json").read_text(encoding="utf-8"))

# What a part of the histories does more often than others, so that rare moves meet each other.
MORE = {
    "any": (),
    "asking": ("ask_for", "asked_step", "pay", "unallocate", "undo"),
    "using": ("use", "bill", "month_end", "refund", "switch", "limit", "clock"),
    "giving": ("issue", "take_back", "withdraw", "decide", "paid_out", "note", "note_step", "give_up", "rule", "look"),
}


def play(worlds: Worlds, moves: Sequence[Move]) -> set[str]:
    """Try each move; which kinds were done at least once."""
    done = set()
    try:
        with worlds() as world:
            world.now += timedelta(days=6)  # a month ends on the way
            desk = Desk(world)
            for move in moves:
                if desk.take(move):
                    done.add(move.kind)
                    desk.check_after(move)
                    check_days(world, PAST)
            check_days(world, range(-31, 31))
            world.check()
    except Exception as fault:
        fault.add_note(f"Keep this history: {json.dumps([astuple(move) for move in moves])}")
        raise
    return done


def check_days(world: World, back: Sequence[int]) -> None:
    """Buckets and credits are the control accounts at each of some days."""

    def compare(books: SqlReadBooks) -> None:
        for each in back:
            compare_identity(books, world.day(-each))

    world.store.read(compare)


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(max_examples=10, deadline=None, suppress_health_check=UNHURRIED)
@given(data=some.data())
def test_all_operations_together_keep_the_books_right(worlds: Worlds, more: str, data: some.DataObject) -> None:
    assert play(worlds, data.draw(some.lists(any_of(KINDS + MORE[more] * 4), min_size=STEPS, max_size=STEPS)))


@pytest.mark.parametrize("more", MORE)
@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@settings(max_examples=3, deadline=None, suppress_health_check=UNHURRIED)
@given(data=some.data())
def test_all_operations_keep_the_books_right_on_postgresql(worlds: Worlds, more: str, data: some.DataObject) -> None:
    assert play(worlds, data.draw(some.lists(any_of(KINDS + MORE[more] * 4), min_size=STEPS, max_size=STEPS)))


@pytest.mark.parametrize("history", KEPT, ids=[each["why"] for each in KEPT])
def test_a_history_that_was_kept_keeps_the_books_right(worlds: Worlds, history: dict[str, object]) -> None:
    moves = [Move(*each) for each in history["moves"]]  # type: ignore[attr-defined]  # a list in the file
    assert set(history["does"]) <= play(worlds, moves)  # type: ignore[call-overload]  # as above
