"""Who is reminded of what on a day, and why; who is not, and why not: a pure decision for one customer at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import CustomerState
from bot.domain.reminder_steps import NEVER, Due, Reached, Step, due_step
from bot.domain.reminder_windows import Hours, Window, window_of
from bot.domain.schedules import is_known_zone

if TYPE_CHECKING:
    from bot.domain.money import Currency

FIRST_TO_LOOK_AT = 3
EMAIL = "email"


class Left(StrEnum):
    """Why a customer, or an invoice of it, is left out of the reminders of a day for which it is due."""

    SUSPENDED = "suspended"
    OPTED_OUT = "opted out"
    PAUSED = "paused"
    BOUNCED = "address bounces"
    NO_ADDRESS = "no address"
    WAITING = "a message waits to be sent"
    CONTACTED = "contacted lately"
    NO_HOURS = "outside its working hours"
    DISPUTED = "disputed"
    PROMISED = "payment promised"
    STOPPED = "invoice not to be chased"
    BELOW = "below the minimum"
    NO_TEMPLATE = "no text"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """An open tax invoice of a postpaid customer, as the decision needs it."""

    id: int
    number: str
    issue_on: date
    due_on: date
    total_micros: int
    open_micros: int
    disputed: bool = False
    stopped: bool = False
    promised_on: date | None = None  # of an open promise about it, or about all its customer owes
    broken_on: date | None = None  # of a promise that was broken
    reached: Reached = NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFacts:
    """A postpaid customer with its open invoices, as the decision needs it."""

    id: int
    name: str
    code: str
    currency: "Currency"
    state: CustomerState = CustomerState.ACTIVE
    zone: str = ""
    country: str = ""
    language: str = ""
    channel: str = EMAIL
    schedule: str = ""
    steps: tuple[Step, ...] = ()
    opted_out: bool = False
    paused_until: date | None = None
    reachable: bool = True
    bounced: bool = False
    waiting: bool = False
    last_on: date | None = None
    invoices: tuple[InvoiceFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds for all customers on a day. `send_at` is when the messages of the day begin to be sent."""

    today: date
    send_at: datetime
    zone: str
    country: str
    hours: Hours
    gap_days: int
    templates: frozenset[str]  # names, folded
    is_off: bool = False  # nothing is sent, not even what was planned before

    def is_open(self, customer: CustomerFacts, now: datetime) -> bool:
        """Whether a customer may be written to at a moment, as its hours and zone are now."""
        found = replace(self, send_at=now).window(customer)
        return found is not None and found.hours_from <= now

    def window(self, customer: CustomerFacts) -> Window | None:
        """In its own zone and country, or the book's. What is no zone counts as none: it never stops the others."""
        zone = customer.zone if is_known_zone(customer.zone) else self.zone
        return window_of(self.send_at, self.hours, zone, customer.country or self.country)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """An invoice that is reminded of: the step, since when it is due, and how often that level was sent before."""

    invoice: InvoiceFacts
    due: Due

    def why(self, today: date) -> str:
        """`INV-0042 is 12 days overdue: level 1 is due since 5 Nov`, without amounts."""
        late = (today - self.invoice.due_on).days
        days = f"{abs(late)} day{'' if abs(late) == 1 else 's'}"
        stands = f"{days} overdue" if late > 0 else f"due in {days}" if late < 0 else "due today"
        again = f", for the {self.due.times + 1}. time" if self.due.times else ""
        return f"{stands}: {self.due.step.name}{again}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An invoice whose step is due and that is held back nevertheless."""

    invoice: InvoiceFacts
    why: Left


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One message to one customer about all its invoices that are due for a step."""

    customer: CustomerFacts
    lines: tuple[Line, ...]
    held: tuple[Held, ...]
    window: Window

    @property
    def step(self) -> Step:
        """The step furthest on: its template is sent."""
        return max((line.due.step for line in self.lines), key=lambda step: step.offset)

    @property
    def open_micros(self) -> int:
        return sum(line.invoice.open_micros for line in self.lines)

    def look_at(self) -> str:
        """Why a person should look at it before it goes, in words; nothing when it is routine."""
        said = []
        step = self.step
        if step.level >= FIRST_TO_LOOK_AT and any(line.due.step is step and not line.due.times for line in self.lines):
            said.append(f"level {step.level}, first time")
        if any(line.invoice.broken_on is not None for line in self.lines):
            said.append("a promise was broken")
        for why in dict.fromkeys(each.why for each in self.held):
            count = sum(each.why is why for each in self.held)
            said.append(f"{count} invoice{'' if count == 1 else 's'} held back: {why.value}")
        return "; ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A customer for which a step is due and who gets nothing."""

    customer: CustomerFacts
    why: Left
    detail: str
    invoices: int


