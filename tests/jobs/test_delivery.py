"""The outbox under faults: everything that was promised arrives, once, in order, whatever Slack and the network do."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.domain.customers import Customer
from bot.domain.settings import ChangeSetting, change_setting
from bot.handlers.blocks import messages
from bot.jobs import delivery
from bot.jobs.delivery import LONGEST_BACK_OFF_SECONDS, MOST_ATTEMPTS_AT_A_FAULT, Worker, back_off
from bot.storage.outbox import Outbox
from sandbox.client import shown
from tests.slack import BOT_TOKEN, Slack
from tests.world import ADMIN

ROOT = Path(__file__).parents[2]
FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "too many requests": ("ratelimited", {"retry_after": 30}, "ratelimited"),
    "a fault of Slack": ("server_error", {}, "internal_error"),
    "a fault that Slack names": ("error", {"error": "fatal_error"}, "fatal_error"),
    "a connection dropped before": ("drop_before", {}, "RemoteDisconnected"),
    "a connection dropped after it was done": ("timeout_after", {}, "RemoteDisconnected"),
}


def worker_of(slack: Slack) -> Worker:
    return slack.duedesk.delivery.worker


def customer_of(slack: Slack) -> Customer:
    return slack.world.store.read(lambda books: books.find_customers("ACME")[0])


def change(slack: Slack, statement: str) -> None:
    slack.world.store.write(lambda connection: connection.execute(text(statement)))


def ripen(slack: Slack) -> None:
    """The time to wait is over, for the rows and for the channels; leases too."""
    past = "'2020-01-01 00:00:00'"
    change(
        slack, f"UPDATE outbox SET not_before = {past}, lease_until = NULL, lease_owner = NULL WHERE state = 'waiting'"
    )
    worker_of(slack).resting.clear()


def states(slack: Slack) -> Counter[str]:
    return Counter(Outbox(slack.world.store).counts())


def errors(slack: Slack) -> list[str]:
    return [each.error for each in Outbox(slack.world.store).undelivered()]


def calls(slack: Slack, method: str) -> int:
    return sum(entry["name"] == method for entry in slack.sandbox.traffic)


def recorded(slack: Slack, amount: int = 500) -> None:
    """A payment, its card not delivered yet."""
    slack.type(f"/payment Acme {amount}")
    assert slack.clerk.submit()["ok"]


@pytest.fixture
def acme(slack: Slack) -> Slack:
    """A workspace in which a customer's card is delivered."""
    slack.world.customer()
    slack.deliver()
    return slack


@pytest.mark.parametrize("fault", FAULTS)
def test_a_card_arrives_once_after(acme: Slack, fault: str) -> None:
    kind, more, error = FAULTS[fault]
    recorded(acme)
    acme.sandbox.faults.add("chat.postMessage", kind, **more)
    worker_of(acme).run_once()
    assert errors(acme) == [error]
    tried = calls(acme, "chat.postMessage")
    assert worker_of(acme).run_once() == 0
    assert calls(acme, "chat.postMessage") == tried
    ripen(acme)
    acme.deliver()
    assert errors(acme) == []
    assert [shown(each).count("PAY-0001") > 0 for each in acme.cards()].count(True) == 1
    acme.clerk.press(acme.card("PAY-0001"), "Undo")
    assert "void" in acme.card("PAY-0001")["text"]


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_change_is_told_once_in_the_thread_and_shown_on_the_card_after(acme: Slack, fault: str, method: str) -> None:
    kind, more, error = FAULTS[fault]
    recorded(acme)
    card = acme.card("PAY-0001")
    acme.clerk.press(card, "Undo")
    acme.sandbox.faults.add(method, kind, **more)
    worker_of(acme).run_once()
    assert errors(acme) == [error]
    ripen(acme)
    acme.deliver()
    assert errors(acme) == []
    assert len(acme.thread(card)) == 1
    assert "void" in acme.card("PAY-0001")["text"]


def test_a_channel_rests_as_long_as_slack_says_and_keeps_its_order(acme: Slack) -> None:
    now = [100.0]
    worker_of(acme).clock = lambda: now[0]
    for amount in (10, 20, 30):
        recorded(acme, amount)
    before = calls(acme, "chat.postMessage")
    acme.sandbox.faults.add("chat.postMessage", "ratelimited", retry_after=30)
    worker_of(acme).run_once()
    assert calls(acme, "chat.postMessage") == before + 1
    assert errors(acme) == ["ratelimited"] * 3
    change(acme, "UPDATE outbox SET not_before = '2020-01-01 00:00:00' WHERE state = 'waiting'")
    now[0] += 29
    worker_of(acme).run_once()
    assert calls(acme, "chat.postMessage") == before + 1
    change(acme, "UPDATE outbox SET not_before = '2020-01-01 00:00:00' WHERE state = 'waiting'")
    now[0] += 2
    acme.deliver()
    numbers = [f"PAY-000{index}" for index in (1, 2, 3)]
    assert [number for each in acme.cards() for number in numbers if number in each["text"]] == numbers


