"""Hostile text in a CSV cell: nothing computes, and nothing is lost on the way there and back."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents.inert import neutralise, restore

COMPUTED = "=+-@|%＝＋－＠\t\r\n"
HOSTILE = [
    "=1+1",
    "@SUM(A1:A9)",
    "+1",
    "-1",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u200e=1",
    "\u202e=1",
    "\ufeff=1",
    "'=1",
    "''=1",
    "' =1",
    "＝1+1",
    "|calc",
    "%0A",
    '=HYPERLINK("http://example.com")',
]
HARMLESS = [
    "",
    "Acme",
    "'t Hooft",
    "'",
    "''",
    "O'Neil",
    'say "yes"',
    "two\nlines",
    "שלום",
    "🙂",
    "a=1",
    "1-2",
    "x" * 5000,
]
texts = st.one_of(
    st.text(alphabet=st.sampled_from("'=+-@ \t\r\n\u200eA1\",;")),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_would_compute_is_led_by_an_apostrophe(text: str) -> None:
    assert neutralise(text) == f"'{text}"
    assert restore(neutralise(text)) == text


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == text
    assert restore(text) == text


@given(texts)
def test_every_text_comes_back_unchanged(text: str) -> None:
    assert restore(neutralise(text)) == text


@given(texts)
def test_nothing_that_is_written_begins_like_a_formula(text: str) -> None:
    assert not neutralise(text).lstrip(" \t\r\n\u200e").startswith(tuple(COMPUTED))


@given(texts, texts)
def test_two_texts_never_look_the_same(one: str, other: str) -> None:
    assert (neutralise(one) == neutralise(other)) == (one == other)


@given(st.lists(texts, min_size=1))
def test_a_row_survives_a_csv_file(row: list[str]) -> None:
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\r\n").writerow([neutralise(each) for each in row])
    (read,) = csv.reader(io.StringIO(made.getvalue(), newline=""))
    assert [restore(each) for each in read] == row
