"""A write-off as data: a debt that is given up, from the request to what became of it."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from bot.domain.allocation import Effect
from bot.domain.approvals import Approval
from bot.domain.customers import Customer
from bot.domain.money import Money
from bot.domain.open_items import Allocation, Invoice
from bot.domain.operation import Announcement, DocumentKind, Trace

LONGEST_REASON = 500


class WriteOffState(StrEnum):
    REQUESTED = "requested"
    MADE = "made"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """So much of one invoice that is given up; it has its number once that is approved."""

    id: int
    number: str | None
    draft_reference: str
    customer_id: int
    invoice_id: int
    amount: Money
    reason: str
    requested_by: str
    requested_at: datetime
    state: WriteOffState = WriteOffState.REQUESTED
    made_on: date | None = None
    undone_on: date | None = None

    @property
    def label(self) -> str:
        return self.number or self.draft_reference

    @property
    def status(self) -> str:
        return "written off" if self.state is WriteOffState.MADE else self.state.value


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWriteOff:
    """Ask for a debt to be given up: all that is open of an invoice, or a small part of it."""

    invoice_id: int
    reason: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoWriteOff:
    """Reverse a write-off that was wrong: the invoice is owed again."""

    write_off_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffChanged:
    """A write-off was asked for, or reversed; carries all that is said of it."""

    step: str
    write_off: WriteOff
    invoice: Invoice
    effect: Effect
    by: str
    at: datetime
    operation_id: int
    needed: int = 0
    said: str = ""
    made: tuple[Allocation, ...] = ()

    def trace(self) -> Trace:
        made = self.write_off
        why = self.said or made.reason
        return Trace(
            description=f"{made.label} {self.step}: {made.amount} of {self.invoice.label}; {why}",
            customer_id=made.customer_id,
            document=made.label,
            before={"amount_due": str(self.effect.before.amount_due)},
            after={
                "state": made.state.value,
                "invoice": self.invoice.status,
                "amount_due": str(self.effect.after.amount_due),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.WRITE_OFF, document_id=self.write_off.id)
        return (mine, *self.effect.announcements())


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffFile:
    """All that a write-off's card shows, as it stands now: the evidence for those who decide."""

    write_off: WriteOff
    invoice: Invoice
    customer: Customer
    approval: Approval | None
    earlier: tuple[WriteOff, ...] = ()
