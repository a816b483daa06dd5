"""Elements and composition objects: limits, types, places and what is chosen at first."""

from typing import Any

import pytest

from sandbox.validate import Fault, check_view

Json = dict[str, Any]
ACTION: Json = {"action_id": "pick"}


def plain(text: str = "Hello") -> Json:
    return {"type": "plain_text", "text": text}


def marked(text: str = "Hello") -> Json:
    return {"type": "mrkdwn", "text": text}


def option(number: int = 0, **more: Any) -> Json:
    return {"text": plain(f"Option {number}"), "value": f"v{number}", **more}


def options(count: int) -> list[Json]:
    return [option(number) for number in range(count)]


def confirm(**more: Any) -> Json:
    return {"title": plain(), "text": plain(), "confirm": plain(), "deny": plain(), **more}


def button(**more: Any) -> Json:
    return {"type": "button", "text": plain(), **ACTION, **more}


def select(kind: str = "static_select", **more: Any) -> Json:
    chosen = {"options": options(3)} if kind.endswith("static_select") and "option_groups" not in more else {}
    return {"type": kind, **ACTION, **chosen, **more}


def text_input(**more: Any) -> Json:
    return {"type": "plain_text_input", **ACTION, **more}


def number_input(**more: Any) -> Json:
    return {"type": "number_input", "is_decimal_allowed": True, **ACTION, **more}


def in_block(element: Json) -> Json:
    if element["type"] in {"button", "overflow", "workflow_button"}:
        return {"type": "actions", "elements": [element]}
    return {"type": "input", "block_id": "field", "label": plain(), "element": element}


def faults_of_blocks(*blocks: Json, stricter: bool = True) -> list[Fault]:
    heading = {"type": "modal", "callback_id": "pay", "title": plain(), "submit": plain()}
    return check_view({**heading, "blocks": list(blocks)}, stricter=stricter)


def faults_of(element: Json) -> list[Fault]:
    return faults_of_blocks(in_block(element))


GOOD: list[Json] = [
    button(style="danger", value="1", confirm=confirm(style="danger"), visible_to_user_ids=["U012ABC"]),
    button(url="mailto:ann@example.com"),
    {"type": "overflow", **ACTION, "options": [option(0, url="https://example.com"), option(1)]},
    {"type": "checkboxes", **ACTION, "options": [option(0, description=marked())], "initial_options": []}
    | {"initial_options": [option(0, description=marked())]},
    {"type": "radio_buttons", **ACTION, "options": options(2), "initial_option": option(1)},
    select(initial_option=option(2), placeholder=plain(), focus_on_load=True),
    select(option_groups=[{"label": plain(), "options": options(2)}], initial_option=option(1)),
    select("multi_static_select", initial_options=options(2), max_selected_items=2),
    select("external_select", min_query_length=0, initial_option=option()),
    select("multi_external_select", min_query_length=3),
    select("users_select", initial_user="U012ABC"),
    select("multi_users_select", initial_users=["U012ABC", "U012ABD"]),
    select("conversations_select", filter={"include": ["im", "public"]}, response_url_enabled=True),
    select("multi_conversations_select", default_to_current_conversation=True),
    select("channels_select", initial_channel="C012ABC"),
    select("multi_channels_select", initial_channels=["C012ABC"]),
    {"type": "datepicker", **ACTION, "initial_date": "2024-02-29"},
    {"type": "timepicker", **ACTION, "initial_time": "23:59", "timezone": "Asia/Singapore"},
    {"type": "datetimepicker", **ACTION, "initial_date_time": 1_700_000_000},
    text_input(multiline=True, min_length=1, max_length=10, initial_value="Hello"),
    number_input(min_value="-5", max_value="10.5", initial_value="10.50"),
    {"type": "email_text_input", **ACTION, "initial_value": "ann@example.com"},
    {"type": "url_text_input", **ACTION, "initial_value": "https://example.com"},
    {"type": "rich_text_input", **ACTION, "min_lines": 2, "max_lines": 5},
    {"type": "file_input", **ACTION, "filetypes": ["pdf", "png"], "max_files": 3},
    text_input(dispatch_action_config={"trigger_actions_on": ["on_enter_pressed"]}),
]


