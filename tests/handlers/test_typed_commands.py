"""What was typed is what is understood: nothing is guessed, and what is not understood is said."""

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, OWNER


def form_of(slack: Slack) -> str:
    return shown(slack.clerk.modal or {})


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "line",
    ['"Ocean Bank Pte" 500 cheque ref 1', 'OB 500 cheque note "paid at bank counter"', "Somebody 5 cheque: ref 9"],
)
def test_the_method_is_the_keyword_and_no_word_of_a_name(slack: Slack, line: str) -> None:
    slack.type(f"/payment {line}")
    assert "by cheque" in form_of(slack)


@pytest.mark.rule(4)
@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("known", "typed"), [("Wang Trading", "Wong Trading"), ("Stanley Works", "Tan")])
def test_a_customer_is_not_guessed_and_the_typed_payer_is_kept(slack: Slack, known: str, typed: str) -> None:
    slack.type("/customer new")
    slack.fill({"Name": known, "Code": "ONE", "Currency": "SGD"})
    slack.clerk.close()
    said = slack.type(f"/payment {typed} 500")
    assert f"There is no {typed}" in said
    assert not form_of(slack)
    slack.clerk.press(slack.clerk.ephemerals("finance")[-1], f"{known} · ONE")
    assert slack.clerk.submit()["ok"]
    payment = slack.world.store.read(lambda books: books.payment("PAY-0001"))
    assert payment is not None
    assert (payment.payer, payment.customer_id is not None) == (typed, True)


def test_payments_are_found_in_any_case_by_reference_and_by_customer(slack: Slack) -> None:
    slack.world.customer()
    slack.type('/payment Acme 500 ref TT-881 from "Somebody Else"')
    assert slack.clerk.submit()["ok"]
    for typed in ("tt-881", "TT-881", "pay-0001", "somebody else", "acme", "ACME Pte"):
        assert "PAY-0001" in slack.type(f"/payment list {typed}"), typed
    assert "No payment matches" in slack.type("/payment list nobody")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "line",
    [
        "/aging as-of 0001-01-01",
        "/duedesk audit until 9999-12-31",
        "/payment Acme 5 on 0001-01-05",
        "/payment Acme 5 on 1900-01-05",
    ],
)
def test_a_day_of_another_century_is_refused_in_plain_words(slack: Slack, line: str) -> None:
    slack.world.customer()
    assert "is not in the years 2000 to 2099" in slack.type(line, by=OWNER if "audit" in line else CLERK)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_channel_is_emptied_with_a_dash_and_a_strange_one_is_refused(slack: Slack) -> None:
    assert "finance_channel:" in slack.type("/duedesk settings finance_channel -", by=OWNER)
    assert "invite me there first" in slack.type("/duedesk settings finance_channel nonsense", by=OWNER)
    assert slack.world.store.read(lambda books: books.settings().finance_channel) == ""


@pytest.mark.rule(116)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_audit_log_is_not_shown_for_words_that_are_no_filter(slack: Slack) -> None:
    slack.world.customer()
    assert "foo bar is no filter" in slack.type("/duedesk audit foo bar", by=OWNER)
    assert "Name the person with @" in slack.type("/duedesk audit by clerk", by=OWNER)
    name = slack.sandbox.workspace.person(OWNER).name
    assert "Grant" in slack.type(f"/duedesk audit by @{name}", by=OWNER)
