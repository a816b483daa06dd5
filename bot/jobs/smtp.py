"""Speaks SMTP: one connection for a batch, and for each mail an answer that says whether the server has it."""

import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from bot.mail_servers import PLAIN, TLS, MailServer

# So long may a server take with an answer, and with the content: together less than the lease of a row.
ANSWER_SECONDS = 20.0
DATA_SECONDS = 45.0
OK, GO_AHEAD, CLOSING, TOO_LARGE = 250, 354, 421, 552
_DOTS = re.compile(rb"(?m)^\.")
_BREAKS = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The server has it; some recipients it may have refused."""

    answer: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotNow:
    """The server certainly does not have it; another try may do. It is the server's own trouble, or the mail's."""

    answer: str
    of_server: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    """The server certainly does not have it, and trying again does not help."""

    answer: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NotKnown:
    """All of it was sent, and no answer came; some recipients may have been refused before."""

    answer: str
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NotOurs:
    """Somebody else has taken the mail in hand; nothing was sent."""


Result = Taken | NotNow | Never | NotKnown | NotOurs


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A whole message, from whom, and to whom; a copy goes to an address that stands in no header."""

    message: bytes
    sender: str
    recipients: Sequence[str]
    copy: str = ""
    takes_part: bool = True  # when some recipients are refused for now: send to the others, and not later to all


