"""The table of watches: what each looks after with every tick, whoever else looks as well."""

from collections.abc import Callable, Mapping
from datetime import datetime

from bot.desk import Desk
from bot.jobs.approvals import watch_approvals
from bot.jobs.limits import watch_limits
from bot.jobs.reminder_news import watch_news
from bot.jobs.reminders import watch_reminders
from bot.jobs.topups import look_at_wallets, watch_top_ups

# A watch does what is due now and returns how much; the key of each step lets it happen once.
Watch = Callable[[Desk, datetime], int]

WATCHES: Mapping[str, Watch] = {
    "approvals": watch_approvals,
    "top-ups": watch_top_ups,
    "limits": watch_limits,
    "reminders": lambda desk, now: watch_reminders(desk, now) + watch_news(desk, now),
}
# How a watch looks that somebody asked to, where that is otherwise than with a tick.
AT_ONCE: Mapping[str, Watch] = {"top-ups": look_at_wallets}
