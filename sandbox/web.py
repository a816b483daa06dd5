"""The doors for the app: the Web API, response addresses, files and Socket Mode over HTTP on loopback."""

import asyncio
import contextlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.api.router import Api
from sandbox.deliver.answers import Answers
from sandbox.deliver.shapes import media_type
from sandbox.deliver.sockets import SocketHub
from sandbox.state import Problem, Workspace

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
DROP = "sandbox.drop"
UNREADABLE = 1003  # of a web socket: data that cannot be read


class AppDoors:
    """What the app calls."""

    def __init__(self, workspace: Workspace, api: Api, hub: SocketHub) -> None:
        self._workspace = workspace
        self._api = api
        self._hub = hub
        self._answers = Answers(workspace)

    @property
    def routes(self) -> list[BaseRoute]:
        return [
            Route("/api/{method}", self._call, methods=["GET", "POST"]),
            Route("/response/{made}", self._respond, methods=["POST"]),
            Route("/upload/{file}", self._upload, methods=["POST"]),
            Route("/files/{file}/{name}", self._download),
            Route("/archives/{channel}/{message}", self._permalink),
            WebSocketRoute("/socket/{ticket}", self._socket),
        ]

    async def _call(self, request: Request) -> Response:
        try:
            arguments = await _arguments(request)
        except Problem as problem:
            return JSONResponse({"ok": False, "error": problem.error})
        header = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        in_body = str(arguments.pop("token", ""))
        # A token inside a JSON body is not looked at.
        token = header or ("" if _media_type(request) == JSON else in_body)
        answer = await run_in_threadpool(self._api.call, request.path_params["method"], arguments, token)
        if answer.status == 0:
            request.scope["state"][DROP]()
            return Response()
        return JSONResponse(answer.body, status_code=answer.status, headers=answer.headers)

    async def _respond(self, request: Request) -> Response:
        try:
            payload = json.loads(await request.body())
        except ValueError:
            payload = None
        try:
            await run_in_threadpool(self._answers.at_address, request.path_params["made"], payload)
        except Problem as problem:
            return JSONResponse({"ok": False, "error": problem.error, **problem.more}, status_code=404)
        return PlainTextResponse("ok")

    async def _upload(self, request: Request) -> Response:
        file = self._workspace.files.get(request.path_params["file"])
        content = await request.body()
        if file is None or file.complete:
            return PlainTextResponse("not found", status_code=404)
        if len(content) != file.size:
            return PlainTextResponse("size does not match", status_code=400)
        file.content = content
        return PlainTextResponse(f"OK - {len(content)}")

    async def _download(self, request: Request) -> Response:
        """A file for the app with its token, or for the page; anybody else is sent to sign in, with status 200."""
        file = self._workspace.files.get(request.path_params["file"])
        if file is None or file.content is None:
            return PlainTextResponse("not found", status_code=404)
        from_app = request.headers.get("authorization") == f"Bearer {self._workspace.bot_token}"
        from_page = request.headers.get("sec-fetch-site") in {"same-origin", "none"}
        if not from_app and not from_page:
            return HTMLResponse("<!doctype html><title>Sign in</title><p>Please sign in.")
        shown = {"content-disposition": f"attachment; filename*=UTF-8''{request.path_params['name']}"}
        return Response(file.content, media_type=media_type(file.name), headers=shown)

    async def _permalink(self, request: Request) -> Response:
        ts = request.path_params["message"].removeprefix("p")
        return RedirectResponse(f"/#{request.path_params['channel']}/{ts[:-6]}.{ts[-6:]}")

    async def _socket(self, websocket: WebSocket) -> None:
        if not self._hub.take_ticket(websocket.path_params["ticket"]):
            await websocket.close()
            return
        await websocket.accept()
        waiting: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        connection = self._hub.join(lambda message: _put(loop, waiting, message))
        if connection is None:
            await websocket.send_json({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {}})
            await websocket.close()
            return
        await websocket.send_json(self._hello())
        sending = asyncio.create_task(_send(websocket, waiting))
        try:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # the line is closed: that is the end
                while True:
                    answer = json.loads(await websocket.receive_text())
                    if isinstance(answer, Mapping):
                        self._hub.answered(answer)
        except ValueError:
            await websocket.close(UNREADABLE)
        finally:
            self._hub.leave(connection)
            sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sending

    def _hello(self) -> dict[str, Any]:
        return {
            "type": "hello",
            "num_connections": self._hub.count,
            "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": self._workspace.app_id},
        }


class Dropping:
    """Lets an exchange end without an answer, as on a broken network: `scope["state"][DROP]()` cuts the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        cut = False

        def drop() -> None:
            nonlocal cut
            cut = True

        async def sending(message: Message) -> None:
            if cut:
                # The server's own `send` belongs to the exchange, which knows its transport.
                exchange: Any = getattr(send, "__self__", None)
                exchange.transport.abort()
                return
            await send(message)

        if scope["type"] == "http":
            scope.setdefault("state", {})[DROP] = drop
        await self._app(scope, receive, sending if scope["type"] == "http" else send)


def _put(loop: asyncio.AbstractEventLoop, waiting: "asyncio.Queue[dict[str, Any]]", message: dict[str, Any]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(waiting.put_nowait, message)


async def _send(websocket: WebSocket, waiting: "asyncio.Queue[dict[str, Any]]") -> None:
    """Hand waiting envelopes to the connection as they come; after a farewell it is closed."""
    while True:
        envelope = await waiting.get()
        await websocket.send_json(envelope)
        if envelope["type"] == "disconnect":
            await websocket.close()
            return


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _arguments(request: Request) -> dict[str, Any]:
    """The arguments of a call: a form, or JSON; both with the query's."""
    made: dict[str, Any] = dict(request.query_params)
    body = await request.body()
    kind = _media_type(request)
    if kind == JSON:
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            raise Problem("invalid_json") from None
        if not isinstance(given, dict):
            raise Problem("json_not_object")
        return made | given
    if kind == FORM:
        return made | dict(parse_qsl(body.decode(), keep_blank_values=True))
    if body:
        raise Problem("invalid_form_data" if kind == "multipart/form-data" else "invalid_post_type")
    return made
