"""People and their rights: nobody has access until it was granted, and there is always exactly one owner."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.errors import NoAccess, NotFound, OwnerExists
from bot.domain.operation import Actor, Announcement, Context, Role, Trace, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A member of the workspace with a right in this book; found by the ids of a signed payload."""

    id: int
    team: str
    user: str
    enterprise: str | None = None
    name: str = ""
    role: Role = Role.NONE
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What Slack says of a user at the moment of a grant."""

    team: str
    user: str
    enterprise: str | None = None
    name: str = ""
    guest: bool = False
    robot: bool = False
    stranger: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Give a person a right; OWNER hands the ownership over."""

    profile: Profile
    role: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """Take a person's right away."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOwner:
    """Name the first owner, from the command line or the environment."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Slack says that somebody with a right is no full member any more."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class RightChanged:
    """A person's right is another from now on."""

    person: Person
    before: Role
    operation_id: int
    former_owner: Person | None = None

    def trace(self) -> Trace:
        after = self.person.role.label if self.person.active else f"{self.person.role.label}, deactivated"
        return Trace(
            description=f"{self.person.user}: {self.before.label} to {after}",
            before={"role": self.before.label},
            after={"role": after, "user": self.person.user},
        )

    def announcements(self) -> tuple[Announcement, ...]:
        return ()


@operation(by=Role.ADMINISTRATOR)
def grant(command: Grant, books: "Books", context: Context) -> RightChanged:
    """Give a right to a full member of this workspace. Rules 118-120. Refuses: NoAccess."""
    check_profile(command.profile)
    current = books.people.find(command.profile.team, command.profile.user)
    before = current.role if current is not None and current.active else Role.NONE
    check_may_grant(context.role, before, command.role)
    if current is not None and current.role is Role.OWNER:
        raise NoAccess("The owner keeps all rights until ownership is handed to somebody else.", field="person")
    hands_over = command.role is Role.OWNER
    person = books.people.put(command.profile, Role.ADMINISTRATOR if hands_over else command.role)
    former = None
    if hands_over:
        owner = books.people.owner()
        assert owner is not None
        person = replace(person, role=Role.OWNER)
        former = replace(owner, role=Role.ADMINISTRATOR)
        books.people.hand_over(owner, person)
    return RightChanged(person=person, before=before, operation_id=context.operation_id, former_owner=former)


@operation(by=Role.ADMINISTRATOR)
def revoke(command: Revoke, books: "Books", context: Context) -> RightChanged:
    """Take a right away. Rules 118, 120. Refuses: NotFound, NoAccess."""
    current = books.people.find(command.profile.team, command.profile.user)
    if current is None or current.role is Role.NONE:
        raise NotFound("This person has no right in this book.", field="person")
    if current.role is Role.OWNER:
        raise NoAccess(
            "There is always exactly one owner: hand ownership over first, with grant ... owner.", field="person"
        )
    check_may_grant(context.role, current.role, Role.NONE)
    books.people.put(command.profile, Role.NONE)
    return RightChanged(person=replace(current, role=Role.NONE), before=current.role, operation_id=context.operation_id)


@operation(by=Role.NONE)
def set_owner(command: SetOwner, books: "Books", context: Context) -> RightChanged:
    """Name the first owner, or a new one once the owner left the workspace; refused otherwise. Rule 120. Refuses:
    OwnerExists, NoAccess.
    """
    owner = books.people.owner()
    if owner is not None and owner.active:
        raise OwnerExists("This book has its owner; only the owner can hand ownership over, with /duedesk grant.")
    check_profile(command.profile)
    current = books.people.find(command.profile.team, command.profile.user)
    before = current.role if current is not None and current.active else Role.NONE
    if owner is None:
        person = books.people.put(command.profile, Role.OWNER)
    else:
        person = replace(books.people.put(command.profile, Role.ADMINISTRATOR), role=Role.OWNER)
        books.people.hand_over(owner, person)
    return RightChanged(person=person, before=before, operation_id=context.operation_id, former_owner=owner)


@operation(by=Role.NONE)
def leave(command: Leave, books: "Books", context: Context) -> RightChanged:
    """Let nobody act who is no full member any more; a later return needs a new grant. Rules 118, 119. Refuses:
    NotFound.
    """
    current = books.people.find(command.profile.team, command.profile.user)
    if current is None or not current.active or not why_not_member(command.profile):
        raise NotFound("This person has no right to lose.", field="person")
    books.people.deactivate(current)
    return RightChanged(person=replace(current, active=False), before=current.role, operation_id=context.operation_id)


def check_profile(profile: Profile) -> None:
    """Only full members of this workspace get rights. Rules 118, 119. Refuses: NoAccess."""
    sentence = why_not_member(profile)
    if sentence:
        raise NoAccess(sentence, field="person")


def why_not_member(profile: Profile) -> str:
    """Why somebody is no full member of this workspace; empty for one who is. Rules 118, 119."""
    for fault, sentence in (
        (profile.robot, "Bots get no rights in this book."),
        (profile.deleted, "This user is deactivated."),
        (profile.stranger, "This user belongs to another workspace."),
        (profile.guest, "Guests get no rights in this book; only full members do."),
    ):
        if fault:
            return sentence
    return ""


def check_may_grant(granter: Role, before: Role, after: Role) -> None:
    """Administrators grant up to manager; only the owner makes administrators and owners. Rule 120. Refuses:
    NoAccess.
    """
    if granter is not Role.OWNER and max(before, after) >= Role.ADMINISTRATOR:
        raise NoAccess("Only the owner changes the rights of administrators, or hands ownership over.", field="role")


def is_same_house(actor: Actor, home_team: str, home_enterprise: str | None) -> bool:
    """Whether a user is of this workspace: foreign when team and enterprise both differ."""
    return actor.team == home_team or (home_enterprise is not None and actor.enterprise == home_enterprise)
