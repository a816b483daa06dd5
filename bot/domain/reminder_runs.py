"""The plan of a day from its beginning until it is sent: planned in pieces, looked at, changed, released."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.customers import clean_text
from bot.domain.errors import DateTooEarly, ReminderRefused, SettingRefused, WrongState
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.reminder_plan import LeftOut, Planned, decide
from bot.domain.reminder_ports import Message, MessageState, ReminderRun, RunState
from bot.domain.reminder_settings import AUTOMATIC, OFF, hours_of, policy_of, send_at_of
from bot.domain.reminder_steps import FURTHEST
from bot.domain.reminder_text import check_body, check_subject
from bot.domain.schedules import instant, read_time

if TYPE_CHECKING:
    from bot.domain.ports import Books

AT_ONCE = 200  # customers in one transaction
LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginReminders:
    """Begin the plan of a day."""

    day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReminders:
    """Decide on the next customers, by their ids, after those that were looked at."""

    run_id: int
    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindersPlanned:
    """Some customers more were looked at; `through` is the last, and the first of none left is `is_over`."""

    run_id: int
    day: date
    through: int
    messages: int
    left_out: int
    is_over: bool
    operation_id: int

    def trace(self) -> Trace:
        return Trace(
            description=f"Reminders of {self.day}: {self.messages} planned, {self.left_out} left out",
            after={"planned": str(self.messages), "left out": str(self.left_out)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowReminders:
    """End the planning of a day and show what is planned."""

    run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseReminders:
    """Send what is planned: now, or, when it was held, at its time."""

    run_id: int
    version: int
    now: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDue:
    """Send what is planned, for its time has come."""

    run_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PostponeReminders:
    """Send later today."""

    run_id: int
    version: int
    until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReminders:
    """Send nothing of this plan; the next one decides anew."""

    run_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunChanged:
    """The plan of a day is at another step."""

    step: str
    run: ReminderRun
    by: str
    at: datetime
    operation_id: int
    count: int = 0
    is_empty: bool = False

    def trace(self) -> Trace:
        return Trace(
            description=f"Reminders of {self.run.day} {self.step}",
            after={"state": self.run.state.value, "send at": self.run.send_at.isoformat()},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        """One card for each day on which somebody is due. Where nobody looks at it, it comes with the sending."""
        quiet = self.run.way == AUTOMATIC and self.run.state is RunState.PLANNED
        if quiet or self.is_empty or self.run.state is RunState.PLANNING:
            return ()
        return (Announcement(document=DocumentKind.REMINDERS, document_id=self.run.id),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcludeReminder:
    """Leave a customer out of the plan of the day, or take it in again."""

    message_id: int
    version: int
    reason: str = ""
    back: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EditReminder:
    """Say something else in one message: a text of its own, with the same variables."""

    message_id: int
    version: int
    subject: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChanged:
    """A planned message is another, or is left out."""

    step: str
    message: Message
    customer: str
    by: str
    operation_id: int

    def trace(self) -> Trace:
        made = self.message
        return Trace(
            description=f"Reminder to {self.customer} of {made.day} {self.step}"
            + (f": {made.note}" if made.note else ""),
            customer_id=made.customer_id,
            after={"state": made.state.value},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.message.run_id is None:
            return ()
        return (Announcement(document=DocumentKind.REMINDERS, document_id=self.message.run_id),)


@operation(by=Role.NONE)
def begin_reminders(command: BeginReminders, books: "Books", context: Context) -> RunChanged:
    """Begin the plan of a day; there is one for each. Rule 87. Refuses: ReminderRefused."""
    settings = books.settings.current()
    if settings.reminders == OFF:
        raise ReminderRefused("Reminders are off; an administrator turns them on with /duedesk settings reminders.")
    if books.reminders.run_of(command.day) is not None:
        raise ReminderRefused(f"The reminders of {command.day} are planned already.", field="day")
    if command.day != context.today:
        raise ReminderRefused(f"Reminders are planned for today, {context.today}, alone.", field="day")
    send_at = send_at_of(settings, command.day, context.now)
    if send_at is None:
        raise ReminderRefused(f"It is too late on {command.day} to send anything; the next plan decides anew.")
    run = ReminderRun(
        id=books.new_id(),
        day=command.day,
        state=RunState.PLANNING,
        way=settings.reminders,
        send_at=send_at,
        planned_at=context.now,
    )
    books.reminders.put_run(run)
    return RunChanged(step="begun", run=run, by=context.person, at=context.now, operation_id=context.operation_id)


@operation(by=Role.NONE)
def plan_reminders(command: PlanReminders, books: "Books", context: Context) -> RemindersPlanned:
    """Decide on some customers: what each gets and why, or why it gets nothing. Rules 85, 87-89. Refuses:
    WrongState.
    """
    run = books.reminders.run(command.run_id)
    if run.state is not RunState.PLANNING or run.planned_through != command.after:
        raise WrongState(f"The reminders of {run.day} were planned further meanwhile.")
    names = books.reminders.template_names()
    policy = policy_of(books.settings.current(), run.day, names, send_at=run.send_at)
    ids = books.reminders.next_customers(command.after, run.day + timedelta(days=FURTHEST), AT_ONCE)
    decided = [decide(facts, policy) for facts in books.reminders.facts(ids, run.day)]
    planned = [each for each in decided if isinstance(each, Planned)]
    left = [each for each in decided if isinstance(each, LeftOut)]
    through = ids[-1] if ids else command.after
    books.reminders.plan(run, planned, left)
    books.reminders.change_run(replace(run, planned_through=through))
    return RemindersPlanned(
        run_id=run.id,
        day=run.day,
        through=through,
        messages=len(planned),
        left_out=len(left),
        is_over=len(ids) < AT_ONCE,
        operation_id=context.operation_id,
    )


@operation(by=Role.NONE)
def show_reminders(command: ShowReminders, books: "Books", context: Context) -> RunChanged:
    """End the planning: the plan waits for its time, or for a person when no payment was recorded for long. One without
    messages waits for nothing, and where nobody was left out either no card tells of it. Refuses: WrongState.
    """
    run = books.reminders.run(command.run_id)
    if run.state is not RunState.PLANNING:
        raise WrongState(f"The reminders of {run.day} are planned already.")
    messages, left_out = books.reminders.size(run.id)
    if not messages:
        over = _changed("planned, with nobody to write to", replace(run, state=RunState.RELEASED), books, context)
        return replace(over, is_empty=not left_out)
    settings = books.settings.current()
    paid_on = books.reminders.last_payment_on(settings.zone)
    fresh = timedelta(days=settings.reminder_fresh_days)
    is_stale = bool(fresh) and (paid_on is None or run.day - paid_on > fresh)
    made = replace(run, state=RunState.HELD if is_stale else RunState.PLANNED, paid_on=paid_on if is_stale else None)
    return _changed("held" if is_stale else "planned", made, books, context)


@operation(by=Role.CLERK)
def release_reminders(command: ReleaseReminders, books: "Books", context: Context) -> RunChanged:
    """Send what is planned now, each within its customer's hours; or let what was held go at its time. Refuses:
    WrongState.
    """
    run = _current(command.run_id, command.version, books, context)
    if not command.now and context.now < run.send_at:
        return _changed("may be sent", replace(run, state=RunState.PLANNED, decided_by=context.person), books, context)
    books.reminders.open_all(run.id, context.now)
    return _changed("released", replace(run, state=RunState.RELEASED, decided_by=context.person), books, context)


@operation(by=Role.NONE)
def release_due(command: ReleaseDue, books: "Books", context: Context) -> RunChanged:
    """Send what is planned once its time has come and nobody holds it. Rule 87. Refuses: WrongState."""
    run = books.reminders.run(command.run_id)
    if run.state is not RunState.PLANNED or context.now < run.send_at:
        raise WrongState(f"The reminders of {run.day} are not to be sent now.")
    return _changed("released", replace(run, state=RunState.RELEASED), books, context)


@operation(by=Role.CLERK)
def postpone_reminders(command: PostponeReminders, books: "Books", context: Context) -> RunChanged:
    """Send later on the same day, within the hours of the book. Refuses: WrongState, SettingRefused, DateTooEarly."""
    run = _current(command.run_id, command.version, books, context)
    settings = books.settings.current()
    send_at = instant(run.day, read_time(command.until), settings.zone)
    if send_at <= context.now:
        raise DateTooEarly(f"{command.until} has passed; type a later time, or send now.", field="until")
    if send_at >= instant(run.day, hours_of(settings).closes, settings.zone):
        said = f"Nothing is sent after {hours_of(settings).closes:%H:%M}; type an earlier time, or cancel the plan."
        raise SettingRefused(said, field="until")
    state = RunState.PLANNED if run.state is RunState.HELD else run.state
    after = replace(run, send_at=send_at, state=state, decided_by=context.person)
    return _changed("postponed", after, books, context)


@operation(by=Role.CLERK)
def cancel_reminders(command: CancelReminders, books: "Books", context: Context) -> RunChanged:
    """Send nothing of this plan; what is due is planned again on the next day. Refuses: WrongState."""
    run = _current(command.run_id, command.version, books, context)
    count = books.reminders.settle_run(run.id, MessageState.DROPPED, "the plan was cancelled")
    after = replace(run, state=RunState.CANCELLED, decided_by=context.person)
    return replace(_changed("cancelled", after, books, context), count=count)


@operation(by=Role.CLERK)
def exclude_reminder(command: ExcludeReminder, books: "Books", context: Context) -> MessageChanged:
    """Leave a customer out today, or take it in again while the plan waits. Refuses: WrongState, TextTooLong."""
    message = _planned(command.message_id, command.version, books, back=command.back)
    if command.back and context.now > message.closes_at:
        raise WrongState("The hours of this message have ended; the next plan decides anew.")
    if command.back and books.reminders.is_waited_for(message.customer_id):
        raise WrongState("Another message to this customer waits to be sent.")
    reason = clean_text(command.reason, "reason", LONGEST_REASON)
    after = replace(
        message,
        state=MessageState.PLANNED if command.back else MessageState.EXCLUDED,
        note="" if command.back else reason,
        person=context.person,
    )
    return _message_changed("taken in again" if command.back else "left out", after, books, context)


@operation(by=Role.CLERK)
def edit_reminder(command: EditReminder, books: "Books", context: Context) -> MessageChanged:
    """Give one message a text of its own. Rule 90. Refuses: WrongState, TemplateRefused, MissingText, TextTooLong."""
    message = _planned(command.message_id, command.version, books)
    after = replace(
        message, subject=check_subject(command.subject), body=check_body(command.body), person=context.person
    )
    return _message_changed("changed", after, books, context)


def _current(run_id: int, version: int, books: "Books", context: Context) -> ReminderRun:
    """A plan of today that waits, as the card showed it. Refuses: WrongState."""
    run = books.reminders.run(run_id)
    if run.day < context.today:
        raise WrongState(f"The day of the reminders of {run.day} is over; what was not sent is planned anew.")
    if run.state not in {RunState.PLANNED, RunState.HELD}:
        raise WrongState(f"The reminders of {run.day} are {run.state.value} already.")
    if run.version != version:
        raise WrongState(f"The reminders of {run.day} were changed meanwhile; the card shows how they stand.")
    return run


def _planned(message_id: int, version: int, books: "Books", *, back: bool = False) -> Message:
    """A message that waits, as it was shown. Refuses: WrongState."""
    message = books.reminders.message(message_id)
    books.customers.lock(message.customer_id)
    message = books.reminders.message(message_id)
    wanted = MessageState.EXCLUDED if back else MessageState.PLANNED
    if message.state is not wanted:
        raise WrongState(f"This message is {message.state.value} already.")
    if message.version != version:
        raise WrongState("This message was changed meanwhile; open it again.")
    run = books.reminders.run(message.run_id) if message.run_id is not None else None
    if run is not None and back and run.state not in {RunState.PLANNED, RunState.HELD, RunState.RELEASED}:
        raise WrongState(f"The reminders of {run.day} are {run.state.value} already.")
    return message


def _changed(step: str, run: ReminderRun, books: "Books", context: Context) -> RunChanged:
    after = replace(run, version=run.version + 1)
    books.reminders.change_run(after)
    return RunChanged(step=step, run=after, by=context.person, at=context.now, operation_id=context.operation_id)


def _message_changed(step: str, message: Message, books: "Books", context: Context) -> MessageChanged:
    after = replace(message, version=message.version + 1)
    books.reminders.change_message(after)
    customer = books.customers.lock(after.customer_id)
    return MessageChanged(
        step=step, message=after, customer=customer.code, by=context.person, operation_id=context.operation_id
    )
