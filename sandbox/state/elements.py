"""The elements of blocks that hold a value or can be pressed, and the state that a view opens with."""

import secrets
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

TEXT = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
EMPTY: Mapping[str, Mapping[str, Any]] = {
    **{kind: {"value": None} for kind in TEXT},
    "datepicker": {"selected_date": None},
    "timepicker": {"selected_time": None},
    "datetimepicker": {"selected_date_time": None},
    "static_select": {"selected_option": None},
    "external_select": {"selected_option": None},
    "radio_buttons": {"selected_option": None},
    "multi_static_select": {"selected_options": []},
    "multi_external_select": {"selected_options": []},
    "checkboxes": {"selected_options": []},
    "users_select": {"selected_user": None},
    "conversations_select": {"selected_conversation": None},
    "channels_select": {"selected_channel": None},
    "multi_users_select": {"selected_users": []},
    "multi_conversations_select": {"selected_conversations": []},
    "multi_channels_select": {"selected_channels": []},
    "file_input": {"files": []},
    "rich_text_input": {"rich_text_value": None},
}
INITIAL = {
    "initial_value": "value",
    "initial_date": "selected_date",
    "initial_time": "selected_time",
    "initial_date_time": "selected_date_time",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_user": "selected_user",
    "initial_conversation": "selected_conversation",
    "initial_channel": "selected_channel",
    "initial_users": "selected_users",
    "initial_conversations": "selected_conversations",
    "initial_channels": "selected_channels",
}
ID_LETTERS = string.ascii_letters + string.digits


def elements_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements that stand in a block itself."""
    match block["type"]:
        case "input":
            return [block["element"]]
        case "section" | "auth_provider":
            return [block["accessory"]] if "accessory" in block else []
        case "actions" | "context_actions":
            return list(block["elements"])
        case "card":
            return list(block.get("actions", ()))
    return []


def children_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The blocks that stand inside a block."""
    match block["type"]:
        case "container":
            return list(block["child_blocks"])
        case "carousel":
            return list(block["elements"])
        case "auth_provider":
            return list(block.get("fallback", ()))
    return []


def every_block(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """All blocks, those inside others too, in the order they are drawn."""
    for block in blocks:
        yield block
        yield from every_block(children_of(block))


def every_element(blocks: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """All elements with the block that each stands in."""
    for block in every_block(blocks):
        for element in elements_of(block):
            yield block, element


def with_ids(blocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Blocks with the ids that Slack makes up, new ones each time, where the app gave none."""
    return [_with_id(block) for block in blocks]


def _with_id(block: Mapping[str, Any]) -> dict[str, Any]:
    made = {**block, "block_id": block.get("block_id") or _made_up()}
    inner = {"container": "child_blocks", "carousel": "elements"}.get(block["type"])
    if inner is not None:
        made[inner] = with_ids(block[inner])
    for key in ("elements", "actions"):
        if inner != key and isinstance(block.get(key), list) and block["type"] not in {"rich_text", "context"}:
            made[key] = [each if "action_id" in each else {**each, "action_id": _made_up()} for each in block[key]]
    return made


def _made_up() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(5))


def opening_value(element: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an element holds when it is drawn first; nothing for what can only be pressed."""
    kind = element["type"]
    empty = EMPTY.get(kind)
    if empty is None:
        return None
    if kind == "rich_text_input":
        return {"type": kind, "rich_text_value": element.get("initial_value")}
    return {
        "type": kind,
        **empty,
        **{target: element[source] for source, target in INITIAL.items() if source in element},
    }


def opening_state(blocks: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The state of blocks as they are drawn first."""
    state: dict[str, dict[str, Any]] = {}
    for block, element in every_element(blocks):
        value = opening_value(element)
        if value is not None:
            state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state


def options_of(element: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options that an element offers by itself, groups opened."""
    grouped = [each for group in element.get("option_groups", ()) for each in group["options"]]
    return [*element.get("options", ()), *grouped]


def redrawn_state(blocks: Iterable[dict[str, Any]], before: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The state after a view is replaced: what was typed stays where block, element and type stay."""
    elements = {(block["block_id"], each.get("action_id")): each for block, each in every_element(blocks)}
    fresh = opening_state(blocks)
    for block_id, actions in fresh.items():
        for action_id, value in actions.items():
            typed = before.get(block_id, {}).get(action_id)
            if (
                typed is not None
                and typed["type"] == value["type"]
                and _still_offered(elements[block_id, action_id], typed)
            ):
                actions[action_id] = typed
    return fresh


def _still_offered(element: Mapping[str, Any], typed: Mapping[str, Any]) -> bool:
    offered = options_of(element)
    if not offered:
        return True
    chosen = [typed.get("selected_option"), *typed.get("selected_options", ())]
    return all(each in offered for each in chosen if each is not None)
