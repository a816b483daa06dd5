"""What a person sees: conversations, the stack of modals, the home tab, and what the page needs to start."""

from typing import Any

from sandbox.deliver.payloads import Payloads
from sandbox.deliver.shapes import message_payload
from sandbox.state import Channel, Message, OpenView, Workspace


def boot_of(workspace: Workspace) -> dict[str, Any]:
    """What the page needs once."""
    optional = ("description", "usage_hint")
    return {
        "team": {"id": workspace.team, "name": "Sandbox"},
        "app": {"name": workspace.bot.real_name, "bot_user": workspace.bot.id},
        "people": [
            {"id": each.id, "name": each.name, "real_name": each.real_name, "title": each.title, "tz": each.tz}
            for each in workspace.people.values()
            if not each.is_bot and not each.deleted
        ],
        "channels": [
            {"id": each.id, "name": each.name, "is_private": each.is_private, "members": sorted(each.members)}
            for each in workspace.channels.values()
            if not each.is_im
        ],
        "commands": [
            {"command": each["command"], **{name: each.get(name, "") for name in optional}}
            for each in workspace.features("slash_commands")
        ],
        "shortcuts": workspace.features("shortcuts"),
        "tips": workspace.tips,
    }


def state_of(workspace: Workspace, user: str) -> dict[str, Any]:
    """Everything one person sees now."""
    with workspace.lock:
        workspace.person(user)
        home = workspace.views.homes.get(user)
        return {
            "seq": workspace.seq,
            "conversations": [_conversation(workspace, each, user) for each in workspace.visible(user)],
            "modals": [_view(workspace, each) for each in workspace.views.stack(user)],
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
        "is_member": user in channel.members,
        "unread": 0,
        "messages": [_message(workspace, each) for each in seen],
    }


def _message(workspace: Workspace, message: Message) -> dict[str, Any]:
    person = workspace.people.get(message.user)
    return {
        **message_payload(message, workspace),
        "channel": message.channel,
        "username": person.real_name or person.name if person is not None else message.user,
        "blocks": list(message.blocks),
        "state": {"values": message.state},
        "ephemeral": message.only_for is not None,
        "edited": message.edited_ts is not None,
    }


def _view(workspace: Workspace, opened: OpenView) -> dict[str, Any]:
    payload = Payloads(workspace).view(opened)
    # A copy, so that what a person looks at does not change under their eyes.
    state = {block_id: dict(actions) for block_id, actions in opened.state.items()}
    return {**payload, "state": {"values": state}, "errors": dict(opened.errors), "busy": opened.busy}
