"""A statement of account as blocks: what is open or what moved, the balance, and the strip of the ageing."""

from collections.abc import Sequence

from bot.domain.money import Money, total
from bot.domain.open_items import LotKind
from bot.domain.receivables import bucket_labels
from bot.domain.settings import Settings
from bot.domain.statements import OpenCredit, Statement, StatementKind, StatementLine
from bot.handlers.blocks.rich import bold, preformatted, rich, typed
from bot.handlers.blocks.text import amount, balance, counted, date_text, fitted, money, short_date, shorten, table
from bot.handlers.forms import Block, context

MOST_ROWS = 20
CREDIT_NAMES = {
    LotKind.PAYMENT: "Payment",
    LotKind.TOP_UP: "Top-up",
    LotKind.CREDIT_NOTE: "Credit note",
    LotKind.NEGATIVE_INVOICE: "Negative invoice",
}
NOTHING = "–"


def credit_name(credit: OpenCredit) -> str:
    """What a credit is called to a customer; why credit was given stays inside."""
    return CREDIT_NAMES.get(credit.kind, "Credit")


def period(made: Statement, settings: Settings) -> str:
    """`at 23 Nov 2026`, or `1 Oct 2026 to 23 Nov 2026`."""
    question = made.question
    until = date_text(question.until, settings.locale)
    if question.kind is StatementKind.OPEN:
        return f"at {until}"
    return f"{date_text(question.since, settings.locale)} to {until}"


def shown_balance(of: Money, settings: Settings) -> str:
    """What is owed is DR, credit in hand is CR. Rule 113."""
    return balance(-of, settings.locale)


def statement_title(made: Statement, settings: Settings) -> str:
    customer = made.customer
    what = "Open items" if made.question.kind is StatementKind.OPEN else "Activity"
    name = shorten(customer.name, 80)
    return f"{what} {period(made, settings)} · {name} · {customer.code} · {customer.currency.code}"


def statement_text(made: Statement, settings: Settings) -> str:
    """The statement in one sentence, for notifications and screen readers."""
    return f"{statement_title(made, settings)}: balance {shown_balance(made.balance, settings)}"


def statement_blocks(made: Statement, settings: Settings) -> list[Block]:
    """Title, the items or movements, how the balance comes about, and how old what is owed is."""
    blocks: list[Block] = [rich((bold(typed(statement_title(made, settings))),), block_id="title")]
    blocks += _open_items(made, settings) if made.question.kind is StatementKind.OPEN else _activity(made, settings)
    parts = (
        bold("Balance "),
        shown_balance(made.balance, settings),
        f" = owed {amount(made.owed, settings.locale)} − not applied {amount(made.unapplied, settings.locale)}",
    )
    blocks.append(rich(parts, block_id="balance"))
    if made.owed:
        blocks.append(preformatted(strip_table(made, settings), block_id="strip"))
    beside = beside_lines(made, settings)
    if beside:
        blocks.append(context(" · ".join(f"{label} {worth}" for label, worth in beside), block_id="beside"))
    return blocks


def _open_items(made: Statement, settings: Settings) -> list[Block]:
    """Open invoices with the days they are late, then the credit that pays nothing yet; the rest as a sum."""
    blocks: list[Block] = []
    if made.invoices:
        blocks.append(preformatted(_invoice_table(made, settings), block_id="invoices"))
    if made.credits:
        blocks.append(preformatted(_credit_table(made.credits[:MOST_ROWS], settings), block_id="credits"))
    if not blocks:
        blocks.append(rich("No invoice is open and no credit is left.", block_id="nothing"))
    rest = _rest(made, settings)
    return [*blocks, context(rest, block_id="rest")] if rest else blocks


def _invoice_table(made: Statement, settings: Settings) -> str:
    locale = settings.locale
    rows = [
        [
            each.number,
            amount(each.open, locale),
            amount(each.total, locale),
            short_date(each.due_on, locale),
            str(max(0, each.days_late)),
            short_date(each.issue_on, locale),
        ]
        for each in made.invoices[:MOST_ROWS]
    ]
    headers = ("invoice", "open", "total", "due", "days late", "issued")
    return table(rows, headers, ("left", "right", "right", "left", "right", "left"))


