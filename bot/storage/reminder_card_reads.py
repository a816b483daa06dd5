"""What cards and lists ask about reminders: one customer's standing, somebody to try a text with, and what is told."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Select

from bot.domain.customers import Customer, Mode
from bot.domain.promises import PromiseStanding, PromiseState
from bot.domain.reminder_plan import CustomerFacts
from bot.domain.reminder_ports import Message, ReminderRun
from bot.domain.reminder_views import LeftLine, PlanLine, Standing, standing
from bot.domain.settings import Settings
from bot.storage import reminder_facts, reminders
from bot.storage.dispute_reads import promises
from bot.storage.reminders import MESSAGES, RUNS
from bot.storage.requests import keys_used
from bot.storage.tables import ReminderMessageRow, ReminderRunRow

_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_run = ReminderRunRow.__table__  # type: ignore[attr-defined]  # as above

MOST_IN_A_FILE = 1_000_000
MOST_TRIED = 50
LATE_NEWS = timedelta(days=7)  # after the day of a plan, for mail that comes back
_LAST = MESSAGES.where(_message.c.state.not_in(("planned", "excluded", "dropped", "expired"))).order_by(
    _message.c.id.desc()
)


class ReminderCardReads:
    """What cards and lists may ask about reminders."""

    _connection: Connection
    _settings: Settings
    if TYPE_CHECKING:

        def customer(self, customer_id: int) -> Customer: ...

        def reminder_messages(
            self, run_id: int, *, to_look_at: bool = False, limit: int = 100
        ) -> Sequence[PlanLine]: ...

        def reminder_left(self, run_id: int, limit: int = 200) -> Sequence[LeftLine]: ...

        def reminder_log(self, customer_id: int | None, limit: int = 20) -> Sequence[PlanLine]: ...

    def reminder_standing(self, customer: Customer, today: date) -> Standing | None:
        """How a customer stands with reminders; nothing for who is never reminded. Rule 85."""
        if customer.mode is not Mode.POSTPAID:
            return None
        found = reminder_facts.facts(self._connection, [customer.id], today)
        return standing(
            found[0] if found else None,
            reminders.terms_of(self._connection, customer.id),
            self._last(customer.id),
            self._settings,
            today,
            reminders.template_names(self._connection),
        )

    def _last(self, customer_id: int) -> Message | None:
        row = self._connection.execute(_LAST.where(_message.c.customer_id == customer_id).limit(1)).first()
        return reminders.message_of(row) if row is not None else None

    def reminder_example(self, today: date) -> CustomerFacts | None:
        """A customer with something overdue, to try a text with; nothing where there is none."""
        ids = reminder_facts.next_customers(self._connection, 0, today - timedelta(days=1), MOST_TRIED)
        found = reminder_facts.facts(self._connection, ids, today)
        return next((each for each in found if any(invoice.due_on < today for invoice in each.invoices)), None)

    def last_payment_at(self) -> datetime | None:
        """When a payment was recorded last."""
        return reminders.last_payment_at(self._connection)

    def each_reminder(self, run_id: int | None, customer_id: int | None) -> Iterator[PlanLine]:
        """The messages of a plan, or those that were sent, for a file."""
        if run_id is not None:
            yield from self.reminder_messages(run_id, limit=MOST_IN_A_FILE)
        else:
            yield from self.reminder_log(customer_id, MOST_IN_A_FILE)

    def each_left_out(self, run_id: int) -> Iterator[LeftLine]:
        """Who was left out of a plan, for a file."""
        yield from self.reminder_left(run_id, MOST_IN_A_FILE)


def broken_and_not_told(connection: Connection, today: date, most: int) -> list[PromiseStanding]:
    """Some promises that were broken and nobody was asked about yet, the oldest first."""
    broken = [each for each in promises(connection) if each.state(today) is PromiseState.BROKEN]
    told = keys_used(connection, [broken_key(each.promise.id) for each in broken])
    return [each for each in broken if broken_key(each.promise.id) not in told][:most]


def broken_key(promise_id: int) -> str:
    """One question for each promise that was broken."""
    return f"promise-broken:{promise_id}"


def released_lately(connection: Connection, today: date) -> list[ReminderRun]:
    """Plans that were released in the last days, of which something can still come back."""
    return [reminders.run_of(row) for row in connection.execute(_released(today))]


def _released(today: date) -> Select[tuple[object, ...]]:
    return RUNS.where(_run.c.state == "released", _run.c.day >= today - LATE_NEWS).order_by(_run.c.day)
