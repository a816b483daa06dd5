"""Taking over an existing book: right to the cent, whole or not at all, and taken back to the cent."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.allocation import Portion
from bot.domain.customers import Mode
from bot.domain.errors import DateTooEarly, NoAccess, NotFound, Refused, SettingRefused, WrongState
from bot.domain.opening import TakeBackOpening, take_back_opening
from bot.domain.payments import (
    AllocatePayment,
    UnassignPayment,
    VoidPayment,
    allocate_payment,
    unassign_payment,
    void_payment,
)
from bot.domain.receivables import AgeingQuestion
from bot.domain.settings import ChangeSetting, change_setting
from bot.intake.take_back import take_back
from tests.domain.expect import ask_sql, everything, expect_refusal
from tests.intake.files import AS_OF, CONTROL, CUSTOMERS, INVOICES, PAYMENTS, open_books, write_files
from tests.world import OWNER, World, money

BALANCES = """SELECT p.account, p.detail, p.customer_id, e.currency, e.effective_on, SUM(p.amount_micros)
    FROM posting p JOIN entry e ON e.id = p.entry_id
    GROUP BY p.account, p.detail, p.customer_id, e.currency, e.effective_on HAVING SUM(p.amount_micros) <> 0"""
CONTROLS = """SELECT code, deposits_micros, receivable_micros, limit_micros FROM customer
    WHERE receivable_micros <> 0 OR deposits_micros <> 0 OR limit_micros <> 0"""


@pytest.fixture
def books(world: World) -> World:
    world.keep("JPY")
    return world


def balances(world: World) -> tuple[list[str], list[str]]:
    """Every balance on every day, and what stands beside the customers."""
    return sorted(map(repr, ask_sql(world, BALANCES))), sorted(map(repr, ask_sql(world, CONTROLS)))


def buckets(world: World, day: date) -> dict[str, Any]:
    report = world.store.read(lambda books: books.ageing(AgeingQuestion(as_of=day)))
    return {row.code: (row.buckets_micros, row.unapplied_micros) for row in report.rows}


def expected(day: date, invoices: Sequence[str]) -> dict[str, list[int]]:
    """Buckets by due date, read from the file with nothing of ours."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    for line in invoices:
        _, code, _, due, amount, *_ = line.split(",")
        late = (day - date.fromisoformat(due)).days
        found[code][0 if late <= 0 else min(4, (late + 29) // 30)] += round(float(amount) * 1_000_000)
    return found


@pytest.mark.rules(79, 80, 81, 82, 84)
def test_an_opening_ages_by_its_original_due_dates_from_its_day_on(books: World, tmp_path: Path) -> None:
    done = open_books(books, write_files(tmp_path / "old"))
    assert done.faults == []
    assert "SGD" in done.text
    assert "1,200.50" in done.text
    assert done.said[-1].startswith(
        "old is taken over as of 2026-10-31: 3 customers, 3 invoices, 1 payments, 1 balances"
    )
    for day in (AS_OF, AS_OF + timedelta(days=10), books.today):
        aged = buckets(books, day)
        for code, amounts in expected(day, INVOICES.splitlines()[1:]).items():
            assert list(aged[code][0]) == amounts, (day, code)
        assert aged["ACME"][1] == money("150.25").micros
        assert aged["BETA"] == ((0,) * 5, money("75.10").micros)
    assert buckets(books, AS_OF - timedelta(days=1)) == {}
    books.check()


def test_only_opening_balances_stands_against_it(books: World, tmp_path: Path) -> None:
    open_books(books, write_files(tmp_path / "old"))
    found = ask_sql(
        books,
        "SELECT e.currency, p.account, SUM(p.amount_micros) FROM posting p JOIN entry e ON e.id = p.entry_id"
        " WHERE e.effective_on = :day GROUP BY e.currency, p.account ORDER BY 1, 2",
        day=AS_OF.isoformat() if books.store.database.dialect == "sqlite" else AS_OF,
    )
    assert [(code, account, int(amount)) for code, account, amount in found] == [
        ("JPY", "opening_balances", -90_000_000_000),
        ("JPY", "receivable", 90_000_000_000),
        ("SGD", "deposits", -225_350_000),
        ("SGD", "opening_balances", -975_150_000),
        ("SGD", "receivable", 1_200_500_000),
    ]
    limits = ask_sql(books, "SELECT limit_micros FROM customer WHERE code = 'ACME'")
    assert limits == [(5_000_000_000,)]


def test_an_opening_invoice_is_paid_and_an_opening_payment_allocated_like_any_other(
    books: World, tmp_path: Path
) -> None:
    open_books(books, write_files(tmp_path / "old"))
    acme = books.store.read(lambda reads: reads.find_customers("ACME")[0])
    first, second = books.store.read(lambda reads: (reads.invoice("OLD-1"), reads.invoice("OLD-2")))
    opening = books.store.read(lambda reads: reads.payment("OLDPAY-1"))
    assert first is not None
    assert second is not None
    assert opening is not None
    allocated = books.do(
        allocate_payment,
        AllocatePayment(payment_id=opening.id, portions=(Portion(invoice_id=second.id, amount=money("150.25")),)),
    )
    assert allocated.left == money(0)
    paid = books.pay("1000.50", acme, to=((first, "1000.50"),))
    assert paid.payment.number == "PAY-0001"
    assert books.read_invoice(first).status == "paid"
    assert books.read_invoice(second).open == money("49.75")
    assert books.invoice(acme, 10).number == "INV-0001"
    books.check()


def test_an_opening_payment_that_is_un_assigned_and_voided_never_was_our_cash(books: World, tmp_path: Path) -> None:
    open_books(books, write_files(tmp_path / "old"))
    opening = books.store.read(lambda reads: reads.payment("OLDPAY-1"))
    assert opening is not None
    books.do(unassign_payment, UnassignPayment(payment_id=opening.id))
    books.check()
    books.do(void_payment, VoidPayment(payment_id=opening.id, reason="was returned"))
    assert ask_sql(books, "SELECT COUNT(*) FROM posting WHERE account = 'cash'") == [(0,)]
    books.check()


def test_the_same_opening_again_changes_nothing_and_says_so(books: World, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "old")
    open_books(books, folder)
    before = everything(books)
    again = open_books(books, folder)
    assert again.faults == []
    assert again.said[-1] == "old was taken over already, as of 2026-10-31. Nothing was changed."
    assert everything(books) == before


def test_a_dry_run_shows_the_totals_and_writes_nothing(books: World, tmp_path: Path) -> None:
    before = everything(books)
    done = open_books(books, write_files(tmp_path / "old", control=""), dry_run=True)
    assert done.faults == []
    assert "1,000.50" in done.text
    assert "dry run" in done.said[-1]
    assert everything(books) == before


def test_taken_back_whole_every_balance_of_every_day_is_as_before_and_it_can_come_again(
    books: World, tmp_path: Path
) -> None:
    beta = books.customer("BETA", name="Beta, Sons", mode=Mode.PREPAID)
    books.invoice(beta, 20, issued=-40)
    books.pay(5, beta, received=-3)
    before = balances(books)
    aged = [buckets(books, books.day(-back)) for back in (0, 10, 23, 24)]
    folder = write_files(tmp_path / "old")
    assert open_books(books, folder).faults == []
    assert balances(books) != before
    shown = everything(books)
    said = take_back(books.desk, "old", dry_run=True)
    assert "dry run" in said
    assert everything(books) == shown
    said = take_back(books.desk, "old", dry_run=False)
    assert said == "old: 5 documents taken back; 3 customers, dated 2026-10-31."
    assert balances(books) == before
    assert [buckets(books, books.day(-back)) for back in (0, 10, 23, 24)] == aged
    books.check()
    with pytest.raises(NotFound, match="no opening old to take back"):
        take_back(books.desk, "old", dry_run=False)
    corrected = write_files(
        folder, invoices=INVOICES.replace("1000.50", "900.50"), control=CONTROL.replace("1200.50", "1100.50")
    )
    assert open_books(books, corrected).faults == []
    first = books.store.read(lambda reads: reads.invoice("OLD-1"))
    assert first is not None
    assert first.open == money("900.50")
    books.check()
    take_back(books.desk, "old", dry_run=False)
    assert balances(books) == before
    books.check()


def test_what_refers_to_an_opening_is_named_and_it_stays(books: World, tmp_path: Path) -> None:
    open_books(books, write_files(tmp_path / "old"))
    acme = books.store.read(lambda reads: reads.find_customers("ACME")[0])
    first = books.store.read(lambda reads: reads.invoice("OLD-2"))
    assert first is not None
    books.pay(3, acme, to=((first, 3),))
    before = everything(books)
    with pytest.raises(WrongState) as caught:
        take_back(books.desk, "old", dry_run=False)
    assert "invoice OLD-2 is or was paid by PAY-0001" in caught.value.sentence
    assert "OLDPAY-1" in caught.value.sentence, "its credit paid by itself when the payment came"
    assert everything(books) == before


def test_an_opening_in_a_period_locked_since_stays(books: World, tmp_path: Path) -> None:
    open_books(books, write_files(tmp_path / "old"))
    books.do(change_setting, ChangeSetting(name="hard_lock", value="2026-10-31"), by=OWNER)
    with pytest.raises(DateTooEarly, match="locked since"):
        take_back(books.desk, "old", dry_run=False)
    with pytest.raises(Refused, match="first open day is 2026-11-01"):
        open_books(books, write_files(tmp_path / "other"), name="other")


def test_nobody_in_slack_takes_an_opening_back(books: World) -> None:
    with pytest.raises(NoAccess):
        books.do(take_back_opening, TakeBackOpening(intake_id=1), by=OWNER)
    assert ask_sql(books, "SELECT COUNT(*) FROM intake") == [(0,)]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (
            {"control": CONTROL.replace("1200.50", "1200.51")},
            "line 2, column receivables: the other system has SGD 1,200.51, the files come to SGD 1,200.50",
        ),
        ({"control": CONTROL.replace("150.25", "0")}, "control.csv, line 2, column unapplied:"),
        ({"control": CONTROL.replace("75.10", "75.09")}, "control.csv, line 2, column wallet:"),
        ({"control": CONTROL.splitlines()[0] + "\nSGD,1200.50,150.25,75.10\n"}, "column currency: JPY is missing"),
        ({"control": ""}, "control.csv, line 1: give the totals of the other system"),
        ({"invoices": INVOICES.replace("OLD-2,ACME", "OLD-2,NOBODY")}, "invoices.csv, line 3, column customer:"),
        ({"invoices": INVOICES.replace("OLD-2,", "old-1,")}, "line 3, column number: OLD-1 stands in line 2 already"),
        ({"invoices": INVOICES.replace("OLD-2,", "INV-2,")}, "line 3, column number: INV-2 looks like a number"),
        ({"invoices": INVOICES.replace("2026-09-20", "2026-11-01")}, "line 3, column issued: 2026-11-01 lies after"),
        ({"invoices": INVOICES.replace("2026-10-20", "2026-09-19")}, "line 3, column due: 2026-09-19 lies before the"),
        ({"invoices": INVOICES.replace("90000", "90000.5")}, "line 4, column open: JPY amounts have at most 0"),
        ({"payments": PAYMENTS.replace("2026-10-05", "2026-11-05")}, "payments.csv, line 2, column received:"),
        ({"balances": "customer,amount\nBETA,-5\n"}, "balances.csv, line 2, column amount: the amount is negative"),
        ({"balances": "customer,amount,currency\nBETA,5,JPY\n"}, "column currency: the customer is kept in SGD"),
        ({"customers": CUSTOMERS.replace("Gamma KK,JPY", "Gamma KK,XXX")}, "customers.csv, line 4, column currency:"),
    ],
)  # fmt: skip
def test_one_fault_stops_all_of_it(books: World, tmp_path: Path, changed: dict[str, str], says: str) -> None:
    before = everything(books)
    done = open_books(books, write_files(tmp_path / "old", **changed))
    assert any(says in each for each in done.faults), done.faults
    assert done.faults[-1].endswith("nothing was written.")
    assert everything(books) == before


