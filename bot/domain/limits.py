"""Credit limits: dated rows of which one is in force; a temporary one ends by itself and leaves none."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, Mode
from bot.domain.errors import CurrencyMixed, NotPositive, Refused, TooPreciseForCurrency, WrongState
from bot.domain.money import Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.terms_requests import TermsKind, TermsRequest, Wish, ask_for, carried_out_by

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A limit from a moment on; without an end it holds until another one follows."""

    amount: Money
    starts_at: datetime
    ends_at: datetime | None = None
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLimit:
    """Give a customer a limit, for good or for so many days; zero is none. Rules 56-59."""

    customer_id: int
    amount: Money
    days: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendLimit:
    """Let a temporary limit end so many days later."""

    customer_id: int
    days: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChanged:
    """A customer has another limit, or the same for longer; with a `request`, once others have approved it."""

    step: str
    before: Customer
    after: Customer
    days: int | None
    by: str
    at: datetime
    operation_id: int
    undo_until: datetime | None = None
    request: TermsRequest | None = None
    needed: int = 0

    @property
    def is_below_use(self) -> bool:
        """Whether less is allowed than is in use already: nothing can be bought until that is paid. Rule 62."""
        return used_of_limit(self.after, self.at) > limit_at(self.after, self.at)

    def trace(self) -> Trace:
        was, now = (told(each, self.at) for each in (self.before, self.after))
        if self.request is not None:
            return Trace(
                description=f"{self.request.number} {self.step}: {self.after.code} limit {was} to {now}",
                customer_id=self.after.id,
                document=self.request.number,
                after={"state": self.request.state.value, "approvals": f"0 of {self.needed}"},
            )
        return Trace(
            description=f"{self.after.code} limit {self.step}: {was} to {now}",
            customer_id=self.after.id,
            document=self.after.code,
            before={"limit": was, "usable": str(self.before.usable(self.at))},
            after={"limit": now, "usable": str(self.after.usable(self.at))},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.request is not None:
            return (Announcement(document=DocumentKind.TERMS, document_id=self.request.id),)
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.after.id),)


def limit_in_force(rows: Sequence[Limit], at: datetime, nothing: Money) -> Money:
    """What the rows allow at a moment: the newest that has begun, unless it has ended. Rules 56, 59."""
    begun = [row for row in rows if row.starts_at <= at]
    if not begun:
        return nothing
    newest = max(begun, key=lambda row: row.starts_at)
    return nothing if newest.ends_at is not None and at >= newest.ends_at else newest.amount


def limit_at(customer: Customer, at: datetime) -> Money:
    """The limit that counts at a moment. Rules 59, 61."""
    ended = customer.limit_ends_at is not None and at >= customer.limit_ends_at
    return Money(0 if ended else customer.limit_micros, customer.currency)


def used_of_limit(customer: Customer, at: datetime) -> Money:
    """How much of its limit a customer uses: what is owed when prepaid, what is unbilled of the month when postpaid."""
    held = customer.controls
    if customer.mode is Mode.PREPAID:
        used = limit_at(customer, at).micros - customer.usable(at).micros
    else:
        used = customer.running(at) + held.reserved - max(0, held.deposits - held.receivable)
    return Money(max(0, used), customer.currency)


def ends_after(days: int, now: datetime) -> datetime:
    """24:00 UTC of the day set and so many days more. Rule 59."""
    last = now.astimezone(UTC).date() + timedelta(days=days)
    return datetime.combine(last + timedelta(days=1), time(), UTC)


def told(customer: Customer, at: datetime) -> str:
    """The limit as one reads it: `SGD 500.00 until 2026-12-07T24:00Z`."""
    limit = limit_at(customer, at)
    if not limit:
        return "none"
    until = customer.limit_ends_at
    return str(limit) if until is None else f"{limit} until {until.isoformat(timespec='minutes')}"


def allows_more(before: Customer, after: Customer, at: datetime) -> bool:
    """Whether at some moment from now on more is allowed than would be without the change: such a change is what policy
    has others approve; a decrease never is.
    """
    was, now = limit_at(before, at), limit_at(after, at)
    if not now:
        return False
    return now > was or (was.micros > 0 and _outlasts(after.limit_ends_at, before.limit_ends_at))


def _outlasts(end: datetime | None, other: datetime | None) -> bool:
    return other is not None and (end is None or end > other)


