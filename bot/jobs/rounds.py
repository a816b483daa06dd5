"""Takes turns among many books with few threads, so that none waits for another's long job or dead Slack."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.observe import log
from bot.storage.faults import AWAY

SLOW_SECONDS = 5.0
STOP_SECONDS = 15.0


def _nothing() -> None:
    """There is nothing to be done."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a book does when it is its turn, and how that ends before its time."""

    run: Callable[[], bool]  # whether there was something to do
    hand_over: Callable[[], object] = _nothing  # begin nothing more, and let others have what is not in hand
    release: Callable[[], object] = _nothing  # and what is in hand as well, since it takes too long


@dataclass(slots=True)
class Seat:
    """A book among those that take turns."""

    turn: Turn
    due: float
    rest: float = 0.0  # after a turn with nothing to do; it doubles with each
    is_slow: bool = False  # its last turn took long
    is_served: bool = False
    began: float = 0.0
    is_woken: bool = False


class Rounds:
    """Gives each book its turn: one turn of a book at a time, who has waited longest first.

    A turn says whether there was something to do; then the next is due at once, otherwise after a rest that doubles
    from `least` to `longest` seconds. Books whose turns take more than five seconds, by a long job or because Slack
    does not answer for them, get half of the threads together; and while such turns hold all threads, further ones, up
    to as many again, serve the books that are quick.
    """

    def __init__(self, name: str, *, threads: int, least: float, longest: float) -> None:
        assert threads > 1
        self._least = least
        self._longest = longest
        self._for_slow = threads // 2
        self._seats: dict[str, Seat] = {}
        self._changed = threading.Condition()
        self._stopping = False
        self._ended = threading.Event()
        self._name = name
        self._spare = 0
        self._relief = threading.Thread(target=self._relieve, name=f"{name} relief", daemon=True)
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(threads)]

    def seat(self, turns: Mapping[str, Turn]) -> None:
        """From now on these books take turns; one that is new or has another turn is due at once."""
        with self._changed:
            for key in self._seats.keys() - turns.keys():
                del self._seats[key]
            for key, turn in turns.items():
                seat = self._seats.get(key)
                if seat is None:
                    self._seats[key] = Seat(turn, time.monotonic())
                elif seat.turn != turn:
                    seat.turn = turn
                    self._soon(seat)
            self._changed.notify_all()

    def wake(self, key: str) -> None:
        """There is something to do for a book."""
        with self._changed:
            if key in self._seats:
                self._soon(self._seats[key])
                self._changed.notify()

    def start(self) -> None:
        for each in (*self._threads, self._relief):
            each.start()

    @property
    def has_died(self) -> bool:
        """Whether a thread was started and ended without being told to."""
        return not self._stopping and any(each.ident is not None and not each.is_alive() for each in self._threads)

    def hand_over(self) -> None:
        """Begin nothing more, and let others have at once what is not in hand."""
        with self._changed:
            if self._stopping:
                return
            self._stopping = True
            self._changed.notify_all()
            served = [each.turn for each in self._seats.values() if each.is_served]
        self._ended.set()
        for turn in served:
            self._end(turn.hand_over)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Finish what is in hand and end, within so many seconds; what takes longer is left to others."""
        self.hand_over()
        until = time.monotonic() + seconds
        for each in (*self._threads, self._relief):
            if each.is_alive():
                each.join(timeout=max(0.0, until - time.monotonic()))
        with self._changed:
            late = [each.turn for each in self._seats.values() if each.is_served]
        for turn in late:
            self._end(turn.release)

    @staticmethod
    def _end(how: Callable[[], object]) -> None:
        try:
            how()
        except AWAY as fault:
            log.error("what was claimed is not handed over; its lease ends by itself", exc_info=fault)

    @staticmethod
    def _soon(seat: Seat) -> None:
        seat.due, seat.rest, seat.is_woken = min(seat.due, time.monotonic()), 0.0, True

    def _relieve(self) -> None:
        """Look now and then whether turns that take long hold every thread."""
        while not self._ended.wait(SLOW_SECONDS):
            with self._changed:
                now = time.monotonic()
                held = [each for each in self._seats.values() if each.is_served and now - each.began >= SLOW_SECONDS]
                for each in held:
                    each.is_slow = True
                if len(held) >= len(self._threads) + self._spare and self._spare < len(self._threads):
                    self._spare += 1
                    threading.Thread(target=self._work_as_spare, name=f"{self._name} spare", daemon=True).start()

    def _work_as_spare(self) -> None:
        try:
            self._work(is_spare=True)
        finally:
            with self._changed:
                self._spare -= 1

    def _work(self, *, is_spare: bool = False) -> None:
        while (seat := self._next(is_spare=is_spare)) is not None:
            try:
                found = seat.turn.run()
            except Exception as fault:  # noqa: BLE001  # a database may be away; it is asked again, and the others go on
                log.error("a book's turn ended early", exc_info=fault)
                found = False
            self._back(seat, found=found)

    def _next(self, *, is_spare: bool) -> Seat | None:
        """The seat whose turn it is, once there is one; nothing when told to stop, or when a spare thread is idle."""
        with self._changed:
            while not self._stopping:
                slow = sum(each.is_served and each.is_slow for each in self._seats.values())
                free = [
                    each
                    for each in self._seats.values()
                    if not each.is_served and not (each.is_slow and slow >= self._for_slow)
                ]
                seat = min(free, key=lambda each: each.due, default=None)
                now = time.monotonic()
                if seat is not None and seat.due <= now:
                    seat.is_served, seat.is_woken, seat.began = True, False, now
                    return seat
                if is_spare:
                    return None
                self._changed.wait(seat.due - now if seat is not None else None)
            return None

    def _back(self, seat: Seat, *, found: bool) -> None:
        with self._changed:
            seat.is_served, seat.is_slow = False, time.monotonic() - seat.began >= SLOW_SECONDS
            if found or seat.is_woken:
                seat.rest = 0.0
            else:
                seat.rest = min(self._longest, max(self._least, 2 * seat.rest))
            seat.due = time.monotonic() + seat.rest
            self._changed.notify()
