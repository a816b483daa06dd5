"""The pictures of files in the documents, drawn anew: `python -m tests.pictures`; needs Debian's chromium.

A PDF is drawn as a viewer does. A spreadsheet is read cell by cell and drawn as a table, with the formats, alignments
and widths that a spreadsheet program would take from it.
"""

import base64
import html
import shutil
import tempfile
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from fpdf import FPDF
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from playwright.sync_api import sync_playwright
from pypdfium2 import PdfDocument

from bot.documents.render import Job, make
from bot.documents.reports import Asked
from bot.documents.typefaces import embed, japanese
from bot.domain.credit_note import ApproveNote, DraftNote, ReasonCode
from bot.domain.credit_notes import approve_note, draft_note
from bot.domain.customers import Customer, Mode, NewCustomer, new_customer
from bot.domain.invoices import DraftInvoice, LineInput, draft_invoice
from bot.domain.open_items import Invoice
from bot.domain.settings import ChangeSetting, change_setting
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.world import MANAGER, OWNER, SGD, World, money

IMAGES = Path(__file__).parent.parent / "docs" / "images"
PIXELS = 7  # of a character in a column's width
QUESTION = {"basis": "due", "edges": [30, 60, 90], "customer": None, "currency": None}
STYLE = """
body { margin: 12px; font: 12px Main, CJK, sans-serif; background: white }
table { border-collapse: collapse; table-layout: fixed }
td, th { border: 1px solid #d8d8d8; padding: 2px 5px; overflow: hidden; white-space: nowrap; height: 16px }
th { background: #eee; font-weight: normal; color: #666; text-align: center }
td { text-align: left } td.bold { font-weight: bold } td.right { text-align: right } td.shade { background: #f2f2f2 }
td.open { overflow: visible } td.wrap { white-space: normal; vertical-align: top }
"""


def company(world: World) -> tuple[Invoice, int]:
    """A few customers in several scripts, with debts of all ages."""
    world.do(change_setting, ChangeSetting(name="company", value="Lion City Trading Pte Ltd"), by=OWNER)
    world.do(change_setting, ChangeSetting(name="zone", value="Asia/Singapore"), by=OWNER)
    names = ("Acme Pte Ltd", "ร้านกาแฟสุขใจ จำกัด", "株式会社ひかり", "=1+1 Foods", "مؤسسة النور للتجارة")
    debts = ((1200, 40, 310), (89, 1415), (2040,), (990, 120), (60, 75))
    for place, (name, amounts) in enumerate(zip(names, debts, strict=True)):
        customer = opened(world, f"C{place + 1:03}", name)
        for index, amount in enumerate(amounts):
            world.invoice(customer, amount, issued=-45 * (index + place), due=-45 * (index + place) + 30, tax="9")
    world.pay("25.50", customer)
    world.pay(80)
    shown = opened(world, "BORNEO", "Borneo Foods Sdn Bhd · 國際貿易有限公司")
    lines = (
        LineInput(
            description="Consulting, November", unit_price=money("1250.00"), quantity=Decimal(3), tax_rate=Decimal(9)
        ),
        LineInput(description="Travel to Kuching, as agreed", unit_price=money("412.80"), tax_rate=Decimal(0)),
        LineInput(
            description="การฝึกอบรมพนักงาน (training)",
            unit_price=money("96.50"),
            quantity=Decimal("7.5"),
            tax_rate=Decimal(9),
        ),
    )
    drafted = DraftInvoice(
        customer_id=shown.id,
        lines=lines,
        issue_on=world.day(-9),
        remark="Please quote the number when you pay.",
        send=True,
    )
    invoice = world.do(draft_invoice, drafted).invoice
    return invoice, world.pay(2000, shown, to=((invoice, None),), reference="TT-881").payment.id


def account(world: World) -> Customer:
    """A customer with a month behind it: invoices, payments, a note, credit, a withdrawal."""
    shown = opened(world, "KOPI", "ร้านกาแฟสุขใจ จำกัด · Kopi & Co")
    for issued, amount in ((-75, 640), (-48, 1280), (-20, 415)):
        world.invoice(shown, amount, issued=issued, due=issued + 30, tax="9", auto=False)
    invoice = world.invoice(shown, 96, issued=-12, due=18, tax="9", auto=False)
    world.pay("697.60", shown, received=-41, reference="TT-7701")
    world.pay(900, shown, received=-6, reference="مؤسسة 7742", to=((invoice, None),))
    drafted = DraftNote(
        customer_id=shown.id,
        issue_on=world.today,
        code=ReasonCode.RETURNED,
        reason="",
        lines=(LineInput(description="Beans", unit_price=money(40), tax_rate=Decimal(9)),),
    )
    note = world.do(draft_note, drafted).note
    world.do(approve_note, ApproveNote(note_id=note.id), by=MANAGER)
    return shown


