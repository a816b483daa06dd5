"""Rich text built from parts: what people typed stays literal, since nothing in it is parsed."""

from datetime import datetime
from typing import Any

from bot.handlers.blocks.text import bidi_safe, shorten

Part = str | dict[str, Any]
MOST_TEXT = 2500


def bold(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "style": {"bold": True}}


def person(user: str) -> Part:
    """A mention of who did something; the system has no profile."""
    return {"type": "user", "user_id": user} if user[:1] in {"U", "W"} else user


def moment(at: datetime) -> dict[str, Any]:
    """An instant in each reader's own zone."""
    return {
        "type": "date",
        "timestamp": int(at.timestamp()),
        "format": "{date_short_pretty} at {time}",
        "fallback": at.strftime("%d %b %Y %H:%M UTC"),
    }


def typed(text: str, limit: int = 300) -> str:
    """Something a person typed, cut to a length and kept from reordering what stands around it."""
    return bidi_safe(shorten(text, limit))


def _element(part: Part) -> dict[str, Any]:
    return {"type": "text", "text": part} if isinstance(part, str) else part


def rich(*lines: tuple[Part, ...] | Part, block_id: str = "") -> dict[str, Any]:
    """One rich text block of several lines."""
    elements: list[dict[str, Any]] = []
    for line in lines:
        parts = line if isinstance(line, tuple) else (line,)
        if elements:
            elements.append({"type": "text", "text": "\n"})
        elements += [_element(part) for part in parts if part != ""]
    made: dict[str, Any] = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}
    if block_id:
        made["block_id"] = block_id
    return made


def preformatted(text: str, *, block_id: str = "") -> dict[str, Any]:
    """A text table in fixed width."""
    made: dict[str, Any] = {
        "type": "rich_text",
        "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text or " "}]}],
    }
    if block_id:
        made["block_id"] = block_id
    return made
