"""From an outcome to the message of a document: card, fallback text, and the line for its thread."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.domain.approvals import ApprovalChanged
from bot.domain.credit_note import NoteChanged
from bot.domain.credits import CreditChanged
from bot.domain.customers import CustomerChanged
from bot.domain.disputes import DisputeChanged
from bot.domain.invoices import InvoiceChanged
from bot.domain.limit_watch import LimitAnnounced
from bot.domain.limits import LimitChanged
from bot.domain.mailing import MailQueued
from bot.domain.master_moves import MasterChanged
from bot.domain.modes import ModeSwitched
from bot.domain.money import Money
from bot.domain.month_end import MonthClosed
from bot.domain.operation import DocumentKind, Outcome
from bot.domain.payment_settings import PaymentSettingsChanged
from bot.domain.payments import PaymentChanged, PaymentStep
from bot.domain.ports import ReadBooks
from bot.domain.promises import PromiseChanged
from bot.domain.reminder_news import PromiseBroken
from bot.domain.reminder_runs import MessageChanged, RunChanged
from bot.domain.reminder_sending import RemindedNow
from bot.domain.reminder_terms import ChasingChanged, RemindersChanged
from bot.domain.topups import TopUpTried
from bot.domain.withdrawals import WithdrawalChanged
from bot.domain.write_off import WriteOffChanged
from bot.handlers.blocks.cards import (
    customer_opened,
    invoice_card,
    invoice_file_card,
    invoice_title,
    payment_card,
    payment_file_card,
    payment_title,
)
from bot.handlers.blocks.credit_notes import note_card, note_said, note_title
from bot.handlers.blocks.credits import credit_card, credit_said, credit_title, top_up_card, top_up_title
from bot.handlers.blocks.disputes import dispute_said, promise_card, promise_said, promise_title
from bot.handlers.blocks.effects import told
from bot.handlers.blocks.invoice_kinds import label_of
from bot.handlers.blocks.limit_watch import announced_card, announced_said, announced_title
from bot.handlers.blocks.reminder_terms import (
    asked_now_card,
    asked_now_said,
    asked_now_title,
    broken_actions,
    broken_card,
    broken_said,
    broken_title,
    chasing_said,
    terms_changed_card,
    terms_changed_said,
    terms_changed_title,
)
from bot.handlers.blocks.reminders import message_said, plan_card, plan_title, plan_view, run_said
from bot.handlers.blocks.rich import Part, bold, moment, person, rich
from bot.handlers.blocks.terms import limit_card, limit_said, mode_card, mode_said, mode_title, terms_title
from bot.handlers.blocks.terms_requests import terms_request_card, terms_request_said, terms_request_title
from bot.handlers.blocks.text import counted, money
from bot.handlers.blocks.top_ups import (
    refused_card,
    refused_title,
    settings_card,
    settings_said,
    settings_title,
    top_up_said,
)
from bot.handlers.blocks.withdrawals import said, withdrawal_card, withdrawal_title
from bot.handlers.blocks.write_offs import write_off_card, write_off_said, write_off_title
from bot.handlers.forms import Block


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send for a document."""

    text: str
    blocks: list[dict[str, Any]]
    says: tuple[Part, ...] = ()
    asks: tuple[Block, ...] = ()  # what can be pressed below the line of the thread


def render(outcome: Outcome, document_kind: str, document_id: int, books: ReadBooks) -> Rendered:
    """The card of one document: as the outcome left its own, as they stand now the others that it touched."""
    mine = outcome.announcements()[0]
    if (document_kind, document_id) != (mine.document, mine.document_id):
        step = getattr(outcome, "step", "")
        by = (outcome.trace().document or "", str(getattr(step, "value", step)))
        return _touched(document_kind, document_id, by, books)
    return CARDS[type(outcome)](outcome, document_id, books)


def note_of(card: Rendered) -> list[dict[str, Any]]:
    """The line a document's thread gets."""
    return [rich(card.says or (card.text,), block_id="note"), *card.asks]


def _payment(outcome: PaymentChanged, _id: int, books: ReadBooks) -> Rendered:
    settings = books.settings()
    text = payment_title(outcome.payment, outcome.customer, outcome.left, settings)
    what = "undone" if outcome.step is PaymentStep.UNDONE else outcome.step.value
    did = told(outcome, settings)
    says: tuple[Part, ...] = (person(outcome.by), f" {what}", f": {did}" if did else "", " · ", moment(outcome.at))
    return Rendered(text, payment_card(outcome, settings), says)


