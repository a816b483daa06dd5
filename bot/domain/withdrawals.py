"""Withdrawals: credit that leaves, asked for by one person and approved by others; never deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching, effective_day
from bot.domain.approvals import Approvable, Approval, ApprovalState, Requested, approvable, open_approval
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import CurrencyMixed, MoreThanLeft, NotPositive, TooPreciseForCurrency, WrongState
from bot.domain.ledger import Account, Side, transfer
from bot.domain.money import Money
from bot.domain.open_items import Lot, LotKind
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

WITHDRAWABLE = frozenset({LotKind.COMMISSION, LotKind.PAYMENT, LotKind.TOP_UP})
LONGEST_DETAILS = 200
LONGEST_REASON = 500
LONGEST_REFERENCE = 140


class Gateway(StrEnum):
    """How the money leaves. Rule 41."""

    CASH = "cash"
    CHEQUE = "cheque"
    BANK_TRANSFER = "bank transfer"


class WithdrawalState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    PAID = "paid"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Credit that leaves, or was to leave."""

    id: int
    number: str
    customer_id: int
    amount: Money
    gateway: Gateway
    details: str
    reason: str
    requested_by: str
    requested_at: datetime
    approval_id: int
    state: WithdrawalState = WithdrawalState.REQUESTED
    executed_on: date | None = None
    paid_on: date | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Portion:
    """What a withdrawal takes of one lot."""

    lot: Lot
    amount: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWithdrawal:
    """Ask for credit to leave; it is reserved at once. Rule 41."""

    customer_id: int
    amount: Money
    gateway: Gateway
    reason: str
    details: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PayWithdrawal:
    """Say that the money has left, under which reference. Rule 41."""

    withdrawal_id: int
    reference: str
    paid_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalChanged:
    """A withdrawal was asked for, or its money has left."""

    step: str
    withdrawal: Withdrawal
    effect: Effect
    by: str
    at: datetime
    operation_id: int
    needed: int = 0
    lots: tuple[tuple[str, Money], ...] = ()

    def trace(self) -> Trace:
        made = self.withdrawal
        return Trace(
            description=f"{made.number} {self.step}, {made.amount} by {made.gateway.value}",
            customer_id=made.customer_id,
            document=made.number,
            before={"reserved_micros": str(self.effect.before.controls.reserved)},
            after={"state": made.state.value, "reserved_micros": str(self.effect.after.controls.reserved)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=DocumentKind.WITHDRAWAL, document_id=self.withdrawal.id)
        return (mine, *self.effect.announcements())


def withdrawable(lots: Sequence[Lot]) -> list[Lot]:
    """Paid-in money and commission that nothing holds, oldest first; never goodwill. Rules 41, 44."""
    free = [lot for lot in lots if lot.kind in WITHDRAWABLE and lot.free.micros > 0]
    return sorted(free, key=lambda lot: lot.sort_key)


def most_withdrawable(customer: Customer, lots: Sequence[Lot]) -> Money:
    """Balance less what is reserved, and no more than free credit that was paid in. Rule 44."""
    free = sum(lot.free.micros for lot in withdrawable(lots))
    left = customer.balance.micros - customer.controls.reserved
    return Money(max(0, min(left, free)), customer.currency)


def take_oldest_first(amount: Money, lots: Sequence[Lot]) -> tuple[Portion, ...]:
    """Which lots an amount is taken of."""
    portions: list[Portion] = []
    left = amount
    for lot in withdrawable(lots):
        share = min(left, lot.free)
        if share.micros > 0:
            portions.append(Portion(lot, share))
            left -= share
    assert not left
    return tuple(portions)


@operation(by=Role.CLERK)
def request_withdrawal(command: RequestWithdrawal, books: "Books", context: Context) -> WithdrawalChanged:
    """Reserve credit and ask for it to leave. Rules 41, 42, 44. Refuses: NotPositive, CurrencyMixed, MoreThanLeft,
    MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    matching = Matching(customer, books, context)
    lots = books.lots.free(customer.id)
    check_amount(command.amount, customer, most_withdrawable(customer, lots))
    needs_details = command.gateway is Gateway.BANK_TRANSFER
    approval_id = 0
    made = Withdrawal(
        id=books.new_id(),
        number="",
        customer_id=customer.id,
        amount=command.amount,
        gateway=command.gateway,
        details=clean_text(command.details, "details", LONGEST_DETAILS, needed=needs_details, called="account"),
        reason=clean_text(command.reason, "reason", LONGEST_REASON, needed=True),
        requested_by=context.person,
        requested_at=context.now,
        approval_id=approval_id,
    )
    portions = take_oldest_first(command.amount, lots)
    made = replace(made, number=books.numbers.next("withdrawal"))
    books.withdrawals.insert(made)
    document = Requested(id=made.id, label=made.number, amount=made.amount, customer_id=customer.id)
    approval = open_approval("withdrawal", document, books, context)
    made = replace(made, approval_id=approval.id)
    books.withdrawals.reserve(made, portions)
    matching.customer = customer.moved(reserved=made.amount.micros)
    step = "requested"
    if approval.state is ApprovalState.APPROVED:
        books.approvals.executed(approval)
        _execute(made.id, books, matching, context)
        made = replace(made, state=WithdrawalState.APPROVED, executed_on=context.today)
        step = "requested and approved by policy"
    matching.write()
    return WithdrawalChanged(
        step=step,
        withdrawal=made,
        effect=matching.effect(),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        needed=approval.needed,
        lots=tuple((each.lot.number, each.amount) for each in portions),
    )


@operation(by=Role.CLERK)
def pay_withdrawal(command: PayWithdrawal, books: "Books", context: Context) -> WithdrawalChanged:
    """Mark an approved withdrawal as paid; it is final. Rules 41, 43. Refuses: WrongState, MissingText, TextTooLong,
    DateInFuture, DateTooEarly.
    """
    customer = books.customers.lock(books.withdrawals.get(command.withdrawal_id).customer_id)
    made = books.withdrawals.get(command.withdrawal_id)
    if made.state is not WithdrawalState.APPROVED or made.executed_on is None:
        raise WrongState(f"{made.number} is {made.state.value}; only an approved withdrawal is paid.")
    reference = clean_text(command.reference, "reference", LONGEST_REFERENCE, needed=True)
    first_open = books.settings.current().first_open_day()
    on = effective_day(command.paid_on or context.today, (made.executed_on,), first_open, context.today)
    matching = Matching(customer, books, context)
    matching.post(
        transfer(
            "withdrawal paid",
            made.amount,
            debit=Side(Account.PAYOUTS_DUE, customer.id),
            credit=Side(Account.CASH, detail=made.gateway.value),
            on=on,
        ),
        payouts_due=-made.amount.micros,
    )
    after = replace(made, state=WithdrawalState.PAID, paid_on=on, reference=reference)
    books.withdrawals.update(after)
    matching.write()
    return WithdrawalChanged(
        step="paid",
        withdrawal=after,
        effect=matching.effect(),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
    )


def check_amount(amount: Money, customer: Customer, most: Money) -> None:
    """More than zero, in the customer's currency, and there to be taken. Rules 41, 44. Refuses: NotPositive,
    CurrencyMixed, TooPreciseForCurrency, MoreThanLeft.
    """
    if amount.currency != customer.currency:
        raise CurrencyMixed(f"{customer.name} is kept in {customer.currency.code}; type that.", field="amount")
    if amount.micros <= 0:
        raise NotPositive("The amount must be more than zero.", field="amount")
    if not amount.is_whole_minor:
        raise TooPreciseForCurrency(f"{amount.currency.code} has fewer decimals than this.", field="amount")
    if amount > most:
        raise MoreThanLeft(
            f"{amount} is more than can be withdrawn; at most {most}: credit that was paid in, neither owed nor "
            "reserved.",
            field="amount",
        )


def _content(withdrawal_id: int, books: "Books") -> Mapping[str, str]:
    made = books.withdrawals.get(withdrawal_id)
    return {
        "customer": str(made.customer_id),
        "amount": str(made.amount),
        "gateway": made.gateway.value,
        "details": made.details,
        "reason": made.reason,
    }


def _largest(withdrawal_id: int, books: "Books", matching: Matching) -> Money:
    """Balance less the other reservations: its own is what it takes."""
    made = books.withdrawals.get(withdrawal_id)
    customer = matching.customer
    left = customer.balance.micros - (customer.controls.reserved - made.amount.micros)
    return Money(max(0, left), customer.currency)


def _execute(withdrawal_id: int, books: "Books", matching: Matching, context: Context) -> None:
    """Deposits / payouts due, from the lots that were held. Rule 43."""
    made = books.withdrawals.get(withdrawal_id)
    entry_id = matching.post(
        transfer(
            "withdrawal",
            made.amount,
            debit=Side(Account.DEPOSITS, made.customer_id),
            credit=Side(Account.PAYOUTS_DUE, made.customer_id),
            on=context.today,
        ),
        deposits=-made.amount.micros,
        payouts_due=made.amount.micros,
        reserved=-made.amount.micros,
    )
    after = replace(made, state=WithdrawalState.APPROVED, executed_on=context.today)
    books.withdrawals.consume(after, context.today, entry_id)


def _release(withdrawal_id: int, books: "Books", matching: Matching, state: ApprovalState) -> None:
    """What was reserved is free again."""
    made = books.withdrawals.get(withdrawal_id)
    matching.customer = matching.customer.moved(reserved=-made.amount.micros)
    books.withdrawals.release(replace(made, state=WithdrawalState(state.value)))


approvable(
    "withdrawal",
    Approvable(
        role=Role.MANAGER,
        document=DocumentKind.WITHDRAWAL,
        content=_content,
        largest=_largest,
        execute=_execute,
        release=_release,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalFile:
    """All that a withdrawal's card shows, as it stands now."""

    withdrawal: Withdrawal
    customer: Customer
    approval: Approval
    lots: tuple[tuple[str, date, Money], ...]
    paid_in_left: Money
    earlier: tuple[Withdrawal, ...]
