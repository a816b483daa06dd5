"""Blocks: every kind passes when it is right, and each limit holds on both sides."""

import copy
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from sandbox.validate import Fault, check_message, check_view

Json = dict[str, Any]
IMAGE: Json = {"type": "image", "image_url": "https://example.com/logo.png", "alt_text": "Logo"}


def plain(text: str = "Hello") -> Json:
    return {"type": "plain_text", "text": text}


def marked(text: str = "Hello") -> Json:
    return {"type": "mrkdwn", "text": text}


def section(**more: Any) -> Json:
    return {"type": "section", "text": marked(), **more}


def button(number: int = 1, **more: Any) -> Json:
    return {"type": "button", "action_id": f"press_{number}", "text": plain("Press"), **more}


def raw(text: str = "1") -> Json:
    return {"type": "raw_text", "text": text}


def rich(*parts: Json) -> Json:
    line = {"type": "rich_text_section", "elements": list(parts) or [{"type": "text", "text": "Hello"}]}
    return {"type": "rich_text", "elements": [line]}


def table(rows: int = 2, columns: int = 2) -> Json:
    return {"type": "table", "rows": [[raw() for _ in range(columns)] for _ in range(rows)]}


def data_table(rows: int = 2, columns: int = 2, **more: Any) -> Json:
    return {**table(rows, columns), "type": "data_table", "caption": "Open invoices", **more}


def bar_chart(series: int = 1, categories: int = 2, **more: Any) -> Json:
    labels = [f"c{number}" for number in range(categories)]
    points = [{"label": label, "value": 1} for label in labels]
    named = [{"name": f"s{number}", "data": points} for number in range(series)]
    chart = {"type": "bar", "series": named, "axis_config": {"categories": labels}}
    return {"type": "data_visualization", "title": "Ageing", "chart": chart, **more}


def pie_chart(segments: int = 2, value: float = 1) -> Json:
    parts = [{"label": f"p{number}", "value": value} for number in range(segments)]
    return {"type": "data_visualization", "title": "Ageing", "chart": {"type": "pie", "segments": parts}}


def task(number: int = 1, status: str = "pending") -> Json:
    return {"type": "task_card", "task_id": f"t{number}", "title": "Look up", "status": status}


def card(**more: Any) -> Json:
    return {"type": "card", "title": marked("Credit"), **more}


def container(*children: Json, **more: Any) -> Json:
    return {"type": "container", "title": plain(), "child_blocks": list(children) or [section()], **more}


def video(**more: Any) -> Json:
    links = {"video_url": "https://example.com/v", "thumbnail_url": "https://example.com/t.png"}
    return {"type": "video", "alt_text": "How to", "title": plain(), **links, **more}


def provider(**more: Any) -> Json:
    return {"type": "auth_provider", "value": "books", "name": plain("Books"), "is_connected": False, **more}


def faults_in_message(*blocks: Json) -> list[Fault]:
    return check_message({"text": "Payment received from Acme", "blocks": list(blocks)})


def faults_in_modal(*blocks: Json) -> list[Fault]:
    heading = {"type": "modal", "callback_id": "pay", "title": plain(), "submit": plain()}
    return check_view({**heading, "blocks": list(blocks)})


def faults_in_home(*blocks: Json) -> list[Fault]:
    return check_view({"type": "home", "blocks": list(blocks)})


