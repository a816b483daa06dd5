"""The traffic log: everything that crossed between workspace and app, without its secrets."""

import time
from typing import Any

from sandbox.state import Delivery, Workspace

SECRET_KEYS = frozenset({"token", "x-slack-signature", "authorization"})
BLANK = "…"


def blanked(value: Any, secrets: frozenset[str]) -> Any:
    """A payload without tokens and signatures, wherever they stand."""
    if isinstance(value, dict):
        return {
            key: BLANK if str(key).lower() in SECRET_KEYS else blanked(each, secrets) for key, each in value.items()
        }
    if isinstance(value, list | tuple):
        return [blanked(each, secrets) for each in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, BLANK)
    return value


def log(workspace: Workspace, direction: str, name: str, *, request: Any, response: Any, **more: Any) -> None:
    """Write one line of traffic; the log keeps its last 2,000."""
    entry = {
        "id": workspace.serial("L"),
        "at": time.time(),
        "direction": direction,
        "name": name,
        "request": blanked(request, workspace.secrets),
        "response": blanked(response, workspace.secrets),
        **more,
    }
    with workspace.lock:
        workspace.traffic.append(entry)
    workspace.tell("traffic")


def log_fault(workspace: Workspace, delivery: Delivery, error: str) -> None:
    """Say of a delivery, and in its line of traffic, that its answer was not what Slack takes."""
    delivery.error = error
    with workspace.lock:
        for entry in reversed(workspace.traffic):
            if entry.get("delivery") == delivery.id:
                entry["error"] = error
                break
    workspace.tell("traffic")
