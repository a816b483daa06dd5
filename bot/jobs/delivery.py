"""Empties the outbox: one message in flight per document, never an older over a newer, back-off and Retry-After."""

import contextlib
import os
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.desk import Desk, restore
from bot.domain.settings import Settings
from bot.handlers.blocks.messages import Rendered, note_of, render
from bot.handlers.blocks.text import escape
from bot.observe import log
from bot.storage.outbox import Claimed, Outbox

IDLE_SECONDS = 2.0
FIRST_BACK_OFF_SECONDS = 2
LONGEST_BACK_OFF_SECONDS = 600
MOST_ATTEMPTS = 40
EVENT_TYPE = "duedesk_card"
GONE = frozenset({"message_not_found", "thread_not_found"})  # somebody deleted the card: it is posted anew
FATAL = frozenset(
    {"channel_not_found", "is_archived", "not_in_channel", "invalid_blocks", "restricted_action", "msg_too_long"}
)


@dataclass(frozen=True, slots=True)
class Worker:
    """One delivery worker of one book for all but files; any number may run, rows are claimed with a lease."""

    desk: Desk
    client: WebClient
    name: str = f"{socket.gethostname()}:{os.getpid()}"

    def run_once(self) -> int:
        """Deliver what is due now; returns how many rows were settled."""
        outbox = Outbox(self.desk.store)
        claimed = outbox.claim(self.name)
        for row in claimed:
            self._deliver(outbox, row)
        return len(claimed)

    def _deliver(self, outbox: Outbox, row: Claimed) -> None:
        try:
            self._card(outbox, row)
        except SlackApiError as fault:
            self._failed(outbox, row, fault)
        except OSError as fault:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), type(fault).__name__)
        except Exception as fault:  # noqa: BLE001  # one bad row never stops the rest; it is kept and shown
            log.error("outbox row %s cannot be delivered", row.id, exc_info=fault)
            outbox.failed(row, type(fault).__name__)

    def _card(self, outbox: Outbox, row: Claimed) -> None:
        """Post a document's first card, or bring its card up to date and say so in its thread."""
        settings = self.desk.store.read(lambda books: books.settings())
        place = outbox.message(row.document_kind, row.document_id)
        if place is None and row.kind == "refresh":
            outbox.done(row)
            return
        if not settings.finance_channel and place is None:
            outbox.wait_for_channel(row)
            return
        assert row.operation is not None
        assert row.outcome is not None
        outcome = restore(row.operation, row.outcome)
        card = self.desk.store.read(lambda books: render(outcome, row.document_kind, row.document_id, books))
        if place is None:
            self._post(outbox, row, card, settings)
            return
        channel, ts, shows = place
        try:
            self._refresh(row, card, channel, ts, shows)
        except SlackApiError as fault:
            if fault.response.get("error") not in GONE:
                raise
            outbox.forget(row)
            self._post(outbox, row, card, settings)
            return
        outbox.done(row, channel, ts)

    def _refresh(self, row: Claimed, card: Rendered, channel: str, ts: str, shows: int) -> None:
        """Say in the thread what happened, and bring the card up to date unless it shows something newer."""
        if row.kind != "refresh" or card.says:
            self._note(row, channel, ts, card)
        if row.id > shows:
            self.client.chat_update(
                channel=channel, ts=ts, text=escape(card.text), blocks=card.blocks, metadata=_metadata(row)
            )

    def _post(self, outbox: Outbox, row: Claimed, card: Rendered, settings: Settings) -> None:
        """A send whose answer was lost is looked for before it is sent again."""
        channel = settings.finance_channel
        found = self._sent_before(channel, row) if row.attempts > 1 else None
        if found is None:
            answer = self.client.chat_postMessage(
                channel=channel, text=escape(card.text), blocks=card.blocks, metadata=_metadata(row), unfurl_links=False
            )
            channel, found = str(answer["channel"]), str(answer["ts"])
        outbox.done(row, channel, found, root=True)

    def _note(self, row: Claimed, channel: str, ts: str, card: Rendered) -> None:
        if row.attempts > 1 and self._sent_before(channel, row, thread=ts) is not None:
            return
        self.client.chat_postMessage(
            channel=channel,
            thread_ts=ts,
            text=escape(card.text),
            blocks=note_of(card),
            metadata=_metadata(row),
            unfurl_links=False,
        )

    def _sent_before(self, channel: str, row: Claimed, thread: str | None = None) -> str | None:
        with contextlib.suppress(SlackApiError):
            asked: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": 100}
            answer = (
                self.client.conversations_replies(ts=thread, **asked)
                if thread is not None
                else self.client.conversations_history(**asked)
            )
            for message in answer["messages"]:
                carried = message.get("metadata") or {}
                if carried.get("event_type") == EVENT_TYPE and carried["event_payload"].get("outbox") == str(row.id):
                    return str(message["ts"])
        return None

    @staticmethod
    def _failed(outbox: Outbox, row: Claimed, fault: SlackApiError) -> None:
        """Wait as long as Slack says, give up where trying again cannot help, back off otherwise."""
        error = str(fault.response.get("error", "unknown"))
        if fault.response.status_code == 429:  # noqa: PLR2004  # too many requests
            seconds = int(fault.response.headers.get("Retry-After", "1"))
            outbox.later(row, timedelta(seconds=seconds), "ratelimited")
        elif error in FATAL or row.attempts >= MOST_ATTEMPTS:
            log.error("outbox row %s failed for good: %s", row.id, error)
            outbox.failed(row, error)
        else:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), error)


def back_off(attempts: int) -> int:
    """Seconds until the next try: doubling, at most ten minutes."""
    return min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS << min(attempts, 12))


def _metadata(row: Claimed) -> dict[str, Any]:
    return {"event_type": EVENT_TYPE, "event_payload": {"outbox": str(row.id), "document": str(row.document_id)}}


class Runs(Protocol):
    """A worker of some kind of row."""

    @property
    def desk(self) -> Desk: ...

    def run_once(self) -> int: ...


class DeliveryThread:
    """Runs a worker and the sealer in the background, woken by each commit, polling otherwise."""

    def __init__(self, worker: Runs, wake: threading.Event) -> None:
        self.worker = worker
        self._wake = wake
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is in flight and end."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=15)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                settled = self.worker.run_once()
                sealed = self.worker.desk.store.seal()
            except Exception as fault:  # noqa: BLE001  # the database may be away; it is asked again
                log.error("delivery stopped for a moment", exc_info=fault)
                settled, sealed = 0, 0
                self._stop.wait(IDLE_SECONDS)
            if not settled and not sealed:
                self._wake.wait(IDLE_SECONDS)
