"""The lines of checked files, kept on disk: memory does not grow with them, and an identity comes once."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

from bot.intake.reader import Row

CHUNK = 1000


class Spill:
    """A database of its own that is gone when it is closed, or when the process dies."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)  # no name: a file without one, spilled from memory
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -16000", "temp_store = FILE"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute(
            "CREATE TABLE line (file TEXT, identity TEXT, line INTEGER, cells TEXT, UNIQUE (file, identity))"
        )
        self._connection.execute("BEGIN")
        self._digest = hashlib.sha256()
        self.counts: dict[str, int] = {}

    def put(self, file: str, identity: str, row: Row) -> int | None:
        """Keep a line; the line that has the same identity already, if one has."""
        cells = json.dumps(row.cells, ensure_ascii=True, sort_keys=True)
        done = self._connection.execute(
            "INSERT OR IGNORE INTO line VALUES (?, ?, ?, ?)", (file, identity, row.line, cells)
        )
        if not done.rowcount:
            return self.line_of(file, identity)
        self._digest.update(f"{file}\n{identity}\n{cells}\n".encode())
        self.counts[file] = self.counts.get(file, 0) + 1
        return None

    def mark(self, what: str, identity: str, line: int) -> int | None:
        """Keep that something was seen; the line where it was seen before, if it was."""
        done = self._connection.execute("INSERT OR IGNORE INTO line VALUES (?, ?, ?, '')", (what, identity, line))
        return None if done.rowcount else self.line_of(what, identity)

    def line_of(self, file: str, identity: str) -> int:
        found = self._connection.execute(
            "SELECT line FROM line WHERE file = ? AND identity = ?", (file, identity)
        ).fetchone()
        return int(found[0])

    def some(self, file: str, identities: Sequence[str]) -> dict[str, dict[str, str]]:
        """The cells of some lines, by identity."""
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(identities), CHUNK):
            wanted = identities[start : start + CHUNK]
            marks = ", ".join("?" * len(wanted))
            rows = self._connection.execute(
                f"SELECT identity, cells FROM line WHERE file = ? AND identity IN ({marks})",  # noqa: S608  # marks alone
                (file, *wanted),
            )
            found.update({identity: json.loads(cells) for identity, cells in rows})
        return found

    def chunks(self, file: str, size: int = CHUNK) -> Iterator[list[Row]]:
        """All lines of a file in their order, a chunk at a time."""
        last = 0
        while True:
            rows = self._connection.execute(
                "SELECT rowid, line, cells FROM line NOT INDEXED WHERE file = ? AND rowid > ? ORDER BY rowid LIMIT ?",
                (file, last, size),
            ).fetchall()
            if not rows:
                return
            last = rows[-1][0]
            yield [Row(line, json.loads(cells)) for _, line, cells in rows]

    def grouped(self, file: str, cell: str, size: int) -> Iterator[list[Row]]:
        """All lines of a file by the value of a cell, at most so many of one value at a time, sorted on disk."""
        rows = self._connection.execute(
            "SELECT line, cells, json_extract(cells, '$.' || ?) FROM line WHERE file = ? ORDER BY 3, rowid",
            (cell, file),
        )
        for _, mine in groupby(rows, key=lambda row: row[2]):
            while group := [Row(line, json.loads(cells)) for line, cells, _ in islice(mine, size)]:
                yield group

    def digest(self, *more: str) -> str:
        """What all lines together come to, for telling one content from another."""
        whole = self._digest.copy()
        whole.update("\n".join(more).encode())
        return whole.hexdigest()

    def close(self) -> None:
        self._connection.close()


def chunked(rows: Iterator[Row], size: int = CHUNK) -> Iterator[list[Row]]:
    """Rows in groups, as they are looked up."""
    while group := list(islice(rows, size)):
        yield group