def _invoice(outcome: InvoiceChanged, _id: int, books: ReadBooks) -> Rendered:
    settings = books.settings()
    text = invoice_title(outcome.invoice, outcome.effect.after, settings)
    card = invoice_card(outcome, settings, held=books.invoice_file(outcome.invoice.id))
    return Rendered(text, card, (f"{outcome.step.value}: {label_of(outcome.invoice)}",))


def _month(outcome: MonthClosed, document_id: int, books: ReadBooks) -> Rendered:
    return _invoice(outcome.made[0], document_id, books)


def _withdrawal(outcome: ApprovalChanged | WithdrawalChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.withdrawal_file(document_id)
    return Rendered(withdrawal_title(file, settings), withdrawal_card(file, settings), said(outcome, settings))


def _decided(outcome: ApprovalChanged, document_id: int, books: ReadBooks) -> Rendered:
    """A decision shows on the card of what it is about."""
    return DECIDED[outcome.approval.document](outcome, document_id, books)


def _write_off(outcome: WriteOffChanged | ApprovalChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.write_off_file(document_id)
    return Rendered(write_off_title(file, settings), write_off_card(file, settings), write_off_said(outcome))


def _dispute(outcome: DisputeChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.invoice_file(document_id)
    title = invoice_title(file.invoice, file.customer, settings)
    return Rendered(title, invoice_file_card(file, settings), dispute_said(outcome))


def _promise(outcome: PromiseChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, says = books.settings(), promise_said(outcome, books.settings())
    if outcome.promise.invoice_id is None:
        return Rendered(promise_title(outcome, settings), promise_card(outcome, settings), says)
    file = books.invoice_file(document_id)
    return Rendered(invoice_title(file.invoice, file.customer, settings), invoice_file_card(file, settings), says)


def _mailed(outcome: MailQueued, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.invoice_file(document_id)
    title = invoice_title(file.invoice, file.customer, settings)
    says = (f"e-mailed to {counted(len(outcome.to), 'contact')} of the customer",)
    return Rendered(title, invoice_file_card(file, settings), says)


def _note(outcome: NoteChanged | ApprovalChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.note_file(document_id)
    return Rendered(
        note_title(file, settings),
        note_card(file, settings, outcome if isinstance(outcome, NoteChanged) else None),
        note_said(outcome, settings),
    )


def _credit(outcome: CreditChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.credit_file(document_id)
    return Rendered(credit_title(file, settings), credit_card(file, settings, outcome), credit_said(outcome, settings))


def _master(outcome: MasterChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, made = books.settings(), books.master_top_up(document_id)
    return Rendered(top_up_title(made, settings), top_up_card(made, settings, outcome))


def _limit(outcome: LimitChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings = books.settings()
    if outcome.request is not None:
        return _terms_request(outcome, document_id, books)
    title = terms_title(outcome.after, f"limit {outcome.step}")
    return Rendered(title, limit_card(outcome, settings), limit_said(outcome, settings))


def _mode(outcome: ModeSwitched, document_id: int, books: ReadBooks) -> Rendered:
    if outcome.request is not None:
        return _terms_request(outcome, document_id, books)
    title = terms_title(outcome.after, mode_title(outcome))
    return Rendered(title, mode_card(outcome, books.settings()), mode_said(outcome))


def _announced(outcome: LimitAnnounced, _id: int, books: ReadBooks) -> Rendered:
    settings = books.settings()
    card = announced_card(outcome, settings)
    return Rendered(announced_title(outcome, settings), card, announced_said(outcome, settings))


def _terms_request(
    outcome: ApprovalChanged | LimitChanged | ModeSwitched, document_id: int, books: ReadBooks
) -> Rendered:
    settings, file = books.settings(), books.terms_file(document_id)
    card = terms_request_card(file, settings, outcome.at)
    return Rendered(terms_request_title(file, settings), card, terms_request_said(outcome))


def _customer(outcome: CustomerChanged, _id: int, books: ReadBooks) -> Rendered:
    title = f"Customer {outcome.customer.name} {outcome.kind}"
    return Rendered(title, customer_opened(outcome, books.settings()), (outcome.kind,))


def _settings(outcome: PaymentSettingsChanged, _id: int, books: ReadBooks) -> Rendered:
    settings = books.settings()
    return Rendered(settings_title(outcome), settings_card(outcome, settings), settings_said(outcome, settings))


def _top_up(outcome: TopUpTried, document_id: int, books: ReadBooks) -> Rendered:
    """The card of the credit or the invoice that came of it; why not, on a card of its own."""
    settings = books.settings()
    says = top_up_said(outcome, settings)
    if outcome.credit is not None:
        return replace(_credit(outcome.credit, document_id, books), says=says)
    if outcome.invoice is not None:
        file = books.invoice_file(document_id)
        title = invoice_title(file.invoice, file.customer, settings)
        return Rendered(title, invoice_file_card(file, settings), says)
    return Rendered(refused_title(outcome, settings), refused_card(outcome, settings), says)


def _reminders(outcome: RunChanged | MessageChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, view = books.settings(), plan_view(books, document_id)
    says = run_said(outcome) if isinstance(outcome, RunChanged) else message_said(outcome)
    return Rendered(plan_title(view, settings), plan_card(view, settings), says)


def _reminded_otherwise(outcome: RemindersChanged, _id: int, books: ReadBooks) -> Rendered:
    says = terms_changed_said(outcome, books.settings())
    return Rendered(terms_changed_title(outcome), terms_changed_card(outcome, books.settings()), says)


def _asked_now(outcome: RemindedNow, document_id: int, books: ReadBooks) -> Rendered:
    settings, customer = books.settings(), books.customer(document_id)
    title = asked_now_title(outcome, customer, settings)
    return Rendered(title, asked_now_card(outcome, customer, settings), asked_now_said(outcome, settings))


def _chasing(outcome: ChasingChanged, document_id: int, books: ReadBooks) -> Rendered:
    settings, file = books.settings(), books.invoice_file(document_id)
    title = invoice_title(file.invoice, file.customer, settings)
    return Rendered(title, invoice_file_card(file, settings), chasing_said(outcome))


def _broken(outcome: PromiseBroken, document_id: int, books: ReadBooks) -> Rendered:
    """Asked in the thread of the invoice, or of the customer when all it owes was promised."""
    settings = books.settings()
    says, asks = broken_said(outcome, settings), (broken_actions(outcome),)
    if outcome.standing.promise.invoice_id is None:
        return Rendered(broken_title(outcome, settings), broken_card(outcome, settings), says, asks)
    file = books.invoice_file(document_id)
    title = invoice_title(file.invoice, file.customer, settings)
    return Rendered(title, invoice_file_card(file, settings), says, asks)


# What draws the card of a document that others decide, by its kind.
DECIDED: dict[DocumentKind, Callable[[ApprovalChanged, int, ReadBooks], Rendered]] = {
    DocumentKind.WITHDRAWAL: _withdrawal,
    DocumentKind.CREDIT_NOTE: _note,
    DocumentKind.TERMS: _terms_request,
    DocumentKind.WRITE_OFF: _write_off,
}
# What draws the card of an outcome's own document.
CARDS: dict[type, Callable[[Any, int, ReadBooks], Rendered]] = {
    PaymentChanged: _payment,
    InvoiceChanged: _invoice,
    MonthClosed: _month,
    ApprovalChanged: _decided,
    WithdrawalChanged: _withdrawal,
    CreditChanged: _credit,
    NoteChanged: _note,
    MasterChanged: _master,
    LimitChanged: _limit,
    ModeSwitched: _mode,
    PaymentSettingsChanged: _settings,
    TopUpTried: _top_up,
    LimitAnnounced: _announced,
    CustomerChanged: _customer,
    DisputeChanged: _dispute,
    PromiseChanged: _promise,
    WriteOffChanged: _write_off,
    MailQueued: _mailed,
    RunChanged: _reminders,
    MessageChanged: _reminders,
    RemindersChanged: _reminded_otherwise,
    RemindedNow: _asked_now,
    ChasingChanged: _chasing,
    PromiseBroken: _broken,
}


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
        f" {step}: {label_of(invoice.invoice)}, {money(invoice.invoice.open, settings.locale)} open",
    )
    return Rendered(text, invoice_file_card(invoice, settings), says)
