"""Jobs in words: what is planned, how the last run went, when the next one comes, in the book's zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.digest_plans import DigestPlan
from bot.domain.schedules import Schedule, next_run
from bot.domain.settings import Settings
from bot.handlers.blocks.digest import day_text
from bot.handlers.blocks.rich import bold, rich, typed
from bot.handlers.forms import Block
from bot.storage.jobs import JobRun

NO_CHANNEL = (
    "digest: no channel is set, so nothing is posted. "
    "An administrator sets one with /duedesk settings digest_channel #channel"
)


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
            f"failed so far, tried again at {_local(run.not_before, settings)}{difference}"
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


def next_text(plan: DigestPlan, run_day: JobRun | None, now: datetime, settings: Settings) -> str:
    """When it comes next, on the book's clock."""
    return coming_text(plan.schedule, run_day, now, settings)


def coming_text(schedule: Schedule, run: JobRun | None, now: datetime, settings: Settings) -> str:
    """When a schedule comes next, on the book's clock."""
    last = run.day if run is not None else None
    return _local(next_run(schedule, last, now, settings.zone), settings)


def month_end_block(schedule: Schedule | None, last: JobRun | None, settings: Settings, now: datetime) -> Block:
    """The month end in the list of jobs."""
    when = f"Next run: {coming_text(schedule, last, now, settings)}" if schedule is not None else "It is switched off."
    return rich(
        (bold("month-end"), f" · {schedule.label if schedule is not None else 'off'}"),
        f"Last run: {typed(last_text(last, settings))}",
        when,
        block_id="job_month_end",
    )


def _local(at: datetime, settings: Settings) -> str:
    local = at.astimezone(ZoneInfo(settings.zone))
    return f"{day_text(local.date(), settings.locale)} {local:%H:%M} ({settings.zone})"


def plan_block(plan: DigestPlan, last: JobRun | None, coming: str, settings: Settings, *, place: int) -> Block:
    """One channel's digest in the list of jobs."""
    return rich(
        (bold("digest"), " in ", {"type": "channel", "channel_id": plan.channel}, f" · {plan.label}"),
        f"Last run: {typed(last_text(last, settings))}",
        f"Next run: {coming}",
        block_id=f"job_{place}",
    )
