"""What becomes of the app's answers: to a command, at a response_url, and to other interactions."""

from collections.abc import Mapping
from typing import Any

from sandbox.deliver.send import loaded
from sandbox.deliver.traffic import log, log_fault
from sandbox.state import Channel, Delivery, Message, Problem, Workspace
from sandbox.state.elements import opening_state, with_ids
from sandbox.validate import check_ack, check_message

WAYS = frozenset({"response_type", "replace_original", "delete_original"})


class Answers:
    """Shows a person what the app answered, or that it did not."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def to_command(self, delivery: Delivery, user: str, channel: Channel, name: str) -> None:
        """An empty answer says nothing; text and blocks become a message, for the person alone unless it says so."""
        workspace = self._workspace
        if delivery.error:
            workspace.toast(user, f'{name} failed with the error "{delivery.error}"')
            return
        answer = loaded(delivery.answer)
        if not answer:
            return
        faults = check_ack("command", answer)
        if faults:
            log_fault(workspace, delivery, faults[0].error)
            workspace.toast(user, f'{name} failed with the error "{delivery.error}": {faults[0]}')
            return
        payload = {"text": answer} if isinstance(answer, str) else answer
        with workspace.lock:
            self._post(channel.id, payload, user)

    def to_press(self, delivery: Delivery, user: str) -> None:
        """An interaction is acknowledged with nothing; anything else is refused here, and ignored by Slack."""
        workspace = self._workspace
        if not delivery.error:
            faults = check_ack("block_actions", loaded(delivery.answer))
            if faults:
                log_fault(workspace, delivery, faults[0].error)
        if delivery.error:
            workspace.toast(user, f"That did not work ({delivery.error}). Try again.")

    def at_address(self, made: str, payload: Any) -> None:
        """What an app posts to a response_url."""
        try:
            self._at_address(made, payload)
        except Problem as problem:
            refused = {"ok": False, "error": problem.error, **problem.more}
            log(self._workspace, "from app", "response_url", request=payload, response=refused, status=404)
            raise
        log(self._workspace, "from app", "response_url", request=payload, response="ok", status=200)

    def _at_address(self, made: str, payload: Any) -> None:
        workspace = self._workspace
        if not isinstance(payload, Mapping):
            raise Problem("invalid_payload")
        with workspace.lock:
            grant = workspace.grants.use_response(made)
            faults = check_message(payload, method="response_url")
            if faults:
                told = [str(each) for each in faults]
                raise Problem(faults[0].error, response_metadata={"messages": told})
            original = self._original(grant.channel, grant.message)
            if payload.get("delete_original") and original is not None:
                workspace.messages[grant.channel].remove(original)
                workspace.tell("message", grant.channel)
            elif payload.get("replace_original") and original is not None:
                redraw(workspace, original, payload)
            else:
                self._post(grant.channel, payload, grant.user)

    def _original(self, channel: str, ts: str | None) -> Message | None:
        """The app's own message whose button was pressed."""
        found = (each for each in self._workspace.messages[channel] if each.ts == ts)
        return next((each for each in found if each.bot_id), None)

    def _post(self, channel: str, payload: Mapping[str, Any], user: str) -> None:
        only_for = None if payload.get("response_type") == "in_channel" else user
        self._workspace.add(app_message(self._workspace, channel, payload, only_for=only_for))


def app_message(
    workspace: Workspace, channel: str, payload: Mapping[str, Any], *, only_for: str | None = None
) -> Message:
    """A message of the app, not yet posted."""
    blocks = with_ids(payload.get("blocks") or [])
    return Message(
        channel=channel,
        ts=workspace.new_ts(),
        user=workspace.bot.id,
        bot_id=workspace.bot_id,
        text=str(payload.get("text") or payload.get("markdown_text") or ""),
        blocks=blocks,
        attachments=list(payload.get("attachments") or []),
        thread_ts=payload.get("thread_ts"),
        broadcast=bool(payload.get("reply_broadcast")),
        only_for=only_for,
        metadata=payload.get("metadata"),
        state=opening_state(blocks),
    )


def redraw(workspace: Workspace, message: Message, payload: Mapping[str, Any]) -> None:
    """Rewrite a message; blocks, attachments and metadata that are not given stay."""
    if payload.get("text") is not None:
        message.text = str(payload["text"])
    if payload.get("blocks") is not None:
        message.blocks = with_ids(payload["blocks"])
        message.state = opening_state(message.blocks)
    if payload.get("attachments") is not None:
        message.attachments = list(payload["attachments"])
    if payload.get("metadata") is not None:
        message.metadata = payload["metadata"] or None
    message.edited_ts = workspace.new_ts()
    workspace.tell("message", message.channel)
