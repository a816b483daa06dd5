"""What a person sees: conversations, the stack of modals, the home tab, and what the page needs to start."""

from typing import Any

from sandbox.deliver.payloads import message_payload
from sandbox.state import Channel, Message, OpenView, Workspace


def boot_of(workspace: Workspace) -> dict[str, Any]:
    """What the page needs once."""
    features = workspace.manifest["features"]
    return {
        "team": {"id": workspace.team, "name": "Sandbox"},
        "app": {"name": workspace.bot.real_name, "bot_user": workspace.bot.id},
        "people": [
            {"id": each.id, "name": each.name, "real_name": each.real_name, "title": each.title, "tz": each.tz}
            for each in workspace.people.values()
            if not each.is_bot
        ],
        "channels": [
            {"id": each.id, "name": each.name, "is_private": each.is_private, "members": sorted(each.members)}
            for each in workspace.channels.values()
            if not each.is_im
        ],
        "commands": [
            {
                "command": each["command"],
                "description": each.get("description", ""),
                "usage_hint": each.get("usage_hint", ""),
            }
            for each in features.get("slash_commands", [])
        ],
        "shortcuts": list(features.get("shortcuts", [])),
        "tips": workspace.tips,
    }


def state_of(workspace: Workspace, user: str) -> dict[str, Any]:
    """Everything one person sees now."""
    with workspace.lock:
        home = workspace.homes.get(user)
        return {
            "seq": workspace.events[-1]["seq"] if workspace.events else 0,
            "conversations": [_conversation(workspace, each, user) for each in workspace.visible(user)],
            "modals": [_view(workspace, workspace.views[each]) for each in workspace.stacks[user]],
            "home": _view(workspace, home) if home is not None else None,
            "toasts": list(workspace.toasts[user]),
        }


def _conversation(workspace: Workspace, channel: Channel, user: str) -> dict[str, Any]:
    seen = [each for each in workspace.messages[channel.id] if each.only_for in {None, user}]
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": "im" if channel.is_im else "channel",
        "topic": channel.topic,
        "is_private": channel.is_private,
        "unread": 0,
        "messages": [_message(workspace, each) for each in seen],
    }


def _message(workspace: Workspace, message: Message) -> dict[str, Any]:
    made = message_payload(message, workspace)
    made["username"] = workspace.people[message.user].real_name if message.user in workspace.people else message.user
    made["blocks"] = message.blocks
    made["ephemeral"] = message.only_for is not None
    made["edited"] = message.edited
    return made


def _view(workspace: Workspace, opened: OpenView) -> dict[str, Any]:
    return {**workspace.view_payload(opened), "errors": opened.errors, "busy": opened.busy}
