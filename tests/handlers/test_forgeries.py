"""What nobody could press or fill in: refused with a sentence, never silence and never an incident, nothing written.

Every button, menu and form that the app registers is walked.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest

from bot.handlers.commands import COMMANDS, PRESSES
from bot.handlers.flow import FLOWS
from sandbox.state.elements import opening_state
from tests.domain.expect import everything
from tests.handlers.posting import Post, stocked
from tests.slack import Slack
from tests.world import MANAGER, OWNER

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])
Value = dict[str, Any]
FORGED = (
    "",
    " ",
    "0",
    "1",
    "-5",
    "1:2",
    "1:99999999999999999999",
    "9223372036854775807",
    "99999999999999999999",
    "0 OR 1=1",
    "'; DROP TABLE payment; --",
    "１２",
    "<!channel>",
    "null",
    "[]",
    '["payments"]',
    '["nothing", {}]',
    "{}:{}",
    "x" * 1900,
)
UNDER_A_VERB = ("", "1", "99999999999999999999", "0 OR 1=1")
CARRIED: tuple[str, ...] = ("", "{}", "[]", '{"intent": "forged"}', '{"intent": "forged", "about": {}, "hash": "0"}')


@pytest.fixture
def post(slack: Slack) -> Post:
    """A book with everything in it."""
    stocked(slack)
    return Post(slack)


def menus(drawn: list[Value], value: str) -> Iterator[Value]:
    """A value as a button carries it, as a menu does under each of its verbs, and nothing at all."""
    verbs = {each["selected_option"]["value"].partition(":")[0] for each in drawn if "selected_option" in each}
    yield {"value": value}
    under = sorted(verb for verb in verbs if not verb.isdigit()) if value in UNDER_A_VERB else []
    for text in (value, *(f"{verb}:{value}" for verb in under)):
        yield {"selected_option": {"text": {"type": "plain_text", "text": "Chosen"}, "value": text}}


def is_answered(post: Post, said: str) -> bool:
    """A person got a sentence or a form, and no number of an incident."""
    told = bool(post.said) or bool(post.answer)
    return told and "Something went wrong" not in said and "<!channel>" not in said


def walked() -> list[str]:
    """Each action once: the numbered ones of a kind are one function."""
    kinds = {(press.run.__qualname__, name.rstrip("0123456789")): name for name, press in PRESSES.items()}
    return list(kinds.values())


@ENGINE
def test_a_forged_value_of_any_button_or_menu_is_refused_with_a_sentence(post: Post) -> None:
    drawn = post.drawn()
    bad: list[str] = []
    for name in walked():
        before = everything(post.slack.world)
        for value in FORGED:
            for given in menus(drawn.get(name, []), value):
                said = post.press(MANAGER, name, given)
                if not is_answered(post, said):
                    bad.append(f"{name} {given} -> {said[:300]}")
        said = post.press(MANAGER, name, {})
        if not is_answered(post, said):
            bad.append(f"{name} nothing -> {said[:300]}")
        if everything(post.slack.world) != before:
            bad.append(f"{name} wrote")
    assert bad == []


@ENGINE
def test_a_button_with_the_value_of_another_is_answered_and_keeps_the_books_right(post: Post) -> None:
    drawn = post.drawn()
    values = {json.dumps(each): each for carried in drawn.values() for each in carried[:2]}
    assert len(values) > 10
    for name in walked():
        for given in values.values():
            said = post.press(MANAGER, name, given)
            assert is_answered(post, said), (name, given, said)
    post.slack.world.check()


def forms(post: Post, names: Iterable[str] = COMMANDS) -> dict[str, Mapping[str, Any]]:
    """The forms that the examples of commands open, by callback id."""
    made: dict[str, Mapping[str, Any]] = {}
    for command in (COMMANDS[name] for name in names):
        for sub in command.subs:
            post.command(OWNER, command.name, sub.example.partition(" ")[2])
            for told in post.said:
                view = json.loads(told["view"]) if isinstance(told.get("view"), str) else told.get("view")
                if view is not None and view["callback_id"] in FLOWS.by_id:
                    made.setdefault(view["callback_id"], view)
    return made


def state(view: Mapping[str, Any]) -> dict[str, Value]:
    """What a form has in its fields as it is drawn."""
    return {block: value for fields in [opening_state(view["blocks"])] for block, value in flat(fields)}


def flat(fields: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Value]]:
    for block, elements in fields.items():
        for value in elements.values():
            yield block, dict(value)


@ENGINE
def test_a_form_with_the_metadata_of_another_or_of_none_writes_nothing_and_says_why(post: Post) -> None:
    opened = forms(post)
    assert len(opened) > 15
    before = everything(post.slack.world)
    carried = [*CARRIED, *(view["private_metadata"] for view in opened.values())]
    bad: list[str] = []
    for name, flow in FLOWS.by_id.items():
        own = opened.get(name)
        for metadata in carried:
            if own is not None and metadata == own["private_metadata"]:
                continue
            said = post.submit(OWNER, flow, metadata, state(own) if own is not None else {})
            if not is_answered(post, said) or post.answer.get("response_action") not in {"update", "errors"}:
                bad.append(f"{name} {metadata} -> {said[:300]}")
        if everything(post.slack.world) != before:
            bad.append(f"{name} wrote")
            before = everything(post.slack.world)
    assert bad == []


def changed(fields: dict[str, Value]) -> dict[str, Value]:
    """The same form with other numbers and words in it."""
    made = {block: dict(value) for block, value in fields.items()}
    for block, value in made.items():
        if "value" in value:
            number = block in {"amount", "days", "limit", "unit_price"}
            value["value"] = "3" if number else f"{value['value'] or ''} other"
    return made


@ENGINE
def test_what_was_not_previewed_is_not_written_and_what_was_written_is_not_written_otherwise(post: Post) -> None:
    """Amounts changed between preview and submission are previewed; the same form sent again with others is refused."""
    written = 0
    for name, view in forms(post).items():
        flow, fields = FLOWS.by_id[name], state(view)
        other = changed(fields)
        before = everything(post.slack.world)
        if other != fields:
            said = post.submit(OWNER, flow, view["private_metadata"], other)
            assert is_answered(post, said), (name, said)
            assert everything(post.slack.world) == before, name
        last = submitted(post, name, view["private_metadata"], fields)
        if everything(post.slack.world) == before or other == fields:
            continue
        written += 1
        done = everything(post.slack.world)
        again = submitted(post, name, last, other)
        assert everything(post.slack.world) == done, (name, again, post.answer)
    assert written > 5
    post.slack.world.check()


def submitted(post: Post, name: str, metadata: str, fields: dict[str, Value]) -> str:
    """Submit until the form is neither previewed nor asked back; the metadata it had last."""
    for _ in range(3):
        said = post.submit(OWNER, FLOWS.by_id[name], metadata, fields)
        assert is_answered(post, said), (name, said)
        view = (post.answer or {}).get("view") or {}
        if view.get("callback_id") != name or view["private_metadata"] == metadata:
            break
        metadata = view["private_metadata"]
    return metadata
