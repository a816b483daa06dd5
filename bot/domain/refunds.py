"""Refunds of usage: revenue, tax and cost taken back; the customer has the money again as what it paid with."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.credits import Credit, CreditChanged, CreditKind, changed_credit, check_credit
from bot.domain.customers import Customer, Mode, clean_text
from bot.domain.errors import CurrencyMixed, MoreThanLeft, NotFound, NotPositive
from bot.domain.ledger import Account, Entry, Posting, Side, transfer
from bot.domain.master import check_usable, needed_master
from bot.domain.money import Money
from bot.domain.open_items import Lot, LotKind
from bot.domain.operation import Context, Role, operation
from bot.domain.usage import Charge

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REMARK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundUsage:
    """Take a charge back, whole or in part: what the customer gets, tax included, and what the platform gives back.

    Without an id it is of a charge from before these books.
    """

    customer_id: int
    amount: Money
    remark: str
    external_id: str = ""
    cost: Money | None = None


@dataclass(frozen=True, slots=True)
class Refunded:
    """What was refunded of a charge so far, and what its day of usage was paid with: money that may leave, and not."""

    gross: Money
    tax: Money
    cost: Money
    paid_withdrawable: Money
    paid_other: Money


@operation(by=Role.MANAGER)
def refund_usage(command: RefundUsage, books: "Books", context: Context) -> CreditChanged:
    """Take usage back. Rule 54. Refuses: NotFound, MoreThanLeft, NotPositive, CurrencyMixed, MasterShort, MissingText,
    TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    check_credit(command.amount, customer)
    nothing = Money(0, customer.currency)
    cost = command.cost if command.cost is not None else nothing
    check_cost_back(cost, command.amount)
    charge = _charge_of(command.external_id.strip(), customer, books)
    so_far = Refunded(nothing, nothing, nothing, nothing, nothing)
    tax = nothing
    if charge is not None:
        so_far = books.usage.refunded(charge)
        check_left(command.amount, cost, charge, so_far)
        tax = tax_share(command.amount, charge, so_far)
    made = Credit(
        id=books.new_id(),
        number="",
        kind=CreditKind.REFUND,
        customer_id=customer.id,
        amount=command.amount,
        made_on=context.today,
        remark=clean_text(command.remark, "remark", LONGEST_REMARK, needed=True, called="reason"),
        reference=charge.external_id if charge is not None else "",
        recorded_at=context.now,
        recorded_by=context.person,
    )
    master = needed_master(books, customer.currency) if cost else books.master.lock(customer.currency)
    is_invoiced = charge is not None and charge.invoice_id is not None
    if (is_invoiced or not is_unbilled(charge)) and command.amount > cost:
        check_usable(master, command.amount - cost)
    made = replace(made, number=books.numbers.next("credit"))
    matching = Matching(customer, books, context)
    books.credits.insert(made)
    entry_id = _post(made, tax, charge, matching)
    _open_lots(made, charge, so_far, matching)
    if cost:
        back = transfer("refund of cost", cost, debit=Side(Account.MASTER), credit=Side(Account.COST), on=context.today)
        books.ledger.post(back)
        books.master.move(cost)
    books.usage.insert_refund(made, charge, tax, cost, entry_id)
    matching.sweep(context.today)
    matching.write()
    return changed_credit("refunded", made, matching, context, master, by_master=cost)


def check_cost_back(cost: Money, amount: Money) -> None:
    """Zero or more, in the currency of the refund. Refuses: CurrencyMixed, NotPositive."""
    if cost.currency != amount.currency:
        raise CurrencyMixed(
            f"The refund is in {amount.currency.code}; so is what the platform gives back.", field="cost"
        )
    if cost.micros < 0:
        raise NotPositive("The cost is zero or more.", field="cost")


def check_left(amount: Money, cost: Money, charge: Charge, so_far: Refunded) -> None:
    """No more than the charge was, less what was refunded of it. Refuses: MoreThanLeft."""
    left, cost_left = charge.gross - so_far.gross, charge.cost - so_far.cost
    if amount > left:
        raise MoreThanLeft(
            f"{charge.external_id} was {charge.gross}; at most {left} is left to refund.", field="amount"
        )
    if cost > cost_left:
        raise MoreThanLeft(f"{charge.external_id} cost {charge.cost}; at most {cost_left} comes back.", field="cost")


def tax_share(amount: Money, charge: Charge, so_far: Refunded) -> Money:
    """The tax in a part of a charge, half up; the last part takes what is left of it."""
    if amount == charge.gross - so_far.gross:
        return charge.tax - so_far.tax
    exact = Decimal(charge.tax.micros) * amount.micros / charge.gross.micros
    return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), amount.currency)


def split_kinds(amount: Money, so_far: Refunded) -> tuple[tuple[LotKind, Money], ...]:
    """What could not be withdrawn when it paid cannot be withdrawn when it comes back; it comes back first."""
    other = min(amount, so_far.paid_other)
    paid = min(amount - other, so_far.paid_withdrawable)
    kinds = ((LotKind.CORRECTION, amount - paid), (LotKind.PAYMENT, paid))
    return tuple((kind, part) for kind, part in kinds if part)


def _charge_of(external_id: str, customer: Customer, books: "Books") -> Charge | None:
    """The charge of an id, if one was typed. Refuses: NotFound."""
    if not external_id:
        return None
    charge = books.usage.find(external_id)
    if charge is None or charge.customer_id != customer.id:
        raise NotFound(f"{customer.name} has no usage {external_id[:40]}.", field="external_id")
    return charge


def _post(made: Credit, tax: Money, charge: Charge | None, matching: Matching) -> int:
    """Revenue, tax / deposits, or unbilled of postpaid usage: it is on the next invoice, whatever that comes to."""
    back_to = Account.UNBILLED if is_unbilled(charge) else Account.DEPOSITS
    taxed = Account.TAX_UNBILLED if back_to is Account.UNBILLED else Account.TAX_PAYABLE
    postings = [
        Posting(Account.REVENUE, (made.amount - tax).micros),
        Posting(back_to, -made.amount.micros, made.customer_id),
    ]
    if tax:
        postings.append(Posting(taxed, tax.micros))
    on = matching.context.today
    entry = Entry(kind="refund", currency=made.amount.currency, effective_on=on, postings=tuple(postings))
    if charge is None or back_to is not Account.UNBILLED:
        return matching.post(entry, deposits=made.amount.micros)
    month = matching.books.settings.current().month(matching.context.now)
    matching.customer = matching.customer.counted(month, charge.posted_on, -made.amount.micros)
    return matching.post(entry, unbilled=-made.amount.micros)


def is_unbilled(charge: Charge | None) -> bool:
    """Whether it is taken off what is unbilled: that of all postpaid usage, invoiced or not."""
    return charge is not None and charge.mode is Mode.POSTPAID


def _open_lots(made: Credit, charge: Charge | None, so_far: Refunded, matching: Matching) -> None:
    """The customer has it again, in the kinds that it paid with."""
    books, today = matching.books, matching.context.today
    if is_unbilled(charge):
        return
    for kind, part in split_kinds(made.amount, so_far):
        zero = Money(0, part.currency)
        lot = Lot(
            id=books.new_id(),
            customer_id=made.customer_id,
            kind=kind,
            number=made.number,
            amount=part,
            open=part,
            held=zero,
            opened_on=today,
            rose_on=today,
        )
        matching.open_lot(lot)
