"""Write-offs: asked for by one person, approved by a manager, reversed by a manager when they were wrong."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching, effective_day
from bot.domain.approvals import Approvable, ApprovalState, Requested, approvable, open_approval
from bot.domain.customers import clean_text
from bot.domain.disputes import check_owed
from bot.domain.errors import CurrencyMixed, MoreThanLeft, NotPositive, TooPreciseForCurrency, WrongState
from bot.domain.invoices import DRAFT
from bot.domain.ledger import Account, Side, transfer
from bot.domain.money import Money
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.write_off import (
    LONGEST_REASON,
    RequestWriteOff,
    UndoWriteOff,
    WriteOff,
    WriteOffChanged,
    WriteOffState,
)

if TYPE_CHECKING:
    from bot.domain.ports import Books


@operation(by=Role.CLERK)
def request_write_off(command: RequestWriteOff, books: "Books", context: Context) -> WriteOffChanged:
    """Ask for what is open of an invoice, or a part of it, to be given up; others decide. Refuses: WrongState,
    NotPositive, MoreThanLeft, CurrencyMixed, TooPreciseForCurrency, MissingText, TextTooLong, CustomerClosed.
    """
    customer = books.customers.lock(books.invoices.get(command.invoice_id).customer_id).open_for_business()
    invoice = books.invoices.get(command.invoice_id)
    check_owed(invoice)
    amount = command.amount if command.amount is not None else invoice.open
    _check_amount(amount, invoice)
    waiting = books.write_offs.waiting_of(invoice.id)
    if waiting is not None:
        raise WrongState(f"{waiting.label} waits for approval for {invoice.label} already.", field="invoice")
    made = WriteOff(
        id=books.new_id(),
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        customer_id=customer.id,
        invoice_id=invoice.id,
        amount=amount,
        reason=clean_text(command.reason, "reason", LONGEST_REASON, needed=True),
        requested_by=context.person,
        requested_at=context.now,
    )
    books.write_offs.insert(made)
    document = Requested(id=made.id, label=made.label, amount=amount, customer_id=customer.id)
    needed = open_approval("write_off", document, books, context).needed
    return _changed("requested", made, invoice, Effect.none(customer), context, needed=needed)


@operation(by=Role.MANAGER)
def undo_write_off(command: UndoWriteOff, books: "Books", context: Context) -> WriteOffChanged:
    """Reverse a write-off, on its own day while that is open; free credit then pays what is owed again. Refuses:
    WrongState, MissingText, TextTooLong, CustomerClosed, DateTooEarly.
    """
    customer = books.customers.lock(books.write_offs.get(command.write_off_id).customer_id).open_for_business()
    made = books.write_offs.get(command.write_off_id)
    if made.state is not WriteOffState.MADE or made.made_on is None:
        raise WrongState(f"{made.label} is {made.status}; only what is written off can be reversed.")
    said = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    invoice = books.invoices.get(made.invoice_id)
    matching = Matching(customer, books, context)
    first_open = books.settings.current().first_open_day()
    wanted = made.made_on if made.made_on >= first_open else context.today
    on = effective_day(wanted, (made.made_on,), first_open, context.today)
    before = books.write_offs.made_by(made.id)
    entry_id = matching.post(
        transfer(
            "write-off reversed",
            made.amount,
            debit=Side(Account.RECEIVABLE, customer.id),
            credit=Side(Account.WRITE_OFF),
            on=on,
            reverses=before.entry_id,
        ),
        receivable=made.amount.micros,
    )
    owed = replace(
        invoice,
        open=invoice.open + made.amount,
        state=InvoiceState.SENT,
        rose_on=max(invoice.rose_on or on, on),
        version=invoice.version + 1,
    )
    undone = replace(made, state=WriteOffState.UNDONE, undone_on=on)
    books.write_offs.reverse(undone, before, invoice, on, entry_id)
    matching.add_debit(owed, invoice.open)
    matching.sweep(context.today)
    matching.write()
    after = matching.invoices[invoice.id]
    outcome = _changed("reversed", undone, after, matching.effect(), context)
    return replace(outcome, said=said, made=tuple(matching.made))


def _check_amount(amount: Money, invoice: Invoice) -> None:
    if amount.currency != invoice.total.currency:
        raise CurrencyMixed(f"{invoice.label} is in {invoice.total.currency.code}; type that.", field="amount")
    if amount.micros <= 0:
        raise NotPositive("The amount to write off must be more than zero.", field="amount")
    if amount > invoice.open:
        raise MoreThanLeft(
            f"{invoice.label} has {invoice.open} left; {amount} was asked. Write off at most {invoice.open}.",
            field="amount",
        )
    if not amount.is_whole_minor and amount != invoice.open:
        raise TooPreciseForCurrency(f"{amount.currency.code} has fewer decimals than this.", field="amount")


def _changed(
    step: str, made: WriteOff, invoice: Invoice, effect: Effect, context: Context, *, needed: int = 0
) -> WriteOffChanged:
    return WriteOffChanged(
        step=step,
        write_off=made,
        invoice=invoice,
        effect=effect,
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
        needed=needed,
    )


def _content(write_off_id: int, books: "Books") -> Mapping[str, str]:
    made = books.write_offs.get(write_off_id)
    return {
        "customer": str(made.customer_id),
        "invoice": str(made.invoice_id),
        "amount": str(made.amount),
        "reason": made.reason,
    }


def _largest(write_off_id: int, books: "Books", _matching: Matching) -> Money:
    """What is open of the invoice at this moment; nothing of one that is no longer owed."""
    invoice = books.invoices.get(books.write_offs.get(write_off_id).invoice_id)
    is_owed = invoice.kind is InvoiceKind.TAX and invoice.state is InvoiceState.SENT
    return invoice.open if is_owed else Money(0, invoice.total.currency)


def _execute(write_off_id: int, books: "Books", matching: Matching, context: Context) -> None:
    """Approved by others: write_off / receivable, today."""
    matching.customer.open_for_business()
    made = books.write_offs.get(write_off_id)
    invoice = books.invoices.get(made.invoice_id)
    assert invoice.posted_on is not None
    assert invoice.rose_on is not None
    floors = (invoice.posted_on, invoice.rose_on)
    on = effective_day(context.today, floors, books.settings.current().first_open_day(), context.today)
    entry_id = matching.post(
        transfer(
            "write-off",
            made.amount,
            debit=Side(Account.WRITE_OFF),
            credit=Side(Account.RECEIVABLE, made.customer_id),
            on=on,
        ),
        receivable=-made.amount.micros,
    )
    left = invoice.open - made.amount
    state = invoice.state if left else InvoiceState.WRITTEN_OFF
    matching.add_debit(replace(invoice, open=left, state=state, version=invoice.version + 1), invoice.open)
    number = books.numbers.next("write_off")
    done = replace(made, number=number, state=WriteOffState.MADE, made_on=on)
    books.write_offs.make(done, invoice, entry_id)


def _release(write_off_id: int, books: "Books", _matching: Matching, state: ApprovalState) -> None:
    made = books.write_offs.get(write_off_id)
    books.write_offs.close(replace(made, state=WriteOffState(state.value)))


approvable(
    "write_off",
    Approvable(
        role=Role.MANAGER,
        document=DocumentKind.WRITE_OFF,
        content=_content,
        largest=_largest,
        execute=_execute,
        release=_release,
    ),
)
