"""Checks an installation and says how to repair what is wrong."""

import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.config import Config
from bot.domain.digest_plans import plans_of
from bot.domain.errors import Refused
from bot.domain.schedules import read_daily
from bot.domain.settings import CHANNELS, Settings
from bot.handlers.admin import check_channel
from bot.handlers.manifest import OPTIONAL_SCOPES, SCOPES
from bot.jobs.mailbox import MailboxReader
from bot.jobs.smtp import reaches
from bot.mail_servers import mailbox, smtp_server
from bot.parts import Part, signed_parts
from bot.storage import schema
from bot.storage.pulse import SILENT, Signs, signs
from bot.storage.registry.registry import Registry
from bot.storage.shelf import Library
from bot.storage.store import Store

MOST_SKEW_SECONDS = 60
SLACK_SECONDS = 10
MAIL_SECONDS = 10.0
LEAST_FREE_BYTES = 200_000_000
SEALED_WITHIN = timedelta(minutes=1)
FIRST_COMMAND = timedelta(hours=1)
HEARTBEAT_WITHIN = timedelta(hours=26)  # a day, and what a night on which the clocks change and a long proof take
NO_COMMAND = timedelta(days=7)  # longer than a weekend with holidays on both sides
UNREACHED = "Check DATABASE_URL, and that the server runs or the file can be written."
PASSING = frozenset({"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what, whether it is fine, and how to repair it."""

    what: str
    fine: bool
    repair: str = ""


def examine(config: Config) -> list[Check]:
    """Everything at once: environment, database, schema, owner, messages, tokens, scopes, clock, channels."""
    problems = config.problems()
    found = [Check("environment", not problems, f"Put right in the environment or in .env: {'; '.join(problems)}.")]
    library = Library(config.database_url)
    try:
        if config.serves_many:
            return [*found, *_registry(library, config)]
        return [*found, *_of_book(library, "main", config.slack_bot_token.get_secret_value(), config)]
    finally:
        library.close()


def _registry(library: Library, config: Config) -> list[Check]:
    """The registry, then each book that is installed, named before what is said of it."""
    try:
        registry = Registry(library, config.token_keys)
        if not registry.is_current():
            return [Check("registry", fine=False, repair="Stop every process, run: duedesk db upgrade --all.")]
        installed = [each for each in registry.all() if each.is_installed]
    except (SQLAlchemyError, OSError, Refused) as fault:
        return [Check(f"registry: {type(fault).__name__}", fine=False, repair=UNREACHED)]
    found = [Check(f"registry: {len(installed)} installed", fine=True)]
    for each in installed:
        if each.token is None:
            repair = "Put the key that it was encrypted with back into DUEDESK_TOKEN_KEYS, or let it install again."
            found.append(Check(f"{each.book}: token: none of the keys opens it", fine=False, repair=repair))
        else:
            checks = _of_book(library, each.book, each.token, config)
            found += [replace(check, what=f"{each.book}: {check.what}") for check in checks]
    return found


def _of_book(library: Library, book: str, token: str, config: Config) -> list[Check]:
    """A book, and the workspace it is for."""
    found: list[Check] = []
    settings, has_mail = None, bool(config.duedesk_smtp_url.get_secret_value())
    try:
        store = Store.open(library, book)
        found.append(_schema(store))
        if found[-1].fine:
            settings = store.read(lambda books: books.settings())
            found += _book(store, settings)
            found += _arriving(signs(store), config)
            unsent = signs(store).mails.get("waiting", 0)
            if unsent and not has_mail:
                repair = "Set DUEDESK_SMTP_URL and DUEDESK_MAIL_FROM, and start again."
                found.append(Check(f"mail server: none is set, {unsent} mails wait for it", fine=False, repair=repair))
        file = library.file(book)
        if file is not None and file.parent.is_dir():
            found.append(_disk(file))
    except (SQLAlchemyError, OSError, Refused) as fault:
        found.append(Check(f"database: {type(fault).__name__}", fine=False, repair=UNREACHED))
    return [*found, *_mail(config), *_slack(config, token, settings)]


def _mail(config: Config) -> Iterator[Check]:
    """Whether the mail server lets us in, and the mailbox; nothing is sent."""
    url, mailbox_url = config.duedesk_smtp_url.get_secret_value(), config.duedesk_mailbox_url.get_secret_value()
    if url:
        why = reaches(smtp_server(url), timeout=MAIL_SECONDS)
        repair = "Check DUEDESK_SMTP_URL: host, port, user and password; in a password write @ as %40."
        yield Check(f"mail server{': ' + why if why else ''}", not why, repair)
    if mailbox_url:
        why = MailboxReader(mailbox(mailbox_url), timeout=MAIL_SECONDS).reaches()
        repair = "Check DUEDESK_MAILBOX_URL: host, user, password and folder."
        yield Check(f"mailbox{': ' + why if why else ''}", not why, repair)


def _schema(store: Store) -> Check:
    """Whether the book is at this program's schema; an older one is upgraded, a newer one takes a newer program."""
    there = store.schema()
    if not there:
        repair = "Check DATABASE_URL; if this is where the book shall be, run: duedesk db upgrade."
        return Check("database schema: there is no book", fine=False, repair=repair)
    if not schema.knows(there):
        repair = "The book was upgraded by a newer program; start that one. There is no way back but a backup."
        return Check(f"database schema: {there} is newer than this program", fine=False, repair=repair)
    repair = "Stop every process, run: duedesk db upgrade, and start again."
    return Check("database schema", there == schema.newest(), repair)


def _book(store: Store, settings: Settings) -> Iterator[Check]:
    owned = store.read(lambda books: books.has_owner())
    yield Check("owner", owned, "Run: duedesk owner set U0123ABCD, with your Slack user id, or set DUEDESK_OWNER.")
    seen = signs(store)
    failed, parked, waiting = seen.undelivered, seen.outbox.get("parked", 0), seen.outbox.get("waiting", 0)
    yield Check(
        f"undelivered messages: {failed}",
        not failed,
        f"Slack's reason: {', '.join(seen.failures)}. Mend that, usually a channel is gone; then run: duedesk outbox"
        " retry all.",
    )
    yield Check(
        f"messages held back: {parked}",
        not parked,
        "They waited in the backup that this book was restored from, and may have been sent since. Look into the"
        " channel; then run: duedesk outbox retry all, or duedesk outbox drop all.",
    )
    yield Check(
        f"mails that failed, or of which nobody knows: {seen.troubled_mails}",
        not seen.troubled_mails,
        "Open the app's Home tab in Slack, under E-mail in trouble: it says why, and what can be done.",
    )
    late = seen.unsealed_since is not None and seen.now - seen.unsealed_since > SEALED_WITHIN
    yield Check(
        "audit log: sealed" if not late else f"audit log: not sealed since {_moment(seen.unsealed_since)}",
        not late,
        "Start duedesk run, which seals it; if it runs, its log says why it cannot, at: delivery stopped for a moment.",
    )
    yield _heartbeat(seen, settings)
    if not settings.finance_channel:
        yield Check(
            f"finance channel: not set, {waiting} messages wait for it",
            not waiting,
            "Choose a private channel in Slack: /duedesk settings finance_channel #finance.",
        )


def _heartbeat(seen: Signs, settings: Settings) -> Check:
    """Whether the daily proof of the books was good within a day; one that cannot run at all is seen here."""
    if read_daily(settings.heartbeat) is None:
        return Check("heartbeat: switched off", fine=True)
    if seen.heartbeat_since is None:
        return Check("heartbeat: none has been due yet", fine=True)
    was = f"the last good one was at {_moment(seen.heartbeat_at)}" if seen.heartbeat_at else "there was no good one yet"
    return Check(
        f"heartbeat: {was}",
        seen.now - seen.heartbeat_since <= HEARTBEAT_WITHIN,
        "Run: duedesk verify. If it names something, stop writing to the books; if not, duedesk jobs list says why the"
        " heartbeat does not run, and duedesk jobs run heartbeat --again runs it.",
    )


def _arriving(seen: Signs, config: Config) -> Iterator[Check]:
    """Whether a process serves the book, and whether Slack's requests reach it."""
    if seen.seen_at is None or seen.began_at is None:
        yield Check("process: none has served this book yet", fine=True)
        return
    if seen.now - seen.seen_at > SILENT:
        yield Check(
            f"process: none serves this book since {_moment(seen.seen_at)}",
            fine=False,
            repair="Start duedesk run. If it runs, it has another DATABASE_URL, or its log says what keeps it from the"
            " database.",
        )
        return
    yield Check(f"process: serving since {_moment(seen.began_at)}", fine=True)
    done = frozenset().union(*(signed_parts(name) for name in seen.serving))
    missing = ", ".join(each for each in Part if each not in done)
    yield Check(
        f"processes: {len(seen.serving)}" + (f", but none does {missing}" if missing else ""),
        not missing,
        f"Start one: duedesk run --only {missing.replace(' ', '')}, or duedesk run, which does everything.",
    )
    served = seen.now - seen.began_at
    if seen.request_at is None:
        yield Check("commands: none has ever arrived", served < FIRST_COMMAND, _unheard(config))
    elif seen.now - seen.request_at > NO_COMMAND and served >= FIRST_COMMAND:
        yield Check(f"commands: none since {_moment(seen.request_at)}", fine=False, repair=_unheard(config))
    else:
        yield Check(f"commands: the last one arrived at {_moment(seen.request_at)}", fine=True)


def _unheard(config: Config) -> str:
    """Why commands do not arrive, likeliest first."""
    if config.duedesk_door == "socket":
        return (
            "Type /duedesk in Slack. If nothing answers, check at the app's pages that it is installed from"
            " manifest.yml and that Socket Mode is on, and that nothing else runs with the same app-level token: Slack"
            " spreads requests over all that are connected."
        )
    return (
        "Type /duedesk in Slack. If nothing answers, check at the app's pages that it is installed from"
        " manifest.yml, that each Request URL is https://YOUR-HOST/slack/events and leads to this process, that Socket"
        " Mode is off, and that SLACK_SIGNING_SECRET is this app's."
    )


def _disk(file: Path) -> Check:
    """Room for the book to grow; an upgrade or a restore needs as much again as the book."""
    free = shutil.disk_usage(file.parent).free
    wanted = max(LEAST_FREE_BYTES, file.stat().st_size if file.exists() else 0)
    return Check(
        f"disk: {free // 1_000_000} MB free",
        free >= wanted,
        f"Make room for at least {wanted // 1_000_000} MB where DATABASE_URL leads; a full disk records nothing.",
    )


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _slack(config: Config, token: str, settings: Settings | None) -> Iterator[Check]:
    client = WebClient(token=token, base_url=config.slack_api_url, timeout=SLACK_SECONDS)
    try:
        answer = client.auth_test()
    except (SlackApiError, OSError) as fault:
        yield _failed("bot token", fault, "Copy the bot token from the app's page OAuth & Permissions.")
        return
    headers = {name.lower(): str(value) for name, value in answer.headers.items()}
    yield Check("bot token", fine=True)
    if config.duedesk_door == "socket":
        yield _app_token(client, config.slack_app_token.get_secret_value())
    yield from _scopes(headers)
    yield _clock(headers)
    for name in CHANNELS:
        if settings is not None and getattr(settings, name):
            yield _channel(client, name, getattr(settings, name), answer.get("enterprise_id"))
    for plan in plans_of(settings) if settings is not None else ():
        if settings is not None and plan.channel != settings.digest_channel:
            found = _channel(client, "digest", plan.channel, answer.get("enterprise_id"))
            yield replace(found, what=f"{found.what} ({plan.channel})")


def _app_token(client: WebClient, token: str) -> Check:
    try:
        client.apps_connections_open(app_token=token)
    except (SlackApiError, OSError) as fault:
        repair = "Make an app-level token with the scope connections:write under Basic Information, and copy it."
        return _failed("app-level token", fault, repair)
    return Check("app-level token", fine=True)


def _scopes(headers: Mapping[str, str]) -> Iterator[Check]:
    granted = set(headers.get("x-oauth-scopes", "").replace(" ", "").split(","))
    missing = [each for each in SCOPES if each not in granted]
    absent = [each for each in OPTIONAL_SCOPES if each not in granted]
    named = f": missing {', '.join(missing)}" if missing else ""
    yield Check(f"scopes{named}", not missing, "Put manifest.yml into the app's settings and install the app again.")
    yield Check(f"optional scopes{': without ' + ', '.join(absent) if absent else ''}", fine=True)


def _clock(headers: Mapping[str, str]) -> Check:
    if "date" not in headers:
        return Check("clock: Slack sent no date", fine=True)
    skew = abs(parsedate_to_datetime(headers["date"]).timestamp() - time.time())
    return Check(
        f"clock: {skew:.0f} s off",
        skew <= MOST_SKEW_SECONDS,
        "Switch time synchronisation on; requests signed long ago are refused.",
    )


def _channel(client: WebClient, setting: str, channel: str, enterprise: str | None) -> Check:
    what = setting.replace("_", " ")
    choose = f"choose another one: /duedesk settings {setting} #name."
    try:
        if client.conversations_info(channel=channel)["channel"].get("is_archived"):
            return Check(f"{what}: is archived", fine=False, repair=f"Bring the channel back in Slack, or {choose}")
        check_channel(client, channel, enterprise)
    except Refused as refusal:
        return Check(f"{what}: cannot hold money matters", fine=False, repair=refusal.sentence)
    except (SlackApiError, OSError) as fault:
        return _failed(what, fault, f"Invite the bot to the channel with /invite @duedesk, or {choose}")
    return Check(what, fine=True)


def _failed(what: str, fault: SlackApiError | OSError, repair: str) -> Check:
    """A call that Slack refused or that did not reach it; what passes by itself needs another repair."""
    if isinstance(fault, OSError):
        return Check(f"{what}: {type(fault).__name__}", fine=False, repair="Check SLACK_API_URL and the network.")
    error = str(fault.response.get("error") or "an answer that cannot be read")
    if error in PASSING:
        repair = "Slack cannot answer now; try again in a few minutes."
    elif error == "missing_scope":
        repair = "Install the app again, with all the scopes of manifest.yml."
    return Check(f"{what}: {error}", fine=False, repair=repair)
