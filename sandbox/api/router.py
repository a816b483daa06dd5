"""Finds the method, checks token and scope, injects faults on demand, writes the traffic log."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.api import chat, files, people, views
from sandbox.deliver import SocketHub
from sandbox.deliver.send import blanked
from sandbox.state import Problem, Workspace

Method = Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]
METHODS: dict[str, Method] = {**chat.METHODS, **views.METHODS, **people.METHODS, **files.METHODS}
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.update": "chat:write",
    "chat.delete": "chat:write",
    "chat.postEphemeral": "chat:write",
    "conversations.open": "im:write",
    "conversations.info": "channels:read,groups:read,im:read",
    "conversations.list": "channels:read,groups:read",
    "conversations.members": "channels:read,groups:read",
    "conversations.history": "channels:history,groups:history,im:history",
    "conversations.replies": "channels:history,groups:history,im:history",
    "users.info": "users:read",
    "users.list": "users:read",
    "users.conversations": "channels:read,groups:read",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "files.info": "files:read",
    "files.delete": "files:write",
    "reactions.add": "reactions:write",
}
APP_METHODS = frozenset({"apps.connections.open"})
JSON_FIELDS = ("blocks", "view", "metadata", "attachments", "files")


class Api:
    """The Web API of one workspace."""

    def __init__(self, workspace: Workspace, hub: SocketHub, *, bot_token: str, app_token: str) -> None:
        self._workspace = workspace
        self._hub = hub
        self._bot_token = bot_token
        self._app_token = app_token
        self.address = ""

    @property
    def granted(self) -> list[str]:
        """The scopes that the manifest asks for."""
        config = self._workspace.manifest.get("oauth_config", {}).get("scopes", {})
        return [*config.get("bot", []), *config.get("bot_optional", [])]

    def call(self, method: str, arguments: Mapping[str, Any], token: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        """Answer one call: status, body, headers."""
        started = time.monotonic()
        fault = self._fault(method)
        if fault is not None and fault["kind"] in {"ratelimited", "error", "drop_before"}:
            status, body, headers = _broken(fault)
        else:
            status, body, headers = self._answer(method, arguments, token)
            if fault is not None:
                time.sleep(float(fault.get("seconds") or 0))
            if fault is not None and fault["kind"] == "timeout_after":
                status, body = 500, {"ok": False, "error": "internal_error"}
        headers["x-oauth-scopes"] = ",".join(self.granted)
        self._log(method, arguments, status, body, started)
        return status, body, headers

    def _fault(self, method: str) -> dict[str, Any] | None:
        planned = self._workspace.faults.get(method)
        if not planned:
            return None
        fault = planned[0]
        fault["times"] = int(fault.get("times") or 1) - 1
        if fault["times"] <= 0:
            planned.pop(0)
        return fault

    def _answer(
        self, method: str, arguments: Mapping[str, Any], token: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        try:
            self._check_token(method, token)
            self._check_scope(method)
            if method == "apps.connections.open":
                ticket = self._hub.new_ticket()
                return 200, {"ok": True, "url": f"{self.address.replace('http', 'ws', 1)}/socket/{ticket}"}, {}
            if method not in METHODS:
                raise Problem("unknown_method")
            with self._workspace.lock:
                return 200, {"ok": True, **METHODS[method](self._workspace, loaded(arguments))}, {}
        except Problem as problem:
            return 200, {"ok": False, "error": problem.error, **problem.more}, {}

    def _check_token(self, method: str, token: str) -> None:
        if not token:
            raise Problem("not_authed")
        wanted = self._app_token if method in APP_METHODS else self._bot_token
        if token != wanted:
            raise Problem("not_allowed_token_type" if token in {self._app_token, self._bot_token} else "invalid_auth")

    def _check_scope(self, method: str) -> None:
        needed = SCOPES.get(method, "")
        if needed and not set(needed.split(",")) & set(self.granted):
            raise Problem("missing_scope", needed=needed, provided=",".join(self.granted))

    def _log(
        self, method: str, arguments: Mapping[str, Any], status: int, body: dict[str, Any], started: float
    ) -> None:
        workspace = self._workspace
        with workspace.lock:
            workspace.traffic.append(
                {
                    "id": workspace.serial("L"),
                    "at": time.time(),
                    "direction": "from app",
                    "name": method,
                    "status": status,
                    "elapsed_ms": round((time.monotonic() - started) * 1000, 1),
                    "request": blanked(loaded(arguments, strict=False)),
                    "response": blanked(body),
                }
            )
            workspace.tell("traffic")


def loaded(arguments: Mapping[str, Any], *, strict: bool = True) -> dict[str, Any]:
    """Arguments with their JSON fields read."""
    made = dict(arguments)
    for name in JSON_FIELDS:
        if isinstance(made.get(name), str) and made[name]:
            try:
                made[name] = json.loads(made[name])
            except ValueError:
                if strict:
                    raise Problem("invalid_arguments" if name == "view" else f"invalid_{name}_format") from None
    return made


def _broken(fault: Mapping[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    if fault["kind"] == "ratelimited":
        return 429, {"ok": False, "error": "ratelimited"}, {"Retry-After": str(fault.get("retry_after") or 1)}
    return 500, {"ok": False, "error": "internal_error"}, {}
