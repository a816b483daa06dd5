"""The answers to deliveries: to a command, a submitted modal, a request for options and a pressed button."""

from collections.abc import Mapping
from typing import Any, Literal

from sandbox.validate.message import walk_message
from sandbox.validate.objects import check_option_reply
from sandbox.validate.rules import LONGEST_ID
from sandbox.validate.view import check_view, input_block_ids
from sandbox.validate.walk import Fault, Walk, below, kind_of

AckKind = Literal["command", "view_submission", "options", "block_actions"]
MEMBERS = {
    "errors": frozenset(("response_action", "errors")),
    "update": frozenset(("response_action", "view")),
    "push": frozenset(("response_action", "view")),
    "clear": frozenset(("response_action",)),
}


def check_ack(kind: AckKind, body: Any, *, view: Mapping[str, Any] | None = None, stricter: bool = True) -> list[Fault]:
    """Every fault of an answer; with the submitted view at hand, errors must name its input blocks."""
    walk = Walk("message" if kind == "command" else "modal", stricter, "invalid_arguments")
    if kind == "options":
        check_option_reply(walk, body, "")
    elif body is None or body in ("", {}):
        pass
    elif kind == "command":
        check_command(walk, body)
    elif kind == "view_submission":
        check_submission(walk, body, view)
    else:
        walk.fault("", f"the answer to a pressed button must be empty and is {kind_of(body)}")
    return walk.faults


def check_command(walk: Walk, body: Any) -> None:
    if isinstance(body, str):
        body = {"text": body}
    if not isinstance(body, Mapping):
        walk.fault("", f"the answer to a command must be a string or an object and is {kind_of(body)}")
        return
    if walk.stricter and "response_type" not in body:
        walk.fault("", "the answer to a command must say its response_type, ephemeral or in_channel, and does not")
    walk.error = "invalid_blocks"
    walk_message(walk, body, "response_url")


def check_submission(walk: Walk, body: Any, view: Mapping[str, Any] | None) -> None:
    if not isinstance(body, Mapping):
        walk.fault("", f"the answer to a submission must be an object and is {kind_of(body)}")
        return
    action = body.get("response_action")
    if not isinstance(action, str) or action not in MEMBERS:
        shown = repr(action) if isinstance(action, str) else kind_of(action)
        walk.fault("/response_action", f"response_action must be one of {', '.join(MEMBERS)} and is {shown}")
        return
    for key in body:
        if key not in MEMBERS[action]:
            walk.fault(below("", key), f"an answer that is {action!r} has no property {key!r}")
    for key in MEMBERS[action]:
        if key not in body:
            walk.fault("", f"an answer that is {action!r} must have the property {key!r}")
    if action == "errors" and "errors" in body:
        check_errors(walk, body["errors"], view)
    elif "view" in MEMBERS[action] and "view" in body:
        for found in check_view(body["view"], surface="modal", stricter=walk.stricter):
            walk.fault(f"/view{found.pointer}", found.message, error=found.error)


def check_errors(walk: Walk, errors: Any, view: Mapping[str, Any] | None) -> None:
    if not isinstance(errors, Mapping) or not errors:
        walk.fault("/errors", "errors must be an object that names at least 1 block, and names none")
        return
    known = input_block_ids(view) if view is not None else None
    for block_id, text in errors.items():
        where = below("/errors", block_id)
        if not isinstance(block_id, str) or not 0 < len(block_id) <= LONGEST_ID:
            walk.fault(where, f"an error must stand under a block id of 1 to {LONGEST_ID} characters")
        elif known is not None and block_id not in known:
            walk.fault(where, f"an error must stand under an input block of the view, and {block_id!r} is none")
        if not isinstance(text, str) or not text.strip():
            walk.fault(where, "an error must be a text that says what is wrong, and is empty or no string")
