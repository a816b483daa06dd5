"""Mails of a customer: queued inside a write, settled in one place, whoever learned how they stand."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from bot.domain.addresses import same_address
from bot.domain.errors import NotFound
from bot.domain.mail import LONGEST_ANSWER, TROUBLED, KeptMail, Mail, MailAbout, MailState
from bot.storage.ids import new_id
from bot.storage.reminder_settling import settle_reminder
from bot.storage.session import Session
from bot.storage.tables import BouncedAddressRow, MailRow, OutboxRow

_mail = MailRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_bounced = BouncedAddressRow.__table__  # type: ignore[attr-defined]  # as above
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above

MAIL, CARD = "mail", "mail_card"  # kinds of outbox rows: the mail itself, and what people are told of its trouble
DOCUMENT = "mail"
LOOK_AFTER = timedelta(minutes=1)  # a copy takes a moment to arrive
MAILS = select(_mail)
# From which state a mail comes into another. What a server said counts, whoever was told meanwhile; a mail that came
# back was not received, so nothing makes it sent but sending it again.
FROM: Mapping[MailState, frozenset[MailState]] = {
    MailState.WAITING: frozenset({MailState.FAILED, MailState.UNKNOWN, MailState.BOUNCED}),
    MailState.SENT: frozenset({MailState.WAITING, MailState.UNKNOWN}),
    MailState.FAILED: frozenset({MailState.WAITING, MailState.UNKNOWN}),
    MailState.UNKNOWN: frozenset({MailState.WAITING, MailState.UNKNOWN}),
    MailState.BOUNCED: frozenset({MailState.WAITING, MailState.SENT, MailState.UNKNOWN}),
    MailState.WITHDRAWN: frozenset({MailState.WAITING}),
}
_OUTBOX_STATE = {
    MailState.WAITING: "waiting",
    MailState.SENT: "done",
    MailState.FAILED: "failed",
    MailState.UNKNOWN: "done",
    MailState.BOUNCED: "done",
    MailState.WITHDRAWN: "dropped",
}
Hook = Callable[[Connection, KeptMail, MailState, datetime], None]
# By what a mail is about: called in the transaction that settles it, with the mail as it stands now.
ON_SETTLED: dict[str, Hook] = {MailAbout.REMINDER.value: settle_reminder}


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """Recipients that the server did not take; and until when an unknown mail is looked for, its outbox row waiting."""

    refused: tuple[str, ...] = ()
    looking_until: datetime | None = None
    look_after: timedelta = LOOK_AFTER


def kept_mail(row: Any) -> KeptMail:
    """A row as the domain knows it."""
    mail = Mail(
        id=row.id,
        customer_id=row.customer_id,
        about=MailAbout(row.about),
        about_id=row.about_id,
        to=tuple(json.loads(row.recipients)),
        cc=tuple(json.loads(row.copies)),
        subject=row.subject,
        body=row.body,
        paper=row.paper,
        reply_to=row.reply_to,
    )
    return KeptMail(
        mail=mail,
        mark=row.mark,
        host=row.host,
        state=MailState(row.state),
        answer=row.answer,
        recorded_at=row.recorded_at,
        attempts=row.attempts,
        version=row.version,
        attempting_at=row.attempting_at,
        sent_at=row.sent_at,
        bounced_at=row.bounced_at,
        looking_until=row.looking_until,
        handled_at=row.handled_at,
        refused=tuple(json.loads(row.refused)),
    )


def find(connection: Connection, mail_id: int, *, lock: bool = False) -> KeptMail | None:
    """A mail by its id; a locked one does not change until the transaction ends."""
    statement = MAILS.where(_mail.c.id == mail_id)
    row = connection.execute(statement.with_for_update() if lock else statement).first()
    return kept_mail(row) if row is not None else None


def settle(
    connection: Connection,
    mail_id: int,
    state: MailState,
    answer: str,
    now: datetime,
    detail: "Detail | None" = None,
) -> bool:
    """Bring a mail into another state: the one place where it changes, and its outbox row with it.

    `answer` is what a server or a person said, shortened here and escaped where it is shown. False, with nothing done,
    where the mail does not come into this state from its own.
    """
    before = find(connection, mail_id, lock=True)
    if before is None or before.state not in FROM[state]:
        return False
    keeps = state in {MailState.SENT, MailState.UNKNOWN, MailState.BOUNCED}
    detail = detail or Detail(refused=before.refused if keeps else ())
    values: dict[str, Any] = {
        "state": state.value,
        "version": before.version + 1,
        "answer": answer[:LONGEST_ANSWER],
        "looking_until": detail.looking_until,
        "handled_at": None,
        "refused": json.dumps(detail.refused),
    }
    if state is not MailState.UNKNOWN:
        values["attempting_at"] = None
    if state is MailState.SENT:
        values["sent_at"] = now
    if state is MailState.BOUNCED:
        values["bounced_at"] = now
    connection.execute(update(_mail).where(_mail.c.id == mail_id).values(**values))
    if detail.looking_until is not None:
        _look(connection, mail_id, now + detail.look_after)
    else:
        _settle_outbox(connection, mail_id, state, answer, now)
        if {state, before.state} & {*TROUBLED, MailState.WITHDRAWN}:
            tell(connection, mail_id, now)
    hook = ON_SETTLED.get(before.mail.about.value)
    if hook is not None:
        after = find(connection, mail_id)
        assert after is not None
        hook(connection, after, state, now)
    return True


def withdraw(connection: Connection, mail_id: int, why_not: str, now: datetime) -> bool:
    """Do not send a mail after all that no server can have yet; whether it was withdrawn."""
    kept = find(connection, mail_id, lock=True)
    if kept is None or kept.attempting_at is not None:
        return False
    return settle(connection, mail_id, MailState.WITHDRAWN, f"not sent: {why_not}", now)


def lock(connection: Connection, mail_ids: Sequence[int]) -> None:
    """Whoever changes mails and their outbox rows locks the mails first, in the order of their ids."""
    connection.execute(select(_mail.c.id).where(_mail.c.id.in_(mail_ids)).order_by(_mail.c.id).with_for_update()).all()


def reopen(connection: Connection, mail_ids: Sequence[int], now: datetime) -> None:
    """An operator has failed mails sent after all. One of which it is not known whether it arrived stays so: it is
    looked for, or a person decides.
    """
    for each in mail_ids:
        kept = find(connection, each, lock=True)
        if kept is not None and kept.state is not MailState.UNKNOWN:
            settle(connection, each, MailState.WAITING, "", now)


def give_up(connection: Connection, mail_ids: Sequence[int], now: datetime) -> None:
    """An operator never has these mails sent again; nobody else has to look after them."""
    for each in mail_ids:
        kept = find(connection, each, lock=True)
        if kept is not None:
            _leave(connection, kept, now)
    connection.execute(update(_mail).where(_mail.c.id.in_(mail_ids)).values(handled_at=now))


def _leave(connection: Connection, kept: KeptMail, now: datetime) -> None:
    """Of a reminder that may have arrived, and after which nobody looks any more, it is taken that it did: a letter too
    few does less harm than the same one twice.
    """
    if kept.state is MailState.UNKNOWN and kept.mail.about is MailAbout.REMINDER:
        settle_reminder(connection, kept, MailState.SENT, now)


def code_of(answer: str) -> str:
    """The figures that a server's answer begins with: the rest may name an address, and goes into no list."""
    return " ".join(each for each in answer.split()[:2] if each.replace(".", "").isdigit())[:20]


