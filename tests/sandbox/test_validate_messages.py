"""Messages as a whole: text, totals, attachments, metadata, arguments and the markup of a text."""

import json
from typing import Any

import pytest

from sandbox.validate import Fault, check_message

Json = dict[str, Any]
TEXT = "Payment received from Acme"


def section(text: str = "Hello", kind: str = "mrkdwn") -> Json:
    return {"type": "section", "text": {"type": kind, "text": text}}


def button(action_id: str) -> Json:
    return {"type": "button", "action_id": action_id, "text": {"type": "plain_text", "text": "Press"}}


def metadata(**payload: Any) -> Json:
    return {"event_type": "invoice_card", "event_payload": payload}


def sizes(limit: int, build: Any) -> tuple[list[Fault], list[Fault]]:
    return check_message(build(limit)), check_message(build(limit + 1))


def places(found: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.error, fault.pointer) for fault in found]


def test_a_complete_message_passes() -> None:
    message = {
        "channel": "C012ABC",
        "text": TEXT,
        "blocks": [section("*Acme* paid <@U012ABC> &amp; <https://example.com/?a=1&b=2|sent> it")],
        "metadata": metadata(invoice=7),
        "thread_ts": "1700000000.000100",
        "reply_broadcast": True,
        "unfurl_links": False,
    }
    assert check_message(message) == []


LIMITS: dict[str, tuple[str, str, int, Any]] = {
    "text": ("msg_too_long", "/text", 4000, lambda size: {"text": "x" * size}),
    "blocks": ("invalid_blocks", "/blocks", 50, lambda size: {"text": TEXT, "blocks": [section()] * size}),
    "all blocks together": (
        "msg_blocks_too_long",
        "/blocks",
        13_000,
        lambda size: {"text": TEXT, "blocks": [section("x" * 2600)] * 4 + [section("x" * (size - 4 * 2600))]},
    ),
    "markdown blocks together": (
        "msg_blocks_too_long",
        "/blocks",
        12_000,
        lambda size: {
            "text": TEXT,
            "blocks": [{"type": "markdown", "text": "x" * 6000}, {"type": "markdown", "text": "x" * (size - 6000)}],
        },
    ),
    "markdown text": ("invalid_arguments", "/markdown_text", 12_000, lambda size: {"markdown_text": "x" * size}),
    "attachments": (
        "too_many_attachments",
        "/attachments",
        100,
        lambda size: {"text": TEXT, "attachments": [{"text": "x"}] * size},
    ),
    "metadata": (
        "metadata_too_large",
        "/metadata",
        3000,
        lambda size: {
            "text": TEXT,
            "metadata": metadata(note="x" * (size - len(json.dumps(metadata(note=""))))),
        },
    ),
    "charts": (
        "invalid_blocks",
        "/blocks",
        2,
        lambda size: {
            "text": TEXT,
            "blocks": [
                {
                    "type": "data_visualization",
                    "title": "Ageing",
                    "chart": {"type": "pie", "segments": [{"label": "0-30", "value": 1}]},
                }
            ]
            * size,
        },
    ),
    "tables": (
        "invalid_blocks",
        "/blocks",
        1,
        lambda size: {
            "text": TEXT,
            "blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]}] * size,
        },
    ),
}


@pytest.mark.parametrize(("error", "pointer", "limit", "build"), LIMITS.values(), ids=LIMITS)
def test_a_message_may_be_as_large_as_its_limit_and_no_larger(error: str, pointer: str, limit: int, build: Any) -> None:
    under, over = sizes(limit, build)
    assert under == []
    assert places(over) == [(error, pointer)]
    assert f"{limit:,}" in over[0].message
    assert f"{limit + 1:,}" in over[0].message


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_a_message_needs_a_text_even_beside_blocks(text: str | None) -> None:
    message = {"blocks": [section()]} | ({} if text is None else {"text": text})
    assert places(check_message(message)) == [("no_text", "/text")]
    assert check_message(message, stricter=False) == []


