"""Watches requests that wait: points each out once half way, and closes it when its time is over."""

from datetime import datetime

from bot.desk import Desk, by_itself
from bot.domain.approvals import Approval, Expire, Remind, expire_request, remind_of_request, reminder_due
from bot.domain.errors import Refused
from bot.domain.operation import Request
from bot.observe import log


def watch_approvals(desk: Desk, now: datetime) -> int:
    """Do what is due; returns how much. The key of each step lets it happen once, whoever else watches."""
    waiting = desk.store.read(lambda books: books.waiting_approvals())
    return sum(_attend(desk, each, now) for each in waiting)


def _attend(desk: Desk, approval: Approval, now: datetime) -> int:
    """One request; somebody may decide it in the same moment, and one bad request never stops the rest."""
    try:
        if now >= approval.expires_at:
            desk.carry_out(expire_request, Expire(approval_id=approval.id), _request("expire", approval, now))
        elif approval.reminded_at is None and now >= reminder_due(approval):
            desk.carry_out(remind_of_request, Remind(approval_id=approval.id), _request("remind", approval, now))
        else:
            return 0
    except Refused as refusal:
        log.info("a request was not attended to: %s", refusal.code)
        return 0
    except Exception as fault:  # noqa: BLE001  # the others are attended to; this one is tried again with the next tick
        log.error("request %s cannot be attended to", approval.id, exc_info=fault)
        return 0
    return 1


def _request(step: str, approval: Approval, now: datetime) -> Request:
    key = f"job:approvals:{step}:{approval.id}"
    return by_itself(now, key)
