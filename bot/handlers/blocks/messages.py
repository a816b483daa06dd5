"""From an outcome to the message of a document: card, fallback text, and the line for its thread."""

from dataclasses import dataclass
from typing import Any

from bot.domain.customers import CustomerChanged
from bot.domain.invoices import InvoiceChanged
from bot.domain.open_items import Invoice
from bot.domain.operation import Outcome
from bot.domain.payments import PaymentChanged, PaymentStep
from bot.domain.ports import InvoiceFile
from bot.domain.settings import Settings
from bot.handlers.blocks.cards import (
    customer_opened,
    invoice_card,
    invoice_file_card,
    invoice_title,
    payment_card,
    payment_title,
)
from bot.handlers.blocks.rich import Part, bold, moment, person, rich


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send for a document."""

    text: str
    blocks: list[dict[str, Any]]
    says: tuple[Part, ...] = ()


def render(outcome: Outcome, document_kind: str, document_id: int, settings: Settings) -> Rendered:
    """The card of one document as an outcome left it."""
    if isinstance(outcome, PaymentChanged):
        if document_kind == "payment":
            return _payment(outcome, settings)
        assert outcome.effect is not None
        touched = next(each.invoice for each in outcome.effect.touched if each.invoice.id == document_id)
        return _touched(touched, outcome, settings)
    if isinstance(outcome, InvoiceChanged):
        text = invoice_title(outcome.invoice, outcome.effect.after, settings)
        return Rendered(text, invoice_card(outcome, settings), (f"{outcome.step.value}: {outcome.invoice.status}",))
    assert isinstance(outcome, CustomerChanged)
    return Rendered(
        f"Customer {outcome.customer.name} {outcome.kind}", customer_opened(outcome, settings), (outcome.kind,)
    )


def note_of(card: Rendered) -> list[dict[str, Any]]:
    """The line a document's thread gets."""
    return [rich(card.says or (card.text,), block_id="note")]


def _payment(outcome: PaymentChanged, settings: Settings) -> Rendered:
    text = payment_title(outcome.payment, outcome.customer, outcome.left, settings)
    paid = ", ".join(f"{each.invoice_number} {each.amount}" for each in outcome.allocations)
    what = "undone" if outcome.step is PaymentStep.UNDONE else outcome.step.value
    says: tuple[Part, ...] = (person(outcome.by), f" {what}", f": {paid}" if paid else "", " · ", moment(outcome.at))
    return Rendered(text, payment_card(outcome, settings), says)


def _touched(invoice: Invoice, outcome: PaymentChanged, settings: Settings) -> Rendered:
    """An invoice whose open amount a payment moved."""
    assert outcome.effect is not None
    customer = outcome.effect.after
    file = InvoiceFile(invoice=invoice, lines=(), customer=customer, allocations=())
    text = invoice_title(invoice, customer, settings)
    says: tuple[Part, ...] = (
        bold(outcome.payment.number),
        f" {outcome.step.value}: {invoice.status}, {invoice.open} open",
    )
    return Rendered(text, invoice_file_card(file, settings), says)
