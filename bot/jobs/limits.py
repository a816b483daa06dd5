"""Watches limits: announces what is used of each and the end of temporary ones, each once."""

from datetime import datetime

from bot.desk import Desk, by_itself
from bot.domain.errors import Refused
from bot.domain.limit_watch import AnnounceLimit, announce_limit
from bot.observe import log
from bot.storage.limit_watch import Stirred, fall, stirred


def watch_limits(desk: Desk, now: datetime) -> int:
    """Tell what is due; returns how much. What was told is kept beside it, whoever else watches."""
    found = desk.store.read(lambda books: stirred(books.connection, books.settings(), now))
    fallen = [each for each in found if not each.tells]
    if fallen:
        desk.store.write(lambda connection: fall(connection, fallen))
    return sum(_announce(desk, each, now) for each in found if each.tells)


def _announce(desk: Desk, each: Stirred, now: datetime) -> int:
    """One customer; what somebody else told in the same moment is told no more, and one fault never stops the rest."""
    key = f"job:limits:{each.customer_id}:{each.version}"
    request = by_itself(now, key)
    try:
        desk.carry_out(announce_limit, AnnounceLimit(customer_id=each.customer_id, version=each.version), request)
    except Refused as refusal:
        log.info("a limit was not announced: %s", refusal.code)
        return 0
    except Exception as fault:  # noqa: BLE001  # the others are told; this one is tried again with the next tick
        log.error("the limit of customer %s cannot be announced", each.customer_id, exc_info=fault)
        return 0
    return 1