def _settle_outbox(connection: Connection, mail_id: int, state: MailState, answer: str, now: datetime) -> None:
    ends = state is not MailState.WAITING
    connection.execute(
        update(_outbox)
        .where(_outbox.c.document_kind == DOCUMENT, _outbox.c.document_id == mail_id, _outbox.c.kind == MAIL)
        .values(
            state=_OUTBOX_STATE[state],
            error=f"mail refused {code_of(answer)}".rstrip() if state is MailState.FAILED else "",
            done_at=now if ends else None,
            lease_until=None,
            lease_owner=None,
            **({} if ends else {"not_before": now, "attempts": 0}),
        )
    )


def _look(connection: Connection, mail_id: int, at: datetime) -> None:
    """The outbox row goes on waiting: with it the mail is looked for."""
    values = {"state": "waiting", "lease_until": None, "lease_owner": None, "not_before": at}
    connection.execute(
        update(_outbox)
        .where(_outbox.c.document_kind == DOCUMENT, _outbox.c.document_id == mail_id, _outbox.c.kind == MAIL)
        .values(**values)
    )


def tell(connection: Connection, mail_id: int, now: datetime) -> None:
    """A card in the finance channel for a mail in trouble, brought up to date until it is in none."""
    connection.execute(insert(_outbox), {"operation_id": None, **_outbox_row(CARD, "finance", mail_id, now)})


