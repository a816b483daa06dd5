"""The customer at a glance: each line is one small function of what the books say, and what is empty is left out."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.domain.customer_file import CustomerFile
from bot.domain.customers import Contact, Customer, CustomerState, Mode
from bot.domain.money import Money
from bot.domain.open_items import CALLED, InvoiceKind, Lot, LotKind
from bot.domain.settings import Settings
from bot.handlers.blocks.disputes import disputed_parts, hidden_disputes, promise_lines
from bot.handlers.blocks.reminder_terms import contact_line, reminder_actions, terms_lines
from bot.handlers.blocks.rich import Part, bold, rich, typed
from bot.handlers.blocks.terms import limit_parts
from bot.handlers.blocks.text import amount, balance, counted, date_text, money, plain, shorten
from bot.handlers.blocks.top_ups import rule_parts
from bot.handlers.forms import Block, button, option

Line = tuple[Part, ...]
KINDS = {
    LotKind.PAYMENT: "payment",
    LotKind.TOP_UP: "top-up",
    LotKind.NEGATIVE_INVOICE: "negative invoice",
    LotKind.CREDIT_NOTE: "credit note",
}
# How a customer comes to another state.
STATES = (
    (CustomerState.SUSPENDED, "Suspend", "suspend"),
    (CustomerState.CLOSED, "Close", "close"),
    (CustomerState.ACTIVE, "Open again", "reopen"),
)
# What can be chosen for a customer: the label, the verb, and the states in which it is offered.
OPEN = frozenset({CustomerState.ACTIVE, CustomerState.SUSPENDED})
MENU: tuple[tuple[str, str, frozenset[CustomerState]], ...] = (
    ("New invoice", "invoice", OPEN),
    ("Credit note", "note", OPEN),
    ("Withdraw", "withdraw", OPEN),
    ("Credit limit", "limit", OPEN),
    ("Payment mode", "mode", OPEN),
    ("Payment settings", "settings", OPEN),
    ("Edit", "edit", frozenset(CustomerState)),
    *((label, verb, frozenset(CustomerState) - {state}) for state, label, verb in STATES),
)


@dataclass(frozen=True, slots=True)
class View:
    """What a line is drawn from."""

    file: CustomerFile
    settings: Settings
    now: datetime

    @property
    def customer(self) -> Customer:
        return self.file.customer

    def of(self, micros: int) -> str:
        return amount(Money(micros, self.customer.currency), self.settings.locale)


def customer_card(file: CustomerFile, settings: Settings, now: datetime) -> list[Block]:
    """Mode, balance, limit and use, what is open and late, credits, what waits, what was paid last."""
    view = View(file, settings, now)
    customer = file.customer
    title = (
        f"{customer.name} · {customer.code} · {customer.wallet_id} · {customer.currency.code} · {customer.mode.value}"
    )
    blocks = [rich((bold(typed(title)), f"   {standing(customer, now)}"), block_id="title")]
    for block_id, draws in SECTIONS:
        lines = [line for draw in draws for line in draw(view)]
        if lines:
            blocks.append(rich(*lines, block_id=block_id))
    reminders = reminder_actions(customer, file.reminders, settings) if file.reminders is not None else []
    return [*blocks, *reminders, _actions(customer)]


def standing(customer: Customer, now: datetime) -> str:
    """Its state as a word; what is left to spend counts for those who spend. Rule 114."""
    if customer.state is not CustomerState.ACTIVE:
        return customer.state.value
    if not _spends(customer):
        return "active"
    return "operational" if customer.is_operational(now) else "non operational"


def _spends(customer: Customer) -> bool:
    """Whether what is left to spend means anything: paid ahead, given a limit, or using something already."""
    held = customer.controls
    return customer.mode is Mode.PREPAID or any((customer.limit_micros, held.unbilled, held.reserved))


def balance_line(view: View) -> list[Line]:
    customer, locale = view.customer, view.settings.locale
    unbilled = balance(Money(-customer.controls.unbilled, customer.currency), locale)
    parts = f" = unbilled {unbilled} + due {balance(-customer.amount_due, locale)}"
    return [(bold("Balance "), balance(customer.balance, locale), parts)]


def limit_line(view: View) -> list[Line]:
    """The limit in force and until when, what may be spent, and how much of the limit is in use. Rule 61."""
    return [limit_parts(view.customer, view.settings, view.now)]


def held_line(view: View) -> list[Line]:
    """What is neither due nor to be spent: reserved, paid ahead on proformas, and withdrawn but not paid out yet."""
    held = view.customer.controls
    figures = (("Reserved", held.reserved), ("Advances", held.advances), ("To be paid out", held.payouts_due))
    parts: list[Part] = []
    for label, micros in figures:
        if micros:
            parts += [bold(f"{'  ' if parts else ''}{label} "), view.of(micros)]
    return [tuple(parts)] if parts else []


def top_up_line(view: View) -> list[Line]:
    """How it is topped up by itself. Rule 70."""
    rule = view.file.payment_settings
    return [rule_parts(rule, view.settings)] if rule is not None else []


def lately_line(view: View) -> list[Line]:
    """Usage of the running month, and the last payment."""
    used, paid = view.file.month_usage, view.file.last_payment
    parts: list[Part] = []
    if used:
        parts += [bold("Usage this month "), amount(used, view.settings.locale)]
    if paid is not None:
        day = date_text(paid.received_on, view.settings.locale)
        worth = amount(paid.amount, view.settings.locale)
        parts += [bold(f"{'  ' if parts else ''}Last payment "), f"{paid.number}, {worth} on {day}"]
    return [tuple(parts)] if parts else []


def open_lines(view: View) -> list[Line]:
    """Open invoices, the oldest due first, with the days they are late."""
    file, locale = view.file, view.settings.locale
    if not file.open_invoices:
        return []
    today = view.settings.today(view.now)
    lines: list[Line] = [(bold(f"Open invoices ({file.open_count:,})"),)]
    disputes = {each.invoice_id: each for each in file.disputes}
    for invoice in file.open_invoices:
        late = (today - invoice.due_on).days
        due = f"{counted(late, 'day')} late" if late > 0 else f"due {date_text(invoice.due_on, locale)}"
        kind = "" if invoice.kind is InvoiceKind.TAX else f", {CALLED[invoice.kind]}"
        held = (", ", *disputed_parts(disputes[invoice.id])) if invoice.id in disputes else ()
        lines.append((bold(invoice.label), f"  {amount(invoice.open, locale)}  {due}{kind}", *held))
    if file.open_count > len(file.open_invoices):
        lines.append((f"and {file.open_count - len(file.open_invoices):,} more",))
    return [*lines, *hidden_disputes(file, view.settings)]


def promised_lines(view: View) -> list[Line]:
    """What the customer promised to pay, open or broken."""
    return promise_lines(view.file, view.settings, view.settings.today(view.now))


def reminder_lines(view: View) -> list[Line]:
    """What it was sent last, what comes next and why not; nothing for who is never reminded. Rule 85."""
    standing = view.file.reminders
    if standing is None or (standing.facts is None and standing.last is None):
        return []
    return [contact_line(standing, view.settings), *terms_lines(standing, view.settings)]


def credit_lines(view: View) -> list[Line]:
    """Credit that pays nothing yet: payments, issued credit, credit notes; what has no room is told as a sum."""
    file, held = view.file, view.customer.controls
    lots = [*file.unapplied, *(note.as_lot() for note in file.notes)]
    if not lots:
        return []
    rest = held.deposits + held.credit_notes - sum(lot.open.micros for lot in lots)
    more: list[Line] = [(f"and {money(Money(rest, view.customer.currency), view.settings.locale)} more",)]
    return [(bold("Not applied yet"),), *(_credit(lot, view) for lot in lots), *(more if rest else [])]


def _credit(lot: Lot, view: View) -> Line:
    kind = KINDS.get(lot.kind, lot.kind.value)
    of = "" if lot.open == lot.amount else f" of {view.of(lot.amount.micros)}"
    held = f", {view.of(lot.held.micros)} reserved" if lot.held else ""
    return (bold(lot.number), f"  {view.of(lot.open.micros)}{of}  {kind}{held}")


def waiting_lines(view: View) -> list[Line]:
    """What other people decide, and what was approved and has not been paid out yet."""
    file = view.file
    lines: list[Line] = [
        (bold(each.label), f"  {view.of(each.amount.micros)}  {_asked(each.operation)}, {each.status}")
        for each in file.waiting
    ]
    lines += [
        (bold(each.number), f"  {view.of(each.amount.micros)}  withdrawal, to be paid by {each.gateway.value}")
        for each in file.to_pay
    ]
    return [(bold("Waiting"),), *lines] if lines else []


def _asked(operation: str) -> str:
    return operation.replace("_", " ")


def draft_line(view: View) -> list[Line]:
    file = view.file
    drafts = ((file.draft_invoices, "invoice"), (file.draft_notes, "credit note"))
    said = ", ".join(counted(number, noun) for number, noun in drafts if number)
    return [(bold("Drafts "), said)] if said else []


def contact_lines(view: View) -> list[Line]:
    contacts = view.file.contacts
    return [(bold("Contacts"),), *(_contact(each) for each in contacts)] if contacts else []


def _contact(contact: Contact) -> Line:
    return (typed(" · ".join(each for each in (contact.name, contact.email, contact.phone) if each)),)


Draw = Callable[[View], list[Line]]
# The card from top to bottom: a block, and the lines in it. What is new about a customer is one more function here.
SECTIONS: tuple[tuple[str, tuple[Draw, ...]], ...] = (
    ("figures", (balance_line, limit_line, top_up_line, held_line, lately_line)),
    ("open", (open_lines,)),
    ("credits", (credit_lines,)),
    ("promises", (promised_lines, reminder_lines)),
    ("waiting", (waiting_lines, draft_line)),
    ("contacts", (contact_lines,)),
)


def _actions(customer: Customer) -> Block:
    """The likely action first, the rest to choose from; a closed customer takes no money and no document."""
    value = str(customer.id)
    elements: list[Block] = []
    if customer.state is not CustomerState.CLOSED:
        elements.append(button("Record payment", "customer_pay", value, style="primary"))
    elements.append(button("Statement", "customer_statement", value))
    options = [option(label, f"{verb}:{value}") for label, verb, states in MENU if customer.state in states]
    elements.append(
        {
            "type": "static_select",
            "action_id": "customer_more",
            "placeholder": plain("More"),
            "options": options,
        }
    )
    return {"type": "actions", "block_id": "actions", "elements": elements}


def customer_text(customer: Customer) -> str:
    """The card in a line, for notifications."""
    return f"Customer {shorten(customer.name, 100)} ({customer.code})"
