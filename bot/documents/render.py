"""From what was asked to a file on disk: the books are read in one snapshot, row by row."""

from dataclasses import dataclass
from pathlib import Path

from bot.documents.list_tables import list_table
from bot.documents.reports import TABLES, Asked
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
    """A file that was made, its name for people, what is said beside it, and whose it is if it is one customer's."""

    path: str
    name: str
    says: str
    customer_id: int | None = None


def make(books: ReadBooks, job: Job) -> Made:
    """Write a file. Refuses: NotFound.

    What draws and writes is read in here only: it would cost each process of the bot a third of its memory.
    """
    path = Path(job.folder) / f"{job.reference}.{job.format}"
    if job.format != "pdf":
        from bot.documents.sheets import WRITERS

        draw = TABLES[job.kind] if job.kind in TABLES else list_table(job.kind)
        table = draw(books, job.asked)
        WRITERS[job.format](table, path)
        return Made(path=str(path), name=_named(table.name, job), says=table.says())
    from bot.documents.paper import write_pdf
    from bot.documents.papers import PAPERS

    paper = PAPERS[job.kind](books, job.asked)
    write_pdf(paper, path)
    says = f"{paper.title} {paper.number}"
    return Made(path=str(path), name=_named(paper.name, job), says=says, customer_id=paper.customer_id)


def _named(name: str, job: Job) -> str:
    """A number may hold a slash, which no file's name does."""
    return f"{name.replace('/', '-')}-{job.reference}.{job.format}"
