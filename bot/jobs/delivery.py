"""Empties the outbox: one message in flight per document, never an older over a newer, back-off and Retry-After."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any, Generic, Protocol, TypeVar

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.desk import Desk, restore
from bot.domain.errors import NoAccess
from bot.domain.mail import MailState
from bot.domain.operation import Actor, DocumentKind, Outcome, Request, Role
from bot.domain.settings import Settings
from bot.handlers.blocks.heartbeat import heartbeat_blocks, heartbeat_text
from bot.handlers.blocks.mails import mail_card, mail_title
from bot.handlers.blocks.messages import Rendered, note_of, render
from bot.handlers.blocks.month_end import month_blocks, month_text
from bot.handlers.blocks.reminder_letters import posted
from bot.handlers.blocks.reminder_texts import letter_blocks
from bot.handlers.blocks.text import escape
from bot.jobs.digest_post import post_digest
from bot.jobs.heartbeat import told_of as heartbeat_of
from bot.jobs.lease import HandedOver, new_name
from bot.jobs.looking import EVENT_TYPE, metadata_of, posted_before
from bot.jobs.month_end import told_of
from bot.jobs.reminders import why_not_any_more
from bot.metrics import Metrics, counted
from bot.observe import log, request_id
from bot.storage.faults import AWAY
from bot.storage.outbox import BATCH, CHANNEL_WAIT, LETTER, Claimed, Outbox
from bot.storage.reminder_settling import settle_message, withdraw_reminder
from bot.storage.reminders import POST

IDLE_SECONDS = 2.0
STOP_SECONDS = 15.0
FIRST_BACK_OFF_SECONDS = 2
LONGEST_BACK_OFF_SECONDS = 600
MOST_ATTEMPTS = 40
MOST_ATTEMPTS_AT_A_FAULT = 5
LEASE_USED_SECONDS = 30  # what a row may take, its look-ups included, fits into the rest
TOO_MANY, SERVER_FAULT = 429, 500
GONE = frozenset({"message_not_found", "thread_not_found"})  # somebody deleted the card: it is posted anew
CHANNEL_GONE = frozenset({"channel_not_found", "is_archived", "not_in_channel"})  # anew, when there is another channel
FATAL = CHANNEL_GONE | {"invalid_blocks", "restricted_action", "msg_too_long"}
PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})


@dataclass
class Worker:
    """One delivery worker of one book for all but files; any number may run, rows are claimed with a lease."""

    desk: Desk
    client: WebClient
    name: str = field(default_factory=new_name)
    clock: Callable[[], float] = time.monotonic
    resting: dict[str, float] = field(default_factory=dict)
    metrics: Metrics | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    in_hand: int = 0
    most: int = BATCH  # rows taken in hand together

    def run_once(self) -> int:
        """Deliver what is due now; returns how many rows were taken in hand."""
        outbox = Outbox(self.desk.store)
        claimed = outbox.claim(self.name, most=self.most)
        leased = self.clock()
        for row in claimed:
            self.in_hand = row.id  # said before it is asked whether to stop: see hand_over
            if self.stopping.is_set():
                break
            if self.clock() - leased <= LEASE_USED_SECONDS or outbox.renew(row):
                self._watched(outbox, row)
        self.in_hand = 0
        if claimed and self.stopping.is_set():
            outbox.release(self.name, but=0)
        return len(claimed)

    def hand_over(self) -> None:
        """Begin no further row, and let other workers have at once what was claimed and not begun."""
        self.stopping.set()
        Outbox(self.desk.store).release(self.name, but=self.in_hand)

    def _watched(self, outbox: Outbox, row: Claimed) -> None:
        """One try with its id in each line of the log, and counted."""
        began = time.monotonic()
        request_id.set(f"outbox-{row.id}")
        try:
            with counted() as ended:
                self._deliver(outbox, row)
        finally:
            fields = {"kind": row.kind, "outcome": ended[0], "ms": round((time.monotonic() - began) * 1000)}
            log.info("delivery", extra={"fields": {**fields, "attempt": row.attempts}})
            if self.metrics is not None:
                self.metrics.delivered(row.kind, ended[0])
            request_id.set("-")

    def _deliver(self, outbox: Outbox, row: Claimed) -> None:
        """Send one row; a fault of it never stops the rest, but a database that is away stops all until it is back."""
        try:
            SENDERS.get(row.kind, Worker.card)(self, outbox, row)
        except HandedOver:
            outbox.later(row, timedelta(0), "handed over")
        except Resting as rest:
            outbox.later(row, timedelta(seconds=rest.seconds), "ratelimited")
        except SlackApiError as fault:
            self._refused(outbox, row, fault)
        except (SlackClientError, OSError, HTTPException) as fault:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), type(fault).__name__)
        except AWAY:
            raise
        except Exception as fault:  # noqa: BLE001  # one bad row never stops the rest; it is tried again, kept and shown
            log.error("outbox row %s cannot be delivered", row.id, exc_info=fault)
            if row.attempts < MOST_ATTEMPTS_AT_A_FAULT:
                outbox.later(row, timedelta(seconds=LONGEST_BACK_OFF_SECONDS), type(fault).__name__)
            else:
                outbox.failed(row, type(fault).__name__)

    def digest(self, outbox: Outbox, row: Claimed) -> None:
        """A digest of a channel; its files follow as rows of their own."""
        post_digest(self.desk, self.client, outbox, row, self.ask)

    def month_end(self, outbox: Outbox, row: Claimed) -> None:
        """What a month end came to, in the finance channel."""
        settings = self.desk.store.read(lambda books: books.settings())
        told = told_of(row.payload)
        said = escape(month_text(told, settings)), month_blocks(told, settings)
        self._tell(outbox, row, settings.finance_channel, *said)

    def heartbeat(self, outbox: Outbox, row: Claimed) -> None:
        """What the daily proof found, in the channel of its own or else the finance channel."""
        settings = self.desk.store.read(lambda books: books.settings())
        told = heartbeat_of(row.payload)
        said = heartbeat_text(told, settings), heartbeat_blocks(told, settings)
        self._tell(outbox, row, settings.heartbeat_channel or settings.finance_channel, *said)

    def _tell(self, outbox: Outbox, row: Claimed, channel: str, text: str, blocks: list[dict[str, Any]]) -> None:
        """One message of a job; without a channel it waits for one."""
        if not channel:
            outbox.later(row, CHANNEL_WAIT, "no finance channel is set", attempts=0)
            return
        found = self._sent_before(channel, row) if row.attempts > 1 else None
        if found is None:
            post = self.client.chat_postMessage
            found = str(self._call(channel, post, row, text=text, blocks=blocks, unfurl_links=False)["ts"])
        outbox.done(row, channel, found)

    def mail_card(self, outbox: Outbox, row: Claimed) -> None:
        """A mail in trouble, as it stands now; one that is in none any more has its card brought up to date."""
        kept, customer, settings = self.desk.store.read(
            lambda books: (
                books.mail(row.document_id),
                books.customer(books.mail(row.document_id).mail.customer_id),
                books.settings(),
            )
        )
        card = Rendered(mail_title(kept, customer), mail_card(kept, customer))
        place, channel = outbox.message(row.document_kind, row.document_id), settings.finance_channel
        if place is not None:
            try:
                self._call(
                    place[0], self.client.chat_update, row, ts=place[1], text=escape(card.text), blocks=card.blocks
                )
            except SlackApiError as fault:
                if fault.response.get("error") not in GONE | CHANNEL_GONE:
                    raise
            outbox.done(row, place[0], place[1])
        elif not kept.needs_somebody:
            outbox.done(row)
        elif not channel:
            outbox.later(row, CHANNEL_WAIT, "no finance channel is set", attempts=0)
        else:
            self._post(outbox, row, card, channel)

    def reminder(self, outbox: Outbox, row: Claimed) -> None:
        """A reminder in the channel that is shared with its customer, unless what it says is not so any more."""
        found = self._sent_before(row.destination, row) if row.attempts > 1 else None
        now = self.desk.store.now()
        if found is None:
            to = (row.destination,)
            why_not = self.desk.store.read(lambda books: why_not_any_more(books, row.document_id, row.id, to, now))
            if why_not:
                self.desk.store.write(lambda each: withdraw_reminder(each, row.document_id, row.id, now, why_not))
                outbox.done(row)
                return
            text, blocks = posted(json.loads(row.payload))
            try:
                post = self.client.chat_postMessage
                found = str(self._call(row.destination, post, row, text=text, blocks=blocks, unfurl_links=False)["ts"])
            except SlackApiError as fault:
                if fault.response.get("error") in FATAL:
                    self._settle(row, MailState.FAILED, now)
                raise
        self._settle(row, MailState.SENT, now)
        outbox.done(row, row.destination, found)

    def _settle(self, row: Claimed, state: MailState, now: datetime) -> None:
        self.desk.store.write(lambda each: settle_message(each, row.document_id, row.id, state, now))

    def letter(self, outbox: Outbox, row: Claimed) -> None:
        """A text that somebody asked for, in their direct messages; nothing to who may not read it any more."""
        to: dict[str, str] = json.loads(row.destination)
        given: dict[str, str] = json.loads(row.payload)
        if not self._may_read(row, to):
            outbox.done(row)
            return
        channel = str(self.client.conversations_open(users=to["user"])["channel"]["id"])
        found = self._sent_before(channel, row) if row.attempts > 1 else None
        if found is None:
            text, blocks = escape(given["title"]), letter_blocks(given["title"], given["subject"], given["body"])
            post = self.client.chat_postMessage
            found = str(self._call(channel, post, row, text=text, blocks=blocks, unfurl_links=False)["ts"])
        outbox.done(row, channel, found)

    def _may_read(self, row: Claimed, to: dict[str, str]) -> bool:
        request = Request(
            actor=Actor(team=to["team"], user=to["user"]),
            now=self.desk.clock(),
            key=f"letter:{row.id}",
            request_id=f"letter {row.id}",
            command="letter",
        )
        try:
            self.desk.ask(lambda _: None, request, by=Role.VIEWER)
        except NoAccess:
            log.info("letter %s is not sent: its reader has no right to it any more", row.id)
            return False
        return True

    def card(self, outbox: Outbox, row: Claimed) -> None:
        """Post a document's first card, or bring its card up to date and say so in its thread."""
        settings = self.desk.store.read(lambda books: books.settings())
        place = outbox.message(row.document_kind, row.document_id)
        if place is None and row.kind == "refresh":
            outbox.done(row)
            return
        assert row.operation is not None
        assert row.outcome is not None
        outcome = restore(row.operation, row.outcome)
        home = _home(row.document_kind, outcome, settings)
        if not home and place is None:
            outbox.later(row, CHANNEL_WAIT, "no finance channel is set", attempts=0)
            return
        card = self.desk.store.read(lambda books: render(outcome, row.document_kind, row.document_id, books))
        if place is None:
            self._post(outbox, row, card, home)
            return
        channel, ts, shows = place
        try:
            self._refresh(row, card, channel, ts, shows)
        except SlackApiError as fault:
            moved = channel != home and home
            if fault.response.get("error") not in (GONE | CHANNEL_GONE if moved else GONE):
                raise
            outbox.forget(row)
            self._post(outbox, row, card, home)
            return
        outbox.done(row, channel, ts)

    def _refresh(self, row: Claimed, card: Rendered, channel: str, ts: str, shows: int) -> None:
        """Say in the thread what happened, and bring the card up to date unless it shows something newer."""
        if row.kind != "refresh" or card.says:
            self._note(row, channel, ts, card)
        if row.id > shows:
            self._call(channel, self.client.chat_update, row, ts=ts, text=escape(card.text), blocks=card.blocks)

    def _post(self, outbox: Outbox, row: Claimed, card: Rendered, channel: str) -> None:
        """A send whose answer was lost is looked for before it is sent again."""
        found = self._sent_before(channel, row) if row.attempts > 1 else None
        if found is None:
            text = escape(card.text)
            answer = self._call(
                channel, self.client.chat_postMessage, row, text=text, blocks=card.blocks, unfurl_links=False
            )
            channel, found = str(answer["channel"]), str(answer["ts"])
        outbox.done(row, channel, found, root=True)

    def _note(self, row: Claimed, channel: str, ts: str, card: Rendered) -> None:
        if row.attempts > 1 and self._sent_before(channel, row, thread=ts) is not None:
            return
        text = escape(card.text)
        self._call(
            channel,
            self.client.chat_postMessage,
            row,
            thread_ts=ts,
            text=text,
            blocks=note_of(card),
            unfurl_links=False,
        )

    def _call(self, channel: str, method: Callable[..., Any], row: Claimed, **arguments: Any) -> Any:
        return self.ask(channel, method, metadata=metadata_of(row), **arguments)

    def ask(self, channel: str, method: Callable[..., Any], **arguments: Any) -> Any:
        """A call about one channel. Nothing goes to a channel before the time is over that Slack asked to wait.

        Each process learns that by itself: another one may ask once more and be told to wait as well.
        """
        self._check_time()
        left = self.resting.get(channel, 0.0) - self.clock()
        if left > 0:
            raise Resting(left)
        try:
            return method(channel=channel, **arguments)
        except SlackApiError as fault:
            if fault.response.status_code != TOO_MANY:
                raise
            seconds = asked_to_wait(fault)
            self.resting[channel] = self.clock() + seconds
            raise Resting(seconds) from fault

    def _sent_before(self, channel: str, row: Claimed, thread: str | None = None) -> str | None:
        """The message this row was sent as, if the answer was lost."""
        self._check_time()
        found = posted_before(self.client, row, channel, EVENT_TYPE, thread)
        return str(found["ts"]) if found is not None else None

    def _check_time(self) -> None:
        """Between two calls a row can be handed over; the next worker looks for what was sent of it."""
        if self.stopping.is_set():
            raise HandedOver

    @staticmethod
    def _refused(outbox: Outbox, row: Claimed, fault: SlackApiError) -> None:
        """Wait as long as Slack says, give up where trying again cannot help, back off otherwise."""
        error = str(fault.response.get("error", "unknown"))
        if fault.response.status_code == TOO_MANY:
            outbox.later(row, timedelta(seconds=asked_to_wait(fault)), "ratelimited")
        elif error in FATAL or (row.attempts >= MOST_ATTEMPTS and not is_slacks_own(fault)):
            log.error("outbox row %s failed for good: %s", row.id, error)
            outbox.failed(row, error)
        else:
            outbox.later(row, timedelta(seconds=back_off(row.attempts)), error)


