"""The digest in its channel: posted once whatever happens, with chart, buttons and files; set and run by commands."""

import csv
import io
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.open_items import Invoice
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from sandbox.client import shown
from tests.handlers.test_hostile_text import HOSTILE
from tests.slack import BOT_TOKEN, Slack
from tests.world import ADMIN, CLERK, OWNER, VIEWER

ROOT = Path(__file__).parents[2]
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


def run(slack: Slack, days: int = 0) -> int:
    """Let the time pass and the job run; returns how often it ran."""
    slack.world.now += timedelta(days=days)
    jobs = {"digest": JOBS["digest"]}
    return Runner(slack.duedesk.desk, jobs=jobs, now=lambda: slack.world.now).run_once()


def posted(slack: Slack) -> list[dict[str, Any]]:
    """The messages of the digest channel, without their threads."""
    slack.deliver()
    return [each for each in slack.person(OWNER).messages("digest") if each.get("thread_ts") in {None, each["ts"]}]


def thread(slack: Slack, message: dict[str, Any]) -> list[dict[str, Any]]:
    found = slack.person(OWNER).messages("digest")
    return [each for each in found if each.get("thread_ts") == message["ts"] and each["ts"] != message["ts"]]


def content(slack: Slack, reply: dict[str, Any]) -> bytes:
    return slack.sandbox.workspace.files[reply["files"][0]["id"]].content or b""


def starts(slack: Slack) -> None:
    """Acme owes something, and the digest channel is set."""
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.world.invoice(acme, 300, issued=-60, due=-30, auto=False)
    slack.type("/duedesk settings digest_channel #digest", by=OWNER)
    slack.deliver()


def invoice_of(slack: Slack) -> Invoice:
    found = slack.world.store.read(lambda books: books.invoice("INV-0001"))
    assert found is not None
    return found


def charts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in message["blocks"] if block["type"] == "data_visualization"]


def test_the_digest_is_posted_once_with_its_figures_buttons_and_file(slack: Slack) -> None:
    starts(slack)
    assert run(slack) == 1
    assert run(slack) == 0
    (first,) = posted(slack)
    assert "ties to the ledger ✓" in shown(first)
    assert "The first digest of this channel" in shown(first)
    acme = slack.world.store.read(lambda books: books.find_customers("ACME")[0])
    slack.world.pay(120, acme, to=((invoice_of(slack), 120),))
    slack.world.invoice(acme, 50, due=0, auto=False)
    run(slack, days=1)
    second = posted(slack)[-1]
    assert second["text"] == "Aged receivables · Tue 24 Nov 2026: SGD 230.00 from 1 customer"
    said = shown(second)
    assert "Since Mon 23 Nov 2026" in said
    assert "SGD −70.00 = paid −120.00, new invoices +50.00; newly late 50.00 (1 customer)" in said
    (chart,) = charts(second)
    assert [one["name"] for one in chart["chart"]["series"]] == ["23 Nov 26", "24 Nov 26"]
    assert [point["value"] for point in chart["chart"]["series"][1]["data"]] == [0, 50, 180, 0, 0]
    by_format = {each["files"][0]["name"].rpartition(".")[2]: each for each in thread(slack, second)}
    assert sorted(by_format) == ["csv", "xlsx"]
    assert content(slack, by_format["xlsx"]).startswith(b"PK")
    reply = by_format["csv"]
    rows = list(csv.reader(io.StringIO(content(slack, reply).decode("utf-8-sig"))))
    assert rows[-1][rows[0].index("total")] == "230.00"
    clerk = slack.clerk
    clerk.press(second, "customer_show")
    assert "Acme Pte Ltd" in shown(clerk.ephemerals("digest")[-1])
    clerk.press(second, "mover_more", "Record payment")
    assert clerk.modal is not None
    assert "Acme Pte Ltd" in shown(clerk.modal)


