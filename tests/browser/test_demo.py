"""The demo as a newcomer uses it: a payment is recorded and allocated by typing and clicking on the page."""

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sandbox.__main__ import Demo, prepare, running
from sandbox.pdf_text import text_of

pytestmark = pytest.mark.browser
SECONDS = 15_000


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "book.db"
    assert prepare(path)
    return path


@pytest.fixture
def book(sample: Path, tmp_path: Path) -> Path:
    """A book of its own for each test, since each may pay what another looks for."""
    return Path(shutil.copy(sample, tmp_path / "book.db"))


@pytest.fixture
def demo(book: Path) -> Iterator[Demo]:
    with running(book) as started:
        yield started


@pytest.fixture
def page(browser: Browser, demo: Demo) -> Iterator[Page]:
    """The demo's page, clerk on the left, manager on the right."""
    opened = browser.new_page(viewport={"width": 1500, "height": 950})
    opened.set_default_timeout(SECONDS)
    opened.goto(demo.address)
    yield opened
    opened.close()


def test_a_payment_is_recorded_and_allocated_by_typing_and_clicking(page: Page, book: Path) -> None:
    invoice = _open_invoice(book, 320)
    clerk, manager = page.get_by_test_id("pane-0"), page.get_by_test_id("pane-1")
    composer = clerk.get_by_test_id("composer")
    composer.fill("/payment Acme 100 bank ref TT-4711")
    composer.press("Enter")
    modal = clerk.get_by_test_id("modal")
    expect(modal).to_contain_text("What will happen", timeout=SECONDS)
    invoices = modal.get_by_test_id("field-invoices").get_by_role("combobox")
    invoices.click()
    invoices.press_sequentially(invoice)
    clerk.page.get_by_role("option").filter(has_text=invoice).first.click()
    modal.get_by_text("Oldest first until the money runs out.").click()
    expect(modal).to_contain_text(f"{invoice} 100.00 of 320.00", timeout=SECONDS)
    modal.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("fully allocated", timeout=SECONDS)
    modal.get_by_test_id("modal-close").click()
    card = manager.get_by_test_id("message").filter(has_text="TT-4711")
    expect(card).to_contain_text("Acme Pte Ltd · SGD 100.00 · fully allocated", timeout=SECONDS)
    assert _left(book, invoice) == 220_000_000
    if os.environ.get("PICTURE"):
        page.screenshot(path=os.environ["PICTURE"])
    clerk.get_by_test_id("message").filter(has_text="TT-4711").get_by_test_id("action-undo").click()
    page.get_by_test_id("confirm-yes").click()
    expect(card).to_contain_text("void", timeout=SECONDS)
    assert _left(book, invoice) == 320_000_000


def test_aged_receivables_are_read_by_typing(page: Page) -> None:
    clerk = page.get_by_test_id("pane-0")
    composer = clerk.get_by_test_id("composer")
    composer.fill("/aging currency SGD")
    composer.press("Enter")
    answer = clerk.get_by_test_id("message").filter(has_text="Aged receivables")
    expect(answer).to_contain_text("over 90", timeout=SECONDS)
    expect(answer).to_contain_text("Total")


def test_the_digest_is_read_in_its_channel_and_leads_to_a_customer(page: Page) -> None:
    page.get_by_test_id("panes-1").click()
    pane = page.get_by_test_id("pane-0")
    pane.get_by_test_id("person").click()
    page.get_by_test_id("person-olga").click()
    pane.get_by_test_id("conversation-digest").click()
    composer = pane.get_by_test_id("composer")
    composer.fill("/duedesk jobs run digest again")
    composer.press("Enter")
    digest = pane.get_by_test_id("message").filter(has_text="ties to the ledger").last
    expect(digest).to_contain_text("Since", timeout=SECONDS)
    expect(digest).to_contain_text("Open by age, SGD")
    expect(digest.locator("svg.chart-plot").first).to_be_visible()
    if os.environ.get("PICTURE_DIGEST"):
        page.set_viewport_size({"width": 980, "height": 1980})
        expect(digest).to_contain_text("2 replies", timeout=SECONDS)
        page.screenshot(path=os.environ["PICTURE_DIGEST"])
    digest.get_by_role("button", name="Card").first.click()
    expect(pane.get_by_test_id("message").last).to_contain_text("Record payment", timeout=SECONDS)


def test_a_payment_is_suggested_from_a_message_of_the_bank(page: Page) -> None:
    clerk = page.get_by_test_id("pane-0")
    clerk.get_by_test_id("conversation-bank-feed").click()
    message = clerk.get_by_test_id("message").filter(has_text="TT-904")
    message.hover()
    message.get_by_test_id("message-menu").click()
    page.get_by_test_id("shortcut-record_from_message").click()
    modal = clerk.get_by_test_id("modal")
    expect(modal).to_contain_text("From a message in #bank-feed", timeout=SECONDS)
    expect(modal).to_contain_text("amount from “SGD 320.00”")
    expect(modal.get_by_test_id("field-amount").get_by_role("textbox")).to_have_value("320.00 SGD")
    if os.environ.get("PICTURE_MESSAGE"):
        page.screenshot(path=os.environ["PICTURE_MESSAGE"])
    modal.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("What will happen", timeout=SECONDS)
    modal.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("Payment PAY-", timeout=SECONDS)
    modal.get_by_test_id("modal-close").click()


