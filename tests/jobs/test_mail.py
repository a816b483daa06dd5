"""Mail is sent once each, whatever servers do: nothing is lost, nothing comes twice, what nobody knows is shown."""

import random
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from bot.domain.invoice_changes import VoidInvoice, void_invoice
from bot.domain.mail import MailState
from bot.domain.mailing import Decision, MailInvoice, SettleMail, mail_invoice, settle_mail
from bot.jobs.mail import MailWorker
from bot.jobs.smtp import Post
from bot.mail_servers import STARTTLS, MailServer
from bot.storage import parking
from bot.storage.outbox import Outbox
from tests.domain.expect import run_sql
from tests.domain.invoice_stages import PROFORMA, asked
from tests.domain.mail_stages import mailed, reachable
from tests.imap import Mailbox
from tests.jobs.letterbox import COPIES, kept, states, waiting, worker, write
from tests.slack import RENDERER
from tests.smtp import FAULTS, MailHost
from tests.world import World

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 60.0
on_sqlite = pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)


@pytest.fixture
def host() -> Iterator[MailHost]:
    with MailHost().running() as made:
        yield made


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with Mailbox().running() as made:
        yield made


def copying(host: MailHost, box: Mailbox) -> None:
    """Who gets a copy of every mail has it in the mailbox as soon as the server has it."""
    host.on_taken = lambda taken: box.messages.append(taken.content) if COPIES in taken.recipients else None


def run_until_settled(world: World, *workers: MailWorker) -> None:
    """Let workers run side by side until nothing waits any more."""
    until = time.monotonic() + LONGEST_SECONDS
    faults: list[Exception] = []

    def work(each: MailWorker) -> None:
        try:
            while waiting(world) and time.monotonic() < until and not faults:
                if not each.run_once():
                    time.sleep(0.01)
        except Exception as fault:  # noqa: BLE001  # told by the test
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(each,)) for each in workers]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not faults, faults
    assert not waiting(world)


def test_whatever_servers_do_each_mail_arrives_once(world: World, book_url: str, host: MailHost, box: Mailbox) -> None:
    """Two workers, and a server that fails at each place in each way; the copies tell what it has."""
    copying(host, box)
    chance = random.Random()  # noqa: S311  # any sequence will do
    seed = chance.randrange(2**32)
    chance.seed(seed)
    faults = [*FAULTS] * 2 + [""] * 80
    lock = threading.Lock()

    def next_fault() -> str:
        with lock:
            return faults.pop(chance.randrange(len(faults))) if faults else ""

    host.next_fault = next_fault
    host.refuses = {"gone@mailed.example": "550 5.1.1 nobody here"}
    customer = reachable(world)
    count = 100
    sent = write(world, customer, count - 1) + write(world, customer, to=("a@mailed.example", "gone@mailed.example"))
    run_until_settled(world, *(worker(world.store, book_url, host.server, box.server) for _ in range(2)))
    assert states(world) == {MailState.SENT: count}, seed
    assert host.counted() == {kept(world, each).message_id: 1 for each in sent}, seed
    assert kept(world, sent[-1]).refused == ("gone@mailed.example",)
    assert host.connections < count * 2 // 3  # batches share one
    world.check()


@on_sqlite
def test_without_a_mailbox_of_copies_a_person_decides(world: World, book_url: str, host: MailHost) -> None:
    after = [each for each in FAULTS if "after the end" in each]
    faults = list(after)
    host.next_fault = lambda: faults.pop(0) if faults else ""
    sent = write(world, reachable(world), len(after))
    run_until_settled(world, worker(world.store, book_url, host.server))
    assert states(world) == {MailState.UNKNOWN: len(after)}
    for mail_id, fault in zip(sent, after, strict=True):
        assert host.counted()[kept(world, mail_id).message_id] == FAULTS[fault]
        decision = Decision.ARRIVED if FAULTS[fault] else Decision.AGAIN
        world.do(settle_mail, SettleMail(mail_id=mail_id, decision=decision))
    run_until_settled(world, worker(world.store, book_url, host.server))
    assert states(world) == {MailState.SENT: len(after)}
    assert host.counted() == {kept(world, each).message_id: 1 for each in sent}
    world.check()


@on_sqlite
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_killed_process_leaves_a_mail_that_is_looked_for(
    world: World, book_url: str, host: MailHost, box: Mailbox, when: str
) -> None:
    copying(host, box)
    (mail_id,) = write(world, reachable(world))
    arguments = [sys.executable, "-m", "tests.jobs.dying_mail", book_url, str(host.port), str(box.port), when]
    ended = subprocess.run(arguments, cwd=ROOT, check=False, timeout=30)
    assert ended.returncode == -signal.SIGKILL
    found = kept(world, mail_id)
    assert (found.state, found.attempting_at is None) == (MailState.WAITING, False)
    assert len(host.taken) == (when == "after")
    run_sql(world, "UPDATE outbox SET lease_until = NULL")  # the lease ends
    other = worker(world.store, book_url, host.server, box.server)
    assert other.run_once() == 1
    assert kept(world, mail_id).state is MailState.UNKNOWN
    run_until_settled(world, other)
    assert kept(world, mail_id).state is MailState.SENT
    assert host.counted() == {kept(world, mail_id).message_id: 1}


