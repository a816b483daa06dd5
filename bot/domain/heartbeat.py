"""The heartbeat: what the daily proof of the books found, as its message tells it."""

from dataclasses import dataclass
from datetime import date, datetime

from bot.domain.ports import Finding

MOST_FINDINGS = 500  # that a message keeps; how many there were is counted in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What was looked at: customers, entries, debts of which something is open, and the head of the audit chain."""

    customers: int
    entries: int
    open_items: int
    chain_length: int
    chain_head: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Messages that Slack did not take: given up, held back by a restore, and since when the oldest waits too long."""

    failed: int
    parked: int
    reasons: tuple[str, ...]
    waiting: int
    waiting_since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRun:
    """A run of a job that was given up, or a watch whose last look broke off."""

    name: str
    of: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatTold:
    """One day's proof. Red is what has findings: then the owner and the administrators are called."""

    day: date
    at: datetime
    counts: Counts
    findings: tuple[Finding, ...]
    found: int
    unsent: Unsent
    failed: tuple[FailedRun, ...]
    called: tuple[str, ...]  # Slack ids of the owner and the administrators

    @property
    def is_red(self) -> bool:
        return self.found > 0
