"""The home tab as blocks: what waits, ageing at a glance, what one did last, what is left to set up."""

from collections.abc import Sequence
from datetime import date

from bot.domain.mail import KeptMail
from bot.domain.operation import Role
from bot.domain.promises import PromiseStanding
from bot.domain.receivables import Ageing
from bot.domain.settings import Settings
from bot.domain.worklist import Done, Pile, Worklist
from bot.handlers.blocks.mails import STATES
from bot.handlers.blocks.rich import Part, bold, moment, person, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, money, plain, shorten, table
from bot.handlers.blocks.undo import undo_button
from bot.handlers.forms import Block, button, context

NOTHING_HERE = (
    "You have no access to these books. An administrator grants it with /duedesk grant @you viewer, clerk or manager."
)
MOST_SUMS = 6
MOST_BROKEN = 5


def closed_home(sentence: str = NOTHING_HERE) -> list[Block]:
    """The page of somebody without a right: how to get one, and nothing of the books."""
    return [rich((bold("Duedesk"),), sentence, block_id="closed")]


def home_blocks(
    work: Worklist, ageing: Ageing, settings: Settings, *, role: Role, today: date, todo: Sequence[str]
) -> list[Block]:
    """The page of somebody entitled, with the buttons their role may press."""
    may_write = role >= Role.CLERK
    title = " · ".join(each for each in (settings.company, date_text(today, settings.locale)) if each)
    blocks: list[Block] = [{"type": "header", "block_id": "title", "text": plain(shorten(title, 140))}]
    begin = [button("Record a payment", "home_record", "record", style="primary")] if may_write else []
    begin.append(button("Find a customer", "home_find", "find"))
    blocks.append({"type": "actions", "block_id": "begin", "elements": begin})
    if todo:
        blocks.append(rich((bold("To do before the first day"),), *((f"• {line}",) for line in todo), block_id="todo"))
    blocks += _waiting(work, settings, may_write=may_write)
    blocks += _mails(work.mails) if may_write else []
    if role >= Role.ADMINISTRATOR and work.undelivered:
        lines = [(f"• {error}: {counted(count, 'message')}",) for error, count in work.undelivered]
        hint = "The operator sees them with duedesk outbox list."
        blocks.append(rich((bold("Not delivered"),), *lines, hint, block_id="undelivered"))
    blocks += _glance(ageing, settings)
    blocks += _done(work.done, may_write=may_write)
    return blocks


def reminders_today(said: str) -> list[Block]:
    """Today's plan of reminders in a line, its card a press away; nothing while there is none."""
    return [_line(said, button("Open", "reminders_today", "today"), block_id="reminders")] if said else []


def _waiting(work: Worklist, settings: Settings, *, may_write: bool) -> list[Block]:
    blocks: list[Block] = [_rule("waits"), *_away(work, settings)]
    if not (work.unassigned.count or work.left_over.count or work.drafts.count or work.waiting or work.broken):
        return [*blocks, rich((bold("What waits"),), "Nothing waits.", block_id="waits")]
    lines: list[tuple[Part, ...]] = []
    if work.left_over.count:
        sums = _sums(work.left_over, settings)
        lines.append((f"{counted(work.left_over.count, 'payment')} with money left over: {sums}",))
    blocks.append(rich((bold("What waits"),), *lines, block_id="waits"))
    if work.unassigned.count:
        blocks.append(_pile("Not assigned", "payment", work.unassigned, settings, block_id="unassigned"))
        for line in work.unassigned_lines:
            payment = line.payment
            received = date_text(payment.received_on, settings.locale)
            said = f"{payment.number} · {money(payment.amount, settings.locale)} · {payment.payer} · {received}"
            press = button("Assign", "payment_assign", payment.number) if may_write else None
            blocks.append(_line(said, press, block_id=f"unassigned:{payment.number}"))
    if work.waiting:
        blocks.append(rich((bold("For approval"),), block_id="approvals"))
        for each in work.waiting:
            request: tuple[Part, ...] = (
                bold(each.label),
                f"  {money(each.amount, settings.locale)} · " if each.amount else "  ",
                f"{each.status} · asked by ",
                person(each.requester),
                " · ",
                moment(each.requested_at),
            )
            blocks.append(rich(request, block_id=f"approval:{each.id}"))
            press = button("Open", "home_approval", str(each.id))
            blocks.append({"type": "actions", "block_id": f"open:{each.id}", "elements": [press]})
    if work.broken:
        blocks += _broken(work.broken, settings)
    if work.drafts.count:
        blocks.append(_pile("Not sent", "invoice", work.drafts, settings, block_id="drafts"))
        for draft in work.draft_lines:
            invoice = draft.invoice
            issued = date_text(invoice.issue_on, settings.locale)
            said = f"{invoice.label} · {draft.customer_name} · {money(invoice.total, settings.locale)} · {issued}"
            press = button("Open", "home_invoice", str(invoice.id))
            blocks.append(_line(said, press, block_id=f"draft:{invoice.id}"))
    return blocks


