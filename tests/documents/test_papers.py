"""Invoices and receipts on paper: what stands there, in which script, on how many pages, and the same each time."""

import hashlib
import re
import unicodedata
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument

from bot.documents.paper import Document, Grid, write_pdf
from bot.documents.papers import PAPERS
from bot.documents.reports import Asked
from bot.domain.customers import Mode, NewCustomer, new_customer
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.payments import VoidPayment, void_payment
from bot.domain.settings import ChangeSetting, change_setting
from tests.world import OWNER, SGD, START, World, money

NAMES = {
    "latin": "Škoda Ærø Łódź GmbH",
    "thai": "ร้านกาแฟสุขใจ จำกัด",
    "chinese": "國際貿易有限公司",
    "japanese": "株式会社ひかり カフェ",
    "arabic": "مؤسسة النور للتجارة",
    "hebrew": "שלום בע״מ",
    "cyrillic": "Київ Хліб",
}
pytestmark = pytest.mark.parametrize("engine_name", ["sqlite"])


def asked(world: World, document_id: int) -> Asked:
    return Asked({"id": str(document_id)}, world.now, world.now)


def paper(world: World, kind: str, document_id: int) -> Document:
    return world.store.read(lambda books: PAPERS[kind](books, asked(world, document_id)))


def pages(document: Document, folder: Path) -> list[str]:
    """The text of each page, as a viewer finds it."""
    path = folder / f"{document.name}.pdf"
    write_pdf(document, path)
    opened = PdfDocument(path)
    texts = []
    for page in opened:
        text = page.get_textpage()
        texts.append(text.get_text_range().replace("\r\n", "\n"))
        text.close()
        page.close()
    opened.close()
    return texts


def letters(text: str) -> Counter[str]:
    """The letters of a text in any order: marks and what is read from the right lie where they are drawn."""
    return Counter(re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).replace("\u0e33", "\u0e4d\u0e32"))


def test_names_are_on_the_paper_in_their_own_scripts(world: World, tmp_path: Path) -> None:
    lines = tuple(LineInput(description=name, unit_price=money(1)) for name in NAMES.values())
    drafted = DraftInvoice(
        customer_id=world.customer(name=NAMES["japanese"]).id, lines=lines, issue_on=world.today, send=True
    )
    (text,) = pages(paper(world, "invoice", world.do(draft_invoice, drafted).invoice.id), tmp_path)
    assert "[U+" not in text
    assert NAMES["japanese"] in text[: text.index("Customer ACME")]
    for script, name in NAMES.items():
        if script == "thai":
            assert letters(name) <= letters(text)
        elif script in {"arabic", "hebrew"}:
            assert [word for word in name.split() if word not in text] == []
        else:
            assert name in text


def test_a_letter_that_no_font_has_is_shown_by_its_code(world: World, tmp_path: Path) -> None:
    customer = world.customer(name="한국 🙂 {nb} **x**\u202eevil\u202c")
    (text,) = pages(paper(world, "invoice", world.invoice(customer, 10).id), tmp_path)
    assert "[U+D55C][U+AD6D] [U+1F642] {nb} **x**evil" in " ".join(text.split())


@pytest.mark.rules(91, 103, 104)
def test_an_invoice_says_what_is_owed_for_what_and_what_is_paid(world: World, tmp_path: Path) -> None:
    world.do(change_setting, ChangeSetting(name="company", value="Lion City Pte Ltd"), by=OWNER)
    world.do(change_setting, ChangeSetting(name="locale", value="de"), by=OWNER)
    customer = world.do(
        new_customer,
        NewCustomer(
            code="ACME", name="Acme", currency=SGD, mode=Mode.POSTPAID, billing_name="Acme Holding", country="SG"
        ),
    ).customer
    lines = (
        LineInput(description="Consulting", unit_price=money("1234.50"), quantity=Decimal(2), tax_rate=Decimal(9)),
        LineInput(description="Travel", unit_price=money("0.005"), quantity=Decimal("1.5"), tax_rate=Decimal(0)),
        LineInput(description="Books", unit_price=money(100), tax_rate=Decimal(9)),
    )
    drafted = DraftInvoice(customer_id=customer.id, lines=lines, issue_on=world.today, remark="Thank you", send=True)
    invoice = world.do(draft_invoice, drafted).invoice
    world.pay(800, customer, to=((invoice, None),))
    (text,) = pages(paper(world, "invoice", invoice.id), tmp_path)
    flat = " ".join(text.split())
    for wanted in (
        "Lion City Pte Ltd Tax invoice INV-0001",
        "Acme Holding Acme Customer ACME SG",
        "Issue date 23 Nov. 2026",
        "Due date 23 Dez. 2026",
        "Payment terms 30 days from issue",
        "Consulting 2 1.234,50 9 % 2.469,00 222,21",
        "Travel 1,5 0,005 0 % 0,01 0,00",
        "Net at 9 % SGD 2.569,00",
        "Tax at 9 % SGD 231,21",
        "Net at 0 % SGD 0,01",
        "Total net SGD 2.569,01",
        "Total tax SGD 231,21",
        "Total SGD 2.800,22",
        "Paid until 23 Nov. 2026 SGD 800,00",
        "Open SGD 2.000,22",
        "PAY-0001 23 Nov. 2026 SGD 800,00",
        "Thank you",
        "1 of 1",
    ):
        assert wanted in flat, (wanted, flat)
    assert "DRAFT" not in flat


