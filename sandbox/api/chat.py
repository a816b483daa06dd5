"""The methods of chat and reactions: see the pages chat.postMessage, chat.update, chat.delete, chat.postEphemeral,
chat.getPermalink and reactions.add.
"""

from typing import Any

from sandbox.api.checks import Arguments, entered, known, needed, refuse, writable
from sandbox.deliver.answers import app_message, redraw
from sandbox.deliver.shapes import message_payload
from sandbox.state import Channel, Message, Problem, Workspace
from sandbox.validate import check_message


def _with_thread(workspace: Workspace, channel: Channel, arguments: Arguments) -> None:
    """A reply goes to a message that starts a thread, never to a reply."""
    thread = arguments.get("thread_ts")
    if not thread:
        return
    found = [each for each in workspace.messages[channel.id] if each.ts == thread and each.only_for is None]
    if not found:
        raise Problem("thread_not_found")
    if found[0].thread_ts not in {None, found[0].ts}:
        raise Problem("cannot_reply_to_message")


def post_message(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel")
    channel = writable(workspace, arguments["channel"], people=True)
    refuse(check_message(arguments, method="chat.postMessage"))
    _with_thread(workspace, channel, arguments)
    message = workspace.add(app_message(workspace, channel.id, arguments))
    return {"channel": channel.id, "ts": message.ts, "message": message_payload(message, workspace)}


def post_ephemeral(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "user")
    channel = writable(workspace, arguments["channel"])
    refuse(check_message(arguments, method="chat.postEphemeral"))
    if arguments["user"] not in channel.members:
        raise Problem("user_not_in_channel")
    _with_thread(workspace, channel, arguments)
    message = workspace.add(app_message(workspace, channel.id, arguments, only_for=arguments["user"]))
    return {"message_ts": message.ts}


def _own(workspace: Workspace, channel: Channel, ts: str, refusal: str) -> Message:
    """A message of the app itself; an ephemeral one cannot be found again."""
    message = workspace.message(channel.id, str(ts))
    if message.only_for is not None:
        raise Problem("message_not_found")
    if message.bot_id != workspace.bot_id:
        raise Problem(refusal)
    return message


def update(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = writable(workspace, arguments["channel"])
    refuse(check_message(arguments, method="chat.update"))
    message = _own(workspace, channel, arguments["ts"], "cant_update_message")
    redraw(workspace, message, arguments)
    shown = message_payload(message, workspace)
    return {"channel": channel.id, "ts": message.ts, "text": message.text, "message": shown}


def delete(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "ts")
    channel = entered(workspace, arguments["channel"])
    message = _own(workspace, channel, arguments["ts"], "cant_delete_message")
    workspace.messages[channel.id].remove(message)
    workspace.tell("message", channel.id)
    return {"channel": channel.id, "ts": message.ts}


def permalink(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "message_ts")
    channel = known(workspace, arguments["channel"])
    message = workspace.message(channel.id, str(arguments["message_ts"]))
    link = f"{workspace.address}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.thread_ts:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def react(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "channel", "timestamp", "name")
    channel = entered(workspace, arguments["channel"])
    message = workspace.message(channel.id, str(arguments["timestamp"]))
    users = message.reactions.setdefault(str(arguments["name"]).strip(":"), [])
    if workspace.bot.id in users:
        raise Problem("already_reacted")
    users.append(workspace.bot.id)
    workspace.tell("message", channel.id)
    return {}


METHODS = {
    "chat.delete": delete,
    "chat.getPermalink": permalink,
    "chat.postEphemeral": post_ephemeral,
    "chat.postMessage": post_message,
    "chat.update": update,
    "reactions.add": react,
}
