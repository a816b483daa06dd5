"""Credit notes: drafted by one person, approved by a manager, applied to invoices; nothing is ever deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.approvals import Approvable, ApprovalState, Requested, approvable, open_approval
from bot.domain.credit_note import (
    LONGEST_REASON,
    ApplyNote,
    ApproveNote,
    CopyNote,
    CreditNote,
    DraftNote,
    Left,
    NoteChanged,
    NoteLine,
    NoteState,
    ReasonCode,
    UnapplyNote,
    VoidNote,
    check_whole,
    note_entry,
    split_of_invoice,
)
from bot.domain.customers import Customer, clean_text
from bot.domain.errors import DateInFuture, MoreThanLeft, NotPositive, OwnRequest, Refused, WrongState
from bot.domain.invoices import DRAFT, price_lines
from bot.domain.money import LARGEST_MICROS, Money, total
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.policies import policy_of, rule_for

if TYPE_CHECKING:
    from bot.domain.ports import Books

MOST_NAMED = 3
UNDONE_STEPS = frozenset({"applied", "taken back"})


@operation(by=Role.CLERK)
def draft_note(command: DraftNote, books: "Books", context: Context) -> NoteChanged:
    """Write a credit note as a draft; where policy asks for approval it waits for that at once. Rules 31, 40. Refuses:
    NotPositive, MoreThanLeft, DateInFuture, WrongState, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(command.customer_id).open_for_business()
    if command.invoice_id is not None:
        lines = split_of_invoice(command.amount, _creditable(command.invoice_id, customer, books))
    else:
        lines = tuple(NoteLine(line=each) for each in price_lines(command.lines, customer))
    draft = _draft(lines, command.issue_on, customer, books, context)
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=command.code is ReasonCode.OTHER)
    return _drafted(
        replace(draft, code=command.code, reason=reason, invoice_id=command.invoice_id), lines, customer, books, context
    )


@operation(by=Role.CLERK)
def copy_note(command: CopyNote, books: "Books", context: Context) -> NoteChanged:
    """Draft a note like another one; what it was of an invoice must still be left. Rule 31. Refuses: DateInFuture,
    MoreThanLeft, CustomerClosed.
    """
    source = books.notes.get(command.note_id)
    customer = books.customers.lock(source.customer_id).open_for_business()
    lines = books.notes.lines(source.id)
    if source.invoice_id is not None:
        _check_left(lines, _creditable(source.invoice_id, customer, books))
    draft = _draft(lines, command.issue_on, customer, books, context)
    copied = replace(draft, code=source.code, reason=source.reason, invoice_id=source.invoice_id, copied_from=source.id)
    return _drafted(copied, lines, customer, books, context)


@operation(by=Role.MANAGER)
def approve_note(command: ApproveNote, books: "Books", context: Context) -> NoteChanged:
    """Mark a draft as sent. Rules 32, 33, 40. Refuses: WrongState, OwnRequest, MoreThanLeft."""
    note, customer = _locked(command.note_id, books)
    if note.state is not NoteState.DRAFT:
        raise WrongState(f"{note.label} is {note.status} already; only a draft is approved.")
    if rule_for(policy_of(books.settings.current()), "credit_note", note.total).needed:
        raise OwnRequest(f"{note.label} is decided by approval; press Approve on its card in the approvals channel.")
    matching = Matching(customer, books, context)
    sent = _approve(note, books, matching, context)
    matching.write()
    return changed_note("approved", sent, matching, context)


@operation(by=Role.CLERK)
def apply_note(command: ApplyNote, books: "Books", context: Context) -> NoteChanged:
    """Let a note pay invoices. Rules 33-38. Refuses: WrongState, MoreThanLeft, InvoiceOfAnotherCustomer."""
    note, customer = _locked(command.note_id, books)
    _check_sent(note)
    matching = Matching(customer, books, context, lots=[note.as_lot()])
    ids = [invoice_id for invoice_id, _ in command.portions]
    if not ids or len(set(ids)) != len(ids):
        raise Refused("Choose the invoices, each once.", field="invoices")
    matching.load_invoices(ids)
    for invoice_id in ids:
        check_unpaid(matching.invoices[invoice_id], books)
    for invoice_id, amount in sorted(command.portions, key=lambda each: each[1] is None):
        share = amount
        if share is None:
            share = min(matching.lots[note.id].open, matching.invoices[invoice_id].open)
        if share or amount is not None:
            matching.match(note.id, invoice_id, share, context.today, automatic=False)
    if not matching.made:
        raise MoreThanLeft(f"{note.label} is applied already; nothing is left of it.", field="invoices")
    matching.write()
    after = replace(note, open=matching.lots[note.id].open)
    return changed_note("applied", after, matching, context)


