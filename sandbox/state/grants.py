"""What an app is lent for a while: triggers, and the addresses it may answer to."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.state.records import Problem

ANSWER_SECONDS = 3.0  # for an answer, and for opening a view
RESPONSE_SECONDS = 1800.0
RESPONSE_USES = 5


@dataclass(slots=True)
class Trigger:
    """A right to open a view for a person; `view` is the modal it was pressed in."""

    user: str
    view: str | None
    until: float
    used: bool = False


@dataclass(slots=True)
class ResponseAddress:
    """A right to answer in a channel; `message` is the one whose button was pressed."""

    user: str
    channel: str
    message: str | None
    until: float
    left: int = RESPONSE_USES


class Grants:
    """Triggers and response addresses of one workspace."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.patience = ANSWER_SECONDS
        self._triggers: dict[str, Trigger] = {}
        self._responses: dict[str, ResponseAddress] = {}

    def new_trigger(self, user: str, view: str | None = None) -> str:
        made = f"{secrets.randbelow(10**13)}.{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[made] = Trigger(user, view, self._clock() + self.patience)
        return made

    def use_trigger(self, trigger: str) -> Trigger:
        """The grant behind a trigger: while the workspace waits for an answer, once."""
        found = self._triggers.get(trigger)
        if found is None:
            raise Problem("invalid_trigger_id")
        if found.used:
            raise Problem("exchanged_trigger_id")
        if self._clock() > found.until:
            raise Problem("expired_trigger_id")
        found.used = True
        return found

    def new_response(self, user: str, channel: str, message: str | None = None) -> str:
        made = f"{secrets.randbelow(10**13)}.{secrets.token_hex(12)}"
        self._responses[made] = ResponseAddress(user, channel, message, self._clock() + RESPONSE_SECONDS)
        return made

    def use_response(self, made: str) -> ResponseAddress:
        """The grant behind a response_url: five times within thirty minutes."""
        found = self._responses.get(made)
        if found is None:
            raise Problem("invalid_url")
        if self._clock() > found.until:
            raise Problem("expired_url")
        if found.left <= 0:
            raise Problem("used_url")
        found.left -= 1
        return found
