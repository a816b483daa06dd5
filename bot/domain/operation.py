"""An operation as data: who may, what it is called; and what travels with every request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

from bot.domain.proofs import Proof

if TYPE_CHECKING:
    from bot.domain.ports import Books


class Role(IntEnum):
    """What a person may do; each right includes those below it. Rules 118-120."""

    NONE = 0
    VIEWER = 1
    CLERK = 2
    MANAGER = 3
    ADMINISTRATOR = 4
    OWNER = 5

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: the identity of the signed payload, never a name somebody typed."""

    team: str
    user: str
    enterprise: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who, when, from where, under which key, and until when an answer is of use."""

    actor: Actor
    now: datetime
    key: str
    request_id: str
    command: str = ""
    deadline: float | None = None
    past_lock: str = ""  # why a manager posts on days that are softly locked
    silent: bool = False  # takes over what happened elsewhere: nothing is announced


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an operation is told about its circumstances: it asks no clock and no environment."""

    operation_id: int
    actor: Actor
    person: str
    role: Role
    now: datetime
    today: date
    request_id: str
    undo_until: datetime

    @property
    def undo_offered(self) -> datetime | None:
        """Until when what is done now can be undone; nothing in a book that offers no undo."""
        return self.undo_until if self.undo_until > self.now else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What the audit log keeps of an operation: amounts, ids and states, no contact data. Rule 115."""

    description: str
    customer_id: int | None = None
    document: str | None = None
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)


class DocumentKind(StrEnum):
    """The kinds of document that have a card and a thread."""

    PAYMENT = "payment"
    INVOICE = "invoice"
    CUSTOMER = "customer"
    BOOK = "book"
    WITHDRAWAL = "withdrawal"
    CREDIT = "credit"
    MASTER = "master"
    CREDIT_NOTE = "credit_note"
    TOP_UP = "top_up"
    TERMS = "terms"  # a limit or a mode that others approve first
    WRITE_OFF = "write_off"
    REMINDERS = "reminders"  # the plan of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A card to post or refresh after commit; the root is posted once, later ones update it and say so in its
    thread.
    """

    document: DocumentKind
    document_id: int
    refresh_only: bool = False
    file: Proof | None = None  # to be put into the thread instead
    paper: str = ""  # of which a file is made and put into the thread instead


class Outcome(Protocol):
    """What happened: carries everything its card shows and what the audit log keeps."""

    def trace(self) -> Trace: ...

    def announcements(self) -> tuple[Announcement, ...]: ...


@runtime_checkable
class Dated(Protocol):
    """An outcome that a period lock can move to a later day than was asked for."""

    @property
    def is_locked_out(self) -> bool: ...


@runtime_checkable
class Lowering(Protocol):
    """An outcome after which a customer's wallet may have to be topped up."""

    @property
    def operation_id(self) -> int: ...

    def to_top_up(self) -> int | None: ...


CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)


@dataclass(frozen=True, slots=True)
class Operation(Generic[CommandT, OutcomeT]):
    """One write of the desk: its name in the audit log, the role it needs, and what it does.

    One done `alone` changes what others go by, such as the hard lock: none of them is under way meanwhile.
    """

    name: str
    by: Role
    run: "Callable[[CommandT, Books, Context], OutcomeT]"
    doc: str
    alone: bool = False

    @property
    def event(self) -> str:
        """The event column of the audit log. Rule 115."""
        return self.name.replace("_", " ").capitalize()


OPERATIONS: "dict[str, Operation[object, Outcome]]" = {}


def operation(
    *,
    by: Role,
    alone: bool = False,
) -> "Callable[[Callable[[CommandT, Books, Context], OutcomeT]], Operation[CommandT, OutcomeT]]":
    """Make a function an operation: data that the desk, the audit and the permission test read."""

    def wrap(run: "Callable[[CommandT, Books, Context], OutcomeT]") -> Operation[CommandT, OutcomeT]:
        made = Operation(run.__name__, by, run, run.__doc__ or "", alone)
        assert made.name not in OPERATIONS
        OPERATIONS[made.name] = made  # type: ignore[assignment]  # a list of all operations forgets their types
        return made

    return wrap
