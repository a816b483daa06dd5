"""What waits for somebody, and what they did last: the questions behind the home tab."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain.approval import Approval, Mandate
from bot.domain.delegations import Delegation
from bot.domain.mail import KeptMail
from bot.domain.money import Money
from bot.domain.ports import InvoiceListLine, PaymentLine
from bot.domain.promises import PromiseStanding


@dataclass(frozen=True, slots=True)
class Pile:
    """How many documents wait, and their sum per currency."""

    count: int
    sums: tuple[Money, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An operation of one person, and whether it can still be undone."""

    operation_id: int
    at: datetime
    description: str
    is_undoable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """What waits in the book, the oldest first; what a person did last, the newest first.

    `unassigned`: payments of nobody yet. `left_over`: assigned money that pays nothing yet. `drafts`: unsent invoices.
    `waiting`: requests that other people decide, the first to end first. `broken`: promises whose day has passed.
    `mails`: those that failed, came back, or of which nobody knows, the newest first.
    `mandates`: in whose place this person decides; `delegation`: who does in theirs.
    """

    unassigned: Pile
    unassigned_lines: Sequence[PaymentLine]
    left_over: Pile
    drafts: Pile
    draft_lines: Sequence[InvoiceListLine]
    waiting: Sequence[Approval]
    mandates: Sequence[Mandate]
    delegation: Delegation | None
    broken: Sequence[PromiseStanding]
    mails: Sequence[KeptMail]
    undelivered: Sequence[tuple[str, int]]
    done: Sequence[Done]
