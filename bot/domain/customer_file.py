"""A customer at a glance: all that its card shows, each part bounded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.domain.customers import Contact, Customer
from bot.domain.money import Money
from bot.domain.open_items import Invoice, Lot

if TYPE_CHECKING:
    from bot.domain.approvals import Approval
    from bot.domain.credit_note import CreditNote
    from bot.domain.disputes import Dispute
    from bot.domain.payment import Payment
    from bot.domain.payment_settings import PaymentSettings
    from bot.domain.promises import PromiseStanding
    from bot.domain.reminder_views import Standing
    from bot.domain.withdrawals import Withdrawal


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFile:
    """All that the customer card shows: the oldest few of each list, and how many there are of what can be many.

    `waiting` is what other people decide, `to_pay` what was withdrawn and has not left yet.
    """

    customer: Customer
    contacts: tuple[Contact, ...]
    open_invoices: tuple[Invoice, ...]
    open_count: int
    unapplied: tuple[Lot, ...]
    notes: "tuple[CreditNote, ...]" = ()
    waiting: "tuple[Approval, ...]" = ()
    to_pay: "tuple[Withdrawal, ...]" = ()
    draft_invoices: int = 0
    draft_notes: int = 0
    month_usage: Money | None = None
    last_payment: "Payment | None" = None
    payment_settings: "PaymentSettings | None" = None
    disputes: "tuple[Dispute, ...]" = ()
    promises: "tuple[PromiseStanding, ...]" = ()
    reminders: "Standing | None" = None
