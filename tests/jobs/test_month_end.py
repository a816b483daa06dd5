"""Month end by the clock and by hand: each customer once whoever runs it, a bad one left out and named, told once."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from bot.desk import Desk
from bot.domain.customers import Mode
from bot.domain.errors import Refused, SettingRefused
from bot.domain.month_end import MonthTold, read_month
from bot.domain.month_plans import BOOK, MONTH_END, month_end_of
from bot.domain.open_items import Invoice
from bot.domain.ports import Page
from bot.domain.schedules import check_monthly, due, next_run, read_monthly
from bot.domain.settings import Settings
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from bot.handlers.blocks.month_end import month_blocks, month_text
from bot.jobs.month_end import told_of
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.jobs import Asked, JobRun, JobRuns
from bot.storage.outbox import Outbox
from tests.domain.usage_steps import charge, limited, refund
from tests.snapshots import check_golden
from tests.world import World, money

FIRST = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def runner(world: World, name: str = "one") -> Runner:
    return Runner(world.desk, jobs={MONTH_END: JOBS[MONTH_END]}, watches={}, now=lambda: world.now, name=name)


def newest(world: World) -> JobRun:
    found = JobRuns(world.store).newest(MONTH_END, BOOK)
    assert found is not None
    return found


def told(world: World) -> MonthTold:
    return told_of(newest(world).payload)


def invoices(world: World) -> list[Invoice]:
    return [each.invoice for each in world.store.read(lambda books: books.list_invoices(Page(limit=100)))]


def used(world: World) -> None:
    """A postpaid customer, a prepaid one who paid in part, and one of whose month less than nothing is left."""
    charge(world, limited(world, 100, mode=Mode.POSTPAID, code="POST"), 40, tax="9")
    prepaid = limited(world, 100, code="PRE")
    world.pay(4, prepaid)
    charge(world, prepaid, 10, line_id="PRE-1")
    below = limited(world, 100, mode=Mode.POSTPAID, code="BELOW")
    charge(world, below, 30, line_id="BELOW-1")
    world.do(invoice_usage, InvoiceUsage(customer_id=below.id, through=world.today))
    refund(world, below, 30, of="BELOW-1")


@pytest.mark.rule(101, 105)
def test_with_the_first_of_the_month_all_are_invoiced_once_whoever_runs(world: World) -> None:
    used(world)
    assert runner(world).run_once() == 0
    world.now = FIRST
    assert [runner(world, name).run_once() for name in ("one", "two")] == [1, 0]
    assert newest(world).result == "2 invoices and 1 summary"
    assert [(each.mode.value, each.count, each.total, each.to_pay, each.below) for each in told(world).sums] == [
        ("postpaid", 2, money("13.60"), money("43.60"), money(-30)),
        ("prepaid", 1, money(10), money(6), money(0)),
    ]
    before = len(invoices(world))
    asked = JobRuns(world.store).ask(MONTH_END, BOOK, date(2026, 12, 1), world.now, by="U1")
    again = JobRuns(world.store).ask(MONTH_END, BOOK, date(2026, 12, 1), world.now, by="U1", again="r")
    assert (asked, again) == (Asked.DONE, Asked.PLANNED)
    assert runner(world).run_once() == 1
    assert len(invoices(world)) == before
    world.check()


def test_after_an_outage_the_newest_month_takes_all_before_it(world: World) -> None:
    customer = limited(world, 100, mode=Mode.POSTPAID, code="POST")
    charge(world, customer, 40)
    world.now = datetime(2026, 12, 20, 9, tzinfo=UTC)
    charge(world, customer, 5)
    world.now = datetime(2027, 1, 3, 9, tzinfo=UTC)
    assert runner(world).run_once() == 1
    (invoice,) = invoices(world)
    assert (invoice.total, invoice.usage_through) == (money(45), date(2026, 12, 31))
    assert runner(world).run_once() == 0


def test_a_bad_customer_never_stops_the_rest_and_is_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    used(world)
    bad = world.store.read(lambda books: books.find_customers("POST")[0])
    carry_out: Callable[..., object] = Desk.carry_out

    def broken(desk: Desk, operation: object, command: object, request: object) -> object:
        if getattr(command, "customer_id", None) == bad.id:
            raise RuntimeError("broken")
        return carry_out(desk, operation, command, request)

    world.now = FIRST
    with monkeypatch.context() as patched:
        patched.setattr(Desk, "carry_out", broken)
        for attempt in range(3):
            world.now = datetime(2026, 12, 1, 7 + attempt, tzinfo=UTC)
            assert runner(world).run_once() == 1
    assert newest(world).result == "1 invoice and 1 summary; 1 customer left out"
    assert [(each.name, "Run the month end again" in each.why) for each in told(world).left_out] == [
        ("POST Pte Ltd", True)
    ]
    JobRuns(world.store).ask(MONTH_END, BOOK, date(2026, 12, 1), world.now, by="U1", again="r")
    assert runner(world).run_once() == 1
    assert newest(world).result == "2 invoices and 1 summary"
    assert len(Outbox(world.store).claim("test")) > 0
    world.check()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_message_tells_how_many_how_much_and_who_was_left_out(world: World) -> None:
    used(world)
    quiet = limited(world, 100, mode=Mode.POSTPAID, code="QUIET")
    charge(world, quiet, "0.001")
    world.now = FIRST
    runner(world).run_once()
    settings = Settings()
    assert month_text(told(world), settings) == (
        "Month end · November 2026 · 2 invoices and 1 summary; 1 customer left out"
    )
    check_golden("month_end", month_blocks(told(world), settings))


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_a_month_without_usage_is_done_and_says_nothing(world: World) -> None:
    world.now = FIRST
    assert runner(world).run_once() == 1
    assert (newest(world).result, newest(world).payload) == ("nothing to invoice", "")


def test_the_day_and_time_of_month_end_are_a_setting() -> None:
    settings = Settings()
    schedule = month_end_of(settings)
    assert schedule is not None
    assert schedule.label == "day 1 of each month 06:00"
    assert due(schedule, date(2026, 11, 1), FIRST, "UTC") == date(2026, 12, 1)
    assert due(schedule, date(2026, 12, 1), datetime(2026, 12, 30, tzinfo=UTC), "UTC") is None
    assert next_run(schedule, date(2026, 12, 1), FIRST, "UTC") == datetime(2027, 1, 1, 6, tzinfo=UTC)
    assert check_monthly(" 3  AT 9:30") == "3 at 09:30"
    assert read_monthly("off") is None
    assert month_end_of(Settings(invoicing="none")) is None
    for wrong in ("29 at 06:00", "0 at 06:00", "1", "first at six", "1 at 25:00"):
        with pytest.raises(SettingRefused):
            check_monthly(wrong)


def test_a_month_is_read_as_people_type_it() -> None:
    today = date(2026, 11, 20)
    assert read_month("", today) == read_month("2026-10", today) == read_month("2026-10-31", today) == date(2026, 10, 1)
    for wrong in ("2026-11", "2027-01", "oct"):
        with pytest.raises(Refused, match=r"not over yet|no month"):
            read_month(wrong, today)
