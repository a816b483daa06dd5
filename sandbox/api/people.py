"""users.*, conversations.*, auth, team: shapes as on Slack's method pages of the same names."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.checks import needed
from sandbox.deliver.payloads import message_payload
from sandbox.state import Channel, Person, Problem, Workspace


def user_payload(person: Person, workspace: Workspace) -> dict[str, Any]:
    """A user object."""
    made: dict[str, Any] = {
        "id": person.id,
        "team_id": person.team_id or workspace.team,
        "name": person.name,
        "real_name": person.real_name,
        "deleted": person.deleted,
        "tz": person.tz,
        "is_admin": person.is_admin,
        "is_owner": person.is_owner,
        "is_bot": person.is_bot,
        "is_restricted": person.is_restricted,
        "is_ultra_restricted": person.is_ultra_restricted,
        "is_stranger": person.is_stranger,
        "profile": {
            "real_name": person.real_name,
            "display_name": person.name,
            "title": person.title,
            "email": person.email,
        },
    }
    if person.enterprise_id:
        made["enterprise_user"] = {"enterprise_id": person.enterprise_id}
    return made


def channel_payload(channel: Channel) -> dict[str, Any]:
    """A conversation object."""
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_im,
        "is_im": channel.is_im,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_ext_shared": channel.is_ext_shared,
        "is_shared": channel.is_ext_shared,
        "is_member": True,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic},
    }


def auth_test(workspace: Workspace, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "url": "https://sandbox.invalid/",
        "team": "Sandbox",
        "team_id": workspace.team,
        "user": workspace.bot.name,
        "user_id": workspace.bot.id,
        "bot_id": workspace.bot_id,
        "enterprise_id": workspace.enterprise,
        "is_enterprise_install": False,
    }


def users_info(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "user")
    return {"user": user_payload(workspace.person(arguments["user"]), workspace)}


def users_list(workspace: Workspace, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    members = [user_payload(each, workspace) for each in workspace.people.values()]
    return {"members": members, "response_metadata": {"next_cursor": ""}}


def conversations_open(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "users")
    return {"channel": {"id": workspace.open_im(str(arguments["users"]).split(",")[0]).id}}


def _known(workspace: Workspace, channel_id: str) -> Channel:
    """A private channel without the bot does not exist for it."""
    channel = workspace.channel(channel_id)
    if channel.is_private and workspace.bot.id not in channel.members:
        raise Problem("channel_not_found")
    return channel


def conversations_info(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = _known(workspace, arguments["channel"])
    return {"channel": {**channel_payload(channel), "is_member": workspace.bot.id in channel.members}}


def conversations_members(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel")
    members = sorted(_known(workspace, arguments["channel"]).members)
    return {"members": members, "response_metadata": {"next_cursor": ""}}


def conversations_list(workspace: Workspace, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    seen = [each for each in workspace.channels.values() if not each.is_private or workspace.bot.id in each.members]
    return {"channels": [channel_payload(each) for each in seen], "response_metadata": {"next_cursor": ""}}


def history(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = _known(workspace, arguments["channel"])
    limit = int(arguments.get("limit") or 100)
    seen = [
        each for each in workspace.messages[channel.id] if each.only_for is None and each.thread_ts in {None, each.ts}
    ]
    return {
        "messages": [message_payload(each, workspace) for each in reversed(seen)][:limit],
        "has_more": len(seen) > limit,
    }


def replies(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = _known(workspace, arguments["channel"])
    root = workspace.message(channel.id, arguments["ts"])
    seen = [each for each in workspace.messages[channel.id] if each.thread_ts == root.ts and each.only_for is None]
    return {"messages": [message_payload(each, workspace) for each in [root, *seen]], "has_more": False}


def team_info(workspace: Workspace, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"team": {"id": workspace.team, "name": "Sandbox", "domain": "sandbox"}}


def bots_info(workspace: Workspace, _arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"bot": {"id": workspace.bot_id, "app_id": workspace.app_id, "name": workspace.bot.name}}


def api_test(_workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"args": dict(arguments)}


METHODS = {
    "api.test": api_test,
    "auth.test": auth_test,
    "bots.info": bots_info,
    "team.info": team_info,
    "users.info": users_info,
    "users.list": users_list,
    "conversations.open": conversations_open,
    "conversations.info": conversations_info,
    "conversations.members": conversations_members,
    "conversations.list": conversations_list,
    "users.conversations": conversations_list,
    "conversations.history": history,
    "conversations.replies": replies,
}
