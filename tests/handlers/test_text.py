"""What people read: exact money in the locale's marks, text that stays literal, cuts that tear nothing."""

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.money import LARGEST_MICROS, Money, currency
from bot.domain.settings import LOCALES
from bot.handlers.blocks.text import (
    END,
    ISOLATE,
    amount,
    balance,
    bidi_safe,
    change,
    date_text,
    escape,
    money,
    plain,
    shorten,
    signed,
    table,
    when,
)


def of(number: str, code: str = "SGD") -> Money:
    return Money.parse(number, currency(code))


@pytest.mark.rule(112)
@pytest.mark.parametrize(
    ("number", "code", "locale", "shown"),
    [
        ("1234.5", "SGD", "en", "SGD 1,234.50"),
        ("1234.5", "EUR", "de", "EUR 1.234,50"),
        ("1234.5", "EUR", "fr", "EUR 1\u202f234,50"),
        ("1234567.8", "CHF", "de-CH", "CHF 1’234’567.80"),
        ("1234567.8", "CHF", "de_CH", "CHF 1’234’567.80"),
        ("1234", "JPY", "en", "JPY 1,234"),
        ("1234.5", "KWD", "en", "KWD 1,234.500"),
        ("65.979991", "SGD", "en", "SGD 65.979991"),
        ("0.2054", "SGD", "en", "SGD 0.2054"),
        ("0.500001", "JPY", "en", "JPY 0.500001"),
        ("0.5", "JPY", "en", "JPY 0.5"),
        ("-5", "SGD", "en", "SGD −5.00"),
        ("0", "SGD", "en", "SGD 0.00"),
        ("0.000001", "SGD", "de", "SGD 0,000001"),
    ],
)
def test_money_is_shown_with_minor_digits_and_up_to_six_where_a_wallet_has_them(
    number: str, code: str, locale: str, shown: str
) -> None:
    assert money(of(number, code), locale) == shown
    assert amount(of(number, code), locale) == shown[4:]


@pytest.mark.rule(113)
def test_a_balance_carries_cr_for_credit_and_dr_for_debt() -> None:
    assert balance(of("120")) == "120.00 CR"
    assert balance(of("-120")) == "120.00 DR"
    assert balance(of("0")) == "0.00"
    assert balance(of("-1610.81544")) == "1,610.81544 DR"
    assert balance(of("-1234.5"), "de") == "1.234,50 DR"


@pytest.mark.rule(113)
def test_a_change_names_both_sides_or_says_that_nothing_changed() -> None:
    assert change(of("-620"), of("-120")) == "620.00 DR → 120.00 DR"
    assert change(of("-20"), of("30")) == "20.00 DR → 30.00 CR"
    assert change(of("91.33"), of("91.33")) == "91.33 CR (unchanged)"


def test_a_movement_is_signed_with_a_real_minus() -> None:
    assert signed(of("1310")) == "+1,310.00"
    assert signed(of("-4900")) == "−4,900.00"
    assert signed(of("0")) == "0.00"
    assert signed(of("-4900.5"), "de") == "−4.900,50"


@pytest.mark.rule(112)
@given(micros=st.integers(-LARGEST_MICROS, LARGEST_MICROS), locale=st.sampled_from(LOCALES))
def test_no_micro_is_lost_or_added_when_money_is_shown(micros: int, locale: str) -> None:
    shown = amount(Money(micros, currency("SGD")), locale).replace("−", "-")
    whole, fraction = re.fullmatch(r"(.*)\D(\d{2,6})", shown, re.DOTALL).groups()  # type: ignore[union-attr]
    number = Decimal(f"{re.sub(r'[^-0-9]', '', whole)}.{fraction}")
    assert number == Decimal(micros).scaleb(-6)
    assert len(fraction) == 2 or not fraction.endswith("0")


@given(text=st.text())
def test_escaped_text_has_no_live_markup_and_reads_as_it_was(text: str) -> None:
    made = escape(text)
    assert "<" not in made
    assert ">" not in made
    assert not re.search(r"&(?!amp;|lt;|gt;)", made)
    assert made.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