@pytest.mark.parametrize("element", GOOD, ids=lambda element: element["type"])
def test_every_element_passes_in_its_place(element: Json) -> None:
    assert faults_of(element) == []


LIMITS = {
    "action id": (lambda size: text_input(action_id="x" * size), 255),
    "button text": (lambda size: button(text=plain("x" * size)), 75),
    "button value": (lambda size: button(value="x" * size), 2000),
    "button address": (lambda size: button(url="https://e.co/" + "x" * (size - 13)), 3000),
    "button label": (lambda size: button(accessibility_label="x" * size), 75),
    "confirm title": (lambda size: button(confirm=confirm(title=plain("x" * size))), 100),
    "confirm text": (lambda size: button(confirm=confirm(text=marked("x" * size))), 300),
    "confirm yes": (lambda size: button(confirm=confirm(confirm=plain("x" * size))), 30),
    "confirm no": (lambda size: button(confirm=confirm(deny=plain("x" * size))), 30),
    "placeholder": (lambda size: text_input(placeholder=plain("x" * size)), 150),
    "options": (lambda size: select(options=options(size)), 100),
    "option groups": (
        lambda size: select(option_groups=[{"label": plain(), "options": options(1)} for _ in range(size)]),
        100,
    ),
    "options in a group": (lambda size: select(option_groups=[{"label": plain(), "options": options(size)}]), 100),
    "group label": (lambda size: select(option_groups=[{"label": plain("x" * size), "options": options(1)}]), 75),
    "option text": (lambda size: select(options=[option(text=plain("x" * size))]), 75),
    "option value": (lambda size: select(options=[option(value="x" * size)]), 150),
    "option description": (lambda size: select(options=[option(description=plain("x" * size))]), 75),
    "overflow": (lambda size: {"type": "overflow", **ACTION, "options": options(size)}, 5),
    "checkboxes": (lambda size: {"type": "checkboxes", **ACTION, "options": options(size)}, 10),
    "radio buttons": (lambda size: {"type": "radio_buttons", **ACTION, "options": options(size)}, 10),
    "longest input": (lambda size: text_input(max_length=size), 3000),
    "first text": (lambda size: text_input(initial_value="x" * size), 3000),
    "files": (lambda size: {"type": "file_input", **ACTION, "max_files": size}, 10),
    "chosen at first": (
        lambda size: select("multi_static_select", max_selected_items=2, initial_options=options(size)),
        2,
    ),
}


@pytest.mark.parametrize(("build", "limit"), LIMITS.values(), ids=LIMITS)
def test_an_element_may_be_as_large_as_its_limit_and_no_larger(build: Any, limit: int) -> None:
    assert faults_of(build(limit)) == []
    found = faults_of(build(limit + 1))
    assert [fault.error for fault in found] == ["invalid_arguments"]
    assert f"{limit:,}" in found[0].message
    assert f"{limit + 1:,}" in found[0].message


