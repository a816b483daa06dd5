"""The doctor names each fault of an installation and says how to repair it, and nothing else."""

import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk import WebClient
from sqlalchemy import delete, update

from bot.__main__ import main
from bot.domain.mail import MailState
from bot.domain.settings import ChangeSetting, change_setting
from bot.handlers.manifest import manifest
from bot.jobs.delivery import Worker
from bot.storage.parking import park
from bot.storage.pulse import beat, heart_beat
from bot.storage.tables import metadata
from sandbox.server import Sandbox
from tests.domain.expect import everything, run_sql
from tests.domain.mail_stages import mailed, settled
from tests.slack import APP_TOKEN, BOT_TOKEN, FINANCE, SECRET, workspace
from tests.world import OWNER, World

PASSWORD = "hunter2"
PULSE = metadata.tables["pulse"]
NOWHERE = f"postgresql://duedesk:{PASSWORD}@127.0.0.1:1/books"


@dataclass
class Installation:
    """Duedesk as an operator has it: a workspace, a book with its owner and channel, and the environment."""

    sandbox: Sandbox
    world: World
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    seals: bool = True  # as `duedesk run` does

    def environment(self, **values: str) -> None:
        for name, value in values.items():
            self.monkeypatch.setenv(name, value)

    def channel(self, **changes: Any) -> None:
        """Change #finance behind the settings' back."""
        now = self.sandbox.workspace.channels
        now[FINANCE] = replace(now[FINANCE], **changes)

    def set(self, name: str, value: str) -> None:
        self.world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)

    def deliver(self) -> None:
        """Send what waits, as `duedesk run` does."""
        address = f"{self.sandbox.workspace.address}/api/"
        assert Worker(self.world.desk, WebClient(token=BOT_TOKEN, base_url=address)).run_once()

    def examined(self) -> tuple[int, list[str], dict[str, str]]:
        """What `duedesk doctor` ends with, what it finds fine, and its repair of each fault."""
        if self.seals:
            self.world.store.seal()
        status = main(["doctor"])
        # A header has whole seconds, and the answer took its time.
        printed = re.sub(
            r"(\d+) s off", lambda found: f"{round(int(found[1]), -1)} s off", self.capsys.readouterr().out
        )
        for secret in (BOT_TOKEN, APP_TOKEN, SECRET, PASSWORD):
            assert secret not in printed
        printed = re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d UTC", "THEN", printed)
        printed = re.sub(r"disk: \d{3,} MB", "disk: ENOUGH MB", printed)
        return (
            status,
            re.findall(r"^ok   (.*)$", printed, re.MULTILINE),
            dict(re.findall(r"^BAD  (.*)\n     (.*)$", printed, re.MULTILINE)),
        )


@pytest.fixture
def installation(
    book_url: str,
    world: World,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Installation]:
    sandbox = workspace(manifest())
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))  # no .env
    with sandbox.running() as address:
        made = Installation(sandbox, world, monkeypatch, capsys)
        made.environment(
            SLACK_BOT_TOKEN=BOT_TOKEN,
            SLACK_APP_TOKEN=APP_TOKEN,
            SLACK_SIGNING_SECRET=SECRET,
            SLACK_API_URL=f"{address}/api",
            DATABASE_URL=book_url,
            DUEDESK_DOOR="socket",
        )
        made.set("finance_channel", FINANCE)
        yield made


@dataclass(frozen=True)
class Fault:
    """What goes wrong, what the doctor calls it, and words of the repair."""

    happens: Callable[[Installation], object]
    name: str
    repair: str


def without(scope: str) -> Callable[[Installation], None]:
    """The app, installed from a manifest that lacks a scope."""

    def install(here: Installation) -> None:
        made = manifest()
        for asked in made["oauth_config"]["scopes"].values():
            if scope in asked:
                asked.remove(scope)
        here.sandbox.workspace.manifest = made

    return install


def failing(method: str, kind: str, **more: Any) -> Callable[[Installation], None]:
    return lambda here: here.sandbox.faults.add(method, kind, times=9, **more)


def off_by(seconds: int) -> Callable[[Installation], None]:
    def turn(here: Installation) -> None:
        here.sandbox.workspace.clock = lambda: time.time() + seconds

    return turn


def members(here: Installation) -> set[str]:
    return set(here.sandbox.workspace.channels[FINANCE].members)


def undelivered(here: Installation) -> None:
    """A card that Slack refused for good; its channel is back since."""
    here.world.pay(500)
    here.channel(is_archived=True)
    here.deliver()
    here.channel(is_archived=False)


def held_back(here: Installation) -> None:
    """A message that waited in the backup that the book was restored from."""
    here.world.pay(500)
    here.world.store.write(lambda connection: park(connection, "restored from a backup"))


