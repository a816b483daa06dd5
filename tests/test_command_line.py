"""The command line: what it prints, what it ends with, and that it never shows a secret."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from sqlalchemy import create_engine, make_url, text

from bot import __version__
from bot.__main__ import main
from bot.config import Config
from bot.handlers.manifest import manifest
from bot.storage import guards, schema
from bot.storage.shelf import Library
from bot.storage.store import Store
from sandbox.server import Sandbox
from tests.domain.expect import everything, run_sql
from tests.slack import APP_TOKEN, BOT_TOKEN, GUEST, ROBOT, SECRET, workspace
from tests.world import ADMIN, OWNER, STRANGER, World

ROOT = Path(__file__).parent.parent
URL = "https://duedesk.example.com/slack/events"
PASSWORD = "hunter2"
NOWHERE = f"postgresql://duedesk:{PASSWORD}@127.0.0.1:1/books"
SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
Set = Callable[..., None]


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    status: int
    out: str
    err: str


Type = Callable[[str], Said]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Set:
    """An environment with nothing of ours in it, in a directory without .env; set what is needed."""
    monkeypatch.chdir(tmp_path_factory.mktemp("started_from"))
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)

    def put(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return put


@pytest.fixture
def duedesk(environment: Set, capsys: pytest.CaptureFixture[str]) -> Type:
    """Type a command line; no secret may be in what it prints."""

    def run(line: str) -> Said:
        try:
            status = main(line.split())
        except SystemExit as ended:
            status = int(ended.code or 0)
        printed = capsys.readouterr()
        for secret in (BOT_TOKEN, APP_TOKEN, SECRET, PASSWORD):
            assert secret not in printed.out + printed.err
        return Said(status, printed.out, printed.err)

    return run


@pytest.fixture
def slack_there(environment: Set) -> Iterator[Sandbox]:
    """A workspace, with its address and secrets in the environment."""
    sandbox = workspace()
    with sandbox.running() as address:
        environment(SLACK_API_URL=f"{address}/api/", SLACK_BOT_TOKEN=BOT_TOKEN, SLACK_APP_TOKEN=APP_TOKEN)
        yield sandbox


def test_help_names_every_command(duedesk: Type) -> None:
    said = duedesk("--help")
    assert said.status == 0
    assert all(f"    {name} " in said.out for name in ("run", "owner", "db", "outbox", "verify", "manifest", "doctor"))


def test_the_version_is_printed(duedesk: Type) -> None:
    assert duedesk("--version") == Said(0, f"duedesk {__version__}\n", "")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "required: COMMAND"),
        ("audit", "invalid choice: 'audit'"),
        ("owner", "required"),
        ("owner set", "required: user"),
        ("db", "required"),
        ("db downgrade", "invalid choice: 'downgrade'"),
        ("verify now", "unrecognized arguments: now"),
        ("verify --book ../other", "a book is named with letters"),
        (f"db upgrade --book {'b' * 51}", "at most 50"),
        ("outbox", "required"),
        ("outbox retry", "required: which"),
        ("outbox retry some", "give an id as outbox list shows it, or all"),
        ("manifest --prefix DD", "a prefix has small letters"),
        ("manifest --url duedesk.example.com", "a request URL begins with https://"),
    ],
)
def test_what_is_no_command_is_refused_with_what_would_be_one(duedesk: Type, line: str, says: str) -> None:
    said = duedesk(line)
    assert (said.status, said.out) == (2, "")
    assert "usage: duedesk" in said.err
    assert says in said.err


def test_the_manifest_is_printed_in_the_variant_asked_for(duedesk: Type) -> None:
    said = duedesk(f"manifest --prefix dd- --url {URL}")
    assert (said.status, said.err) == (0, "")
    assert yaml.safe_load(said.out) == manifest(prefix="dd-", request_url=URL)


def test_upgrade_makes_a_book_and_a_second_time_changes_nothing(
    duedesk: Type, environment: Set, book_url: str, world: World
) -> None:
    environment(DATABASE_URL=book_url)
    main_before = everything(world)
    first = duedesk("db upgrade --book archive")
    assert first == Said(0, f"book archive is at schema {schema.newest()}\n", "")
    library = Library(book_url)
    archive = World(Store.open(library, "archive"))
    archive.pay(500, archive.customer())
    before = everything(archive)
    assert duedesk("db upgrade --book archive") == first
    assert everything(archive) == before
    assert everything(world) == main_before
    archive.check()
    library.close()


def test_books_that_are_right_are_said_to_be_right(
    duedesk: Type, environment: Set, book_url: str, world: World
) -> None:
    environment(DATABASE_URL=book_url)
    customer = world.customer()
    world.invoice(customer, 300)
    world.pay(500, customer)
    assert duedesk("verify") == Said(0, "the books are right\n", "")


def tamper(book_url: str, *statements: str) -> None:
    """Change rows past every guard, as somebody with the file or the superuser's password can."""
    engine = create_engine(make_url(book_url.replace("postgresql:", "postgresql+psycopg:")))
    with engine.begin() as connection:
        if engine.dialect.name == "sqlite":
            away = [*guards.remove("sqlite")]
        else:
            away = ["SET LOCAL search_path = book_main", "SET LOCAL session_replication_role = replica"]
        for statement in (*away, *statements):
            connection.execute(text(statement))
    engine.dispose()


