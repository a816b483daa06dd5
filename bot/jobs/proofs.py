"""Copies the proof of a payment into its thread: what a form takes in, only its giver and the app can see."""

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.handlers.blocks.text import escape
from bot.jobs.looking import file_before, post_once, reference_of
from bot.observe import log
from bot.storage.outbox import CHANNEL_WAIT, Claimed, Outbox

MOST_BYTES = 20_000_000
SECONDS = 30
FILE_HOST = "files.slack.com"
GONE = frozenset({"file_not_found", "file_deleted"})
REFUSED = range(400, 500)
TOO_MANY = 429


class Unreadable(Exception):  # noqa: N818  # a finding about one file, said in its thread
    """A file that trying again does not bring; the sentence says what a person can do."""


def send_proof(client: WebClient, outbox: Outbox, row: Claimed) -> None:
    """Put one file into the payment's thread, or say there why not. Raises what passes, such as OSError."""
    place = outbox.message(row.document_kind, row.document_id)
    if place is None:
        outbox.later(row, CHANNEL_WAIT, "the card is not posted yet", attempts=0)
        return
    channel, ts, _ = place
    proof: dict[str, Any] = json.loads(row.payload)
    stem, _, kind = str(proof["name"]).rpartition(".")
    name = f"{stem[:60]}-{reference_of(row)}.{kind}"
    if row.attempts > 1 and file_before(client, row, channel):
        outbox.done(row)
        return
    try:
        content = _content(client, proof)
    except Unreadable as why:
        log.warning("proof %s cannot be copied", row.id)
        post_once(client, row, channel, escape(f"Proof {proof['name']}: {why}"), ts)
        outbox.done(row)
        return
    outbox.renew(row)
    client.files_upload_v2(
        channel=channel, thread_ts=ts, filename=name, content=content, title=proof["name"], request_file_info=False
    )
    outbox.done(row)


def _content(client: WebClient, proof: Mapping[str, Any]) -> bytes:
    """The file as it is in Slack now."""
    try:
        found: dict[str, Any] = client.files_info(file=proof["file_id"])["file"]
    except SlackApiError as fault:
        if fault.response.get("error") not in GONE:
            raise
        raise Unreadable(
            "it was deleted in Slack before it could be copied here. Please share it here again."
        ) from fault
    size = int(found.get("size") or 0)
    if size > MOST_BYTES:
        raise Unreadable(f"it is larger than {MOST_BYTES // 1_000_000} MB and is not copied. Please share it here.")
    content = download(client, str(found.get("url_private_download") or found.get("url_private") or ""))
    if len(content) != size:
        raise OSError("a file came in another size")
    return content


def download(client: WebClient, address: str) -> bytes:
    """A file of Slack. The token goes to its own hosts alone, whatever address a payload names, and follows nobody."""
    ours, wanted = urlsplit(client.base_url), urlsplit(address)
    is_ours = (wanted.scheme, wanted.netloc) in {(ours.scheme, ours.netloc), ("https", FILE_HOST)}
    if not is_ours:
        raise Unreadable("Slack keeps it elsewhere, where it is not read from. Please share it here.")
    request = Request(address, headers={"Authorization": f"Bearer {client.token}"})  # noqa: S310  # checked above
    try:
        with build_opener(_Stay).open(request, timeout=SECONDS) as answer:
            content: bytes = answer.read(MOST_BYTES + 1)
            return content
    except HTTPError as fault:
        if fault.code in REFUSED and fault.code != TOO_MANY:
            raise Unreadable("Slack does not hand it out any more. Please share it here again.") from fault
        raise
    except HTTPException as fault:
        raise OSError(type(fault).__name__) from fault


class _Stay(HTTPRedirectHandler):
    """A redirect leads where the token must not go."""

    def redirect_request(self, *_: Any) -> None:
        raise Unreadable("Slack keeps it elsewhere, where it is not read from. Please share it here.")
