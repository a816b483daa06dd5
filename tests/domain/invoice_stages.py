"""One way to carry out each operation on invoices that nobody owes, and a customer that has some of each."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bot.domain.allocation import Portion
from bot.domain.customers import Customer
from bot.domain.invoice_changes import DeleteDraft, EditDraft, VoidInvoice, delete_draft, edit_draft, void_invoice
from bot.domain.invoice_undo import undo_invoice
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.open_items import Invoice, InvoiceKind
from bot.domain.payments import (
    AllocatePayment,
    PaymentChanged,
    UnallocatePayment,
    allocate_payment,
    unallocate_payment,
)
from bot.domain.proformas import ProvisionProforma, provision_proforma
from bot.domain.undo import Undo
from tests.domain.credit_stages import topped_up
from tests.world import CLERK, World, money

Staged = tuple[Any, Any, str]
TOP_UP, PROFORMA = InvoiceKind.TOP_UP, InvoiceKind.PROFORMA


def asking(
    world: World,
    customer: Customer,
    amount: str | int,
    kind: InvoiceKind,
    *,
    send: bool = True,
    issued: int = 0,
    tax: int = 0,
    cost: str | int | None = None,
) -> DraftInvoice:
    line = LineInput(
        description="Zoë asked",
        unit_price=money(amount),
        tax_rate=Decimal(tax),
        cost=None if cost is None else money(cost),
    )
    return DraftInvoice(customer_id=customer.id, lines=(line,), issue_on=world.day(issued), send=send, kind=kind)


def asked(world: World, customer: Customer, amount: str | int, kind: InvoiceKind, **given: Any) -> Invoice:
    """A top-up invoice or a proforma, sent unless told otherwise."""
    return world.do(draft_invoice, asking(world, customer, amount, kind, **given)).invoice


def allocate(world: World, paid: PaymentChanged, invoice: Invoice, amount: str | int | None = None) -> PaymentChanged:
    part = None if amount is None else money(amount)
    portion = Portion(invoice_id=invoice.id, amount=part)
    return world.do(allocate_payment, AllocatePayment(payment_id=paid.payment.id, portions=(portion,)))


def take_back(world: World, paid: PaymentChanged, *invoices: Invoice) -> PaymentChanged:
    ids = tuple(each.id for each in invoices)
    return world.do(unallocate_payment, UnallocatePayment(payment_id=paid.payment.id, invoice_ids=ids))


def provisioning(world: World) -> ProvisionProforma:
    customer = world.customer()
    topped_up(world)
    proforma = asked(world, customer, 10, PROFORMA, tax=9, cost=2)
    world.pay(20, customer, to=((proforma, None),))
    return ProvisionProforma(invoice_id=proforma.id)


def editing(world: World) -> EditDraft:
    customer = world.customer()
    draft = asked(world, customer, 10, PROFORMA, send=False)
    content = asking(world, customer, "3.333333", PROFORMA, send=False, tax=9)
    return EditDraft(invoice_id=draft.id, version=draft.version, content=content)


def a_draft(world: World) -> DeleteDraft:
    return DeleteDraft(invoice_id=asked(world, world.customer(), 10, TOP_UP, send=False).id)


def voiding(world: World) -> VoidInvoice:
    return VoidInvoice(invoice_id=asked(world, world.customer(), 10, TOP_UP).id, reason="Zoë left")


def undoing(world: World) -> Undo:
    sent = world.do(draft_invoice, asking(world, world.customer(), 10, TOP_UP))
    return Undo(operation_id=sent.operation_id)


INVOICE_STAGES: dict[str, Callable[[World], Staged]] = {
    "edit_draft": lambda world: (edit_draft, editing(world), CLERK),
    "delete_draft": lambda world: (delete_draft, a_draft(world), CLERK),
    "void_invoice": lambda world: (void_invoice, voiding(world), CLERK),
    "undo_invoice": lambda world: (undo_invoice, undoing(world), CLERK),
    "provision_proforma": lambda world: (provision_proforma, provisioning(world), CLERK),
}


def asked_of_all_kinds(world: World) -> None:
    """A top-up paid and one that waits; a proforma paid in part, one provisioned, one void; drafts."""
    customer = world.customer("ASKED")
    topped_up(world)
    first, _, part, whole, gone = (
        asked(world, customer, amount, kind, issued=-4, cost=1 if kind is PROFORMA else None)
        for amount, kind in ((40, TOP_UP), (30, TOP_UP), (50, PROFORMA), (60, PROFORMA), (70, PROFORMA))
    )
    world.pay(120, customer, received=-3, to=((first, None), (part, 20), (whole, None)))
    world.do(provision_proforma, ProvisionProforma(invoice_id=whole.id))
    world.do(void_invoice, VoidInvoice(invoice_id=gone.id))
    asked(world, customer, 5, TOP_UP, send=False)
    asked(world, customer, 5, PROFORMA, send=False)
