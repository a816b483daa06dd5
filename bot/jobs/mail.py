"""Sends mail to customers: each once, and one of which it is not known whether it arrived never blindly again."""

import json
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bot.desk import Desk
from bot.documents.pool import BookAt, Fault, Refusal, Renderer, RendererDied
from bot.documents.render import Job
from bot.documents.reports import Asked
from bot.domain.addresses import wire_address
from bot.domain.mail import KeptMail, MailAbout, MailState
from bot.domain.open_items import InvoiceState
from bot.jobs.delivery import LEASE_USED_SECONDS, MOST_ATTEMPTS, back_off
from bot.jobs.files import MOST_DEATHS
from bot.jobs.lease import new_name
from bot.jobs.letters import Attached, compose
from bot.jobs.looking import reference_of
from bot.jobs.reminders import why_not_any_more
from bot.jobs.smtp import Envelope, Never, NotKnown, NotNow, Post, Result, Taken
from bot.mail_servers import Sender
from bot.metrics import Metrics, counted
from bot.observe import log, request_id
from bot.storage.faults import AWAY
from bot.storage.mailroom import Mailroom
from bot.storage.mails import LOOK_AFTER, Detail, code_of
from bot.storage.outbox import Claimed, Outbox

LOOK_FOR = timedelta(minutes=30)
MAILBOX_AWAY = timedelta(hours=6)  # a mailbox that cannot be read so long is not waited for: a person decides
TRIES_FOR_ALL = 4  # while some recipients are refused for now; then it goes to those that are taken


class Copies(Protocol):
    """The mailbox that gets a copy of every mail. Raises OSError when it cannot be read."""

    def has(self, mark: str) -> bool: ...


class Unmade(Exception):  # noqa: N818  # an event, handled by its name
    """The file that goes with a mail was not made; what passes is tried again."""

    def __init__(self, said: str, *, passing: bool) -> None:
        super().__init__(said)
        self.said = said
        self.passing = passing


