"""Suspending, closing and opening a customer again, from the command and from the card."""

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, VIEWER


@pytest.fixture
def acme(slack: Slack) -> Slack:
    slack.world.customer(name="Acme Pte Ltd")
    return slack


def test_a_customer_is_closed_with_a_reason_and_opened_again_from_its_card(acme: Slack) -> None:
    acme.type("/customer close ACME")
    assert "Close: Acme Pte Ltd (ACME), balance" in shown(acme.clerk.modal or {})
    acme.clerk.fill({"Reason": "Moved *away* <!channel>"})
    acme.clerk.submit()
    assert "active → closed" in shown(acme.clerk.modal or {})
    assert acme.clerk.submit()["ok"]
    card = acme.card("Acme Pte Ltd closed")
    assert "Reason Moved *away* <!channel>" in shown(card)
    acme.clerk.close()
    assert "closed" in acme.type("/customer ACME")
    acme.type("/payment ACME 50")
    assert "is closed; open it again first" in shown(acme.clerk.modal or {})
    acme.clerk.close()
    acme.type("/customer ACME")
    answer = [each for each in acme.clerk.messages("finance") if each["ephemeral"]][-1]
    buttons = [each["text"]["text"] for each in answer["blocks"][-1]["elements"] if each["type"] == "button"]
    assert buttons == ["Statement"]
    acme.clerk.press(answer, "customer_more", choice="Open again")
    assert acme.fill({"Reason": "Came back"})["ok"]
    assert "closed" not in acme.type("/customer ACME")


def test_what_is_left_is_said_and_the_reason_stays_typed(acme: Slack) -> None:
    acme.world.invoice(acme.world.store.read(lambda books: books.find_customers("ACME"))[0], 30)
    before = acme.count("audit")
    acme.type("/customer close ACME")
    acme.clerk.fill({"Reason": "Moved away"})
    acme.clerk.submit()
    said = shown(acme.clerk.modal or {})
    assert "Acme Pte Ltd has debt SGD 30.00; settle that first" in said
    (reason,) = (block for block in (acme.clerk.modal or {})["blocks"] if block["type"] == "input")
    assert reason["element"]["initial_value"] == "Moved away"
    assert acme.count("audit") == before


def test_a_reason_is_asked_for_under_its_field(acme: Slack) -> None:
    acme.type("/customer suspend ACME")
    assert "reason" in acme.clerk.submit()["errors"]


@pytest.mark.parametrize("verb", ["suspend", "close", "reopen"])
def test_a_viewer_changes_no_state(acme: Slack, verb: str) -> None:
    assert "needs the right of a clerk" in acme.type(f"/customer {verb} ACME", by=VIEWER)
    assert "needs the right of a clerk" not in acme.type(f"/customer {verb} ACME", by=CLERK)
