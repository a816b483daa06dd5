"""Tables that fit a phone: what matters comes first, what is empty everywhere is left out, what is cut is counted."""

from datetime import date, timedelta

import pytest

from bot.domain.money import Money, currency
from bot.domain.receivables import Ageing, AgeingDetail, AgeingQuestion, AgeingRow, add_up
from bot.domain.settings import Settings
from bot.handlers.blocks.receivables import ageing_blocks, ageing_text, detail_blocks
from bot.handlers.blocks.text import WIDTH, fitted
from sandbox.client import shown
from tests.slack import Slack

AS_OF = date(2026, 11, 23)
UNIT = 1_000_000


def a_row(
    serial: int = 1,
    *,
    of: str = "SGD",
    buckets: tuple[int, ...] = (0, 0, 0, 0, 0),
    prepaid: int = 0,
    unapplied: int = 0,
) -> AgeingRow:
    return AgeingRow(
        serial,
        f"C{serial}",
        f"Customer with a long name {serial}",
        currency(of),
        tuple(each * UNIT for each in buckets),
        prepaid * UNIT,
        unapplied * UNIT,
    )


def a_report(*rows: AgeingRow) -> Ageing:
    question = AgeingQuestion(as_of=AS_OF)
    return Ageing(question=question, rows=rows, totals=add_up(rows, {}, question.edges))


def a_detail(serial: int, units: int = 10) -> AgeingDetail:
    day = AS_OF - timedelta(days=40)
    worth = Money(units * UNIT, currency("SGD"))
    return AgeingDetail(
        customer_id=1,
        invoice_id=serial,
        number=f"INV-{serial:04}",
        issue_on=day - timedelta(days=10),
        due_on=day,
        total=worth,
        open=worth,
        days_late=40,
        bucket=2,
    )


def lines_of(block_id: str, blocks: list[dict[str, object]]) -> list[str]:
    return shown({"blocks": [each for each in blocks if each["block_id"] == block_id]}).splitlines()


@pytest.mark.rule(82)
def test_ageing_puts_the_total_first_and_leaves_out_what_is_empty_everywhere() -> None:
    report = a_report(a_row(1, buckets=(0, 0, 250, 0, 700)), a_row(2, buckets=(5, 0, 0, 0, 0)))
    heading, first, *_, total = lines_of("ageing_0", ageing_blocks(report, Settings()))
    assert heading.split() == ["SGD", "total", "current", "31-60", "over", "90"]
    assert first.split()[-4:] == ["950.00", "–", "250.00", "700.00"]
    assert total.split() == ["Total", "955.00", "5.00", "250.00", "700.00"]


@pytest.mark.rule(82)
def test_ageing_of_large_debts_in_four_columns_fits_a_phone() -> None:
    report = a_report(a_row(1, buckets=(1_000_000, 250_000, 90_000, 0, 0)))
    shown_lines = lines_of("ageing_0", ageing_blocks(report, Settings()))
    assert max(map(len, shown_lines)) <= WIDTH


def test_slacks_own_table_has_the_same_columns() -> None:
    report = a_report(a_row(1, buckets=(0, 0, 250, 0, 0), unapplied=3))
    made = next(each for each in ageing_blocks(report, Settings(), as_table=True) if each["type"] == "table")
    assert [[cell["text"] for cell in row] for row in made["rows"]] == [
        ["SGD", "total", "31-60", "unapplied"],
        ["Customer with a long name 1", "250.00", "250.00", "3.00"],
        ["Total", "250.00", "250.00", "3.00"],
    ]
    assert len(made["column_settings"]) == 4


@pytest.mark.rule(83)
def test_invoices_without_room_are_added_up_under_the_table() -> None:
    report = a_report(a_row(1, buckets=(0, 0, 600, 0, 0), prepaid=7, unapplied=3))
    blocks = detail_blocks(report, [a_detail(serial) for serial in range(1, 51)], Settings())
    assert lines_of("details", blocks)[1].split() == [
        *("INV-0001", "10.00", "14", "Oct", "26", "40", "31-60", "4", "Oct", "26")
    ]
    others = "40 invoices shown; the others add up to SGD 200.00"
    said = f"prepaid debt SGD 7.00 · {others} · unapplied credit SGD 3.00, not netted"
    assert lines_of("below", blocks) == [said]


def test_all_invoices_shown_need_no_word_on_others() -> None:
    blocks = detail_blocks(a_report(a_row(1, buckets=(0, 0, 10, 0, 0))), [a_detail(1)], Settings())
    assert "others" not in shown({"blocks": blocks})


def test_currencies_without_room_are_named_with_their_sums() -> None:
    codes = ["AUD", "CAD", "CHF", "EUR", "GBP", "HKD", "JPY", "MYR", "SGD", "USD"]
    rows = [a_row(serial, of=code, buckets=(serial, 0, 0, 0, 0)) for serial, code in enumerate(codes, 1)]
    blocks = ageing_blocks(a_report(*rows), Settings())
    said = "and 2 more currencies: SGD 9.00, USD 10.00; `/aging currency SGD` shows one"
    assert lines_of("other_currencies", blocks) == [said]


def test_one_is_counted_as_one() -> None:
    report = a_report(*(a_row(serial, buckets=(1, 0, 0, 0, 0)) for serial in range(21)))
    assert "1 smaller one is in the total" in shown({"blocks": ageing_blocks(report, Settings())})
    assert ageing_text(a_report(a_row(buckets=(1, 0, 0, 0, 0))), Settings()).endswith("from 1 customer")


def test_a_name_gives_way_until_the_line_fits() -> None:
    figures = ["1,090,000.00", "90,000.00", "1,000,000.00", "1,000.00", "99.00"]
    headings = ["SGD", "total", "current", "1-30", "31-60", "over 90"]
    made = fitted([["A customer with a long name", *figures]], headings, ["left", *["right"] * 5], named=0).splitlines()
    assert {len(line) for line in made} <= set(range(WIDTH + 1))
    assert made[1].startswith("A customer w")
    assert "…" in made[1]


@pytest.mark.rule(13)
def test_the_lists_of_invoices_and_payments_fit_with_the_amounts_before_the_days(slack: Slack) -> None:
    acme = slack.world.customer(name="A customer with a very long name indeed")
    paid = slack.world.invoice(acme, 1_200, auto=False)
    slack.world.invoice(acme, 50, auto=False)
    slack.world.pay(900, acme, to=((paid, None),))
    for listed, headings in (
        ("/invoice list", ["invoice", "customer", "total", "open", "state", "due", "issued"]),
        ("/payment list", ["number", "customer", "amount", "left", "received"]),
    ):
        lines = slack.type(listed).splitlines()
        place = next(index for index, line in enumerate(lines) if line.split() == headings)
        assert max(map(len, lines[place:])) <= WIDTH, listed
    assert "partly" in slack.type("/invoice list")
    assert "1 payment, newest first" in slack.clerk.ephemerals("finance")[-2]["text"]
