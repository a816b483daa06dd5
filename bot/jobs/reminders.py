"""Reminders at work: the plan of a day in pieces, then one message after the other within its hours."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial

from bot.desk import Desk, by_itself
from bot.domain import reminder_sending as sending
from bot.domain.errors import NotMailable, Refused
from bot.domain.mail import Mail, MailAbout, MailState
from bot.domain.reminder_plan import EMAIL, CustomerFacts
from bot.domain.reminder_ports import Message, ReminderRun, RunState, Template
from bot.domain.reminder_runs import (
    BeginReminders,
    PlanReminders,
    ReleaseDue,
    ShowReminders,
    begin_reminders,
    plan_reminders,
    release_due,
    show_reminders,
)
from bot.domain.reminder_sending import ExpireReminder, Letter, SendReminder, expire_reminder, letter_of, send_reminder
from bot.domain.reminder_settings import is_sending_day, policy_of, send_at_of
from bot.domain.reminder_terms import SLACK
from bot.domain.settings import Settings
from bot.handlers.blocks.reminder_letters import paper_of, words_of
from bot.handlers.blocks.text import counted
from bot.jobs.reminder_news import tell_broken
from bot.observe import log
from bot.storage import mails
from bot.storage.jobs import Finished, JobRun
from bot.storage.reminder_reads import given_up, stranded, to_expire, to_release, to_send
from bot.storage.reminder_settling import settle_message
from bot.storage.reports import SqlReadBooks

AT_ONCE = 50  # messages between two looks at the clock
LONGEST_SECONDS = 8.0  # of one look; the next comes within ten seconds


def run_reminders(desk: Desk, run: JobRun) -> Finished:
    """Plan the reminders of a day, a piece of the customers at a time; a plan that was begun goes on where it ended."""
    settings = desk.store.read(lambda books: books.settings())
    why_not = _why_not_planned(settings, run.day, desk.clock())
    if why_not:
        return Finished(result=why_not, payload="")
    plan = desk.store.read(lambda books: books.reminder_run_of(run.day))
    tell_broken(desk, desk.clock())
    _clear(desk, run)
    if plan is None:
        begun = by_itself(desk.clock(), f"reminders:{run.day}")
        plan = desk.carry_out(begin_reminders, BeginReminders(day=run.day), begun).run
    run_id, after, is_over = plan.id, plan.planned_through, plan.state is not RunState.PLANNING
    while not is_over:
        run.go_on()
        piece = desk.carry_out(
            plan_reminders,
            PlanReminders(run_id=run_id, after=after),
            by_itself(desk.clock(), f"reminders:{run.day}:{after}"),
        )
        after, is_over = piece.through, piece.is_over
    if plan.state is RunState.PLANNING:
        shown = by_itself(desk.clock(), f"reminders:{run.day}:shown")
        desk.carry_out(show_reminders, ShowReminders(run_id=run_id), shown)
    counts = desk.store.read(lambda books: books.reminder_counts(run_id))
    planned, left_out = counted(counts.messages, "message"), counted(counts.left_out, "customer")
    return Finished(result=f"{planned} planned, {left_out} left out", payload="")


def _clear(desk: Desk, run: JobRun) -> None:
    """Give up all that is too late, however much an outage left: who waits for it would be left out of this plan."""
    while _given_up(desk, desk.clock()):
        run.go_on()


def _why_not_planned(settings: Settings, day: date, now: datetime) -> str:
    """Why nothing is planned for a day, as its run says it; nothing when it is."""
    if day != settings.today(now):
        return f"{day} was missed; the plan of a later day decides anew"
    if not is_sending_day(settings, day):
        return f"nobody is reminded on {day}: it is no day of sending, or a public holiday"
    if send_at_of(settings, day, now) is None:
        return f"it is too late on {day} to send anything; the next plan decides anew"
    return ""


def watch_reminders(desk: Desk, now: datetime) -> int:
    """Release plans whose time has come, give up what is too late, and hand over what may go; returns how much."""
    releasing = desk.store.read(lambda books: to_release(books.connection, now))
    done = sum(_tried(partial(_release, desk, run, now), run.id) for run in releasing)
    done += _given_up(desk, now)
    ends, after = time.monotonic() + LONGEST_SECONDS, 0
    while time.monotonic() < ends:
        letters = desk.store.read(lambda books, after=after: _next(books, now, after))  # type: ignore[misc]  # a default
        going = [each for each in letters if each.is_open]
        done += sum(_tried(partial(_send, desk, each, now), each.message.id) for each in going)
        if len(letters) < AT_ONCE:
            break
        after = letters[-1].message.id
    return done


def _given_up(desk: Desk, now: datetime) -> int:
    """Give up some of what is too late, or will never be taken; returns how much."""
    late = desk.store.read(lambda books: to_expire(books.connection, now))
    done = sum(_tried(partial(_expire, desk, each, now), each) for each in late)
    for message_id, handed_id, fared in desk.store.read(lambda books: given_up(books.connection)):
        done += _tried(partial(_give_up, desk, message_id, handed_id, fared, now), message_id)
    for mail_id in desk.store.read(lambda books: stranded(books.connection, now)):
        done += _tried(partial(_withdraw, desk, mail_id, now), mail_id)
    return done


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A message as it stands now, written out; without words where nothing of it is left to send. It is not open where
    its customer's hours are others than when it was planned.
    """

    message: Message
    letter: Letter
    is_open: bool = True
    to: tuple[str, ...] = ()
    channel: str = ""
    subject: str = ""
    body: str = ""
    paper: str = ""
    cannot: str = ""