def decide(customer: CustomerFacts, policy: Policy) -> Planned | LeftOut | None:
    """What a customer gets on a day, or why it gets nothing; nothing at all where no step is due. Rules 85, 87-89.

    All that is due goes into one message. What concerns the customer comes before what concerns an invoice; each reason
    is the first that holds.
    """
    today = policy.today
    due = [
        Line(invoice=invoice, due=found)
        for invoice in customer.invoices
        if (found := due_step(customer.steps, invoice.due_on, invoice.reached, today)) is not None
    ]
    if not due:
        return None
    held = tuple(
        Held(invoice=line.invoice, why=why) for line in due if (why := _invoice_held(line.invoice)) is not None
    )
    free = [line for line in due if all(each.invoice is not line.invoice for each in held)]
    lines = tuple(_above_minimum(free, customer))
    why, detail = _customer_held(customer, policy)
    if why is None and not lines:
        why, detail = (held[0].why, _detail(held[0])) if held and not free else (Left.BELOW, "")
    window = policy.window(customer) if why is None else None
    if why is None and window is None:
        why, detail = Left.NO_HOURS, ""
    if why is not None or window is None:
        assert why is not None
        return LeftOut(customer=customer, why=why, detail=detail, invoices=len(due))
    planned = Planned(customer=customer, lines=lines, held=held, window=window)
    if planned.step.template.casefold() not in policy.templates:
        return LeftOut(customer=customer, why=Left.NO_TEMPLATE, detail=planned.step.template, invoices=len(due))
    return planned


def _above_minimum(lines: Sequence[Line], customer: CustomerFacts) -> Sequence[Line]:
    """A step with a minimum is taken only when all that is due comes to as much, in the same currency."""
    total = sum(line.invoice.open_micros for line in lines)
    return [
        line
        for line in lines
        if (least := line.due.step.least) is None or least.currency != customer.currency or total >= least.micros
    ]


def _invoice_held(invoice: InvoiceFacts) -> Left | None:
    if invoice.stopped:
        return Left.STOPPED
    if invoice.disputed:
        return Left.DISPUTED
    return Left.PROMISED if invoice.promised_on is not None else None


def _detail(held: Held) -> str:
    promised_on = held.invoice.promised_on
    return f"by {promised_on}" if held.why is Left.PROMISED and promised_on is not None else held.invoice.number


def _customer_held(customer: CustomerFacts, policy: Policy) -> tuple[Left | None, str]:
    today = policy.today
    if customer.state is not CustomerState.ACTIVE:
        return Left.SUSPENDED, ""
    if customer.opted_out:
        return Left.OPTED_OUT, ""
    if customer.paused_until is not None and today < customer.paused_until:
        return Left.PAUSED, f"until {customer.paused_until}"
    if customer.waiting:
        return Left.WAITING, ""
    if customer.bounced:
        return Left.BOUNCED, ""
    if not customer.reachable:
        return Left.NO_ADDRESS, ""
    if customer.last_on is not None and today < customer.last_on + timedelta(days=max(1, policy.gap_days)):
        return Left.CONTACTED, f"on {customer.last_on}"
    return None, ""