@dataclass
class MailWorker:
    """Sends the mails of one book, one after the other; any number may run, rows are claimed with a lease.

    Before the content of a mail is sent, it is noted that the server may have it from then on. A definite answer takes
    that note away: taken, or certainly not taken. Where none came, because the connection broke after the last line or
    this process ended, the mail is unknown. It is looked for in the mailbox of copies, and sent again with the same
    Message-ID only when it is not there; without such a mailbox a person decides.
    """

    desk: Desk
    post: Post
    renderer: Renderer
    book: BookAt
    sender: Sender
    reply_to: str = ""
    copy_to: str = ""
    copies: Copies | None = None
    look_for: timedelta = LOOK_FOR
    look_every: timedelta = LOOK_AFTER
    back_off: Callable[[int], float] = back_off
    metrics: Metrics | None = None
    clock: Callable[[], float] = time.monotonic
    name: str = field(default_factory=new_name)
    unnoted: list[Callable[[], object]] = field(default_factory=list)
    resting_until: float = 0.0
    troubles: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)
    in_hand: int = 0

    def run_once(self) -> int:
        """Send what is due now over one connection; returns how many rows were taken in hand."""
        self._note_rest()
        if self.clock() < self.resting_until:
            return 0
        outbox = Outbox(self.desk.store)
        claimed = outbox.claim(self.name, lane="mails")
        leased = self.clock()
        with self.post:
            for row in claimed:
                self.in_hand = row.id  # said before it is asked whether to stop, as with messages
                if self.stopping.is_set():
                    break
                if self.clock() - leased <= LEASE_USED_SECONDS or outbox.renew(row):
                    self._watched(outbox, row)
        self.in_hand = 0
        if claimed and self.stopping.is_set():
            outbox.release(self.name, but=0)
        return len(claimed)

    def hand_over(self) -> None:
        """Begin no further mail, and let other workers have at once what was claimed and not begun."""
        self.stopping.set()
        Outbox(self.desk.store).release(self.name, but=self.in_hand)

    def _note_rest(self) -> None:
        """What is known of earlier attempts and could not be written down, because the database was away."""
        while self.unnoted:
            self.unnoted[0]()
            del self.unnoted[0]

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
        room = Mailroom(self.desk.store)
        kept = room.find(row.document_id)
        try:
            if kept is None or kept.state not in {MailState.WAITING, MailState.UNKNOWN}:
                outbox.done(row)
            elif self.clock() < self.resting_until:
                room.not_taken(row, 0, timedelta(seconds=self.resting_until - self.clock()), "resting", counts=False)
            elif kept.state is MailState.WAITING and kept.attempting_at is not None:
                # The process that tried ended, or lost its lease, before it noted what came of it.
                said = "the process ended while it was sent"
                room.settled(row, kept.attempts, MailState.UNKNOWN, said, self._looking(kept))
            elif kept.state is MailState.UNKNOWN:
                self._look(room, row, kept)
            else:
                self._send(room, outbox, row, kept)
        except AWAY:
            raise
        except Exception as fault:  # noqa: BLE001  # one bad row never stops the rest; it is kept and shown
            log.error("mail %s cannot be sent", row.document_id, exc_info=fault)
            self._at_a_fault(room, row, type(fault).__name__)

    def _looking(self, kept: KeptMail | None) -> Detail:
        """Whether and until when a mail is looked for, as it was noted when its copy was taken."""
        until = kept.looking_until if kept is not None and self.copies is not None else None
        return Detail(looking_until=until, look_after=self.look_every)

    def _at_a_fault(self, room: Mailroom, row: Claimed, name: str) -> None:
        """A fault of ours, at a place that nobody thought of: if the server may have the mail, it is not known."""
        kept = room.find(row.document_id)
        assert kept is not None
        unknown = kept.attempting_at is not None
        state, detail = (MailState.UNKNOWN, self._looking(kept)) if unknown else (MailState.FAILED, None)
        room.settled(row, kept.attempts, state, f"a fault of ours: {name}", detail)

    # --- sending --------------------------------------------------------------------------------------------------

    def _send(self, room: Mailroom, outbox: Outbox, row: Claimed, kept: KeptMail) -> None:
        if self._is_void(kept):
            room.settled(row, kept.attempts, MailState.FAILED, "not sent: the invoice was voided meanwhile")
            return
        if self._is_withdrawn(room, row, kept):
            return
        try:
            file = self._paper(outbox, row, kept)
        except Unmade as unmade:
            self._unmade(room, row, kept, unmade)
            return
        if file is not None and self._is_withdrawn(room, row, kept):  # making it took its time
            return
        mail, host = kept.mail, kept.host or self.sender.host
        envelope = Envelope(
            message=compose(kept, host, self.sender, self.reply_to, file),
            sender=self.sender.address,
            recipients=[wire_address(each) for each in (*mail.to, *mail.cc)],
            copy=self.copy_to,
            takes_part=row.attempts >= TRIES_FOR_ALL,
        )
        attempt = 0

        def intend(copied: bool) -> bool:  # noqa: FBT001  # one fact, told by the connection
            nonlocal attempt
            try:
                attempt = room.begin(row, host, self.look_for if copied and self.copies is not None else None)
            except AWAY:
                # Whether it was noted is not known; but nothing was sent.
                self.unnoted.append(lambda: room.not_taken(row, kept.attempts + 1, timedelta(0), "", counts=False))
                raise
            return attempt > 0

        result = self.post.send(envelope, intend)
        self._noted(lambda: self._note(room, row, kept, attempt, result))

    def _noted(self, note: Callable[[], None]) -> None:
        """Write down what is known; when the database is away it is kept until it is back."""
        try:
            note()
        except AWAY:
            self.unnoted.append(note)
            raise

    def _note(self, room: Mailroom, row: Claimed, kept: KeptMail, attempt: int, result: Result) -> None:
        attempts = attempt or kept.attempts
        match result:
            case Taken():
                self.troubles = 0
                room.settled(row, attempts, MailState.SENT, result.answer, Detail(refused=self._known(kept, result)))
            case Never():
                detail = Detail(refused=self._known(kept, result))
                room.settled(row, attempts, MailState.FAILED, result.answer, detail)
            case NotNow(of_server=True):
                # The server itself cannot or will not: all mail waits, and it is nobody's attempt.
                self.troubles += 1
                rest = self.back_off(self.troubles)
                self.resting_until = self.clock() + rest
                log.warning("the mail server takes nothing now: %s", code_of(result.answer) or result.answer)
                room.not_taken(row, attempt, timedelta(seconds=rest), result.answer, counts=False)
            case NotNow() if row.attempts >= MOST_ATTEMPTS:
                if attempt:
                    room.not_taken(row, attempt, timedelta(0), result.answer)
                room.settled(row, attempts, MailState.FAILED, result.answer)
            case NotNow():
                room.not_taken(row, attempt, timedelta(seconds=self.back_off(row.attempts)), result.answer)
            case NotKnown():
                log.warning("mail %s: no answer came, and the server may have it", row.document_id)
                detail = replace(self._looking(room.find(row.document_id)), refused=self._known(kept, result))
                room.settled(row, attempts, MailState.UNKNOWN, result.answer, detail)

    @staticmethod
    def _known(kept: KeptMail, result: Taken | Never | NotKnown) -> tuple[str, ...]:
        """Refused recipients as they are kept."""
        spelled = {wire_address(each): each for each in (*kept.mail.to, *kept.mail.cc)}
        return tuple(spelled[each] for each in result.refused)

    def _is_void(self, kept: KeptMail) -> bool:
        if kept.mail.about is not MailAbout.INVOICE:
            return False
        found = self.desk.store.read(lambda books: books.invoice(str(kept.mail.about_id)))
        return found is None or found.state is InvoiceState.VOID

    def _is_withdrawn(self, room: Mailroom, row: Claimed, kept: KeptMail) -> bool:
        """Whether a reminder must not leave as it was written; never any other mail. Rule 88."""
        why_not = self._why_not_any_more(kept, room.now()) if kept.mail.about is MailAbout.REMINDER else ""
        if why_not:
            room.settled(row, kept.attempts, MailState.WITHDRAWN, f"not sent: {why_not}")
        return bool(why_not)

    def _why_not_any_more(self, kept: KeptMail, now: datetime) -> str:
        return self.desk.store.read(
            lambda books: why_not_any_more(books, kept.mail.about_id, kept.mail.id, kept.mail.to, now)
        )

    # --- its file -------------------------------------------------------------------------------------------------

    def _paper(self, outbox: Outbox, row: Claimed, kept: KeptMail) -> Attached | None:
        """The file that goes with it, if it is its customer's. Raises Unmade."""
        if not kept.mail.paper:
            return None
        asked = json.loads(kept.mail.paper)
        with tempfile.TemporaryDirectory(prefix="duedesk") as folder:
            job = Job(
                kind=asked["file"],
                format=asked["format"],
                asked=Asked(asked["question"], kept.recorded_at, kept.recorded_at),
                reference=reference_of(row),
                folder=folder,
            )
            try:
                made = self.renderer.make(self.book, job, lambda: outbox.renew(row))
            except RendererDied:
                raise Unmade("the process that makes files ended", passing=row.attempts < MOST_DEATHS) from None
            except OSError as fault:
                raise Unmade(type(fault).__name__, passing=True) from fault
            match made:
                case Fault():
                    log.error("the file of mail %s: %s\n%s", kept.mail.id, made.name, made.trace)
                    raise Unmade(made.name, passing=made.passing and row.attempts < MOST_ATTEMPTS)
                case Refusal():
                    raise Unmade(made.sentence, passing=False)
            if made.customer_id != kept.mail.customer_id:
                log.error("the file of mail %s is of another customer; it is not sent", kept.mail.id)
                raise Unmade("its file is about another customer", passing=False)
            content = Path(made.path).read_bytes()
        outbox.renew(row)
        return Attached(made.name.replace(f"-{reference_of(row)}", ""), content)

    def _unmade(self, room: Mailroom, row: Claimed, kept: KeptMail, unmade: Unmade) -> None:
        if unmade.passing:
            room.not_taken(row, 0, timedelta(seconds=self.back_off(row.attempts)), unmade.said)
        else:
            room.settled(row, kept.attempts, MailState.FAILED, f"its file could not be made: {unmade.said}")

    # --- looking for it -------------------------------------------------------------------------------------------

    def _look(self, room: Mailroom, row: Claimed, kept: KeptMail) -> None:
        """Look for a mail among the copies: there it is sent, and after a while without it is sent again."""
        now = room.now()
        if self.copies is None:
            room.settled(row, kept.attempts, MailState.UNKNOWN, kept.answer)
            return
        until = kept.looking_until or now + self.look_for
        try:
            found = self.copies.has(kept.mark)
        except OSError as fault:
            log.warning("the mailbox of copies cannot be read: %s", type(fault).__name__)
            if now > until + MAILBOX_AWAY:
                room.settled(row, kept.attempts, MailState.UNKNOWN, "the mailbox of copies cannot be read")
            else:
                room.look_later(row, self.look_every, until)
            return
        if found:
            room.settled(row, kept.attempts, MailState.SENT, "found in the mailbox of copies")
        elif now < until:
            room.look_later(row, self.look_every, until)
        else:
            room.settled(row, kept.attempts, MailState.WAITING, "not found in the mailbox of copies; sent again")
