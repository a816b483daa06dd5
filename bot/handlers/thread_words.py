"""Decisions by words: `approve` or `reject because ...`, a whole new message in the thread of a request."""

import re
from typing import Any

from bot.domain.approvals import Approval, Approve, Reject, approve_request, reject_request
from bot.domain.errors import Refused
from bot.handlers.blocks.text import escape
from bot.handlers.parse.words import as_seen
from bot.handlers.request import Call

_APPROVE = re.compile(r"approve[.!]?", re.IGNORECASE)
_REJECT = re.compile(r"reject(?:(?: because\b|:)\s*(?P<reason>.*))?", re.IGNORECASE | re.DOTALL)
NO_REASON = "Type reject because, and then the reason; nothing was decided."


def on_message(call: Call) -> None:
    """Decide the request that a thread is about, if these are its words; whatever else people say is left alone."""
    event = dict(call.body["event"])
    text = as_seen(str(event.get("text") or "")).strip()
    yes, no = _APPROVE.fullmatch(text), _REJECT.fullmatch(text)
    if not (yes or no) or not _is_new_reply_of_a_person(event):
        return
    channel, thread = str(event["channel"]), str(event["thread_ts"])
    approval = call.desk.store.read(lambda books: books.approval_in_thread(channel, thread), call.request.deadline)
    if approval is None:
        return
    try:
        _decide(call, approval, event, None if no is None else (no["reason"] or "").strip())
    except Refused as refusal:
        call.client.chat_postMessage(channel=channel, thread_ts=thread, text=escape(refusal.sentence))


def _is_new_reply_of_a_person(event: dict[str, Any]) -> bool:
    """In a thread, of somebody, neither edited nor anything else than words."""
    replies = bool(event.get("thread_ts")) and event["thread_ts"] != event.get("ts")
    return replies and bool(event.get("user")) and not any(event.get(name) for name in ("subtype", "bot_id", "edited"))


def _decide(call: Call, approval: Approval, event: dict[str, Any], reason: str | None) -> None:
    """The same decision as by button; a message that is delivered again decides nothing anew. Refuses: Refused."""
    request = call.keyed(f"words:{event['channel']}:{event['ts']}")
    if reason is None:
        call.desk.carry_out(approve_request, Approve(approval_id=approval.id, version=approval.version), request)
        return
    if not reason:
        raise Refused(NO_REASON)
    command = Reject(approval_id=approval.id, version=approval.version, reason=reason)
    call.desk.carry_out(reject_request, command, request)
