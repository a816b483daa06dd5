"""Credit given without money, taken back, or paid out by the platform; each is a document with a number of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import CurrencyMixed, MoreThanLeft
from bot.domain.ledger import Account, Side, transfer
from bot.domain.master import MasterAccount, MasterEffect, check_usable, master_effect, needed_master
from bot.domain.money import Money
from bot.domain.open_items import Lot, LotKind
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.payment_steps import check_amount
from bot.domain.withdrawals import Portion, most_withdrawable, take_oldest_first, withdrawable

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REMARK = 500
LONGEST_REFERENCE = 140


class CreditKind(StrEnum):
    ISSUE = "issue"
    TAKE_BACK = "take-back"
    PAYOUT = "payout"
    REFUND = "refund"


class Purpose(StrEnum):
    """Why credit is given; commission can be withdrawn, the others only used."""

    GOODWILL = "goodwill"
    COMMISSION = "commission"
    CORRECTION = "correction"

    @property
    def lot_kind(self) -> LotKind:
        return LotKind(self.value)


class CreditState(StrEnum):
    MADE = "made"
    UNDONE = "undone"


ISSUED = frozenset(purpose.lot_kind for purpose in Purpose)


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """A document that gave a customer credit, or took some away."""

    id: int
    number: str
    kind: CreditKind
    customer_id: int
    amount: Money
    made_on: date
    remark: str
    reference: str
    recorded_at: datetime
    recorded_by: str
    purpose: Purpose | None = None
    lot_id: int | None = None
    state: CreditState = CreditState.MADE


@dataclass(frozen=True, slots=True)
class Taken:
    """What a document took of one lot; undo gives it back by a row of its own."""

    id: int
    lot_id: int
    amount: Money
    effective_on: date
    entry_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCredit:
    """Give a customer credit without money. Rule 46."""

    customer_id: int
    amount: Money
    purpose: Purpose
    remark: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBackCredit:
    """Take issued credit away again. Rule 47."""

    customer_id: int
    amount: Money
    remark: str
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayOutAtPlatform:
    """Write down that the platform paid a customer's credit out, from its account and ours."""

    customer_id: int
    amount: Money
    reference: str
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditChanged:
    """Credit was given, taken back, paid out, or one of these undone."""

    step: str
    credit: Credit
    effect: Effect
    by: str
    at: datetime
    operation_id: int
    master: MasterEffect | None = None
    undo_until: datetime | None = None
    lots: tuple[tuple[str, Money], ...] = ()

    def trace(self) -> Trace:
        made, master = self.credit, self.master
        purpose = f" as {made.purpose.value}" if made.purpose is not None else ""
        usable = {} if master is None else {"master_usable": str(master.before.usable)}
        usable_after = {} if master is None else {"master_usable": str(master.after.usable)}
        return Trace(
            description=f"{made.number} {self.step}: {made.amount}{purpose}",
            customer_id=made.customer_id,
            document=made.number,
            before={"balance": str(self.effect.before.balance), **usable},
            after={"balance": str(self.effect.after.balance), "state": made.state.value, **usable_after},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.CREDIT, document_id=self.credit.id)
        return (mine, *self.effect.announcements())


def issued_newest_first(lots: Sequence[Lot]) -> list[Lot]:
    """Issued credit that nothing holds, the newest first, as it is taken back. Rules 47, 49."""
    free = [lot for lot in lots if lot.kind in ISSUED and lot.free.micros > 0]
    return sorted(free, key=lambda lot: (lot.opened_on, lot.id), reverse=True)


def most_taken_back(customer: Customer, lots: Sequence[Lot]) -> Money:
    """Balance less what is reserved, and no more than is left of issued credit. Rule 49."""
    left = min(customer.balance.micros - customer.controls.reserved, sum(lot.free.micros for lot in lots))
    return Money(max(0, left), customer.currency)


def split_over(amount: Money, lots: Sequence[Lot]) -> tuple[Portion, ...]:
    """An amount taken of lots in their order."""
    portions: list[Portion] = []
    for lot in lots:
        share = min(amount, lot.free)
        if share.micros > 0:
            portions.append(Portion(lot, share))
            amount -= share
    assert not amount
    return tuple(portions)