CHECKS = {"message": faults_in_message, "modal": faults_in_modal, "home": faults_in_home}
ALERT: Json = {"type": "alert", "text": plain(), "level": "warning"}
INPUT: Json = {
    "type": "input",
    "block_id": "amount",
    "label": plain("Amount"),
    "element": {"type": "plain_text_input", "action_id": "amount"},
}
FEEDBACK: Json = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "good"},
    "negative_button": {"text": plain("Bad"), "value": "bad", "accessibility_label": "Not helpful"},
}
ICON: Json = {"type": "icon_button", "action_id": "remove", "icon": "trash", "text": plain("Remove"), "value": "1"}
ANYWHERE: list[Json] = [
    section(fields=[marked(), plain()], accessory=IMAGE, expand=True, block_id="top"),
    {"type": "section", "fields": [marked()]},
    {"type": "actions", "elements": [button(1, style="primary"), button(2, url="https://example.com/?a=1&b=2")]},
    {"type": "context", "elements": [marked(), plain(), IMAGE]},
    {"type": "header", "text": plain()},
    {"type": "divider"},
    {**IMAGE, "title": plain()},
    {"type": "image", "slack_file": {"id": "F012ABC"}, "alt_text": "Proof"},
    INPUT,
    rich(),
    card(icon=IMAGE, subtitle=plain(), body=marked(), actions=[button()]),
    video(title_url="https://example.com", author_name="Ann"),
    provider(description=plain(), auth_url="https://example.com/auth"),
]
MESSAGE_AND_HOME: list[Json] = [
    {**table(), "column_settings": [{"align": "right"}, None, {"is_wrapped": True}]},
    {"type": "table", "rows": [[{"type": "raw_number", "value": 12.5, "text": "12.50"}, rich()]]},
    data_table(page_size=20, row_header_column_index=1),
    bar_chart(),
    pie_chart(),
    container({"type": "divider"}, table(), subtitle=marked(), width="wide", is_collapsible=True),
    {"type": "carousel", "elements": [card(), card()]},
]
MESSAGE_ONLY: list[Json] = [
    {"type": "markdown", "text": "# Hello\n\n- one"},
    {"type": "context_actions", "elements": [FEEDBACK, ICON]},
    {"type": "plan", "title": "Collect", "tasks": [task(1), task(2, status="complete")]},
    {**task(), "details": rich(), "sources": [{"type": "url", "url": "https://example.com", "text": "Example"}]},
    {"type": "file", "external_id": "statement", "source": "remote"},
]
SURFACES: list[tuple[Json, set[str]]] = [
    *((block, {"message", "modal", "home"}) for block in ANYWHERE),
    *((block, {"message", "home"}) for block in MESSAGE_AND_HOME),
    *((block, {"message"}) for block in MESSAGE_ONLY),
    (ALERT, {"modal"}),
]


@pytest.mark.parametrize("surface", ["message", "modal", "home"])
@pytest.mark.parametrize(("block", "allowed"), SURFACES, ids=[block["type"] for block, _ in SURFACES])
def test_a_block_passes_where_it_works_and_only_there(
    block: Json, allowed: set[str], surface: Literal["message", "modal", "home"]
) -> None:
    found = CHECKS[surface](block)
    if surface in allowed:
        assert found == []
    else:
        assert found[0].pointer == "/blocks/0/type"
        assert all(f"this is a {surface}" in fault.message for fault in found)


