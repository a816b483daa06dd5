"""/duedesk jobs: what runs by itself, how it went, and a run by hand."""

from collections.abc import Sequence
from datetime import date

from bot.domain.errors import Refused
from bot.domain.job_plans import DELIVERY, JOB_PLANS, WATCH_PLANS, JobPlan, Target
from bot.domain.month_end import month_label, read_month, run_day
from bot.domain.month_plans import BOOK
from bot.domain.operation import Role
from bot.domain.settings import Settings
from bot.handlers.blocks.digest import day_text
from bot.handlers.blocks.jobs import coming_text, delivery_block, idle_block, job_block, watch_block
from bot.handlers.blocks.text import counted, escape, shorten
from bot.handlers.commands import Reply
from bot.handlers.flow import settings_of
from bot.handlers.forms import Block, context
from bot.handlers.parse.dates import parse_date
from bot.handlers.parse.words import Word, join, split
from bot.handlers.request import Call
from bot.storage.jobs import Asked, JobRuns
from bot.storage.pulse import looks, signs

NAMES = (*JOB_PLANS, *WATCH_PLANS, DELIVERY)
RUN, AGAIN = "run", "again"
BEFORE_A_DATE = frozenset({"--date", "—date", "–date"})  # as typed, and as a keyboard makes it
HOW = (
    "Run one by hand with `/duedesk jobs run digest`, of another day with `--date 2026-11-20`; a watch looks at "
    "once with `/duedesk jobs run approvals`. Change the digest with `/duedesk settings digest #channel at 09:00`."
)


def jobs(call: Call, text: str) -> Reply:
    """The list, or `run NAME [--date DATE] [#channel] [again]`."""
    words = split(text)
    if words and words[0].text.lower() == RUN:
        call.desk.ask(lambda _: None, call.request, by=Role.ADMINISTRATOR)
        return _run(call, words[1:])
    if words:
        raise Refused(f"{shorten(join(tuple(words)), 40)} is nothing that jobs do; type /duedesk jobs run digest.")
    return _list(call)


def _list(call: Call) -> Reply:
    settings, store = settings_of(call), call.desk.store
    runs, blocks = JobRuns(store), list[Block]()
    for plan in JOB_PLANS.values():
        targets = plan.targets(settings)
        for target in targets:
            last = runs.newest(plan.name, target.name)
            coming = coming_text(target.schedule, last, call.request.now, settings)
            blocks.append(job_block(plan, target, last, coming, settings))
        if not targets:
            blocks.append(idle_block(plan, runs.newest(plan.name, BOOK), settings))
    seen, known = signs(store), looks(store)
    for watch in WATCH_PLANS.values():
        blocks.append(watch_block(watch, known.get(watch.name), runs.newest(watch.name, BOOK), seen, settings))
    return Reply("Jobs of this book", [*blocks, delivery_block(seen, settings), context(HOW, block_id="how")])


def _run(call: Call, words: Sequence[Word]) -> Reply:
    settings, name = settings_of(call), words[0].text.lower() if words else ""
    if name in WATCH_PLANS:
        return _look(call, name, words[1:])
    if name == DELIVERY:
        return _deliver(call, words[1:])
    if name not in JOB_PLANS:
        raise Refused(f"Name the job to run: {', '.join(NAMES)}. For example /duedesk jobs run digest.", field="name")
    plan, rest = JOB_PLANS[name], words[1:]
    channels = [word.channel for word in rest if word.channel]
    again = any(word.text.lower() == AGAIN for word in rest)
    typed = tuple(word for word in rest if not word.channel and word.text.lower() not in {AGAIN, *BEFORE_A_DATE})
    day, called = day_of(plan, join(typed), settings, settings.today(call.request.now))
    targets = chosen(plan, settings, channels)
    runs, by = JobRuns(call.desk.store), call.request.actor.user
    reference = call.request.request_id if again else ""
    said = [
        _said(plan, target, called, runs.ask(name, target.name, day, call.request.now, by=by, again=reference))
        for target in targets
    ]
    call.desk.on_job()
    call.desk.on_commit()
    return Reply("\n".join(said))


def _look(call: Call, name: str, rest: Sequence[Word]) -> Reply:
    """Have a watch look now, whichever process does it."""
    _check_alone(name, rest)
    settings, by = settings_of(call), call.request.actor.user
    now, again = call.request.now, call.request.request_id
    asked = JobRuns(call.desk.store).ask(name, BOOK, settings.today(now), now, by=by, again=again)
    call.desk.on_job()
    if asked is Asked.AT_WORK:
        return Reply(f"{name} looks already; nothing was started twice.")
    return Reply(f"{name} looks now; /duedesk jobs says what it did.")


def _deliver(call: Call, rest: Sequence[Word]) -> Reply:
    _check_alone(DELIVERY, rest)
    call.desk.on_commit()
    waiting = signs(call.desk.store).outbox.get("waiting", 0)
    return Reply(f"Delivery looks now; {counted(waiting, 'message')} to send.")


def _check_alone(name: str, rest: Sequence[Word]) -> None:
    """What looks at all there is now takes no date. Refuses: Refused."""
    if any(word.text.lower() != AGAIN for word in rest):
        raise Refused(f"{name} looks at what there is now; type /duedesk jobs run {name} alone.", field="date")


def day_of(plan: JobPlan, text: str, settings: Settings, today: date) -> tuple[date, str]:
    """The day to run for, today unless another is typed, and what the run is called. Refuses: Refused."""
    if plan.is_monthly:
        month = read_month(text, today)
        return run_day(month), f"{plan.called} of {month_label(month)}"
    day = parse_date(text, today=today) if text else today
    if day > today:
        raise Refused(
            f"{plan.called.capitalize()} is of today or an earlier day; nothing is known of later ones.", field="date"
        )
    if plan.is_of_now and day != today:
        raise Refused(f"{plan.called.capitalize()} is of what there is now; leave the date out.", field="date")
    return day, f"{plan.called} of {day_text(day, settings.locale)}"


def chosen(plan: JobPlan, settings: Settings, channels: Sequence[str]) -> Sequence[Target]:
    """Where to run for: all there are, or the channels named; what is for the whole book runs when it is switched off
    too. Refuses: Refused.
    """
    targets = plan.targets(settings)
    if not targets and plan.is_of_book:
        return [plan.whole_book]
    if not targets:
        raise Refused(plan.never)
    unknown = [each for each in channels if each not in {target.name for target in targets}]
    if unknown:
        raise Refused(
            f"That channel gets no {plan.name}; /duedesk settings {plan.name} #channel gives it one.", field="channel"
        )
    return [target for target in targets if not channels or target.name in channels]


def _said(plan: JobPlan, target: Target, called: str, asked: Asked) -> str:
    where = "" if target.name == BOOK else f" in <#{target.name}>"
    what = f"{escape(called)}{where}"
    match asked:
        case Asked.PLANNED:
            return f"On its way: {what}{'; ' + plan.then if plan.then else ''}."
        case Asked.AT_WORK:
            return f"Being made already: {what}; nothing was started twice."
        case Asked.DONE:
            unchanged = f"; {plan.unchanged}" if plan.unchanged else ""
            return f"Done already: {what}{unchanged}. Add `{AGAIN}` {plan.again}."
