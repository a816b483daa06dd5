"""What a running process shows of itself: its metrics, whether it is ready, and its sign of life in the book."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.errors import Refused
from bot.domain.schedules import read_daily
from bot.metrics import Gauges
from bot.observe import log
from bot.parts import EVERY, Parts, written
from bot.storage.ids import draw_number, process_number
from bot.storage.pulse import beat, numbers_taken, signs
from bot.storage.store import Store

BEAT_SECONDS = 30.0
LONGEST_NAME = 100
AWAY = (SQLAlchemyError, OSError, Refused)
ASKING_SECONDS = 2.0  # a question of monitoring waits no longer than a person's


def gauges(store: Store) -> Gauges | None:
    """The book's own figures; nothing when it cannot be asked."""
    try:
        found = signs(store, time.monotonic() + ASKING_SECONDS)
        is_on = read_daily(store.read(lambda books: books.settings(), time.monotonic() + ASKING_SECONDS).heartbeat)
    except AWAY as fault:
        log.error("metrics: the book cannot be asked: %s", type(fault).__name__)
        return None

    def ago(moment: object) -> float:
        return max(0.0, (found.now - moment).total_seconds()) if moment is not None else 0.0  # type: ignore[operator]  # instants

    return Gauges(
        outbox=found.outbox,
        oldest_waiting_seconds=ago(found.waiting_since),
        unsealed_seconds=ago(found.unsealed_since),
        verified_seconds_ago=ago(found.proved_at) if found.proved_at is not None else None,
        findings=found.findings,
        heartbeat_seconds_ago=ago(found.heartbeat_since)
        if is_on is not None and found.heartbeat_since is not None
        else None,
        mails=found.mails,
    )


class HasSchema(Protocol):
    """A book, or the registry of many."""

    def is_current(self) -> bool: ...


@dataclass
class Readiness:
    """Why this process should get no requests, in a word; nothing when it should."""

    store: HasSchema
    delivery_died: Callable[[], bool]
    stopping: bool = False

    def why_not(self) -> str:
        if self.stopping:
            return "stopping"
        try:
            current = self.store.is_current()
        except AWAY as fault:
            log.error("not ready: %s", type(fault).__name__)
            return "database"
        if not current:
            return "schema"
        return "delivery" if self.delivery_died() else ""


class Life(Protocol):
    """Since when a process serves, and when a request last came, on the monotonic clock."""

    began: float
    request_at: float | None


@dataclass
class Pulse:
    """Shows now and then in the book that this process serves it, and which parts of the work it does."""

    store: Store
    name: str
    life: Life
    parts: Parts = EVERY
    _stop: threading.Event = field(default_factory=threading.Event)

    def start(self, parts: Parts = EVERY) -> None:
        """Begin with a number for ids that no process has that was seen of late."""
        self.parts = parts
        try:
            taken = numbers_taken(self.store)
            if process_number() in taken:
                log.info("ids get another number of this process: %s", draw_number(taken))
            self.beat()
        except AWAY as fault:
            log.error("no sign of life: %s", type(fault).__name__)
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def beat(self) -> None:
        """Show it now."""
        now, asked = time.monotonic(), self.life.request_at
        beat(
            self.store,
            f"{self.name} {written(self.parts)} {process_number()}"[-LONGEST_NAME:],
            began_ago=now - self.life.began,
            request_ago=now - asked if asked is not None else None,
        )

    def _run(self) -> None:
        while not self._stop.wait(BEAT_SECONDS):
            try:
                self.beat()
            except AWAY as fault:
                log.error("no sign of life: %s", type(fault).__name__)
