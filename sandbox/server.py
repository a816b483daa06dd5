"""The workspace over HTTP: the Web API and Socket Mode for the app, the client calls and the page for people."""

import asyncio
import base64
import contextlib
import json
import queue
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.api import Api
from sandbox.client import Actor
from sandbox.deliver import Payloads, Sender, SocketHub
from sandbox.deliver.acts import Acts
from sandbox.deliver.send import InProcess
from sandbox.shown import boot_of, state_of
from sandbox.state import Channel, File, Person, Problem, Workspace

PAGE = Path(__file__).parent / "page"
QUIET_SECONDS = 15.0


class Sandbox:
    """A workspace with its doors."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        people: Sequence[Person],
        channels: Sequence[Channel],
        *,
        signing_secret: str,
        bot_token: str,
        app_token: str,
        team: str = "T0SANDBOX",
        request_url: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.workspace = Workspace(manifest, people, channels, team=team, clock=clock)
        self.hub = SocketHub()
        self.payloads = Payloads(self.workspace)
        self.sender = Sender(self.workspace, self.hub, signing_secret=signing_secret, request_url=request_url)
        self.acts = Acts(self.workspace, self.sender, self.payloads)
        self.api = Api(self.workspace, self.hub, bot_token=bot_token, app_token=app_token)
        self.app = self._routes()

    def person(self, user: str) -> Actor:
        """Somebody to act as, in scripts and tests."""
        return Actor(self.acts, self.workspace.person(user).id)

    def deliver_to(self, call: InProcess) -> None:
        """Hand deliveries over in this process, as signed requests."""
        self.sender.in_process = call

    def redeliver(self, delivery_id: str, *, times: int = 1, parallel: bool = False) -> list[int]:
        """Send a recorded delivery again; returns the statuses."""
        statuses: list[int] = []

        def once(attempt: int) -> None:
            statuses.append(self.sender.again(delivery_id, attempt).status)

        if not parallel:
            for attempt in range(1, times + 1):
                once(attempt)
            return statuses
        threads = [threading.Thread(target=once, args=(attempt,)) for attempt in range(1, times + 1)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return statuses

    def fail(self, method: str, kind: str, *, times: int = 1, **more: Any) -> None:
        """Make the next calls of a Web API method fail."""
        self.workspace.faults[method].append({"kind": kind, "times": times, **more})

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[str]:
        """Serve on loopback in a thread; yields the address."""
        listening = socket.create_server(("127.0.0.1", port))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.api.address = self.payloads.address = self.workspace.address = address
        config = uvicorn.Config(
            self.app, log_level="error", ws="websockets-sansio", lifespan="off", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        try:
            yield address
        finally:
            server.should_exit = True
            with self.workspace.changed:
                self.workspace.changed.notify_all()
            thread.join(timeout=5)
            listening.close()

    def _routes(self) -> Starlette:
        routes: list[Any] = [
            Route("/api/{method}", self._api, methods=["GET", "POST"]),
            Route("/response/{made}", self._response, methods=["POST"]),
            Route("/upload/{file}", self._upload, methods=["POST"]),
            Route("/files/{file}/{name}", self._file),
            WebSocketRoute("/socket/{ticket}", self._socket),
            Route("/client/boot", self._boot),
            Route("/client/state", self._state),
            Route("/client/events", self._events),
            Route("/client/traffic", self._traffic),
            Route("/client/{act}", self._act, methods=["POST"]),
            Route("/", self._page),
        ]
        if PAGE.is_dir():
            routes.append(Mount("/page", StaticFiles(directory=PAGE)))
        return Starlette(routes=routes)

    async def _page(self, _request: Request) -> Response:
        return FileResponse(PAGE / "index.html")

    async def _api(self, request: Request) -> Response:
        if request.headers.get("content-type", "").startswith("application/json"):
            arguments = json.loads(await request.body() or b"{}")
        else:
            async with request.form() as form:
                arguments = {**request.query_params, **dict(form)}
        token = request.headers.get("authorization", "").removeprefix("Bearer ").strip() or str(
            arguments.pop("token", "")
        )
        method = request.path_params["method"]
        status, body, headers = await run_in_threadpool(self.api.call, method, arguments, token)
        return JSONResponse(body, status_code=status, headers=headers)

    async def _response(self, request: Request) -> Response:
        payload = json.loads(await request.body() or b"{}")
        try:
            await run_in_threadpool(self.acts.respond, request.path_params["made"], payload)
        except Problem as problem:
            return JSONResponse({"ok": False, "error": problem.error, **problem.more}, status_code=404)
        return PlainTextResponse("ok")

    async def _upload(self, request: Request) -> Response:
        file = self.workspace.files.get(request.path_params["file"])
        content = await request.body()
        if file is None or len(content) != file.size:
            return PlainTextResponse("size does not match", status_code=400)
        file.content = content
        return PlainTextResponse("OK")

    async def _file(self, request: Request) -> Response:
        file = self.workspace.files.get(request.path_params["file"])
        if file is None or file.content is None:
            return PlainTextResponse("not found", status_code=404)
        return Response(
            file.content, media_type="text/csv" if file.name.endswith(".csv") else "application/octet-stream"
        )

    async def _socket(self, websocket: WebSocket) -> None:
        if websocket.path_params["ticket"] not in self.hub.tickets:
            await websocket.close()
            return
        self.hub.tickets.discard(websocket.path_params["ticket"])
        await websocket.accept()
        await websocket.send_json(
            {"type": "hello", "num_connections": 1, "connection_info": {"app_id": self.workspace.app_id}}
        )
        connection = self.hub.join()
        sending = asyncio.create_task(_send_envelopes(websocket, connection))
        try:
            while True:
                message = json.loads(await websocket.receive_text())
                self.hub.answered(str(message.get("envelope_id")), message.get("payload"))
        except (WebSocketDisconnect, ValueError):
            pass
        finally:
            self.hub.leave(connection)
            sending.cancel()

    async def _boot(self, _request: Request) -> Response:
        return JSONResponse(boot_of(self.workspace))

    async def _state(self, request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(state_of, self.workspace, request.query_params["user"]))

    async def _traffic(self, request: Request) -> Response:
        after = request.query_params.get("after", "")
        with self.workspace.lock:
            entries = list(self.workspace.traffic)
        ids = [each["id"] for each in entries]
        return JSONResponse({"entries": entries[ids.index(after) + 1 :] if after in ids else entries})

    async def _events(self, request: Request) -> Response:
        user = request.query_params["user"]
        after = int(request.query_params.get("after") or 0)
        return StreamingResponse(self._stream(user, after), media_type="text/event-stream")

    async def _stream(self, user: str, after: int) -> AsyncIterator[str]:
        while True:
            with self.workspace.lock:
                fresh = [each for each in self.workspace.events if each["seq"] > after]
            for each in fresh:
                after = each["seq"]
                if each["user"] in {None, user}:
                    yield f"data: {json.dumps(each)}\n\n"
            if not fresh:
                await asyncio.sleep(0.05)

    async def _act(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        try:
            return JSONResponse(await run_in_threadpool(self._acted, request.path_params["act"], body))
        except Problem as problem:
            return JSONResponse({"ok": False, "error": problem.error}, status_code=400)
        except KeyError as missing:
            return JSONResponse({"ok": False, "error": f"missing {missing}"}, status_code=400)

    def _acted(self, act: str, body: dict[str, Any]) -> dict[str, Any]:
        actor = self.person(body["user"]) if "user" in body else None
        if act == "redeliver":
            statuses = self.redeliver(
                body["delivery"], times=int(body.get("times") or 1), parallel=bool(body.get("parallel"))
            )
            return {"ok": True, "statuses": statuses}
        if act == "faults":
            self.fail(body.pop("method"), body.pop("kind"), times=int(body.pop("times", 1)), **body)
            return {"ok": True}
        if actor is None:
            raise Problem("no_user")
        if act == "upload":
            return self._uploaded(actor.user, body)
        return actor.act(act, body)

    def _uploaded(self, user: str, body: Mapping[str, Any]) -> dict[str, Any]:
        content = base64.b64decode(body["content_base64"])
        made = File(id=self.workspace.serial("F"), name=body["name"], size=len(content), owner=user, content=content)
        self.workspace.files[made.id] = made
        return {"ok": True, "file": {"id": made.id, "name": made.name, "size": made.size}}


async def _send_envelopes(websocket: WebSocket, connection: "queue.Queue[dict[str, Any]]") -> None:
    """Hand waiting envelopes to the connection as they come."""
    while True:
        try:
            envelope = connection.get_nowait()
        except queue.Empty:
            await asyncio.sleep(0.002)
            continue
        await websocket.send_json(envelope)
