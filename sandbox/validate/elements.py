"""Every element that people press, pick from or type into, and where each may stand."""

import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sandbox.validate.mrkdwn import plain
from sandbox.validate.objects import (
    CONFIRM,
    CONVERSATION_FILTER,
    DISPATCH_CONFIG,
    FEEDBACK_BUTTON,
    IMAGE_ELEMENT,
    LISTED_OPTION,
    MENU_OPTION,
    OPEN_LINKS,
    OVERFLOW_OPTION,
    WORKFLOW,
    initial_among,
    option_groups,
    options,
)
from sandbox.validate.rich_text import identifier, rich_text
from sandbox.validate.rules import (
    EVERYWHERE,
    LONGEST_ID,
    Check,
    Registry,
    Spec,
    choice,
    exactly_one,
    flag,
    link,
    listing,
    one_of,
    ordered,
    shape,
    string,
    whole,
)
from sandbox.validate.walk import Rule, Surface, Walk, below, kind_of

LONGEST_INPUT = 3000
NUMERAL = string(pattern=r"-?\d+(\.\d+)?", like="a number in a string such as '12.50'")
USER = identifier("UW", "U012ABC")
CHANNEL = identifier("CG", "C012ABC")
CONVERSATION = identifier("CGD", "C012ABC")
MODAL_ONLY: frozenset[Surface] = frozenset(("modal",))
MESSAGE_ONLY: frozenset[Surface] = frozenset(("message",))


def action_id(walk: Walk, value: Any, pointer: str) -> None:
    string(LONGEST_ID, least=1)(walk, value, pointer)
    if isinstance(value, str):
        walk.remember_action_id(value, pointer)


def focus(walk: Walk, value: Any, pointer: str) -> None:
    flag(walk, value, pointer)
    if value is True:
        walk.remember_focus(pointer)


def calendar_day(walk: Walk, value: Any, pointer: str) -> None:
    try:
        is_day = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        is_day = False
    if not is_day:
        shown = repr(value) if isinstance(value, str) else kind_of(value)
        walk.fault(pointer, f"initial_date must be a day written YYYY-MM-DD and is {shown}")


@cache
def known_time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def time_zone(walk: Walk, value: Any, pointer: str) -> None:
    if not isinstance(value, str) or value not in known_time_zones():
        shown = repr(value) if isinstance(value, str) else kind_of(value)
        walk.fault(pointer, f"timezone must be a name such as Asia/Singapore and is {shown}")


