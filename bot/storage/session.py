"""What a repository needs of the transaction it works in."""

from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection

if TYPE_CHECKING:
    from bot.storage.books import Pending


class Session(Protocol):
    """The open transaction, its pending writes and its circumstances."""

    connection: Connection
    pending: "Pending"
    operation_id: int
    now: datetime
    undoes: int | None

    def new_id(self) -> int: ...
