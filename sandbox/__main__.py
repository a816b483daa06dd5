"""`make demo`: a fresh or kept book, the sample company, the bot and the page, started together."""

import argparse
import contextlib
import json
import os
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import yaml
from pydantic import SecretStr
from sqlalchemy import Connection, text

from bot.app import Duedesk, build
from bot.config import Config
from sandbox import sample
from sandbox.mail import unused_port
from sandbox.server import Sandbox

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "var" / "demo" / "book.db"
AHEAD = BOOK.with_name("ahead.db")
LAST_HOUR = 23  # of a day in Singapore, when it is too late to plan reminders for that day
PORT = 8765
BOT_TOKEN, APP_TOKEN, SECRET = "xoxb-demo", "xapp-demo", "demo-signing-secret"  # of a workspace on this machine only
MAIL_SECRET = f"{SECRET}-of-mail"
DIGEST_COMMAND = "/duedesk jobs run digest again"  # a copy, if it posted itself this morning already
TIPS = (
    ("Record a payment", "/payment Acme 500 bank ref TT-881"),
    ("See who owes what", "/aging"),
    ("Look at today's reminders, press Send now on their card, then look at Mail to customers", "/reminders"),
    ("Look at a customer", "/customer Acme"),
    ("Find money nobody has claimed", "/payment list unassigned"),
    ("See what waits for approval", "/withdraw list requested"),
    ("E-mail a statement", "/statement Acme send"),
)


@dataclass
class Demo:
    """A running demo."""

    address: str
    sandbox: Sandbox
    duedesk: Duedesk


def prepare(book: Path) -> bool:
    """Make the sample book unless it is there; returns whether it was made now."""
    if book.exists():
        return False
    book.parent.mkdir(parents=True, exist_ok=True)
    half = book.with_suffix(".new")
    _remove(half)
    duedesk = build(_config("http://127.0.0.1/api/", half))
    duedesk.desk.store.upgrade()
    sample.Sample(duedesk.desk.store, _today(), datetime.now(UTC)).write()
    duedesk.close()
    half.rename(book)
    return True


def _today(ahead: timedelta = timedelta()) -> date:
    return (datetime.now(UTC) + ahead).astimezone(ZoneInfo("Asia/Singapore")).date()


def _remove(book: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        book.with_name(book.name + suffix).unlink(missing_ok=True)


def _copy(book: Path, to: Path) -> None:
    """Whole, with what a process that was killed left beside the file."""
    with contextlib.closing(sqlite3.connect(book)) as kept, contextlib.closing(sqlite3.connect(to)) as copy:
        kept.backup(copy)


def _config(api: str, book: Path, mail_port: int = 0, monitor_port: int = 0) -> Config:
    mails = {
        "duedesk_smtp_url": SecretStr(f"smtp://127.0.0.1:{mail_port}?tls=none"),
        "duedesk_mail_from": "Kopi Supplies <billing@kopi.example>",
        "duedesk_mail_secret": SecretStr(MAIL_SECRET),
        "duedesk_metrics_port": monitor_port,
    }
    return Config(
        **(mails if mail_port else {}),  # type: ignore[arg-type]  # each of its own type
        slack_bot_token=SecretStr(BOT_TOKEN),
        slack_app_token=SecretStr(APP_TOKEN),
        slack_signing_secret=SecretStr(SECRET),
        slack_api_url=api,
        database_url=f"sqlite:///{book}",
    )


@contextlib.contextmanager
def running(book: Path, port: int = 0, ahead: timedelta = timedelta(), *, with_jobs: bool = True) -> Iterator[Demo]:
    """The workspace and the bot over one book, joined by Socket Mode; `ahead` lets them live so much later.

    In the last hour of a day they live an hour earlier: so there is a plan of reminders whenever somebody looks.
    """
    if _today(timedelta(hours=24 - LAST_HOUR)) != _today():
        ahead -= timedelta(hours=24 - LAST_HOUR)
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text(encoding="utf-8"))
    sandbox = Sandbox(
        manifest,
        sample.PEOPLE,
        sample.channels(),
        signing_secret=SECRET,
        bot_token=BOT_TOKEN,
        app_token=APP_TOKEN,
        team=sample.TEAM,
    )
    sandbox.workspace.tips = [{"text": text, "command": command} for text, command in TIPS]
    for message in sample.bank_feed(_today()):
        sandbox.person(sample.CLERK).say("bank-feed", message)
    monitor_port = unused_port()
    sandbox.mail.report = lambda bounce: _report(monitor_port, bounce)
    with sandbox.running(port) as address, sandbox.mail.running() as office:
        config = _config(f"{address}/api/", book, office.port, monitor_port)
        duedesk = build(config, clock=lambda: datetime.now(UTC) + ahead)
        if ahead:
            duedesk.jobs.runner = replace(duedesk.jobs.runner, now=duedesk.desk.clock)
        duedesk.desk.store.upgrade()
        _post_again(duedesk, _today(ahead))
        duedesk.delivery.start()
        if with_jobs:
            duedesk.jobs.start()
        duedesk.files.start()
        assert duedesk.mails is not None
        duedesk.mails.start()
        monitor = duedesk.monitor()
        assert monitor is not None
        door = duedesk.socket_door()
        door.connect()
        while not sandbox.hub.is_open:
            time.sleep(0.01)
        try:
            yield Demo(address, sandbox, duedesk)
        finally:
            door.close()
            monitor.close()
            duedesk.close()


