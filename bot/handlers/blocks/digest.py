"""The ageing digest as blocks: buckets, what moved since the last one, top movers with buttons, charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from babel import Locale, dates
from babel.numbers import format_decimal

from bot.domain.digest import Difference, Digest, DigestLine, Movement, Mover
from bot.domain.digest_figures import MONTH_COLUMNS
from bot.domain.digest_plans import Form
from bot.domain.held import HeldBack
from bot.domain.money import Money
from bot.domain.month_end import last_day
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import Part, bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, money, short_date, signed, table
from bot.handlers.forms import Block, button, confirmation, context, option

MOST_CHARTS = 2
MOST_MOVERS = 6
MOST_LINES = 12
MOST_COLUMNS = 4  # of a table whose columns are currencies
LONGEST_LABEL = 20
NOTHING = "nothing is owed and no credit is held"
NO_FIGURE = "–"
IN_THREAD = "In the thread: each customer and its invoices."
COPY = "copy"


@dataclass(frozen=True, slots=True)
class MoverAction:
    """What can be done about a mover: how it is called, and the action that gets the customer's id."""

    label: str
    action_id: str
    sure: str = ""  # what happens, where it happens at once


# Buttons beside each mover, the likely one first, and a menu. Each action is a press of its own
# (`bot/handlers/commands.py`) that takes the customer's id as its value.
MOVER_BUTTONS = (
    MoverAction("Card", "customer_show"),
    MoverAction("Log a promise", "customer_promise"),
    MoverAction("Remind now", "remind_now", "gets one message about all that is overdue, within its working hours."),
)
MOVER_MENU = (
    MoverAction("Record payment", "customer_pay"),
    MoverAction("Pause reminders", "pause_reminders"),
)
MOVER_MORE = "mover_more"


def day_text(day: date, locale: str) -> str:
    """`Mon 23 Nov 2026`, in the locale's names."""
    return str(dates.format_date(day, "EEE d MMM y", locale=Locale.parse(locale.replace("-", "_"))))


def digest_title(digest: Digest, settings: Settings) -> str:
    """`Aged receivables · Mon 23 Nov 2026`, or `Aged receivables, weekly · Mon 23 Nov 2026`."""
    form = "" if digest.form is Form.DAYS else f", {digest.form.value}"
    return f"Aged receivables{form} · {day_text(digest.as_of, settings.locale)}"


def lines_of(digest: Digest, settings: Settings, shown: Sequence[str]) -> list[DigestLine]:
    """The currencies of one channel, in the order in which the book names them."""
    order = list(settings.currency_codes())
    wanted = [line for line in digest.lines if not shown or line.currency.code in shown]
    return sorted(wanted, key=lambda line: (line.currency.code not in order, *_place(line, order)))


def _place(line: DigestLine, order: list[str]) -> tuple[int, str]:
    code = line.currency.code
    return (order.index(code) if code in order else 0, code)


def summary(digest: Digest, settings: Settings, shown: Sequence[str]) -> str:
    """The digest in a sentence, for notifications, screen readers and the list of jobs."""
    sums = [
        f"{money(line.total, settings.locale)} from {counted(line.customers, 'customer')}"
        for line in lines_of(digest, settings, shown)
    ]
    unequal = "; does not tie to the ledger" if digest.differences else ""
    return f"{'; '.join(sums) or NOTHING}{unequal}"


def digest_text(digest: Digest, settings: Settings, shown: Sequence[str], *, is_copy: bool = False) -> str:
    mark = f" ({COPY})" if is_copy else ""
    return f"{digest_title(digest, settings)}{mark}: {summary(digest, settings, shown)}"


