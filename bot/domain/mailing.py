"""Statements and invoices by e-mail, and what a person decides about a mail in trouble."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import Customer
from bot.domain.errors import NotMailable, WrongState
from bot.domain.mail import KeptMail, Mail, MailAbout, MailState, one_line, recipients
from bot.domain.open_items import Invoice, InvoiceState
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.statements import StatementKind, StatementQuestion

if TYPE_CHECKING:
    from datetime import datetime

    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStatement:
    """Send a customer its statement of account as a PDF."""

    question: StatementQuestion


@dataclass(frozen=True, slots=True, kw_only=True)
class MailInvoice:
    """Send an invoice that is final to its customer as a PDF, for the first time or once more."""

    invoice_id: int


class Decision(StrEnum):
    """What a person decides about a mail in trouble."""

    ARRIVED = "arrived"
    AGAIN = "again"
    LEFT = "left"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleMail:
    """Say of a mail in trouble that it arrived, have it sent again, or leave it."""

    mail_id: int
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class MailQueued:
    """A mail waits to be sent; the addresses are for who sent it and stand in no log."""

    mail_id: int
    customer: Customer
    about: MailAbout
    about_id: int
    label: str
    to: tuple[str, ...]
    left_out: int
    operation_id: int

    def trace(self) -> Trace:
        count = len(self.to)
        return Trace(
            description=f"{self.label} e-mailed to {count} {'address' if count == 1 else 'addresses'}",
            customer_id=self.customer.id,
            document=self.label,
            after={"mail": str(self.mail_id)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        """The thread of an invoice says so; a statement is between the two who have it."""
        if self.about is not MailAbout.INVOICE:
            return ()
        return (Announcement(document=DocumentKind.INVOICE, document_id=self.about_id, refresh_only=True),)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailSettled:
    """A person decided about a mail; its card in the finance channel is brought up to date by itself."""

    mail_id: int
    customer: Customer
    decision: Decision
    before: MailState
    after: MailState
    operation_id: int

    def trace(self) -> Trace:
        said = {Decision.ARRIVED: "it arrived", Decision.AGAIN: "sent again", Decision.LEFT: "left as it is"}
        return Trace(
            description=f"Mail to {self.customer.code}, {self.before.value}: {said[self.decision]}",
            customer_id=self.customer.id,
            document=self.customer.code,
            before={"state": self.before.value},
            after={"state": self.after.value, "mail": str(self.mail_id)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


class Mailing(StrEnum):
    """Whether an invoice goes by e-mail once it is final: not, if its customer can be written to, or in any case."""

    NO = "no"
    IF_POSSIBLE = "if possible"
    YES = "yes"


@operation(by=Role.CLERK)
def mail_statement(command: MailStatement, books: "Books", context: Context) -> MailQueued:
    """Queue a statement for all addresses of its customer; its figures are drawn when it is sent, of what was asked.
    Refuses: NotMailable, Refused.
    """
    question = command.question.check(context.today)
    customer = books.customers.lock(question.customer_id)
    is_open = question.kind is StatementKind.OPEN
    days = f"at {question.until}" if is_open else f"from {question.since} to {question.until}"
    asked = {
        "customer": str(question.customer_id),
        "kind": question.kind.value,
        "since": question.since.isoformat(),
        "until": question.until.isoformat(),
    }
    text = Letter(
        about=MailAbout.STATEMENT,
        about_id=customer.id,
        label=f"{customer.code} statement {days}",
        title=f"Statement of account {days}",
        says=f"Please find attached your statement of account {days}.",
        paper=json.dumps({"file": "statement", "format": "pdf", "question": asked}),
    )
    return queue(text, customer, books, context)


@operation(by=Role.CLERK)
def mail_invoice(command: MailInvoice, books: "Books", context: Context) -> MailQueued:
    """Queue an invoice for all addresses of its customer. Refuses: WrongState, NotMailable."""
    invoice = books.invoices.get(command.invoice_id)
    customer = books.customers.lock(invoice.customer_id)
    invoice = books.invoices.get(command.invoice_id)
    if invoice.state in {InvoiceState.DRAFT, InvoiceState.VOID}:
        raise WrongState(f"{invoice.label} is {invoice.status}; only an invoice that was sent goes out by e-mail.")
    return queue(invoice_letter(invoice), customer, books, context)


@operation(by=Role.CLERK)
def settle_mail(command: SettleMail, books: "Books", context: Context) -> MailSettled:
    """Decide about a mail that failed, came back, or of which nobody knows. Refuses: WrongState, NotFound."""
    kept = books.mails.get(command.mail_id)
    customer = books.customers.lock(kept.mail.customer_id)
    if not kept.needs_somebody:
        raise WrongState(_settled(kept))
    after = kept.state
    if command.decision is Decision.LEFT:
        books.mails.handle(kept)
    elif command.decision is Decision.AGAIN:
        after = MailState.WAITING
        books.mails.settle(kept, after, "")
    elif kept.state is not MailState.UNKNOWN:
        raise WrongState("This mail did not arrive: a server said so. Send it again, or leave it.")
    else:
        after = MailState.SENT
        books.mails.settle(kept, after, "somebody said that it arrived")
    return MailSettled(
        mail_id=kept.mail.id,
        customer=customer,
        decision=command.decision,
        before=kept.state,
        after=after,
        operation_id=context.operation_id,
    )


def _settled(kept: KeptMail) -> str:
    if kept.looking_until is not None:
        return f"This mail is looked for in the mailbox of copies until {kept.looking_until:%H:%M} UTC; wait for that."
    if kept.handled_at is not None:
        return "Somebody decided to leave this mail as it is; nothing was changed."
    return f"This mail is {kept.state.value} meanwhile; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail to a customer says, before it has its recipients: the title is its subject, the label for us."""

    about: MailAbout
    about_id: int
    label: str
    title: str
    says: str
    paper: str = ""


