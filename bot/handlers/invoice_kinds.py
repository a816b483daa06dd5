"""Provision, void and delete: what is done with invoices that nobody owes; and how their kinds are typed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.invoice_changes import DeleteDraft, VoidInvoice, delete_draft, void_invoice
from bot.domain.invoices import LONGEST_DESCRIPTION, InvoiceChanged
from bot.domain.open_items import Invoice, InvoiceKind
from bot.domain.operation import Role
from bot.domain.proformas import ProvisionProforma, provision_proforma
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.cards import invoice_card
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.invoice_kinds import TITLES, label_of, provision_lines
from bot.handlers.blocks.rich import bold, rich
from bot.handlers.blocks.text import date_text, money, shorten
from bot.handlers.commands import id_of, press
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, ChoiceField, Form, TextField, Values
from bot.handlers.payment_forms import RECORD
from bot.handlers.request import Call

# How a kind is typed; the spelling with a space is two words.
SPELLED = {
    "top-up": InvoiceKind.TOP_UP,
    "topup": InvoiceKind.TOP_UP,
    "proforma": InvoiceKind.PROFORMA,
    "pro-forma": InvoiceKind.PROFORMA,
    "tax": InvoiceKind.TAX,
}
KIND = ChoiceField(
    "kind",
    "Kind",
    choices=(
        ("Tax invoice: owed once sent", InvoiceKind.TAX.value),
        ("Proforma: a tax invoice once provisioned", InvoiceKind.PROFORMA.value),
        ("Top-up: credit once paid", InvoiceKind.TOP_UP.value),
    ),
    dispatches=True,
)
WHY = TextField("reason", "Reason", needed=False, longest=LONGEST_DESCRIPTION, multiline=True)


def kind_first(text: str) -> tuple[InvoiceKind | None, str]:
    """The kind that a text begins with, and the rest of it."""
    first, _, rest = text.strip().partition(" ")
    kind = SPELLED.get(first.lower())
    return (kind, rest.strip()) if kind is not None else (None, text)


def _provisioned(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
    paid = [(f"{money(each.amount, settings.locale)} of {each.lot_number} pays it",) for each in outcome.allocations]
    due = f"due {date_text(outcome.invoice.due_on, settings.locale)}"
    lines = [*provision_lines(outcome.invoice, settings), *paid, *effect_lines(outcome.effect, settings), (due,)]
    return [rich((bold("What will happen"),), *lines, block_id="effect")]


def _given_up(said: str) -> Callable[[InvoiceChanged, Settings], Sequence[Block]]:
    def effect(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
        invoice = outcome.invoice
        worth = money(invoice.total, settings.locale)
        return [rich((bold("What will happen"),), (f"{invoice.label}, {worth}, {said}",), block_id="effect")]

    return effect


def _done(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
    return invoice_card(outcome, settings)


def _deleted(outcome: InvoiceChanged, settings: Settings) -> Sequence[Block]:
    return [rich((f"{outcome.invoice.label}, {money(outcome.invoice.total, settings.locale)}, is gone.",))]


PROVISION = flow(
    Flow(
        form=Form("invoice_provisioned", "Provision a proforma", (), intro="All of it: it becomes a tax invoice."),
        operation=provision_proforma,
        command=lambda _values, about, _call: ProvisionProforma(invoice_id=int(about["invoice"])),
        effect=_provisioned,
        verb=lambda outcome, settings: f"Provision {money(outcome.invoice.total, settings.locale)}",
        done=_done,
    )
)
VOID = flow(
    Flow(
        form=Form("invoice_void", "Void an invoice", (WHY,), intro="It keeps its number; no credit note is needed."),
        operation=void_invoice,
        command=lambda values, about, _call: VoidInvoice(invoice_id=int(about["invoice"]), reason=values.text(WHY)),
        effect=_given_up("is void and takes no payment any more."),
        verb=lambda outcome, settings: f"Void {money(outcome.invoice.total, settings.locale)}",
        done=_done,
    )
)
DELETE = flow(
    Flow(
        form=Form("invoice_delete", "Delete a draft", (), intro="Only drafts are ever deleted."),
        operation=delete_draft,
        command=lambda _values, about, _call: DeleteDraft(invoice_id=int(about["invoice"])),
        effect=_given_up("is deleted; it never had a number."),
        verb=lambda outcome, settings: f"Delete {money(outcome.invoice.total, settings.locale)}",
        done=_deleted,
    )
)
FLOWS: Mapping[str, Flow[Any, InvoiceChanged]] = {"provision": PROVISION, "void": VOID, "delete": DELETE}


def open_step(verb: str) -> Callable[[Call, Invoice], None]:
    """The form of one step, previewed. Refuses: NoAccess."""

    def run(call: Call, invoice: Invoice) -> None:
        call.desk.ask(lambda _: None, call.request, by=Role.CLERK)
        worth = money(invoice.total, settings_of(call).locale)
        line = f"{TITLES[invoice.kind]} {invoice.label} · {worth} · {label_of(invoice)}"
        FLOWS[verb].open(call, Values(), {"invoice": str(invoice.id), "line": line}, preview=True)

    return run


def typed_step(verb: str) -> Callable[[Call, str], None]:
    """`INVOICE`: the same by its number."""
    return lambda call, text: open_step(verb)(call, find.invoice_named(call, text))


@press("invoice_provision", by=Role.CLERK)
def press_provision(call: Call, action: dict[str, Any]) -> None:
    open_step("provision")(call, find.invoice_named(call, str(id_of(action["value"]))))


@press("invoice_pay", by=Role.CLERK)
def press_pay(call: Call, action: dict[str, Any]) -> None:
    """A payment of this invoice: its form, filled with what is open."""
    invoice = find.invoice_named(call, str(id_of(action["value"])))
    customer = call.desk.ask(lambda books: books.customer(invoice.customer_id), call.request)
    settings = settings_of(call)
    given = {
        "customer": find.customer_option(customer),
        "amount": shorten(money(invoice.open, settings.locale), 40),
        "received_on": settings.today(call.request.now),
        "method": "bank transfer",
        "invoices": (find.invoice_option(invoice, settings),),
    }
    RECORD.open(call, Values(given))
