"""A month end in words: how many invoices, what they come to by currency, and who was left out and why."""

from babel.dates import format_skeleton

from bot.domain.customers import Mode
from bot.domain.month_end import MonthSum, MonthTold
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, table
from bot.handlers.forms import Block, context

MOST_NAMED = 20
CALLED = {Mode.POSTPAID: "invoices", Mode.PREPAID: "summaries"}
HEADINGS = ("currency", "what", "number", "total", "to pay", "we owe")


def month_summary(told: MonthTold) -> str:
    """`12 invoices and 3 summaries; 1 customer left out`."""
    invoices, summaries = (sum(each.count for each in told.sums if each.mode is mode) for mode in CALLED)
    made = [counted(invoices, "invoice")] if invoices else []
    if summaries:
        made.append(f"{summaries:,} {'summary' if summaries == 1 else 'summaries'}")
    out = f"; {counted(len(told.left_out), 'customer')} left out" if told.left_out else ""
    return f"{' and '.join(made) or 'nothing to invoice'}{out}"


def month_text(told: MonthTold, settings: Settings) -> str:
    """The title line."""
    named = format_skeleton("yMMMM", told.month, locale=settings.locale)
    return f"Month end · {named} · {month_summary(told)}"


def month_blocks(told: MonthTold, settings: Settings) -> list[Block]:
    """The message of a month end."""
    blocks = [rich((bold(month_text(told, settings)),), block_id="title")]
    if told.sums:
        rows = [_row(each, settings) for each in told.sums]
        shown = table(rows, HEADINGS, ("left", "left", "right", "right", "right", "right"))
        blocks.append(preformatted(shown, block_id="sums"))
    if told.left_out:
        lines: list[tuple[Part, ...]] = [
            (bold(typed(each.name, 60)), f"  {each.why}") for each in told.left_out[:MOST_NAMED]
        ]
        if len(told.left_out) > MOST_NAMED:
            lines.append((f"and {len(told.left_out) - MOST_NAMED} more",))
        blocks.append(rich((bold("Left out"),), *lines, block_id="left_out"))
    how = (
        "Summaries are of usage that was deducted from credit already. `/invoice list` shows each; "
        "late usage goes on the next invoice."
    )
    return [*blocks, context(how, block_id="how")]


def _row(each: MonthSum, settings: Settings) -> list[str]:
    figures = (each.total, each.to_pay, -each.below)
    return [
        each.total.currency.code,
        CALLED[each.mode],
        f"{each.count:,}",
        *(amount(figure, settings.locale) if figure else "" for figure in figures),
    ]
