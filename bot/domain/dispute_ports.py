"""What disputes, promises and write-offs ask of storage inside a write, and what is asked about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Protocol

from bot.domain.money import Money

if TYPE_CHECKING:
    from bot.domain.disputes import Dispute
    from bot.domain.held import DisputedSum
    from bot.domain.open_items import Invoice
    from bot.domain.promises import Promise, PromiseStanding
    from bot.domain.write_off import WriteOff, WriteOffFile


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOff:
    """The row by which a write-off took its amount off an invoice."""

    id: int
    amount: Money
    effective_on: date
    entry_id: int


class Disputes(Protocol):
    def newest(self, invoice_id: int) -> "Dispute | None": ...

    def insert(self, made: "Dispute") -> None: ...


class Promises(Protocol):
    def standing(self, customer_id: int, invoice_id: int | None) -> "Promise | None": ...

    def insert(self, made: "Promise") -> None: ...

    def end(self, promise: "Promise", person: str) -> None: ...


class WriteOffs(Protocol):
    def get(self, write_off_id: int) -> "WriteOff": ...

    def waiting_of(self, invoice_id: int) -> "WriteOff | None": ...

    def made_by(self, write_off_id: int) -> WrittenOff: ...

    def insert(self, made: "WriteOff") -> None: ...

    def make(self, made: "WriteOff", invoice: "Invoice", entry_id: int) -> None: ...

    def reverse(self, made: "WriteOff", before: WrittenOff, invoice: "Invoice", on: date, entry_id: int) -> None: ...

    def close(self, made: "WriteOff") -> None: ...


class DisputeBooks(Protocol):
    """The part of the books inside a write that is about debts in doubt."""

    @property
    def disputes(self) -> Disputes: ...

    @property
    def promises(self) -> Promises: ...

    @property
    def write_offs(self) -> WriteOffs: ...


class DisputeQuestions(Protocol):
    """Questions about disputes, promises and write-offs."""

    def disputes_of(self, customer_id: int) -> "Sequence[Dispute]": ...

    def promises_of(self, customer_id: int) -> "Sequence[PromiseStanding]": ...

    def write_off(self, number_or_id: str) -> "WriteOff | None": ...

    def write_off_file(self, write_off_id: int) -> "WriteOffFile": ...

    def promises_waited_for(self) -> "Sequence[PromiseStanding]": ...

    def disputed_sums(self) -> "Sequence[DisputedSum]": ...
