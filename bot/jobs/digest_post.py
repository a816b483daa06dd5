"""Posting a digest: the message once, its files into its thread; a picture where Slack does not take the chart."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.desk import Desk
from bot.documents.render import Job, make
from bot.documents.reports import Asked
from bot.domain.receivables import AgeingQuestion
from bot.handlers.blocks.digest import charts_of, digest_blocks, digest_text
from bot.handlers.blocks.text import escape
from bot.jobs.digest import digest_of
from bot.jobs.looking import file_before, metadata_of, posted_before, reference_of
from bot.observe import log
from bot.storage.jobs import JobRuns
from bot.storage.outbox import Claimed, Outbox
from bot.storage.reports import SqlReadBooks

EVENT_TYPE = "duedesk_digest"
CHART_REFUSED = "invalid_blocks"
DETAILS = ("xlsx", "csv")
Ask = Callable[..., Any]  # one call about a channel, put off while the channel rests


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a digest stands, and whether Slack draws its chart."""

    ts: str
    has_chart: bool


def post_digest(desk: Desk, client: WebClient, outbox: Outbox, row: Claimed, ask: Ask) -> None:
    """Post the digest unless an earlier attempt did, and put its files in the outbox."""
    posted = _posted_before(client, row) if row.attempts > 1 else None
    if posted is None:
        posted = _post(desk, client, row, ask)
    _plan_files(desk, row, posted)
    outbox.done(row, row.destination, posted.ts)


def _post(desk: Desk, client: WebClient, row: Claimed, ask: Ask) -> Posted:
    settings = desk.store.read(lambda books: books.settings())
    given: dict[str, Any] = json.loads(row.payload)
    digest, shown, is_copy = digest_of(row.payload), given["currencies"], bool(given["copy"])
    text = escape(digest_text(digest, settings, shown, is_copy=is_copy))
    wants_chart = bool(charts_of(digest, settings, shown))
    for with_chart in (True, False) if wants_chart else (False,):
        blocks = digest_blocks(digest, settings, shown, is_copy=is_copy, charts=with_chart)
        metadata = metadata_of(row, EVENT_TYPE, chart=with_chart or not wants_chart)
        post = client.chat_postMessage
        try:
            answer = ask(row.destination, post, text=text, blocks=blocks, metadata=metadata, unfurl_links=False)
        except SlackApiError as fault:
            if not with_chart or fault.response.get("error") != CHART_REFUSED:
                raise
            log.warning("Slack does not take the chart of digest %s; a picture goes into the thread", row.id)
            continue
        return Posted(str(answer["ts"]), has_chart=with_chart or not wants_chart)
    raise AssertionError


def _posted_before(client: WebClient, row: Claimed) -> Posted | None:
    """A message whose answer was lost is looked for before it is sent again."""
    found = posted_before(client, row, row.destination, EVENT_TYPE)
    if found is None:
        return None
    return Posted(str(found["ts"]), has_chart=bool(found["metadata"]["event_payload"].get("chart")))


def _plan_files(desk: Desk, row: Claimed, posted: Posted) -> None:
    """One row of the outbox for each file, so that one that fails takes no other along."""
    digest = digest_of(row.payload)
    if not digest.lines:
        return
    files: list[dict[str, Any]] = [{"file": each, "question": _question(digest.as_of)} for each in DETAILS]
    if not posted.has_chart:
        files.append({"file": "chart", "digest": json.loads(row.payload)})
    to = {"channel": row.destination, "thread": posted.ts}
    JobRuns(desk.store).add_files(row.document_id, files, to)


def _question(as_of: date) -> dict[str, Any]:
    """Which report a file shows: that of the digest."""
    asked = AgeingQuestion(as_of=as_of)
    return {
        "as_of": as_of.isoformat(),
        "basis": asked.basis.value,
        "edges": list(asked.edges),
        "customer": None,
        "currency": None,
    }


def send_file(desk: Desk, client: WebClient, row: Claimed) -> None:
    """Upload one file into the thread, unless an earlier attempt did."""
    to: dict[str, str] = json.loads(row.destination)
    asked: dict[str, Any] = json.loads(row.payload)
    if row.attempts > 1 and file_before(client, row, to["channel"]):
        return
    with tempfile.TemporaryDirectory(prefix="duedesk") as folder:
        name, content, says = desk.store.read(lambda books: _made(books, asked, desk.clock(), row, folder))
    client.files_upload_v2(
        channel=to["channel"],
        thread_ts=to["thread"],
        filename=name,
        content=content,
        title=name,
        initial_comment=escape(says),
        request_file_info=False,
    )


def chart_png(books: SqlReadBooks, asked: dict[str, Any], reference: str) -> tuple[str, bytes, str]:
    """The charts that Slack did not draw, as one picture."""
    from bot.jobs.picture import draw

    payload = json.dumps(asked["digest"])
    settings = replace(books.settings(), locale="en")  # the picture's font has no Thai or Japanese month names
    charts = charts_of(digest_of(payload), settings, asked["digest"]["currencies"])
    return f"aged-receivables-chart-{reference}.png", draw(charts), "Open by age"


def _made(
    books: SqlReadBooks, asked: dict[str, Any], now: datetime, row: Claimed, folder: str
) -> tuple[str, bytes, str]:
    """The picture, or each customer and its invoices as `/aging csv` and `/aging xlsx` give them."""
    if asked["file"] not in DETAILS:
        return chart_png(books, asked, reference_of(row))
    question = Asked(asked["question"], now, now)
    job = Job(kind="ageing", format=asked["file"], asked=question, reference=reference_of(row), folder=folder)
    made = make(books, job)
    return made.name, Path(made.path).read_bytes(), f"{made.says}; as the books stand when this file is made"
