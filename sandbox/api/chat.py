"""chat.* and reactions: shapes as on Slack's method pages of the same names."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.checks import needed, refuse, writable
from sandbox.deliver.payloads import message_payload
from sandbox.state import Message, Problem, Workspace
from sandbox.validate import check_message

SENT = (
    "text",
    "blocks",
    "attachments",
    "metadata",
    "thread_ts",
    "channel",
    "unfurl_links",
    "unfurl_media",
    "mrkdwn",
    "user",
    "ts",
)


def _checked(arguments: Mapping[str, Any], method: str) -> None:
    refuse(check_message({name: arguments[name] for name in SENT if arguments.get(name) is not None}, method=method))


def post_message(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = writable(workspace, arguments["channel"])
    _checked(arguments, "chat.postMessage")
    thread = arguments.get("thread_ts")
    if thread:
        workspace.message(channel.id, thread)
    message = workspace.add(
        Message(
            channel=channel.id,
            ts=workspace.new_ts(),
            user=workspace.bot.id,
            bot_id=workspace.bot_id,
            text=str(arguments.get("text") or ""),
            blocks=list(arguments.get("blocks") or []),
            thread_ts=thread,
            metadata=arguments.get("metadata"),
        )
    )
    return {"channel": channel.id, "ts": message.ts, "message": message_payload(message, workspace)}


def post_ephemeral(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "user")
    channel = writable(workspace, arguments["channel"])
    _checked(arguments, "chat.postEphemeral")
    if arguments["user"] not in channel.members:
        raise Problem("user_not_in_channel")
    message = workspace.add(
        Message(
            channel=channel.id,
            ts=workspace.new_ts(),
            user=workspace.bot.id,
            bot_id=workspace.bot_id,
            text=str(arguments.get("text") or ""),
            blocks=list(arguments.get("blocks") or []),
            thread_ts=arguments.get("thread_ts"),
            only_for=arguments["user"],
        )
    )
    return {"message_ts": message.ts}


def update(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = writable(workspace, arguments["channel"])
    _checked(arguments, "chat.update")
    message = workspace.message(channel.id, arguments["ts"])
    if message.user != workspace.bot.id or message.only_for is not None:
        raise Problem("cant_update_message")
    message.text = str(arguments.get("text") or "")
    message.blocks = list(arguments.get("blocks") or [])
    message.metadata = arguments.get("metadata", message.metadata)
    message.edited = True
    workspace.tell("message", channel.id)
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message_payload(message, workspace),
    }


def delete(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = writable(workspace, arguments["channel"])
    message = workspace.message(channel.id, arguments["ts"])
    if message.user != workspace.bot.id:
        raise Problem("cant_delete_message")
    workspace.messages[channel.id].remove(message)
    workspace.tell("message", channel.id)
    return {"channel": channel.id, "ts": message.ts}


def permalink(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "message_ts")
    message = workspace.message(workspace.channel(arguments["channel"]).id, arguments["message_ts"])
    link = f"/#{message.channel}/{message.ts}"
    return {"channel": message.channel, "permalink": link}


def react(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "channel", "timestamp", "name")
    workspace.message(workspace.channel(arguments["channel"]).id, arguments["timestamp"])
    return {}


METHODS = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": permalink,
    "reactions.add": react,
}
