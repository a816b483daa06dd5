"""What is wrong with a file: each fault with its file, line and column, in plain words."""

from collections.abc import Iterator
from dataclasses import dataclass, field

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing to mend before anything is written."""

    file: str
    line: int
    column: str
    says: str

    def __str__(self) -> str:
        column = f", column {self.column}" if self.column else ""
        return f"{self.file}, line {self.line}{column}: {self.says}"


@dataclass
class Faults:
    """The first hundred faults and how many there are."""

    shown: list[Fault] = field(default_factory=list)
    count: int = 0

    def add(self, file: str, line: int, column: str, says: str) -> None:
        self.count += 1
        if len(self.shown) < MOST_SHOWN:
            self.shown.append(Fault(file, line, column, says))

    def told(self) -> Iterator[str]:
        """Each fault on its line, the count of the rest, and that nothing was written."""
        yield from map(str, self.shown)
        if self.count > len(self.shown):
            yield f"... and {self.count - len(self.shown):,} more."
        yield f"{self.count:,} {'fault' if self.count == 1 else 'faults'}; nothing was written."


class Unreadable(Exception):  # noqa: N818  # a finding about a file, told in a sentence
    """A file cannot be read any further."""

    def __init__(self, line: int, says: str, column: str = "") -> None:
        super().__init__(says)
        self.line = line
        self.says = says
        self.column = column


class Stopped(Exception):  # noqa: N818  # an answer to the operator, not an error
    """Faults were found, so nothing was written."""

    def __init__(self, faults: Faults) -> None:
        super().__init__(f"{faults.count} faults")
        self.faults = faults
