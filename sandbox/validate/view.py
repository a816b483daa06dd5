"""A modal or an App Home view as a whole."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from sandbox.validate.blocks import check_blocks
from sandbox.validate.mrkdwn import plain
from sandbox.validate.rules import LONGEST_ID, Registry, Spec, check_object, choice, flag, string
from sandbox.validate.walk import Fault, Rule, Walk

LONGEST_HEADING = 24
LONGEST_PRIVATE_METADATA = 3000
MOST_BLOCKS = 100
MOST_BYTES = 250_000
MOST_CHARTS = 2
HEADING = plain(LONGEST_HEADING, counted=False)


def view_blocks(walk: Walk, value: Any, pointer: str) -> None:
    check_blocks(walk, value, pointer, least=1, most=MOST_BLOCKS)


def input_needs_submit(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    if "submit" not in value and any(block["type"] == "input" for block in value["blocks"]):
        walk.fault(pointer, "a modal with input blocks must have a submit button, and this one has none")


SHARED: dict[str, Rule] = {
    "callback_id": string(LONGEST_ID, least=1),
    "external_id": string(LONGEST_ID, least=1),
    "private_metadata": string(LONGEST_PRIVATE_METADATA),
}
MODAL = Spec(
    {"type": choice("modal"), "title": HEADING, "blocks": view_blocks},
    {**SHARED, "submit": HEADING, "close": HEADING, "clear_on_close": flag, "notify_on_close": flag},
    checks=(input_needs_submit,),
)
HOME = Spec({"type": choice("home"), "blocks": view_blocks}, SHARED)
VIEWS: Registry = {"modal": MODAL, "home": HOME}


def check_view(
    view: Mapping[str, Any], *, surface: Literal["modal", "home"] | None = None, stricter: bool = True
) -> list[Fault]:
    """Every fault of a view; pointers start at the view. Without a surface the view's own type decides."""
    members: Mapping[str, Any] = view if is_object(view) else {}
    place: Literal["modal", "home"] = surface or ("home" if members.get("type") == "home" else "modal")
    walk = Walk(place, stricter, "invalid_arguments")
    check_object(walk, view, "", spec=VIEWS[place])
    if stricter and place == "modal" and not members.get("callback_id"):
        walk.fault("", "a modal must have a callback_id, so that its submission can be heard, and this one has none")
    if (charts := walk.blocks["data_visualization"]) > MOST_CHARTS:
        walk.fault("/blocks", f"a view may have at most {MOST_CHARTS} data_visualization blocks, and has {charts}")
    for sentence, error in too_large(view):
        walk.fault("", sentence, error=error)
    return walk.faults


def is_object(view: Any) -> bool:
    return isinstance(view, Mapping)


def too_large(view: Any) -> Iterator[tuple[str, str]]:
    try:
        text = json.dumps(view, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as problem:
        yield f"a view must be JSON: {problem}", "invalid_arguments"
        return
    if (size := len(text.encode())) > MOST_BYTES:
        yield f"a view may be at most {MOST_BYTES:,} bytes of JSON and is {size:,}", "view_too_large"


def input_block_ids(view: Mapping[str, Any]) -> set[str]:
    """The block ids of a view that an error can be shown under."""
    return {str(block.get("block_id")) for block in view.get("blocks", ()) if block.get("type") == "input"}
