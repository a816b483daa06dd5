"""The home tab: what waits, ageing at a glance, what one did last with undo, and nothing for people without a right."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.settings import ChangeSetting, change_setting
from bot.storage.outbox import Outbox
from sandbox.client import buttons, shown
from tests.domain.expect import run_sql
from tests.slack import NOBODY, Slack
from tests.world import ADMIN, CLERK, MANAGER, OWNER, VIEWER


def home(slack: Slack, user: str = CLERK) -> dict[str, Any]:
    page = slack.person(user).open_home()
    assert page is not None
    return page


@pytest.mark.rules(118, 119)
def test_somebody_without_a_right_sees_how_to_get_one_and_nothing_of_the_books(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 77)
    slack.world.pay(31)
    page = home(slack, NOBODY)
    assert "/duedesk grant" in shown(page)
    assert not buttons(page)
    for secret in ("ACME", "77.00", "31.00", "PAY-0001", "INV-0001", "SGD"):
        assert secret not in shown(page)


@pytest.mark.rules(80, 84)
def test_what_waits_and_ageing_stand_at_a_glance(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 300, issued=-90, due=-60, auto=False)
    slack.world.invoice(acme, 50, auto=False)
    draft = slack.world.invoice(acme, 1_234, send=False)
    slack.world.pay(80)
    slack.world.pay(20, received=-3)
    slack.world.pay(25, acme)
    page = shown(home(slack))
    assert "2 payments, SGD 100.00" in page
    assert page.index("PAY-0002 · SGD 20.00 · Somebody") < page.index("PAY-0001 · SGD 80.00 · Somebody")
    assert "1 payment with money left over: SGD 25.00" in page
    assert f"{draft.label} · ACME Pte Ltd · SGD 1,234.00" in page
    row = next(line.split() for line in page.splitlines() if line.startswith("SGD") and "300.00" in line)
    assert row == ["SGD", "350.00", "300.00", "0.00", "25.00"]


def test_an_empty_book_says_that_nothing_waits(slack: Slack) -> None:
    page = shown(home(slack))
    assert "Nothing waits." in page
    assert "Nothing is owed" in page
    assert "Nothing in the last seven days." in page


def test_money_is_assigned_from_home_and_the_page_is_drawn_anew(slack: Slack) -> None:
    slack.world.customer()
    slack.world.pay(80)
    slack.clerk.press(home(slack), "Assign")
    slack.fill({"Customer": "ACME"})
    page = slack.clerk.home
    assert page is not None
    assert "Not assigned" not in shown(page)
    assert "PAY-0001 assigned" in shown(page)
    slack.world.check()


@pytest.mark.rule(115)
def test_ones_own_fresh_operations_are_undone_from_home_once_and_only_ones_own(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    assert "Undo" not in buttons(home(slack, MANAGER))
    page = home(slack)
    slack.clerk.press(page, "Undo")
    drawn = slack.clerk.home
    assert drawn is not None
    assert "Undo" not in buttons(drawn)
    assert "Undone" in shown(slack.clerk.modal or {})
    entries = slack.count("entry")
    slack.clerk.close()
    slack.clerk.press(page, "Undo", stale=True)
    assert slack.count("entry") == entries
    slack.world.check()


def test_undo_is_offered_as_long_as_it_is_possible(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    slack.world.now += timedelta(minutes=10)
    assert "Undo" in buttons(home(slack))
    slack.world.now += timedelta(seconds=1)
    assert "Undo" not in buttons(home(slack))
    assert "PAY-0001 recorded" in shown(home(slack))
    slack.world.now += timedelta(days=8)
    assert "PAY-0001 recorded" not in shown(home(slack))


@pytest.mark.rule(118)
def test_a_viewer_reads_and_has_no_button_that_writes(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 50, send=False)
    slack.world.pay(80)
    page = home(slack, VIEWER)
    assert "PAY-0001 · SGD 80.00" in shown(page)
    assert buttons(page) == ["Find a customer", "Open"]
    slack.person(VIEWER).press(page, "Open")
    assert "ACME Pte Ltd" in shown(slack.person(VIEWER).modal or {})


def test_what_was_done_long_ago_is_not_shown_as_done_last_though_it_was_written_today(slack: Slack) -> None:
    slack.world.now -= timedelta(days=30)
    slack.world.pay(10)
    slack.world.now += timedelta(days=30)
    slack.world.pay(20)
    page = shown(home(slack))
    assert "PAY-0002 recorded" in page
    assert "PAY-0001 recorded" not in page


def test_a_customer_is_found_from_home(slack: Slack) -> None:
    slack.world.customer()
    slack.clerk.press(home(slack), "Find a customer")
    slack.clerk.fill({"Customer": "ACME"})
    slack.clerk.submit()
    assert "ACME Pte Ltd" in shown(slack.clerk.modal or {})


def test_a_payment_is_recorded_from_home(slack: Slack) -> None:
    slack.world.customer()
    slack.clerk.press(home(slack), "Record a payment")
    slack.fill({"Customer": "ACME", "Amount": "45"})
    page = slack.clerk.home
    assert page is not None
    assert "1 payment with money left over: SGD 45.00" in shown(page)


def test_administrators_see_what_is_left_to_set_up_and_what_was_not_delivered(slack: Slack) -> None:
    slack.world.pay(10)
    run_sql(slack.world, "UPDATE outbox SET state = 'failed', error = 'is_archived'")
    assert Outbox(slack.world.store).counts() == {"failed": 1}
    for user in (OWNER, ADMIN):
        page = shown(home(slack, user))
        assert "is_archived: 1 message" in page
        assert "Say whose book this is" in page
    assert "is_archived" not in shown(home(slack))
    assert "Say whose book" not in shown(home(slack))
    slack.world.do(change_setting, ChangeSetting(name="company", value="<!channel> & Söhne"), by=OWNER)
    page = shown(home(slack, OWNER))
    assert "Say whose book" not in page
    assert "<!channel> & Söhne" in page


def test_the_tab_for_messages_draws_nothing(slack: Slack) -> None:
    body = {"type": "event_callback", "team_id": "T0TEST", "event_id": "Ev0HOME"}
    event = {"type": "app_home_opened", "user": CLERK, "tab": "messages", "channel": "D0CLERK"}
    slack.sandbox.deliver("event_callback", {**body, "event": event})
    assert slack.clerk.home is None


def test_a_long_list_stays_within_what_a_page_may_hold(slack: Slack) -> None:
    acme = slack.world.customer()
    for index in range(12):
        slack.world.pay(10 + index)
        slack.world.invoice(acme, 10 + index, send=False)
        slack.type(f"/payment Acme {index + 1}")
        slack.clerk.submit()
    page = home(slack)
    assert len(page["blocks"]) < 60
    assert "12 payments" in shown(page)


@pytest.mark.rules(41)
def test_what_waits_for_approval_is_there_for_who_decides_and_who_asked(slack: Slack) -> None:
    slack.world.pay(500, slack.world.customer())
    for user in (CLERK, MANAGER):
        slack.person(user).shortcut("request_withdrawal")
        slack.person(user).fill({"Customer": "ACME", "Amount": "20", "Pay out by": "cash", "Reason": "Ended"})
        for _ in range(2):
            assert slack.person(user).submit()["ok"]
    homes = {user: shown(slack.person(user).open_home() or {}) for user in (CLERK, MANAGER, VIEWER)}
    assert ["WDR-0001" in homes[CLERK], "WDR-0002" in homes[CLERK]] == [True, False]
    assert ["WDR-0001" in homes[MANAGER], "WDR-0002" in homes[MANAGER]] == [True, True]
    assert "WDR-" not in homes[VIEWER]
    page = slack.person(MANAGER).open_home()
    assert page is not None
    slack.person(MANAGER).press(page, "Open")
    assert "Withdrawal WDR-" in shown(slack.person(MANAGER).modal or {})