def unsealed(here: Installation) -> None:
    """A row of the audit log, and nobody to seal it."""
    here.seals = False


def nearly_full(here: Installation) -> None:
    here.monkeypatch.setattr(shutil, "disk_usage", lambda _path: shutil._ntuple_diskusage(10**9, 9 * 10**8, 10**8))


def doors_alone(here: Installation) -> None:
    beat(here.world.store, "machine:1:ab web 17", began_ago=10, request_ago=5)


def serving(**ago: float | None) -> Callable[[Installation], None]:
    """A process, by when it began and when it last was seen or had a request, in hours ago."""

    def show(here: Installation) -> None:
        request = ago.get("request")
        beat(
            here.world.store,
            "machine:1",
            began_ago=3600 * (ago["began"] or 0),
            request_ago=None if request is None else 3600 * request,
        )
        seen = here.world.store.now() - timedelta(hours=ago.get("seen") or 0)
        here.world.store.write(lambda connection: connection.execute(update(PULSE).values(seen_at=seen)))
        heart_beat(here.world.store)

    return show


def unproved(here: Installation) -> None:
    """A process that serves, and a heartbeat that was good the day before yesterday."""
    serving(began=999, request=1)(here)
    then = here.world.store.now() - timedelta(hours=27)
    aged = update(PULSE).where(PULSE.c.kind == "heartbeat").values(seen_at=then)
    here.world.store.write(lambda connection: connection.execute(aged))


def never_proved(here: Installation) -> None:
    """A process that serves since long, and a heartbeat that never came to an end."""
    serving(began=999, request=1)(here)
    gone = delete(PULSE).where(PULSE.c.kind == "heartbeat")
    here.world.store.write(lambda connection: connection.execute(gone))


def unheard_of_at_an_address(here: Installation) -> None:
    here.environment(DUEDESK_DOOR="http")
    serving(began=2)(here)


def mail_in_trouble(here: Installation) -> None:
    """One of which nobody knows, and one that waits though no server is set."""
    made = mailed(here.world)
    settled(here.world, made.mail_id, MailState.UNKNOWN, "no answer came")


def waiting(here: Installation) -> None:
    """A card, and no channel to post it in."""
    here.set("finance_channel", "")
    here.world.pay(500)


