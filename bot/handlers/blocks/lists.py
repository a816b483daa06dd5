"""Lists as text tables: name and amounts first, short days, within the width of a phone where possible."""

from collections.abc import Sequence

from bot.domain.money import Money
from bot.domain.open_items import Invoice
from bot.domain.payments import PaymentState
from bot.domain.ports import EntryLine, InvoiceListLine, PaymentLine
from bot.domain.settings import Settings
from bot.handlers.blocks.text import amount, fitted, money, short_date

# As the filter of the list calls them: shorter than the words on a card.
STATUS = {"awaiting payment": "open", "partially paid": "partly"}


def payment_table(lines: Sequence[PaymentLine], settings: Settings) -> str:
    """Number, customer, amount, what is left, and the day it came in."""
    rows = [
        [
            line.payment.number,
            line.customer_name or line.payment.payer,
            money(line.payment.amount, settings.locale),
            _left(line, settings),
            short_date(line.payment.received_on, settings.locale),
        ]
        for line in lines
    ]
    headers = ("number", "customer", "amount", "left", "received")
    return fitted(rows, headers, ("left", "left", "right", "right", "left"), named=1)


def _left(line: PaymentLine, settings: Settings) -> str:
    if line.payment.state is PaymentState.VOID:
        return "void"
    return amount(Money(line.open_micros, line.payment.amount.currency), settings.locale)


def invoice_table(lines: Sequence[InvoiceListLine], settings: Settings) -> str:
    """Number, customer, total, what is open, state, and the days."""
    rows = [
        [
            line.invoice.label,
            line.customer_name,
            money(line.invoice.total, settings.locale),
            amount(line.invoice.open, settings.locale),
            _state(line.invoice),
            short_date(line.invoice.due_on, settings.locale),
            short_date(line.invoice.issue_on, settings.locale),
        ]
        for line in lines
    ]
    headers = ("invoice", "customer", "total", "open", "state", "due", "issued")
    return fitted(rows, headers, ("left", "left", "right", "right", "left", "left", "left"), named=1)


def _state(invoice: Invoice) -> str:
    return STATUS.get(invoice.status, invoice.status)


def entry_table(lines: Sequence[EntryLine], settings: Settings) -> str:
    """Day, account, debit and credit of each posting, an entry's first line says what it was, its second with
    which document.
    """
    rows, last = [], 0
    for line in lines:
        first, debit = line.entry_id != last, line.amount.micros > 0
        figure = amount(line.amount if debit else -line.amount, settings.locale)
        rows.append(
            [
                short_date(line.effective_on, settings.locale) if first else "",
                line.kind if first else line.other,
                f"{line.account.value}:{line.detail}" if line.detail else line.account.value,
                figure if debit else "",
                "" if debit else figure,
            ]
        )
        last = line.entry_id
    headers = ("day", "entry", "account", "debit", "credit")
    return fitted(rows, headers, ("left", "left", "left", "right", "right"), named=1)
