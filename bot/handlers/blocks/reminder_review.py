"""The messages of a plan in pages, each with why it is sent and what can be done to it; who is left out; the log."""

from collections.abc import Sequence

from bot.domain.mail import KeptMail
from bot.domain.reminder_ports import Message, MessageState, ReminderRun, RunState
from bot.domain.reminder_views import LeftLine, PlanLine
from bot.domain.settings import Settings
from bot.handlers.blocks.reminder_texts import letter_blocks
from bot.handlers.blocks.reminders import level_name, plan_day, section_of
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, fitted, money, short_date, shorten
from bot.handlers.forms import Block, button, context, option

A_PAGE = 10
MOST_ROWS = 20
MOST_NUMBERS = 5
STATES = {
    MessageState.PLANNED: "",
    MessageState.EXCLUDED: "left out",
    MessageState.QUEUED: "on its way",
    MessageState.SENT: "sent",
    MessageState.FAILED: "failed",
    MessageState.BOUNCED: "came back",
    MessageState.UNKNOWN: "not known whether sent",
    MessageState.EXPIRED: "too late",
    MessageState.DROPPED: "not sent",
}


def review_blocks(
    run: ReminderRun, lines: Sequence[PlanLine], page: int, settings: Settings, *, may_write: bool
) -> list[Block]:
    """A page of a plan: to whom, about what, why, and what can be done."""
    pages = max(1, -(-len(lines) // A_PAGE))
    page = min(max(page, 0), pages - 1)
    head = f"Reminders for {plan_day(run.day, settings)}, {run.state.value}"
    said = f"{counted(len(lines), 'message')}, page {page + 1:,} of {pages:,}; first those to look at"
    blocks = [rich((bold(head),), (said,), block_id="title")]
    for place, each in enumerate(lines[page * A_PAGE : (page + 1) * A_PAGE]):
        menu = _menu(run, each.message, place, may_write=may_write)
        blocks.append(section_of(line_text(each, settings), block_id=f"message:{each.message.id}", accessory=menu))
    elements = [button("Refresh", "reminders_page_0", f"{run.id}:{page}")]
    if page:
        elements.append(button("Previous", "reminders_page_1", f"{run.id}:{page - 1}"))
    if page + 1 < pages:
        elements.append(button("Next", "reminders_page_2", f"{run.id}:{page + 1}"))
    return [*blocks, {"type": "actions", "block_id": "pages", "elements": elements}]


def line_text(each: PlanLine, settings: Settings) -> str:
    """`Acme Pte Ltd · SGD 200.00 · level 1 · left out: they called`, and a line on each of its invoices."""
    made = each.message
    state = STATES[made.state]
    note = f": {shorten(made.note, 200)}" if made.note else ""
    own = " · text of its own" if made.subject is not None else ""
    parts = [shorten(each.customer_name, 80), money(made.open, settings.locale), level_name(made.level)]
    parts += [f"{state}{note}"] if state else []
    lines = [f"{' · '.join(parts)}{own}"]
    lines += [f"Look at it: {made.look_at}"] if made.look_at else []
    lines += [f"{line.number} {amount(line.open, settings.locale)}, {line.why}" for line in made.lines[:MOST_NUMBERS]]
    more = len(made.lines) - MOST_NUMBERS
    lines += [f"and {counted(more, 'invoice')} more"] if more > 0 else []
    return "\n".join(lines)


def _menu(run: ReminderRun, message: Message, place: int, *, may_write: bool) -> Block:
    """What can be done to a message as it and its plan stand."""
    value = f"{message.id}:{message.version}"
    choices = [("Read it", f"read:{value}")]
    waits = run.state in {RunState.PLANNED, RunState.HELD, RunState.RELEASED}
    if may_write and waits and message.state is MessageState.PLANNED:
        choices += [("Leave out", f"exclude:{value}"), ("Edit", f"edit:{value}"), ("Test to me", f"test:{value}")]
    elif may_write and waits and message.state is MessageState.EXCLUDED:
        choices.append(("Take in again", f"include:{value}"))
    choices.append(("Customer", f"customer:{value}"))
    return {"type": "overflow", "action_id": f"reminder_more_{place}", "options": [option(*each) for each in choices]}


def read_blocks(
    each: PlanLine, letter: tuple[str, str] | None, why_not: str, mail: KeptMail | None, settings: Settings
) -> list[Block]:
    """One message: why it is sent, and what it says or said."""
    blocks = [section_of(line_text(each, settings), block_id="message")]
    if mail is not None:
        fared = f"{mail.state.value}{f': {mail.answer}' if mail.answer else ''}"
        blocks.append(
            rich((bold("Sent to "), counted(len(mail.mail.to), "address") + "  ", typed(fared)), block_id="to")
        )
        return [*blocks, *letter_blocks("What it said", mail.mail.subject, mail.mail.body)]
    if letter is not None:
        return [*blocks, *letter_blocks("What it says as things stand now", *letter)]
    return [*blocks, rich((typed(why_not or "Nothing of it is to be sent."),), block_id="why_not")]


def left_blocks(left: Sequence[LeftLine], total: int, *, more: Sequence[Block]) -> list[Block]:
    """Who is left out of a plan and why, by the reason; beyond some rows the rest is in the file."""
    rows = [
        [each.customer_name, each.customer_code, f"{each.why} {each.detail}".strip(), f"{each.invoices:,}"]
        for each in left[:MOST_ROWS]
    ]
    shown = fitted(rows, ("customer", "code", "why", "invoices"), ("left", "left", "left", "right"), named=0)
    blocks = [rich((bold(f"Left out {total:,}"),), block_id="title"), preformatted(shown, block_id="left")]
    rest = total - len(rows)
    if rest > 0:
        blocks.append(context(f"and {rest:,} more; as a file you get all of them", block_id="more"))
    return [*blocks, *more]


def log_blocks(lines: Sequence[PlanLine], settings: Settings, *, more: Sequence[Block]) -> list[Block]:
    """What was sent, the newest first, and how it fared."""
    rows = [
        [
            short_date(each.message.sent_on or each.message.day, settings.locale),
            each.customer_name,
            level_name(each.message.level),
            money(each.message.open, settings.locale),
            STATES[each.message.state] or "waits",
        ]
        for each in lines[:MOST_ROWS]
    ]
    headings = ("day", "customer", "level", "open then", "state")
    shown = fitted(rows, headings, ("left", "left", "left", "right", "left"), named=1)
    blocks = [preformatted(shown, block_id="log")]
    notes = [
        f"{each.customer_code}: {shorten(each.message.note, 120)}" for each in lines[:MOST_ROWS] if each.message.note
    ]
    if notes:
        blocks.append(rich(*[typed(note) for note in notes[:MOST_NUMBERS]], block_id="notes"))
    if len(lines) > MOST_ROWS:
        blocks.append(context("There are more; as a file you get all of them", block_id="more"))
    return [*blocks, *more]
