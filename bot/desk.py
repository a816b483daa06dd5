"""The one door: transaction, key, role, operation, audit, outbox, commit."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar, get_type_hints

from pydantic import TypeAdapter
from pydantic_core import PydanticSerializationError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from bot.domain.errors import Busy, KeyReused, NoAccess, OutcomeUnknown, Refused
from bot.domain.locks import check_reason, with_reason
from bot.domain.operation import (
    OPERATIONS,
    Actor,
    Announcement,
    Context,
    Lowering,
    Operation,
    Outcome,
    Request,
    Role,
)
from bot.domain.people import Person
from bot.domain.topups import TriggerTopUp, trigger_top_up
from bot.observe import log
from bot.storage import requests
from bot.storage.books import SqlBooks
from bot.storage.faults import BUSY, CommitUnknown, Overtaken, is_conflict, is_passing, is_timeout
from bot.storage.ids import new_id
from bot.storage.reports import SqlReadBooks
from bot.storage.store import Store

CommandT = TypeVar("CommandT")
OutcomeT = TypeVar("OutcomeT", bound=Outcome)
T = TypeVar("T")

REQUEST_SECONDS = 2.0
LEAST_SECONDS_TO_RETRY = 0.3
MOST_TRIES = 4
SYSTEM = "system"
UNKEPT = "A text has a character that cannot be kept; remove it and try again."
UNKNOWN = "It is not known whether this was recorded. Pressing again cannot record it twice."


@cache
def _adapters(name: str) -> tuple[TypeAdapter[Any], TypeAdapter[Any]]:
    """How an operation's command and outcome are written as JSON."""
    hints = get_type_hints(OPERATIONS[name].run, localns={"Books": object})
    return TypeAdapter(hints["command"]), TypeAdapter(hints["return"])


def content_hash(operation: Operation[Any, Any], command: object, request: Request) -> str:
    """What makes two requests under one key the same: operation, command and person. Refuses: Refused."""
    try:
        text = _adapters(operation.name)[0].dump_json(command)
    except PydanticSerializationError:
        raise Refused(UNKEPT) from None
    if b"\\u0000" in text.replace(b"\\\\", b""):
        raise Refused(UNKEPT)
    who = f"{operation.name}\n{request.actor.team}\n{request.actor.user}\n{request.past_lock}".encode()
    return hashlib.sha256(who + text).hexdigest()


def restore(name: str, outcome: str) -> Outcome:
    """A stored outcome of an operation, as it was."""
    restored: Outcome = _adapters(name)[1].validate_json(outcome)
    return restored


def by_itself(now: datetime, key: str) -> Request:
    """The request of a job, which nobody asked for: its key lets each step happen once, whoever else takes it."""
    return Request(actor=Actor(team="", user=SYSTEM), now=now, key=key, request_id=key[-40:], command="job")


