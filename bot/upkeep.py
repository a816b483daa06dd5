"""The command line of keeping a book: back up and restore."""

import argparse
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from bot.config import load


def add(database: Any, *, book: Any) -> None:
    """Add the commands below `duedesk db`; `book` reads the name of a book."""
    made = database.add_parser("backup", help="write all of a book into a new file, while it is in use")
    made.add_argument("file", type=Path)
    made.set_defaults(run=_backup)
    back = database.add_parser("restore", help="make a book from a backup")
    back.add_argument("file", type=Path)
    back.add_argument("--replace", action="store_true", help="put it in the place of a book that is not empty")
    back.add_argument("--yes", action="store_true", help="do not ask before a book is replaced")
    back.add_argument("--resume-delivery", action="store_true", help="send the messages that waited in the backup")
    back.set_defaults(run=_restore)
    for each in (made, back):
        each.add_argument("--book", default="main", type=book)


def _backup(parsed: argparse.Namespace) -> int:
    from bot.storage.backup import backup
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        made = backup(Store.open(library, parsed.book), parsed.file)
    print(
        f"book {parsed.book}: {made.rows} rows of {len(made.tables)} tables, as of {made.made_at}, are in {parsed.file}"
    )
    if made.findings is None:
        print(f"not verified: the book has the schema {made.schema}, which is not this program's")
    elif made.findings:
        print(f"verify names {made.findings} findings in this book; the backup holds them too. Run: duedesk verify")
        return 1
    return 0


def _restore(parsed: argparse.Namespace) -> int:
    from bot.storage.backup import restore
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    if parsed.replace and not parsed.yes and not _sure(parsed.book):
        return 2
    with closing(Library(load(for_slack=False).database_url)) as library:
        done = restore(
            Store.open(library, parsed.book),
            parsed.file,
            replace=parsed.replace,
            resume_delivery=parsed.resume_delivery,
        )
    made = done.manifest
    print(f"book {parsed.book} is as book {made.book} was at {made.made_at}: {made.rows} rows, schema {done.schema}")
    print("the books are right")
    if done.parked:
        print(
            f"{done.parked} messages that waited then are held back, as they may have been sent since;"
            f" duedesk outbox retry all{_of(parsed.book)} sends them,"
            f" duedesk outbox drop all{_of(parsed.book)} does not"
        )
    if done.stopped:
        print("reminders are off, as some may have been sent since; /duedesk settings reminders review turns them on")
    return 0


def _sure(book: str) -> bool:
    """Whether the operator means the book that is about to be replaced."""
    if not sys.stdin.isatty():
        print(f"All of the book {book} would be replaced; add --yes if that is meant.", file=sys.stderr)
        return False
    print(f"All of the book {book} will be replaced. Type its name to go on: ", end="", flush=True)
    if sys.stdin.readline().strip() == book:
        return True
    print("That is not its name; nothing was changed.", file=sys.stderr)
    return False


def _of(book: str) -> str:
    return "" if book == "main" else f" --book {book}"
