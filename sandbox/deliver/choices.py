"""What a person can put into an element: only what Slack's own client would let them."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sandbox.deliver.shapes import file_payload
from sandbox.state import Problem, Workspace
from sandbox.state.elements import EMPTY, TEXT

REQUIRED = "Please complete this required field."
LONGEST = 3000
NUMBER = re.compile(r"-?(\d+(\.\d*)?|\.\d+)")
MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
WEB = re.compile(r"https?://[^\s/]+\S*")
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def taken(
    workspace: Workspace, user: str, element: Mapping[str, Any], value: Any, offered: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The state of an element after a person gave it a value; refuses what the client would not offer."""
    kind = element["type"]
    if kind not in EMPTY or not isinstance(value, Mapping):
        raise Problem("no_such_value")
    (key,) = EMPTY[kind]
    given = value.get(key)
    if kind in TEXT:
        return {"type": kind, key: _text(element, given)}
    if key == "selected_option":
        return {"type": kind, key: None if given is None else _offered(given, offered)}
    if key == "selected_options":
        return {"type": kind, key: [_offered(each, offered) for each in given or ()]}
    if kind == "file_input":
        return {"type": kind, key: [_file(workspace, user, each) for each in given or ()]}
    if kind == "rich_text_input":
        return {"type": kind, key: given}
    if given is not None:
        _check_picked(workspace, user, kind, given)
    return {"type": kind, key: given if given is not None or not key.endswith("s") else []}


def _text(element: Mapping[str, Any], given: Any) -> str | None:
    if given is None or given == "":
        return None
    if not isinstance(given, str):
        raise Problem("no_such_value")
    if element["type"] == "plain_text_input" and not element.get("multiline") and "\n" in given:
        raise Problem("one_line_only")
    return given


def _offered(given: Any, offered: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    for each in offered:
        if isinstance(given, Mapping) and each["value"] == given.get("value"):
            return dict(each)
    raise Problem("no_such_option")


def _file(workspace: Workspace, user: str, given: Any) -> dict[str, Any]:
    file = workspace.files.get(given["id"] if isinstance(given, Mapping) else str(given))
    if file is None or file.owner != user or file.content is None:
        raise Problem("file_not_found")
    return file_payload(file, workspace)


def _check_picked(workspace: Workspace, user: str, kind: str, given: Any) -> None:
    if kind == "datepicker":
        try:
            date.fromisoformat(given)
        except (TypeError, ValueError):
            raise Problem("no_such_date") from None
    elif kind in {"timepicker", "datetimepicker"}:
        _check_time(kind, given)
    elif kind.endswith(("users_select", "conversations_select", "channels_select")):
        visible = {each.id for each in workspace.visible(user)}
        known = workspace.people if kind.endswith("users_select") else visible
        for each in [given] if isinstance(given, str) else given:
            if each not in known:
                raise Problem("user_not_found" if kind.endswith("users_select") else "channel_not_found")


def _check_time(kind: str, given: Any) -> None:
    good = isinstance(given, int) if kind == "datetimepicker" else CLOCK.fullmatch(str(given))
    if not good:
        raise Problem("no_such_time")


def refused(block: Mapping[str, Any], state: Mapping[str, Any]) -> str:
    """What the client says under a field before anything is sent; empty when it is fine."""
    element = block["element"]
    (key,) = EMPTY[element["type"]]
    given = state.get(key)
    if given in (None, "", []) or (isinstance(given, str) and not given.strip()):
        return "" if block.get("optional") else REQUIRED
    if element["type"] in TEXT:
        return _refused_text(element, str(given))
    most = element.get("max_selected_items") or element.get("max_files")
    if most and len(given) > most:
        return f"Please choose at most {most}."
    if element["type"] == "file_input" and element.get("filetypes"):
        wrong = [each["name"] for each in given if each["filetype"] not in element["filetypes"]]
        return f"{wrong[0]} is not of a type that can be taken here." if wrong else ""
    return ""


def _refused_text(element: Mapping[str, Any], text: str) -> str:
    kind = element["type"]
    if kind == "number_input":
        return _refused_number(element, text)
    if kind == "email_text_input" and MAIL.fullmatch(text) is None:
        return "Please enter a valid email address."
    if kind == "url_text_input" and WEB.fullmatch(text) is None:
        return "Please enter a valid URL."
    most, least = int(element.get("max_length", LONGEST)), int(element.get("min_length", 0))
    if len(text) > most:
        return f"This entry can be at most {most} characters."
    return f"This entry must be at least {least} characters." if len(text) < least else ""


def _refused_number(element: Mapping[str, Any], text: str) -> str:
    if NUMBER.fullmatch(text) is None:
        return "Please enter a number."
    if not element["is_decimal_allowed"] and "." in text:
        return "Please enter a whole number."
    if "min_value" in element and float(text) < float(element["min_value"]):
        return f"Please enter a number of at least {element['min_value']}."
    if "max_value" in element and float(text) > float(element["max_value"]):
        return f"Please enter a number of at most {element['max_value']}."
    return ""
