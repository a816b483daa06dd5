"""Shortcuts: forms at hand anywhere, for those who may."""

import pytest

from sandbox.client import shown
from tests.slack import NOBODY, Slack
from tests.world import CLERK, VIEWER


def test_a_payment_is_recorded_from_the_shortcut(slack: Slack) -> None:
    slack.world.customer()
    slack.clerk.shortcut("record_payment")
    slack.fill({"Customer": "ACME", "Amount": "45"})
    assert "Payment PAY-0001 · ACME Pte Ltd · SGD 45.00" in slack.card("PAY-0001")["text"]
    slack.world.check()


@pytest.mark.rule(60)
@pytest.mark.parametrize("user", [CLERK, VIEWER])
def test_a_customer_is_found_and_shown_to_whoever_may_read(slack: Slack, user: str) -> None:
    slack.world.invoice(slack.world.customer(), 77)
    person = slack.person(user)
    person.shortcut("open_find_customer")
    person.fill({"Customer": "acm"})
    assert person.submit()["ok"]
    card = shown(person.modal or {})
    assert "ACME Pte Ltd" in card
    assert "77.00" in card


def test_a_search_without_a_customer_is_asked_again(slack: Slack) -> None:
    slack.world.customer()
    slack.clerk.shortcut("open_find_customer")
    assert slack.clerk.submit()["errors"]
    assert slack.clerk.modal is not None


@pytest.mark.rules(118, 119)
@pytest.mark.parametrize(
    ("user", "shortcut", "says"),
    [
        (NOBODY, "record_payment", "You have no access to these books."),
        (NOBODY, "open_find_customer", "You have no access to these books."),
        (VIEWER, "record_payment", "This needs the right of a clerk"),
    ],
)
def test_whoever_may_not_is_told_so_in_a_form_that_shows_nothing(
    slack: Slack, user: str, shortcut: str, says: str
) -> None:
    slack.world.customer()
    person = slack.person(user)
    person.shortcut(shortcut)
    said = shown(person.modal or {})
    assert says in said
    assert "ACME" not in said
