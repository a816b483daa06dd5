"""The records of a workspace."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any


class Problem(Exception):  # noqa: N818  # it is an answer with Slack's own name
    """A refusal under the name that Slack gives it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A user of the workspace, or one of another."""

    id: str
    name: str
    real_name: str = ""
    title: str = ""
    tz: str = "UTC"
    email: str = ""
    team_id: str = ""
    enterprise_id: str | None = None
    is_owner: bool = False
    is_admin: bool = False
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_bot: bool = False
    is_stranger: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """A channel or a direct message with the app; `is_read_only` is one where the app may not post."""

    id: str
    name: str
    members: Collection[str] = ()
    is_private: bool = False
    is_im: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    is_read_only: bool = False
    topic: str = ""

    @property
    def kind(self) -> str:
        """The word of Slack's `channel_type`."""
        return "im" if self.is_im else "group" if self.is_private else "channel"


@dataclass(slots=True, kw_only=True)
class Message:
    """A message, or an ephemeral one that only `only_for` sees."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    bot_id: str | None = None
    thread_ts: str | None = None
    broadcast: bool = False
    only_for: str | None = None
    edited_ts: str | None = None
    metadata: dict[str, Any] | None = None
    files: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    state: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The blocks that are shown."""
        return self.blocks


@dataclass(slots=True, kw_only=True)
class OpenView:
    """A modal on a person's stack, or their home tab."""

    id: str
    user: str
    view: dict[str, Any]
    hash: str
    root: str
    previous: str | None = None
    state: dict[str, dict[str, Any]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    busy: bool = False

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """The blocks that are shown."""
        blocks: list[dict[str, Any]] = self.view["blocks"]
        return blocks


@dataclass(slots=True, kw_only=True)
class File:
    """A file: announced, then filled, then shared."""

    id: str
    name: str
    size: int
    owner: str
    created: int = 0
    content: bytes | None = None
    complete: bool = False
    title: str = ""
    shared_in: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Something sent to the app, kept so that it can be sent again; status 0 says that no answer came."""

    id: str
    kind: str
    body: Mapping[str, Any]
    status: int = 0
    answer: str = ""
    elapsed_ms: float = 0.0
    error: str | None = None
