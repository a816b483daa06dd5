"""Payment settings: how a prepaid customer's wallet is topped up by itself, how much, and at which level."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, Mode
from bot.domain.errors import (
    CurrencyMixed,
    MissingText,
    NoAccess,
    NotPositive,
    NotUndoable,
    Refused,
    TooPreciseForCurrency,
    WrongState,
)
from bot.domain.money import Currency, Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books
    from bot.domain.settings import Settings

PER_CENT_OF_CARD = 20
DAYS_LOOKED_AT = 30


class TopUpMethod(StrEnum):
    """How a wallet is filled by itself. Rule 70."""

    CHEQUE = "cheque"
    STRIPE = "stripe"
    MASTER = "master"

    @property
    def label(self) -> str:
        return {"cheque": "cheque or TT", "stripe": "Stripe", "master": "issue from the master account"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettings:
    """A customer's settings; Stripe keeps its own amount and threshold, which are only shown here. Rules 70, 71."""

    method: TopUpMethod
    amount: Money | None
    threshold: Money | None
    auto: bool
    id: int = 0  # of the change that set them

    @property
    def acts(self) -> bool:
        """Whether these books top up by it."""
        return self.auto and self.method is not TopUpMethod.STRIPE

    def told(self) -> str:
        """The settings as one reads them: `SGD 500.00 by cheque or TT at SGD 100.00, on`."""
        parts = [str(self.amount)] if self.amount is not None else []
        parts.append(f"by {self.method.label}")
        if self.threshold is not None:
            parts.append(f"at {self.threshold}")
        return f"{' '.join(parts)}, {'on' if self.auto else 'off'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPaymentSettings:
    """Say how a customer is topped up by itself; without an amount and a threshold for Stripe."""

    customer_id: int
    method: TopUpMethod
    amount: Money | None
    threshold: Money | None
    auto: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchAutoTrigger:
    """Switch a customer's automatic top-up on or off. Rule 75."""

    customer_id: int
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettingsChanged:
    """A customer has other payment settings; `busiest` is what it used on its busiest day lately."""

    step: str
    customer: Customer
    before: PaymentSettings | None
    after: PaymentSettings | None
    busiest: Money
    by: str
    at: datetime
    operation_id: int
    undo_until: datetime | None = None

    @property
    def fires_at_once(self) -> bool:
        """Whether the balance is at the threshold already."""
        return self.customer.has_reached_threshold

    @property
    def stays_below(self) -> bool:
        """Whether the amount would not lift the balance above the threshold."""
        rule = self.after
        if rule is None or rule.amount is None or rule.threshold is None:
            return False
        return self.customer.balance + rule.amount <= rule.threshold

    @property
    def is_small(self) -> bool:
        """Whether a day's usage was more than the trigger amount. Rule 78."""
        return self.after is not None and self.after.amount is not None and self.busiest > self.after.amount

    def to_top_up(self) -> int | None:
        return self.customer.id if self.customer.has_reached_threshold else None

    def trace(self) -> Trace:
        was, now = (each.told() if each is not None else "none" for each in (self.before, self.after))
        return Trace(
            description=f"{self.customer.code} payment settings {self.step}: {was} to {now}",
            customer_id=self.customer.id,
            document=self.customer.code,
            before={"payment_settings": was},
            after={"payment_settings": now},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.customer.id),)


