"""Approval by other people: what waits, who may decide, and the one decision that every operation goes by."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching
from bot.domain.customers import clean_text
from bot.domain.errors import ApprovedAlready, EvidenceChanged, MoreThanLeft, NoAccess, OwnRequest, WrongState
from bot.domain.money import Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.policies import policy_of, rule_for

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REASON = 500


class ApprovalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request that other people decide; `content_hash` is of what they were shown, `version` of its evidence."""

    id: int
    operation: str
    document: DocumentKind
    document_id: int
    label: str
    customer_id: int
    amount: Money
    requester: str
    requested_at: datetime
    policy: str
    needed: int
    content_hash: str
    expires_at: datetime
    version: int = 1
    state: ApprovalState = ApprovalState.WAITING
    approvers: tuple[str, ...] = ()
    reason: str = ""
    reminded_at: datetime | None = None

    @property
    def status(self) -> str:
        """The state as people read it: `waits for 1 of 2 approvals`."""
        if self.state is not ApprovalState.WAITING:
            return self.state.value
        return f"waits for {self.needed - len(self.approvers)} of {self.needed} approval{'s' * (self.needed > 1)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is true at the moment of a decision: the request as it is now, not as a card shows it."""

    approval: Approval
    content_hash: str
    largest: Money
    role_needed: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """Somebody's decision: who, with which right now, on which version of the evidence, and when."""

    person: str
    role: Role
    version: int
    at: datetime
    approves: bool = True


class Verdict(StrEnum):
    """What a decision leads to."""

    COUNTED = "approved, another approval is needed"
    EXECUTED = "approved"
    REJECTED = "rejected"


def judge(standing: Standing, vote: Vote) -> Verdict:
    """The one decision: right, requester, state, time, evidence, once each, then the balance. Refuses: NoAccess,
    OwnRequest, WrongState, EvidenceChanged, ApprovedAlready, MoreThanLeft.
    """
    approval = standing.approval
    if vote.role < standing.role_needed:
        raise NoAccess(
            f"This needs the right of a {standing.role_needed.label}; you are {vote.role.label}. Nothing was decided."
        )
    if vote.person == approval.requester:
        raise OwnRequest(f"You asked for {approval.label} yourself; another {standing.role_needed.label} decides it.")
    if approval.state is not ApprovalState.WAITING:
        raise WrongState(f"{approval.label} was decided already: {approval.state.value}. Nothing was changed.")
    if vote.at >= approval.expires_at:
        raise WrongState(f"{approval.label} has expired; ask for it again.")
    if vote.version != approval.version:
        raise EvidenceChanged(f"{approval.label} was changed since this card was drawn; look at the newest card.")
    if not vote.approves:
        return Verdict.REJECTED
    if standing.content_hash != approval.content_hash:
        raise EvidenceChanged(
            f"What {approval.label} asks for, or the policy, changed since the card was drawn; cancel it and ask again."
        )
    if vote.person in approval.approvers:
        raise ApprovedAlready(f"You approved {approval.label} already; another person is needed.")
    if approval.amount > standing.largest:
        raise MoreThanLeft(
            f"{approval.label} is for {approval.amount}; at most {standing.largest} is possible now. It stays open."
        )
    return Verdict.EXECUTED if len(approval.approvers) + 1 >= approval.needed else Verdict.COUNTED


def hash_of(content: Mapping[str, str]) -> str:
    """What a person approves, as one value that differs when any of it does."""
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvable:
    """An operation that waits for approval, as the engine sees it. Its functions get the document's id; the customer
    is locked when they run.
    """

    role: Role
    document: DocumentKind
    content: "Callable[[int, Books], Mapping[str, str]]"
    largest: "Callable[[int, Books, Matching], Money]"
    execute: "Callable[[int, Books, Matching, Context], None]"
    release: "Callable[[int, Books, Matching, ApprovalState], None]"