@dataclass
class Post:
    """A connection to a server, opened with the first mail of a batch and kept until the batch ends."""

    server: MailServer
    timeout: float = ANSWER_SECONDS
    data_timeout: float = DATA_SECONDS
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    _smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _fault: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Connect, encrypt and log in; the certificate must be the host's. Raises OSError, SMTPException."""
        made: smtplib.SMTP
        if self.server.security == TLS:
            made = smtplib.SMTP_SSL(self.server.host, self.server.port, timeout=self.timeout, context=self.tls)
        else:
            made = smtplib.SMTP(self.server.host, self.server.port, timeout=self.timeout)
        try:
            if self.server.security not in {TLS, PLAIN}:
                made.starttls(context=self.tls)
            made.ehlo_or_helo_if_needed()
            if self.server.user:
                made.login(self.server.user, self.server.password)
        except BaseException:
            made.close()
            raise
        self._smtp = made

    def close(self) -> None:
        """Say goodbye; whoever does not hear it has hung up already."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except (OSError, smtplib.SMTPException):
                smtp.close()

    def send(self, envelope: Envelope, intend: Callable[[bool], bool]) -> Result:
        """Hand one mail over. `intend` is called when all that can be refused before was not, just before the content
        is sent, with whether the copy goes as well; when it says no, nothing is sent.

        Whatever goes wrong before the last line of the content is out means that the server does not have it; once it
        is out, only an answer says so.
        """
        try:
            if self._smtp is None:
                self.connect()
            assert self._smtp is not None
            return self._handed_over(self._smtp, envelope, intend)
        except smtplib.SMTPResponseException as fault:
            self._drop()
            return NotNow(answer=_said(fault.smtp_code, fault.smtp_error), of_server=True)
        except (OSError, smtplib.SMTPException) as fault:
            self._drop()
            return NotNow(answer=type(fault).__name__, of_server=True)
        except BaseException:  # the books could not be asked in the middle of it; nothing was sent
            self._drop()
            raise

    def _handed_over(self, smtp: smtplib.SMTP, envelope: Envelope, intend: Callable[[bool], bool]) -> Result:
        refusal, refused, copied = self._addressed(smtp, envelope)
        if refusal is not None:
            return refusal
        if not intend(copied):
            self._reset(smtp)
            return NotOurs()
        code, said = smtp.docmd("DATA")
        if code != GO_AHEAD:
            return self._refusal(smtp, code, said)
        assert smtp.sock is not None
        smtp.sock.settimeout(self.data_timeout)
        smtp.send(_wired(envelope.message))
        return self._ended(smtp, refused)

    def _ended(self, smtp: smtplib.SMTP, refused: tuple[str, ...]) -> Result:
        """The last line, and the server's word on all of it."""
        try:
            smtp.send(b".\r\n")
            code, said = smtp.getreply()
        except (OSError, smtplib.SMTPException) as fault:
            self._drop()
            return NotKnown(answer=f"no answer came: {type(fault).__name__}", refused=refused)
        assert smtp.sock is not None
        smtp.sock.settimeout(self.timeout)
        if code // 100 == 2:  # noqa: PLR2004  # it was taken
            return Taken(answer=_said(code, said), refused=refused)
        if code // 100 in {4, 5}:
            return self._refusal(smtp, code, said)
        self._drop()
        return NotKnown(answer=f"an answer that cannot be read: {_said(code, said)}", refused=refused)

    def _addressed(self, smtp: smtplib.SMTP, envelope: Envelope) -> tuple[Result | None, tuple[str, ...], bool]:
        """Say from whom and to whom; who is not taken is named with what the server said."""
        size = f"size={len(envelope.message)}"
        code, said = smtp.mail(envelope.sender, (size,) if smtp.has_extn("size") else ())
        if code != OK:
            # A sender that is refused is our own trouble and that of every mail, but for one that is too large.
            found = self._refusal(smtp, code, said)
            if code != TOO_LARGE and isinstance(found, Never):
                found = NotNow(answer=found.answer, of_server=True)
            return found, (), False
        refused, passing, lasting = [], NotNow(answer=""), Never(answer="")
        for each in envelope.recipients:
            code, said = smtp.rcpt(each)
            if code // 100 == 2:  # noqa: PLR2004  # as above
                continue
            if code == CLOSING:
                return self._refusal(smtp, code, said), (), False
            refused.append(each)
            if code // 100 == 4:  # noqa: PLR2004  # for now
                passing = NotNow(answer=_said(code, said))
            else:
                lasting = Never(answer=_said(code, said))
        nobody = len(refused) == len(envelope.recipients)
        if passing.answer and (nobody or not envelope.takes_part):
            self._reset(smtp)
            return passing, (), False
        if nobody:
            self._reset(smtp)
            return Never(answer=lasting.answer, refused=tuple(refused)), (), False
        copied = bool(envelope.copy) and smtp.rcpt(envelope.copy)[0] // 100 == 2  # noqa: PLR2004  # as above
        return None, tuple(refused), copied

    def _refusal(self, smtp: smtplib.SMTP, code: int, said: bytes) -> Result:
        answer = _said(code, said)
        if code == CLOSING:
            self._drop()
            return NotNow(answer=answer, of_server=True)
        self._reset(smtp)
        return Never(answer=answer) if code // 100 == 5 else NotNow(answer=answer)  # noqa: PLR2004  # for good

    def _reset(self, smtp: smtplib.SMTP) -> None:
        try:
            smtp.rset()
        except (OSError, smtplib.SMTPException):
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _wired(message: bytes) -> bytes:
    """The content as it goes over the wire, all but the line that ends it."""
    lines = _DOTS.sub(b"..", _BREAKS.sub(b"\r\n", message))
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"


def _said(code: int, said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"{code} {' '.join(seen.split())}"


def reaches(server: MailServer, timeout: float = ANSWER_SECONDS) -> str:
    """Whether a server can be reached and lets us in, sending nothing: why not, or nothing."""
    post = Post(server, timeout=timeout)
    try:
        with post:
            post.connect()
    except smtplib.SMTPAuthenticationError as fault:
        return f"it refuses the login: {_said(fault.smtp_code, fault.smtp_error)[:100]}"
    except smtplib.SMTPNotSupportedError:
        return "it offers no STARTTLS, or no login"
    except ssl.SSLError as fault:
        return f"its certificate or encryption is not accepted: {fault.reason}"
    except (OSError, smtplib.SMTPException, socket.gaierror) as fault:
        return type(fault).__name__
    return ""
