"""Top-up invoices that another operation sends: they ask for money that is credit once it is paid; nobody owes them."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, clean_text
from bot.domain.invoices import DRAFT, LONGEST_DESCRIPTION, InvoiceLine, ask, due_days
from bot.domain.money import Money
from bot.domain.open_items import Invoice, InvoiceKind, InvoiceState
from bot.domain.operation import Context
from bot.domain.payment_steps import check_amount

if TYPE_CHECKING:
    from bot.domain.ports import Books


def send_top_up(
    customer: Customer, amount: Money, books: "Books", context: Context, *, name: str, automatic: bool = False
) -> Invoice:
    """Write and send a top-up invoice for a locked customer; the wallet changes once it is paid. Rules 14, 72, 102.
    Refuses: NotPositive, TooPreciseForCurrency, CustomerClosed.
    """
    check_amount(amount)
    assert amount.currency == customer.currency
    nothing = Money(0, amount.currency)
    line = InvoiceLine(
        description=clean_text(name, "lines", LONGEST_DESCRIPTION, needed=True, called="description"),
        quantity=Decimal(1),
        unit_price=amount,
        tax_rate=Decimal(0),
        net=amount,
        tax=nothing,
    )
    draft = Invoice(
        id=books.new_id(),
        kind=InvoiceKind.TOP_UP,
        customer_id=customer.open_for_business().id,
        number=None,
        draft_reference=f"{DRAFT}{books.new_reference()}",
        issue_on=context.today,
        due_on=context.today + timedelta(days=due_days(customer, books)),
        posted_on=None,
        rose_on=None,
        net=amount,
        tax=nothing,
        total=amount,
        open=nothing,
        state=InvoiceState.DRAFT,
        auto_allocate=False,
    )
    return ask(replace(draft, automatic=automatic), (line,), context.today, books, is_new=True)
