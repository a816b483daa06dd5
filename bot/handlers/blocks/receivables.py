"""Ageing as blocks: a text table, Slack's own table, totals that tie, credit and suspense apart."""

from collections.abc import Sequence
from typing import Any

from bot.domain.money import Money
from bot.domain.receivables import Ageing, AgeingDetail, AgeingRow, AgeingTotal, Basis
from bot.domain.settings import Settings
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, date_text, money, shorten, table
from bot.handlers.forms import Block, context, option

MOST_ROWS = 20
MOST_PICKS = 100


def ageing_title(report: Ageing, settings: Settings) -> str:
    basis = "" if report.question.basis is Basis.DUE else " by issue date"
    return f"Aged receivables · {date_text(report.question.as_of, settings.locale)}{basis}"


def counted(customers: int) -> str:
    return f"{customers:,} customer{'' if customers == 1 else 's'}"


def ageing_text(report: Ageing, settings: Settings) -> str:
    """The report in one sentence, for notifications and screen readers."""
    sums = "; ".join(f"{money(each.total, settings.locale)} from {counted(each.customers)}" for each in report.totals)
    return f"{ageing_title(report, settings)}: {sums or 'nothing is owed'}"


def ageing_blocks(report: Ageing, settings: Settings, *, as_table: bool = False) -> list[Block]:
    """One table per currency: the largest debts first, the rest counted, totals last. Rules 79, 82, 84."""
    blocks: list[Block] = [rich((bold(ageing_title(report, settings)),), block_id="title")]
    if not report.totals:
        return [*blocks, rich("Nothing is owed and no credit is held.", block_id="nothing")]
    for index, sums in enumerate(report.totals[:8]):
        rows = [row for row in report.rows if row.currency == sums.currency]
        largest = sorted(rows, key=lambda row: -row.total_micros)[:MOST_ROWS]
        rest = len(rows) - len(largest)
        if as_table and index == 0:
            blocks.append(_slack_table(report, sums, largest, settings))
        else:
            blocks.append(preformatted(_text_table(report, sums, largest, settings), block_id=f"ageing_{index}"))
        blocks.append(context(_below(sums, rest, settings), block_id=f"below_{index}"))
    picks = sorted(report.rows, key=lambda row: -row.total_micros)[:MOST_PICKS]
    return [*blocks, _opener(picks, report)] if picks else blocks


def _cells(row: AgeingRow, settings: Settings) -> list[str]:
    figures = [*row.buckets_micros, row.total_micros, row.unapplied_micros]
    return [_figure(Money(each, row.currency), settings) for each in figures]


def _figure(of: Money, settings: Settings) -> str:
    return amount(of, settings.locale) if of else "–"


def _headers(report: Ageing, sums: AgeingTotal) -> list[str]:
    return [sums.currency.code, *report.labels, "total", "unapplied"]


def _total_cells(sums: AgeingTotal, settings: Settings) -> list[str]:
    return [_figure(each, settings) for each in (*sums.buckets, sums.total, sums.unapplied)]


def _text_table(report: Ageing, sums: AgeingTotal, rows: Sequence[AgeingRow], settings: Settings) -> str:
    lines = [[shorten(row.name, 24), *_cells(row, settings)] for row in rows]
    lines.append(["Total", *_total_cells(sums, settings)])
    headers = _headers(report, sums)
    return table(lines, headers, ["left", *["right"] * (len(headers) - 1)])


def _slack_table(report: Ageing, sums: AgeingTotal, rows: Sequence[AgeingRow], settings: Settings) -> Block:
    def cells(texts: Sequence[str]) -> list[dict[str, str]]:
        return [{"type": "raw_text", "text": each} for each in texts]

    lines = [cells([typed(shorten(row.name, 60)), *_cells(row, settings)]) for row in rows]
    headers = _headers(report, sums)
    align: list[dict[str, Any]] = [{"align": "left", "is_wrapped": True}]
    return {
        "type": "table",
        "block_id": "ageing_table",
        "column_settings": [*align, *({"align": "right"} for _ in headers[1:])],
        "rows": [cells(headers), *lines, cells(["Total", *_total_cells(sums, settings)])],
    }


def _below(sums: AgeingTotal, rest: int, settings: Settings) -> str:
    parts = [counted(sums.customers)]
    if rest:
        parts.append(f"{rest} smaller ones are in the total; `/aging csv` lists all")
    parts.append(f"prepaid debt {amount(sums.prepaid_debt, settings.locale)}")
    parts.append(f"unapplied credit {amount(sums.unapplied, settings.locale)}")
    parts.append(f"not assigned yet {amount(sums.suspense, settings.locale)}")
    return " · ".join(parts)


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
            each.number,
            date_text(each.issue_on, settings.locale),
            date_text(each.due_on, settings.locale),
            str(max(0, each.days_late)),
            report.labels[each.bucket],
            amount(each.open, settings.locale),
        ]
        for each in details[:40]
    ]
    lines.append(["Total", "", "", "", "", amount(Money(row.total_micros, row.currency), settings.locale)])
    shown = table(
        lines,
        ["invoice", "issued", "due", "days late", "bucket", "open"],
        ["left", "left", "left", "right", "left", "right"],
    )
    unapplied = money(Money(row.unapplied_micros, row.currency), settings.locale)
    more = f" · the first {len(lines) - 1} of {len(details)} invoices" if len(details) > len(lines) - 1 else ""
    return [
        rich((bold(typed(f"{title} · {row.name} · {row.code} · {row.currency.code}")),), block_id="title"),
        preformatted(shown, block_id="details"),
        context(f"unapplied credit {unapplied}, not netted{more}", block_id="below"),
    ]
