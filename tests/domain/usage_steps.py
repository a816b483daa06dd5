"""Charging and refunding in one line each, for tests."""

import itertools
from datetime import date
from decimal import Decimal

from bot.desk import SYSTEM
from bot.domain.credits import CreditChanged
from bot.domain.customers import Customer, Mode, NewCustomer
from bot.domain.intake import ImportCustomers, ImportedCustomer, import_customers
from bot.domain.refunds import RefundUsage, refund_usage
from bot.domain.usage import ChargeUsage, UsageCharged, UsageLine, charge_usage
from tests.world import MANAGER, SGD, World, money

_serial = itertools.count(1)


def used(amount: str | int, on: date, *, tax: str = "0", cost: str | int = 0, line_id: str = "") -> UsageLine:
    """A line of usage."""
    return UsageLine(
        external_id=line_id or f"CALL-{next(_serial)}",
        used_on=on,
        product="Calls",
        net=money(amount),
        tax_rate=Decimal(tax),
        cost=money(cost),
    )


def charge(
    world: World,
    customer: Customer,
    amount: str | int,
    *,
    ago: int = 0,
    tax: str = "0",
    cost: str | int = 0,
    line_id: str = "",
) -> UsageCharged:
    """Charge one line of usage, so many days ago."""
    line = used(amount, world.day(-ago), tax=tax, cost=cost, line_id=line_id)
    return world.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=(line,)))


def refund(
    world: World, customer: Customer, amount: str | int, *, of: str = "", cost: str | int | None = None
) -> CreditChanged:
    back = None if cost is None else money(cost)
    command = RefundUsage(customer_id=customer.id, amount=money(amount), remark="Dropped", external_id=of, cost=back)
    return world.do(refund_usage, command, by=MANAGER)


def limited(world: World, limit: str | int, *, mode: Mode = Mode.PREPAID, code: str = "ACME") -> Customer:
    """A customer with a credit limit."""
    terms = NewCustomer(code=code, name=f"{code} Pte Ltd", currency=SGD, mode=mode)
    world.do(
        import_customers, ImportCustomers(customers=(ImportedCustomer(terms=terms, limit=money(limit)),)), by=SYSTEM
    )
    return world.store.read(lambda books: books.find_customers(code)[0])