@operation(by=Role.MANAGER)
def issue_credit(command: IssueCredit, books: "Books", context: Context) -> CreditChanged:
    """Give credit; it pays open invoices at once. Rules 46, 48. Refuses: NotPositive, CurrencyMixed, MasterShort,
    MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    check_credit(command.amount, customer)
    return issue(command, customer, books.master.lock(customer.currency), books, context)


def issue(
    command: IssueCredit, customer: Customer, master: MasterAccount | None, books: "Books", context: Context
) -> CreditChanged:
    """Credit issued / deposits, once customer and master account are locked; it pays open invoices at once. Refuses:
    MasterShort, MissingText, TextTooLong.
    """
    made = _drafted(CreditKind.ISSUE, command, books, context, purpose=command.purpose)
    check_usable(master, command.amount)
    made = replace(made, number=books.numbers.next("credit"), lot_id=books.new_id())
    matching = Matching(customer, books, context)
    zero = Money(0, customer.currency)
    lot = Lot(
        id=made.lot_id or 0,
        customer_id=customer.id,
        kind=command.purpose.lot_kind,
        number=made.number,
        amount=made.amount,
        open=made.amount,
        held=zero,
        opened_on=context.today,
        rose_on=context.today,
    )
    matching.open_lot(lot)
    books.credits.insert(made)
    matching.post(
        transfer(
            "credit issued",
            made.amount,
            debit=Side(Account.CREDIT_ISSUED),
            credit=Side(Account.DEPOSITS, customer.id),
            on=context.today,
        ),
        deposits=made.amount.micros,
    )
    matching.sweep(context.today)
    matching.write()
    return changed_credit("issued", made, matching, context, master)


@operation(by=Role.MANAGER)
def take_back_credit(command: TakeBackCredit, books: "Books", context: Context) -> CreditChanged:
    """Take issued credit away, the newest first; what was paid in leaves by a withdrawal. Rules 47, 49. Refuses:
    NotPositive, CurrencyMixed, MoreThanLeft, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    check_credit(command.amount, customer)
    lots = issued_newest_first(books.lots.free(customer.id))
    most = most_taken_back(customer, lots)
    if command.amount > most:
        raise MoreThanLeft(
            f"{command.amount} is more than can be taken back; at most {most}: issued credit that is neither used, "
            "owed nor reserved. Money that was paid in leaves by /withdraw, which somebody else approves.",
            field="amount",
        )
    made = _drafted(CreditKind.TAKE_BACK, command, books, context)
    master = books.master.lock(customer.currency)
    made = replace(made, number=books.numbers.next("credit"))
    matching = Matching(customer, books, context, lots=lots)
    portions = split_over(made.amount, lots)
    _take(made, portions, Side(Account.CREDIT_ISSUED), matching)
    return changed_credit("taken back", made, matching, context, master, portions=portions)


@operation(by=Role.MANAGER)
def pay_out_at_platform(command: PayOutAtPlatform, books: "Books", context: Context) -> CreditChanged:
    """Write down credit that the platform paid out of the master account. Rule 53. Refuses: NotPositive, CurrencyMixed,
    MoreThanLeft, MasterNotOpen, MissingText, TextTooLong.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    check_credit(command.amount, customer)
    lots = withdrawable(books.lots.free(customer.id))
    most = most_withdrawable(customer, lots)
    if command.amount > most:
        raise MoreThanLeft(
            f"{command.amount} is more than can leave; at most {most}: credit that was paid in, neither owed nor "
            "reserved.",
            field="amount",
        )
    made = _drafted(CreditKind.PAYOUT, command, books, context)
    master = needed_master(books, customer.currency)
    made = replace(made, number=books.numbers.next("credit"))
    matching = Matching(customer, books, context, lots=lots)
    portions = take_oldest_first(made.amount, lots)
    _take(made, portions, Side(Account.MASTER), matching)
    books.master.move(-made.amount)
    return changed_credit("paid out", made, matching, context, master, by_master=-made.amount, portions=portions)


def check_credit(amount: Money, customer: Customer) -> None:
    """More than zero, in the customer's currency and no finer. Refuses: CurrencyMixed, NotPositive,
    TooPreciseForCurrency.
    """
    if amount.currency != customer.currency:
        raise CurrencyMixed(f"{customer.name} is kept in {customer.currency.code}; type that.", field="amount")
    check_amount(amount)


def _drafted(
    kind: CreditKind,
    command: IssueCredit | TakeBackCredit | PayOutAtPlatform,
    books: "Books",
    context: Context,
    purpose: Purpose | None = None,
) -> Credit:
    """The document, without its number yet. Refuses: MissingText, TextTooLong."""
    is_payout = kind is CreditKind.PAYOUT
    return Credit(
        id=books.new_id(),
        number="",
        kind=kind,
        customer_id=command.customer_id,
        amount=command.amount,
        made_on=context.today,
        remark=clean_text(command.remark, "remark", LONGEST_REMARK, needed=not is_payout, called="reason"),
        reference=clean_text(command.reference, "reference", LONGEST_REFERENCE, needed=is_payout),
        recorded_at=context.now,
        recorded_by=context.person,
        purpose=purpose,
    )


def _take(made: Credit, portions: tuple[Portion, ...], to: Side, matching: Matching) -> None:
    """Deposits / where the credit goes, and what each lot gives of it."""
    books, today = matching.books, matching.context.today
    books.credits.insert(made)
    entry_id = matching.post(
        transfer(
            f"credit {made.kind.value}",
            made.amount,
            debit=Side(Account.DEPOSITS, made.customer_id),
            credit=to,
            on=today,
        ),
        deposits=-made.amount.micros,
    )
    books.credits.take(
        made,
        [
            Taken(id=books.new_id(), lot_id=each.lot.id, amount=each.amount, effective_on=today, entry_id=entry_id)
            for each in portions
        ],
        {each.lot.id: each.lot for each in portions},
    )
    matching.write()


def changed_credit(  # noqa: PLR0913  # what a card shows, half of it by keyword
    step: str,
    credit: Credit,
    matching: Matching,
    context: Context,
    master: MasterAccount | None,
    *,
    by_master: Money | None = None,
    portions: tuple[Portion, ...] = (),
) -> CreditChanged:
    """What became of a credit document, and of the master account with it."""
    effect = matching.effect()
    nothing = Money(0, credit.amount.currency)
    in_time = context.undo_until > context.now and credit.kind in {CreditKind.ISSUE, CreditKind.TAKE_BACK}
    return CreditChanged(
        step=step,
        credit=credit,
        effect=effect,
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        master=master_effect(master, by_master if by_master is not None else nothing, effect),
        undo_until=context.undo_until if in_time else None,
        lots=tuple((each.lot.number, each.amount) for each in portions),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFile:
    """All that the card of a credit document shows, as it stands now."""

    credit: Credit
    customer: Customer
    left: Money | None