def test_what_was_changed_behind_the_books_is_named_each_on_a_line(
    duedesk: Type, environment: Set, book_url: str, world: World
) -> None:
    environment(DATABASE_URL=book_url)
    world.pay(500, world.customer())
    world.check()
    tamper(
        book_url,
        "UPDATE posting SET amount_micros = amount_micros + 1 WHERE id = (SELECT MIN(id) FROM posting)",
        "UPDATE audit SET actor = 'U0SOMEBODY' WHERE id = (SELECT MAX(id) FROM audit)",
    )
    said = duedesk("verify")
    assert (said.status, said.err) == (1, "")
    *findings, last = said.out.splitlines()
    assert last == f"{len(findings)} findings"
    assert {each.partition(":")[0] for each in findings} >= {"entry balances", "audit chain"}
    assert all("kept " in each and ", recomputed " in each for each in findings)


@pytest.mark.parametrize("line", ["verify", "owner set U0OWNER", "run"])
def test_a_book_at_another_schema_is_not_touched_and_the_command_to_run_is_said(
    duedesk: Type, environment: Set, slack_there: Sandbox, book_url: str, world: World, line: str
) -> None:
    environment(DATABASE_URL=book_url)
    run_sql(world, "UPDATE alembic_version SET version_num = '0000_of_old'")
    before = everything(world)
    said = duedesk(line)
    assert (said.status, said.out) == (2, "")
    assert "The database is not at this program's schema; run: duedesk db upgrade\n" in said.err
    assert everything(world) == before


def test_a_book_that_is_not_there_yet_can_be_made_with_the_command_that_is_said(
    duedesk: Type, environment: Set, book_url: str
) -> None:
    environment(DATABASE_URL=book_url)
    said = duedesk("verify --book archive")
    assert (said.status, said.out) == (2, "")
    told, _, command = said.err.strip().partition("run: duedesk ")
    assert told
    assert duedesk(command).status == 0
    assert duedesk("verify --book archive") == Said(0, "the books are right\n", "")


def test_a_book_of_a_newer_program_is_left_alone_and_the_newer_program_asked_for(
    duedesk: Type, environment: Set, book_url: str, world: World
) -> None:
    environment(DATABASE_URL=book_url)
    run_sql(world, "UPDATE alembic_version SET version_num = '9999_of_the_future'")
    before = everything(world)
    said = duedesk("db upgrade")
    assert (said.status, said.out) == (2, "")
    assert said.err == "The database has a schema that this program does not know; start the newer program.\n"
    assert everything(world) == before


@pytest.mark.rule(120)
def test_what_was_not_delivered_is_listed_with_its_reason_and_set_going_again(
    duedesk: Type, environment: Set, world: World, book_url: str
) -> None:
    environment(DATABASE_URL=book_url)
    run_sql(world, "DELETE FROM outbox")
    assert duedesk("outbox list") == Said(0, "everything is delivered\n", "")
    assert duedesk("outbox retry all") == Said(1, "", "nothing failed or is held back\n")
    world.pay(10)
    run_sql(world, "UPDATE outbox SET state = 'failed', error = 'is_archived', attempts = 3")
    listed = duedesk("outbox list")
    assert listed.status == 1
    assert listed.out.splitlines()[1].split()[-5:] == ["card", "payment", "failed", "3", "is_archived"]
    assert duedesk("outbox retry 1") == Said(1, "", "no row with this id failed or is held back\n")
    assert duedesk(f"outbox retry {listed.out.splitlines()[1].split()[0]}").out.startswith("1 row will be sent again")
    waiting = duedesk("outbox list")
    assert (waiting.status, "waiting" in waiting.out) == (0, True)


