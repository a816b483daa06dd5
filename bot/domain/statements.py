"""Statements of account: what is open at a day, or every movement between two days with its running balance."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from bot.domain.customers import Contact, Customer
from bot.domain.errors import Refused
from bot.domain.ledger import Account
from bot.domain.money import Money
from bot.domain.open_items import LotKind
from bot.domain.receivables import AgeingDetail, AgeingRow

# What a customer owes and has to its credit: their sum is the balance of a statement, as it is of the ageing.
BALANCE = (Account.RECEIVABLE, Account.DEPOSITS, Account.ADVANCES, Account.CREDIT_NOTES)

# How an entry is called to a customer; one that is not here keeps the name that the ledger gives it.
NAMES = {
    "assignment": "Payment",
    "assignment taken back": "Payment taken away",
    "invoice": "Invoice",
    "opening": "Brought over",
    "opening taken back": "Brought over, taken back",
    "usage": "Usage",
    "refund": "Refund of usage",
    "credit issued": "Credit given",
    "credit issue undone": "Credit given, undone",
    "credit take-back": "Credit taken back",
    "credit take-back undone": "Credit taken back, undone",
    "credit payout": "Paid out by the platform",
    "withdrawal": "Withdrawal",
    "credit note": "Credit note",
    "credit note voided": "Credit note, void",
    "imported invoices": "Invoices, imported",
    "write-off": "Written off",
    "write-off reversed": "Written off, reversed",
}


class StatementKind(StrEnum):
    OPEN = "open"
    ACTIVITY = "activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementQuestion:
    """Whose account, of which kind, at or until which day; the activity since which day."""

    customer_id: int
    kind: StatementKind
    until: date
    since: date

    def check(self, today: date) -> "StatementQuestion":
        """Itself, if it can be answered. Refuses: Refused."""
        if self.until > today:
            raise Refused("A statement is for today or an earlier day; nothing is known of later ones.", field="until")
        if self.since > self.until:
            raise Refused(f"The first day, {self.since}, is after the last, {self.until}.", field="since")
        return self


def usual_start(until: date) -> date:
    """The activity that is shown when no day is named: since the first day of the month before."""
    return (until.replace(day=1) - timedelta(days=1)).replace(day=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What one document did to the balance on a day: more owed is positive. A match changes nothing, so it is none."""

    on: date
    kind: str
    document: str
    reference: str
    micros: int

    @property
    def name(self) -> str:
        return NAMES.get(self.kind, self.kind.capitalize())


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A movement as a debit or a credit, and the balance after it; what is owed is positive."""

    movement: Movement
    debit: Money | None
    credit: Money | None
    balance: Money


def with_balances(opening: Money, movements: Iterable[Movement]) -> Iterator[StatementLine]:
    """The movements in their order, each with the balance that it leaves."""
    balance = opening
    for each in movements:
        moved = Money(each.micros, opening.currency)
        balance += moved
        is_debit = each.micros > 0
        yield StatementLine(
            movement=each,
            debit=moved if is_debit else None,
            credit=None if is_debit else -moved,
            balance=balance,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCredit:
    """Credit that pays nothing yet at the day of the statement."""

    kind: LotKind
    number: str
    since: date
    amount: Money
    open: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSums:
    """What the ledger says of an account: before the first day, what came on and what went off it, at the last day.

    `unbilled` and `payouts_due` stand outside the balance.
    """

    opening: Money
    debits: Money
    credits: Money
    movements: int
    advances: Money
    unbilled: Money
    payouts_due: Money

    @property
    def closing(self) -> Money:
        return self.opening + self.debits - self.credits


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """An account at a day or over a period; the lists are cut where an answer has no room, the sums never are.

    `invoices` and `credits` are what is open at the last day, the oldest first; `lines` the newest movements.
    """

    question: StatementQuestion
    customer: Customer
    contacts: tuple[Contact, ...]
    sums: AccountSums
    strip: AgeingRow | None
    edges: tuple[int, ...]
    invoices: tuple[AgeingDetail, ...] = ()
    credits: tuple[OpenCredit, ...] = ()
    lines: tuple[StatementLine, ...] = ()

    @property
    def balance(self) -> Money:
        """What is owed at the last day; negative is credit in hand."""
        return self.sums.closing

    @property
    def prepaid_debt(self) -> Money:
        return Money(self.strip.prepaid_debt_micros if self.strip is not None else 0, self.customer.currency)

    @property
    def unapplied(self) -> Money:
        return Money(self.strip.unapplied_micros if self.strip is not None else 0, self.customer.currency)

    @property
    def owed(self) -> Money:
        return Money(self.strip.total_micros if self.strip is not None else 0, self.customer.currency)

    def proven(self) -> "Statement":
        """Itself, if the ageing and the ledger say the same: what differs is shown to nobody. Refuses: Refused."""
        if self.owed - self.unapplied != self.balance:
            raise Refused(
                f"The statement of {self.customer.name} does not add up: the open items come to "
                f"{self.owed - self.unapplied}, the ledger to {self.balance}. Tell an administrator; `/duedesk verify` "
                "names the difference."
            )
        return self
