"""A workspace with the bot in it: people type, fill and press; everything the bot sends is linted on the way."""

import atexit
import contextlib
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import uvicorn
import yaml
from pydantic import SecretStr
from slack_bolt import BoltRequest
from sqlalchemy import text

from bot.app import Duedesk, build, name_owner
from bot.config import Config
from bot.documents.pool import Renderer
from bot.domain.operation import Role
from bot.domain.people import Grant, Profile, grant
from bot.domain.settings import ChangeSetting, change_setting
from sandbox.client import Actor, shown
from sandbox.server import Sandbox, server_config
from sandbox.state import Channel, Person
from tests.world import ADMIN, CLERK, MANAGER, OWNER, START, STRANGER, TEAM, VIEWER, World

BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-test", "xapp-test", "test-signing-secret"
GUEST, ROBOT, GONE, NOBODY = "U0GUEST", "U0ROBOT", "U0GONE", "U0NOBODY"
PATIENCE = 30.0
FINANCE, DIGEST = "C0FINANCE", "C0DIGEST"
MANIFEST = yaml.safe_load((Path(__file__).parent.parent / "manifest.yml").read_text(encoding="utf-8"))
ROLES = {ADMIN: Role.ADMINISTRATOR, MANAGER: Role.MANAGER, CLERK: Role.CLERK, VIEWER: Role.VIEWER}


class KeptRenderer(Renderer):
    """The process that makes files outlives each app, since beginning one takes seconds."""

    def close(self) -> None:
        """It ends with the run of the tests."""


RENDERER = KeptRenderer()
atexit.register(RENDERER._end)


class Doors:
    """One server for the workspaces of all tests, one after the other: to start and end each its own takes longer."""

    def __init__(self) -> None:
        self._workspace: Sandbox | None = None
        self._address = ""

    @contextlib.contextmanager
    def open_to(self, sandbox: Sandbox) -> Iterator[str]:
        """Serve a workspace; within another, it gets a server of its own."""
        if self._workspace is not None:
            with sandbox.running() as address:
                yield address
            return
        self._address = self._address or self._start()
        sandbox.workspace.address = self._address
        self._workspace = sandbox
        try:
            yield self._address
        finally:
            self._workspace = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._workspace is not None:
            await self._workspace.app(scope, receive, send)

    def _start(self) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(server_config(self))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.002)

        def end() -> None:
            server.should_exit = True
            thread.join(timeout=10)
            listening.close()

        atexit.register(end)
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


DOORS = Doors()


def people() -> list[Person]:
    """Everybody who may turn up, entitled or not."""
    members = [
        Person(id=user, name=user[2:].lower(), real_name=user[2:].title(), team_id=TEAM)
        for user in (OWNER, ADMIN, MANAGER, CLERK, VIEWER, NOBODY)
    ]
    return [
        *members,
        Person(id=GUEST, name="guest", real_name="Guest", team_id=TEAM, is_restricted=True),
        Person(id=ROBOT, name="robot", real_name="Robot", team_id=TEAM, is_bot=True),
        Person(id=GONE, name="gone", real_name="Gone", team_id=TEAM, deleted=True),
        Person(id=STRANGER, name="stranger", real_name="Stranger", team_id="T0OTHER", is_stranger=True),
    ]


def channels(bot: str) -> list[Channel]:
    everyone = {each.id for each in people()}
    return [
        Channel(id=FINANCE, name="finance", members={*everyone, bot}, is_private=True),
        Channel(id=DIGEST, name="digest", members={*everyone, bot}, is_private=True),
        Channel(id="C0APPROVALS", name="approvals", members={*everyone, bot}, is_private=True),
        Channel(id="C0PUBLIC", name="public", members={*everyone, bot}),
        Channel(id="C0SHARED", name="shared", members={*everyone, bot}, is_private=True, is_ext_shared=True),
        Channel(id="C0AWAY", name="away", members=everyone, is_private=True),
    ]


