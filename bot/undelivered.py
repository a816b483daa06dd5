"""The command line of the outbox: what was not delivered, why, and setting it going again."""

import argparse
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

from bot.config import load

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.storage.outbox import Outbox
    from bot.storage.shelf import Library

LARGEST_ID = 1 << 63
HEADINGS = ("id", "since (UTC)", "kind", "of", "state", "tries", "reason")


def add(commands: Any, *, book: Any) -> None:
    """Add `duedesk outbox`; `book` reads the name of a book."""
    outbox = commands.add_parser("outbox", help="cards and files that were not delivered").add_subparsers(required=True)
    listed = outbox.add_parser("list", help="what waits and what failed for good, with the reason")
    listed.set_defaults(run=_list)
    again = outbox.add_parser("retry", help="send after all what failed or was held back: outbox retry all, or an id")
    never = outbox.add_parser("drop", help="never send what failed or was held back: outbox drop all, or an id")
    for each, run in ((again, _retry), (never, _drop)):
        each.add_argument("which", type=_which)
        each.set_defaults(run=run)
    for each in (listed, again, never):
        each.add_argument("--book", default="main", type=book)


def _which(value: str) -> int | Literal["all"]:
    if value == "all":
        return "all"
    if not (value.isascii() and value.isdigit() and int(value[:20]) < LARGEST_ID):
        raise argparse.ArgumentTypeError("give an id as outbox list shows it, or all")
    return int(value)


def _list(parsed: argparse.Namespace) -> int:
    from bot.handlers.blocks.text import table
    from bot.storage.shelf import Library

    with closing(Library(load(for_slack=False).database_url)) as library:
        found = _outbox(library, parsed.book).undelivered()
    rows = [
        [
            str(each.id),
            f"{each.recorded_at:%Y-%m-%d %H:%M}",
            each.kind,
            each.document_kind,
            each.state,
            str(each.attempts),
            each.error,
        ]
        for each in found
    ]
    print(table(rows, HEADINGS, ["left"] * len(HEADINGS)) if rows else "everything is delivered")
    return 1 if any(each.state != "waiting" for each in found) else 0


def _retry(parsed: argparse.Namespace) -> int:
    from bot.storage.outbox import Outbox

    return _settle(parsed, Outbox.retry, "will be sent again by the running bot")


def _drop(parsed: argparse.Namespace) -> int:
    from bot.storage.outbox import Outbox

    return _settle(parsed, Outbox.drop, "will never be sent")


def _settle(parsed: argparse.Namespace, change: "Callable[[Outbox, int | Literal['all']], int]", becomes: str) -> int:
    from bot.handlers.blocks.text import counted
    from bot.storage.shelf import Library

    with closing(Library(load(for_slack=False).database_url)) as library:
        changed = change(_outbox(library, parsed.book), parsed.which)
    if not changed:
        print(
            "nothing failed or is held back" if parsed.which == "all" else "no row with this id failed or is held back",
            file=sys.stderr,
        )
        return 1
    print(f"{counted(changed, 'row')} {becomes}")
    return 0


def _outbox(library: "Library", book: str) -> "Outbox":
    from bot.domain.errors import Refused
    from bot.storage.outbox import Outbox
    from bot.storage.store import Store

    store = Store.open(library, book)
    if not store.is_current():
        which = "" if book == "main" else f" --book {book}"
        raise Refused(f"The database is not at this program's schema; run: duedesk db upgrade{which}")
    return Outbox(store)
