"""Show entries of a document: all that stands behind it, whoever made it, and nothing of other documents."""

from typing import Any

import pytest

from bot.handlers.blocks.text import short_date
from sandbox.client import shown
from tests.slack import Slack
from tests.world import VIEWER


def entries(slack: Slack, card: dict[str, Any], action: str) -> list[str]:
    slack.person(VIEWER).press(card, action, "Show entries")
    answer = slack.person(VIEWER).ephemerals("finance")[-1]
    return [" ".join(line.split()) for line in shown(answer).splitlines() if line.endswith("0.00")]


@pytest.mark.rule(23)
@pytest.mark.rule(26)
def test_the_entries_of_a_payment_hold_what_a_sweep_matched_later_and_nothing_else(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    slack.world.pay(70, acme)
    invoice = slack.world.invoice(acme, 550)
    slack.deliver()
    today = short_date(slack.world.today)
    assert entries(slack, slack.card("PAY-0001"), "payment_more") == [
        f"{today} payment cash:bank transfer 500.00",
        "suspense 500.00",
        f"{today} assignment suspense 500.00",
        "deposits 500.00",
        f"{today} allocation deposits 500.00",
        f"{invoice.label} receivable 500.00",
    ]
    assert entries(slack, slack.card(invoice.label), "invoice_more") == [
        f"{today} invoice receivable 550.00",
        "revenue 550.00",
        f"{today} allocation deposits 500.00",
        "PAY-0001 receivable 500.00",
        f"{today} allocation deposits 50.00",
        "PAY-0002 receivable 50.00",
    ]
    slack.world.check()


@pytest.mark.rule(17)
def test_a_taking_back_belongs_to_its_payment_and_what_it_frees_to_the_next_invoice(slack: Slack) -> None:
    acme = slack.world.customer()
    first = slack.world.invoice(acme, 100, auto=False)
    slack.world.pay(100, acme, to=((first, None),))
    second = slack.world.invoice(acme, 40)
    slack.type("/payment unallocate PAY-0001")
    slack.clerk.fill({"Invoices": first.label})
    slack.clerk.submit()
    assert slack.clerk.submit()["ok"]
    slack.deliver()
    today = short_date(slack.world.today)
    assert entries(slack, slack.card(first.label), "invoice_more")[-2:] == [
        f"{today} allocation taken back receivable 100.00",
        "PAY-0001 deposits 100.00",
    ]
    assert entries(slack, slack.card(second.label), "invoice_more")[-2:] == [
        f"{today} allocation deposits 40.00",
        "PAY-0001 receivable 40.00",
    ]
