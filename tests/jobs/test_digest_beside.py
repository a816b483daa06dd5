"""What a digest says beside its buckets: DSO and risk from raw rows, a month that adds up, weekly and monthly forms."""

import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.customers import Mode
from bot.domain.digest import Digest, DigestLine
from bot.domain.digest_figures import days_outstanding, per_cent
from bot.domain.digest_plans import Form, check_plans, written
from bot.domain.errors import SettingRefused
from bot.domain.money import Money
from bot.domain.plan_digest import PlanDigest, plan_digest
from bot.domain.promises import LogPromise, log_promise
from bot.domain.receivables import AgeingQuestion
from bot.domain.settings import ChangeSetting, change_setting
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from bot.handlers.blocks import digest as drawn
from bot.handlers.commands import PRESSES
from bot.jobs.digest import digest_of, figures
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.jobs import JobRuns
from sandbox.client import shown
from tests.domain.credit_stages import credited_by_notes
from tests.domain.dispute_stages import disputed_promised_and_given_up
from tests.domain.usage_steps import charge, limited
from tests.slack import DIGEST, Slack
from tests.world import ADMIN, OWNER, SGD, VIEWER, World, money

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


def raw(world: World, table: str) -> list[dict[str, Any]]:
    """All rows of a table, days as days."""
    found = world.store.database.read(lambda connection: connection.execute(text(f"SELECT * FROM {table}")).all(), None)
    return [{name: _plain(name, value) for name, value in row._mapping.items()} for row in found]


def _plain(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name.endswith("_on") and isinstance(value, str) else value


class Naive:
    """What is said beside the buckets, worked out row by row without a sum of the database."""

    def __init__(self, world: World, day: date, days: int = 90) -> None:
        invoices, of_customer = raw(world, "invoice"), {each["id"]: each["currency"] for each in raw(world, "customer")}
        self.sold: dict[str, int] = defaultdict(int)
        self.at_risk: dict[str, int] = defaultdict(int)
        self.total: dict[str, int] = defaultdict(int)
        oldest = day - timedelta(days=89)
        for each in invoices:
            owed = each["kind"] == "tax" and each["state"] in {"sent", "written_off"}
            if owed and oldest <= each["issue_on"] <= day and each["usage_mode"] != "prepaid":
                self.sold[each["currency"]] += each["total_micros"]
        for each in raw(world, "credit_note"):
            if each["state"] == "sent" and oldest <= each["issue_on"] <= day:
                self.sold[each["currency"]] -= each["total_micros"]
        left = {each["id"]: each["open_micros"] for each in invoices if each["posted_on"] is not None}
        promises = [each for each in raw(world, "promise") if each["ended_at"] is None]
        self.broken = [each["amount_micros"] for each in promises if each["promised_on"] < day]
        self.next_on = min((each["promised_on"] for each in promises if each["promised_on"] >= day), default=None)
        broken = [(each["customer_id"], each["invoice_id"]) for each in promises if each["promised_on"] < day]
        debts = [(of_customer[each["customer_id"]], each, left.get(each["id"], 0)) for each in invoices]
        usage = [(of_customer[each["customer_id"]], each, each["open_micros"]) for each in raw(world, "usage_day")]
        for code, each, micros in [*debts, *usage]:
            self.total[code] += micros
            late = "due_on" in each and (day - each["due_on"]).days > days
            promised = (each["customer_id"], None) in broken or (each["customer_id"], each["id"]) in broken
            if late or each.get("disputed") or promised:
                self.at_risk[code] += micros

    def days(self, code: str) -> Decimal | None:
        if self.sold[code] <= 0:
            return None
        exact = Decimal(self.total[code]) * 90 / Decimal(self.sold[code])
        return exact.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def today(world: World, channel: str = "C0ANY") -> Digest:
    return world.store.read(lambda books: figures(books, channel, world.today))[0]


def line_of(digest: Digest, code: str = "SGD") -> DigestLine:
    return next(line for line in digest.lines if line.currency.code == code)


def used(world: World) -> None:
    """Usage of both modes, invoiced, summed up and open."""
    prepaid, postpaid = limited(world, 90, code="PRE"), limited(world, 90, mode=Mode.POSTPAID, code="POST")
    world.pay(20, prepaid)
    for customer in (prepaid, postpaid):
        charge(world, customer, 30, ago=1, tax="9", line_id=f"{customer.code}-1")
        world.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=world.today))
        charge(world, customer, 11, line_id=f"{customer.code}-2")


