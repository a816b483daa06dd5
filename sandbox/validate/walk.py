"""One pass over a payload: where it stands, what it has met so far, and what it found wrong."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

Surface = Literal["message", "modal", "home"]
Rule = Callable[["Walk", Any, str], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a payload: Slack's error name, where it is, and a sentence with the limit and the size."""

    error: str
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"[ERROR] {self.message} [json-pointer:{self.pointer}]"


@dataclass(slots=True)
class Walk:
    """The state of one check; rules report to it and it remembers what must be unique or counted."""

    surface: Surface
    stricter: bool
    error: str
    faults: list[Fault] = field(default_factory=list)
    characters: Counter[str] = field(default_factory=Counter)
    blocks: Counter[str] = field(default_factory=Counter)
    block_pointer: str = ""
    _block_ids: dict[str, str] = field(default_factory=dict)
    _action_ids: dict[tuple[str, str], str] = field(default_factory=dict)
    _focused: str | None = None

    def fault(self, pointer: str, message: str, *, error: str | None = None) -> None:
        self.faults.append(Fault(error or self.error, pointer, message))

    def enter_block(self, pointer: str, kind: str) -> None:
        self.block_pointer = pointer
        self.blocks[kind] += 1

    def remember_block_id(self, value: str, pointer: str) -> None:
        if (first := self._block_ids.setdefault(value, pointer)) != pointer:
            self.fault(pointer, f"block_id {value!r} must be unique and is already used at {first}")

    def remember_action_id(self, value: str, pointer: str) -> None:
        # Slack asks for uniqueness within a block. A form is held to more, so that its state can be read by
        # action id alone; a message or a home tab may repeat a button in each of its rows.
        wide = self.stricter and self.surface == "modal"
        scope = "" if wide else self.block_pointer
        if (first := self._action_ids.setdefault((scope, value), pointer)) != pointer:
            where = "view" if wide else "block"
            self.fault(pointer, f"action_id {value!r} must be unique within the {where} and is already used at {first}")

    def remember_focus(self, pointer: str) -> None:
        if self.surface == "message":
            self.fault(pointer, "focus_on_load works in views only, and this is a message")
        elif self._focused is not None:
            self.fault(pointer, f"focus_on_load may be true once in a view, and is already true at {self._focused}")
        else:
            self._focused = pointer


def named(pointer: str) -> str:
    """The last named part of a pointer, for use in a sentence."""
    parts = [part for part in pointer.split("/") if part and not part.isdigit()]
    if len(parts) > 1 and parts[-1] == "text":
        return "the text" if parts[-2] == "text" else f"the text of {parts[-2]}"
    return parts[-1] if parts else "the payload"


def below(pointer: str, key: str | int) -> str:
    """The pointer of a member, escaped as JSON pointers are."""
    return f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def kind_of(value: Any) -> str:
    """What a value is, in the words of JSON."""
    if value is None:
        return "null"
    words = ((bool, "true or false"), (str, "a string"), (int | float, "a number"), (dict, "an object"))
    for python_type, word in words:
        if isinstance(value, python_type):
            return word
    return "a list" if isinstance(value, list | tuple) else type(value).__name__
