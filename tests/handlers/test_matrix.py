"""Every registered way in, by everybody who may not: refused in plain words, nothing written, nothing learned.

What is walked is what the app registers, so that an operation that is added is covered by being there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from bot.domain.operation import Role
from bot.domain.people import Grant, Profile, grant
from bot.handlers import register
from bot.handlers.commands import COMMANDS, PRESSES, SUGGESTIONS
from bot.handlers.flow import FLOWS
from bot.handlers.shortcuts import READERS, SHORTCUTS
from tests.domain.expect import everything
from tests.handlers.posting import AMOUNTS, NAME, Post, stocked
from tests.slack import GONE, GUEST, NOBODY, ROBOT, ROLES, Slack
from tests.world import ADMIN, CLERK, MANAGER, OWNER, STRANGER, TEAM, VIEWER

Person = tuple[str, str | None]

OTHER_TEAM = "T0OTHER"
# The last has the id of a manager of ours in another workspace.
OUTSIDERS: tuple[Person, ...] = (
    (NOBODY, None),
    (GUEST, None),
    (ROBOT, None),
    (GONE, None),
    (STRANGER, None),
    (MANAGER, OTHER_TEAM),
)
REFUSED = ("You have no access", "This needs the right of")
CONFIDENTIAL = (NAME, *AMOUNTS, "SGD")
FOR_EVERYBODY = {("duedesk", "help")}


@pytest.fixture
def post(slack: Slack) -> Post:
    """A book with everything in it, and somebody whose account was closed after he had been a manager."""
    stocked(slack)
    profile = Profile(team=TEAM, user=GONE, name="gone")
    slack.world.do(grant, Grant(profile=profile, role=Role.MANAGER), by=OWNER)
    event = {"type": "user_change", "user": {"id": GONE, "team_id": TEAM, "deleted": True, "name": "gone"}}
    made = Post(slack)
    made.send("events_api", made.payloads.event(event))
    slack.world.store.seal()
    return made


def below(role: Role, engine_name: str) -> tuple[Person, ...]:
    """Everybody who may not do what needs a role; on the second engine one of each sort."""
    members = tuple((user, None) for user, held in ROLES.items() if held < role)
    return (*OUTSIDERS, *members) if engine_name == "sqlite" else (OUTSIDERS[0], OUTSIDERS[-1], *members[:1])


@contextmanager
def untouched(post: Post, what: str) -> Iterator[None]:
    """The book is the same before and after, to the last row."""
    before = everything(post.slack.world)
    yield
    assert everything(post.slack.world) == before, what


def refuse(post: Post, what: str, by: tuple[Person, ...], send: Callable[[str, str | None], str]) -> int:
    """Each is refused in plain words and learns nothing; how many were asked."""
    with untouched(post, what):
        for user, team in by:
            said = send(user, team)
            assert any(each in said for each in REFUSED), (what, user, team, said)
            assert not [each for each in CONFIDENTIAL if each in said], (what, user, team, said)
    return len(by)


@pytest.mark.rules(118, 119)
def test_every_command_is_refused_to_whoever_has_not_its_right(post: Post, engine_name: str) -> None:
    asked = 0
    for name, command in COMMANDS.items():
        for sub in command.subs:
            if (name, sub.name) in FOR_EVERYBODY:
                continue
            typed = sub.example.partition(" ")[2]
            asked += refuse(
                post,
                sub.example,
                below(sub.by or Role.VIEWER, engine_name),
                lambda user, team, name=name, typed=typed: post.command(user, name, typed, team),  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            )
    assert asked > 2 * sum(len(command.subs) for command in COMMANDS.values())


@pytest.mark.rules(118, 119)
def test_every_form_is_refused_to_whoever_has_not_its_right(post: Post, engine_name: str) -> None:
    for name, flow in FLOWS.by_id.items():
        refuse(
            post,
            name,
            below(flow.operation.by, engine_name),
            lambda user, team, flow=flow: post.submit(user, flow, team=team),  # type: ignore[misc]  # as above
        )


@pytest.mark.rules(118, 119)
def test_every_button_is_refused_to_whoever_has_not_its_right(post: Post, engine_name: str) -> None:
    drawn = post.drawn()
    for name, press in PRESSES.items():
        value: dict[str, Any] = next(iter(drawn.get(name, ())), {"value": "1"})
        by = below(press.by, engine_name)
        refuse(
            post,
            name,
            by if press.run.__name__ != "chosen" or name.endswith("_0") else (by[0], by[-1]),
            lambda user, team, name=name, value=value: post.press(user, name, value, team),  # type: ignore[misc]  # as above
        )


@pytest.mark.rules(118, 119)
def test_every_shortcut_search_and_page_is_closed_to_whoever_has_not_its_right(post: Post, engine_name: str) -> None:
    for shortcut in SHORTCUTS.values():
        refuse(
            post,
            shortcut.callback_id,
            below(shortcut.by, engine_name),
            lambda user, team, made=shortcut: post.shortcut(user, made.callback_id, made.on, team),  # type: ignore[misc]  # as above
        )
    with untouched(post, "searches"):
        for name in SUGGESTIONS:
            for user, team in below(Role.VIEWER, engine_name):
                said = post.suggest(user, name, "Zanzibar", team)
                assert '\\"options\\": []' in said, (name, user, said)
    view = {"type": "modal", "title": {"type": "plain_text", "text": "Read"}, "blocks": []}
    for name in READERS:
        refuse(
            post,
            name,
            below(Role.VIEWER, engine_name),
            lambda user, team, name=name: post.send(  # type: ignore[misc]  # as above
                "interactive", post.submission(user, {**view, "callback_id": name}), team
            ),
        )


@pytest.mark.rules(117, 118, 119)
def test_words_in_a_thread_and_the_home_tab_tell_and_do_nothing_for_whoever_has_no_right(
    post: Post, engine_name: str
) -> None:
    request = post.roots("C0APPROVALS")[0]
    for words in ("approve", "reject because I say so"):
        refuse(
            post,
            words,
            below(Role.MANAGER, engine_name),
            lambda user, team, words=words: post.reply(user, words, team or team_of(user), request),  # type: ignore[misc]  # as above
        )
    with untouched(post, "home"):
        for user, team in below(Role.VIEWER, engine_name):
            event = {"type": "app_home_opened", "user": user, "tab": "home", "channel": "D1"}
            body = {**post.payloads.event(event), "team_id": team or team_of(user)}
            said = post.send("events_api", body)
            assert not [each for each in CONFIDENTIAL if each in said], (user, said)


def team_of(user: str) -> str:
    return OTHER_TEAM if user == STRANGER else TEAM


def test_whoever_has_the_right_is_let_in(post: Post) -> None:
    """Else all of the above could hold because nothing works."""
    for command in COMMANDS.values():
        said = post.command(OWNER, command.name, "help")
        assert not any(each in said for each in REFUSED), command.name
    for name, flow in FLOWS.by_id.items():
        said = post.submit(OWNER, flow)
        assert not any(each in said for each in REFUSED), name
    assert NAME in post.command(VIEWER, "customer", "Acme")
    assert AMOUNTS[0] in post.command(CLERK, "payment", "show PAY-0001")
    assert "U0VIEWER" in post.command(ADMIN, "duedesk", "roles")


def test_nothing_is_registered_that_is_not_walked_here() -> None:
    """A new kind of way in needs a test of its own."""
    assert set(register.LISTENERS) == {"user_change", "app_home_opened", "message"}
