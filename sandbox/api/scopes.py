"""Which scope each method asks for, as the "Scopes" line of its page says."""

from collections.abc import Mapping
from typing import Any

from sandbox.state import Problem, Workspace

SCOPES = {
    "bots.info": "users:read",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "conversations.join": "channels:join",
    "conversations.open": "im:write",
    "files.completeUploadExternal": "files:write",
    "files.delete": "files:write",
    "files.getUploadURLExternal": "files:write",
    "files.info": "files:read",
    "files.list": "files:read",
    "reactions.add": "reactions:write",
    "team.info": "team:read",
    "usergroups.users.list": "usergroups:read",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.lookupByEmail": "users:read.email",
}
# These ask for the scope of the kind of conversation that is read.
BY_KIND = {
    "conversations.history": "history",
    "conversations.info": "read",
    "conversations.list": "read",
    "conversations.members": "read",
    "conversations.replies": "history",
    "users.conversations": "read",
}
FAMILIES = {"channel": "channels", "group": "groups", "im": "im"}
TYPES = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}


def needed_scopes(workspace: Workspace, method: str, arguments: Mapping[str, Any]) -> list[str]:
    """Every scope that a call must have."""
    if method in SCOPES:
        return [SCOPES[method]]
    right = BY_KIND.get(method)
    if right is None:
        return []
    if method in {"conversations.list", "users.conversations"}:
        types = str(arguments.get("types") or "public_channel").split(",")
        return [f"{TYPES[each.strip()]}:{right}" for each in types if each.strip() in TYPES]
    channel = workspace.channels.get(str(arguments.get("channel") or ""))
    return [f"{FAMILIES[channel.kind]}:{right}"] if channel is not None else []


def check_scopes(workspace: Workspace, method: str, arguments: Mapping[str, Any]) -> None:
    for scope in needed_scopes(workspace, method, arguments):
        if scope not in workspace.scopes:
            raise Problem("missing_scope", needed=scope, provided=",".join(workspace.scopes))
