"""Payment mode: prepaid or postpaid, switched in one step that converts nothing and says what it means."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, Mode
from bot.domain.errors import Refused, WrongState
from bot.domain.limits import allows_more, check_limit, limit_at, told
from bot.domain.money import Money, total
from bot.domain.open_items import Invoice
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.payment_settings import PaymentSettings, switch_off, with_settings
from bot.domain.terms_requests import TermsKind, TermsRequest, Wish, ask_for, carried_out_by

if TYPE_CHECKING:
    from bot.domain.ports import Books

FIRST_WEEK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchMode:
    """Let a customer pay another way from now on; a limit, when one is given, is permanent from the same moment."""

    customer_id: int
    mode: Mode
    limit: Money | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSwitched:
    """A customer pays another way, with all that its card says about what stays; with a `request`, once others have
    approved it.
    """

    before: Customer
    after: Customer
    open_count: int
    open_total: Money
    switched_off: PaymentSettings | None = None
    top_up_rule: PaymentSettings | None = None
    by: str
    at: datetime
    operation_id: int
    step: str = "switched"
    undo_until: datetime | None = None
    request: TermsRequest | None = None
    needed: int = 0

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
        if self.request is not None:
            return Trace(
                description=f"{self.request.number} {self.step}: {after.code} to be {after.mode.value}",
                customer_id=after.id,
                document=self.request.number,
                after={"state": self.request.state.value, "approvals": f"0 of {self.needed}"},
            )
        return Trace(
            description=f"{after.code} mode {before.mode.value} to {after.mode.value}",
            customer_id=after.id,
            document=after.code,
            before={"mode": before.mode.value, "limit": told(before, self.at), "usable": str(before.usable(self.at))},
            after={"mode": after.mode.value, "limit": told(after, self.at), "usable": str(after.usable(self.at))},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        if self.request is not None:
            return (Announcement(document=DocumentKind.TERMS, document_id=self.request.id),)
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.after.id),)


def is_first_week(now: datetime) -> bool:
    """Day 1 to 7 of the month, by UTC. Rule 65."""
    return now.astimezone(UTC).day <= FIRST_WEEK


@operation(by=Role.MANAGER)
def switch_mode(command: SwitchMode, books: "Books", context: Context) -> ModeSwitched:
    """Switch the payment mode; invoices, balances and usage stay. Where policy asks for approval, ask for it. Rules
    64-68. Refuses: WrongState, Refused, CurrencyMixed, NotPositive, TooPreciseForCurrency, MissingText, TextTooLong,
    CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    after = mode_after(customer, command.mode, command.limit, context.now)
    owed = books.invoices.open_of(customer.id)
    wish = Wish(
        kind=TermsKind.SWITCH,
        amount=limit_at(after, context.now),
        is_increase=allows_more(customer, after, context.now),
        limit=command.limit,
        mode=command.mode,
        reason=command.reason,
    )
    asked = ask_for(wish, customer, books, context)
    rule = books.top_ups.settings(customer)
    switched_off = _switch(customer, after, command.limit, books) if asked is None else _to_switch_off(after, rule)
    made = replace(
        switched_mode(customer, with_settings(after, None), owed, context), switched_off=switched_off, top_up_rule=rule
    )
    if asked is None:
        return made
    request, approval = asked
    return replace(made, step="requested", request=request, needed=approval.needed, undo_until=None)


def mode_after(customer: Customer, mode: Mode, limit: Money | None, now: datetime) -> Customer:
    """The customer in another mode. Refuses: WrongState, Refused, CurrencyMixed, NotPositive,
    TooPreciseForCurrency.
    """
    if customer.mode is mode:
        raise WrongState(f"{customer.name} is {customer.mode.value} already; nothing was changed.", field="mode")
    after = replace(customer, mode=mode)
    if limit is not None:
        check_limit(limit, customer)
        return replace(after, limit_micros=limit.micros, limit_ends_at=None)
    if mode is Mode.POSTPAID and customer.limit_ends_at is not None and limit_at(customer, now):
        raise Refused(
            f"The limit of {customer.name} is temporary, and postpaid needs a permanent one; type it here.",
            field="limit",
        )
    return after


def switched_mode(before: Customer, after: Customer, owed: Sequence[Invoice], context: Context) -> ModeSwitched:
    """What a switch means, as it is told."""
    return ModeSwitched(
        before=before,
        after=after,
        open_count=len(owed),
        open_total=total([each.open for each in owed], before.currency),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        undo_until=context.undo_offered,
    )


def _to_switch_off(after: Customer, rule: PaymentSettings | None) -> PaymentSettings | None:
    """The automatic top-up that ends with a switch. Rule 75."""
    return rule if rule is not None and rule.auto and after.mode is Mode.POSTPAID else None


def _switch(customer: Customer, after: Customer, limit: Money | None, books: "Books") -> PaymentSettings | None:
    """The new mode, with its limit; what tops up by itself is switched off, and returned."""
    switched_off = switch_off(customer, books) if after.mode is Mode.POSTPAID else None
    after = with_settings(after, None)
    books.terms.switch_mode(after)
    if limit is not None:
        books.terms.set_limit(after, None)
    return switched_off


def _carry_switch(made: TermsRequest, customer: Customer, books: "Books", context: Context) -> Customer:
    after = mode_after(customer, made.mode, made.limit, context.now)
    _switch(customer, after, made.limit, books)
    return with_settings(after, None)


carried_out_by(TermsKind.SWITCH, _carry_switch)
