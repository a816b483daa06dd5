"""Limits that others approve first, through signed payloads: card, thread, stand-in, undo, and what is told."""

import pytest

from bot.domain.customers import Mode
from bot.jobs.limits import watch_limits
from sandbox.client import buttons, shown
from tests.domain.usage_steps import charge
from tests.slack import Slack
from tests.snapshots import check_golden
from tests.world import ADMIN, CLERK, MANAGER, OWNER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A prepaid customer, and a manager who asks for a large limit."""
    slack.world.pay(20, slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID))
    return slack


def ask(book: Slack) -> str:
    form = book.type("/credit-limit Acme 8000 for 14 days because New contract", by=MANAGER)
    book.person(MANAGER).submit()
    return form


def sent(message: dict[str, object]) -> dict[str, object]:
    return {"text": message["text"], "blocks": message["blocks"]}


@pytest.mark.rules(56, 61)
@ENGINE
def test_a_large_limit_has_a_card_that_others_decide(book: Slack) -> None:
    form = ask(book)
    assert "First one other manager approves it; until then the limit stays as it is." in form
    card = book.card("REQ-0001")
    check_golden("card_terms_requested", sent(card))
    book.person(MANAGER).press(card, "Approve")
    assert "You asked for REQ-0001 yourself" in str(book.person(MANAGER).ephemerals("finance")[-1])
    book.person(ADMIN).press(card, "Approve")
    check_golden("card_terms_approved", sent(book.card("REQ-0001")))
    assert "Limit 8,000.00 until" in book.type("/credit-limit show Acme", by=VIEWER)
    assert buttons(book.card("REQ-0001")) == []
    book.world.check()


@ENGINE
def test_who_stands_in_sees_it_at_home_and_decides_for_the_one_who_is_away(book: Slack) -> None:
    said = book.type("/duedesk delegate @clerk until 30 nov", by=ADMIN)
    assert "never what you or they asked for" in said
    assert "up to and with 30 Nov 2026" in said
    ask(book)
    page = shown(book.person(CLERK).open_home() or {})
    assert "You decide approvals for" in page
    assert "REQ-0001" in page
    book.person(CLERK).press(book.card("REQ-0001"), "Approve")
    assert "for" in str(book.card("REQ-0001")["blocks"])
    assert "8,000.00" in book.type("/credit-limit show Acme", by=VIEWER)
    assert "no more" in book.type("/duedesk delegate off", by=ADMIN)
    assert "Nobody stands in" in book.type("/duedesk delegate", by=ADMIN)
    book.world.check()


@ENGINE
def test_a_fresh_limit_is_undone_from_its_card(book: Slack) -> None:
    book.type("/credit-limit Acme 500", by=MANAGER)
    book.person(MANAGER).submit()
    book.person(MANAGER).press(book.card("limit set"), "Undo")
    assert "limit undone" in book.card("limit undone")["text"]
    assert "Limit 0.00" in book.type("/credit-limit show Acme", by=VIEWER)
    book.world.check()


@ENGINE
def test_what_is_used_of_a_limit_is_told_in_the_customers_thread(book: Slack) -> None:
    book.type("/duedesk settings zone Asia/Singapore", by=OWNER)
    book.type("/credit-limit Acme 80 for 2 days", by=MANAGER)
    book.person(MANAGER).submit()
    acme = book.world.store.read(lambda books: books.find_customers("Acme")[0])
    charge(book.world, acme, 92)
    for _ in range(2):
        watch_limits(book.world.desk, book.world.now)
    book.deliver()
    check_golden("thread_limit_watch", book.thread(book.card("ACME")))
    book.world.check()