APPROVABLE: dict[str, Approvable] = {}


def approvable(name: str, made: Approvable) -> None:
    """Enter an operation in the list that the engine goes by."""
    assert name not in APPROVABLE, name
    APPROVABLE[name] = made


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    """Say yes to a version of the evidence."""

    approval_id: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Say no, and why."""

    approval_id: int
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Take a request back."""

    approval_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """Close a request whose time is over."""

    approval_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """Tell those who approve that a request still waits."""

    approval_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChanged:
    """A request was decided, counted, taken back or closed."""

    step: str
    approval: Approval
    effect: Effect
    by: str
    at: datetime
    operation_id: int

    @property
    def released(self) -> bool:
        """Whether what was reserved is free again."""
        return self.approval.state in {ApprovalState.REJECTED, ApprovalState.CANCELLED, ApprovalState.EXPIRED}

    def trace(self) -> Trace:
        approval = self.approval
        reason = f": {approval.reason}" if approval.reason else ""
        return Trace(
            description=f"{approval.label} {self.step}, {approval.amount}{reason}",
            customer_id=approval.customer_id,
            document=approval.label,
            before={"balance_micros": str(self.effect.before.balance.micros)},
            after={
                "state": approval.state.value,
                "approvals": f"{len(approval.approvers)} of {approval.needed}",
                "version": str(approval.version),
                "balance_micros": str(self.effect.after.balance.micros),
                "reserved_micros": str(self.effect.after.controls.reserved),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=self.approval.document, document_id=self.approval.document_id)
        return (mine, *self.effect.announcements())


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """The document that an approval is about."""

    id: int
    label: str
    amount: Money
    customer_id: int


def open_approval(name: str, document: Requested, books: "Books", context: Context) -> Approval:
    """A request as the policy of today has it decided; one that needs nobody is approved at once."""
    settings = books.settings.current()
    rule = rule_for(policy_of(settings), name, document.amount)
    kind = APPROVABLE[name]
    content = {**kind.content(document.id, books), "policy": rule.label, "requester": context.person}
    made = Approval(
        id=books.new_id(),
        operation=name,
        document=kind.document,
        document_id=document.id,
        label=document.label,
        customer_id=document.customer_id,
        amount=document.amount,
        requester=context.person,
        requested_at=context.now,
        policy=rule.label,
        needed=rule.needed,
        content_hash=hash_of(content),
        expires_at=context.now + timedelta(hours=settings.approval_hours),
        state=ApprovalState.WAITING if rule.needed else ApprovalState.APPROVED,
    )
    books.approvals.insert(made)
    return made


@operation(by=Role.MANAGER)
def approve_request(command: Approve, books: "Books", context: Context) -> ApprovalChanged:
    """Count an approval; the last one that is needed carries the request out, once. Rules 41-44. Refuses: NoAccess,
    OwnRequest, WrongState, EvidenceChanged, ApprovedAlready, MoreThanLeft.
    """
    approval, matching = _load(command.approval_id, books, context)
    verdict = judge(_standing(approval, matching, books), _vote(command.version, context, approves=True))
    books.approvals.vote(approval, context.person)
    counted = replace(approval, approvers=(*approval.approvers, context.person))
    if verdict is Verdict.COUNTED:
        return _changed(verdict.value, counted, matching, context)
    done = replace(counted, state=ApprovalState.APPROVED)
    books.approvals.executed(done)
    APPROVABLE[approval.operation].execute(approval.document_id, books, matching, context)
    matching.write()
    return _changed(verdict.value, done, matching, context)


@operation(by=Role.MANAGER)
def reject_request(command: Reject, books: "Books", context: Context) -> ApprovalChanged:
    """Say no with a reason; what was reserved is free again. Refuses: NoAccess, OwnRequest, WrongState,
    EvidenceChanged, MissingText, TextTooLong.
    """
    approval, matching = _load(command.approval_id, books, context)
    verdict = judge(_standing(approval, matching, books), _vote(command.version, context, approves=False))
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    return _close(approval, ApprovalState.REJECTED, verdict.value, matching, context, reason=reason)


@operation(by=Role.CLERK)
def cancel_request(command: Cancel, books: "Books", context: Context) -> ApprovalChanged:
    """Take a request back: by who made it, or a manager. Refuses: NoAccess, WrongState."""
    approval, matching = _load(command.approval_id, books, context)
    _check_waiting(approval)
    if context.person != approval.requester and context.role < Role.MANAGER:
        raise NoAccess(f"{approval.label} was asked for by somebody else; they or a manager cancel it.")
    return _close(approval, ApprovalState.CANCELLED, "cancelled", matching, context)


@operation(by=Role.NONE)
def expire_request(command: Expire, books: "Books", context: Context) -> ApprovalChanged:
    """Close a request that nobody decided in time. Refuses: WrongState."""
    approval, matching = _load(command.approval_id, books, context)
    _check_waiting(approval)
    if context.now < approval.expires_at:
        raise WrongState(f"{approval.label} can still be decided.")
    return _close(approval, ApprovalState.EXPIRED, "expired", matching, context)


@operation(by=Role.NONE)
def remind_of_request(command: Remind, books: "Books", context: Context) -> ApprovalChanged:
    """Say once, in the thread, that a request still waits. Refuses: WrongState."""
    approval, matching = _load(command.approval_id, books, context)
    _check_waiting(approval)
    if approval.reminded_at is not None:
        raise WrongState(f"{approval.label} was pointed out already.")
    if context.now < reminder_due(approval):
        raise WrongState(f"It is too early to point {approval.label} out.")
    books.approvals.remind(approval)
    return _changed("still waits", replace(approval, reminded_at=context.now), matching, context)


def reminder_due(approval: Approval) -> datetime:
    """Half way between the request and its end."""
    return approval.requested_at + (approval.expires_at - approval.requested_at) / 2


def _load(approval_id: int, books: "Books", context: Context) -> tuple[Approval, Matching]:
    """The request and its customer, the customer locked first, as everything else does."""
    customer = books.customers.lock(books.approvals.get(approval_id).customer_id)
    return books.approvals.lock(approval_id), Matching(customer, books, context)


def _standing(approval: Approval, matching: Matching, books: "Books") -> Standing:
    kind = APPROVABLE[approval.operation]
    rule = rule_for(policy_of(books.settings.current()), approval.operation, approval.amount)
    content = {
        **kind.content(approval.document_id, books),
        "policy": rule.label,
        "requester": approval.requester,
    }
    return Standing(
        approval=approval,
        content_hash=hash_of(content),
        largest=kind.largest(approval.document_id, books, matching),
        role_needed=kind.role,
    )


def _vote(version: int, context: Context, *, approves: bool) -> Vote:
    return Vote(person=context.person, role=context.role, version=version, at=context.now, approves=approves)


def _check_waiting(approval: Approval) -> None:
    if approval.state is not ApprovalState.WAITING:
        raise WrongState(f"{approval.label} was decided already: {approval.state.value}. Nothing was changed.")


def _close(
    approval: Approval, state: ApprovalState, step: str, matching: Matching, context: Context, *, reason: str = ""
) -> ApprovalChanged:
    books = matching.books
    after = replace(approval, state=state, reason=reason)
    books.approvals.close(after)
    APPROVABLE[approval.operation].release(approval.document_id, books, matching, state)
    matching.sweep(context.today)
    matching.write()
    return _changed(step, after, matching, context)


def _changed(step: str, approval: Approval, matching: Matching, context: Context) -> ApprovalChanged:
    return ApprovalChanged(
        step=step,
        approval=approval,
        effect=matching.effect(),
        by=context.person,
        at=context.now,
        operation_id=context.operation_id,
    )
