"""The command line of the books of several workspaces: which there are, their tokens, and taking one away."""

import argparse
import getpass
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.config import load

if TYPE_CHECKING:
    from bot.storage.registry.registry import Installation, Registry
    from bot.storage.shelf import Library

HEADINGS = ("book", "workspace", "of", "state", "since (UTC)", "schema")


def add(commands: Any, *, book: Any) -> None:
    """Add `duedesk books`; `book` reads the name of a book."""
    books = commands.add_parser("books", help="the books of several workspaces").add_subparsers(required=True)
    books.add_parser("list", help="each workspace, its book and its state").set_defaults(run=_list)
    books.add_parser("new-key", help="print a fresh key for DUEDESK_TOKEN_KEYS").set_defaults(run=_new_key)
    rotated = books.add_parser("rotate-keys", help="encrypt every token anew with the newest key")
    rotated.set_defaults(run=_rotate)
    given = books.add_parser("assign", help="give a workspace a book that is there: books assign main T0123ABCD")
    given.add_argument("book", type=book)
    given.add_argument("place", type=_place)
    given.set_defaults(run=_assign)
    left = books.add_parser("disconnect", help="erase a workspace's token and keep its book")
    left.add_argument("book", type=book)
    left.set_defaults(run=_disconnect)
    erased = books.add_parser("erase", help="take a book away with all it holds, after a backup")
    erased.add_argument("book", type=book)
    backup = erased.add_mutually_exclusive_group(required=True)
    backup.add_argument("--backup", type=Path, help="where the backup is written first")
    backup.add_argument("--no-backup", action="store_true", help="keep nothing of it")
    erased.add_argument("--yes", action="store_true", help="it is meant")
    erased.set_defaults(run=_erase)


def _place(value: str) -> str:
    if not (value[:1] in {"T", "E"} and value.isalnum() and value.isascii() and len(value) <= 20):  # noqa: PLR2004  # as Slack's ids are
        raise argparse.ArgumentTypeError("a workspace is named by its team id, T..., an organisation by E...")
    return value


def _who() -> str:
    """The account that runs the command."""
    try:
        return f"operator {getpass.getuser()}"
    except (KeyError, OSError):
        return "operator"


def _registry(library: "Library", keys: Sequence[str] = ()) -> "Registry":
    from bot.domain.errors import Refused
    from bot.storage.registry.registry import Registry

    registry = Registry(library, keys)
    if not registry.is_current():
        raise Refused("There is no registry at this program's schema; run: duedesk db upgrade --all")
    return registry


def _list(_parsed: argparse.Namespace) -> int:
    from bot.handlers.blocks.text import table
    from bot.storage.shelf import Library

    config = load(for_slack=False)
    with closing(Library(config.database_url)) as library:
        rows = [
            _row(library, each, keys=bool(config.token_keys)) for each in _registry(library, config.token_keys).all()
        ]
    print(table(rows, HEADINGS, ["left"] * len(HEADINGS)) if rows else "no workspace has installed yet")
    return 0


def _row(library: "Library", each: "Installation", *, keys: bool) -> list[str]:
    from bot.storage import schema
    from bot.storage.store import Store

    at = Store.open(library, each.book).schema()
    state = "installed" if each.is_installed else "left" if each.name else "assigned"
    if each.is_installed and keys and each.token is None:
        state = "no key opens its token"
    of = "an organisation" if each.is_org else "a workspace"
    current = "current" if at == schema.newest() else at or "no book"
    return [
        each.book,
        f"{each.name or each.place} ({each.place})",
        of,
        state,
        f"{each.changed_at:%Y-%m-%d %H:%M}",
        current,
    ]


def _new_key(_parsed: argparse.Namespace) -> int:
    from bot.storage.registry.tokens import new_key

    print(new_key())
    return 0


def _rotate(_parsed: argparse.Namespace) -> int:
    from bot.storage.shelf import Library

    config = load(for_slack=False)
    if not config.token_keys:
        print("DUEDESK_TOKEN_KEYS is not set", file=sys.stderr)
        return 2
    with closing(Library(config.database_url)) as library:
        done, lost = _registry(library, config.token_keys).rotate()
    print(f"encrypted with the newest key: {done}")
    if lost:
        print(f"opened by none of the keys: {lost}; duedesk books list names them", file=sys.stderr)
    return 1 if lost else 0


def _assign(parsed: argparse.Namespace) -> int:
    from bot.domain.errors import NotFound
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        if not Store.open(library, parsed.book).schema():
            raise NotFound(f"There is no book {parsed.book} at DATABASE_URL.")
        _registry(library).assign(parsed.place, parsed.book, _who())
    print(f"{parsed.place} gets the book {parsed.book} when it installs")
    return 0


def _disconnect(parsed: argparse.Namespace) -> int:
    from bot.storage.shelf import Library

    with closing(Library(load(for_slack=False).database_url)) as library:
        registry = _registry(library)
        done = registry.leave(registry.of_book(parsed.book).place, _who())
    print(f"the token is erased, the book {parsed.book} is kept" if done else "it has no token")
    return 0 if done else 1


def _erase(parsed: argparse.Namespace) -> int:
    from bot.storage.backup import backup
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        registry = _registry(library)
        found = registry.of_book(parsed.book)
        if found.is_installed:
            print(
                f"{found.name} still has the app installed. Remove it there, or run: duedesk books disconnect"
                f" {parsed.book}; wait a minute, so that no process uses the book any more.",
                file=sys.stderr,
            )
            return 2
        if not parsed.yes:
            print(f"All of the book {parsed.book} would be erased; add --yes if that is meant.", file=sys.stderr)
            return 2
        if parsed.backup is not None:
            made = backup(Store.open(library, parsed.book), parsed.backup)
            print(f"{made.rows} rows are in {parsed.backup}")
        registry.forget(parsed.book, _who())
        library.erase(parsed.book)
    print(f"the book {parsed.book} is erased")
    return 0