def opened(world: World, code: str, name: str) -> Customer:
    return world.do(new_customer, NewCustomer(code=code, name=name, currency=SGD, mode=Mode.POSTPAID)).customer


def drawn_pdf(path: Path, to: Path) -> None:
    opened_file = PdfDocument(path)
    image = opened_file[0].render(scale=1.3).to_pil().convert("L")
    image.crop((0, 0, image.width, round(image.height * 0.72))).save(to, optimize=True)
    opened_file.close()


def drawn_sheet(path: Path, to: Path) -> None:
    sheet = load_workbook(path).worksheets[0]
    letters = [get_column_letter(place) for place in range(1, sheet.max_column + 1)]
    widths = "".join(f'<col style="width:{sheet.column_dimensions[each].width * PIXELS:.0f}px">' for each in letters)
    head = "".join(f"<th>{each}</th>" for each in letters)
    rows = "".join(f"<tr><th>{row[0].row}</th>{''.join(map(drawn_cell, row))}</tr>" for row in sheet.iter_rows())
    total = sum(sheet.column_dimensions[each].width * PIXELS for each in letters) + 34
    page = f'<table style="width:{total:.0f}px"><col style="width:34px">{widths}<tr><th></th>{head}</tr>{rows}</table>'
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": int(total) + 40, "height": 400})
        view.set_content(f'<meta charset="utf-8"><style>{typefaces(path.parent)}{STYLE}</style>{page}')
        view.screenshot(path=to, full_page=True)
        browser.close()


def typefaces(folder: Path) -> str:
    """The fonts of the PDF files, for the browser."""
    embed(FPDF(), folder)
    files = (
        ("Main", "normal", folder / "main.ttf"),
        ("Main", "bold", folder / "bold.ttf"),
        ("CJK", "normal", japanese()),
    )
    faces = [
        f"@font-face {{ font-family: {family}; font-weight: {weight};"
        f" src: url(data:font/ttf;base64,{base64.b64encode(file.read_bytes()).decode()}) }}"
        for family, weight, file in files
    ]
    return "\n".join(faces)


def drawn_cell(cell: Any) -> str:
    looks = ["bold"] if cell.font.b else []
    if (cell.data_type == "n" and cell.value is not None) or cell.alignment.horizontal == "right":
        looks.append("right")
    if cell.fill.fgColor.rgb == "FFF2F2F2":
        looks.append("shade")
    if cell.alignment.wrap_text:
        looks.append("wrap")
    if cell.row < 3:
        looks.append("open")
    return f'<td dir="auto" class="{" ".join(looks)}">{html.escape(spelled(cell))}</td>'


def spelled(cell: Any) -> str:
    match cell.value:
        case None:
            return ""
        case datetime() | date() as day:
            return f"{day:%Y-%m-%d}"
        case float() | int() as number:
            return f"{number:,.2f}" if number else "–"
    return str(cell.value)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        library = Library(f"sqlite:///{folder / 'book.db'}")
        store = Store.open(library)
        store.upgrade()
        world = World(store)
        invoice, _ = company(world)

        def made(kind: str, form: str, question: dict[str, Any]) -> Path:
            asked = Asked(question, world.now, world.now)
            job = Job(kind=kind, format=form, asked=asked, reference="1b2c3d4e", folder=name)
            return Path(store.read(lambda books: make(books, job)).path)

        drawn_pdf(made("invoice", "pdf", {"id": str(invoice.id)}), IMAGES / "invoice-pdf.png")
        until = {"customer": str(account(world).id), "since": f"{world.day(-50)}", "until": f"{world.today}"}
        drawn_pdf(made("statement", "pdf", {**until, "kind": "activity"}), IMAGES / "statement-pdf.png")
        question = {**QUESTION, "as_of": world.today.isoformat()}
        drawn_sheet(made("ageing", "xlsx", question), IMAGES / "ageing-xlsx.png")
        library.close()


if __name__ == "__main__":
    main()