WRONG: dict[str, tuple[Json, str]] = {
    "an unknown element": ({"type": "slider", **ACTION}, "/type"),
    "an unknown property": (text_input(colour="red"), "/colour"),
    "no action id": ({"type": "users_select"}, ""),
    "a marked placeholder": (text_input(placeholder=marked()), "/placeholder/type"),
    "no options at all": ({"type": "static_select", **ACTION}, ""),
    "an empty list of options": (select(options=[]), "/options"),
    "options and groups": (
        select(option_groups=[{"label": plain(), "options": options(1)}], options=options(1)),
        "",
    ),
    "a marked menu option": (select(options=[option(text=marked())]), "/options/0/text/type"),
    "a menu option with a link": (select(options=[option(url="https://example.com")]), "/options/0/url"),
    "an option without value": (select(options=[{"text": plain()}]), "/options/0"),
    "a number for a value": (select(options=[option(value=7)]), "/options/0/value"),
    "two options with one value": (select(options=[option(1), option(1)]), "/options/1/value"),
    "a first option that is not there": (select(initial_option=option(9)), "/initial_option"),
    "a first option with another text": (select(initial_option=option(1, text=plain("Other"))), "/initial_option"),
    "a first box that is not there": (
        {"type": "checkboxes", **ACTION, "options": options(2), "initial_options": [option(0), option(9)]},
        "/initial_options/1",
    ),
    "an empty choice at first": (select("multi_static_select", initial_options=[]), "/initial_options"),
    "a negative query length": (select("external_select", min_query_length=-1), "/min_query_length"),
    "a query length as a string": (select("external_select", min_query_length="1"), "/min_query_length"),
    "a query length as a boolean": (select("external_select", min_query_length=True), "/min_query_length"),
    "a query length on a static menu": (select(min_query_length=1), "/min_query_length"),
    "a person by name": (select("users_select", initial_user="ann"), "/initial_user"),
    "an empty filter": (select("conversations_select", filter={}), "/filter"),
    "an unknown filter": (select("conversations_select", filter={"include": ["dm"]}), "/filter/include/0"),
    "a day that does not exist": ({"type": "datepicker", **ACTION, "initial_date": "2023-02-29"}, "/initial_date"),
    "a day in another order": ({"type": "datepicker", **ACTION, "initial_date": "29.02.2024"}, "/initial_date"),
    "an hour that does not exist": ({"type": "timepicker", **ACTION, "initial_time": "24:00"}, "/initial_time"),
    "an unknown zone": ({"type": "timepicker", **ACTION, "timezone": "Singapore time"}, "/timezone"),
    "a moment in milliseconds": (
        {"type": "datetimepicker", **ACTION, "initial_date_time": 1_700_000_000_000},
        "/initial_date_time",
    ),
    "lengths that cross": (text_input(min_length=5, max_length=4), ""),
    "a first text that is too long": (text_input(max_length=4, initial_value="Hello"), "/initial_value"),
    "a text for multiline": (text_input(multiline="true"), "/multiline"),
    "no word on decimals": ({"type": "number_input", **ACTION}, ""),
    "a number as a number": (number_input(initial_value=12), "/initial_value"),
    "a number in words": (number_input(initial_value="twelve"), "/initial_value"),
    "values that cross": (number_input(min_value="5", max_value="4"), ""),
    "a first number outside": (number_input(max_value="4", initial_value="5"), "/initial_value"),
    "cents where none are allowed": (number_input(is_decimal_allowed=False, initial_value="1.5"), "/initial_value"),
    "an address without an at": ({"type": "email_text_input", **ACTION, "initial_value": "ann"}, "/initial_value"),
    "a link without a scheme": ({"type": "url_text_input", **ACTION, "initial_value": "ann.example"}, "/initial_value"),
    "a file type with a dot": ({"type": "file_input", **ACTION, "filetypes": [".pdf"]}, "/filetypes/0"),
    "no files": ({"type": "file_input", **ACTION, "max_files": 0}, "/max_files"),
    "an unknown dispatch": (
        text_input(dispatch_action_config={"trigger_actions_on": ["on_blur"]}),
        "/dispatch_action_config/trigger_actions_on/0",
    ),
}


@pytest.mark.parametrize(("element", "pointer"), WRONG.values(), ids=WRONG)
def test_a_wrong_element_is_refused_at_the_place_of_its_fault(element: Json, pointer: str) -> None:
    assert [fault.pointer for fault in faults_of(element)] == [f"/blocks/0/element{pointer}"]


