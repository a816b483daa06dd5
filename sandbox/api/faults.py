"""Failures on demand: the next calls of a method fail as Slack and networks do."""

from typing import Any

from sandbox.state import Problem, Workspace

KINDS = frozenset({"ratelimited", "error", "server_error", "timeout_after", "drop_before", "delay"})


class Faults:
    """The failures planned for the calls to come."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def add(self, method: str, kind: str, *, times: int = 1, **more: Any) -> None:
        """Plan a failure; `error`, `retry_after` and `seconds` say more about it."""
        if kind not in KINDS or times < 1:
            raise Problem("unknown_fault")
        with self._workspace.lock:
            self._workspace.faults[method].append({"kind": kind, "times": times, **more})

    def clear(self) -> None:
        with self._workspace.lock:
            self._workspace.faults.clear()

    def take(self, method: str) -> dict[str, Any] | None:
        """The failure of this call, if one is planned."""
        with self._workspace.lock:
            planned = self._workspace.faults.get(method)
            if not planned:
                return None
            fault = planned[0]
            fault["times"] -= 1
            if fault["times"] == 0:
                planned.pop(0)
            return dict(fault)
