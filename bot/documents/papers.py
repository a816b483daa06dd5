"""What stands on invoices, payment receipts and credit notes."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal

from babel.numbers import format_decimal

from bot.documents.paper import Document, Grid, Note, Sums
from bot.documents.reports import Asked
from bot.documents.statements import statement_paper
from bot.domain.credit_note import NoteState
from bot.domain.customers import Customer
from bot.domain.invoices import InvoiceLine
from bot.domain.money import Money, plain, total
from bot.domain.open_items import Allocation, Invoice, InvoiceKind, InvoiceState
from bot.domain.payments import PaymentState
from bot.domain.ports import InvoiceFile, PaymentFile, ReadBooks
from bot.domain.settings import Settings
from bot.handlers.blocks.text import amount, date_text, money

FIGURES = frozenset({1, 2, 3, 4, 5})
TITLED = {
    InvoiceKind.TAX: "Tax invoice",
    InvoiceKind.PROFORMA: "PROFORMA INVOICE",
    InvoiceKind.TOP_UP: "TOP-UP INVOICE: not a tax invoice",
}
NAMED = {InvoiceKind.TAX: "Invoice", InvoiceKind.PROFORMA: "Proforma", InvoiceKind.TOP_UP: "Top-up invoice"}
FILED = {InvoiceKind.TAX: "invoice", InvoiceKind.PROFORMA: "proforma", InvoiceKind.TOP_UP: "top-up-invoice"}
ASKS = {
    InvoiceKind.PROFORMA: "This is not a tax invoice. A tax invoice follows when it is provisioned.",
    InvoiceKind.TOP_UP: "This is not a tax invoice. What is paid on it becomes credit.",
}


def invoice_paper(books: ReadBooks, asked: Asked) -> Document:
    """An invoice with its lines, totals by tax rate, what is paid and what is open. Refuses: NotFound."""
    file = books.invoice_file(int(asked.question["id"]))
    settings = books.settings()
    invoice, locale = file.invoice, settings.locale
    is_draft = invoice.state is InvoiceState.DRAFT
    facts = [
        ("Draft" if is_draft else NAMED[invoice.kind], invoice.label),
        *([("Proforma", invoice.proforma_number)] if invoice.proforma_number is not None else []),
        ("Issue date", date_text(invoice.issue_on, locale)),
        ("Due date", date_text(invoice.due_on, locale)),
        ("Payment terms", _terms(invoice)),
        ("Currency", invoice.total.currency.code),
    ]
    body: list[Grid | Sums | Note] = [_lines(file.lines, settings), Sums(_totals(file, settings, asked))]
    if file.allocations:
        body.append(_payments(file, settings))
    if told := _told(invoice, settings):
        body.append(Note("Please note", told))
    if invoice.remark:
        body.append(Note("Remark", invoice.remark))
    return Document(
        customer_id=file.customer.id,
        name=f"{FILED[invoice.kind]}-{invoice.label}",
        title=TITLED[invoice.kind],
        number="DRAFT" if is_draft else invoice.label,
        company=settings.company,
        party=_party(file.customer),
        party_label="Bill to",
        facts=facts,
        warning=_warning(invoice),
        stamp="DRAFT" if is_draft else "VOID" if invoice.state is InvoiceState.VOID else "",
        body=body,
        dated=_noon(invoice.issue_on),
        language=locale.replace("_", "-"),
    )


def _warning(invoice: Invoice) -> str:
    """What a reader must not take it for."""
    if invoice.state is InvoiceState.DRAFT:
        return "DRAFT: this is no invoice yet. It has no number, and nothing is owed until it is sent."
    if invoice.state is InvoiceState.VOID:
        return f"VOID: this {invoice.called} was given up; nothing is to be paid on it."
    return ASKS.get(invoice.kind, "")


def _party(customer: Customer) -> list[str]:
    name = customer.billing_name or customer.name
    also = [customer.name] if name != customer.name else []
    return [name, *also, f"Customer {customer.code}", *([customer.country] if customer.country else [])]


def _terms(invoice: Invoice) -> str:
    if invoice.state is not InvoiceState.DRAFT and invoice.to_pay.micros <= 0:
        return "nothing to pay"
    days = (invoice.due_on - invoice.issue_on).days
    return "due on issue" if not days else f"{days} day{'' if days == 1 else 's'} from issue"


def _number(of: Decimal, settings: Settings) -> str:
    """A quantity or rate, spelled as the book's locale does, all its digits kept."""
    made: str = format_decimal(plain(of), locale=settings.locale, decimal_quantization=False)
    return made


