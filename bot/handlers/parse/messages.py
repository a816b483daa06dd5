"""A Slack message as a person sees it: blocks, attachments and text as plain lines, without mentions."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.handlers.parse.words import as_seen

_MENTION = re.compile(r"<[@#!][^>]*>")
_DEEPEST = 20
_IN_LINE = frozenset({"rich_text_section", "rich_text_preformatted", "rich_text_quote"})


def seen(message: Mapping[str, Any]) -> str:
    """All that a message says: its blocks if they have words, else its text; what its attachments say beyond that."""
    own = _lines(list(_blocks(message.get("blocks"), 0))) or _lines([_read(message.get("text"))])
    for attachment in _list(message.get("attachments")):
        own += [line for line in _lines(_attachment(attachment)) if line not in own]
    return "\n".join(own)


def _lines(pieces: list[str]) -> list[str]:
    lines = (line.strip() for piece in pieces for line in piece.split("\n"))
    return [line for line in lines if line]


def _attachment(attachment: Mapping[str, Any]) -> list[str]:
    """A card of a link or another app; what it shows where it cannot be drawn only when it shows nothing else."""
    said = list(_blocks(attachment.get("blocks"), 0))
    said += [_read(attachment.get(name)) for name in ("pretext", "title", "text")]
    for field in _list(attachment.get("fields")):
        said.append(": ".join(filter(None, (_read(field.get("title")), _read(field.get("value"))))))
    said = [piece for piece in said if piece.strip()]
    return said or [_read(attachment.get("fallback"))]


def _blocks(value: Any, depth: int) -> Iterator[str]:
    """The words of blocks in their order; each text object, section or row is a line."""
    if depth > _DEEPEST:
        return
    for each in _list(value):
        kind = each.get("type")
        if kind in _IN_LINE:
            yield "".join(_inline(element) for element in _list(each.get("elements")))
        elif kind in {"mrkdwn", "plain_text"}:
            yield _read(each.get("text")) if kind == "mrkdwn" else str(each.get("text") or "")
        elif kind == "table":
            yield from (_row(row, depth) for row in _rows(each.get("rows")))
        else:
            inside = [each.get("text"), *_list(each.get("fields")), *_list(each.get("elements"))]
            yield from _blocks([part for part in inside if isinstance(part, Mapping)], depth + 1)


def _row(cells: Sequence[Any], depth: int) -> str:
    return " | ".join(" ".join(_blocks([cell], depth + 1)) or _read(_of(cell, "text")) for cell in cells)


def _inline(element: Mapping[str, Any]) -> str:
    """A piece of rich text: words as typed, a link by what is shown; a mention says nothing about a payment."""
    match element.get("type"):
        case "text":
            return str(element.get("text") or "")
        case "link":
            return str(element.get("text") or element.get("url") or "")
        case _:
            return " "


def _read(value: Any) -> str:
    """Slack's markup as it is shown."""
    return as_seen(_MENTION.sub(" ", value)) if isinstance(value, str) else ""


def _of(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _list(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _rows(value: Any) -> list[list[Any]]:
    return [row for row in value if isinstance(row, list)] if isinstance(value, list) else []
