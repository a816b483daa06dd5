"""Commands with good defaults."""

from dataclasses import replace

from bot.domain.invoices import DraftInvoice, LineInput
from tests.world import World, money


def a_line(price: str = "10", code: str = "SGD", **changes: object) -> LineInput:
    return replace(LineInput(description="Service", unit_price=money(price, code)), **changes)  # type: ignore[arg-type]


def a_draft(world: World, customer_id: int, *lines: LineInput, **changes: object) -> DraftInvoice:
    plain = DraftInvoice(customer_id=customer_id, lines=lines or (a_line(),), issue_on=world.today)
    return replace(plain, **changes)  # type: ignore[arg-type]
