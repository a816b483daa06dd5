"""The digest's figures on random histories: its line since the last one is the difference of two naive books."""

import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from bot.domain.digest import MOST_MOVERS, MOVEMENTS, Digest, DigestLine
from bot.domain.money import Money
from bot.jobs.digest import digest_of, figures, run_digest
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.jobs import JobRuns
from tests.histories import Copy, History, Step, any_step, at
from tests.world import World, money

pytestmark = pytest.mark.rules(79, 80, 82, 84)

UNHURRIED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
CHANNEL = "C0DIGEST"
Worlds = Callable[[], AbstractContextManager[World]]


class Oracle:
    """What the naive books say at a day, as they are known now."""

    def __init__(self, copy: Copy, day: date, currencies: dict[int, str]) -> None:
        self.day = day
        self.open: dict[int, int] = defaultdict(int)
        self.moved: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for debit in copy.debits:
            self.open[debit.customer_id] += at(debit.moves, day)
            for index, (on, amount) in enumerate(debit.moves):
                if on <= day:
                    kind = "new invoices" if index == 0 else "paid" if amount < 0 else "payments taken back"
                    self.moved[debit.customer_id][kind] += amount
        self.currencies = currencies
        self.sold: dict[int, int] = defaultdict(int)
        self.at_risk: dict[int, int] = defaultdict(int)
        for debit in copy.debits:
            if debit.posted_on <= day and day - timedelta(days=90) < debit.issue_on <= day:
                self.sold[debit.customer_id] += debit.moves[0][1]
            if (day - debit.due_on).days > 90:
                self.at_risk[debit.customer_id] += at(debit.moves, day)

    def of(self, sums: dict[int, int], code: str) -> int:
        return sum(amount for customer_id, amount in sums.items() if self.currencies[customer_id] == code)

    def total(self, code: str) -> int:
        return sum(amount for customer_id, amount in self.open.items() if self.currencies[customer_id] == code)

    def reasons(self, code: str) -> dict[str, int]:
        sums: dict[str, int] = defaultdict(int)
        for customer_id, kinds in self.moved.items():
            if self.currencies[customer_id] == code:
                for kind, amount in kinds.items():
                    sums[kind] += amount
        return sums


