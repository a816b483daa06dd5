"""What credit documents and the master account ask of storage inside a write, and what is asked about all that gives
credit.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Currency, Money

if TYPE_CHECKING:
    from bot.domain.credit_note import CreditNote, NoteFile
    from bot.domain.credits import Credit, CreditFile, Taken
    from bot.domain.customers import Customer
    from bot.domain.master import MasterAccount
    from bot.domain.master_moves import TopUp
    from bot.domain.open_items import Lot
    from bot.domain.payment_settings import PaymentSettings
    from bot.domain.ports import Page
    from bot.domain.usage import Charge, UsageSum


class Credits(Protocol):
    def get(self, credit_id: int) -> "Credit": ...

    def insert(self, made: "Credit") -> None: ...

    def take(self, made: "Credit", taken: "Sequence[Taken]", lots: "Mapping[int, Lot]") -> None: ...

    def give_back(self, made: "Credit", on: date, entry_id: int) -> None: ...

    def set_undone(self, made: "Credit") -> None: ...


class Master(Protocol):
    def lock(self, currency: Currency) -> "MasterAccount | None": ...

    def open(self, currency: Currency) -> "MasterAccount": ...

    def move(self, by: Money) -> None: ...

    def set_limit(self, limit: Money) -> None: ...

    def insert(self, made: "TopUp") -> None: ...


class CreditQuestions(Protocol):
    """Questions about credit documents, master accounts, usage and credit notes."""

    def credit(self, number_or_id: str) -> "Credit | None": ...

    def credit_file(self, credit_id: int) -> "CreditFile": ...

    def list_credits(self, page: "Page") -> "Sequence[tuple[Credit, str]]": ...

    def masters(self) -> "Sequence[MasterAccount]": ...

    def master_top_up(self, top_up_id: int) -> "TopUp": ...

    def payment_settings(self, customer: "Customer") -> "PaymentSettings | None": ...

    def usage_since(self, customer_id: int, since: date) -> "Sequence[UsageSum]": ...

    def charge(self, external_id: str) -> "Charge | None": ...

    def note(self, number_or_id: str) -> "CreditNote | None": ...

    def note_file(self, note_id: int) -> "NoteFile": ...

    def list_notes(self, page: "Page") -> "Sequence[tuple[CreditNote, str]]": ...
