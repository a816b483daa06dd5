"""Exact money: six decimals kept, documents rounded half up, currencies never mixed."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.customers import Controls
from bot.domain.errors import CurrencyMixed, Refused, UnknownCurrency
from bot.domain.invoices import draft_invoice
from bot.domain.money import LARGEST_MICROS, Money, currency, multiply, plain, round_half_up, tax_of, total
from tests.domain.builders import a_draft, a_line
from tests.world import SGD, World, money

micros = st.integers(-LARGEST_MICROS, LARGEST_MICROS)
codes = st.sampled_from(["SGD", "JPY", "IDR", "VND", "KWD", "USD"])


@pytest.mark.rule(112)
def test_wallet_arithmetic_keeps_six_decimals() -> None:
    assert money("65.98") + money("-0.000009") == money("65.979991")
    assert money("-1610.61") + money("-0.20544") == money("-1610.81544")
    assert money("0.000001") - money("0.000002") == -money("0.000001")
    assert str(money("65.979991")) == "SGD 65.979991"
    assert money("91.33") - money("100") == money("-8.67")


@pytest.mark.rules(112, 113)
def test_a_customers_balances_are_exact_to_the_millionth_and_carry_their_sign(world: World) -> None:
    customer = world.customer()
    moved = customer.moved(deposits=1, receivable=2_000_002)
    assert (moved.balance, moved.amount_due) == (money("-2.000001"), money("2.000001"))
    assert moved.moved(deposits=3_000_000).balance == money("0.999999")
    assert moved.moved(deposits=3_000_000).amount_due == money("-0.999999")
    assert customer.controls == Controls()


@pytest.mark.rule(112)
def test_a_price_below_a_cent_is_kept_on_the_line_and_counts(world: World) -> None:
    customer = world.customer()
    line = a_line("0.000001", quantity=Decimal(1_000_000))
    changed = world.do(draft_invoice, a_draft(world, customer.id, line, send=True))
    kept = world.store.read(lambda books: books.invoice_file(changed.invoice.id))
    assert kept.lines[0].unit_price.micros == 1
    assert kept.invoice.total == money(1)
    world.check()


@pytest.mark.rule(112)
@given(left=micros, right=micros)
def test_adding_and_taking_away_lose_nothing(left: int, right: int) -> None:
    one, two = Money(left, SGD), Money(right, SGD)
    assert one + two - two == one
    assert -one + one == Money(0, SGD)
    assert (one < two) == (left < right)
    assert Money.from_decimal(one.decimal(), SGD) == one


@pytest.mark.rule(104)
@pytest.mark.parametrize(
    ("amount", "code", "rounded"),
    [
        ("0.125", "SGD", "0.13"),
        ("0.124999", "SGD", "0.12"),
        ("-0.125", "SGD", "-0.13"),
        ("2.5", "IDR", "3"),
        ("2.499999", "VND", "2"),
        ("0.5", "JPY", "1"),
        ("0.0005", "KWD", "0.001"),
        ("0.000499", "KWD", "0"),
    ],
)
def test_documents_round_half_up_to_the_decimals_of_their_currency(amount: str, code: str, rounded: str) -> None:
    assert money(amount, code).rounded() == money(rounded, code)


@pytest.mark.rule(104)
@given(amount=micros, code=codes)
def test_rounding_moves_by_half_a_unit_at_most_and_once(amount: int, code: str) -> None:
    exact = Money(amount, currency(code))
    unit = exact.currency.unit_micros
    rounded = exact.rounded()
    assert rounded.is_whole_minor
    assert 2 * abs(rounded.micros - amount) <= unit
    assert rounded.rounded() == rounded
    assert round_half_up(-amount, unit) == -rounded.micros


@pytest.mark.rule(104)
def test_lines_and_taxes_are_rounded_before_they_are_added() -> None:
    line = multiply(money("0.335"), Decimal(1))
    assert line == money("0.34")
    assert total([line, line, line], SGD) == money("1.02")
    assert tax_of(money("0.50"), Decimal(9)) == money("0.05")
    assert tax_of(money("105", "IDR"), Decimal(11)) == money("12", "IDR")
    assert total([], SGD) == money(0)
    assert multiply(money("1000000000"), Decimal("999.999999")) == money("999999999000")


@pytest.mark.rule(104)
def test_currencies_have_their_own_decimals() -> None:
    digits = {code: currency(code).digits for code in ("SGD", "IDR", "VND", "JPY", "KWD", "eur ")}
    assert digits == {"SGD": 2, "IDR": 0, "VND": 0, "JPY": 0, "KWD": 3, "eur ": 2}
    assert str(money("1234567.5")) == "SGD 1,234,567.50"
    assert str(money(1234, "JPY")) == "JPY 1,234"
    assert str(money("1.2", "KWD")) == "KWD 1.200"


@pytest.mark.parametrize("code", ["XXX", "", "S", "SGDD", "ETH"])
def test_a_code_that_is_no_currency_is_refused(code: str) -> None:
    with pytest.raises(UnknownCurrency) as caught:
        currency(code)
    assert caught.value.field == "currency"


@pytest.mark.parametrize("typed", ["", "abc", "NaN", "Infinity", "-Infinity", "0.0000001", "1000000000000.01", "1e13"])
def test_what_is_no_exact_amount_is_refused(typed: str) -> None:
    with pytest.raises(Refused) as caught:
        Money.parse(typed, SGD)
    assert caught.value.field == "amount"


def test_two_currencies_never_meet() -> None:
    for meet in (
        lambda: money(1) + money(1, "USD"),
        lambda: money(1) - money(1, "USD"),
        lambda: money(1) < money(1, "USD"),
        lambda: money(1) >= money(1, "USD"),
        lambda: total([money(1), money(1, "USD")], SGD),
    ):
        with pytest.raises(CurrencyMixed) as caught:
            meet()
        assert caught.value.field == "amount"
    assert money(1) != money(1, "USD")


def test_plain_numbers_have_neither_trailing_zeros_nor_an_exponent() -> None:
    shown = [str(plain(Decimal(text))) for text in ("10.000000", "1E+2", "0.00", "7.70", "0.000125")]
    assert shown == ["10", "100", "0", "7.7", "0.000125"]