def threshold_of_card(paid: Money) -> Money:
    """Where Stripe tops up again after a card payment: a fifth of it. Rule 71."""
    return Money(paid.micros * PER_CENT_OF_CARD // 100, paid.currency).rounded()


def is_from_stripe(given: PaymentSettings, kept: PaymentSettings | None) -> bool:
    """Whether an import says what only Stripe can. Rule 71."""
    return given.method is TopUpMethod.STRIPE and (kept is None or kept.method is TopUpMethod.STRIPE)


def with_settings(customer: Customer, settings: PaymentSettings | None) -> Customer:
    """The customer with the level at which it is topped up, if it is."""
    acts = settings is not None and settings.acts and settings.threshold is not None
    return replace(customer, top_up_at_micros=settings.threshold.micros if acts else None)  # type: ignore[union-attr]  # it acts


@operation(by=Role.CLERK)
def set_payment_settings(command: SetPaymentSettings, books: "Books", context: Context) -> PaymentSettingsChanged:
    """Set how a prepaid customer is topped up by itself. Rules 70, 71, 78. Refuses: WrongState, MissingText, Refused,
    NotPositive, CurrencyMixed, TooPreciseForCurrency, NoAccess, CustomerClosed.
    """
    customer = _prepaid(books.customers.lock(command.customer_id).open_for_business())
    before = books.top_ups.settings(customer)
    if command.method is TopUpMethod.STRIPE:
        after = _by_stripe(command, customer, books)
    else:
        amount, threshold = _typed(command, customer, books.settings.current())
        after = PaymentSettings(method=command.method, amount=amount, threshold=threshold, auto=command.auto)
    _check_right(after, context)
    if before is not None and replace(before, id=0) == after:
        raise WrongState(f"The payment settings of {customer.name} are these already: {before.told()}.")
    return _changed("set", customer, before, after, books, context)


@operation(by=Role.CLERK)
def switch_auto_trigger(command: SwitchAutoTrigger, books: "Books", context: Context) -> PaymentSettingsChanged:
    """Switch the automatic top-up on or off. Rule 75. Refuses: WrongState, NoAccess, CustomerClosed."""
    customer = books.customers.lock(command.customer_id).open_for_business()
    before = books.top_ups.settings(customer)
    if before is None:
        raise WrongState(
            f"{customer.name} has no payment settings yet; set them with /payment-settings set.", field="customer"
        )
    if before.auto is command.on:
        raise WrongState(f"The automatic top-up of {customer.name} is {_state(before)} already.", field="auto")
    if command.on:
        _prepaid(customer)
    after = replace(before, auto=command.on)
    _check_right(after, context)
    return _changed("switched on" if command.on else "switched off", customer, before, after, books, context)


@operation(by=Role.CLERK)
def undo_payment_settings(command: Undo, books: "Books", context: Context) -> PaymentSettingsChanged:
    """Put back what a fresh operation changed, unless settings or a top-up followed. Refuses: NotUndoable, NoAccess,
    WrongState, CustomerClosed.
    """
    made = books.operations.made(command.operation_id)
    instead = "set the payment settings as they should be instead"
    check_fresh(made, "undo_payment_settings", books, context, lambda: instead)
    customer = books.customers.lock(made.document_id or 0).open_for_business()
    now = books.top_ups.settings(customer)
    set_by, former = books.top_ups.last_change(customer)
    if set_by != made.operation_id or now is None:
        raise NotUndoable("The payment settings were changed since; set them as they should be instead.")
    issued = books.top_ups.made_under(now.id)
    if issued:
        raise NotUndoable(f"{issued} came of these settings since; switch the automatic top-up off instead.")
    if former is not None and former.acts:
        _prepaid(customer)
        _check_right(former, context)
    books.operations.undone(made.operation_id)
    return replace(_changed("undone", customer, now, former, books, context), undo_until=None)


def switch_off(customer: Customer, books: "Books") -> PaymentSettings | None:
    """What was on and is off from now on, as part of another operation. Rule 75."""
    before = books.top_ups.settings(customer)
    if before is None or not before.auto:
        return None
    books.top_ups.put(with_settings(customer, None), replace(before, auto=False, id=books.new_id()))
    return before


def _prepaid(customer: Customer) -> Customer:
    """Itself, unless postpaid. Refuses: WrongState."""
    if customer.mode is not Mode.PREPAID:
        raise WrongState(
            f"{customer.name} is postpaid; only a prepaid customer has a wallet to top up. /payment-mode switches it.",
            field="customer",
        )
    return customer


def _by_stripe(command: SetPaymentSettings, customer: Customer, books: "Books") -> PaymentSettings:
    """What the online process last said. Rule 71. Refuses: Refused, WrongState."""
    for field, given in (("amount", command.amount), ("threshold", command.threshold)):
        if given is not None:
            raise Refused("Stripe sets this in its own process; leave it empty.", field=field)
    paid = books.top_ups.last_card(customer)
    if paid is None:
        raise WrongState(
            f"{customer.name} has not paid by card yet, so Stripe knows no amount; choose another method until then.",
            field="method",
        )
    return PaymentSettings(method=TopUpMethod.STRIPE, amount=paid, threshold=threshold_of_card(paid), auto=command.auto)


def _typed(command: SetPaymentSettings, customer: Customer, settings: "Settings") -> tuple[Money, Money]:
    """The amount and the threshold. Refuses: MissingText, CurrencyMixed, NotPositive, TooPreciseForCurrency,
    Refused.
    """
    if command.amount is None:
        raise MissingText("Type how much is topped up at a time.", field="amount")
    if command.threshold is None:
        raise MissingText("Type the balance at which it is topped up; 0 is when nothing is left.", field="threshold")
    check_trigger(command.amount, command.threshold, customer.currency)
    most = Money.from_decimal(Decimal(settings.top_up_most), customer.currency)
    if command.amount > most:
        raise Refused(
            f"At most {most} is topped up at a time; an administrator changes that with /duedesk settings top_up_most.",
            field="amount",
        )
    return command.amount, command.threshold


def check_trigger(amount: Money, threshold: Money, of: Currency) -> None:
    """An amount above zero and a threshold no less, in the customer's currency. Refuses: CurrencyMixed, NotPositive,
    TooPreciseForCurrency.
    """
    for field, given in (("amount", amount), ("threshold", threshold)):
        if given.currency != of:
            raise CurrencyMixed(f"The customer is kept in {of.code}; type that.", field=field)
        if not given.is_whole_minor:
            raise TooPreciseForCurrency(f"{of.code} has fewer decimals than this.", field=field)
    if amount.micros <= 0:
        raise NotPositive("The trigger amount must be more than zero.", field="amount")
    if threshold.micros < 0:
        raise NotPositive("The threshold is zero or more.", field="threshold")


def _check_right(settings: PaymentSettings, context: Context) -> None:
    """What issues credit by itself is for those who may issue it. Refuses: NoAccess."""
    if settings.acts and settings.method is TopUpMethod.MASTER and context.role < Role.MANAGER:
        raise NoAccess(
            "Only a manager lets credit be issued by itself; save it switched off and ask one to switch it on.",
            field="auto",
        )


def _state(settings: PaymentSettings) -> str:
    return "on" if settings.auto else "off"


def _changed(  # what a card shows
    step: str,
    customer: Customer,
    before: PaymentSettings | None,
    after: PaymentSettings | None,
    books: "Books",
    context: Context,
) -> PaymentSettingsChanged:
    changed = with_settings(customer, after)
    after = replace(after, id=books.new_id()) if after is not None else None
    books.top_ups.put(changed, after)
    since = context.now.astimezone(UTC).date() - timedelta(days=DAYS_LOOKED_AT)
    return PaymentSettingsChanged(
        step=step,
        customer=changed,
        before=before,
        after=after,
        busiest=books.top_ups.busiest_day(customer, since),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        undo_until=context.undo_until if context.undo_until > context.now else None,
    )


undoes("undo_payment_settings", DocumentKind.CUSTOMER, "set_payment_settings", "switch_auto_trigger")
