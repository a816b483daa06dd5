"""Texts in Slack's own markup: what must be escaped, and what would ring in everybody's pocket."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.validate.rules import Spec, flag, one_of, string
from sandbox.validate.walk import Rule, Walk, below

LONGEST_TEXT = 3000
BROADCAST = re.compile(r"<!(channel|here|everyone)(\|[^<>]*)?>", re.IGNORECASE)
TYPED_BROADCAST = re.compile(r"(?<!\w)@(channel|here|everyone)\b", re.IGNORECASE)
REFERENCE = re.compile(
    r"""<(?:
        @[UWB][A-Z0-9]+(?:\|[^<>|]*)?
      | \#[CGD][A-Z0-9]+(?:\|[^<>|]*)?
      | !subteam\^S[A-Z0-9]+(?:\|[^<>|]*)?
      | !date\^-?\d+\^[^<>|^]+(?:\^https?://[^<>|\s]+)?\|[^<>|]+
      | !(?:channel|here|everyone)(?:\|[^<>]*)?
      | (?:https?://|mailto:|tel:|slack://)[^<>|\s]+(?:\|[^<>]+)?
    )>""",
    re.VERBOSE | re.IGNORECASE,
)
BARE_AMPERSAND = re.compile(r"&(?!amp;|lt;|gt;)")


def lint(text: str) -> Iterator[str]:
    """Yield a sentence for each thing in a mrkdwn text that was not meant to be markup."""
    if found := BROADCAST.search(text):
        yield f"the text rings everybody with {found.group()!r}; write &lt;! for the sign, or leave it out"
    # References go first, since the addresses in them may hold an ampersand of their own.
    rest = REFERENCE.sub("", text)
    if (start := rest.find("<")) >= 0:
        yield f"the sign < must be written &lt; unless it opens a reference, and stands in {rest[start : start + 30]!r}"
    if found := BARE_AMPERSAND.search(rest):
        shown = rest[found.start() : found.start() + 30]
        yield f"the sign & must be written &amp;, and stands in {shown!r}"


def lint_text(walk: Walk, text: str, pointer: str) -> None:
    if walk.stricter:
        for sentence in lint(text):
            walk.fault(pointer, sentence)


def plain(most: int = LONGEST_TEXT, *, counted: bool = True) -> Rule:
    """A text object that must be plain_text."""
    return text_object(most, allowed=("plain_text",), counted=counted)


def text_object(
    most: int = LONGEST_TEXT, *, allowed: tuple[str, ...] = ("plain_text", "mrkdwn"), counted: bool = True
) -> Rule:
    """A text object of one of the allowed types, with at least one character."""
    registry = {
        "plain_text": Spec({"text": string(most, least=1)}, {"emoji": flag}),
        "mrkdwn": Spec({"text": string(most, least=1)}, {"verbatim": flag}),
    }
    inner = one_of(registry, allowed, place="this text")

    def rule(walk: Walk, value: Any, pointer: str) -> None:
        inner(walk, value, pointer)
        text = value.get("text") if isinstance(value, Mapping) else None
        if not isinstance(text, str):
            return
        if counted:
            walk.characters["shown"] += len(text)
        if value.get("type") == "mrkdwn":
            lint_text(walk, text, below(pointer, "text"))

    return rule
