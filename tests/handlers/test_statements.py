"""/statement as people use it: typed, filled in, from a card, as a file; what is odd is explained."""

import csv
import io
from decimal import Decimal

import pytest
from openpyxl import load_workbook

from bot.documents.inert import restore
from bot.documents.sheets import HEADER
from bot.domain.customers import Customer
from bot.domain.statements import StatementKind
from bot.handlers.statements import read_words
from sandbox.client import shown
from sandbox.validate import check_message
from tests.jobs.test_files import sent_to, text_of
from tests.slack import NOBODY, Slack
from tests.snapshots import check_golden
from tests.world import START, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])
TODAY = START.date()


@pytest.fixture
def book(slack: Slack) -> Slack:
    history(slack)
    return slack


def history(slack: Slack) -> Customer:
    """Two invoices, one of them late and one partly paid, and a payment that is not assigned any more."""
    world = slack.world
    acme = world.customer(name="Acme Pte Ltd")
    world.invoice(acme, 300, issued=-60, due=-30, auto=False)
    second = world.invoice(acme, "120.50", issued=-20, due=10, tax="9", auto=False)
    world.pay(80, acme, received=-15, reference="TT-1", to=((second, 80),))
    world.pay(45, acme, received=-2, reference="=TT-2")
    return acme


@ENGINE
@pytest.mark.parametrize("name", ["open", "activity"])
def test_a_statement_reads_as_reviewed(book: Slack, name: str) -> None:
    book.type(f"/statement Acme {name}", by=VIEWER)
    answer = book.person(VIEWER).ephemerals("finance")[-1]
    payload = {"text": answer["text"], "blocks": answer["blocks"]}
    assert check_message(payload) == []
    check_golden(f"answer_statement_{name}", payload)


@ENGINE
def test_an_ambiguous_name_is_asked_back_and_the_days_are_kept(book: Slack) -> None:
    for code in ("B1", "B2"):
        book.world.invoice(book.world.customer(code, name=f"Borneo {code}"), 10, issued=-40)
    assert "Which Borneo do you mean?" in book.type("/statement Borneo from 2026-11-01 to 2026-11-20", by=VIEWER)
    viewer = book.person(VIEWER)
    viewer.press(viewer.ephemerals("finance")[-1], "Borneo B2 · B2")
    assert "Activity 1 Nov 2026 to 20 Nov 2026 · Borneo B2" in viewer.ephemerals("finance")[-1]["text"]


@ENGINE
def test_the_form_asks_for_the_same_and_explains_what_is_odd(book: Slack) -> None:
    book.type("/statement")
    book.clerk.fill({"Customer": "ACME", "Show": "activity", "From": "2026-11-24"})
    assert "is after the last" in str(book.clerk.submit()["errors"])
    book.clerk.fill({"From": "2026-11-01"})
    assert book.clerk.submit()["ok"]
    assert "Closing balance" in shown(book.clerk.modal or {})


@ENGINE
def test_files_come_from_words_and_buttons_and_add_up(book: Slack) -> None:
    book.type("/statement Acme activity csv", by=VIEWER)
    book.type("/statement Acme", by=VIEWER)
    viewer = book.person(VIEWER)
    answer = viewer.ephemerals("finance")[-1]
    viewer.press(answer, "PDF")
    viewer.press(answer, "As a file")
    viewer.press(answer, "Activity")
    viewer.press(viewer.ephemerals("finance")[-1], "PDF")
    book.deliver()
    sheet, third, first, second = sorted(sent_to(book, VIEWER), key=lambda each: (each.name[-3:], each.id))[:4]
    rows = list(csv.DictReader(io.StringIO((sheet.content or b"").decode("utf-8-sig"), newline="")))
    moved = [(Decimal(row["debit"] or 0), Decimal(row["credit"] or 0)) for row in rows[1:-1]]
    assert Decimal(rows[0]["balance"]) + sum(debit - credit for debit, credit in moved) == Decimal(rows[-1]["balance"])
    assert [restore(row["reference"]) for row in rows if row["what"] == "Payment"] == ["TT-1", "=TT-2"]
    papers = {text_of(each).partition(" 23 Nov")[0]: text_of(each) for each in (first, second)}
    assert all("Statement of account" in each for each in papers.values())
    assert {"Open items at" in each for each in papers.values()} == {True, False}
    assert all("SGD 306.35 DR" in each for each in papers.values())
    assert all("This was made 2026-11-23 09:00 UTC; what came later" in each for each in papers.values())
    assert third.name.startswith("statement-ACME-2026-11-23-")
    sheet_rows = load_workbook(io.BytesIO(third.content or b"")).worksheets[0].iter_rows(values_only=True)
    headings, *lines = list(sheet_rows)[HEADER:]
    open_items = [Decimal(str(line[headings.index("open")])) for line in lines]
    assert sum(open_items[:-1]) == open_items[-1]


