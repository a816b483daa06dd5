"""Movements of the master account itself: money paid to the platform, and the platform's limit."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING

from bot.domain.customers import clean_text
from bot.domain.errors import NotPositive, Refused, TooPreciseForCurrency
from bot.domain.ledger import Account, Side, transfer
from bot.domain.master import MasterEffect, needed_master
from bot.domain.money import Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.payment import Method
from bot.domain.payment_steps import check_amount, check_received

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REFERENCE = 140
LONGEST_REMARK = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """Money that the company paid to the platform."""

    id: int
    number: str
    amount: Money
    paid_on: date
    method: Method
    reference: str
    remark: str
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpMaster:
    """Write down money paid to the platform; the first one in a currency opens its master account."""

    amount: Money
    paid_on: date
    method: Method = Method.BANK_TRANSFER
    reference: str = ""
    remark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMasterLimit:
    """How far the platform lets the master account go below zero. Rule 50."""

    limit: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterChanged:
    """The master account has more to hand out, or another limit; `opened` with its first top-up."""

    step: str
    effect: MasterEffect
    by: str
    at: datetime
    operation_id: int
    top_up: TopUp | None = None
    opened: bool = False

    def trace(self) -> Trace:
        before, after = self.effect.before, self.effect.after
        what = f"{self.top_up.number} {self.step}: {self.top_up.amount}" if self.top_up is not None else self.step
        return Trace(
            description=f"Master account {after.currency.code} {what}",
            document=self.top_up.number if self.top_up is not None else None,
            before={"balance": str(before.balance), "limit": str(before.limit), "usable": str(before.usable)},
            after={"balance": str(after.balance), "limit": str(after.limit), "usable": str(after.usable)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.top_up is None:
            return ()
        return (Announcement(document=DocumentKind.MASTER, document_id=self.top_up.id),)


@operation(by=Role.MANAGER)
def top_up_master(command: TopUpMaster, books: "Books", context: Context) -> MasterChanged:
    """Write down money paid to the platform. Rules 50, 53. Refuses: NotPositive, TooPreciseForCurrency, DateInFuture,
    UnknownCurrency, TextTooLong.
    """
    settings = books.settings.current()
    settings.check_currency(command.amount.currency, "amount")
    check_amount(command.amount)
    check_received(command.paid_on, context.today)
    on = max(command.paid_on, settings.first_open_day())
    made = TopUp(
        id=books.new_id(),
        number="",
        amount=command.amount,
        paid_on=command.paid_on,
        method=command.method,
        reference=clean_text(command.reference, "reference", LONGEST_REFERENCE),
        remark=clean_text(command.remark, "remark", LONGEST_REMARK),
        recorded_at=context.now,
        recorded_by=context.person,
    )
    if command.method is Method.PLATFORM:
        raise Refused("The master account cannot be topped up from itself; choose how it was paid.", field="method")
    known = books.master.lock(command.amount.currency)
    before = known if known is not None else books.master.open(command.amount.currency)
    made = replace(made, number=books.numbers.next("master"))
    books.master.insert(made)
    books.ledger.post(
        transfer(
            "master top-up",
            made.amount,
            debit=Side(Account.MASTER),
            credit=Side(Account.CASH, detail=made.method.value),
            on=on,
        )
    )
    books.master.move(made.amount)
    return MasterChanged(
        step="topped up",
        effect=MasterEffect(before=before, after=before.moved(made.amount)),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        top_up=made,
        opened=known is None,
    )


@operation(by=Role.MANAGER)
def set_master_limit(command: SetMasterLimit, books: "Books", context: Context) -> MasterChanged:
    """Note the platform's credit limit for the company. Rule 50. Refuses: MasterNotOpen, NotPositive,
    TooPreciseForCurrency.
    """
    if command.limit.micros < 0:
        raise NotPositive("A limit is zero or more.", field="limit")
    if not command.limit.is_whole_minor:
        raise TooPreciseForCurrency(f"{command.limit.currency.code} has fewer decimals than this.", field="limit")
    before = needed_master(books, command.limit.currency)
    books.master.set_limit(command.limit)
    return MasterChanged(
        step=f"limit {command.limit}",
        effect=MasterEffect(before=before, after=replace(before, limit=command.limit)),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
    )