def test_a_file_goes_on_while_a_channel_rests(acme: Slack) -> None:
    recorded(acme)
    acme.type("/aging csv")
    acme.sandbox.faults.add("chat.postMessage", "ratelimited", retry_after=300)
    worker_of(acme).run_once()
    assert acme.duedesk.files.worker.run_once() == 1
    assert errors(acme) == ["ratelimited"]
    assert calls(acme, "files.completeUploadExternal") == 1


@pytest.mark.parametrize("error", ["channel_not_found", "is_archived", "not_in_channel", "invalid_blocks"])
def test_what_slack_refuses_for_good_is_parked_with_its_reason_and_can_be_set_going_again(
    acme: Slack, error: str
) -> None:
    recorded(acme, 10)
    recorded(acme, 20)
    acme.sandbox.faults.add("chat.postMessage", "error", error=error)
    acme.deliver()
    assert states(acme)["failed"] == 1
    assert errors(acme) == [error]
    assert [each["text"] for each in acme.cards() if "PAY-0001" in each["text"]] == []
    assert "PAY-0002" in acme.cards()[-1]["text"]
    outbox = Outbox(acme.world.store)
    assert outbox.retry(1) == 0
    assert outbox.retry(outbox.undelivered()[0].id) == 1
    acme.deliver()
    assert errors(acme) == []
    assert sum("PAY-0001" in each["text"] for each in acme.cards()) == 1


def test_a_card_that_somebody_deleted_is_posted_anew_and_later_news_goes_there(acme: Slack) -> None:
    recorded(acme)
    card = acme.card("PAY-0001")
    acme.duedesk.client.chat_delete(channel=card["channel"], ts=card["ts"])
    invoice = acme.world.invoice(customer_of(acme), 100)
    anew = acme.card("PAY-0001")
    assert anew["ts"] != card["ts"]
    acme.type(f"/payment unallocate PAY-0001 {invoice.label}")
    acme.clerk.submit()
    acme.deliver()
    assert acme.thread(anew)


def test_cards_move_with_the_finance_channel_when_the_old_one_is_gone(acme: Slack) -> None:
    recorded(acme)
    card = acme.card("PAY-0001")
    acme.world.do(change_setting, ChangeSetting(name="finance_channel", value="C0PUBLIC"), by=ADMIN)
    acme.clerk.press(card, "Undo")
    acme.sandbox.happenings.archive("finance")
    acme.deliver()
    assert errors(acme) == []
    assert any("PAY-0001" in each["text"] for each in acme.clerk.messages("public"))


def test_without_a_finance_channel_cards_wait_and_go_out_when_there_is_one(acme: Slack) -> None:
    acme.world.do(change_setting, ChangeSetting(name="finance_channel", value=""), by=ADMIN)
    recorded(acme)
    for _ in range(3):
        worker_of(acme).run_once()
        ripen(acme)
    waiting = Outbox(acme.world.store).undelivered()
    assert [(each.error, each.attempts) for each in waiting] == [("no finance channel is set", 0)]
    acme.world.do(change_setting, ChangeSetting(name="finance_channel", value="C0FINANCE"), by=ADMIN)
    acme.deliver()
    assert acme.card("PAY-0001")


def test_a_document_without_a_card_gets_none_for_being_touched(acme: Slack) -> None:
    acme.world.invoice(customer_of(acme), 100)
    acme.deliver()
    change(acme, "DELETE FROM message WHERE document_kind = 'invoice'")
    before = len(acme.cards())
    recorded(acme)
    assert len(acme.cards()) == before + 1
    assert errors(acme) == []


def test_an_older_state_never_goes_over_a_newer_one(acme: Slack) -> None:
    recorded(acme)
    card = acme.card("PAY-0001")
    change(acme, "UPDATE message SET shows = 9000000000000000000 WHERE document_kind = 'payment'")
    updates = calls(acme, "chat.update")
    acme.clerk.press(card, "Undo")
    acme.deliver()
    assert calls(acme, "chat.update") == updates
    assert len(acme.thread(card)) == 1


