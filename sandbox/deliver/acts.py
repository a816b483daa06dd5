"""What people do in the workspace: type commands, press, choose and search; and what they see after the answer."""

from collections.abc import Sequence
from typing import Any

from sandbox.deliver.answers import Answers
from sandbox.deliver.choices import taken
from sandbox.deliver.forms import Forms
from sandbox.deliver.payloads import Payloads
from sandbox.deliver.send import Sender, loaded
from sandbox.deliver.traffic import log_fault
from sandbox.deliver.typed import in_command
from sandbox.state import Delivery, Message, OpenView, Person, Problem, Workspace
from sandbox.state.elements import EMPTY, every_element, options_of
from sandbox.validate import check_ack

SHORTEST_QUERY = 3
PRESSED = frozenset({"button", "workflow_button", "overflow", "icon_button", "feedback_buttons"})


class Acts:
    """One workspace's people, acting through the app's deliveries."""

    def __init__(self, workspace: Workspace, sender: Sender, payloads: Payloads) -> None:
        self.workspace = workspace
        self.forms = Forms(workspace, sender, payloads)
        self.answers = Answers(workspace)
        self.payloads = payloads
        self._sender = sender
        self._found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}

    def actor(self, user: str) -> Person:
        """Somebody who can sign in."""
        person = self.workspace.person(user)
        if person.deleted:
            raise Problem("account_inactive")
        return person

    def command(self, user: str, channel_name: str, line: str, *, thread_ts: str | None = None) -> Delivery:
        """Type a slash command; its answer is for the person alone unless it says otherwise."""
        workspace = self.workspace
        with workspace.lock:
            channel = workspace.seen_by(self.actor(user).id, channel_name)
            name, _, text = line.strip().partition(" ")
            known = {each["command"]: each for each in workspace.features("slash_commands")}
            if name not in known:
                workspace.toast(user, f"{name} is not a valid command.")
                raise Problem("unknown_command")
            if thread_ts:
                workspace.toast(user, f"{name} is not supported in threads. Sorry!")
                raise Problem("not_supported_in_threads")
            if user not in channel.members:
                raise Problem("not_in_channel")
            typed = in_command(text.strip(), workspace, should_escape=bool(known[name].get("should_escape")))
            body = self.payloads.command(user, channel, name, typed)
        delivery = self._sender.send("slash_commands", body)
        self.answers.to_command(delivery, user, channel, name)
        return delivery

    def shortcut(self, user: str, callback_id: str, channel: str | None = None, ts: str | None = None) -> Delivery:
        """Run a shortcut of the manifest, a message's one on a message."""
        workspace = self.workspace
        with workspace.lock:
            self.actor(user)
            kind = "message" if channel and ts else "global"
            offered = [(each["callback_id"], each["type"]) for each in workspace.features("shortcuts")]
            if (callback_id, kind) not in offered:
                raise Problem("unknown_shortcut")
            message = self.message(user, channel or "", ts or "") if kind == "message" else None
            body = self.payloads.shortcut(user, callback_id, message)
        delivery = self._sender.send("interactive", body)
        self.answers.to_press(delivery, user)
        return delivery

    def message(self, user: str, channel: str, ts: str) -> Message:
        """A message that a person sees."""
        found = self.workspace.message(self.workspace.seen_by(self.actor(user).id, channel).id, ts)
        if found.only_for not in {None, user}:
            raise Problem("message_not_found")
        return found

    def view(self, user: str, view_id: str) -> OpenView:
        """A person's own modal or home tab."""
        opened = self.workspace.views.named(view_id)
        if opened.user != self.actor(user).id:
            raise Problem("not_found")
        return opened

    def place(
        self, user: str, *, view_id: str | None = None, channel: str | None = None, ts: str | None = None
    ) -> Message | OpenView:
        """The message or view a person acts in."""
        return self.view(user, view_id) if view_id else self.message(user, channel or "", ts or "")

    def press(
        self,
        user: str,
        where: Message | OpenView,
        block_id: str,
        action_id: str,
        value: Any = None,
        *,
        drawn: Sequence[dict[str, Any]] | None = None,
    ) -> Delivery:
        """Press or choose what is drawn there, or what was `drawn` a moment ago on a screen that lags behind."""
        with self.workspace.lock:
            block_id, element = find_element(where.drawn if drawn is None else drawn, user, block_id, action_id)
            given = self._given(user, where, block_id, element, value)
            body = self.payloads.action(user, block_id, element, given, where)
        delivery = self._sender.send("interactive", body)
        self.answers.to_press(delivery, user)
        return delivery

    def input(  # who, where and what
        self, user: str, opened: OpenView, block_id: str, action_id: str, value: Any, *, tell: bool = True
    ) -> Delivery | None:
        """Type or choose in a form; the app hears of it where the block asks for it, unless it is only typed so far."""
        with self.workspace.lock:
            block_id, element = find_element(opened.drawn, user, block_id, action_id)
            opened.errors.pop(block_id, None)
            block = next(each for each, held in every_element(opened.drawn) if held is element)
            told = block["type"] != "input" or (tell and bool(block.get("dispatch_action")))
            if not told:
                self._given(user, opened, block_id, element, value)
                self.workspace.tell("modal", user=user)
        # Nothing is sent under the lock, as the app's calls wait for it.
        return self.press(user, opened, block_id, action_id, value) if told else None

    def options(self, user: str, where: Message | OpenView, block_id: str, action_id: str, text: str) -> dict[str, Any]:
        """Ask the app for choices while a person types."""
        with self.workspace.lock:
            block_id, element = find_element(where.drawn, user, block_id, action_id)
            if not element["type"].endswith("external_select"):
                raise Problem("no_such_element")
            if len(text) < int(element.get("min_query_length", SHORTEST_QUERY)):
                return {"options": []}
            body = self.payloads.suggestion(user, block_id, action_id, text, where)
        delivery = self._sender.send("interactive", body)
        answer = loaded(delivery.answer)
        faults = [] if delivery.error else check_ack("options", answer)
        if faults:
            log_fault(self.workspace, delivery, faults[0].error)
        if delivery.error:
            self.workspace.toast(user, f"The choices could not be loaded ({delivery.error}).")
            return {"options": []}
        place = where.id if isinstance(where, OpenView) else where.ts
        self._found.setdefault((place, block_id, action_id), []).extend(options_of(answer))
        found: dict[str, Any] = answer
        return found

    def _given(
        self, user: str, where: Message | OpenView, block_id: str, element: dict[str, Any], value: Any
    ) -> dict[str, Any]:
        """What an action carries, after the state has taken it."""
        if element["type"] in PRESSED:
            return _pressed(element, value)
        place = where.id if isinstance(where, OpenView) else where.ts
        current = where.state.get(block_id, {}).get(element["action_id"], {})
        chosen = [current.get("selected_option"), *current.get("selected_options", ())]
        offered = [
            *options_of(element),
            *(each for each in chosen if each),
            *self._found.get((place, block_id, element["action_id"]), ()),
        ]
        given = taken(self.workspace, user, element, value, offered)
        where.state.setdefault(block_id, {})[element["action_id"]] = given
        return given


def _pressed(element: dict[str, Any], value: Any) -> dict[str, Any]:
    if element["type"] == "overflow":
        wanted = value.get("selected_option", {}).get("value") if isinstance(value, dict) else value
        for each in element["options"]:
            if each.get("value") == wanted:
                return {"selected_option": each}
        raise Problem("no_such_option")
    if element["type"] == "feedback_buttons":
        offered = [element[name]["value"] for name in ("positive_button", "negative_button")]
        if value not in offered:
            raise Problem("no_such_option")
        return {"value": value}
    if value not in {None, "", element.get("value")}:
        raise Problem("no_such_value")
    return {"value": element["value"]} if "value" in element else {}


def find_element(
    drawn: Sequence[dict[str, Any]], user: str, block_id: str, action_id: str
) -> tuple[str, dict[str, Any]]:
    """An element that is really drawn there, for this person."""
    for block, element in every_element(drawn):
        shown_to = element.get("visible_to_user_ids")
        mine = not shown_to or user in shown_to
        if element.get("action_id") == action_id and block_id in {"", block["block_id"]} and mine:
            if element["type"] not in PRESSED and element["type"] not in EMPTY:
                break
            return str(block["block_id"]), element
    raise Problem("no_such_element")
