"""Amounts as people type them: one reading gives the exact number, two readings are asked back, none is rounded."""

import re
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.domain.errors import Refused
from bot.domain.money import LARGEST_MICROS, Currency, Money, currency
from bot.domain.settings import LOCALES
from bot.handlers.blocks.text import amount, money
from bot.handlers.parse.amounts import LONGEST, SYMBOLS, Amount, parse_amount
from bot.handlers.parse.errors import (
    AmountAmbiguous,
    AmountNotUnderstood,
    AmountTooLarge,
    CurrencyAmbiguous,
    CurrencyNotKnown,
    TooPrecise,
)

READ = [
    ("1,234.50", "1234.50", None),
    ("1234.5 SGD", "1234.5", "SGD"),
    ("SGD 1234.5", "1234.5", "SGD"),
    ("sgd1234.5", "1234.5", "SGD"),
    ("S$1.2k", "1200", "SGD"),
    ("s$ 1.2 K", "1200", "SGD"),
    ("US$ 5m", "5000000", "USD"),
    ("€1.234,50", "1234.50", "EUR"),
    ("1.234.567", "1234567", None),
    ("1,234,567.89", "1234567.89", None),
    ("1 234,50", "1234.50", None),
    ("1\u00a0234,50", "1234.50", None),
    ("1\u202f234,50 €", "1234.50", "EUR"),
    ("1'234.50", "1234.50", None),
    ("1’234.50", "1234.50", None),
    ("CHF 1'234", "1234", "CHF"),
    ("1,234", "1234", None),
    ("1,23", "1.23", None),
    ("0.125", "0.125", None),
    ("１，２３４．５０", "1234.50", None),
    ("１０００ ＪＰＹ", "1000", "JPY"),
    ("١٢٣", "123", None),
    ("١٬٢٣٤٫٥٠", "1234.50", None),
    ("500 MYR", "500", "MYR"),
    ("500 mxn", "500", "MXN"),
    ("500 KRW", "500", "KRW"),
    ("5k KWD", "5000", "KWD"),
    ("0", "0", None),
    ("-5", "-5", None),
    ("−5.50 SGD", "-5.50", "SGD"),
    ("-S$5", "-5", "SGD"),
    ("S$-5", "-5", "SGD"),
    ("+5", "5", None),
    ("12 zł", "12", "PLN"),
    ("Rp 50000", "50000", "IDR"),
]

REFUSED = [
    *[(text, AmountNotUnderstood) for text in ("", " ", "five", "nan", "inf", "-", "€", "SGD", "x" * (LONGEST + 1))],
    *[(text, AmountNotUnderstood) for text in ("1e5", "0x10", "1/2", "½", "5²", "①", "5 of 6", "SGD 5 SGD", "S$5 USD")],
    *[
        (text, AmountNotUnderstood)
        for text in ("+-5", "--5", "-S$-5", "5-", "(5)", ".5", "5.", "1..5", "1.2.3", "1,,5")
    ],
    *[
        (text, AmountNotUnderstood)
        for text in ("12,34,567", "1 23", "0,123,456", "1.234,567,890", "1,234.5'0", "12 5.1")
    ],
    *[
        (text, AmountAmbiguous)
        for text in ("1.234", "12.345 SGD", "-1.234", "1.234k", "€999.000", "0,500", "１．２３４")
    ],
    *[(text, CurrencyNotKnown) for text in ("5 XXX", "5 points", "ABC5", "5 %", "USDT 5")],
    *[(text, CurrencyAmbiguous) for text in ("$5", "¥1000", "￥1000", "50 kr")],
    *[(text, AmountTooLarge) for text in ("1000000000001", "1000001m", "9" * LONGEST, "-1000000000000.01")],
]


@pytest.mark.parametrize(("text", "number", "code"), READ)
def test_an_amount_with_one_reading_is_read_exactly(text: str, number: str, code: str | None) -> None:
    read = parse_amount(text)
    assert read == Amount(Decimal(number), currency(code) if code else None)


@pytest.mark.parametrize(("text", "refusal"), REFUSED)
def test_what_cannot_be_read_is_refused_by_its_reason(text: str, refusal: type[Refused]) -> None:
    with pytest.raises(refusal) as caught:
        parse_amount(text)
    assert type(caught.value) is refusal
    assert caught.value.field == "amount"
    assert 0 < len(caught.value.sentence) < 200


