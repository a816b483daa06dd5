"""The manifest asks Slack for what the code uses, no more and no less, in the shape that Slack takes."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator
from slack_bolt import App
from slack_sdk import WebClient

import bot
from bot.__main__ import main
from bot.handlers.commands import COMMANDS
from bot.handlers.manifest import METHODS, OPTIONAL_SCOPES, SCOPES, manifest
from bot.handlers.register import register
from sandbox.api import scopes as slack_scopes

ROOT = Path(__file__).parent.parent.parent
URL = "https://duedesk.example.com/slack/events"
VARIANTS: dict[str, dict[str, Any]] = {
    "sockets": {},
    "with a prefix": {"prefix": "longest-one-"},
    "http": {"request_url": URL},
    "http with a prefix": {"prefix": "dd-", "request_url": URL},
    "several workspaces": {"request_url": URL, "serves_many": True},
}
EACH_VARIANT = pytest.mark.parametrize("variant", [pytest.param(each, id=name) for name, each in VARIANTS.items()])


def words(most: int, **more: Any) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": most, **more}


def holding(*needed: str, **properties: Any) -> dict[str, Any]:
    """An object with these keys and no other."""
    return {"type": "object", "required": list(needed), "additionalProperties": False, "properties": properties}


def several(item: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "maxItems": most, "uniqueItems": True, "items": item}


YES_OR_NO = {"type": "boolean"}
ADDRESS = words(3000, pattern=r"^https?://")
SCOPE_NAMES = several(words(50, pattern=r"^[a-z]+([:.][a-z.]+)*$"), 255)
# The parts of Slack's manifest that we use, with the limits it publishes for them.
SLACK_TAKES = holding(
    "display_information",
    display_information=holding(
        "name",
        name=words(35),
        description=words(140),
        background_color=words(7, pattern=r"^#([0-9a-fA-F]{3}){1,2}$"),
    ),
    features=holding(
        app_home=holding(
            home_tab_enabled=YES_OR_NO, messages_tab_enabled=YES_OR_NO, messages_tab_read_only_enabled=YES_OR_NO
        ),
        bot_user=holding("display_name", display_name=words(80, pattern=r"^[a-z0-9._-]+$"), always_online=YES_OR_NO),
        shortcuts=several(
            holding(
                "name",
                "type",
                "callback_id",
                "description",
                name=words(24),
                type=words(7, pattern=r"^(global|message)$"),
                callback_id=words(255),
                description=words(150),
            ),
            10,
        ),
        slash_commands=several(
            holding(
                "command",
                "description",
                command=words(32, pattern=r"^/[a-z0-9_-]+$"),
                description=words(2000),
                usage_hint=words(1000),
                should_escape=YES_OR_NO,
                url=ADDRESS,
            ),
            50,
        ),
    ),
    oauth_config=holding(
        redirect_urls=several(ADDRESS, 1000), scopes=holding("bot", bot=SCOPE_NAMES, bot_optional=SCOPE_NAMES)
    ),
    settings=holding(
        event_subscriptions=holding(bot_events=several(words(50, pattern=r"^[a-z_.]+$"), 100), request_url=ADDRESS),
        interactivity=holding(
            "is_enabled", is_enabled=YES_OR_NO, request_url=ADDRESS, message_menu_options_url=ADDRESS
        ),
        org_deploy_enabled=YES_OR_NO,
        socket_mode_enabled=YES_OR_NO,
        token_rotation_enabled=YES_OR_NO,
    ),
)


SCOPES_OF_EVENTS = {
    "user_change": {"users:read"},
    "app_home_opened": set[str](),
    "message.groups": {"groups:history"},
}


class Noting(App):
    """A Bolt app that keeps the names of what is registered with it."""

    def __init__(self) -> None:
        super().__init__(client=WebClient(token="xoxb-test"), signing_secret="secret", token_verification_enabled=False)
        self.commands: list[str] = []
        self.shortcuts: list[Any] = []
        self.events: list[Any] = []

    def command(self, command: Any, *more: Any, **named: Any) -> Any:
        self.commands.append(command)
        return super().command(command, *more, **named)

    def shortcut(self, constraints: Any, *more: Any, **named: Any) -> Any:
        self.shortcuts.append(constraints)
        return super().shortcut(constraints, *more, **named)

    def event(self, event: Any, *more: Any, **named: Any) -> Any:
        self.events.append(event)
        return super().event(event, *more, **named)

    def message(self, keyword: Any = "", *more: Any, **named: Any) -> Any:
        self.events.append("message")
        return super().message(keyword, *more, **named)


def registered(prefix: str = "") -> Noting:
    app = Noting()
    register(app, lambda _body: pytest.fail("nothing is asked of a desk"), prefix=prefix)
    return app


def methods_of(name: str) -> set[str]:
    """The Web API methods behind a method of Slack's client, as its source says; none for what is no call."""
    function = getattr(WebClient, name, None)
    if not inspect.isfunction(function) or name.startswith("_"):
        return set()
    source = inspect.getsource(function)
    found = set(re.findall(r'self\.api_call\(\s*"([\w.]+)"', source))
    return found.union(*(methods_of(each) for each in re.findall(r"self\.([a-z]\w+)\(", source) if each != "api_call"))


