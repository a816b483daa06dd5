"""The limit watch: each use of a limit and each end of a temporary one is announced once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import WrongState
from bot.domain.limits import limit_at, used_of_limit
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books
    from bot.domain.settings import Settings

LEVELS = (100, 90, 80)
WHOLE = 100


class AlertKind(StrEnum):
    """What is announced: a share of the limit is used, a temporary limit ends soon, or has ended."""

    USE = "use"
    ENDS = "ends"
    ENDED = "ended"


# How far the end of a temporary limit was told.
END_TOLD = {AlertKind.ENDS: 1, AlertKind.ENDED: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What was told of a customer's limit. A new limit and a new mode begin it anew; so does a new month of one who is
    postpaid.
    """

    level: int = 0
    month: str = ""
    end_told: int = 0
    version: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnounceLimit:
    """Tell what is to be told of a customer's limit; `version` is of what was told when somebody looked."""

    customer_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitAnnounced:
    """Something is told of a customer's limit; nothing of it has changed."""

    kind: AlertKind
    level: int
    customer: Customer
    at: datetime
    operation_id: int

    def trace(self) -> Trace:
        limit, used = limit_at(self.customer, self.at), used_of_limit(self.customer, self.at)
        said = f"{self.level} % used" if self.kind is AlertKind.USE and limit else self.kind.value
        if self.kind is AlertKind.USE and not limit:
            said = "over, with none in force"
        return Trace(
            description=f"{self.customer.code} limit {said}: {used} in use of {limit}",
            customer_id=self.customer.id,
            document=self.customer.code,
            after={"used": str(used), "limit": str(limit), "usable": str(self.customer.usable(self.at))},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return (Announcement(document=DocumentKind.CUSTOMER, document_id=self.customer.id),)


def level_of(customer: Customer, at: datetime) -> int:
    """The highest share of the limit that is used, in per cent; where none is in force, all of it once there is less
    than nothing left.
    """
    limit, used = limit_at(customer, at).micros, used_of_limit(customer, at).micros
    if not limit:
        return WHOLE if customer.usable(at).micros < 0 else 0
    return next((level for level in LEVELS if used * WHOLE >= level * limit), 0)


def end_of(customer: Customer, at: datetime, notice: timedelta) -> AlertKind | None:
    """Whether a temporary limit has ended, or ends within so long."""
    ends_at = customer.limit_ends_at
    if ends_at is None or not customer.limit_micros:
        return None
    if at >= ends_at:
        return AlertKind.ENDED
    return AlertKind.ENDS if at >= ends_at - notice else None


def month_of(customer: Customer, at: datetime, settings: "Settings") -> str:
    """The month whose use counts: of the book where use begins anew with it, none for who is prepaid."""
    return f"{settings.today(at):%Y-%m}" if customer.mode is Mode.POSTPAID else ""


def due_alert(customer: Customer, told: Watched, at: datetime, settings: "Settings") -> AlertKind | None:
    """What is to be told now, if anything: an end before a use."""
    end = end_of(customer, at, timedelta(days=settings.limit_notice_days))
    if end is not None and END_TOLD[end] > told.end_told:
        return end
    before = told.level if told.month == month_of(customer, at, settings) else 0
    return AlertKind.USE if level_of(customer, at) > before else None


@operation(by=Role.NONE)
def announce_limit(command: AnnounceLimit, books: "Books", context: Context) -> LimitAnnounced:
    """Tell once that a limit is used to a share of it, ends soon, or has ended. Rules 59, 61. Refuses: WrongState."""
    customer = books.customers.lock(command.customer_id)
    settings, told = books.settings.current(), books.terms.watched(customer.id)
    kind = due_alert(customer, told, context.now, settings)
    if customer.state is CustomerState.CLOSED or kind is None or told.version != command.version:
        raise WrongState(f"Nothing is to be told of the limit of {customer.name}.")
    level, month = level_of(customer, context.now), month_of(customer, context.now, settings)
    used = replace(told, level=level, month=month)
    after = used if kind is AlertKind.USE else replace(told, end_told=END_TOLD[kind])
    books.terms.tell(customer.id, after)
    return LimitAnnounced(kind=kind, level=level, customer=customer, at=context.now, operation_id=context.operation_id)
