"""What holds for one customer or one invoice: its schedule, its language, and when it is left alone."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from bot.domain.customers import Correction, Customer, clean_text, corrections
from bot.domain.disputes import check_owed
from bot.domain.errors import DateInFuture, DateTooEarly, NoAccess, NotFound, WrongState
from bot.domain.open_items import Invoice
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.reminder_plan import EMAIL
from bot.domain.reminder_ports import ReminderTerms
from bot.domain.settings import LOCALES

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REASON = 300
LONGEST_CHANNEL = 60
LONGEST_PAUSE = timedelta(days=366)
SLACK = "slack:"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetReminders:
    """How a customer is reminded: by which schedule, in which language, by which way, or not at all."""

    customer_id: int
    version: int
    schedule: str = ""
    language: str = ""
    channel: str = ""
    opted_out: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseReminders:
    """Leave a customer alone until a day; on that day it is reminded again."""

    customer_id: int
    until: date
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeReminders:
    """Remind a customer again from now on."""

    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindersChanged:
    """A customer is reminded otherwise from now on."""

    step: str
    terms: ReminderTerms
    before: ReminderTerms
    customer: Customer
    operation_id: int

    @property
    def corrected(self) -> tuple[Correction, ...]:
        return corrections(self.before, self.terms, ("schedule", "language", "channel", "opted_out", "paused_until"))

    def trace(self) -> Trace:
        changed = self.corrected
        return Trace(
            description=f"{self.customer.code} reminders {self.step}: "
            + (", ".join(f"{each.name} {each.after or 'none'}" for each in changed) or "as before"),
            customer_id=self.customer.id,
            document=self.customer.code,
            before={each.name: each.before for each in changed},
            after={each.name: each.after for each in changed} | {"reason": self.terms.reason},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.customer.id),)


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChasing:
    """Do not remind of an invoice any more."""

    invoice_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOnChasing:
    """Remind of an invoice again."""

    invoice_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChasingChanged:
    """An invoice is chased no more, or again."""

    step: str
    invoice: Invoice
    customer: Customer
    reason: str
    operation_id: int

    def trace(self) -> Trace:
        return Trace(
            description=f"{self.invoice.label} {self.step}" + (f": {self.reason}" if self.reason else ""),
            customer_id=self.customer.id,
            document=self.invoice.label,
            after={"chased": str(self.step != "chased no more")},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.INVOICE, document_id=self.invoice.id),)


@operation(by=Role.CLERK)
def set_reminders(command: SetReminders, books: "Books", context: Context) -> RemindersChanged:
    """Change how a customer is reminded. Rule 87. Refuses: WrongState, NotFound, NoAccess, TextTooLong,
    CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    before = books.reminders.terms(customer.id)
    if before.version != command.version:
        raise WrongState(f"The reminders of {customer.name} were changed meanwhile; open the form again.")
    schedule = books.reminders.schedule(command.schedule) if command.schedule else None
    if command.schedule and schedule is None:
        raise NotFound(f"There is no schedule {command.schedule[:40]}.", field="schedule")
    if command.language and command.language not in LOCALES:
        raise WrongState(f"Choose one of {', '.join(LOCALES)}.", field="language")
    channel = clean_channel(command.channel)
    if channel != before.channel and channel:
        _check_link(channel, customer, books, context)
    after = replace(
        before,
        schedule=schedule.name if schedule is not None else "",
        language=command.language,
        channel=channel,
        opted_out=command.opted_out,
        reason=clean_text(command.reason, "reason", LONGEST_REASON, needed=command.opted_out),
        version=before.version + 1,
    )
    return _changed("changed", before, after, customer, books, context)