def test_the_three_characters_are_escaped_once() -> None:
    assert escape("<!channel> & co") == "&lt;!channel&gt; &amp; co"
    assert unescape(escape("&amp;")) == "&amp;"


@pytest.mark.parametrize(
    ("text", "limit", "cut"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdef", 4, "abc…"),
        ("abcdef", 1, "…"),
        ("abcdef", 0, ""),
        ("", 0, ""),
        ("abe\u0301xyz", 4, "ab…"),
        ("a👨\u200d👩\u200d👧xyz", 4, "a…"),
        ("a👍🏽xyz", 3, "a…"),
        ("a❤\ufe0fxyz", 3, "a…"),
        ("🇸🇬🇩🇪xyz", 4, "🇸🇬…"),
        ("🇸🇬🇩🇪xyz", 5, "🇸🇬🇩🇪…"),
    ],
)
def test_text_is_cut_before_what_would_be_torn(text: str, limit: int, cut: str) -> None:
    assert shorten(text, limit) == cut


@given(text=st.text(), limit=st.integers(0, 40))
def test_a_cut_text_fits_and_is_the_start_of_the_whole(text: str, limit: int) -> None:
    made = shorten(text, limit)
    assert len(made) <= limit
    assert made == text or text.startswith(made[:-1])


def test_control_characters_are_made_visible_and_emptiness_too() -> None:
    assert plain("a\x07b\x00") == {"type": "plain_text", "text": "a�b�", "emoji": False}
    assert plain("")["text"] == "–"
    assert bidi_safe("a\r\nb\tc\u2028d") == "a\nb\tc�d"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme", "Acme"),
        ("café 株式会社", "café 株式会社"),
        ("مرحبا", f"{ISOLATE}مرحبا{END}"),
        ("\u202eevil", f"{ISOLATE}evil{END}"),
        ("evil\u2069", f"{ISOLATE}evil{END}"),
        ("\u202e", ""),
        ("a\nمرحبا", f"a\n{ISOLATE}مرحبا{END}"),
        ("مرحبا\nשלום", f"{ISOLATE}مرحبا{END}\n{ISOLATE}שלום{END}"),
    ],
)
def test_text_that_turns_direction_is_isolated_line_by_line(text: str, shown: str) -> None:
    assert bidi_safe(text) == shown


hostile = st.text(
    alphabet=st.one_of(
        st.characters(), st.sampled_from("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2029\x1c\n\rא")
    )
)


@given(text=hostile)
def test_no_text_leaves_a_direction_open(text: str) -> None:
    made = bidi_safe(text)
    assert bidi_safe(made) == made
    for line in made.split("\n"):
        controls = [
            each
            for each in line
            if unicodedata.bidirectional(each) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        ]
        assert controls in ([], [ISOLATE, END])
        assert not any(unicodedata.bidirectional(each) == "B" for each in line)
        if any(unicodedata.bidirectional(each) in {"R", "AL", "AN"} for each in line):
            assert (line[0], line[-1]) == (ISOLATE, END)


def test_dates_are_spelled_in_the_locales_months() -> None:
    assert date_text(date(2026, 11, 22)) == "22 Nov 2026"
    assert date_text(date(2026, 5, 2), "de-CH") == date_text(date(2026, 5, 2), "de") == "2 Mai 2026"


def test_an_instant_falls_back_to_the_same_instant_in_utc() -> None:
    instant = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    shown = "<!date^1795399200^{date_short_pretty} {time}|23 Nov 2026 02:00 UTC>"
    assert when(instant) == shown
    assert when(instant.astimezone(timezone(timedelta(hours=8)))) == shown


def test_a_table_keeps_its_cells_as_text_in_aligned_columns() -> None:
    shown = table([["1e5", "007"], ["Acme\nLtd", "1,234.50"]], ["name", "open"], ["left", "right"])
    assert shown.splitlines() == ["name          open", "1e5            007", "Acme Ltd  1,234.50"]
    assert table([], ["name", "open"], ["left", "right"]).split() == ["name", "open"]
