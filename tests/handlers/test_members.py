"""Slack tells that somebody left or became a guest: the right is void at once, for every door."""

from dataclasses import replace
from typing import Any

import pytest

from bot.domain.people import Leave, Profile, leave
from tests.slack import Slack
from tests.world import CLERK, OWNER, TEAM

LEAVES: dict[str, dict[str, Any]] = {
    "deactivated": {"deleted": True},
    "a guest from now on": {"is_restricted": True},
    "a guest of one channel": {"is_ultra_restricted": True},
}


def change(slack: Slack, user: str, **to: Any) -> None:
    person = slack.sandbox.workspace.person(user)
    told = slack.sandbox.happenings.change(replace(person, **to))
    assert told is not None
    assert told.status == 200, told.answer


@pytest.mark.rule(118)
@pytest.mark.parametrize("how", LEAVES)
def test_who_left_can_do_nothing_with_a_form_that_stands_open(slack: Slack, how: str) -> None:
    slack.world.customer()
    assert "What will happen" in slack.type("/payment Acme 500")
    change(slack, CLERK, real_name="Only a new name")
    assert "Nothing" in slack.type("/payment list") or "No payment" in slack.type("/payment list")
    change(slack, CLERK, **LEAVES[how])
    change(slack, CLERK, **dict.fromkeys(LEAVES[how], False))
    assert "no access" in slack.type("/payment list")
    answer = slack.clerk.submit()
    assert "no access" in str(answer) + str(slack.clerk.modal)
    assert slack.count("payment") == 0
    assert "clerk, deactivated" in slack.type("/duedesk roles", by=OWNER)
    slack.type(f"/duedesk grant @{slack.sandbox.workspace.person(CLERK).name} clerk", by=OWNER)
    assert "No payment" in slack.type("/payment list")


@pytest.mark.rule(118)
def test_the_news_told_again_or_of_somebody_without_a_right_change_nothing(slack: Slack) -> None:
    change(slack, CLERK, deleted=True)
    audited = slack.count("audit")
    delivery = next(reversed(slack.sandbox.workspace.deliveries))
    for again in slack.sandbox.redeliver(delivery, times=4, parallel=True):
        assert again.status == 200
    change(slack, "U0STRANGER", deleted=True)
    assert slack.count("audit") == audited
    slack.world.check()


def test_news_that_could_not_be_written_down_are_asked_for_again(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OSError

    monkeypatch.setattr(slack.duedesk.desk.store.database, "write", broken)
    told = slack.sandbox.happenings.change(replace(slack.sandbox.workspace.person(CLERK), deleted=True))
    assert told is not None
    assert told.status == 503
    monkeypatch.undo()
    assert slack.sandbox.redeliver(told.id)[0].status == 200
    slack.sandbox.workspace.people[CLERK] = replace(slack.sandbox.workspace.person(CLERK), deleted=False)
    assert "no access" in slack.type("/payment list")


def test_the_record_of_who_left_stays(slack: Slack) -> None:
    slack.world.do(leave, Leave(profile=Profile(team=TEAM, user=CLERK, deleted=True)), by="system")
    assert f"{CLERK}: clerk to clerk, deactivated" in slack.type("/duedesk audit", by=OWNER)