WRONG_BUTTONS: dict[str, tuple[Json, str]] = {
    "an unknown style": (button(style="default"), "/style"),
    "a marked text": (button(text=marked()), "/text/type"),
    "a number for a value": (button(value=12), "/value"),
    "an address that runs": (button(url="javascript:alert(1)"), "/url"),
    "an address with a space": (button(url="https://example.com/a b"), "/url"),
    "a question without a title": (button(confirm={"text": plain(), "confirm": plain(), "deny": plain()}), "/confirm"),
    "a question with an unknown style": (button(confirm=confirm(style="warning")), "/confirm/style"),
    "nobody to see it": (button(visible_to_user_ids=[]), "/visible_to_user_ids"),
    "focus on a button": (button(focus_on_load=True), "/focus_on_load"),
}


@pytest.mark.parametrize(("element", "pointer"), WRONG_BUTTONS.values(), ids=WRONG_BUTTONS)
def test_a_wrong_button_is_refused_at_the_place_of_its_fault(element: Json, pointer: str) -> None:
    assert [fault.pointer for fault in faults_of(element)] == [f"/blocks/0/elements/0{pointer}"]


EVERY_KIND = [
    ("section", {"button", "overflow", "users_select", "multi_users_select", "datepicker", "timepicker"}),
    ("actions", {"button", "overflow", "users_select", "datepicker", "timepicker", "datetimepicker"}),
    (
        "input",
        {
            "users_select",
            "multi_users_select",
            "datepicker",
            "timepicker",
            "datetimepicker",
            "plain_text_input",
            "email_text_input",
            "url_text_input",
            "rich_text_input",
            "file_input",
        },
    ),
]
KINDS = sorted(set.union(*(allowed for _, allowed in EVERY_KIND)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("container", "allowed"), EVERY_KIND, ids=[name for name, _ in EVERY_KIND])
def test_an_element_stands_only_in_the_blocks_that_take_it(container: str, allowed: set[str], kind: str) -> None:
    extra: dict[str, Json] = {"button": {"text": plain()}, "overflow": {"options": options(1)}}
    element = {"type": kind, **ACTION, **extra.get(kind, {})}
    blocks: dict[str, Json] = {
        "section": {"type": "section", "text": plain(), "accessory": element},
        "actions": {"type": "actions", "elements": [element]},
        "input": {"type": "input", "block_id": "field", "label": plain(), "element": element},
    }
    found = faults_of_blocks(blocks[container])
    assert bool(found) == (kind not in allowed)
    assert all("may not stand in" in fault.message for fault in found)


def test_a_file_input_stands_in_a_modal_only() -> None:
    block = in_block({"type": "file_input", **ACTION})
    found = check_view({"type": "home", "blocks": [block]})
    assert [fault.pointer for fault in found] == ["/blocks/0/element/type"]


def test_a_response_url_is_for_inputs_of_a_modal() -> None:
    chosen = select("channels_select", response_url_enabled=True)
    assert check_view({"type": "home", "blocks": [in_block(chosen)]})
    assert faults_of_blocks({"type": "section", "text": plain(), "accessory": chosen})


def test_two_fields_may_not_both_take_the_focus() -> None:
    first = in_block(text_input(focus_on_load=True))
    second = {**in_block(text_input(action_id="other", focus_on_load=True)), "block_id": "other"}
    assert [fault.pointer for fault in faults_of_blocks(first, second)] == ["/blocks/1/element/focus_on_load"]


def test_an_action_id_is_used_once_in_a_view() -> None:
    first, second = in_block(text_input()), {**in_block(text_input()), "block_id": "other"}
    assert [fault.pointer for fault in faults_of_blocks(first, second)] == ["/blocks/1/element/action_id"]
    assert faults_of_blocks(first, second, stricter=False) == []


def test_an_action_id_is_used_once_in_a_block_however_lenient_the_check() -> None:
    row = {"type": "actions", "elements": [button(), button()]}
    assert [fault.pointer for fault in faults_of_blocks(row, stricter=False)] == ["/blocks/0/elements/1/action_id"]