OF_SLACK: dict[str, Fault] = {
    "a bot token that Slack does not know": Fault(
        lambda here: here.environment(SLACK_BOT_TOKEN="xoxb-of-another-app"),
        "bot token: invalid_auth",
        "Copy the bot token",
    ),
    "a bot token of an app that was taken away": Fault(
        failing("auth.test", "error", error="account_inactive"), "bot token: account_inactive", "Copy the bot token"
    ),
    "an app-level token that Slack does not know": Fault(
        lambda here: here.environment(SLACK_APP_TOKEN="xapp-of-another-app"),
        "app-level token: invalid_auth",
        "connections:write",
    ),
    "a Slack that is not there": Fault(
        lambda here: here.environment(SLACK_API_URL="http://127.0.0.1:1/"), "bot token: URLError", "SLACK_API_URL"
    ),
    "a Slack that is busy": Fault(
        failing("auth.test", "ratelimited"), "bot token: ratelimited", "try again in a few minutes"
    ),
    "a scope that is missing": Fault(
        without("im:write"),
        "scopes: missing im:write",
        "manifest.yml into the app's settings and install the app again",
    ),
    "a clock that is behind": Fault(off_by(3600), "clock: 3600 s off", "Switch time synchronisation on"),
    "a clock that is ahead": Fault(off_by(-3600), "clock: 3600 s off", "Switch time synchronisation on"),
    "a finance channel without the bot": Fault(
        lambda here: here.channel(members=members(here) - {here.sandbox.bot_user}),
        "finance channel: channel_not_found",
        "/invite @duedesk",
    ),
    "a finance channel that became public": Fault(
        lambda here: here.channel(is_private=False), "finance channel: cannot hold money matters", "must be private"
    ),
    "a finance channel that another company shares": Fault(
        lambda here: here.channel(is_ext_shared=True),
        "finance channel: cannot hold money matters",
        "shared with another company",
    ),
    "a finance channel that is archived": Fault(
        lambda here: here.channel(is_archived=True), "finance channel: is archived", "Bring the channel back"
    ),
    "a finance channel that is gone": Fault(
        lambda here: here.sandbox.workspace.channels.pop(FINANCE),
        "finance channel: channel_not_found",
        "/duedesk settings finance_channel",
    ),
    "a setting that names no channel": Fault(
        lambda here: here.set("approvals_channel", "finance"),
        "approvals channel: channel_not_found",
        "/duedesk settings approvals_channel",
    ),
    "a money channel of another purpose that is public": Fault(
        lambda here: here.set("digest_channel", "C0PUBLIC"),
        "digest channel: cannot hold money matters",
        "must be private",
    ),
    "a channel with a digest of its own that is public": Fault(
        lambda here: here.set("digests", "C0PUBLIC 09:00 daily all"),
        "digest: cannot hold money matters (C0PUBLIC)",
        "must be private",
    ),
    "a channel that cannot be looked at": Fault(
        failing("conversations.info", "error", error="internal_error"),
        "finance channel: internal_error",
        "try again in a few minutes",
    ),
}
OF_THE_BOOK: dict[str, Fault] = {
    "a server that cannot be reached": Fault(
        lambda here: here.environment(DATABASE_URL=NOWHERE), "database: OperationalError", "Check DATABASE_URL"
    ),
    "a file that is not there": Fault(
        lambda here: here.environment(DATABASE_URL="sqlite:////dev/null/books/duedesk.db"),
        "database schema: there is no book",
        "duedesk db upgrade",
    ),
    "a folder for a file": Fault(
        lambda here: here.environment(DATABASE_URL="sqlite:////dev"), "database: OperationalError", "Check DATABASE_URL"
    ),
    "an old schema": Fault(
        lambda here: run_sql(here.world, "UPDATE alembic_version SET version_num = '0001'"),
        "database schema",
        "Stop every process, run: duedesk db upgrade, and start again.",
    ),
    "a schema of a newer program": Fault(
        lambda here: run_sql(here.world, "UPDATE alembic_version SET version_num = '9999'"),
        "database schema: 9999 is newer than this program",
        "The book was upgraded by a newer program; start that one.",
    ),
    "no schema": Fault(
        lambda here: run_sql(here.world, "DELETE FROM alembic_version"),
        "database schema: there is no book",
        "duedesk db upgrade",
    ),
    "messages that were given up": Fault(
        undelivered,
        "undelivered messages: 1",
        "Slack's reason: is_archived. Mend that, usually a channel is gone; then run: duedesk outbox retry all.",
    ),
    "messages that a restore held back": Fault(
        held_back, "messages held back: 1", "run: duedesk outbox retry all, or duedesk outbox drop all."
    ),
    "an audit log that nobody seals": Fault(
        unsealed, "audit log: not sealed since THEN", "Start duedesk run, which seals it;"
    ),
    "a part of the work that nobody does": Fault(
        doors_alone, "processes: 1, but none does jobs, delivery", "Start one: duedesk run --only jobs,delivery, or"
    ),
    "a process that is gone": Fault(
        serving(began=9, seen=1, request=2), "process: none serves this book since THEN", "Start duedesk run."
    ),
    "commands that never arrived": Fault(
        serving(began=2),
        "commands: none has ever arrived",
        "nothing else runs with the same app-level token: Slack spreads requests over all that are connected.",
    ),
    "commands that arrive no more": Fault(
        serving(began=999, request=200),
        "commands: none since THEN",
        "installed from manifest.yml and that Socket Mode is on",
    ),
    "commands that never arrive at an address": Fault(
        unheard_of_at_an_address,
        "commands: none has ever arrived",
        "each Request URL is https://YOUR-HOST/slack/events and leads to this process",
    ),
    "a heartbeat that is late": Fault(unproved, "heartbeat: the last good one was at THEN", "Run: duedesk verify."),
    "a heartbeat that never was": Fault(never_proved, "heartbeat: there was no good one yet", "Run: duedesk verify."),
    "messages that wait for a channel": Fault(
        waiting,
        "finance channel: not set, 1 messages wait for it",
        "/duedesk settings finance_channel",
    ),
    "nobody who owns the book": Fault(
        lambda here: run_sql(here.world, "DELETE FROM person"), "owner", "duedesk owner set"
    ),
    "a mail of which nobody knows": Fault(
        mail_in_trouble, "mails that failed, or of which nobody knows: 1", "under E-mail in trouble"
    ),
    "mail that waits for a server": Fault(
        lambda here: mailed(here.world), "mail server: none is set, 1 mails wait for it", "DUEDESK_SMTP_URL"
    ),
    "a mail server that is not there": Fault(
        lambda here: here.environment(
            DUEDESK_SMTP_URL=f"smtp://ann:{PASSWORD}@127.0.0.1:1?tls=none", DUEDESK_MAIL_FROM="ann@acme.example"
        ),
        "mail server: ConnectionRefusedError",
        "Check DUEDESK_SMTP_URL",
    ),
    "a mailbox that is not there": Fault(
        lambda here: here.environment(DUEDESK_MAILBOX_URL=f"imap://ann:{PASSWORD}@127.0.0.1:1?tls=none"),
        "mailbox: ConnectionRefusedError",
        "Check DUEDESK_MAILBOX_URL",
    ),
    "a secret that is missing": Fault(
        lambda here: here.environment(SLACK_SIGNING_SECRET="", DUEDESK_DOOR="http"),
        "environment",
        "SLACK_SIGNING_SECRET is not set",
    ),
}


