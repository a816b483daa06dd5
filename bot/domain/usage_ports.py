"""What usage asks of storage inside a write."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Currency, Money

if TYPE_CHECKING:
    from bot.domain.credits import Credit
    from bot.domain.customers import Mode
    from bot.domain.open_items import Invoice
    from bot.domain.refunds import Refunded
    from bot.domain.usage import Charge, UsageDay
    from bot.domain.usage_invoices import UsageGroup


class Usage(Protocol):
    def known(self, external_ids: Sequence[str]) -> "Mapping[str, Charge]": ...

    def find(self, external_id: str) -> "Charge | None": ...

    def refunded(self, charge: "Charge") -> "Refunded": ...

    def day(self, customer_id: int, on: date) -> "UsageDay | None": ...

    def days(self, ids: Sequence[int]) -> "Sequence[UsageDay]": ...

    def open_days(self, customer_id: int) -> "Sequence[UsageDay]": ...

    def insert_day(self, day: "UsageDay") -> None: ...

    def raise_day(self, day: "UsageDay", by: Money) -> None: ...

    def insert(self, charges: "Sequence[Charge]") -> None: ...

    def to_bill(self, customer_id: int, mode: "Mode", through: date, of: Currency) -> "Sequence[UsageGroup]": ...

    def unbilled_after(self, customer_id: int, through: date, since: date) -> int: ...

    def bill(self, invoice: "Invoice") -> None: ...

    def billed_through(self, customer_id: int) -> date | None: ...

    def insert_refund(
        self, made: "Credit", charge: "Charge | None", tax: Money, cost: Money, entry_id: int
    ) -> None: ...
