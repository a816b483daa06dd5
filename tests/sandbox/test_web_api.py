"""The Web API, called by Slack's own client; refusals under Slack's names."""

import json
import time
import urllib.request
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ConnectionErrorRetryHandler, RateLimitErrorRetryHandler
from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View

from tests.sandbox.conftest import ANA, BEN, TOKEN, Stage, form, section

BLOCKS = [section("One")]


def error_of(call: Any, **arguments: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        call(**arguments)
    return str(refused.value.response["error"])


def raw(stage: Stage, method: str, body: bytes, **headers: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(fetch(f"{stage.address}/api/{method}", body, headers))
    return made


def fetch(address: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    request = urllib.request.Request(address, data=body, headers=headers or {})  # loopback only
    with urllib.request.urlopen(request) as answer:  # loopback only
        content: bytes = answer.read()
    return content


def test_tokens_are_looked_at_where_slack_looks(stage: Stage) -> None:
    bearer, as_json = {"Authorization": f"Bearer {TOKEN}"}, {"Content-Type": "application/json; charset=utf-8"}
    assert raw(stage, "auth.test", b"", **bearer)["user_id"] == stage.sandbox.bot_user
    assert raw(stage, "auth.test", b"")["error"] == "not_authed"
    assert raw(stage, "auth.test", b"", Authorization="Bearer xoxb-no")["error"] == "invalid_auth"
    assert raw(stage, "auth.test", json.dumps({"token": TOKEN}).encode(), **as_json)["error"] == "not_authed"
    assert raw(stage, "auth.test", f"token={TOKEN}".encode())["ok"]
    assert raw(stage, "apps.connections.open", b"", **bearer)["error"] == "not_allowed_token_type"
    assert raw(stage, "chat.nothing", b"", **bearer)["error"] == "unknown_method"
    assert raw(stage, "chat.postMessage", b"{", **bearer, **as_json)["error"] == "invalid_json"


def test_a_missing_scope_is_named(stage: Stage) -> None:
    with pytest.raises(SlackApiError) as refused:
        stage.client.reactions_add(channel="C0FINANCE", timestamp="1.0", name="eyes")
    answer = refused.value.response
    assert (answer["error"], answer["needed"]) == ("missing_scope", "reactions:write")
    assert "chat:write" in answer["provided"]
    assert "chat:write" in answer.headers["x-oauth-scopes"]
    assert error_of(stage.client.conversations_history, channel="C0SECRET") == "missing_scope"


def test_each_answer_carries_the_time_of_the_workspace(stage: Stage) -> None:
    stage.sandbox.workspace.clock = lambda: 1_800_000_000.9
    assert stage.client.auth_test().headers["date"] == "Fri, 15 Jan 2027 08:00:00 GMT"
    with urllib.request.urlopen(f"{stage.address}/api/api.test") as answer:  # loopback only
        assert answer.headers.get_all("date") == ["Fri, 15 Jan 2027 08:00:00 GMT"]


def test_where_the_app_is_not_it_cannot_write(stage: Stage) -> None:
    post = stage.client.chat_postMessage
    assert error_of(post, channel="C0AWAY", text="One") == "not_in_channel"
    assert error_of(post, channel="C0SECRET", text="One") == "channel_not_found"
    assert error_of(post, channel="C0NOWHERE", text="One") == "channel_not_found"
    assert error_of(post, channel="C0OLD", text="One") == "is_archived"
    assert error_of(post, channel="C0NEWS", text="One") == "restricted_action"
    assert error_of(stage.client.chat_postEphemeral, channel="C0FINANCE", user="U0NO", text="One") == (
        "user_not_in_channel"
    )


def test_a_message_is_posted_rewritten_and_deleted(stage: Stage) -> None:
    posted = stage.client.chat_postMessage(channel="C0FINANCE", text="First", blocks=BLOCKS)
    assert [each.type for each in Block.parse_all(posted["message"]["blocks"])] == ["section"]
    seconds, _, micros = str(posted["ts"]).partition(".")
    assert (len(seconds), len(micros)) == (10, 6)
    ts = posted["ts"]
    updated = stage.client.chat_update(channel="C0FINANCE", ts=ts, text="Second")
    assert updated["message"]["blocks"][0]["text"]["text"] == "One", "blocks that are not given stay"
    assert updated["message"]["edited"]["user"] == stage.sandbox.bot_user
    assert stage.ben.messages("finance")[0]["edited"] is True
    link = stage.client.chat_getPermalink(channel="C0FINANCE", message_ts=ts)["permalink"]
    assert str(link).endswith(f"/archives/C0FINANCE/p{ts.replace('.', '')}")
    stage.client.chat_delete(channel="C0FINANCE", ts=ts)
    assert error_of(stage.client.chat_update, channel="C0FINANCE", ts=ts, text="Third") == "message_not_found"
    said = stage.ana.say("finance", "mine")
    assert error_of(stage.client.chat_update, channel="C0FINANCE", ts=said, text="Yours") == "cant_update_message"


def test_a_thread_counts_its_replies_and_history_leaves_them_out(stage: Stage) -> None:
    metadata = {"event_type": "card", "event_payload": {"id": "P1"}}
    root = stage.client.chat_postMessage(channel="C0FINANCE", text="Root", metadata=metadata)["ts"]
    reply = stage.client.chat_postMessage(channel="C0FINANCE", text="Reply", thread_ts=root)["ts"]
    post = stage.client.chat_postMessage
    assert error_of(post, channel="C0FINANCE", text="Deep", thread_ts=reply) == "cannot_reply_to_message"
    assert error_of(post, channel="C0FINANCE", text="Lost", thread_ts="1700000000.000100") == "thread_not_found"
    history = stage.client.conversations_history(channel="C0FINANCE", include_all_metadata=True)["messages"]
    assert [(each["text"], each["reply_count"], each["metadata"]) for each in history] == [("Root", 1, metadata)]
    assert "metadata" not in stage.client.conversations_history(channel="C0FINANCE")["messages"][0]
    replies = stage.client.conversations_replies(channel="C0FINANCE", ts=root)["messages"]
    assert [each["text"] for each in replies] == ["Root", "Reply"]
    newer = stage.client.conversations_history(channel="C0FINANCE", oldest=root)["messages"]
    assert newer == []


def test_lists_come_in_pages(stage: Stage) -> None:
    found = [each["id"] for page in stage.client.users_list(limit=2) for each in page["members"]]
    assert found == list(stage.sandbox.workspace.people)
    assert error_of(stage.client.users_list, cursor="nonsense") == "invalid_cursor"


def test_a_direct_message_is_opened_by_the_persons_id(stage: Stage) -> None:
    channel = stage.client.conversations_open(users=ANA)["channel"]["id"]
    stage.client.chat_postMessage(channel=ANA, text="Hello")
    assert [each["text"] for each in stage.ana.messages("app")] == ["Hello"]
    assert stage.ana.messages(channel) == stage.ana.messages("app")
    assert stage.ben.messages("app") == []
    assert error_of(stage.client.conversations_open, users="U0NO") == "user_not_found"


def test_people_and_channels_have_slacks_shapes(stage: Stage) -> None:
    ana = stage.client.users_info(user=ANA)["user"]
    assert (ana["tz"], ana["tz_offset"], ana["profile"]["display_name"]) == ("Asia/Singapore", 28800, "ana")
    assert "email" not in ana["profile"], "its scope was not granted"
    assert error_of(stage.client.users_lookupByEmail, email="ana@example.com") == "missing_scope"
    info = stage.client.conversations_info(channel="C0FINANCE")["channel"]
    assert (info["name"], info["is_member"], info["is_private"]) == ("finance", True, False)
    names = [each["name"] for each in stage.client.conversations_list(types="public_channel")["channels"]]
    assert "secret" not in names
    assert BEN in stage.client.conversations_members(channel="C0FINANCE")["members"]


def test_what_slack_would_not_take_is_refused_under_its_name(stage: Stage) -> None:
    post = stage.client.chat_postMessage
    assert error_of(post, channel="C0FINANCE", blocks=[{"type": "nonsense"}], text="Two") == "invalid_blocks"
    assert error_of(post, channel="C0FINANCE", text="x" * 4001) == "msg_too_long"
    assert error_of(stage.client.api_call, api_method="chat.postMessage", json={"channel": "C0FINANCE"}) == "no_text"
    assert error_of(post, channel="", text="One") == "invalid_arguments"
    assert error_of(stage.client.api_call, api_method="blocks.validate", json={"blocks": [{"type": "no"}]}) == (
        "invalid_blocks"
    )
    assert stage.client.api_call("blocks.validate", json={"view": form(section("One"))})["ok"]


def test_views_come_back_as_the_sdk_reads_them(stage: Stage) -> None:
    stage.open_form(section("One"))
    view = stage.ana.modal
    assert view is not None
    answer = stage.client.views_update(view_id=view["id"], view=form(section("Two")))
    parsed = View(**answer["view"])
    assert (parsed.id, parsed.callback_id, parsed.root_view_id) == (view["id"], "payment", view["id"])


def test_files_are_uploaded_in_three_steps_and_read_with_the_token(stage: Stage) -> None:
    done = stage.client.files_upload_v2(channel="C0FINANCE", content="a,b\n", filename="a.csv", title="A")
    assert done["file"]["title"] == "A"
    seen = stage.ben.messages("finance")[0]["files"][0]
    assert (seen["name"], seen["mimetype"]) == ("a.csv", "text/csv")
    assert b"sign in" in fetch(seen["url_private_download"])
    assert fetch(seen["url_private_download"], headers={"Authorization": f"Bearer {TOKEN}"}) == b"a,b\n"
    assert [each["id"] for each in stage.client.files_list(channel="C0FINANCE")["files"]] == [seen["id"]]
    assert stage.client.files_list(channel="C0FINANCE", ts_from=str(seen["created"] + 1))["files"] == []
    assert stage.client.files_list(channel="C0PUBLIC")["paging"]["total"] == 0
    stage.client.files_delete(file=seen["id"])
    assert error_of(stage.client.files_info, file=seen["id"]) == "file_not_found"
    proof = stage.ana.upload("mine.pdf", b"%PDF")
    assert error_of(stage.client.files_delete, file=proof) == "cant_delete_file"


def test_calls_fail_on_demand(stage: Stage) -> None:
    faults = stage.sandbox.faults
    call: dict[str, Any] = {"channel": "C0FINANCE", "text": "Once"}
    faults.add("chat.postMessage", "ratelimited", retry_after=1)
    with pytest.raises(SlackApiError) as limited:
        stage.client.chat_postMessage(**call)
    assert limited.value.response.status_code == 429
    assert limited.value.response.headers["Retry-After"] == "1"
    faults.add("chat.postMessage", "error", error="fatal_error")
    assert error_of(stage.client.chat_postMessage, **call) == "fatal_error"
    faults.add("chat.postMessage", "drop_before")
    with pytest.raises(OSError, match=r"closed|reset"):
        stage.client.chat_postMessage(**call)
    assert stage.ana.messages("finance") == []
    faults.add("chat.postMessage", "timeout_after")
    with pytest.raises(OSError, match=r"closed|reset"):
        stage.client.chat_postMessage(**call)
    assert [each["text"] for each in stage.ana.messages("finance")] == ["Once"]
    faults.add("chat.postMessage", "delay", seconds=0.2)
    started = time.monotonic()
    stage.client.chat_postMessage(**call)
    assert time.monotonic() - started >= 0.2


def test_retrying_after_a_lost_answer_posts_twice_as_with_slack(stage: Stage) -> None:
    handlers = [ConnectionErrorRetryHandler(max_retry_count=1), RateLimitErrorRetryHandler(max_retry_count=1)]
    client = WebClient(token=TOKEN, base_url=f"{stage.address}/api/", retry_handlers=handlers)
    stage.sandbox.faults.add("chat.postMessage", "timeout_after")
    client.chat_postMessage(channel="C0FINANCE", text="Again")
    assert len(stage.ana.messages("finance")) == 2


def test_the_log_holds_what_crossed_and_no_secret(stage: Stage) -> None:
    stage.app.command("/raw")(lambda ack: ack())
    stage.ana.command("finance", "/raw hello")
    stage.client.chat_postMessage(channel="C0FINANCE", text=f"The token is {TOKEN}")
    log = json.dumps(stage.sandbox.traffic)
    assert "/raw" in log
    assert "chat.postMessage" in log
    assert TOKEN not in log
    command = next(each for each in stage.sandbox.traffic if each["direction"] == "to app")
    assert command["request"]["token"] == "…"
