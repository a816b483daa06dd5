"""One workspace in memory behind one lock: what is where, who may see it, and what changed."""

import itertools
import secrets
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sandbox.state.records import Channel, Delivery, File, Message, OpenView, Person, Problem

TRIGGER_SECONDS = 3.0
RESPONSE_SECONDS = 1800.0
RESPONSE_USES = 5
MOST_VIEWS = 3
KEPT = 2000


class Workspace:
    """People, channels, messages, views, triggers and traffic."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        people: Sequence[Person],
        channels: Sequence[Channel],
        *,
        team: str = "T0SANDBOX",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.manifest = manifest
        self.team = team
        self.enterprise: str | None = None
        self.clock = clock
        self.app_id = "A0SANDBOX"
        self.bot = Person(id="U0BOT", name="duedesk", real_name=self._app_name(), is_bot=True, team_id=team)
        self.bot_id = "B0BOT"
        self.people = {each.id: each for each in (*people, self.bot)}
        self.channels = {each.id: each for each in channels}
        self.messages: dict[str, list[Message]] = defaultdict(list)
        self.views: dict[str, OpenView] = {}
        self.stacks: dict[str, list[str]] = defaultdict(list)
        self.homes: dict[str, OpenView] = {}
        self.files: dict[str, File] = {}
        self.toasts: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.deliveries: dict[str, Delivery] = {}
        self.traffic: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.faults: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.tips: list[dict[str, str]] = []
        self.address = ""
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.events: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._triggers: dict[str, tuple[str, float]] = {}
        self._responses: dict[str, tuple[str, str, float, int]] = {}
        self._serial = itertools.count(1)
        self._last_ts = 0.0

    def _app_name(self) -> str:
        return str(self.manifest["display_information"]["name"])

    def serial(self, prefix: str) -> str:
        return f"{prefix}{next(self._serial):06d}{secrets.token_hex(3).upper()}"

    def new_ts(self) -> str:
        """A message's timestamp, unique and rising."""
        self._last_ts = max(round(self._last_ts + 0.000001, 6), round(self.clock(), 6))
        return f"{self._last_ts:.6f}"

    def person(self, user: str) -> Person:
        if user not in self.people:
            raise Problem("user_not_found")
        return self.people[user]

    def channel(self, channel: str) -> Channel:
        """A channel by id, or the direct message with a person."""
        if channel in self.people:
            return self.open_im(channel)
        if channel not in self.channels:
            raise Problem("channel_not_found")
        return self.channels[channel]

    def named(self, name: str) -> Channel:
        """A channel by id or name, as a person picks it."""
        wanted = name.lstrip("#")
        found = next((each for each in self.channels.values() if wanted in {each.id, each.name}), None)
        return found or self.channel(name)

    def open_im(self, user: str) -> Channel:
        """The direct message between the bot and a person."""
        self.person(user)
        made = f"D{user[1:]}"
        if made not in self.channels:
            self.channels[made] = Channel(
                id=made, name=self.bot.real_name, members={user, self.bot.id}, is_private=True, is_im=True
            )
        return self.channels[made]

    def visible(self, user: str) -> Iterable[Channel]:
        return [each for each in self.channels.values() if user in each.members or not each.is_private]

    def tell(self, kind: str, conversation: str | None = None, user: str | None = None) -> None:
        """Say that something changed, to those who listen."""
        with self.changed:
            seq = (self.events[-1]["seq"] if self.events else 0) + 1
            self.events.append({"seq": seq, "kind": kind, "conversation": conversation, "user": user})
            self.changed.notify_all()

    def add(self, message: Message) -> Message:
        self.messages[message.channel].append(message)
        self.tell("message", message.channel)
        return message

    def message(self, channel: str, ts: str) -> Message:
        for each in self.messages[channel]:
            if each.ts == ts:
                return each
        raise Problem("message_not_found")

    def toast(self, user: str, text: str) -> None:
        """What Slack itself tells a person, such as a command that failed."""
        self.toasts[user].append({"id": self.serial("X"), "text": text})
        self.tell("toast", user=user)

    def new_trigger(self, user: str) -> str:
        made = f"{self.serial('')}.{self.team}.{secrets.token_hex(8)}"
        self._triggers[made] = (user, self.clock() + TRIGGER_SECONDS)
        return made

    def use_trigger(self, trigger: str) -> str:
        """The person behind a trigger: within three seconds, once."""
        if trigger not in self._triggers:
            raise Problem("invalid_trigger_id")
        user, until = self._triggers[trigger]
        if not user:
            raise Problem("exchanged_trigger_id")
        if self.clock() > until:
            raise Problem("expired_trigger_id")
        self._triggers[trigger] = ("", until)
        return user

    def new_response(self, user: str, channel: str) -> str:
        made = secrets.token_hex(12)
        self._responses[made] = (user, channel, self.clock() + RESPONSE_SECONDS, RESPONSE_USES)
        return made

    def use_response(self, made: str) -> tuple[str, str]:
        """The person and channel behind a response_url: five times within thirty minutes."""
        user, channel, until, left = self._responses.get(made, ("", "", 0.0, 0))
        if not user:
            raise Problem("invalid_url")
        if self.clock() > until:
            raise Problem("expired_url")
        if left <= 0:
            raise Problem("used_url")
        self._responses[made] = (user, channel, until, left - 1)
        return user, channel

    def open_view(self, user: str, view: dict[str, Any], *, push: bool) -> OpenView:
        """Put a view on a person's stack."""
        stack = self.stacks[user]
        if push and not stack:
            raise Problem("not_found")
        if push and len(stack) >= MOST_VIEWS:
            raise Problem("push_limit_reached")
        if not push:
            for gone in stack:
                self.views.pop(gone, None)
            stack.clear()
        made = self.serial("V")
        root = stack[0] if stack else made
        opened = OpenView(
            id=made, user=user, view=view, hash=self._hash(), root=root, previous=stack[-1] if stack else None
        )
        opened.state = initial_state(view)
        self.views[made] = opened
        stack.append(made)
        self.tell("modal", user=user)
        return opened

    def update_view(self, opened: OpenView, view: dict[str, Any], hash_: str | None = None) -> OpenView:
        """Replace a view; what was typed is kept where a block keeps its id and its element."""
        if hash_ is not None and hash_ != opened.hash:
            raise Problem("hash_conflict")
        fresh = initial_state(view)
        kept = {
            block: {action: opened.state[block][action] for action in actions if action in opened.state.get(block, {})}
            for block, actions in fresh.items()
        }
        opened.state = {block: {**fresh[block], **kept[block]} for block in fresh}
        opened.view = view
        opened.hash = self._hash()
        opened.errors = {}
        self.tell("modal", user=opened.user)
        return opened

    def close_view(self, opened: OpenView, *, everything: bool = False) -> None:
        stack = self.stacks[opened.user]
        gone = list(stack) if everything else [opened.id]
        for each in gone:
            self.views.pop(each, None)
            if each in stack:
                stack.remove(each)
        self.tell("modal", user=opened.user)

    def view_named(self, view_id: str | None, external_id: str | None = None) -> OpenView:
        for each in self.views.values():
            if each.id == view_id or (external_id and each.view.get("external_id") == external_id):
                return each
        raise Problem("not_found")

    def view_payload(self, opened: OpenView) -> dict[str, Any]:
        """A view as Slack hands it over, with its state."""
        return {
            "id": opened.id,
            "team_id": self.team,
            "private_metadata": "",
            "callback_id": "",
            "clear_on_close": False,
            "notify_on_close": False,
            "close": None,
            "submit": None,
            "external_id": "",
            **opened.view,
            "state": {"values": opened.state},
            "hash": opened.hash,
            "previous_view_id": opened.previous,
            "root_view_id": opened.root,
            "app_id": self.app_id,
            "bot_id": self.bot_id,
            "app_installed_team_id": self.team,
        }

    def _hash(self) -> str:
        return f"{self.clock():.3f}.{secrets.token_hex(4)}"


