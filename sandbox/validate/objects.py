"""Composition objects: options, confirmations, filters and the small configurations that elements carry."""

from collections.abc import Mapping
from typing import Any

from sandbox.validate.mrkdwn import plain, text_object
from sandbox.validate.rules import (
    Check,
    Registry,
    Spec,
    at_least_one,
    check_object,
    choice,
    exactly_one,
    flag,
    link,
    listing,
    one_of,
    shape,
    string,
)
from sandbox.validate.walk import Rule, Walk, below

OPEN_LINKS = ("https", "http", "mailto", "tel", "slack")
MOST_OPTIONS = 100

CONFIRM = shape(
    Spec(
        {
            "title": plain(100, counted=False),
            "text": text_object(300, counted=False),
            "confirm": plain(30, counted=False),
            "deny": plain(30, counted=False),
        },
        {"style": choice("primary", "danger")},
    )
)

# Choice lists show their options as text with markup; menus show plain text, and overflow menus may link.
MENU_OPTION = Spec(
    {"text": plain(75, counted=False), "value": string(150, least=1)}, {"description": plain(75, counted=False)}
)
LISTED_OPTION = Spec(
    {"text": text_object(75, counted=False), "value": string(150, least=1)},
    {"description": text_object(75, counted=False)},
)
OVERFLOW_OPTION = Spec(MENU_OPTION.required, {**MENU_OPTION.optional, "url": link(*OPEN_LINKS)})


def options(spec: Spec, *, least: int = 1, most: int = MOST_OPTIONS) -> Rule:
    """A list of options whose values differ from one another."""
    each = listing(shape(spec), least=least, most=most)

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        each(walk, value, pointer)
        seen: dict[str, int] = {}
        for position, option in enumerate(value if isinstance(value, list | tuple) else ()):
            chosen = option.get("value") if isinstance(option, Mapping) else None
            if walk.stricter and isinstance(chosen, str) and (first := seen.setdefault(chosen, position)) != position:
                sentence = f"each option needs a value of its own, and {chosen!r} is already at position {first}"
                walk.fault(below(below(pointer, position), "value"), sentence)

    return rule


def option_groups(*, least: int = 1, least_options: int = 1) -> Rule:
    group = Spec({"label": plain(75, counted=False), "options": options(MENU_OPTION, least=least_options)})
    return listing(shape(group), least=least, most=MOST_OPTIONS)


CONVERSATION_FILTER = shape(
    Spec(
        optional={
            "include": listing(choice("im", "mpim", "private", "public"), least=1, unique=True),
            "exclude_external_shared_channels": flag,
            "exclude_bot_users": flag,
        },
        checks=(at_least_one("include", "exclude_external_shared_channels", "exclude_bot_users"),),
    )
)

DISPATCH_CONFIG = shape(
    Spec(
        {
            "trigger_actions_on": listing(
                choice("on_enter_pressed", "on_character_entered"), least=1, most=2, unique=True
            )
        }
    )
)

SLACK_FILE = shape(
    Spec(
        optional={
            "id": string(pattern=r"F[A-Z0-9]+", like="F012ABC"),
            "url": link("https"),
        },
        checks=(exactly_one("id", "url"),),
    )
)

WORKFLOW = shape(
    Spec(
        {
            "trigger": shape(
                Spec(
                    {"url": link("https")},
                    {
                        "customizable_input_parameters": listing(
                            shape(Spec({"name": string(least=1), "value": string()}))
                        )
                    },
                )
            )
        }
    )
)

FEEDBACK_BUTTON = shape(
    Spec({"text": plain(75), "value": string(2000, least=1)}, {"accessibility_label": string(75, least=1)})
)

IMAGE_PROPERTIES: dict[str, Rule] = {"image_url": link("https", "http"), "slack_file": SLACK_FILE}
IMAGE_ELEMENT = Spec(
    {"alt_text": string(2000, least=1)}, IMAGE_PROPERTIES, checks=(exactly_one("image_url", "slack_file"),)
)
IMAGES: Registry = {"image": IMAGE_ELEMENT}
SLACK_ICON: Registry = {"icon": Spec({"name": string(least=1)})}

image = one_of(IMAGES, ("image",), place="a picture's place")


def initial_among(key: str, *, many: bool = False) -> Check:
    """What is chosen at first must be one of the options, exactly as it stands there."""

    def check(walk: Walk, value: Mapping[str, Any], pointer: str) -> None:
        if key not in value:
            return
        offered = list(value.get("options", ()))
        for group in value.get("option_groups", ()):
            offered.extend(group["options"])
        for position, chosen in enumerate(value[key] if many else [value[key]]):
            if chosen not in offered:
                place = below(pointer, key)
                where = below(place, position) if many else place
                shown = chosen["value"]
                walk.fault(where, f"{key} must equal one of the {len(offered)} options, and {shown!r} does not")

    return check


def check_option_reply(walk: Walk, value: Any, pointer: str) -> None:
    """The answer to a request for options; an empty list says that nothing was found."""
    spec = Spec(
        optional={
            "options": options(MENU_OPTION, least=0),
            "option_groups": option_groups(least=0, least_options=0),
        },
        checks=(exactly_one("options", "option_groups"),),
    )
    check_object(walk, value, pointer, spec=spec)
