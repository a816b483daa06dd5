"""From what was asked to a file on disk: the books are read in one snapshot, row by row."""

from dataclasses import dataclass
from pathlib import Path

from bot.documents.reports import TABLES, Asked
from bot.documents.sheets import WRITERS
from bot.domain.ports import ReadBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A file to make: what, in which format, from which question; the reference is in its name."""

    kind: str
    format: str
    asked: Asked
    reference: str
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A file that was made, its name for people, and what is said beside it."""

    path: str
    name: str
    says: str


def make(books: ReadBooks, job: Job) -> Made:
    """Write a file. Refuses: NotFound."""
    table = TABLES[job.kind](books, job.asked)
    name = f"{table.name}-{job.reference}.{job.format}"
    path = Path(job.folder) / f"{job.reference}.{job.format}"
    WRITERS[job.format](table, path)
    return Made(path=str(path), name=name, says=table.says())
