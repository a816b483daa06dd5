"""Usage: what customers are charged for as they use it, in real time when prepaid, into unbilled when postpaid."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching
from bot.domain.customers import Customer, CustomerState, Mode, clean_text
from bot.domain.errors import (
    CurrencyMixed,
    DateInFuture,
    KeyReused,
    MasterShort,
    MissingText,
    NotEnoughUsable,
    NotPositive,
    Refused,
    WrongState,
)
from bot.domain.ledger import Account, Entry, Posting, Side, transfer
from bot.domain.master import MasterAccount, MasterEffect, master_effect
from bot.domain.money import LARGEST_MICROS, MICROS, Money, total
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Announcement, Context, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

MOST_LINES = 5000
LONGEST_ID = 80
LONGEST_PRODUCT = 60
HIGHEST_RATE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """One thing used: price without tax, the tax rate in per cent, and what it costs the company at the platform."""

    external_id: str
    used_on: date
    product: str
    net: Money
    tax_rate: Decimal = Decimal(0)
    cost: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """A line as it is kept: net, tax and gross to the micro; nothing of it changes but the invoice that bills it."""

    id: int
    external_id: str
    customer_id: int
    mode: Mode
    used_on: date
    posted_on: date
    product: str
    net: Money
    tax_rate: Decimal
    tax: Money
    cost: Money
    usage_day_id: int | None = None
    entry_id: int | None = None
    invoice_id: int | None = None

    @property
    def gross(self) -> Money:
        return self.net + self.tax


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageDay:
    """All that a prepaid customer used on one day: a debit without a due date, paid by whatever credit is free."""

    id: int
    customer_id: int
    used_on: date
    rose_on: date
    total: Money
    open: Money
    summary: str = ""  # the invoice that sums it up, once there is one; nothing of the day changes after it

    def as_debit(self) -> Invoice:
        """The day as what credit is matched to; it stands after the invoices of its date."""
        zero = Money(0, self.total.currency)
        return Invoice(
            id=self.id,
            kind=InvoiceKind.USAGE,
            customer_id=self.customer_id,
            number=usage_label(self.used_on),
            draft_reference="",
            issue_on=self.used_on,
            due_on=self.used_on,
            posted_on=self.used_on,
            rose_on=self.rose_on,
            net=self.total,
            tax=zero,
            total=self.total,
            open=self.open,
            state=InvoiceState.SENT,
            auto_allocate=True,
        )


def usage_label(day: date) -> str:
    """How a day of usage is named where documents have a number."""
    return f"usage of {day.isoformat()}"


@dataclass(frozen=True, slots=True)
class UsageSum:
    """All usage of one product: how many lines, and what they add up to."""

    product: str
    lines: int
    net: Money
    tax: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeUsage:
    """Charge a customer for usage, checked against what it may spend."""

    customer_id: int
    lines: tuple[UsageLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportUsage:
    """Book usage that happened and was measured elsewhere: what is over is booked and said, never dropped."""

    customer_id: int
    lines: tuple[UsageLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCharged:
    """What was charged, what was known already, and whether the customer may still spend."""

    effect: Effect
    mode: Mode
    charged: int
    known: int
    net: Money
    tax: Money
    cost: Money
    usable: Money
    product: str
    by: str
    at: datetime
    operation_id: int
    master: MasterEffect | None = None

    @property
    def gross(self) -> Money:
        return self.net + self.tax

    @property
    def is_over(self) -> bool:
        """Whether more was used than the customer may spend."""
        return self.usable.micros < 0

    def to_top_up(self) -> int | None:
        """The customer, if its balance is at the level of its automatic top-up now. Rules 72, 73."""
        return self.effect.after.id if self.effect.after.has_reached_threshold else None

    def trace(self) -> Trace:
        customer = self.effect.after
        lines = f"{self.charged} lines" if self.charged != 1 else self.product
        return Trace(
            description=f"{customer.code} charged {self.gross} for {lines}",
            customer_id=customer.id,
            document=customer.code,
            before={"balance_micros": str(self.effect.before.balance.micros)},
            after={
                "balance_micros": str(customer.balance.micros),
                "unbilled_micros": str(customer.controls.unbilled),
                "cost_micros": str(self.cost.micros),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


def tax_in_micros(net: Money, rate: Decimal) -> Money:
    """Tax on usage to the micro, half up; documents round, the wallet does not. Rule 112."""
    exact = Decimal(net.micros) * rate / 100
    return Money(int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), net.currency)


def posting_day(used_on: date, today: date, first_open: date, billed_through: date | None = None) -> date:
    """The day of use while it is open and not invoiced, else today: late usage goes on the next invoice."""
    is_billed = billed_through is not None and used_on <= billed_through
    return used_on if used_on >= first_open and not is_billed else today


def check_spending(customer: Customer, amount: Money, now: datetime) -> None:
    """A transaction is covered by what the customer may spend. Rules 56, 57, 69, 107, 109. Refuses: NotEnoughUsable,
    WrongState.
    """
    if customer.state is not CustomerState.ACTIVE:
        raise WrongState(f"{customer.name} is {customer.state.value}; nothing can be charged.", field="customer")
    usable = customer.usable(now)
    if amount > usable:
        left = max(usable, Money(0, usable.currency))
        hint = "a payment or a credit limit" if customer.mode is Mode.PREPAID else "a credit limit"
        raise NotEnoughUsable(
            f"{amount} is more than {customer.name} may spend now; at most {left}. It takes {hint} first.",
            field="amount",
        )


def check_cost(master: MasterAccount | None, cost: Money) -> None:
    """The partner can pay what a sale costs. Rule 55. Refuses: MasterShort."""
    if master is None or not cost:
        return
    left = master.balance - master.reserved + master.limit
    if cost > left:
        raise MasterShort(
            f"The master account cannot pay the cost of {cost}; {max(left, Money(0, left.currency))} is left. Top it "
            "up first with /credit master top-up.",
            field="cost",
        )


@operation(by=Role.CLERK)
def charge_usage(command: ChargeUsage, books: "Books", context: Context) -> UsageCharged:
    """Charge usage, each external id once. Rules 54-57, 69, 107-112. Refuses: NotEnoughUsable, MasterShort,
    NotPositive, CurrencyMixed, DateInFuture, KeyReused, MissingText, TextTooLong, WrongState, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    bill = _bill(command.lines, customer, books, context)
    check_spending(customer, total([each.gross for each in bill.new], customer.currency), context.now)
    check_cost(bill.master, bill.cost)
    return _charge_bill(bill, customer, books, context)


