"""Telling of reminders: how the messages of a day fared, and who is asked about a promise that was broken."""

from datetime import datetime

from bot.desk import Desk, by_itself
from bot.domain.errors import Refused
from bot.domain.reminder_news import TellBrokenPromise, TellReminders, tell_broken_promise, tell_reminders
from bot.domain.reminder_ports import MessageState
from bot.domain.reminder_views import PlanCounts
from bot.observe import log
from bot.storage.reminder_card_reads import broken_and_not_told, broken_key, released_lately
from bot.storage.reports import SqlReadBooks
from bot.storage.requests import keys_used

MOST_TOLD = 50  # broken promises in one morning; the rest is told with the next plan
NOT_SENT = (MessageState.EXPIRED, MessageState.DROPPED)


def tell_broken(desk: Desk, now: datetime) -> int:
    """Ask about promises that were broken since, each once; returns how many."""
    broken = desk.store.read(
        lambda books: broken_and_not_told(books.connection, books.settings().today(now), MOST_TOLD)
    )
    told = 0
    for each in broken:
        made = each.promise
        command = TellBrokenPromise(customer_id=made.customer_id, promise_id=made.id)
        try:
            desk.carry_out(tell_broken_promise, command, by_itself(now, broken_key(made.id)))
        except Refused as refusal:  # paid or taken back in this moment
            log.info("nobody is asked about promise %s: %s", made.id, refusal.code)
            continue
        told += 1
    return told


def watch_news(desk: Desk, now: datetime) -> int:
    """Bring the cards of plans to how their messages fared, once none of them waits; returns how many."""
    told = 0
    for command in desk.store.read(lambda books: _news(books, now)):
        try:
            desk.carry_out(tell_reminders, command, by_itself(now, _key(command)))
        except Refused as refusal:
            log.info("nothing is told of plan %s: %s", command.run_id, refusal.code)
            continue
        told += 1
    return told


def _news(books: SqlReadBooks, now: datetime) -> list[TellReminders]:
    """What is not told yet, of plans of which nothing waits."""
    made = []
    for run in released_lately(books.connection, books.settings().today(now)):
        counts = books.reminder_counts(run.id)
        if counts.by_state and not counts.in_state(MessageState.PLANNED, MessageState.QUEUED):
            made.append(_told(run.id, counts))
    told = keys_used(books.connection, [_key(each) for each in made])
    return [each for each in made if _key(each) not in told]


def _told(run_id: int, counts: PlanCounts) -> TellReminders:
    return TellReminders(
        run_id=run_id,
        sent=counts.in_state(MessageState.SENT),
        failed=counts.in_state(MessageState.FAILED),
        bounced=counts.in_state(MessageState.BOUNCED),
        unknown=counts.in_state(MessageState.UNKNOWN),
        not_sent=counts.in_state(*NOT_SENT),
    )


def _key(command: TellReminders) -> str:
    """The same figures are told once."""
    figures = (command.sent, command.failed, command.bounced, command.unknown, command.not_sent)
    return f"job:reminders:told:{command.run_id}:{':'.join(map(str, figures))}"