LIMITS = {
    "section text": (lambda size: section(text=marked("x" * size)), 3000),
    "field text": (lambda size: section(fields=[marked("x" * size)]), 2000),
    "fields": (lambda size: section(fields=[plain()] * size), 10),
    "header": (lambda size: {"type": "header", "text": plain("x" * size)}, 150),
    "block id": (lambda size: {"type": "divider", "block_id": "x" * size}, 255),
    "actions": (lambda size: {"type": "actions", "elements": [button(n) for n in range(size)]}, 25),
    "context": (lambda size: {"type": "context", "elements": [plain()] * size}, 10),
    "context actions": (
        lambda size: {"type": "context_actions", "elements": [{**ICON, "action_id": f"a{n}"} for n in range(size)]},
        5,
    ),
    "picture text": (lambda size: {**IMAGE, "alt_text": "x" * size}, 2000),
    "picture title": (lambda size: {**IMAGE, "title": plain("x" * size)}, 2000),
    "picture address": (lambda size: {**IMAGE, "image_url": "https://e.co/" + "x" * (size - 13)}, 3000),
    "label": (lambda size: {**INPUT, "label": plain("x" * size)}, 2000),
    "hint": (lambda size: {**INPUT, "hint": plain("x" * size)}, 2000),
    "markdown": (lambda size: {"type": "markdown", "text": "x" * size}, 12_000),
    "table rows": (lambda size: table(rows=size), 100),
    "table columns": (lambda size: table(columns=size), 20),
    "column settings": (lambda size: {**table(), "column_settings": [None] * size}, 20),
    "data table rows": (lambda size: data_table(rows=size), 201),
    "data table columns": (lambda size: data_table(columns=size), 20),
    "data table page": (lambda size: data_table(page_size=size), 100),
    "data table row header": (lambda size: data_table(row_header_column_index=size), 1),
    "data table text": (lambda size: data_table(columns=1) | {"rows": [[raw("x")], [raw("x" * (size - 1))]]}, 20_000),
    "chart title": (lambda size: bar_chart(title="x" * size), 50),
    "chart series": (lambda size: bar_chart(series=size), 12),
    "chart categories": (lambda size: bar_chart(categories=size), 20),
    "pie segments": (pie_chart, 12),
    "card title": (lambda size: card(title=plain("x" * size)), 150),
    "card subtitle": (lambda size: card(subtitle=plain("x" * size)), 150),
    "card body": (lambda size: card(body=plain("x" * size)), 200),
    "card buttons": (lambda size: card(actions=[button(n) for n in range(size)]), 3),
    "carousel": (lambda size: {"type": "carousel", "elements": [card()] * size}, 10),
    "container": (lambda size: container(*[section()] * size), 10),
    "container title": (lambda size: container(title=plain("x" * size)), 150),
    "video title": (lambda size: video(title=plain("x" * size)), 199),
    "video author": (lambda size: video(author_name="x" * size), 49),
    "provider name": (lambda size: provider(name=plain("x" * size)), 75),
    "list indent": (
        lambda size: {
            "type": "rich_text",
            "elements": [{"type": "rich_text_list", "style": "bullet", "indent": size, "elements": rich()["elements"]}],
        },
        8,
    ),
}


@pytest.mark.parametrize(("build", "limit"), LIMITS.values(), ids=LIMITS)
def test_a_block_may_be_as_large_as_its_limit_and_no_larger(build: Any, limit: int) -> None:
    assert faults_in_message(build(limit)) == []
    found = faults_in_message(build(limit + 1))
    assert found
    assert {fault.error for fault in found} <= {"invalid_blocks", "msg_blocks_too_long"}
    assert any(f"{limit:,}" in fault.message and f"{limit + 1:,}" in fault.message for fault in found)


@pytest.mark.parametrize("size", [200, 201])
def test_an_alert_may_have_two_hundred_characters(size: int) -> None:
    assert bool(faults_in_modal({**ALERT, "text": plain("x" * size)})) == (size > 200)


