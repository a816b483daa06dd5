"""A mail in the books: queued with its outbox row, settled together with it, and no card waits for it."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Connection

from bot.domain.mail import KeptMail, MailAbout, MailState
from bot.domain.mailing import Decision, MailInvoice, SettleMail, mail_invoice, settle_mail
from bot.storage.mails import FROM, ON_SETTLED
from bot.storage.outbox import Outbox
from tests.domain.expect import ask_sql
from tests.domain.mail_stages import mailed, reachable, settled
from tests.world import World

Heard = list[tuple[int, MailState, MailState]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """What the hook of mails about invoices was told."""
    told: Heard = []

    def hook(_connection: Connection, kept: KeptMail, state: MailState, _now: datetime) -> None:
        told.append((kept.mail.id, kept.state, state))

    ON_SETTLED[MailAbout.INVOICE.value] = hook
    yield told
    del ON_SETTLED[MailAbout.INVOICE.value]


def outbox_of(world: World, mail_id: int) -> str:
    found = ask_sql(world, "SELECT state FROM outbox WHERE document_id = :id AND kind = 'mail'", id=mail_id)
    assert len(found) == 1
    return str(found[0][0])


def test_a_mail_and_its_outbox_row_are_queued_together_and_hold_nothing_up(world: World) -> None:
    customer = reachable(world)
    made = mailed(world, customer)
    assert outbox_of(world, made.mail_id) == "waiting"
    invoice = world.invoice(customer, 7)
    outbox = Outbox(world.store)
    cards = [(row.kind, row.document_id) for row in outbox.claim("messages")]
    assert ("card", invoice.id) in cards
    assert ("refresh", made.about_id) not in cards  # its card comes first
    assert not [kind for kind, _ in cards if kind == "mail"]
    assert not [row for row in outbox.claim("files", lane="files") if row.kind == "mail"]
    assert [row.document_id for row in outbox.claim("mails", lane="mails")] == [made.mail_id]
    world.desk.preview(mail_invoice, MailInvoice(invoice_id=invoice.id), world.request())
    assert ask_sql(world, "SELECT COUNT(*) FROM mail") == [(1,)]
    world.check()


def test_a_mail_is_settled_with_its_outbox_row_and_who_asked_for_it_is_told(world: World, heard: Heard) -> None:
    made = mailed(world)
    expected: Heard = []
    for state, outbox in (
        (MailState.UNKNOWN, "done"),
        (MailState.FAILED, "failed"),
        (MailState.WAITING, "waiting"),
        (MailState.SENT, "done"),
        (MailState.BOUNCED, "done"),
    ):
        assert settled(world, made.mail_id, state, "250 2.0.0 x")
        expected.append((made.mail_id, state, state))
        assert (heard, outbox_of(world, made.mail_id)) == (expected, outbox)
    cards = "SELECT COUNT(*) FROM outbox WHERE kind = 'mail_card' AND document_id = :id"
    assert ask_sql(world, cards, id=made.mail_id) == [(4,)]  # none for what was sent from waiting
    assert not settled(world, made.mail_id, MailState.SENT)
    assert (heard, outbox_of(world, made.mail_id)) == (expected, "done")


def test_a_mail_comes_from_each_state_only_into_those_that_can_follow(world: World) -> None:
    ways: dict[MailState, tuple[MailState, ...]] = {
        MailState.WAITING: (),
        MailState.SENT: (MailState.SENT,),
        MailState.FAILED: (MailState.FAILED,),
        MailState.UNKNOWN: (MailState.UNKNOWN,),
        MailState.BOUNCED: (MailState.SENT, MailState.BOUNCED),
    }
    for start, way in ways.items():
        for end in MailState:
            made = mailed(world, reachable(world, f"{start}-{end}"))
            assert all(settled(world, made.mail_id, each) for each in way)
            assert settled(world, made.mail_id, end) is (start in FROM[end]), (start, end)


def test_what_an_operator_does_with_a_failed_row_is_done_to_its_mail(world: World, heard: Heard) -> None:
    outbox = Outbox(world.store)
    again, gone, left = (mailed(world, reachable(world, code)).mail_id for code in ("A", "B", "C"))
    for each in (again, gone, left):
        settled(world, each, MailState.FAILED, "550 5.7.1 Ann <ann@mailed.example> is not here")
    world.do(settle_mail, SettleMail(mail_id=left, decision=Decision.LEFT))
    errors = {row.document_id: row.error for row in outbox.undelivered() if row.kind == "mail"}
    assert errors == dict.fromkeys((again, gone), "mail refused 550 5.7.1")
    (row,) = (row.id for row in outbox.undelivered() if row.kind == "mail" and row.document_id == again)
    assert outbox.retry(row) == 1
    assert outbox.drop("all") == 1
    states = {each: world.store.read(lambda books, one=each: books.mail(one)).state for each in (again, gone, left)}  # type: ignore[misc]  # mypy infers no lambda with a default
    assert states == {again: MailState.WAITING, gone: MailState.FAILED, left: MailState.FAILED}
    assert heard[-1] == (again, MailState.WAITING, MailState.WAITING)
    assert [kept.mail.id for kept in world.store.read(lambda books: books.troubled_mails())] == []
