"""A message as a whole: its text, blocks, attachments, metadata and what goes with which method."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.validate.blocks import LONGEST_MARKDOWN, check_blocks
from sandbox.validate.mrkdwn import BROADCAST, TYPED_BROADCAST, lint_text
from sandbox.validate.rules import (
    LONGEST_ID,
    Spec,
    at_least_one,
    check_object,
    choice,
    flag,
    link,
    listing,
    shape,
    string,
    whole,
)
from sandbox.validate.walk import Fault, Rule, Walk, below, kind_of

LONGEST_TEXT = 4000
MOST_BLOCKS = 50
MOST_SHOWN = 13_000
MOST_METADATA = 3000
MOST_ATTACHMENTS = 100
MOST_CHARTS = 2
GENERIC_TEXTS = frozenset(
    ("message", "new message", "notification", "new notification", "update", "text", "fallback", "untitled")
)

TIMESTAMP = string(pattern=r"\d{10}\.\d{6}", like="1700000000.000100")
CHANNEL = string(LONGEST_ID, least=1)
COMMON: dict[str, Rule] = {
    "token": string(),
    "channel": CHANNEL,
    "as_user": flag,
    "link_names": flag,
    "parse": choice("full", "none"),
}
LOOKS: dict[str, Rule] = {"username": string(80, least=1), "icon_emoji": string(), "icon_url": link(), "mrkdwn": flag}
UNFURLING: dict[str, Rule] = {"unfurl_links": flag, "unfurl_media": flag}
IN_THREAD: dict[str, Rule] = {"thread_ts": TIMESTAMP}
METHODS: Mapping[str, Mapping[str, Rule]] = {
    "chat.postMessage": {**COMMON, **LOOKS, **UNFURLING, **IN_THREAD, "reply_broadcast": flag},
    "chat.postEphemeral": {**COMMON, **LOOKS, **IN_THREAD, "user": string(least=1)},
    "chat.update": {
        **COMMON,
        "ts": TIMESTAMP,
        "reply_broadcast": flag,
        "file_ids": listing(string(least=1), least=1, unique=True),
        **UNFURLING,
    },
    "chat.scheduleMessage": {**COMMON, **UNFURLING, **IN_THREAD, "post_at": whole(1), "reply_broadcast": flag},
    "response_url": {
        **UNFURLING,
        **IN_THREAD,
        "mrkdwn": flag,
        "response_type": choice("ephemeral", "in_channel"),
        "replace_original": flag,
        "delete_original": flag,
    },
}
WITH_METADATA = frozenset(("chat.postMessage", "chat.update", "response_url"))
CONTENT = frozenset(("text", "blocks", "attachments", "metadata", "markdown_text"))


def marked_text(walk: Walk, value: Any, pointer: str) -> None:
    string()(walk, value, pointer)
    if isinstance(value, str):
        lint_text(walk, value, pointer)


def attached_blocks(walk: Walk, value: Any, pointer: str) -> None:
    check_blocks(walk, value, pointer, least=1, most=MOST_BLOCKS)


MARKED_PARTS = ("text", "pretext", "title", "fallback", "footer")
PLAIN_PARTS = ("color", "author_name", "callback_id")
LINKED_PARTS = ("author_link", "author_icon", "title_link", "image_url", "thumb_url", "footer_icon")
ATTACHMENT = Spec(
    optional={
        **dict.fromkeys(MARKED_PARTS, marked_text),
        **dict.fromkeys(PLAIN_PARTS, string()),
        **dict.fromkeys(LINKED_PARTS, link()),
        "ts": whole(0),
        "mrkdwn_in": listing(choice("text", "pretext", "fields")),
        "fields": listing(shape(Spec({"title": marked_text, "value": marked_text}, {"short": flag}))),
        "blocks": attached_blocks,
    },
    checks=(at_least_one("blocks", "text", "fallback", "image_url", "fields"),),
)


def check_message(
    payload: Mapping[str, Any], *, method: str = "chat.postMessage", stricter: bool = True
) -> list[Fault]:
    """Every fault of a message, as it is sent to a method of the Web API or to a `response_url`."""
    walk = Walk("message", stricter, "invalid_blocks")
    walk_message(walk, payload, method)
    return walk.faults


def walk_message(walk: Walk, payload: Mapping[str, Any], method: str) -> None:
    if method not in METHODS:
        raise ValueError(f"unknown method {method}; known are {', '.join(METHODS)}")
    check_arguments(walk, payload, method)
    if payload.get("delete_original") is True:
        return
    check_text(walk, payload)
    for key, check in (("blocks", check_top_blocks), ("attachments", check_attachments)):
        if key in payload:
            check(walk, unpacked(walk, payload[key], f"/{key}"), f"/{key}")
    if "metadata" in payload:
        check_metadata(walk, unpacked(walk, payload["metadata"], "/metadata"), method)
    check_totals(walk)


def check_arguments(walk: Walk, payload: Mapping[str, Any], method: str) -> None:
    rules = METHODS[method]
    inner = Walk(walk.surface, walk.stricter, "invalid_arguments")
    for key, value in payload.items():
        if key in CONTENT:
            continue
        if key not in rules:
            inner.fault(below("", key), f"{method} has no argument {key!r}")
        else:
            rules[key](inner, value, below("", key))
    if payload.get("reply_broadcast") and not payload.get("thread_ts"):
        inner.fault("/reply_broadcast", "reply_broadcast needs thread_ts, and there is none")
    walk.faults.extend(inner.faults)


def check_text(walk: Walk, payload: Mapping[str, Any]) -> None:
    text, markdown = payload.get("text"), payload.get("markdown_text")
    if markdown is not None:
        check_markdown_text(walk, payload, markdown)
        return
    if text is not None and not isinstance(text, str):
        walk.fault("/text", f"text must be a string and is {kind_of(text)}", error="invalid_arguments")
        return
    has_more = bool(payload.get("blocks") or payload.get("attachments"))
    if not (text or "").strip():
        if walk.stricter or not has_more:
            what = "beside blocks, for notifications and screen readers" if has_more else "where there are no blocks"
            walk.fault("/text", f"a message must have a text {what}, and has none", error="no_text")
        return
    assert text is not None
    if len(text) > LONGEST_TEXT:
        size = f"text may be at most {LONGEST_TEXT:,} characters and is {len(text):,}"
        walk.fault("/text", size, error="msg_too_long")
    if walk.stricter and has_more and not says_something(text):
        walk.fault("/text", f"text must say what the message is about, and is {text!r}", error="no_text")
    if payload.get("mrkdwn") is not False:
        lint_text(walk, text, "/text")
    links_names = payload.get("link_names") is True or payload.get("parse") == "full"
    if walk.stricter and links_names and (found := TYPED_BROADCAST.search(text)):
        walk.fault("/text", f"with link_names or parse, {found.group()!r} rings everybody")


def says_something(text: str) -> bool:
    return any(letter.isalnum() for letter in text) and text.strip(" .!:").casefold() not in GENERIC_TEXTS


def check_markdown_text(walk: Walk, payload: Mapping[str, Any], markdown: Any) -> None:
    if payload.get("text") or payload.get("blocks"):
        sentence = "markdown_text may not go with text or blocks, and does"
        walk.fault("/markdown_text", sentence, error="markdown_text_conflict")
    inner = Walk(walk.surface, walk.stricter, "invalid_arguments")
    string(LONGEST_MARKDOWN, least=1)(inner, markdown, "/markdown_text")
    if walk.stricter and isinstance(markdown, str) and (found := BROADCAST.search(markdown)):
        inner.fault("/markdown_text", f"the text rings everybody with {found.group()!r}")
    walk.faults.extend(inner.faults)


def unpacked(walk: Walk, value: Any, pointer: str) -> Any:
    """Structured arguments may travel as JSON text in a form."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        error = {"/metadata": "invalid_metadata_format", "/attachments": "invalid_attachments"}
        walk.fault(
            pointer, "a string here must hold JSON and does not", error=error.get(pointer, "invalid_blocks_format")
        )
        return None


