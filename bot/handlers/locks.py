"""/duedesk lock: the last day of the soft and of the hard lock, previewed before they move."""

from datetime import date

from bot.domain.errors import Refused
from bot.domain.locks import LocksMoved, MoveLocks, move_locks
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, rich
from bot.handlers.blocks.text import date_text
from bot.handlers.commands import Reply
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import DateField, Form, Values
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import join, split
from bot.handlers.request import Call

SOFT = DateField(
    "soft_lock",
    "Soft lock: last locked day",
    needed=False,
    hint="A manager may post on these days with a reason. Empty means none.",
    dispatches=True,
)
HARD = DateField(
    "hard_lock",
    "Hard lock: last locked day",
    needed=False,
    hint="Nobody posts on these days, and it never moves back.",
    dispatches=True,
)
NONE = frozenset({"off", "none", "-"})
USAGE = "Type /duedesk lock soft 2026-10-31, /duedesk lock hard 2026-10-31, or /duedesk lock soft off."


def _lines(outcome: LocksMoved, settings: Settings) -> list[tuple[Part, ...]]:
    """Each lock before and after, and from when everybody posts."""
    locale, before, after = settings.locale, outcome.before, outcome.after
    lines: list[tuple[Part, ...]] = []
    if before.soft_lock != after.soft_lock:
        lines.append((bold("Soft lock "), f"{_day(before.soft_lock, locale)} → {_day(after.soft_lock, locale)}"))
    if before.hard_lock != after.hard_lock:
        moved = f"{_day(before.hard_lock, locale)} → {_day(after.hard_lock, locale)}"
        lines.append((bold("Hard lock "), f"{moved}; it never moves back"))
    if after.soft_lock or after.hard_lock:
        lines.append((f"What is dated earlier counts from {date_text(after.first_open_day(), locale)}.",))
    else:
        lines.append(("Every day is open.",))
    if after.is_softly_locked:
        days = "the days after the hard lock" if after.hard_lock else "the locked days"
        lines.append((f"A manager may still post on {days}, with a reason that stays in the audit log.",))
    return lines


def _day(lock: str, locale: str) -> str:
    day = _locked(lock)
    return date_text(day, locale) if day is not None else "none"


def _locked(lock: str) -> date | None:
    return date.fromisoformat(lock) if lock else None


LOCK = flow(
    Flow(
        form=Form("book_lock", "Lock a period", (SOFT, HARD)),
        operation=move_locks,
        command=lambda values, _about, _call: MoveLocks(soft=values.get(SOFT), hard=values.get(HARD)),
        effect=lambda outcome, settings: [
            rich((bold("What will happen"),), *_lines(outcome, settings), block_id="effect")
        ],
        verb=lambda _outcome, _settings: "Move the locks",
        done=lambda outcome, settings: [rich(*_lines(outcome, settings), block_id="effect")],
    )
)


def lock(call: Call, text: str) -> Reply | None:
    """`[soft|hard] [DATE|off]`: the form with both locks as they stand, and the one that was typed as it shall be."""
    settings = settings_of(call)
    given = {
        name: date.fromisoformat(getattr(settings, name)) if getattr(settings, name) else None
        for name in (SOFT.name, HARD.name)
    }
    words = split(text)
    if not words:
        LOCK.open(call, Values(given))
        return None
    name = {"soft": SOFT.name, "hard": HARD.name}.get(words[0].text.lower())
    typed = join(tuple(words[1:]))
    if name is None or not typed:
        raise Refused(USAGE)
    today = settings.today(call.request.now)
    given[name] = None if typed.lower() in NONE else parse_date(typed, today=today)
    LOCK.open(call, Values(given), preview=True)
    return None
