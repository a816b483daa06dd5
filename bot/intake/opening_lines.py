"""The lines of an opening's files: their columns, their values, and how one is told from what the book has."""

from datetime import date

from bot.domain.customers import clean_text
from bot.domain.intake import clean_number
from bot.domain.invoices import LONGEST_DESCRIPTION
from bot.domain.money import MICROS, Currency, Money
from bot.domain.open_items import Invoice
from bot.domain.opening import OpeningBalance, OpeningInvoice, OpeningPayment
from bot.domain.payment import LONGEST_REFERENCE, LONGEST_REMARK, Method, Payment
from bot.intake.cells import Line, shown
from bot.intake.reader import Column, Row

Item = OpeningInvoice | OpeningPayment | OpeningBalance
INVOICES, PAYMENTS, BALANCES = "invoices", "payments", "balances"
COLUMNS = {
    INVOICES: (
        Column("number", needed=True),
        Column("customer", needed=True),
        Column("issued", needed=True),
        Column("due", needed=True),
        Column("open", needed=True),
        Column("currency"),
        Column("description"),
        Column("remark"),
        Column("auto_allocate"),
    ),
    PAYMENTS: (
        Column("number", needed=True),
        Column("customer", needed=True),
        Column("received", needed=True),
        Column("amount", needed=True),
        Column("currency"),
        Column("method"),
        Column("payer"),
        Column("reference"),
        Column("remark"),
    ),
    BALANCES: (
        Column("customer", needed=True),
        Column("amount", needed=True),
        Column("currency"),
    ),
}
METHODS = {"": Method.BANK_TRANSFER, **{each.value.lower(): each for each in Method}}


def parse(name: str, line: Line, kept: dict[str, Currency], as_of: date) -> Item | None:
    """A line of one of the files as what it opens, or nothing with its faults told."""
    code = line.text("customer").strip().upper()
    of = kept.get(code)
    if of is None:
        line.fault("customer", f"there is no customer {shown(code)} in customers.csv or in the book; add it there.")
    else:
        line.same_currency("currency", of)
    reads = {INVOICES: _invoice, PAYMENTS: _payment, BALANCES: _balance}[name]
    return reads(line, code, of, as_of)


def _invoice(line: Line, code: str, of: Currency | None, as_of: date) -> OpeningInvoice | None:
    number = line.clean("number", lambda text: clean_number(text, own_prefixes(line)))
    issue_on, due_on = line.day("issued"), line.day("due")
    amount = line.amount("open", of) if of is not None else None
    description = line.clean("description", lambda text: clean_text(text, "description", LONGEST_DESCRIPTION))
    remark = line.clean("remark", lambda text: clean_text(text, "remark", LONGEST_DESCRIPTION))
    auto = line.answer("auto_allocate")
    if issue_on is not None and issue_on > as_of:
        line.fault("issued", f"{issue_on} lies after the day of the opening, {as_of}; leave the invoice out.")
    if issue_on is not None and due_on is not None and due_on < issue_on:
        line.fault("due", f"{due_on} lies before the issue date {issue_on}.")
    if line.is_wrong or number is None or issue_on is None or due_on is None or amount is None:
        return None
    return OpeningInvoice(
        number=number,
        customer_code=code,
        issue_on=issue_on,
        due_on=due_on,
        open=amount,
        description=description or "",
        remark=remark or "",
        auto_allocate=auto,
    )


def _payment(line: Line, code: str, of: Currency | None, as_of: date) -> OpeningPayment | None:
    number = line.clean("number", lambda text: clean_number(text, own_prefixes(line)))
    received_on = line.day("received")
    amount = line.amount("amount", of) if of is not None else None
    method = line.choice("method", METHODS)
    payer = line.clean("payer", lambda text: clean_text(text, "payer", LONGEST_REFERENCE))
    reference = line.clean("reference", lambda text: clean_text(text, "reference", LONGEST_REFERENCE))
    remark = line.clean("remark", lambda text: clean_text(text, "remark", LONGEST_REMARK))
    if received_on is not None and received_on > as_of:
        line.fault("received", f"{received_on} lies after the day of the opening, {as_of}; leave the payment out.")
    if line.is_wrong or number is None or received_on is None or amount is None or method is None:
        return None
    return OpeningPayment(
        number=number,
        customer_code=code,
        received_on=received_on,
        amount=amount,
        method=method,
        payer=payer or "",
        reference=reference or "",
        remark=remark or "",
    )


def _balance(line: Line, code: str, of: Currency | None, _as_of: date) -> OpeningBalance | None:
    amount = line.amount("amount", of) if of is not None else None
    return OpeningBalance(customer_code=code, amount=amount) if amount is not None and not line.is_wrong else None


def own_prefixes(line: Line) -> tuple[str, str]:
    """The prefixes of this book's own series, which imported numbers must not look like."""
    series = (line.settings.invoice_series, line.settings.payment_series)
    return (series[0].rpartition(":")[0], series[1].rpartition(":")[0])


def identity_of(name: str, row: Row) -> tuple[str, str]:
    """What a line is known by, and the column that says it."""
    column = "customer" if name == BALANCES else "number"
    return row.cells[column].strip().upper(), column


def known_by(item: Item) -> tuple[str, str]:
    """What an item is known by, and the column that says it."""
    return (item.customer_code, "customer") if isinstance(item, OpeningBalance) else (item.number, "number")


def code_of(item: Item) -> str:
    return item.customer_code


def amount_of(item: Item) -> Money:
    return item.open if isinstance(item, OpeningInvoice) else item.amount


def told_item(item: Item) -> str:
    """What a line opens, in the words in which the book's own is told: equal ones are equal."""
    match item:
        case OpeningInvoice():
            return f"{item.open} of {item.customer_code}, issued {item.issue_on}, due {item.due_on}"
        case OpeningPayment():
            return f"{item.amount}, received {item.received_on}"
        case OpeningBalance():
            return told_micros(item.amount.micros)


def told_invoice(invoice: Invoice, code: str) -> str:
    return f"{invoice.total} of {code}, issued {invoice.issue_on}, due {invoice.due_on}"


def told_payment(payment: Payment) -> str:
    return f"{payment.amount}, received {payment.received_on}"


def told_micros(micros: int) -> str:
    return f"{micros // MICROS}.{micros % MICROS:06d}"
