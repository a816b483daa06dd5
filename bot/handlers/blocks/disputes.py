"""Disputes and promises on cards and forms: who said what, since when, and what it holds back."""

from collections.abc import Sequence
from datetime import date

from bot.domain.customer_file import CustomerFile
from bot.domain.disputes import Dispute, DisputeChanged
from bot.domain.ports import InvoiceFile
from bot.domain.promises import PromiseChanged, PromiseStanding, PromiseState
from bot.domain.settings import Settings
from bot.domain.write_off import WriteOffState
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, date_text, money
from bot.handlers.forms import Block, button

MOST_PROMISES = 5
MOST_DISPUTES = 5
Line = tuple[Part, ...]
RECOVERY = (
    "Money that comes in for it stays as credit; /invoice write-off {number} undo because ... makes it owed again."
)


def disputed_parts(dispute: Dispute) -> Line:
    """`disputed by @sales: wrong quantity`."""
    return ("disputed by ", person(dispute.person), ": ", typed(dispute.reason, 120))


def promise_line(standing: PromiseStanding, settings: Settings, today: date) -> Line:
    """`200.00 by 28 Nov 2026 for INV-0033 (logged by @sales), broken: 50.00 came in`."""
    made, state = standing.promise, standing.state(today)
    about = f" for {standing.label}" if made.invoice_id is not None else ""
    said = f"{amount(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}{about}"
    line: Line = (bold("Promise "), said, " (logged by ", person(made.logged_by), ")")
    if state is not PromiseState.OPEN:
        line = (*line, f", {state.value}")
    return (*line, f": {amount(standing.paid, settings.locale)} came in") if standing.paid else line


def standing_promises(promises: Sequence[PromiseStanding], today: date) -> list[PromiseStanding]:
    """Those that still say something: open, or broken with something left to pay."""
    return [each for each in promises if each.state(today) in {PromiseState.OPEN, PromiseState.BROKEN}]


def held_lines(file: InvoiceFile, settings: Settings) -> list[Line]:
    """What an invoice's card says of its dispute, its promise, and what of it is given up."""
    lines: list[Line] = []
    if file.dispute is not None:
        since = f" · since {date_text(file.dispute.on, settings.locale)}, not chased"
        dispute = file.dispute
        lines.append((bold("Disputed by "), person(dispute.person), ": ", typed(dispute.reason, 300), since))
    if file.promise is not None and file.promise.left:
        made = file.promise.promise
        said = f"{amount(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}"
        lines.append((bold("Promise "), said, " (logged by ", person(made.logged_by), ")"))
    if file.stopped is not None and file.invoice.open:
        lines.append((bold("Not chased "), typed(file.stopped, 300)))
    for each in file.write_offs:
        worth = money(each.amount, settings.locale)
        if each.state is WriteOffState.MADE and each.made_on is not None:
            lines.append((bold(each.label), f"  {worth} written off on {date_text(each.made_on, settings.locale)}"))
        else:
            lines.append((bold(each.label), f"  {worth} is to be written off, waits for approval"))
    if file.write_offs and not file.invoice.open:
        lines.append((RECOVERY.format(number=file.invoice.label),))
    return lines


def promise_lines(file: CustomerFile, settings: Settings, today: date) -> list[Line]:
    """The promises on a customer's card."""
    standing = standing_promises(file.promises, today)
    lines = [promise_line(each, settings, today) for each in standing[:MOST_PROMISES]]
    rest = len(standing) - len(lines)
    return [*lines, (f"and {rest} more",)] if rest else lines


def hidden_disputes(file: CustomerFile, settings: Settings) -> list[Line]:
    """Disputes of invoices that a customer's card has no line for."""
    shown = {invoice.id for invoice in file.open_invoices}
    hidden = [each for each in file.disputes if each.invoice_id not in shown]
    lines: list[Line] = [
        (f"one of the others, since {date_text(each.on, settings.locale)}, ", *disputed_parts(each))
        for each in hidden[:MOST_DISPUTES]
    ]
    rest = len(hidden) - len(lines)
    return [*lines, (f"and {rest} more are disputed",)] if rest else lines


def dispute_effect(outcome: DisputeChanged, settings: Settings) -> list[Block]:
    """What a dispute does, before it is confirmed."""
    invoice = outcome.invoice
    worth = money(invoice.open, settings.locale)
    says = (
        "is on hold: it stays owed and is not chased."
        if invoice.disputed
        else "is chased again like any other that is owed."
    )
    lines: list[Line] = [(bold("What will happen"),), (bold(invoice.label), f"  {worth} open {says}")]
    if outcome.since is not None:
        lines.append((f"It was disputed since {date_text(outcome.since, settings.locale)}.",))
    return [rich(*lines, block_id="effect")]


def dispute_said(outcome: DisputeChanged) -> Line:
    """The line of the invoice's thread."""
    made = outcome.dispute
    return (person(made.person), f" {outcome.step} a dispute", " · ", moment(made.at), ": ", typed(made.reason, 300))


def promise_effect(outcome: PromiseChanged, settings: Settings) -> list[Block]:
    """What a promise does, before it is confirmed."""
    made, locale = outcome.promise, settings.locale
    said = f"{money(made.amount, locale)} is promised by {date_text(made.promised_on, locale)}"
    what = "this invoice is" if made.invoice_id is not None else "nothing it owes is"
    held = f"{what} not chased until then" if made.invoice_id is not None else f"{what} chased until then"
    lines: list[Line] = [(bold("What will happen"),), (bold(outcome.label), f"  {said}; {held}.")]
    lines.append(("Kept when that much comes in by then; else it is broken and chasing goes on.",))
    if outcome.replaced is not None:
        earlier = outcome.replaced
        before = f"{money(earlier.amount, locale)} by {date_text(earlier.promised_on, locale)}"
        lines.append((f"It takes the place of {before}.",))
    return [rich(*lines, block_id="effect")]


def promise_said(outcome: PromiseChanged, settings: Settings) -> Line:
    """The line of the thread."""
    made = outcome.promise
    did = "logged a promise" if outcome.step == "logged" else "took a promise back"
    said = f": {money(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}"
    line: Line = (person(outcome.by), f" {did}{said}", " · ", moment(outcome.at))
    return (*line, " · ", typed(made.source, 200)) if made.source and outcome.step == "logged" else line


def promise_title(outcome: PromiseChanged, settings: Settings) -> str:
    made = outcome.promise
    said = f"{money(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}"
    return f"Promise of {outcome.customer.name} · {said} · {outcome.step}"


def promise_card(outcome: PromiseChanged, settings: Settings) -> list[Block]:
    """A promise about all that a customer owes."""
    customer = button("Customer", "customer_show", str(outcome.customer.id))
    return [
        rich((bold(typed(promise_title(outcome, settings))),), block_id="title"),
        rich(promise_said(outcome, settings), block_id="context"),
        {"type": "actions", "block_id": "actions", "elements": [customer]},
    ]