def test_a_process_killed_between_posting_and_noting_it_posts_once(slack: Slack, book_url: str) -> None:
    starts(slack)
    run(slack)
    arguments = [sys.executable, "-m", "tests.jobs.dying", book_url, f"{slack.address}/api/", BOT_TOKEN]
    killed = subprocess.run(arguments, cwd=ROOT, check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert len([each for each in slack.person(OWNER).messages("digest") if "Aged" in each["text"]]) == 1
    lease_ends(slack)
    (message,) = posted(slack)
    assert len(thread(slack, message)) == 2
    assert state_of(slack) == "done"


def lease_ends(slack: Slack) -> None:
    statement = text("UPDATE outbox SET lease_until = NULL WHERE state = 'waiting'")
    slack.world.store.write(lambda connection: connection.execute(statement))


def state_of(slack: Slack) -> str:
    statement = text("SELECT state FROM outbox WHERE kind = 'digest'")
    return str(slack.world.store.database.read(lambda connection: connection.execute(statement).scalar(), None))


@SQLITE
def test_where_slack_takes_no_chart_a_picture_goes_into_the_thread(slack: Slack) -> None:
    starts(slack)
    slack.type("/duedesk settings locale th", by=OWNER)
    run(slack)
    slack.sandbox.faults.add("chat.postMessage", "error", error="invalid_blocks")
    (message,) = posted(slack)
    assert charts(message) == []
    pictures = [reply for reply in thread(slack, message) if reply["files"][0]["name"].endswith(".png")]
    assert len(pictures) == 1
    assert content(slack, pictures[0]).startswith(b"\x89PNG")
    assert len(thread(slack, message)) == 3


@SQLITE
def test_a_message_that_slack_refuses_is_shown_in_the_list_and_the_next_follows_what_was_posted(slack: Slack) -> None:
    starts(slack)
    run(slack)
    posted(slack)
    run(slack, days=1)
    slack.sandbox.faults.add("chat.postMessage", "error", error="not_in_channel")
    assert len(posted(slack)) == 1
    assert "not sent (not_in_channel)" in slack.type("/duedesk jobs", by=VIEWER)
    run(slack, days=1)
    assert "Since Mon 23 Nov 2026" in shown(posted(slack)[-1])
    assert "On its way" in slack.type("/duedesk jobs run digest 2026-11-24", by=ADMIN)
    assert [each["text"][19:29] for each in posted(slack)] == ["Mon 23 Nov", "Wed 25 Nov", "Tue 24 Nov"]
    assert "nothing was posted" in slack.type("/duedesk jobs run digest 2026-11-24", by=ADMIN)


def test_after_a_silence_of_three_days_one_digest_says_which_it_follows(slack: Slack) -> None:
    starts(slack)
    run(slack)
    assert len(posted(slack)) == 1
    assert run(slack, days=3) == 1
    assert run(slack) == 0
    messages = posted(slack)
    assert len(messages) == 2
    assert "Since Mon 23 Nov 2026" in shown(messages[-1])
    assert "no change" in shown(messages[-1])


@SQLITE
def test_a_run_by_hand_does_nothing_twice_unless_a_copy_is_asked_for(slack: Slack) -> None:
    starts(slack)
    assert "On its way: the digest of Mon 23 Nov 2026" in slack.type("/duedesk jobs run digest", by=ADMIN)
    assert "Being made already" in slack.type("/duedesk jobs run digest", by=ADMIN)
    assert run(slack) == 1
    (first,) = posted(slack)
    assert "nothing was posted" in slack.type("/duedesk jobs run digest today", by=ADMIN)
    assert run(slack) == 0
    acme = slack.world.store.read(lambda books: books.find_customers("ACME")[0])
    slack.world.invoice(acme, 77)
    assert "On its way" in slack.type("/duedesk jobs run digest again #digest", by=ADMIN)
    assert run(slack) == 1
    _, copy = posted(slack)
    assert "· copy ·" in shown(copy)
    assert copy["text"] == first["text"].replace("2026:", "2026 (copy):")
    assert "posted; SGD 300.00 from 1 customer" in slack.type("/duedesk jobs", by=ADMIN).replace("copy: SGD", "SGD")
    run(slack, days=1)
    assert "new invoices +77.00" in shown(posted(slack)[-1])


@SQLITE
def test_the_list_says_what_ran_how_it_went_and_what_comes_next(slack: Slack) -> None:
    assert "no channel is set, so nothing is posted" in slack.type("/duedesk jobs", by=VIEWER)
    assert run(slack) == 0
    starts(slack)
    listed = slack.type("/duedesk jobs", by=VIEWER)
    assert "weekdays 09:00, all currencies" in listed
    assert "has not run yet" in listed
    run(slack)
    posted(slack)
    listed = slack.type("/duedesk jobs", by=VIEWER)
    assert "Last run: Mon 23 Nov 2026: posted; SGD 300.00 from 1 customer" in listed
    assert "Next run: Tue 24 Nov 2026 09:00 (UTC)" in listed


@SQLITE
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("/duedesk settings digest", "Name one channel with #"),
        ("/duedesk settings digest #public", "must be private"),
        ("/duedesk settings digest #digest at 25:00", "25:00 is no time of day"),
        ("/duedesk settings digest #digest at", "Nothing stands behind at"),
        ("/duedesk settings digest #digest on someday", "someday is no day of the week"),
        ("/duedesk settings digest #digest in XXX", "This book keeps SGD; XXX is not among them"),
        ("/duedesk settings digest #digest off", "gets no digest, so there is none to switch off"),
        ("/duedesk settings digest #digest off at 09:00", "Type off alone"),
        ("/duedesk jobs run", "Name the job to run"),
        ("/duedesk jobs run nothing", "Name the job to run"),
        ("/duedesk jobs run digest", "no channel is set"),
        ("/duedesk jobs nonsense", "is nothing that jobs do"),
    ],
)
def test_what_cannot_be_understood_is_refused_in_words_and_changes_nothing(slack: Slack, line: str, said: str) -> None:
    assert said in slack.type(line, by=ADMIN)
    assert slack.world.store.read(lambda books: books.settings()).digests == ""
    assert slack.count("job_run") == 0


