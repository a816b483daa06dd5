"""Ageing as blocks: a text table, Slack's own table, totals that tie, credit and suspense apart."""

from collections.abc import Sequence
from typing import Any

from bot.domain.money import Money, total
from bot.domain.receivables import Ageing, AgeingDetail, AgeingRow, AgeingTotal, Basis
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, counted, date_text, fitted, money, short_date, shorten, table
from bot.handlers.forms import Block, context, option

MOST_ROWS = 20
MOST_PICKS = 100
MOST_CURRENCIES = 8
MOST_DETAILS = 40
DISPUTED = "⚑"


def ageing_title(report: Ageing, settings: Settings) -> str:
    basis = "" if report.question.basis is Basis.DUE else " by issue date"
    return f"Aged receivables · {date_text(report.question.as_of, settings.locale)}{basis}"


def ageing_text(report: Ageing, settings: Settings) -> str:
    """The report in one sentence, for notifications and screen readers."""
    sums = "; ".join(
        f"{money(each.total, settings.locale)} from {counted(each.customers, 'customer')}" for each in report.totals
    )
    return f"{ageing_title(report, settings)}: {sums or 'nothing is owed'}"


def ageing_blocks(report: Ageing, settings: Settings, *, as_table: bool = False) -> list[Block]:
    """One table per currency: the largest debts first, the rest counted, totals last. Rules 79, 82, 84."""
    blocks: list[Block] = [rich((bold(ageing_title(report, settings)),), block_id="title")]
    if not report.totals:
        return [*blocks, rich("Nothing is owed and no credit is held.", block_id="nothing")]
    for index, sums in enumerate(report.totals[:MOST_CURRENCIES]):
        rows = [row for row in report.rows if row.currency == sums.currency]
        largest = sorted(rows, key=lambda row: -row.total_micros)[:MOST_ROWS]
        rest = len(rows) - len(largest)
        if as_table and index == 0:
            blocks.append(_slack_table(report, sums, largest, settings))
        else:
            blocks.append(preformatted(_text_table(report, sums, largest, settings), block_id=f"ageing_{index}"))
        blocks.append(context(_below(sums, rest, settings), block_id=f"below_{index}"))
    if len(report.totals) > MOST_CURRENCIES:
        blocks.append(
            context(_other_currencies(report.totals[MOST_CURRENCIES:], settings), block_id="other_currencies")
        )
    picks = sorted(report.rows, key=lambda row: -row.total_micros)[:MOST_PICKS]
    return [*blocks, _opener(picks, report)] if picks else blocks


def _grid(
    report: Ageing, sums: AgeingTotal, rows: Sequence[AgeingRow], settings: Settings
) -> tuple[list[str], list[list[str]]]:
    """The headings, and the lines: a customer each with its whole name, the sums last.

    The total comes first, so that no narrow screen cuts it; then what is not empty everywhere. Rules 80, 82, 84.
    """
    columns = [
        ("total", sums.total, [row.total_micros for row in rows]),
        *(
            (label, sums.buckets[bucket], [row.buckets_micros[bucket] for row in rows])
            for bucket, label in enumerate(report.labels)
        ),
        ("unapplied", sums.unapplied, [row.unapplied_micros for row in rows]),
    ]
    shown = [column for index, column in enumerate(columns) if index == 0 or column[1]]
    lines = [
        [row.name, *(_figure(Money(figures[place], row.currency), settings) for _, _, figures in shown)]
        for place, row in enumerate(rows)
    ]
    lines.append(["Total", *(_figure(each, settings) for _, each, _ in shown)])
    return [sums.currency.code, *(heading for heading, _, _ in shown)], lines


def _figure(of: Money, settings: Settings) -> str:
    return amount(of, settings.locale) if of else "–"


def _text_table(report: Ageing, sums: AgeingTotal, rows: Sequence[AgeingRow], settings: Settings) -> str:
    headings, lines = _grid(report, sums, rows, settings)
    return fitted(lines, headings, ["left", *["right"] * (len(headings) - 1)], named=0)


