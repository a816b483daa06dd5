"""A statement of account on paper."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time

from bot.documents.paper import Document, Grid, Note, Sums
from bot.documents.reports import Asked, made, statement_question
from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.money import Money
from bot.domain.ports import ReadBooks
from bot.domain.settings import Settings
from bot.domain.statements import Statement, StatementKind
from bot.handlers.blocks.statements import beside_lines, credit_name, period, shown_balance, strip
from bot.handlers.blocks.text import amount, date_text, money, short_date

MOST_ON_PAPER = 2000
SIGNS = "DR is owed to us, CR is credit in your favour."


def statement_paper(books: ReadBooks, asked: Asked) -> Document:
    """Open items or movements, the balance and how old it is. Refuses: NotFound, Refused, more than paper holds."""
    question, settings = statement_question(asked.question), books.settings()
    account = books.statement(question, MOST_ON_PAPER + 1)
    check_length(account)
    is_open = question.kind is StatementKind.OPEN
    items = _open_items(account, settings) if is_open else _activity(account, settings)
    body: list[Grid | Sums | Note] = [*items, _strip(account, settings), *_beside(account, settings)]
    return Document(
        customer_id=account.customer.id,
        name=f"statement-{account.customer.code}-{question.until}",
        title="Statement of account",
        number=("Open items " if is_open else "") + period(account, settings),
        company=settings.company,
        party=_party(account.customer),
        party_label="Account of",
        facts=[
            ("Date", date_text(question.until, settings.locale)),
            ("Currency", account.customer.currency.code),
            ("Balance", shown_balance(account.balance, settings)),
        ],
        body=[
            *body,
            Note("How to read this", f"{SIGNS} This was {made(settings, asked)}; what came later is not in it."),
        ],
        dated=datetime.combine(question.until, time(12), tzinfo=UTC),
        language=settings.locale.replace("_", "-"),
    )


def check_length(account: Statement) -> None:
    """Paper has room for so many lines. Refuses: Refused."""
    longest = max(len(account.invoices), len(account.credits), len(account.lines))
    if longest > MOST_ON_PAPER:
        raise Refused(
            f"The statement of {account.customer.name} has more than {MOST_ON_PAPER:,} lines, which is no paper to "
            "read. Ask for it as csv or xlsx, or for fewer days."
        )


def _party(customer: Customer) -> list[str]:
    name = customer.billing_name or customer.name
    also = [customer.name] if name != customer.name else []
    return [name, *also, f"Customer {customer.code}", *([customer.country] if customer.country else [])]


def _open_items(account: Statement, settings: Settings) -> Iterator[Grid | Sums]:
    if account.invoices:
        yield _invoices(account, settings)
    if account.credits:
        yield _credits(account, settings)
    locale = settings.locale
    lines = [("Open invoices", money(account.owed - account.prepaid_debt, locale), False)]
    for label, worth in (
        ("Usage not invoiced", account.prepaid_debt),
        ("Credit not applied", account.sums.advances - account.unapplied),
        ("Paid ahead on proformas", -account.sums.advances),
    ):
        if worth:
            lines.append((label, money(worth, locale), False))
    yield Sums([*lines, ("Balance", _result(account.balance, settings), True)])


def _result(of: Money, settings: Settings) -> str:
    return f"{of.currency.code} {shown_balance(of, settings)}"


def _beside(account: Statement, settings: Settings) -> list[Note]:
    lines = beside_lines(account, settings)
    text = "; ".join(f"{label} {worth}" for label, worth in lines)
    return [Note("Not in the balance", text)] if lines else []


def _invoices(account: Statement, settings: Settings) -> Grid:
    locale = settings.locale
    return Grid(
        headings=("Invoice", "Issued", "Due", "Days late", "Total", "Open"),
        lines=[
            (
                each.number,
                short_date(each.issue_on, locale),
                short_date(each.due_on, locale),
                str(max(0, each.days_late)),
                amount(each.total, locale),
                amount(each.open, locale),
            )
            for each in account.invoices
        ],
        widths=(36, 28, 28, 20, 32, 32),
        figures=frozenset({3, 4, 5}),
    )


def _credits(account: Statement, settings: Settings) -> Grid:
    locale = settings.locale
    return Grid(
        headings=("Credit not applied", "Number", "Since", "Total", "Not applied"),
        lines=[
            (
                credit_name(each),
                each.number,
                short_date(each.since, locale),
                amount(each.amount, locale),
                amount(each.open, locale),
            )
            for each in account.credits
        ],
        widths=(44, 36, 32, 32, 32),
        figures=frozenset({3, 4}),
    )


def _activity(account: Statement, settings: Settings) -> Sequence[Grid | Sums]:
    locale, sums = settings.locale, account.sums
    opening = (short_date(account.question.since, locale), "Opening balance", "", "", "", "")
    lines = [(*opening[:5], shown_balance(sums.opening, settings))]
    for each in account.lines:
        movement = each.movement
        lines.append(
            (
                short_date(movement.on, locale),
                " ".join(filter(None, (movement.name, movement.document))),
                movement.reference,
                amount(each.debit, locale) if each.debit is not None else "",
                amount(each.credit, locale) if each.credit is not None else "",
                shown_balance(each.balance, settings),
            )
        )
    grid = Grid(
        headings=("Date", "What", "Your reference", "Debit", "Credit", "Balance"),
        lines=lines,
        widths=(22, 50, 30, 24, 24, 30),
        figures=frozenset({3, 4, 5}),
    )
    results = [
        ("Opening balance", _result(sums.opening, settings), False),
        ("Debits", money(sums.debits, locale), False),
        ("Credits", money(-sums.credits, locale), False),
        ("Closing balance", _result(sums.closing, settings), True),
    ]
    return [grid, Sums(results)]


def _strip(account: Statement, settings: Settings) -> Grid:
    """How old what is owed is, by the days past due."""
    labels, figures = zip(*strip(account, settings), strict=True)
    return Grid(
        headings=tuple(_heading(label) for label in labels),
        lines=[figures],
        widths=tuple(100 for _ in labels),
        figures=frozenset(range(len(labels))),
    )


def _heading(label: str) -> str:
    if label[:1].isdigit() or label.startswith("over"):
        return f"{label} days"
    return {"current": "Not due", "total": "Total owed"}.get(label, label.capitalize())
