"""Period locks: the soft one a manager passes with a reason, the hard one nobody; moving one is itself audited."""

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from bot.domain.customers import clean_text
from bot.domain.errors import SettingRefused
from bot.domain.operation import Announcement, Context, Role, Trace, operation
from bot.domain.settings import Settings, check_hard_lock, check_setting

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REASON = 300
PAST_LOCK = "past_soft_lock"  # where the audit log keeps the reason


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveLocks:
    """The last day of each lock; none takes the soft lock away, and leaves the hard lock where it never stood."""

    soft: date | None
    hard: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocksMoved:
    """The locks stand elsewhere from now on."""

    before: Settings
    after: Settings
    operation_id: int

    def trace(self) -> Trace:
        moved = [
            f"{name} lock {_said(was)} to {_said(now)}"
            for name, was, now in (
                ("soft", self.before.soft_lock, self.after.soft_lock),
                ("hard", self.before.hard_lock, self.after.hard_lock),
            )
            if was != now
        ]
        return Trace(
            description=f"{', '.join(moved).capitalize()}",
            before={"soft_lock": self.before.soft_lock, "hard_lock": self.before.hard_lock},
            after={"soft_lock": self.after.soft_lock, "hard_lock": self.after.hard_lock},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.ADMINISTRATOR, alone=True)
def move_locks(command: MoveLocks, books: "Books", context: Context) -> LocksMoved:
    """Lock what is dated up to a day. Refuses: SettingRefused, also a hard lock that moves back and a soft lock that
    the hard one covers.
    """
    before = books.settings.current()
    soft = _checked("soft_lock", command.soft, context.today)
    hard = _checked("hard_lock", command.hard, context.today)
    try:
        check_hard_lock(hard, before)
    except SettingRefused as refusal:
        refusal.field = "hard_lock"
        raise
    if soft and soft <= hard and soft != before.soft_lock:
        raise SettingRefused(
            f"The hard lock covers {soft} already; choose a later day, or none for the soft lock.", field="soft_lock"
        )
    after = replace(before, soft_lock=soft, hard_lock=hard)
    if (after.soft_lock, after.hard_lock) == (before.soft_lock, before.hard_lock):
        raise SettingRefused("Both locks stand there already; choose another day.", field="soft_lock")
    for name in ("soft_lock", "hard_lock"):
        if getattr(after, name) != getattr(before, name):
            books.settings.change(name, getattr(after, name))
    return LocksMoved(before=before, after=after, operation_id=context.operation_id)


def _checked(name: str, day: date | None, today: date) -> str:
    try:
        return check_setting(name, day.isoformat() if day is not None else "", today)
    except SettingRefused as refusal:
        refusal.field = name
        raise


def _said(lock: str) -> str:
    return lock or "none"


def check_reason(reason: str) -> str:
    """Why somebody posts past the soft lock. Refuses: MissingText, TextTooLong."""
    return clean_text(reason, "past_lock", LONGEST_REASON, needed=True, called="reason")


def with_reason(trace: Trace, reason: str) -> Trace:
    """What the audit log keeps of an operation that a manager posted past the soft lock."""
    return replace(
        trace,
        description=f"{trace.description}; past the soft lock: {reason}",
        after={**trace.after, PAST_LOCK: reason},
    )
