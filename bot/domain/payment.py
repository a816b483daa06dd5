"""What a payment is, what can be asked of it, and what is told after."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from bot.domain.allocation import Effect, Matching, Portion
from bot.domain.customers import Correction, Customer
from bot.domain.ledger import Account, Side
from bot.domain.money import Money, total
from bot.domain.open_items import Allocation
from bot.domain.operation import Announcement, Context, DocumentKind, Trace
from bot.domain.proofs import Proof

EDITS = 5
LONGEST_REFERENCE = 140
LONGEST_REMARK = 1000
MOST_PORTIONS = 100


class Method(StrEnum):
    """How money came in."""

    BANK_TRANSFER = "bank transfer"
    CHEQUE = "cheque"
    GIRO = "GIRO"
    CASH = "cash"
    CARD = "card"
    PLATFORM = "platform"  # paid to the platform itself: it raises the master account, not our cash


class PaymentState(StrEnum):
    RECORDED = "recorded"
    VOID = "void"


class PaymentStep(StrEnum):
    """What just happened to a payment."""

    RECORDED = "recorded"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    ALLOCATED = "allocated"
    UNALLOCATED = "allocation taken back"
    EDITED = "edited"
    VOIDED = "voided"
    UNDONE = "undone"
    PROVED = "proof added"


class Postponed(StrEnum):
    """Why an operation cannot count from the day that was asked for."""

    LOCKED = "locked"
    CAME_LATER = "came later"
    UNASSIGNED_LATER = "unassigned later"
    ASSIGNED_LATER = "assigned later"
    ISSUED_LATER = "issued later"
    ALLOCATED_LATER = "allocated later"
    MOVED_LATER = "moved later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The day an operation counts from, the one that was asked for, and why they differ."""

    effective_on: date
    asked_on: date | None = None
    postponed: Postponed | None = None

    @classmethod
    def of(
        cls, on: date, asked_on: date | None, first_open: date, floors: Sequence[tuple[date, Postponed]] = ()
    ) -> "Timing":
        """The reason is the floor that the day stands on; the lock comes first, since it may have moved the others."""
        if asked_on is None or on == asked_on:
            return cls(effective_on=on, asked_on=asked_on)
        reasons = [(first_open, Postponed.LOCKED), *floors]
        why = next((reason for floor, reason in reasons if floor == on), Postponed.MOVED_LATER)
        return cls(effective_on=on, asked_on=asked_on, postponed=why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in; `payer` is what was typed, the customer is who it was assigned to. Rules 1, 4.

    `suspense_on` is the day it came into suspense, or last came back into it: it is nobody else's before.
    """

    id: int
    number: str
    payer: str
    amount: Money
    received_on: date
    method: Method
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""
    state: PaymentState = PaymentState.RECORDED
    customer_id: int | None = None
    lot_id: int | None = None
    edits: int = 0
    voided_on: date | None = None
    version: int = 1
    posted_on: date
    suspense_on: date
    recorded_at: datetime
    recorded_by: str
    proofs: int = 0
    intake_id: int | None = None  # the opening that brought it: its money never came into our cash accounts

    @property
    def came_from(self) -> Side:
        """Where the money was booked from when it was written down."""
        if self.intake_id is not None:
            return Side(Account.OPENING_BALANCES)
        if self.method is Method.PLATFORM:
            return Side(Account.MASTER)
        return Side(Account.CASH, detail=self.method.value)

    @property
    def is_at_platform(self) -> bool:
        """Whether its money came to the master account."""
        return self.came_from.account is Account.MASTER

    @property
    def edits_left(self) -> int:
        return EDITS - self.edits


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPayment:
    """Write money down; with a customer it is assigned, with invoices also allocated, in one step. Rules 1, 5."""

    payer: str
    amount: Money
    received_on: date
    method: Method = Method.BANK_TRANSFER
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""
    customer_id: int | None = None
    portions: tuple[Portion, ...] = ()
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachProofs:
    """Add files that prove a payment; they never go away again."""

    payment_id: int
    proofs: tuple[Proof, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignPayment:
    """Say whose money it is, and optionally which invoices it pays. Rules 4-7."""

    payment_id: int
    customer_id: int
    portions: tuple[Portion, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnassignPayment:
    """Take a whole, unallocated payment away from its customer. Rules 6, 7, 18."""

    payment_id: int
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocatePayment:
    """Pay invoices from what is left of an assigned payment; no invoices means oldest first. Rules 8-12."""

    payment_id: int
    portions: tuple[Portion, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnallocatePayment:
    """Take allocations of a payment back; no invoices means all of them. Rules 8, 17."""

    payment_id: int
    invoice_ids: tuple[int, ...] = ()
    effective_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditPayment:
    """Correct an unassigned payment's particulars; the amount is corrected by voiding and recording again. Rule 19."""

    payment_id: int
    version: int
    payer: str
    method: Method
    reference: str = ""
    invoice_hint: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidPayment:
    """Reverse an unassigned payment; it stays in the books as void. Rule 19."""

    payment_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentChanged:
    """Something happened to a payment; carries all its card shows.

    `allocations` are in force now; `made` and `taken_back` are what this operation did, to other payments' money too.
    `effective_on` is the day it counts from, which may be later than the day that was asked for, for `postponed`.
    """

    step: PaymentStep
    payment: Payment
    left: Money
    allocations: tuple[Allocation, ...]
    effect: Effect | None
    operation_id: int
    undo_until: datetime | None = None
    by: str = ""
    at: datetime
    note: str = ""
    made: tuple[Allocation, ...] = ()
    taken_back: tuple[Allocation, ...] = ()
    effective_on: date | None = None
    asked_on: date | None = None
    postponed: Postponed | None = None
    corrected: tuple[Correction, ...] = ()
    proofs: tuple[Proof, ...] = ()

    @property
    def is_locked_out(self) -> bool:
        """Whether it counts later than asked because of a period lock."""
        return self.postponed is Postponed.LOCKED

    @property
    def moved(self) -> Money:
        """How much the step was about."""
        matched = (*self.made, *self.taken_back) if self.payment.lot_id is not None else ()
        about = {
            PaymentStep.ALLOCATED: self.made,
            PaymentStep.UNALLOCATED: self.taken_back,
            PaymentStep.UNDONE: matched,
        }.get(self.step)
        if not about:
            return self.payment.amount
        return total([each.amount for each in about if self._is_mine(each)], self.payment.amount.currency)

    def _is_mine(self, allocation: Allocation) -> bool:
        return allocation.lot_number == self.payment.number

    def _told(self, allocations: tuple[Allocation, ...], link: str) -> str:
        return ", ".join(
            f"{each.amount}{'' if self._is_mine(each) else f' of {each.lot_number}'} {link} {each.invoice_number}"
            for each in allocations
        )

    @property
    def matches(self) -> str:
        """What was taken back and what was matched, as a list of words."""
        return "; ".join(filter(None, (self._told(self.taken_back, "back from"), self._told(self.made, "to"))))

    @property
    def customer(self) -> Customer | None:
        return self.effect.after if self.effect is not None and self.payment.customer_id is not None else None

    def trace(self) -> Trace:
        payment, effect = self.payment, self.effect
        what = f"{payment.number} {self.step.value}: {self.moved}"
        corrected = ", ".join(each.name for each in self.corrected)
        return Trace(
            description="; ".join(filter(None, (what, self.matches, corrected, self.note))),
            customer_id=effect.after.id if effect is not None else None,
            document=payment.number,
            before={
                **({"amount_due": str(effect.before.amount_due)} if effect is not None else {}),
                **{each.name: each.before for each in self.corrected},
            },
            after={
                **{each.name: each.after for each in self.corrected},
                **({"proofs": ", ".join(each.name for each in self.proofs)} if self.proofs else {}),
                "left": str(self.left),
                "edits": str(payment.edits),
                "state": payment.state.value,
                **({"amount_due": str(effect.after.amount_due)} if effect is not None else {}),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.PAYMENT, document_id=self.payment.id)
        files = tuple(replace(mine, file=each) for each in self.proofs)
        return (mine, *files, *(self.effect.announcements(but=self.payment.id) if self.effect is not None else ()))


def matched_payment(
    step: PaymentStep,
    payment: Payment,
    matching: Matching,
    earlier: Sequence[Allocation],
    timing: Timing | None = None,
) -> PaymentChanged:
    """What became of a payment that is a customer's."""
    mine = tuple(each for each in matching.live(earlier) if each.lot_id == payment.lot_id)
    left = matching.lots[payment.lot_id or 0].open
    return changed_payment(step, payment, left, matching.context, matching=matching, live=mine, timing=timing)


UNDOABLE_STEPS = frozenset(
    {
        PaymentStep.RECORDED,
        PaymentStep.ASSIGNED,
        PaymentStep.UNASSIGNED,
        PaymentStep.ALLOCATED,
        PaymentStep.UNALLOCATED,
    }
)


def changed_payment(  # noqa: PLR0913  # what a card shows, half of it by keyword
    step: PaymentStep,
    payment: Payment,
    left: Money,
    context: Context,
    *,
    matching: Matching | None = None,
    live: tuple[Allocation, ...] = (),
    timing: Timing | None = None,
) -> PaymentChanged:
    """What became of a payment, with what was matched on the way."""
    costs_edit = step in {PaymentStep.ASSIGNED, PaymentStep.UNASSIGNED} or (
        step is PaymentStep.RECORDED and payment.customer_id is not None
    )
    in_time = context.undo_until > context.now
    undoable = in_time and step in UNDOABLE_STEPS and not (costs_edit and payment.edits >= EDITS)
    return PaymentChanged(
        step=step,
        payment=payment,
        left=left,
        allocations=live,
        effect=matching.effect() if matching is not None else None,
        made=tuple(matching.made) if matching is not None else (),
        taken_back=tuple(matching.taken_back) if matching is not None else (),
        effective_on=timing.effective_on if timing is not None else None,
        asked_on=timing.asked_on if timing is not None else None,
        postponed=timing.postponed if timing is not None else None,
        operation_id=context.operation_id,
        undo_until=context.undo_until if undoable else None,
        by=context.person,
        at=context.now,
    )