def test_nothing_is_wrong_with_an_installation_that_is_right(installation: Installation) -> None:
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert fine == [
        "environment",
        "database schema",
        "owner",
        "undelivered messages: 0",
        "messages held back: 0",
        "mails that failed, or of which nobody knows: 0",
        "audit log: sealed",
        "heartbeat: none has been due yet",
        "process: none has served this book yet",
        *(["disk: ENOUGH MB free"] if installation.world.store.database.dialect == "sqlite" else []),
        "bot token",
        "app-level token",
        "scopes",
        "optional scopes",
        "clock: 0 s off",
        "finance channel",
    ]


@pytest.mark.parametrize(
    ("ago", "says"),
    [
        ({"began": 0.5}, "commands: none has ever arrived"),
        ({"began": 0.1, "request": 500}, "commands: the last one arrived at THEN"),
        ({"began": 500, "request": 90}, "commands: the last one arrived at THEN"),
    ],
)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_process_that_serves_is_shown_and_a_quiet_weekend_is_no_fault(
    installation: Installation, ago: dict[str, float], says: str
) -> None:
    serving(**ago)(installation)
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert {"process: serving since THEN", says} <= set(fine)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_disk_that_is_nearly_full_is_named_with_its_repair(installation: Installation) -> None:
    fault = Fault(nearly_full, "disk: ENOUGH MB free", "Make room for at least 200 MB where DATABASE_URL leads;")
    check_one(installation, fault)


def check_one(installation: Installation, fault: Fault) -> None:
    """The fault is named, alone, and its repair is a sentence."""
    fault.happens(installation)
    status, fine, faults = installation.examined()
    assert (status, list(faults)) == (1, [fault.name])
    assert fault.repair in faults[fault.name]
    assert re.fullmatch(r"[A-Z/].{15,}[^.;,:]\.?", faults[fault.name])
    assert fine


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize("name", OF_SLACK)
def test_each_fault_in_slack_is_named_with_its_repair(installation: Installation, name: str) -> None:
    check_one(installation, OF_SLACK[name])


@pytest.mark.parametrize("name", OF_THE_BOOK)
def test_each_fault_of_the_book_is_named_with_its_repair(installation: Installation, name: str) -> None:
    check_one(installation, OF_THE_BOOK[name])


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_what_is_optional_may_be_missing_and_is_named(installation: Installation) -> None:
    without("groups:history")(installation)
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert "optional scopes: without groups:history" in fine


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_channel_need_not_be_chosen_before_there_is_something_to_post(installation: Installation) -> None:
    installation.set("finance_channel", "")
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert "finance channel: not set, 0 messages wait for it" in fine


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_app_level_token_is_not_asked_for_in_http_mode(installation: Installation) -> None:
    installation.environment(SLACK_APP_TOKEN="", DUEDESK_DOOR="http")
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert "app-level token" not in fine


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_channel_of_the_own_organisation_may_be_shared_between_its_workspaces(installation: Installation) -> None:
    installation.sandbox.workspace.enterprise = "E0001"
    status, fine, faults = installation.examined()
    assert (status, faults) == (0, {})
    assert "finance channel" in fine


def test_everything_that_is_wrong_is_named_at_once(installation: Installation) -> None:
    undelivered(installation)
    installation.channel(is_archived=True)
    run_sql(installation.world, "DELETE FROM person")
    without("users:read")(installation)
    off_by(90)(installation)
    installation.environment(SLACK_APP_TOKEN="xoxb-mistaken")
    status, _, faults = installation.examined()
    assert status == 1
    assert list(faults) == [
        "environment",
        "owner",
        "undelivered messages: 1",
        "app-level token: invalid_auth",
        "scopes: missing users:read",
        "clock: 90 s off",
        "finance channel: is archived",
    ]


def test_the_doctor_changes_nothing(installation: Installation) -> None:
    installation.world.pay(500)
    installation.world.store.seal()
    books, posted = everything(installation.world), dict(installation.sandbox.workspace.messages)
    assert installation.examined()[0] == 0
    assert everything(installation.world) == books
    assert dict(installation.sandbox.workspace.messages) == posted
