"""What people do in the workspace: type, press, fill, submit; and what their Slack shows after the app's answer."""

import json
import re
from collections.abc import Mapping
from typing import Any

from sandbox.deliver import Payloads, Sender
from sandbox.state import Channel, Delivery, Message, OpenView, Problem, Workspace
from sandbox.state.workspace import elements_of
from sandbox.validate import check_ack, check_message, check_view

SLACKBOT = "USLACKBOT"
TEXT_TYPES = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input"})
REQUIRED = "Please complete this required field."


class Acts:
    """One workspace's people, acting through the app's deliveries."""

    def __init__(self, workspace: Workspace, sender: Sender, payloads: Payloads) -> None:
        self.workspace = workspace
        self._sender = sender
        self._payloads = payloads

    def command(self, user: str, channel_name: str, line: str, *, thread_ts: str | None = None) -> Delivery:
        """Type a slash command; its answer is for the person alone unless it says otherwise."""
        workspace = self.workspace
        with workspace.lock:
            channel = workspace.named(channel_name)
            name, _, text = line.strip().partition(" ")
            known = {each["command"]: each for each in workspace.manifest["features"].get("slash_commands", [])}
            if name not in known:
                raise Problem("unknown_command")
            if thread_ts:
                raise Problem("slash_command_in_thread")
            if user not in channel.members:
                raise Problem("not_in_channel")
            typed = self._typed(text.strip(), references=bool(known[name].get("should_escape")))
            body = self._payloads.command(user, channel, name, typed)
        delivery = self._sender.send("command", body, form=True)
        with workspace.lock:
            if delivery.error:
                workspace.toast(user, f'{name} failed with the error "{delivery.error}"')
            else:
                self._answered(delivery, user, channel)
        return delivery

    def say(self, user: str, channel_name: str, text: str, thread_ts: str | None = None) -> Message:
        """Post a message as a person; subscribed apps hear of it."""
        workspace = self.workspace
        with workspace.lock:
            channel = workspace.named(channel_name)
            message = workspace.add(
                Message(
                    channel=channel.id, ts=workspace.new_ts(), user=user, text=self._typed(text), thread_ts=thread_ts
                )
            )
            kind = "im" if channel.is_im else "group" if channel.is_private else "channel"
            wanted = f"message.{kind}s" if kind != "im" else "message.im"
            heard = workspace.bot.id in channel.members and wanted in self._events()
            event = {
                "type": "message",
                "channel": channel.id,
                "channel_type": kind,
                "user": user,
                "text": message.text,
                "ts": message.ts,
                "team": workspace.person(user).team_id or workspace.team,
                **({"thread_ts": thread_ts} if thread_ts else {}),
            }
        if heard:
            self._sender.send("events_api", self._payloads.event(event))
        return message

    def shortcut(self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None) -> Delivery:
        with self.workspace.lock:
            message = self.workspace.message(self.workspace.named(channel).id, ts) if channel and ts else None
            body = self._payloads.shortcut(user, callback_id, message)
        delivery = self._sender.send("interactive", body)
        if delivery.error:
            self.workspace.toast(user, "That shortcut did not work. Try again.")
        return delivery

    def open_home(self, user: str) -> None:
        event = {"type": "app_home_opened", "user": user, "tab": "home", "channel": self.workspace.open_im(user).id}
        if "app_home_opened" in self._events():
            self._sender.send("events_api", self._payloads.event(event))

    def place(
        self, user: str, *, view_id: str | None = None, channel: str | None = None, ts: str | None = None
    ) -> Message | OpenView:
        """The message or view a person acts in."""
        if view_id:
            home = self.workspace.homes.get(user)
            if home is not None and home.id == view_id:
                return home
            opened = self.workspace.view_named(view_id)
            if opened.user != user:
                raise Problem("not_found")
            return opened
        message = self.workspace.message(self.workspace.named(channel or "").id, ts or "")
        if message.only_for not in {None, user}:
            raise Problem("message_not_found")
        return message

    def press(self, user: str, where: Message | OpenView, block_id: str, action_id: str, value: Any = None) -> Delivery:
        """Press a button or choose in a message or view; only what is drawn there can be pressed."""
        with self.workspace.lock:
            block_id, element = find_element(where, block_id, action_id)
            given = self._action_value(element, value)
            self._store(where, block_id, element, given)
            body = self._payloads.action(user, block_id, element, given, where)
        delivery = self._sender.send("interactive", body)
        if delivery.error:
            self.workspace.toast(user, "That did not work. Try again.")
        return delivery

    def input(self, opened: OpenView, block_id: str, action_id: str, value: dict[str, Any]) -> Delivery | None:
        """Type or choose in a form; the app hears of it where the block asks for it."""
        with self.workspace.lock:
            block_id, element = find_element(opened, block_id, action_id)
            opened.state.setdefault(block_id, {})[action_id] = {"type": element["type"], **value}
            opened.errors.pop(block_id, None)
            block = next(each for each in opened.view["blocks"] if each.get("block_id") == block_id)
            told = bool(block.get("dispatch_action")) or block["type"] != "input"
            if not told:
                return None
            body = self._payloads.action(opened.user, block_id, element, value, opened)
        return self._sender.send("interactive", body)

    def options(self, user: str, where: Message | OpenView, block_id: str, action_id: str, text: str) -> dict[str, Any]:
        """Ask the app for choices while a person types."""
        with self.workspace.lock:
            block_id, element = find_element(where, block_id, action_id)
            if len(text) < int(element.get("min_query_length", 3)):
                return {"options": []}
            body = self._payloads.suggestion(user, block_id, action_id, text, where)
        delivery = self._sender.send("block_suggestion", body)
        answer = _json(delivery.answer)
        faults = check_ack("options", answer) if not delivery.error else []
        if delivery.error or faults:
            delivery.error = delivery.error or faults[0].message
            self.workspace.toast(user, f"The choices could not be loaded: {delivery.error}")
            return {"options": []}
        made: dict[str, Any] = answer
        return made

    def submit(self, opened: OpenView) -> Delivery | None:
        """Submit a form; what the client itself refuses is never sent."""
        with self.workspace.lock:
            opened.errors = client_errors(opened)
            if opened.errors:
                self.workspace.tell("modal", user=opened.user)
                return None
            body = self._payloads.submission(opened)
        delivery = self._sender.send("interactive", body)
        with self.workspace.lock:
            if delivery.error:
                opened.errors = {"": "We had some trouble connecting. Try again?"}
            else:
                self._submitted(opened, delivery)
            self.workspace.tell("modal", user=opened.user)
        return delivery

    def close(self, opened: OpenView) -> None:
        with self.workspace.lock:
            self.workspace.close_view(opened)
            told = bool(opened.view.get("notify_on_close"))
            body = self._payloads.closed(opened)
        if told:
            self._sender.send("interactive", body)

    def respond(self, made: str, payload: dict[str, Any]) -> None:
        """What an app posts to a response_url."""
        workspace = self.workspace
        with workspace.lock:
            user, channel = workspace.use_response(made)
            checked = {
                name: payload[name]
                for name in ("text", "blocks", "attachments", "thread_ts")
                if payload.get(name) is not None
            }
            faults = check_message(checked)
            if faults:
                raise Problem(faults[0].error, messages=[each.message for each in faults])
            only = None if payload.get("response_type") == "in_channel" else user
            self._post(channel, payload, only)

    def _submitted(self, opened: OpenView, delivery: Delivery) -> None:
        answer = _json(delivery.answer)
        if not answer:
            self.workspace.close_view(opened)
            return
        faults = check_ack("view_submission", answer, view=opened.view)
        if faults:
            delivery.error = f"{faults[0].pointer}: {faults[0].message}"
            opened.errors = {"": f"The app's answer was not understood: {delivery.error}"}
            return
        action = answer["response_action"]
        if action == "errors":
            opened.errors = dict(answer["errors"])
        elif action == "clear":
            self.workspace.close_view(opened, everything=True)
        elif action == "update":
            self.workspace.update_view(opened, _numbered(answer["view"]))
        else:
            self.workspace.open_view(opened.user, _numbered(answer["view"]), push=True)

    def _answered(self, delivery: Delivery, user: str, channel: Channel) -> None:
        answer = _json(delivery.answer)
        if not answer:
            return
        if isinstance(answer, str):
            answer = {"text": answer, "response_type": "ephemeral"}
        faults = check_ack("command", answer)
        if faults:
            delivery.error = f"{faults[0].pointer}: {faults[0].message}"
            self.workspace.toast(user, f"The app's answer was not understood: {delivery.error}")
            return
        self._post(channel.id, answer, None if answer.get("response_type") == "in_channel" else user)

    def _post(self, channel: str, payload: Mapping[str, Any], only_for: str | None) -> None:
        workspace = self.workspace
        workspace.add(
            Message(
                channel=channel,
                ts=workspace.new_ts(),
                user=workspace.bot.id,
                bot_id=workspace.bot_id,
                text=str(payload.get("text") or ""),
                blocks=_with_ids(list(payload.get("blocks") or [])),
                only_for=only_for,
            )
        )

    def _events(self) -> list[str]:
        settings = self.workspace.manifest.get("settings", {})
        return list(settings.get("event_subscriptions", {}).get("bot_events", []))

    def _typed(self, text: str, *, references: bool = False) -> str:
        """Text as Slack hands it over: escaped, with references where the manifest asks for them."""
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        if not references:
            return escaped
        names = {each.name: each.id for each in self.workspace.people.values()}
        channels = {each.name: each.id for each in self.workspace.channels.values() if not each.is_im}
        escaped = re.sub(r"@([\w.-]+)", lambda m: f"<@{names[m[1]]}|{m[1]}>" if m[1] in names else m[0], escaped)
        return re.sub(r"#([\w-]+)", lambda m: f"<#{channels[m[1]]}|{m[1]}>" if m[1] in channels else m[0], escaped)

    @staticmethod
    def _store(where: Message | OpenView, block_id: str, element: dict[str, Any], given: dict[str, Any]) -> None:
        if element["type"] not in {"button", "overflow"}:
            where.state.setdefault(block_id, {})[element["action_id"]] = {"type": element["type"], **given}

    @staticmethod
    def _action_value(element: dict[str, Any], value: Any) -> dict[str, Any]:
        if element["type"] == "button":
            return {"value": element.get("value", "")}
        if element["type"] == "overflow":
            chosen = next((each for each in element["options"] if each.get("value") == value), None)
            if chosen is None:
                raise Problem("no_such_option")
            return {"selected_option": chosen}
        return value if isinstance(value, dict) else {}


