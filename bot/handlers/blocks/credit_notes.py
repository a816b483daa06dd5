"""The card of a credit note: what it credits, what it is applied to, and what can be done with it."""

from collections.abc import Sequence

from bot.domain.approvals import ApprovalChanged
from bot.domain.credit_note import CreditNote, NoteChanged, NoteFile, NoteLine, NoteState
from bot.domain.money import Money
from bot.domain.settings import Settings
from bot.handlers.blocks.approvals import decided_lines, deciding, decision_said
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, date_text, money, shorten, table
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button, confirmation, option

MOST_LINES = 8


def note_title(file: NoteFile, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    note = file.note
    worth = money(note.total, settings.locale)
    return f"Credit note {note.label} · {shorten(file.customer.name, 80)} · {worth} · {note_status(file)}"


def note_status(file: NoteFile) -> str:
    """The state as words; a draft that waits says how many approvals are missing."""
    waits = file.approval is not None and file.note.state is NoteState.DRAFT
    return file.approval.status if waits and file.approval is not None else file.note.status


def note_card(file: NoteFile, settings: Settings, outcome: NoteChanged | None = None) -> list[Block]:
    """Title, lines, what it is applied to, who drafted it, and the next step; undo while it can be undone."""
    note = file.note
    blocks = [
        rich((bold(typed(note_title(file, settings))),), block_id="title"),
        rich(*_facts(file, settings), block_id="facts"),
    ]
    if file.allocations:
        paid = [
            (
                bold(each.invoice_number),
                f"  {amount(each.amount, settings.locale)} → {_left(each.invoice_open, settings)}",
            )
            for each in file.allocations[:MOST_LINES]
        ]
        blocks.append(rich((bold("Applied to"),), *paid, block_id="applied"))
    said: tuple[Part, ...] = ("drafted by ", person(note.drafted_by), " · ", moment(note.drafted_at))
    decided = decided_lines(file.approval) if file.approval is not None else []
    if outcome is not None and outcome.undo_until is not None:
        said = (*said, " · undo until ", moment(outcome.undo_until))
    return [*blocks, rich(said, *decided, block_id="context"), *_actions(file, settings, outcome)]


def _left(of: Money, settings: Settings) -> str:
    return f"{amount(of, settings.locale)} left" if of else "paid"


def _facts(file: NoteFile, settings: Settings) -> list[tuple[Part, ...]]:
    note, locale = file.note, settings.locale
    about: tuple[Part, ...] = (bold("  Of "), file.invoice_label) if file.invoice_label else ()
    facts: list[tuple[Part, ...]] = [
        (bold("Dated "), date_text(note.issue_on, locale), bold("  Because of "), note.code.value, *about),
        *(note_line(each, settings) for each in file.lines[:MOST_LINES]),
        (bold("Net "), amount(note.net, locale), bold("  Tax "), amount(note.tax, locale), *_open(note, settings)),
    ]
    if note.reason:
        facts.append((bold("Reason "), typed(note.reason, 500)))
    return facts


def _open(note: CreditNote, settings: Settings) -> tuple[Part, ...]:
    return (bold("  Not applied yet "), money(note.open, settings.locale)) if note.state is NoteState.SENT else ()


def note_line(each: NoteLine, settings: Settings) -> tuple[Part, ...]:
    """What a line credits, net and tax."""
    line = each.line
    tax = f" + {line.tax_rate:f} % tax {amount(line.tax, settings.locale)}" if line.tax else ""
    return (typed(line.description, 200), f"  {amount(line.net, settings.locale)}{tax}")


def _actions(file: NoteFile, settings: Settings, outcome: NoteChanged | None) -> list[Block]:
    note, value = file.note, str(file.note.id)
    customer = button("Customer", "customer_show", str(note.customer_id))
    if note.state is NoteState.VOID:
        return []
    if note.state is NoteState.DRAFT:
        elements = [*_approving(file, settings), customer]
        more = [option("Copy", f"copy:{value}"), option("Give it up", f"void:{value}")]
    else:
        elements = [button("Apply", "note_apply", value, style="primary")] if note.open else []
        if outcome is not None and outcome.undo_until is not None:
            elements.append(undo_button(outcome.operation_id, outcome.trace().description))
        elements.append(customer)
        more = [option("PDF", f"pdf:{value}"), option("Copy", f"copy:{value}")]
        more += [option("Take it back", f"unapply:{value}")] if file.allocations else [option("Void", f"void:{value}")]
    elements.append({"type": "overflow", "action_id": "note_more", "options": more})
    return [{"type": "actions", "block_id": "actions", "elements": elements}]


def _approving(file: NoteFile, settings: Settings) -> list[Block]:
    """The buttons that decide a draft: by policy the request for it, or a manager alone."""
    note = file.note
    worth = f"{money(note.total, settings.locale)} for {shorten(file.customer.name, 80)}"
    sure = confirmation(
        "Approve this credit note?", f"{worth} is credited and the note gets its number.", yes="Approve"
    )
    if file.approval is None:
        return [button("Approve", "note_approve", str(note.id), style="primary", confirm=sure)]
    return deciding(file.approval, sure)


def note_effect(outcome: NoteChanged, settings: Settings) -> list[Block]:
    """What will happen, before it is confirmed."""
    note, locale = outcome.note, settings.locale
    name = typed(outcome.effect.after.name)
    lines: list[tuple[Part, ...]] = [
        (bold("What will happen"),),
        (f"Credit note of {money(note.total, locale)} for ", name, f" {outcome.step}"),
    ]
    if outcome.step == "drafted":
        lines += [note_line(each, settings) for each in outcome.lines[:MOST_LINES]]
        people = {0: "A manager approves it.", 1: "One other manager approves it.", 2: "Two other managers approve it."}
        lines.append((people[outcome.needed],))
    for touched in outcome.effect.touched[:MOST_LINES]:
        invoice = touched.invoice
        lines.append(
            (bold(invoice.label), f"  {amount(touched.open_before, locale)} → {_left(invoice.open, settings)}")
        )
    if outcome.made or outcome.taken_back:
        lines.append((f"{money(note.open, locale)} of the note is left",))
        lines += effect_lines(outcome.effect, settings)
    return [rich(*lines, block_id="effect")]


def note_said(outcome: NoteChanged | ApprovalChanged, settings: Settings) -> tuple[Part, ...]:
    """The line of the thread."""
    if isinstance(outcome, ApprovalChanged):
        return decision_said(outcome)
    said: tuple[Part, ...] = (person(outcome.by), f" {outcome.step}", " · ", moment(outcome.at))
    matches = [
        f"{amount(each.amount, settings.locale)} {link} {each.invoice_number}"
        for link, each in (*(("to", each) for each in outcome.made), *(("from", each) for each in outcome.taken_back))
    ]
    told = "; ".join(matches[:MOST_LINES]) or outcome.said
    return (*said, " · ", typed(told, 300)) if told else said


def note_table(lines: Sequence[tuple[CreditNote, str]], settings: Settings) -> str:
    rows = [
        [
            note.label,
            shorten(name, 26),
            note.status,
            amount(note.open, settings.locale),
            money(note.total, settings.locale),
        ]
        for note, name in lines
    ]
    return table(rows, ("number", "customer", "state", "left", "total"), ("left", "left", "left", "right", "right"))