def test_the_first_owner_is_named_once(duedesk: Type, environment: Set, slack_there: Sandbox, book_url: str) -> None:
    environment(DATABASE_URL=book_url)
    assert duedesk(f"owner set {OWNER}") == Said(0, f"{OWNER} is the owner.\n", "")
    for user in (OWNER, ADMIN):
        said = duedesk(f"owner set {user}")
        assert (said.status, said.err) == (1, "")
        assert said.out == "This book has its owner; ownership is handed over with /duedesk grant.\n"
    library = Library(book_url)
    store = Store.open(library)
    assert [each.user for each in store.read(lambda books: books.people())] == [OWNER]
    library.close()


@pytest.mark.rules(118, 119)
@SQLITE
@pytest.mark.parametrize(
    ("user", "status", "says"),
    [
        (GUEST, 1, "Guests get no rights"),
        (ROBOT, 1, "Bots get no rights"),
        (STRANGER, 1, "another workspace"),
        ("U0NOWHERE", 2, "Slack refuses: user_not_found"),
    ],
)
def test_nobody_but_a_full_member_becomes_the_owner(
    duedesk: Type,
    environment: Set,
    slack_there: Sandbox,
    book_url: str,
    library: Library,
    user: str,
    status: int,
    says: str,
) -> None:
    environment(DATABASE_URL=book_url)
    said = duedesk(f"owner set {user}")
    assert (said.status, said.out) == (status, "")
    assert says in said.err
    assert "Traceback" not in said.err
    assert not Store.open(library).read(lambda books: books.has_owner())


@SQLITE
def test_an_owner_who_may_not_be_one_stops_the_start(
    duedesk: Type, environment: Set, slack_there: Sandbox, book_url: str
) -> None:
    environment(DATABASE_URL=book_url, DUEDESK_OWNER=GUEST)
    said = duedesk("run")
    assert (said.status, said.out) == (2, "")
    assert "Guests get no rights" in said.err


@pytest.mark.parametrize("line", ["verify", "db upgrade", f"owner set {OWNER}", "run"])
def test_a_database_that_cannot_be_reached_is_said_without_its_password(
    duedesk: Type, environment: Set, slack_there: Sandbox, line: str
) -> None:
    environment(DATABASE_URL=NOWHERE)
    said = duedesk(line)
    assert (said.status, said.out) == (2, "")
    assert "OperationalError" in said.err
    assert "Traceback" not in said.err


@SQLITE
def test_a_slack_that_refuses_is_said_with_its_reason(
    duedesk: Type, environment: Set, slack_there: Sandbox, book_url: str
) -> None:
    environment(DATABASE_URL=book_url, SLACK_BOT_TOKEN="xoxb-of-another-app")
    said = duedesk(f"owner set {OWNER}")
    assert said == Said(2, "", "Slack refuses: invalid_auth; duedesk doctor says more.\n")