def test_a_message_of_nothing_is_refused_however_lenient_the_check() -> None:
    assert places(check_message({}, stricter=False)) == [("no_text", "/text")]


@pytest.mark.parametrize("text", ["…", "New message", "notification!", "."])
def test_a_text_beside_blocks_must_say_something(text: str) -> None:
    assert places(check_message({"text": text, "blocks": [section()]})) == [("no_text", "/text")]


WRONG: dict[str, tuple[Json, tuple[str, str]]] = {
    "text that is a number": ({"text": 7}, ("invalid_arguments", "/text")),
    "blocks that are one block": ({"text": TEXT, "blocks": section()}, ("invalid_blocks_format", "/blocks")),
    "blocks that are no JSON": ({"text": TEXT, "blocks": "[{"}, ("invalid_blocks_format", "/blocks")),
    "attachments as an object": ({"text": TEXT, "attachments": {}}, ("invalid_attachments", "/attachments")),
    "an unknown argument": ({"text": TEXT, "colour": "red"}, ("invalid_arguments", "/colour")),
    "a thread of no message": ({"text": TEXT, "thread_ts": "1700000000"}, ("invalid_arguments", "/thread_ts")),
    "a thread as a number": ({"text": TEXT, "thread_ts": 1700000000.0001}, ("invalid_arguments", "/thread_ts")),
    "a broadcast reply to nothing": (
        {"text": TEXT, "reply_broadcast": True},
        ("invalid_arguments", "/reply_broadcast"),
    ),
    "a flag as a string": ({"text": TEXT, "unfurl_links": "false"}, ("invalid_arguments", "/unfurl_links")),
    "two bodies": ({"text": TEXT, "markdown_text": "Hello"}, ("markdown_text_conflict", "/markdown_text")),
    "metadata without a type": (
        {"text": TEXT, "metadata": {"event_payload": {}}},
        ("invalid_metadata_format", "/metadata"),
    ),
    "metadata of a list": (
        {"text": TEXT, "metadata": {"event_type": "card", "event_payload": []}},
        ("invalid_metadata_format", "/metadata/event_payload"),
    ),
    "metadata with more": (
        {"text": TEXT, "metadata": {**metadata(), "version": 1}},
        ("invalid_metadata_format", "/metadata/version"),
    ),
    "metadata that is no JSON": (
        {"text": TEXT, "metadata": metadata(at={1})},
        ("invalid_metadata_format", "/metadata"),
    ),
    "focus in a message": (
        {
            "text": TEXT,
            "blocks": [
                {"type": "actions", "elements": [{"type": "users_select", "action_id": "who", "focus_on_load": True}]}
            ],
        },
        ("invalid_blocks", "/blocks/0/elements/0/focus_on_load"),
    ),
    "a wrong block in an attachment": (
        {"text": TEXT, "attachments": [{"blocks": [{"type": "banner"}]}]},
        ("invalid_blocks", "/attachments/0/blocks/0/type"),
    ),
}


@pytest.mark.parametrize(("message", "place"), WRONG.values(), ids=WRONG)
def test_a_wrong_message_is_refused_by_slacks_name_and_place(message: Json, place: tuple[str, str]) -> None:
    assert places(check_message(message)) == [place]


def test_structured_arguments_may_travel_as_json_text() -> None:
    message = {"text": TEXT, "blocks": json.dumps([section()]), "metadata": json.dumps(metadata(invoice=7))}
    assert check_message(message) == []
    broken = {"text": TEXT, "blocks": json.dumps([{"type": "banner"}])}
    assert places(check_message(broken)) == [("invalid_blocks", "/blocks/0/type")]


@pytest.mark.parametrize(
    ("method", "refused"),
    [
        ("chat.postMessage", False),
        ("chat.update", False),
        ("chat.postEphemeral", True),
        ("chat.scheduleMessage", True),
    ],
)
def test_metadata_goes_only_with_methods_that_deliver_it(method: str, refused: bool) -> None:
    found = check_message({"text": TEXT, "metadata": metadata()}, method=method)
    assert places(found) == ([("invalid_arguments", "/metadata")] if refused else [])