def _next(books: SqlReadBooks, now: datetime, after: int) -> list[Prepared]:
    return prepare(books, to_send(books.connection, now, after, AT_ONCE), now)


def prepare(books: SqlReadBooks, messages: Sequence[Message], now: datetime) -> list[Prepared]:
    """Messages with what each comes to now, in words."""
    settings, templates = books.settings(), books.reminder_templates()
    names = frozenset(each.name.casefold() for each in templates)
    made, known = [], _known(books, messages)
    for message in messages:
        policy = policy_of(settings, message.day, names, send_at=message.opens_at)
        found = known.get((message.day, message.customer_id))
        letter = letter_of(message, found, policy)
        is_open = found is None or policy.is_open(found, now)
        written = Prepared(message=message, letter=letter, is_open=is_open)
        if found is not None and letter.lines and is_open:
            try:
                written = _written(books, written, found, templates, settings)
            except Refused as refusal:  # one text or address that cannot be used never stops the others
                written = replace(written, cannot=refusal.sentence)
        made.append(written)
    return made


def _known(books: SqlReadBooks, messages: Sequence[Message]) -> Mapping[tuple[date, int], CustomerFacts]:
    """The customers of these messages, by the day for which each was planned."""
    known = {}
    for day in {each.day for each in messages}:
        mine = [each for each in messages if each.day == day]
        ids = [each.customer_id for each in mine]
        for facts in books.reminder_facts(ids, day, messages=[each.id for each in mine]):
            known[day, facts.id] = facts
    return known


def why_not_any_more(books: SqlReadBooks, message_id: int, handed_id: int, to: Sequence[str], now: datetime) -> str:
    """Why a message that waits to be taken over by a mail server, or by Slack, must not leave; asked before each try.
    `to` are the addresses, or the channel, that it was handed over for. Nothing when it may leave. Rule 88.
    """
    message = books.reminder_message(message_id)
    if message.mail_id != handed_id:
        return "it was written anew"
    names = frozenset(each.name.casefold() for each in books.reminder_templates())
    policy = policy_of(books.settings(), message.day, names, send_at=message.opens_at)
    found = books.reminder_facts([message.customer_id], message.day, messages=(message.id,))
    why_not = sending.why_not_any_more(message, found[0] if found else None, policy, now)
    return why_not or ("" if not found or tuple(to) == _reader(books, found[0]) else "it goes to somebody else now")


def _reader(books: SqlReadBooks, facts: CustomerFacts) -> tuple[str, ...]:
    """The addresses or the channel of a customer; nothing where it has none any more."""
    if facts.channel != EMAIL:
        return (facts.channel.removeprefix(SLACK),)
    try:
        return books.mail_recipients(facts.id)
    except NotMailable:
        return ()


def _written(
    books: SqlReadBooks, bare: Prepared, facts: CustomerFacts, templates: Sequence[Template], settings: Settings
) -> Prepared:
    """Refuses: TemplateRefused, NotMailable, Refused."""
    message, letter = bare.message, bare.letter
    subject, body = words_of(message, letter, facts, templates, settings)
    if facts.channel != EMAIL:
        return replace(bare, channel=facts.channel.removeprefix(SLACK), subject=subject, body=body)
    mail = Mail(
        id=0,
        customer_id=facts.id,
        about=MailAbout.REMINDER,
        about_id=message.id,
        to=books.mail_recipients(facts.id),
        subject=subject,
        body=body,
        paper=paper_of(facts, message.day),
    )
    return replace(bare, to=mail.to, subject=subject, body=body, paper=mail.paper)


def _send(desk: Desk, prepared: Prepared, now: datetime) -> None:
    """What changed since it was written is written anew with the next look. Refuses: Refused."""
    message = prepared.message
    command = SendReminder(
        message_id=message.id,
        mark=prepared.letter.mark,
        to=prepared.to,
        channel=prepared.channel,
        subject=prepared.subject,
        body=prepared.body,
        paper=prepared.paper,
        cannot=prepared.cannot,
    )
    key = f"job:reminders:send:{message.id}:{message.version}:{prepared.letter.mark[:12]}"
    desk.carry_out(send_reminder, command, by_itself(now, key))


def _expire(desk: Desk, message_id: int, now: datetime) -> None:
    command = ExpireReminder(message_id=message_id)
    desk.carry_out(expire_reminder, command, by_itself(now, f"job:reminders:expire:{message_id}"))


def _give_up(desk: Desk, message_id: int, handed_id: int, fared: MailState, now: datetime) -> None:
    desk.store.write(lambda each: settle_message(each, message_id, handed_id, fared, now))


def _withdraw(desk: Desk, mail_id: int, now: datetime) -> None:
    desk.store.write(lambda each: mails.withdraw(each, mail_id, "its hours ended before it was sent", now))


def _release(desk: Desk, run: ReminderRun, now: datetime) -> None:
    key = f"job:reminders:release:{run.id}:{run.version}"
    desk.carry_out(release_due, ReleaseDue(run_id=run.id), by_itself(now, key))


def _tried(step: Callable[[], None], about: int) -> int:
    """One step; somebody may do it in the same moment, and one fault never stops the rest."""
    try:
        step()
    except Refused as refusal:
        log.info("a step of reminder %s was not done: %s", about, refusal.code)
        return 0
    except Exception as fault:  # noqa: BLE001  # the others go on; this one is tried again with the next tick
        log.error("a step of reminder %s failed", about, exc_info=fault)
        return 0
    return 1