class Desk:
    """Carries out operations and answers questions for one book."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        on_commit: Callable[[], None] = lambda: None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.on_commit = on_commit
        self.on_job: Callable[[], None] = lambda: None
        self.mails = False  # whether e-mail is set up

    def carry_out(self, operation: Operation[CommandT, OutcomeT], command: CommandT, request: Request) -> OutcomeT:
        """Do an operation exactly once under the request's key; a repeat answers the first outcome.

        Refuses what the operation refuses, and: NoAccess, KeyReused, Busy, OutcomeUnknown.
        """
        outcome = self._run(operation, command, request, keep=True)
        self.on_commit()
        self._top_up(outcome, request)
        return outcome

    def _top_up(self, outcome: object, request: Request) -> None:
        """Top a wallet up that is at its threshold now; whatever stands in the way, what was done stays done.

        The key is that of the outcome, so that a repeat tops up no second time. What is cut off here is made good by
        the next look at all wallets.
        """
        if not isinstance(outcome, Lowering):
            return
        customer_id = outcome.to_top_up()
        if customer_id is None:
            return
        asked = Request(
            actor=Actor(team="", user=SYSTEM),
            now=request.now,
            key=f"top-up:{outcome.operation_id}",
            request_id=request.request_id,
            command=request.command,
            deadline=request.deadline,
        )
        try:
            self._run(trigger_top_up, TriggerTopUp(customer_id=customer_id), asked, keep=True)
            self.on_commit()
        except Refused as refusal:
            log.info("nothing was topped up: %s", refusal.code)
        except Exception as fault:  # noqa: BLE001  # the charge is done and is answered; the next look tops up
            log.error("a wallet cannot be topped up", exc_info=fault)

    def preview(self, operation: Operation[CommandT, OutcomeT], command: CommandT, request: Request) -> OutcomeT:
        """The same operation in a transaction that is rolled back; no key is stored."""
        return self._run(operation, command, replace(request, key=f"preview:{new_id()}"), keep=False)

    def was_done(self, request: Request) -> bool:
        """Whether something was carried out under this request's key."""
        actor = request.actor
        found = self.store.database.read(
            lambda connection: requests.opening(connection, team=actor.team, user=actor.user, key=request.key),
            request.deadline,
        )
        return found.stored is not None

    def ask(self, question: Callable[[SqlReadBooks], T], request: Request, *, by: Role = Role.VIEWER) -> T:
        """Answer a question for somebody entitled. Rules 118, 119. Refuses: NoAccess, Busy."""

        def work(books: SqlReadBooks) -> T:
            check_role(books.person(request.actor.team, request.actor.user), by)
            return question(books)

        try:
            return self.store.read(work, request.deadline)
        except DBAPIError as fault:
            if is_timeout(fault):
                raise Busy(BUSY) from fault
            raise

    def _run(
        self, operation: Operation[CommandT, OutcomeT], command: CommandT, request: Request, *, keep: bool
    ) -> OutcomeT:
        hashed = content_hash(operation, command, request)

        def work(connection: Connection) -> OutcomeT:
            return self._in_transaction(connection, operation, command, request, hashed)

        lost = False
        for attempt in range(MOST_TRIES):
            try:
                return self.store.write(work, request.deadline, keep=keep, alone=operation.alone)
            except (Refused, CommitUnknown, Overtaken, DBAPIError) as fault:
                lost = lost or isinstance(fault, CommitUnknown)
                first = self._done_meanwhile(operation, request, hashed, fault) if keep else None
                if first is not None:
                    return first
                if attempt == MOST_TRIES - 1 or not _can_retry(fault, request.deadline):
                    final = _final(fault, lost=lost)
                    if final is fault:
                        raise
                    raise final from fault
        raise AssertionError

    def _in_transaction(
        self,
        connection: Connection,
        operation: Operation[CommandT, OutcomeT],
        command: CommandT,
        request: Request,
        hashed: str,
    ) -> OutcomeT:
        opening = requests.opening(connection, team=request.actor.team, user=request.actor.user, key=request.key)
        person = check_role(opening.person, operation.by)
        if opening.stored is not None:
            return _first_outcome(operation, opening.stored, hashed)
        settings = self.store.settings(connection, opening.settings_version)
        if request.past_lock:
            check_role(opening.person, Role.MANAGER)
            check_reason(request.past_lock)
        context = Context(
            operation_id=new_id(),
            actor=request.actor,
            person=request.actor.user,
            role=person.role if person is not None else Role.NONE,
            now=request.now,
            today=settings.today(request.now),
            request_id=request.request_id,
            undo_until=settings.undo_until(request.now),
        )
        in_force = settings.past_soft_lock() if request.past_lock else settings
        books = SqlBooks(connection, in_force, operation_id=context.operation_id, now=request.now)
        outcome = operation.run(command, books, context)
        past_lock = request.past_lock if books.posts_up_to(settings.soft_lock) else ""
        record = _record(operation, outcome, request, hashed, past_lock)
        if not settings.attaches_papers:
            record = replace(record, messages=[each for each in record.messages if each["kind"] != "paper"])
        requests.record(books, record)
        books.flush()
        return outcome

    def _done_meanwhile(
        self, operation: Operation[Any, OutcomeT], request: Request, hashed: str, fault: Exception
    ) -> OutcomeT | None:
        """The outcome stored under the key, asked on a new connection after a lost COMMIT.

        After a refusal as well: the same key may have been carried out while this try waited for a lock.
        """
        if isinstance(fault, (Busy, NoAccess, KeyReused, Overtaken, DBAPIError)):
            return None
        actor = request.actor
        try:
            found = self.store.database.read(
                lambda connection: (
                    requests.opening(connection, team=actor.team, user=actor.user, key=request.key).stored
                ),
                request.deadline,
            )
        except (DBAPIError, Busy):
            if isinstance(fault, CommitUnknown):
                raise OutcomeUnknown(UNKNOWN) from fault
            return None
        return _first_outcome(operation, found, hashed) if found is not None else None