def _outbox_row(kind: str, purpose: str, mail_id: int, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": kind,
        "purpose": purpose,
        "destination": "",
        "document_kind": DOCUMENT,
        "document_id": mail_id,
        "payload": "",
        "state": "waiting",
        "attempts": 0,
        "not_before": now,
        "error": "",
        "recorded_at": now,
    }


def bouncing(connection: Connection, customer_id: int) -> frozenset[str]:
    """The addresses of a customer that mail came back from, as `same_address` spells them."""
    found = connection.execute(select(_bounced.c.address).where(_bounced.c.customer_id == customer_id))
    return frozenset(found.scalars())


def mark_bounced(connection: Connection, customer_id: int, address: str, reason: str, now: datetime) -> None:
    """Nothing more is sent to this address until it is changed at the customer, or somebody sends to it again."""
    same = same_address(address)
    unmark_bounced(connection, customer_id, (same,))
    row = {"id": new_id(), "customer_id": customer_id, "address": same, "reason": reason[:LONGEST_ANSWER], "at": now}
    connection.execute(insert(_bounced), row)


def unmark_bounced(connection: Connection, customer_id: int, addresses: tuple[str, ...]) -> None:
    """Mail may be sent to these addresses again."""
    same = [same_address(each) for each in addresses]
    connection.execute(delete(_bounced).where(_bounced.c.customer_id == customer_id, _bounced.c.address.in_(same)))


_HANDLED = update(_mail).where(_mail.c.id == bindparam("row_id")).values(handled_at=bindparam("new_handled_at"))


class SqlMails:
    """The mails inside a write."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, mail: Mail, *, not_before: datetime | None = None) -> None:
        """Queue a mail, to be sent after the commit, or not before an instant."""
        session = self._session
        session.pending.add(
            "mail",
            {
                "id": mail.id,
                "customer_id": mail.customer_id,
                "about": mail.about.value,
                "about_id": mail.about_id,
                "recipients": json.dumps(mail.to),
                "copies": json.dumps(mail.cc),
                "reply_to": mail.reply_to,
                "subject": mail.subject,
                "body": mail.body,
                "paper": mail.paper,
                "mark": f"duedesk.{mail.id:x}.{secrets.token_hex(8)}",
                "recorded_at": session.now,
                "operation_id": session.operation_id,
                "host": "",
                "state": MailState.WAITING.value,
                "answer": "",
                "refused": "[]",
            },
        )
        row = _outbox_row(MAIL, "customer", mail.id, session.now)
        due = {"not_before": not_before or session.now, "operation_id": session.operation_id}
        session.pending.add("outbox", row | due)

    def get(self, mail_id: int) -> KeptMail:
        """A mail, locked until the end of the write. Refuses: NotFound."""
        found = find(self._session.connection, mail_id, lock=True)
        if found is None:
            raise NotFound("There is no such mail.")
        return found

    def bouncing(self, customer_id: int) -> frozenset[str]:
        return bouncing(self._session.connection, customer_id)

    def settle(self, kept: KeptMail, state: MailState, answer: str) -> None:
        """What a person decides about a mail; sending it again tries its addresses again as well."""
        session = self._session
        done = settle(session.connection, kept.mail.id, state, answer, session.now)
        assert done
        if state is MailState.WAITING:
            unmark_bounced(session.connection, kept.mail.customer_id, (*kept.mail.to, *kept.mail.cc))

    def handle(self, kept: KeptMail) -> None:
        """Somebody looked after a mail in trouble, and leaves it as it is."""
        session = self._session
        session.pending.change(_HANDLED, {"row_id": kept.mail.id, "new_handled_at": session.now})
        connection = session.connection
        _leave(connection, kept, session.now)
        connection.execute(
            update(_outbox)
            .where(
                _outbox.c.document_kind == DOCUMENT, _outbox.c.document_id == kept.mail.id, _outbox.c.state == "failed"
            )
            .values(state="dropped", done_at=session.now)
        )
        tell(connection, kept.mail.id, session.now)
