"""Decisions on requests by button and form; the same for every operation that waits for approval."""

from collections.abc import Mapping, Sequence
from typing import Any

from bot.domain.approvals import (
    LONGEST_REASON,
    ApprovalChanged,
    Approve,
    Cancel,
    Reject,
    approve_request,
    cancel_request,
    reject_request,
)
from bot.domain.operation import DocumentKind, Role
from bot.domain.settings import Settings
from bot.handlers.blocks.approvals import decision_said
from bot.handlers.blocks.rich import rich
from bot.handlers.blocks.text import escape, money
from bot.handlers.blocks.withdrawals import closed_effect, said
from bot.handlers.commands import Reply, id_of, press
from bot.handlers.flow import Flow, flow, settings_of
from bot.handlers.forms import Block, Form, TextField, Values, context
from bot.handlers.request import Call, button_key

REASON = TextField("reason", "Reason", longest=LONGEST_REASON, multiline=True)


def _done(outcome: ApprovalChanged, settings: Settings) -> Sequence[Block]:
    withdrawn = outcome.approval.document is DocumentKind.WITHDRAWAL
    parts = said(outcome, settings) if withdrawn else decision_said(outcome)
    return [
        rich((f"{outcome.approval.label}: ", *parts), block_id="done"),
        context("Its card and its thread show it."),
    ]


REJECT = flow(
    Flow(
        form=Form("approval_reject", "Reject a request", (REASON,), intro="The reason is shown in the thread."),
        operation=reject_request,
        command=lambda values, about, _call: Reject(
            approval_id=int(about["approval"]), version=int(about["version"]), reason=values.need(REASON)
        ),
        effect=closed_effect,
        verb=lambda outcome, _settings: f"Reject {outcome.approval.label}",
        done=_done,
    )
)
CANCEL = flow(
    Flow(
        form=Form("approval_cancel", "Cancel a request", (), intro="It stays in the books as cancelled."),
        operation=cancel_request,
        command=lambda _values, about, _call: Cancel(approval_id=int(about["approval"])),
        effect=closed_effect,
        verb=lambda outcome, _settings: f"Cancel {outcome.approval.label}",
        done=_done,
    )
)


def _about(call: Call, approval_id: int) -> Mapping[str, Any]:
    approval = call.desk.ask(lambda books: books.approval(approval_id), call.request)
    worth = f" · {money(approval.amount, settings_of(call).locale)}" if approval.amount else ""
    return {"approval": str(approval.id), "line": f"{approval.label}{worth} · {approval.status}"}


def open_cancel(call: Call, approval_id: int) -> None:
    CANCEL.open(call, Values(), _about(call, approval_id), preview=True)


@press("approval_approve", by=Role.CLERK)
def press_approve(call: Call, action: dict[str, Any]) -> Reply:
    """Approve the version of the evidence that the card shows; the click acts once."""
    approval_id, _, version = str(action["value"]).partition(":")
    command = Approve(approval_id=id_of(approval_id), version=id_of(version))
    outcome = call.desk.carry_out(approve_request, command, call.keyed(button_key(call, action)))
    return Reply(escape(outcome.trace().description))


@press("approval_reject", by=Role.CLERK)
def press_reject(call: Call, action: dict[str, Any]) -> None:
    approval_id, _, version = str(action["value"]).partition(":")
    REJECT.open(call, Values(), {**_about(call, id_of(approval_id)), "version": id_of(version)})
