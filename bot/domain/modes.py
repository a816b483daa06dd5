"""Payment mode: prepaid or postpaid, switched in one step that converts nothing and says what it means."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, Mode
from bot.domain.errors import Refused, WrongState
from bot.domain.limits import check_limit, limit_at, told
from bot.domain.money import Money, total
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.payment_settings import PaymentSettings, switch_off, with_settings

if TYPE_CHECKING:
    from bot.domain.ports import Books

FIRST_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchMode:
    """Let a customer pay another way from now on; a limit, when one is given, is permanent from the same moment."""

    customer_id: int
    mode: Mode
    limit: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSwitched:
    """A customer pays another way, with all that its card says about what stays."""

    before: Customer
    after: Customer
    open_count: int
    open_total: Money
    switched_off: PaymentSettings | None = None
    top_up_rule: PaymentSettings | None = None
    by: str
    at: datetime
    operation_id: int

    @property
    def is_timely(self) -> bool:
        """Whether it is the first week of the month, after the monthly invoice went out. Rule 65."""
        return is_first_week(self.at)

    @property
    def lacks_limit(self) -> bool:
        """Whether nothing can be bought for want of a limit. Rule 66."""
        return self.after.mode is Mode.POSTPAID and not limit_at(self.after, self.at)

    @property
    def keeps_limit(self) -> bool:
        """Whether a prepaid customer still has a limit that may have to go. Rule 67."""
        return self.after.mode is Mode.PREPAID and bool(limit_at(self.after, self.at))

    def trace(self) -> Trace:
        before, after = self.before, self.after
        return Trace(
            description=f"{after.code} mode {before.mode.value} to {after.mode.value}",
            customer_id=after.id,
            document=after.code,
            before={"mode": before.mode.value, "limit": told(before, self.at), "usable": str(before.usable(self.at))},
            after={"mode": after.mode.value, "limit": told(after, self.at), "usable": str(after.usable(self.at))},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.after.id),)


def is_first_week(now: datetime) -> bool:
    """Day 1 to 7 of the month, by UTC. Rule 65."""
    return now.astimezone(UTC).day <= FIRST_WEEK


@operation(by=Role.MANAGER)
def switch_mode(command: SwitchMode, books: "Books", context: Context) -> ModeSwitched:
    """Switch the payment mode; invoices, balances and usage stay. Rules 64-68. Refuses: WrongState, Refused,
    CurrencyMixed, NotPositive, TooPreciseForCurrency, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    if customer.mode is command.mode:
        raise WrongState(f"{customer.name} is {customer.mode.value} already; nothing was changed.", field="mode")
    after = replace(customer, mode=command.mode)
    if command.limit is not None:
        check_limit(command.limit, customer)
        after = replace(after, limit_micros=command.limit.micros, limit_ends_at=None)
    elif command.mode is Mode.POSTPAID and customer.limit_ends_at is not None and limit_at(customer, context.now):
        raise Refused(
            f"The limit of {customer.name} is temporary, and postpaid needs a permanent one; type it here.",
            field="limit",
        )
    owed = books.invoices.open_of(customer.id)
    rule = books.top_ups.settings(customer)
    switched_off = switch_off(customer, books) if command.mode is Mode.POSTPAID else None
    after = with_settings(after, None)
    books.terms.switch_mode(after)
    if command.limit is not None:
        books.terms.set_limit(after, None)
    return ModeSwitched(
        before=customer,
        after=after,
        open_count=len(owed),
        open_total=total([each.open for each in owed], customer.currency),
        switched_off=switched_off,
        top_up_rule=rule,
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
    )
