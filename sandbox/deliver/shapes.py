"""Messages and files as the Web API and interaction payloads show them: see Slack's pages on both objects."""

import mimetypes
from typing import Any
from urllib.parse import quote

from sandbox.state import File, Message, Workspace


def message_payload(message: Message, workspace: Workspace, *, metadata: bool = True) -> dict[str, Any]:
    """A message object."""
    made: dict[str, Any] = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    if message.bot_id:
        made |= {"bot_id": message.bot_id, "app_id": workspace.app_id}
        made["bot_profile"] = bot_profile(workspace)
    made["team"] = workspace.people[message.user].team_id if message.user in workspace.people else workspace.team
    optional = {
        "blocks": message.blocks,
        "attachments": message.attachments,
        "thread_ts": message.thread_ts,
        "metadata": message.metadata if metadata else None,
        "files": [file_payload(workspace.files[each], workspace) for each in message.files if each in workspace.files],
        "reactions": [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items()],
    }
    made |= {name: value for name, value in optional.items() if value}
    if message.broadcast:
        made["subtype"] = "thread_broadcast"
    if message.edited_ts:
        made["edited"] = {"user": message.user, "ts": message.edited_ts}
    return {**made, **_thread(message, workspace)}


def _thread(message: Message, workspace: Workspace) -> dict[str, Any]:
    if message.only_for is not None or message.thread_ts not in {None, message.ts}:
        return {}
    replies = workspace.thread(message)
    if not replies:
        return {}
    people = list(dict.fromkeys(each.user for each in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users_count": len(people),
        "reply_users": people,
        "latest_reply": replies[-1].ts,
        "is_locked": False,
        "subscribed": False,
    }


def bot_profile(workspace: Workspace) -> dict[str, Any]:
    return {
        "id": workspace.bot_id,
        "app_id": workspace.app_id,
        "user_id": workspace.bot.id,
        "name": workspace.bot.real_name,
        "deleted": False,
        "team_id": workspace.team,
    }


def file_payload(file: File, workspace: Workspace) -> dict[str, Any]:
    """A file object; its addresses answer to the app's token."""
    address = f"{workspace.address}/files/{file.id}/{quote(file.name)}"
    shared = [workspace.channels[each] for each in file.shared_in if each in workspace.channels]
    return {
        "id": file.id,
        "created": file.created,
        "timestamp": file.created,
        "name": file.name,
        "title": file.title or file.name,
        "mimetype": media_type(file.name),
        "filetype": file.name.rpartition(".")[2].lower(),
        "user": file.owner,
        "size": file.size,
        "mode": "hosted",
        "is_external": False,
        "is_public": any(each.kind == "channel" for each in shared),
        "url_private": address,
        "url_private_download": address,
        "permalink": address,
        "channels": [each.id for each in shared if each.kind == "channel"],
        "groups": [each.id for each in shared if each.kind == "group"],
        "ims": [each.id for each in shared if each.kind == "im"],
    }


def media_type(name: str) -> str:
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
