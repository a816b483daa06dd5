"""Typing commands, and what becomes of the answer."""

import time
from typing import Any

import pytest
from slack_sdk.webhook import WebhookClient

from sandbox.client import NotThere
from tests.sandbox.conftest import Stage, noting


def test_an_answer_is_seen_by_the_person_alone_unless_it_says_otherwise(stage: Stage) -> None:
    stage.app.command("/raw")(lambda ack, body: ack(response_type=body["text"], text="Counted 3"))
    assert stage.ana.command("finance", "/raw ephemeral").text == "Counted 3"
    assert stage.ben.messages("finance") == []
    stage.ana.command("#finance", "/raw in_channel")
    assert [each["text"] for each in stage.ben.messages("finance")] == ["Counted 3"]


def test_typed_text_arrives_escaped_and_with_references_where_asked_for(stage: Stage) -> None:
    seen: list[dict[str, Any]] = []
    for name in ("/raw", "/form"):
        stage.app.command(name)(noting(seen))
    stage.ana.command("finance", "/form @ben.ong #finance a<b & c")
    stage.ana.command("finance", "/raw @ben.ong #finance")
    assert seen[0]["text"] == "<@U0BEN|ben.ong> <#C0FINANCE|finance> a&lt;b &amp; c"
    assert seen[1]["text"] == "@ben.ong #finance"
    assert seen[0]["channel_name"] == "finance"
    assert seen[0]["user_name"] == "ana"
    assert seen[0]["is_enterprise_install"] == "false"


def test_a_late_answer_is_an_operation_timeout(stage: Stage) -> None:
    @stage.app.command("/raw")
    def late(ack: Any) -> None:
        time.sleep(3.05)
        ack("too late")

    reply = stage.ana.command("finance", "/raw")
    assert reply.error == "operation_timeout"
    assert reply.text == '/raw failed with the error "operation_timeout"'
    assert stage.ana.messages("finance") == []


def test_an_app_that_refuses_is_a_dispatch_failure(stage: Stage) -> None:
    reply = stage.ana.command("finance", "/raw")
    assert (reply.status, reply.error) == (404, "dispatch_failed")


def test_a_command_in_a_thread_or_of_nobody_is_never_sent(stage: Stage) -> None:
    ts = stage.ana.say("finance", "root")
    before = len(stage.sandbox.workspace.deliveries)
    assert stage.ana.command("finance", "/raw", thread_ts=ts).error == "not_supported_in_threads"
    assert stage.ana.command("finance", "/nothing").error == "unknown_command"
    assert "Sorry" in stage.ana.toasts[0]
    assert len(stage.sandbox.workspace.deliveries) == before


def test_a_guest_does_not_see_channels_they_are_not_in(stage: Stage) -> None:
    with pytest.raises(NotThere):
        stage.sandbox.person("U0GUEST").messages("secret")


def test_a_faulty_answer_is_shown_and_logged_not_posted(stage: Stage) -> None:
    stage.app.command("/raw")(lambda ack: ack(response_type="ephemeral", text="", blocks=[{"type": "nonsense"}]))
    reply = stage.ana.command("finance", "/raw")
    assert reply.error is not None
    assert stage.ana.messages("finance") == []
    assert stage.sandbox.traffic[-1]["error"] == reply.error


def test_a_response_url_works_five_times_within_thirty_minutes(stage: Stage) -> None:
    addresses: list[str] = []
    stage.app.command("/raw")(noting(addresses, "response_url"))
    stage.ana.command("finance", "/raw")
    hook = WebhookClient(addresses[0])
    answers = [hook.send(text=f"Counted {number}", response_type="ephemeral") for number in range(6)]
    assert [each.status_code for each in answers] == [200] * 5 + [404]
    assert answers[5].body.find("used_url") > 0
    assert len(stage.ana.ephemerals()) == 5
    stage.ana.command("finance", "/raw")
    stage.sandbox.workspace.clock = time.time
    stage.sandbox.workspace.grants._clock = lambda: time.time() + 1801
    assert "expired_url" in WebhookClient(addresses[1]).send(text="late", response_type="ephemeral").body


def test_a_response_url_of_a_button_can_replace_and_delete_the_message(stage: Stage) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "1"}
    blocks = [{"type": "actions", "block_id": "row", "elements": [button]}]
    stage.app.command("/raw")(lambda ack: ack(response_type="ephemeral", text="Shall we go?", blocks=blocks))
    stage.app.action("go")(lambda ack, respond: (ack(), respond(text="We went there", replace_original=True)))
    stage.ana.command("finance", "/raw")
    stage.ana.press(stage.ana.ephemerals()[-1], "Go")
    assert [each["text"] for each in stage.ana.messages("finance")] == ["We went there"]
