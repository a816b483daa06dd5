"""The mailbox of bounces and copies, read over IMAP: copies are looked for, bounces handled once and marked as read."""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.parser import BytesHeaderParser
from typing import Any

from bot.jobs.bounces import Found, found_in, is_worth_reading
from bot.mail_servers import PLAIN, TLS, MailServer
from bot.observe import log
from bot.storage.mailroom import Mailroom
from bot.storage.pulse import take_turn
from bot.storage.store import Store

ANSWER_SECONDS = 20.0
MOST_READ = 200  # in one look
LARGEST = 256_000  # of a message that is read; a report stands at its beginning
EVERY = timedelta(minutes=3)
TURN = "mailbox"
_MARK = re.compile(r"[a-z0-9.]+")


class MailboxAway(OSError):  # noqa: N818  # an event, handled by its name
    """The mailbox cannot be read now."""


@dataclass
class MailboxReader:
    """Opens the mailbox for each look; what is said there is never trusted."""

    mailbox: MailServer
    timeout: float = ANSWER_SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    @contextmanager
    def _open(self) -> Iterator[imaplib.IMAP4]:
        made: imaplib.IMAP4 | None = None
        try:
            made = self._connected()
            made.login(self.mailbox.user, self.mailbox.password)
            _ok(made.select(f'"{self.mailbox.folder}"'))
            yield made
            made.logout()
            made = None
        except (imaplib.IMAP4.error, OSError) as fault:
            raise MailboxAway(type(fault).__name__) from fault
        finally:
            if made is not None:
                with contextlib.suppress(OSError):
                    made.shutdown()

    def _connected(self) -> imaplib.IMAP4:
        at = self.mailbox
        if at.security == TLS:
            return imaplib.IMAP4_SSL(at.host, at.port, ssl_context=self.tls, timeout=self.timeout)
        made = imaplib.IMAP4(at.host, at.port, timeout=self.timeout)
        if at.security != PLAIN:
            made.starttls(self.tls)
        return made

    def reaches(self) -> str:
        """Whether it can be opened: why not, or nothing."""
        try:
            with self._open():
                return ""
        except MailboxAway as fault:
            return str(fault)

    def has(self, mark: str) -> bool:
        """Whether a message is there whose Message-ID has this mark of ours. Raises MailboxAway."""
        assert _MARK.fullmatch(mark)
        with self._open() as box:
            (numbers,) = _ok(box.uid("SEARCH", "HEADER", "Message-ID", f'"{mark}"'))
            return bool(numbers)

    def read_new(self, handle: Callable[[Found], None]) -> int:
        """Handle each message that was not read yet, and mark it as read; returns how many. Raises MailboxAway."""
        with self._open() as box:
            (numbers,) = _ok(box.uid("SEARCH", "UNSEEN"))
            new = numbers.split()[:MOST_READ]
            for each in new:
                uid = each.decode("ascii")
                head = _fetched(box, uid, "BODY.PEEK[HEADER.FIELDS (CONTENT-TYPE IN-REPLY-TO REFERENCES)]")
                if is_worth_reading(BytesHeaderParser().parsebytes(head)):
                    handle(found_in(_fetched(box, uid, f"BODY.PEEK[]<0.{LARGEST}>")))
                _ok(box.uid("STORE", uid, "+FLAGS", r"(\Seen)"))
            return len(new)


@dataclass
class MailboxWatch:
    """Looks into the mailbox every few minutes, one process at a time."""

    store: Store
    reader: MailboxReader
    every: timedelta = EVERY

    def __call__(self) -> None:
        if not take_turn(self.store, TURN, self.every):
            return
        room = Mailroom(self.store)

        def handle(found: Found) -> None:
            for bounce in found.bounces:
                if room.bounced(bounce):
                    log.info("a mail bounced: %s", bounce.kind.value)
            for each in found.answers:
                room.answered(each)

        try:
            self.reader.read_new(handle)
        except MailboxAway as fault:
            log.warning("the mailbox of bounces cannot be read: %s", fault)


def _fetched(box: imaplib.IMAP4, uid: str, what: str) -> bytes:
    """A part of one message; nothing where the server sends none."""
    for each in _ok(box.uid("FETCH", uid, f"({what})")):
        if isinstance(each, tuple):
            return bytes(each[1])[:LARGEST]
    return b""


def _ok(answer: tuple[str, list[Any]]) -> list[Any]:
    """What the server answered; its shape is the library's."""
    status, data = answer
    if status != "OK":
        raise MailboxAway(status)
    return data
