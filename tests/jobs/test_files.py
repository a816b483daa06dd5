"""Files that somebody asked for: whole, adding up, and only for who may read them when they are sent."""

import csv
import io
import json
import os
import signal
import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdfium2 import PdfDocument
from sqlalchemy import text

from bot.documents.inert import restore
from bot.documents.papers import PAPERS
from bot.documents.sheets import HEADER
from bot.domain.credit_note import DraftNote, ReasonCode
from bot.domain.credit_notes import draft_note
from bot.domain.credits import IssueCredit, Purpose, issue_credit
from bot.domain.invoices import LineInput
from bot.domain.people import Profile, Revoke, revoke
from bot.domain.receivables import AgeingQuestion, Basis
from bot.handlers.files import READERS
from bot.storage.outbox import Outbox
from sandbox.client import NotThere, shown
from sandbox.state import File
from tests.domain.credit_stages import credited_by_notes
from tests.slack import NOBODY, Slack
from tests.world import CLERK, MANAGER, OWNER, START, TEAM, VIEWER, money, withdraw


def sent_to(slack: Slack, user: str) -> list[File]:
    """The files that a person got by direct message."""
    try:
        messages = slack.person(user).messages(f"D{user[1:]}")
    except NotThere:
        return []
    return [slack.sandbox.workspace.files[each["id"]] for message in messages for each in message.get("files", ())]


def files_of(slack: Slack, user: str) -> list[list[list[str]]]:
    """The CSV files that a person got, as rows."""
    sheets = [each for each in sent_to(slack, user) if each.name.endswith(".csv")]
    contents = [(each.content or b"").decode("utf-8-sig") for each in sheets]
    return [list(csv.reader(io.StringIO(content, newline=""))) for content in contents]


def sheet_of(slack: Slack, user: str) -> tuple[list[str], list[list[Any]]]:
    """The headings and rows of the newest XLSX file that a person got."""
    book = load_workbook(io.BytesIO(sent_to(slack, user)[-1].content or b""), read_only=True)
    headings, *rows = map(list, book.worksheets[0].iter_rows(min_row=HEADER + 1, values_only=True))
    return [str(each) for each in headings], rows


@pytest.mark.rules(82, 83)
def test_the_invoices_of_each_customer_stand_below_it_and_add_up_to_it(slack: Slack) -> None:
    for code, amounts in (("ACME", (10, 20, 30)), ("BRAVO", (5,)), ("CITO", ())):
        customer = slack.world.customer(code)
        for index, amount in enumerate(amounts):
            slack.world.invoice(customer, amount, issued=-40 * index)
    slack.type("/aging csv")
    slack.deliver()
    headers, *rows = files_of(slack, CLERK)[0]
    total = headers.index("total")
    assert [row[1] for row in rows] == ["ACME"] * 4 + ["BRAVO"] * 2 + [""]
    behind: dict[str, Decimal] = {}
    for row in rows:
        if row[2]:
            behind[row[1]] = behind.get(row[1], Decimal(0)) + Decimal(row[total])
    of_customers = {row[1]: Decimal(row[total]) for row in rows if row[1] and not row[2]}
    assert behind == of_customers == {"ACME": Decimal(60), "BRAVO": Decimal(5)}
    assert [Decimal(row[total]) for row in rows if row[0] == "Total"] == [Decimal(65)]


