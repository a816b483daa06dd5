"""/duedesk jobs: what runs by itself, how it went, and a run by hand."""

from collections.abc import Sequence
from datetime import date

from bot.domain.digest_plans import DigestPlan, plans_of
from bot.domain.errors import Refused
from bot.domain.month_end import month_label, read_month, run_day
from bot.domain.month_plans import BOOK, MONTH_END, month_end_of
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.handlers.blocks.digest import day_text
from bot.handlers.blocks.jobs import NO_CHANNEL, month_end_block, next_text, plan_block
from bot.handlers.blocks.rich import rich
from bot.handlers.blocks.text import escape, shorten
from bot.handlers.commands import Reply
from bot.handlers.flow import settings_of
from bot.handlers.forms import Block, context
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import Word, join, split
from bot.handlers.request import Call
from bot.storage.jobs import Asked, JobRuns

NAMES = ("digest", MONTH_END)
RUN, AGAIN = "run", "again"


def jobs(call: Call, text: str) -> Reply:
    """The list, or `run NAME [DATE] [#channel] [again]`."""
    words = split(text)
    if words and words[0].text.lower() == RUN:
        call.desk.ask(lambda _: None, call.request, by=Role.ADMINISTRATOR)
        return _run(call, words[1:])
    if words:
        raise Refused(f"{shorten(join(tuple(words)), 40)} is nothing that jobs do; type /duedesk jobs run digest.")
    return _list(call)


def _list(call: Call) -> Reply:
    settings = settings_of(call)
    plans = plans_of(settings)
    runs = JobRuns(call.desk.store)
    monthly = month_end_of(settings)
    last_month = runs.newest(MONTH_END, BOOK)
    blocks: list[Block] = [month_end_block(monthly, last_month, settings, call.request.now)]
    if not plans:
        return Reply(NO_CHANNEL, [*blocks, rich(NO_CHANNEL, block_id="job_none")])
    for place, plan in enumerate(plans):
        last = runs.newest("digest", plan.channel)
        coming = next_text(plan, last, call.request.now, settings)
        blocks.append(plan_block(plan, last, coming, settings, place=place))
    how = (
        "Run one by hand with `/duedesk jobs run digest`; change one with `/duedesk settings digest #channel at 09:00`."
    )
    return Reply("Jobs of this book", [*blocks, context(how, block_id="how")])


def _run(call: Call, words: Sequence[Word]) -> Reply:
    settings = settings_of(call)
    if not words or words[0].text.lower() not in NAMES:
        raise Refused(f"Name the job to run: {', '.join(NAMES)}. For example /duedesk jobs run digest.", field="name")
    if words[0].text.lower() == MONTH_END:
        return _run_month_end(call, words[1:], settings)
    channels = [word.channel for word in words[1:] if word.channel]
    again = any(word.text.lower() == AGAIN for word in words[1:])
    rest = tuple(word for word in words[1:] if not word.channel and word.text.lower() != AGAIN)
    day = day_of(join(rest), settings, call)
    plans = chosen(plans_of(settings), channels)
    runs = JobRuns(call.desk.store)
    reference = call.request.request_id if again else ""
    said = [
        _said(
            plan,
            day,
            settings,
            runs.ask("digest", plan.channel, day, call.request.now, by=call.request.actor.user, again=reference),
        )
        for plan in plans
    ]
    call.desk.on_job()
    call.desk.on_commit()
    return Reply("\n".join(said))


def _run_month_end(call: Call, words: Sequence[Word], settings: Settings) -> Reply:
    """`[2026-10] [again]`: a month that is done is left alone, and looked at once more with again."""
    again = any(word.text.lower() == AGAIN for word in words)
    text = join(tuple(word for word in words if word.text.lower() != AGAIN))
    month = read_month(text, settings.today(call.request.now))
    reference = call.request.request_id if again else ""
    by, now = call.request.actor.user, call.request.now
    asked = JobRuns(call.desk.store).ask(MONTH_END, BOOK, run_day(month), now, by=by, again=reference)
    call.desk.on_job()
    call.desk.on_commit()
    said = {
        Asked.PLANNED: "On its way: the month end of {}; what it comes to is told in the finance channel.",
        Asked.AT_WORK: "Being made already: the month end of {}; nothing was started twice.",
        Asked.DONE: "Done already: the month end of {}. Add `again` to invoice who was left out.",
    }
    return Reply(said[asked].format(month_label(month)))


def day_of(text: str, settings: Settings, call: Call) -> date:
    """The day to run for: the book's today unless another is typed. Refuses: Refused."""
    today = settings.today(call.request.now)
    day = parse_date(text, today=today) if text else today
    if day > today:
        raise Refused("A digest is of today or an earlier day; nothing is known of later ones.", field="date")
    return day


def chosen(plans: Sequence[DigestPlan], channels: Sequence[str]) -> Sequence[DigestPlan]:
    """The channels to run for: all that get a digest, or those named. Refuses: Refused."""
    if not plans:
        raise Refused(NO_CHANNEL)
    unknown = [channel for channel in channels if channel not in {plan.channel for plan in plans}]
    if unknown:
        raise Refused("That channel gets no digest; /duedesk settings digest #channel gives it one.", field="channel")
    return [plan for plan in plans if not channels or plan.channel in channels]


def _said(plan: DigestPlan, day: date, settings: Settings, asked: Asked) -> str:
    where = f"the digest of {escape(day_text(day, settings.locale))} in <#{plan.channel}>"
    match asked:
        case Asked.PLANNED:
            return f"On its way: {where}."
        case Asked.AT_WORK:
            return f"Being made already: {where}; nothing was started twice."
        case Asked.DONE:
            return f"Done already: {where}; nothing was posted. Add `{AGAIN}` to post a copy, marked as one."