def _lines(lines: Sequence[InvoiceLine], settings: Settings) -> Grid:
    code = lines[0].net.currency.code if lines else ""
    return Grid(
        headings=("Description", "Quantity", "Unit price", "Tax", f"Net {code}", f"Tax {code}"),
        lines=[
            (
                line.description,
                _number(line.quantity, settings),
                amount(line.unit_price, settings.locale),
                f"{_number(line.tax_rate, settings)} %",
                amount(line.net, settings.locale),
                amount(line.tax, settings.locale),
            )
            for line in lines
        ],
        widths=(64, 18, 26, 16, 28, 24),
        figures=FIGURES,
    )


def _totals(file: InvoiceFile, settings: Settings, asked: Asked) -> list[tuple[str, str, bool]]:
    """Net and tax by rate, the total, and what of it is paid and open. The lines' rounded figures add up. Rule 104."""
    invoice, locale = file.invoice, settings.locale
    rates = sorted({line.tax_rate for line in file.lines}, reverse=True)
    made = []
    for rate in rates:
        mine = [line for line in file.lines if line.tax_rate == rate]
        net = total([line.net for line in mine], invoice.total.currency)
        tax = total([line.tax for line in mine], invoice.total.currency)
        made.append((f"Net at {_number(rate, settings)} %", money(net, locale), False))
        made.append((f"Tax at {_number(rate, settings)} %", money(tax, locale), False))
    made.append(("Total net", money(invoice.net, locale), True))
    made.append(("Total tax", money(invoice.tax, locale), False))
    made.append(("Total", money(invoice.total, locale), True))
    if invoice.state is not InvoiceState.DRAFT:
        if invoice.is_negative:
            return [*made, ("We owe you", money(-invoice.total, locale), True)]
        if invoice.is_summary:
            made.append(("Already deducted", money(invoice.total - invoice.to_pay, locale), False))
        until = date_text(settings.today(asked.asked_at), locale)
        made.append((f"Paid until {until}", money(invoice.to_pay - invoice.open, locale), False))
        made.append(("Open", money(invoice.open, locale), True))
    return made


def _told(invoice: Invoice, settings: Settings) -> str:
    """What is out of the ordinary about an invoice of usage. Rule 105."""
    if invoice.is_negative:
        who = settings.company or "The issuer"
        worth = money(-invoice.total, settings.locale)
        return f"More was refunded than used: {who} owes the recipient {worth}. Later invoices use it up."
    if invoice.is_summary:
        return "This sums up what was deducted from credit as it was used. Only what is open is to be paid."
    return ""


def _payments(file: InvoiceFile, settings: Settings) -> Grid:
    return Grid(
        headings=("Paid with", "On", "Amount"),
        lines=[
            (number, date_text(on, settings.locale), money(paid, settings.locale))
            for number, on, paid, _ in _together(file.allocations, lambda each: each.lot_number)
        ],
        widths=(80, 46, 50),
        figures=frozenset({2}),
    )


def _together(
    allocations: Sequence[Allocation], named: Callable[[Allocation], str]
) -> Iterator[tuple[str, date, Money, Money]]:
    """One line for what was matched on the same day to the same document, by hand and by itself."""
    parts: dict[tuple[str, date], list[Allocation]] = {}
    for each in allocations:
        parts.setdefault((named(each), each.effective_on), []).append(each)
    for (number, on), found in parts.items():
        yield number, on, total([each.amount for each in found], found[0].amount.currency), found[0].invoice_total


def receipt_paper(books: ReadBooks, asked: Asked) -> Document:
    """What came in, from whom, what it paid invoice by invoice, and what is left of it. Refuses: NotFound."""
    file = books.payment_file(int(asked.question["id"]))
    settings = books.settings()
    payment, locale = file.payment, settings.locale
    is_void = payment.state is PaymentState.VOID
    facts = [
        ("Payment", payment.number),
        ("Received on", date_text(payment.received_on, locale)),
        ("Method", payment.method.value),
        *([("Reference", payment.reference)] if payment.reference else []),
    ]
    until = date_text(settings.today(asked.asked_at), locale)
    return Document(
        customer_id=file.customer.id if file.customer is not None else None,
        name=f"receipt-{payment.number}",
        title="Payment receipt",
        number=payment.number,
        company=settings.company,
        party=_payer(file),
        party_label="Received from",
        facts=facts,
        warning=f"VOID: this payment was voided{_voided(payment.voided_on, locale)} and pays nothing."
        if is_void
        else "",
        stamp="VOID" if is_void else "",
        body=[*_paid(file, settings), Sums(_received(file, settings, until))],
        dated=payment.recorded_at,
        language=locale.replace("_", "-"),
    )