SENDERS: dict[str, Callable[[Worker, Outbox, Claimed], None]] = {
    "digest": Worker.digest,
    "month_end": Worker.month_end,
    "heartbeat": Worker.heartbeat,
    "mail_card": Worker.mail_card,
    POST: Worker.reminder,
    LETTER: Worker.letter,
}


class Resting(Exception):  # noqa: N818  # no fault: Slack asked to wait
    """A channel rests because Slack said how long to wait."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def asked_to_wait(fault: SlackApiError) -> float:
    """The seconds of Retry-After, at least one; a header that cannot be read counts as the shortest wait."""
    headers = {name.lower(): value for name, value in fault.response.headers.items()}
    said = str(headers.get("retry-after", ""))
    return float(max(1, min(int(said), LONGEST_BACK_OFF_SECONDS))) if said.isascii() and said.isdigit() else 1.0


def is_slacks_own(fault: SlackApiError) -> bool:
    """Whether Slack itself is at fault, which passes however long it takes."""
    return fault.response.status_code >= SERVER_FAULT or fault.response.get("error") in PASSING


def back_off(attempts: int) -> int:
    """Seconds until the next try: doubling, at most ten minutes."""
    return min(LONGEST_BACK_OFF_SECONDS, FIRST_BACK_OFF_SECONDS << min(attempts, 12))


def _home(document_kind: str, outcome: Outcome, settings: Settings) -> str:
    """The channel of a document's card: what waits for approval has its own, if there is one."""
    waits = document_kind == DocumentKind.WITHDRAWAL or getattr(outcome, "needed", 0) > 0
    own = settings.approvals_channel if waits else ""
    return own or settings.finance_channel


