"""Checks an installation and says how to repair what is wrong."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy.exc import SQLAlchemyError

from bot.config import Config
from bot.domain.errors import Refused
from bot.handlers.admin import check_channel
from bot.handlers.manifest import OPTIONAL_SCOPES, SCOPES
from bot.storage.engine import Library
from bot.storage.outbox import Outbox
from bot.storage.store import Store

MOST_SKEW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: what, whether it is fine, and how to repair it."""

    what: str
    fine: bool
    repair: str = ""


def examine(config: Config) -> list[Check]:
    """Everything at once: environment, database, schema, token, scopes, channel, clock, undelivered messages."""
    found = [Check("environment", not config.problems(), "; ".join(config.problems()))]
    library = Library(config.database_url)
    try:
        found += _guarded(
            "database", lambda: _database(Store.open(library)), "Check DATABASE_URL and that the server runs."
        )
        client = WebClient(token=config.slack_bot_token.get_secret_value(), base_url=config.slack_api_url, timeout=10)
        found += _slack(client, Store.open(library) if found[-1].fine else None)
    finally:
        library.close()
    return found


def _guarded(what: str, look: Callable[[], Iterator[Check]], repair: str) -> list[Check]:
    try:
        return list(look())
    except (SQLAlchemyError, OSError) as fault:
        return [Check(f"{what}: {type(fault).__name__}", fine=False, repair=repair)]


def _database(store: Store) -> Iterator[Check]:
    current = store.is_current()
    yield Check("database schema", current, "Run: duedesk db upgrade")
    if not current:
        return
    yield Check(
        "owner", store.read(lambda books: books.has_owner()), "Run: duedesk owner set U..., or set DUEDESK_OWNER"
    )
    failed = Outbox(store).counts().get("failed", 0)
    yield Check(
        f"undelivered messages: {failed}", failed == 0, "See the outbox's error column; usually a channel that is gone."
    )


def _slack(client: WebClient, store: Store | None) -> list[Check]:
    try:
        answer = client.auth_test()
    except SlackApiError as fault:
        return [
            Check(
                f"bot token: {fault.response.get('error')}",
                fine=False,
                repair="Copy the bot token from the app's OAuth page.",
            )
        ]
    except OSError as fault:
        return [Check(f"Slack: {type(fault).__name__}", fine=False, repair="Check SLACK_API_URL and the network.")]
    granted = set(str(answer.headers.get("x-oauth-scopes", "")).replace(" ", "").split(","))
    missing = [each for each in SCOPES if each not in granted]
    absent = [each for each in OPTIONAL_SCOPES if each not in granted]
    found = [
        Check("bot token", fine=True),
        Check(
            f"scopes{': missing ' + ', '.join(missing) if missing else ''}",
            not missing,
            "Install the app again from manifest.yml.",
        ),
        Check(f"optional scopes{': without ' + ', '.join(absent) if absent else ''}", fine=True),
        _clock(str(answer.headers.get("date", ""))),
    ]
    channel = store.read(lambda books: books.settings()).finance_channel if store is not None else ""
    if channel:
        found.append(_channel(client, channel))
    return found


def _channel(client: WebClient, channel: str) -> Check:
    try:
        check_channel(client, channel, None)
    except Refused as refusal:
        return Check("finance channel", fine=False, repair=refusal.sentence)
    except SlackApiError as fault:
        return Check(
            f"finance channel: {fault.response.get('error')}",
            fine=False,
            repair="Invite the bot, or choose another channel.",
        )
    return Check("finance channel", fine=True)


def _clock(header: str) -> Check:
    if not header:
        return Check("clock: Slack sent no date", fine=True)
    skew = abs(parsedate_to_datetime(header).timestamp() - time.time())
    return Check(
        f"clock: {skew:.0f} s off",
        skew <= MOST_SKEW_SECONDS,
        "Switch time synchronisation on; Slack refuses old signatures.",
    )
