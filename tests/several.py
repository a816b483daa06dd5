"""Two companies whose workspaces install one running app over loopback HTTP, each with the people of `tests.slack`."""

import contextlib
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from email.message import Message
from typing import Any
from unittest.mock import patch

import uvicorn
from pydantic import SecretStr

from bot.config import Config
from bot.domain.operation import Request
from bot.domain.people import Grant, Profile, grant
from bot.domain.settings import ChangeSetting, change_setting
from bot.handlers.manifest import manifest
from bot.storage.registry.tokens import new_key
from bot.storage.store import Store
from bot.workspaces import Workspaces, build_many
from sandbox.server import Sandbox
from sandbox.several import Several
from tests.slack import APP_TOKEN, FINANCE, PATIENCE, RENDERER, ROLES, SECRET, Slack, channels, people
from tests.world import OWNER, START, World

ALPHA, BETA = "T0ALPHA", "T0BETA"
CLIENT, CLIENT_SECRET = "1.2", "test-client-secret"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is looked at, not followed."""

    def redirect_request(self, *_: Any) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), NoRedirect())


@dataclass(frozen=True)
class Shown:
    """What a browser gets."""

    status: int
    headers: Message
    text: str


def browse(address: str, *, cookie: str = "", form: dict[str, str] | None = None) -> Shown:
    """Open an address, or send a form to it."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    request = urllib.request.Request(address, data=data, headers={"Cookie": cookie} if cookie else {})
    try:
        with OPENER.open(request, timeout=PATIENCE) as answer:
            return Shown(answer.status, answer.headers, answer.read().decode())
    except urllib.error.HTTPError as answer:
        with answer:
            return Shown(answer.code, answer.headers, answer.read().decode())


class CompanyWorld(World):
    """The desk of a company's book."""

    team = ""

    def request(self, by: str = "U0CLERK", key: str | None = None, team: str = "") -> Request:
        return super().request(by, key, team or self.team)


@dataclass
class Company(Slack):
    """A workspace, and its book as the running app serves it."""

    app: Workspaces

    def deliver(self) -> None:
        """Send what waits in the outbox of this company's book."""
        for _ in range(50):
            served = self.app.books.at(self.sandbox.workspace.team)
            assert served is not None
            if not served.book.worker.run_once() + served.book.files.run_once():
                return
        raise AssertionError("the outbox does not get empty")


@dataclass
class Stage:
    """One app and the workspaces that may install it."""

    app: Workspaces
    slack: Several
    sandboxes: dict[str, Sandbox]
    address: str  # of the app

    def begin(self) -> tuple[str, str]:
        """Begin an installation: where the browser is sent, and the cookie it got."""
        shown = browse(f"{self.address}/slack/install")
        assert shown.status == 302, shown
        return shown.headers["Location"], shown.headers["Set-Cookie"].partition(";")[0]

    def allow(self, to: str, team: str, user: str = OWNER, **more: str) -> str:
        """Answer Slack's page; where the browser is sent back to."""
        shown = browse(to, form={"team": team, "user": user, "decision": "allow", **more})
        assert shown.status == 302, shown.text
        return str(shown.headers["Location"])

    def install(self, team: str, user: str = OWNER, **more: str) -> Shown:
        to, cookie = self.begin()
        return browse(self.allow(to, team, user, **more), cookie=cookie)

    def company(self, team: str) -> Company:
        """An installed workspace, its people with their rights."""
        served = self.app.books.at(team)
        assert served is not None
        world = CompanyWorld.__new__(CompanyWorld)
        world.store, world.now, world.desk, world.team = served.book.desk.store, START, served.book.desk, team
        for user, role in ROLES.items():
            world.do(grant, Grant(profile=Profile(team=team, user=user, name=user), role=role), by=OWNER)
        for name, value in (("finance_channel", FINANCE), ("attach_papers", "off")):
            world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)
        return Company(self.sandboxes[team], None, world, self.slack_address, self.app)  # type: ignore[arg-type]  # there is no single book

    @property
    def slack_address(self) -> str:
        return self.app.config.slack_api_url.removesuffix("/api/")

    def store(self, team: str) -> Store:
        return Store.open(self.app.library, team)


def _sandbox(team: str, public: str, enterprise: str | None) -> Sandbox:
    return Sandbox(
        manifest(request_url=f"{public}/slack/events", serves_many=True),
        [replace(each, team_id=team if each.team_id == "T0001" else each.team_id) for each in people()],
        channels("U0SANDBOX"),
        signing_secret=SECRET,
        bot_token="",
        app_token=APP_TOKEN,
        team=team,
        enterprise=enterprise,
        request_url=f"{public}/slack/events",
        patience=PATIENCE,
    )


@contextlib.contextmanager
def staged(book_url: str, *, teams: str = "*", enterprises: dict[str, str] | None = None) -> Iterator[Stage]:
    """The app behind its HTTP door, and two workspaces that have not installed it yet."""
    listening = socket.create_server(("127.0.0.1", 0))
    public = f"http://127.0.0.1:{listening.getsockname()[1]}"
    sandboxes = {team: _sandbox(team, public, (enterprises or {}).get(team)) for team in (ALPHA, BETA)}
    slack = Several(list(sandboxes.values()), client_id=CLIENT, client_secret=CLIENT_SECRET)
    with slack.running() as address, patch("bot.handlers.request.REQUEST_SECONDS", PATIENCE - 1):
        config = Config(
            slack_client_id=CLIENT,
            slack_client_secret=SecretStr(CLIENT_SECRET),
            slack_signing_secret=SecretStr(SECRET),
            slack_api_url=f"{address}/api/",
            database_url=book_url,
            duedesk_door="http",
            duedesk_public_url=public,
            duedesk_token_keys=SecretStr(new_key()),
            duedesk_install_teams=teams,
        )
        assert config.problems() == []
        app = build_many(config, clock=_clock, renderer=RENDERER)
        app.registry.upgrade()
        with _served(app, listening):
            yield Stage(app, slack, sandboxes, public)
        app.close()


def _clock() -> datetime:
    return START


@contextlib.contextmanager
def _served(app: Workspaces, listening: socket.socket) -> Iterator[None]:
    door = app.http_door()
    server = uvicorn.Server(uvicorn.Config(door, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.002)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        door.close()
        listening.close()