@dataclass
class Slack:
    """The workspace, the bot and the book behind it, with the test's clock."""

    sandbox: Sandbox
    duedesk: Duedesk
    world: World
    address: str

    def person(self, user: str) -> Actor:
        return self.sandbox.person(user)

    @property
    def clerk(self) -> Actor:
        return self.person(CLERK)

    @property
    def owner(self) -> Actor:
        return self.person(OWNER)

    def deliver(self) -> None:
        """Send what waits in the outbox, as the delivery workers do."""
        workers = (self.duedesk.delivery.worker, self.duedesk.files.worker)
        for _ in range(50):
            if not sum(worker.run_once() for worker in workers):
                return
        raise AssertionError("the outbox does not get empty")

    def type(self, line: str, by: str = CLERK, channel: str = "finance") -> str:
        """Type a command; what the person then sees, or the form that opened."""
        actor = self.person(by)
        reply = actor.command(channel, line)
        assert reply.error is None, reply.error
        return reply.text or (shown(actor.modal) if actor.modal is not None else "")

    def fill(self, values: dict[str, Any], by: str = CLERK) -> dict[str, Any]:
        """Fill the open form and confirm it: what was not previewed while typing is previewed first."""
        actor = self.person(by)
        actor.fill(values)
        answer = actor.submit()
        view = actor.modal
        if answer.get("errors") or not answer["ok"] or view is None or view["callback_id"] == "told":
            return answer
        return actor.submit()

    def cards(self) -> list[dict[str, Any]]:
        """The cards in the finance channel, without what only one person sees."""
        self.deliver()
        return [each for each in self.clerk.messages("finance") if not each["ephemeral"] and not _is_reply(each)]

    def card(self, title: str) -> dict[str, Any]:
        """The newest card whose title shows a text."""
        return next(each for each in reversed(self.cards()) if title in each["text"])

    def thread(self, card: dict[str, Any]) -> list[str]:
        return [
            shown(each)
            for each in self.clerk.messages("finance")
            if _is_reply(each) and each["thread_ts"] == card["ts"]
        ]

    def count(self, table: str) -> int:
        """How many rows a table has."""
        found = self.world.store.database.read(
            lambda connection: connection.execute(text(f"SELECT COUNT(*) FROM {table}")).scalar(), None
        )
        return int(found or 0)


def _is_reply(message: dict[str, Any]) -> bool:
    return message.get("thread_ts") not in {None, message["ts"]}


def workspace(manifest: Mapping[str, Any] = MANIFEST) -> Sandbox:
    """The people and channels, in a workspace that waits longer than Slack: a slow machine is no failure of ours."""
    return Sandbox(
        manifest,
        people(),
        channels("U0SANDBOX"),
        signing_secret=SECRET,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        team=TEAM,
        patience=PATIENCE,
    )


@contextlib.contextmanager
def running(book_url: str, *, grants: bool = True) -> Iterator[Slack]:
    """The workspace on loopback, the bot in this process, requests signed and dispatched by Bolt."""
    sandbox = workspace()
    with DOORS.open_to(sandbox) as address, patch("bot.handlers.request.REQUEST_SECONDS", PATIENCE - 1):
        config = Config(
            slack_bot_token=SecretStr(BOT_TOKEN),
            slack_app_token=SecretStr(APP_TOKEN),
            slack_signing_secret=SecretStr(SECRET),
            slack_api_url=f"{address}/api/",
            database_url=book_url,
        )
        moment: list[World] = []

        def clock() -> datetime:
            return moment[0].now if moment else START

        duedesk = build(config, clock=clock, renderer=RENDERER)
        sandbox.deliver_to(lambda _path, headers, body: _dispatch(duedesk, headers, body))
        world = World.__new__(World)
        world.store, world.now, world.desk = duedesk.desk.store, START, duedesk.desk
        moment.append(world)
        if grants:
            _grant_all(duedesk, world)
        try:
            yield Slack(sandbox, duedesk, world, address)
        finally:
            duedesk.close()


def staffed(book_url: str) -> None:
    """Give a book the people of the workspace, and the channel where its cards go."""
    with running(book_url):
        pass


def _dispatch(duedesk: Duedesk, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
    response = duedesk.bolt.dispatch(BoltRequest(body=body.decode(), headers=dict(headers)))
    return response.status, {}, response.body or ""


def _grant_all(duedesk: Duedesk, world: World) -> None:
    assert name_owner(duedesk.desk, duedesk.client, OWNER) is not None
    for user, role in ROLES.items():
        world.do(grant, Grant(profile=Profile(team=TEAM, user=user, name=user), role=role), by=OWNER)
    for name, value in (("finance_channel", FINANCE), ("attach_papers", "off")):  # a paper takes half a second to draw
        world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)