def test_a_proof_is_given_in_the_form_and_stands_in_the_thread(page: Page) -> None:
    clerk, manager = page.get_by_test_id("pane-0"), page.get_by_test_id("pane-1")
    composer = clerk.get_by_test_id("composer")
    composer.fill("/payment Borneo 75 bank ref TT-4712")
    composer.press("Enter")
    modal = clerk.get_by_test_id("modal")
    expect(modal).to_contain_text("What will happen", timeout=SECONDS)
    slip = {"name": "slip TT-4712.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a slip"}
    modal.get_by_test_id("field-proof").locator("input[type=file]").set_input_files(slip)  # type: ignore[arg-type]
    expect(modal.get_by_test_id("field-proof")).to_contain_text("slip TT-4712.pdf", timeout=SECONDS)
    modal.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("With 1 file as proof:", timeout=SECONDS)
    modal.get_by_test_id("modal-submit").click()
    expect(modal).to_contain_text("Proof 1 file, in the thread", timeout=SECONDS)
    modal.get_by_test_id("modal-close").click()
    card = manager.get_by_test_id("message").filter(has_text="TT-4712")
    card.get_by_test_id("thread-link").click(timeout=SECONDS)
    expect(manager.get_by_role("log", name="Thread")).to_contain_text("slip TT-4712.pdf", timeout=SECONDS)
    if os.environ.get("PICTURE_PROOF"):
        page.screenshot(path=os.environ["PICTURE_PROOF"])


def test_a_manager_approves_the_withdrawal_that_waits(page: Page) -> None:
    manager = page.get_by_test_id("pane-1")
    manager.get_by_test_id("conversation-approvals").click()
    card = manager.get_by_test_id("message").filter(has_text="WDR-0001").first
    expect(card).to_contain_text("waits for 1 of 1 approval", timeout=SECONDS)
    if os.environ.get("PICTURE_APPROVAL"):
        page.screenshot(path=os.environ["PICTURE_APPROVAL"])
    card.get_by_role("button", name="Approve").click()
    page.get_by_test_id("confirm-yes").click()
    expect(card).to_contain_text("approved, to be paid", timeout=SECONDS)
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)


def test_reminders_are_sent_from_their_card_and_read_on_the_page_of_mail(page: Page) -> None:
    page.get_by_test_id("panes-1").click()
    clerk = page.get_by_test_id("pane-0")
    card = clerk.get_by_test_id("message").filter(has_text="Reminders for")
    expect(card).to_contain_text("a promise was broken", timeout=SECONDS)
    if os.environ.get("PICTURE_REMINDERS"):
        page.set_viewport_size({"width": 980, "height": 1000})
        card.scroll_into_view_if_needed()
        page.screenshot(path=os.environ["PICTURE_REMINDERS"])
    card.get_by_role("button", name="Send now").click()
    page.get_by_test_id("confirm-yes").click()
    expect(card).to_contain_text("being sent", timeout=SECONDS)
    clerk.get_by_test_id("mail").click()
    letters = page.locator("details")
    for _ in range(SECONDS // 200):
        if letters.count() > 1:
            break
        page.wait_for_timeout(200)
        page.reload()
    first = letters.last
    code = str(first.locator("summary span").text_content()).removeprefix("accounts@").removesuffix(".example").upper()
    first.locator("summary").click()
    expect(first).to_contain_text("Example Bank")
    if os.environ.get("PICTURE_MAIL"):
        page.screenshot(path=os.environ["PICTURE_MAIL"])
    paper = first.get_by_role("link", name=f"statement-{code}")
    read = text_of(page.request.get(f"{page.url}/{str(paper.get_attribute('href')).removeprefix('/mail/')}").body())
    assert f"Customer {code}" in read
    assert all(number in read for number in re.findall(r"INV-\d+", str(first.locator("pre").text_content())))
    first.get_by_role("button", name="Bounce this").click()
    expect(letters.filter(has_text="came back").locator("summary")).to_contain_text(f"accounts@{code.lower()}.example")
    page.get_by_role("link", name="Back to the workspace").click()
    told = page.get_by_test_id("pane-0").get_by_test_id("message").filter(has_text="came back")
    expect(told.first).to_be_attached(timeout=SECONDS)


def _open_invoice(book: Path, units: int) -> str:
    with sqlite3.connect(f"file:{book}?mode=ro", uri=True) as connection:
        found = connection.execute(
            """SELECT i.number FROM invoice i JOIN customer c ON c.id = i.customer_id
            WHERE c.code = 'ACME' AND i.total_micros = ? AND i.open_micros = i.total_micros""",
            (units * 1_000_000,),
        ).fetchone()
    connection.close()
    return str(found[0])


def _left(book: Path, number: str) -> int:
    connection = sqlite3.connect(f"file:{book}?mode=ro", uri=True)
    found = connection.execute("SELECT open_micros FROM invoice WHERE number = ?", (number,)).fetchone()
    connection.close()
    return int(found[0])
