"""Reads a table row by row, CSV or XLSX, in memory that does not grow with the file."""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, BinaryIO

from bot.documents.inert import restore
from bot.intake.faults import Faults, Unreadable

LONGEST_LINE = 1_000_000
MOST_EMPTY_ROWS = 10_000
BOM = b"\xef\xbb\xbf"
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (",", ";", "\t")
HALF_CHARACTERS = ("\ud800", "\udfff")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a file may have, or must."""

    name: str
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: where it begins, and each known column's text."""

    line: int
    cells: dict[str, str]


def read_rows(path: Path, columns: Sequence[Column], faults: Faults) -> Iterator[Row]:
    """The rows of a file, with headers by name in any order; what cannot be read is a fault."""
    try:
        for line, cells in _checked(_raw(path), columns, path.name, faults):
            yield Row(line, cells)
    except Unreadable as fault:
        faults.add(path.name, fault.line, fault.column, fault.says)
    except OSError as fault:
        faults.add(path.name, 1, "", f"the file cannot be read: {fault.strerror or type(fault).__name__}.")


def _raw(path: Path) -> Iterator[tuple[int, list[str]]]:
    if path.is_dir():
        raise Unreadable(1, "this is a directory; name a CSV or XLSX file.")
    if path.suffix.lower() in {".xlsx", ".xlsm"}:
        return _sheet(path)
    if path.suffix.lower() in {".xls", ".ods", ".numbers"}:
        raise Unreadable(1, "this kind of file is not read; save it as CSV UTF-8 or as XLSX.")
    return _text(path)


def _checked(
    rows: Iterator[tuple[int, list[str]]], columns: Sequence[Column], file: str, faults: Faults
) -> Iterator[tuple[int, dict[str, str]]]:
    line, header = next(rows, (1, []))
    if not header:
        raise Unreadable(1, f"the file is empty; its first line names the columns: {listed(columns)}.")
    names = [each.strip().lower().replace(" ", "_") for each in header]
    before = faults.count
    for fault in _header_faults(names, columns):
        faults.add(file, line, *fault)
    if faults.count > before:
        return
    blank = dict.fromkeys((each.name for each in columns), "")
    width = len(names)
    for at, cells in rows:
        if len(cells) != width:
            says = f"this line has {len(cells)} cells and the header has {width}; a text with a comma needs quotes."
            faults.add(file, at, names[min(len(cells), width - 1)], says)
            continue
        broken = _broken(names, cells)
        if broken is not None:
            faults.add(file, at, *broken)
            continue
        yield at, {**blank, **dict(zip(names, cells, strict=True))}


def _header_faults(names: Sequence[str], columns: Sequence[Column]) -> Iterator[tuple[str, str]]:
    known = {each.name for each in columns}
    seen: set[str] = set()
    for position, name in enumerate(names, 1):
        if name in seen:
            yield name, "this column stands twice; leave one out."
        elif name not in known:
            yield name[:40] or f"number {position}", f"there is no such column; the columns are {listed(columns)}."
        seen.add(name)
    for each in columns:
        if each.needed and each.name not in seen:
            yield each.name, f"this column is missing; the columns are {listed(columns)}."


def listed(columns: Sequence[Column]) -> str:
    """The columns in words, those that are needed first."""
    needed = ", ".join(each.name for each in columns if each.needed)
    others = ", ".join(each.name for each in columns if not each.needed)
    return f"{needed} (needed){f', {others}' if others else ''}"


def _broken(names: Sequence[str], cells: Sequence[str]) -> tuple[str, str] | None:
    """The column with a character that cannot be kept, if there is one."""
    whole = "".join(cells)
    if "\x00" in whole:
        column = next(name for name, cell in zip(names, cells, strict=True) if "\x00" in cell)
        return column, "there is a NUL character; remove it."
    if not whole.isascii() and any(map(_is_half, whole)):
        column = next(name for name, cell in zip(names, cells, strict=True) if any(map(_is_half, cell)))
        return column, "this is not UTF-8; save the file as CSV UTF-8."
    return None


def _is_half(letter: str) -> bool:
    return HALF_CHARACTERS[0] <= letter <= HALF_CHARACTERS[1]


def _text(path: Path) -> Iterator[tuple[int, list[str]]]:
    with path.open("rb") as file:
        first = file.readline(LONGEST_LINE + 1)
        if first.startswith(WIDE_MARKS):
            raise Unreadable(1, "this is not UTF-8 but UTF-16; save the file as CSV UTF-8.")
        if not first.strip(b"\r\n\t ,;").removeprefix(BOM):
            raise Unreadable(1, "the file is empty; its first line names the columns.")
        lines = _lines(first.removeprefix(BOM), file)
        header = first.removeprefix(BOM).decode("utf-8", "surrogateescape")
        reader = csv.reader(lines, delimiter=_delimiter(header), strict=True)
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as fault:
                says = f"the quotes or line ends are wrong ({fault}); write CSV with quotes closed and doubled."
                raise Unreadable(line, says) from None
            if cells is None:
                return
            if cells:
                yield line, [restore(cell) for cell in cells]


def _lines(first: bytes, file: BinaryIO) -> Iterator[str]:
    """Decoded line by line, so that what is no UTF-8 can be told with its place."""
    number, raw = 1, first
    while raw:
        if len(raw) > LONGEST_LINE:
            raise Unreadable(number, f"this line is longer than {LONGEST_LINE:,} bytes; is this a CSV file?")
        yield raw.decode("utf-8", "surrogateescape")
        number, raw = number + 1, file.readline(LONGEST_LINE + 1)


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=lambda each: (header.count(each), -DELIMITERS.index(each)))


def _sheet(path: Path) -> Iterator[tuple[int, list[str]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.escape import unescape
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = load_workbook(path, read_only=True, data_only=False)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, SyntaxError):
        raise Unreadable(1, "this is no XLSX file that can be read; save it again, or as CSV UTF-8.") from None
    try:
        rows = _sheet_rows(book.worksheets[0].iter_rows())
        yield from rows if _has_shared_texts(path) else ((line, [*map(unescape, texts)]) for line, texts in rows)
    finally:
        book.close()


def _has_shared_texts(path: Path) -> bool:
    """The library undoes the escapes of texts in the shared list, and leaves those of texts inside cells to us."""
    with zipfile.ZipFile(path) as parts:
        return "xl/sharedStrings.xml" in parts.namelist()


def _sheet_rows(rows: Iterable[Sequence[Any]]) -> Iterator[tuple[int, list[str]]]:
    width, empty = 0, 0
    for line, cells in enumerate(rows, 1):
        texts = [_cell(cell, line) for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if not texts:
            empty += 1
            if empty > MOST_EMPTY_ROWS:
                return
            continue
        empty = 0
        width = width or len(texts)
        yield line, texts + [""] * (width - len(texts))


def _cell(cell: Any, line: int) -> str:
    """A cell as text; a text cell that looks like a formula is a text."""
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        raise Unreadable(line, "there is a formula; write its value.", str(cell.coordinate))
    if cell.data_type == "e":
        raise Unreadable(line, f"there is the error {value}; write a value.", str(cell.coordinate))
    match value:
        case str():
            return value
        case bool():
            return "yes" if value else "no"
        case datetime() if value.time() == time(0):
            return value.date().isoformat()
        case datetime() | date():
            return value.isoformat()
        case float() if value.is_integer() and abs(value) < 10**15:  # what a float holds exactly
            return str(int(value))
    return str(value)
