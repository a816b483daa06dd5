"""Views and answers to deliveries, and the payloads that the client library lets through."""

import json
from typing import Any

import pytest
from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    DividerBlock,
    HeaderBlock,
    InputBlock,
    PlainTextInputElement,
    RawTextObject,
    TableBlock,
)
from slack_sdk.models.views import View

from sandbox.validate import Fault, check_ack, check_message, check_view

Json = dict[str, Any]
DIVIDER: Json = {"type": "divider"}


def plain(text: str = "Hello") -> Json:
    return {"type": "plain_text", "text": text}


def field(number: int = 1) -> Json:
    element = {"type": "plain_text_input", "action_id": f"field_{number}"}
    return {"type": "input", "block_id": f"field_{number}", "label": plain(), "element": element}


def modal(**more: Any) -> Json:
    return {"type": "modal", "callback_id": "pay", "title": plain(), "submit": plain(), "blocks": [field()], **more}


def home(**more: Any) -> Json:
    return {"type": "home", "blocks": [DIVIDER], **more}


def places(found: list[Fault]) -> list[tuple[str, str]]:
    return [(fault.error, fault.pointer) for fault in found]


def test_complete_views_pass() -> None:
    shared = {"private_metadata": '{"customer": 7}', "external_id": "pay-7", "callback_id": "pay"}
    assert check_view(modal(**shared, close=plain(), notify_on_close=True, clear_on_close=False)) == []
    assert check_view(home(**shared)) == []
    assert check_view(home(), surface="home") == []


LIMITS: dict[str, tuple[str, int, Any]] = {
    "title": ("/title/text", 24, lambda size: modal(title=plain("x" * size))),
    "submit": ("/submit/text", 24, lambda size: modal(submit=plain("x" * size))),
    "close": ("/close/text", 24, lambda size: modal(close=plain("x" * size))),
    "callback id": ("/callback_id", 255, lambda size: modal(callback_id="x" * size)),
    "external id": ("/external_id", 255, lambda size: modal(external_id="x" * size)),
    "private metadata": ("/private_metadata", 3000, lambda size: modal(private_metadata="x" * size)),
    "blocks of a modal": ("/blocks", 100, lambda size: modal(blocks=[DIVIDER] * size)),
    "blocks of a home": ("/blocks", 100, lambda size: home(blocks=[DIVIDER] * size)),
}


@pytest.mark.parametrize(("pointer", "limit", "build"), LIMITS.values(), ids=LIMITS)
def test_a_view_may_be_as_large_as_its_limit_and_no_larger(pointer: str, limit: int, build: Any) -> None:
    assert check_view(build(limit)) == []
    found = check_view(build(limit + 1))
    assert places(found) == [("invalid_arguments", pointer)]
    assert f"{limit:,}" in found[0].message
    assert f"{limit + 1:,}" in found[0].message


@pytest.mark.parametrize("extra", [0, 1])
def test_a_view_may_have_a_quarter_of_a_million_bytes(extra: int) -> None:
    def padded(last: int) -> Json:
        texts = ["x" * 3000] * 81 + ["x" * last]
        return home(blocks=[{"type": "section", "text": plain(text)} for text in texts])

    room = 250_000 - len(json.dumps(padded(0), separators=(",", ":")))
    found = check_view(padded(room + extra))
    assert places(found) == ([("view_too_large", "")] if extra else [])


WRONG: dict[str, tuple[Json, str]] = {
    "an unknown type": (modal(type="workflow_step"), "/type"),
    "no title": ({key: value for key, value in modal().items() if key != "title"}, ""),
    "an empty title": (modal(title=plain("")), "/title/text"),
    "a marked title": (modal(title={"type": "mrkdwn", "text": "Pay"}), "/title/type"),
    "a title as a string": (modal(title="Pay"), "/title"),
    "no blocks": (modal(blocks=[]), "/blocks"),
    "an unknown property": (modal(colour="red"), "/colour"),
    "what only Slack writes": (modal(hash="156772938.1827394"), "/hash"),
    "private metadata as an object": (modal(private_metadata={"customer": 7}), "/private_metadata"),
    "a flag as a string": (modal(notify_on_close="true"), "/notify_on_close"),
    "fields without a submit": ({key: value for key, value in modal().items() if key != "submit"}, ""),
    "a modal nobody can hear": ({key: value for key, value in modal().items() if key != "callback_id"}, ""),
    "a title on a home": (home(title=plain()), "/title"),
    "a submit on a home": (home(submit=plain()), "/submit"),
    "a field without block id": (
        modal(blocks=[{key: value for key, value in field().items() if key != "block_id"}]),
        "/blocks/0",
    ),
    "two fields with one block id": (
        modal(blocks=[field(1), {**field(2), "block_id": "field_1"}]),
        "/blocks/1/block_id",
    ),
}


@pytest.mark.parametrize(("view", "pointer"), WRONG.values(), ids=WRONG)
def test_a_wrong_view_is_refused_at_the_place_of_its_fault(view: Json, pointer: str) -> None:
    assert places(check_view(view)) == [("invalid_arguments", pointer)]


def test_a_home_may_not_be_opened_as_a_modal() -> None:
    assert ("invalid_arguments", "/type") in places(check_view(home(), surface="modal"))


def test_a_view_that_is_no_json_is_refused() -> None:
    assert ("invalid_arguments", "") in places(check_view(modal(private_metadata={1, 2})))


def test_a_view_that_is_no_object_is_refused() -> None:
    broken: Any = "modal"
    assert check_view(broken)


