"""The modals and home tabs of a workspace: one stack of at most three modals for each person."""

import secrets
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from sandbox.state.elements import opening_state, redrawn_state, with_ids
from sandbox.state.records import OpenView, Problem

MOST_VIEWS = 3


class Views:
    """Who has which view open."""

    def __init__(self, tell: Callable[..., None], clock: Callable[[], float], serial: Callable[[str], str]) -> None:
        self._tell = tell
        self._clock = clock
        self._serial = serial
        self.open: dict[str, OpenView] = {}
        self.stacks: dict[str, list[str]] = defaultdict(list)
        self.homes: dict[str, OpenView] = {}

    def named(self, view_id: str | None, external_id: str | None = None) -> OpenView:
        """An open view by one of its two ids."""
        for each in (*self.open.values(), *self.homes.values()):
            if each.id == view_id or (external_id and each.view.get("external_id") == external_id):
                return each
        raise Problem("not_found")

    def stack(self, user: str) -> list[OpenView]:
        return [self.open[each] for each in self.stacks[user]]

    def show(self, user: str, view: dict[str, Any], *, push: bool, on: str | None = None) -> OpenView:
        """Put a view on a person's stack; a pushed one needs the modal it was pressed `on` to be open still."""
        stack = self.stacks[user]
        if push and (on is None or on not in stack):
            raise Problem("not_found")
        if push and len(stack) >= MOST_VIEWS:
            raise Problem("push_limit_reached")
        self._refuse_twice(view, None if push else set(stack))
        if not push:
            self._forget(stack)
        made = self._serial("V")
        opened = self._opened(made, user, view)
        opened.root = stack[0] if stack else made
        opened.previous = stack[-1] if stack else None
        self.open[made] = opened
        stack.append(made)
        self._tell("modal", user=user)
        return opened

    def replace(self, opened: OpenView, view: dict[str, Any], hash_: str | None = None) -> OpenView:
        """Replace a view in place; what was typed is kept where a block keeps its id and its element."""
        if hash_ is not None and hash_ != opened.hash:
            raise Problem("hash_conflict")
        self._refuse_twice(view, {opened.id})
        blocks = with_ids(view["blocks"])
        opened.state = redrawn_state(blocks, opened.state)
        opened.view = {**view, "blocks": blocks}
        opened.hash = self._hash()
        opened.errors = {}
        self._tell("home" if opened.view["type"] == "home" else "modal", user=opened.user)
        return opened

    def publish(self, user: str, view: dict[str, Any], hash_: str | None = None) -> OpenView:
        """Draw a person's home tab."""
        current = self.homes.get(user)
        if current is not None:
            return self.replace(current, view, hash_)
        if hash_ is not None:
            raise Problem("hash_conflict")
        self._refuse_twice(view, set())
        self.homes[user] = self._opened(self._serial("V"), user, view)
        self._tell("home", user=user)
        return self.homes[user]

    def close(self, opened: OpenView, *, everything: bool = False) -> list[OpenView]:
        """Close a view, or a person's whole stack; returns what was closed, the top one first."""
        stack = self.stacks[opened.user]
        gone = list(reversed(stack)) if everything else [opened.id]
        closed = [self.open[each] for each in gone if each in self.open]
        self._forget(gone)
        stack[:] = [each for each in stack if each in self.open]
        self._tell("modal", user=opened.user)
        return closed

    def _opened(self, made: str, user: str, view: dict[str, Any]) -> OpenView:
        blocks = with_ids(view["blocks"])
        return OpenView(
            id=made,
            user=user,
            view={**view, "blocks": blocks},
            hash=self._hash(),
            root=made,
            state=opening_state(blocks),
        )

    def _forget(self, gone: list[str]) -> None:
        for each in list(gone):
            self.open.pop(each, None)
            for stack in self.stacks.values():
                if each in stack:
                    stack.remove(each)

    def _refuse_twice(self, view: dict[str, Any], apart_from: set[str] | None) -> None:
        """An external id stands for one view at a time."""
        wanted = view.get("external_id")
        everywhere = (*self.open.values(), *self.homes.values())
        if wanted and any(
            each.view.get("external_id") == wanted and each.id not in (apart_from or ()) for each in everywhere
        ):
            raise Problem("duplicate_external_id")

    def _hash(self) -> str:
        return f"{self._clock():.0f}.{secrets.token_hex(4)}"
