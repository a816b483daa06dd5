"""What reminders ask of storage inside a write, and what is asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Money

if TYPE_CHECKING:
    from bot.domain.promises import PromiseStanding
    from bot.domain.reminder_plan import CustomerFacts, LeftOut, Planned


class RunState(StrEnum):
    """How the plan of a day stands."""

    PLANNING = "planning"
    PLANNED = "planned"
    HELD = "held"  # until a person says that it may be sent
    RELEASED = "released"
    CANCELLED = "cancelled"


class LineState(StrEnum):
    """What became of an invoice in a message: left where the letter does not name it, dropped when that never came."""

    PLANNED = "planned"
    QUEUED = "queued"
    SENT = "sent"
    DROPPED = "dropped"
    LEFT = "left"


class MessageState(StrEnum):
    """What became of a message to a customer."""

    PLANNED = "planned"
    EXCLUDED = "excluded"
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"  # the line broke after it was handed over: a person or a copy decides
    EXPIRED = "expired"  # its hours ended before it was sent
    DROPPED = "dropped"  # nothing of it was due any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text in one language. Rule 86."""

    id: int
    name: str
    language: str
    subject: str
    body: str
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSchedule:
    """Steps before, on and after the due date, in the form they are typed in."""

    id: int
    name: str
    steps: str
    is_default: bool
    saved_by: str
    saved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderTerms:
    """What holds for one customer."""

    customer_id: int
    schedule: str = ""
    opted_out: bool = False
    paused_until: date | None = None
    reason: str = ""
    language: str = ""
    channel: str = ""
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRun:
    """The plan of one day."""

    id: int
    day: date
    state: RunState
    way: str
    send_at: datetime
    planned_at: datetime
    planned_through: int = 0
    paid_on: date | None = None
    decided_by: str = ""
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageLine:
    """An invoice in a message."""

    id: int
    invoice_id: int
    number: str
    level: int
    days: int
    times: int
    open: Money
    why: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one customer."""

    id: int
    run_id: int | None
    customer_id: int
    day: date
    state: MessageState
    level: int
    template: str
    language: str
    open: Money
    invoices: int
    hours_from: datetime
    opens_at: datetime
    closes_at: datetime
    look_at: str = ""
    note: str = ""
    person: str = ""
    subject: str | None = None
    body: str | None = None
    mail_id: int | None = None
    sent_on: date | None = None
    version: int = 1
    lines: tuple[MessageLine, ...] = ()


class Reminders(Protocol):
    """Reminders inside a write."""

    def template(self, name: str, language: str) -> Template | None: ...

    def templates_called(self, name: str) -> Sequence[Template]: ...

    def template_names(self) -> frozenset[str]: ...

    def put_template(self, made: Template, before: Template | None) -> None: ...

    def retire_template(self, template: Template) -> None: ...

    def schedule(self, name: str) -> ReminderSchedule | None: ...

    def default_schedule(self) -> ReminderSchedule | None: ...

    def schedules(self) -> Sequence[ReminderSchedule]: ...

    def put_schedule(self, made: ReminderSchedule, before: ReminderSchedule | None) -> None: ...

    def retire_schedule(self, schedule: ReminderSchedule) -> None: ...

    def customers_on(self, schedule: str) -> int: ...

    def terms(self, customer_id: int) -> ReminderTerms: ...

    def put_terms(self, terms: ReminderTerms) -> None: ...

    def stopped(self, invoice_id: int) -> str | None: ...

    def stop(self, invoice_id: int, reason: str, person: str) -> None: ...

    def go_on(self, invoice_id: int) -> None: ...

    def run(self, run_id: int) -> ReminderRun: ...

    def run_of(self, day: date) -> ReminderRun | None: ...

    def put_run(self, run: ReminderRun) -> None: ...

    def change_run(self, run: ReminderRun) -> None: ...

    def next_customers(self, after: int, horizon: date, limit: int) -> Sequence[int]: ...

    def facts(
        self, customer_ids: Sequence[int], today: date, *, messages: Sequence[int] = ()
    ) -> "Sequence[CustomerFacts]": ...

    def promises_of(self, customer_id: int) -> "Sequence[PromiseStanding]": ...

    def last_payment_on(self, zone: str) -> date | None: ...

    def plan(self, run: ReminderRun, planned: "Sequence[Planned]", left: "Sequence[LeftOut]") -> None: ...

    def size(self, run_id: int) -> tuple[int, int]: ...

    def plan_now(self, planned: "Planned", day: date, person: str) -> Message: ...

    def message(self, message_id: int) -> Message: ...

    def change_message(self, message: Message) -> None: ...

    def open_all(self, run_id: int, at: datetime) -> None: ...

    def settle_run(self, run_id: int, state: MessageState, note: str) -> int: ...

    def queue(self, message: Message) -> None: ...

    def post(self, message: Message, channel: str, subject: str, body: str) -> int: ...

    def is_waited_for(self, customer_id: int) -> bool: ...

    def customers_in(self, channel: str) -> Sequence[int]: ...
