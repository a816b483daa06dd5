"""What monitoring sees of a process, in names and numbers: nothing that a customer or a person wrote."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from bot import __version__
from bot.observe import outcome

# Slack gives up after three seconds, the desk after two.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 10.0)
OTHER = "other"
OUTBOX_STATES = ("waiting", "done", "failed", "parked", "dropped")
MAIL_STATES = ("waiting", "sent", "failed", "bounced", "unknown")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    """What a book shows at the moment of a question; an age is nothing where there is nothing to be old."""

    outbox: Mapping[str, int]
    oldest_waiting_seconds: float
    unsealed_seconds: float
    verified_seconds_ago: float | None
    findings: int
    heartbeat_seconds_ago: float | None
    mails: Mapping[str, int] = field(default_factory=dict)


@dataclass
class Metrics:
    """The figures of one process, in a registry of their own."""

    book: str
    in_hand: Callable[[], int]
    places: int
    gauges: Callable[[], Gauges | None]
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    began: float = field(default_factory=time.monotonic)
    request_at: float | None = None

    def __post_init__(self) -> None:
        where = self.registry
        ended = ("command", "outcome", "door")
        self._requests = Counter("duedesk_requests", "Requests from Slack, and how they ended.", ended, registry=where)
        self._seconds = Histogram(
            "duedesk_request_seconds", "From receipt to answer.", ("command",), buckets=SECONDS, registry=where
        )
        self._deliveries = Counter(
            "duedesk_deliveries", "Tries to send a message or file.", ("kind", "result"), registry=where
        )
        # The runner of jobs calls `job_ran` after each run.
        self._jobs = Counter("duedesk_job_runs", "Runs of scheduled jobs.", ("job", "result"), registry=where)
        info = Gauge("duedesk_build_info", "The version that runs.", ("version", "book"), registry=where)
        info.labels(__version__, self.book).set(1)
        self.registry.register(_OfTheBook(self))

    def request_done(self, command: str, ended: str, door: str, seconds: float) -> None:
        """A request was answered; the command is a name of ours, never what was typed."""
        self.request_at = time.monotonic()
        self._requests.labels(command, ended, door).inc()
        self._seconds.labels(command).observe(seconds)

    def delivered(self, kind: str, result: str) -> None:
        """A try to send a row of the outbox ended."""
        self._deliveries.labels(kind, result).inc()

    def job_ran(self, job: str, result: str) -> None:
        """A job of the schedule ended: done, refused or fault."""
        self._jobs.labels(job, result).inc()

    def page(self) -> bytes:
        """Everything, as text."""
        return generate_latest(self.registry)


@contextmanager
def counted() -> Iterator[list[str]]:
    """How a piece of work ended, as it says of itself meanwhile; a fault when it breaks."""
    outcome.set("done")
    ended = ["fault"]
    try:
        yield ended
        ended[0] = outcome.get()
    finally:
        outcome.set("done")


class _OfTheBook(Collector):
    """Asked at each question, not kept."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing to ask while registering."""
        return iter(())

    def collect(self) -> Iterator[GaugeMetricFamily]:
        of = self._metrics
        yield _one("requests_in_hand", "Requests that are being answered.", of.in_hand())
        yield _one("requests_places", "Requests in hand before the desk says it is busy.", of.places)
        with self._lock:  # one question at a time
            found = of.gauges()
        yield _one("database_up", "Whether the book could be asked.", int(found is not None))
        if found is None:
            return
        states = GaugeMetricFamily("duedesk_outbox_rows", "Messages and files, by state.", labels=("state",))
        for state in OUTBOX_STATES:
            states.add_metric([state], found.outbox.get(state, 0))
        yield states
        mails = GaugeMetricFamily("duedesk_mails", "Mails to customers, by state.", labels=("state",))
        for state in MAIL_STATES:
            mails.add_metric([state], found.mails.get(state, 0))
        yield mails
        yield _one("outbox_oldest_seconds", "Age of the oldest message that waits.", found.oldest_waiting_seconds)
        yield _one("seal_lag_seconds", "Age of the oldest audit row without a seal.", found.unsealed_seconds)
        if found.verified_seconds_ago is not None:
            yield _one("verify_age_seconds", "Since duedesk verify last ran.", found.verified_seconds_ago)
            yield _one("verify_findings", "What it found then.", found.findings)
        if found.heartbeat_seconds_ago is not None:
            yield _one(
                "heartbeat_age_seconds", "Since the heartbeat last found all right.", found.heartbeat_seconds_ago
            )


def _one(name: str, says: str, value: float) -> GaugeMetricFamily:
    made = GaugeMetricFamily(f"duedesk_{name}", says)
    made.add_metric([], value)
    return made
