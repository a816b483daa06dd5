"""What every card that waits for approval shows alike: who asked, who may decide, who decided, and the buttons."""

from bot.domain.approval import Approval, ApprovalState
from bot.domain.approvals import ApprovalChanged
from bot.handlers.blocks.rich import Part, moment, person, typed
from bot.handlers.forms import Block, button

PEOPLE = {1: "one other manager approves it", 2: "two other managers approve it"}


def asked_parts(approval: Approval) -> tuple[Part, ...]:
    """Who asked and when; while it waits, until when and who may not decide."""
    asked: tuple[Part, ...] = ("asked by ", person(approval.requester), " · ", moment(approval.requested_at))
    if approval.state is not ApprovalState.WAITING:
        return asked
    return (*asked, " · expires ", moment(approval.expires_at), " · needs a manager, not ", person(approval.requester))


def decided_lines(approval: Approval) -> list[tuple[Part, ...]]:
    """Who approved, and for whom; why it was rejected; and that nobody can approve it, while that is so."""
    lines = [approved_parts(approval, each) for each in approval.approvers]
    if approval.reason:
        lines.append(("Reason to reject: ", typed(approval.reason, 500)))
    if approval.is_stuck:
        missing = approval.needed - len(approval.approvers)
        who = "Nobody else has" if not approval.able else "Only one other person has"
        wanted = "a manager" if missing == 1 else "two managers"
        lines.append((f"{who} the right to approve this, and it needs {wanted}: an administrator grants it with ",))
        lines[-1] = (*lines[-1], "/duedesk grant.")
    return lines


def approved_parts(approval: Approval, approver: str) -> tuple[Part, ...]:
    """`approved by @joe for @mira`."""
    instead = approval.in_place_of(approver)
    return ("approved by ", person(approver), *((" for ", person(instead)) if instead else ()))


def deciding(approval: Approval, sure: Block) -> list[Block]:
    """The buttons that decide the version of the evidence that a card shows."""
    value = f"{approval.id}:{approval.version}"
    return [
        button("Approve", "approval_approve", value, style="primary", confirm=sure),
        button("Reject…", "approval_reject", value, style="danger"),
    ]


def decision_said(outcome: ApprovalChanged) -> tuple[Part, ...]:
    """The line of the thread: who did what, for whom, when and why."""
    if outcome.step == "still waits":
        return ("still waits for approval · expires ", moment(outcome.approval.expires_at))
    instead = (" for ", person(outcome.in_place_of)) if outcome.in_place_of else ()
    reason = (": ", typed(outcome.approval.reason, 500)) if outcome.approval.reason else ()
    return (person(outcome.by), f" {outcome.step}", *instead, " · ", moment(outcome.at), *reason)
