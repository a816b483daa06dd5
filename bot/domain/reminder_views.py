"""What is shown of reminders: a plan in figures, its messages, who is left out, and how one customer stands."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Money
from bot.domain.reminder_plan import CustomerFacts, LeftOut, Planned, decide
from bot.domain.reminder_ports import Message, MessageState, ReminderRun, ReminderTerms
from bot.domain.reminder_settings import OFF, next_look, policy_of

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from bot.domain.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCounts:
    """What the plan of a day comes to without what people left out: messages, their invoices and amounts, the routine
    ones by level, how all stand, and who is left out.
    """

    messages: int
    invoices: int
    open: tuple[Money, ...]
    by_state: Mapping[MessageState, int]
    by_level: Mapping[int, int]
    to_look_at: int
    left_out: int
    by_reason: Mapping[str, int]

    def in_state(self, *states: MessageState) -> int:
        return sum(self.by_state.get(state, 0) for state in states)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """A message of a plan as lists show it."""

    message: Message
    customer_name: str
    customer_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftLine:
    """A customer left out of a plan, and why."""

    customer_id: int
    customer_name: str
    customer_code: str
    why: str
    detail: str
    invoices: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a customer stands with reminders: what it got last, what it would get today or why not, and when next."""

    terms: ReminderTerms
    last: Message | None
    facts: CustomerFacts | None
    decided: Planned | LeftOut | None
    next_on: date | None
    is_off: bool
    today: date

    @property
    def is_paused(self) -> bool:
        return self.terms.paused_until is not None and self.terms.paused_until > self.today

    @property
    def can_be_reminded(self) -> bool:
        """Whether a reminder by hand would be sent: something is overdue, nothing waits, and none was sent today."""
        facts = self.facts
        if facts is None or self.overdue is None or self.is_off or self.is_paused or self.terms.opted_out:
            return False
        return any(step.level for step in facts.steps) and not facts.waiting and facts.last_on != self.today

    @property
    def overdue(self) -> Money | None:
        """What is past its due date; nothing where nothing is."""
        if self.facts is None:
            return None
        late = sum(each.open_micros for each in self.facts.invoices if each.due_on < self.today)
        return Money(late, self.facts.currency) if late else None


def standing(
    facts: CustomerFacts | None,
    terms: ReminderTerms,
    last: Message | None,
    settings: "Settings",
    today: date,
    templates: "AbstractSet[str]",
) -> Standing:
    """How a customer stands on a day; `templates` are the names of all that there are, folded."""
    is_off = settings.reminders == OFF
    return Standing(
        terms=terms,
        last=last,
        facts=facts,
        decided=decide(facts, policy_of(settings, today, templates)) if facts is not None else None,
        next_on=next_look(facts, settings, today, templates) if facts is not None and not is_off else None,
        is_off=is_off,
        today=today,
    )


class ReminderQuestions(Protocol):
    """What a card may ask about reminders."""

    def reminder_run(self, run_id: int) -> ReminderRun: ...

    def reminder_run_of(self, day: date) -> ReminderRun | None: ...

    def reminder_counts(self, run_id: int) -> PlanCounts: ...

    def reminder_messages(self, run_id: int, *, to_look_at: bool = False, limit: int = 100) -> Sequence[PlanLine]: ...

    def reminder_left(self, run_id: int, limit: int = 200) -> Sequence[LeftLine]: ...

    def reminder_log(self, customer_id: int | None, limit: int = 20) -> Sequence[PlanLine]: ...

    def each_reminder(self, run_id: int | None, customer_id: int | None) -> Iterator[PlanLine]: ...

    def each_left_out(self, run_id: int) -> Iterator[LeftLine]: ...

    def last_payment_at(self) -> datetime | None: ...
