"""The books of all installations that one process serves: each found by its workspace, opened once, looked at."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.app import Book
from bot.domain.errors import Busy, NotFound
from bot.handlers.places import places_of
from bot.jobs.rounds import Turn
from bot.metrics import Gauges
from bot.observe import log
from bot.parts import EVERY, Parts
from bot.storage.ids import draw_number, process_number
from bot.storage.pulse import numbers_taken
from bot.storage.registry.registry import Installation, Registry
from bot.vitals import AWAY, BEAT_SECONDS, Pulse, gauges

KNOWN_SECONDS = 10.0  # how long what another process changed may stay unseen
MOST_KNOWN = 10_000
UNKNOWN = "Duedesk is not installed in this workspace. Whoever looks after it can install it at {address}."
UPGRADING = "The books of this workspace are being upgraded. Nothing was done; try again in a few minutes."


@dataclass
class Served:
    """A book that is served: its installation, itself, and how it was when it was last looked at."""

    installation: Installation
    book: Book
    began: float = field(default_factory=time.monotonic)
    request_at: float | None = None
    seen: Gauges | None = None
    current_until: float = 0.0
    turns: dict[str, Turn] = field(default_factory=dict)


class Books:
    """The books of all installations; each is opened when it is first asked for, and again with another token."""

    def __init__(self, registry: Registry, address: str, opened: Callable[[Installation], Served]) -> None:
        self._registry = registry
        self._address = address
        self.opened = opened
        self._served: dict[str, Served] = {}
        self._known: dict[str, tuple[float, Installation | None]] = {}
        self._changes = 0
        self._lock = threading.Lock()

    def of(self, body: Mapping[str, Any], deadline: float | None = None) -> Served:
        """The book of a payload's installation, and of none other. Refuses: NotFound, Busy."""
        for place in places_of(body):
            served = self.at(place, deadline) if place else None
            if served is not None:
                return served
        raise NotFound(UNKNOWN.format(address=self._address))

    def at(self, place: str, deadline: float | None = None) -> Served | None:
        """The book of a place where the app is installed. Refuses: Busy."""
        found = self._installation(place, deadline)
        if found is None or found.token is None:
            return None
        served = self._open(found)
        if not is_current(served):
            raise Busy(UPGRADING)
        return served

    def every(self) -> list[Served]:
        """Each book that is installed now, as the registry says at this moment."""
        changes = -1
        while changes != self._changes:  # what was read before a change of our own is not what is so now
            changes = self._changes
            found = [each for each in self._registry.all() if each.token is not None]
        with self._lock:
            until = time.monotonic() + KNOWN_SECONDS
            self._known = {each.place: (until, each) for each in found}
            for place in self._served.keys() - self._known.keys():
                del self._served[place]
        return [self._open(each) for each in found]

    def forget(self, place: str) -> None:
        """Ask the registry again: an installation was made or ended just now."""
        with self._lock:
            self._changes += 1
            self._known.pop(place, None)
            self._served.pop(place, None)

    def _installation(self, place: str, deadline: float | None) -> Installation | None:
        with self._lock:
            until, known = self._known.get(place, (0.0, None))
        if time.monotonic() < until:
            return known
        found = self._registry.find(place, deadline)
        with self._lock:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[place] = (time.monotonic() + KNOWN_SECONDS, found)
        return found

    def _open(self, found: Installation) -> Served:
        with self._lock:
            served = self._served.get(found.place)
            if served is None or served.installation.version < found.version:
                served = self._served[found.place] = self.opened(found)
            return served


def is_current(served: Served) -> bool:
    """Whether a book is at this program's schema, as it was seen not long ago."""
    if time.monotonic() >= served.current_until and served.book.desk.store.is_current():
        served.current_until = time.monotonic() + KNOWN_SECONDS
    return time.monotonic() < served.current_until


@dataclass
class Pulses:
    """Shows now and then, in each book, that this process serves it; and looks at each for the figures of all."""

    books: Books
    parts: Parts = EVERY
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, parts: Parts = EVERY) -> None:
        """Begin with a number for ids that no process has that was seen of late in any book."""
        self.parts = parts
        try:
            taken = frozenset().union(*(numbers_taken(each.book.desk.store) for each in self._current()))
            if process_number() in taken:
                log.info("ids get another number of this process: %s", draw_number(taken))
        except AWAY as fault:
            log.error("no sign of life: %s", type(fault).__name__)
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def beat(self) -> None:
        """Show it now; one book that is away keeps it from no other."""
        for served in self._current():
            try:
                Pulse(served.book.desk.store, served.book.worker.name, served, self.parts).beat()
            except AWAY as fault:
                log.error("no sign of life in %s: %s", served.installation.book, type(fault).__name__)
            served.seen = gauges(served.book.desk.store)

    def _current(self) -> list[Served]:
        return [each for each in self.books.every() if is_current(each)]

    def _run(self) -> None:
        while True:
            try:
                self.beat()
            except AWAY as fault:
                log.error("no sign of life: %s", type(fault).__name__)
            if self._stop.wait(BEAT_SECONDS):
                return


def together(books: Books) -> Gauges | None:
    """What all books show together, each as it was at its last sign of life; an age is the oldest of any."""
    try:
        seen = [each.seen for each in books.every() if each.seen is not None]
    except AWAY as fault:
        log.error("metrics: the registry cannot be asked: %s", type(fault).__name__)
        return None
    states = {state for each in seen for state in each.outbox}
    proved = [each.verified_seconds_ago for each in seen if each.verified_seconds_ago is not None]
    beats = [each.heartbeat_seconds_ago for each in seen if each.heartbeat_seconds_ago is not None]
    return Gauges(
        outbox={state: sum(each.outbox.get(state, 0) for each in seen) for state in states},
        oldest_waiting_seconds=max((each.oldest_waiting_seconds for each in seen), default=0.0),
        unsealed_seconds=max((each.unsealed_seconds for each in seen), default=0.0),
        verified_seconds_ago=max(proved, default=None),
        findings=sum(each.findings for each in seen),
        heartbeat_seconds_ago=max(beats, default=None),
    )
