"""What a credit note is, what can be asked of it, what is told after, and how it is split over an invoice's lines."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from bot.domain.allocation import Effect
from bot.domain.approvals import Approval
from bot.domain.customers import Customer
from bot.domain.errors import MoreThanLeft
from bot.domain.invoices import InvoiceLine, LineInput
from bot.domain.ledger import Account, Entry, Posting
from bot.domain.money import Money, round_half_up, total
from bot.domain.open_items import Allocation, Lot, LotKind
from bot.domain.operation import Announcement, DocumentKind, Trace

LONGEST_REASON = 500


class ReasonCode(StrEnum):
    """Why a customer need not pay."""

    WRONG_PRICE = "wrong price"
    DISCOUNT = "missed discount"
    RETURNED = "goods returned"
    CANCELLED = "cancelled"
    GOODWILL = "goodwill"
    OTHER = "other"


class NoteState(StrEnum):
    DRAFT = "draft"
    SENT = "sent"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteLine:
    """A line with its rounded net and tax; of an invoice's line, when it names one, by its position there."""

    line: InvoiceLine
    of_position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """A document that lowers what a customer owes; `open` is what is not applied yet. Rules 31-40."""

    id: int
    number: str | None
    draft_reference: str
    customer_id: int
    issue_on: date
    posted_on: date | None
    rose_on: date | None
    net: Money
    tax: Money
    total: Money
    open: Money
    state: NoteState
    code: ReasonCode
    reason: str
    drafted_by: str
    drafted_at: datetime
    invoice_id: int | None = None
    copied_from: int | None = None
    voided_on: date | None = None
    version: int = 1

    @property
    def label(self) -> str:
        return self.number or self.draft_reference

    @property
    def status(self) -> str:
        """The state as a word or two: it awaits payment until all of it is applied. Rule 37."""
        if self.state is not NoteState.SENT:
            return self.state.value
        if not self.open:
            return "applied"
        return "awaiting payment" if self.open == self.total else "partly applied"

    def as_lot(self) -> Lot:
        """The note as the credit that invoices are matched with; nothing else consumes it."""
        on, zero = self.posted_on or self.issue_on, Money(0, self.total.currency)
        return Lot(
            id=self.id,
            customer_id=self.customer_id,
            kind=LotKind.CREDIT_NOTE,
            number=self.label,
            amount=self.total,
            open=self.open,
            held=zero,
            opened_on=on,
            rose_on=self.rose_on or on,
        )


@dataclass(frozen=True, slots=True)
class Left:
    """What is not credited yet of an invoice's line."""

    position: int
    line: InvoiceLine
    net: Money
    tax: Money

    @property
    def gross(self) -> Money:
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNote:
    """Write a credit note: lines of its own, or an amount of an invoice (all that is left of it when none is given)."""

    customer_id: int
    issue_on: date
    code: ReasonCode
    reason: str
    lines: tuple[LineInput, ...] = ()
    invoice_id: int | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyNote:
    """Draft a note like another one. Rule 31."""

    note_id: int
    issue_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveNote:
    """Mark a draft as sent: it has its number, and can be applied. Rules 32, 33."""

    note_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyNote:
    """Apply a note to invoices: so much of each, or as much as possible. Rules 34, 38."""

    note_id: int
    portions: tuple[tuple[int, Money | None], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnapplyNote:
    """Take a note back from invoices; without any, from all."""

    note_id: int
    invoice_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidNote:
    """Give up a draft, or a note of which nothing is applied. Rule 39."""

    note_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChanged:
    """Something happened to a credit note; carries all its card shows."""

    step: str
    note: CreditNote
    lines: tuple[NoteLine, ...]
    effect: Effect
    by: str
    at: datetime
    operation_id: int
    made: tuple[Allocation, ...] = ()
    taken_back: tuple[Allocation, ...] = ()
    needed: int = 0
    said: str = ""
    undo_until: datetime | None = None

    def trace(self) -> Trace:
        note = self.note
        matched = ", ".join(f"{each.amount} {each.invoice_number}" for each in (*self.made, *self.taken_back))
        return Trace(
            description="; ".join(filter(None, (f"{note.label} {self.step}: {note.total}", matched, self.said))),
            customer_id=note.customer_id,
            document=note.label,
            before={"amount_due": str(self.effect.before.amount_due)},
            after={"state": note.status, "open": str(note.open), "amount_due": str(self.effect.after.amount_due)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.CREDIT_NOTE, document_id=self.note.id)
        papers = (replace(mine, paper="note"),) if self.step == "approved" else ()
        return (mine, *papers, *self.effect.announcements())


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteFile:
    """All that a note's card shows, as it stands now."""

    note: CreditNote
    customer: Customer
    lines: tuple[NoteLine, ...]
    allocations: tuple[Allocation, ...]
    invoice_label: str = ""
    approval: Approval | None = None


def split_of_invoice(amount: Money | None, left: Sequence[Left]) -> tuple[NoteLine, ...]:
    """An amount, tax included, over an invoice's lines in their order; what closes a line takes all that is left of its
    tax. Refuses: MoreThanLeft.
    """
    made: list[NoteLine] = []
    rest = amount if amount is not None else total([each.gross for each in left], left[0].net.currency)
    check_whole(rest.micros, left)
    for each in left:
        share = min(rest, each.gross)
        if share.micros <= 0:
            continue
        net = _net_share(share, each)
        of = replace(each.line, net=net, tax=share - net)
        made.append(NoteLine(line=of, of_position=each.position))
        rest -= share
    assert not rest
    return tuple(made)


def check_whole(amount_micros: int, left: Sequence[Left]) -> None:
    """No more than is left of all lines together: one of them may be below zero. Refuses: MoreThanLeft."""
    most = total([each.gross for each in left], left[0].net.currency)
    if amount_micros > most.micros:
        raise MoreThanLeft(f"At most {most} of this invoice is left to credit.", field="amount")


def _net_share(share: Money, left: Left) -> Money:
    """The net in a part of a line, rounded to the currency, with no more tax and no more net than are left."""
    if share == left.gross:
        return left.net
    unit = share.currency.unit_micros
    exact = share.micros * left.net.micros // left.gross.micros
    net = round_half_up(exact, unit)
    return Money(min(left.net.micros, max(net, share.micros - left.tax.micros)), share.currency)


def note_entry(note: CreditNote, on: date, *, back: bool = False) -> Entry:
    """Sales returns, tax payable / credit notes; turned round when it is voided."""
    sign = -1 if back else 1
    postings = [
        Posting(Account.SALES_RETURNS, sign * note.net.micros),
        Posting(Account.CREDIT_NOTES, -sign * note.total.micros, note.customer_id),
    ]
    if note.tax:
        postings.append(Posting(Account.TAX_PAYABLE, sign * note.tax.micros))
    kind = "credit note voided" if back else "credit note"
    return Entry(kind=kind, currency=note.total.currency, effective_on=on, postings=tuple(postings))
