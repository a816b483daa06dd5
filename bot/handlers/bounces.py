"""Where a mail service reports bounces: whoever knows the secret may say what became of mails that were sent."""

import hmac
import json
from collections.abc import Callable
from typing import Any

from bot.observe import log
from bot.storage.mailroom import Bounce, BounceKind

BOUNCES = "/mail/bounces"
LARGEST_REPORT = 100_000
MOST_REPORTED = 100  # in one call
DONE, UNREADABLE, UNKNOWN, TOO_LARGE, AWAY = 204, 400, 401, 413, 503
FIELDS = ("message_id", "recipient", "kind")


class BounceDoor:
    """Takes `{"message_id", "recipient", "kind": "hard"|"soft"|"complaint", "diagnostic"}`, or a list of them, from who
    sends `Authorization: Bearer` and the secret. A mail that is not known, or was not sent to that recipient, changes
    nothing and is answered like any other, so that nobody learns which are.
    """

    def __init__(self, secret: str, note: Callable[[Bounce], object]) -> None:
        self._expected = f"Bearer {secret}".encode()
        self._note = note

    def take(self, authorization: str, raw: str) -> int:
        """The status of the answer; it has no body."""
        if not hmac.compare_digest(authorization.encode(), self._expected):
            return UNKNOWN
        if len(raw) > LARGEST_REPORT:
            return TOO_LARGE
        try:
            given = json.loads(raw)
            bounces = [_bounce(each) for each in (given if isinstance(given, list) else [given])[:MOST_REPORTED]]
        except (ValueError, KeyError, TypeError, RecursionError):
            return UNREADABLE
        try:
            for each in bounces:
                self._note(each)
        except Exception as fault:  # noqa: BLE001  # the service reports it again
            log.error("a bounce cannot be noted", exc_info=fault)
            return AWAY
        return DONE


def _bounce(given: Any) -> Bounce:
    texts = {name: given[name] for name in FIELDS} | {"diagnostic": given.get("diagnostic", "")}
    if not all(isinstance(each, str) and "\x00" not in each for each in texts.values()):
        raise TypeError
    return Bounce(
        message_id=texts["message_id"],
        recipient=texts["recipient"],
        kind=BounceKind(texts["kind"]),
        diagnostic=texts["diagnostic"],
    )