@operation(by=Role.CLERK)
def unapply_note(command: UnapplyNote, books: "Books", context: Context) -> NoteChanged:
    """Take a note back from invoices; they pay themselves no more. Rule 36. Refuses: WrongState."""
    note, customer = _locked(command.note_id, books)
    live = books.allocations.of_note(note.id)
    chosen = [each for each in live if not command.invoice_ids or each.invoice_id in command.invoice_ids]
    if not chosen:
        raise WrongState(f"{note.label} is applied to none of these invoices.", field="invoices")
    matching = Matching(customer, books, context, lots=[note.as_lot()])
    matching.load_invoices([each.invoice_id for each in chosen])
    for each in chosen:
        matching.unmatch(each, context.today)
        matching.switch_auto(each.invoice_id, on=False)
    matching.write()
    after = replace(note, open=matching.lots[note.id].open)
    return changed_note("taken back", after, matching, context)


@operation(by=Role.MANAGER)
def void_note(command: VoidNote, books: "Books", context: Context) -> NoteChanged:
    """Give a note up for good; it keeps its number. Rule 39. Refuses: WrongState, MissingText, TextTooLong."""
    note, customer = _locked(command.note_id, books)
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    if note.state is NoteState.VOID:
        raise WrongState(f"{note.label} is void already.")
    if note.state is NoteState.SENT and note.open != note.total:
        raise WrongState(f"{note.label} is {note.status}; take it back from its invoices first.")
    if note.state is NoteState.DRAFT and books.approvals.waits_for(DocumentKind.CREDIT_NOTE, note.id):
        raise WrongState(f"{note.label} waits for approval; reject or cancel it there.")
    matching = Matching(customer, books, context)
    if note.state is NoteState.SENT:
        entry = note_entry(note, context.today, back=True)
        matching.post(entry, credit_notes=-note.total.micros)
    voided = replace(note, state=NoteState.VOID, open=note.open - note.open, voided_on=context.today)
    books.notes.void(voided)
    matching.write()
    return replace(changed_note("voided", voided, matching, context), said=reason)


def check_unpaid(invoice: Invoice, books: "Books") -> None:
    """A note is applied to what is owed; what is paid has to be owed again first. Rules 35, 36. Refuses: WrongState."""
    if invoice.kind is not InvoiceKind.TAX or invoice.state is not InvoiceState.SENT:
        says = f"{invoice.label} is {invoice.status}; a note is applied to a sent tax invoice."
        raise WrongState(says, field="invoices")
    if not invoice.open:
        paid_by = list(dict.fromkeys(each.lot_number for each in books.allocations.of_invoice(invoice.id)))
        more = f" and {len(paid_by) - MOST_NAMED} more" if len(paid_by) > MOST_NAMED else ""
        payers = f"{', '.join(paid_by[:MOST_NAMED])}{more}"
        raise WrongState(
            f"{invoice.label} is paid by {payers}; take that payment back from it first, then apply the note.",
            field="invoices",
        )


def _draft(
    lines: Sequence[NoteLine], issue_on: date, customer: Customer, books: "Books", context: Context
) -> CreditNote:
    net = total([each.line.net for each in lines], customer.currency)
    tax = total([each.line.tax for each in lines], customer.currency)
    if (net + tax).micros <= 0:
        raise NotPositive("The note's total must be more than zero.", field="lines")
    if (net + tax).micros > LARGEST_MICROS:
        raise Refused("The note's total must stay below a million million.", field="lines")
    if issue_on > context.today:
        raise DateInFuture("The date lies in the future; notes are dated today or earlier.", field="issue_on")
    return CreditNote(
        id=books.new_id(),
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        customer_id=customer.id,
        issue_on=issue_on,
        posted_on=None,
        rose_on=None,
        net=net,
        tax=tax,
        total=net + tax,
        open=Money(0, customer.currency),
        state=NoteState.DRAFT,
        code=ReasonCode.OTHER,
        reason="",
        drafted_by=context.person,
        drafted_at=context.now,
    )


def _drafted(
    draft: CreditNote, lines: Sequence[NoteLine], customer: Customer, books: "Books", context: Context
) -> NoteChanged:
    """Keep a draft; where policy names an amount, other people are asked at once."""
    books.notes.insert(draft, lines)
    matching = Matching(customer, books, context)
    needed = rule_for(policy_of(books.settings.current()), "credit_note", draft.total).needed
    if needed:
        document = Requested(id=draft.id, label=draft.label, amount=draft.total, customer_id=customer.id)
        open_approval("credit_note", document, books, context)
    return replace(changed_note("drafted", draft, matching, context, lines=tuple(lines)), needed=needed)


