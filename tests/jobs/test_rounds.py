"""Turns among many books: few threads, one turn of a book at a time, and no book that starves another."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from bot.jobs import rounds
from bot.jobs.rounds import Rounds, Turn

PATIENCE = 10.0


def told(by: Callable[[], object]) -> Turn:
    """A turn that tells of itself and has nothing to do."""

    def turn() -> bool:
        by()
        return False

    return Turn(turn)


@contextmanager
def running(turns: dict[str, Turn], *, threads: int = 2, rest: float = 60.0) -> Iterator[Rounds]:
    made = Rounds("test", threads=threads, least=rest, longest=rest)
    made.seat(turns)
    made.start()
    try:
        yield made
    finally:
        made.stop()
    assert not made.has_died


def test_slow_books_leave_threads_for_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many books hang, one that answers gets its turn; each that hung once is slow from then on."""
    monkeypatch.setattr(rounds, "SLOW_SECONDS", 0.0)  # each turn counts as slow: those seated later are not yet
    freed, hung = threading.Event(), threading.Semaphore(0)
    again: list[str] = []
    lock = threading.Lock()

    def hangs(name: str) -> bool:
        with lock:
            is_first = name not in again
            again.append(name)
        if is_first:
            return True
        hung.release()
        freed.wait(PATIENCE)
        return False

    served = threading.Event()
    with running({f"slow {n}": Turn(partial(hangs, f"slow {n}")) for n in range(20)}, threads=4) as made:
        assert hung.acquire(timeout=PATIENCE)
        assert hung.acquire(timeout=PATIENCE)
        monkeypatch.setattr(rounds, "SLOW_SECONDS", PATIENCE)
        slow = {key: seat.turn for key, seat in made._seats.items()}
        made.seat({**slow, "quick": told(served.set)})
        assert served.wait(PATIENCE)
        assert not hung.acquire(blocking=False)  # two of four threads, and no third
        freed.set()


def test_turns_that_hold_every_thread_do_not_keep_a_quick_book_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even when all begin to hang at once, before any of them is known to be slow."""
    monkeypatch.setattr(rounds, "SLOW_SECONDS", 0.02)
    freed, held, served = threading.Event(), threading.Semaphore(0), threading.Event()

    def hangs() -> bool:
        held.release()
        freed.wait(PATIENCE)
        return False

    slow = {f"slow {n}": told(hangs) for n in range(2)}
    with running(slow) as made:
        assert held.acquire(timeout=PATIENCE)
        assert held.acquire(timeout=PATIENCE)
        made.seat({**slow, "quick": told(served.set)})
        assert served.wait(PATIENCE)
        freed.set()


def test_a_book_has_one_turn_at_a_time_and_is_woken_for_the_next() -> None:
    inside, most = 0, 0
    turns = threading.Semaphore(0)
    lock = threading.Lock()

    def turn() -> bool:
        nonlocal inside, most
        with lock:
            inside += 1
            most = max(most, inside)
        made.wake("book")  # what came meanwhile is not slept over
        with lock:
            inside -= 1
        turns.release()
        return False

    made = Rounds("test", threads=4, least=60.0, longest=60.0)
    made.seat({"book": Turn(turn)})
    made.start()
    for _ in range(20):
        assert turns.acquire(timeout=PATIENCE)
    made.stop()
    assert most == 1


def test_a_fault_of_one_book_ends_nothing_and_one_that_left_has_no_turn() -> None:
    tried, other = threading.Semaphore(0), threading.Semaphore(0)

    def breaks() -> bool:
        tried.release()
        raise OSError

    with running({"broken": Turn(breaks), "other": told(other.release)}) as made:
        assert tried.acquire(timeout=PATIENCE)
        assert other.acquire(timeout=PATIENCE)
        made.wake("broken")
        assert tried.acquire(timeout=PATIENCE)
        made.seat({"broken": Turn(breaks)})
        made.wake("other")
        made.wake("broken")
        assert tried.acquire(timeout=PATIENCE)
        assert not other.acquire(blocking=False)


def test_a_turn_that_takes_too_long_at_the_end_is_left_to_others() -> None:
    begun, ended = threading.Event(), threading.Event()
    said: list[str] = []

    def hangs() -> bool:
        begun.set()
        return not ended.wait(PATIENCE)

    made = Rounds("test", threads=2, least=60.0, longest=60.0)
    turn = Turn(hangs, lambda: said.append("hand over"), lambda: said.append("release"))
    made.seat({"long": turn, "idle": Turn(lambda: False, lambda: said.append("nobody"))})
    made.start()
    assert begun.wait(PATIENCE)
    made.hand_over()
    made.stop(0.0)
    assert said == ["hand over", "release"]
    ended.set()
