"""Finds the method, checks token and scope, fails on demand, writes the traffic log."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from sandbox.api import chat, conversations, files, people, views
from sandbox.api.checks import loaded
from sandbox.api.faults import Faults
from sandbox.api.scopes import check_scopes, needed_scopes
from sandbox.deliver.sockets import SocketHub
from sandbox.deliver.traffic import log
from sandbox.state import Problem, Workspace

Method = Callable[[Workspace, Mapping[str, Any]], dict[str, Any]]
METHODS: Mapping[str, Method] = {
    **chat.METHODS,
    **conversations.METHODS,
    **files.METHODS,
    **people.METHODS,
    **views.METHODS,
}
OPEN = frozenset({"api.test"})
CONNECT = "apps.connections.open"
OK = 200
LIMITED = 429
FAILED = 500
DROPPED = 0
UNSHOWN = frozenset({"token"})


@dataclass(slots=True)
class Answer:
    """An answer of the Web API; status 0 drops the connection without one."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """The Web API of one workspace."""

    def __init__(self, workspace: Workspace, hub: SocketHub, *, app_token: str) -> None:
        self._workspace = workspace
        self._hub = hub
        self._app_token = app_token
        self.faults = Faults(workspace)

    def call(self, method: str, arguments: Mapping[str, Any], token: str) -> Answer:
        """Answer one call."""
        started = time.monotonic()
        answer = self._failing(method, arguments, token)
        workspace = self._workspace
        answer.headers |= {
            "date": formatdate(workspace.clock(), usegmt=True),
            "x-oauth-scopes": ",".join(workspace.scopes),
            "x-accepted-oauth-scopes": ",".join(needed_scopes(workspace, method, arguments)),
        }
        log(
            workspace,
            "from app",
            method,
            request=_readable(arguments),
            response=answer.body,
            status=answer.status,
            elapsed_ms=round((time.monotonic() - started) * 1000, 1),
        )
        return answer

    def _failing(self, method: str, arguments: Mapping[str, Any], token: str) -> Answer:
        fault = self.faults.take(method)
        if fault is None:
            return self._answer(method, arguments, token)
        seconds = float(fault.get("seconds") or 0)
        match fault["kind"]:
            case "ratelimited":
                wait = {"Retry-After": str(fault.get("retry_after") or 1)}
                return Answer(LIMITED, {"ok": False, "error": "ratelimited"}, wait)
            case "error":
                return Answer(OK, {"ok": False, "error": fault.get("error") or "internal_error"})
            case "server_error":
                return Answer(FAILED, {"ok": False, "error": "internal_error"})
            case "drop_before":
                return Answer(DROPPED, {})
            case "delay":
                time.sleep(seconds)
                return self._answer(method, arguments, token)
        answer = self._answer(method, arguments, token)
        time.sleep(seconds)
        return Answer(DROPPED, answer.body)

    def _answer(self, method: str, arguments: Mapping[str, Any], token: str) -> Answer:
        try:
            return Answer(OK, {"ok": True, **self._done(method, arguments, token)})
        except Problem as problem:
            return Answer(OK, {"ok": False, "error": problem.error, **problem.more})

    def _done(self, method: str, arguments: Mapping[str, Any], token: str) -> dict[str, Any]:
        if method not in METHODS and method != CONNECT:
            raise Problem("unknown_method", req_method=method)
        if method not in OPEN:
            self._check_token(method, token)
        if method == CONNECT:
            address = self._workspace.address.replace("http", "ws", 1)
            return {"url": f"{address}/socket/{self._hub.new_ticket()}"}
        with self._workspace.lock:
            values = loaded(arguments)
            check_scopes(self._workspace, method, values)
            return METHODS[method](self._workspace, values)

    def _check_token(self, method: str, token: str) -> None:
        if not token:
            raise Problem("not_authed")
        if token not in {self._workspace.bot_token, self._app_token}:
            raise Problem("invalid_auth")
        if (token == self._app_token) != (method == CONNECT):
            raise Problem("not_allowed_token_type")


def _readable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments for the log, with what can be read of them."""
    shown = {name: value for name, value in arguments.items() if name not in UNSHOWN}
    try:
        return loaded(shown)
    except Problem:
        return shown
