"""Jobs from the command line: listed, run and sent, and never twice for a day."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.__main__ import main
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.schedules import DAYS
from bot.handlers.jobs import NAMES
from tests.slack import BOT_TOKEN, DIGEST, SECRET, Slack
from tests.world import ADMIN, OWNER

Type = Callable[..., str]


@pytest.fixture
def typed(
    slack: Slack, book_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Type a line of the command; what it printed."""
    for name, value in {
        "DATABASE_URL": book_url,
        "SLACK_API_URL": f"{slack.address}/api/",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": "xapp-test",
        "SLACK_SIGNING_SECRET": SECRET,
    }.items():
        monkeypatch.setenv(name, value)

    def run(line: str, status: int = 0) -> str:
        capsys.readouterr()
        assert main(line.split()) == status
        said = capsys.readouterr()
        return said.out if status == 0 else said.err

    return run


def test_a_day_is_run_and_sent_from_the_command_line_once(slack: Slack, typed: Type) -> None:
    assert "no channel is set, so nothing is posted" in typed("jobs list")
    today = slack.world.store.now().date()
    never_today = DAYS[(today.weekday() + 2) % 7]
    slack.world.do(plan_digest, PlanDigest(channel=DIGEST, at="23:59", days=never_today), by=ADMIN)
    yesterday = today - timedelta(days=1)
    assert "posted; nothing is owed" in typed(f"jobs run digest --date {yesterday}")
    assert "done already, nothing was posted" in typed(f"jobs run digest --date {yesterday} --channel {DIGEST}")
    assert "a copy: posted; copy: nothing is owed" in typed(f"jobs run digest --date {yesterday} --again")
    texts = [each["text"] for each in slack.person(OWNER).messages("digest")]
    assert ["(copy)" in text for text in texts] == [False, True]
    listed = typed("jobs list")
    assert listed.splitlines()[0].split() == ["job", "channel", "when", "last", "run", "next", "run"]
    assert f"{DIGEST}" in listed
    assert f"{never_today} 23:59, all currencies" in listed
    assert "looked, and had nothing to do" in typed("jobs run approvals")
    assert "posted; the books are right" in typed("jobs run heartbeat --again")
    assert "taken in hand" in typed("jobs run delivery")
    assert {line.split()[0] for line in typed("jobs list").splitlines()} == {"job", *NAMES}


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_cannot_be_run_is_said(slack: Slack, typed: Type) -> None:
    assert "no channel is set" in typed("jobs run digest", 2)
    slack.world.do(plan_digest, PlanDigest(channel=DIGEST), by=ADMIN)
    assert "There is no job nothing" in typed("jobs run nothing", 2)
    assert "That channel gets no digest" in typed("jobs run digest --channel C0OTHER", 2)
    assert "of today or an earlier day" in typed("jobs run digest --date 2099-01-01", 2)
    assert "of what there is now" in typed("jobs run heartbeat --date 2026-01-01", 2)
    assert "leave --date out" in typed("jobs run limits --date 2026-01-01", 2)
    with pytest.raises(SystemExit):
        typed("jobs run digest --date tomorrow")
    assert slack.count("job_run") == 0
