"""One card per kind of document: title, facts, effect, context, actions; pure, from an outcome or a file."""

from dataclasses import replace
from datetime import datetime

from bot.domain.customers import Customer, CustomerChanged
from bot.domain.invoices import InvoiceChanged, InvoiceLine
from bot.domain.money import Money
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.payments import Payment, PaymentChanged, PaymentState
from bot.domain.ports import InvoiceFile, PaymentFile
from bot.domain.settings import Settings
from bot.handlers.blocks.disputes import held_lines
from bot.handlers.blocks.effects import (
    MOST_LINES,
    allocation_lines,
    correction_lines,
    effect_lines,
    effective_lines,
    left_lines,
    summary,
)
from bot.handlers.blocks.invoice_kinds import BEFORE_SENT, TITLES, kind_buttons, kind_facts, kind_verbs, label_of
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, money, shorten
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button, confirmation, option


def payment_status(payment: Payment, left: Money) -> str:
    """The state of a payment as words."""
    if payment.state is PaymentState.VOID:
        return "void"
    if payment.customer_id is None:
        return "not assigned"
    if not left:
        return "fully allocated"
    return "assigned" if left == payment.amount else "partly allocated"


def payment_title(payment: Payment, customer: Customer | None, left: Money, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    who = customer.name if customer is not None else payment.payer
    return (
        f"Payment {payment.number or 'to record'} · {shorten(who, 80)} · {money(payment.amount, settings.locale)} · "
        f"{payment_status(payment, left)}"
    )


def payment_card(outcome: PaymentChanged, settings: Settings) -> list[Block]:
    """What happened to a payment, with its actions."""
    payment = outcome.payment
    blocks = [
        rich((bold(typed(payment_title(payment, outcome.customer, outcome.left, settings))),), block_id="title"),
        rich(*_payment_facts(payment, settings), block_id="facts"),
    ]
    lines = [*correction_lines(outcome), *allocation_lines(outcome.allocations, settings)]
    lines += left_lines(outcome, settings) + effective_lines(outcome, settings)
    if outcome.effect is not None:
        lines += effect_lines(outcome.effect, settings)
    if outcome.note:
        lines.append(("Reason: ", typed(outcome.note)))
    if lines:
        blocks.append(rich(*lines, block_id="effect"))
    blocks.append(rich(_said(outcome.step.value, outcome.by, outcome.at, outcome.undo_until), block_id="context"))
    undo = (outcome.operation_id, summary(outcome, settings)) if outcome.undo_until else None
    actions = payment_actions(payment, outcome.left, undo=undo)
    return [*blocks, *actions]


def payment_file_card(file: PaymentFile, settings: Settings) -> list[Block]:
    """A payment as it stands, for one reader."""
    payment = file.payment
    left = Money(file.left_micros, payment.amount.currency)
    lines = allocation_lines(file.allocations, settings)
    if file.customer is not None and left:
        lines.append((f"{money(left, settings.locale)} left as credit",))
    said = (
        "recorded by ",
        person(payment.recorded_by),
        " · ",
        moment(payment.recorded_at),
        f" · {_edits(payment)}",
    )
    return [
        rich((bold(typed(payment_title(payment, file.customer, left, settings))),), block_id="title"),
        rich(*_payment_facts(payment, settings), block_id="facts"),
        *([rich(*lines, block_id="effect")] if lines else []),
        rich(said, block_id="context"),
        *payment_actions(payment, left, undo=None),
    ]


def _edits(payment: Payment) -> str:
    if payment.state is PaymentState.VOID:
        return "void"
    left = payment.edits_left
    if not left:
        return "cannot be assigned or un-assigned any more"
    return f"can be assigned or un-assigned {counted(left, 'more time')}"


def _payment_facts(payment: Payment, settings: Settings) -> list[tuple[Part, ...]]:
    facts: list[tuple[Part, ...]] = [
        (bold("Received "), date_text(payment.received_on, settings.locale), f" by {payment.method.value}"),
        (bold("Payer "), typed(payment.payer)),
    ]
    for label, text in (
        ("Reference ", payment.reference),
        ("Invoice named ", payment.invoice_hint),
        ("Remark ", payment.remark),
    ):
        if text:
            facts.append((bold(label), typed(text, 500)))
    if payment.proofs:
        facts.append((bold("Proof "), f"{counted(payment.proofs, 'file')}, in the thread"))
    return facts


def payment_actions(payment: Payment, left: Money, *, undo: tuple[int, str] | None) -> list[Block]:
    """The likely action first, at most three buttons, the rest in the overflow menu; none when the state is final."""
    if payment.state is PaymentState.VOID:
        return []
    value = str(payment.id)
    elements: list[Block] = []
    if undo is not None:
        operation_id, did = undo
        elements.append(undo_button(operation_id, did))
    more: list[tuple[str, str]] = []
    if payment.customer_id is None:
        elements.append(button("Assign", "payment_assign", value))
        more += [("Edit", f"edit:{value}"), ("Void", f"void:{value}")]
    else:
        if left:
            elements.append(button("Allocate", "payment_allocate", value))
        elements.append(button("Customer", "customer_show", str(payment.customer_id)))
        more += [("Take allocations back", f"unallocate:{value}"), ("Un-assign", f"unassign:{value}")]
    more += [("Add proof", f"proof:{value}"), ("Receipt", f"receipt:{value}")]
    more += [("Show entries", f"entries:{payment.number}")]
    elements.append({"type": "overflow", "action_id": "payment_more", "options": [option(*each) for each in more]})
    return [{"type": "actions", "block_id": "actions", "elements": elements}]


def _said(what: str, by: str, at: datetime, undo_until: datetime | None) -> tuple[Part, ...]:
    parts: tuple[Part, ...] = (f"{what} by ", person(by), " · ", moment(at))
    return (*parts, " · undo until ", moment(undo_until)) if undo_until is not None else parts


def invoice_title(invoice: Invoice, customer: Customer, settings: Settings) -> str:
    total = money(invoice.total, settings.locale)
    name = shorten(customer.name, 80)
    hold = ", disputed" if invoice.disputed and invoice.open else ""
    return f"{TITLES[invoice.kind]} {invoice.label} · {name} · {total} · {label_of(invoice)}{hold}"


def invoice_card(
    outcome: InvoiceChanged,
    settings: Settings,
    by: str = "",
    at: datetime | None = None,
    *,
    held: InvoiceFile | None = None,
) -> list[Block]:
    """What happened to an invoice; `held` says what keeps it from being chased, as it stands now."""
    file = InvoiceFile(
        invoice=outcome.invoice, lines=outcome.lines, customer=outcome.effect.after, allocations=outcome.allocations
    )
    if held is not None:
        file = replace(
            file, dispute=held.dispute, promise=held.promise, write_offs=held.write_offs, stopped=held.stopped
        )
    blocks = invoice_file_card(file, settings)
    moved = [rich(*effect_lines(outcome.effect, settings), block_id="effect")] if outcome.invoice.number else []
    said = [rich((f"{outcome.step.value} by ", person(by), " · ", moment(at)), block_id="context")] if by and at else []
    return [*blocks[:2], *moved, *blocks[2:-1], *said, blocks[-1]]


def invoice_file_card(file: InvoiceFile, settings: Settings) -> list[Block]:
    """An invoice as it stands."""
    invoice, customer = file.invoice, file.customer
    facts: list[tuple[Part, ...]] = [
        (
            bold("Issued "),
            date_text(invoice.issue_on, settings.locale),
            bold("  Due "),
            date_text(invoice.due_on, settings.locale),
            *_counts_from(invoice, settings),
        ),
        *(_line(line, settings) for line in file.lines[:MOST_LINES]),
        (
            bold("Net "),
            amount(invoice.net, settings.locale),
            bold("  Tax "),
            amount(invoice.tax, settings.locale),
            *((bold("  Open "), money(invoice.open, settings.locale)) if invoice.number else ()),
        ),
        *kind_facts(invoice),
        *_of_usage(invoice, settings),
    ]
    if invoice.remark:
        facts.append((bold("Remark "), typed(invoice.remark, 500)))
    blocks = [
        rich((bold(typed(invoice_title(invoice, customer, settings))),), block_id="title"),
        rich(*facts, block_id="facts"),
    ]
    if file.allocations:
        paid = [
            (bold(each.lot_number), f"  {money(each.amount, settings.locale)}")
            for each in file.allocations[:MOST_LINES]
        ]
        blocks.append(rich(*paid, block_id="allocations"))
    held = held_lines(file, settings)
    if held:
        blocks.append(rich(*held, block_id="held"))
    blocks.append(invoice_actions(invoice, settings, is_stopped=file.stopped is not None))
    return blocks


def _of_usage(invoice: Invoice, settings: Settings) -> list[tuple[Part, ...]]:
    """What was deducted of a summary already; what we owe where more was refunded than used. Rule 105."""
    if invoice.is_negative:
        owed = money(-invoice.total, settings.locale)
        return [(bold("We owe "), owed, ": more was refunded than used. It is credit, and later invoices use it up.")]
    if invoice.is_summary:
        return [(bold("Already deducted "), money(invoice.total - invoice.to_pay, settings.locale))]
    return []


def _counts_from(invoice: Invoice, settings: Settings) -> tuple[Part, ...]:
    """From when it counts, where a period lock moved it."""
    if invoice.posted_on is None or invoice.posted_on == invoice.issue_on:
        return ()
    return (bold("  Counts from "), date_text(invoice.posted_on, settings.locale))


def invoice_actions(invoice: Invoice, settings: Settings, *, is_stopped: bool = False) -> Block:
    """Send a draft; switch auto-allocation while something is open; the customer and the invoice as a file always."""
    elements: list[Block] = []
    if invoice.state is InvoiceState.DRAFT:
        elements.append(
            button(
                "Send",
                "invoice_send",
                str(invoice.id),
                style="primary",
                confirm=confirmation(
                    "Send this invoice?",
                    f"{money(invoice.total, settings.locale)} {BEFORE_SENT[invoice.kind]}",
                    yes="Send",
                ),
            )
        )
    elif invoice.open and invoice.is_owed:
        switch = "off" if invoice.auto_allocate else "on"
        value = f"{switch}:{invoice.id}:{invoice.version}"
        elements.append(button(f"Auto-allocation {switch}", "invoice_auto", value))
    elements += kind_buttons(invoice)
    elements.append(button("Customer", "customer_show", str(invoice.customer_id)))
    elements.append(button("PDF", "invoice_pdf", str(invoice.id)))
    entries = [("Show entries", "entries")] if invoice.state is not InvoiceState.DRAFT else []
    verbs = (*_holds(invoice, is_stopped=is_stopped), *kind_verbs(invoice), *entries)
    more = [option(label, f"{verb}:{invoice.id}") for label, verb in verbs]
    elements.append({"type": "overflow", "action_id": "invoice_more", "options": more})
    return {"type": "actions", "block_id": "actions", "elements": elements}


def _holds(invoice: Invoice, *, is_stopped: bool) -> list[tuple[str, str]]:
    """What may be said of an invoice that is owed."""
    if not invoice.open or invoice.kind is not InvoiceKind.TAX:
        return []
    hold = ("Resolve the dispute", "resolve") if invoice.disputed else ("Dispute", "dispute")
    chase = ("Chase again", "chase") if is_stopped else ("Do not chase", "leave")
    return [hold, ("Log a promise", "promise"), chase, ("Write off", "write_off")]


def _line(line: InvoiceLine, settings: Settings) -> tuple[Part, ...]:
    tax = f" + {line.tax_rate:f} % tax {amount(line.tax, settings.locale)}" if line.tax else ""
    return (f"{line.quantity:f} × ", typed(line.description, 200), f"  {amount(line.net, settings.locale)}{tax}")


def customer_opened(outcome: CustomerChanged, settings: Settings) -> list[Block]:
    """A customer was opened or edited."""
    customer = outcome.customer
    about = f"{customer.code} · {customer.currency.code} · {customer.mode.value} · {outcome.kind}"
    title = f"Customer {customer.name} · {about}"
    due = customer.due_days if customer.due_days is not None else settings.due_days
    facts: list[tuple[Part, ...]] = [(bold("Wallet "), customer.wallet_id), (bold("Due days "), str(due))]
    if outcome.changed:
        facts.append((bold("Changed "), ", ".join(outcome.changed)))
    if outcome.reason:
        facts.append((bold("Reason "), typed(outcome.reason, 300)))
    elements = [button("Customer", "customer_show", str(customer.id))]
    return [
        rich((bold(typed(title)),), block_id="title"),
        rich(*facts, block_id="facts"),
        {"type": "actions", "block_id": "actions", "elements": elements},
    ]
