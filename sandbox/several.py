"""Several workspaces behind one Slack: one address of the Web API, and an app that is installed by OAuth.

See https://docs.slack.dev/authentication/installing-with-oauth for the way,
https://docs.slack.dev/reference/methods/oauth.v2.access for the exchange of a code, its answer and its errors, and
https://docs.slack.dev/enterprise/developing-for-enterprise-orgs for an organisation that installs as one.
"""

import base64
import binascii
import contextlib
import html
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from sandbox.api.people import user_payload
from sandbox.server import HOST, Sandbox, server_config
from sandbox.state import Problem

CODE_SECONDS = 600
AUTHORIZE = "/oauth/v2/authorize"


@dataclass(slots=True)
class Code:
    """What a person allowed, until the app fetches it."""

    sandbox: Sandbox
    user: str
    redirect_uri: str
    as_org: bool
    until: float
    is_used: bool = False


class Several:
    """Workspaces that an app can be installed in; none has it at first."""

    def __init__(self, workspaces: Sequence[Sandbox], *, client_id: str, client_secret: str) -> None:
        self._workspaces = {each.workspace.team: each for each in workspaces}
        self._client = (client_id, client_secret)
        self._codes: dict[str, Code] = {}
        self._ended: set[str] = set()
        self.app = Starlette(
            routes=[
                Route(AUTHORIZE, self._authorize, methods=["GET", "POST"]),
                Route("/api/oauth.v2.access", self._access, methods=["POST"]),
                Mount("/api", self._call),
                *(Mount(f"/{team}", each.app) for team, each in self._workspaces.items()),
            ]
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Serve on loopback in a thread; yields the address."""
        listening = socket.create_server((HOST, 0))
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        for team, each in self._workspaces.items():
            each.workspace.address = f"{address}/{team}"
        server = uvicorn.Server(server_config(self.app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.002)
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(timeout=10)
            listening.close()

    def uninstall(self, team: str) -> None:
        """Remove the app from a workspace."""
        found = self._workspaces[team]
        self._ended.add(found.workspace.bot_token)
        found.happenings.uninstall()

    async def _authorize(self, request: Request) -> Response:
        """Slack's page on which a signed-in person allows the installation: shown, then answered by its form."""
        asked = request.query_params
        try:
            self._check_asked(asked)
            if request.method == "GET":
                return HTMLResponse(self._page())
            form = dict(parse_qsl((await request.body()).decode()))
            return self._decided(asked, form)
        except Problem as problem:
            return HTMLResponse(f"<!doctype html><p>{problem.error}", status_code=400)

    def _check_asked(self, asked: Mapping[str, str]) -> None:
        if asked.get("client_id") != self._client[0]:
            raise Problem("invalid_client_id")
        sandbox = next(iter(self._workspaces.values()))
        registered = sandbox.workspace.manifest.get("oauth_config", {}).get("redirect_urls") or []
        to = asked.get("redirect_uri", "")
        if not any(to == each or to.startswith(each.rstrip("/") + "/") for each in registered):
            raise Problem("bad_redirect_uri")
        scopes = set(asked.get("scope", "").split(",")) - {""}
        if not scopes or not scopes <= set(sandbox.workspace.scopes):
            raise Problem("invalid_scope")

    def _page(self) -> str:
        teams = "".join(f"<option>{html.escape(each)}</option>" for each in self._workspaces)
        return (
            f'<!doctype html><form method="post"><select name="team">{teams}</select> <input name="user" required> '
            '<button name="decision" value="allow">Allow</button> <button name="decision" value="deny">Cancel</button>'
            "</form>"
        )

    def _decided(self, asked: Mapping[str, str], form: Mapping[str, str]) -> Response:
        back = {"state": asked["state"]} if asked.get("state") else {}
        to = asked["redirect_uri"]
        if form.get("decision") != "allow":
            return RedirectResponse(f"{to}?{urlencode({'error': 'access_denied', **back})}", status_code=302)
        sandbox = self._workspaces.get(form.get("team", ""))
        if sandbox is None:
            raise Problem("invalid_team_for_non_distributed_app")
        person = sandbox.workspace.person(form.get("user", ""))
        as_org = form.get("as_org") == "true"
        if person.is_restricted or person.is_ultra_restricted or person.deleted or person.is_stranger:
            raise Problem("user_is_restricted")
        if as_org and (not sandbox.workspace.enterprise or not self._may_be_org(sandbox)):
            raise Problem("not_allowed_for_org")
        code = f"{secrets.randbelow(10**10)}.{secrets.randbelow(10**13)}.{secrets.token_hex(32)}"
        self._codes[code] = Code(sandbox, person.id, to, as_org, time.monotonic() + CODE_SECONDS)
        return RedirectResponse(f"{to}?{urlencode({'code': code, **back})}", status_code=302)

    @staticmethod
    def _may_be_org(sandbox: Sandbox) -> bool:
        return bool(sandbox.workspace.manifest.get("settings", {}).get("org_deploy_enabled"))

    async def _access(self, request: Request) -> Response:
        arguments = dict(parse_qsl((await request.body()).decode()))
        try:
            return JSONResponse({"ok": True, **self._exchanged(_client_of(request, arguments), arguments)})
        except Problem as problem:
            return JSONResponse({"ok": False, "error": problem.error})

    def _exchanged(self, client: tuple[str, str], arguments: Mapping[str, str]) -> dict[str, Any]:
        """A token for a code that was given for this client and address, once and within ten minutes."""
        if client[0] != self._client[0]:
            raise Problem("invalid_client_id")
        if client[1] != self._client[1]:
            raise Problem("bad_client_secret")
        if arguments.get("grant_type", "authorization_code") != "authorization_code":
            raise Problem("invalid_grant_type")
        code = self._codes.get(arguments.get("code", ""))
        if code is None or time.monotonic() > code.until:
            raise Problem("invalid_code")
        if code.is_used:
            raise Problem("code_already_used")
        if arguments.get("redirect_uri") != code.redirect_uri:
            raise Problem("bad_redirect_uri")
        code.is_used = True
        return self._installed(code)

    @staticmethod
    def _installed(code: Code) -> dict[str, Any]:
        workspace = code.sandbox.workspace
        with workspace.lock:
            # Without token rotation an installation that is there keeps its token.
            workspace.bot_token = workspace.bot_token or f"xoxb-{secrets.randbelow(10**12)}-{secrets.token_hex(12)}"
            workspace.is_org_install = code.as_org
            workspace.secrets |= {workspace.bot_token}
            user = user_payload(workspace.person(code.user), workspace)
            enterprise = {"name": f"Org {workspace.enterprise}", "id": workspace.enterprise}
            return {
                "app_id": workspace.app_id,
                "authed_user": {"id": user["id"]},
                "scope": ",".join(workspace.scopes),
                "token_type": "bot",
                "access_token": workspace.bot_token,
                "bot_user_id": workspace.bot.id,
                "team": None if code.as_org else {"id": workspace.team, "name": f"Team {workspace.team}"},
                "enterprise": enterprise if workspace.enterprise else None,
                "is_enterprise_install": code.as_org,
            }

    async def _call(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A call goes to the workspace whose token it brings."""
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        token = headers.get("authorization", "").removeprefix("Bearer ").strip()
        for each in self._workspaces.values():
            if token and each.workspace.bot_token == token:
                whole = {**scope, "path": scope["path"], "root_path": ""}
                await each.app(whole, receive, send)
                return
        error = "not_authed" if not token else "account_inactive" if token in self._ended else "invalid_auth"
        await JSONResponse({"ok": False, "error": error})(scope, receive, send)


def _client_of(request: Request, arguments: Mapping[str, str]) -> tuple[str, str]:
    """Client id and secret, by HTTP Basic as Slack prefers, or among the arguments."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return arguments.get("client_id", ""), arguments.get("client_secret", "")
    with contextlib.suppress(binascii.Error, UnicodeDecodeError):
        name, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
        return name, secret
    return "", ""
