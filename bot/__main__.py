"""The duedesk command line: run, owner, database, verify, manifest, doctor."""

import argparse
import re
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import yaml

from bot import __version__, upkeep
from bot.config import BadConfig, check_prefix, load
from bot.intake import cli as intake
from bot.parts import EVERY, Part, Parts, read_parts, written

if TYPE_CHECKING:
    from bot.app import Service
    from bot.config import Config
    from bot.storage.shelf import Library
    from bot.storage.store import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when all is well, 1 when something was found, 2 when it could not start."""
    parsed = _parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = parsed.run
        return run(parsed)
    except Exception as fault:
        said = _explained(fault)
        if said is None:
            raise
        print(said, file=sys.stderr)
        return 2


def _explained(fault: Exception) -> str | None:
    """What an operator can mend, in a sentence; nothing for a bug, which is shown whole."""
    from alembic.util import CommandError
    from slack_sdk.errors import SlackApiError
    from sqlalchemy.exc import OperationalError

    from bot.domain.errors import Refused

    match fault:
        case BadConfig():
            return "\n".join(["The environment is not complete:", *(f"  {each}" for each in fault.problems)])
        case Refused():
            return fault.sentence
        case CommandError():
            return "The database has a schema that this program does not know; start the newer program."
        case SlackApiError():
            return f"Slack refuses: {fault.response.get('error')}; duedesk doctor says more."
        case OperationalError() | OSError():
            return f"The database or Slack cannot be reached: {type(fault).__name__}; duedesk doctor says more."
    return None


def _parser() -> argparse.ArgumentParser:
    from bot import books, undelivered

    parser = argparse.ArgumentParser(
        prog="duedesk", description="Accounts receivable and customer credit, run from Slack."
    )
    parser.add_argument("--version", action="version", version=f"duedesk {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve Slack, by Socket Mode or HTTP")
    only = "take some of the work only: web, jobs or delivery, with commas between them or given again"
    run.add_argument("--only", type=_parts, action="append", metavar="PARTS", help=only)
    run.set_defaults(run=_run)
    owner = commands.add_parser("owner", help="name the first owner").add_subparsers(required=True)
    named = owner.add_parser("set", help="owner set U0123ABCD")
    named.add_argument("user")
    named.add_argument("--book", default="main", type=_book)
    named.set_defaults(run=_owner)
    database = commands.add_parser("db", help="the database").add_subparsers(required=True)
    upgrade = database.add_parser("upgrade", help="bring a book to this program's schema")
    _add_which(upgrade)
    upgrade.set_defaults(run=_upgrade)
    undelivered.add(commands, book=_book)
    books.add(commands, book=_book)
    upkeep.add(database, book=_book)
    verify = commands.add_parser("verify", help="recompute every balance from the entries and check the audit chain")
    _add_which(verify)
    verify.set_defaults(run=_verify)
    made = commands.add_parser("manifest", help="print the Slack app's manifest")
    made.add_argument("--prefix", default="", type=_prefix, help="prefix of command names, such as dd-")
    made.add_argument("--url", default="", type=_address, help="request URL, for HTTP mode")
    made.add_argument("--workspaces", action="store_true", help="several workspaces install by OAuth; needs --url")
    made.set_defaults(run=_manifest)
    _add_jobs(commands)
    intake.add_parsers(commands, _book)
    commands.add_parser("doctor", help="check token, scopes, channels, database, clock").set_defaults(run=_doctor)
    return parser


def _add_which(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--book", type=_book, help="one book; main when left out")
    which.add_argument("--all", action="store_true", help="the registry of workspaces and the book of each")


def _add_jobs(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    jobs = commands.add_parser("jobs", help="what runs by itself").add_subparsers(required=True)
    listed = jobs.add_parser("list", help="how each job went and when it runs next")
    listed.set_defaults(run=_jobs_list)
    by_hand = jobs.add_parser("run", help="jobs run digest --date 2026-11-23")
    by_hand.add_argument("name")
    which = "the day it is for, or one of the month that ends; today, or last month, when left out"
    by_hand.add_argument("--date", type=_day, help=which)
    by_hand.add_argument("--channel", default="", help="one channel by its id; all when left out")
    by_hand.add_argument("--again", action="store_true", help="post a copy of what is done, marked as one")
    by_hand.set_defaults(run=_jobs_run)
    for each in (listed, by_hand):
        each.add_argument("--book", default="main", type=_book)


def _day(value: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is written as 2026-11-23") from None


def _book(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,50}", value):
        raise argparse.ArgumentTypeError("a book is named with letters, digits, dashes and underscores, at most 50")
    return value


def _prefix(value: str) -> str:
    try:
        return check_prefix(value)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(f"a prefix {fault}") from None


def _address(value: str) -> str:
    if value and not re.match(r"https?://[^/]", value):
        raise argparse.ArgumentTypeError("a request URL begins with https://")
    return value


def _parts(value: str) -> Parts:
    try:
        return read_parts(value)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _run(parsed: argparse.Namespace) -> int:
    from bot.app import build, name_owner
    from bot.observe import set_up

    config = load()
    set_up(config.log_level)
    if config.serves_many:
        return _run_many(config, parsed)
    with closing(build(config)) as duedesk:
        if not duedesk.desk.store.is_current():
            return _outdated()
        if config.duedesk_owner and not duedesk.desk.store.read(lambda books: books.has_owner()):
            name_owner(duedesk.desk, duedesk.client, config.duedesk_owner)
        _serve(duedesk, parsed)
    return 0


def _run_many(config: "Config", parsed: argparse.Namespace) -> int:
    import resource

    from bot.workspaces import build_many

    # Each SQLite book has some files open; of what the system allows, a process begins with a small part.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with closing(build_many(config)) as workspaces:
        if not workspaces.registry.is_current():
            print("The registry is not at this program's schema; run: duedesk db upgrade --all", file=sys.stderr)
            return 2
        _serve(workspaces, parsed)
    return 0


def _serve(service: "Service", parsed: argparse.Namespace) -> None:
    from bot.observe import log
    from bot.serving import obey, serve

    stopped = threading.Event()
    obey(stopped)
    parts = EVERY if parsed.only is None else frozenset().union(*parsed.only)
    mode = f"{service.config.duedesk_door} mode" if Part.WEB in parts else "no door"
    said = f"{mode}, only {written(parts)}" if parsed.only is not None else mode
    serve(service, stopped, lambda: log.info("ready, %s", said), parts)


def _owner(parsed: argparse.Namespace) -> int:
    from bot.app import name_owner
    from bot.domain.errors import Refused
    from bot.workspaces import one_book

    with one_book(load(), parsed.book) as book:
        if not book.desk.store.is_current():
            return _outdated(parsed.book)
        try:
            done = name_owner(book.desk, book.client, parsed.user)
        except Refused as refusal:
            print(refusal.sentence, file=sys.stderr)
            return 1
    print(
        f"{parsed.user} is the owner."
        if done
        else "This book has its owner; ownership is handed over with /duedesk grant."
    )
    return 0 if done else 1


def _outdated(book: str = "main") -> int:
    """Say how to bring a book to this program's schema."""
    which = "" if book == "main" else f" --book {book}"
    print(f"The database is not at this program's schema; run: duedesk db upgrade{which}", file=sys.stderr)
    return 2


