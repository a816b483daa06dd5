"""A person of the workspace for scripts and tests: types, fills, presses and reads, in this process or over HTTP."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.deliver.acts import Acts
from sandbox.shown import state_of
from sandbox.state import Delivery, OpenView, Problem
from sandbox.state.workspace import elements_of

SELECTED = {
    "datepicker": "selected_date",
    "timepicker": "selected_time",
    "datetimepicker": "selected_date_time",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of an act: the app's status, and what the person then saw."""

    delivery: str
    status: int
    elapsed_ms: float
    error: str | None
    text: str
    blocks: Sequence[Mapping[str, Any]]


class NotThere(AssertionError):
    """The person looked for something that is not shown."""


class Reader:
    """What a person can see, given `look`; shared by the two ways of acting."""

    user: str

    def look(self) -> dict[str, Any]:
        raise NotImplementedError

    def act(self, act: str, body: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def modal(self) -> dict[str, Any] | None:
        """The top form, if one is open."""
        modals = self.look()["modals"]
        return modals[-1] if modals else None

    def messages(self, channel: str) -> list[dict[str, Any]]:
        """What stands in a channel, ephemerals for this person included."""
        for each in self.look()["conversations"]:
            if channel.lstrip("#") in {each["id"], each["name"]}:
                return list(each["messages"])
        raise NotThere(f"no conversation {channel}")

    @property
    def toasts(self) -> list[str]:
        return [each["text"] for each in self.look()["toasts"]]

    def ephemerals(self, channel: str) -> list[dict[str, Any]]:
        return [each for each in self.messages(channel) if each["ephemeral"]]

    def wait_for(self, channel: str, text: str, seconds: float = 10.0) -> dict[str, Any]:
        """The newest message that shows a text, waiting for it to arrive."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for each in reversed(self.messages(channel)):
                if text in shown(each):
                    return each
            time.sleep(0.02)
        raise NotThere(
            f"{text!r} did not appear in {channel}: {[shown(each)[:200] for each in self.messages(channel)][-3:]}"
        )

    def command(self, channel: str, text: str) -> Reply:
        """Type a slash command in a channel."""
        before = len(self.messages(channel))
        done = self.act("command", {"channel": channel, "text": text})
        fresh = [each for each in self.messages(channel)[before:] if each.get("bot_id")]
        said = fresh[-1] if fresh else {}
        return Reply(
            done.get("delivery", ""),
            int(done.get("status", 0)),
            float(done.get("elapsed_ms", 0)),
            done.get("error"),
            shown(said),
            said.get("blocks", []),
        )

    def say(self, channel: str, text: str, thread_ts: str | None = None) -> str:
        return str(self.act("message", {"channel": channel, "text": text, "thread_ts": thread_ts})["ts"])

    def fill(self, values: Mapping[str, Any]) -> None:
        """Fill fields of the top form by label or block id; a field that is not there is a mistake."""
        for name, value in values.items():
            self._fill(name, value)

    def _fill(self, name: str, value: Any) -> None:
        view = self._form()
        block = next(
            (
                each
                for each in view["blocks"]
                if each["type"] == "input" and name in {each["block_id"], each["label"]["text"]}
            ),
            None,
        )
        if block is None:
            raise NotThere(
                f"no field {name}; there are {[each['label']['text'] for each in view['blocks'] if each['type'] == 'input']}"
            )
        element = block["element"]
        body = {"view_id": view["id"], "block_id": block["block_id"], "action_id": element["action_id"]}
        self.act("input", {**body, "value": self._value(element, value, body)})

    def _value(self, element: Mapping[str, Any], value: Any, where: dict[str, Any]) -> dict[str, Any]:
        kind = element["type"]
        if kind in SELECTED:
            return {SELECTED[kind]: value}
        if kind in {"static_select", "radio_buttons", "external_select"}:
            return {"selected_option": None if value is None else self._option(element, str(value), where)}
        if kind in {"multi_static_select", "multi_external_select", "checkboxes"}:
            return {"selected_options": [self._option(element, str(each), where) for each in value]}
        if kind == "file_input":
            return {"files": [{"id": each} for each in value]}
        if kind == "rich_text_input":
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": str(value)}]}
            return {"rich_text_value": {"type": "rich_text", "elements": [section]}}
        return {"value": None if value is None else str(value)}

    def _option(self, element: Mapping[str, Any], wanted: str, where: dict[str, Any]) -> dict[str, Any]:
        offered = element.get("options")
        if offered is None:
            answer = self.act("options", {**where, "query": wanted})
            offered = answer.get("options") or [
                each for group in answer.get("option_groups", []) for each in group["options"]
            ]
        for each in offered:
            if each["value"] == wanted or each["text"]["text"] == wanted:
                return dict(each)
        for each in offered:
            if wanted.lower() in each["text"]["text"].lower():
                return dict(each)
        raise NotThere(f"no choice {wanted}; there are {[each['text']['text'] for each in offered]}")

    def submit(self) -> dict[str, Any]:
        """Submit the top form; `errors` holds what stands under which field."""
        return self.act("submit", {"view_id": self._form()["id"]})

    def close(self) -> None:
        self.act("close", {"view_id": self._form()["id"]})

    def press(self, where: Mapping[str, Any], name: str, choice: str | None = None) -> dict[str, Any]:
        """Press a button of a message or form by its label or action id; `choice` picks in an overflow menu by label."""
        for block in where["blocks"]:
            for element in elements_of(block):
                label = element.get("text", {}).get("text", "") if element["type"] == "button" else ""
                if name not in {element.get("action_id"), label}:
                    continue
                value = None
                if choice is not None:
                    value = next(each["value"] for each in element["options"] if each["text"]["text"] == choice)
                place = {"view_id": where["id"]} if "callback_id" in where else self._place(where)
                body = {**place, "block_id": block["block_id"], "action_id": element["action_id"], "value": value}
                return self.act("action", body)
        raise NotThere(f"no button {name}")

    def _place(self, message: Mapping[str, Any]) -> dict[str, Any]:
        for each in self.look()["conversations"]:
            if any(said["ts"] == message["ts"] for said in each["messages"]):
                return {"channel": each["id"], "ts": message["ts"]}
        raise NotThere("the message is gone")

    def _form(self) -> dict[str, Any]:
        view = self.modal
        if view is None:
            raise NotThere("no form is open")
        return view


class Actor(Reader):
    """A person in the same process as the workspace."""

    def __init__(self, acts: Acts, user: str) -> None:
        self._acts = acts
        self.user = user

    def look(self) -> dict[str, Any]:
        return state_of(self._acts.workspace, self.user)

    def act(self, act: str, body: dict[str, Any]) -> dict[str, Any]:  # a table of what a person can do
        acts, user = self._acts, self.user
        match act:
            case "command":
                return _told(acts.command(user, body["channel"], body["text"], thread_ts=body.get("thread_ts")))
            case "message":
                return {"ok": True, "ts": acts.say(user, body["channel"], body["text"], body.get("thread_ts")).ts}
            case "shortcut":
                return _told(acts.shortcut(user, body["callback_id"], body.get("channel"), body.get("message_ts")))
            case "action":
                where = acts.place(user, view_id=body.get("view_id"), channel=body.get("channel"), ts=body.get("ts"))
                return _told(acts.press(user, where, body.get("block_id", ""), body["action_id"], body.get("value")))
            case "input":
                acts.input(self._own(body), body["block_id"], body["action_id"], body["value"])
                return {"ok": True}
            case "options":
                where = acts.place(user, view_id=body.get("view_id"), channel=body.get("channel"), ts=body.get("ts"))
                return {"ok": True, **acts.options(user, where, body["block_id"], body["action_id"], body["query"])}
            case "submit":
                opened = self._own(body)
                delivery = acts.submit(opened)
                told = _told(delivery) if delivery is not None else {"ok": False}
                return {**told, "errors": dict(opened.errors)}
            case "close":
                acts.close(self._own(body))
                return {"ok": True}
            case "home":
                acts.open_home(user)
                return {"ok": True}
        raise Problem("unknown_act")

    def _own(self, body: Mapping[str, Any]) -> OpenView:
        opened = self._acts.workspace.view_named(body["view_id"])
        if opened.user != self.user:
            raise Problem("not_found")
        return opened


class RemoteActor(Reader):
    """The same person over HTTP, with nothing but the standard library."""

    def __init__(self, address: str, user: str) -> None:
        self._address = address
        self.user = user

    def look(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._address}/client/state?user={self.user}", timeout=10) as answer:  # noqa: S310  # loopback only
            seen: dict[str, Any] = json.load(answer)
            return seen

    def act(self, act: str, body: dict[str, Any]) -> dict[str, Any]:
        data = json.dumps({"user": self.user, **body}).encode()
        request = urllib.request.Request(f"{self._address}/client/{act}", data=data, method="POST")  # noqa: S310  # loopback only
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback only
                done: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as fault:
            raise NotThere(fault.read().decode()) from fault
        return done


def _told(delivery: Delivery) -> dict[str, Any]:
    return {
        "ok": delivery.error is None,
        "delivery": delivery.id,
        "status": delivery.status,
        "elapsed_ms": delivery.elapsed_ms,
        **({"error": delivery.error} if delivery.error else {}),
    }


def shown(message: Mapping[str, Any]) -> str:
    """All text that a message or view shows, blocks included."""
    parts = [str(message.get("text", ""))] if isinstance(message.get("text", ""), str) else []
    parts += list(_texts(message.get("blocks", [])))
    return "\n".join(part for part in parts if part)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "rich_text_section":
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
            if name not in {"metadata", "value"} and isinstance(each, dict | list):
                yield from _texts(each)
    elif isinstance(value, list):
        texts = [list(_texts(each)) for each in value]
        yield from (part for each in texts for part in each)
