"""Delegation while away: somebody else decides approvals in a manager's place, until a day."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bot.domain.errors import NoAccess, Refused, WrongState
from bot.domain.operation import Announcement, Context, Role, Trace, operation
from bot.domain.people import Profile, check_profile

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_DAYS = 92


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """Who decides in whose place: up to and with a day of the book, which ends at an instant."""

    id: int
    principal: str
    stand_in: str
    last_day: date
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Let somebody decide approvals in one's place, up to and with a day."""

    profile: Profile
    last_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class EndDelegation:
    """Decide oneself again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DelegationChanged:
    """Somebody stands in for a manager, or no more."""

    step: str
    delegation: Delegation
    operation_id: int

    def trace(self) -> Trace:
        made = self.delegation
        return Trace(
            description=f"{made.stand_in} decides for {made.principal} until {made.last_day}: {self.step}",
            after={"principal": made.principal, "stand_in": made.stand_in, "until": str(made.last_day)},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.MANAGER)
def delegate(command: Delegate, books: "Books", context: Context) -> DelegationChanged:
    """Let another person with a right decide approvals in one's place; it replaces what was said before. Refuses:
    NoAccess, Refused.
    """
    check_profile(command.profile)
    if command.profile.user == context.person:
        raise Refused("You cannot stand in for yourself; name somebody else.", field="person")
    other = books.people.find(command.profile.team, command.profile.user)
    if other is None or not other.active or other.role < Role.CLERK:
        raise NoAccess("Who stands in needs at least the right of a clerk; grant it first.", field="person")
    longest = context.today + timedelta(days=LONGEST_DAYS)
    if not context.today <= command.last_day <= longest:
        raise Refused(f"Choose a last day from today to {longest}.", field="until")
    principal = books.people.find(context.actor.team, context.person)
    assert principal is not None
    made = Delegation(
        id=books.new_id(),
        principal=principal.user,
        stand_in=other.user,
        last_day=command.last_day,
        until=_end_of(command.last_day, books.settings.current().zone),
    )
    books.delegations.end(principal)
    books.delegations.insert(made, principal, other)
    return DelegationChanged(step="begun", delegation=made, operation_id=context.operation_id)


@operation(by=Role.MANAGER)
def end_delegation(command: EndDelegation, books: "Books", context: Context) -> DelegationChanged:  # noqa: ARG001  # every operation has one
    """Nobody stands in any more. Refuses: WrongState."""
    principal = books.people.find(context.actor.team, context.person)
    assert principal is not None
    current = books.delegations.current(principal)
    if current is None or context.now >= current.until:
        raise WrongState("Nobody stands in for you.")
    books.delegations.end(principal)
    return DelegationChanged(step="ended", delegation=current, operation_id=context.operation_id)


def _end_of(day: date, zone: str) -> datetime:
    """Midnight after a day in the book's zone."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
