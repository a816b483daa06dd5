"""Every fault of a file is named with its file, line and column, and nothing is written."""

# ruff: noqa: E501  # a table of faults has one in each line
from pathlib import Path

import pytest
from openpyxl import Workbook

from bot.domain.settings import ChangeSetting, change_setting
from tests.domain.expect import everything
from tests.intake.files import CUSTOMERS, bring_customers, bring_invoices, open_books, write_files
from tests.world import OWNER, World

HEAD = "number,customer,issued,description,unit_price,due,quantity,tax_rate,currency\n"
GOOD = "X-1,ACME,2026-10-01,Service,10,,,,\n"


def invoice(**changed: str) -> str:
    """A line of an invoice with some cells changed."""
    names = HEAD.strip().split(",")
    cells = {**dict(zip(names, GOOD.strip().split(","), strict=True)), **changed}
    return f"{HEAD}{','.join(cells[name] for name in names)}\n"


# What the file has, and what must be said of it.
INVOICES: dict[str, tuple[bytes | str, str]] = {
    "wrong header": (HEAD.replace("unit_price", "prise"), "line 1, column prise: there is no such column; the columns are"),
    "missing column": ("number,customer,issued,description\n", "line 1, column unit_price: this column is missing"),
    "column twice": (HEAD.replace("due", "number"), "line 1, column number: this column stands twice"),
    "bad date": (invoice(issued="2026-02-30"), "line 2, column issued: '2026-02-30' is no day; write it as 2026-11-03."),
    "ambiguous date": (invoice(issued="3/4"), "line 2, column issued: '3/4' can be two days"),
    "ambiguous with year": (invoice(due="03.04.2026"), "line 2, column due: '03.04.2026' can be two days"),
    "in the future": (invoice(issued="2027-01-01"), "line 2, column issued: 2027-01-01 lies in the future"),
    "due before issue": (invoice(due="2026-09-01"), "line 2, column due: 2026-09-01 lies before the issue date 2026-10-01."),
    "negative": (invoice(unit_price="-5"), "line 2, column unit_price: the amount is negative"),
    "negative as books write it": (invoice(unit_price="(5)"), "line 2, column unit_price: the amount is negative"),
    "commas": (HEAD + 'X-1,ACME,2026-10-01,S,"1,234.50",,,,\n', "column unit_price: '1,234.50' is no plain number"),
    "braces": (invoice(unit_price="{code}"), "line 2, column unit_price: '{code}' is no plain number"),
    "zero": (invoice(unit_price="0.00"), "line 2, column unit_price: the amount must be more than zero"),
    "seven decimals": (invoice(unit_price="1.2345678"), "line 2, column unit_price: SGD amounts have at most 6 decimals"),
    "other digits": (invoice(unit_price="١٢"), "line 2, column unit_price: '١٢' is no plain number"),
    "quantity": (invoice(quantity="0"), "line 2, column quantity: The quantity must be more than zero."),
    "tax": (invoice(tax_rate="101"), "line 2, column tax_rate: The tax rate goes from 0 to 100"),
    "unknown currency": (invoice(currency="ZZZ"), "line 2, column currency: ZZZ is not a currency code"),
    "not of the book": (invoice(currency="EUR"), "line 2, column currency: This book keeps SGD; an administrator adds EUR"),
    "unknown customer": (invoice(customer="NOBODY"), "line 2, column customer: there is no customer 'NOBODY' in the book"),
    "no number": (invoice(number=""), "line 2, column number: The number is empty"),
    "long number": (invoice(number="X" * 29), "line 2, column number: The number has 29 characters; keep it to 28."),
    "number like an id": (invoice(number="1" * 13), "line 2, column number: A number of digits alone"),
    "own series": (invoice(number="inv-17"), "line 2, column number: INV-17 looks like a number of this book's own"),
    "twice in the file": (HEAD + GOOD + GOOD, "line 3, column number: X-1 stands in line 2 already"),
    "in the book": (invoice(number="THERE-1"), "line 2, column number: THERE-1 is SGD 5.00 of ACME, issued 2026-10-01"),
    "not UTF-8": (HEAD.encode() + GOOD.replace("Service", "Caf\xe9").encode("latin-1"), "line 2, column description: this"),
    "UTF-16": (HEAD.encode("utf-16"), "line 1: this is not UTF-8 but UTF-16; save the file as CSV UTF-8."),
    "NUL": (invoice(description="a\x00b"), "line 2, column description: there is a NUL character; remove it."),
    "empty": (b"", "line 1: the file is empty; its first line names the columns"),
    "only a mark": (b"\xef\xbb\xbf\r\n", "line 1: the file is empty"),
    "too few cells": (HEAD + "X-1,ACME\n", "line 2, column issued: this line has 2 cells and the header has 9"),
    "too many cells": (HEAD + GOOD.strip() + ",5,6\n", "line 2, column currency: this line has 11 cells"),
    "an open quote": (HEAD + GOOD + 'X-2,"AC', "line 3: the quotes or line ends are wrong"),
    "old line ends": ((HEAD + GOOD).replace("\n", "\r"), "line 1: the quotes or line ends are wrong"),
    "one long line": (HEAD + "x" * 1_000_001, "line 2: this line is longer than 1,000,000 bytes"),
    "auto": (HEAD.replace("due", "auto_allocate") + GOOD.replace("10,", "10,perhaps"), "column auto_allocate: 'perhaps'"),
}  # fmt: skip
CUSTOMER_FAULTS: dict[str, tuple[str, str]] = {
    "three decimals": (CUSTOMERS.replace("5000", "5000.123"), "line 2, column limit: SGD amounts have at most 2 decimals"),
    "no name": (CUSTOMERS.replace("Acme Pte Ltd", " "), "line 2, column name: The name is empty"),
    "mode": (CUSTOMERS.replace("prepaid", "sometimes"), "line 3, column mode: 'sometimes' is none of prepaid, postpaid"),
    "code": (CUSTOMERS.replace("BETA", "BE TA"), "line 3, column code: A code has letters"),
    "twice": (CUSTOMERS.replace("BETA", "acme"), "line 3, column code: ACME stands in line 2 already"),
    "e-mail": (CUSTOMERS.replace("ann@acme.example", "ann"), "line 2, column email: This is not an e-mail address"),
    "not of the book": (CUSTOMERS.replace("JPY", "EUR"), "line 4, column currency: This book keeps SGD, JPY"),
    "another name": (CUSTOMERS.replace("BETA", "THERE"), "line 3, column name: THERE has THERE Pte Ltd in the book and"),
    "wallet": ("code,name,currency,mode,wallet_id\nA,A,SGD,prepaid,w1\nB,B,SGD,prepaid,W1\n", "line 3, column wallet_id"),
    "contacts": ("code,name,currency,mode,more_contacts\nA,A,SGD,prepaid,x\n", "line 2, column more_contacts: write"),
}  # fmt: skip