WRONG: dict[str, tuple[Json, str]] = {
    "an unknown block": ({"type": "banner"}, "/type"),
    "a block without a type": ({"text": plain()}, ""),
    "an unknown property": (section(colour="red"), "/colour"),
    "a header in mrkdwn": ({"type": "header", "text": marked()}, "/text/type"),
    "a header without text": ({"type": "header"}, ""),
    "a bare string for a text": ({"type": "section", "text": "Hello"}, "/text"),
    "an empty text": (section(text=marked("")), "/text/text"),
    "emoji on mrkdwn": (section(text={**marked(), "emoji": True}), "/text/emoji"),
    "a boolean as a string": (section(expand="true"), "/expand"),
    "a null property": (section(accessory=None), "/accessory"),
    "a section without text": ({"type": "section"}, ""),
    "no actions": ({"type": "actions", "elements": []}, "/elements"),
    "actions that are no list": ({"type": "actions", "elements": button()}, "/elements"),
    "a picture without alt text": ({"type": "image", "image_url": "https://example.com/a.png"}, ""),
    "a picture with no source": ({"type": "image", "alt_text": "Logo"}, ""),
    "a picture with two sources": ({**IMAGE, "slack_file": {"id": "F012ABC"}}, ""),
    "a picture from a script": ({**IMAGE, "image_url": "javascript:alert(1)"}, "/image_url"),
    "a picture from nowhere": ({**IMAGE, "image_url": "https://"}, "/image_url"),
    "a button in a context": ({"type": "context", "elements": [button()]}, "/elements/0/type"),
    "a button in an input": ({**INPUT, "element": button()}, "/element/type"),
    "a text input in actions": ({"type": "actions", "elements": [INPUT["element"]]}, "/elements/0/type"),
    "an empty cell": ({"type": "table", "rows": [[raw("")]]}, "/rows/0/0/text"),
    "a plain text cell": ({"type": "table", "rows": [[plain()]]}, "/rows/0/0/type"),
    "a number cell with a string": (
        {"type": "table", "rows": [[{"type": "raw_number", "value": "1", "text": "1"}]]},
        "/rows/0/0/value",
    ),
    "a number cell without a text": ({"type": "table", "rows": [[{"type": "raw_number", "value": 1}]]}, "/rows/0/0"),
    "an unknown alignment": ({**table(), "column_settings": [{"align": "justify"}]}, "/column_settings/0/align"),
    "a ragged data table": (data_table() | {"rows": [[raw(), raw()], [raw()]]}, "/rows/1"),
    "a rich header cell": (data_table() | {"rows": [[rich()], [raw()]]}, "/rows/0/0"),
    "a data table without caption": ({**table(), "type": "data_table"}, ""),
    "a data table of a header only": (data_table(rows=1), "/rows"),
    "a page of strings": (data_table(page_size="20"), "/page_size"),
    "a chart without its points": (
        bar_chart() | {"chart": {**bar_chart()["chart"], "axis_config": {"categories": ["c0", "c1", "c2"]}}},
        "/chart/series/0/data",
    ),
    "an unknown chart": ({"type": "data_visualization", "title": "T", "chart": {"type": "radar"}}, "/chart/type"),
    "a pie segment of nothing": (pie_chart(1, value=0), "/chart/segments/0/value"),
    "a card of nothing": ({"type": "card"}, ""),
    "a select on a card": (card(actions=[{"type": "users_select", "action_id": "who"}]), "/actions/0/type"),
    "a markdown block in a container": (container({"type": "markdown", "text": "x"}), "/child_blocks/0/type"),
    "collapsed without collapsible": (container(default_collapsed=True), "/default_collapsed"),
    "an empty container": ({"type": "container", "title": plain(), "child_blocks": []}, "/child_blocks"),
    "a section in a carousel": ({"type": "carousel", "elements": [section()]}, "/elements/0/type"),
    "a task without status": ({"type": "task_card", "task_id": "1", "title": "T"}, ""),
    "a task of unknown status": (task(status="done"), "/status"),
    "a video without encryption": (video(video_url="http://example.com/v"), "/video_url"),
    "a number for a block id": ({"type": "divider", "block_id": 7}, "/block_id"),
}


@pytest.mark.parametrize(("block", "pointer"), WRONG.values(), ids=WRONG)
def test_a_wrong_block_is_refused_at_the_place_of_its_fault(block: Json, pointer: str) -> None:
    found = faults_in_message(block)
    assert [fault.pointer for fault in found] == [f"/blocks/0{pointer}"]
    assert found[0].error == "invalid_blocks"