def find_element(where: Message | OpenView, block_id: str, action_id: str) -> tuple[str, dict[str, Any]]:
    """An element that is really drawn there."""
    blocks = where.view["blocks"] if isinstance(where, OpenView) else where.blocks
    for block in blocks:
        if block_id and block.get("block_id") != block_id:
            continue
        for element in elements_of(block):
            if element.get("action_id") == action_id:
                return str(block.get("block_id", "")), element
    raise Problem("no_such_element")


def client_errors(opened: OpenView) -> dict[str, str]:
    """What Slack's own client refuses before anything is sent."""
    errors: dict[str, str] = {}
    for block in opened.view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        state = opened.state.get(block["block_id"], {}).get(element["action_id"], {})
        fault = _client_error(block, element, state)
        if fault:
            errors[block["block_id"]] = fault
    return errors


def _client_error(block: dict[str, Any], element: dict[str, Any], state: dict[str, Any]) -> str:
    given = [value for name, value in state.items() if name != "type" and value not in (None, "", [])]
    if not given:
        return "" if block.get("optional") else REQUIRED
    if element["type"] not in TEXT_TYPES:
        return ""
    text = str(state["value"])
    if len(text) > int(element.get("max_length", 3000)):
        return f"Please keep it to {element.get('max_length', 3000)} characters."
    if element["type"] == "number_input" and re.fullmatch(r"-?\d+(\.\d+)?", text) is None:
        return "Please enter a number."
    return ""


def _json(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


def _with_ids(blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for index, block in enumerate(blocks):
        block.setdefault("block_id", f"b{index}")
    return blocks


def _numbered(view: dict[str, Any]) -> dict[str, Any]:
    assert not check_view(view)
    return {**view, "blocks": _with_ids(view["blocks"])}
