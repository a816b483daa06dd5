"""Files that somebody asked for, made when they are sent and delivered by direct message."""

import contextlib
import json
import tempfile
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.desk import Desk
from bot.documents.pool import BookAt, Fault, Refusal, Renderer, RendererDied
from bot.documents.render import Job, Made
from bot.documents.reports import Asked
from bot.domain.errors import NoAccess
from bot.domain.operation import Actor, Request
from bot.handlers.blocks.text import escape
from bot.handlers.files import READERS
from bot.jobs.delivery import MOST_ATTEMPTS, TOO_MANY, asked_to_wait, back_off, is_slacks_own
from bot.jobs.digest_post import send_file
from bot.jobs.lease import HandedOver, new_name
from bot.jobs.looking import file_before, post_once, reference_of
from bot.jobs.proofs import send_proof
from bot.observe import log
from bot.storage.faults import AWAY
from bot.storage.outbox import CHANNEL_WAIT, Claimed, Outbox

MOST_DEATHS = 5  # a file that ends its process each time is given up
FATAL = frozenset(
    {
        "account_inactive",
        "cannot_dm_bot",
        "file_uploads_disabled",
        "missing_scope",
        "not_allowed_token_type",
        "storage_limit_reached",
        "user_disabled",
        "user_not_found",
    }
)
SORRY = "The file you asked for could not be made or sent. It is noted for the operator: request {reference}."


