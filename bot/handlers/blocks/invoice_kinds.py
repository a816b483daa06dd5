"""What tells the kinds of invoice apart on cards and in previews: name, state on both axes, likely next steps."""

from collections.abc import Sequence

from bot.domain.allocation import Effect
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold
from bot.handlers.blocks.text import money
from bot.handlers.forms import Block, button

Line = tuple[Part, ...]
TITLES = {InvoiceKind.TAX: "Invoice", InvoiceKind.PROFORMA: "Proforma", InvoiceKind.TOP_UP: "Top-up invoice"}
# What is said before a draft of each kind is sent, and of what was sent.
BEFORE_SENT = {
    InvoiceKind.TAX: "will be owed; a sent tax invoice is final.",
    InvoiceKind.PROFORMA: "is asked for; nobody owes it until it is provisioned.",
    InvoiceKind.TOP_UP: "is asked for; it becomes credit once it is paid.",
}
ONCE_SENT = {
    InvoiceKind.TAX: "Once sent it is final; a credit note corrects it.",
    InvoiceKind.PROFORMA: "Nothing is owed. Its payments wait outside the balance until it is provisioned; without any "
    "it can be voided.",
    InvoiceKind.TOP_UP: "Nothing is owed. Once paid, the wallet is credited; until then it can be voided.",
}
SAVED = {
    InvoiceKind.TAX: "Saved as a draft: nothing is owed until it is sent.",
    InvoiceKind.PROFORMA: "Saved as a draft proforma: it takes no payment until it is sent.",
    InvoiceKind.TOP_UP: "Saved as a draft top-up invoice: it takes no payment until it is sent.",
}


def label_of(invoice: Invoice) -> str:
    """Lifecycle, payment and provisioning as one label; of a tax invoice the last goes without saying."""
    if invoice.is_owed or invoice.state is not InvoiceState.SENT:
        return invoice.status
    if invoice.kind is InvoiceKind.TOP_UP:
        return "paid and credited" if invoice.is_provisioned else invoice.status
    return f"{invoice.status}, not provisioned"


def kind_facts(invoice: Invoice) -> list[Line]:
    """How it is paid, and what it was called before it was a tax invoice."""
    facts: list[Line] = []
    if invoice.proforma_number is not None:
        facts.append((bold("Proforma "), invoice.proforma_number))
    if invoice.is_owed:
        facts.append((bold("Auto-allocation "), "on" if invoice.auto_allocate else "off"))
    elif invoice.open:
        how = "whole, of one payment" if invoice.kind is InvoiceKind.TOP_UP else "by hand, also in part"
        facts.append((bold("Paid "), how))
    return facts


def kind_buttons(invoice: Invoice) -> list[Block]:
    """The likely next step of a sent invoice that nobody owes."""
    if invoice.is_owed or invoice.state is not InvoiceState.SENT:
        return []
    value = str(invoice.id)
    pay = [button("Record payment", "invoice_pay", value, style="" if not invoice.open else "primary")]
    if invoice.kind is InvoiceKind.TOP_UP:
        return pay if invoice.open else []
    provision = button("Provision", "invoice_provision", value, style="" if invoice.open else "primary")
    return [*(pay if invoice.open else []), provision]


def kind_verbs(invoice: Invoice) -> list[tuple[str, str]]:
    """What else can be done with it: label and verb."""
    if invoice.state is InvoiceState.DRAFT:
        return [("Edit", "edit"), ("Delete", "delete")]
    can_void = not invoice.is_owed and invoice.state is InvoiceState.SENT and invoice.is_whole
    return [("Void", "void")] if can_void else []


def asked_lines(effect: Effect | None, settings: Settings) -> list[Line]:
    """What paying an invoice means that nobody owes, or taking that back. Rules 14-16."""
    lines: list[Line] = []
    for touched in effect.touched if effect is not None else ():
        invoice = touched.invoice
        worth = money(invoice.total, settings.locale)
        is_paid = invoice.open < touched.open_before
        if invoice.kind is InvoiceKind.TOP_UP and is_paid:
            lines.append(
                (
                    bold(invoice.label),
                    f"  credits the wallet with {worth}; the invoice is provisioned and paid",
                )
            )
        elif invoice.kind is InvoiceKind.TOP_UP:
            lines.append(
                (
                    bold(invoice.label),
                    f"  the wallet loses {worth}; the invoice waits for payment again",
                )
            )
        elif invoice.kind is InvoiceKind.PROFORMA and is_paid:
            lines.append((bold(invoice.label), "  what it takes waits outside the balance until it is provisioned"))
    return lines


def provision_lines(invoice: Invoice, settings: Settings) -> Sequence[Line]:
    """A proforma becomes a tax invoice, with another number. Rule 98."""
    left = f", {money(invoice.open, settings.locale)} left to collect" if invoice.open else ""
    return (
        (bold(invoice.proforma_number or ""), f" becomes tax invoice {invoice.number}: {invoice.status}{left}"),
        ("It is final; a credit note corrects it.",),
    )
