"""Who a mail goes to and what it says: nothing typed becomes a header, a second recipient, or another's address."""

import json
from typing import Any

import pytest

from bot.domain.addresses import clean_address, is_address, wire_address
from bot.domain.customers import Contact, EditCustomer, clean_contacts, edit_customer
from bot.domain.errors import NotMailable, Refused, WrongState
from bot.domain.mail import Mail, MailAbout, MailState, one_line
from bot.domain.mailing import Decision, MailInvoice, SettleMail, mail_invoice, mail_statement, settle_mail
from bot.domain.settings import ChangeSetting, change_setting
from bot.storage.mails import mark_bounced
from tests.domain.expect import expect_refusal
from tests.domain.mail_stages import asking, mailed, reachable, settled
from tests.world import OWNER, World

BREAKS = ("\r\nBcc: thief@evil.example", "\nSubject: x", "\x00", "\u2028Bcc: x@evil.example", "\x85")


@pytest.mark.parametrize(
    "text",
    [
        *(f"ann@acme.example{each}" for each in BREAKS),
        *(f"ann{each}@acme.example" for each in BREAKS),
        "ann@acme.example, bob@evil.example",
        "ann@acme.example;bob@evil.example",
        "Ann <ann@acme.example>",
        '"ann@evil.example"@acme.example',
        "ann@evil.example@acme.example",
        "ann@acme",
        "@acme.example",
        "ann@",
        "ann@-acme.example",
        "ann@acme..example",
        "ann..b@acme.example",
        "zoë@acme.example",
        "ann@[127.0.0.1]",
        "a" * 65 + "@acme.example",
        "ann@" + "a" * 64 + ".example",
    ],
)
def test_an_address_that_could_be_more_than_one_address_is_refused(text: str) -> None:
    assert not is_address(text)
    if text.strip() == text:
        with pytest.raises(Refused, match="not an e-mail address"):
            clean_contacts((Contact(name="Ann", email=text),))
    with pytest.raises(Refused):
        a_mail(to=(text,))


def test_an_address_keeps_its_letters_and_its_host_is_spelled_for_servers() -> None:
    assert clean_address(" Ann.B+bills@BÜCHER.example ") == "Ann.B+bills@bücher.example"
    assert wire_address("Ann.B+bills@bücher.example") == "Ann.B+bills@xn--bcher-kva.example"


def a_mail(**changes: Any) -> Mail:
    facts = {"id": 1, "customer_id": 1, "about": MailAbout.INVOICE, "about_id": 1, "to": ("ann@acme.example",)}
    return Mail(**{**facts, "subject": "Hello", "body": "Text", **changes})


@pytest.mark.parametrize("subject", ["", " x", *(f"Invoice{each}" for each in BREAKS), "x" * 201])
def test_a_subject_is_one_line(subject: str) -> None:
    with pytest.raises(Refused, match="one line"):
        a_mail(subject=subject)
    assert a_mail(subject=one_line(f"About {subject}")).subject.startswith("About")


def test_a_mail_goes_to_all_contacts_once_and_is_about_its_customer(world: World) -> None:
    world.do(change_setting, ChangeSetting(name="company", value="Müller\r\nBcc: x@evil.example"), by=OWNER)
    emails = ("ann@mailed.example", "ANN@MAILED.example", "", "bob@mailed.example")
    customer = reachable(world, emails=emails)
    made = mailed(world, customer)
    assert made.to == ("ANN@mailed.example", "bob@mailed.example")
    kept = world.store.read(lambda books: books.mail(made.mail_id))
    assert (kept.state, kept.mail.to, kept.mail.customer_id) == (MailState.WAITING, made.to, customer.id)
    assert kept.mail.subject == "Invoice INV-0001 from Müller Bcc: x@evil.example"
    assert "INV-0001 of 32.70 SGD" in kept.mail.body or "INV-0001 of SGD 32.70" in kept.mail.body
    assert json.loads(kept.mail.paper)["question"] == {"id": str(made.about_id)}
    assert "example" not in str(made.trace())


def test_who_has_no_address_that_works_gets_no_mail_and_who_sends_is_told_why(world: World) -> None:
    silent = world.customer()
    invoice = world.invoice(silent, 5)
    with expect_refusal(world, NotMailable, says="has no contact with an e-mail address"):
        world.do(mail_invoice, MailInvoice(invoice_id=invoice.id))
    customer = reachable(world, emails=("ann@mailed.example", "bob@mailed.example"))

    def bounce(address: str) -> None:
        world.store.write(lambda connection: mark_bounced(connection, customer.id, address, "550", world.now))

    bounce("Ann@MAILED.example")
    made = mailed(world, customer)
    assert (made.to, made.left_out) == (("bob@mailed.example",), 1)
    bounce("bob@mailed.example")
    with expect_refusal(world, NotMailable, says="came back from every address"):
        world.do(mail_invoice, MailInvoice(invoice_id=made.about_id))
    now = world.read_customer(customer)
    contacts = (Contact(name="Zoë 0", email="ann@mailed.example"), Contact(name="Zoë 1", email="new@mailed.example"))
    world.do(
        edit_customer,
        EditCustomer(customer_id=now.id, version=now.version, code=now.code, name=now.name, contacts=contacts),
    )
    assert mailed(world, customer).to == ("new@mailed.example",)


def test_only_what_is_final_and_stands_is_mailed(world: World) -> None:
    draft = world.invoice(reachable(world), 5, send=False)
    with expect_refusal(world, WrongState, says="only an invoice that was sent"):
        world.do(mail_invoice, MailInvoice(invoice_id=draft.id))


def test_a_person_decides_about_a_mail_in_trouble_once(world: World) -> None:
    made = mailed(world)

    def decide(decision: Decision) -> MailState:
        return world.do(settle_mail, SettleMail(mail_id=made.mail_id, decision=decision)).after

    with expect_refusal(world, WrongState, says="waiting meanwhile"):
        decide(Decision.AGAIN)
    assert settled(world, made.mail_id, MailState.FAILED, "550 5.7.1 no")
    with expect_refusal(world, WrongState, says="did not arrive"):
        decide(Decision.ARRIVED)
    assert decide(Decision.AGAIN) is MailState.WAITING
    assert settled(world, made.mail_id, MailState.UNKNOWN)
    assert decide(Decision.ARRIVED) is MailState.SENT
    assert settled(world, made.mail_id, MailState.BOUNCED, "550 5.1.1 no such user")
    assert decide(Decision.LEFT) is MailState.BOUNCED
    with expect_refusal(world, WrongState, says="leave this mail as it is"):
        decide(Decision.AGAIN)
    world.check()


def test_a_statement_is_mailed_as_it_was_asked_for(world: World) -> None:
    made = world.do(mail_statement, asking(world))
    kept = world.store.read(lambda books: books.mails_about(MailAbout.STATEMENT, made.about_id))[0]
    assert kept.mail.subject == "Statement of account from 2026-11-23 to 2026-11-23"
    assert json.loads(kept.mail.paper)["question"]["kind"] == "activity"
    assert made.announcements() == ()
