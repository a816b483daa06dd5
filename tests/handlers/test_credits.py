"""Credit without money and the master account, through signed payloads."""

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, MANAGER, VIEWER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A customer who owes 30.00."""
    slack.world.invoice(slack.world.customer(name="Acme Pte Ltd"), 30)
    return slack


def manage(book: Slack, line: str) -> str:
    """Type a line as a manager and confirm what it shows; what was shown."""
    form = book.type(line, by=MANAGER)
    answer = book.person(MANAGER).submit()
    assert answer["ok"], answer
    return form


def balance(book: Slack) -> int:
    return book.world.store.read(lambda books: books.find_customers("Acme")[0]).balance.micros // 10**6


@pytest.mark.rules(46, 47)
def test_credit_is_issued_pays_at_once_and_is_undone_from_its_card(book: Slack) -> None:
    form = manage(book, "/credit Acme 50 goodwill because Late delivery")
    assert "SGD 50.00 of credit for" in form
    assert "INV-0001  30.00 → paid" in form
    card = book.card("CRD-0001")
    assert "Late delivery" in shown(card)
    assert "partly used" in card["text"]
    book.person(MANAGER).press(card, "Undo")
    assert "undone" in book.card("CRD-0001")["text"]
    assert balance(book) == -30
    assert "cannot be undone" not in shown(book.card("CRD-0001"))


@pytest.mark.rules(48, 50)
def test_the_first_top_up_says_what_it_begins_to_restrict(book: Slack) -> None:
    manage(book, "/credit Acme 80 commission because March")
    form = manage(book, "/credit master top-up 60 SGD ref WIRE-7")
    assert "This opens it: customers hold SGD 50.00" in form
    assert "Can be handed out −50.00 → 10.00" in form
    assert "MST-0001" in book.card("MST-0001")["text"]
    refused = book.type("/credit Acme 11 goodwill because x", by=MANAGER)
    assert "at most SGD 10.00. Top it up first" in refused
    manage(book, "/credit master limit 5")
    shown_now = book.type("/credit master", by=VIEWER)
    assert "15.00" in shown_now
    manage(book, "/credit take-back Acme 20 because Given twice")
    assert "35.00" in book.type("/credit master", by=VIEWER)


@ENGINE
def test_a_payout_of_the_platform_is_written_down(book: Slack) -> None:
    book.world.pay(100, book.world.customer("BORNEO", name="Borneo Foods"))
    manage(book, "/credit master top-up 200 SGD")
    form = manage(book, "/credit master payout Borneo 40 ref po_123")
    assert "40.00 of PAY-0001" in form
    assert "this is final" in form
    assert "Master account 200.00 → 160.00" in form
    assert "Undo" not in shown(book.card("CRD-0001"))
    assert "payout" in book.type("/credit list payout borneo", by=VIEWER)
    assert "po_123" in book.type("/credit show crd-0001", by=VIEWER)


@ENGINE
def test_only_a_manager_gives_credit_and_only_viewers_see_it(book: Slack) -> None:
    before = book.count("audit")
    for line in ("/credit Acme 5 goodwill because x", "/credit take-back Acme 5 because x"):
        assert "right of a manager" in book.type(line, by=CLERK)
    for verb in ("top-up 5", "limit 5", "payout Acme 5 ref x"):
        assert "right of a manager" in book.type(f"/credit master {verb}", by=CLERK)
    assert book.person(CLERK).modal is None
    assert book.count("audit") == before


@ENGINE
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/credit Acme 0 goodwill because x", "more than zero"),
        ("/credit Acme 5 USD goodwill because x", "kept in SGD"),
        ("/credit Acme 5 goodwill", "Reason is empty"),
        ("/credit take-back Acme 5 because x", "at most SGD 0.00"),
        ("/credit master payout Acme 5", "Reference of the platform is empty"),
        ("/credit Nobodyatall 5 goodwill because x", "No customer is called"),
        ("/credit show CRD-0009", "There is no credit CRD-0009"),
        ("/credit master limit 5", "no master account in SGD"),
        ("/credit list zzz", "No credit matches"),
    ],
)
def test_what_cannot_be_is_explained_and_nothing_written(book: Slack, line: str, says: str) -> None:
    before = book.count("audit"), book.count("entry"), book.count("credit")
    assert says in book.type(line, by=MANAGER)
    assert (book.count("audit"), book.count("entry"), book.count("credit")) == before


@ENGINE
def test_an_ambiguous_name_is_asked_back(book: Slack) -> None:
    book.world.customer("B1", name="Borneo Foods")
    book.world.customer("B2", name="Borneo Mining")
    assert "Which Borneo do you mean?" in book.type("/credit Borneo 5 goodwill because x", by=MANAGER)
    book.person(MANAGER).press(book.person(MANAGER).ephemerals("finance")[-1], "Borneo Mining · B2")
    assert book.person(MANAGER).submit()["ok"]
    assert "Borneo Mining" in book.card("CRD-0001")["text"]
