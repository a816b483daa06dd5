"""Disputes: an invoice that the customer does not agree with stays owed and aged, and is not chased until it is
resolved.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, clean_text
from bot.domain.errors import NoAccess, WrongState
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REASON = 500


class DisputeStep(StrEnum):
    OPENED = "opened"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A dated step: who says that an invoice is disputed, or no longer, and why."""

    id: int
    invoice_id: int
    customer_id: int
    step: DisputeStep
    reason: str
    person: str
    at: datetime
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenDispute:
    """Put an invoice on hold."""

    invoice_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveDispute:
    """End the hold of an invoice, and say how it came out."""

    invoice_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeChanged:
    """An invoice is disputed from now on, or no longer."""

    step: str
    dispute: Dispute
    invoice: Invoice
    customer: Customer
    operation_id: int
    since: date | None = None

    def trace(self) -> Trace:
        now = self.invoice
        return Trace(
            description=f"{now.label} dispute {self.step}: {now.open} open; {self.dispute.reason}",
            customer_id=now.customer_id,
            document=now.label,
            before={"disputed": str(not now.disputed)},
            after={"disputed": str(now.disputed), "open": str(now.open)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.INVOICE, document_id=self.invoice.id),)


@operation(by=Role.VIEWER)
def open_dispute(command: OpenDispute, books: "Books", context: Context) -> DisputeChanged:
    """Put an invoice on hold: it stays owed and is not chased. Rule 85. Refuses: WrongState, MissingText,
    TextTooLong.
    """
    invoice, customer = _locked(command.invoice_id, books)
    if invoice.disputed:
        raise WrongState(f"{invoice.label} is disputed already; resolve that dispute first.", field="invoice")
    check_owed(invoice)
    after = replace(invoice, disputed=True)
    return _step(DisputeStep.OPENED, command.reason, after, customer, books, context)


@operation(by=Role.VIEWER)
def resolve_dispute(command: ResolveDispute, books: "Books", context: Context) -> DisputeChanged:
    """End a dispute, by who opened it or a clerk. Refuses: WrongState, NoAccess, MissingText, TextTooLong."""
    invoice, customer = _locked(command.invoice_id, books)
    opened = books.disputes.newest(invoice.id)
    if not invoice.disputed or opened is None:
        raise WrongState(f"{invoice.label} is not disputed.", field="invoice")
    if context.person != opened.person and context.role < Role.CLERK:
        raise NoAccess(f"Somebody else disputed {invoice.label}; they or a clerk resolve it.")
    after = replace(invoice, disputed=False)
    made = _step(DisputeStep.RESOLVED, command.reason, after, customer, books, context)
    return replace(made, since=opened.on)


def check_owed(invoice: Invoice) -> None:
    """Only a sent tax invoice with something open is disputed, promised or given up. Refuses: WrongState."""
    is_sent = invoice.kind is InvoiceKind.TAX and invoice.state is InvoiceState.SENT
    if not is_sent or not invoice.open:
        raise WrongState(
            f"{invoice.label} is {invoice.status}; choose a sent invoice of which something is open.", field="invoice"
        )


def _locked(invoice_id: int, books: "Books") -> tuple[Invoice, Customer]:
    customer = books.customers.lock(books.invoices.get(invoice_id).customer_id)
    return books.invoices.get(invoice_id), customer


def _step(
    step: DisputeStep, reason: str, invoice: Invoice, customer: Customer, books: "Books", context: Context
) -> DisputeChanged:
    made = Dispute(
        id=books.new_id(),
        invoice_id=invoice.id,
        customer_id=customer.id,
        step=step,
        reason=clean_text(reason, "reason", LONGEST_REASON, needed=True),
        person=context.person,
        at=context.now,
        on=context.today,
    )
    books.disputes.insert(made)
    return DisputeChanged(
        step=step.value, dispute=made, invoice=invoice, customer=customer, operation_id=context.operation_id
    )
