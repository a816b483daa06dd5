"""One process at work: its door, its delivery and its monitor, from start until it is told to stop."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

from bot.app import Duedesk
from bot.domain.errors import Refused
from bot.observe import log, unexpected

DRAIN_SECONDS = 2.0  # readiness says no before the door is closed, so that a balancer looks elsewhere
LONGEST_SECONDS = 10.0  # for requests in hand
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.5


def serve(duedesk: Duedesk, stopped: threading.Event, ready: Callable[[], object]) -> None:
    """Serve until told to stop; then say not ready, finish what is in hand, and stop delivery. Refuses: Refused."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(unexpected())
        with _listening_kindly(duedesk.config.duedesk_metrics_host, duedesk.config.duedesk_metrics_port):
            monitor = duedesk.monitor()
        if monitor is not None:
            stack.callback(monitor.close)
        duedesk.delivery.start()
        stack.callback(duedesk.delivery.stop)
        duedesk.files.start()
        stack.callback(duedesk.files.stop)
        duedesk.jobs.start()
        stack.callback(duedesk.jobs.stop)
        alive = stack.enter_context(_http(duedesk) if duedesk.config.duedesk_door == "http" else _socket(duedesk))
        ready()
        while not stopped.wait(LOOK_SECONDS):
            if not alive():
                raise Refused("The door closed by itself; see the log.")
        duedesk.readiness.stopping = True
        log.info("stopping")
        _finish(duedesk)


def _finish(duedesk: Duedesk) -> None:
    """Give balancers a moment in HTTP mode, and what is in hand its time."""
    until = time.monotonic() + (DRAIN_SECONDS if duedesk.config.duedesk_door == "http" else 0)
    limit = until + LONGEST_SECONDS
    while time.monotonic() < until or (duedesk.admission.in_hand and time.monotonic() < limit):
        time.sleep(0.02)


@contextlib.contextmanager
def _socket(duedesk: Duedesk) -> Iterator[Callable[[], bool]]:
    with contextlib.closing(duedesk.socket_door()) as door:
        door.connect()
        limit = time.monotonic() + CONNECT_SECONDS
        while not door.is_connected() and time.monotonic() < limit:
            time.sleep(0.01)
        yield lambda: True  # it connects again by itself


@contextlib.contextmanager
def _http(duedesk: Duedesk) -> Iterator[Callable[[], bool]]:
    import uvicorn

    host, port = duedesk.config.duedesk_host, duedesk.config.duedesk_port
    with _listening_kindly(host, port):
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    door = duedesk.http_door()
    # Signals are ours: readiness says no first.
    server = uvicorn.Server(uvicorn.Config(door, log_level="error", timeout_graceful_shutdown=int(LONGEST_SECONDS)))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield thread.is_alive
    finally:
        server.should_exit = True
        thread.join(timeout=LONGEST_SECONDS + DRAIN_SECONDS)
        door.close()
        listening.close()


@contextlib.contextmanager
def _listening_kindly(host: str, port: int) -> Iterator[None]:
    """A port that is taken or not allowed is said in a sentence."""
    try:
        yield
    except OSError as fault:
        reason = os.strerror(fault.errno) if fault.errno else str(fault)
        raise Refused(f"Cannot listen at {host}, port {port}: {reason}.") from fault
