"""Chromium, and the local workspace with a small app behind it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright
from slack_bolt import BoltRequest

from sandbox.server import Sandbox
from sandbox.state import BOT_USER, Channel, Person
from tests.browser.gallery import Gallery

TOKEN, APP_TOKEN, SECRET = "xoxb-page", "xapp-page", "page-secret"
PEOPLE = (
    Person(id="U0CLERK", name="clara", real_name="Clara Lim", title="Clerk", tz="Asia/Singapore"),
    Person(id="U0MANAGER", name="marcus", real_name="Marcus Webb", title="Manager", tz="Europe/London"),
    Person(id="U0VIEWER", name="vera", real_name="Vera Okafor", title="Viewer", tz="America/New_York"),
)
MANIFEST: dict[str, Any] = {
    "display_information": {"name": "Gallery"},
    "features": {
        "slash_commands": [
            {"command": "/show", "description": "Show something", "usage_hint": "card | hostile"},
            {"command": "/form", "description": "Open a form", "usage_hint": "[short]"},
            {"command": "/slow", "description": "Answer too late"},
        ],
        "app_home": {"home_tab_enabled": True},
        "shortcuts": [
            {"name": "Find a customer", "type": "global", "callback_id": "find", "description": "By name or code"},
            {
                "name": "Record payment",
                "type": "message",
                "callback_id": "from_message",
                "description": "From this message",
            },
        ],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands", "channels:history", "files:write"]}},
    "settings": {"event_subscriptions": {"bot_events": ["app_home_opened", "message.channels"]}},
}


@dataclass
class Stage:
    """The page in a browser, the workspace behind it, and the app behind that."""

    page: Page
    sandbox: Sandbox
    gallery: Gallery

    def pane(self, index: int) -> Locator:
        return self.page.get_by_test_id(f"pane-{index}")

    def type(self, index: int, line: str) -> None:
        composer = self.pane(index).get_by_test_id("composer")
        composer.fill(line)
        composer.press("Enter")

    def wait(self) -> None:
        """Until each pane has its first state: either may be the later one, and what is typed before is lost."""
        for index in (0, 1):
            self.pane(index).get_by_test_id("composer").wait_for()

    def post(self, blocks: list[dict[str, Any]], text: str = "posted by the gallery") -> str:
        """Let the app post to the finance channel; returns the timestamp."""
        return str(self.gallery.client.chat_postMessage(channel="C0FINANCE", text=text, blocks=blocks)["ts"])

    def last(self, index: int) -> Locator:
        """The newest message of a pane's conversation."""
        return self.pane(index).get_by_role("log", name="Messages").get_by_test_id("message").last


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    path = shutil.which("chromium")
    assert path, "the browser tests need Debian's chromium"
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def workspace() -> Iterator[tuple[str, Sandbox, Gallery]]:
    """A running workspace with the gallery app."""
    everyone = {BOT_USER, *(person.id for person in PEOPLE)}
    channels = (
        Channel(id="C0FINANCE", name="finance", members=set(everyone), topic="Payments and what is due"),
        Channel(id="C0APPROVE", name="approvals", members=everyone - {"U0VIEWER"}, is_private=True),
    )
    sandbox = Sandbox(MANIFEST, PEOPLE, channels, signing_secret=SECRET, bot_token=TOKEN, app_token=APP_TOKEN)
    with sandbox.running() as address:
        gallery = Gallery(f"{address}/api/", TOKEN, SECRET)

        def deliver(_path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], str]:
            answer = gallery.app.dispatch(BoltRequest(body=body.decode(), headers={**headers}))
            return answer.status, {}, answer.body

        sandbox.deliver_to(deliver)
        yield address, sandbox, gallery


@pytest.fixture
def stage(browser: Browser, workspace: tuple[str, Sandbox, Gallery]) -> Iterator[Stage]:
    """The page, open as the clerk and the manager; any error in its script fails the test."""
    address, sandbox, gallery = workspace
    context = browser.new_context(viewport={"width": 1440, "height": 860})
    page = context.new_page()
    page.set_default_timeout(20_000)
    faults: list[str] = []
    page.on("pageerror", lambda problem: faults.append(str(problem)))
    page.on("dialog", lambda dialog: faults.append(dialog.message))
    page.goto(address)
    made = Stage(page, sandbox, gallery)
    made.wait()
    yield made
    context.close()
    assert faults == []