def check_role(person: Person | None, by: Role) -> Person | None:
    """Access is denied unless granted, and looked up when the action runs. Rules 118, 119. Refuses: NoAccess."""
    if by is Role.NONE:
        return person
    if person is None or not person.active or person.role is Role.NONE:
        raise NoAccess("You have no access to these books. An administrator can grant it with /duedesk grant.")
    if person.role < by:
        raise NoAccess(
            f"This needs the right of {'an' if by is Role.ADMINISTRATOR else 'a'} {by.label};"
            f" you are {person.role.label}."
        )
    return person


def _first_outcome(operation: Operation[Any, OutcomeT], stored: requests.Stored, hashed: str) -> OutcomeT:
    first = restore(stored.operation, stored.outcome)
    if stored.content_hash != hashed or stored.operation != operation.name:
        raise KeyReused(f"Already done: {first.trace().description}. Nothing new was written.")
    return first  # type: ignore[return-value]  # the operation's own outcome, restored


def _record(
    operation: Operation[Any, Any], outcome: Outcome, request: Request, hashed: str, past_lock: str
) -> requests.Record:
    announcements = outcome.announcements()
    main = announcements[0] if announcements else None
    return requests.Record(
        app="Finance",
        event=operation.event,
        name=operation.name,
        key=request.key,
        content_hash=hashed,
        outcome=_adapters(operation.name)[1].dump_json(outcome).decode(),
        team=request.actor.team,
        user=request.actor.user,
        request_id=request.request_id,
        trace=with_reason(outcome.trace(), past_lock) if past_lock else outcome.trace(),
        document_kind=main.document.value if main is not None else None,
        document_id=main.document_id if main is not None else None,
        messages=() if request.silent else [_message(each) for each in announcements],
    )


def _message(announcement: Announcement) -> Mapping[str, Any]:
    file = announcement.file
    if announcement.paper:
        kind, payload = "paper", announcement.paper
    elif file is not None:
        kind, payload = "proof", json.dumps(asdict(file))
    else:
        kind, payload = "refresh" if announcement.refresh_only else "card", ""
    return {
        "kind": kind,
        "purpose": "finance",
        "destination": "",
        "document_kind": announcement.document.value,
        "document_id": announcement.document_id,
        "payload": payload,
    }


def _can_retry(fault: Exception, deadline: float | None) -> bool:
    passing = isinstance(fault, (CommitUnknown, Overtaken)) or (isinstance(fault, DBAPIError) and is_conflict(fault))
    return passing and _time_to_retry(deadline)


def _final(fault: Exception, *, lost: bool) -> Exception:
    """What is said when no further try is made: never that nothing was done once the answer to a COMMIT was lost."""
    if lost and (isinstance(fault, Busy) or not isinstance(fault, Refused)):
        return OutcomeUnknown(UNKNOWN)
    if isinstance(fault, Overtaken) or (isinstance(fault, DBAPIError) and is_passing(fault)):
        return Busy(BUSY)
    return fault


def _time_to_retry(deadline: float | None) -> bool:
    return deadline is None or deadline - time.monotonic() >= LEAST_SECONDS_TO_RETRY
