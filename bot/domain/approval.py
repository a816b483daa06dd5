"""A request that other people decide, and the one decision that every operation goes by."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.errors import ApprovedAlready, EvidenceChanged, MoreThanLeft, NoAccess, OwnRequest, WrongState
from bot.domain.money import Money
from bot.domain.operation import DocumentKind, Role


class ApprovalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request that other people decide; `content_hash` is of what they were shown, `version` of its evidence.

    `stand_ins`: who approved in whose place. `able`: how many more people could approve now, where that was asked.
    """

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
    stand_ins: tuple[tuple[str, str], ...] = ()
    able: int | None = None

    @property
    def status(self) -> str:
        """The state as people read it: `waits for 1 of 2 approvals`."""
        if self.state is not ApprovalState.WAITING:
            return self.state.value
        return f"waits for {self.needed - len(self.approvers)} of {self.needed} approval{'s' * (self.needed > 1)}"

    @property
    def counted(self) -> frozenset[str]:
        """Who approved, and in whose place: each of them is used up for this request."""
        return frozenset(self.approvers) | {principal for _, principal in self.stand_ins}

    @property
    def is_stuck(self) -> bool:
        """Whether fewer people have the right than approvals are missing."""
        waits = self.state is ApprovalState.WAITING
        return waits and self.able is not None and self.able < self.needed - len(self.approvers)

    def in_place_of(self, approver: str) -> str:
        """For whom somebody approved who stood in; empty for one who decided for themselves."""
        return dict(self.stand_ins).get(approver, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mandate:
    """Leave to decide in the place of somebody who is away: their right as it is now, and until when."""

    principal: str
    role: Role
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is true at the moment of a decision: the request as it is now, not as a card shows it."""

    approval: Approval
    content_hash: str
    largest: Money
    role_needed: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """Somebody's decision: who, with which right now, in whose place they may, on which version, and when."""

    person: str
    role: Role
    version: int
    at: datetime
    approves: bool = True
    mandates: tuple[Mandate, ...] = ()


class Verdict(StrEnum):
    """What a decision leads to."""

    COUNTED = "approved, another approval is needed"
    EXECUTED = "approved"
    REJECTED = "rejected"


LEAST_STAND_IN = Role.CLERK


def principal_of(standing: Standing, vote: Vote) -> str:
    """Whose right a decision uses: the person's own, or that of one manager in whose place they stand. Nobody decides
    what they, or who chose them, asked for. Refuses: NoAccess, OwnRequest.
    """
    approval, needed = standing.approval, standing.role_needed
    held = [each for each in vote.mandates if each.role >= needed and vote.at < each.until]
    stands_in = vote.role >= LEAST_STAND_IN and bool(held)
    if vote.role < needed and not stands_in:
        raise NoAccess(f"This needs the right of a {needed.label}; you are {vote.role.label}. Nothing was decided.")
    if vote.person == approval.requester:
        raise OwnRequest(f"You asked for {approval.label} yourself; another {needed.label} decides it.")
    if vote.role >= needed:
        return vote.person
    others = [each.principal for each in held if each.principal not in {approval.requester, vote.person}]
    if not others:
        raise OwnRequest(
            f"You stand in for who asked for {approval.label}; another {needed.label} decides it. Nothing was decided."
        )
    return min(others, key=lambda each: (each in approval.counted, each))


def judge(standing: Standing, vote: Vote) -> Verdict:
    """The one decision: right, requester, state, time, evidence, once each, then the balance. Who stands in counts as
    one person with whom they stand in for. Refuses: NoAccess, OwnRequest, WrongState, EvidenceChanged, ApprovedAlready,
    MoreThanLeft.
    """
    approval = standing.approval
    principal = principal_of(standing, vote)
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
    if {vote.person, principal} & approval.counted:
        whose = "You approved" if vote.person in approval.counted else "The one whose right this uses has approved"
        raise ApprovedAlready(f"{whose} {approval.label} already; another person is needed.")
    if approval.amount > standing.largest:
        raise MoreThanLeft(
            f"{approval.label} is for {approval.amount}; at most {standing.largest} is possible now. It stays open."
        )
    return Verdict.EXECUTED if len(approval.approvers) + 1 >= approval.needed else Verdict.COUNTED


def hash_of(content: Mapping[str, str]) -> str:
    """What a person approves, as one value that differs when any of it does."""
    return hashlib.sha256(json.dumps(dict(content), sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def reminder_due(approval: Approval) -> datetime:
    """Half way between the request and its end."""
    return approval.requested_at + (approval.expires_at - approval.requested_at) / 2
