"""What is told of reminders without anybody asking: how the messages of a day fared, and promises that were broken."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.customers import Customer
from bot.domain.errors import WrongState
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.promises import PromiseStanding, PromiseState
from bot.domain.reminder_ports import RunState
from bot.domain.reminder_runs import RunChanged

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class TellReminders:
    """Say how the messages of a released plan fared, once none of them waits."""

    run_id: int
    sent: int
    failed: int = 0
    bounced: int = 0
    unknown: int = 0
    not_sent: int = 0

    @property
    def said(self) -> str:
        """`sent 12, failed 1`."""
        names = ("sent", "failed", "bounced", "unknown", "not_sent")
        counted = [f"{name.replace('_', ' ')} {getattr(self, name):,}" for name in names if getattr(self, name)]
        return ", ".join(counted) or "sent nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TellBrokenPromise:
    """Ask who logged a promise what to do now that its day has passed."""

    customer_id: int
    promise_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseBroken:
    """A promise was not kept; who logged it is asked."""

    standing: PromiseStanding
    customer: Customer
    operation_id: int

    def trace(self) -> Trace:
        made = self.standing.promise
        return Trace(
            description=f"{self.standing.label} promise broken: {made.amount} by {made.promised_on}",
            customer_id=self.customer.id,
            document=self.standing.label,
            after={"paid": str(self.standing.paid), "left": str(self.standing.left)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        made = self.standing.promise
        if made.invoice_id is not None:
            return (Announcement(document=DocumentKind.INVOICE, document_id=made.invoice_id),)
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=made.customer_id),)


@operation(by=Role.NONE)
def tell_reminders(command: TellReminders, books: "Books", context: Context) -> RunChanged:
    """Bring the card of a plan to how its messages fared. Refuses: WrongState."""
    run = books.reminders.run(command.run_id)
    if run.state is not RunState.RELEASED:
        raise WrongState(f"The reminders of {run.day} are {run.state.value}; nothing of them was sent.")
    return RunChanged(step=command.said, run=run, by=context.person, at=context.now, operation_id=context.operation_id)


@operation(by=Role.NONE)
def tell_broken_promise(command: TellBrokenPromise, books: "Books", context: Context) -> PromiseBroken:
    """Tell that a promise was broken, in the thread of what it is about. Rule 85. Refuses: WrongState."""
    customer = books.customers.lock(command.customer_id)
    found = next(
        (each for each in books.reminders.promises_of(customer.id) if each.promise.id == command.promise_id), None
    )
    if found is None or found.state(context.today) is not PromiseState.BROKEN:
        raise WrongState("This promise is kept, taken back, or still open.")
    return PromiseBroken(standing=found, customer=customer, operation_id=context.operation_id)