class Runs(Protocol):
    """A worker of some kind of row."""

    @property
    def desk(self) -> Desk: ...

    def run_once(self) -> int: ...

    def hand_over(self) -> None: ...


RunsT = TypeVar("RunsT", bound=Runs)


class DeliveryThread(Generic[RunsT]):
    """Runs a worker and the sealer in the background, woken by each commit, polling otherwise."""

    def __init__(self, worker: RunsT, wake: threading.Event, each_round: Callable[[], None] = lambda: None) -> None:
        self.worker = worker
        self._wake = wake
        self._each_round = each_round
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="delivery", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def has_died(self) -> bool:
        """Whether it was started and ended without being told to."""
        return self._thread.ident is not None and not self._thread.is_alive() and not self._stop.is_set()

    def hand_over(self) -> None:
        """Begin nothing more, and let others have at once what is not in hand."""
        if self._stop.is_set() or not self._thread.is_alive():
            return
        self._stop.set()
        self._wake.set()
        try:
            self.worker.hand_over()
        except AWAY as fault:
            log.error("what was claimed is not handed over; its lease ends by itself", exc_info=fault)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Finish the row that is in hand and end, within so many seconds."""
        self.hand_over()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=max(0.0, seconds))

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                found = one_round(self.worker)
                self._each_round()
            except Exception as fault:  # noqa: BLE001  # the database may be away; it is asked again
                log.error("delivery stopped for a moment", exc_info=fault)
                found = False
                self._stop.wait(IDLE_SECONDS)
            if not found:
                self._wake.wait(IDLE_SECONDS)


def one_round(worker: Runs) -> bool:
    """Send what is due and seal what is new in the audit log; whether there was any of it."""
    settled = worker.run_once()
    sealed = worker.desk.store.seal()
    return bool(settled or sealed)