def test_dso_and_what_is_at_risk_are_those_of_the_raw_rows(world: World) -> None:
    used(world)
    credited_by_notes(world)
    disputed_promised_and_given_up(world)
    late, promising, whole = (world.customer(code) for code in ("LATE", "PROMISING", "WHOLE"))
    for ago in (200, 121, 120, 89, 90, 10):
        world.invoice(late, 100 + ago, issued=-ago, due=30 - ago, auto=False)
    one, _ = (world.invoice(promising, 40 + each, issued=-5, auto=False) for each in range(2))
    for each, customer in enumerate((whole, whole)):
        world.invoice(customer, 70 + each, issued=-100, due=-95 + 90 * each, auto=False)
    world.invoice(world.customer("OLD", of="JPY"), 5000, issued=-100, due=-40, auto=False)
    promises = (
        LogPromise(customer_id=promising.id, invoice_id=one.id, amount=money(5), promised_on=world.day(1)),
        LogPromise(customer_id=whole.id, amount=money(1), promised_on=world.day(2)),
        LogPromise(customer_id=late.id, promised_on=world.day(9)),
    )
    for promise in promises:
        world.do(log_promise, promise, by=VIEWER)
    for ahead, days in ((0, 90), (2, 90), (1, 10), (9, 365)):
        world.now += timedelta(days=ahead)
        world.do(change_setting, ChangeSetting(name="risk_days", value=str(days)), by=OWNER)
        naive, digest = Naive(world, world.today, days), today(world)
        for line in digest.lines:
            code = line.currency.code
            assert line.sold is not None
            assert line.at_risk is not None
            assert (line.sold.micros, line.total.micros) == (naive.sold[code], naive.total[code])
            assert line.at_risk.micros == naive.at_risk[code] <= line.total.micros
            assert line.days_outstanding == naive.days(code)
        held = line_of(digest).held
        assert held is not None
        assert (held.broken, held.promised_broken) == (len(naive.broken), Money(sum(naive.broken), SGD))
        assert held.next_on == naive.next_on
    assert line_of(digest, "JPY").days_outstanding is None
    assert line_of(digest, "SGD").days_outstanding is not None


def test_dso_refuses_without_sales_and_shares_of_nothing() -> None:
    assert days_outstanding(money(100), money(0)) is None
    assert days_outstanding(money(100), money(-5)) is None
    assert days_outstanding(money(0), money(10)) == 0
    assert str(days_outstanding(money(500), money(1000))) == "45.0"
    assert str(days_outstanding(money("0.01"), money("18"))) == "0.1"  # 0.05, half up
    assert per_cent(money(1), money(0)) is None
    assert str(per_cent(money(1), money(3))) == "33.3"


def test_a_month_adds_up_and_begins_and_ends_as_the_report_does(world: World) -> None:
    acme = world.customer()
    for issued in (-60, -30, -24, -1):
        world.invoice(acme, 100 - issued, issued=issued, auto=False)
    used(world)
    credited_by_notes(world)
    disputed_promised_and_given_up(world)
    world.pay(150, acme, received=-2)
    world.now = datetime(2026, 12, 3, 9, tzinfo=UTC)
    world.pay(7, acme, received=-1)
    world.do(plan_digest, PlanDigest(channel="C0MONTH", days="monthly 1"), by=ADMIN)
    digest = today(world, "C0MONTH")
    assert (digest.form, digest.month) == (Form.MONTHLY, date(2026, 11, 1))
    month = line_of(digest).month
    assert month is not None
    columns = {each.label: each.amount.micros for each in month.columns}
    assert month.opened.micros + sum(columns.values()) == month.closed.micros
    for day, wanted in ((date(2026, 10, 31), month.opened), (date(2026, 11, 30), month.closed)):
        asked = AgeingQuestion(as_of=day)
        (total,) = world.store.read(lambda books, asked=asked: books.ageing(asked)).totals  # type: ignore[misc]  # mypy cannot infer a lambda with a default
        assert total.total == wanted, day
    assert list(columns)[:4] == ["new invoices", "collected", "credited", "written off"]
    assert all(columns[each] < 0 for each in ("collected", "credited", "written off"))
    invoiced = [
        int(each["total_micros"])
        for each in raw(world, "invoice")
        if each["kind"] == "tax" and each["issue_on"].month == 11 and each["usage_mode"] != "prepaid"
    ]
    assert columns["new invoices"] == sum(invoiced)


def test_plans_of_weeks_and_months_are_stored_and_older_texts_still_read() -> None:
    text_of_all = "C1 09:00 weekdays all; C2 17:30 weekly:mon SGD; C3 09:00 monthly:1 all; C4 08:00 mon all; C5 off"
    assert check_plans(text_of_all) == text_of_all
    assert [each.form for each in written(text_of_all)[:4]] == [Form.DAYS, Form.WEEKLY, Form.MONTHLY, Form.DAYS]
    assert [each.label for each in written(text_of_all)[1:3]] == [
        "weekly mon 17:30, SGD",
        "monthly 1 09:00, all currencies",
    ]
    for wrong in ("weekly", "weekly:mon-fri", "monthly", "monthly:0", "monthly:29", "monthly:mon", "yearly:1"):
        with pytest.raises(SettingRefused):
            check_plans(f"C1 09:00 {wrong} all")


def posted(slack: Slack) -> dict[str, Any]:
    jobs = {"digest": JOBS["digest"]}
    assert Runner(slack.duedesk.desk, jobs=jobs, watches={}, now=lambda: slack.world.now).run_once() == 1
    slack.deliver()
    found = [each for each in slack.person(OWNER).messages("digest") if each.get("thread_ts") in {None, each["ts"]}]
    return found[-1]


