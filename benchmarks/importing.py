"""A file of invoices taken over through the command line, beside the same rows put in with bare `sqlite3`."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from benchmarks import child
from benchmarks.measure import Figure, Sample
from benchmarks.stage import Stage

LINES_OF_A_CUSTOMER = 50
LINES_OF_A_COMMIT = 1000
AS_OF = "2026-11-01"
COPIED = ("customer", "intake", "audit", "invoice", "invoice_line", "posting", "entry")


def import_lines(stage: Stage) -> list[Figure]:
    """Time and peak memory of one process for each side; on SQLite alone, whose floor is the file itself."""
    if stage.engine != "sqlite" or stage.ours is None:
        return []
    lines = stage.plan.imported
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        write_files(Path(folder) / "old", lines)
        sides = {side: child.spawn("import", side, folder) for side in ("ours", "floor")}
    figures = []
    for measure, unit, name in (("time", "ms", "milliseconds"), ("peak memory", "MB", "peak_mb")):
        floor, ours = (
            Sample((getattr(spent, name),)) if (spent := sides[side]) is not None else None
            for side in ("floor", "ours")
        )
        figures.append(
            Figure(
                work="import",
                measure=measure,
                case="",
                size=lines,
                unit=unit,
                engine=stage.engine,
                floor=floor,
                ours=ours,
            )
        )
    return figures


def write_files(folder: Path, lines: int) -> None:
    """An opening of that many invoices, in the order of nobody."""
    folder.mkdir()
    customers = max(1, lines // LINES_OF_A_CUSTOMER)
    with (folder / "customers.csv").open("w", encoding="utf-8") as file:
        file.write("code,name,currency,mode\n")
        file.writelines(f"C{number:06},Customer {number:06},SGD,postpaid\n" for number in range(customers))
    with (folder / "invoices.csv").open("w", encoding="utf-8") as file:
        file.write("number,customer,issued,due,open\n")
        file.writelines(
            f"X-{number},C{number * 7919 % customers:06},2026-{1 + number % 9:02}-{1 + number % 28:02},"
            f"2026-10-{1 + number % 28:02},{number % 1000 + 1}.25\n"
            for number in range(lines)
        )
    cents = sum((number % 1000 + 1) * 100 + 25 for number in range(lines))
    total = f"{cents // 100}.{cents % 100:02}"
    (folder / "control.csv").write_text(f"currency,receivables,unapplied,wallet\nSGD,{total},0,0\n", encoding="utf-8")


def run(side: str, folder: str) -> object:
    """What one child does."""
    place = Path(folder)
    return ours(place) if side == "ours" else floor(place)


def ours(place: Path) -> int:
    from bot.__main__ import main

    os.environ["DATABASE_URL"] = f"sqlite:///{place / 'ours.db'}"
    out = os.dup(1)
    os.dup2(2, 1)  # what the command says is no part of what is measured
    status = main(["db", "upgrade"]) or main(["import", "opening", str(place / "old"), "--as-of", AS_OF])
    os.dup2(out, 1)
    assert status == 0
    return status


def floor(place: Path) -> int:
    """The rows that ours wrote, into the same tables and indexes without guards, in commits of as many lines."""
    with closing(sqlite3.connect(place / "ours.db")) as source, closing(connected(place / "floor.db")) as target:
        for (statement,) in source.execute(
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'index') AND sql IS NOT NULL ORDER BY type DESC"
        ):
            target.execute(statement)
        for table in COPIED:
            for rows in grouped(source, table):
                target.execute("BEGIN")
                target.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
                target.execute("COMMIT")
    return 0


def connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def grouped(source: sqlite3.Connection, table: str) -> Iterator[list[tuple[object, ...]]]:
    found = source.execute(f"SELECT * FROM {table}")
    while rows := found.fetchmany(LINES_OF_A_COMMIT):
        yield rows
