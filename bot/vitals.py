"""What a running process shows of itself: its metrics, whether it is ready, and its sign of life in the book."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from bot.domain.errors import Refused
from bot.domain.schedules import read_daily
from bot.metrics import Gauges, Metrics
from bot.observe import log
from bot.storage.pulse import beat, signs
from bot.storage.store import Store

BEAT_SECONDS = 30.0
ASKING_SECONDS = 2.0  # a question of monitoring waits no longer than a person's


def gauges(store: Store) -> Gauges | None:
    """The book's own figures; nothing when it cannot be asked."""
    try:
        found = signs(store, time.monotonic() + ASKING_SECONDS)
        is_on = read_daily(store.read(lambda books: books.settings(), time.monotonic() + ASKING_SECONDS).heartbeat)
    except (SQLAlchemyError, OSError, Refused) as fault:
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
    )


@dataclass
class Readiness:
    """Why this process should get no requests, in a word; nothing when it should."""

    store: Store
    delivery_died: Callable[[], bool]
    stopping: bool = False

    def why_not(self) -> str:
        if self.stopping:
            return "stopping"
        try:
            current = self.store.is_current()
        except (SQLAlchemyError, OSError, Refused) as fault:
            log.error("not ready: %s", type(fault).__name__)
            return "database"
        if not current:
            return "schema"
        return "delivery" if self.delivery_died() else ""


@dataclass
class Pulse:
    """Shows now and then in the book that this process serves it."""

    store: Store
    name: str
    metrics: Metrics
    last: float = field(default=-BEAT_SECONDS)

    def __call__(self) -> None:
        now = time.monotonic()
        if now - self.last < BEAT_SECONDS:
            return
        self.last = now
        asked = self.metrics.request_at
        beat(
            self.store,
            self.name,
            began_ago=now - self.metrics.began,
            request_ago=now - asked if asked is not None else None,
        )
