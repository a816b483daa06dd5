"""The methods of files: see the pages files.getUploadURLExternal, files.completeUploadExternal, files.info, files.list
and files.delete, and the file object.
"""

from typing import Any

from sandbox.api.checks import Arguments, bad_argument, needed, writable
from sandbox.deliver.answers import app_message
from sandbox.deliver.shapes import file_payload
from sandbox.state import File, Problem, Workspace


def upload_url(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "filename", "length")
    if arguments["length"] <= 0:
        raise bad_argument("length", "must be greater than 0")
    made = workspace.serial("F")
    workspace.files[made] = File(
        id=made,
        name=str(arguments["filename"]).replace("/", "_"),
        size=arguments["length"],
        owner=workspace.bot.id,
        created=int(workspace.clock()),
    )
    return {"upload_url": f"{workspace.address}/upload/{made}", "file_id": made}


def complete(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """Finish an upload; with a channel the files are shared there, without one they stay private to the app."""
    needed(arguments, "files")
    files = [_uploaded(workspace, each) for each in arguments["files"]]
    channel_id = arguments.get("channel_id") or arguments.get("channels")
    channel = writable(workspace, str(channel_id)) if channel_id else None
    if arguments.get("thread_ts") and channel is not None:
        workspace.message(channel.id, str(arguments["thread_ts"]))
    for file, given in zip(files, arguments["files"], strict=True):
        file.title = given.get("title") or file.name
        file.complete = True
        if channel is not None:
            file.shared_in.append(channel.id)
    if channel is not None:
        said = {"text": arguments.get("initial_comment"), "thread_ts": arguments.get("thread_ts")}
        message = app_message(workspace, channel.id, {**said, "blocks": arguments.get("blocks")})
        message.files = [each.id for each in files]
        workspace.add(message)
    return {"files": [file_payload(each, workspace) for each in files]}


def _uploaded(workspace: Workspace, given: Any) -> File:
    file = workspace.files.get(given.get("id", "")) if isinstance(given, dict) else None
    if file is None or file.content is None or file.complete or file.owner != workspace.bot.id:
        raise Problem("file_not_found")
    return file


def info(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "file")
    file = workspace.files.get(str(arguments["file"]))
    if file is None or file.content is None:
        raise Problem("file_not_found")
    return {"file": file_payload(file, workspace), "comments": [], "response_metadata": {"next_cursor": ""}}


def list_files(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    """The files that the app can see, newest first, by conversation and by time."""
    channel = arguments.get("channel")
    since = float(arguments.get("ts_from") or 0)
    found = [
        each
        for each in workspace.files.values()
        if each.complete and each.created >= since and (channel is None or channel in each.shared_in)
    ]
    count, page = int(arguments.get("count") or 100), int(arguments.get("page") or 1)
    shown = sorted(found, key=lambda each: -each.created)[(page - 1) * count : page * count]
    paging = {"count": count, "total": len(found), "page": page, "pages": -(-len(found) // count)}
    return {"files": [file_payload(each, workspace) for each in shown], "paging": paging}


def delete(workspace: Workspace, arguments: Arguments) -> dict[str, Any]:
    needed(arguments, "file")
    file = workspace.files.get(str(arguments["file"]))
    if file is None:
        raise Problem("file_not_found")
    if file.owner != workspace.bot.id:
        raise Problem("cant_delete_file")
    del workspace.files[file.id]
    for channel in file.shared_in:
        workspace.tell("message", channel)
    return {}


METHODS = {
    "files.completeUploadExternal": complete,
    "files.delete": delete,
    "files.getUploadURLExternal": upload_url,
    "files.info": info,
    "files.list": list_files,
}
