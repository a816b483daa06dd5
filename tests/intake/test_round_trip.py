"""What export writes, import reads back: names of any kind, open items, totals."""

import csv
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bot.documents.inert import neutralise, restore
from bot.domain.customers import Contact, Mode, NewCustomer, new_customer
from bot.domain.receivables import AgeingQuestion
from bot.domain.settings import ChangeSetting, change_setting
from bot.intake.export import export
from bot.storage.reports import SqlReadBooks
from tests.domain.expect import ask_sql
from tests.intake.files import bring_customers, open_books
from tests.world import OWNER, SGD, World

HOSTILE = (
    "=1+1",
    '=HYPERLINK("http://evil.example","pay")',
    "+6591234567",
    "-2+3",
    "@SUM(A1)",
    "'leading",
    "''twice",
    "'=1+1",
    'He said "no", twice; and\ttabbed',
    "two\nlines",
    "\u202eright to left\u202c عربية",
    "👩‍👩‍👧‍👦 e\u0301 ไทย 日本語",
    "_x000D_ <b>&amp;</b>",
    "%s {0} \\n",
    "1e5",
    "007",
    "TRUE",
    "2026-11-03",
)
Worlds = Callable[[], AbstractContextManager[World]]


@pytest.mark.parametrize("text", [*HOSTILE, "", " =x", "\t=x", "\r\n", "plain"])
def test_a_neutral_text_comes_back_and_begins_like_no_formula(text: str) -> None:
    tame = neutralise(text)
    assert restore(tame) == text
    assert not tame.lstrip().startswith(("=", "+", "-", "@"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def hostile_book(world: World) -> None:
    """Customers, invoices and payments whose every text is hostile."""
    for number, name in enumerate(HOSTILE):
        contacts = tuple(Contact(name=each, email="a@b.example", phone=name) for each in (name, "second"))
        command = NewCustomer(
            code=f"C{number:02}",
            name=name,
            currency=SGD,
            mode=Mode.PREPAID,
            billing_name=name,
            contacts=contacts if number % 2 else contacts[:1],
        )
        customer = world.do(new_customer, command).customer
        invoice = world.invoice(customer, 100 + number, issued=-60 + number, due=-30 + number, auto=False)
        world.pay(7, customer, to=((invoice, 3),), reference=name)


def as_written(world: World) -> dict[str, object]:
    def read(books: SqlReadBooks) -> dict[str, object]:
        found: dict[str, object] = {}
        for customer in books.find_customers("", 100):
            file = books.customer_file(customer.id, world.today)
            terms = (customer.name, customer.billing_name, customer.uuid, customer.wallet_id, file.contacts)
            found[customer.code] = (*terms, customer.controls)
        return found

    return world.store.read(read)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_exported_book_opens_another_with_every_name_and_figure_as_it_was(
    worlds: Worlds, tmp_path: Path, kind: str
) -> None:
    with worlds() as first, worlds() as second:
        hostile_book(first)
        counts = export(first.desk, tmp_path / "out", kind=kind)
        assert counts["customers"] == len(HOSTILE)
        assert counts["entries"] == ask_sql(first, "SELECT COUNT(*) FROM posting")[0][0]
        for series in ("invoice_series", "payment_series"):
            second.do(change_setting, ChangeSetting(name=series, value=f"N{series[0]}-:4"), by=OWNER)
        control = tmp_path / "out" / "opening" / f"control.{kind}"
        done = open_books(second, tmp_path / "out" / "opening", as_of=second.today, control=control)
        assert done.faults == []
        assert as_written(second) == as_written(first)
        question = AgeingQuestion(as_of=first.today)
        aged = [
            [
                (row.code, row.buckets_micros, row.unapplied_micros)
                for row in world.store.read(lambda books: books.ageing(question)).rows
            ]
            for world in (first, second)
        ]
        assert aged[0] == aged[1]
        known = bring_customers(second, tmp_path / "out" / f"customers.{kind}")
        assert known.said == [f"{len(HOSTILE)} lines: all of them are in the book already. Nothing was changed."]
        references = "SELECT reference, payer FROM payment ORDER BY number"
        assert ask_sql(second, references) == ask_sql(first, references)
        second.check()


def test_no_cell_of_an_exported_csv_is_a_formula_and_the_journal_adds_up(world: World, tmp_path: Path) -> None:
    hostile_book(world)
    export(world.desk, tmp_path / "out")
    files = sorted((tmp_path / "out").rglob("*.csv"))
    assert len(files) == 12
    for path in files:
        for row in rows_of(path):
            for name, cell in row.items():
                if cell.lstrip().startswith(("=", "+", "-", "@")):
                    assert name == "amount"
                    float(cell)
    journal = rows_of(tmp_path / "out" / "entries.csv")
    assert sum(round(float(row["amount"]) * 1_000_000) for row in journal) == 0