@on_sqlite
def test_what_a_server_refuses_for_good_failed_and_the_others_get_theirs(
    world: World, book_url: str, host: MailHost
) -> None:
    customer = reachable(world)
    host.refuses = {
        "gone@mailed.example": "550 5.1.1 <gone@mailed.example> is not here\x07",
        "late@mailed.example": "451 4.2.0 greylisted",
        COPIES: "550 no copies",
    }
    gone, *_ = write(world, customer, to=("gone@mailed.example",))
    late, *_ = write(world, customer, to=("late@mailed.example", "ann@mailed.example"))
    fine, *_ = write(world, customer)
    run_until_settled(world, worker(world.store, book_url, host.server))
    failed = kept(world, gone)
    assert (failed.state, failed.refused) == (MailState.FAILED, ("gone@mailed.example",))
    assert failed.answer == "550 5.1.1 <gone@mailed.example> is not here"
    assert (kept(world, late).state, kept(world, late).refused) == (MailState.SENT, ("late@mailed.example",))
    assert kept(world, fine).state is MailState.SENT
    assert [each.recipients for each in host.taken].count(["ann@mailed.example"]) == 1
    errors = [row.error for row in Outbox(world.store).undelivered() if row.kind == "mail"]
    assert errors == ["mail refused 550 5.1.1"]


@on_sqlite
def test_a_server_that_is_away_is_left_alone_and_costs_no_mail_its_attempts(world: World, book_url: str) -> None:
    (mail_id,) = write(world, reachable(world))
    made = worker(world.store, book_url, MailHost(port=9).server)
    made.back_off = lambda _attempts: 30
    assert made.run_once() == 1
    assert made.run_once() == 0
    with MailHost().running() as host:
        made.post, made.resting_until = Post(host.server), 0.0
        run_sql(world, "UPDATE outbox SET not_before = recorded_at")
        run_until_settled(world, made)
    assert (kept(world, mail_id).state, kept(world, mail_id).attempts) == (MailState.SENT, 1)


@on_sqlite
def test_a_mail_is_what_was_written_and_carries_its_own_customers_paper(
    world: World, book_url: str, host: MailHost
) -> None:
    """Many in one run: each PDF goes to whom it is about, one about another customer to nobody."""
    customers = [reachable(world, f"C{each}", emails=(f"accounts@c{each}.example",)) for each in range(4)]
    made = [mailed(world, each) for each in customers]
    (stray,) = write(world, customers[0], paper=kept(world, made[1].mail_id).mail.paper, subject="Stray")
    void = world.do(mail_invoice, MailInvoice(invoice_id=asked(world, customers[0], 5, PROFORMA).id))
    world.do(void_invoice, VoidInvoice(invoice_id=void.about_id, reason="wrong"))
    sending = worker(world.store, book_url, host.server)
    sending.renderer = RENDERER
    run_until_settled(world, sending)
    assert kept(world, stray).answer == "its file could not be made: its file is about another customer"
    assert "voided meanwhile" in kept(world, void.mail_id).answer
    assert len(host.taken) == len(made)
    for taken in host.taken:
        message = message_from_bytes(taken.content, policy=default)
        (file,) = list(message.iter_attachments())
        (mine,) = [each for each in made if taken.recipients == list(each.to)]
        assert (file.get_filename(), file.get_content_type()) == (f"invoice-{mine.label}.pdf", "application/pdf")
        assert file.get_content().startswith(b"%PDF")
        assert (message["To"], message["From"]) == (mine.to[0], "Müller Billing <billing@duedesk.example>")
        assert message["Message-ID"] == kept(world, mine.mail_id).message_id
        text = message.get_body()
        assert text is not None
        assert mine.label in text.get_content()
    assert sorted(each.recipients for each in host.taken) == [[f"accounts@c{each}.example"] for each in range(4)]


@on_sqlite
def test_what_waited_in_a_backup_is_not_sent_before_it_was_looked_for(
    world: World, book_url: str, host: MailHost, box: Mailbox
) -> None:
    """One of the two was sent after the backup was made."""
    copying(host, box)
    sent = write(world, reachable(world), 2)
    box.messages.append(f"Message-ID: <{kept(world, sent[0]).mark}@duedesk.example>\r\n\r\n".encode())
    world.store.write(lambda connection: parking.park(connection, "restored"))
    assert states(world) == {MailState.UNKNOWN: 2}
    assert Outbox(world.store).retry("all") > 2  # cards as well
    run_until_settled(world, worker(world.store, book_url, host.server, box.server))
    assert host.counted() == {kept(world, sent[1]).message_id: 1}


@on_sqlite
def test_a_server_without_encryption_or_with_a_strange_certificate_gets_nothing(
    world: World, book_url: str, host: MailHost
) -> None:
    write(world, reachable(world))
    guarded = MailServer(host="127.0.0.1", port=host.port, security=STARTTLS, user="u", password="p")
    made = worker(world.store, book_url, guarded)
    assert made.run_once() == 1
    assert (host.taken, states(world)) == ([], {MailState.WAITING: 1})
    assert made.post.tls.verify_mode is ssl.CERT_REQUIRED
    assert made.post.tls.check_hostname
