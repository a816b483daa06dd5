"""The master account: the company's own balance at the platform it resells, and what it may hand out of it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect
from bot.domain.customers import Customer
from bot.domain.errors import MasterNotOpen, MasterShort
from bot.domain.money import Currency, Money

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterAccount:
    """What stands at the platform in one currency; the liability is what customers hold of it. Rules 50, 51."""

    balance: Money
    limit: Money
    liability: Money
    reserved: Money

    @property
    def currency(self) -> Currency:
        return self.balance.currency

    @property
    def usable(self) -> Money:
        """Balance - reserved - liability + limit. Rule 50."""
        return self.balance - self.reserved - self.liability + self.limit

    def moved(self, by: Money, before: Customer | None = None, after: Customer | None = None) -> "MasterAccount":
        """After a movement of its balance, and of one customer whose credit it owes. Rules 43, 46, 47, 52."""
        owed = liability_of(after) - liability_of(before) if before is not None and after is not None else 0
        liability = Money(self.liability.micros + owed, self.currency)
        return replace(self, balance=self.balance + by, liability=liability)


def liability_of(customer: Customer | None) -> int:
    """What is owed to a customer in micros: a positive balance and its advances, never a debt. Rules 51, 52."""
    return max(0, customer.balance.micros) + customer.controls.advances if customer is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterEffect:
    """The master account before and after."""

    before: MasterAccount
    after: MasterAccount


def needed_master(books: "Books", currency: Currency) -> MasterAccount:
    """The master account of a currency, locked. Refuses: MasterNotOpen."""
    found = books.master.lock(currency)
    if found is None:
        raise MasterNotOpen(
            f"There is no master account in {currency.code}; its first /credit master top-up opens it.", field="method"
        )
    return found


def check_usable(master: MasterAccount | None, amount: Money) -> None:
    """What is handed out is there; without a master account nothing restricts it. Rule 48. Refuses: MasterShort."""
    if master is not None and amount > master.usable:
        most = max(master.usable, Money(0, master.currency))
        raise MasterShort(
            f"{amount} is more than the master account can cover; at most {most}. Top it up first with /credit master "
            "top-up.",
            field="amount",
        )


def master_effect(master: MasterAccount | None, by: Money, effect: Effect) -> MasterEffect | None:
    """What one customer's operation did to the master account, where there is one."""
    if master is None:
        return None
    return MasterEffect(before=master, after=master.moved(by, effect.before, effect.after))
