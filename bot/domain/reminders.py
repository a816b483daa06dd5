"""Which invoices may be chased: a pure decision that says why not."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum

from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.promises import PromiseStanding, PromiseState


class NotReminded(StrEnum):
    """Why an invoice is not chased, as people read it."""

    NO_TAX_INVOICE = "only tax invoices are chased"
    NOT_SENT = "it is not sent"
    VOID = "it is void"
    WRITTEN_OFF = "it is written off"
    NEGATIVE = "it is in the customer's favour"
    PAID = "it is paid"
    PREPAID = "only postpaid customers are reminded"
    NOT_ACTIVE = "the customer is not active"
    DISPUTED = "it is disputed"
    PROMISED = "payment is promised"


_STATES = {
    InvoiceState.DRAFT: NotReminded.NOT_SENT,
    InvoiceState.VOID: NotReminded.VOID,
    InvoiceState.WRITTEN_OFF: NotReminded.WRITTEN_OFF,
}


def why_not_reminded(
    invoice: Invoice, customer: Customer, promises: Sequence[PromiseStanding], today: date
) -> NotReminded | None:
    """The first reason why an invoice is not chased, or none: sent tax invoices of active postpaid customers with
    something open, not disputed, and no open promise about the invoice or all that the customer owes. Rule 85.
    """
    if invoice.kind is not InvoiceKind.TAX:
        return NotReminded.NO_TAX_INVOICE
    if invoice.state in _STATES:
        return _STATES[invoice.state]
    if invoice.total.micros < 0:
        return NotReminded.NEGATIVE
    if invoice.open.micros <= 0:
        return NotReminded.PAID
    if customer.mode is not Mode.POSTPAID:
        return NotReminded.PREPAID
    if customer.state is not CustomerState.ACTIVE:
        return NotReminded.NOT_ACTIVE
    if invoice.disputed:
        return NotReminded.DISPUTED
    if any(holds_back(each, invoice, today) for each in promises):
        return NotReminded.PROMISED
    return None


def holds_back(standing: PromiseStanding, invoice: Invoice, today: date) -> bool:
    """Whether a promise is open that is about this invoice, or about all that its customer owes."""
    made = standing.promise
    about = made.customer_id == invoice.customer_id and made.invoice_id in {None, invoice.id}
    return about and standing.state(today) is PromiseState.OPEN