def test_all_that_is_wrong_with_the_environment_is_named_at_once(duedesk: Type, environment: Set) -> None:
    environment(
        SLACK_APP_TOKEN=f"xoxb-{PASSWORD}",
        SLACK_API_URL="slack.com/api",
        DATABASE_URL=f"mysql://duedesk:{PASSWORD}@127.0.0.1/books",
        DUEDESK_PORT="70000",
        DUEDESK_PREFIX="DD ",
        DESK_LIMIT="none",
        DESK_WAITING="0",
        DUEDESK_SMTP_URL=f"smtp://ann:{PASSWORD}@mail.example.com?tls=none",
        DUEDESK_MAIL_FROM="Ann",
        DUEDESK_MAIL_REPLY_TO="ann@acme.example\r\nBcc: x@evil.example",
        DUEDESK_MAILBOX_URL="imaps://mail.example.com",
        DUEDESK_MAIL_SECRET=PASSWORD,
        LOG_LEVEL="LOUD",
    )
    said = duedesk("run")
    assert (said.status, said.out) == (2, "")
    title, *problems = said.err.splitlines()
    assert title == "The environment is not complete:"
    assert sorted(problems) == [
        "  DATABASE_URL must begin with sqlite:/// or postgresql://",
        "  DESK_LIMIT Input should be a valid integer, unable to parse string as an integer",
        "  DESK_WAITING Input should be greater than or equal to 1",
        "  DUEDESK_MAILBOX_URL names no user; write imaps://user:password@host/INBOX",
        "  DUEDESK_MAIL_FROM is no address; write it as Acme Billing <billing@example.com>",
        "  DUEDESK_MAIL_REPLY_TO is no address; write it as Acme Billing <billing@example.com>",
        "  DUEDESK_MAIL_SECRET is too short to be kept secret; use at least 20 characters",
        "  DUEDESK_PORT Input should be less than or equal to 65535",
        "  DUEDESK_PREFIX has small letters, digits, dashes and underscores only, at most 12",
        "  DUEDESK_SMTP_URL has tls=none, which is for a server on this machine only",
        "  LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR",
        "  SLACK_API_URL must begin with http:// or https://",
        "  SLACK_APP_TOKEN is no xapp-... token",
        "  SLACK_BOT_TOKEN is not set",
    ]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({}, ["SLACK_BOT_TOKEN is not set", "SLACK_APP_TOKEN is not set"]),
        ({"DUEDESK_DOOR": "http"}, ["SLACK_BOT_TOKEN is not set", "SLACK_SIGNING_SECRET is not set"]),
        ({"DUEDESK_DOOR": "http", "SLACK_BOT_TOKEN": BOT_TOKEN}, ["SLACK_SIGNING_SECRET is not set"]),
        (
            {"SLACK_BOT_TOKEN": APP_TOKEN, "SLACK_APP_TOKEN": BOT_TOKEN},
            ["SLACK_BOT_TOKEN is no xoxb-... token", "SLACK_APP_TOKEN is no xapp-... token"],
        ),
    ],
)
@pytest.mark.parametrize("line", ["run", f"owner set {OWNER}"])
def test_each_door_asks_for_its_own_secrets(
    duedesk: Type, environment: Set, line: str, values: dict[str, str], problems: list[str]
) -> None:
    environment(**values)
    said = duedesk(line)
    assert said.status == 2
    assert said.err.splitlines()[1:] == [f"  {each}" for each in problems]


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql://duedesk@127.0.0.1:{PASSWORD}/books",
        f"postgresql:{PASSWORD}",
    ],
)
def test_an_address_that_cannot_be_read_is_named_and_not_shown(duedesk: Type, environment: Set, address: str) -> None:
    environment(DATABASE_URL=address)
    for line in ("verify", "doctor"):
        said = duedesk(line)
        assert (said.status, said.out) == (2, "")
        assert "DATABASE_URL cannot be read" in said.err


@SQLITE
def test_a_file_beside_the_start_is_read_and_the_environment_goes_before_it(
    duedesk: Type, environment: Set, book_url: str
) -> None:
    Path(".env").write_text(f"DATABASE_URL=mysql://nothing\nSLACK_BOT_TOKEN={BOT_TOKEN}\n", encoding="utf-8")
    assert "DATABASE_URL must begin with" in duedesk("verify").err
    environment(DATABASE_URL=book_url)
    assert duedesk("verify").status == 0
    assert duedesk("run").err.splitlines()[1:] == ["  SLACK_APP_TOKEN is not set"]


@SQLITE
def test_the_program_serves_until_it_is_told_to_stop_and_logs_no_secret(
    environment: Set, slack_there: Sandbox, book_url: str, world: World
) -> None:
    environment(DATABASE_URL=book_url, LOG_LEVEL="debug", PYTHONPATH=str(ROOT))
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "run"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as program:
        assert program.stderr is not None
        lines = [program.stderr.readline()]
        limit = time.monotonic() + 20
        while not slack_there.hub.is_open and time.monotonic() < limit:
            time.sleep(0.01)
        said = slack_there.person(OWNER).command("finance", "/aging")
        program.send_signal(signal.SIGTERM)
        out, rest = program.communicate(timeout=20)
    assert '"says": "ready, socket mode"' in lines[0]
    assert "Aged receivables" in said.text
    assert program.returncode == 0
    for secret in (BOT_TOKEN, APP_TOKEN, SECRET):
        assert secret not in lines[0] + out + rest
    assert "Traceback" not in rest
