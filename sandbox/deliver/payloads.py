"""The payloads that Slack delivers, in the shapes its reference gives for slash commands, interactions and events."""

from collections.abc import Mapping
from typing import Any

from sandbox.deliver.shapes import message_payload
from sandbox.state import Channel, Message, OpenView, Workspace

TOKEN = "verification"  # noqa: S105  # the retired verification token, still part of every payload
DOMAIN = "sandbox"


class Payloads:
    """Builds payloads for one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def command(self, user: str, channel: Channel, name: str, text: str) -> dict[str, str]:
        """The form of a slash command."""
        person = self._workspace.person(user)
        form = {
            "token": TOKEN,
            "team_id": person.team_id,
            "team_domain": DOMAIN,
            "channel_id": channel.id,
            "channel_name": _channel_name(channel),
            "user_id": user,
            "user_name": person.name,
            "command": name,
            "text": text,
            "api_app_id": self._workspace.app_id,
            "is_enterprise_install": str(self._workspace.is_org_install).lower(),
            "response_url": self._response(user, channel.id),
            "trigger_id": self._workspace.grants.new_trigger(user),
        }
        enterprise = person.enterprise_id or self._workspace.enterprise
        if enterprise:
            form |= {"enterprise_id": enterprise, "enterprise_name": DOMAIN}
        return form

    def action(
        self, user: str, block_id: str, element: Mapping[str, Any], value: Mapping[str, Any], where: Message | OpenView
    ) -> dict[str, Any]:
        """A `block_actions` payload for one pressed or changed element."""
        action = {
            **{name: element[name] for name in ("text", "style", "placeholder") if name in element},
            **value,
            "type": element["type"],
            "block_id": block_id,
            "action_id": element["action_id"],
            "action_ts": self._workspace.now,
        }
        view = where.id if isinstance(where, OpenView) else None
        body = {
            "type": "block_actions",
            **self._common(user),
            **self._place(where),
            "trigger_id": self._workspace.grants.new_trigger(user, view),
            "actions": [action],
        }
        if isinstance(where, Message):
            body["response_url"] = self._response(user, where.channel, where.ts)
            body["state"] = {"values": where.state}
        return body

    def suggestion(
        self, user: str, block_id: str, action_id: str, text: str, where: Message | OpenView
    ) -> dict[str, Any]:
        """A `block_suggestion` payload: what was typed into an external select."""
        typed = {"action_id": action_id, "block_id": block_id, "value": text}
        return {"type": "block_suggestion", **self._common(user), **self._place(where), **typed}

    def submission(self, opened: OpenView) -> dict[str, Any]:
        """A `view_submission` payload."""
        trigger = self._workspace.grants.new_trigger(opened.user, opened.id)
        addresses = [
            {
                "block_id": block["block_id"],
                "action_id": block["element"]["action_id"],
                "channel_id": chosen,
                "response_url": self._response(opened.user, chosen),
            }
            for block in opened.drawn
            if block["type"] == "input" and block["element"].get("response_url_enabled")
            for chosen in [_chosen_conversation(opened, block)]
            if chosen
        ]
        return {
            "type": "view_submission",
            **self._common(opened.user),
            "trigger_id": trigger,
            "view": self.view(opened),
            "response_urls": addresses,
        }

    def closed(self, opened: OpenView, *, cleared: bool) -> dict[str, Any]:
        """A `view_closed` payload."""
        return {"type": "view_closed", **self._common(opened.user), "view": self.view(opened), "is_cleared": cleared}

    def shortcut(self, user: str, callback_id: str, message: Message | None) -> dict[str, Any]:
        """A `shortcut` payload, or a `message_action` one when a message was chosen."""
        body = {
            "type": "message_action" if message is not None else "shortcut",
            **self._common(user),
            "callback_id": callback_id,
            "trigger_id": self._workspace.grants.new_trigger(user),
            "action_ts": self._workspace.now,
        }
        if message is not None:
            channel = self._workspace.channel(message.channel)
            body["channel"] = {"id": channel.id, "name": _channel_name(channel)}
            body["message"] = message_payload(message, self._workspace)
            body["message_ts"] = message.ts
            body["response_url"] = self._response(user, channel.id, message.ts)
        return body

    def event(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """An `event_callback` round an event."""
        workspace = self._workspace
        authorization = {
            "enterprise_id": workspace.enterprise,
            "team_id": None if workspace.is_org_install else workspace.team,
            "user_id": workspace.bot.id,
            "is_bot": True,
            "is_enterprise_install": workspace.is_org_install,
        }
        return {
            "token": TOKEN,
            "team_id": workspace.team,
            **({"enterprise_id": workspace.enterprise} if workspace.enterprise else {}),
            "api_app_id": workspace.app_id,
            "event": {**event, "event_ts": event.get("ts") or workspace.now},
            "type": "event_callback",
            "event_id": workspace.serial("Ev"),
            "event_time": int(workspace.clock()),
            "authorizations": [authorization],
            "is_ext_shared_channel": False,
            "event_context": workspace.serial("4-"),
        }

    def view(self, opened: OpenView) -> dict[str, Any]:
        """A view as Slack hands it over, with its state."""
        workspace = self._workspace
        optional = {"private_metadata": "", "callback_id": "", "external_id": "", "close": None, "submit": None}
        return {
            **optional,
            "clear_on_close": False,
            "notify_on_close": False,
            **opened.view,
            "id": opened.id,
            "team_id": workspace.team,
            "state": {"values": opened.state},
            "hash": opened.hash,
            "previous_view_id": opened.previous,
            "root_view_id": opened.root,
            "app_id": workspace.app_id,
            "bot_id": workspace.bot_id,
            "app_installed_team_id": workspace.enterprise if workspace.is_org_install else workspace.team,
        }

    def _place(self, where: Message | OpenView) -> dict[str, Any]:
        """Where something was pressed: the container, and the view or message itself."""
        if isinstance(where, OpenView):
            return {"container": {"type": "view", "view_id": where.id}, "view": self.view(where)}
        channel = self._workspace.channel(where.channel)
        container: dict[str, Any] = {
            "type": "message",
            "message_ts": where.ts,
            "channel_id": where.channel,
            "is_ephemeral": where.only_for is not None,
        }
        if where.thread_ts:
            container["thread_ts"] = where.thread_ts
        place: dict[str, Any] = {
            "container": container,
            "channel": {"id": channel.id, "name": _channel_name(channel)},
        }
        # Of an ephemeral message Slack hands over where it was, not what it said.
        if where.only_for is None:
            place["message"] = message_payload(where, self._workspace)
        return place

    def _common(self, user: str) -> dict[str, Any]:
        person = self._workspace.person(user)
        enterprise = person.enterprise_id or self._workspace.enterprise
        return {
            "user": {"id": user, "username": person.name, "name": person.name, "team_id": person.team_id},
            "api_app_id": self._workspace.app_id,
            "token": TOKEN,
            "team": None if self._workspace.is_org_install else {"id": self._workspace.team, "domain": DOMAIN},
            "enterprise": {"id": enterprise, "name": DOMAIN} if enterprise else None,
            "is_enterprise_install": self._workspace.is_org_install,
        }

    def _response(self, user: str, channel: str, message: str | None = None) -> str:
        made = self._workspace.grants.new_response(user, channel, message)
        return f"{self._workspace.address}/response/{made}"


def _channel_name(channel: Channel) -> str:
    if channel.is_im:
        return "directmessage"
    return "privategroup" if channel.is_private else channel.name


def _chosen_conversation(opened: OpenView, block: Mapping[str, Any]) -> str | None:
    value = opened.state[block["block_id"]][block["element"]["action_id"]]
    chosen: str | None = value.get("selected_conversation") or value.get("selected_channel")
    return chosen
