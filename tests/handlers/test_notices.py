"""Bank notifications as data: each value is read right or asked back, none is wrong; no text breaks the parser."""

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.handlers.parse.notice import LONGEST_READ, Notice, Reading, read_notice
from bot.handlers.parse.notice_dates import Posted
from bot.handlers.parse.notice_money import Book

ASKED = "asked"
DAY = date(2026, 11, 23)
BOOK = Book("en", ("SGD", "USD", "EUR", "GBP"))
CASES: list[dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "notices.yaml").read_text(encoding="utf-8")
)
FIELDS: dict[str, tuple[Callable[[Notice], Reading[Any]], Callable[[Any], Any]]] = {
    "payer": (lambda notice: notice.payer, str),
    "amount": (lambda notice: notice.amount, lambda value: value),
    "currency": (lambda notice: notice.currency, lambda value: value.code),
    "reference": (lambda notice: notice.reference, str),
    "invoices": (lambda notice: notice.invoices, list),
    "date": (lambda notice: notice.day, lambda value: value),
}
LEAST_WHOLE = 190  # read in every field as an accountant would, of those that tell of one payment


def read(case: dict[str, Any]) -> Notice:
    book = Book(case.get("locale", "en"), tuple(case.get("book", "SGD USD EUR GBP").split()))
    return read_notice(case["text"], book=book, posted=Posted(case.get("posted", DAY)))


def expected(case: dict[str, Any], name: str) -> Any:
    value = case.get(name)
    if value is None or value == ASKED:
        return None
    return Decimal(value) if name == "amount" else date.fromisoformat(str(value)) if name == "date" else value


def values(notice: Notice) -> dict[str, Any]:
    found = {name: field(notice).value for name, (field, _) in FIELDS.items()}
    return {name: FIELDS[name][1](value) for name, value in found.items() if value is not None}


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_a_notification_is_read_right_or_asked_back(case: dict[str, Any]) -> None:
    notice = read(case)
    if "nothing" in case:
        assert notice.nothing
    for name, value in values(notice).items():
        assert (name, value) == (name, expected(case, name))
    if notice.amount.value is None or notice.currency.value is None:
        assert values(notice).keys().isdisjoint({"amount", "currency"})  # one says nothing without the other
        assert notice.nothing or notice.amount.asked


def test_most_are_read_whole() -> None:
    """Two hundred and more; what is asked of a field that the message does not have costs a glance, no mistake."""
    of_one_payment = [case for case in CASES if "nothing" not in case]
    whole = [
        case
        for case in of_one_payment
        if not read(case).nothing
        and values(read(case)) == {n: expected(case, n) for n in FIELDS if expected(case, n) is not None}
    ]
    assert len(CASES) >= 200
    assert len(of_one_payment) >= 200
    assert len(whole) >= LEAST_WHOLE


def test_what_is_read_shows_the_words_it_came_from() -> None:
    for case in CASES:
        notice = read(case)
        for name, (field, _) in FIELDS.items():
            reading = field(notice)
            assert reading.source in case["text"], name
            assert bool(reading.source) or reading.value is None, name


PIECES = st.sampled_from(
    [
        "SGD 500.00",
        "INV-0042",
        "from",
        "Acme Pte Ltd",
        "received",
        "ref",
        ":",
        "\n",
        ".",
        ",",
        "1.234,50",
        "23/11/2026",
        "$",
        "*",
        "(",
        ")",
        "-",
        "٣",
        "５００",
        "DR",
        "bal",
        "and",
        "x",
        "=",
        "\t",
    ]
)


@given(
    st.one_of(
        st.text(max_size=300), st.lists(PIECES, max_size=60).map(" ".join), st.lists(PIECES, max_size=60).map("".join)
    )
)
def test_no_text_breaks_the_parser_and_each_source_is_a_piece_of_it(text: str) -> None:
    notice = read_notice(text, book=BOOK, posted=Posted(DAY))
    for field, _ in FIELDS.values():
        assert field(notice).source in text
    assert (notice.amount.value is None) == (notice.currency.value is None)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "1",
        "1 ",
        ".",
        "A ",
        "(",
        "from ",
        "SGD ",
        "INV-1 ",
        "ref ",
        "\n",
        "x",
        "1,",
        "Acme Pte Ltd ",
        "*",
        ": ",
        "paid ",
    ],
)
def test_no_text_takes_the_parser_long(piece: str) -> None:
    """Twice the text takes about twice the time: no pattern goes back over what it read again and again."""

    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        times = []
        for _ in range(3):
            begun = time.thread_time()
            read_notice(text, book=BOOK, posted=Posted(DAY))
            times.append(time.thread_time() - begun)
        return min(times)

    short, long = seconds(LONGEST_READ // 4), seconds(LONGEST_READ)
    assert long < 16 * short + 0.05


def test_a_message_that_is_too_long_is_not_read_in_part() -> None:
    notice = read_notice("SGD 500.00 from Acme\n" * 400, book=BOOK, posted=Posted(DAY))
    assert "too long" in notice.nothing
    assert values(notice) == {}