@dataclass(frozen=True, slots=True)
class FileWorker:
    """Makes and sends files, one after the other; any number of workers may run, rows are claimed with a lease.

    Slack gives a shared file no metadata, so the request's reference is in the file's name: a file whose upload was not
    noted, because the process ended or the answer was lost, is looked for among the files of the direct message before
    it is made again. Only where Slack refuses that look (no files:read) can such a file come twice.
    """

    desk: Desk
    client: WebClient
    renderer: Renderer
    book: BookAt
    name: str = field(default_factory=new_name)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run_once(self) -> int:
        """Make and send one file that is due; returns how many rows were settled."""
        outbox = Outbox(self.desk.store)
        claimed = outbox.claim(self.name, lane="files")
        for row in claimed:
            self._deliver(outbox, row)
        return len(claimed)

    def hand_over(self) -> None:
        """A file that is being made is left to other workers; one that is being sent is sent."""
        self.stopping.set()
        self.renderer.close()

    def _deliver(self, outbox: Outbox, row: Claimed) -> None:
        try:
            self._send(outbox, row)
        except SlackApiError as fault:
            self._refused(outbox, row, fault)
        except HandedOver:
            outbox.later(row, timedelta(0), "handed over", attempts=row.attempts - 1)
        except RendererDied:
            if self.stopping.is_set():
                outbox.later(row, timedelta(0), "handed over", attempts=row.attempts - 1)
                return
            log.error("the process that makes files ended at report %s, attempt %s", row.id, row.attempts)
            if row.attempts >= MOST_DEATHS:
                self._give_up(outbox, row, "RendererDied")
            else:
                outbox.later(row, timedelta(seconds=back_off(row.attempts)), "RendererDied")
        except (SlackClientError, OSError, HTTPException) as fault:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), type(fault).__name__)
        except AWAY:
            raise
        except Exception as fault:  # noqa: BLE001  # one bad row never stops the rest; it is kept and shown
            log.error("report %s cannot be delivered", row.id, exc_info=fault)
            self._give_up(outbox, row, type(fault).__name__)

    def _send(self, outbox: Outbox, row: Claimed) -> None:
        """Who may not read it any more gets nothing: asked before it is made, and once more before it is sent."""
        if row.kind == "digest_file":
            send_file(self.desk, self.client, row)
            outbox.done(row)
            return
        if row.kind == "proof":
            send_proof(self.client, outbox, row)
            return
        if row.kind == "paper":
            self._send_paper(outbox, row)
            return
        asked: dict[str, Any] = json.loads(row.payload)
        user = json.loads(row.destination)["user"]
        if not self._may_read(row, asked["file"]):
            outbox.done(row)
            return
        channel = self.client.conversations_open(users=user)["channel"]["id"]
        if row.attempts > 1 and file_before(self.client, row, channel):
            outbox.done(row)
            return
        with tempfile.TemporaryDirectory(prefix="duedesk") as folder:
            if self.stopping.is_set():
                raise HandedOver
            made = self.renderer.make(self.book, self._job(row, asked, folder), lambda: outbox.renew(row))
            match made:
                case Fault():
                    self._unmade(outbox, row, made)
                    return
                case Refusal():
                    post_once(self.client, row, channel, escape(made.sentence))
                case Made() if self._may_read(row, asked["file"]):
                    outbox.renew(row)
                    self._upload(channel, made)
        outbox.done(row)

    def _send_paper(self, outbox: Outbox, row: Claimed) -> None:
        """A document that is final now, as a file in the thread of its card."""
        place = outbox.message(row.document_kind, row.document_id)
        if place is None:
            outbox.later(row, CHANNEL_WAIT, "the card is not posted yet", attempts=0)
            return
        channel, ts, _ = place
        question = {"id": str(row.document_id)}
        asked = {"file": row.payload, "format": "pdf", "question": question, "asked_at": row.recorded_at.isoformat()}
        if row.attempts > 1 and file_before(self.client, row, channel):
            outbox.done(row)
            return
        with tempfile.TemporaryDirectory(prefix="duedesk") as folder:
            if self.stopping.is_set():
                raise HandedOver
            made = self.renderer.make(self.book, self._job(row, asked, folder), lambda: outbox.renew(row))
            match made:
                case Fault():
                    self._unmade(outbox, row, made)
                    return
                case Refusal():
                    log.error("paper %s: %s", row.id, made.sentence)
                case Made():
                    outbox.renew(row)
                    self.client.files_upload_v2(
                        channel=channel,
                        thread_ts=ts,
                        filename=made.name,
                        file=made.path,
                        title=made.name,
                        request_file_info=False,
                    )
        outbox.done(row)

    def _unmade(self, outbox: Outbox, row: Claimed, fault: Fault) -> None:
        """What passes is tried again; what does not is given up."""
        log.error("report %s: %s\n%s", row.id, fault.name, fault.trace)
        if fault.passing and row.attempts < MOST_ATTEMPTS:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), fault.name)
        else:
            self._give_up(outbox, row, fault.name)

    def _may_read(self, row: Claimed, kind: str) -> bool:
        to: dict[str, str] = json.loads(row.destination)
        request = Request(
            actor=Actor(team=to["team"], user=to["user"]),
            now=self.desk.clock(),
            key=f"report:{row.id}",
            request_id=f"report {row.id}",
            command=kind,
        )
        try:
            self.desk.ask(lambda _: None, request, by=READERS[kind])
        except NoAccess:
            log.info("report %s is not sent: its reader has no right to it any more", row.id)
            return False
        return True

    def _job(self, row: Claimed, asked: dict[str, Any], folder: str) -> Job:
        return Job(
            kind=asked["file"],
            format=asked.get("format", "csv"),
            asked=Asked(asked["question"], datetime.fromisoformat(asked["asked_at"]), self.desk.clock()),
            reference=reference_of(row),
            folder=folder,
        )

    def _upload(self, channel: str, file: Made) -> None:
        self.client.files_upload_v2(
            channel=channel,
            filename=file.name,
            file=file.path,
            title=file.name,
            initial_comment=escape(file.says),
            request_file_info=False,
        )

    def _refused(self, outbox: Outbox, row: Claimed, fault: SlackApiError) -> None:
        """Wait as long as Slack says, give up where trying again cannot help, back off otherwise."""
        error = str(fault.response.get("error", "unknown"))
        if fault.response.status_code == TOO_MANY:
            outbox.later(row, timedelta(seconds=asked_to_wait(fault)), "ratelimited")
        elif error in FATAL or (row.attempts >= MOST_ATTEMPTS and not is_slacks_own(fault)):
            log.error("report %s failed for good: %s", row.id, error)
            self._give_up(outbox, row, error)
        else:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), error)

    def _give_up(self, outbox: Outbox, row: Claimed, error: str) -> None:
        """It is kept for the operator, and the person is told where Slack still lets us."""
        outbox.failed(row, error)
        if row.kind != "report":
            return
        with contextlib.suppress(SlackApiError, OSError):
            channel = self.client.conversations_open(users=json.loads(row.destination)["user"])["channel"]["id"]
            self.client.chat_postMessage(channel=channel, text=SORRY.format(reference=reference_of(row)))