PARTS: list[Json] = [
    {"type": "text", "text": "Hello", "style": {"bold": True, "code": False}},
    {"type": "link", "url": "https://example.com", "text": "Example", "style": {"italic": True}},
    {"type": "user", "user_id": "U012ABC"},
    {"type": "channel", "channel_id": "C012ABC"},
    {"type": "usergroup", "usergroup_id": "S012ABC"},
    {"type": "emoji", "name": "white_check_mark"},
    {"type": "date", "timestamp": 1700000000, "format": "{date_short}", "fallback": "14 Nov 2023"},
    {"type": "color", "value": "#0a3069"},
]
WRONG_PARTS: dict[str, tuple[Json, str]] = {
    "an unknown part": ({"type": "bold", "text": "x"}, "/type"),
    "an empty text": ({"type": "text", "text": ""}, "/text"),
    "a style as a string": ({"type": "text", "text": "x", "style": "bold"}, "/style"),
    "an unknown style": ({"type": "text", "text": "x", "style": {"blink": True}}, "/style/blink"),
    "a style that is no boolean": ({"type": "text", "text": "x", "style": {"bold": 1}}, "/style/bold"),
    "a person by name": ({"type": "user", "user_id": "@ann"}, "/user_id"),
    "a channel by name": ({"type": "channel", "channel_id": "#general"}, "/channel_id"),
    "a date as a string": ({"type": "date", "timestamp": "1700000000", "format": "{date}"}, "/timestamp"),
    "a link without an address": ({"type": "link", "text": "x"}, ""),
    "an emoji with colons": ({"type": "emoji", "name": ":tada:"}, "/name"),
    "a broadcast": ({"type": "broadcast", "range": "here"}, "/range"),
}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part["type"])
def test_every_part_of_a_rich_text_passes(part: Json) -> None:
    assert faults_in_message(rich(part)) == []


@pytest.mark.parametrize(("part", "pointer"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_a_wrong_part_of_a_rich_text_is_refused(part: Json, pointer: str) -> None:
    assert [fault.pointer for fault in faults_in_message(rich(part))] == [f"/blocks/0/elements/0/elements/0{pointer}"]


def test_preformatted_text_takes_no_mentions() -> None:
    code = {"type": "rich_text_preformatted", "elements": [{"type": "user", "user_id": "U012ABC"}]}
    found = faults_in_message({"type": "rich_text", "elements": [code]})
    assert [fault.pointer for fault in found] == ["/blocks/0/elements/0/elements/0/type"]


def test_a_list_holds_sections_only() -> None:
    listed = {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "text", "text": "x"}]}
    assert faults_in_message({"type": "rich_text", "elements": [listed]})


def test_a_broadcast_passes_where_the_check_is_as_lenient_as_slack() -> None:
    blocks = [rich({"type": "broadcast", "range": "here"})]
    assert check_message({"text": "Hello all of you", "blocks": blocks}, stricter=False) == []


def test_block_ids_may_be_used_once_in_a_surface() -> None:
    twice = [{"type": "divider", "block_id": "line"}] * 2
    for check in CHECKS.values():
        found = check(*twice)
        assert [fault.pointer for fault in found] == ["/blocks/1/block_id"]
        assert "/blocks/0/block_id" in found[0].message


def test_a_block_id_within_a_container_counts_too() -> None:
    found = faults_in_message(
        {"type": "divider", "block_id": "line"}, container({"type": "divider", "block_id": "line"})
    )
    assert [fault.pointer for fault in found] == ["/blocks/1/child_blocks/0/block_id"]


JUNK: list[Any] = [None, True, -1, 1.5, "", [], {}, [None], [[]], {"type": []}, {"options": None}, {1: 2}, object()]


def places_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (*path, key)
        yield from places_in(member, (*path, key))


@pytest.mark.parametrize("block", [block for block, _ in SURFACES], ids=[block["type"] for block, _ in SURFACES])
def test_whatever_stands_somewhere_in_a_block_the_check_answers(block: Json) -> None:
    for path in places_in(block):
        for junk in JUNK:
            broken = copy.deepcopy(block)
            target: Any = broken
            for key in path[:-1]:
                target = target[key]
            target[path[-1]] = junk
            assert isinstance(faults_in_message(broken), list)
            assert isinstance(faults_in_modal(broken), list)
