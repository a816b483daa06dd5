"""From an outcome to the message of a document: card, fallback text, and the line for its thread."""

from dataclasses import dataclass
from typing import Any

from bot.domain.approvals import ApprovalChanged
from bot.domain.customers import CustomerChanged
from bot.domain.invoices import InvoiceChanged
from bot.domain.money import Money
from bot.domain.operation import DocumentKind, Outcome
from bot.domain.payments import PaymentChanged, PaymentStep
from bot.domain.ports import ReadBooks
from bot.domain.settings import Settings
from bot.domain.withdrawals import WithdrawalChanged
from bot.handlers.blocks.cards import (
    customer_opened,
    invoice_card,
    invoice_file_card,
    invoice_title,
    payment_card,
    payment_file_card,
    payment_title,
)
from bot.handlers.blocks.effects import told
from bot.handlers.blocks.rich import Part, bold, moment, person, rich
from bot.handlers.blocks.text import money
from bot.handlers.blocks.withdrawals import said, withdrawal_card, withdrawal_title


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send for a document."""

    text: str
    blocks: list[dict[str, Any]]
    says: tuple[Part, ...] = ()


def render(outcome: Outcome, document_kind: str, document_id: int, books: ReadBooks) -> Rendered:
    """The card of one document: as the outcome left its own, as they stand now the others that it touched."""
    settings = books.settings()
    if isinstance(outcome, PaymentChanged):
        if document_id == outcome.payment.id:
            return _payment(outcome, settings)
        return _touched(document_kind, document_id, (outcome.payment.number, outcome.step.value), books)
    if isinstance(outcome, InvoiceChanged):
        if document_id != outcome.invoice.id:
            return _touched(document_kind, document_id, (outcome.invoice.label, outcome.step.value), books)
        text = invoice_title(outcome.invoice, outcome.effect.after, settings)
        return Rendered(text, invoice_card(outcome, settings), (f"{outcome.step.value}: {outcome.invoice.status}",))
    if isinstance(outcome, ApprovalChanged | WithdrawalChanged):
        label = outcome.approval.label if isinstance(outcome, ApprovalChanged) else outcome.withdrawal.number
        if document_kind != DocumentKind.WITHDRAWAL:
            return _touched(document_kind, document_id, (label, outcome.step), books)
        file = books.withdrawal_file(document_id)
        return Rendered(withdrawal_title(file, settings), withdrawal_card(file, settings), said(outcome, settings))
    assert isinstance(outcome, CustomerChanged)
    return Rendered(
        f"Customer {outcome.customer.name} {outcome.kind}", customer_opened(outcome, settings), (outcome.kind,)
    )


def note_of(card: Rendered) -> list[dict[str, Any]]:
    """The line a document's thread gets."""
    return [rich(card.says or (card.text,), block_id="note")]


def _payment(outcome: PaymentChanged, settings: Settings) -> Rendered:
    text = payment_title(outcome.payment, outcome.customer, outcome.left, settings)
    what = "undone" if outcome.step is PaymentStep.UNDONE else outcome.step.value
    did = told(outcome, settings)
    says: tuple[Part, ...] = (person(outcome.by), f" {what}", f": {did}" if did else "", " · ", moment(outcome.at))
    return Rendered(text, payment_card(outcome, settings), says)


def _touched(document_kind: str, document_id: int, by: tuple[str, str], books: ReadBooks) -> Rendered:
    """A document that an operation on another one moved, as it stands now."""
    settings = books.settings()
    number, step = by
    if document_kind == "payment":
        payment = books.payment_file(document_id)
        left = Money(payment.left_micros, payment.payment.amount.currency)
        text = payment_title(payment.payment, payment.customer, left, settings)
        says: tuple[Part, ...] = (bold(number), f" {step}: {money(left, settings.locale)} left")
        return Rendered(text, payment_file_card(payment, settings), says)
    invoice = books.invoice_file(document_id)
    text = invoice_title(invoice.invoice, invoice.customer, settings)
    says = (
        bold(number),
        f" {step}: {invoice.invoice.status}, {money(invoice.invoice.open, settings.locale)} open",
    )
    return Rendered(text, invoice_file_card(invoice, settings), says)
