"""The worked example of the master account, step by step, typed and pressed by the people who would."""

import re

import pytest

from bot.domain.customers import Mode
from tests.slack import Slack
from tests.world import CLERK, MANAGER, OWNER, VIEWER

STEPS = (
    (MANAGER, "/credit master top-up 2000 SGD ref WIRE-1", (2000, 0, 2000)),
    (MANAGER, "/credit master top-up 4000 SGD ref WIRE-2", (6000, 0, 6000)),
    (CLERK, "/payment Acme 200 cheque ref 100234", (6000, 200, 5800)),
    (CLERK, "/payment Acme 300 card ref ch_1", (6000, 500, 5500)),
    (CLERK, "/payment Acme 1000 platform ref po_9", (7000, 1500, 5500)),
    (CLERK, "/customer usage Acme 50 for Calls tax 0 cost 10", (6990, 1450, 5540)),
    (MANAGER, "/credit master payout Acme 500 ref po_10", (6490, 950, 5540)),
    (CLERK, "/withdraw Acme 200 cheque to Acme Pte Ltd because Contract ended", (6490, 750, 5740)),
    (MANAGER, "/credit refund Acme 100 because Dropped calls cost 30", (6520, 850, 5670)),
)


@pytest.mark.rules(46, 50, 53, 54)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_worked_example_of_ten_steps_gives_its_figures_through_slack(slack: Slack) -> None:
    slack.world.customer("ACME", name="Acme Pte Ltd", mode=Mode.PREPAID)
    for person, line, figures in STEPS:
        slack.type(line, by=person)
        answer = slack.person(person).submit()
        assert answer["ok"], (line, answer)
        slack.person(person).close()
        approve_what_waits(slack)
        assert seen(slack) == figures, line
    slack.world.check()


def approve_what_waits(slack: Slack) -> None:
    for card in slack.cards():
        if "waits for" in card["text"]:
            slack.person(OWNER).press(card, "Approve")


def seen(slack: Slack) -> tuple[int, int, int]:
    """What the master account stands at, what the customer holds, and what can be handed out, as people read it."""
    line = slack.type("/credit master", by=VIEWER).splitlines()[-1]
    balance, _reserved, owed, _limit, usable = re.findall(r"[\d,]+\.\d\d", line)
    partner, customer, left = (int(each.replace(",", "").removesuffix(".00")) for each in (balance, owed, usable))
    assert owed in slack.type("/customer Acme", by=VIEWER)
    return partner, customer, left