def has_action_id(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    # Slack makes up an id where there is none, and then nothing can listen for it.
    if walk.stricter and "action_id" not in value:
        walk.fault(pointer, "an interactive element must have an action_id, and this one has none")


def fits_its_limits(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    first = value.get("initial_value")
    if first is None:
        return
    for key, is_outside in (
        ("max_length", lambda limit: len(first) > limit),
        ("min_length", lambda limit: 0 < len(first) < limit),
        ("max_value", lambda limit: float(first) > float(limit)),
        ("min_value", lambda limit: float(first) < float(limit)),
    ):
        if key in value and is_outside(value[key]):
            size = first if key.endswith("value") else f"{len(first)} characters"
            walk.fault(below(pointer, "initial_value"), f"initial_value must respect {key} {value[key]} and is {size}")


def whole_when_asked(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    for key in ("initial_value", "min_value", "max_value"):
        if not value["is_decimal_allowed"] and re.search(r"\.", str(value.get(key, ""))):
            walk.fault(below(pointer, key), f"{key} must be whole as is_decimal_allowed is false, and is {value[key]}")


def selection_limit(key: str) -> Check:
    def check(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
        most = value.get("max_selected_items")
        if most is not None and len(value.get(key, ())) > most:
            walk.fault(below(pointer, key), f"{key} may be at most {most} items and is {len(value[key])}")

    return check


def in_modal_input_only(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
    if value.get("response_url_enabled") and walk.surface != "modal":
        where = below(pointer, "response_url_enabled")
        walk.fault(where, f"response_url_enabled works in modals only, and this is a {walk.surface}")


Rules = Mapping[str, Rule]
NONE: Rules = {}


def element(
    *checks: Check, required: Rules = NONE, optional: Rules = NONE, surfaces: frozenset[Surface] = EVERYWHERE
) -> Spec:
    """The specification of an interactive element, which always has an id."""
    return Spec(required, {"action_id": action_id, **optional}, (has_action_id, *checks), surfaces)


def menu(*checks: Check, optional: Rules) -> Spec:
    basics = {"placeholder": PLACEHOLDER, "confirm": CONFIRM, "focus_on_load": focus}
    return element(*checks, optional={**basics, **optional})


def typed(*checks: Check, required: Rules = NONE, optional: Rules) -> Spec:
    basics = {"placeholder": PLACEHOLDER, "focus_on_load": focus, "dispatch_action_config": DISPATCH_CONFIG}
    return element(*checks, required=required, optional={**basics, **optional})


PLACEHOLDER = plain(150, counted=False)
AT_MOST_ITEMS = whole(1)
CHOSEN = shape(MENU_OPTION)
SOME_CHOSEN = listing(CHOSEN, least=1, most=100)
ONE_SOURCE = exactly_one("options", "option_groups")
LISTED = {"options": options(LISTED_OPTION, most=10)}
STATIC: dict[str, Rule] = {"options": options(MENU_OPTION), "option_groups": option_groups()}
BUTTON_STYLE = choice("primary", "danger")
BUTTON_TEXT = plain(75)

ELEMENTS: Registry = {
    "button": element(
        required={"text": BUTTON_TEXT},
        optional={
            "url": link(*OPEN_LINKS),
            "value": string(2000),
            "style": BUTTON_STYLE,
            "confirm": CONFIRM,
            "accessibility_label": string(75, least=1),
            "agent_prompt": string(4000, least=1),
            "agent_prompt_display": string(least=1),
            "visible_to_user_ids": listing(USER, least=1, unique=True),
        },
    ),
    "workflow_button": element(
        required={"text": BUTTON_TEXT, "workflow": WORKFLOW},
        optional={
            "style": BUTTON_STYLE,
            "accessibility_label": string(75, least=1),
        },
        surfaces=MESSAGE_ONLY,
    ),
    "icon_button": element(
        required={"icon": string(least=1), "text": BUTTON_TEXT},
        optional={
            "value": string(2000),
            "confirm": CONFIRM,
            "accessibility_label": string(75, least=1),
            "visible_to_user_ids": listing(USER, least=1, most=10, unique=True),
        },
    ),
    "feedback_buttons": element(
        required={"positive_button": FEEDBACK_BUTTON, "negative_button": FEEDBACK_BUTTON},
    ),
    "overflow": element(
        required={"options": options(OVERFLOW_OPTION, most=5)},
        optional={
            "confirm": CONFIRM,
        },
    ),
    "checkboxes": element(
        initial_among("initial_options", many=True),
        required=LISTED,
        optional={
            "initial_options": listing(shape(LISTED_OPTION), least=1, most=10, unique=True),
            "confirm": CONFIRM,
            "focus_on_load": focus,
        },
    ),
    "radio_buttons": element(
        initial_among("initial_option"),
        required=LISTED,
        optional={
            "initial_option": shape(LISTED_OPTION),
            "confirm": CONFIRM,
            "focus_on_load": focus,
        },
    ),
    "static_select": menu(
        ONE_SOURCE,
        initial_among("initial_option"),
        optional={
            **STATIC,
            "initial_option": CHOSEN,
        },
    ),
    "multi_static_select": menu(
        ONE_SOURCE,
        initial_among("initial_options", many=True),
        selection_limit("initial_options"),
        optional={
            **STATIC,
            "initial_options": SOME_CHOSEN,
            "max_selected_items": AT_MOST_ITEMS,
        },
    ),
    "external_select": menu(
        optional={
            "min_query_length": whole(0),
            "initial_option": CHOSEN,
        },
    ),
    "multi_external_select": menu(
        selection_limit("initial_options"),
        optional={
            "min_query_length": whole(0),
            "initial_options": SOME_CHOSEN,
            "max_selected_items": AT_MOST_ITEMS,
        },
    ),
    "users_select": menu(
        optional={
            "initial_user": USER,
        },
    ),
    "multi_users_select": menu(
        selection_limit("initial_users"),
        optional={
            "initial_users": listing(USER, unique=True),
            "max_selected_items": AT_MOST_ITEMS,
        },
    ),
    "conversations_select": menu(
        in_modal_input_only,
        optional={
            "initial_conversation": CONVERSATION,
            "default_to_current_conversation": flag,
            "response_url_enabled": flag,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "multi_conversations_select": menu(
        selection_limit("initial_conversations"),
        optional={
            "initial_conversations": listing(CONVERSATION, unique=True),
            "default_to_current_conversation": flag,
            "max_selected_items": AT_MOST_ITEMS,
            "filter": CONVERSATION_FILTER,
        },
    ),
    "channels_select": menu(
        in_modal_input_only,
        optional={
            "initial_channel": CHANNEL,
            "response_url_enabled": flag,
        },
    ),
    "multi_channels_select": menu(
        selection_limit("initial_channels"),
        optional={
            "initial_channels": listing(CHANNEL, unique=True),
            "max_selected_items": AT_MOST_ITEMS,
        },
    ),
    "datepicker": menu(
        optional={
            "initial_date": calendar_day,
        },
    ),
    "timepicker": menu(
        optional={
            "initial_time": string(pattern=r"([01]\d|2[0-3]):[0-5]\d", like="09:30"),
            "timezone": time_zone,
        },
    ),
    "datetimepicker": element(
        optional={
            "initial_date_time": whole(1_000_000_000, 9_999_999_999),
            "confirm": CONFIRM,
            "focus_on_load": focus,
        },
    ),
    "plain_text_input": typed(
        ordered("min_length", "max_length"),
        fits_its_limits,
        optional={
            "initial_value": string(LONGEST_INPUT),
            "multiline": flag,
            "min_length": whole(0, LONGEST_INPUT),
            "max_length": whole(1, LONGEST_INPUT),
        },
    ),
    "number_input": typed(
        ordered("min_value", "max_value"),
        fits_its_limits,
        whole_when_asked,
        required={"is_decimal_allowed": flag},
        optional={
            "initial_value": NUMERAL,
            "min_value": NUMERAL,
            "max_value": NUMERAL,
        },
    ),
    "email_text_input": typed(
        optional={
            "initial_value": string(LONGEST_INPUT, pattern=r"[^\s@]+@[^\s@]+", like="name@example.com"),
        },
    ),
    "url_text_input": typed(
        optional={
            "initial_value": link("https", "http"),
        },
    ),
    "rich_text_input": typed(
        ordered("min_lines", "max_lines"),
        optional={
            "initial_value": rich_text,
            "min_lines": whole(1),
            "max_lines": whole(1),
        },
    ),
    "file_input": element(
        optional={
            "filetypes": listing(
                string(least=1, pattern=r"[a-z0-9]+", like="pdf, without a dot"), least=1, unique=True
            ),
            "max_files": whole(1, 10),
        },
        surfaces=MODAL_ONLY,
    ),
    "image": IMAGE_ELEMENT,
}

SELECTS = ("static_select", "external_select", "users_select", "conversations_select", "channels_select")
MULTI_SELECTS = tuple(f"multi_{name}" for name in SELECTS)
PICKERS = ("datepicker", "timepicker", "checkboxes", "radio_buttons")
TYPED = (
    "plain_text_input",
    "number_input",
    "email_text_input",
    "url_text_input",
    "rich_text_input",
    "file_input",
    "datetimepicker",
)
IN_SECTION = ("button", "workflow_button", "overflow", "image", *SELECTS, *MULTI_SELECTS, *PICKERS)
IN_ACTIONS = ("button", "workflow_button", "overflow", "datetimepicker", *SELECTS, *PICKERS)
IN_INPUT = (*SELECTS, *MULTI_SELECTS, *PICKERS, *TYPED)

section_accessory = one_of(ELEMENTS, IN_SECTION, place="a section")
actions_element = one_of(ELEMENTS, IN_ACTIONS, place="an actions block")
input_element = one_of(ELEMENTS, IN_INPUT, place="an input block")
context_action = one_of(ELEMENTS, ("feedback_buttons", "icon_button"), place="a context_actions block")
card_button = one_of(ELEMENTS, ("button",), place="a card")
overflow_menu = one_of(ELEMENTS, ("overflow",), place="an auth_provider block")
