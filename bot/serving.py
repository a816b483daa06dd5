"""One process at work: its door, its delivery, its jobs and its monitor, from start until it is told to stop."""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator

from bot.app import Service
from bot.domain.errors import Refused
from bot.observe import log, unexpected
from bot.parts import EVERY, Part, Parts

DRAIN_SECONDS = 2.0  # readiness says no before the door is closed, so that a balancer looks elsewhere
REQUESTS_SECONDS = 6.0  # for requests in hand, each of which has two seconds and a call to Slack
LAST_SECONDS = 3  # for one that came in the moment the door was closed
GRACE_SECONDS = 13.0  # for all of it: what is then still in hand is left to others
CONNECT_SECONDS = 5.0
LOOK_SECONDS = 0.5


def serve(duedesk: Service, stopped: threading.Event, ready: Callable[[], object], parts: Parts = EVERY) -> None:
    """Serve until told to stop; then say not ready, finish what is in hand, and hand the rest over. Refuses: Refused.

    Jobs begin nothing new from the first moment. Delivery goes on while requests are answered, and ends behind them.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(unexpected())
        with _listening_kindly(duedesk.config.duedesk_metrics_host, duedesk.config.duedesk_metrics_port):
            monitor = duedesk.monitor()
        if monitor is not None:
            stack.callback(monitor.close)
        until = float("inf")
        duedesk.start(parts)
        try:
            with _door(duedesk) if Part.WEB in parts else contextlib.nullcontext(lambda: True) as alive:
                ready()
                while not stopped.wait(LOOK_SECONDS):
                    if not alive():
                        raise Refused("The door closed by itself; see the log.")
                until = time.monotonic() + GRACE_SECONDS
                duedesk.readiness.stopping = True
                log.info("stopping")
                duedesk.jobs.hand_over()
                if Part.WEB in parts:
                    _finish(duedesk)
        finally:
            duedesk.stop(min(until, time.monotonic() + GRACE_SECONDS))


def obey(stopped: threading.Event, end: Callable[[int], object] = os._exit) -> None:
    """Let the first signal stop this process, and see that it ends in its time; a second one ends it at once."""
    signals: list[int] = []

    def told(number: int, _frame: object) -> None:
        signals.append(number)
        if len(signals) > 1:
            end(128 + number)  # as a shell says it
            return
        late = threading.Timer(GRACE_SECONDS + 1, _end_late, (end,))
        late.daemon = True
        late.start()
        # By a thread, as this one may be just about to wait for the event, and hold its lock.
        threading.Thread(target=stopped.set, daemon=True).start()

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, told)


def _end_late(end: Callable[[int], object]) -> None:
    log.error("not ended in time; what was in hand is taken over when its lease ends")
    end(1)


def _finish(duedesk: Service) -> None:
    """Give balancers a moment in HTTP mode, and what is in hand its time."""
    until = time.monotonic() + (DRAIN_SECONDS if duedesk.config.duedesk_door == "http" else 0)
    limit = until + REQUESTS_SECONDS
    while time.monotonic() < until or (duedesk.admission.in_hand and time.monotonic() < limit):
        time.sleep(0.02)


def _door(duedesk: Service) -> contextlib.AbstractContextManager[Callable[[], bool]]:
    return _http(duedesk) if duedesk.config.duedesk_door == "http" else _socket(duedesk)


@contextlib.contextmanager
def _socket(duedesk: Service) -> Iterator[Callable[[], bool]]:
    with contextlib.closing(duedesk.socket_door()) as door:
        door.connect()
        limit = time.monotonic() + CONNECT_SECONDS
        while not door.is_connected() and time.monotonic() < limit:
            time.sleep(0.01)
        yield lambda: True  # it connects again by itself


@contextlib.contextmanager
def _http(duedesk: Service) -> Iterator[Callable[[], bool]]:
    import uvicorn

    host, port = duedesk.config.duedesk_host, duedesk.config.duedesk_port
    with _listening_kindly(host, port):
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    door = duedesk.http_door()
    # Signals are ours: readiness says no first.
    server = uvicorn.Server(uvicorn.Config(door, log_level="error", timeout_graceful_shutdown=LAST_SECONDS))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="http")
    thread.start()
    try:
        while not server.started and thread.is_alive():
            time.sleep(0.01)
        yield thread.is_alive
    finally:
        server.should_exit = True
        thread.join(timeout=LAST_SECONDS + 1)
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
