"""Sending a reminder: decided anew at the moment of sending, and handed over together with what it says."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.domain.errors import EvidenceChanged, ReminderRefused, WrongState
from bot.domain.mail import Mail, MailAbout
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.reminder_plan import CustomerFacts, LeftOut, Line, Planned, Policy, decide
from bot.domain.reminder_ports import LineState, Message, MessageState, RunState
from bot.domain.reminder_settings import OFF, policy_of
from bot.domain.reminder_steps import Step

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a message comes to now: its invoices as they stand, or why there is nothing to send any more."""

    lines: tuple[Line, ...]
    why_not: str

    @property
    def open_micros(self) -> int:
        return sum(line.invoice.open_micros for line in self.lines)

    @property
    def mark(self) -> str:
        """Of which invoices and amounts it is: what was written with another mark is not sent."""
        return _mark([(line.invoice.id, line.invoice.open_micros, line.due.step.level) for line in self.lines])


def _mark(stands: list[tuple[int, int, int]]) -> str:
    return hashlib.sha256(repr(sorted(stands)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendReminder:
    """Hand a message over, with the text that was written for its mark; without one, when nothing is left to send, or
    when it cannot be written, and why.
    """

    message_id: int
    mark: str
    to: tuple[str, ...] = ()
    channel: str = ""
    subject: str = ""
    body: str = ""
    paper: str = ""
    cannot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderHandedOver:
    """A message is on its way, or is not sent because nothing of it is due any more."""

    message: Message
    customer: str
    operation_id: int

    def trace(self) -> Trace:
        made = self.message
        numbers = [line.number for line in made.lines if line.state == MessageState.QUEUED.value]
        said = f"of {', '.join(numbers)}" if numbers else f"not sent: {made.note}"
        return Trace(
            description=f"Reminder to {self.customer} {said}"[:500],
            customer_id=made.customer_id,
            after={"state": made.state.value, "level": str(made.level), "open": str(made.open)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpireReminder:
    """A message whose hours ended before it was sent is not sent any more."""

    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindNow:
    """Remind a customer of all that is overdue, without waiting for its schedule."""

    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindedNow:
    """A message to a customer is planned to go at once, within its working hours."""

    message: Message
    customer: str
    by: str
    operation_id: int

    def trace(self) -> Trace:
        return Trace(
            description=f"Reminder to {self.customer} asked for: {self.message.invoices} invoices",
            customer_id=self.message.customer_id,
            after={"open": str(self.message.open)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.message.customer_id),)


def letter_of(message: Message, facts: CustomerFacts | None, policy: Policy) -> Letter:
    """What is left of a planned message: the invoices of it that are due for the same step still. Rule 88."""
    if facts is None:
        return Letter(lines=(), why_not="nothing of it is open any more")
    if policy.is_off:
        return Letter(lines=(), why_not="reminders are off")
    decided = decide(facts, policy) if message.run_id is not None else decide(pressed(facts, policy), policy)
    if decided is None:
        return Letter(lines=(), why_not="nothing of it is due any more")
    if isinstance(decided, LeftOut):
        return Letter(lines=(), why_not=f"{decided.why.value} {decided.detail}".strip())
    planned = {(line.invoice_id, line.level, line.days, line.times) for line in message.lines}
    lines = tuple(line for line in decided.lines if _key(line) in planned)
    return Letter(lines=lines, why_not="" if lines else "nothing of it is due any more")


def _key(line: Line) -> tuple[int, int, int, int]:
    step = line.due.step
    return (line.invoice.id, step.level, 0 if step.level else step.offset, line.due.times)


def why_not_any_more(message: Message, facts: CustomerFacts | None, policy: Policy, now: datetime) -> str:
    """Why a message that was handed over must not leave as it was written: its hours are over, or what it says is not
    so any more. Nothing when it may leave. Rule 88.
    """
    if message.state is not MessageState.QUEUED:
        return f"the message is {message.state.value}"
    if now > message.closes_at or (facts is not None and not policy.is_open(facts, now)):
        return "its hours ended before it was sent"
    mine = tuple(line for line in message.lines if line.state == MessageState.QUEUED.value)
    written = _mark([(line.invoice_id, line.open.micros, line.level) for line in mine])
    letter = letter_of(replace(message, lines=mine), facts, policy)
    return "" if letter.mark == written else letter.why_not or "what it says has changed"


def pressed(facts: CustomerFacts, policy: Policy) -> CustomerFacts:
    """The same customer as one who is reminded by hand sees it: whatever is overdue is due now, at the level that comes
    next or the last one again, however short ago the last message was; what holds it back holds it back still.
    """
    steps = tuple(step for step in facts.steps if step.level)
    made = tuple(_at_once(step) for step in steps)
    last_on = facts.last_on if facts.last_on == policy.today else None
    invoices = tuple(each for each in facts.invoices if each.due_on < policy.today)
    return replace(facts, steps=made, last_on=last_on, invoices=invoices)


def _at_once(step: Step) -> Step:
    """Due from the first day, and again on each."""
    return replace(step, offset=step.level - FAR, every=1)


LONGEST_NOTE = 300
FAR = 100_000  # days: before any due date


@operation(by=Role.NONE)
def send_reminder(command: SendReminder, books: "Books", context: Context) -> ReminderHandedOver:
    """Hand a message over for sending, if it is due still and within its hours; its steps count once it was sent. One
    that cannot be written has failed, so that somebody sees it, and the next plan decides anew.
    Rules 85, 87-89. Refuses: WrongState, EvidenceChanged.
    """
    message = books.reminders.message(command.message_id)
    customer = books.customers.lock(message.customer_id)
    message = books.reminders.message(command.message_id)
    run = books.reminders.run(message.run_id) if message.run_id is not None else None
    if message.state is not MessageState.PLANNED or (run is not None and run.state is not RunState.RELEASED):
        raise WrongState(f"This message is {message.state.value}, and its plan not released.")
    if not message.opens_at <= context.now <= message.closes_at:
        raise WrongState("It is not within the hours of this message.")
    names = books.reminders.template_names()
    policy = policy_of(books.settings.current(), message.day, names, send_at=message.opens_at)
    facts = books.reminders.facts([customer.id], message.day, messages=(message.id,))
    if facts and not policy.is_open(facts[0], context.now):
        raise WrongState(f"It is not within the hours of {customer.name}, as they are now.")
    letter = letter_of(message, facts[0] if facts else None, policy)
    if letter.mark != command.mark:
        raise EvidenceChanged(f"What {customer.name} owes has changed since this message was written.")
    if not letter.lines or command.cannot:
        state = MessageState.FAILED if command.cannot else MessageState.DROPPED
        note = (command.cannot or letter.why_not)[:LONGEST_NOTE]
        gone = replace(message, state=state, note=note, version=message.version + 1)
        books.reminders.change_message(gone)
        return ReminderHandedOver(message=gone, customer=customer.code, operation_id=context.operation_id)
    handed = _handed_over(command, message, books)
    kept = {line.invoice.id: line.invoice.open_micros for line in letter.lines}
    lines = tuple(
        replace(
            line,
            open=replace(line.open, micros=kept[line.invoice_id]),
            state=LineState.QUEUED.value,
        )
        if line.invoice_id in kept
        else replace(line, state=LineState.LEFT.value)
        for line in message.lines
    )
    after = replace(
        message,
        state=MessageState.QUEUED,
        level=max(line.due.step.level for line in letter.lines),
        open=replace(message.open, micros=letter.open_micros),
        invoices=len(kept),
        mail_id=handed,
        lines=lines,
        version=message.version + 1,
    )
    books.reminders.queue(after)
    return ReminderHandedOver(message=after, customer=customer.code, operation_id=context.operation_id)


def _handed_over(command: SendReminder, message: Message, books: "Books") -> int:
    """Put the letter among what is sent after the commit, by e-mail or into the customer's channel; returns its id."""
    if command.channel:
        return books.reminders.post(message, command.channel, command.subject, command.body)
    made = Mail(
        id=books.new_id(),
        customer_id=message.customer_id,
        about=MailAbout.REMINDER,
        about_id=message.id,
        to=command.to,
        subject=command.subject,
        body=command.body,
        paper=command.paper,
    )
    books.mails.insert(made)
    return made.id


@operation(by=Role.NONE)
def expire_reminder(command: ExpireReminder, books: "Books", context: Context) -> ReminderHandedOver:
    """Give a message up whose hours have ended: the next plan decides anew. Refuses: WrongState."""
    message = books.reminders.message(command.message_id)
    customer = books.customers.lock(message.customer_id)
    message = books.reminders.message(command.message_id)
    if message.state is not MessageState.PLANNED or context.now <= message.closes_at:
        raise WrongState("This message may be sent still, or was.")
    gone = replace(
        message, state=MessageState.EXPIRED, note="its hours ended before it was sent", version=message.version + 1
    )
    books.reminders.change_message(gone)
    return ReminderHandedOver(message=gone, customer=customer.code, operation_id=context.operation_id)


@operation(by=Role.CLERK)
def remind_now(command: RemindNow, books: "Books", context: Context) -> RemindedNow:
    """Plan a message about all that is overdue of a customer, to go at once within its hours. Rules 85, 88, 89.
    Refuses: ReminderRefused, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    settings = books.settings.current()
    if settings.reminders == OFF:
        raise ReminderRefused("Reminders are off; an administrator turns them on with /duedesk settings reminders.")
    policy = policy_of(settings, context.today, books.reminders.template_names(), send_at=context.now)
    facts = books.reminders.facts([customer.id], context.today)
    decided = decide(pressed(facts[0], policy), policy) if facts else None
    if not isinstance(decided, Planned):
        why_not = why_not_now(customer.name, facts[0] if facts else None, decided, context.today)
        raise ReminderRefused(why_not, field="customer")
    made = books.reminders.plan_now(decided, context.today, context.person)
    return RemindedNow(message=made, customer=customer.code, by=context.person, operation_id=context.operation_id)


def why_not_now(name: str, facts: CustomerFacts | None, decided: Planned | LeftOut | None, today: date) -> str:
    """Why nobody is reminded by hand, in a sentence."""
    if facts is None or decided is None:
        if facts is not None and facts.last_on is not None and facts.last_on == today:
            return f"{name} was reminded today already; once a day is enough."
        if facts is not None and not any(step.level for step in facts.steps):
            return f"{name} has no schedule with a step after the due date; /reminders schedules gives it one."
        return f"Nothing of {name} is overdue, or it is no postpaid customer; nothing is sent."
    assert isinstance(decided, LeftOut)
    return f"{name} is not reminded: {decided.why.value} {decided.detail}".strip() + "."
