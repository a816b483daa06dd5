"""Jobs and watches in words: what is planned, how the last run went, when the next one comes, in the book's zone."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.job_plans import JobPlan, Target, WatchPlan
from bot.domain.month_plans import BOOK
from bot.domain.schedules import Schedule, next_run
from bot.domain.settings import Settings
from bot.handlers.blocks.digest import day_text
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.text import counted
from bot.handlers.forms import Block
from bot.storage.jobs import JobRun
from bot.storage.pulse import Look, Signs

SILENT = timedelta(minutes=5)  # a process shows itself every half minute, and a watch its look every minute
NO_PROCESS = "not before a process runs"


def last_text(run: JobRun | None, settings: Settings) -> str:
    """The last run and how it ended."""
    if run is None:
        return "has not run yet"
    again = ", a copy" if run.is_copy else ""
    return f"{day_text(run.day, settings.locale)}{again}: {_state(run, settings)}"


def _state(run: JobRun, settings: Settings) -> str:
    difference = f"; {run.error}" if run.error else ""
    if run.state == "failed":
        return f"failed; {run.error}"
    if run.state == "waiting":
        return (
            f"failed so far, tried again at {local_text(run.not_before, settings)}{difference}"
            if run.attempt
            else "planned"
        )
    if run.state == "running":
        return "at work"
    if run.sent == "failed":
        return f"not sent ({run.send_error}); {run.result}"
    if run.sent == "done":
        return f"posted; {run.result}{difference}"
    if not run.payload:
        return f"done; {run.result}{difference}"
    return f"waiting to be sent; {run.result}{difference}"


def coming_text(schedule: Schedule, run: JobRun | None, now: datetime, settings: Settings) -> str:
    """When a schedule comes next, on the book's clock."""
    last = run.day if run is not None else None
    return local_text(next_run(schedule, last, now, settings.zone), settings)


def look_text(look: Look | None, settings: Settings) -> str:
    """When a watch last looked, what stood in its way, and when it last did something."""
    if look is None:
        return "has not looked yet"
    ended = f"broke off: {look.fault}" if look.fault else "well"
    acted = f"did {look.did:,} at {local_text(look.acted_at, settings)}" if look.acted_at else "did nothing yet"
    return f"{local_text(look.at, settings)}: {ended}; {acted}"


def every_text(plan: WatchPlan) -> str:
    """`every 10 seconds`."""
    seconds = int(plan.every.total_seconds())
    return f"every {counted(seconds // 60, 'minute')}" if seconds % 60 == 0 else f"every {counted(seconds, 'second')}"


def soon_text(plan: WatchPlan, look: Look | None, seen: Signs) -> str:
    """When a watch looks next: as often as it does, as long as it looks at all."""
    if look is None or seen.now - look.at > SILENT:
        return NO_PROCESS
    return f"within {every_text(plan).removeprefix('every ')}"


def delivery_last_text(seen: Signs, settings: Settings) -> str:
    """When delivery was last seen at work, and what it has left."""
    at = f"{local_text(seen.seen_at, settings)}: " if seen.seen_at is not None else "has not been seen yet: "
    left = {state: seen.outbox.get(state, 0) for state in ("waiting", "failed", "parked")}
    told = [f"{left['waiting']:,} to send"] if left["waiting"] else []
    if left["failed"]:
        told.append(f"{left['failed']:,} given up ({', '.join(seen.failures)})")
    if left["parked"]:
        told.append(f"{left['parked']:,} held back by a restore")
    return f"{at}{', '.join(told) or 'everything is sent'}"


def delivery_next_text(seen: Signs) -> str:
    return "at once" if seen.seen_at is not None and seen.now - seen.seen_at <= SILENT else NO_PROCESS


def local_text(at: datetime, settings: Settings) -> str:
    """An instant on the book's clock."""
    local = at.astimezone(ZoneInfo(settings.zone))
    return f"{day_text(local.date(), settings.locale)} {local:%H:%M} ({settings.zone})"


def where_parts(target: Target) -> tuple[Part, ...]:
    """The channel of a job, unless it is for the whole book."""
    return () if target.name == BOOK else (" in ", {"type": "channel", "channel_id": target.name})


def job_block(plan: JobPlan, target: Target, last: JobRun | None, coming: str, settings: Settings) -> Block:
    """A job and where it runs for, in the list."""
    return rich(
        (bold(plan.name), *where_parts(target), f" · {target.when}"),
        f"Last run: {typed(last_text(last, settings))}",
        f"Next run: {coming}",
        block_id=f"job_{plan.name}_{target.name}",
    )


def idle_block(plan: JobPlan, last: JobRun | None, settings: Settings) -> Block:
    """A job that runs for nobody."""
    before = [f"Last run: {typed(last_text(last, settings))}"] if last is not None else []
    return rich((bold(plan.name), " · off"), *before, plan.never, block_id=f"job_{plan.name}")


def watch_block(plan: WatchPlan, look: Look | None, asked: JobRun | None, seen: Signs, settings: Settings) -> Block:
    """A watch in the list; what somebody asked for is told as long as it is not done."""
    by_hand = []
    if asked is not None and asked.state != "done":
        by_hand = [f"Asked for: {typed(last_text(asked, settings))}"]
    return rich(
        (bold(plan.name), f" · {every_text(plan)} · {plan.does}"),
        f"Last look: {look_text(look, settings)}",
        f"Next look: {soon_text(plan, look, seen)}",
        *by_hand,
        block_id=f"watch_{plan.name}",
    )


def delivery_block(seen: Signs, settings: Settings) -> Block:
    """Delivery in the list: it runs all the time."""
    return rich(
        (bold("delivery"), " · all the time · sends messages and files, and seals the audit log"),
        f"Last seen: {typed(delivery_last_text(seen, settings))}",
        f"Next look: {delivery_next_text(seen)}",
        block_id="delivery",
    )