@SQLITE
def test_a_channel_has_a_digest_of_its_own_currencies_days_and_time(slack: Slack) -> None:
    for code, of in (("ACME", "SGD"), ("DELTA", "USD")):
        slack.world.invoice(slack.world.customer(code, of=of), 100)
    said = slack.type("/duedesk settings digest #digest at 8:30 on mon,thu in usd", by=ADMIN)
    assert said.endswith("mon,thu 08:30, USD")
    assert "mon,thu 08:30, USD" in slack.type("/duedesk settings", by=ADMIN)
    slack.type("/duedesk settings digest #digest at 09:00", by=ADMIN)
    assert slack.world.store.read(lambda books: books.settings()).digests == "C0DIGEST 09:00 mon,thu USD"
    run(slack)
    (message,) = posted(slack)
    assert "USD 100.00" in message["text"]
    assert "SGD" not in shown(message)
    assert "Only an" not in slack.type("/duedesk settings digest #digest off", by=ADMIN)
    assert run(slack, days=7) == 0
    assert "Setting digests" in slack.type("/duedesk audit action plan_digest", by=OWNER)


@SQLITE
@pytest.mark.rule(118)
def test_only_administrators_run_jobs_and_set_channels(slack: Slack) -> None:
    starts(slack)
    for line in ("/duedesk jobs run digest", "/duedesk settings digest #digest at 10:00"):
        assert "needs the right of an administrator" in slack.type(line, by=CLERK)
    assert slack.count("job_run") == 0


@SQLITE
def test_a_future_day_and_a_channel_without_a_digest_are_refused(slack: Slack) -> None:
    starts(slack)
    assert "today or an earlier day" in slack.type("/duedesk jobs run digest 2027-01-01", by=ADMIN)
    assert "gets no digest" in slack.type("/duedesk jobs run digest #finance", by=ADMIN)


@SQLITE
def test_a_book_without_figures_says_so_in_one_line(slack: Slack) -> None:
    slack.type("/duedesk settings digest_channel #digest", by=OWNER)
    run(slack)
    (message,) = posted(slack)
    assert [block["type"] for block in message["blocks"]] == ["rich_text"]
    assert (
        shown(message).splitlines()[-1] == "Aged receivables · Mon 23 Nov 2026: nothing is owed and no credit is held."
    )
    assert thread(slack, message) == []


@SQLITE
def test_what_people_typed_is_shown_and_not_interpreted(slack: Slack) -> None:
    slack.type("/duedesk settings digest_channel #digest", by=OWNER)
    run(slack)
    assert len(posted(slack)) == 1
    for index, name in enumerate(HOSTILE.values()):
        slack.world.invoice(slack.world.customer(f"H{index}", name=name[:200]), 100 + index)
    run(slack, days=1)
    message = posted(slack)[-1]
    assert "new invoices" in shown(message)
    assert "<!channel>" not in message["text"]
    kinds = {element["type"] for block in message["blocks"] for element in _leaves(block)}
    assert not kinds & {"user", "broadcast", "link", "usergroup", "channel"}


def _leaves(block: dict[str, Any]) -> list[dict[str, Any]]:
    if block["type"] != "rich_text":
        return []
    return [element for part in block["elements"] for element in part["elements"]]
