"""A mail server on loopback and a page of what customers would have received; what is in a mail is shown as text."""

import contextlib
import html
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any
from urllib.parse import parse_qs

from aiosmtpd.controller import Controller
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

HOST = "127.0.0.1"
MOST_KEPT = 500
GUARDED = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "x-frame-options": "DENY",
    "cache-control": "no-store",
}
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem;color:#222}
details{border:1px solid #ccc;border-radius:8px;padding:.5rem 1rem;margin:.5rem 0}
summary{cursor:pointer}summary span{color:#666;margin-right:.8rem}details[open]>summary{margin-bottom:.6rem}
pre{white-space:pre-wrap;margin:.6rem 0}
dl{display:grid;grid-template-columns:6rem 1fr;margin:0}dt{color:#666}dd{margin:0;overflow-wrap:anywhere}
form{display:inline}button{font:inherit}@media(prefers-color-scheme:dark){body{background:#1a1d21;color:#ddd}}"""


def unused_port() -> int:
    """A port that nothing listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as it arrived."""

    number: int
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        return str(body.get_content()) if body is not None else ""

    @property
    def files(self) -> list[EmailMessage]:
        return list(self.message.iter_attachments())


@dataclass
class MailOffice:
    """Takes every mail, keeps the newest, and shows them; a bounce is reported to whoever `report` tells."""

    report: Callable[[dict[str, str]], None] = lambda _bounce: None
    letters: list[Letter] = field(default_factory=list)
    bounced: set[tuple[int, str]] = field(default_factory=set)
    port: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator["MailOffice"]:
        """Serve on loopback in a thread."""
        self.port = unused_port()
        controller = Controller(self, hostname=HOST, port=self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  # the library's name
        """Keep a mail."""
        message = message_from_bytes(bytes(envelope.content), policy=default)
        with self._lock:
            self._count += 1
            self.letters = [*self.letters[1 - MOST_KEPT :], Letter(self._count, tuple(envelope.rcpt_tos), message)]
        return "250 2.0.0 kept"

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route("/mail", self._page),
            Route("/mail/{number:int}/{file:int}", self._file),
            Route("/mail/{number:int}/bounce", self._bounce, methods=["POST"]),
        ]

    async def _page(self, _request: Request) -> Response:
        newest = self.letters[-1].number if self.letters else 0
        shown = "".join(self._letter_shown(each, is_open=each.number == newest) for each in reversed(self.letters))
        nothing = """<p>No mail yet. Press <b>Send now</b> on the card of today's reminders, or try
<code>/statement Acme send</code> in the workspace.</p>"""
        page = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>Mail</title><style>{STYLE}</style>
<h1>Mail that customers would have received</h1><p><a href="/">Back to the workspace</a></p>{shown or nothing}</html>"""
        return HTMLResponse(page, headers=GUARDED)

    def _letter_shown(self, letter: Letter, *, is_open: bool) -> str:
        facts = "".join(
            f"<dt>{name}</dt><dd>{html.escape(str(letter.message.get(name, '')))}</dd>"
            for name in ("From", "To", "Reply-To", "Subject", "Date", "Message-ID")
            if letter.message.get(name)
        )
        files = " ".join(
            f'<a href="/mail/{letter.number}/{place}">{html.escape(str(each.get_filename("file")))}</a>'
            for place, each in enumerate(letter.files)
        )
        buttons = "".join(self._button(letter, each) for each in letter.recipients)
        text = html.escape(letter.text)
        to, subject = html.escape(", ".join(letter.recipients)), html.escape(str(letter.message.get("Subject", "")))
        back = " <em>came back</em>" if any(number == letter.number for number, _ in self.bounced) else ""
        summary = f"<summary><span>{to}</span>{subject}{back}</summary>"
        whole = f"{summary}<dl>{facts}</dl><pre>{text}</pre><p>{files}</p><p>{buttons}</p>"
        return f"<details{' open' if is_open else ''}>{whole}</details>"

    def _button(self, letter: Letter, recipient: str) -> str:
        shown = html.escape(recipient)
        if (letter.number, recipient) in self.bounced:
            return f"<em>came back from {shown}</em> "
        return f"""<form method="post" action="/mail/{letter.number}/bounce"><button name="recipient" value="{shown}">
Bounce this from {shown}</button></form> """

    def _letter(self, request: Request) -> Letter | None:
        number = request.path_params["number"]
        return next((each for each in self.letters if each.number == number), None)

    async def _file(self, request: Request) -> Response:
        letter, place = self._letter(request), request.path_params["file"]
        if letter is None or place >= len(letter.files):
            return PlainTextResponse("not found", status_code=404)
        content = letter.files[place].get_payload(decode=True)
        name = "".join(
            each if each.isalnum() or each in "-." else "_" for each in str(letter.files[place].get_filename())
        )
        how = {"content-disposition": f'inline; filename="{name.encode("ascii", "replace").decode()}"'}
        sniffing = {"x-content-type-options": "nosniff"}
        kind = "application/pdf" if name.endswith(".pdf") else "application/octet-stream"
        return Response(bytes(content or b""), media_type=kind, headers=how | sniffing)

    async def _bounce(self, request: Request) -> Response:
        """Only a press on this page counts."""
        letter = self._letter(request)
        if request.headers.get("sec-fetch-site") != "same-origin":
            return PlainTextResponse("not from here", status_code=403)
        given = parse_qs((await request.body()).decode("ascii", "replace"))
        recipient = given.get("recipient", [""])[0]
        if letter is None or recipient not in letter.recipients:
            return PlainTextResponse("not found", status_code=404)
        bounce = {
            "message_id": str(letter.message["Message-ID"]),
            "recipient": recipient,
            "kind": "hard",
            "diagnostic": "550 5.1.1 bounced on the page of mail",
        }
        await run_in_threadpool(self.report, bounce)
        self.bounced.add((letter.number, recipient))
        return RedirectResponse("/mail", status_code=303)
