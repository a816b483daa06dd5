"""The command line of imports and exports."""

import argparse
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bot.desk import Desk

LONGEST_NAME = 60


def add_parsers(commands: Any, book: Callable[[str], str]) -> None:
    """`duedesk import ...` and `duedesk export DIR`."""
    imports = commands.add_parser("import", help="customers, invoices or an existing book, from files")
    kinds = imports.add_subparsers(required=True, metavar="WHAT")
    for name, run, says in (
        ("customers", _customers, "open customers from a CSV or XLSX file"),
        ("invoices", _invoices, "write invoices that another system numbered"),
        ("usage", _usage, "charge usage that was measured elsewhere"),
    ):
        of_file = kinds.add_parser(name, help=says)
        of_file.add_argument("file", type=Path)
        _shared(of_file, book, run)
    opening = kinds.add_parser("opening", help="take over an existing book from a directory, or take that back")
    opening.add_argument("dir", type=Path, nargs="?", help="customers, invoices, payments, balances and control")
    opening.add_argument("--as-of", type=_day, help="the day of the opening, such as 2026-10-31")
    opening.add_argument("--control", type=Path, help="the totals of the other system, unless control.csv is in DIR")
    opening.add_argument("--name", type=_name, help="what the opening is called; DIR's name unless given")
    opening.add_argument("--take-back", metavar="NAME", help="reverse an opening whole, by its name or id")
    _shared(opening, book, _opening)

    export = commands.add_parser("export", help="write all of a book to a directory, as CSV or XLSX")
    export.add_argument("dir", type=Path)
    export.add_argument("--format", choices=("csv", "xlsx"), default="csv")
    export.add_argument("--book", default="main", type=book)
    export.set_defaults(run=_export)


def _shared(parser: argparse.ArgumentParser, book: Callable[[str], str], run: Callable[..., int]) -> None:
    parser.add_argument("--dry-run", action="store_true", help="check everything and write nothing")
    parser.add_argument("--book", default="main", type=book)
    parser.set_defaults(run=run)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{value[:20]!r} is no day; write it as 2026-10-31") from None


def _name(value: str) -> str:
    if not re.fullmatch(r"[^\s~][^~\n]{0,59}", value):
        raise argparse.ArgumentTypeError(f"a name has at most {LONGEST_NAME} characters, in one line and without ~")
    return value


@contextmanager
def _desk(book: str) -> "Iterator[Desk | None]":
    """The desk over a book, or nothing when its schema is another."""
    from bot.config import load
    from bot.desk import Desk
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        store = Store.open(library, book)
        if store.is_current():
            yield Desk(store)
            return
        which = "" if book == "main" else f" --book {book}"
        _warn(f"The database is not at this program's schema; run: duedesk db upgrade{which}")
        yield None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _warn(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _carry_out(parsed: argparse.Namespace, work: "Callable[[Desk], None]") -> int:
    """Zero when done, one when there were faults or a refusal, two without a book."""
    from bot.domain.errors import Refused
    from bot.intake.faults import Stopped

    with _desk(parsed.book) as desk:
        if desk is None:
            return 2
        try:
            work(desk)
        except Stopped as stopped:
            for line in stopped.faults.told():
                _warn(line)
            return 1
        except Refused as refusal:
            _warn(refusal.sentence)
            return 1
    return 0


def _customers(parsed: argparse.Namespace) -> int:
    from bot.intake import customers
    from bot.intake.run import Run

    def work(desk: "Desk") -> None:
        with closing(Run.over(desk)) as run:
            _say(f"{parsed.file.name}: {customers.bring(run, parsed.file, dry_run=parsed.dry_run)}")

    return _carry_out(parsed, work)


def _invoices(parsed: argparse.Namespace) -> int:
    from bot.intake import invoices
    from bot.intake.run import Run

    def work(desk: "Desk") -> None:
        with closing(Run.over(desk)) as run:
            _say(f"{parsed.file.name}: {invoices.bring(run, parsed.file, dry_run=parsed.dry_run)}")

    return _carry_out(parsed, work)


def _usage(parsed: argparse.Namespace) -> int:
    from bot.intake import usage
    from bot.intake.run import Run

    def work(desk: "Desk") -> None:
        with closing(Run.over(desk)) as run:
            _say(f"{parsed.file.name}: {usage.bring(run, parsed.file, dry_run=parsed.dry_run)}")

    return _carry_out(parsed, work)


def _opening(parsed: argparse.Namespace) -> int:
    from bot.intake.opening import Asked, take_over
    from bot.intake.take_back import take_back

    if parsed.take_back is not None:
        return _carry_out(parsed, lambda desk: _say(take_back(desk, parsed.take_back, dry_run=parsed.dry_run)))
    if parsed.dir is None or parsed.as_of is None:
        _warn("Give the directory and its day, such as: duedesk import opening old-books --as-of 2026-10-31")
        return 2
    asked = Asked(
        folder=parsed.dir,
        as_of=parsed.as_of,
        name=parsed.name or _folder_name(parsed.dir),
        control=parsed.control,
        dry_run=parsed.dry_run,
    )
    return _carry_out(parsed, lambda desk: take_over(desk, asked, _say))


def _export(parsed: argparse.Namespace) -> int:
    from bot.intake.export import export

    def work(desk: "Desk") -> None:
        for name, count in export(desk, parsed.dir, kind=parsed.format).items():
            _say(f"{name}.{parsed.format}: {count:,} rows")

    return _carry_out(parsed, work)


def _folder_name(folder: Path) -> str:
    return re.sub(r"[~\s]+", " ", folder.resolve().name).strip()[:LONGEST_NAME] or "opening"