@ENGINE
def test_a_card_leads_to_the_statement_and_nobody_without_access_reads_one(book: Slack) -> None:
    book.type("/customer ACME", by=VIEWER)
    viewer = book.person(VIEWER)
    viewer.press(viewer.ephemerals("finance")[-1], "Statement")
    assert "Open items at 23 Nov 2026" in viewer.ephemerals("finance")[-1]["text"]
    assert "no access" in book.type("/statement Acme", by=NOBODY)
    assert "no access" in book.type("/statement Acme pdf", by=NOBODY)
    assert "needs the right of a clerk" in book.type("/statement Acme send", by=VIEWER)


@ENGINE
def test_more_than_an_answer_holds_is_told_and_comes_as_a_file(slack: Slack) -> None:
    acme = slack.world.customer()
    for number in range(25):
        slack.world.invoice(acme, 10 + number, issued=-number, auto=False)
    said = slack.type("/statement ACME")
    assert "other invoices SGD 60.00 · as a file you get all of them" in said
    said = slack.type("/statement ACME activity")
    assert "5 movements before these, from an opening balance of 0.00; as a file you get all" in said


@pytest.mark.parametrize(
    ("line", "name", "kind", "since", "until", "form"),
    [
        ("Acme", "Acme", "open", "2026-10-01", "2026-11-23", ""),
        ("Acme activity", "Acme", "activity", "2026-10-01", "2026-11-23", ""),
        ("Acme 2026-10-31", "Acme", "open", "2026-09-01", "2026-10-31", ""),
        ("Acme 2026-10-01 2026-10-31 pdf", "Acme", "activity", "2026-10-01", "2026-10-31", "pdf"),
        ("Acme from 3 nov", "Acme", "activity", "2026-11-03", "2026-11-23", ""),
        ("Acme as-of 2026-10-31 csv", "Acme", "open", "2026-09-01", "2026-10-31", "csv"),
        ("Acme from 1 oct to 31 oct open", "Acme", "open", "2026-10-01", "2026-10-31", ""),
        ("Acme activity from 1 oct", "Acme", "activity", "2026-10-01", "2026-11-23", ""),
        ("Open", "Open", "open", "2026-10-01", "2026-11-23", ""),
        ('"Trade from Open"', "Trade from Open", "open", "2026-10-01", "2026-11-23", ""),
    ],
)
def test_words_are_read(line: str, name: str, kind: str, since: str, until: str, form: str) -> None:
    read, question, asked = read_words(line, TODAY)
    assert (read, question.kind, asked) == (name, StatementKind(kind), form)
    assert (question.since.isoformat(), question.until.isoformat()) == (since, until)


@ENGINE
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("Acme to tomorrow", "for today or an earlier day"),
        ("Acme from 2026-11-20 to 2026-11-10", "is after the last"),
        ("Acme from nonsense", "is not a date"),
        ("Acme from 2026-01-01 2026-02-01", "is not a date"),
        ("Acme open from 1 nov activity", "one of them"),
        ("Nobodyatall", "No customer is called"),
        ("Acme csv pdf", "There is no Acme csv"),
    ],
)
def test_what_cannot_be_is_explained(book: Slack, line: str, says: str) -> None:
    assert says in book.type(f"/statement {line}", by=VIEWER)
