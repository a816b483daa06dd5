"""Credit limits and payment modes through signed payloads."""

from datetime import UTC, datetime

import pytest

from bot.domain.customers import Mode
from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, MANAGER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A prepaid customer with 20.00 paid in and an invoice kept open."""
    acme = slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID)
    slack.world.pay(20, acme)
    slack.world.invoice(acme, 200, auto=False)
    return slack


def submit(book: Slack, **values: object) -> str:
    who = book.person(MANAGER)
    who.fill(values)
    answer = who.submit()
    return str(answer.get("errors") or shown(who.modal or {}))


@pytest.mark.rules(56, 59, 61, 63)
def test_a_temporary_limit_is_set_seen_extended_and_removed(book: Slack) -> None:
    form = book.type("/credit-limit Acme 500 for 14 days", by=MANAGER)
    assert "Limit none → 500.00 until" in form
    assert "the limit before it does not come back" in form
    assert "large, until the customer tops up" in form
    submit(book)
    assert "limit set" in book.card("limit set")["text"]
    assert "Limit 500.00 until" in book.type("/customer Acme", by=VIEWER)
    book.type("/credit-limit extend Acme for 7 days", by=MANAGER)
    submit(book)
    acme = book.world.store.read(lambda books: books.find_customers("Acme")[0])
    assert acme.limit_ends_at == datetime(2026, 12, 15, tzinfo=UTC)
    book.type("/credit-limit remove Acme", by=MANAGER)
    submit(book)
    assert "Limit 0.00" in book.type("/credit-limit show Acme", by=VIEWER)
    book.world.check()


@pytest.mark.rules(63)
@ENGINE
@pytest.mark.parametrize(
    ("mode", "says"), [(Mode.POSTPAID, "one monthly invoice for everything"), (Mode.PREPAID, "for some days")]
)
def test_the_advice_is_that_of_the_mode(book: Slack, mode: Mode, says: str) -> None:
    book.world.customer("OTHER", mode=mode)
    assert says in book.type("/credit-limit show OTHER", by=VIEWER)


@pytest.mark.rules(65, 66, 68)
def test_a_switch_shows_every_consequence_and_outside_the_first_week_asks_for_a_tick(book: Slack) -> None:
    form = book.type("/payment-mode Acme postpaid", by=MANAGER)
    assert "prepaid → postpaid, from now: Acme Pte Ltd" in form
    assert "Balance 180.00 DR stays as it is" in form
    assert "1 open invoice 200.00, due as before" in form
    assert "Without a limit nothing can be bought" in form
    assert "best in the first week" in form
    assert "I know that the first week is best" in form
    assert "sure" in submit(book)
    submit(book, **{"Permanent limit": "500"})
    assert "postpaid" in submit(book, Again=["yes"])
    assert "now postpaid" in book.card("now postpaid")["text"]
    assert "500.00" in book.type("/payment-mode show Acme", by=VIEWER)
    book.world.check()


@pytest.mark.rules(67)
@ENGINE
def test_in_the_first_week_nothing_is_asked_and_a_limit_is_pointed_out(book: Slack) -> None:
    book.type("/credit-limit Acme 500", by=MANAGER)
    submit(book)
    book.world.now = datetime(2026, 12, 2, 9, tzinfo=UTC)
    form = book.type("/payment-mode Acme", by=MANAGER)
    assert "first week" not in form
    submit(book)
    assert "Consider removing the limit" in book.type("/payment-mode Acme", by=MANAGER)


@ENGINE
@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("/credit-limit Acme 5", CLERK, "right of a manager"),
        ("/payment-mode Acme", CLERK, "right of a manager"),
        ("/credit-limit Acme -5", MANAGER, "zero or more"),
        ("/credit-limit Acme 5 USD", MANAGER, "kept in SGD"),
        ("/credit-limit POST 5 for 3 days", MANAGER, "its limit is permanent"),
        ("/credit-limit extend Acme for 3 days", MANAGER, "only a temporary one"),
        ("/credit-limit Nobodyatall 5", MANAGER, "No customer is called"),
        ("/payment-mode Acme prepaid", MANAGER, "prepaid already"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_written(book: Slack, line: str, by: str, says: str) -> None:
    book.world.customer("POST")
    before = book.count("audit"), book.count("credit_limit"), book.count("mode_history")
    assert says in book.type(line, by=by)
    assert (book.count("audit"), book.count("credit_limit"), book.count("mode_history")) == before


@ENGINE
def test_an_ambiguous_name_is_asked_back(book: Slack) -> None:
    for code, name in (("B1", "Borneo Foods"), ("B2", "Borneo Mining")):
        book.world.customer(code, name=name, mode=Mode.PREPAID)
    assert "Which Borneo do you mean?" in book.type("/credit-limit Borneo 50", by=MANAGER)
    book.person(MANAGER).press(book.person(MANAGER).ephemerals("finance")[-1], "Borneo Mining · B2")
    assert "Borneo Mining" in submit(book)


@ENGINE
def test_the_due_days_of_a_customer_are_there_to_be_changed(book: Slack) -> None:
    book.type("/customer new Delta")
    assert book.fill({"Code": "DELTA", "Currency": "SGD", "Due days": "45"})["ok"]
    form = book.type("/customer edit DELTA")
    assert "Edit customer" in form
    view = book.clerk.modal or {}
    (days,) = [each["element"] for each in view["blocks"] if each.get("block_id") == "due_days"]
    assert days["initial_value"] == "45"
