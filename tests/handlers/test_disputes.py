"""Disputes, promises and write-offs through signed payloads, by the people who may."""

import pytest

from sandbox.client import shown
from tests.handlers.test_from_message import form, said
from tests.slack import Slack
from tests.world import CLERK, MANAGER, OWNER, START, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A customer with a late invoice of 80.00 and one that is not due yet."""
    slack.sandbox.workspace.clock = START.timestamp
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.world.invoice(acme, 80, issued=-60, due=-41, auto=False)
    slack.world.invoice(acme, 120, auto=False)
    slack.type("/duedesk settings approvals_channel #approvals", by=OWNER)
    return slack


def test_a_viewer_disputes_an_invoice_and_everybody_sees_it_until_it_is_resolved(book: Slack) -> None:
    form_shown = book.type("/invoice dispute INV-0001 because Wrong *quantity*", by=VIEWER)
    assert "INV-0001  SGD 80.00 open is on hold: it stays owed and is not chased" in form_shown
    assert book.person(VIEWER).submit()["ok"]
    card = book.card("INV-0001")
    assert "awaiting payment, disputed" in card["text"]
    assert "Wrong *quantity*" in shown(card)
    assert "41 days late, disputed by" in book.type("/customer Acme", by=VIEWER)
    assert "INV-0001 ⚑" in book.type("/aging customer ACME", by=VIEWER)
    assert "INV-0001" in book.type("/invoice list disputed", by=VIEWER)
    assert "disputed already" in book.type("/invoice dispute INV-0001 because Again")
    book.type("/invoice dispute INV-0001 resolved because They agreed", by=VIEWER)
    assert book.person(VIEWER).submit()["ok"]
    assert "disputed" not in book.card("INV-0001")["text"]
    book.world.check()


@ENGINE
def test_a_promise_is_typed_shown_replaced_and_taken_back(book: Slack) -> None:
    assert "SGD 50.00 is promised by 28 Nov 2026" in book.type("/invoice promise INV-0001 50 by 28 nov", by=VIEWER)
    assert book.person(VIEWER).submit()["ok"]
    assert "Promise 50.00 by 28 Nov 2026" in shown(book.card("INV-0001"))
    book.type("/customer promise Acme 200 by 30 nov", by=VIEWER)
    assert book.person(VIEWER).submit()["ok"]
    card = book.type("/customer Acme", by=VIEWER)
    assert "Promise 50.00 by 28 Nov 2026 for INV-0001 (logged by" in card
    assert "Promise 200.00 by 30 Nov 2026 (logged by" in card
    assert "takes the place of SGD 50.00 by 28 Nov 2026" in book.type("/invoice promise INV-0001 by 29 nov", by=VIEWER)
    assert "taken back: SGD 200.00 by 2026-11-30" in book.type("/customer promise Acme cancelled", by=VIEWER)
    assert "has passed" in book.type("/invoice promise INV-0001 50 by 2026-11-01", by=VIEWER)
    book.world.check()


@ENGINE
@pytest.mark.parametrize(
    ("text", "amount", "day", "asked"),
    [
        ("Acme will pay SGD 80.00 for INV-0001 by 28 Nov", "80.00 SGD", "2026-11-28", ""),
        ("They promise $80 for INV-0001 on Friday", "80.00 SGD", "2026-11-27", ""),
        ("INV-0001: 80 SGD next week", "80.00 SGD", None, "next week is no single day"),
        ("INV-0001: SGD 50 or SGD 80 by 3/4", None, None, "can be"),
    ],
)
def test_a_message_fills_what_it_says_for_certain(
    book: Slack, text: str, amount: str | None, day: str | None, asked: str
) -> None:
    filled = form(book, said(book, text, by=MANAGER), by=VIEWER, shortcut="promise_from_message")
    assert (filled["Amount"], filled["Paid by"]) == (amount, day)
    assert (filled["Customer"], filled["Invoice"]) == ("Acme Pte Ltd · ACME", "INV-0001")
    assert asked in filled["notes"]
    assert book.count("promise") == 0
    if day is not None:
        for _ in range(2):
            assert book.person(VIEWER).submit()["ok"]
        (made,) = book.world.store.read(lambda books: books.promises_waited_for())
        assert made.promise.source.startswith("From a message in #finance, 23 Nov 2026")


def test_a_debt_is_given_up_by_another_manager_and_owed_again_when_that_was_wrong(book: Slack) -> None:
    form_shown = book.type("/invoice write-off INV-0001 because Insolvent & gone", by=MANAGER)
    assert "80.00 → 0.00 once approved" in form_shown
    assert "one other manager approves" in form_shown
    assert book.person(MANAGER).submit()["ok"]
    book.deliver()
    card = next(each for each in book.person(MANAGER).messages("approvals") if "Write-off" in each["text"])
    assert "waits for 1 of 1 approval" in card["text"]
    assert "41 days late when asked" in shown(card)
    book.person(MANAGER).press(card, "Approve")
    assert "asked for" in book.person(MANAGER).ephemerals("approvals")[-1]["text"]
    book.person(OWNER).say("approvals", "approve", thread_ts=card["ts"])
    book.deliver()
    texts = [each["text"] for each in book.person(MANAGER).messages("approvals")]
    assert any("Write-off WO-0001 · Acme Pte Ltd · SGD 80.00 · written off" in text for text in texts)
    assert "Money that comes in for it stays as credit" in book.type("/invoice show INV-0001", by=VIEWER)
    assert "right of a manager" in book.type("/invoice write-off INV-0001 undo because Paid after all", by=CLERK)
    book.type("/invoice write-off INV-0001 undo because Paid after all", by=MANAGER)
    assert book.person(MANAGER).submit()["ok"]
    assert "awaiting payment" in book.type("/invoice show INV-0001", by=VIEWER)
    assert "right of a clerk" in book.type("/invoice write-off INV-0001 because x", by=VIEWER)
    book.world.check()