def digest_blocks(
    digest: Digest, settings: Settings, shown: Sequence[str], *, is_copy: bool = False, charts: bool = True
) -> list[Block]:
    """The whole message; without a single figure it is one plain line."""
    lines = lines_of(digest, settings, shown)
    if not lines and not digest.differences:
        return [rich(f"{digest_text(digest, settings, shown, is_copy=is_copy)}.", block_id="title")]
    ties = "DOES NOT TIE to the ledger" if digest.differences else "ties to the ledger ✓"
    copy = f" · {COPY}" if is_copy else ""
    blocks = [rich((bold(digest_title(digest, settings)), f"{copy} · {ties}"), block_id="title")]
    if digest.differences:
        blocks.append(_alarm(digest.differences, settings))
    if lines:
        blocks.append(preformatted(_table(digest, lines[:MOST_LINES], settings), block_id="buckets"))
        below = _below(lines, settings)
        blocks += [rich(*below, block_id="below")] if below else []
        blocks.append(rich(*_figures(digest, lines[:MOST_LINES], settings), block_id="figures"))
        blocks.append(rich(*_since(digest, lines[:MOST_LINES], settings), block_id="since"))
        blocks += _month(digest, lines[:MOST_LINES], settings)
        blocks += _movers(lines, settings)
        blocks += _held(lines[:MOST_LINES], settings)
        blocks += charts_of(digest, settings, shown) if charts else []
    return [*blocks, context(_meant(digest) if lines else IN_THREAD, block_id="files")]


def _meant(digest: Digest) -> str:
    """What the two figures are, for who reads them for the first time."""
    return (
        "DSO, days sales outstanding: the total × 90 / what was invoiced in 90 days less credit notes. At risk: open "
        f"more than {digest.risk_days} days late, disputed, or a promise broken; each debt once. {IN_THREAD}"
    )


def difference_text(found: Difference, settings: Settings) -> str:
    """What of the report the ledger does not confirm, with all three figures."""
    shown, ledger, kept = (amount(each, settings.locale) for each in (found.shown, found.ledger, found.kept))
    differ = "1 customer differs" if found.customers == 1 else f"{found.customers:,} customers differ"
    return (
        f"{found.shown.currency.code} {found.what}: the report says {shown}, the entries {ledger}, "
        f"the control accounts {kept}; {differ}"
    )


def _alarm(differences: Sequence[Difference], settings: Settings) -> Block:
    head = (bold("Do not rely on these figures: the report and the ledger differ. Call the operator."),)
    return rich(head, *(difference_text(each, settings) for each in differences), block_id="differences")


def _table(digest: Digest, lines: Sequence[DigestLine], settings: Settings) -> str:
    rows = [
        [line.currency.code, *(amount(each, settings.locale) if each else "–" for each in (line.total, *line.buckets))]
        for line in lines
    ]
    headings = ["", "total", *digest.labels]
    return table(rows, headings, ["left", *["right"] * (len(headings) - 1)])


def _below(lines: Sequence[DigestLine], settings: Settings) -> list[str]:
    """What stands beside the buckets, as far as there is any."""
    told = []
    for line in lines[:MOST_LINES]:
        named = (
            ("prepaid debt", line.prepaid_debt),
            ("unapplied credit", line.unapplied),
            ("not assigned yet", line.suspense),
        )
        said = [f"{label} {amount(worth, settings.locale)}" for label, worth in named if worth]
        told += [f"{line.currency.code}: {' · '.join(said)}"] if said else []
    left = len(lines) - MOST_LINES
    return [*told, f"and {left} more currencies, in the file"] if left > 0 else told


def _figures(digest: Digest, lines: Sequence[DigestLine], settings: Settings) -> list[tuple[Part, ...] | Part]:
    """`SGD: DSO 41.2 days, 43.0 last time · at risk 24.1 %, 13,005.00`; a dash where there is nothing to compare."""
    told: list[tuple[Part, ...] | Part] = []
    for line in lines:
        days, share = line.days_outstanding, line.share_at_risk
        before = ""
        if line.days_before is not None and digest.follows is not None:
            before = f", {tenths(line.days_before, settings)} on {day_text(digest.follows, settings.locale)}"
        dso = f"{tenths(days, settings)} days" if days is not None else NO_FIGURE
        risk = f"{tenths(share, settings)} %" if share is not None else NO_FIGURE
        worth = f", {amount(line.at_risk, settings.locale)}" if line.at_risk else ""
        told.append((f"{line.currency.code}: DSO ", bold(dso), f"{before} · at risk ", bold(risk), worth))
    return told


