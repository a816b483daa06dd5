"""Nothing that a customer is called, owes or pays, and no secret, is ever in a log, whatever goes wrong."""

import json
import logging
import os
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.domain.customers import Contact, Mode, NewCustomer, new_customer
from bot.observe import set_up, told, unexpected
from sandbox.state.grants import ANSWER_SECONDS
from tests.domain.expect import ask_sql, run_sql
from tests.handlers.test_doors import http_door, socket_door
from tests.slack import APP_TOKEN, BOT_TOKEN, SECRET, Slack
from tests.world import ADMIN, CLERK, SGD, TEAM

DOORS = {"http": http_door, "socket": socket_door}
NAME, PAYER, REFERENCE, REMARK = "Zyxomma Qx7 Trading", "Payer Vq8wnd", "REF-Kj3-991", "Remark Wp5zz <!here>"
EMAIL, TYPED, COMPANY, UNREAD = "ops@hx4secret.example", "Typed Ub2rr", "Company Lr6nn", "Unread Mc9tt"
AMOUNT = "918273.64"
MARKS = ("Zyxomma", "Qx7", "Vq8wnd", "Kj3-991", "Wp5zz", "hx4secret", "Ub2rr", "Lr6nn", "Mc9tt", "918273", "918,273")
SECRETS = (BOT_TOKEN, APP_TOKEN, SECRET, "xoxb-", "xapp-")


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Logs as `duedesk run` sets them up, to standard error."""
    set_up("debug")
    with unexpected():
        yield


def work(slack: Slack) -> None:
    """A day of work with marked words everywhere, right and wrong."""
    slack.type(f"/customer find {NAME}")
    slack.type(f"/payment {NAME} {AMOUNT} ref {REFERENCE}")
    slack.fill({"payer": PAYER, "remark": REMARK})
    card = slack.card("PAY-0001")
    slack.clerk.press(card, "Undo")
    slack.type(f"/payment {TYPED} {AMOUNT} SGD")
    slack.type("/payment")
    slack.fill({"amount": f"{AMOUNT} {TYPED}"})
    slack.fill({"amount": AMOUNT, "payer": PAYER, "reference": REFERENCE, "remark": REMARK})
    slack.type("/payment list " + TYPED)
    slack.type(f"/invoice new {NAME} {AMOUNT}")
    slack.type(f"/aging {NAME}")
    slack.type("/aging csv")
    slack.type(f"/duedesk settings company {COMPANY}", by=ADMIN)
    slack.type(f"/duedesk {TYPED}", by=ADMIN)
    slack.type(f"/payment {NAME} {AMOUNT}", by="U0NOBODY")
    slack.deliver()


def break_things(slack: Slack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Faults that carry marked words in their messages; what people are told."""
    sqlite = slack.world.store.database.dialect == "sqlite"
    if sqlite:
        refusing = f"SELECT RAISE(ABORT, 'no {PAYER}')"
        run_sql(slack.world, f"CREATE TRIGGER nobody BEFORE INSERT ON payment BEGIN {refusing}; END")
    else:
        run_sql(slack.world, f"ALTER TABLE payment ADD CONSTRAINT nobody CHECK (payer <> '{PAYER}') NOT VALID")
    slack.type("/payment")
    slack.clerk.fill({"amount": AMOUNT, "payer": PAYER, "remark": REMARK})
    slack.clerk.submit()
    said = [json.dumps(slack.clerk.modal)]
    run_sql(slack.world, "DROP TRIGGER nobody" if sqlite else "ALTER TABLE payment DROP CONSTRAINT nobody")

    def fails(*_: Any, **__: Any) -> None:
        try:
            os.environ[NAME]
        except KeyError as fault:
            raise ValueError(f"{AMOUNT} of {PAYER} with {BOT_TOKEN}") from fault

    for line in ("/aging", f"/customer find {NAME}", f"/payment {NAME} {AMOUNT}"):
        with monkeypatch.context() as patched:
            patched.setattr(slack.duedesk.desk.store, "read", fails)
            said.append(slack.clerk.command("finance", line).text)
    slack.world.pay(AMOUNT, reference=REFERENCE)
    with monkeypatch.context() as patched:
        patched.setattr("bot.jobs.delivery.render", fails)
        slack.deliver()
    for error in ("expired_trigger_id", TYPED):
        slack.sandbox.faults.add("views.open", "error", error=error)
        said.append(slack.clerk.command("finance", f"/payment {TYPED} {AMOUNT}").text)
    slack.sandbox.faults.add("chat.postMessage", "drop_before")
    slack.world.pay(AMOUNT, reference=REFERENCE)
    slack.duedesk.delivery.worker.run_once()
    slack.sandbox.workspace.grants.patience = ANSWER_SECONDS  # these are never answered through a socket
    who = {"user_id": CLERK, "team_id": TEAM, "trigger_id": UNREAD}
    slack.sandbox.deliver("slash_commands", {"command": f"/{UNREAD}", "text": TYPED, **who})
    slack.sandbox.deliver("interactive", {"type": "view_submission", "user": {"id": CLERK}, "view": {"state": UNREAD}})
    slack.sandbox.deliver("interactive", {"type": UNREAD, "user": UNREAD, "actions": [{"value": UNREAD}]})
    slack.sandbox.deliver("events_api", {"type": "event_callback", "event": {"type": UNREAD, "text": TYPED}})
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()
    for name in ("slack_bolt.App", "slack_sdk.socket_mode", "uvicorn.error", "sqlalchemy.engine"):
        logging.getLogger(name).error("cannot read %s", {"text": UNREAD, "token": BOT_TOKEN})
    return said


