"""The duedesk command line: run, owner, database, verify, manifest, doctor."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Sequence

import yaml

from bot import __version__
from bot.config import BadConfig, Config, load


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0 when all is well, 1 when something was found, 2 when it could not start."""
    parsed = _parser().parse_args(arguments)
    try:
        run: Callable[[argparse.Namespace], int] = parsed.run
        return run(parsed)
    except BadConfig as bad:
        print("The environment is not complete:", *(f"  {each}" for each in bad.problems), sep="\n", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="duedesk", description="Accounts receivable and customer credit, run from Slack."
    )
    parser.add_argument("--version", action="version", version=f"duedesk {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("run", help="serve Slack, by Socket Mode or HTTP").set_defaults(run=_run)
    owner = commands.add_parser("owner", help="name the first owner").add_subparsers(required=True)
    named = owner.add_parser("set", help="owner set U0123ABCD")
    named.add_argument("user")
    named.set_defaults(run=_owner)
    database = commands.add_parser("db", help="the database").add_subparsers(required=True)
    upgrade = database.add_parser("upgrade", help="bring a book to this program's schema")
    upgrade.add_argument("--book", default="main")
    upgrade.set_defaults(run=_upgrade)
    verify = commands.add_parser("verify", help="recompute every balance from the entries and check the audit chain")
    verify.add_argument("--book", default="main")
    verify.set_defaults(run=_verify)
    made = commands.add_parser("manifest", help="print the Slack app's manifest")
    made.add_argument("--prefix", default="", help="prefix of command names, such as dd-")
    made.add_argument("--url", default="", help="request URL, for HTTP mode")
    made.set_defaults(run=_manifest)
    commands.add_parser("doctor", help="check token, scopes, channels, database, clock").set_defaults(run=_doctor)
    return parser


def _run(_parsed: argparse.Namespace) -> int:
    from bot.app import build, name_owner
    from bot.observe import log, set_up

    config = load()
    set_up(config.log_level)
    duedesk = build(config)
    if not duedesk.is_ready():
        print("The database is not at this program's schema; run: duedesk db upgrade", file=sys.stderr)
        return 2
    if config.duedesk_owner:
        name_owner(duedesk.desk, duedesk.client, config.duedesk_owner)
    duedesk.delivery.start()
    stopped = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopped.set())
    log.info("ready, %s mode", config.duedesk_door)
    if config.duedesk_door == "http":
        _serve_http(config, duedesk.http_door())
    else:
        door = duedesk.socket_door()
        door.connect()
        stopped.wait()
        door.close()
    duedesk.close()
    return 0


def _serve_http(config: Config, door: object) -> None:
    import uvicorn

    uvicorn.run(door, host=config.duedesk_host, port=config.duedesk_port, log_level="error")  # type: ignore[arg-type]  # our ASGI app


def _owner(parsed: argparse.Namespace) -> int:
    from bot.app import build, name_owner

    duedesk = build(load())
    done = name_owner(duedesk.desk, duedesk.client, parsed.user)
    duedesk.close()
    print(
        f"{parsed.user} is the owner."
        if done
        else "This book has its owner; ownership is handed over with /duedesk grant."
    )
    return 0 if done else 1


def _upgrade(parsed: argparse.Namespace) -> int:
    from bot.storage.engine import Library
    from bot.storage.store import Store

    library = Library(load(for_slack=False).database_url)
    print(f"book {parsed.book} is at schema {Store.open(library, parsed.book).upgrade()}")
    library.close()
    return 0


def _verify(parsed: argparse.Namespace) -> int:
    from bot.storage.engine import Library
    from bot.storage.store import Store

    library = Library(load(for_slack=False).database_url)
    store = Store.open(library, parsed.book)
    if not store.is_current():
        library.close()
        print("The database is not at this program's schema; run: duedesk db upgrade", file=sys.stderr)
        return 2
    store.seal()
    findings = store.verify()
    for each in findings:
        print(f"{each.check}: {each.where}: kept {each.kept}, recomputed {each.recomputed}")
    library.close()
    print("the books are right" if not findings else f"{len(findings)} findings")
    return 1 if findings else 0


def _manifest(parsed: argparse.Namespace) -> int:
    from bot.handlers import register  # noqa: F401  # registers every command
    from bot.handlers.manifest import manifest

    print(
        yaml.safe_dump(
            manifest(prefix=parsed.prefix, request_url=parsed.url), sort_keys=False, allow_unicode=True, width=120
        ),
        end="",
    )
    return 0


def _doctor(_parsed: argparse.Namespace) -> int:
    from bot.doctor import examine

    found = examine(load(for_slack=False))
    for each in found:
        print(f"{'ok  ' if each.fine else 'BAD '} {each.what}" + ("" if each.fine else f"\n     {each.repair}"))
    return 0 if all(each.fine for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
