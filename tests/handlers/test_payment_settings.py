"""Payment settings and automatic top-ups through signed payloads."""

import pytest

from bot.domain.customers import Mode
from bot.jobs.runner import Runner
from sandbox.client import shown
from tests.domain.top_up_stages import fell, mastered
from tests.slack import Slack
from tests.world import CLERK, MANAGER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A prepaid customer with 150.00 paid in, and a master account of 400.00."""
    acme = slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID)
    slack.world.pay(150, acme)
    mastered(slack.world, 400)
    return slack


@pytest.mark.rules(70, 73, 75, 78)
def test_settings_are_previewed_saved_seen_and_work_with_the_next_charge(book: Slack) -> None:
    form = book.type("/payment-settings Acme master 200 at 100 on", by=MANAGER)
    assert "none → 200.00 by issue from the master account at 100.00, on" in form
    assert "choose an amount that lasts for a day of usage" in form
    assert book.person(MANAGER).submit()["ok"]
    assert "payment settings set" in book.card("payment settings set")["text"]
    assert "Automatic top-up 200.00 by issue" in book.type("/customer Acme", by=VIEWER)
    assert "at 100.00, on" in book.type("/payment-settings show Acme", by=VIEWER)
    book.type("/customer usage Acme 60 for Calls")
    assert book.clerk.submit()["ok"]
    card = shown(book.card("CRD-0001"))
    assert "Automatic top-up: the balance was SGD 90.00" in card
    assert "Undo" not in card
    book.type("/payment-settings off Acme")
    assert book.clerk.submit()["ok"]
    assert "at 100.00, off" in book.type("/payment-settings show Acme", by=VIEWER)
    book.world.check()


@ENGINE
def test_settings_are_put_back_from_their_card(book: Slack) -> None:
    book.type("/payment-settings Acme cheque 200 at 100")
    assert book.clerk.submit()["ok"]
    card = book.card("payment settings set")
    book.clerk.press(card, "Undo")
    assert "Undone" in book.clerk.ephemerals("finance")[-1]["text"]
    assert "Automatic top-up none" in book.type("/payment-settings show Acme", by=VIEWER)
    book.clerk.press(card, "Undo")
    assert book.count("payment_settings") == 2


@pytest.mark.rules(72)
@ENGINE
def test_by_cheque_the_card_of_the_invoice_is_posted(book: Slack) -> None:
    book.type("/payment-settings Acme cheque 200 at 100")
    assert book.clerk.submit()["ok"]
    book.type("/customer usage Acme 60 for Calls")
    assert book.clerk.submit()["ok"]
    assert "SGD 200.00 · awaiting payment" in book.card("TOP-0001")["text"]
    assert "Balance 90.00 CR" in book.type("/customer Acme", by=VIEWER)


@pytest.mark.rules(77)
@ENGINE
def test_a_short_partner_is_told_of_once_in_the_finance_channel(book: Slack) -> None:
    book.world.pay(600, book.world.customer("HOLDS"))
    fell(book.world, code="OTHER")
    for minute in (0, 30):
        book.world.now = book.world.now.replace(minute=minute)
        Runner(book.duedesk.desk, now=lambda: book.world.now).run_once()
    cards = [each for each in book.cards() if "Automatic top-up" in each["text"]]
    assert [each["text"] for each in cards] == [
        "Automatic top-up · OTHER Pte Ltd · SGD 50.00 · not done: the master account is short"
    ]
    assert "nothing was issued" in shown(cards[0])


@ENGINE
@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("/payment-settings Acme cheque 5 at 1", VIEWER, "right of a clerk"),
        ("/payment-settings Acme master 5 at 1", CLERK, "Only a manager"),
        ("/payment-settings Acme cheque 0 at 1", CLERK, "more than zero"),
        ("/payment-settings Acme cheque 5 USD at 1", CLERK, "kept in SGD"),
        ("/payment-settings Acme cheque 5 at -1", CLERK, "zero or more"),
        ("/payment-settings Acme stripe", CLERK, "has not paid by card"),
        ("/payment-settings POST cheque 5 at 1", CLERK, "only a prepaid customer"),
        ("/payment-settings on Acme", CLERK, "has no payment settings yet"),
        ("/payment-settings Nobodyatall cheque 5 at 1", CLERK, "No customer is called"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_written(book: Slack, line: str, by: str, says: str) -> None:
    book.world.customer("POST")
    before = book.count("audit"), book.count("payment_settings")
    assert says in book.type(line, by=by)
    assert (book.count("audit"), book.count("payment_settings")) == before