def _upgrade(parsed: argparse.Namespace) -> int:
    from bot.storage.registry.registry import Registry
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    config = load(for_slack=False)
    with closing(Library(config.database_url)) as library:
        registry = Registry(library)
        if (parsed.all and registry.exists()) or (config.serves_many and parsed.book is None):
            print(f"the registry is at schema {registry.upgrade()}")
            parsed.all = True
        for name in _chosen(parsed, library):
            print(f"book {name} is at schema {Store.open(library, name).upgrade()}")
    return 0


def _chosen(parsed: argparse.Namespace, library: "Library") -> list[str]:
    """The book that is named, or every one there is: of each workspace, and `main` if it was made."""
    from bot.storage.registry.registry import Registry
    from bot.storage.store import Store

    if not parsed.all:
        return [parsed.book or "main"]
    registry = Registry(library)
    named = [each.book for each in registry.all()] if registry.exists() else []
    return [*named, *(["main"] if "main" not in named and Store.open(library).schema() else [])]


def _verify(parsed: argparse.Namespace) -> int:
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        named = ((each, f"book {each}: " if parsed.all else "") for each in _chosen(parsed, library))
        return max((_verified(Store.open(library, each), which) for each, which in named), default=0)


def _verified(store: "Store", which: str) -> int:
    from bot.storage.pulse import proved

    if not store.is_current():
        return _outdated(store.book)
    store.seal()
    findings = store.verify()
    proved(store, len(findings))
    for each in findings:
        print(f"{which}{each.check}: {each.where}: kept {each.kept}, recomputed {each.recomputed}")
    print(f"{which}the books are right" if not findings else f"{which}{len(findings)} findings")
    return 1 if findings else 0


def _jobs_list(parsed: argparse.Namespace) -> int:
    from bot.jobs.by_hand import listed
    from bot.storage.shelf import Library
    from bot.storage.store import Store

    with closing(Library(load(for_slack=False).database_url)) as library:
        store = Store.open(library, parsed.book)
        if not store.is_current():
            return _outdated(parsed.book)
        print(listed(store, store.now()))
    return 0


def _jobs_run(parsed: argparse.Namespace) -> int:
    from bot.jobs.by_hand import run_now
    from bot.workspaces import one_book

    with one_book(load(), parsed.book) as book:
        if not book.desk.store.is_current():
            return _outdated(parsed.book)
        workers = (book.worker, book.files)
        for line in run_now(book.desk, workers, parsed.name, parsed.date, parsed.channel, again=parsed.again):
            print(line)
    return 0


def _manifest(parsed: argparse.Namespace) -> int:
    from bot.handlers import register  # noqa: F401  # registers every command
    from bot.handlers.manifest import EVENTS_PATH, manifest

    serves_many = parsed.workspaces or (bool(parsed.url) and load(for_slack=False).serves_many)
    if serves_many and not parsed.url.endswith(EVENTS_PATH):
        print(f"for several workspaces give --url https://YOUR-HOST{EVENTS_PATH}", file=sys.stderr)
        return 2
    made = manifest(prefix=parsed.prefix, request_url=parsed.url, serves_many=serves_many)
    print(yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=120), end="")
    return 0


def _doctor(_parsed: argparse.Namespace) -> int:
    from bot.doctor import examine

    found = examine(load(for_slack=False))
    for each in found:
        print(f"{'ok  ' if each.fine else 'BAD '} {each.what}" + ("" if each.fine else f"\n     {each.repair}"))
    return 0 if all(each.fine for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