@pytest.mark.parametrize(
    ("text", "locale", "readings"),
    [
        ("1.234", "en", ("1234", "1.2340")),
        ("1.234", "de", ("1234", "1,2340")),
        ("1,234", "de", ("1234", "1,2340")),
        ("1,234", "de-CH", ("1234", "1.2340")),
        ("1,234", "fr", ("1234", "1,2340")),
        ("1.234k", "en", ("1234k", "1.2340k")),
        ("0,500", "en", ("500", "0.5000")),
        ("0.500", "de", ("500", "0,5000")),
    ],
)
def test_an_ambiguous_amount_names_both_readings_and_each_can_be_typed(
    text: str, locale: str, readings: tuple[str, str]
) -> None:
    with pytest.raises(AmountAmbiguous) as caught:
        parse_amount(text, locale=locale)
    assert caught.value.sentence.endswith(f"type {readings[0]} or {readings[1]}.")
    thousands, decimals = (parse_amount(each, locale=locale).decimal for each in readings)
    assert thousands == decimals * 1000


@pytest.mark.parametrize(
    ("text", "code", "advice"),
    [
        ("1.234", "SGD", "SGD has at most 2 decimals: type 1234, or fewer decimals."),
        ("1.234", "JPY", "JPY has no decimals: type 1234."),
        ("1.234", "KWD", "type 1234 or 1.2340."),
        ("1.230", "SGD", "type 1230 or 1.2300."),
        ("1.234k", "SGD", "type 1234k or 1.2340k."),
    ],
)
def test_only_a_reading_that_the_currency_can_have_is_offered(text: str, code: str, advice: str) -> None:
    of = currency(code)
    for typed, default in ((text, of), (f"{code} {text}", None)):
        with pytest.raises(AmountAmbiguous) as caught:
            parse_amount(typed, default=default)
        assert caught.value.sentence.endswith(advice)
    for offered in re.findall(r"type (\S+?)[.,]?(?: or (\S+?)[.])?(?:,|$)", advice):
        for each in filter(None, offered):
            assert parse_amount(each, default=of).money(of)


@pytest.mark.parametrize(("text", "locale"), [("0,125", "de"), ("0.125", "en"), ("0,125", "fr"), ("0.125", "de_CH")])
def test_a_leading_zero_cannot_group_thousands_so_only_decimals_are_left(text: str, locale: str) -> None:
    assert parse_amount(text, locale=locale).decimal == Decimal("0.125")


@pytest.mark.parametrize(
    ("text", "code"), [("¥1000", "JPY"), ("¥1000", "CNY"), ("$5", "SGD"), ("$5", "USD"), ("5 kr", "NOK")]
)
def test_a_shared_symbol_means_the_default_when_that_is_one_of_its_currencies(text: str, code: str) -> None:
    assert parse_amount(text, default=currency(code)).currency == currency(code)
    with pytest.raises(CurrencyAmbiguous, match=code):
        parse_amount(text, default=currency("EUR"))


def test_every_symbol_stands_for_currencies_of_the_book_and_can_be_typed() -> None:
    for symbol, codes in SYMBOLS.items():
        for code in codes:
            assert parse_amount(f"{symbol}5", default=currency(code)) == Amount(Decimal(5), currency(code))
            assert parse_amount(f"5 {symbol.lower()}", default=currency(code)).currency == currency(code)


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("1.23456", "SGD", "SGD amounts have at most 2 decimals"),
        ("5.1", "JPY", "JPY amounts have no decimals"),
        ("5.1234", "KWD", "KWD amounts have at most 3 decimals"),
        ("1." + "0" * 40 + "1", "SGD", "SGD amounts have at most 2 decimals"),
    ],
)
def test_more_decimals_than_the_currency_has_are_refused_and_never_rounded(text: str, code: str, says: str) -> None:
    with pytest.raises(TooPrecise, match=says) as caught:
        parse_amount(text).money(currency(code))
    assert caught.value.field == "amount"


def test_zeros_beyond_the_currencys_decimals_are_no_precision() -> None:
    assert parse_amount("5.5000 SGD").money(None) == Money(5_500_000, currency("SGD"))
    assert parse_amount("5.0").money(currency("JPY")) == Money(5_000_000, currency("JPY"))


