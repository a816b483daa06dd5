"""E-mail to customers: what is sent to whom, how it stands, and what a person decides about it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from bot.domain.addresses import is_address, same_address
from bot.domain.customers import Contact, Customer
from bot.domain.errors import NotMailable, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_SUBJECT = 200
LONGEST_BODY = 60_000
LONGEST_ANSWER = 300
MOST_RECIPIENTS = 20


class MailAbout(StrEnum):
    """What a mail is about; `about_id` is the id of that reminder, customer or invoice."""

    REMINDER = "reminder"
    STATEMENT = "statement"
    INVOICE = "invoice"


class MailState(StrEnum):
    """How a mail stands. Sent: a server took it over. Unknown: a server may have, and did not say so.
    Withdrawn: not sent, for what it says is not so any more.
    """

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    BOUNCED = "bounced"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"


TROUBLED = frozenset({MailState.FAILED, MailState.UNKNOWN, MailState.BOUNCED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail as it is queued; nothing of it changes afterwards. Refuses, when made: Refused.

    The body is plain text. `paper` says which file goes with it, as the files are asked for: `{"file": "invoice",
    "format": "pdf", "question": {"id": "..."}}`; it is made when the mail is sent, and sent only if it is about the
    customer of the mail.
    """

    id: int
    customer_id: int
    about: MailAbout
    about_id: int
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    subject: str
    body: str
    paper: str = ""
    reply_to: str = ""

    def __post_init__(self) -> None:
        recipients = (*self.to, *self.cc)
        if not self.to or len(recipients) > MOST_RECIPIENTS:
            raise NotMailable(f"A mail goes to 1 to {MOST_RECIPIENTS} addresses.")
        if not all(map(is_address, (*recipients, *filter(None, (self.reply_to,))))):
            raise NotMailable("One of the addresses cannot be written to; correct it at the customer's contacts.")
        if not self.subject or self.subject != one_line(self.subject):
            raise Refused("The subject of a mail is one line that is not empty.", field="subject")
        if not self.body.strip() or len(self.body) > LONGEST_BODY:
            raise Refused(f"The text of a mail has 1 to {LONGEST_BODY:,} characters.", field="body")
        if self.paper:
            asked = json.loads(self.paper)
            assert {"file", "format", "question"} <= asked.keys()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptMail:
    """A mail and how it stands. `mark` and the sender's host make its Message-ID, the same in every try.

    `attempting_at` is set while a server may have all of it without having said so; `looking_until` while it is
    looked for in the mailbox that gets a copy of every mail; `handled_at` once a person dealt with trouble. `version`
    rises with each change of state.
    """

    mail: Mail
    mark: str
    host: str
    state: MailState
    answer: str
    recorded_at: datetime
    attempts: int = 0
    version: int = 1
    attempting_at: datetime | None = None
    sent_at: datetime | None = None
    bounced_at: datetime | None = None
    looking_until: datetime | None = None
    handled_at: datetime | None = None
    refused: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        return f"<{self.mark}@{self.host}>"

    @property
    def needs_somebody(self) -> bool:
        """Whether a person has to look after it."""
        return self.state in TROUBLED and self.handled_at is None and self.looking_until is None


class Mails(Protocol):
    """The mails inside a write."""

    def insert(self, mail: Mail, *, not_before: datetime | None = None) -> None: ...

    def get(self, mail_id: int) -> KeptMail: ...

    def bouncing(self, customer_id: int) -> frozenset[str]: ...

    def settle(self, kept: KeptMail, state: MailState, answer: str) -> None: ...

    def handle(self, kept: KeptMail) -> None: ...


class MailBooks(Protocol):
    """The part of the books inside a write that sends mail."""

    @property
    def mails(self) -> Mails: ...


class MailQuestions(Protocol):
    """Questions about mails."""

    def mail(self, mail_id: int) -> KeptMail: ...

    def bouncing(self, customer_id: int) -> frozenset[str]: ...

    def troubled_mails(self, limit: int = 20) -> "Sequence[KeptMail]": ...

    def mails_about(self, about: MailAbout, about_id: int, limit: int = 20) -> "Sequence[KeptMail]": ...


def one_line(text: str) -> str:
    """A text as the one line of a header: no break, no mark that is not seen, cut to its length."""
    seen = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(seen.split())[:LONGEST_SUBJECT].rstrip()


def recipients(customer: Customer, contacts: Iterable[Contact], bouncing: frozenset[str]) -> tuple[str, ...]:
    """The addresses of a customer that mail goes to: those of all its contacts that did not bounce. `bouncing` has
    them as `same_address` spells them. Refuses: NotMailable.
    """
    kept = [contact.email for contact in contacts if contact.email]
    usable = {same_address(each): each for each in kept if is_address(each)}
    found = tuple(address for same, address in usable.items() if same not in bouncing)[:MOST_RECIPIENTS]
    if found:
        return found
    if not kept:
        raise NotMailable(f"{customer.name} has no contact with an e-mail address; add one at the customer.")
    if not usable:
        raise NotMailable(f"No address of {customer.name} can be written to; correct it at the customer's contacts.")
    raise NotMailable(
        f"Mail to {customer.name} came back from every address it has; correct the customer's contacts, or send the "
        "mail that came back again once the address works."
    )
