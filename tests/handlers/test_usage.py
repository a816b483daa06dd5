"""Usage through signed payloads: charged by hand, looked at, refunded."""

import pytest

from bot.domain.customers import Mode
from sandbox.client import shown
from tests.domain.usage_steps import charge, limited
from tests.slack import Slack
from tests.world import CLERK, MANAGER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A prepaid customer with 100.00 paid in."""
    slack.world.pay(100, slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID))
    return slack


@pytest.mark.rules(54, 107)
def test_usage_is_charged_by_hand_shown_and_refunded(book: Slack) -> None:
    form = book.type("/customer usage Acme 12.5004 for Calls tax 9 on yesterday id C-17")
    assert "SGD 12.5004 and 1.125036 tax for Calls" in form
    assert "May still spend 86.374564" in form
    assert "at most 6 decimals" in book.type("/customer usage Acme 0.1234567 for Calls")
    book.type("/customer usage Acme 12.5004 for Calls tax 9 on yesterday id C-17")
    assert book.clerk.submit()["ok"]
    month = book.type("/customer usage Acme", by=VIEWER)
    assert "Calls" in month
    assert "12.50" in month
    refund = book.type("/credit refund Acme 5 of C-17 because Dropped", by=MANAGER)
    assert "SGD 5.00 of usage is refunded" in refund
    assert book.person(MANAGER).submit()["ok"]
    assert "Usage refunded CRD-0001" in book.card("CRD-0001")["text"]
    book.world.check()


@pytest.mark.rules(101)
@ENGINE
def test_postpaid_usage_is_invoiced_after_a_look_at_its_lines(book: Slack) -> None:
    post = limited(book.world, 100, mode=Mode.POSTPAID, code="POST")
    charge(book.world, post, "10.005", tax="9")
    form = book.type("/invoice usage POST through today")
    assert "Calls, 1 charge" in form
    assert "An invoice of SGD 10.91" in form
    assert book.clerk.submit()["ok"]
    assert "awaiting payment" in book.card("INV-0001")["text"]
    assert "nothing to invoice" in book.type("/invoice usage POST through today")
    book.world.check()


@ENGINE
def test_what_is_charged_already_is_not_charged_again(book: Slack) -> None:
    acme = book.world.store.read(lambda books: books.find_customers("Acme")[0])
    charge(book.world, acme, 10, line_id="C-1")
    assert "charged already" in book.type("/customer usage Acme 10 for Calls id C-1")


@ENGINE
@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("/customer usage Acme 101 for Calls", CLERK, "at most SGD 100.00"),
        ("/customer usage Acme 0 for Calls", CLERK, "more than zero"),
        ("/customer usage Acme 5 USD for Calls", CLERK, "kept in SGD"),
        ("/customer usage Acme 5", CLERK, "What was used is empty"),
        ("/customer usage Acme 5 for Calls", VIEWER, "right of a clerk"),
        ("/customer usage Nobodyatall", VIEWER, "No customer is called"),
        ("/credit refund Acme 5 because x", CLERK, "right of a manager"),
        ("/credit refund Acme 5 of C-9 because x", MANAGER, "has no usage C-9"),
        ("/credit refund Acme 5", MANAGER, "Reason is empty"),
    ],
)
def test_what_cannot_be_charged_is_explained_and_nothing_written(book: Slack, line: str, by: str, says: str) -> None:
    before = book.count("audit"), book.count("entry"), book.count("charge")
    assert says in book.type(line, by=by)
    assert (book.count("audit"), book.count("entry"), book.count("charge")) == before


@ENGINE
def test_a_month_without_usage_says_so(book: Slack) -> None:
    assert "Nothing was charged this month" in book.type("/customer usage Acme", by=VIEWER)


@ENGINE
def test_an_ambiguous_name_is_asked_back(book: Slack) -> None:
    for code, name in (("B1", "Borneo Foods"), ("B2", "Borneo Mining")):
        book.world.pay(50, book.world.customer(code, name=name, mode=Mode.PREPAID))
    assert "Which Borneo do you mean?" in book.type("/customer usage Borneo 5 for Calls")
    book.clerk.press(book.clerk.ephemerals("finance")[-1], "Borneo Mining · B2")
    assert "Borneo Mining" in shown(book.clerk.modal or {})
    assert book.clerk.submit()["ok"]
    assert book.count("charge") == 1