def test_each_fault_of_invoices_is_named_and_nothing_written(world: World, tmp_path: Path) -> None:
    world.customer()
    path = tmp_path / "file.csv"
    path.write_text(invoice(number="THERE-1", unit_price="5"), encoding="utf-8")
    assert bring_invoices(world, path).said == ["1 lines: 1 invoices written."]
    before = everything(world)
    for name, (content, says) in INVOICES.items():
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = bring_invoices(world, path)
        assert any(each.startswith("file.csv, line ") and says in each for each in done.faults), (name, done)
        assert done.faults[-1].endswith("nothing was written."), name
        assert done.said == [], name
    assert everything(world) == before


def test_each_fault_of_customers_is_named_and_nothing_written(world: World, tmp_path: Path) -> None:
    world.keep("JPY")
    world.customer("THERE")
    before = everything(world)
    path = tmp_path / "customers.csv"
    for name, (content, says) in CUSTOMER_FAULTS.items():
        path.write_text(content, encoding="utf-8")
        done = bring_customers(world, path)
        assert any(each.startswith("customers.csv, line ") and says in each for each in done.faults), (name, done)
    assert any("directory; name a CSV" in each for each in bring_customers(world, tmp_path).faults)
    assert any("cannot be read: No such" in each for each in bring_customers(world, tmp_path / "none.csv").faults)
    (tmp_path / "x.xlsx").write_bytes(b"PK no sheet")
    assert any("no XLSX file that can be read" in each for each in bring_customers(world, tmp_path / "x.xlsx").faults)
    assert everything(world) == before


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_hundred_faults_are_shown_and_the_rest_counted(world: World, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text(HEAD + "".join(f"X-{n},NOBODY,2026-10-01,S,1,,,,\n" for n in range(2345)), encoding="utf-8")
    faults = bring_invoices(world, path).faults
    assert len(faults) == 102
    assert faults[-2:] == ["... and 2,245 more.", "2,345 faults; nothing was written."]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_formula_in_a_sheet_is_a_fault_with_its_cell(world: World, tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["code", "name", "currency", "mode"])  # type: ignore[union-attr]
    book.active.append(["A", "=1+1", "SGD", "prepaid"])  # type: ignore[union-attr]
    book.save(tmp_path / "a.xlsx")
    assert (
        "a.xlsx, line 2, column B2: there is a formula; write its value."
        in bring_customers(world, tmp_path / "a.xlsx").faults
    )


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_file_is_read_however_it_was_saved(
    world: World, tmp_path: Path, delimiter: str, ends: str, mark: str
) -> None:
    lines = ["Name,MODE,Due Days,code,currency", '"Zoë\n""Quote"" Ltd",Prepaid,,zoe,sgd', "", "Ann,postpaid,14,ann,SGD"]
    text = ends.join(lines).replace(",", delimiter)
    path = tmp_path / "c.csv"
    path.write_bytes(f"{mark}{text}".encode())
    assert bring_customers(world, path).said == ["2 lines: 2 customers opened, 0 corrected."]
    found = world.store.read(lambda books: {each.code: each for each in books.find_customers("", 10)})
    assert found["ZOE"].name == 'Zoë\n"Quote" Ltd'
    assert (found["ANN"].due_days, found["ANN"].mode.value) == (14, "postpaid")
    again = everything(world)
    assert bring_customers(world, path).said == ["2 lines: all of them are in the book already. Nothing was changed."]
    assert everything(world) == again
    world.check()


@pytest.mark.rule(115)
def test_customers_come_in_with_one_audit_row_and_other_contacts_are_corrected(world: World, tmp_path: Path) -> None:
    world.keep("JPY")
    folder = write_files(tmp_path / "in")
    path = folder / "customers.csv"
    assert "dry run" in bring_customers(world, path, dry_run=True).said[0]
    assert bring_customers(world, path).said == ["3 lines: 3 customers opened, 0 corrected."]
    path.write_text(CUSTOMERS.replace("ann@acme.example", "bob@acme.example"), encoding="utf-8")
    assert bring_customers(world, path).said == ["3 lines: 0 customers opened, 1 corrected."]
    found = world.store.read(lambda books: books.customer_file(books.find_customers("ACME")[0].id, world.today))
    assert [each.email for each in found.contacts] == ["bob@acme.example"]
    assert found.customer.limit_micros == 5_000_000_000
    world.check()


@pytest.mark.rules(23, 102, 104)
def test_invoices_come_in_priced_like_the_forms_and_credit_pays_them(world: World, tmp_path: Path) -> None:
    customer = world.customer()
    world.customer("BETA")
    world.pay("8", customer)
    path = tmp_path / "i.csv"
    lines = ["X-1,acme,2026-10-01,Service,3.333,,3,9,SGD", "X-2,BETA,2026-10-02,Other,5,2026-10-30,,,"]
    path.write_text(HEAD + "\n".join(lines), encoding="utf-8")
    assert bring_invoices(world, path).said == ["2 lines: 2 invoices written."]
    first, second = world.store.read(lambda books: (books.invoice("X-1"), books.invoice("X-2")))
    assert first is not None
    assert second is not None
    assert (str(first.net), str(first.tax), str(first.open)) == ("SGD 10.00", "SGD 0.90", "SGD 2.90")
    assert (first.due_on.isoformat(), second.due_on.isoformat()) == ("2026-10-31", "2026-10-30")
    before = everything(world)
    assert bring_invoices(world, path).said == ["2 lines: all of them are in the book already. Nothing was changed."]
    assert everything(world) == before
    assert world.invoice(customer, 1).number == "INV-0001"
    world.check()


def test_a_day_that_is_locked_takes_no_opening(world: World, tmp_path: Path) -> None:
    world.do(change_setting, ChangeSetting(name="hard_lock", value="2026-11-10"), by=OWNER)
    before = everything(world)
    with pytest.raises(Exception, match="first open day is 2026-11-11"):
        open_books(world, write_files(tmp_path / "old"))
    assert everything(world) == before