def _slack_table(report: Ageing, sums: AgeingTotal, rows: Sequence[AgeingRow], settings: Settings) -> Block:
    def cells(texts: Sequence[str]) -> list[dict[str, str]]:
        return [{"type": "raw_text", "text": each} for each in texts]

    headings, lines = _grid(report, sums, rows, settings)
    align: list[dict[str, Any]] = [{"align": "left", "is_wrapped": True}]
    return {
        "type": "table",
        "block_id": "ageing_table",
        "column_settings": [*align, *({"align": "right"} for _ in headings[1:])],
        "rows": [cells(headings), *(cells([typed(name, 60), *rest]) for name, *rest in lines)],
    }


def _below(sums: AgeingTotal, rest: int, settings: Settings) -> str:
    parts = [counted(sums.customers, "customer")]
    if rest:
        smaller = "1 smaller one is" if rest == 1 else f"{rest:,} smaller ones are"
        parts.append(f"{smaller} in the total; `/aging csv` lists all")
    parts.append(f"prepaid debt {amount(sums.prepaid_debt, settings.locale)}")
    parts.append(f"unapplied credit {amount(sums.unapplied, settings.locale)}")
    parts.append(f"not assigned yet {amount(sums.suspense, settings.locale)}")
    return " · ".join(parts)


def _other_currencies(totals: Sequence[AgeingTotal], settings: Settings) -> str:
    """What there is no room for, each with its sum."""
    sums = ", ".join(money(each.total, settings.locale) for each in totals)
    more = "1 more currency" if len(totals) == 1 else f"{len(totals)} more currencies"
    return f"and {more}: {sums}; `/aging currency {totals[0].currency.code}` shows one"


def _opener(rows: Sequence[AgeingRow], report: Ageing) -> Block:
    """Pick a customer to see the invoices behind its row. Rule 83."""
    asked = report.question
    about = f"{asked.as_of}|{asked.basis.value}|{','.join(map(str, asked.edges))}"
    options = [option(f"{shorten(row.name, 50)} · {row.code}", f"{row.customer_id}:{about}") for row in rows]
    select = {
        "type": "static_select",
        "action_id": "aging_customer",
        "placeholder": {"type": "plain_text", "text": "Open a customer's invoices"},
        "options": options,
    }
    return {"type": "actions", "block_id": "open_customer", "elements": [select]}


def detail_blocks(report: Ageing, details: Sequence[AgeingDetail], settings: Settings) -> list[Block]:
    """One customer opened to its invoices, aged at the same day by the same rule. Rule 83."""
    row = next(iter(report.rows), None)
    title = ageing_title(report, settings)
    if row is None:
        return [
            rich((bold(title),), block_id="title"),
            rich("Nothing is owed and no credit is held.", block_id="nothing"),
        ]
    lines = [
        [
            f"{each.number} {DISPUTED}" if each.disputed else each.number,
            amount(each.open, settings.locale),
            short_date(each.due_on, settings.locale),
            str(max(0, each.days_late)),
            report.labels[each.bucket],
            short_date(each.issue_on, settings.locale),
        ]
        for each in details[:MOST_DETAILS]
    ]
    lines.append(["Total", amount(Money(row.total_micros, row.currency), settings.locale), "", "", "", ""])
    shown = table(
        lines,
        ["invoice", "open", "due", "days late", "bucket", "issued"],
        ["left", "right", "left", "right", "left", "left"],
    )
    below = [_rest(row, details[:MOST_DETAILS], settings)]
    below.append(f"unapplied credit {money(Money(row.unapplied_micros, row.currency), settings.locale)}, not netted")
    if any(each.disputed for each in details[:MOST_DETAILS]):
        below.append(f"{DISPUTED} disputed")
    return [
        rich((bold(typed(f"{title} · {row.name} · {row.code} · {row.currency.code}")),), block_id="title"),
        preformatted(shown, block_id="details"),
        context(" · ".join(filter(None, below)), block_id="below"),
    ]


def _rest(row: AgeingRow, shown: Sequence[AgeingDetail], settings: Settings) -> str:
    """What the total holds beside the invoices shown: usage without an invoice, and invoices without room."""
    prepaid = Money(row.prepaid_debt_micros, row.currency)
    listed = total([each.open for each in shown], row.currency)
    rest = Money(row.total_micros, row.currency) - prepaid - listed
    told = [f"prepaid debt {money(prepaid, settings.locale)}"] if prepaid else []
    if rest:
        told.append(f"{counted(len(shown), 'invoice')} shown; the others add up to {money(rest, settings.locale)}")
    return " · ".join(told)
