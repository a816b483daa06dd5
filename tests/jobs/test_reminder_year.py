"""A year of mornings: customers in four zones who pay, promise and dispute, outages, and two processes at every look;
what is handed over is what a naive model of the policy says, at each look.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

import pytest

from bot.domain.customers import Customer
from bot.domain.disputes import OpenDispute, ResolveDispute, open_dispute, resolve_dispute
from bot.domain.mail import MailState
from bot.domain.open_items import Invoice
from bot.domain.promises import LogPromise, log_promise
from bot.domain.reminder_ports import MessageState
from bot.domain.reminder_terms import (
    GoOnChasing,
    PauseReminders,
    SetReminders,
    StopChasing,
    go_on_chasing,
    pause_reminders,
    set_reminders,
    stop_chasing,
)
from bot.domain.settings import ChangeSetting, change_setting
from tests.jobs.reminder_model import BOOK, Client, Debt, Model, Word
from tests.jobs.reminding import deliver, messages, reachable, reminding, tick, waiting_mails
from tests.world import OWNER, World, money

STEPS = """3 days before: Friendly
on due: Friendly
7 days after: First
14 days after: Second
30 days after, every 14 days: Last"""
PLACES = (("", ""), ("", ""), ("Europe/Berlin", "DE"), ("America/New_York", "US"), ("Pacific/Auckland", "NZ"))
LOOKS = (time(8), time(10), time(16), time(21, 30))
NIGHT = time(2, 30)
EVENTS = time(9), time(15), time(20)
SIZES = {"sqlite": (300, 365), "postgresql": (30, 40)}
BEGIN = date(2027, 1, 4)


@dataclass
class Year:
    """The same happenings in the product and in the model."""

    world: World
    chance: random.Random
    model: Model = field(default_factory=Model)
    customers: dict[str, Customer] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    down_until: datetime | None = None
    unsure: list[str] = field(default_factory=list)
    handed: int = 0

    def open(self, count: int) -> None:
        for number in range(count):
            zone, country = PLACES[number % len(PLACES)]
            code = f"C{number:03d}"
            self.customers[code] = reachable(self.world, code, zone=zone, country=country)
            self.model.clients[code] = Client(code=code, zone=zone or "Asia/Singapore", country=country or "SG")

    def happen(self, at: datetime) -> None:
        """What people and customers do at some moment of a day."""
        self.world.now = at
        today = at.astimezone(BOOK).date()
        happenings: list[tuple[Callable[[Client, date], None], float]] = [
            (self._invoice, len(self.customers) / 700),
            (self._pay, len(self.customers) / 200),
            (self._promise, 0.3),
            (self._dispute, 0.2),
            (self._stop, 0.1),
            (self._pause, 0.15),
            (self._opt, 0.05),
        ]
        for happening, rate in happenings:
            for _ in range(int(rate) + (self.chance.random() < rate % 1)):
                happening(self.model.clients[self.chance.choice(list(self.customers))], today)

    def _invoice(self, client: Client, today: date) -> None:
        amount, days = self.chance.randint(10, 900), self.chance.choice((0, 7, 14, 30))
        made = self.world.invoice(self.customers[client.code], amount, due=days)
        assert made.number is not None
        self.invoices[made.number] = made
        client.debts.append(Debt(number=made.number, issued=today, due=today + timedelta(days=days), open=amount))

    def _pay(self, client: Client, _today: date) -> None:
        if not client.owed:
            return
        customer = self.customers[client.code]
        owed = [debt for debt in client.debts if debt.open]
        if self.chance.random() < 0.3:
            debt = self.chance.choice(owed)
            amount = self.chance.choice((debt.open, self.chance.randint(1, debt.open)))
            self.world.pay(amount, customer, to=((self.invoices[debt.number], amount),))
            client.pay(amount, only=debt)
            return
        amount = self.chance.choice((client.owed, self.chance.randint(1, client.owed)))
        self.world.pay(amount, customer)
        client.pay(amount)

    def _promise(self, client: Client, today: date) -> None:
        owed = [debt for debt in client.debts if debt.open]
        if not owed:
            return
        debt = self.chance.choice([None, *owed])
        amount = self.chance.randint(1, debt.open if debt is not None else client.owed)
        by = today + timedelta(days=self.chance.randint(0, 12))
        about = self.invoices[debt.number].id if debt is not None else None
        command = LogPromise(
            customer_id=self.customers[client.code].id, promised_on=by, amount=money(amount), invoice_id=about
        )
        self.world.do(log_promise, command)
        client.words = [word for word in client.words if word.debt is not debt]
        client.words.append(Word(amount=amount, by=by, debt=debt))

    def _dispute(self, client: Client, _today: date) -> None:
        for debt in client.debts:
            if debt.open and not debt.disputed:
                command = OpenDispute(invoice_id=self.invoices[debt.number].id, reason="quantity")
                self.world.do(open_dispute, command)
                debt.disputed = True
                return
            if debt.disputed:
                command_end = ResolveDispute(invoice_id=self.invoices[debt.number].id, reason="agreed")
                self.world.do(resolve_dispute, command_end)
                debt.disputed = False
                return

    def _stop(self, client: Client, _today: date) -> None:
        for debt in client.debts:
            if debt.open and not debt.stopped:
                self.world.do(stop_chasing, StopChasing(invoice_id=self.invoices[debt.number].id, reason="agreed"))
                debt.stopped = True
                return
            if debt.stopped:
                self.world.do(go_on_chasing, GoOnChasing(invoice_id=self.invoices[debt.number].id))
                debt.stopped = False
                return

    def _pause(self, client: Client, today: date) -> None:
        until = today + timedelta(days=self.chance.randint(1, 20))
        self.world.do(pause_reminders, PauseReminders(customer_id=self.customers[client.code].id, until=until))
        client.paused_until = until

    def _opt(self, client: Client, _today: date) -> None:
        customer = self.customers[client.code]
        terms = self.world.store.read(lambda books: books.reminder_terms(customer.id))
        client.opted_out = not client.opted_out
        command = SetReminders(
            customer_id=customer.id, version=terms.version, opted_out=client.opted_out, reason="asked us"
        )
        self.world.do(set_reminders, command)

    def look(self, at: datetime) -> None:
        """Both processes look, unless all is down; what they hand over is what the model hands over."""
        if self.down_until is not None and at < self.down_until:
            return
        self.world.now = at
        expected: dict[str, tuple[str, ...]] = {}
        for process in ("one", "two"):
            tick(self.world, at, name=process)
            expected |= self.model.look(at)
        codes = {customer.id: code for code, customer in self.customers.items()}
        found = {codes[each.mail.customer_id]: self._numbers(each.mail.body) for each in waiting_mails(self.world)}
        assert found == expected, self._explained(at, found.items() ^ expected.items())
        self.handed += len(found)
        self._settle(at, codes)

    def _explained(self, at: datetime, differing: Iterable[tuple[str, tuple[str, ...]]]) -> str:
        """What both know of a customer who should get something else."""
        code = min(code for code, _ in differing)
        log = self.world.store.read(lambda books: books.reminder_log(self.customers[code].id, 100))
        known = [(each.message.day, each.message.state.value, each.message.note, each.message.lines) for each in log]
        return f"{at}: {self.model.clients[code]} against {known}"

    @staticmethod
    def _numbers(body: str) -> tuple[str, ...]:
        return tuple(sorted(word for word in body.split() if word.startswith("INV-")))

    def _settle(self, at: datetime, codes: dict[int, str]) -> None:
        """Most mails are taken over; some are refused, and of some it is known later only."""
        for code in self.unsure:
            self._settled(code, at, sent=self.chance.random() < 0.5)
        self.unsure = []
        for each in waiting_mails(self.world):
            code, luck = codes[each.mail.customer_id], self.chance.random()
            if luck < 0.03:
                deliver(self.world, MailState.UNKNOWN, only=each.mail.id)
                self.unsure.append(code)
            else:
                self._settled(code, at, sent=luck > 0.06)

    def _settled(self, code: str, at: datetime, *, sent: bool) -> None:
        state = MailState.SENT if sent else MailState.FAILED
        deliver(self.world, state, of=self.customers[code].id)
        self.model.settled(code, at, sent=sent)


def at(day: date, hour: time) -> datetime:
    return datetime.combine(day, hour, tzinfo=BOOK).astimezone(UTC)


@pytest.mark.rule(87, 88, 89)
@pytest.mark.timeout(900)
def test_a_year_of_reminders_is_what_a_naive_model_says(world: World, engine_name: str) -> None:
    count, days = SIZES[engine_name]
    chance = random.Random(20270104)  # noqa: S311  # a year that can be played again
    reminding(world, steps=STEPS)
    for name, value in {"zone": "Asia/Singapore", "reminder_holidays": "SG", "reminder_gap_days": "3"}.items():
        world.do(change_setting, ChangeSetting(name=name, value=value), by=OWNER)
    world.now = at(BEGIN, time(8)) - timedelta(days=1)
    year = Year(world, chance)
    year.open(count)
    for ahead in range(days):
        day = BEGIN + timedelta(days=ahead)
        if year.down_until is None and chance.random() < 0.04:
            year.down_until = at(day, time(chance.randint(0, 23))) + timedelta(hours=chance.randint(2, 72))
        for moment in sorted((*EVENTS, *LOOKS)):
            (year.happen if moment in EVENTS else year.look)(at(day, moment))
        year.look(at(day + timedelta(days=1), NIGHT))
        if year.down_until is not None and at(day + timedelta(days=1), NIGHT) >= year.down_until:
            year.down_until = None
    assert year.handed > days // 10
    assert len(messages(world, MessageState.SENT)) > year.handed // 2
    world.check()