@operation(by=Role.CLERK)
def pause_reminders(command: PauseReminders, books: "Books", context: Context) -> RemindersChanged:
    """Leave a customer alone until a day. Refuses: DateTooEarly, DateInFuture, TextTooLong, CustomerClosed."""
    customer = books.customers.lock(command.customer_id).open_for_business()
    if command.until <= context.today:
        raise DateTooEarly(f"{command.until} is not after today; choose a later day.", field="until")
    if command.until > context.today + LONGEST_PAUSE:
        raise DateInFuture(f"{command.until} is more than a year away; choose an earlier day.", field="until")
    before = books.reminders.terms(customer.id)
    reason = clean_text(command.reason, "reason", LONGEST_REASON)
    after = replace(before, paused_until=command.until, reason=reason, version=before.version + 1)
    return _changed("paused", before, after, customer, books, context)


@operation(by=Role.CLERK)
def resume_reminders(command: ResumeReminders, books: "Books", context: Context) -> RemindersChanged:
    """End a pause, and take back that a customer is not to be reminded. Refuses: WrongState, CustomerClosed."""
    customer = books.customers.lock(command.customer_id).open_for_business()
    before = books.reminders.terms(customer.id)
    paused = before.paused_until is not None and before.paused_until > context.today
    if not paused and not before.opted_out:
        raise WrongState(f"{customer.name} is reminded already; nothing is paused.", field="customer")
    after = replace(before, paused_until=None, opted_out=False, reason="", version=before.version + 1)
    return _changed("resumed", before, after, customer, books, context)


@operation(by=Role.CLERK)
def stop_chasing(command: StopChasing, books: "Books", context: Context) -> ChasingChanged:
    """Leave an invoice out of all reminders; it stays owed. Rule 85. Refuses: WrongState, MissingText, TextTooLong."""
    customer = books.customers.lock(books.invoices.get(command.invoice_id).customer_id)
    invoice = books.invoices.get(command.invoice_id)
    check_owed(invoice)
    if books.reminders.stopped(invoice.id) is not None:
        raise WrongState(f"{invoice.label} is not chased already.", field="invoice")
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    books.reminders.stop(invoice.id, reason, context.person)
    return ChasingChanged(
        step="chased no more", invoice=invoice, customer=customer, reason=reason, operation_id=context.operation_id
    )


@operation(by=Role.CLERK)
def go_on_chasing(command: GoOnChasing, books: "Books", context: Context) -> ChasingChanged:
    """Chase an invoice again. Refuses: WrongState."""
    customer = books.customers.lock(books.invoices.get(command.invoice_id).customer_id)
    invoice = books.invoices.get(command.invoice_id)
    if books.reminders.stopped(invoice.id) is None:
        raise WrongState(f"{invoice.label} is chased like others.", field="invoice")
    books.reminders.go_on(invoice.id)
    return ChasingChanged(
        step="chased again", invoice=invoice, customer=customer, reason="", operation_id=context.operation_id
    )


def _check_link(channel: str, customer: Customer, books: "Books", context: Context) -> None:
    """A channel belongs to one customer, and an administrator says to which. Refuses: NoAccess, WrongState."""
    if context.role < Role.ADMINISTRATOR:
        raise NoAccess("An administrator says which channel belongs to a customer.", field="channel")
    if any(each != customer.id for each in books.reminders.customers_in(channel)):
        raise WrongState("This channel belongs to another customer; nobody else's papers go there.", field="channel")


def clean_channel(text: str) -> str:
    """By e-mail, or into a Slack channel that belongs to the customer. Refuses: WrongState, TextTooLong."""
    channel = clean_text(text, "channel", LONGEST_CHANNEL)
    if channel in {"", EMAIL}:
        return ""
    if not channel.startswith(SLACK):
        raise WrongState("Choose e-mail, or a channel that is shared with the customer.", field="channel")
    return channel


def _changed(
    step: str, before: ReminderTerms, after: ReminderTerms, customer: Customer, books: "Books", context: Context
) -> RemindersChanged:
    books.reminders.put_terms(after)
    return RemindersChanged(step=step, terms=after, before=before, customer=customer, operation_id=context.operation_id)
