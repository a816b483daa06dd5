"""files.*: the external upload in three steps, as on Slack's method pages of the same names."""

from collections.abc import Mapping
from typing import Any

from sandbox.api.checks import needed, writable
from sandbox.deliver.payloads import file_payload
from sandbox.state import File, Message, Problem, Workspace


def upload_url(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "filename", "length")
    made = workspace.serial("F")
    size = int(arguments["length"])
    workspace.files[made] = File(id=made, name=str(arguments["filename"]), size=size, owner=workspace.bot.id)
    return {"upload_url": f"{workspace.address}/upload/{made}", "file_id": made}


def complete(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "files")
    done = []
    for each in arguments["files"]:
        file = workspace.files.get(each["id"])
        if file is None or file.content is None:
            raise Problem("file_not_found")
        file.title = each.get("title") or file.name
        done.append(file)
    channel_id = arguments.get("channel_id")
    if channel_id:
        channel = writable(workspace, channel_id)
        for file in done:
            file.shared_in.append(channel.id)
        workspace.add(
            Message(
                channel=channel.id,
                ts=workspace.new_ts(),
                user=workspace.bot.id,
                bot_id=workspace.bot_id,
                text=str(arguments.get("initial_comment") or ""),
                thread_ts=arguments.get("thread_ts"),
                files=[file.id for file in done],
            )
        )
    return {"files": [file_payload(workspace, file.id) for file in done]}


def info(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "file")
    if arguments["file"] not in workspace.files:
        raise Problem("file_not_found")
    return {"file": file_payload(workspace, arguments["file"])}


def delete(workspace: Workspace, arguments: Mapping[str, Any]) -> dict[str, Any]:
    needed(arguments, "file")
    if workspace.files.pop(arguments["file"], None) is None:
        raise Problem("file_not_found")
    return {}


METHODS = {
    "files.getUploadURLExternal": upload_url,
    "files.completeUploadExternal": complete,
    "files.info": info,
    "files.delete": delete,
}