@operation(by=Role.MANAGER)
def set_limit(command: SetLimit, books: "Books", context: Context) -> LimitChanged:
    """Set a limit in place of the one there is; where policy asks for approval, ask for it. Rules 56-59, 62. Refuses:
    NotPositive, CurrencyMixed, TooPreciseForCurrency, Refused, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    after = limit_set(customer, command.amount, command.days, context.now)
    wish = Wish(
        kind=TermsKind.SET,
        amount=command.amount,
        is_increase=allows_more(customer, after, context.now),
        limit=command.amount,
        days=command.days,
        reason=command.reason,
    )
    step = "set" if command.amount else "removed"
    return _set_or_asked(step, wish, customer, after, books, context)


@operation(by=Role.MANAGER)
def extend_limit(command: ExtendLimit, books: "Books", context: Context) -> LimitChanged:
    """Let a temporary limit that is in force end later; where policy asks for approval, ask for it. Rules 56, 59.
    Refuses: WrongState, Refused, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    after = limit_extended(customer, command.days, context.now)
    limit = limit_at(customer, context.now)
    wish = Wish(
        kind=TermsKind.EXTEND,
        amount=limit,
        is_increase=True,
        limit=limit,
        days=command.days,
        reason=command.reason,
    )
    return _set_or_asked("extended", wish, customer, after, books, context)


def limit_set(customer: Customer, amount: Money, days: int | None, now: datetime) -> Customer:
    """The customer with another limit. Refuses: NotPositive, CurrencyMixed, TooPreciseForCurrency, Refused,
    WrongState.
    """
    check_limit(amount, customer)
    check_days(days, customer)
    if not amount and days is not None:
        raise Refused("A limit of zero is none; it needs no days.", field="days")
    before = told(customer, now)
    after = replace(
        customer, limit_micros=amount.micros, limit_ends_at=ends_after(days, now) if days is not None else None
    )
    if told(after, now) == before:
        raise WrongState(f"The limit of {customer.name} is {before} already.", field="amount")
    return after


def limit_extended(customer: Customer, days: int, now: datetime) -> Customer:
    """The customer with the same limit for longer. Refuses: WrongState, Refused."""
    if customer.limit_ends_at is None or not limit_at(customer, now):
        raise WrongState(
            f"The limit of {customer.name} is {told(customer, now)}; only a temporary one is extended.", field="days"
        )
    check_days(days, customer)
    ends_at = customer.limit_ends_at + timedelta(days=days)
    if ends_at > ends_after(LONGEST_DAYS, now):
        raise Refused("A temporary limit lasts ten years at most.", field="days")
    return replace(customer, limit_ends_at=ends_at)


def _set_or_asked(
    step: str, wish: Wish, customer: Customer, after: Customer, books: "Books", context: Context
) -> LimitChanged:
    """The new limit, or the request that policy wants for it."""
    asked = ask_for(wish, customer, books, context)
    if asked is not None:
        request, approval = asked
        made = changed_limit("requested", customer, after, wish.days, context)
        return replace(made, request=request, needed=approval.needed, undo_until=None)
    books.terms.set_limit(after, wish.days)
    return changed_limit(step, customer, after, wish.days, context)


def _carry_set(made: TermsRequest, customer: Customer, books: "Books", context: Context) -> Customer:
    assert made.limit is not None
    after = limit_set(customer, made.limit, made.days, context.now)
    books.terms.set_limit(after, made.days)
    return after


def _carry_extension(made: TermsRequest, customer: Customer, books: "Books", context: Context) -> Customer:
    after = limit_extended(customer, made.days or 0, context.now)
    books.terms.set_limit(after, made.days)
    return after


carried_out_by(TermsKind.SET, _carry_set)
carried_out_by(TermsKind.EXTEND, _carry_extension)


def check_limit(amount: Money, customer: Customer) -> None:
    """Zero or more, in the customer's currency and no finer. Refuses: CurrencyMixed, NotPositive,
    TooPreciseForCurrency.
    """
    if amount.currency != customer.currency:
        raise CurrencyMixed(f"{customer.name} is kept in {customer.currency.code}; type that.", field="amount")
    if amount.micros < 0:
        raise NotPositive("A limit is zero or more; there is no limit without an end of money.", field="amount")
    if not amount.is_whole_minor:
        raise TooPreciseForCurrency(f"{amount.currency.code} has fewer decimals than this.", field="amount")


def check_days(days: int | None, customer: Customer) -> None:
    """A whole number of days, and for prepaid customers only. Rules 56, 58. Refuses: Refused."""
    if days is None:
        return
    if customer.mode is Mode.POSTPAID:
        raise Refused(f"{customer.name} is postpaid; its limit is permanent. Leave the days empty.", field="days")
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"The days go from 1 to {LONGEST_DAYS:,}.", field="days")


def changed_limit(step: str, before: Customer, after: Customer, days: int | None, context: Context) -> LimitChanged:
    return LimitChanged(
        step=step,
        before=before,
        after=after,
        days=days,
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        undo_until=context.undo_offered,
    )
