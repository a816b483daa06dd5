"""Approval by other people: the list of what waits for it, and each step from the request to its end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from bot.domain.allocation import Effect, Matching
from bot.domain.approval import (
    Approval,
    ApprovalState,
    Standing,
    Verdict,
    Vote,
    hash_of,
    judge,
    principal_of,
    reminder_due,
)
from bot.domain.customers import clean_text
from bot.domain.errors import NoAccess, WrongState
from bot.domain.money import Money
from bot.domain.operation import Announcement, Context, DocumentKind, Role, Trace, operation
from bot.domain.policies import policy_of, rule_for

if TYPE_CHECKING:
    from bot.domain.ports import Books

__all__ = [
    "APPROVABLE",
    "LONGEST_REASON",
    "Approvable",
    "Approval",
    "ApprovalChanged",
    "ApprovalState",
    "Approve",
    "Cancel",
    "Expire",
    "Reject",
    "Remind",
    "Requested",
    "Standing",
    "Verdict",
    "Vote",
    "approvable",
    "approve_request",
    "cancel_request",
    "close_request",
    "expire_request",
    "judge",
    "open_approval",
    "reject_request",
    "remind_of_request",
    "reminder_due",
]

LONGEST_REASON = 500


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
    in_place_of: str = ""

    @property
    def released(self) -> bool:
        """Whether what was reserved is free again."""
        return self.approval.state in {ApprovalState.REJECTED, ApprovalState.CANCELLED, ApprovalState.EXPIRED}

    def trace(self) -> Trace:
        approval = self.approval
        reason = f": {approval.reason}" if approval.reason else ""
        instead = f" for {self.in_place_of}" if self.in_place_of else ""
        worth = f", {approval.amount}" if approval.amount else ""
        return Trace(
            description=f"{approval.label} {self.step}{instead}{worth}{reason}",
            customer_id=approval.customer_id,
            document=approval.label,
            before={"balance_micros": str(self.effect.before.balance.micros)},
            after={
                "state": approval.state.value,
                "approvals": f"{len(approval.approvers)} of {approval.needed}",
                "version": str(approval.version),
                **({"in_place_of": self.in_place_of} if self.in_place_of else {}),
                "balance_micros": str(self.effect.after.balance.micros),
                "reserved_micros": str(self.effect.after.controls.reserved),
            },
        )

    def announcements(self) -> tuple[Announcement, ...]:
        mine = Announcement(document=self.approval.document, document_id=self.approval.document_id)
        has_paper = self.approval.document is DocumentKind.CREDIT_NOTE
        is_final = has_paper and self.approval.state is ApprovalState.APPROVED
        papers = (replace(mine, paper="note"),) if is_final else ()
        return (mine, *papers, *self.effect.announcements())


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


@operation(by=Role.CLERK)
def approve_request(command: Approve, books: "Books", context: Context) -> ApprovalChanged:
    """Count an approval; the last one that is needed carries the request out, once. Rules 41-44. Refuses: NoAccess,
    OwnRequest, WrongState, EvidenceChanged, ApprovedAlready, MoreThanLeft.
    """
    approval, matching = _load(command.approval_id, books, context)
    standing, vote = _standing(approval, matching, books), _vote(command.version, books, context, approves=True)
    verdict, instead = judge(standing, vote), _in_place_of(standing, vote)
    books.approvals.vote(approval, context.person, instead)
    stand_ins = (*approval.stand_ins, *(((context.person, instead),) if instead else ()))
    counted = replace(approval, approvers=(*approval.approvers, context.person), stand_ins=stand_ins)
    if verdict is Verdict.COUNTED:
        return replace(_changed(verdict.value, counted, matching, context), in_place_of=instead)
    done = replace(counted, state=ApprovalState.APPROVED)
    books.approvals.executed(done)
    APPROVABLE[approval.operation].execute(approval.document_id, books, matching, context)
    matching.write()
    return replace(_changed(verdict.value, done, matching, context), in_place_of=instead)


@operation(by=Role.CLERK)
def reject_request(command: Reject, books: "Books", context: Context) -> ApprovalChanged:
    """Say no with a reason; what was reserved is free again. Refuses: NoAccess, OwnRequest, WrongState,
    EvidenceChanged, MissingText, TextTooLong.
    """
    approval, matching = _load(command.approval_id, books, context)
    standing, vote = _standing(approval, matching, books), _vote(command.version, books, context, approves=False)
    verdict, instead = judge(standing, vote), _in_place_of(standing, vote)
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    closed = _close(approval, ApprovalState.REJECTED, verdict.value, matching, context, reason=reason)
    return replace(closed, in_place_of=instead)


@operation(by=Role.CLERK)
def cancel_request(command: Cancel, books: "Books", context: Context) -> ApprovalChanged:
    """Take a request back: by who made it, or a manager. Refuses: NoAccess, WrongState."""
    return close_request(command.approval_id, "cancelled", books, context)


def close_request(approval_id: int, step: str, books: "Books", context: Context) -> ApprovalChanged:
    """A request that waits is cancelled, whatever led there. Refuses: NoAccess, WrongState."""
    approval, matching = _load(approval_id, books, context)
    _check_waiting(approval)
    if context.person != approval.requester and context.role < Role.MANAGER:
        raise NoAccess(f"{approval.label} was asked for by somebody else; they or a manager cancel it.")
    return _close(approval, ApprovalState.CANCELLED, step, matching, context)


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


def _vote(version: int, books: "Books", context: Context, *, approves: bool) -> Vote:
    mandates = books.delegations.mandates(context.actor.team, context.person)
    return Vote(
        person=context.person,
        role=context.role,
        version=version,
        at=context.now,
        approves=approves,
        mandates=tuple(mandates),
    )


def _in_place_of(standing: Standing, vote: Vote) -> str:
    """For whom somebody decides who stands in; empty for one who decides for themselves."""
    principal = principal_of(standing, vote)
    return "" if principal == vote.person else principal


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