EMPTY: dict[str, dict[str, Any]] = {
    "plain_text_input": {"value": None},
    "number_input": {"value": None},
    "email_text_input": {"value": None},
    "url_text_input": {"value": None},
    "datepicker": {"selected_date": None},
    "timepicker": {"selected_time": None},
    "datetimepicker": {"selected_date_time": None},
    "static_select": {"selected_option": None},
    "external_select": {"selected_option": None},
    "radio_buttons": {"selected_option": None},
    "multi_static_select": {"selected_options": []},
    "multi_external_select": {"selected_options": []},
    "checkboxes": {"selected_options": []},
    "users_select": {"selected_user": None},
    "conversations_select": {"selected_conversation": None},
    "channels_select": {"selected_channel": None},
    "multi_users_select": {"selected_users": []},
    "multi_conversations_select": {"selected_conversations": []},
    "multi_channels_select": {"selected_channels": []},
    "file_input": {"files": []},
    "rich_text_input": {"rich_text_value": None},
}
INITIAL = {
    "initial_value": "value",
    "initial_date": "selected_date",
    "initial_time": "selected_time",
    "initial_date_time": "selected_date_time",
    "initial_option": "selected_option",
    "initial_options": "selected_options",
    "initial_user": "selected_user",
    "initial_conversation": "selected_conversation",
    "initial_channel": "selected_channel",
    "initial_users": "selected_users",
    "initial_conversations": "selected_conversations",
    "initial_channels": "selected_channels",
}


def elements_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The elements of a block that hold a value or can be pressed."""
    if block["type"] == "input":
        return [block["element"]]
    if block["type"] == "section" and "accessory" in block:
        return [block["accessory"]]
    return list(block.get("elements", [])) if block["type"] == "actions" else []


def initial_state(view: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The state of a view as it opens."""
    state: dict[str, dict[str, Any]] = {}
    for block in view.get("blocks", []):
        for element in elements_of(block):
            empty = EMPTY.get(element["type"])
            if empty is None or "block_id" not in block:
                continue
            value = {"type": element["type"], **empty}
            if element["type"] == "rich_text_input":
                value["rich_text_value"] = element.get("initial_value")
            else:
                value |= {target: element[source] for source, target in INITIAL.items() if source in element}
            state.setdefault(block["block_id"], {})[element["action_id"]] = value
    return state
