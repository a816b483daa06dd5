"""The payloads that Slack delivers, in the shapes its reference gives for slash commands, interactions and events."""

import time
from typing import Any

from sandbox.state import Channel, Message, OpenView, Workspace


class Payloads:
    """Builds payloads for one workspace, served at one address."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self.address = "http://127.0.0.1"

    def command(self, user: str, channel: Channel, name: str, text: str) -> dict[str, Any]:
        person = self._workspace.person(user)
        form = {
            "token": "sandbox",
            "team_id": person.team_id or self._workspace.team,
            "team_domain": "sandbox",
            "channel_id": channel.id,
            "channel_name": "directmessage" if channel.is_im else channel.name,
            "user_id": user,
            "user_name": person.name,
            "command": name,
            "text": text,
            "api_app_id": self._workspace.app_id,
            "is_enterprise_install": "false",
            "response_url": self._response(user, channel.id),
            "trigger_id": self._workspace.new_trigger(user),
        }
        if person.enterprise_id:
            form["enterprise_id"] = person.enterprise_id
        return form

    def action(
        self, user: str, block_id: str, element: dict[str, Any], value: dict[str, Any], where: Message | OpenView
    ) -> dict[str, Any]:
        action = {
            "type": element["type"],
            "block_id": block_id,
            "action_id": element["action_id"],
            "action_ts": f"{time.time():.6f}",
            **({"text": element["text"]} if element["type"] == "button" else {}),
            **value,
        }
        body = {"type": "block_actions", **self._common(user), "actions": [action]}
        body["trigger_id"] = self._workspace.new_trigger(user)
        if isinstance(where, OpenView):
            body["container"] = {"type": "view", "view_id": where.id}
            body["view"] = self._workspace.view_payload(where)
        else:
            channel = self._workspace.channel(where.channel)
            body["container"] = {
                "type": "message",
                "message_ts": where.ts,
                "channel_id": where.channel,
                "is_ephemeral": where.only_for is not None,
            }
            body["channel"] = {"id": channel.id, "name": channel.name}
            body["response_url"] = self._response(user, channel.id)
            body["state"] = {"values": where.state}
            if where.only_for is None:
                body["message"] = message_payload(where, self._workspace)
        return body

    def suggestion(
        self, user: str, block_id: str, action_id: str, text: str, where: Message | OpenView
    ) -> dict[str, Any]:
        body = {
            "type": "block_suggestion",
            **self._common(user),
            "block_id": block_id,
            "action_id": action_id,
            "value": text,
        }
        if isinstance(where, OpenView):
            body["view"] = self._workspace.view_payload(where)
            body["container"] = {"type": "view", "view_id": where.id}
        else:
            body["container"] = {"type": "message", "message_ts": where.ts, "channel_id": where.channel}
        return body

    def submission(self, opened: OpenView) -> dict[str, Any]:
        return {
            "type": "view_submission",
            **self._common(opened.user),
            "trigger_id": self._workspace.new_trigger(opened.user),
            "view": self._workspace.view_payload(opened),
            "response_urls": [],
        }

    def closed(self, opened: OpenView) -> dict[str, Any]:
        view = self._workspace.view_payload(opened)
        return {"type": "view_closed", **self._common(opened.user), "view": view, "is_cleared": False}

    def shortcut(self, user: str, callback_id: str, message: Message | None) -> dict[str, Any]:
        body = {
            "type": "message_action" if message is not None else "shortcut",
            **self._common(user),
            "callback_id": callback_id,
            "trigger_id": self._workspace.new_trigger(user),
            "action_ts": f"{time.time():.6f}",
        }
        if message is not None:
            channel = self._workspace.channel(message.channel)
            body["channel"] = {"id": channel.id, "name": channel.name}
            body["message"] = message_payload(message, self._workspace)
            body["message_ts"] = message.ts
            body["response_url"] = self._response(user, channel.id)
        return body

    def event(self, event: dict[str, Any]) -> dict[str, Any]:
        return {
            "token": "sandbox",
            "team_id": self._workspace.team,
            "api_app_id": self._workspace.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self._workspace.serial("Ev"),
            "event_time": int(self._workspace.clock()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self._workspace.team,
                    "user_id": self._workspace.bot.id,
                    "is_bot": True,
                }
            ],
        }

    def _common(self, user: str) -> dict[str, Any]:
        person = self._workspace.person(user)
        team = person.team_id or self._workspace.team
        return {
            "user": {"id": user, "username": person.name, "name": person.name, "team_id": team},
            "team": {"id": self._workspace.team, "domain": "sandbox"},
            "api_app_id": self._workspace.app_id,
            "token": "sandbox",
            "enterprise": {"id": person.enterprise_id, "name": "grid"} if person.enterprise_id else None,
            "is_enterprise_install": False,
        }

    def _response(self, user: str, channel: str) -> str:
        return f"{self.address}/response/{self._workspace.new_response(user, channel)}"


def message_payload(message: Message, workspace: Workspace) -> dict[str, Any]:
    """A message as the Web API and interaction payloads show it."""
    made: dict[str, Any] = {"type": "message", "user": message.user, "ts": message.ts, "text": message.text}
    if message.bot_id:
        made |= {"bot_id": message.bot_id, "app_id": workspace.app_id, "team": workspace.team}
    if message.blocks:
        made["blocks"] = message.blocks
    if message.thread_ts:
        made["thread_ts"] = message.thread_ts
    if message.metadata:
        made["metadata"] = message.metadata
    if message.edited:
        made["edited"] = {"user": message.user, "ts": message.ts}
    replies = [
        each for each in workspace.messages[message.channel] if each.thread_ts == message.ts and each.ts != message.ts
    ]
    if replies:
        made |= {"reply_count": len(replies), "thread_ts": message.ts}
    if message.files:
        made["files"] = [file_payload(workspace, each) for each in message.files]
    return made


def file_payload(workspace: Workspace, file_id: str) -> dict[str, Any]:
    file = workspace.files[file_id]
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "size": file.size,
        "user": file.owner,
        "mimetype": "text/csv" if file.name.endswith(".csv") else "application/octet-stream",
        "url_private": f"/files/{file.id}/{file.name}",
        "url_private_download": f"/files/{file.id}/{file.name}",
    }