def _credit_table(credits: Sequence[OpenCredit], settings: Settings) -> str:  # noqa: A002  # the field's own term
    locale = settings.locale
    rows = [
        [each.number, amount(each.open, locale), amount(each.amount, locale), short_date(each.since, locale), _of(each)]
        for each in credits
    ]
    return table(rows, ("credit", "not applied", "total", "since", "kind"), ("left", "right", "right", "left", "left"))


def _of(credit: OpenCredit) -> str:
    return credit_name(credit).lower()


def _rest(made: Statement, settings: Settings) -> str:
    """What has no line of its own above: prepaid usage, advances, and what there was no room for."""
    of, locale = made.customer.currency, settings.locale
    invoiced = made.owed - made.prepaid_debt - total([each.open for each in made.invoices[:MOST_ROWS]], of)
    credited = made.unapplied - made.sums.advances - total([each.open for each in made.credits[:MOST_ROWS]], of)
    parts = (
        ("usage not invoiced", made.prepaid_debt),
        ("paid ahead on proformas", made.sums.advances),
        ("other invoices", invoiced),
        ("other credit", credited),
    )
    told = [f"{label} {money(worth, locale)}" for label, worth in parts if worth]
    return " · ".join([*told, *(["as a file you get all of them"] if invoiced or credited else [])])


def _activity(made: Statement, settings: Settings) -> list[Block]:
    """The newest movements with the balance after each; what is before them is told."""
    if not made.sums.movements:
        opening = shown_balance(made.sums.opening, settings)
        return [rich(f"Nothing moved in these days; the balance was {opening} before.", block_id="nothing")]
    lines = made.lines[-MOST_ROWS:]
    left = made.sums.movements - len(lines)
    first = lines[0]
    before = first.balance - Money(first.movement.micros, first.balance.currency)
    head = ["", "Balance before" if left else "Opening balance", "", "", "", shown_balance(before, settings)]
    rows = [head, *(_line(each, settings) for each in lines)]
    sums = made.sums
    if not left:
        debits, credited = amount(sums.debits, settings.locale), amount(sums.credits, settings.locale)
        rows.append(["", "Closing balance", "", debits, credited, shown_balance(sums.closing, settings)])
    headers = ("day", "what", "document", "debit", "credit", "balance")
    shown = fitted(rows, headers, ("left", "left", "left", "right", "right", "right"), named=1)
    blocks = [preformatted(shown, block_id="movements")]
    if left:
        opening = shown_balance(sums.opening, settings)
        said = f"{counted(left, 'movement')} before these, from an opening balance of {opening}; as a file you get all"
        blocks.append(context(said, block_id="rest"))
    return blocks


def _line(each: StatementLine, settings: Settings) -> list[str]:
    locale, movement = settings.locale, each.movement
    return [
        short_date(movement.on, locale),
        movement.name,
        movement.document,
        amount(each.debit, locale) if each.debit is not None else "",
        amount(each.credit, locale) if each.credit is not None else "",
        shown_balance(each.balance, settings),
    ]


def strip(made: Statement, settings: Settings) -> list[tuple[str, str]]:
    """How old what is owed is: each bucket of the ageing with its sum, prepaid debt, and the total."""
    row, of = made.strip, made.customer.currency
    buckets = row.buckets_micros if row is not None else (0,) * (len(made.edges) + 2)
    named = [*zip(bucket_labels(made.edges), buckets, strict=True)]
    figures = [(label, Money(micros, of)) for label, micros in named]
    if made.prepaid_debt:
        figures.append(("not invoiced", made.prepaid_debt))
    figures.append(("total", made.owed))
    if made.unapplied:
        figures.append(("not applied", -made.unapplied))
    return [(label, amount(worth, settings.locale) if worth else NOTHING) for label, worth in figures]


def strip_table(made: Statement, settings: Settings) -> str:
    labels, figures = zip(*strip(made, settings), strict=True)
    return table([list(figures)], list(labels), ["right"] * len(labels))


def beside_lines(made: Statement, settings: Settings) -> list[tuple[str, str]]:
    """What stands outside the balance."""
    figures = (("usage of the running period", made.sums.unbilled), ("to be paid out", made.sums.payouts_due))
    return [(label, money(worth, settings.locale)) for label, worth in figures if worth]
