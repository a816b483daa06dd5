"""Accounts, postings and entries that always balance."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bot.domain.money import Currency, Money


class Account(StrEnum):
    """The account list of the books; accounts marked per customer are its control accounts."""

    CASH = "cash"
    SUSPENSE = "suspense"
    DEPOSITS = "deposits"
    ADVANCES = "advances"
    CREDIT_NOTES = "credit_notes"
    RECEIVABLE = "receivable"
    UNBILLED = "unbilled"
    PAYOUTS_DUE = "payouts_due"
    REVENUE = "revenue"
    TAX_PAYABLE = "tax_payable"
    TAX_UNBILLED = "tax_unbilled"
    SALES_RETURNS = "sales_returns"
    WRITE_OFF = "write_off"
    CREDIT_ISSUED = "credit_issued"
    COST = "cost"
    ROUNDING = "rounding"
    MASTER = "master"
    OPENING_BALANCES = "opening_balances"


# Kept per customer, and whether a debit raises what is kept beside the entries.
CONTROLS = {
    Account.DEPOSITS: -1,
    Account.ADVANCES: -1,
    Account.CREDIT_NOTES: -1,
    Account.RECEIVABLE: 1,
    Account.UNBILLED: 1,
    Account.PAYOUTS_DUE: -1,
}


@dataclass(frozen=True, slots=True)
class Posting:
    """One side of an entry: debit positive, credit negative, in micros; `detail` names the method of a cash account."""

    account: Account
    amount_micros: int
    customer_id: int | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        assert self.amount_micros != 0
        assert (self.account in CONTROLS) == (self.customer_id is not None), self.account


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A balanced set of postings in one currency; one that does not balance cannot be made."""

    kind: str
    currency: Currency
    effective_on: date
    postings: tuple[Posting, ...]
    reverses: int | None = None

    def __post_init__(self) -> None:
        assert len(self.postings) > 1, "an entry has two sides"
        assert sum(posting.amount_micros for posting in self.postings) == 0, "an entry balances"


@dataclass(frozen=True, slots=True)
class Side:
    """Where one side of a two-sided entry falls."""

    account: Account
    customer_id: int | None = None
    detail: str = ""


def transfer(kind: str, amount: Money, *, debit: Side, credit: Side, on: date, reverses: int | None = None) -> Entry:
    """An entry of two sides."""
    return Entry(
        kind=kind,
        currency=amount.currency,
        effective_on=on,
        reverses=reverses,
        postings=(
            Posting(debit.account, amount.micros, debit.customer_id, debit.detail),
            Posting(credit.account, -amount.micros, credit.customer_id, credit.detail),
        ),
    )