def tenths(figure: Decimal, settings: Settings) -> str:
    """A figure with one decimal, as the locale writes it."""
    return str(format_decimal(figure, "#,##0.0", locale=settings.locale.replace("-", "_")))


def _month(digest: Digest, lines: Sequence[DigestLine], settings: Settings) -> list[Block]:
    """What the month came to, each currency a column that adds up; rare kinds have a line when there are any."""
    told = [(line.currency.code, line.month) for line in lines if line.month is not None]
    if digest.month is None or not told:
        return []
    named = dates.format_skeleton("yMMMM", digest.month, locale=settings.locale.replace("-", "_"))
    first, last = (_no_year(day, settings) for day in (digest.month, last_day(digest.month)))
    labels = [*MONTH_COLUMNS, *sorted({each.label for _, of in told for each in of.columns} - {*MONTH_COLUMNS})]
    blocks: list[Block] = [rich((bold(f"The month of {named}"),), block_id="month_title")]
    for begin in range(0, len(told), MOST_COLUMNS):
        shown = told[begin : begin + MOST_COLUMNS]
        moved = [{each.label: each.amount for each in of.columns if each.amount} for _, of in shown]
        rows = [
            [f"open on {first}", *(amount(of.opened, settings.locale) for _, of in shown)],
            *([label, *(_moved(each.get(label), settings) for each in moved)] for label in labels),
            [f"open on {last}", *(amount(of.closed, settings.locale) for _, of in shown)],
        ]
        headings = ["", *(code for code, _ in shown)]
        columns = table(rows, headings, ["left", *["right"] * len(shown)])
        blocks.append(preformatted(columns, block_id=f"month_{begin}"))
    return blocks


def _moved(change: Money | None, settings: Settings) -> str:
    return signed(change, settings.locale) if change is not None else NO_FIGURE


def _no_year(day: date, settings: Settings) -> str:
    return str(dates.format_skeleton("MMMd", day, locale=settings.locale.replace("-", "_")))


def _held(lines: Sequence[DigestLine], settings: Settings) -> list[Block]:
    """`SGD: 2 disputes 730.00 (oldest 41 days) · 3 promises 2,450.00 (next 28 Nov 2026), 1 broken 300.00`, where
    anything is held back.
    """
    told = [f"{line.currency.code}: {held_text(line.held, settings)}" for line in lines if line.held is not None]
    return [rich((bold("Held"),), *told, block_id="held")] if told else []


def held_text(held: HeldBack, settings: Settings) -> str:
    """What is disputed and what is promised, with their sums."""
    told = []
    if held.disputes:
        oldest = f"oldest {counted(held.oldest_days, 'day')}" if held.oldest_days else "since today"
        told.append(f"{counted(held.disputes, 'dispute')} {amount(held.disputed, settings.locale)} ({oldest})")
    if held.promises:
        coming = f" (next {day_text(held.next_on, settings.locale)})" if held.next_on is not None else ""
        broken = f", {held.broken} broken" if held.broken else ""
        if held.promised_broken:
            broken = f"{broken} {amount(held.promised_broken, settings.locale)}"
        told.append(f"{counted(held.promises, 'promise')} {amount(held.promised, settings.locale)}{coming}{broken}")
    return " · ".join(told)


def _since(digest: Digest, lines: Sequence[DigestLine], settings: Settings) -> list[tuple[Part, ...] | Part]:
    """Change = its reasons, to the micro-unit, one line for each currency."""
    if digest.follows is None:
        return ["The first digest of this channel: the next one says what moved."]
    head: tuple[Part, ...] = (bold(f"Since {day_text(digest.follows, settings.locale)}"),)
    return [head, *(_since_line(line, settings) for line in lines)]


