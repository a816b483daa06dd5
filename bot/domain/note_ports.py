"""What credit notes ask of storage inside a write."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Money

if TYPE_CHECKING:
    from bot.domain.credit_note import CreditNote, NoteLine


class Notes(Protocol):
    def get(self, note_id: int) -> "CreditNote": ...

    def lines(self, note_id: int) -> "tuple[NoteLine, ...]": ...

    def credited(self, invoice_id: int) -> Mapping[int, tuple[Money, Money]]: ...

    def insert(self, note: "CreditNote", lines: "Sequence[NoteLine]") -> None: ...

    def send(self, note: "CreditNote") -> None: ...

    def void(self, note: "CreditNote") -> None: ...