def test_each_method_takes_its_own_arguments() -> None:
    assert check_message({"text": TEXT, "user": "U012ABC"}, method="chat.postEphemeral") == []
    assert check_message({"text": TEXT, "ts": "1700000000.000100"}, method="chat.update") == []
    assert check_message({"text": TEXT, "post_at": 1700000000}, method="chat.scheduleMessage") == []
    assert places(check_message({"text": TEXT, "post_at": 1700000000})) == [("invalid_arguments", "/post_at")]
    with pytest.raises(ValueError, match="unknown method"):
        check_message({"text": TEXT}, method="chat.whisper")


def test_an_answer_that_deletes_needs_no_text() -> None:
    assert check_message({"delete_original": True}, method="response_url") == []


@pytest.mark.parametrize("text", ["<!channel>", "Hello <!here|here>", "<!EVERYONE>"])
@pytest.mark.parametrize("place", ["text", "mrkdwn", "markdown", "attachment"])
def test_nothing_may_ring_everybody(text: str, place: str) -> None:
    messages: dict[str, Json] = {
        "text": {"text": text},
        "mrkdwn": {"text": TEXT, "blocks": [section(text)]},
        "markdown": {"text": TEXT, "blocks": [{"type": "markdown", "text": text}]},
        "attachment": {"text": TEXT, "attachments": [{"text": text}]},
    }
    found = check_message(messages[place])
    assert len(found) == 1
    assert "rings everybody" in found[0].message
    assert check_message(messages[place], stricter=False) == []


@pytest.mark.parametrize("more", [{"link_names": True}, {"parse": "full"}])
def test_a_typed_broadcast_is_refused_where_slack_would_link_it(more: Json) -> None:
    assert "rings everybody" in check_message({"text": "Hello @here", **more})[0].message
    assert check_message({"text": "Hello @here"}) == []


def test_plain_text_may_hold_what_would_be_markup_elsewhere() -> None:
    assert check_message({"text": TEXT, "blocks": [section("<!channel> & <b>", "plain_text")]}) == []


@pytest.mark.parametrize(
    "text",
    [
        "<@U012ABC> in <#C012ABC|general>",
        "<!subteam^S012ABC|finance>",
        "<!date^1700000000^{date_short_pretty}|14 Nov>",
        "<mailto:ann@example.com|Ann>",
        "&lt;b&gt; &amp; more",
        "> a quotation",
    ],
)
def test_markup_that_slack_reads_passes(text: str) -> None:
    assert check_message({"text": text}) == []


@pytest.mark.parametrize("text", ["Smith & Sons", "a < b", "<b>bold</b>", "<!date^1700000000^{date}>", "&nbsp;"])
def test_signs_that_were_not_escaped_are_noticed(text: str) -> None:
    assert [fault.pointer for fault in check_message({"text": text})] == ["/text"]


def test_rows_of_a_message_may_repeat_an_action_but_a_row_may_not() -> None:
    row = {"type": "actions", "elements": [button("approve")]}
    assert check_message({"text": TEXT, "blocks": [row, row]}) == []
    double = {"type": "actions", "elements": [button("approve"), button("approve")]}
    found = check_message({"text": TEXT, "blocks": [double]})
    assert places(found) == [("invalid_blocks", "/blocks/0/elements/1/action_id")]


def test_a_data_table_has_a_text_allowance_of_its_own() -> None:
    cell = {"type": "raw_text", "text": "x" * 9000}
    table = {"type": "data_table", "caption": "Invoices", "rows": [[cell], [cell]]}
    assert check_message({"text": TEXT, "blocks": [table]}) == []


def test_a_fault_reads_like_a_message_of_slack() -> None:
    found = check_message({"text": TEXT, "blocks": [{"type": "banner"}]})
    assert str(found[0]).startswith("[ERROR] there is no type 'banner'")
    assert str(found[0]).endswith("[json-pointer:/blocks/0/type]")
