"""What becomes of invoices that nobody owes: drafts are edited or deleted, top-up invoices and proformas voided."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import WrongState
from bot.domain.invoices import (
    LONGEST_DESCRIPTION,
    DraftInvoice,
    InvoiceChanged,
    InvoiceStep,
    changed_invoice,
    new_draft,
    price_lines,
)
from bot.domain.money import Money
from bot.domain.open_items import Invoice, InvoiceState
from bot.domain.operation import Context, Role, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class EditDraft:
    """Write a draft anew, of the same customer and kind; the version refuses a change over somebody else's."""

    invoice_id: int
    version: int
    content: DraftInvoice


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteDraft:
    """Drop a draft; it never had a number."""

    invoice_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VoidInvoice:
    """Give a top-up invoice or a proforma up; it keeps its number and needs no credit note. Rule 97."""

    invoice_id: int
    reason: str = ""


@operation(by=Role.CLERK)
def edit_draft(command: EditDraft, books: "Books", context: Context) -> InvoiceChanged:
    """Give a draft other lines, days and remark. Rules 92, 96. Refuses: WrongState and what drafting refuses."""
    before, customer = _locked(command.invoice_id, books)
    _check_draft(before, "edited")
    if before.version != command.version:
        raise WrongState(f"{before.label} was changed by somebody else meanwhile; open the form again.")
    content = command.content
    if (content.customer_id, content.kind, content.send) != (customer.id, before.kind, False):
        raise WrongState(f"{before.label} stays a {before.called} of {customer.name}; write a new one instead.")
    lines = price_lines(content.lines, customer, before.kind)
    written = new_draft(content, lines, customer, books, context)
    after = replace(written, id=before.id, draft_reference=before.draft_reference, version=before.version + 1)
    books.invoices.edit(after, lines)
    return changed_invoice(InvoiceStep.EDITED, after, lines, Effect.none(customer), (), context)


@operation(by=Role.CLERK)
def delete_draft(command: DeleteDraft, books: "Books", context: Context) -> InvoiceChanged:
    """Delete a draft; nothing else is ever deleted. Rule 92. Refuses: WrongState."""
    draft, customer = _locked(command.invoice_id, books)
    _check_draft(draft, "deleted")
    lines = books.invoices.lines(draft.id)
    books.invoices.delete(draft)
    return changed_invoice(InvoiceStep.DELETED, draft, lines, Effect.none(customer), (), context)


@operation(by=Role.CLERK)
def void_invoice(command: VoidInvoice, books: "Books", context: Context) -> InvoiceChanged:
    """Void a sent top-up invoice or proforma of which nothing is allocated. Rules 94-97. Refuses: WrongState,
    TextTooLong.
    """
    return void(command, books, context)


def void(command: VoidInvoice, books: "Books", context: Context) -> InvoiceChanged:
    """What voiding and undo of sending do alike. Refuses: WrongState, TextTooLong."""
    invoice, customer = _locked(command.invoice_id, books)
    reason = clean_text(command.reason, "reason", LONGEST_DESCRIPTION)
    if invoice.is_owed:
        raise WrongState(f"{invoice.label} is a tax invoice; a credit note corrects it.")
    if invoice.state is not InvoiceState.SENT:
        raise WrongState(f"{invoice.label} is {invoice.status}; only a sent one is voided, a draft is deleted.")
    if not invoice.is_whole:
        payers = ", ".join(dict.fromkeys(each.lot_number for each in books.allocations.of_invoice(invoice.id)))
        raise WrongState(f"{invoice.label} is {invoice.status} by {payers}; take that payment back first.")
    books.invoices.void(invoice)
    nothing = Money(0, invoice.total.currency)
    after = replace(invoice, state=InvoiceState.VOID, open=nothing, version=invoice.version + 1)
    made = changed_invoice(
        InvoiceStep.VOIDED, after, books.invoices.lines(invoice.id), Effect.none(customer), (), context
    )
    return replace(made, reason=reason)


def _locked(invoice_id: int, books: "Books") -> tuple[Invoice, Customer]:
    customer = books.customers.lock(books.invoices.get(invoice_id).customer_id).open_for_business()
    return books.invoices.get(invoice_id), customer


def _check_draft(invoice: Invoice, what: str) -> None:
    """Refuses: WrongState."""
    if invoice.state is not InvoiceState.DRAFT:
        instead = "a credit note corrects it" if invoice.is_owed else "void it and write a new one"
        raise WrongState(f"{invoice.label} is {invoice.status}; only a draft is {what}: {instead}.")
