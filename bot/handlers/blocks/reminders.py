"""The plan of a day as a card: what goes to how many, what a person should look at, who is left out, and its state."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel import dates

from bot.domain.reminder_ports import MessageState, ReminderRun, RunState
from bot.domain.reminder_runs import MessageChanged, RunChanged
from bot.domain.reminder_views import PlanCounts, PlanLine, ReminderQuestions
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import counted, date_text, money, plain, shorten
from bot.handlers.forms import Block, button, confirmation, option

MOST_LOOKS = 5
MOST_SUMS = 4
Line = tuple[Part, ...]
FARED = (
    (MessageState.SENT, "sent"),
    (MessageState.QUEUED, "on the way"),
    (MessageState.PLANNED, "waiting for their hours"),
    (MessageState.FAILED, "failed"),
    (MessageState.BOUNCED, "came back"),
    (MessageState.UNKNOWN, "not known whether sent"),
    (MessageState.EXPIRED, "too late"),
    (MessageState.DROPPED, "not due any more"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """A plan with all that its card shows."""

    run: ReminderRun
    counts: PlanCounts
    looks: Sequence[PlanLine]
    paid_at: datetime | None


def plan_view(books: ReminderQuestions, run_id: int) -> PlanView:
    """The plan as it stands. Refuses: NotFound."""
    return PlanView(
        run=books.reminder_run(run_id),
        counts=books.reminder_counts(run_id),
        looks=books.reminder_messages(run_id, to_look_at=True, limit=MOST_LOOKS),
        paid_at=books.last_payment_at(),
    )


def plan_title(view: PlanView, settings: Settings) -> str:
    """`Reminders for Mon 23 Nov 2026 · 14 messages, 31 invoices, SGD 22,480.00 · sends at 10:00`."""
    day, sums = plan_day(view.run.day, settings), plan_sums(view.counts, settings)
    return " · ".join(filter(None, (f"Reminders for {day}", sums, state_of(view, settings))))


def plan_day(day: date, settings: Settings) -> str:
    weekday = dates.format_date(day, "EEE", locale=settings.locale.replace("-", "_"))
    return f"{weekday} {date_text(day, settings.locale)}"


def plan_sums(counts: PlanCounts, settings: Settings) -> str:
    """How many messages to as many customers, about how many invoices and how much."""
    if not counts.messages:
        return "nothing to send"
    shown = [money(each, settings.locale) for each in counts.open[:MOST_SUMS]]
    more = len(counts.open) - MOST_SUMS
    shown += [f"{more} more currencies"] if more > 0 else []
    to = f"{counted(counts.messages, 'message')} to {counted(counts.messages, 'customer')}"
    return ", ".join((to, counted(counts.invoices, "invoice"), *shown))


def state_of(view: PlanView, settings: Settings) -> str:
    """Where a plan is, in a few words."""
    run, counts = view.run, view.counts
    match run.state:
        case RunState.PLANNING:
            return "being planned"
        case RunState.PLANNED:
            return f"sends at {clock(run.send_at, settings)}"
        case RunState.HELD:
            return f"planned for {clock(run.send_at, settings)}, held until somebody sends it"
        case RunState.CANCELLED:
            return "cancelled, nothing is sent"
    if not counts.messages:
        return ""
    if counts.in_state(MessageState.PLANNED, MessageState.QUEUED):
        return f"being sent, {counts.in_state(MessageState.SENT):,} of {counts.messages:,} so far"
    return f"sent {counts.in_state(MessageState.SENT):,} of {counts.messages:,}"


def clock(at: datetime, settings: Settings) -> str:
    """The time of day in the book's zone."""
    return f"{at.astimezone(ZoneInfo(settings.zone)):%H:%M}"


def plan_card(view: PlanView, settings: Settings) -> list[Block]:
    """The review card of a day."""
    lines = [*_routine(view), *_looks(view, settings), *_left(view), *_fared(view)]
    blocks = [rich((bold(typed(plan_title(view, settings))),), block_id="title")]
    blocks += [rich(*lines, block_id="facts")] if lines else []
    return [*blocks, rich(*_freshness(view, settings), block_id="context"), *_actions(view, settings)]


def _routine(view: PlanView) -> list[Line]:
    levels = [(level, count) for level, count in sorted(view.counts.by_level.items()) if count]
    if not levels:
        return []
    said = " · ".join(f"{level_name(level)}: {count:,}" for level, count in levels)
    return [(bold(f"Routine {sum(count for _, count in levels):,}  "), said)]


def level_name(level: int) -> str:
    """`level 2`, or `notice` before and on the due date."""
    return f"level {level}" if level else "notice"


