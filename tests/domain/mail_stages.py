"""One way to carry out each operation that is about e-mail."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.domain.customers import Contact, Customer, Mode, NewCustomer, new_customer
from bot.domain.mail import MailState
from bot.domain.mailing import (
    Decision,
    MailInvoice,
    MailQueued,
    MailStatement,
    SettleMail,
    mail_invoice,
    mail_statement,
    settle_mail,
)
from bot.domain.statements import StatementKind, StatementQuestion
from bot.storage.mails import settle
from tests.world import CLERK, SGD, World

Staged = tuple[Any, Any, str]


def reachable(
    world: World, code: str = "MAILED", *, emails: tuple[str, ...] = ("accounts@mailed.example",)
) -> Customer:
    """A customer with contacts at these addresses."""
    contacts = tuple(Contact(name=f"Zoë {each}", email=email) for each, email in enumerate(emails))
    command = NewCustomer(code=code, name=f"{code} Pte Ltd", currency=SGD, mode=Mode.POSTPAID, contacts=contacts)
    return world.do(new_customer, command).customer


def question(customer: Customer, world: World) -> StatementQuestion:
    today = world.today
    return StatementQuestion(customer_id=customer.id, kind=StatementKind.OPEN, since=today, until=today)


def mailed(world: World, customer: Customer | None = None) -> MailQueued:
    """A mail that waits, about an invoice of the customer."""
    invoice = world.invoice(customer or reachable(world), 30, tax="9")
    return world.do(mail_invoice, MailInvoice(invoice_id=invoice.id))


def settled(world: World, mail_id: int, state: MailState, answer: str = "") -> bool:
    """What a worker learned of a mail."""
    return world.store.write(lambda connection: settle(connection, mail_id, state, answer, world.now))


def deciding(world: World) -> SettleMail:
    mail_id = mailed(world, reachable(world, "ACME")).mail_id
    settled(world, mail_id, MailState.UNKNOWN)
    return SettleMail(mail_id=mail_id, decision=Decision.AGAIN)


def asking(world: World) -> MailStatement:
    asked = question(reachable(world, "ACME"), world)
    return MailStatement(question=replace(asked, kind=StatementKind.ACTIVITY))


MAIL_STAGES: dict[str, Callable[[World], Staged]] = {
    "mail_statement": lambda world: (mail_statement, asking(world), CLERK),
    "mail_invoice": lambda world: (
        mail_invoice,
        MailInvoice(invoice_id=world.invoice(reachable(world, "ACME"), 30).id),
        CLERK,
    ),
    "settle_mail": lambda world: (settle_mail, deciding(world), CLERK),
}