def _away(work: Worklist, settings: Settings) -> list[Block]:
    """Who decides approvals in whose place, as long as it lasts."""
    lines: list[tuple[Part, ...]] = [
        ("You decide approvals for ", person(each.principal), " until ", moment(each.until)) for each in work.mandates
    ]
    if work.delegation is not None:
        last = date_text(work.delegation.last_day, settings.locale)
        lines.append((person(work.delegation.stand_in), f" decides approvals in your place until {last}"))
    return [rich(*lines, block_id="away")] if lines else []


def _broken(broken: Sequence[PromiseStanding], settings: Settings) -> list[Block]:
    """Promises that were not kept, each with its customer a press away."""
    blocks: list[Block] = [rich((bold("Broken promises"), f"  {len(broken):,}"), block_id="broken")]
    for each in broken[:MOST_BROKEN]:
        made = each.promise
        said = f"{each.label} · {money(made.amount, settings.locale)} by {date_text(made.promised_on, settings.locale)}"
        came = f" · {money(each.paid, settings.locale)} came in" if each.paid else ""
        press = button("Customer", "customer_show", str(made.customer_id))
        blocks.append(_line(f"{said}{came}", press, block_id=f"broken:{made.id}"))
    return blocks


def _mails(mails: Sequence[KeptMail]) -> list[Block]:
    """Mails that somebody has to look after, each a press away from what can be done."""
    if not mails:
        return []
    blocks: list[Block] = [rich((bold("E-mail in trouble"),), block_id="mails")]
    for each in mails:
        said = f"{each.mail.subject} · {STATES[each.state]} · {each.answer}"
        blocks.append(_line(said, button("Open", "mail_show", str(each.mail.id)), block_id=f"mail:{each.mail.id}"))
    return blocks


def _rule(before: str) -> Block:
    return {"type": "divider", "block_id": f"rule_{before}"}


def _line(said: str, press: Block | None, *, block_id: str) -> Block:
    """One document on a line, with what can be done to it beside it."""
    made: Block = {"type": "section", "block_id": block_id, "text": plain(typed(said, 200))}
    return {**made, "accessory": press} if press is not None else made


def _pile(heading: str, noun: str, pile: Pile, settings: Settings, *, block_id: str) -> Block:
    return rich((bold(heading), f"  {counted(pile.count, noun)}, {_sums(pile, settings)}"), block_id=block_id)


def _sums(pile: Pile, settings: Settings) -> str:
    shown = ", ".join(money(each, settings.locale) for each in pile.sums[:MOST_SUMS])
    left = len(pile.sums) - MOST_SUMS
    return f"{shown} and {left} more currencies" if left > 0 else shown


def _glance(ageing: Ageing, settings: Settings) -> list[Block]:
    """Per currency what is owed, what of it is overdue, and credit that pays nothing yet."""
    blocks: list[Block] = [_rule("ageing")]
    if not ageing.totals:
        return [*blocks, rich((bold("Aged receivables"),), "Nothing is owed and no credit is held.", block_id="ageing")]
    rows = [
        [
            sums.currency.code,
            amount(sums.total, settings.locale),
            amount(sums.total - sums.buckets[0], settings.locale),
            amount(sums.buckets[-1], settings.locale),
            amount(sums.unapplied, settings.locale),
        ]
        for sums in ageing.totals
    ]
    headings = ("", "owed", "overdue", ageing.labels[-1], "unapplied")
    return [
        *blocks,
        rich((bold("Aged receivables"),), block_id="ageing"),
        preformatted(table(rows, headings, ("left", *("right",) * 4)), block_id="glance"),
        context("All of it, by customer and at any day: /aging", block_id="ageing_how"),
    ]


def _done(done: Sequence[Done], *, may_write: bool) -> list[Block]:
    if not may_write:
        return []
    blocks: list[Block] = [_rule("done")]
    if not done:
        return [*blocks, rich((bold("What you did last"),), "Nothing in the last seven days.", block_id="done")]
    blocks.append(rich((bold("What you did last"),), block_id="done"))
    for each in done:
        line = rich((moment(each.at), "  ", typed(each.description, 200)), block_id=f"done:{each.operation_id}")
        blocks.append(line)
        if each.is_undoable:
            press = undo_button(each.operation_id, each.description)
            blocks.append({"type": "actions", "block_id": f"undo:{each.operation_id}", "elements": [press]})
    return blocks
