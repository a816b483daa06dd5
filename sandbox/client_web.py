"""The doors for people: the page, and the calls under /client/ that it and any script make."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.acting import Acting
from sandbox.shown import boot_of, state_of
from sandbox.state import Problem, Workspace

PAGE = Path(__file__).parent / "page"
QUIET_SECONDS = 15.0
Extra = Callable[[dict[str, Any]], dict[str, Any]]


class ClientDoors:
    """What people call; `extras` are calls that no single person makes."""

    def __init__(self, workspace: Workspace, acting: Acting, extras: Mapping[str, Extra]) -> None:
        self._workspace = workspace
        self._acting = acting
        self._extras = extras

    @property
    def routes(self) -> list[BaseRoute]:
        routes: list[BaseRoute] = [
            Route("/client/boot", self._boot),
            Route("/client/state", self._state),
            Route("/client/events", self._events),
            Route("/client/traffic", self._traffic),
            Route("/client/{act}", self._act, methods=["POST"]),
            Route("/", self._page),
        ]
        if PAGE.is_dir():
            routes.append(Mount("/page", StaticFiles(directory=PAGE)))
        return routes

    async def _page(self, _request: Request) -> Response:
        return FileResponse(PAGE / "index.html", headers={"cache-control": "no-cache"})

    async def _boot(self, _request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(boot_of, self._workspace))

    async def _state(self, request: Request) -> Response:
        try:
            return JSONResponse(
                await run_in_threadpool(state_of, self._workspace, request.query_params.get("user", ""))
            )
        except Problem as problem:
            return _refused(problem)

    async def _traffic(self, request: Request) -> Response:
        after = request.query_params.get("after", "")
        with self._workspace.lock:
            entries = list(self._workspace.traffic)
        ids = [each["id"] for each in entries]
        return JSONResponse({"entries": entries[ids.index(after) + 1 :] if after in ids else entries})

    async def _events(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        stream = self._stream(request.query_params.get("user", ""), int(after) if after.isdigit() else 0)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-cache"})

    async def _stream(self, user: str, after: int) -> AsyncIterator[str]:
        """What happened after a number, then what happens, with a sign of life in between."""
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(changed.set)

        self._workspace.listeners.add(wake)
        try:
            yield ": listening\n\n"
            while True:
                changed.clear()
                with self._workspace.lock:
                    fresh = [each for each in self._workspace.events if each["seq"] > after]
                for each in fresh:
                    after = each["seq"]
                    if each["user"] in {None, user}:
                        yield f"data: {json.dumps(each)}\n\n"
                try:
                    await asyncio.wait_for(changed.wait(), QUIET_SECONDS)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._workspace.listeners.discard(wake)

    async def _act(self, request: Request) -> Response:
        try:
            return JSONResponse(await run_in_threadpool(self._acted, request.path_params["act"], await _json(request)))
        except Problem as problem:
            return _refused(problem)

    def _acted(self, act: str, body: dict[str, Any]) -> dict[str, Any]:
        extra = self._extras.get(act)
        if extra is not None:
            return extra(body)
        if not isinstance(body.get("user"), str):
            raise Problem("missing_user")
        return self._acting.do(body["user"], act, body)


async def _json(request: Request) -> dict[str, Any]:
    # A form of another site can be sent here by a browser, JSON cannot.
    if not request.headers.get("content-type", "").startswith("application/json"):
        raise Problem("json_needed")
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise Problem("invalid_json") from None
    if not isinstance(body, dict):
        raise Problem("invalid_json")
    return body


def _refused(problem: Problem) -> Response:
    return JSONResponse({"ok": False, "error": problem.error}, status_code=400)