def _since_line(line: DigestLine, settings: Settings) -> str:
    late = "nothing newly late"
    if line.newly_late:
        customers = counted(line.newly_late_customers, "customer")
        late = f"newly late {amount(line.newly_late, settings.locale)} ({customers})"
    if not line.movements:
        return f"{line.currency.code}: no change; {late}"
    return f"{line.currency.code} {signed(line.change, settings.locale)} = {_reasons(line.movements, settings)}; {late}"


def _reasons(movements: Sequence[Movement], settings: Settings) -> str:
    return ", ".join(f"{each.label} {signed(each.amount, settings.locale)}" for each in movements)


def _movers(lines: Sequence[DigestLine], settings: Settings) -> list[Block]:
    """Who moved most, each with what one does next."""
    ranked = [(rank, place, line, mover) for place, line in enumerate(lines) for rank, mover in enumerate(line.movers)]
    # The first of each currency, then the second of each: sums of different currencies cannot be compared.
    chosen = sorted(ranked, key=lambda each: each[:2])[:MOST_MOVERS]
    found = [(line, mover) for _, _, line, mover in sorted(chosen, key=lambda each: (each[1], each[0]))]
    blocks: list[Block] = []
    for index, (line, mover) in enumerate(found):
        name = bold(typed(mover.name, 60))
        says = f" · {mover.code} · {_mover_says(line, mover, settings)}"
        blocks.append(rich((name, says), block_id=f"mover_{index}"))
        elements = mover_actions(str(mover.customer_id), mover.name)
        blocks.append({"type": "actions", "block_id": f"mover_{index}_actions", "elements": elements})
    return blocks


def mover_actions(customer_id: str, name: str) -> list[Block]:
    """The buttons of a mover, and the menu of the rest."""
    elements: list[Block] = [
        button(
            each.label,
            each.action_id,
            customer_id,
            confirm=confirmation(f"{each.label}?", f"{name} {each.sure}", yes=each.label) if each.sure else None,
        )
        for each in MOVER_BUTTONS
    ]
    options = [option(each.label, f"{each.action_id}:{customer_id}") for each in MOVER_MENU]
    return [*elements, {"type": "overflow", "action_id": MOVER_MORE, "options": options}]


def _mover_says(line: DigestLine, mover: Mover, settings: Settings) -> str:
    late = f"{money(mover.newly_late, settings.locale)} newly late" if mover.newly_late else ""
    moved = ""
    if mover.change:
        change = f"{line.currency.code} {signed(mover.change, settings.locale)}"
        moved = f"{change} ({_reasons(mover.movements, settings)})"
    return " · ".join(filter(None, (moved, late)))


def charts_of(digest: Digest, settings: Settings, shown: Sequence[str]) -> list[Block]:
    """Buckets now and at the last digest, of the book's first currencies."""
    drawn = [line for line in lines_of(digest, settings, shown) if any(line.buckets) or any(line.before)]
    return [_chart(digest, line, settings) for line in drawn[:MOST_CHARTS]]


def _chart(digest: Digest, line: DigestLine, settings: Settings) -> Block:
    series = [{"name": _label(digest.as_of, settings), "data": _points(digest.labels, line.buckets)}]
    if digest.follows is not None:
        series.insert(0, {"name": _label(digest.follows, settings), "data": _points(digest.labels, line.before)})
    chart: dict[str, Any] = {
        "type": "bar",
        "series": series,
        "axis_config": {"categories": list(digest.labels), "x_label": "days late", "y_label": line.currency.code},
    }
    title = f"Open by age, {line.currency.code}"
    return {"type": "data_visualization", "block_id": f"chart_{line.currency.code}", "title": title, "chart": chart}


def _points(labels: Sequence[str], amounts: Sequence[Any]) -> list[dict[str, Any]]:
    """A chart draws lengths, not sums: its numbers may be near ones, and the table beside it says the exact."""
    return [{"label": label, "value": float(each.decimal())} for label, each in zip(labels, amounts, strict=True)]


def _label(day: date, settings: Settings) -> str:
    return short_date(day, settings.locale)[:LONGEST_LABEL]
