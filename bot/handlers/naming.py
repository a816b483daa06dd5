"""What a request is called in logs and metrics: a name of ours, never a word that somebody typed."""

import secrets
from collections.abc import Mapping
from typing import Any

from bot.handlers.commands import COMMANDS, PRESSES, SUGGESTIONS
from bot.handlers.flow import FLOWS
from bot.handlers.manifest import EVENTS, OF_INSTALLATIONS
from bot.handlers.request import Body, reference_of
from bot.handlers.shortcuts import READERS, SHORTCUTS
from bot.metrics import OTHER


def name_of(body: Body) -> str:
    """The command, form, button, search or event; what is not ours is `other`."""
    try:
        return _name(body)
    except (AttributeError, IndexError, KeyError, TypeError):
        return OTHER


def _name(body: Body) -> str:
    if "command" in body:
        typed = str(body["command"])
        return max((name for name in COMMANDS if typed.endswith(name)), key=len, default=OTHER)
    match body.get("type"):
        case "view_submission":
            return _known(body["view"]["callback_id"], {**FLOWS.by_id, **READERS})
        case "shortcut" | "message_action":
            return _known(body["callback_id"], SHORTCUTS)
        case "block_actions":
            action = body["actions"][0]["action_id"]
            return _known(action, PRESSES) if action in PRESSES else _known(body["view"]["callback_id"], FLOWS.by_id)
        case "block_suggestion":
            return _known(body["action_id"], SUGGESTIONS)
        case "event_callback":
            return _known(body["event"]["type"], dict.fromkeys((*EVENTS, *OF_INSTALLATIONS)))
    return OTHER


def _known(name: str, among: Mapping[str, Any]) -> str:
    return name if name in among else OTHER


def id_for(body: Body) -> str:
    """The id that this request has in the audit log, in its log lines and in what the person is told."""
    try:
        return reference_of(body)
    except (AttributeError, KeyError, TypeError):
        return secrets.token_hex(5)  # a payload that is none