def _payer(file: PaymentFile) -> list[str]:
    if file.customer is None:
        return [file.payment.payer, "not assigned to a customer yet"]
    payer = file.payment.payer
    return [*_party(file.customer), *([f"Paid by {payer}"] if payer and payer != file.customer.name else [])]


def _voided(on: date | None, locale: str) -> str:
    return f" on {date_text(on, locale)}" if on is not None else ""


def _paid(file: PaymentFile, settings: Settings) -> list[Grid]:
    if not file.allocations:
        return []
    lines = [
        (
            number,
            date_text(on, settings.locale),
            money(invoice_total, settings.locale),
            money(paid, settings.locale),
        )
        for number, on, paid, invoice_total in _together(file.allocations, lambda each: each.invoice_number)
    ]
    headings = ("Invoice", "Paid on", "Invoice total", "Paid by this payment")
    return [Grid(headings=headings, lines=lines, widths=(50, 34, 46, 46), figures=frozenset({2, 3}))]


def _received(file: PaymentFile, settings: Settings, until: str) -> list[tuple[str, str, bool]]:
    """The amount received and where it is; a void payment is nowhere."""
    locale, received = settings.locale, file.payment.amount
    if file.payment.state is PaymentState.VOID:
        return [("Received, then voided", money(received, locale), True)]
    left = Money(file.left_micros, received.currency)
    return [
        ("Received", money(received, locale), True),
        (f"Applied until {until}", money(received - left, locale), False),
        ("Left unapplied", money(left, locale), True),
    ]


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), tzinfo=UTC)


def note_paper(books: ReadBooks, asked: Asked) -> Document:
    """A credit note with its lines, what it credits, and what of it is applied. Refuses: NotFound."""
    file = books.note_file(int(asked.question["id"]))
    settings = books.settings()
    note, locale = file.note, settings.locale
    is_draft, is_void = note.state is NoteState.DRAFT, note.state is NoteState.VOID
    facts = [
        ("Draft" if is_draft else "Credit note", note.label),
        ("Date", date_text(note.issue_on, locale)),
        *([("Of invoice", file.invoice_label)] if file.invoice_label else []),
        ("Because of", note.code.value),
        ("Currency", note.total.currency.code),
    ]
    sums = [
        ("Total net", money(note.net, locale), True),
        ("Total tax", money(note.tax, locale), False),
        ("Credited", money(note.total, locale), True),
    ]
    if note.state is NoteState.SENT:
        until = date_text(settings.today(asked.asked_at), locale)
        sums.append((f"Applied until {until}", money(note.total - note.open, locale), False))
        sums.append(("Not applied yet", money(note.open, locale), True))
    body: list[Grid | Sums | Note] = [_lines([each.line for each in file.lines], settings), Sums(sums)]
    if file.allocations:
        applied = _together(file.allocations, lambda each: each.invoice_number)
        lines = [(number, date_text(on, locale), money(paid, locale)) for number, on, paid, _ in applied]
        body.append(
            Grid(headings=("Applied to", "On", "Amount"), lines=lines, widths=(80, 46, 50), figures=frozenset({2}))
        )
    return Document(
        customer_id=file.customer.id,
        name=f"credit-note-{note.label}",
        title="Credit note",
        number="DRAFT" if is_draft else note.label,
        company=settings.company,
        party=_party(file.customer),
        party_label="Credit to",
        facts=facts,
        warning=NOT_IN_FORCE.get(note.state, ""),
        stamp="DRAFT" if is_draft else "VOID" if is_void else "",
        body=body,
        dated=_noon(note.issue_on),
        language=locale.replace("_", "-"),
    )


NOT_IN_FORCE = {
    NoteState.DRAFT: "DRAFT: this is no credit note yet. Nothing is credited until it is approved.",
    NoteState.VOID: "VOID: this credit note was given up and credits nothing.",
}
PAPERS: dict[str, Callable[[ReadBooks, Asked], Document]] = {
    "invoice": invoice_paper,
    "receipt": receipt_paper,
    "note": note_paper,
    "statement": statement_paper,
}
