"""The records of a workspace."""

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


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel or a direct message."""

    id: str
    name: str
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_im: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    topic: str = ""


@dataclass(slots=True, kw_only=True)
class Message:
    """A message, or an ephemeral one that only `only_for` sees."""

    channel: str
    ts: str
    user: str
    text: str
    blocks: list[dict[str, Any]] = field(default_factory=list)
    bot_id: str | None = None
    thread_ts: str | None = None
    only_for: str | None = None
    edited: bool = False
    metadata: dict[str, Any] | None = None
    files: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)


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


@dataclass(slots=True, kw_only=True)
class File:
    """A file: announced, then filled, then shared."""

    id: str
    name: str
    size: int
    owner: str
    content: bytes | None = None
    title: str = ""
    shared_in: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Delivery:
    """Something sent to the app, kept so that it can be sent again."""

    id: str
    kind: str
    body: dict[str, Any]
    form: bool
    status: int = 0
    answer: str = ""
    elapsed_ms: float = 0.0
    error: str | None = None
