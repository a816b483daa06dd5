"""Every block of Block Kit: what it holds and on which surfaces it works."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from sandbox.validate.elements import (
    LONGEST_INPUT,
    MESSAGE_ONLY,
    MODAL_ONLY,
    NONE,
    Rules,
    actions_element,
    card_button,
    context_action,
    input_element,
    overflow_menu,
    section_accessory,
)
from sandbox.validate.mrkdwn import BROADCAST, plain, text_object
from sandbox.validate.objects import IMAGE_ELEMENT, IMAGE_PROPERTIES, SLACK_ICON, image
from sandbox.validate.rich_text import RICH_TEXT, block_id, rich_text
from sandbox.validate.rules import (
    EVERYWHERE,
    LONGEST_ID,
    Check,
    Registry,
    Spec,
    at_least_one,
    choice,
    exactly_one,
    flag,
    link,
    listing,
    one_of,
    string,
)
from sandbox.validate.tables import DATA_TABLE, DATA_VISUALIZATION, TABLE
from sandbox.validate.walk import Surface, Walk, below

LONGEST_MARKDOWN = 12_000
NOT_IN_MODALS: frozenset[Surface] = frozenset(("message", "home"))


def block(
    *checks: Check, required: Rules = NONE, optional: Rules = NONE, surfaces: frozenset[Surface] = EVERYWHERE
) -> Spec:
    return Spec(required, {"block_id": block_id, **optional}, checks, surfaces)


def as_block(spec: Spec, *, surfaces: frozenset[Surface] = EVERYWHERE) -> Spec:
    return replace(spec, optional={"block_id": block_id, **spec.optional}, surfaces=surfaces)


def markdown_text(walk: Walk, value: Any, pointer: str) -> None:
    string(LONGEST_MARKDOWN, least=1)(walk, value, pointer)
    if isinstance(value, str):
        walk.characters["markdown"] += len(value)
        walk.characters["shown"] += len(value)
        if walk.stricter and (found := BROADCAST.search(value)):
            walk.fault(pointer, f"the text rings everybody with {found.group()!r}")


def has_block_id(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    # The error of a field is addressed by its block id, so a made-up one could never be answered.
    if walk.stricter and walk.surface == "modal" and "block_id" not in value:
        walk.fault(pointer, "an input block of a modal must have a block_id, and this one has none")


def response_url_needs_input(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    accessory = value.get("accessory") or {}
    if accessory.get("response_url_enabled"):
        where = below(below(pointer, "accessory"), "response_url_enabled")
        walk.fault(where, "response_url_enabled works in input blocks only, and this is a section")


def collapsed_only_if_collapsible(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    if value.get("default_collapsed") and not value.get("is_collapsible"):
        walk.fault(below(pointer, "default_collapsed"), "default_collapsed needs is_collapsible, which is not true")
    if value.get("has_header_divider") and value.get("is_collapsible"):
        walk.fault(below(pointer, "has_header_divider"), "has_header_divider may not go with is_collapsible")


def one_icon(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    if "icon" in value and "slack_icon" in value:
        walk.fault(pointer, "a card may have icon or slack_icon, and has both")


def check_placed(walk: Walk, value: Any, pointer: str, *, allowed: Collection[str], place: str) -> None:
    """A block of one of these types, remembered so that its elements know where they stand."""
    kind = value.get("type") if isinstance(value, Mapping) else None
    outer = walk.block_pointer
    walk.enter_block(pointer, kind if isinstance(kind, str) else "")
    one_of(BLOCKS, allowed, place=place)(walk, value, pointer)
    walk.block_pointer = outer


def top_block(walk: Walk, value: Any, pointer: str) -> None:
    check_placed(walk, value, pointer, allowed=BLOCKS, place="a payload")


def child_block(walk: Walk, value: Any, pointer: str) -> None:
    check_placed(walk, value, pointer, allowed=IN_CONTAINER, place="a container")


def carousel_card(walk: Walk, value: Any, pointer: str) -> None:
    check_placed(walk, value, pointer, allowed=("card",), place="a carousel")


def plan_task(walk: Walk, value: Any, pointer: str) -> None:
    check_placed(walk, value, pointer, allowed=("task_card",), place="a plan")


SECURE = link("https")
SECTION = block(
    at_least_one("text", "fields"),
    response_url_needs_input,
    optional={
        "text": text_object(3000),
        "fields": listing(text_object(2000), least=1, most=10),
        "accessory": section_accessory,
        "expand": flag,
    },
)
INPUT = block(
    has_block_id,
    required={"label": plain(2000), "element": input_element},
    optional={
        "hint": plain(2000),
        "optional": flag,
        "dispatch_action": flag,
    },
)
CONTEXT_PARTS: Registry = {
    "plain_text": Spec(),
    "mrkdwn": Spec(),
    "image": IMAGE_ELEMENT,
}


def context_part(walk: Walk, value: Any, pointer: str) -> None:
    """A context block mixes pictures with text objects."""
    if isinstance(value, Mapping) and value.get("type") in ("plain_text", "mrkdwn"):
        text_object()(walk, value, pointer)
    else:
        one_of(CONTEXT_PARTS, CONTEXT_PARTS, place="a context block")(walk, value, pointer)


SOURCE = one_of({"url": Spec({"url": link(), "text": string(least=1)})}, ("url",), place="the sources of a task")
TASK_CARD = block(
    required={
        "task_id": string(LONGEST_ID, least=1),
        "title": string(LONGEST_INPUT, least=1),
        "status": choice("pending", "in_progress", "complete", "error"),
    },
    optional={
        "details": rich_text,
        "output": rich_text,
        "sources": listing(SOURCE, least=1),
    },
    surfaces=MESSAGE_ONLY,
)
CARD = block(
    at_least_one("hero_image", "title", "actions", "body"),
    one_icon,
    optional={
        "hero_image": image,
        "icon": image,
        "slack_icon": one_of(SLACK_ICON, SLACK_ICON, place="a card"),
        "title": text_object(150),
        "subtitle": text_object(150),
        "body": text_object(200),
        "subtext": text_object(200),
        "actions": listing(card_button, least=1, most=3),
    },
)
CONTAINER = block(
    at_least_one("title", "rich_text_title"),
    collapsed_only_if_collapsible,
    required={"child_blocks": listing(child_block, least=1, most=10)},
    optional={
        "title": plain(150),
        "rich_text_title": rich_text,
        "subtitle": text_object(150),
        "width": choice("narrow", "standard", "wide", "full"),
        "icon": image,
        "is_collapsible": flag,
        "default_collapsed": flag,
        "has_header_divider": flag,
    },
    surfaces=NOT_IN_MODALS,
)
VIDEO = block(
    required={
        "alt_text": string(2000, least=1),
        "title": plain(199),
        "video_url": SECURE,
        "thumbnail_url": link(),
    },
    optional={
        "title_url": SECURE,
        "description": plain(199),
        "provider_icon_url": link(),
        "provider_name": string(least=1),
        "author_name": string(49, least=1),
    },
)
AUTH_PROVIDER = block(
    required={"value": string(150, least=1), "name": plain(75), "is_connected": flag},
    optional={
        "description": plain(150),
        "icon_url": SECURE,
        "auth_url": SECURE,
        "disconnect_url": SECURE,
        "connected_identity": plain(75),
        "connected_context": plain(75),
        "accessory": overflow_menu,
        "fallback": listing(child_block),
    },
)

BLOCKS: Registry = {
    "section": SECTION,
    "actions": block(required={"elements": listing(actions_element, least=1, most=25)}),
    "context": block(required={"elements": listing(context_part, least=1, most=10)}),
    "context_actions": block(required={"elements": listing(context_action, least=1, most=5)}, surfaces=MESSAGE_ONLY),
    "header": block(required={"text": plain(150)}),
    "divider": block(),
    "image": block(
        exactly_one("image_url", "slack_file"),
        required={"alt_text": string(2000, least=1)},
        optional={
            "title": plain(2000),
            **IMAGE_PROPERTIES,
        },
    ),
    "input": INPUT,
    "rich_text": RICH_TEXT,
    "markdown": block(required={"text": markdown_text}, surfaces=MESSAGE_ONLY),
    "table": as_block(TABLE, surfaces=NOT_IN_MODALS),
    "data_table": as_block(DATA_TABLE, surfaces=NOT_IN_MODALS),
    "data_visualization": as_block(DATA_VISUALIZATION, surfaces=NOT_IN_MODALS),
    "alert": block(
        required={"text": text_object(200)},
        optional={
            "level": choice("default", "info", "warning", "error", "success"),
        },
        surfaces=MODAL_ONLY,
    ),
    "card": CARD,
    "carousel": block(
        required={"elements": listing(carousel_card, least=1, most=10)},
        surfaces=NOT_IN_MODALS,
    ),
    "container": CONTAINER,
    "video": VIDEO,
    "file": block(
        required={"external_id": string(LONGEST_ID, least=1), "source": choice("remote")}, surfaces=MESSAGE_ONLY
    ),
    "task_card": TASK_CARD,
    "plan": block(
        required={"title": string(LONGEST_INPUT, least=1)},
        optional={
            "tasks": listing(plan_task, most=50),
        },
        surfaces=MESSAGE_ONLY,
    ),
    "auth_provider": AUTH_PROVIDER,
}
IN_CONTAINER = (
    "actions",
    "context",
    "divider",
    "file",
    "header",
    "image",
    "input",
    "rich_text",
    "section",
    "table",
    "video",
)


def check_blocks(walk: Walk, value: Any, pointer: str, *, least: int, most: int) -> None:
    listing(top_block, least=least, most=most)(walk, value, pointer)