def called() -> Iterator[str]:
    """The Web API methods that the code calls, wherever."""
    for file in sorted(Path(bot.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute):
                assert node.attr != "api_call", f"{file}: call the method of the client that has the name"
                yield from methods_of(node.attr)


def test_the_file_is_what_the_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "manifest.yml").read_text(encoding="utf-8")
    assert main(["manifest"]) == 0
    assert capsys.readouterr().out == text
    assert yaml.safe_load(text) == manifest()


def test_slack_would_take_the_file() -> None:
    made = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    assert list(Draft7Validator(SLACK_TAKES).iter_errors(made)) == []


@EACH_VARIANT
def test_slack_would_take_each_variant(variant: dict[str, Any]) -> None:
    assert list(Draft7Validator(SLACK_TAKES).iter_errors(manifest(**variant))) == []


def test_what_slack_would_not_take_is_found() -> None:
    """The check itself is checked: each of these is one fault."""
    for part, name, value in (
        ("display_information", "name", "D" * 36),
        ("display_information", "description", "d" * 141),
        ("display_information", "tagline", "unknown"),
        ("features", "slash_commands", [{"command": "payment", "description": "no slash"}]),
        ("features", "slash_commands", [{"command": "/" + "p" * 32, "description": "too long"}]),
        ("features", "slash_commands", [{"command": "/payment", "description": "d" * 2001}]),
        ("features", "slash_commands", [{"command": "/payment", "description": "d", "usage_hint": "h" * 1001}]),
        ("features", "slash_commands", [{"command": "/payment", "description": "d", "usage_hint": ""}]),
        ("settings", "interactivity", {"is_enabled": True, "request_url": "duedesk.example.com"}),
    ):
        made = manifest()
        made[part] |= {name: value}
        assert len(list(Draft7Validator(SLACK_TAKES).iter_errors(made))) == 1, (part, name)


@pytest.mark.parametrize("prefix", ["", "dd-"])
def test_each_command_of_the_app_is_in_the_manifest_and_the_reverse(prefix: str) -> None:
    asked = [each["command"] for each in manifest(prefix=prefix)["features"]["slash_commands"]]
    assert sorted(registered(prefix).commands) == asked
    assert asked == sorted(f"/{prefix}{name}" for name in COMMANDS)


def test_references_in_commands_come_as_ids() -> None:
    """Without escaping, @name and #channel come as words that anybody may take for a name."""
    assert all(each["should_escape"] for each in manifest()["features"]["slash_commands"])


def test_each_shortcut_and_event_of_the_app_is_in_the_manifest_and_the_reverse() -> None:
    app, made = registered(), manifest()
    assert sorted(app.shortcuts) == sorted(each["callback_id"] for each in made["features"].get("shortcuts", []))
    heard = [each.partition(".")[0] for each in made["settings"]["event_subscriptions"]["bot_events"]]
    assert sorted(app.events) == sorted(heard)


def test_each_event_has_its_scope_in_the_manifest() -> None:
    made = manifest()
    heard = made["settings"]["event_subscriptions"]["bot_events"]
    needed = {scope for each in heard for scope in SCOPES_OF_EVENTS[each]}
    asked = made["oauth_config"]["scopes"]
    assert needed <= set(asked["bot"])
    assert needed & set(asked["bot_optional"]) == {"groups:history"}  # words in threads, which buttons do as well


def test_each_method_that_the_code_calls_is_listed_and_the_reverse() -> None:
    assert set(called()) == set(METHODS)


def test_each_method_has_its_scopes_in_the_manifest_and_no_scope_is_asked_for_in_vain() -> None:
    asked = manifest()["oauth_config"]["scopes"]
    needed = {scope for scopes in METHODS.values() for scope in scopes}
    assert set(asked["bot"]) == needed | {"commands"}
    assert set(asked["bot_optional"]) < set(asked["bot"])
    assert (set(asked["bot"]), tuple(asked["bot_optional"])) == ({*SCOPES, *OPTIONAL_SCOPES}, OPTIONAL_SCOPES)


@pytest.mark.parametrize("method", sorted(METHODS))
def test_the_workspace_asks_for_the_same_scopes_of_a_method(method: str) -> None:
    right = slack_scopes.BY_KIND.get(method)
    if right is not None:
        assert METHODS[method]
        assert {scope.partition(":")[2] for scope in METHODS[method]} == {right}
    else:
        assert METHODS[method] == tuple(filter(None, [slack_scopes.SCOPES.get(method)]))


def test_the_variant_for_http_differs_in_addresses_and_the_switch_alone() -> None:
    sockets, http = manifest(), manifest(request_url=URL)
    assert sockets["settings"]["socket_mode_enabled"] is True
    assert http["settings"].pop("socket_mode_enabled") is False
    del sockets["settings"]["socket_mode_enabled"]
    assert http["settings"]["event_subscriptions"].pop("request_url") == URL
    assert http["settings"]["interactivity"].pop("request_url") == URL
    assert http["settings"]["interactivity"].pop("message_menu_options_url") == URL
    assert {each.pop("url") for each in http["features"]["slash_commands"]} == {URL}
    assert http == sockets


def test_the_variant_with_a_prefix_differs_in_the_names_of_commands_alone() -> None:
    plain, prefixed = manifest(), manifest(prefix="dd-")
    for ours, theirs in zip(plain["features"]["slash_commands"], prefixed["features"]["slash_commands"], strict=True):
        assert theirs.pop("command") == f"/dd-{ours.pop('command').removeprefix('/')}"
    assert prefixed == plain
