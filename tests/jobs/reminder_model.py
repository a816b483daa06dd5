"""The policy of reminders once more, day by day and naively, to compare the product with: it shares no code with it."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import holidays

BOOK = ZoneInfo("Asia/Singapore")
NOTICES = (-3, 0)
LEVELS = (7, 14, 30)
EVERY = 14  # the last level again
GAP = 3
HALF_HOUR = timedelta(minutes=30)


@cache
def is_workday(day: date, country: str) -> bool:
    """Monday to Friday, and no public holiday."""
    return day.weekday() < 5 and day not in holidays.country_holidays(country, years=day.year)


@dataclass(eq=False)
class Debt:
    """An invoice, and what was sent about it: the day, and a level above zero or a notice's offset."""

    number: str
    issued: date
    due: date
    open: int
    disputed: bool = False
    stopped: bool = False
    levels: list[tuple[date, int]] = field(default_factory=list)
    notices: list[int] = field(default_factory=list)

    def step(self, day: date) -> tuple[str, int, int] | None:
        """What is to be sent about it on a day: the kind, which, and how often that was sent before."""
        late = (day - self.due).days
        reached = max((level for _, level in self.levels), default=0)
        last = max((sent for sent, level in self.levels if level == reached), default=None)
        if reached < len(LEVELS) and late >= LEVELS[reached]:
            between = LEVELS[reached] - (LEVELS[reached - 1] if reached else 0)
            if last is None or (day - last).days >= between:
                return ("level", reached + 1, 0)
        if reached == len(LEVELS) and last is not None and (day - last).days >= EVERY:
            return ("level", reached, sum(level == reached for _, level in self.levels))
        if reached or late > 0:
            return None
        come = [offset for offset in NOTICES if offset <= late and not any(sent >= offset for sent in self.notices)]
        return ("notice", come[-1], 0) if come and come[-1] == max(each for each in NOTICES if each <= late) else None


@dataclass(eq=False)
class Word:
    """A promise: about one invoice or all, an amount by a day."""

    amount: int
    by: date
    debt: Debt | None
    paid: int = 0


@dataclass(eq=False)
class Letter:
    """A message that waits: of which day, about what, and within which instants it may go."""

    day: date
    lines: dict[str, tuple[str, int, int]]
    opens: datetime
    closes: datetime
    is_free: bool = False  # its plan was released
    is_out: bool = False  # it was handed over


@dataclass(eq=False)
class Client:
    """A customer as the policy sees it."""

    code: str
    zone: str = "Asia/Singapore"
    country: str = "SG"
    opted_out: bool = False
    paused_until: date | None = None
    last_on: date | None = None
    debts: list[Debt] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    letter: Letter | None = None

    @property
    def owed(self) -> int:
        return sum(each.open for each in self.debts)

    def pay(self, amount: int, only: Debt | None = None) -> None:
        """Money comes in today: to one invoice, or to the oldest first."""
        for word in self.words:
            if word.debt is None:
                word.paid += amount
        order = [only] if only is not None else sorted(self.debts, key=lambda each: (each.issued, each.number))
        for debt in order:
            part = min(amount, debt.open)
            debt.open -= part
            amount -= part
            for word in self.words:
                if word.debt is debt:
                    word.paid += part

    def is_promised(self, debt: Debt, day: date) -> bool:
        return any(
            (word.debt is None or word.debt is debt) and word.paid < word.amount and day <= word.by
            for word in self.words
        )

    def due(self, day: date) -> dict[str, tuple[str, int, int]]:
        """All that is to be sent on a day, whatever holds the customer back."""
        return {
            debt.number: step
            for debt in self.debts
            if debt.open > 0
            and not debt.disputed
            and not debt.stopped
            and not self.is_promised(debt, day)
            and (step := debt.step(day)) is not None
        }

    def is_left_alone(self, day: date) -> bool:
        paused = self.paused_until is not None and day < self.paused_until
        lately = self.last_on is not None and (day - self.last_on).days < GAP
        return self.opted_out or paused or lately

    def hours(self, begin: datetime) -> tuple[datetime, datetime] | None:
        """When it may be written to first, looking at each half hour of the day that follows."""
        at = begin
        while at < begin + timedelta(days=1):
            local = at.astimezone(ZoneInfo(self.zone))
            if time(8) <= local.time() < time(18) and is_workday(local.date(), self.country):
                closes = datetime.combine(local.date(), time(18), tzinfo=ZoneInfo(self.zone)).astimezone(UTC)
                return at, closes
            at += HALF_HOUR
        return None


@dataclass
class Model:
    """What should be handed over at each moment at which some process looks."""

    clients: dict[str, Client] = field(default_factory=dict)
    planned: set[date] = field(default_factory=set)
    send_at: datetime | None = None

    def look(self, now: datetime) -> dict[str, tuple[str, ...]]:
        """One look of a process: release, give up, hand over, then plan; returns who gets what."""
        handed = {}
        for client in self.clients.values():
            letter = client.letter
            if letter is None or letter.is_out:
                continue
            if self.send_at is not None and now >= self.send_at:
                letter.is_free = True
            if now > letter.closes:
                client.letter = None
            elif letter.is_free and now >= letter.opens:
                due = client.due(letter.day)
                still = {number: step for number, step in due.items() if letter.lines.get(number) == step}
                if not still or client.is_left_alone(letter.day):
                    client.letter = None
                else:
                    letter.lines, letter.is_out = still, True
                    handed[client.code] = tuple(sorted(still))
        self._plan(now)
        return handed

    def _plan(self, now: datetime) -> None:
        local = now.astimezone(BOOK)
        day = local.date()
        if day in self.planned or local.time() < time(8) or not is_workday(day, "SG"):
            return
        self.planned.add(day)
        if local.time() >= time(18):
            return
        ten = datetime.combine(day, time(10), tzinfo=BOOK).astimezone(UTC)
        self.send_at = max(ten, now)
        for client in self.clients.values():
            lines = client.due(day)
            hours = client.hours(self.send_at) if lines else None
            if lines and hours is not None and client.letter is None and not client.is_left_alone(day):
                client.letter = Letter(day=day, lines=lines, opens=hours[0], closes=hours[1])

    def settled(self, code: str, now: datetime, *, sent: bool) -> None:
        """It is known how a message fared: what was sent counts."""
        client = self.clients[code]
        letter = client.letter
        assert letter is not None
        client.letter = None
        if not sent:
            return
        today = now.astimezone(BOOK).date()
        client.last_on = today
        for debt in client.debts:
            kind, which, _ = letter.lines.get(debt.number, ("", 0, 0))
            if kind == "level":
                debt.levels.append((today, which))
            elif kind == "notice":
                debt.notices.append(which)
