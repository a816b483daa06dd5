"""Looks at all wallets every ten minutes: what a charge could not top up at once, and what another day allows."""

from datetime import UTC, datetime
from weakref import WeakKeyDictionary

from bot.desk import Desk, by_itself
from bot.domain.errors import Refused
from bot.domain.topups import TriggerTopUp, trigger_top_up
from bot.observe import log

MINUTES = 10
_looked: WeakKeyDictionary[Desk, datetime] = WeakKeyDictionary()  # when each book was last looked at here


def watch_top_ups(desk: Desk, now: datetime) -> int:
    """Top up every wallet that is at its threshold; returns how many. Two that look at once do each once."""
    slot = _slot(now)
    if _looked.get(desk) == slot:
        return 0
    done = look_at_wallets(desk, now)
    _looked[desk] = slot
    return done


def look_at_wallets(desk: Desk, now: datetime) -> int:
    """The same without waiting for the next ten minutes; what was done in these is not done again."""
    slot = _slot(now)
    waiting = desk.store.read(lambda books: books.at_threshold(slot.date()))
    return sum(_attend(desk, each, slot, now) for each in waiting)


def _slot(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=now.minute - now.minute % MINUTES, second=0, microsecond=0)


def _attend(desk: Desk, customer_id: int, slot: datetime, now: datetime) -> int:
    """One wallet; one that cannot be topped up never stops the rest."""
    key = f"job:top-up:{customer_id}:{slot.isoformat(timespec='minutes')}"
    request = by_itself(now, key)
    try:
        desk.carry_out(trigger_top_up, TriggerTopUp(customer_id=customer_id), request)
    except Refused as refusal:
        log.info("a wallet was not topped up: %s", refusal.code)
        return 0
    except Exception as fault:  # noqa: BLE001  # the others are topped up; this one is tried again with the next look
        log.error("the wallet of %s cannot be topped up", customer_id, exc_info=fault)
        return 0
    return 1
