"""Files that somebody asked for, rendered when they are sent and delivered by direct message."""

import json
import tempfile
from datetime import datetime
from typing import Any

from slack_sdk import WebClient

from bot.desk import Desk
from bot.documents.render import Job, Made, make
from bot.documents.reports import Asked
from bot.domain.errors import NoAccess
from bot.domain.operation import Actor, Request
from bot.handlers.blocks.text import escape
from bot.handlers.files import READERS
from bot.observe import log
from bot.storage.outbox import Claimed


def send_report(desk: Desk, client: WebClient, row: Claimed) -> None:
    """Render and upload one file, if its reader may still read it."""
    asked: dict[str, Any] = json.loads(row.payload)
    to: dict[str, str] = json.loads(row.destination)
    kind = asked["file"]
    request = Request(
        actor=Actor(team=to["team"], user=to["user"]),
        now=desk.clock(),
        key=f"report:{row.id}",
        request_id=f"report {row.id}",
        command=kind,
    )
    with tempfile.TemporaryDirectory(prefix="duedesk") as folder:
        job = Job(
            kind=kind,
            format=asked.get("format", "csv"),
            asked=Asked(asked["question"], datetime.fromisoformat(asked["asked_at"]), desk.clock()),
            reference=reference_of(row),
            folder=folder,
        )
        try:
            file = desk.ask(lambda books: make(books, job), request, by=READERS[kind])
        except NoAccess:
            log.info("report %s is not sent: its reader has no right to it any more", row.id)
            return
        _upload(client, to["user"], file)


def reference_of(row: Claimed) -> str:
    """What makes a file's name its own: the last digits of the row that asked for it."""
    return f"{row.id:x}"[-8:]


def _upload(client: WebClient, user: str, file: Made) -> None:
    channel = client.conversations_open(users=user)["channel"]["id"]
    client.files_upload_v2(
        channel=channel,
        filename=file.name,
        file=file.path,
        title=file.name,
        initial_comment=escape(file.says),
        request_file_info=False,
    )