def _locked(note_id: int, books: "Books") -> tuple[CreditNote, Customer]:
    customer = books.customers.lock(books.notes.get(note_id).customer_id)
    return books.notes.get(note_id), customer.open_for_business()


def _check_sent(note: CreditNote) -> None:
    """Only an approved note is applied. Rules 33, 39. Refuses: WrongState."""
    if note.state is not NoteState.SENT:
        raise WrongState(f"{note.label} is {note.status}; only an approved note is applied.")


def _creditable(invoice_id: int, customer: Customer, books: "Books") -> tuple[Left, ...]:
    """What is left to credit of each line of a sent tax invoice. Refuses: WrongState."""
    invoice = books.invoices.get(invoice_id)
    if invoice.customer_id != customer.id or invoice.kind is not InvoiceKind.TAX or not invoice.number:
        raise WrongState(f"{invoice.label} is no sent invoice of {customer.name}.", field="invoice")
    if invoice.total.micros <= 0:
        raise WrongState(f"{invoice.label} is no debt: its total is {invoice.total}.", field="invoice")
    credited = books.notes.credited(invoice_id)
    nothing = (Money(0, customer.currency), Money(0, customer.currency))
    left = []
    for position, line in enumerate(books.invoices.lines(invoice_id), 1):
        net, tax = credited.get(position, nothing)
        left.append(Left(position, line, line.net - net, line.tax - tax))
    if total([each.gross for each in left], customer.currency).micros <= 0:
        raise MoreThanLeft(f"All of {invoice.label} is credited already.", field="invoice")
    return tuple(left)


def _check_left(lines: Sequence[NoteLine], left: Sequence[Left]) -> None:
    """No line is credited beyond what it was, net and tax each, nor the whole. Refuses: MoreThanLeft."""
    by_position = {each.position: each for each in left}
    for each in lines:
        rest = by_position[each.of_position or 0]
        if each.line.net > rest.net or each.line.tax > rest.tax:
            raise MoreThanLeft(
                f"Of {each.line.description[:40]} only {rest.gross} is left to credit; write the note anew.",
                field="amount",
            )
    check_whole(sum(each.line.net.micros + each.line.tax.micros for each in lines), left)


def _approve(note: CreditNote, books: "Books", matching: Matching, context: Context) -> CreditNote:
    """The note has its number and posts; what it credits of an invoice must be left at this moment."""
    if note.invoice_id is not None:
        _check_left(books.notes.lines(note.id), _creditable(note.invoice_id, matching.customer, books))
    posted_on = max(note.issue_on, books.settings.current().first_open_day())
    sent = replace(
        note,
        number=books.numbers.next("note"),
        state=NoteState.SENT,
        posted_on=posted_on,
        rose_on=posted_on,
        open=note.total,
        version=note.version + 1,
    )
    assert posted_on <= context.today
    books.notes.send(sent)
    matching.post(note_entry(sent, posted_on), credit_notes=sent.total.micros)
    return sent


def changed_note(
    step: str, note: CreditNote, matching: Matching, context: Context, lines: tuple[NoteLine, ...] | None = None
) -> NoteChanged:
    """What became of a note."""
    return NoteChanged(
        step=step,
        note=note,
        lines=lines if lines is not None else matching.books.notes.lines(note.id),
        effect=matching.effect(),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        made=tuple(matching.made),
        taken_back=tuple(matching.taken_back),
        undo_until=context.undo_offered if step in UNDONE_STEPS else None,
    )


def _content(note_id: int, books: "Books") -> Mapping[str, str]:
    note = books.notes.get(note_id)
    return {
        "customer": str(note.customer_id),
        "total": str(note.total),
        "tax": str(note.tax),
        "invoice": str(note.invoice_id or ""),
        "issued": str(note.issue_on),
        "code": note.code.value,
        "reason": note.reason,
    }


def _largest(note_id: int, books: "Books", _matching: Matching) -> Money:
    return books.notes.get(note_id).total


def _execute(note_id: int, books: "Books", matching: Matching, context: Context) -> None:
    """Approved by others; a customer that was closed meanwhile takes no document."""
    matching.customer.open_for_business()
    _approve(books.notes.get(note_id), books, matching, context)


def _release(note_id: int, books: "Books", matching: Matching, _state: ApprovalState) -> None:
    """What nobody approved is void; it never had a number."""
    note = books.notes.get(note_id)
    books.notes.void(replace(note, state=NoteState.VOID, voided_on=matching.context.today))


approvable(
    "credit_note",
    Approvable(
        role=Role.MANAGER,
        document=DocumentKind.CREDIT_NOTE,
        content=_content,
        largest=_largest,
        execute=_execute,
        release=_release,
    ),
)
