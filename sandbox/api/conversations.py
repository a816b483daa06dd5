"""The methods of conversations: see the pages conversations.open, .info, .members, .history, .replies, .list, .join and
users.conversations, and the conversation object.
"""

from typing import Any

from sandbox.api.checks import Arguments, entered, known, needed, page
from sandbox.deliver.shapes import message_payload
from sandbox.state import Channel, Message, Problem, Workspace

KINDS = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}


def channel_payload(channel: Channel, workspace: Workspace) -> dict[str, Any]:
    """A conversation object."""
    if channel.is_im:
        user = next((each for each in sorted(channel.members) if each != workspace.bot.id), workspace.bot.id)
        return {
            "id": channel.id,
            "created": 0,
            "is_im": True,
            "is_org_shared": False,
            "user": user,
            "is_user_deleted": workspace.person(user).deleted,
            "is_archived": channel.is_archived,
        }
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "created": 0,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_im": False,
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_general": False,
        "is_shared": channel.is_ext_shared,
        "is_ext_shared": channel.is_ext_shared,
        "is_org_shared": False,
        "is_pending_ext_shared": False,
        "is_member": workspace.bot.id in channel.members,
        "context_team_id": workspace.team,
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
    }


def open_(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    if arguments.get("channel"):
        return {"channel": {"id": known(workspace, arguments["channel"]).id}}
    needed(arguments, "users")
    users = str(arguments["users"]).split(",")
    if len(users) > 1:
        raise Problem("method_not_supported_for_channel_type")
    person = workspace.person(users[0].strip())
    if person.deleted:
        raise Problem("user_disabled")
    if person.is_bot:
        raise Problem("cannot_dm_bot")
    was_open = f"D{person.id[1:]}" in workspace.channels
    channel = workspace.open_im(person.id)
    told = channel_payload(channel, workspace) if arguments.get("return_im") else {"id": channel.id}
    return {"channel": told} | ({"no_op": True, "already_open": True} if was_open else {})


def info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = known(workspace, arguments["channel"])
    made = channel_payload(channel, workspace)
    wanted = str(arguments.get("include_num_members") or "").lower() in {"true", "1"}
    return {"channel": {**made, "num_members": len(channel.members)} if wanted else made}


def members(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel")
    found, cursor = page(sorted(known(workspace, arguments["channel"]).members), arguments, usual=100)
    return {"members": found, "response_metadata": {"next_cursor": cursor}}


def _of_types(workspace: Workspace, arguments: Arguments) -> list[Channel]:
    asked = [each.strip() for each in str(arguments.get("types") or "public_channel").split(",")]
    if any(each not in KINDS for each in asked):
        raise Problem("invalid_types")
    kinds = {KINDS[each] for each in asked}
    hidden = str(arguments.get("exclude_archived") or "").lower() in {"true", "1"}
    return [each for each in workspace.channels.values() if each.kind in kinds and not (hidden and each.is_archived)]


def list_(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    bot = workspace.bot.id
    seen = [each for each in _of_types(workspace, arguments) if not each.is_private or bot in each.members]
    found, cursor = page(seen, arguments, usual=100)
    shown = [
        channel_payload(each, workspace) | ({} if each.is_im else {"num_members": len(each.members)}) for each in found
    ]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def of_user(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    bot = workspace.bot.id
    user = workspace.person(str(arguments.get("user") or bot)).id
    mine = [each for each in _of_types(workspace, arguments) if user in each.members]
    found, cursor = page([each for each in mine if not each.is_private or bot in each.members], arguments, usual=100)
    shown = [channel_payload(each, workspace) for each in found]
    return {"channels": shown, "response_metadata": {"next_cursor": cursor}}


def join(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = known(workspace, arguments["channel"])
    if channel.kind != "channel":
        raise Problem("method_not_supported_for_channel_type")
    if channel.is_archived:
        raise Problem("is_archived")
    already = workspace.bot.id in channel.members
    made = {"channel": channel_payload(workspace.enter(workspace.bot.id, channel), workspace)}
    return made | {"warning": "already_in_channel"} if already else made


def _between(messages: list[Message], arguments: Arguments) -> list[Message]:
    oldest, latest = str(arguments.get("oldest") or "0"), str(arguments.get("latest") or "9" * 10)
    inclusive = bool(arguments.get("inclusive"))
    try:
        low, high = float(oldest), float(latest)
    except ValueError:
        raise Problem("invalid_ts_oldest" if not oldest.replace(".", "").isdigit() else "invalid_ts_latest") from None
    return [each for each in messages if low < float(each.ts) < high or (inclusive and each.ts in {oldest, latest})]


def _read(workspace: Workspace, arguments: Arguments, messages: list[Message]) -> dict[str, Any]:
    found, cursor = page(messages, arguments, usual=100)
    wanted = bool(arguments.get("include_all_metadata"))
    made: dict[str, Any] = {
        "messages": [message_payload(each, workspace, metadata=wanted) for each in found],
        "has_more": bool(cursor),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        "pin_count": 0,
    }
    return {**made, "response_metadata": {"next_cursor": cursor}} if cursor else made


def history(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = entered(workspace, arguments["channel"])
    seen = [
        each
        for each in workspace.messages[channel.id]
        if each.only_for is None and (each.thread_ts in {None, each.ts} or each.broadcast)
    ]
    return _read(workspace, arguments, list(reversed(_between(seen, arguments))))


def replies(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = entered(workspace, arguments["channel"])
    roots = [
        each
        for each in workspace.messages[channel.id]
        if each.ts == str(arguments["ts"]) and each.only_for is None and each.thread_ts in {None, each.ts}
    ]
    if not roots:
        raise Problem("thread_not_found")
    return _read(workspace, arguments, [roots[0], *_between(workspace.thread(roots[0]), arguments)])


METHODS = {
    "conversations.history": history,
    "conversations.info": info,
    "conversations.join": join,
    "conversations.list": list_,
    "conversations.members": members,
    "conversations.open": open_,
    "conversations.replies": replies,
    "users.conversations": of_user,
}
