"""Each delivery sent twice, in parallel and late changes nothing; stale and forged things are refused with a
sentence.
"""

import threading
from datetime import timedelta

import pytest

from bot.domain.withdrawals import WithdrawalState
from sandbox.client import shown
from tests.domain.credit_stages import topped_up
from tests.domain.expect import everything
from tests.slack import Slack
from tests.world import CLERK, MANAGER, OWNER, money


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


LINES: tuple[tuple[str, str, dict[str, list[str]]], ...] = (
    (CLERK, "/withdraw Acme 41.83 cheque because Contract ended", {}),
    (CLERK, "/credit-note INV-0001 50 wrong price", {}),
    (MANAGER, "/credit Acme 12.50 correction because Posted wrongly", {}),
    (MANAGER, "/credit-limit Acme 500", {}),
    (MANAGER, "/payment-mode Acme prepaid", {"sure": ["yes"]}),
    (CLERK, "/customer usage Acme 5 for Calls", {}),
)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_every_operation_of_the_desk_delivered_again_at_once_and_late_is_done_once(slack: Slack) -> None:
    """Forms of withdrawals, notes, credit, limits, modes and usage; approvals by button and by words."""
    slack.type("/duedesk settings approvals_channel #approvals", by=OWNER)
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.world.pay(500, acme)
    slack.world.invoice(acme, 200, auto=False)
    topped_up(slack.world)
    for who, line, values in LINES:
        audited = slack.count("audit")
        opened = slack.type(line, by=who)
        slack.fill(values, by=who)
        assert slack.count("audit") == audited + 1, (line, opened, shown(slack.person(who).modal or {}))
        slack.deliver()
    slack.type("/withdraw Acme 20 cheque because Contract ended")
    slack.fill({})
    slack.deliver()
    decide(slack)
    slack.deliver()
    before, said = everything(slack.world), seen_by_all(slack)
    deliveries = list(slack.sandbox.workspace.deliveries)
    assert len(deliveries) > 2 * len(LINES)
    for delivery in deliveries:
        slack.sandbox.redeliver(delivery, times=1)
        slack.sandbox.redeliver(delivery, times=4, parallel=True)
    slack.world.now += timedelta(minutes=9)
    for delivery in deliveries:
        slack.sandbox.redeliver(delivery, times=1)
    slack.deliver()
    assert everything(slack.world) == before
    assert seen_by_all(slack) == said
    slack.world.check()


def seen_by_all(slack: Slack) -> list[str]:
    """The messages of the channels for cards and for approvals."""
    messages = [each for name in ("C0FINANCE", "C0APPROVALS") for each in slack.sandbox.workspace.messages[name]]
    return [each.text for each in messages if each.only_for is None]


def decide(slack: Slack) -> None:
    """Approve the withdrawals that wait: the first by its button, the second by words in its thread."""
    cards = [each for each in slack.person(MANAGER).messages("approvals") if "WDR-" in each["text"]]
    first, second = (next(each for each in cards if number in each["text"]) for number in ("WDR-0001", "WDR-0002"))
    slack.person(MANAGER).press(first, "Approve")
    slack.person(MANAGER).say("approvals", "approve", second["ts"])
    states = [
        withdrawal.state
        for number in ("WDR-0001", "WDR-0002")
        if (withdrawal := slack.world.store.read(lambda books, number=number: books.withdrawal(number))) is not None  # type: ignore[misc]  # mypy cannot infer a lambda with a default
    ]
    assert states == [WithdrawalState.APPROVED] * 2


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