SLIPS_THROUGH: dict[str, tuple[str, list[Block]]] = {
    "a table of 101 rows": ("message", [TableBlock(rows=[[RawTextObject(text="x")]] * 101)]),
    "two blocks with one id": ("message", [DividerBlock(block_id="line"), DividerBlock(block_id="line")]),
    "two actions with one id": (
        "message",
        [ActionsBlock(elements=[ButtonElement(text="Press", action_id="a", value=value) for value in "12"])],
    ),
    "a header with markup": ("message", [HeaderBlock(text={"type": "mrkdwn", "text": "*Hello*"})]),
    "fifty-one blocks": ("message", [DividerBlock() for _ in range(51)]),
    "a table in a modal": ("modal", [TableBlock(rows=[[RawTextObject(text="x")]])]),
    "a field without a submit": (
        "modal",
        [InputBlock(block_id="a", label="Amount", element=PlainTextInputElement(action_id="a"))],
    ),
}


@pytest.mark.parametrize(("surface", "blocks"), SLIPS_THROUGH.values(), ids=SLIPS_THROUGH)
def test_what_the_client_library_lets_through_is_caught(surface: str, blocks: list[Block]) -> None:
    if surface == "modal":
        found = check_view(View(type="modal", callback_id="pay", title="Pay", blocks=blocks).to_dict())
    else:
        found = check_message({"text": "Payment received", "blocks": [block.to_dict() for block in blocks]})
    assert len(found) == 1


def test_a_library_view_that_is_right_passes() -> None:
    blocks = [InputBlock(block_id="a", label="Amount", element=PlainTextInputElement(action_id="a"))]
    view = View(type="modal", callback_id="pay", title="Pay", submit="Record", blocks=blocks)
    assert check_view(view.to_dict()) == []


@pytest.mark.parametrize("kind", ["command", "view_submission", "block_actions"])
@pytest.mark.parametrize("body", [None, "", {}])
def test_an_empty_answer_is_an_answer(kind: Any, body: Any) -> None:
    assert check_ack(kind, body) == []


GOOD_ANSWERS: dict[str, tuple[Any, Any]] = {
    "a private answer": ("command", {"response_type": "ephemeral", "text": "Recorded"}),
    "an answer with blocks": ("command", {"response_type": "in_channel", "text": "Recorded", "blocks": [DIVIDER]}),
    "errors": ("view_submission", {"response_action": "errors", "errors": {"field_1": "Must be above zero"}}),
    "an update": ("view_submission", {"response_action": "update", "view": modal()}),
    "a push": ("view_submission", {"response_action": "push", "view": modal()}),
    "a clear": ("view_submission", {"response_action": "clear"}),
    "options": ("options", {"options": [{"text": plain(), "value": "1"}]}),
    "no options found": ("options", {"options": []}),
    "groups": ("options", {"option_groups": [{"label": plain(), "options": [{"text": plain(), "value": "1"}]}]}),
}


@pytest.mark.parametrize(("kind", "body"), GOOD_ANSWERS.values(), ids=GOOD_ANSWERS)
def test_a_right_answer_passes(kind: Any, body: Any) -> None:
    assert check_ack(kind, body) == []


WRONG_ANSWERS: dict[str, tuple[Any, Any, tuple[str, str]]] = {
    "no response type": ("command", {"text": "Recorded"}, ("invalid_arguments", "")),
    "a bare string": ("command", "Recorded", ("invalid_arguments", "")),
    "an unknown response type": (
        "command",
        {"response_type": "private", "text": "Recorded"},
        ("invalid_arguments", "/response_type"),
    ),
    "an answer without text": (
        "command",
        {"response_type": "ephemeral", "blocks": [DIVIDER]},
        ("no_text", "/text"),
    ),
    "an unknown action": ("view_submission", {"response_action": "close"}, ("invalid_arguments", "/response_action")),
    "no action": ("view_submission", {"errors": {"a": "b"}}, ("invalid_arguments", "/response_action")),
    "errors that name nothing": (
        "view_submission",
        {"response_action": "errors", "errors": {}},
        ("invalid_arguments", "/errors"),
    ),
    "an empty error": (
        "view_submission",
        {"response_action": "errors", "errors": {"field_1": " "}},
        ("invalid_arguments", "/errors/field_1"),
    ),
    "errors with a view": (
        "view_submission",
        {"response_action": "errors", "errors": {"field_1": "No"}, "view": modal()},
        ("invalid_arguments", "/view"),
    ),
    "an update without a view": ("view_submission", {"response_action": "update"}, ("invalid_arguments", "")),
    "an update to a wrong view": (
        "view_submission",
        {"response_action": "update", "view": modal(title=plain("x" * 25))},
        ("invalid_arguments", "/view/title/text"),
    ),
    "an update to a home": (
        "view_submission",
        {"response_action": "update", "view": modal(type="home")},
        ("invalid_arguments", "/view/type"),
    ),
    "too many options": (
        "options",
        {"options": [{"text": plain(), "value": str(number)} for number in range(101)]},
        ("invalid_arguments", "/options"),
    ),
    "options and groups": ("options", {"options": [], "option_groups": []}, ("invalid_arguments", "")),
    "no word on options": ("options", {}, ("invalid_arguments", "")),
    "an answer to a button": ("block_actions", {"text": "Done"}, ("invalid_arguments", "")),
}


@pytest.mark.parametrize(("kind", "body", "place"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_is_refused(kind: Any, body: Any, place: tuple[str, str]) -> None:
    assert places(check_ack(kind, body)) == [place]


def test_errors_must_stand_under_a_field_of_the_view() -> None:
    body = {"response_action": "errors", "errors": {"field_1": "Too much", "note": "Too long"}}
    assert check_ack("view_submission", body) == []
    assert places(check_ack("view_submission", body, view=modal())) == [("invalid_arguments", "/errors/note")]


def test_a_lenient_check_takes_a_bare_string_for_a_command() -> None:
    assert check_ack("command", "Recorded", stricter=False) == []
