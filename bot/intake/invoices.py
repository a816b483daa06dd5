"""Invoices that another system numbered and sent, from a file."""

from pathlib import Path

from bot.domain.customers import Customer, clean_text
from bot.domain.errors import Refused
from bot.domain.imported_invoices import ImportedInvoice, ImportInvoices, import_invoices
from bot.domain.intake import (
    BeginIntake,
    FinishIntake,
    IntakeKind,
    begin_intake,
    clean_number,
    finish_intake,
)
from bot.domain.invoices import LONGEST_DESCRIPTION, LineInput, price_lines
from bot.domain.open_items import Invoice
from bot.intake.cells import FINEST, Line, shown
from bot.intake.opening_lines import own_prefixes
from bot.intake.reader import Column, Row
from bot.intake.run import Run
from bot.storage.intake_reads import Known, known_invoices

INVOICES = "invoices"
COLUMNS = (
    Column("number", needed=True),
    Column("customer", needed=True),
    Column("issued", needed=True),
    Column("description", needed=True),
    Column("unit_price", needed=True),
    Column("due"),
    Column("quantity"),
    Column("tax_rate"),
    Column("currency"),
    Column("remark"),
    Column("auto_allocate"),
)


def bring(run: Run, path: Path, *, dry_run: bool) -> str:
    """Check a file of invoices and write it; what was done, in a sentence. Raises Stopped."""
    check(run, path)
    run.stop_if_wrong()
    count = run.spill.counts.get(INVOICES, 0)
    if dry_run:
        return f"{count:,} lines: {run.new:,} new invoices. Nothing was written: this was a dry run."
    if not run.new:
        return f"{count:,} lines: all of them are in the book already. Nothing was changed."
    return f"{count:,} lines: {write(run, path.name):,} invoices written."


def check(run: Run, path: Path) -> None:
    """Read the whole file; faults are collected, good lines kept for writing."""
    for rows in run.read(path, COLUMNS):
        owners = run.customers(_codes(rows))
        items = [_check_line(run, run.line(path.name, row), owners) for row in rows]
        numbers = [each.number for each in items if each is not None]
        there = run.desk.store.read(lambda books, numbers=numbers: known_invoices(books, numbers))  # type: ignore[misc]  # bound now
        for row, item in zip(rows, items, strict=True):
            if item is not None:
                _compare(run, run.line(path.name, row), item, owners, there)


def write(run: Run, name: str) -> int:
    """Write what was checked, a batch at a time; how many were new."""
    digest = run.spill.digest()
    begin = BeginIntake(kind=IntakeKind.INVOICES, name=f"{name[:40]} {digest[:12]}", digest=digest, as_of=run.today)
    intake = run.write(begin_intake, begin).intake
    assert intake is not None
    written = 0
    for rows in run.again(INVOICES):
        owners = run.customers(_codes(rows))
        items = [parse(run.line(INVOICES, row), owners) for row in rows]
        given = tuple(each for each in items if each is not None)
        written += run.write(import_invoices, ImportInvoices(intake_id=intake.id, invoices=given)).written
    run.write(finish_intake, FinishIntake(intake_id=intake.id))
    run.seal()
    return written


def parse(line: Line, owners: dict[str, Known]) -> ImportedInvoice | None:
    """A line as an invoice, or nothing with its faults told."""
    code = line.text("customer").strip().upper()
    known = owners.get(code)
    if known is None:
        line.fault("customer", f"there is no customer {shown(code)} in the book; import it first.")
    number = line.clean("number", lambda text: clean_number(text, own_prefixes(line)))
    issue_on, due_on = line.day("issued"), line.day("due", needed=False)
    quantity, tax_rate = line.number("quantity", "1"), line.number("tax_rate", "0")
    remark = line.clean("remark", lambda text: clean_text(text, "remark", LONGEST_DESCRIPTION))
    auto = line.answer("auto_allocate")
    price = None
    if known is not None:
        line.same_currency("currency", known.customer.currency)
        price = line.amount("unit_price", known.customer.currency, finest=FINEST)
    if issue_on is not None and due_on is not None and due_on < issue_on:
        line.fault("due", f"{due_on} lies before the issue date {issue_on}.")
    if line.is_wrong or number is None or issue_on is None or price is None or quantity is None or tax_rate is None:
        return None
    return ImportedInvoice(
        number=number,
        customer_code=code,
        issue_on=issue_on,
        due_on=due_on,
        line=LineInput(description=line.text("description"), unit_price=price, quantity=quantity, tax_rate=tax_rate),
        remark=remark or "",
        auto_allocate=auto,
    )


def _codes(rows: list[Row]) -> list[str]:
    return [row.cells["customer"].strip().upper() for row in rows]


def _check_line(run: Run, line: Line, owners: dict[str, Known]) -> ImportedInvoice | None:
    item = parse(line, owners)
    identity = line.text("number").strip().upper()
    before = run.spill.put(INVOICES, identity, line.row)
    if before is not None and identity:
        line.fault("number", f"{identity} stands in line {before} already; each invoice has one line.")
    if item is None:
        return None
    if item.issue_on > run.today:
        line.fault("issued", f"{item.issue_on} lies in the future; invoices are issued today or earlier.")
    _price(line, item, owners[item.customer_code].customer)
    return None if line.is_wrong else item


def _price(line: Line, item: ImportedInvoice, customer: Customer) -> None:
    """The line as the form prices it; what the form refuses is a fault."""
    try:
        (priced,) = price_lines((item.line,), customer.open_for_business())
    except Refused as refusal:
        named = next((each for each in ("quantity", "tax rate", "description") if each in refusal.sentence), "price")
        column = {"price": "unit_price", "tax rate": "tax_rate"}.get(named, named)
        line.fault("customer" if refusal.field == "customer" else column, refusal.sentence)
    else:
        if (priced.net + priced.tax).micros <= 0:
            line.fault("unit_price", "the total comes to nothing; it must be more than zero.")


def _compare(
    run: Run,
    line: Line,
    item: ImportedInvoice,
    owners: dict[str, Known],
    there: dict[str, tuple[Invoice, str]],
) -> None:
    """A number that is in the book already is the same invoice, or a fault that names both."""
    if item.number not in there:
        run.new += 1
        return
    invoice, code = there[item.number]
    (priced,) = price_lines((item.line,), owners[item.customer_code].customer)
    ours = _told(code, invoice.issue_on, invoice.total)
    theirs = _told(item.customer_code, item.issue_on, priced.net + priced.tax)
    if ours != theirs or (item.due_on is not None and item.due_on != invoice.due_on):
        line.fault("number", f"{item.number} is {ours}, due {invoice.due_on} in the book and {theirs} here.")


def _told(code: str, issue_on: object, amount: object) -> str:
    return f"{amount} of {code}, issued {issue_on}"
