"""Writes all of a book to files, from one snapshot and row by row; what it writes can be read back."""

import csv
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from bot.desk import Desk
from bot.documents.inert import neutralise
from bot.domain.errors import Refused
from bot.intake.run import watched
from bot.storage.export import FILES
from bot.storage.reports import SqlReadBooks

FIGURES = frozenset(
    "limit due_days net tax total open quantity unit_price tax_rate amount unapplied receivables wallet".split()  # noqa: SIM905  # a list of words
) | {"trigger_amount", "threshold"}
MOST_SHEET_ROWS = 1_048_576
LONGEST_CELL = 32_767


def export(desk: Desk, folder: Path, *, kind: str = "csv") -> dict[str, int]:
    """Write each file into the directory, which must be new or empty; how many rows each has. Refuses: Refused."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder.name} is there already and not empty; name a new directory.")
    (folder / "opening").mkdir(parents=True)
    save = {"csv": _csv, "xlsx": _xlsx}[kind]

    def work(books: SqlReadBooks) -> dict[str, int]:
        counts: dict[str, int] = {}
        for name, (columns, rows) in FILES.items():
            counts[name] = save(folder / f"{name}.{kind}", columns, watched(rows(books), f"writing {name}"))
        return counts

    return desk.store.read(work)


def _csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Texts are neutralised and figures left as numbers; the mark at the front tells spreadsheets that it is UTF-8."""
    count = 0
    tame: list[Callable[[str], str]] = [str if name in FIGURES else neutralise for name in columns]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(columns)
        for count, row in enumerate(rows, 1):  # noqa: B007  # how many there were
            writer.writerow([made(cell) for made, cell in zip(tame, row, strict=True)])
    return count


def _xlsx(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Every cell is a text cell, which no spreadsheet runs; so texts stay as they are."""
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    count = 0
    with Workbook(str(path), options) as book:
        sheet: Any = book.add_worksheet(path.stem)
        sheet.write_row(0, 0, columns)
        for count, row in enumerate(rows, 1):
            if count >= MOST_SHEET_ROWS:
                raise Refused(f"{path.name} would have more rows than a sheet takes; export as CSV.")
            for column, cell in enumerate(row):
                if len(cell) > LONGEST_CELL:
                    raise Refused(f"{path.name} would have a text longer than a cell takes; export as CSV.")
                sheet.write_string(count, column, cell)
    return count
