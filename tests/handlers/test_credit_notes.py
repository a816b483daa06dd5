"""Credit notes through signed payloads: drafted, approved, applied, taken back, void."""

import pytest

from bot.domain.ports import Page
from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, MANAGER, OWNER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A customer with an invoice of 109.00, tax included."""
    slack.world.invoice(slack.world.customer(name="Acme Pte Ltd"), 100, tax="9", auto=False)
    slack.type("/duedesk settings approvals_channel #approvals", by=OWNER)
    return slack


def drafted(book: Slack, line: str) -> str:
    """Draft a note; its reference."""
    book.type(line)
    assert book.clerk.submit()["ok"]
    return book.world.store.read(lambda books: books.list_notes(Page(limit=1)))[0][0].label


@pytest.mark.rules(31, 32, 33, 34, 37)
def test_a_note_of_an_invoice_is_drafted_approved_applied_and_taken_back(book: Slack) -> None:
    form = book.type("/credit-note INV-0001 54.50 wrong price because Agreed by phone")
    assert "Credit note of SGD 54.50 for Acme Pte Ltd drafted" in form
    assert "50.00 + 9 % tax 4.50" in form
    assert book.clerk.submit()["ok"]
    card = book.card("DRAFT-")
    assert "Agreed by phone" in shown(card)
    book.person(MANAGER).press(card, "Approve")
    card = book.card("CN-0001")
    assert "awaiting payment" in card["text"]
    assert "CN-0001  54.50" in book.type("/customer Acme", by=VIEWER)
    book.clerk.press(card, "Apply")
    assert "INV-0001  109.00 → 54.50 left" in shown(book.clerk.modal or {})
    assert book.clerk.submit()["ok"]
    assert "applied" in book.card("CN-0001")["text"]
    assert "CN-0001" in book.type("/invoice show INV-0001", by=VIEWER)
    book.type("/credit-note unapply CN-0001")
    assert book.clerk.submit()["ok"]
    assert "void" not in book.type("/credit-note show CN-0001", by=VIEWER)
    book.type("/credit-note void CN-0001", by=MANAGER)
    book.person(MANAGER).fill({"Reason": "Written twice"})
    for _ in range(2):
        assert book.person(MANAGER).submit()["ok"]
    assert "void" in book.card("CN-0001")["text"]
    book.world.check()


@ENGINE
def test_a_note_with_lines_of_its_own_is_copied_and_listed(book: Slack) -> None:
    label = drafted(book, "/credit-note Acme; Goods returned; 2 x 10; 9%")
    assert "21.80" in book.type(f"/credit-note approve {label}", by=MANAGER)
    book.type("/credit-note copy CN-0001")
    assert book.clerk.submit()["ok"]
    listed = book.type("/credit-note list", by=VIEWER)
    assert "DRAFT-" in listed
    assert "CN-0001" in book.type("/credit-note list open acme", by=VIEWER)
    assert "No credit note matches" in book.type("/credit-note list void", by=VIEWER)


@pytest.mark.rules(32)
@ENGINE
def test_a_large_note_waits_for_another_manager_in_the_approvals_channel(book: Slack) -> None:
    book.type("/credit-note Acme; Contract ended; 1000; 0%", by=MANAGER)
    assert "One other manager approves it" in shown(book.person(MANAGER).modal or {})
    assert book.person(MANAGER).submit()["ok"]
    book.deliver()
    card = next(each for each in book.person(MANAGER).messages("approvals") if "Credit note" in each["text"])
    assert "waits for 1 of 1 approval" in card["text"]
    book.person(MANAGER).press(card, "Approve")
    assert "asked for" in book.person(MANAGER).ephemerals("approvals")[-1]["text"]
    book.person(OWNER).press(card, "Approve")
    book.deliver()
    texts = [each["text"] for each in book.person(MANAGER).messages("approvals")]
    assert any("CN-0001" in text for text in texts)
    book.world.check()


@pytest.mark.rules(35)
@ENGINE
@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("/credit-note INV-0001 200 wrong price", CLERK, "At most SGD 109.00"),
        ("/credit-note INV-0001 0 wrong price", CLERK, "more than zero"),
        ("/credit-note Nobodyatall; x; 5", CLERK, "No customer is called"),
        ("/credit-note approve DRAFT-000000", MANAGER, "There is no credit note DRAFT-000000"),
        ("/credit-note approve CN-0001", CLERK, "right of a manager"),
        ("/credit-note void CN-0001", CLERK, "right of a manager"),
        ("/credit-note INV-0001 5 wrong price", VIEWER, "right of a clerk"),
        ("/credit-note unapply CN-0001", CLERK, "applied to none"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_written(book: Slack, line: str, by: str, says: str) -> None:
    label = drafted(book, "/credit-note INV-0001 10 wrong price") if "CN-0001" in line else ""
    if label:
        book.type(f"/credit-note approve {label}", by=MANAGER)
    before = book.count("audit"), book.count("credit_note"), book.count("entry")
    assert says in book.type(line, by=by)
    assert (book.count("audit"), book.count("credit_note"), book.count("entry")) == before
