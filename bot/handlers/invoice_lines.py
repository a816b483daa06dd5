"""The lines of an invoice as people type them: description; quantity x price; tax."""

from decimal import Decimal

from bot.domain.errors import MissingText, Refused
from bot.domain.invoices import InvoiceLine, LineInput
from bot.domain.open_items import InvoiceKind
from bot.domain.settings import Settings
from bot.handlers import find
from bot.handlers.blocks.text import amount
from bot.handlers.forms import TextField
from bot.handlers.request import Call

LINES = TextField(
    "lines",
    "Lines",
    multiline=True,
    longest=3000,
    placeholder="Consulting; 2 x 500; 9%",
    hint="One a line: description; quantity x price; tax. Quantity and tax may be left out. A proforma's line may end "
    "in its cost: Consulting; 500; 9%; cost 40.",
)
MOST_LINE_PARTS = 3
COST = "cost "


def read_lines(
    text: str, settings: Settings, call: Call, customer_id: int, kind: InvoiceKind = InvoiceKind.TAX
) -> tuple[LineInput, ...]:
    """`Consulting; 2 x 500; 9%`, one a line; the tax defaults to the book's first rate, of a top-up to none; of a
    proforma `cost 40` may follow. Refuses: Refused.
    """
    customer = call.desk.ask(lambda books: books.customer(customer_id), call.request)
    made = []
    for line in text.splitlines():
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split(";")]
        cost = parts.pop()[len(COST) :] if kind is InvoiceKind.PROFORMA and parts[-1].lower().startswith(COST) else ""
        if len(parts) < 2 or len(parts) > MOST_LINE_PARTS:  # noqa: PLR2004  # a description and a price at least
            raise Refused(
                "Type each line as: description; quantity x price; tax, such as Consulting; 2 x 500; 9%.", field="lines"
            )
        quantity, price = _quantity(parts[1])
        usual = settings.rates()[0] if kind is not InvoiceKind.TOP_UP else Decimal(0)
        rate = _rate(parts[2]) if len(parts) == MOST_LINE_PARTS else usual
        made.append(
            LineInput(
                description=parts[0],
                unit_price=find.money_typed(price, settings, customer.currency, field="lines"),
                quantity=quantity,
                tax_rate=rate,
                cost=find.money_typed(cost, settings, customer.currency, field="lines") if cost else None,
            )
        )
    if not made:
        raise MissingText("An invoice has at least one line.", field="lines")
    return tuple(made)


def _quantity(text: str) -> tuple[Decimal, str]:
    for mark in ("×", " x ", " X ", "*"):
        before, found, after = text.partition(mark)
        if found:
            number = before.strip()
            if not number.replace(".", "", 1).isdigit() or not number.isascii():
                raise Refused(
                    f"{number[:20] or 'Nothing'} is not a quantity; type one such as 2 or 1.5.", field="lines"
                )
            return Decimal(number), after.strip()
    return Decimal(1), text


def _rate(text: str) -> Decimal:
    number = text.removesuffix("%").strip()
    if not number.isascii() or not number.replace(".", "", 1).isdigit():
        raise Refused(f"{text[:20]} is not a tax rate; type one such as 9%.", field="lines")
    return Decimal(number)


def line_typed(line: InvoiceLine, settings: Settings) -> str:
    """A line as it would be typed, its amounts as the book's locale writes them."""
    cost = f"; {COST}{amount(line.cost, settings.locale)}" if line.cost is not None else ""
    price = amount(line.unit_price, settings.locale)
    return f"{line.description}; {line.quantity:f} x {price}; {line.tax_rate:f}%{cost}"
