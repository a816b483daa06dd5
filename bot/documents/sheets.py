"""CSV files: text cells that no spreadsheet takes for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: str) -> str:
    """A cell that begins like a formula is led by an apostrophe; a plain number stays one."""
    if cell.startswith(DANGEROUS) and not _is_number(cell):
        return f"'{cell}"
    return cell


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdigit() and cell.isascii()


def csv_file(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV with a byte-order mark, so that spreadsheets read names in any script."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerow([inert(each) for each in headers])
    for row in rows:
        writer.writerow([inert(each) for each in row])
    return "﻿".encode() + made.getvalue().encode()
