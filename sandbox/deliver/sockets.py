"""Socket Mode as its page describes it: tickets, connections, envelopes and their answers."""

import json
import queue
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

TICKET_BYTES = 16
MOST_CONNECTIONS = 10
OK = 200
Put = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, eq=False)
class Connection:
    """One open connection of the app; `put` hands it a message from any thread."""

    put: Put


class SocketHub:
    """The app's connections: each envelope goes to exactly one of them, and waits for its answer."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._waiting: dict[str, queue.Queue[Any]] = {}
        self._tickets: set[str] = set()
        self._lock = threading.Lock()
        self._turn = 0

    def new_ticket(self) -> str:
        made = secrets.token_hex(TICKET_BYTES)
        self._tickets.add(made)
        return made

    def take_ticket(self, ticket: str) -> bool:
        """Whether a ticket is good; it is good once."""
        with self._lock:
            good = ticket in self._tickets
            self._tickets.discard(ticket)
        return good

    def join(self, put: Put) -> Connection | None:
        """A place among the connections, or none when all are taken."""
        with self._lock:
            if len(self._connections) >= MOST_CONNECTIONS:
                return None
            made = Connection(put)
            self._connections.append(made)
        return made

    def leave(self, connection: Connection) -> None:
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)

    @property
    def count(self) -> int:
        return len(self._connections)

    @property
    def is_open(self) -> bool:
        """Whether the app is connected."""
        return bool(self._connections)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every connection that it will be closed, as Slack does now and then; each is then closed."""
        with self._lock:
            leaving, self._connections = self._connections, []
        for each in leaving:
            each.put({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}})

    def answered(self, message: Mapping[str, Any]) -> None:
        """An answer of the app; only the first one to an envelope counts."""
        waiting = self._waiting.pop(str(message.get("envelope_id")), None)
        if waiting is not None:
            waiting.put(message.get("payload"))

    def send(self, kind: str, payload: Mapping[str, Any], attempt: int, patience: float) -> tuple[int, str]:
        """Deliver one envelope and wait as many seconds; status 0 means that no answer came in time."""
        envelope: dict[str, Any] = {
            "envelope_id": secrets.token_hex(16),
            "type": kind,
            "payload": payload,
            "accepts_response_payload": kind != "events_api",
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": "timeout" if attempt else ""}
        answer: queue.Queue[Any] = queue.Queue()
        with self._lock:
            if not self._connections:
                return 0, ""
            self._turn += 1
            connection = self._connections[self._turn % len(self._connections)]
            self._waiting[envelope["envelope_id"]] = answer
        connection.put(envelope)
        try:
            got = answer.get(timeout=patience)
        except queue.Empty:
            self._waiting.pop(envelope["envelope_id"], None)
            return 0, ""
        return OK, json.dumps(got) if got not in (None, "", {}) else ""
