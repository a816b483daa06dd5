"""Statements and invoices by e-mail, and the buttons of a mail in trouble."""

from collections.abc import Mapping
from typing import Any

from bot.domain.errors import NotMailable
from bot.domain.mailing import (
    Decision,
    MailInvoice,
    MailStatement,
    SettleMail,
    mail_invoice,
    mail_statement,
    settle_mail,
)
from bot.domain.open_items import Invoice
from bot.domain.operation import Role
from bot.domain.statements import StatementQuestion
from bot.handlers.blocks.mails import mail_card, mail_done, mail_effect, mail_title
from bot.handlers.blocks.text import escape, shorten
from bot.handlers.commands import Reply, id_of, press
from bot.handlers.flow import Flow, flow
from bot.handlers.forms import Form, Values
from bot.handlers.request import Call, button_key
from bot.handlers.statement_questions import question_json, question_of

NOT_SET_UP = "E-mail is not set up for these books; the operator does that with DUEDESK_SMTP_URL and DUEDESK_MAIL_FROM."


def check_set_up(call: Call) -> None:
    """Whether this process sends e-mail. Refuses: NotMailable."""
    if not call.desk.mails:
        raise NotMailable(NOT_SET_UP)


def _invoice(_values: Values, about: Mapping[str, Any], _call: Call) -> MailInvoice:
    return MailInvoice(invoice_id=id_of(about["invoice"]))


STATEMENT = flow(
    Flow(
        form=Form("statement_mail", "E-mail a statement", (), intro="It goes as a PDF to the customer's contacts."),
        operation=mail_statement,
        command=lambda _values, about, _call: MailStatement(question=question_of(about["question"])),
        effect=mail_effect,
        verb=lambda _outcome, _settings: "Send the e-mail",
        done=mail_done,
    )
)
INVOICE = flow(
    Flow(
        form=Form("invoice_mail", "E-mail an invoice", (), intro="It goes as a PDF to the customer's contacts."),
        operation=mail_invoice,
        command=_invoice,
        effect=mail_effect,
        verb=lambda _outcome, _settings: "Send the e-mail",
        done=mail_done,
    )
)


def open_statement(call: Call, question: StatementQuestion) -> None:
    """The form that shows who gets a statement, and asks once. Refuses: NotMailable, NoAccess."""
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    check_set_up(call)
    customer = call.desk.ask(lambda books: books.customer(question.customer_id), call.request)
    about = {"question": question_json(question), "line": f"Statement · {shorten(customer.name, 80)}"}
    STATEMENT.open(call, Values(), about, preview=True)


def open_invoice(call: Call, invoice: Invoice) -> None:
    """The form that shows who gets an invoice, and asks once. Refuses: NotMailable, NoAccess."""
    call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
    check_set_up(call)
    INVOICE.open(call, Values(), {"invoice": str(invoice.id), "line": f"Invoice {invoice.label}"}, preview=True)


def show_mail(call: Call, mail_id: int) -> Reply:
    """A mail and what can be done about it. Refuses: NotFound."""
    kept = call.desk.ask(lambda books: books.mail(mail_id), call.request, by=Role.CLERK)
    customer = call.desk.ask(lambda books: books.customer(kept.mail.customer_id), call.request)
    return Reply(escape(mail_title(kept, customer)), mail_card(kept, customer))


@press("mail_show", by=Role.CLERK)
def press_show(call: Call, action: dict[str, Any]) -> Reply:
    return show_mail(call, id_of(action["value"]))


def _decide(call: Call, action: dict[str, Any], decision: Decision) -> Reply:
    mail_id = id_of(action["value"].partition(":")[0])
    command = SettleMail(mail_id=mail_id, decision=decision)
    call.desk.carry_out(settle_mail, command, call.keyed(button_key(call, action)))
    return show_mail(call, mail_id)


@press("mail_again", by=Role.CLERK)
def press_again(call: Call, action: dict[str, Any]) -> Reply:
    """Send a mail in trouble once more, to the addresses it was written to."""
    return _decide(call, action, Decision.AGAIN)


@press("mail_arrived", by=Role.CLERK)
def press_arrived(call: Call, action: dict[str, Any]) -> Reply:
    """The customer has it."""
    return _decide(call, action, Decision.ARRIVED)


@press("mail_left", by=Role.CLERK)
def press_left(call: Call, action: dict[str, Any]) -> Reply:
    """Nobody has to look after it any more."""
    return _decide(call, action, Decision.LEFT)
