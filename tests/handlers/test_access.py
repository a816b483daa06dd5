"""Nobody unauthorised learns or moves anything, on any path."""

from dataclasses import replace

import pytest

from sandbox.client import shown
from tests.slack import GONE, GUEST, NOBODY, ROBOT, Slack, running
from tests.world import ADMIN, CLERK, MANAGER, OWNER, STRANGER, TEAM, VIEWER

COMMANDS = (
    "/payment",
    "/payment Acme 500",
    "/payment list",
    "/payment show PAY-0001",
    "/payment void PAY-0001",
    "/customer Acme",
    "/customer new",
    "/invoice list",
    "/invoice new",
    "/aging",
    "/aging csv",
    "/duedesk roles",
    "/duedesk settings",
    "/duedesk audit",
    "/duedesk verify",
    "/duedesk payment Acme 500",
)


@pytest.mark.rules(118, 119)
@pytest.mark.parametrize("user", [NOBODY, GUEST, ROBOT, STRANGER])
def test_people_without_a_right_get_a_sentence_and_nothing_else(slack: Slack, user: str) -> None:
    acme = slack.world.customer()
    slack.world.pay(500, acme)
    before = slack.count("audit")
    for line in COMMANDS:
        said = slack.type(line, by=user)
        assert "You have no access" in said, line
        assert "500" not in said
        assert slack.person(user).modal is None
    assert slack.count("audit") == before


@pytest.mark.rule(119)
def test_a_button_pressed_by_somebody_without_a_right_does_nothing_and_says_so(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    card = slack.card("PAY-0001")
    for user in (NOBODY, GUEST, STRANGER):
        slack.person(user).press(card, "Undo")
        assert "You have no access" in shown(slack.person(user).ephemerals("finance")[-1])
    slack.person(VIEWER).press(card, "Undo")
    assert "This needs the right of a clerk" in shown(slack.person(VIEWER).ephemerals("finance")[-1])
    assert slack.count("payment") == 1
    assert "assigned" in slack.card("PAY-0001")["text"]


@pytest.mark.rule(118)
def test_a_right_taken_away_while_a_form_is_open_counts_when_it_is_submitted(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    assert "has no access from now on" in slack.type("/duedesk revoke @clerk", by=ADMIN)
    slack.clerk.submit()
    assert "You have no access" in shown(slack.clerk.modal or {})
    assert slack.count("payment") == 0


@pytest.mark.rules(118, 119)
@pytest.mark.parametrize(
    ("user", "why"),
    [
        (GUEST, "Guests get no rights"),
        (ROBOT, "Bots get no rights"),
        (GONE, "deactivated"),
        (STRANGER, "another workspace"),
    ],
)
def test_rights_are_granted_to_full_members_only(slack: Slack, user: str, why: str) -> None:
    name = user[2:].lower()
    assert why in slack.type(f"/duedesk grant @{name} clerk", by=OWNER)
    assert slack.world.store.read(lambda books: books.person(TEAM, user)) is None


@pytest.mark.rule(120)
def test_administrators_grant_up_to_manager_and_only_the_owner_hands_ownership_over(slack: Slack) -> None:
    assert "is manager from now on" in slack.type("/duedesk grant @nobody manager", by=ADMIN)
    assert "Only the owner" in slack.type("/duedesk grant @nobody administrator", by=ADMIN)
    assert "Only the owner" in slack.type("/duedesk grant @admin owner", by=ADMIN)
    assert "This needs the right of an administrator" in slack.type("/duedesk grant @nobody viewer", by=MANAGER)
    assert "There is always exactly one owner" in slack.type("/duedesk revoke @owner", by=OWNER)
    assert "handed the ownership over" in slack.type("/duedesk grant @manager owner", by=OWNER)
    roles = slack.type("/duedesk roles", by=MANAGER)
    assert f"<@{MANAGER}> owner" in roles
    assert f"<@{OWNER}> administrator" in roles
    slack.world.check()


@pytest.mark.rule(120)
def test_until_there_is_an_owner_every_command_says_how_to_name_one(book_url: str) -> None:
    with running(book_url, grants=False) as slack:
        for line in ("/payment", "/aging", "/duedesk help"):
            assert "This book has no owner yet" in slack.type(line, by=CLERK)
        assert slack.count("audit") == 0


@pytest.mark.parametrize(
    ("channel", "why"),
    [("public", "must be private"), ("shared", "shared with another company"), ("away", "invite me there first")],
)
def test_cards_go_to_private_unshared_channels_the_bot_is_in(slack: Slack, channel: str, why: str) -> None:
    said = slack.type(f"/duedesk settings finance_channel #{channel}", by=OWNER)
    assert why in said
    assert slack.world.store.read(lambda books: books.settings()).finance_channel == "C0FINANCE"


def test_an_archived_channel_gets_no_cards(slack: Slack) -> None:
    channels = slack.sandbox.workspace.channels
    channels["C0FINANCE"] = replace(channels["C0FINANCE"], is_archived=True)
    assert "is archived" in slack.type("/duedesk settings digest_channel #finance", by=OWNER, channel="public")
    assert slack.world.store.read(lambda books: books.settings()).digest_channel == ""
