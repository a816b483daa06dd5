"""Files that somebody asked for: whole, adding up, and only for who may read them when they are sent."""

import csv
import io
from decimal import Decimal

import pytest

from bot.domain.people import Profile, Revoke, revoke
from sandbox.client import NotThere
from tests.slack import Slack
from tests.world import CLERK, OWNER, TEAM, VIEWER


def files_of(slack: Slack, user: str) -> list[list[list[str]]]:
    """The files that a person got by direct message, as rows."""
    try:
        messages = slack.person(user).messages(f"D{user[1:]}")
    except NotThere:
        return []
    ids = [file["id"] for message in messages for file in message.get("files", ())]
    contents = [(slack.sandbox.workspace.files[each].content or b"").decode("utf-8-sig") for each in ids]
    return [list(csv.reader(io.StringIO(content))) for content in contents]


@pytest.mark.rules(82, 83)
def test_the_invoices_of_each_customer_stand_below_it_and_add_up_to_it(slack: Slack) -> None:
    for code, amounts in (("ACME", (10, 20, 30)), ("BRAVO", (5,)), ("CITO", ())):
        customer = slack.world.customer(code)
        for index, amount in enumerate(amounts):
            slack.world.invoice(customer, amount, issued=-40 * index)
    slack.type("/aging csv")
    slack.deliver()
    headers, *rows = files_of(slack, CLERK)[0]
    total = headers.index("total")
    assert [row[1] for row in rows] == ["ACME"] * 4 + ["BRAVO"] * 2 + [""]
    behind: dict[str, Decimal] = {}
    for row in rows:
        if row[2]:
            behind[row[1]] = behind.get(row[1], Decimal(0)) + Decimal(row[total])
    of_customers = {row[1]: Decimal(row[total]) for row in rows if row[1] and not row[2]}
    assert behind == of_customers == {"ACME": Decimal(60), "BRAVO": Decimal(5)}
    assert [Decimal(row[total]) for row in rows if row[0] == "Total"] == [Decimal(65)]


@pytest.mark.rule(118)
def test_a_file_does_not_reach_somebody_whose_right_was_taken_away_meanwhile(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/aging csv", by=VIEWER)
    slack.type("/aging csv")
    slack.world.do(revoke, Revoke(profile=Profile(team=TEAM, user=VIEWER)), by=OWNER)
    slack.deliver()
    assert files_of(slack, VIEWER) == []
    assert len(files_of(slack, CLERK)) == 1
    slack.type("/duedesk audit csv", by=OWNER)
    slack.deliver()
    assert files_of(slack, OWNER)[0][0] == [
        "App",
        "Event",
        "Description",
        "Actor",
        "Affected Organization",
        "Datetime",
    ]
