"""/duedesk lock, and what a clerk and a manager see of a locked day in their forms."""

from typing import Any

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import ADMIN, CLERK, MANAGER, OWNER

WHY = "Reason to post on the locked day"
LOCKED = "the books are locked up to 31 Oct 2026"


def modal(slack: Slack, by: str) -> str:
    return shown(slack.person(by).modal or {})


def labels(slack: Slack, by: str) -> list[str]:
    view = slack.person(by).modal or {}
    return [block["label"]["text"] for block in view["blocks"] if block["type"] == "input"]


@pytest.fixture
def locked(slack: Slack) -> Slack:
    """A book whose October is softly locked."""
    said = slack.type("/duedesk lock soft 2026-10-31", by=OWNER)
    assert "Soft lock none → 31 Oct 2026" in said
    assert "What is dated earlier counts from 1 Nov 2026." in said
    assert "A manager may still post on the locked days" in said
    assert slack.owner.submit()["ok"]
    assert "Done" in modal(slack, OWNER)
    slack.world.customer()
    return slack


def record(slack: Slack, by: str, **more: Any) -> dict[str, Any]:
    slack.type("/payment Acme 500", by=by)
    slack.person(by).fill({"Received on": "2026-10-15", **more})
    answer: dict[str, Any] = slack.person(by).submit()
    return answer


def test_a_clerk_is_told_who_may_and_posts_on_the_first_open_day(locked: Slack) -> None:
    record(locked, CLERK)
    assert f"Takes effect 1 Nov 2026 (15 Oct 2026 was asked; {LOCKED}; a manager may post earlier" in modal(
        locked, CLERK
    )
    assert WHY not in labels(locked, CLERK)
    assert locked.clerk.submit()["ok"]
    assert locked.type("/duedesk audit exceptions", by=ADMIN) == "No entry matches."


def test_a_manager_gives_a_reason_sees_the_day_move_and_the_log_keeps_it(locked: Slack) -> None:
    record(locked, MANAGER)
    assert LOCKED in modal(locked, MANAGER)
    assert WHY in labels(locked, MANAGER)
    locked.person(MANAGER).fill({WHY: "Bank was *late* <!channel>"})
    locked.person(MANAGER).submit()
    assert LOCKED not in modal(locked, MANAGER)
    assert WHY in labels(locked, MANAGER)
    assert locked.person(MANAGER).submit()["ok"]
    said = locked.type("/duedesk audit exceptions", by=ADMIN)
    assert "PAY-0001 recorded: SGD 500.00; past the soft lock: Bank was *late* <!channel>" in said
    locked.world.check()


def test_a_manager_may_leave_the_reason_empty(locked: Slack) -> None:
    record(locked, MANAGER)
    assert locked.person(MANAGER).submit()["ok"]
    assert locked.type("/duedesk audit exceptions", by=ADMIN) == "No entry matches."


def test_an_invoice_on_a_locked_day_says_from_when_it_counts(locked: Slack) -> None:
    locked.type("/invoice new ACME; Consulting; 2 x 500; 9%", by=MANAGER)
    locked.person(MANAGER).fill({"Issue date": "2026-10-20", "Send": ["yes"]})
    locked.person(MANAGER).submit()
    assert f"Counts from 1 Nov 2026 ({LOCKED}; a manager may post earlier with a reason)." in modal(locked, MANAGER)
    locked.person(MANAGER).submit()
    assert "Counts from 1 Nov 2026" in shown(locked.card("INV-0001"))
    locked.type("/invoice new ACME; Consulting; 2 x 500; 9%", by=MANAGER)
    locked.person(MANAGER).fill({"Issue date": "2026-10-20", "Send": ["yes"]})
    locked.person(MANAGER).submit()
    locked.person(MANAGER).fill({WHY: "Forgotten"})
    locked.person(MANAGER).submit()
    assert "Counts from" not in modal(locked, MANAGER)
    locked.person(MANAGER).submit()
    assert "Counts from" not in shown(locked.card("INV-0002"))
    assert "past the soft lock: Forgotten" in locked.type("/duedesk audit exceptions", by=ADMIN)


def test_a_hard_lock_asks_nobody_for_a_reason(slack: Slack) -> None:
    said = slack.type("/duedesk lock hard 2026-10-31", by=OWNER)
    assert "Hard lock none → 31 Oct 2026; it never moves back" in said
    assert slack.owner.submit()["ok"]
    slack.world.customer()
    record(slack, MANAGER)
    assert f"{LOCKED})." in modal(slack, MANAGER)
    assert WHY not in labels(slack, MANAGER)
    slack.owner.close()
    slack.type("/duedesk lock", by=OWNER)
    assert slack.fill({"Hard lock: last locked day": "2026-10-30"}, by=OWNER)["errors"] == {
        "hard_lock": "The hard lock stands at 2026-10-31; it only moves forward."
    }


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("soft", "Type /duedesk lock soft"),
        ("october", "Type /duedesk lock soft"),
        ("soft never", "not a date"),
        ("hard 2026-11-30", "before today"),
        ("hard off", "already"),
    ],
)
def test_a_lock_that_is_not_understood_says_what_to_type(slack: Slack, typed: str, says: str) -> None:
    before = slack.count("audit")
    assert says in slack.type(f"/duedesk lock {typed}", by=OWNER)
    assert slack.count("audit") == before


def test_the_soft_lock_is_taken_away_again(locked: Slack) -> None:
    locked.owner.close()
    assert "Every day is open." in locked.type("/duedesk lock soft off", by=OWNER)
    assert locked.owner.submit()["ok"]
    record(locked, CLERK)
    assert LOCKED not in modal(locked, CLERK)
    assert locked.type("/duedesk audit exceptions csv", by=ADMIN)


def test_a_clerk_sees_nothing_of_the_locks(slack: Slack) -> None:
    assert "needs the right of an administrator" in slack.type("/duedesk lock soft 2026-10-31")
