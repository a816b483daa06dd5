"""What the worker that sends mail, and whoever learns of bounces, note in the books."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, update

from bot.domain.addresses import same_address
from bot.domain.mail import LONGEST_ANSWER, KeptMail, MailState
from bot.observe import outcome
from bot.storage import mails
from bot.storage.database import now_of
from bot.storage.mails import Detail, code_of, mark_bounced, settle
from bot.storage.outbox import Claimed, Outbox
from bot.storage.store import Store
from bot.storage.tables import MailRow

_mail = MailRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one


OUTCOMES = {MailState.SENT: "done", MailState.UNKNOWN: "unknown", MailState.WITHDRAWN: "withdrawn"}


class BounceKind(StrEnum):
    """Hard: it will never arrive there. Soft: not yet. Complaint: who got it does not want it."""

    HARD = "hard"
    SOFT = "soft"
    COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """What a server or a service reports of one recipient of a mail, named by its Message-ID."""

    message_id: str
    recipient: str
    kind: BounceKind
    diagnostic: str


class Mailroom:
    """The mails of one book, as its worker sees them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, mail_id: int) -> KeptMail | None:
        return self._store.database.read(lambda connection: mails.find(connection, mail_id), None)

    def now(self) -> datetime:
        return self._store.now()

    def begin(self, row: Claimed, host: str, looking: timedelta | None) -> int:
        """Note, before the content is sent, that the server may have it from now on; returns which attempt it is.

        Nothing is noted, and zero returned, when the row is another worker's by now or the mail is not to be sent any
        more. `looking` is how long it is to be looked for if no answer comes.
        """

        def work(connection: Connection) -> int:
            now = now_of(connection)
            # Whoever needs both locks the mail first, then its row.
            kept = mails.find(connection, row.document_id, lock=True)
            if kept is None or kept.state is not MailState.WAITING or kept.attempting_at is not None:
                return 0
            if not Outbox.keep(connection, row):
                return 0
            values = {"attempting_at": now, "attempts": kept.attempts + 1, "host": kept.host or host}
            values["looking_until"] = now + looking if looking is not None else None
            connection.execute(update(_mail).where(_mail.c.id == row.document_id).values(**values))
            return kept.attempts + 1

        return self._store.write(work)

    def not_taken(self, row: Claimed, attempt: int, wait: timedelta, answer: str, *, counts: bool = True) -> None:
        """The server certainly does not have it: try again after a while; `counts` when it was the mail's own fault."""
        outcome.set("later")

        def work(connection: Connection) -> None:
            now = now_of(connection)
            if attempt:
                kept = mails.find(connection, row.document_id, lock=True)
                if kept is None or kept.attempts != attempt:
                    return
                if kept.state is MailState.UNKNOWN:
                    settle(connection, row.document_id, MailState.WAITING, answer, now)
                connection.execute(_changed(row.document_id, attempting_at=None, looking_until=None))
            tried = row.attempts if counts else row.attempts - 1
            Outbox.put_off(connection, row, now + wait, f"mail: {code_of(answer) or answer[:40]}", tried)

        self._store.write(work)

    def settled(self, row: Claimed, attempt: int, state: MailState, answer: str, detail: Detail | None = None) -> bool:
        """How an attempt ended, known for sure whoever has the row by now; but for a later attempt."""
        outcome.set(OUTCOMES.get(state, "failed"))

        def work(connection: Connection) -> bool:
            kept = mails.find(connection, row.document_id, lock=True)
            if kept is None or kept.attempts != attempt:
                return False
            return settle(connection, row.document_id, state, answer, now_of(connection), detail)

        return self._store.write(work)

    def look_later(self, row: Claimed, wait: timedelta, looking_until: datetime) -> None:
        """It was not found yet; look again after a while."""
        outcome.set("later")

        def work(connection: Connection) -> None:
            now = now_of(connection)
            connection.execute(_changed(row.document_id, looking_until=looking_until))
            Outbox.put_off(connection, row, now + wait, "mail: looked for among the copies", row.attempts - 1)

        self._store.write(work)

    def bounced(self, bounce: Bounce) -> bool:
        """Note what is reported of a mail that was sent to that recipient; nothing for any other. Whether it was
        news.
        """
        return self._store.write(lambda connection: note_bounce(connection, bounce, now_of(connection)))

    def answered(self, message_id: str) -> bool:
        """Somebody answered a mail of which it was not known whether it arrived."""
        mark = mark_of(message_id)

        def work(connection: Connection) -> bool:
            found = connection.execute(
                mails.MAILS.with_only_columns(_mail.c.id).where(_mail.c.mark == mark, _mail.c.state == "unknown")
            ).scalar()
            sent, said = MailState.SENT, "somebody answered it"
            return found is not None and settle(connection, found, sent, said, now_of(connection))

        return self._store.write(work)


def mark_of(message_id: str) -> str:
    """The part of a Message-ID that is ours."""
    return message_id.strip().strip("<>").rpartition("@")[0]


def note_bounce(connection: Connection, bounce: Bounce, now: datetime) -> bool:
    """The same inside a write. What comes back proves that the server had it."""
    row = connection.execute(mails.MAILS.where(_mail.c.mark == mark_of(bounce.message_id)).with_for_update()).first()
    if row is None:
        return False
    kept = mails.kept_mail(row)
    same = same_address(bounce.recipient)
    everybody = {same_address(each): each for each in (*kept.mail.to, *kept.mail.cc)}
    known = {same_address(each) for each in kept.refused}
    if not kept.attempts or same not in everybody or same in known:
        return False
    said = f"{bounce.kind.value}: {bounce.diagnostic}"
    if bounce.kind is BounceKind.SOFT:
        if kept.state is MailState.UNKNOWN:
            settle(connection, kept.mail.id, MailState.SENT, said, now)
        connection.execute(_changed(kept.mail.id, answer=said[:LONGEST_ANSWER]))
        return True
    refused = (*kept.refused, everybody[same])
    if bounce.kind is BounceKind.COMPLAINT or len(known) + 1 < len(everybody):
        # It arrived, or did so with the others.
        if kept.state is not MailState.SENT:
            settle(connection, kept.mail.id, MailState.SENT, said, now)
        mails.tell(connection, kept.mail.id, now)
    else:
        settle(connection, kept.mail.id, MailState.BOUNCED, said, now)
    connection.execute(_changed(kept.mail.id, refused=json.dumps(refused), answer=said[:LONGEST_ANSWER]))
    mark_bounced(connection, kept.mail.customer_id, everybody[same], said, now)
    return True


def _changed(mail_id: int, **values: Any) -> Any:
    return update(_mail).where(_mail.c.id == mail_id).values(**values)
