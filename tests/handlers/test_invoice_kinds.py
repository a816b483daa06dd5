"""Top-up invoices and proformas through signed payloads."""

import pytest

from bot.domain.credit_note import ApproveNote, DraftNote, ReasonCode
from bot.domain.credit_notes import approve_note, draft_note
from bot.domain.customers import Mode
from bot.domain.invoices import SendInvoice, send_invoice
from bot.domain.open_items import Invoice
from bot.domain.ports import Page
from bot.domain.proformas import ProvisionProforma, provision_proforma
from bot.domain.settings import ChangeSetting, change_setting
from sandbox.client import shown
from tests.domain.invoice_stages import PROFORMA, TOP_UP, asked
from tests.slack import Slack
from tests.world import CLERK, MANAGER, OWNER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A prepaid customer."""
    slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID)
    return slack


def submit(book: Slack, **values: object) -> str:
    who = book.person(CLERK)
    who.fill(values)
    answer = who.submit()
    return str(answer.get("errors") or shown(who.modal or {}))


def newest(book: Slack) -> Invoice:
    (line,) = book.world.store.read(lambda books: books.list_invoices(Page(limit=1)))
    return line.invoice


@pytest.mark.rules(14, 15, 91, 93)
def test_a_top_up_invoice_is_written_sent_paid_and_credited(book: Slack) -> None:
    form = book.type("/invoice new top-up Acme 500 because Starter pack", by=CLERK)
    assert "Starter pack" in form
    assert "it takes no payment until it is sent" in form
    assert "draft" in submit(book)
    draft = newest(book)
    assert draft.kind is TOP_UP
    assert "Nothing is owed. Once paid, the wallet is credited" in book.type(f"/invoice send {draft.label}", by=CLERK)
    assert "Top-up invoice TOP-0001" in submit(book)
    card = book.card("Top-up invoice TOP-0001")
    assert "awaiting payment" in card["text"]
    book.person(CLERK).press(card, "Record payment")
    checked = submit(book)
    assert "credits the wallet with SGD 500.00; the invoice is provisioned and paid" in checked
    submit(book)
    assert "paid and credited" in book.card("Top-up invoice TOP-0001")["text"]
    assert "Balance 500.00 CR" in book.type("/customer Acme", by=VIEWER)
    back = book.type("/payment unallocate PAY-0001", by=CLERK)
    assert "the wallet loses SGD 500.00; the invoice waits for payment again" in back
    book.world.check()


@pytest.mark.rules(16, 95, 98, 99)
def test_a_proforma_is_paid_in_part_and_provisioned_once_the_rest_is_covered(book: Slack) -> None:
    book.type("/invoice new proforma Acme; Consulting; 2 x 500; 9%", by=CLERK)
    submit(book, Send=["yes"])
    submit(book)
    title = "Proforma PRO-0001 · Acme Pte Ltd · SGD 1,090.00"
    assert book.card(title)["text"].endswith("awaiting payment, not provisioned")
    assert "may spend now; at most SGD 0.00" in book.type("/invoice provision PRO-0001", by=CLERK)
    form = book.type("/payment Acme 1090 bank inv PRO-0001", by=CLERK)
    assert "what it takes waits outside the balance until it is provisioned" in form
    submit(book)
    assert "Balance 0.00" in book.type("/customer Acme", by=VIEWER)
    assert "paid by PAY-0001; take that payment back first" in book.type("/invoice void PRO-0001", by=CLERK)
    book.person(CLERK).press(book.card(title), "Provision")
    assert "PRO-0001 becomes tax invoice INV-0001: paid" in shown(book.person(CLERK).modal or {})
    assert "Invoice INV-0001" in submit(book)
    assert "Proforma PRO-0001" in book.type("/invoice show PRO-0001", by=VIEWER)
    assert "is a tax invoice; a credit note corrects it" in book.type("/invoice void INV-0001", by=CLERK)
    book.world.check()


@ENGINE
@pytest.mark.rules(13, 92, 94, 97)
def test_drafts_are_edited_and_deleted_and_what_nobody_paid_is_voided(book: Slack) -> None:
    world = book.world
    acme = world.store.read(lambda books: books.find_customers("Acme")[0])
    draft = asked(world, acme, 40, PROFORMA, send=False, tax=9, cost=3)
    book.type(f"/invoice edit {draft.label}", by=CLERK)
    assert "Zoë asked; 1 x 40.00; 9%; cost 3.00" in str(book.person(CLERK).modal)
    submit(book, Lines="Less; 30; 0%")
    submit(book)
    assert world.read_invoice(draft).total.micros == 30_000_000
    sent = world.do(send_invoice, SendInvoice(invoice_id=draft.id)).invoice
    other = asked(world, acme, 5, TOP_UP, send=False)
    assert "is deleted; it never had a number" in book.type(f"/invoice delete {other.label}", by=CLERK)
    assert "is gone" in submit(book)
    listed = book.type("/invoice list proforma open", by=VIEWER)
    assert sent.label in listed
    assert "No invoice matches" in book.type("/invoice list top-up", by=VIEWER)
    book.type("/invoice void PRO-0001", by=CLERK)
    assert "void" in submit(book, Reason="Not wanted")
    assert "void" in submit(book)
    world.check()


def files_below(book: Slack, title: str) -> list[str]:
    """The names of the files in the thread of a card, without what makes each its own."""
    ts = book.card(title)["ts"]
    below = [each for each in book.clerk.messages("finance") if each.get("thread_ts") == ts]
    return [file["name"].rpartition("-")[0] for each in below for file in each.get("files") or []]


@ENGINE
@pytest.mark.rules(91, 98)
def test_what_is_final_stands_in_the_thread_of_its_card_as_a_file(book: Slack) -> None:
    world = book.world
    acme = world.store.read(lambda books: books.find_customers("Acme")[0])
    asked(world, acme, 30, TOP_UP)
    assert files_below(book, "TOP-0001") == []
    world.do(change_setting, ChangeSetting(name="attach_papers", value="on"), by=OWNER)
    proforma = asked(world, acme, 40, PROFORMA)
    assert files_below(book, "PRO-0001") == ["proforma-PRO-0001"]
    world.pay(40, acme, to=((proforma, None),))
    world.do(provision_proforma, ProvisionProforma(invoice_id=proforma.id))
    assert files_below(book, "INV-0001") == ["proforma-PRO-0001", "invoice-INV-0001"]
    draft = DraftNote(
        customer_id=acme.id, issue_on=world.today, code=ReasonCode.DISCOUNT, reason="", invoice_id=proforma.id
    )
    note = world.do(draft_note, draft).note
    assert files_below(book, note.label) == []
    world.do(approve_note, ApproveNote(note_id=note.id), by=MANAGER)
    assert files_below(book, "CN-0001") == ["credit-note-CN-0001"]