@operation(by=Role.NONE)
def import_usage(command: ImportUsage, books: "Books", context: Context) -> UsageCharged:
    """Book a customer's usage from a file, each external id once. Refuses: NotPositive, CurrencyMixed, DateInFuture,
    KeyReused, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    return _charge_bill(_bill(command.lines, customer, books, context), customer, books, context)


@dataclass(frozen=True, slots=True)
class _Bill:
    """What is new of some lines, and the account at the platform that pays what it costs."""

    new: list[Charge]
    known: int
    cost: Money
    master: MasterAccount | None


def _bill(lines: tuple[UsageLine, ...], customer: Customer, books: "Books", context: Context) -> _Bill:
    master = books.master.lock(customer.currency) if any(each.cost for each in lines) else None
    new, known = _new_lines(lines, customer, books, context)
    if master is None:  # without an account at the platform a sale costs nothing there
        new = [replace(each, cost=Money(0, customer.currency)) for each in new]
    return _Bill(new, known, total([each.cost for each in new], customer.currency), master)


def _charge_bill(bill: _Bill, customer: Customer, books: "Books", context: Context) -> UsageCharged:
    matching = Matching(customer, books, context)
    for day, mine in sorted(_by_day(bill.new).items()):
        _post_day(day, mine, matching)
    if bill.master is not None:
        books.master.move(-bill.cost)
    matching.sweep(context.today)
    matching.write()
    effect = matching.effect()
    return UsageCharged(
        effect=effect,
        mode=customer.mode,
        charged=len(bill.new),
        known=bill.known,
        net=total([each.net for each in bill.new], customer.currency),
        tax=total([each.tax for each in bill.new], customer.currency),
        cost=bill.cost,
        usable=matching.customer.usable(context.now),
        product=bill.new[0].product if bill.new else "",
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        master=master_effect(bill.master, -bill.cost, effect),
    )


def _new_lines(
    lines: tuple[UsageLine, ...], customer: Customer, books: "Books", context: Context
) -> tuple[list[Charge], int]:
    """The lines that are not in the book yet, and how many are. Refuses what a line refuses, and KeyReused."""
    if not lines:
        raise MissingText("There is no usage to charge.", field="lines")
    if len(lines) > MOST_LINES:
        raise Refused(f"At most {MOST_LINES:,} lines are charged at a time.", field="lines")
    ids = [line.external_id for line in lines]
    if len(set(ids)) != len(ids):
        raise KeyReused("Two lines have the same id; each id is one line of usage.", field="external_id")
    there = books.usage.known(ids)
    first_open = books.settings.current().first_open_day()
    billed = books.usage.billed_through(customer.id)
    new: list[Charge] = []
    for line in lines:
        made = _charge(line, customer, books, context)
        kept = there.get(line.external_id)
        if kept is None:
            on = posting_day(line.used_on, context.today, first_open, billed)
            new.append(replace(made, posted_on=on))
        elif (kept.customer_id, kept.used_on, kept.net) != (made.customer_id, made.used_on, made.net):
            raise KeyReused(
                f"{line.external_id} is in the book with another customer, day or price; nothing was written.",
                field="external_id",
            )
    return new, len(lines) - len(new)


def _charge(line: UsageLine, customer: Customer, books: "Books", context: Context) -> Charge:
    if line.net.currency != customer.currency or (line.cost is not None and line.cost.currency != customer.currency):
        raise CurrencyMixed(f"{customer.name} is kept in {customer.currency.code}; type that.", field="amount")
    if line.net.micros <= 0 or (line.cost is not None and line.cost.micros < 0):
        raise NotPositive("The price must be more than zero, and the cost no less.", field="amount")
    if line.net.micros > LARGEST_MICROS:
        raise Refused("The price must stay below a million million.", field="amount")
    if not 0 <= line.tax_rate <= HIGHEST_RATE or line.tax_rate * MICROS % 1:
        raise Refused("The tax rate goes from 0 to 100 per cent, with at most six decimals.", field="tax_rate")
    if line.used_on > context.today:
        raise DateInFuture(f"{line.used_on} lies in the future; usage is charged once it happened.", field="used_on")
    return Charge(
        id=books.new_id(),
        external_id=clean_text(line.external_id, "external_id", LONGEST_ID, needed=True, called="id of the usage"),
        customer_id=customer.id,
        mode=customer.mode,
        used_on=line.used_on,
        posted_on=line.used_on,
        product=clean_text(line.product, "product", LONGEST_PRODUCT, needed=True),
        net=line.net,
        tax_rate=line.tax_rate,
        tax=tax_in_micros(line.net, line.tax_rate),
        cost=line.cost if line.cost is not None else Money(0, customer.currency),
    )


def _by_day(charges: Sequence[Charge]) -> dict[date, list[Charge]]:
    days: dict[date, list[Charge]] = defaultdict(list)
    for each in charges:
        days[each.posted_on].append(each)
    return days


def _post_day(on: date, charges: list[Charge], matching: Matching) -> None:
    """Receivable, or unbilled, / revenue and tax; cost / master: one entry each for all that is posted on one day."""
    customer, books = matching.customer, matching.books
    prepaid = customer.mode is Mode.PREPAID
    net = total([each.net for each in charges], customer.currency)
    tax = total([each.tax for each in charges], customer.currency)
    gross = net + tax
    day_id = _raise_day(on, gross, matching) if prepaid else None
    control = Account.RECEIVABLE if prepaid else Account.UNBILLED
    postings = [Posting(control, gross.micros, customer.id), Posting(Account.REVENUE, -net.micros)]
    if tax:
        postings.append(Posting(Account.TAX_PAYABLE if prepaid else Account.TAX_UNBILLED, -tax.micros))
    entry = Entry(kind="usage", currency=customer.currency, effective_on=on, postings=tuple(postings))
    entry_id = matching.post(entry, **{control.value: gross.micros})
    if not prepaid:
        month = books.settings.current().month(matching.context.now)
        matching.customer = matching.customer.counted(month, on, gross.micros)
    cost = total([each.cost for each in charges], customer.currency)
    if cost:
        sold = transfer("cost of usage", cost, debit=Side(Account.COST), credit=Side(Account.MASTER), on=on)
        books.ledger.post(sold)
    books.usage.insert([_kept(each, day_id, entry_id) for each in charges])


def _raise_day(on: date, gross: Money, matching: Matching) -> int:
    """The customer's day of usage, with so much more to pay."""
    books, customer = matching.books, matching.customer
    there = books.usage.day(customer.id, on)
    if there is None:
        zero = Money(0, customer.currency)
        there = UsageDay(id=books.new_id(), customer_id=customer.id, used_on=on, rose_on=on, total=zero, open=zero)
        raised = _more(there, gross)
        books.usage.insert_day(raised)
    else:
        raised = _more(there, gross)
        books.usage.raise_day(raised, gross)
    matching.add_debit(raised.as_debit(), there.open)
    return there.id


def _more(day: UsageDay, gross: Money) -> UsageDay:
    return replace(day, total=day.total + gross, open=day.open + gross, rose_on=max(day.rose_on, day.used_on))


def _kept(charge: Charge, day_id: int | None, entry_id: int) -> Charge:
    return replace(charge, usage_day_id=day_id, entry_id=entry_id)
