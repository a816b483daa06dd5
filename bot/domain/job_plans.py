"""The table of all that runs by itself: jobs with their days and times, and watches that look again and again.

What is new among them is a row here and its function in `bot/jobs`; lists, runs by hand and the heartbeat go by this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.digest_plans import plans_of
from bot.domain.month_plans import BOOK, MONTH_END, month_end_of
from bot.domain.reminder_settings import plan_schedule
from bot.domain.schedules import Schedule, read_daily
from bot.domain.settings import Settings

DIGEST, HEARTBEAT, DELIVERY, REMINDERS = "digest", "heartbeat", "delivery", "reminders"
NO_CHANNEL = (
    "digest: no channel is set, so nothing is posted. "
    "An administrator sets one with /duedesk settings digest_channel #channel"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somewhere a job runs for, a channel or the whole book, on its own schedule."""

    name: str
    schedule: Schedule
    label: str = ""

    @property
    def when(self) -> str:
        """Its days and time, with what else is said of it."""
        return self.label or self.schedule.label


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """One job: for whom it runs and when, and what is said of it."""

    name: str
    called: str  # `the digest`, in a sentence
    targets: Callable[[Settings], Sequence[Target]]
    never: str = "It is switched off."  # where it runs for nobody
    catches_up: bool = False  # also what was due since the book was opened, when it never ran
    period: Callable[[date], date] = lambda day: day  # the day that a run is entered under
    is_monthly: bool = False  # a run by hand is for a month that is over
    is_of_now: bool = False  # a run by hand is of today alone
    is_of_book: bool = True  # it runs once for the whole book, not for channels
    then: str = ""  # what follows, said when a run is asked for
    unchanged: str = ""  # what did not happen, said of a day that is done
    again: str = "to run it once more"

    @property
    def whole_book(self) -> Target:
        """For a run by hand of what is switched off."""
        return Target(name=BOOK, schedule=Schedule())


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchPlan:
    """One watch: what it looks after, and how often."""

    name: str
    does: str
    every: timedelta


def first_of_month(day: date) -> date:
    """A month ends once, on whichever day it is asked for."""
    return day.replace(day=1)


def _digests(settings: Settings) -> Sequence[Target]:
    return [Target(name=plan.channel, schedule=plan.schedule, label=plan.label) for plan in plans_of(settings)]


def _month_end(settings: Settings) -> Sequence[Target]:
    schedule = month_end_of(settings)
    return [Target(name=BOOK, schedule=schedule)] if schedule is not None else []


def _reminders(settings: Settings) -> Sequence[Target]:
    schedule = plan_schedule(settings)
    return [Target(name=BOOK, schedule=schedule)] if schedule is not None else []


def _heartbeat(settings: Settings) -> Sequence[Target]:
    schedule = read_daily(settings.heartbeat)
    return [Target(name=BOOK, schedule=schedule)] if schedule is not None else []


def _by_name(*plans: JobPlan) -> Mapping[str, JobPlan]:
    return {each.name: each for each in plans}


# In the order in which they run when several are due; the heartbeat is last, as to prove a large book takes long.
JOB_PLANS = _by_name(
    JobPlan(
        name=MONTH_END,
        called="the month end",
        targets=_month_end,
        catches_up=True,
        period=first_of_month,
        is_monthly=True,
        then="what it comes to is told in the finance channel",
        again="to invoice who was left out",
    ),
    JobPlan(
        name=REMINDERS,
        called="the plan of reminders",
        targets=_reminders,
        never="Reminders are off: /duedesk settings reminders review turns them on.",
        is_of_now=True,
        then="its card comes in the finance channel",
        unchanged="nothing was planned anew",
        again="to look at it once more",
    ),
    JobPlan(
        name=DIGEST,
        called="the digest",
        targets=_digests,
        is_of_book=False,
        never=NO_CHANNEL,
        unchanged="nothing was posted",
        again="to post a copy, marked as one",
    ),
    JobPlan(
        name=HEARTBEAT,
        called="the heartbeat",
        targets=_heartbeat,
        never="It is switched off, so nobody is told when the books are wrong: /duedesk settings heartbeat 07:00",
        is_of_now=True,
        unchanged="nothing was posted",
        again="to prove the books once more",
    ),
)
SECONDS, MINUTES = timedelta(seconds=10), timedelta(minutes=10)
WATCH_PLANS: Mapping[str, WatchPlan] = {
    each.name: each
    for each in (
        WatchPlan(
            name="approvals", does="points waiting requests out, and ends those whose time is over", every=SECONDS
        ),
        WatchPlan(name="top-ups", does="tops up wallets that are at their threshold", every=MINUTES),
        WatchPlan(name="reminders", does="sends what is planned, each within its customer's hours", every=SECONDS),
        WatchPlan(name="limits", does="announces what is used of limits, and the end of temporary ones", every=SECONDS),
    )
}
