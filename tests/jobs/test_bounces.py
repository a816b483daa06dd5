"""What comes back: reports from a mailbox and from a service, of mails that were sent and of none that were not."""

import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from bot.domain.errors import NotMailable
from bot.domain.mail import MailState
from bot.domain.mailing import Decision, MailInvoice, SettleMail, mail_invoice, settle_mail
from bot.handlers.bounces import BounceDoor
from bot.jobs.mailbox import MailboxReader, MailboxWatch
from bot.storage.mailroom import Bounce, BounceKind, Mailroom
from tests.domain.expect import everything, run_sql
from tests.domain.mail_stages import reachable
from tests.imap import Mailbox
from tests.jobs.letterbox import kept, write
from tests.world import World

ANN, BOB = "ann@mailed.example", "bob@mailed.example"
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox().running() as made:
        yield made


def sent(world: World, state: str = "sent", to: tuple[str, ...] = (ANN, BOB)) -> int:
    """A mail that a server took, or may have taken."""
    (mail_id,) = write(world, reachable(world, f"C{len(everything(world)['customer'])}"), to=to)
    at = "sent_at = recorded_at" if state == "sent" else "attempting_at = recorded_at"
    run_sql(
        world, f"UPDATE mail SET state = '{state}', attempts = 1, host = 'duedesk.example', {at} WHERE id = {mail_id}"
    )
    run_sql(world, f"UPDATE outbox SET state = 'done' WHERE document_id = {mail_id}")
    return mail_id


def report(message_id: str, recipient: str, *, action: str = "failed", given: str = "message/rfc822") -> bytes:
    """What a server sends back."""
    return f"""From: MAILER-DAEMON@mx.example
To: billing@duedesk.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user
--b
Content-Type: {given}

Message-ID: {message_id}
Subject: Hello

Hi
--b--
""".replace("\n", "\r\n").encode()


def read(world: World, box: Mailbox) -> None:
    """The mailbox is looked into, by the one whose turn it is."""
    watch = MailboxWatch(world.store, MailboxReader(box.server, timeout=5), every=timedelta(0))
    watch()


def test_a_hard_bounce_stops_mail_to_its_address_until_somebody_sends_again(world: World, box: Mailbox) -> None:
    mail_id = sent(world)
    message_id = kept(world, mail_id).message_id
    box.messages = [b"Subject: a copy\r\n\r\nHi", report(message_id, ANN), report(message_id, ANN)]
    read(world, box)
    assert box.seen == {1, 2, 3}
    found = kept(world, mail_id)
    assert (found.state, found.refused) == (MailState.SENT, (ANN,))
    assert found.answer == "hard: 5.1.1 smtp; 550 5.1.1 no such user"
    box.messages.append(report(message_id, BOB.upper(), given="text/rfc822-headers"))
    read(world, box)
    found = kept(world, mail_id)
    assert (found.state, found.refused, found.needs_somebody) == (MailState.BOUNCED, (ANN, BOB), True)
    customer = world.store.read(lambda books: books.customer(found.mail.customer_id))
    assert world.store.read(lambda books: books.bouncing(customer.id)) == {ANN, BOB}
    world.do(settle_mail, SettleMail(mail_id=mail_id, decision=Decision.AGAIN))
    assert world.store.read(lambda books: books.bouncing(customer.id)) == frozenset()
    world.check()


@on_sqlite
def test_a_bounced_address_gets_nothing_more_and_who_sends_sees_why(world: World) -> None:
    customer = reachable(world, emails=(ANN,))
    invoice = world.invoice(customer, 5)
    made = world.do(mail_invoice, MailInvoice(invoice_id=invoice.id))
    run_sql(world, "UPDATE mail SET state = 'sent', sent_at = recorded_at, attempts = 1, host = 'd.example'")
    message_id = kept(world, made.mail_id).message_id
    bounce = Bounce(message_id=message_id, recipient=ANN, kind=BounceKind.COMPLAINT, diagnostic="spam")
    assert Mailroom(world.store).bounced(bounce)
    assert kept(world, made.mail_id).state is MailState.SENT
    with pytest.raises(NotMailable, match="came back from every address"):
        world.do(mail_invoice, MailInvoice(invoice_id=invoice.id))


