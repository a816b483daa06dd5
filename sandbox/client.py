"""A person of the workspace for scripts and tests: types, fills, presses and reads, in this process or over HTTP."""

import base64
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.acting import Acting
from sandbox.shown import state_of
from sandbox.state import Problem, Workspace
from sandbox.state.elements import EMPTY, every_block, every_element, options_of

UNTOLD = frozenset({"metadata", "value", "state", "user", "bot_profile", "private_metadata"})


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a command: the app's status, and what the person then saw."""

    delivery: str
    status: int
    elapsed_ms: float
    error: str | None
    text: str
    blocks: Sequence[Mapping[str, Any]]


class NotThere(AssertionError):  # noqa: N818  # it reads as what happened to the person
    """The person looked for something that is not shown, or tried what cannot be done."""


class Reader:
    """What a person sees and does, given `look` and `act`; shared by the two ways of acting."""

    user: str

    def look(self) -> dict[str, Any]:
        """Everything that this person sees."""
        raise NotImplementedError

    def act(self, act: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One act by name, as docs/sandbox.md lists them; what the person could not do raises `NotThere`."""
        raise NotImplementedError

    @property
    def modal(self) -> dict[str, Any] | None:
        """The top form, if one is open."""
        modals = self.modals
        return modals[-1] if modals else None

    @property
    def modals(self) -> list[dict[str, Any]]:
        """The stack of forms, the top one last."""
        return list(self.look()["modals"])

    @property
    def home(self) -> dict[str, Any] | None:
        """The app's home tab, if it was drawn."""
        found: dict[str, Any] | None = self.look()["home"]
        return found

    @property
    def toasts(self) -> list[str]:
        """What Slack itself told this person."""
        return [each["text"] for each in self.look()["toasts"]]

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """What stands in a channel by name or id, ephemerals for this person included; `app` is the app's own."""
        seen = self.look()["conversations"]
        wanted = channel.removeprefix("#")
        for each in seen:
            by_name = wanted == each["name"] and each["kind"] == "channel"
            if by_name or wanted == each["id"] or (wanted == "app" and each["kind"] == "im"):
                return list(each["messages"])
        if wanted == "app":
            return []
        raise NotThere(f"no conversation {channel}; there are {[each['name'] for each in seen]}")

    def ephemerals(self, channel: str | None = None) -> list[dict[str, Any]]:
        """The messages that only this person sees, of one channel or of all."""
        if channel is not None:
            return [each for each in self.messages(channel) if each["ephemeral"]]
        seen = [each for conversation in self.look()["conversations"] for each in conversation["messages"]]
        return sorted((each for each in seen if each["ephemeral"]), key=lambda each: str(each["ts"]))

    def wait_for(self, channel: str, text: str, seconds: float = 10.0) -> dict[str, Any]:
        """The newest message that shows a text, waiting for it to arrive."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            found: list[dict[str, Any]] = [each for each in self.messages(channel) if text in shown(each)]
            if found:
                return found[-1]
            time.sleep(0.02)
        last = [shown(each)[:200] for each in self.messages(channel)][-3:]
        raise NotThere(f"{text!r} did not appear in {channel}: {last}")

    def command(self, channel: str, text: str, thread_ts: str | None = None) -> Reply:
        """Type a slash command in a channel."""
        before = {each["ts"] for each in self.messages(channel)}
        try:
            done = self.act("command", {"channel": channel, "text": text, "thread_ts": thread_ts})
        except NotThere as refused:
            return Reply("", 0, 0.0, str(refused), self.toasts[-1] if self.toasts else "", [])
        fresh = [each for each in self.messages(channel) if each["ts"] not in before and each.get("bot_id")]
        own = [each for each in fresh if each["ephemeral"]]  # a card may come in between
        said: Mapping[str, Any] = (own or fresh or [{}])[-1]
        failed = self.toasts[-1] if done.get("error") else ""
        return Reply(
            str(done["delivery"]),
            int(done["status"]),
            float(done["elapsed_ms"]),
            done.get("error"),
            shown(said) or failed,
            said.get("blocks", []),
        )

    def say(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        """Post a message; returns its timestamp."""
        return str(self.act("message", {"channel": channel, "text": text, "thread_ts": thread_ts})["ts"])

    def edit(self, channel: str, ts: str, text: str) -> None:
        """Change one's own message."""
        self.act("edit", {"channel": channel, "ts": ts, "text": text})

    def shortcut(self, callback_id: str, on: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Run a shortcut, a message's one on a message."""
        place = {"channel": on["channel"], "message_ts": on["ts"]} if on is not None else {}
        return self.act("shortcut", {"callback_id": callback_id, **place})

    def open_home(self) -> dict[str, Any] | None:
        """Open the app's home tab; returns what is drawn there."""
        self.act("home", {})
        return self.home

    def upload(self, name: str, content: bytes) -> str:
        """Choose a file of one's own; returns the id that a file field takes."""
        encoded = base64.b64encode(content).decode()
        return str(self.act("upload", {"name": name, "content_base64": encoded})["file"]["id"])

    def fill(self, values: Mapping[str, Any], view_id: str | None = None) -> None:
        """Fill fields of the top form by label, block id or action id; a field that is not there is a mistake."""
        for name, value in values.items():
            view = self._form(view_id)
            block_id, element = _field(view, name)
            where = {"view_id": view["id"], "block_id": block_id, "action_id": element["action_id"]}
            self.act("input", {**where, "value": self._value(element, value, where)})

    def submit(self, view_id: str | None = None) -> dict[str, Any]:
        """Submit the top form; `ok` says whether it was taken, `errors` what stands under which block."""
        return self.act("submit", {"view_id": self._form(view_id)["id"]})

    def close(self, view_id: str | None = None) -> None:
        """Close the top form."""
        self.act("close", {"view_id": self._form(view_id)["id"]})

    def options(self, name: str, query: str, where: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """What the app offers when something is typed into a search field, by label, block id or action id."""
        place = where if where is not None else self._form(None)
        block_id, element = _field(place, name)
        body = {**_address(place), "block_id": block_id, "action_id": element["action_id"], "query": query}
        return options_of(self.act("options", body))

    def press(self, where: Mapping[str, Any], name: str, choice: Any = None, *, stale: bool = False) -> dict[str, Any]:
        """Press a button of a message, form or home tab by its label or action id, or give a menu there a `choice`.

        With `stale` what counts is what `where` shows, not what is drawn by now: the screen of somebody lags behind.
        """
        for block, element in every_element(where["blocks"]):
            label = element["text"]["text"] if element["type"] == "button" else ""
            if name not in {element.get("action_id"), label}:
                continue
            place = {**_address(where), "block_id": block["block_id"], "action_id": element["action_id"]}
            value = self._pressed(element, choice, place)
            return self.act("action", {**place, "value": value, **({"drawn": where["blocks"]} if stale else {})})
        raise NotThere(f"no button {name}; there are {buttons(where)}")

    def _pressed(self, element: Mapping[str, Any], choice: Any, place: Mapping[str, Any]) -> Any:
        if element["type"] == "overflow":
            return _pick(element["options"], str(choice))["value"]
        return self._value(element, choice, place) if element["type"] in EMPTY else element.get("value")

    def _value(self, element: Mapping[str, Any], value: Any, where: Mapping[str, Any]) -> dict[str, Any]:
        """A plain value in the shape that a view's state has it in."""
        (key,) = EMPTY[element["type"]]
        if key == "selected_option":
            return {key: None if value is None else self._option(element, str(value), where)}
        if key == "selected_options":
            return {key: [self._option(element, str(each), where) for each in value or ()]}
        if key == "files":
            return {key: [{"id": each} for each in value or ()]}
        if key == "rich_text_value":
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(value)}]}
            return {key: None if value is None else {"type": "rich_text", "elements": [section]}}
        if key == "selected_date_time" or value is None or isinstance(value, list | tuple):
            return {key: list(value) if isinstance(value, list | tuple) else value}
        return {key: str(value)}

    def _option(self, element: Mapping[str, Any], wanted: str, where: Mapping[str, Any]) -> dict[str, Any]:
        if element["type"].endswith("external_select"):
            return _pick(options_of(self.act("options", {**where, "query": wanted})), wanted)
        return _pick(options_of(element), wanted)

    def _form(self, view_id: str | None) -> dict[str, Any]:
        open_now = self.modals
        if view_id is None and open_now:
            return open_now[-1]
        for each in (*open_now, self.home):
            if each is not None and view_id is not None and each["id"] == view_id:
                return each
        raise NotThere(f"no form is open; toasts: {self.toasts[-3:]}")