@pytest.mark.rule(92)
def test_a_draft_is_marked_on_every_page_and_has_no_number(world: World, tmp_path: Path) -> None:
    lines = tuple(LineInput(description=f"Line {number}", unit_price=money(1)) for number in range(60))
    drafted = DraftInvoice(customer_id=world.customer().id, lines=lines, issue_on=world.today)
    invoice = world.do(draft_invoice, drafted).invoice
    texts = pages(paper(world, "invoice", invoice.id), tmp_path)
    assert len(texts) > 1
    for text in texts:
        assert text.count("DRAFT") >= 2
    assert "INV-" not in "".join(texts)
    assert "Open" not in texts[-1]
    assert f"Draft {invoice.draft_reference}" in texts[0]


def test_a_long_invoice_goes_on_with_its_headings_and_numbered_pages(engine_name: str, tmp_path: Path) -> None:
    assert engine_name
    lines = [(f"Line {number} {'long ' * 60 * (number % 40 == 7)}", "1", "2.00") for number in range(200)]
    document = Document(
        name="x",
        title="Tax invoice",
        number="INV-0001",
        company="Company " * 15,
        party=["Name " * 40],
        party_label="Bill to",
        facts=[("Issue date", "today")],
        body=[Grid(("Description", "Quantity", "Price"), lines, (5, 1, 1), frozenset({1, 2}))],
        dated=START,
    )
    texts = pages(document, tmp_path)
    assert len(texts) > 5
    for number, text in enumerate(texts, start=1):
        assert f"{number} of {len(texts)}" in text
        assert "Description Quantity Price" in text
        assert number == 1 or "Tax invoice INV-0001" in text
    assert re.findall(r"Line (\d+) ", "\n".join(texts)) == [str(number) for number in range(200)]


def test_a_receipt_says_what_it_paid_and_what_is_left(world: World, tmp_path: Path) -> None:
    customer = world.customer()
    one, two = world.invoice(customer, 300), world.invoice(customer, 500)
    made = world.pay(1000, customer, to=((one, 300), (two, 200)), reference="TT-881")
    (text,) = pages(paper(world, "receipt", made.payment.id), tmp_path)
    flat = " ".join(text.split())
    for wanted in (
        "Payment receipt PAY-0001",
        "Received from ACME Pte Ltd Customer ACME",
        "Received on 23 Nov 2026",
        "Method bank transfer",
        "Reference TT-881",
        "INV-0001 23 Nov 2026 SGD 300.00 SGD 300.00",
        "INV-0002 23 Nov 2026 SGD 500.00 SGD 500.00",
        "Received SGD 1,000.00",
        "Applied until 23 Nov 2026 SGD 800.00",
        "Left unapplied SGD 200.00",
    ):
        assert wanted in flat, (wanted, flat)


def test_a_void_payment_is_marked_and_pays_nothing(world: World, tmp_path: Path) -> None:
    payment = world.pay(500).payment
    (before,) = pages(paper(world, "receipt", payment.id), tmp_path)
    assert "not assigned to a customer yet" in before
    assert "VOID" not in before
    world.do(void_payment, VoidPayment(payment_id=payment.id, reason="twice"))
    (text,) = pages(paper(world, "receipt", payment.id), tmp_path)
    assert text.count("VOID") == 2
    assert "voided on 23 Nov 2026 and pays nothing" in " ".join(text.split())
    assert "Left unapplied" not in text


def test_the_same_document_is_the_same_file_and_tells_nothing_of_the_machine(world: World, tmp_path: Path) -> None:
    invoice = world.invoice(world.customer(name="Thai ร้าน 株式会社"), 10)
    digests = set()
    for name in ("a", "b"):
        world.now += timedelta(minutes=5)
        folder = tmp_path / name
        folder.mkdir()
        write_pdf(paper(world, "invoice", invoice.id), folder / "x.pdf")
        digests.add(hashlib.sha256((folder / "x.pdf").read_bytes()).hexdigest())
    assert len(digests) == 1
    opened = PdfDocument(tmp_path / "a" / "x.pdf")
    kept = opened.get_metadata_dict(skip_empty=True)
    opened.close()
    assert kept == {
        "Title": "Tax invoice INV-0001",
        "Creator": "Duedesk",
        "Producer": "Duedesk",
        "CreationDate": "D:20261123120000Z",
    }
