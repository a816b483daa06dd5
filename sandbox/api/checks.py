"""What every method asks before it acts."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sandbox.state import Channel, Problem, Workspace
from sandbox.validate import Fault

MOST_AT_ONCE = 1000
Arguments = Mapping[str, Any]
Item = TypeVar("Item")
JSON_ARGUMENTS = {
    "blocks": "invalid_blocks_format",
    "attachments": "invalid_attachments",
    "metadata": "invalid_metadata_format",
    "view": "invalid_arguments",
    "message": "invalid_arguments",
    "files": "invalid_arguments",
}
WHOLE_ARGUMENTS = frozenset({"limit", "length"})
FLAGS = frozenset(
    {
        "as_user",
        "include_all_metadata",
        "include_locale",
        "inclusive",
        "link_names",
        "mrkdwn",
        "reply_broadcast",
        "return_im",
        "unfurl_links",
        "unfurl_media",
    }
)
WORDS = {"true": True, "1": True, "false": False, "0": False}


def loaded(arguments: Arguments) -> dict[str, Any]:
    """Arguments as values: in a form, structures travel as JSON text and flags as words."""
    # The team is said with each call by clients made for many workspaces; here there is one.
    made = {name: value for name, value in arguments.items() if value is not None and name != "team_id"}
    for name, error in JSON_ARGUMENTS.items():
        if isinstance(made.get(name), str):
            try:
                made[name] = json.loads(made[name])
            except ValueError:
                raise Problem(error) from None
    for name in WHOLE_ARGUMENTS & made.keys():
        try:
            made[name] = int(made[name])
        except (TypeError, ValueError):
            raise bad_argument(name, "must be a whole number") from None
    for name in FLAGS & made.keys():
        made[name] = WORDS.get(str(made[name]).lower(), made[name])
    return made


def bad_argument(name: str, sentence: str) -> Problem:
    told = f"[ERROR] {sentence} [json-pointer:/{name}]"
    return Problem("invalid_arguments", response_metadata={"messages": [told]})


def needed(arguments: Arguments, *names: str) -> None:
    for name in names:
        if arguments.get(name) in (None, ""):
            raise bad_argument(name, f"missing required field: {name}")


def refuse(faults: Sequence[Fault]) -> None:
    """The first fault's name, with every fault's place as Slack reports them."""
    if faults:
        told = [f"[ERROR] {each.message} [json-pointer:{each.pointer}]" for each in faults]
        raise Problem(faults[0].error, errors=told, response_metadata={"messages": told})


def known(workspace: Workspace, channel_id: str) -> Channel:
    """A channel that exists for the app: a private one only does when the app is in it."""
    channel = workspace.channel(str(channel_id))
    if channel.is_private and workspace.bot.id not in channel.members:
        raise Problem("channel_not_found")
    return channel


def entered(workspace: Workspace, channel_id: str) -> Channel:
    """A channel that the app is in."""
    channel = known(workspace, channel_id)
    if workspace.bot.id not in channel.members:
        raise Problem("not_in_channel")
    return channel


def writable(workspace: Workspace, channel_id: str, *, people: bool = False) -> Channel:
    """A channel the app may write to; with `people`, a person's id stands for their direct message."""
    if people and str(channel_id) in workspace.people:
        if workspace.people[str(channel_id)].deleted:
            raise Problem("is_inactive")
        return workspace.open_im(str(channel_id))
    channel = entered(workspace, channel_id)
    if channel.is_archived:
        raise Problem("is_archived")
    if channel.is_read_only:
        raise Problem("restricted_action")
    return channel


def page(items: Sequence[Item], arguments: Arguments, *, usual: int) -> tuple[list[Item], str]:
    """One page of a list, and the cursor of the next one."""
    limit = int(arguments.get("limit") or usual)
    if not 1 <= limit <= MOST_AT_ONCE:
        raise Problem("invalid_limit")
    start = _start(str(arguments.get("cursor") or ""))
    end = start + limit
    more = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), more


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
    except (binascii.Error, ValueError):
        raise Problem("invalid_cursor") from None