class Actor(Reader):
    """A person in the same process as the workspace."""

    def __init__(self, workspace: Workspace, acting: Acting, user: str) -> None:
        self._workspace = workspace
        self._acting = acting
        self.user = user

    def look(self) -> dict[str, Any]:
        return state_of(self._workspace, self.user)

    def act(self, act: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._acting.do(self.user, act, body)
        except Problem as problem:
            raise NotThere(problem.error) from problem


class RemoteActor(Reader):
    """The same person over HTTP, with nothing but the standard library."""

    def __init__(self, address: str, user: str) -> None:
        self._address = address
        self.user = user
        # A proxy from the environment must never see the loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def look(self) -> dict[str, Any]:
        return self._call(f"state?user={urllib.parse.quote(self.user)}")

    def act(self, act: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call(act, {"user": self.user, **body})

    def traffic(self) -> list[dict[str, Any]]:
        """Everything that crossed between workspace and app."""
        return list(self._call("traffic")["entries"])

    def _call(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(  # noqa: S310  # loopback only
            f"{self._address}/client/{path}", data=data, headers={"Content-Type": "application/json"}
        )
        try:
            with self._opener.open(request, timeout=30) as answer:
                done: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            raise NotThere(str(json.load(refused).get("error"))) from refused
        return done


def buttons(where: Mapping[str, Any]) -> list[str]:
    """The labels of all buttons of a message, form or home tab."""
    return [each["text"]["text"] for _, each in every_element(where["blocks"]) if each["type"] == "button"]


def fields(view: Mapping[str, Any]) -> list[str]:
    """The labels of all fields of a form."""
    return [block["label"]["text"] for block in every_block(view["blocks"]) if block["type"] == "input"]


def _field(view: Mapping[str, Any], name: str) -> tuple[str, dict[str, Any]]:
    for block, element in every_element(view["blocks"]):
        label = block["label"]["text"] if block["type"] == "input" else ""
        if element["type"] in EMPTY and name in {label, block["block_id"], element["action_id"]}:
            return str(block["block_id"]), element
    raise NotThere(f"no field {name}; there are {fields(view)}")


def _address(where: Mapping[str, Any]) -> dict[str, Any]:
    """How a message or view is named in an act."""
    return {"view_id": where["id"]} if "callback_id" in where else {"channel": where["channel"], "ts": where["ts"]}


def _pick(offered: Sequence[dict[str, Any]], wanted: str) -> dict[str, Any]:
    """The option that a person means: by value, else by its whole text, else by part of it."""
    for fits in (
        lambda each: each.get("value") == wanted or each["text"]["text"] == wanted,
        lambda each: wanted.casefold() in each["text"]["text"].casefold(),
    ):
        for each in offered:
            if fits(each):
                return dict(each)
    raise NotThere(f"no choice {wanted}; there are {[each['text']['text'] for each in offered]}")


def shown(message: Mapping[str, Any]) -> str:
    """All text that a message or view shows, blocks included."""
    text = message.get("text", "")
    parts = [text] if isinstance(text, str) else []
    parts += [part for name in ("title", "blocks", "attachments") for part in _texts(message.get(name, []))]
    parts += [str(each) for each in message.get("errors", {}).values()]
    return "\n".join(part for part in parts if part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if value.get("type") in {"rich_text_section", "rich_text_preformatted", "rich_text_quote"}:
            yield "".join(_texts(value["elements"]))
            return
        text = value.get("text")
        if isinstance(text, str):
            yield text
        elif "user_id" in value:
            yield f"@{value['user_id']}"
        elif "fallback" in value:
            yield str(value["fallback"])
        for name, each in value.items():
            if name not in UNTOLD and isinstance(each, Mapping | list):
                yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
