"""The card of a write-off: the evidence for those who decide, and what became of it."""

from bot.domain.approvals import ApprovalChanged
from bot.domain.settings import Settings
from bot.domain.write_off import WriteOffChanged, WriteOffFile, WriteOffState
from bot.handlers.blocks.approvals import decision_said
from bot.handlers.blocks.disputes import RECOVERY
from bot.handlers.blocks.effects import effect_lines
from bot.handlers.blocks.rich import Part, bold, moment, person, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, money, shorten
from bot.handlers.forms import Block, button, confirmation

Line = tuple[Part, ...]
REST = "The rest stays owed; /invoice write-off {number} undo because ... reverses this."
PERMANENT = "It is given up for good: no more reminders, and money that comes in later stays as credit."


def write_off_title(file: WriteOffFile, settings: Settings) -> str:
    """The first line, which notifications and searches show."""
    made = file.write_off
    worth = money(made.amount, settings.locale)
    return f"Write-off {made.label} · {shorten(file.customer.name, 80)} · {worth} · {write_off_status(file)}"


def write_off_status(file: WriteOffFile) -> str:
    """The state as words; a request says how many approvals are missing."""
    waits = file.approval is not None and file.write_off.state is WriteOffState.REQUESTED
    return file.approval.status if waits and file.approval is not None else file.write_off.status


def write_off_card(file: WriteOffFile, settings: Settings) -> list[Block]:
    """Title, evidence, who asked, and the buttons that decide."""
    return [
        rich((bold(typed(write_off_title(file, settings))),), block_id="title"),
        rich(*_facts(file, settings), block_id="facts"),
        rich(_asked(file), *_decided(file), block_id="context"),
        *_actions(file, settings),
    ]


def _facts(file: WriteOffFile, settings: Settings) -> list[Line]:
    """Which invoice, how old, what is open of it now, why; and what was given up before."""
    made, invoice, locale = file.write_off, file.invoice, settings.locale
    age = (made.requested_at.date() - invoice.due_on).days
    due = f"{counted(age, 'day')} late when asked" if age > 0 else f"due {date_text(invoice.due_on, locale)}"
    facts: list[Line] = [
        (
            bold("Invoice "),
            f"{invoice.label} of {date_text(invoice.issue_on, locale)}, total {amount(invoice.total, locale)}",
            bold("  Age "),
            due,
        ),
        (bold("Open "), _open(file, settings), bold("  Customer "), typed(file.customer.name, 80)),
        (bold("Reason "), typed(made.reason, 500)),
    ]
    if made.state is WriteOffState.REQUESTED and file.invoice.disputed:
        facts.append(("The invoice is disputed.",))
    earlier = ", ".join(f"{each.label} {amount(each.amount, locale)}" for each in file.earlier)
    facts.append((bold("Written off before "), earlier or "nothing"))
    if made.state is WriteOffState.MADE and made.made_on is not None:
        facts.append((bold("Counts from "), date_text(made.made_on, locale)))
        rest = RECOVERY if not invoice.open else REST
        facts.append((rest.format(number=invoice.label),))
    if made.state is WriteOffState.UNDONE and made.undone_on is not None:
        facts.append((bold("Reversed, from "), date_text(made.undone_on, locale)))
    return facts


def _open(file: WriteOffFile, settings: Settings) -> str:
    """`100.00 → 0.00` while it waits; what is open now afterwards."""
    now, locale = file.invoice.open, settings.locale
    if file.write_off.state is not WriteOffState.REQUESTED:
        return amount(now, locale)
    if now < file.write_off.amount:
        return f"{amount(now, locale)}, less than asked"
    return f"{amount(now, locale)} → {amount(now - file.write_off.amount, locale)}"


def _asked(file: WriteOffFile) -> Line:
    made = file.write_off
    asked: Line = ("asked by ", person(made.requested_by), " · ", moment(made.requested_at))
    if made.state is not WriteOffState.REQUESTED or file.approval is None:
        return asked
    needs: Line = (" · needs a manager, not ", person(made.requested_by))
    return (*asked, " · expires ", moment(file.approval.expires_at), *needs)


def _decided(file: WriteOffFile) -> list[Line]:
    if file.approval is None:
        return []
    lines: list[Line] = [("approved by ", person(each)) for each in file.approval.approvers]
    if file.approval.reason:
        lines.append(("Reason to reject: ", typed(file.approval.reason, 500)))
    return lines


def _actions(file: WriteOffFile, settings: Settings) -> list[Block]:
    made, approval = file.write_off, file.approval
    customer = button("Customer", "customer_show", str(made.customer_id))
    if made.state is WriteOffState.MADE:
        elements = [button("Reverse…", "write_off_undo", str(made.id)), customer]
    elif made.state is WriteOffState.REQUESTED and approval is not None:
        value = f"{approval.id}:{approval.version}"
        sure = confirmation(
            "Write this off?",
            f"{money(made.amount, settings.locale)} of {shorten(file.customer.name, 80)} is given up.",
            yes="Write off",
        )
        elements = [
            button("Approve", "approval_approve", value, style="primary", confirm=sure),
            button("Reject…", "approval_reject", value, style="danger"),
            button("Cancel…", "write_off_cancel", str(approval.id)),
        ]
    else:
        return []
    return [{"type": "actions", "block_id": "actions", "elements": elements}]


def write_off_effect(outcome: WriteOffChanged, settings: Settings) -> list[Block]:
    """What a request asks for, or what a reversal does, before it is confirmed."""
    made, invoice, locale = outcome.write_off, outcome.invoice, settings.locale
    lines: list[Line] = [(bold("What will happen"),)]
    if outcome.step == "requested":
        left = invoice.open - made.amount
        lines.append((bold(invoice.label), f"  {amount(invoice.open, locale)} → {amount(left, locale)} once approved"))
        people = "one other manager approves" if outcome.needed == 1 else "two other managers approve"
        lines += [(f"Nothing is given up until {people}.",), ("The rest stays owed." if left else PERMANENT,)]
    else:
        lines.append((bold(invoice.label), f"  {money(made.amount, locale)} is owed again"))
        lines += [(f"{amount(each.amount, locale)} of ", bold(each.lot_number), " pays it") for each in outcome.made]
        lines += effect_lines(outcome.effect, settings)
    return [rich(*lines, block_id="effect")]


def write_off_said(outcome: WriteOffChanged | ApprovalChanged) -> Line:
    """The line of the thread."""
    if isinstance(outcome, ApprovalChanged):
        return decision_said(outcome)
    said: Line = (person(outcome.by), f" {outcome.step}", " · ", moment(outcome.at))
    return (*said, ": ", typed(outcome.said or outcome.write_off.reason, 300))