@on_sqlite
def test_what_nobody_knew_is_settled_by_a_bounce_or_an_answer(world: World, box: Mailbox) -> None:
    bounced, late, answered = (sent(world, "unknown", to=(ANN,)) for _ in range(3))
    ids = [kept(world, each).message_id for each in (bounced, late, answered)]
    answer = f"From: ann@mailed.example\r\nIn-Reply-To:\r\n {ids[2]}\r\n\r\nThank you".encode()
    box.messages = [report(ids[0], ANN), report(ids[1], ANN, action="delayed"), answer]
    read(world, box)
    states = [kept(world, each).state for each in (bounced, late, answered)]
    assert states == [MailState.BOUNCED, MailState.SENT, MailState.SENT]


@on_sqlite
def test_hostile_mail_and_forged_reports_change_nothing(world: World, box: Mailbox) -> None:
    mail_id = sent(world)
    (unsent,) = write(world, reachable(world, "UNSENT"), to=(ANN,))
    message_id, unsent_id = kept(world, mail_id).message_id, f"<{kept(world, unsent).mark}@duedesk.example>"
    deep = b"".join(
        b'Content-Type: multipart/report; boundary="%d"\r\n\r\n--%d\r\n' % (each, each) for each in range(300)
    )
    fields = report(message_id, ANN)
    box.messages = [
        report(message_id, "thief@evil.example"),
        report(unsent_id, ANN),
        report("<duedesk.1.0000000000000000@duedesk.example>", ANN),
        report("<someone@else.example>", ANN),
        report(message_id, ANN, action="delivered"),
        b"Content-Type: multipart/report; boundary=\x00\xff\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/report\r\n\r\n" + b"x" * 600_000,
        b"MIME-Version: 1.0\r\n" + deep,
        fields.replace(b"multipart/report", b"multipart/mixed"),
        b"\r\n" * 1000,
    ]
    before = everything(world)
    read(world, box)
    assert len(box.seen) == len(box.messages)
    after = everything(world)
    assert {name for name in before if before[name] != after[name]} <= {"pulse"}


@on_sqlite
def test_a_service_that_knows_the_secret_reports_bounces(world: World) -> None:
    mail_id = sent(world, to=(ANN,))
    message_id = kept(world, mail_id).message_id
    door = BounceDoor("a secret of twenty letters", Mailroom(world.store).bounced)
    right = "Bearer a secret of twenty letters"

    def post(given: object, authorization: str = right) -> int:
        return door.take(authorization, given if isinstance(given, str) else json.dumps(given))

    one = {"message_id": message_id, "recipient": ANN, "kind": "hard", "diagnostic": "550 no"}
    before = everything(world)
    assert [post(one, each) for each in ("", "Bearer x", right.lower(), f"{right} ", "Bearer ä")] == [401] * 5
    wrong: tuple[object, ...] = ("{", "[1]", '"x"', "[" * 99_999, {}, {**one, "kind": "x"}, {**one, "recipient": 5})
    assert [post(each) for each in (*wrong, {**one, "diagnostic": "\x00"})] == [400] * 8
    assert post("x" * 100_001) == 413
    unknown = ({**one, "message_id": "<x@y>"}, {**one, "message_id": ""}, {**one, "recipient": BOB})
    assert [post(each) for each in unknown] == [204] * 3
    assert everything(world) == before
    assert [post([one, one]), post(one)] == [204, 204]
    assert kept(world, mail_id).state is MailState.BOUNCED


def test_one_process_at_a_time_looks_into_the_mailbox(world: World) -> None:
    looked = []

    class Reader:
        def read_new(self, _handle: object) -> int:
            looked.append(1)
            return 0

    watches = [MailboxWatch(world.store, Reader(), every=timedelta(minutes=3)) for _ in range(4)]  # type: ignore[arg-type]  # all that is asked of one
    threads = [threading.Thread(target=each) for each in watches]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert looked == [1]
