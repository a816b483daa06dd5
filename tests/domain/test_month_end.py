"""Month end: what was used is invoiced or summed up once, a month below zero becomes credit, and each past day ties."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bot.desk import SYSTEM
from bot.domain.credit_note import ApproveNote, DraftNote, ReasonCode
from bot.domain.credit_notes import approve_note, draft_note
from bot.domain.customer_states import ChangeCustomerState, change_customer_state
from bot.domain.customers import Customer, CustomerState, Mode
from bot.domain.errors import DateInFuture, MoreThanLeft, NotUndoable, WrongState
from bot.domain.invoices import InvoiceLine
from bot.domain.modes import SwitchMode, switch_mode
from bot.domain.money import Money
from bot.domain.month_end import CloseMonth, MonthClosed, close_month, last_day, month_before
from bot.domain.open_items import Invoice
from bot.domain.receivables import AgeingQuestion
from bot.domain.undo import Undo, undo
from bot.domain.usage import ChargeUsage, charge_usage
from bot.domain.usage_invoices import InvoiceUsage, invoice_usage
from tests.domain.expect import ask_sql, expect_refusal
from tests.domain.usage_steps import charge, limited, refund, used
from tests.test_ageing_oracle import compare_identity
from tests.world import MANAGER, World, money, withdraw

OCTOBER = date(2026, 10, 1)


@pytest.fixture
def october(world: World) -> World:
    """The 20th of October: a month is under way."""
    world.now = datetime(2026, 10, 20, 9, tzinfo=UTC)
    return world


def close(world: World, customer: Customer, month: date = OCTOBER) -> MonthClosed:
    command = CloseMonth(customer_id=customer.id, month=month)
    return world.do(close_month, command, by=SYSTEM, key=f"month-end:{month:%Y-%m}:{customer.code}")


def only(done: MonthClosed) -> Invoice:
    (made,) = done.made
    return made.invoice


def to(world: World, month: int, day: int) -> None:
    world.now = datetime(2026, month, day, 1, tzinfo=UTC)


def debt(world: World, as_of: date) -> list[tuple[int, int, int]]:
    """By customer: with an age, prepaid, and credit, in micros."""
    rows = world.store.read(lambda books: books.ageing(AgeingQuestion(as_of=as_of))).rows
    return [(sum(row.buckets_micros), row.prepaid_debt_micros, row.unapplied_micros) for row in rows]


def ties(world: World) -> None:
    """The books prove themselves, and each day of the last three months is as the postings say."""
    world.check()
    for ago in range(92):
        day = world.day(-ago)
        world.store.read(lambda books, day=day: compare_identity(books, day))  # type: ignore[misc]  # bound now


def micros(*amounts: str | int) -> tuple[int, ...]:
    return tuple(money(each).micros for each in amounts)


@pytest.mark.rule(57, 101, 109)
def test_a_month_of_postpaid_usage_is_one_invoice_and_what_comes_late_is_on_the_next(october: World) -> None:
    customer = limited(october, 100, mode=Mode.POSTPAID)
    charge(october, customer, 40, ago=3)
    to(october, 11, 1)
    charge(october, customer, 5)
    first = only(close(october, customer))
    assert (first.total, first.issue_on, first.usage_through) == (money(40), date(2026, 11, 1), date(2026, 10, 31))
    to(october, 11, 3)
    late = october.do(
        charge_usage, ChargeUsage(customer_id=customer.id, lines=(used(7, date(2026, 10, 30), line_id="LATE"),))
    )
    assert late.charged == 1
    assert ask_sql(october, "SELECT posted_on FROM charge WHERE external_id = 'LATE'")[0][0] in {
        date(2026, 11, 3),
        "2026-11-03",
    }
    assert october.read_customer(customer).usable(october.now) == money(100 - 12)
    to(october, 12, 1)
    assert only(close(october, customer, date(2026, 11, 1))).total == money(12)
    counted = ask_sql(october, "SELECT COUNT(*), COUNT(invoice_id), COUNT(DISTINCT invoice_id) FROM charge")
    assert counted == [(3, 3, 2)]
    ties(october)


@pytest.mark.rule(105)
def test_a_month_below_zero_is_a_tax_invoice_whose_amount_offsets_later_charges(october: World) -> None:
    customer = limited(october, 100, mode=Mode.POSTPAID)
    charge(october, customer, 40, tax="9", line_id="C-1")
    to(october, 11, 1)
    owed = only(close(october, customer))
    october.pay("43.60", customer, to=((owed, None),))
    to(october, 11, 10)
    refund(october, customer, "32.70", of="C-1")
    charge(october, customer, 10, tax="9")
    assert october.read_customer(customer).balance == money("21.80")
    to(october, 12, 1)
    negative = only(close(october, customer, date(2026, 11, 1)))
    assert (negative.number, negative.status, negative.open) == ("INV-0002", "given as credit", money(0))
    assert (negative.net, negative.tax, negative.total) == (money(-20), money("-1.80"), money("-21.80"))
    now = october.read_customer(customer)
    assert (now.controls.unbilled, now.amount_due, now.balance) == (0, money("-21.80"), money("21.80"))
    assert now.usable(october.now) == money("121.80")
    assert debt(october, date(2026, 11, 30)) == []
    assert debt(october, date(2026, 12, 1)) == [micros(0, 0, "21.80")]
    assert ask_sql(october, "SELECT kind, number FROM lot WHERE open_micros > 0") == [("negative_invoice", "INV-0002")]
    with expect_refusal(october, MoreThanLeft, field="amount", says="at most SGD 0.00"):
        withdraw_all(october, customer)
    charge(october, customer, 30, tax="9")
    to(october, 12, 31)
    october.now += timedelta(days=1)
    later = only(close(october, customer, date(2026, 12, 1)))
    assert (later.total, later.open, later.status) == (money("32.70"), money("10.90"), "partially paid")
    ties(october)


def withdraw_all(world: World, customer: Customer) -> None:
    withdraw(world, customer, "21.80")


@pytest.mark.rule(105)
def test_a_negative_month_pays_what_is_open_at_once(october: World) -> None:
    customer = limited(october, 100, mode=Mode.POSTPAID)
    charge(october, customer, 40, line_id="C-1")
    to(october, 11, 1)
    close(october, customer)
    refund(october, customer, 30, of="C-1")
    to(october, 12, 1)
    done = close(october, customer, date(2026, 11, 1))
    assert only(done).total == money(-30)
    assert [(each.invoice.number, each.invoice.open) for each in done.made[0].effect.touched] == [
        ("INV-0001", money(10))
    ]
    assert october.read_customer(customer).amount_due == money(10)
    ties(october)


@pytest.mark.rules(38, 105)
def test_no_more_is_credited_of_a_month_than_it_owes_and_nothing_of_one_below_zero(october: World) -> None:
    customer = limited(october, 200, mode=Mode.POSTPAID)
    charge(october, customer, 40, tax="9", line_id="C-1")
    to(october, 11, 1)
    close(october, customer)
    refund(october, customer, "43.60", of="C-1")
    to(october, 12, 1)
    negative = only(close(october, customer, date(2026, 11, 1)))
    with expect_refusal(october, WrongState, field="invoice", says="is no debt: its total is SGD -43.60"):
        october.do(draft_note, crediting(october, negative))
    charge(october, customer, 50, tax="9", line_id="C-2")
    to(october, 12, 31)
    october.now += timedelta(days=1)
    close(october, customer, date(2026, 12, 1))
    refund(october, customer, "54.50", of="C-2")
    charge(october, customer, 100)
    to_next = date(2027, 1, 1)
    october.now += timedelta(days=31)
    mixed = only(close(october, customer, to_next))
    assert [line.net for line in lines(october, mixed)] == [money(100), money(-50)]
    with expect_refusal(october, MoreThanLeft, field="amount", says="At most SGD 45.50"):
        october.do(draft_note, crediting(october, mixed, money(46)))
    whole = october.do(draft_note, crediting(october, mixed)).note
    assert whole.total == mixed.total == money("45.50")
    october.do(approve_note, ApproveNote(note_id=whole.id), by=MANAGER)
    with expect_refusal(october, MoreThanLeft, field="invoice", says="credited already"):
        october.do(draft_note, crediting(october, mixed))
    october.check()


def crediting(world: World, invoice: Invoice, amount: Money | None = None) -> DraftNote:
    return DraftNote(
        customer_id=invoice.customer_id,
        issue_on=world.today,
        code=ReasonCode.DISCOUNT,
        reason="",
        invoice_id=invoice.id,
        amount=amount,
    )


def lines(world: World, invoice: Invoice) -> tuple[InvoiceLine, ...]:
    return world.store.read(lambda books: books.invoice_file(invoice.id)).lines


def test_a_month_of_exactly_nothing_waits_unless_its_tax_moves(october: World) -> None:
    """Lines of zero tell nobody anything and are carried over; one that shifts tax between rates is an invoice of 0."""
    customer = limited(october, 200, mode=Mode.POSTPAID)
    charge(october, customer, 10, line_id="C-1")
    refund(october, customer, 10, of="C-1")
    charge(october, customer, "0.003", line_id="C-2")
    to(october, 11, 1)
    with expect_refusal(october, WrongState, field="customer", says="goes on the next invoice"):
        close(october, customer)
    charge(october, customer, 100, tax="9", line_id="C-3")
    to(october, 12, 1)
    assert only(close(october, customer, date(2026, 11, 1))).total == money(109)
    refund(october, customer, 109, of="C-3")
    line = replace(used(109, october.today, line_id="C-4"), product="Fax")
    october.do(charge_usage, ChargeUsage(customer_id=customer.id, lines=(line,)))
    to(october, 12, 31)
    october.now += timedelta(days=1)
    nil = only(close(october, customer, date(2026, 12, 1)))
    assert (nil.net, nil.tax, nil.total, nil.open, nil.status) == (*map(money, (9, -9, 0, 0)), "paid")
    assert october.read_customer(customer).controls.unbilled == 0
    ties(october)


@pytest.mark.rule(101, 104)
def test_prepaid_usage_is_summed_up_and_only_what_is_open_of_it_moves(october: World) -> None:
    customer = limited(october, 100)
    october.pay(20, customer)
    charge(october, customer, "10.123456", tax="9", ago=2)
    charge(october, customer, "10.123456", tax="9", ago=1)
    end = date(2026, 10, 31)
    open_before = money("22.069134") - money(20)
    to(october, 11, 1)
    summary = only(close(october, customer))
    assert (summary.number, summary.net, summary.tax, summary.total) == (
        "INV-0001",
        *map(money, ("20.25", "1.82", "22.07")),
    )
    assert (summary.open, summary.settled_micros) == (money("2.07"), money(20).micros)
    assert debt(october, end) == [(0, open_before.micros, 0)]
    assert debt(october, date(2026, 11, 1)) == [micros("2.07", 0, 0)]
    revenue = ask_sql(october, "SELECT SUM(amount_micros) FROM posting WHERE account = 'revenue'")
    assert revenue == [(-money("20.246912").micros,)]
    rounded = ask_sql(october, "SELECT SUM(amount_micros) FROM posting WHERE account = 'rounding'")
    assert rounded == [((open_before - money("2.07")).micros,)]
    october.pay(5, customer)
    assert october.read_invoice(summary).status == "paid"
    assert october.read_customer(customer).balance == money("2.93")
    ties(october)


@pytest.mark.rule(101)
def test_a_summary_of_usage_that_was_paid_is_born_paid_and_posts_nothing(october: World) -> None:
    customer = october.customer(mode=Mode.PREPAID)
    october.pay(50, customer)
    charge(october, customer, "3.333333", tax="9")
    before = october.read_customer(customer)
    entries = ask_sql(october, "SELECT COUNT(*) FROM entry")
    to(october, 11, 1)
    summary = only(close(october, customer))
    assert (summary.total, summary.open, summary.status) == (money("3.63"), money(0), "paid")
    assert summary.settled_micros == money("3.63").micros
    assert october.read_customer(customer).controls == before.controls
    assert ask_sql(october, "SELECT COUNT(*) FROM entry") == entries
    to(october, 12, 1)
    with expect_refusal(october, WrongState, field="customer", says="up to 2026-11-30"):
        close(october, customer, date(2026, 11, 1))
    ties(october)


@pytest.mark.rule(64, 101)
def test_a_switch_in_mid_month_invoices_both_halves_as_they_were_charged(october: World) -> None:
    customer = limited(october, 100)
    october.pay(4, customer)
    charge(october, customer, 10, ago=5)
    october.do(switch_mode, SwitchMode(customer_id=customer.id, mode=Mode.POSTPAID, limit=money(100)), by=MANAGER)
    charge(october, customer, 30, ago=1)
    to(october, 11, 1)
    done = close(october, customer)
    invoice, summary = (each.invoice for each in done.made)
    assert (invoice.number, invoice.total, invoice.open) == ("INV-0001", money(30), money(30))
    assert (summary.number, summary.total, summary.open, summary.is_summary) == ("INV-0002", money(10), money(6), True)
    assert october.read_customer(customer).amount_due == money(36)
    ties(october)


def test_closing_the_same_month_again_answers_what_it_made_and_a_running_month_is_refused(october: World) -> None:
    customer = limited(october, 100, mode=Mode.POSTPAID)
    charge(october, customer, 40)
    with expect_refusal(october, DateInFuture, field="month", says="not over yet"):
        close(october, customer)
    to(october, 11, 1)
    first = close(october, customer)
    charge(october, customer, 5, line_id="C-2")
    assert close(october, customer) == first
    assert ask_sql(october, "SELECT COUNT(*) FROM invoice") == [(1,)]
    ties(october)


def test_what_a_summary_has_is_not_undone_and_no_day_of_it_changes(october: World) -> None:
    customer = limited(october, 100)
    to(october, 10, 31)
    charge(october, customer, 10)
    october.now = datetime(2026, 10, 31, 23, 58, tzinfo=UTC)
    paid = october.pay(4, customer)
    october.now = datetime(2026, 11, 1, 0, 1, tzinfo=UTC)
    assert only(close(october, customer)).open == money(6)
    with expect_refusal(october, NotUndoable, says="is on INV-0001 since"):
        october.do(undo, Undo(operation_id=paid.operation_id))
    with pytest.raises(Exception, match=r"a day of usage on a summary does not change"):
        change_day(october)
    late = october.do(
        charge_usage, ChargeUsage(customer_id=customer.id, lines=(used(1, date(2026, 10, 31), line_id="LATE"),))
    )
    assert late.charged == 1
    assert debt(october, date(2026, 10, 31)) == [micros(0, 6, 0)]
    ties(october)


def change_day(world: World) -> None:
    from sqlalchemy import text

    world.store.database.write(
        lambda connection: connection.execute(text("UPDATE usage_day SET open_micros = 1")), None
    )


def test_by_hand_a_prepaid_customer_gets_its_summary_up_to_yesterday(october: World) -> None:
    customer = limited(october, 100)
    charge(october, customer, 10, ago=1)
    charge(october, customer, 20)
    made = october.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=october.today)).invoice
    assert (made.total, made.open, made.usage_through) == (money(10), money(10), october.day(-1))
    with expect_refusal(october, WrongState, field="through", says="summed up from tomorrow on"):
        october.do(invoice_usage, InvoiceUsage(customer_id=customer.id, through=october.today))
    ties(october)


def test_a_closed_customer_has_what_it_used_summed_up(october: World) -> None:
    customer = october.customer(mode=Mode.PREPAID)
    october.pay(10, customer)
    charge(october, customer, 10)
    october.do(
        change_customer_state,
        ChangeCustomerState(customer_id=customer.id, version=1, state=CustomerState.CLOSED, reason="Ended"),
        by=MANAGER,
    )
    to(october, 11, 1)
    assert only(close(october, customer)).status == "paid"
    ties(october)


@pytest.mark.parametrize(
    ("day", "before", "last"),
    [
        (date(2026, 11, 1), date(2026, 10, 1), date(2026, 10, 31)),
        (date(2027, 1, 31), date(2026, 12, 1), date(2026, 12, 31)),
        (date(2028, 3, 1), date(2028, 2, 1), date(2028, 2, 29)),
    ],
)
def test_the_month_before_a_day_and_its_end(day: date, before: date, last: date) -> None:
    assert (month_before(day), last_day(month_before(day))) == (before, last)


@pytest.mark.rule(109, 110, 111)
def test_usable_and_balance_of_a_postpaid_customer_through_a_month_end(october: World) -> None:
    customer = limited(october, 100, mode=Mode.POSTPAID)
    seen: list[Sequence[Money]] = []

    def look() -> None:
        now = october.read_customer(customer)
        seen.append((now.balance, now.amount_due, now.usable(october.now)))

    charge(october, customer, 30)
    look()
    to(october, 11, 1)
    close(october, customer)
    look()
    october.pay(50, customer)
    charge(october, customer, 10)
    look()
    assert seen == [
        (money(-30), money(0), money(70)),
        (money(-30), money(30), money(100)),
        (money(10), money(-20), money(110)),
    ]
    ties(october)
