"""Each delivery sent twice, in parallel and late changes nothing; stale and forged things are refused with a
sentence.
"""

import threading
from datetime import timedelta

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, MANAGER, money


def _state(slack: Slack) -> tuple[int, ...]:
    return tuple(
        slack.count(table) for table in ("payment", "entry", "allocation", "audit", "request_key", "outbox", "lot")
    )


def test_every_delivery_sent_again_at_once_and_late_changes_nothing(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 300)
    slack.type("/payment")
    slack.clerk.fill({"Customer": "ACME", "Amount": "500"})
    assert slack.clerk.submit()["ok"]
    slack.clerk.press(slack.card("PAY-0001"), "Undo")
    slack.deliver()
    before = _state(slack)
    deliveries = list(slack.sandbox.workspace.deliveries)
    assert len(deliveries) > 4
    for delivery in deliveries:
        slack.sandbox.redeliver(delivery, times=1)
        slack.sandbox.redeliver(delivery, times=3, parallel=True)
    slack.world.now += timedelta(minutes=9)
    for delivery in deliveries:
        slack.sandbox.redeliver(delivery, times=1)
    assert _state(slack) == before
    slack.world.check()


def test_a_submission_delivered_eight_times_in_parallel_records_once(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    answer = slack.clerk.submit()
    before = _state(slack)
    assert slack.count("payment") == 1
    slack.sandbox.redeliver(answer["delivery"], times=8, parallel=True)
    assert _state(slack) == before


def test_a_form_submitted_again_with_other_content_answers_the_first_result(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    view = slack.clerk.modal
    assert view is not None
    first = slack.clerk.submit()
    body = dict(slack.sandbox.workspace.deliveries[first["delivery"]].body)
    changed = {**body["view"]["state"]["values"], "amount": {"amount": {"type": "plain_text_input", "value": "700"}}}
    body["view"] = {**body["view"], "state": {"values": changed}}
    again = slack.sandbox.deliver("view_submission", body)
    assert "What will happen" in again.answer or "Already done" in again.answer
    assert slack.count("payment") == 1


def test_an_undo_that_comes_too_late_says_what_to_do_instead(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    card = slack.card("PAY-0001")
    slack.world.now += timedelta(minutes=11)
    slack.clerk.press(card, "Undo")
    assert "The time for undo has passed" in shown(slack.clerk.ephemerals("finance")[-1])
    assert "assigned" in slack.card("PAY-0001")["text"]


def test_two_people_pressing_undo_at_once_undo_once_and_both_are_answered(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    card = slack.card("PAY-0001")
    threads = [
        threading.Thread(target=slack.person(user).press, args=(card, "Undo"), kwargs={"stale": True})
        for user in (CLERK, MANAGER)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    said = [shown(slack.person(user).ephemerals("finance")[-1]) for user in (CLERK, MANAGER)]
    assert sorted("Undone:" in each for each in said) == [False, True]
    assert slack.world.read_customer(acme).amount_due == money(0)
    slack.world.check()


@pytest.mark.parametrize("value", ["1", "99999999999999999999", "0 OR 1=1", "", "undo", "-5"])
def test_a_forged_button_value_is_refused_with_a_sentence(slack: Slack, value: str) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    slack.clerk.press(slack.card("PAY-0001"), "Customer")
    pressed = next(
        each
        for each in reversed(slack.sandbox.workspace.deliveries.values())
        if each.body.get("type") == "block_actions" and "channel" in each.body
    )
    body = {**pressed.body, "actions": [{**pressed.body["actions"][0], "action_id": "undo", "value": value}]}
    before = _state(slack)
    answer = slack.sandbox.deliver("block_actions", body)
    assert answer.status == 200
    assert len(shown(slack.clerk.ephemerals("finance")[-1])) > 20
    assert _state(slack) == before
