"""What the benchmarks ask of the code under test, and where they look for it.

Ours plugs in as one module, `benchmarks/adapter.py`, with the two functions of `Adapter`. Without that module the
floors are measured alone. A method that raises `NotImplementedError` leaves its work unmeasured, and `open_ours` its
whole engine; the report names what is missing.
"""

import importlib
import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any, Protocol, cast

from benchmarks.data import Books, Receipt, Totals

ADAPTER = "benchmarks.adapter"


class Side(Protocol):
    """One side of a comparison, open on one engine: a floor, or ours."""

    def load(self, books: Books) -> None:
        """Create the schema in the empty place it was opened on and insert the whole history in bulk."""

    def record(self, receipt: Receipt) -> None:
        """W1: record the receipt, assign it and allocate it to its invoice, committed when this returns."""

    def age(self, as_of: date) -> Any:
        """W2: all that `/aging` works out at a date before anything is rendered."""

    def totals(self, report: Any) -> Totals:
        """The sums of what `age` returned, without prepaid debt and credit; not timed, compared with the floor's."""

    def card(self, customer: int) -> Any:
        """Balance and open items of one customer, as their card shows them."""

    def close(self) -> None:
        """Let go of every connection, so that the place can be deleted."""


class Ours(Side, Protocol):
    """The code under test; floors have no door."""

    def door(
        self, mode: str, database_seconds: float
    ) -> AbstractContextManager[tuple[Callable[[Receipt], None], Callable[[Receipt], None]]]:
        """W5: a door of the app, `http` or `socket`, with a Slack that takes 100 ms for each Web API call behind it.

        Yields what one person does: send a signed action that carries out the W1 of a receipt, and return when its ack
        is out. Fifty threads call it at once. A receipt comes once only, so its number may serve as the key. And what
        one does after that: type a command that lists payments, while the first question of each request holds a
        connection to the database for so many seconds longer.
        """


class Adapter(Protocol):
    """The module that plugs ours in."""

    def open_ours(self, engine: str, where: str) -> Ours:
        """Open ours on `sqlite` (where = a path) or `postgresql` (where = a conninfo); the place is empty or loaded."""

    def start(self, engine: str, where: str) -> object:
        """Bring the whole app up on loaded books as the program does, and return what keeps it alive when it is ready.

        Called in a process of its own, timed from the start of that process, so it imports what it needs itself.
        """


def find_adapter() -> Adapter | None:
    if importlib.util.find_spec(ADAPTER) is None:
        return None
    return cast("Adapter", importlib.import_module(ADAPTER))
