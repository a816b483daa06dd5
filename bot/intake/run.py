"""What every import has in hand: the book, the lines that were checked, the faults, and how a batch is written."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NoReturn, TypeVar

from tqdm import tqdm

from bot.desk import SYSTEM, Desk
from bot.domain.intake import IntakeStep
from bot.domain.operation import Actor, Operation, Request
from bot.domain.settings import Settings
from bot.intake.cells import Line
from bot.intake.faults import Faults, Stopped
from bot.intake.reader import Column, Row, read_rows
from bot.intake.spill import Spill, chunked
from bot.storage.ids import new_id
from bot.storage.intake_reads import Known, known_customers

T = TypeVar("T")
CommandT = TypeVar("CommandT")
COMMAND = "import"
TEAM = "operator"


@dataclass
class Run:
    """One import from its first line to its last batch."""

    desk: Desk
    settings: Settings
    today: date
    faults: Faults = field(default_factory=Faults)
    spill: Spill = field(default_factory=Spill)
    new: int = 0
    corrected: int = 0

    @classmethod
    def over(cls, desk: Desk) -> "Run":
        settings = desk.store.read(lambda books: books.settings())
        return cls(desk, settings, settings.today(desk.clock()))

    def read(self, path: Path, columns: tuple[Column, ...]) -> Iterator[list[Row]]:
        """The rows of a file in groups, with a bar on a terminal."""
        return chunked(iter(watched(read_rows(path, columns, self.faults), f"checking {path.name}")))

    def line(self, file: str, row: Row) -> Line:
        return Line(file, row, self.faults, self.settings)

    def again(self, file: str) -> Iterator[list[Row]]:
        """The checked rows, to write them; a bar counts them."""
        total = self.spill.counts.get(file, 0)
        with bar(f"writing {file}", total) as shown:
            for rows in self.spill.chunks(file):
                yield rows
                shown.update(len(rows))

    def customers(self, codes: Iterable[str]) -> dict[str, Known]:
        """Those of these codes that the book has."""
        return self.desk.store.read(lambda books: known_customers(books, list(codes)))

    def write(self, operation: Operation[CommandT, IntakeStep], command: CommandT) -> IntakeStep:
        """Carry out one batch as the operator."""
        return self.desk.carry_out(operation, command, self.request())

    def request(self) -> Request:
        """A request of the operator's; nothing of it is announced."""
        serial = new_id()
        return Request(
            actor=Actor(team=TEAM, user=SYSTEM),
            now=self.desk.clock(),
            key=f"import:{serial}",
            request_id=f"import {serial}",
            command=COMMAND,
            silent=True,
        )

    def stop_if_wrong(self) -> None:
        """Nothing is written when one line is wrong. Raises Stopped."""
        if self.faults.count:
            raise Stopped(self.faults)

    def seal(self) -> None:
        """Close what was written into the audit chain."""
        while self.desk.store.seal():
            pass

    def close(self) -> None:
        self.spill.close()


def watched(rows: Iterable[T], what: str) -> "tqdm[T]":
    """The same rows with a bar, where somebody sees it."""
    return tqdm(rows, desc=what, unit=" lines", file=sys.stderr, disable=not sys.stderr.isatty())


def bar(what: str, total: int) -> "tqdm[NoReturn]":
    return tqdm(desc=what, total=total, unit=" lines", file=sys.stderr, disable=not sys.stderr.isatty())
