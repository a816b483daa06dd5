"""Every kind of row against all that Slack does wrong, tried by two processes in turn: it arrives, and arrives once."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.month_end import MonthTold
from bot.domain.month_plans import BOOK, MONTH_END
from bot.domain.settings import ChangeSetting, change_setting
from bot.jobs.delivery import Worker
from bot.jobs.files import FileWorker
from bot.jobs.month_end import _TOLD
from bot.storage.jobs import Finished, JobRuns
from bot.storage.outbox import Outbox
from tests.handlers.test_proofs import record
from tests.jobs.test_delivery import calls, change, errors, recorded, worker_of
from tests.jobs.test_digest_post import run, starts
from tests.slack import FINANCE, Slack
from tests.world import OWNER

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
POST, UPLOAD = "chat.postMessage", "files.completeUploadExternal"
# The answer to the last of them is lost after Slack did what was asked.
FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("drop_before", {}),
    ("ratelimited", {"retry_after": 30}),
    ("server_error", {}),
    ("error", {"error": "fatal_error"}),
    ("timeout_after", {}),
)


def card(slack: Slack) -> None:
    recorded(slack)


def change_in_thread(slack: Slack) -> None:
    recorded(slack)
    slack.clerk.press(slack.card("PAY-0001"), "Undo")


def digest(slack: Slack) -> None:
    starts(slack)
    run(slack)


def digest_file(slack: Slack) -> None:
    digest(slack)
    assert worker_of(slack).run_once() == 1
    change(slack, f"UPDATE outbox SET state = 'dropped' WHERE id = (SELECT MAX(id) FROM ({WAITING}) AS w)")


def month_end(slack: Slack) -> None:
    runs = JobRuns(slack.world.store)
    runs.plan(MONTH_END, BOOK, slack.world.today, slack.world.now)
    (claimed,) = runs.claim("test", slack.world.now)
    told = _TOLD.dump_json(MonthTold(month=date(2026, 10, 1), sums=(), left_out=())).decode()
    runs.finish(claimed, Finished(result="none", payload=told, kind="month_end"), slack.world.now)


def report(slack: Slack) -> None:
    slack.type("/aging csv")


def proof(slack: Slack) -> None:
    record(slack, "slip.pdf")
    assert worker_of(slack).run_once() == 1


def paper(slack: Slack) -> None:
    slack.world.do(change_setting, ChangeSetting(name="attach_papers", value="on"), by=OWNER)
    slack.world.invoice(slack.world.store.read(lambda books: books.find_customers("ACME")[0]), 10)
    assert worker_of(slack).run_once() == 1


WAITING = "SELECT id FROM outbox WHERE state = 'waiting'"
KINDS: dict[str, tuple[Callable[[Slack], None], str]] = {
    each.__name__: (each, method)
    for method, kinds in {
        POST: (card, change_in_thread, digest, month_end),
        UPLOAD: (digest_file, report, proof, paper),
    }.items()
    for each in kinds
}


def ripe(slack: Slack, *workers: Worker | FileWorker) -> None:
    """The time to wait is over."""
    change(slack, "UPDATE outbox SET not_before = '2020-01-01 00:00:00' WHERE state = 'waiting'")
    for each in workers:
        if isinstance(each, Worker):
            each.resting.clear()


def standing(slack: Slack) -> tuple[int, int]:
    """How many messages of the app and how many files stand in the workspace."""
    with slack.sandbox.workspace.lock:
        messages = sum(bool(each.bot_id) for found in slack.sandbox.workspace.messages.values() for each in found)
        files = sum(len(each.shared_in) for each in slack.sandbox.workspace.files.values() if each.complete)
    return messages, files


@SQLITE
@pytest.mark.parametrize("kind", KINDS)
def test_it_arrives_once_whatever_slack_does_and_whoever_tries(slack: Slack, kind: str) -> None:
    prepare, method = KINDS[kind]
    faults = FAULTS if kind != "paper" else FAULTS[-2:]  # it takes a second to draw each time
    if prepare not in {digest, digest_file}:
        slack.world.customer()
        slack.deliver()
    prepare(slack)
    (row,) = slack.world.store.database.read(lambda connection: connection.execute(text(WAITING)).scalars().all(), None)
    one, files = slack.duedesk.delivery.worker, slack.duedesk.files.worker
    pairs: dict[str, tuple[Worker | FileWorker, Worker | FileWorker]] = {
        POST: (one, Worker(one.desk, one.client)),
        UPLOAD: (files, FileWorker(files.desk, files.client, files.renderer, files.book)),
    }
    pair = pairs[method]
    before = standing(slack)
    for turn, (fault, more) in enumerate(faults):
        ripe(slack, *pair)
        slack.sandbox.faults.add(method, fault, **more)
        assert pair[turn % 2].run_once() == 1
        assert len(errors(slack)) == 1, fault
    ripe(slack, *pair)
    assert pair[len(faults) % 2].run_once() == 1
    slack.deliver()
    after = standing(slack)
    assert after[1] - before[1] == (method == UPLOAD) + (2 if kind == "digest" else 0)
    assert after[0] - before[0] == 1 + (2 if kind == "digest" else 0)
    state = text("SELECT state FROM outbox WHERE id = :row")
    assert slack.world.store.database.read(lambda each: each.execute(state, {"row": row}).scalar(), None) == "done"


@SQLITE
def test_a_channel_that_rests_is_asked_once_more_by_another_process_and_then_rests_there_too(slack: Slack) -> None:
    slack.world.customer()
    slack.deliver()
    for amount in (10, 20, 30):
        recorded(slack, amount)
    one = worker_of(slack)
    other = Worker(one.desk, one.client)
    before = calls(slack, POST)
    slack.sandbox.faults.add(POST, "ratelimited", retry_after=30, times=2)
    for worker in (one, other, one, other):
        change(slack, "UPDATE outbox SET not_before = '2020-01-01 00:00:00' WHERE state = 'waiting'")
        assert worker.run_once() == 3
    assert calls(slack, POST) == before + 2
    ripe(slack, one, other)
    assert other.run_once() == 3
    numbers = [f"PAY-000{index}" for index in (1, 2, 3)]
    assert [number for each in slack.cards() for number in numbers if number in each["text"]] == numbers


@SQLITE
def test_a_digest_rests_with_its_channel(slack: Slack) -> None:
    starts(slack)
    slack.world.do(change_setting, ChangeSetting(name="digest_channel", value=FINANCE), by=OWNER)
    recorded(slack)
    run(slack)
    before = calls(slack, POST)
    slack.sandbox.faults.add(POST, "ratelimited", retry_after=30)
    assert worker_of(slack).run_once() == 2
    assert calls(slack, POST) == before + 1
    assert errors(slack) == ["ratelimited"] * 2


@SQLITE
def test_what_cannot_be_looked_for_is_not_sent_again_before_it_can_be(slack: Slack) -> None:
    """Its answer was lost, and the look is refused in passing: it waits. Without the scope nobody can look, and it
    stands twice.
    """
    slack.world.customer()
    slack.deliver()
    recorded(slack)
    slack.sandbox.faults.add(POST, "timeout_after")
    worker_of(slack).run_once()
    for fault in ("ratelimited", "server_error", "drop_before"):
        ripe(slack, worker_of(slack))
        slack.sandbox.faults.add("conversations.history", fault)
        worker_of(slack).run_once()
        assert len(Outbox(slack.world.store).undelivered()) == 1
    ripe(slack, worker_of(slack))
    slack.sandbox.faults.add("conversations.history", "error", error="missing_scope")
    worker_of(slack).run_once()
    assert sum("PAY-0001" in each["text"] for each in slack.cards()) == 2