def check_top_blocks(walk: Walk, value: Any, pointer: str) -> None:
    if value is None:
        return
    if not isinstance(value, list | tuple):
        walk.fault(pointer, f"blocks must be a list and is {kind_of(value)}", error="invalid_blocks_format")
        return
    check_blocks(walk, value, pointer, least=0, most=MOST_BLOCKS)


def check_attachments(walk: Walk, value: Any, pointer: str) -> None:
    if value is None:
        return
    if not isinstance(value, list | tuple):
        walk.fault(pointer, f"attachments must be a list and is {kind_of(value)}", error="invalid_attachments")
        return
    if len(value) > MOST_ATTACHMENTS:
        sentence = f"attachments may be at most {MOST_ATTACHMENTS} and are {len(value)}"
        walk.fault(pointer, sentence, error="too_many_attachments")
    for position, attachment in enumerate(value):
        check_object(walk, attachment, below(pointer, position), spec=ATTACHMENT, kind="an attachment")


def check_metadata(walk: Walk, value: Any, method: str) -> None:
    if value is None:
        return
    if method == "chat.scheduleMessage":
        sentence = "a scheduled message with metadata is accepted and never posted"
        walk.fault("/metadata", sentence, error="invalid_arguments")
    elif method not in WITH_METADATA:
        walk.fault("/metadata", f"{method} has no argument 'metadata'", error="invalid_arguments")
    inner = Walk(walk.surface, walk.stricter, "invalid_metadata_format")
    check_object(inner, value, "/metadata", spec=METADATA)
    walk.faults.extend(inner.faults)
    if inner.faults:
        return
    try:
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False))
    except (TypeError, ValueError) as problem:
        walk.fault("/metadata", f"metadata must be JSON: {problem}", error="invalid_metadata_format")
        return
    if size > MOST_METADATA:
        sentence = f"metadata may be at most {MOST_METADATA:,} characters of JSON and is {size:,}"
        walk.fault("/metadata", sentence, error="metadata_too_large")


def check_totals(walk: Walk) -> None:
    if (shown := walk.characters["shown"]) > MOST_SHOWN:
        sentence = f"the blocks of a message may hold at most {MOST_SHOWN:,} characters together, and hold {shown:,}"
        walk.fault("/blocks", sentence, error="msg_blocks_too_long")
    if (markdown := walk.characters["markdown"]) > LONGEST_MARKDOWN:
        sentence = (
            f"all markdown blocks may hold at most {LONGEST_MARKDOWN:,} characters together, and hold {markdown:,}"
        )
        walk.fault("/blocks", sentence, error="msg_blocks_too_long")
    if (charts := walk.blocks["data_visualization"]) > MOST_CHARTS:
        walk.fault("/blocks", f"a message may have at most {MOST_CHARTS} data_visualization blocks, and has {charts}")
    if walk.stricter and (tables := walk.blocks["table"]) > 1:
        walk.fault("/blocks", f"a message may have at most 1 table block, and has {tables}")


def an_object(walk: Walk, value: Any, pointer: str) -> None:
    if not isinstance(value, Mapping):
        walk.fault(pointer, f"event_payload must be an object and is {kind_of(value)}")


METADATA = Spec(
    {
        "event_type": string(LONGEST_ID, pattern=r"[A-Za-z][A-Za-z0-9_]*", like="invoice_card"),
        "event_payload": an_object,
    }
)