def test_a_changed_file_of_an_opening_names_both(books: World, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "old")
    open_books(books, folder)
    before = everything(books)
    changed = write_files(folder, invoices=INVOICES.replace("1000.50", "1000.60"))
    done = open_books(books, changed)
    assert (
        "invoices.csv, line 2, column number: OLD-1 is SGD 1,000.50 of ACME, issued 2026-07-01, due 2026-07-31 in the"
        " book and SGD 1,000.60 of ACME, issued 2026-07-01, due 2026-07-31 here." in done.faults
    )
    assert any("old was taken over with other content as of 2026-10-31" in each for each in done.faults)
    other = open_books(books, write_files(tmp_path / "same"), name="second")
    assert any(
        "OLD-1 is in the book already" in each and "did not come with this opening" in each for each in other.faults
    )
    assert everything(books) == before


def test_a_series_does_not_run_into_numbers_that_were_imported(books: World, tmp_path: Path) -> None:
    open_books(books, write_files(tmp_path / "old"))
    with expect_refusal(books, SettingRefused, field="value", says="Imported documents are numbered OLD- already"):
        books.do(change_setting, ChangeSetting(name="invoice_series", value="OLD-:1"), by=OWNER)
    take_back(books.desk, "old", dry_run=False)
    books.do(change_setting, ChangeSetting(name="invoice_series", value="OLD-:1"), by=OWNER)
    books.check()