@pytest.mark.parametrize("door", DOORS)
def test_nothing_confidential_is_logged_whatever_goes_wrong(
    slack: Slack,
    door: str,
    logged: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contact = Contact(name=PAYER, email=EMAIL, phone="+65 6444 9182")
    slack.world.do(
        new_customer, NewCustomer(code="ZQ", name=NAME, currency=SGD, mode=Mode.POSTPAID, contacts=(contact,))
    )
    with DOORS[door](slack) as address:
        work(slack)
        said = break_things(slack, monkeypatch)
        if door == "http":
            for body in (f"text={UNREAD}", '{"type": "' + UNREAD, "x" * 1_000_001):
                with pytest.raises(urllib.error.HTTPError):
                    urllib.request.urlopen(f"{address}/slack/events", data=body.encode(), timeout=5)
    printed = capsys.readouterr()
    everything = printed.out + printed.err
    for mark in (*MARKS, *SECRETS):
        assert mark not in everything, [line for line in everything.splitlines() if mark in line][:3]
    lines = [json.loads(line) for line in printed.err.splitlines()]
    assert {line["says"] for line in lines} >= {"request", "delivery", "a thread ended"}
    faults = [line for line in lines if line["says"].startswith("incident")]
    assert len(faults) >= 4
    chain = re.compile(r"builtins\.ValueError\n  [^¤]*after\nbuiltins\.KeyError")
    assert any(chain.match(line["fault"]) for line in faults)
    # The id that a person quotes, the id of the lines, and the id in the audit log are one.
    quoted = set(re.findall(r"incident ([0-9a-f]{10})", " ".join(said)))
    assert len(quoted) >= 4
    done = {line["request"]: line for line in lines if line["says"] == "request"}
    assert quoted <= {line["request"] for line in faults}
    assert {done[each]["outcome"] for each in quoted} == {"fault"}
    audited = {row[0] for row in ask_sql(slack.world, "SELECT request_id FROM audit WHERE actor <> 'system'")}
    assert {each for each in audited if re.fullmatch(r"[0-9a-f]{10}", each)} <= set(done)
    assert {(line["door"], line["book"]) for line in done.values()} == {(door, "main")}
    assert {line["command"] for line in done.values()} >= {"payment", "aging", "customer", "other", "payment_record"}
    assert all(re.fullmatch(r"outbox-\d+", line["request"]) for line in lines if line["says"] == "delivery")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_fault_is_told_by_its_kinds_places_and_codes_without_its_words(slack: Slack) -> None:
    try:
        try:
            WebClient(base_url=slack.address + "/api/", token=BOT_TOKEN).chat_postMessage(channel=UNREAD, text=NAME)
        except SlackApiError as fault:
            raise RuntimeError(PAYER) from fault
    except RuntimeError as fault:
        found = told(fault)
    place = r"  \S*tests/test_logs\.py:\d+ in test_a_fault_is_told_by_its_kinds_places_and_codes_without_its_words\n"
    kinds = (r"builtins\.RuntimeError\n", r"slack_sdk\.errors\.SlackApiError \(channel_not_found\)\n")
    assert re.match(rf"{kinds[0]}{place}after\n{kinds[1]}{place}  \S*slack_sdk/web/client\.py:\d+ in ", found), found
    assert NAME not in found
    assert UNREAD not in found


def test_a_fault_that_is_its_own_cause_ends() -> None:
    fault = ValueError(NAME)
    fault.__cause__ = KeyError(PAYER)
    fault.__cause__.__cause__ = fault
    assert told(fault) == "builtins.ValueError\nafter\nbuiltins.KeyError"