def _post_again(duedesk: Duedesk, today: date) -> None:
    """What waits for approval, and the reminders of today, stand in the new workspace too: the one that had their cards
    ended with its process.
    """
    waiting = """(document_kind = 'withdrawal' AND document_id IN (SELECT id FROM withdrawal WHERE state = 'requested')
        OR document_kind = 'reminders' AND document_id IN (SELECT id FROM reminder_run WHERE day = :today))"""
    given = {"today": today.isoformat()}

    def work(connection: Connection) -> None:
        connection.execute(text(f"DELETE FROM message WHERE {waiting}"), given)  # noqa: S608  # words of our own
        again = "UPDATE outbox SET state = 'waiting', attempts = 0"
        connection.execute(text(f"{again} WHERE kind = 'card' AND state = 'done' AND {waiting}"), given)

    duedesk.desk.store.database.write(work, None)


def _report(port: int, bounce: dict[str, str]) -> None:
    """Tell the bot of a bounce as a mail service does."""
    request = Request(
        f"http://127.0.0.1:{port}/mail/bounces",
        data=json.dumps(bounce).encode(),
        headers={"Authorization": f"Bearer {MAIL_SECRET}", "Content-Type": "application/json"},
    )
    with urlopen(request, timeout=5):  # noqa: S310  # on this machine
        pass


def _free(port: int) -> int:
    """The port asked for, or any free one when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def main() -> int:
    """Start the demo and say where it is and what to try first."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", PORT)))
    parser.add_argument("--ahead", type=int, default=0, help="live so many days later, to see limits end")
    parser.add_argument("--fresh", action="store_true", help="make the sample book again")
    asked = parser.parse_args()
    if asked.fresh:
        _remove(BOOK)
    if not BOOK.exists():
        print("Making the sample company: 40 customers, two years of invoices and payments ...", flush=True)
    prepare(BOOK)
    book = BOOK
    if asked.ahead:  # in a copy: what was done on a later day would stand in the way of today's jobs
        book = AHEAD
        _remove(book)
        _copy(BOOK, book)
    with running(book, _free(asked.port), timedelta(days=asked.ahead)) as demo:
        print(f"\nDuedesk runs at  {demo.address}/\n\nTry first, in #finance as Clara Clerk:", flush=True)
        for text, command in TIPS:
            print(f"  {command:<36} {text.lower()}")
        print(f"\nAs Olga Owner, then look into #digest:\n  {DIGEST_COMMAND:<36} post the morning's digest", flush=True)
        print("\nPress Ctrl+C to stop. The book is kept; `make demo ARGS=--fresh` makes it anew.", flush=True)
        stopped = threading.Event()
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda *_: stopped.set())
        stopped.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
