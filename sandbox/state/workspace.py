"""One workspace in memory behind one lock: what is where, who may see it, and what changed."""

import itertools
import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.state.grants import Grants
from sandbox.state.records import Channel, Delivery, File, Message, Person, Problem
from sandbox.state.views import Views

KEPT = 2000
APP_ID = "A0SANDBOX"
BOT_ID = "B0SANDBOX"
BOT_USER = "U0SANDBOX"


class Workspace:
    """People, channels, messages, views, grants and traffic."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        people: Sequence[Person],
        channels: Sequence[Channel],
        *,
        team: str,
        enterprise: str | None,
        clock: Callable[[], float],
    ) -> None:
        self.manifest = manifest
        self.team = team
        self.enterprise = enterprise
        self.clock = clock
        self.app_id = APP_ID
        self.bot_id = BOT_ID
        self.bot = _bot_of(manifest, people, team)
        self.people = {each.id: replace(each, team_id=each.team_id or team) for each in (*people, self.bot)}
        self.channels = {each.id: each for each in channels}
        self.messages: dict[str, list[Message]] = defaultdict(list)
        self.files: dict[str, File] = {}
        self.toasts: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.deliveries: dict[str, Delivery] = {}
        self.traffic: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.faults: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.tips: list[dict[str, str]] = []
        self.bot_token = ""  # of the app's installation; empty while there is none
        self.is_org_install = False
        self.secrets: frozenset[str] = frozenset()
        self.address = "http://127.0.0.1"
        self.lock = threading.RLock()
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.listeners: set[Callable[[], None]] = set()
        self.grants = Grants(clock)
        self.views = Views(self.tell, clock, self.serial)
        self._serial = itertools.count(1)
        self._seq = itertools.count(1)
        self._last_micros = 0

    def serial(self, prefix: str) -> str:
        """A new id, such as `V00001F3A9C`."""
        return f"{prefix}{next(self._serial):06d}{secrets.token_hex(3).upper()}"

    def new_ts(self) -> str:
        """A message's timestamp, unique and rising."""
        with self.lock:
            self._last_micros = max(self._last_micros + 1, int(self.clock() * 1_000_000))
            return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"

    @property
    def now(self) -> str:
        """The time of an act, in the shape of a timestamp."""
        return f"{self.clock():.6f}"

    @property
    def scopes(self) -> list[str]:
        """The scopes that the manifest asks for; an optional one counts as granted."""
        asked = self.manifest.get("oauth_config", {}).get("scopes", {})
        return list(asked.get("bot", []))

    @property
    def subscribed(self) -> list[str]:
        """The events that the manifest asks for."""
        settings = self.manifest.get("settings", {})
        return list(settings.get("event_subscriptions", {}).get("bot_events", []))

    def features(self, name: str) -> list[dict[str, Any]]:
        """The slash commands or shortcuts of the manifest."""
        return list(self.manifest.get("features", {}).get(name) or [])

    def person(self, user: str) -> Person:
        if user not in self.people:
            raise Problem("user_not_found")
        return self.people[user]

    def channel(self, channel: str) -> Channel:
        if channel not in self.channels:
            raise Problem("channel_not_found")
        return self.channels[channel]

    def seen_by(self, user: str, name: str) -> Channel:
        """A channel by id or name, or the direct message with the app by its user id, as a person picks it."""
        if name == self.bot.id:
            return self.open_im(user)
        wanted = name.removeprefix("#")
        for each in self.visible(user):
            if wanted in {each.id, each.name} and not (each.is_im and wanted == each.name):
                return each
        raise Problem("channel_not_found")

    def open_im(self, user: str) -> Channel:
        """The direct message between the app and a person."""
        self.person(user)
        made = f"D{user[1:]}"
        if made not in self.channels:
            members = frozenset({user, self.bot.id})
            self.channels[made] = Channel(
                id=made, name=self.bot.real_name, members=members, is_private=True, is_im=True
            )
        return self.channels[made]

    def enter(self, user: str, channel: Channel) -> Channel:
        """Make somebody a member of a channel."""
        self.channels[channel.id] = replace(channel, members=frozenset({*channel.members, user}))
        self.tell("message", channel.id)
        return self.channels[channel.id]

    def visible(self, user: str) -> list[Channel]:
        """The conversations that a person can open; a guest and a stranger see only their own."""
        person = self.person(user)
        bound = person.is_restricted or person.is_ultra_restricted or person.is_stranger or person.team_id != self.team
        return [
            each
            for each in self.channels.values()
            if user in each.members or not (each.is_private or bound or each.is_archived)
        ]

    def tell(self, kind: str, conversation: str | None = None, user: str | None = None) -> None:
        """Say that something changed, to those who listen."""
        with self.lock:
            self.events.append({"seq": next(self._seq), "kind": kind, "conversation": conversation, "user": user})
            listening = list(self.listeners)
        for wake in listening:
            wake()

    @property
    def seq(self) -> int:
        return int(self.events[-1]["seq"]) if self.events else 0

    def add(self, message: Message) -> Message:
        self.messages[message.channel].append(message)
        self.tell("message", message.channel, message.only_for)
        return message

    def message(self, channel: str, ts: str) -> Message:
        for each in self.messages[channel]:
            if each.ts == ts:
                return each
        raise Problem("message_not_found")

    def thread(self, root: Message) -> list[Message]:
        """The replies under a message that everybody sees."""
        replies = self.messages[root.channel]
        return [each for each in replies if each.thread_ts == root.ts != each.ts and each.only_for is None]

    def toast(self, user: str, text: str) -> None:
        """What Slack itself tells a person, such as a command that failed."""
        with self.lock:
            self.toasts[user].append({"id": self.serial("X"), "text": text})
            del self.toasts[user][:-50]
        self.tell("toast", user=user)


def _bot_of(manifest: Mapping[str, Any], people: Sequence[Person], team: str) -> Person:
    """The app's own user: given among the people by its fixed id, else made from the manifest."""
    given = next((each for each in people if each.id == BOT_USER), None)
    if given is not None:
        return given
    name = str(manifest["display_information"]["name"])
    shown = manifest.get("features", {}).get("bot_user", {}).get("display_name", name)
    return Person(id=BOT_USER, name=name.lower().replace(" ", ""), real_name=str(shown), is_bot=True, team_id=team)