def invoice_letter(invoice: Invoice) -> Letter:
    """What goes with an invoice: the figures in it are those that never change."""
    due = f", due on {invoice.due_on}" if invoice.to_pay.micros > 0 else ""
    return Letter(
        about=MailAbout.INVOICE,
        about_id=invoice.id,
        label=invoice.label,
        title=f"{invoice.called.capitalize()} {invoice.label}",
        says=f"Please find attached {invoice.called} {invoice.label} of {invoice.total}{due}.",
        paper=json.dumps({"file": "invoice", "format": "pdf", "question": {"id": str(invoice.id)}}),
    )


def queue(
    letter: Letter, customer: Customer, books: "Books", context: Context, *, not_before: "datetime | None" = None
) -> MailQueued:
    """Have a letter sent after the commit, to all addresses of the customer that it can go to. Refuses: NotMailable."""
    contacts = books.customers.contacts(customer.id)
    to = recipients(customer, contacts, books.mails.bouncing(customer.id))
    company = books.settings.current().company
    mail = Mail(
        id=books.new_id(),
        customer_id=customer.id,
        about=letter.about,
        about_id=letter.about_id,
        to=to,
        subject=one_line(f"{letter.title} from {company}" if company else letter.title),
        body="\n\n".join(filter(None, (f"{customer.billing_name or customer.name},", letter.says, company))) + "\n",
        paper=letter.paper,
    )
    books.mails.insert(mail, not_before=not_before)
    return MailQueued(
        mail_id=mail.id,
        customer=customer,
        about=letter.about,
        about_id=letter.about_id,
        label=letter.label,
        to=to,
        left_out=len({each.email for each in contacts if each.email}) - len(to),
        operation_id=context.operation_id,
    )


def mail_sent_invoice(
    wish: Mailing, invoice: Invoice, customer: Customer, books: "Books", context: Context
) -> tuple[str, ...]:
    """Have an invoice that has just become final sent as wished; returns to whom it goes. One that can still be undone
    waits until it cannot. Refuses: NotMailable, when it is to go in any case.
    """
    if wish is Mailing.NO:
        return ()
    not_before = None if invoice.is_owed else context.undo_until
    try:
        return queue(invoice_letter(invoice), customer, books, context, not_before=not_before).to
    except NotMailable:
        if wish is Mailing.YES:
            raise
        return ()
