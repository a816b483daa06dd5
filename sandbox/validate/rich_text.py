"""The tree of a rich_text block: blocks of lines, lines of parts, parts with a style."""

from typing import Any

from sandbox.validate.rules import (
    LONGEST_ID,
    Registry,
    Spec,
    choice,
    flag,
    link,
    listing,
    one_of,
    shape,
    string,
    whole,
)
from sandbox.validate.walk import Rule, Walk

CHARACTER_STYLES = ("bold", "italic", "strike", "code", "underline")
MENTION_STYLES = ("bold", "italic", "strike", "highlight", "client_highlight", "unlink", "code", "underline")


def style(*names: str) -> Rule:
    return shape(Spec(optional=dict.fromkeys(names, flag)))


def shown_text(walk: Walk, value: Any, pointer: str) -> None:
    string(least=1)(walk, value, pointer)
    if isinstance(value, str):
        walk.characters["shown"] += len(value)


def broadcast_range(walk: Walk, value: Any, pointer: str) -> None:
    choice("here", "channel", "everyone")(walk, value, pointer)
    if walk.stricter:
        walk.fault(pointer, f"a broadcast element rings everybody, here with {value!r}; name the person instead")


def identifier(first: str, example: str) -> Rule:
    return string(pattern=rf"[{first}][A-Z0-9]+", like=example)


def part(
    styles: tuple[str, ...] = MENTION_STYLES, /, *, optional: dict[str, Rule] | None = None, **named: Rule
) -> Spec:
    return Spec(named, {**(optional or {}), "style": style(*styles)})


PARTS: Registry = {
    "text": part(CHARACTER_STYLES, text=shown_text),
    "link": part(
        CHARACTER_STYLES,
        url=link("https", "http", "mailto", "tel", "slack"),
        optional={"text": shown_text, "unsafe": flag},
    ),
    "user": part(user_id=identifier("UWB", "U012ABC")),
    "channel": part(channel_id=identifier("CGD", "C012ABC")),
    "usergroup": part(usergroup_id=identifier("S", "S012ABC")),
    "team": part(team_id=identifier("TE", "T012ABC")),
    "emoji": part(
        name=string(100, least=1, pattern=r"[^\s:]+", like="white_check_mark, without colons"),
        optional={"unicode": string(), "skin_tone": whole(1, 6)},
    ),
    "date": part(
        CHARACTER_STYLES,
        timestamp=whole(0),
        format=string(LONGEST_ID, least=1),
        optional={"url": link(), "fallback": string(least=1)},
    ),
    "broadcast": part(range=broadcast_range),
    "color": part(value=string(pattern=r"#[0-9A-Fa-f]{6}", like="#0a3069")),
}

LINE_PARTS = listing(one_of(PARTS, PARTS, place="a line of rich text"), least=1)
CODE_PARTS = listing(one_of(PARTS, ("text", "link"), place="preformatted text"), least=1)
BORDER = whole(0, 1)


def list_item(walk: Walk, value: Any, pointer: str) -> None:
    one_of(LINES, ("rich_text_section",), place="a rich text list")(walk, value, pointer)


LINES: Registry = {
    "rich_text_section": Spec({"elements": LINE_PARTS}),
    "rich_text_quote": Spec({"elements": LINE_PARTS}, {"border": BORDER}),
    "rich_text_preformatted": Spec({"elements": CODE_PARTS}, {"border": BORDER, "language": string(least=1)}),
    "rich_text_list": Spec(
        {
            "style": choice("bullet", "ordered"),
            "elements": listing(
                list_item,
                least=1,
            ),
        },
        {"indent": whole(0, 8), "offset": whole(0), "border": BORDER},
    ),
}
TREE = listing(one_of(LINES, LINES, place="rich text"), least=1)


def block_id(walk: Walk, value: Any, pointer: str) -> None:
    string(LONGEST_ID, least=1)(walk, value, pointer)
    if isinstance(value, str):
        walk.remember_block_id(value, pointer)


RICH_TEXT = Spec({"elements": TREE}, {"block_id": block_id})


def rich_text(walk: Walk, value: Any, pointer: str) -> None:
    """A rich text value inside another object, such as the first content of an input or a cell of a table."""
    one_of({"rich_text": RICH_TEXT}, ("rich_text",), place="this value")(walk, value, pointer)
