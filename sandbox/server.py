"""The workspace as a whole: its doors on loopback, its people for scripts and tests, its deliveries to the app."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from sandbox.acting import Acting
from sandbox.api.faults import Faults
from sandbox.api.people import user_payload
from sandbox.api.router import Api
from sandbox.client import Actor
from sandbox.client_web import ClientDoors
from sandbox.deliver.acts import Acts
from sandbox.deliver.happenings import Happenings
from sandbox.deliver.payloads import Payloads
from sandbox.deliver.send import InProcess, Sender
from sandbox.deliver.sockets import SocketHub
from sandbox.mail import MailOffice
from sandbox.state import Channel, Delivery, Person, Problem, Workspace
from sandbox.state.grants import ANSWER_SECONDS
from sandbox.web import AppDoors, Dropping

HOST = "127.0.0.1"
MOST_TIMES = 100


class Sandbox:
    """A workspace with its doors."""

    def __init__(  # noqa: PLR0913  # what a workspace is made of, all but three by keyword
        self,
        manifest: Mapping[str, Any],
        people: Sequence[Person],
        channels: Sequence[Channel],
        *,
        signing_secret: str,
        bot_token: str,
        app_token: str,
        team: str = "T0SANDBOX",
        enterprise: str | None = None,
        request_url: str | None = None,
        clock: Callable[[], float] = time.time,
        patience: float = ANSWER_SECONDS,
    ) -> None:
        self.workspace = Workspace(manifest, people, channels, team=team, enterprise=enterprise, clock=clock)
        self.workspace.grants.patience = patience
        self.workspace.bot_token = bot_token
        self.workspace.secrets = frozenset({signing_secret, bot_token, app_token}) - {""}
        self.hub = SocketHub()
        self.sender = Sender(self.workspace, self.hub, signing_secret=signing_secret, request_url=request_url)
        payloads = Payloads(self.workspace)
        self.acts = Acts(self.workspace, self.sender, payloads)
        self.happenings = Happenings(self.workspace, self.sender, payloads, user_object=user_payload)
        self.acting = Acting(self.acts, self.happenings)
        self.api = Api(self.workspace, self.hub, app_token=app_token)
        doors = AppDoors(self.workspace, self.api, self.hub)
        extras = {"redeliver": self._asked_redeliver, "faults": self._asked_fault, "disconnect": self._asked_disconnect}
        client = ClientDoors(self.workspace, self.acting, extras)
        # Only a loopback name may be asked for, so that no page of another site can reach in under its own name.
        hosts = Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost", "testserver"])
        self.mail = MailOffice()
        routes = [*doors.routes, *self.mail.routes, *client.routes]
        self.app = Dropping(Starlette(routes=routes, middleware=[hosts]))

    @property
    def bot_user(self) -> str:
        """The id of the app's own user, to be put among the members of channels."""
        return self.workspace.bot.id

    @property
    def faults(self) -> Faults:
        """Failures on demand of Web API methods."""
        return self.api.faults

    @property
    def traffic(self) -> list[dict[str, Any]]:
        """Everything that crossed between workspace and app, secrets blanked."""
        with self.workspace.lock:
            return list(self.workspace.traffic)

    def person(self, user: str) -> Actor:
        """Somebody to act as, in scripts and tests."""
        return Actor(self.workspace, self.acting, self.workspace.person(user).id)

    def deliver_to(self, call: InProcess | None) -> None:
        """Hand deliveries over in this process, as signed requests."""
        self.sender.in_process = call

    def deliver(self, kind: str, body: Mapping[str, Any]) -> Delivery:
        """Send a payload made by hand: kind slash_commands, interactive or events_api."""
        return self.sender.send(kind, body)

    def redeliver(self, delivery_id: str, *, times: int = 1, parallel: bool = False) -> list[Delivery]:
        """Send a recorded delivery to the app again, as Slack does."""
        if not 1 <= times <= MOST_TIMES:
            raise Problem("too_many_times")
        made: list[Delivery] = []

        def once(attempt: int) -> None:
            made.append(self.sender.again(delivery_id, attempt))

        if not parallel:
            for attempt in range(1, times + 1):
                once(attempt)
            return made
        threads = [threading.Thread(target=once, args=(attempt,)) for attempt in range(1, times + 1)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return made

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Close the app's socket connections as Slack does now and then; the app connects again."""
        self.hub.disconnect(reason)

    @contextlib.contextmanager
    def running(self, port: int = 0) -> Iterator[str]:
        """Serve on loopback in a thread; yields the address."""
        listening = socket.create_server((HOST, port))
        address = f"http://{HOST}:{listening.getsockname()[1]}"
        self.workspace.address = address
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

    def serve(self, port: int) -> None:
        """Serve on loopback until interrupted."""
        self.workspace.address = f"http://{HOST}:{port}"
        uvicorn.Server(server_config(self.app, host=HOST, port=port)).run()

    def _asked_redeliver(self, body: dict[str, Any]) -> dict[str, Any]:
        made = self.redeliver(
            str(body.get("delivery")), times=int(body.get("times") or 1), parallel=bool(body.get("parallel"))
        )
        return {"ok": True, "statuses": [each.status for each in made]}

    def _asked_fault(self, body: dict[str, Any]) -> dict[str, Any]:
        more = {name: value for name, value in body.items() if name not in {"method", "kind", "times", "user"}}
        self.faults.add(str(body.get("method")), str(body.get("kind")), times=int(body.get("times") or 1), **more)
        return {"ok": True}

    def _asked_disconnect(self, body: dict[str, Any]) -> dict[str, Any]:
        self.disconnect(str(body.get("reason") or "refresh_requested"))
        return {"ok": True}


def server_config(app: Any, **where: Any) -> uvicorn.Config:
    """How a workspace is served."""
    return uvicorn.Config(
        app,
        log_level="critical",
        http="h11",
        ws="websockets-sansio",
        lifespan="off",
        date_header=False,  # the Web API tells the time of the workspace
        timeout_graceful_shutdown=1,
        **where,
    )