def test_an_amount_becomes_money_in_the_typed_currency_before_the_default() -> None:
    assert parse_amount("5 SGD").money(currency("EUR")).currency == currency("SGD")
    assert parse_amount("5").money(currency("EUR")).currency == currency("EUR")
    with pytest.raises(CurrencyNotKnown, match="500 SGD"):
        parse_amount("5").money(None)
    with pytest.raises(AmountTooLarge):
        Amount(Decimal(10**12 + 1), None).money(currency("SGD"))
    assert parse_amount("1000000m SGD").money(None).micros == LARGEST_MICROS


locales = st.sampled_from([*LOCALES, "de-CH"])
currencies = st.sampled_from(["SGD", "USD", "EUR", "JPY", "IDR", "VND", "KWD", "BHD", "MYR", "MXN", "KRW", "CHF"]).map(
    currency
)
marks = st.sampled_from([".", ","])


@st.composite
def moneys(draw: st.DrawFn) -> Money:
    """Money in whole minor units, as documents carry it, of any size."""
    of = draw(currencies)
    most = LARGEST_MICROS // of.unit_micros
    units = draw(st.one_of(st.integers(-most, most), st.integers(-99_999, 99_999)))
    return Money(units * of.unit_micros, of)


@given(of=moneys(), locale=locales)
def test_money_that_is_shown_can_be_typed_back_or_is_asked_back_but_never_changes(of: Money, locale: str) -> None:
    try:
        read = parse_amount(money(of, locale), locale=locale)
    except AmountAmbiguous:
        shown = amount(abs_of(of), locale)
        assert len(shown) in {5, 6, 7}
        assert shown[-4] in ".,"
        return
    assert read.money(None) == of


def abs_of(of: Money) -> Money:
    return of if of.micros >= 0 else -of


@given(of=moneys(), locale=st.sampled_from(["en", "de", "fr", "de-CH"]))
def test_money_with_two_decimals_is_always_typed_back_as_it_was_shown(of: Money, locale: str) -> None:
    assume(of.currency.digits == 2)
    assert parse_amount(money(of, locale), locale=locale).money(None) == of
    assert parse_amount(amount(of, locale), locale=locale, default=of.currency).money(of.currency) == of


@given(micros=st.integers(-(10**12), 10**12), locale=locales)
def test_a_wallet_figure_of_six_decimals_keeps_its_value_when_typed_back(micros: int, locale: str) -> None:
    of = Money(micros, currency("SGD"))
    try:
        assert parse_amount(money(of, locale), locale=locale).decimal == of.decimal()
    except AmountAmbiguous:
        assert amount(of, locale)[-4] in ".,"


@given(
    whole=st.integers(1, 999),
    tail=st.integers(0, 999),
    mark=marks,
    around=st.sampled_from(["{}", "SGD {}", "{} EUR", "-{}", "{}k", "S${}m", "US$ {}"]),
    locale=locales,
)
def test_one_mark_before_three_digits_is_asked_back_unless_the_locale_groups_by_comma(
    whole: int, tail: int, mark: str, around: str, locale: str
) -> None:
    text = around.format(f"{whole}{mark}{tail:03}")
    if mark == "," and locale in {"en", "en_GB", "th", "ja", "zh"}:
        assert int(parse_amount(text.rstrip("km"), locale=locale).decimal.copy_abs()) == whole * 1000 + tail
        return
    with pytest.raises(AmountAmbiguous) as caught:
        parse_amount(text, locale=locale)
    assert len(caught.value.sentence) < 200


@given(whole=st.integers(0, 10**11), fraction=st.from_regex(r"[0-9]{0,2}|[0-9]{4,40}", fullmatch=True), locale=locales)
def test_digits_are_kept_to_the_last_one(whole: int, fraction: str, locale: str) -> None:
    text = f"{whole}.{fraction}" if fraction else str(whole)
    assert str(parse_amount(text, locale=locale).decimal) == text


typed = st.one_of(
    st.text(max_size=80),
    st.text(alphabet="0123456789.,' -−+kKmM$€¥S%()xe/\u00a0\u202f٣３²", max_size=16),
)


def assert_sentence(refusal: Refused) -> None:
    assert 0 < len(refusal.sentence) < 200
    assert refusal.sentence.endswith(".")


@given(text=typed, locale=locales, default=st.none() | currencies)
def test_any_text_gives_a_finite_number_or_a_sentence(text: str, locale: str, default: Currency | None) -> None:
    try:
        read = parse_amount(text, locale=locale, default=default)
        assert read.decimal.is_finite()
        assert abs(read.decimal) <= 10**12
        read.money(currency("SGD"))
    except Refused as refusal:
        assert_sentence(refusal)