def _looks(view: PlanView, settings: Settings) -> list[Line]:
    """Who a person should look at, with the reason."""
    count = view.counts.to_look_at
    if not count:
        return []
    lines: list[Line] = [(bold(f"Look at {count:,}"),)]
    for each in view.looks:
        worth = money(each.message.open, settings.locale)
        out = ", left out" if each.message.state is MessageState.EXCLUDED else ""
        lines.append((f"• {typed(each.customer_name, 60)}, {worth}: {each.message.look_at}{out}",))
    more = count - len(view.looks)
    return [*lines, (f"and {more:,} more under Review",)] if more > 0 else lines


def _left(view: PlanView) -> list[Line]:
    """Who gets nothing, by the reason; and whom people took out."""
    counts = view.counts
    lines: list[Line] = []
    if counts.left_out:
        said = " · ".join(f"{why}: {count:,}" for why, count in counts.by_reason.items())
        lines.append((bold(f"Left out {counts.left_out:,}  "), said))
    taken = counts.in_state(MessageState.EXCLUDED)
    return [*lines, (bold(f"Left out by hand {taken:,}"),)] if taken else lines


def _fared(view: PlanView) -> list[Line]:
    """How the messages stand, once they are being sent."""
    if view.run.state is not RunState.RELEASED:
        return []
    said = " · ".join(
        f"{name}: {view.counts.in_state(state):,}" for state, name in FARED if view.counts.in_state(state)
    )
    return [(bold("Messages  "), said)] if said else []


def _freshness(view: PlanView, settings: Settings) -> list[Line]:
    """When a payment was recorded last; of a plan that is held for it, the question."""
    run = view.run
    if run.state is RunState.HELD:
        if run.paid_on is None:
            return [(bold("No payment was ever recorded here. Send anyway?"),)]
        days = counted((run.day - run.paid_on).days, "day")
        since = date_text(run.paid_on, settings.locale)
        return [
            (bold(f"No payment was recorded for {days}, since {since}. Send anyway?"),),
            ("Record what came in first, and who paid is left out by itself.",),
        ]
    paid: Line = ("Last payment recorded ", moment(view.paid_at)) if view.paid_at is not None else ()
    by: Line = ("decided by ", person(run.decided_by)) if run.decided_by else ()
    return [(*paid, " · " if paid and by else "", *by)] if paid or by else [("No payment was recorded yet.",)]


def _actions(view: PlanView, settings: Settings) -> list[Block]:
    """What can be done as the plan stands; once it is final, only looking."""
    run, counts = view.run, view.counts
    value = f"{run.id}:{run.version}"
    waits = run.state in {RunState.PLANNED, RunState.HELD}
    elements: list[Block] = []
    more: list[tuple[str, str]] = []
    going = counts.in_state(MessageState.PLANNED)
    if waits and going:
        if run.state is RunState.HELD:
            # Without its time, which may have passed when somebody reads the card; from then on it sends at once.
            elements.append(button("Send as planned", "reminders_let_go", value, confirm=_confirm(view, settings)))
        sends = button("Send now", "reminders_send", value, style="primary", confirm=_confirm(view, settings))
        elements.append(sends)
        more += [("Postpone", f"postpone:{value}"), ("Cancel", f"cancel:{value}"), ("Test to me", f"test:{value}")]
    if counts.by_state:
        elements.append(button("Review" if waits else "Messages", "reminders_review", str(run.id)))
    if counts.left_out:
        if len(elements) < 3:  # noqa: PLR2004  # three buttons on a card
            elements.append(button("Why left out", "reminders_why", str(run.id)))
        else:
            more.append(("Why left out", f"why:{value}"))
    if counts.by_state or counts.left_out:
        more.append(("As a file", f"file:{value}"))
    if more:
        options = [option(*each) for each in more]
        elements.append({"type": "overflow", "action_id": "reminders_more", "options": options})
    return [{"type": "actions", "block_id": "actions", "elements": elements}] if elements else []


def _confirm(view: PlanView, settings: Settings) -> Block:
    return confirmation(
        "Send these reminders?",
        f"{plan_sums(view.counts, settings)}. Each goes within its customer's hours; what was sent stays sent.",
        yes="Send",
    )


def run_said(outcome: RunChanged) -> Line:
    """The line of a plan's thread."""
    at = moment(outcome.at)
    return (person(outcome.by), f" {outcome.step} · ", at) if is_person(outcome.by) else (f"{outcome.step} · ", at)


def is_person(user: str) -> bool:
    return user[:1] in {"U", "W"}


def message_said(outcome: MessageChanged) -> Line:
    """`@clerk: ACME left out: they called`."""
    reason = f": {typed(outcome.message.note)}" if outcome.message.note else ""
    return (person(outcome.by), f": {outcome.customer} {outcome.step}{reason}")


def section_of(text: str, *, block_id: str, accessory: Block | None = None) -> Block:
    """A line or two with something to press beside it; nothing in it is formatted."""
    made: Block = {"type": "section", "block_id": block_id, "text": plain(shorten(text, 2900))}
    return {**made, "accessory": accessory} if accessory is not None else made