def test_two_workers_deliver_each_row_once(acme: Slack) -> None:
    for amount in range(1, 13):
        recorded(acme, amount)
    workers = [Worker(acme.duedesk.desk, worker_of(acme).client) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda each=each: [None for _ in range(20) if each.run_once()]) for each in workers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    acme.deliver()
    told = Counter(each["text"].split(" · ")[0] for each in acme.cards() if "PAY-" in each["text"])
    assert told == {f"Payment PAY-{number:04}": 1 for number in range(1, 13)}


def test_a_worker_whose_lease_ended_leaves_the_row_to_the_one_that_took_it_over(acme: Slack) -> None:
    """It is slow for minutes after it took its batch in hand; another one sends everything meanwhile."""
    recorded(acme)
    other = Worker(acme.duedesk.desk, worker_of(acme).client)
    moments = iter(range(0, 10_000, 200))

    def clock() -> float:
        moment = float(next(moments))
        if moment == 200:  # after the batch was claimed, before its first row
            change(acme, "UPDATE outbox SET lease_until = '2020-01-01 00:00:00' WHERE state = 'waiting'")
            assert other.run_once() == 1
        return moment

    Worker(acme.duedesk.desk, worker_of(acme).client, clock=clock).run_once()
    acme.deliver()
    assert sum("PAY-0001" in each["text"] for each in acme.cards()) == 1


def test_a_worker_killed_while_it_posts_has_posted_once(acme: Slack, book_url: str) -> None:
    recorded(acme, 10)
    recorded(acme, 20)
    acme.sandbox.faults.add("chat.postMessage", "timeout_after", seconds=30)
    before = calls(acme, "chat.postMessage")
    arguments = [sys.executable, "-m", "tests.jobs.courier", book_url, f"{acme.address}/api/", BOT_TOKEN]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        for _ in range(300):
            if any("PAY-0001" in each["text"] for each in acme.clerk.messages("finance")):
                break
            time.sleep(0.05)
        child.send_signal(signal.SIGKILL)
    assert calls(acme, "chat.postMessage") <= before + 1
    ripen(acme)
    acme.deliver()
    told = Counter(each["text"].split(" · ")[0] for each in acme.cards() if "PAY-" in each["text"])
    assert told == {"Payment PAY-0001": 1, "Payment PAY-0002": 1}


def test_a_database_that_is_away_for_a_moment_loses_and_fails_nothing(
    acme: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(acme, 10)
    recorded(acme, 20)
    asked = Outbox.message

    def away(*_: Any) -> None:
        monkeypatch.setattr(Outbox, "message", asked)
        raise OperationalError("SELECT", {}, Exception("server closed the connection"))

    monkeypatch.setattr(Outbox, "message", away)
    with pytest.raises(OperationalError):
        worker_of(acme).run_once()
    assert states(acme)["waiting"] == 2
    acme.deliver()
    assert states(acme)["failed"] == states(acme)["waiting"] == 0
    assert sum("PAY-000" in each["text"] for each in acme.cards()) == 2


def test_a_row_that_cannot_be_rendered_stops_no_other_and_is_kept_for_the_operator(
    acme: Slack, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded(acme, 10)
    recorded(acme, 20)
    drawn = messages.render
    first = min(each.document_id for each in Outbox(acme.world.store).undelivered())

    def broken(outcome: Any, kind: str, document_id: int, books: Any) -> Any:
        if document_id == first:
            raise KeyError(document_id)
        return drawn(outcome, kind, document_id, books)

    monkeypatch.setattr(delivery, "render", broken)
    for _ in range(MOST_ATTEMPTS_AT_A_FAULT):
        assert states(acme)["failed"] == 0
        worker_of(acme).run_once()
        ripen(acme)
    assert errors(acme) == ["KeyError"]
    assert states(acme)["failed"] == 1
    assert acme.card("PAY-0002")
    monkeypatch.setattr(delivery, "render", drawn)
    assert Outbox(acme.world.store).retry("all") == 1
    assert acme.card("PAY-0001")


@pytest.mark.parametrize(("said", "seconds"), [("30", 30), ("0", 1), ("soon", 1), ("-5", 1), ("99999", 600)])
def test_a_wait_that_cannot_be_read_is_the_shortest_and_none_is_endless(acme: Slack, said: str, seconds: int) -> None:
    recorded(acme)
    acme.sandbox.faults.add("chat.postMessage", "ratelimited", retry_after=said)
    now = time.monotonic()
    worker_of(acme).run_once()
    (until,) = worker_of(acme).resting.values()
    assert seconds - 1 < until - now < seconds + 30


def test_waits_double_up_to_ten_minutes() -> None:
    assert [back_off(attempts) for attempts in (0, 1, 2, 3)] == [2, 4, 8, 16]
    assert {back_off(attempts) for attempts in (9, 10, 40, 1_000)} == {LONGEST_BACK_OFF_SECONDS}