@SQLITE
def test_weekly_and_monthly_digests_are_typed_titled_and_follow_the_last_of_their_channel(slack: Slack) -> None:
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.world.invoice(acme, 300, issued=-60, due=-30)
    for line, said in (
        ("weekly mon 09:00", "weekly mon 09:00, all currencies"),
        ("monthly 1 09:00", "monthly 1 09:00, all currencies"),
        ("monthly on 28 at 10:15", "monthly 28 10:15, all currencies"),
        ("09:00", "monthly 28 09:00, all currencies"),
        ("weekly mon in sgd", "weekly mon 09:00, SGD"),
    ):
        assert slack.type(f"/duedesk settings digest #digest {line}", by=ADMIN).endswith(said)
    for line in ("weekly", "monthly 31", "weekly mon 09:00 at 10:00", "weekly mon on tue", "09:00 10:00"):
        assert "such as" in slack.type(f"/duedesk settings digest #digest {line}", by=ADMIN), line
    assert slack.world.store.read(lambda books: books.settings()).digests == f"{DIGEST} 09:00 weekly:mon SGD"
    assert posted(slack)["text"].startswith("Aged receivables, weekly · Mon 23 Nov 2026: SGD 300.00")
    slack.world.pay(120, acme)
    slack.world.now += timedelta(days=7)
    said = shown(posted(slack))
    assert "Since Mon 23 Nov 2026" in said
    assert "SGD −120.00 = paid −120.00; nothing newly late" in said
    slack.type("/duedesk settings digest #digest monthly 1", by=ADMIN)
    slack.world.now += timedelta(days=1)
    message = posted(slack)
    assert message["text"].startswith("Aged receivables, monthly · Tue 1 Dec 2026")
    said = shown(message)
    assert "Since Mon 30 Nov 2026" in said
    assert "The month of November 2026" in said
    assert "open on Nov 1" in said
    assert "−120.00" in said


@SQLITE
def test_each_mover_has_its_card_a_promise_and_what_else_is_registered(slack: Slack) -> None:
    assert {each.action_id for each in (*drawn.MOVER_BUTTONS, *drawn.MOVER_MENU)} <= set(PRESSES)
    acme = slack.world.customer(name="Acme Pte Ltd")
    slack.type("/duedesk settings digest #digest daily 09:00", by=ADMIN)
    posted(slack)
    slack.world.invoice(acme, 300, issued=-60, due=-30)
    slack.world.now += timedelta(days=1)
    message = posted(slack)
    slack.clerk.press(message, "Log a promise")
    form = slack.clerk.modal
    assert form is not None
    assert "Acme Pte Ltd" in shown(form)
    buttons = drawn.mover_actions("1", "Acme")
    assert [each["text"]["text"] for each in buttons[:-1]] == ["Card", "Log a promise", "Remind now"]
    assert "Acme gets one message" in buttons[2]["confirm"]["text"]["text"]
    slack.person(VIEWER).press(message, "Remind now")
    assert "right of a clerk" in slack.person(VIEWER).ephemerals("digest")[-1]["text"]
    slack.clerk.press(message, "Remind now")
    assert "has no schedule with a step after the due date" in slack.clerk.ephemerals("digest")[-1]["text"]
    for chosen in ("Record payment", "Pause reminders"):
        slack.clerk.press(message, "mover_more", chosen)
        assert slack.clerk.modal is not None
        assert "Acme Pte Ltd" in shown(slack.clerk.modal)


@SQLITE
def test_a_digest_that_was_kept_before_these_figures_is_still_followed(world: World) -> None:
    world.invoice(world.customer(), 300, issued=-10, due=30)
    runs = JobRuns(world.store)
    world.do(plan_digest, PlanDigest(channel="C0OLD", days="daily"), by=ADMIN)
    runs.plan("digest", "C0OLD", world.today, world.now)
    Runner(world.desk, jobs={"digest": JOBS["digest"]}, watches={}, now=lambda: world.now).run_once()
    run = runs.newest("digest", "C0OLD")
    assert run is not None
    kept = json.loads(run.payload)
    for name in ("form", "month", "risk_days"):
        del kept["digest"][name]
    for line in kept["digest"]["lines"]:
        for name in ("sold", "days_before", "at_risk", "month"):
            del line[name]
    old = digest_of(json.dumps(kept))
    assert (old.form, old.lines[0].days_outstanding, old.lines[0].share_at_risk) == (Form.DAYS, None, None)
    update = text("UPDATE job_run SET payload = :payload")
    world.store.write(lambda connection: connection.execute(update, {"payload": json.dumps(kept)}))
    world.store.write(lambda connection: connection.execute(text("UPDATE outbox SET state = 'done'")))
    world.now += timedelta(days=1)
    line = line_of(today(world, "C0OLD"))
    assert (line.days_before, line.days_outstanding) == (None, Decimal("90.0"))
