"""What a customer's payment settings and automatic top-ups ask of storage inside a write."""

from datetime import date
from typing import TYPE_CHECKING, Protocol

from bot.domain.customers import Customer
from bot.domain.money import Currency, Money

if TYPE_CHECKING:
    from bot.domain.payment_settings import PaymentSettings
    from bot.domain.topups import Attempt, Past


class TopUps(Protocol):
    def settings(self, customer: Customer) -> "PaymentSettings | None": ...

    def last_change(self, customer: Customer) -> "tuple[int, PaymentSettings | None]": ...

    def put(self, customer: Customer, settings: "PaymentSettings | None") -> None: ...

    def last_card(self, customer: Customer) -> Money | None: ...

    def busiest_day(self, customer: Customer, since: date) -> Money: ...

    def past(self, customer: Customer, month: date) -> "Past": ...

    def lock_day(self, day: date, of: Currency) -> Money: ...

    def made_under(self, settings_id: int) -> str: ...

    def insert(self, attempt: "Attempt") -> None: ...