class Digested(History):
    """A history in which a digest is posted now and then, and compared with the naive books each time."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.before: Oracle | None = None
        self.compared = 0

    def _digest(self, step: Step) -> None:
        is_new_day = self.before is None or self.world.today > self.before.day
        self.world.now += timedelta(days=step.one % 4 if is_new_day else 1)
        day = self.world.today
        runs = JobRuns(self.world.store)
        assert runs.plan("digest", CHANNEL, day, self.world.now)
        (run,) = runs.claim("test", self.world.now)
        digest, _ = self.world.store.read(lambda books: figures(books, CHANNEL, day))
        assert runs.finish(run, run_digest(self.world.desk, run), self.world.now)
        sent(self.world)
        now = Oracle(self.copy, day, {each.id: each.currency.code for each in self.customers})
        self._compare(digest, now)
        self.before = now

    def _compare(self, digest: Digest, now: Oracle) -> None:
        assert digest.differences == ()
        assert digest.follows == (self.before.day if self.before is not None else None)
        lines = {line.currency.code: line for line in digest.lines}
        for code in ("SGD", "JPY"):
            line = lines.get(code)
            assert (line.total.micros if line is not None else 0) == now.total(code)
            if line is not None:
                assert (line.sold, line.at_risk) == (
                    Money(now.of(now.sold, code), line.currency),
                    Money(now.of(now.at_risk, code), line.currency),
                )
            if self.before is not None:
                self._compare_since(line, code, self.before, now)

    def _compare_since(self, line: DigestLine | None, code: str, before: Oracle, now: Oracle) -> None:
        now_and_then = {kind: now.reasons(code)[kind] - before.reasons(code)[kind] for kind in MOVEMENTS.values()}
        reasons = {kind: amount for kind, amount in now_and_then.items() if amount}
        late = {
            customer_id: amount
            for customer_id, amount in self._newly_late(before.day, now.day).items()
            if now.currencies[customer_id] == code
        }
        if line is None:
            assert (reasons, late) == ({}, {})
            return
        self.compared += 1
        assert {each.label: each.amount.micros for each in line.movements} == reasons
        assert line.before_total.micros == before.total(code)
        assert line.change.micros == now.total(code) - before.total(code) == sum(reasons.values())
        assert (line.newly_late.micros, line.newly_late_customers) == (sum(late.values()), len(late))
        changes = {
            each.id: now.open[each.id] - before.open[each.id] for each in self.customers if each.currency.code == code
        }
        weights = sorted((max(abs(amount), late.get(one, 0)) for one, amount in changes.items()), reverse=True)
        assert [max(abs(each.change.micros), each.newly_late.micros) for each in line.movers] == [
            weight for weight in weights if weight
        ][:MOST_MOVERS]
        for mover in line.movers:
            assert (
                mover.change.micros == changes[mover.customer_id] == sum(one.amount.micros for one in mover.movements)
            )
            assert mover.newly_late.micros == late.get(mover.customer_id, 0)

    def _newly_late(self, since: date, until: date) -> dict[int, int]:
        found: dict[int, int] = defaultdict(int)
        for debit in self.copy.debits:
            if since <= debit.due_on < until:
                found[debit.customer_id] += at(debit.moves, until)
        return {customer_id: amount for customer_id, amount in found.items() if amount}


def sent(world: World) -> None:
    """The message of the digest reached Slack."""
    statement = text("UPDATE outbox SET state = 'done' WHERE kind = 'digest'")
    world.store.write(lambda connection: connection.execute(statement))


def steps() -> st.SearchStrategy[list[Step]]:
    some = st.lists(any_step(), min_size=2, max_size=12)
    digest = st.lists(any_step("digest"), min_size=1, max_size=1)
    part = st.tuples(some, digest).map(lambda each: [*each[0], *each[1]])
    return st.lists(part, min_size=2, max_size=4).map(lambda parts: [step for part in parts for step in part])


def play(worlds: Worlds, taken: list[Step]) -> None:
    with worlds() as world:
        history = Digested(world)
        for step in taken:
            history.take(step)
        assert history.before is not None


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
@settings(max_examples=11, deadline=None, suppress_health_check=UNHURRIED)
@given(taken=steps())
def test_the_line_since_is_the_difference_of_two_naive_books(worlds: Worlds, taken: list[Step]) -> None:
    play(worlds, taken)


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
@settings(max_examples=2, deadline=None, suppress_health_check=UNHURRIED)
@given(taken=steps())
def test_the_line_since_is_the_same_on_postgresql(worlds: Worlds, taken: list[Step]) -> None:
    play(worlds, taken)


def test_what_is_dated_back_behind_the_last_digest_is_in_the_next_one(world: World) -> None:
    """Recorded today and in force since last week: the last digest did not know it, so the next one tells it."""
    acme = world.customer()
    invoice = world.invoice(acme, 300, issued=-40, due=-10, auto=False)
    first = digest_of_today(world)
    assert [line.total for line in first.lines] == [money(300)]
    world.now += timedelta(days=1)
    world.pay(120, acme, received=-8, to=((invoice, 120),))
    world.invoice(acme, 50, issued=-9, due=21, auto=False)
    (line,) = digest_of_today(world).lines
    assert [(each.label, each.amount) for each in line.movements] == [
        ("paid", money(-120)),
        ("new invoices", money(50)),
    ]
    assert (line.before_total, line.total, line.change) == (money(300), money(230), money(-70))
    world.now += timedelta(days=1)
    (line,) = digest_of_today(world).lines
    assert line.movements == ()
    assert not line.change


def test_a_digest_that_was_never_sent_is_not_followed(world: World) -> None:
    acme = world.customer()
    world.invoice(acme, 300, due=30)
    first = world.today
    digest_of_today(world)
    world.now += timedelta(days=1)
    world.invoice(acme, 40, due=30)
    digest_of_today(world, arrives=False)
    world.now += timedelta(days=1)
    world.invoice(acme, 2, due=30)
    digest = digest_of_today(world)
    assert digest.follows == first
    assert [line.change for line in digest.lines] == [money(42)]


def test_what_does_not_tie_is_said_with_all_figures_and_kept_with_the_run(world: World) -> None:
    acme = world.customer()
    world.invoice(acme, 300, due=30)
    spoiled = text("UPDATE customer SET receivable_micros = receivable_micros + 7000000")
    world.store.write(lambda connection: connection.execute(spoiled))
    digest = digest_of_today(world)
    (found,) = digest.differences
    assert (found.shown, found.ledger, found.kept, found.customers) == (money(300), money(300), money(307), 1)
    run = JobRuns(world.store).newest("digest", CHANNEL)
    assert run is not None
    assert run.error == (
        "SGD receivable: the report says 300.00, the entries 300.00, the control accounts 307.00; 1 customer differs"
    )
    assert "does not tie" in run.result


def digest_of_today(world: World, *, arrives: bool = True) -> Digest:
    """Run the digest of the day as the runner does."""
    runs = JobRuns(world.store)
    assert runs.plan("digest", CHANNEL, world.today, world.now)
    assert Runner(world.desk, jobs={"digest": JOBS["digest"]}, now=lambda: world.now).run_once() == 1
    run = runs.newest("digest", CHANNEL)
    assert run is not None
    assert run.state == "done"
    if arrives:
        sent(world)
    assert json.loads(run.payload)["copy"] is False
    return digest_of(run.payload)