@pytest.mark.rule(118)
def test_a_file_does_not_reach_somebody_whose_right_was_taken_away_meanwhile(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/aging csv", by=VIEWER)
    slack.type("/aging csv")
    slack.world.do(revoke, Revoke(profile=Profile(team=TEAM, user=VIEWER)), by=OWNER)
    slack.deliver()
    assert files_of(slack, VIEWER) == []
    assert len(files_of(slack, CLERK)) == 1
    slack.type("/duedesk audit csv", by=OWNER)
    slack.deliver()
    assert files_of(slack, OWNER)[0][0] == [
        "App",
        "Event",
        "Description",
        "Actor",
        "Affected Organization",
        "Datetime",
    ]


@pytest.mark.rules(79, 82, 84)
def test_the_figures_of_the_spreadsheet_are_those_of_the_report(slack: Slack) -> None:
    world = slack.world
    for code, of, amounts in (
        ("ACME", "SGD", ("10", "20", "30.55")),
        ("BRAVO", "JPY", ("500",)),
        ("CITO", "SGD", ("7",)),
    ):
        customer = world.customer(code, name=f"=1+1 {code}", of=of)
        for index, amount in enumerate(amounts):
            world.invoice(customer, amount, issued=-40 * index, due=-20 * index)
    world.pay(1000, customer)
    world.pay("12.34")
    slack.type("/aging by issue buckets 20,50 xlsx")
    slack.deliver()
    headings, rows = sheet_of(slack, CLERK)
    question = AgeingQuestion(as_of=world.today, basis=Basis.ISSUE, edges=(20, 50))
    report = world.store.read(lambda books: books.ageing(question))
    first = headings.index("current")
    assert headings[first:] == ["current", "1-20", "21-50", "over 50", "prepaid debt", "total", "unapplied credit"]
    wanted = {
        each.currency.code: [
            float(sums.decimal()) for sums in (*each.buckets, each.prepaid_debt, each.total, each.unapplied)
        ]
        for each in report.totals
    }
    assert {row[5]: row[first:] for row in rows if row[0] == "Total"} == wanted
    of_customers = {row[1]: row[headings.index("total")] for row in rows if row[1] and not row[2]}
    assert of_customers == {row.code: row.total_micros / 1_000_000 for row in report.rows}
    assert [(row[0], row[5], row[-1]) for row in rows[-1:]] == [("Payments not assigned yet", "SGD", 12.34)]


def test_a_file_is_offered_below_a_report_and_sent_to_the_one_who_pressed(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 10)
    slack.type("/aging as-of 2026-11-22 by issue", by=VIEWER)
    actor = slack.person(VIEWER)
    actor.press(actor.messages("finance")[-1], "As a file")
    assert "XLSX file is on its way to your direct messages" in actor.messages("finance")[-1]["text"]
    slack.deliver()
    (file,) = sent_to(slack, VIEWER)
    assert file.name.startswith("aged-receivables-2026-11-22-")
    assert file.name.endswith(".xlsx")
    assert sent_to(slack, CLERK) == []


@pytest.mark.rule(116)
def test_the_audit_log_is_a_spreadsheet_too_with_the_same_six_columns(slack: Slack) -> None:
    slack.world.customer(name="=HYPERLINK(1)")
    slack.world.now += timedelta(minutes=1)
    slack.type("/duedesk audit customer ACME xlsx", by=OWNER)
    slack.deliver()
    headings, rows = sheet_of(slack, OWNER)
    assert headings == ["App", "Event", "Description", "Actor", "Affected Organization", "Datetime"]
    assert [row[4] for row in rows] == ["=HYPERLINK(1) (ACME)"]
    assert rows[0][5] == START.replace(tzinfo=None)


def test_two_formats_at_once_are_refused(slack: Slack) -> None:
    assert "say the same thing" in slack.type("/aging csv xlsx")
    assert slack.count("outbox") == 0


def test_a_list_of_payments_is_a_file_by_the_same_filters(slack: Slack) -> None:
    acme = slack.world.customer("ACME", name='Acme, "the" Company')
    for number in range(25):
        slack.world.pay(10 + number, acme, reference=f"=TT-{number}")
    slack.world.pay(5)
    listed = slack.type("/payment list assigned acme", by=VIEWER)
    assert "There are more: as a file you get all of them" in listed
    slack.type("/payment list assigned acme csv", by=VIEWER)
    actor = slack.person(VIEWER)
    actor.press(next(each for each in actor.messages("finance") if "As a file" in shown(each)), "As a file")
    slack.deliver()
    ((headings, *rows),) = files_of(slack, VIEWER)
    assert len(rows) == 25
    place = {name: headings.index(name) for name in headings}
    assert {row[place["customer"]] for row in rows} == {'Acme, "the" Company'}
    assert {restore(row[place["reference"]]) for row in rows} == {f"=TT-{number}" for number in range(25)}
    assert sum(Decimal(row[place["amount"]]) for row in rows) == sum(range(10, 35))
    _, in_sheet = sheet_of(slack, VIEWER)
    assert [row[place["reference"]] for row in in_sheet] == [restore(row[place["reference"]]) for row in rows]


@pytest.mark.rule(13)
def test_a_list_of_invoices_is_a_file_by_the_same_filters(slack: Slack) -> None:
    acme, bravo = slack.world.customer("ACME"), slack.world.customer("BRAVO")
    slack.world.invoice(acme, 100, issued=-3, tax="9")
    slack.world.invoice(acme, 200)
    slack.world.invoice(bravo, 300)
    slack.world.pay(50, bravo)
    slack.type("/invoice list open acme xlsx")
    slack.type("/invoice list 2026-11-20 xlsx")
    slack.type("/invoice list partly xlsx")
    slack.deliver()
    found = []
    for file in sent_to(slack, CLERK):
        rows = (
            load_workbook(io.BytesIO(file.content or b"")).worksheets[0].iter_rows(min_row=HEADER + 2, values_only=True)
        )
        found.append([(row[0], row[2], row[5], *row[7:11]) for row in rows])
    first, second = ("INV-0001", "ACME"), ("INV-0002", "ACME")
    assert found == [
        [(*first, "awaiting payment", 100, 9, 109, 109), (*second, "awaiting payment", 200, 0, 200, 200)],
        [(*first, "awaiting payment", 100, 9, 109, 109)],
        [("INV-0003", "BRAVO", "partially paid", 300, 0, 300, 250)],
    ]


def test_a_file_of_nothing_is_refused_and_a_quoted_word_is_a_name(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer("CSVCO", name="Csv"), 10)
    assert "No payment matches" in slack.type("/payment list csv")
    assert "No invoice matches" in slack.type("/invoice list draft xlsx")
    assert "INV-0001" in slack.type('/invoice list "csv"')
    slack.deliver()
    assert sent_to(slack, CLERK) == []


def text_of(file: File) -> str:
    """What stands in a PDF file, in one line."""
    opened = PdfDocument(file.content)
    texts = []
    for page in opened:
        words = page.get_textpage()
        texts.append(words.get_text_range())
        words.close()
        page.close()
    opened.close()
    return " ".join(" ".join(texts).split())


def test_every_kind_of_paper_has_somebody_who_may_read_it() -> None:
    assert set(PAPERS) <= set(READERS)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_credit_note_comes_as_paper_by_its_menu(slack: Slack) -> None:
    credited_by_notes(slack.world)
    slack.person(VIEWER).press(slack.card("CN-0001"), "note_more", "PDF")
    slack.deliver()
    (note,) = sent_to(slack, VIEWER)
    assert "CN-0001" in text_of(note)


def test_an_invoice_and_a_receipt_come_as_paper_by_word_and_by_button(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.pay(60, acme, to=((slack.world.invoice(acme, 100), None),))
    assert "PDF file is on its way" in slack.type("/invoice show inv-0001 pdf", by=VIEWER)
    slack.deliver()
    actor = slack.person(VIEWER)
    actor.press(slack.card("Payment PAY-0001"), "payment_more", "Receipt")
    slack.deliver()
    invoice, receipt = sent_to(slack, VIEWER)
    assert (invoice.name[:17], receipt.name[:17]) == ("invoice-INV-0001-", "receipt-PAY-0001-")
    assert "Tax invoice INV-0001" in text_of(invoice)
    assert "Open SGD 40.00" in text_of(invoice)
    assert "Payment receipt PAY-0001" in text_of(receipt)
    assert sent_to(slack, CLERK) == []


@pytest.mark.parametrize("line", ["/invoice show INV-9999 pdf", "/payment show PAY-9999 pdf"])
def test_an_unknown_document_is_refused_in_words(slack: Slack, line: str) -> None:
    assert "There is no" in slack.type(line)
    assert slack.count("outbox") == 0


@pytest.mark.rule(118)
def test_somebody_without_a_right_gets_no_file_by_any_way(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    for line in ("/aging xlsx", "/payment list csv", "/invoice show INV-0001 pdf", "/duedesk audit xlsx"):
        assert "no access" in slack.type(line, by=NOBODY)
    assert "right of an administrator" in slack.type("/duedesk audit xlsx", by=VIEWER)
    slack.deliver()
    assert sent_to(slack, NOBODY) == sent_to(slack, VIEWER) == []


def due_again(slack: Slack) -> None:
    """The next try of what was put off, or whose worker was lost, without waiting for it."""
    slack.world.store.write(
        lambda connection: connection.execute(
            text("UPDATE outbox SET not_before = recorded_at, lease_until = NULL WHERE state = 'waiting'")
        )
    )


def in_flight(slack: Slack) -> bool:
    """Whether a worker has a row in hand."""
    held = text("SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND lease_owner IS NOT NULL AND attempts > 0")
    return bool(slack.world.store.database.read(lambda connection: connection.execute(held).scalar(), None))


def states(slack: Slack) -> dict[str, int]:
    return dict(Outbox(slack.world.store).counts())


def test_a_process_that_is_killed_half_way_is_begun_anew_and_the_file_comes_once(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging xlsx")
    slack.deliver()
    renderer = slack.duedesk.renderer
    (process,) = renderer.processes()
    slack.type("/aging csv")
    os.kill(process, signal.SIGSTOP)  # it has the file in hand and gets no further
    sending = threading.Thread(target=slack.duedesk.files.worker.run_once)
    sending.start()
    while not in_flight(slack):
        time.sleep(0.01)
    os.kill(process, signal.SIGKILL)
    sending.join()
    assert len(sent_to(slack, CLERK)) == 1
    assert states(slack)["waiting"] >= 1
    due_again(slack)
    slack.deliver()
    assert [each.name.rpartition(".")[2] for each in sent_to(slack, CLERK)] == ["xlsx", "csv"]
    assert process not in renderer.processes()


def test_a_file_whose_upload_was_not_noted_is_found_and_not_sent_again(
    slack: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging csv")
    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "done", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            slack.duedesk.files.worker.run_once()
    assert len(sent_to(slack, CLERK)) == 1
    assert states(slack)["waiting"] >= 1
    due_again(slack)
    slack.deliver()
    assert len(sent_to(slack, CLERK)) == 1
    assert "waiting" not in states(slack)


def test_a_file_comes_later_when_slack_does_not_answer_and_is_given_up_in_words_when_it_never_will(
    slack: Slack,
) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging csv")
    slack.sandbox.faults.add("files.getUploadURLExternal", "error", error="internal_error")
    slack.deliver()
    assert sent_to(slack, CLERK) == []
    due_again(slack)
    slack.deliver()
    assert len(sent_to(slack, CLERK)) == 1
    slack.type("/aging csv")
    slack.sandbox.faults.add("files.getUploadURLExternal", "error", error="storage_limit_reached")
    slack.deliver()
    assert states(slack)["failed"] == 1
    assert "could not be made or sent" in slack.clerk.messages(f"D{CLERK[1:]}")[-1]["text"]


def test_a_document_that_is_gone_when_its_file_is_made_is_told_in_words(slack: Slack) -> None:
    slack.world.customer()
    asked = {"file": "invoice", "format": "pdf", "question": {"id": "1"}, "asked_at": slack.world.now.isoformat()}
    to = json.dumps({"user": CLERK, "team": TEAM})
    outbox = Outbox(slack.world.store)
    slack.world.store.write(lambda connection: outbox.add_report(connection, payload=json.dumps(asked), destination=to))
    slack.deliver()
    assert slack.clerk.messages(f"D{CLERK[1:]}")[-1]["text"] == "There is no such invoice."
    assert "failed" not in states(slack)


def test_a_message_does_not_wait_for_a_file(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    slack.type("/aging csv")
    assert slack.duedesk.delivery.worker.run_once() == 2
    assert sent_to(slack, CLERK) == []


def test_lists_of_notes_withdrawals_and_credits_are_files_by_the_same_filters(slack: Slack) -> None:
    world = slack.world
    held = world.customer("HELD", name="=Held & Co")
    world.pay(100, held)
    gone = withdraw(world, held)
    credited = IssueCredit(customer_id=held.id, amount=money(7), purpose=Purpose.GOODWILL, remark="=Sorry")
    world.do(issue_credit, credited, by=MANAGER)
    line = LineInput(description="x", unit_price=money(20), tax_rate=Decimal(9))
    for code in (ReasonCode.DISCOUNT, ReasonCode.RETURNED):
        note = DraftNote(customer_id=held.id, issue_on=world.today, code=code, reason="", lines=(line,))
        world.do(draft_note, note)
    slack.type("/credit-note list draft held csv")
    slack.type("/withdraw list csv", by=VIEWER)
    slack.type("/credit list issue xlsx", by=VIEWER)
    assert "No withdrawal matches" in slack.type("/withdraw list paid csv")
    slack.deliver()
    ((headings, *notes),) = files_of(slack, CLERK)
    assert [row[headings.index("total")] for row in notes] == ["21.80", "21.80"]
    assert {restore(row[1]) for row in notes} == {"=Held & Co"}
    ((headings, *rows),) = files_of(slack, VIEWER)
    assert [(row[0], row[3], row[headings.index("amount")]) for row in rows] == [(gone.number, "approved", "40.00")]
    headings, issued = sheet_of(slack, VIEWER)
    assert [(row[3], row[4], row[7], row[9]) for row in issued] == [("issue", "goodwill", 7, "=Sorry")]
