"""Settings: what each takes, what it refuses, and that it counts from now on."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bot.domain.errors import Refused, SettingRefused, UnknownCurrency
from bot.domain.settings import NAMES, ChangeSetting, Settings, change_setting
from tests.domain.expect import expect_refusal
from tests.world import ADMIN, World

LONG = "x" * 121


def read_settings(world: World) -> Settings:
    return world.store.read(lambda books: books.settings())


@pytest.mark.parametrize(
    ("name", "typed", "kept"),
    [
        ("company", " Duedesk Pte Ltd ", "Duedesk Pte Ltd"),
        ("zone", "Asia/Singapore", "Asia/Singapore"),
        ("locale", "de_CH", "de_CH"),
        ("currencies", "sgd, eur,jpy sgd", "SGD EUR JPY"),
        ("due_days", "014", 14),
        ("tax_rates", "9%, 0.00 10 7.70", "9 0 10 7.7"),
        ("tax_rates", "-0 0.000001 1e1", "0 0.000001 10"),
        ("payment_series", "RC/:6", "RC/:6"),
        ("invoice_series", "IA-:07", "IA-:7"),
        ("undo_minutes", "0", 0),
        ("finance_channel", "C0FINANCE", "C0FINANCE"),
        ("hard_lock", "2026-10-31", "2026-10-31"),
        ("soft_lock", "", ""),
    ],
)
def test_a_setting_is_kept_in_its_plain_form(world: World, name: str, typed: str, kept: object) -> None:
    before = read_settings(world)
    changed = world.do(change_setting, ChangeSetting(name=name, value=typed), by=ADMIN)
    after = read_settings(world)
    assert getattr(after, name) == kept
    assert changed.after == str(kept)
    assert changed.before == str(getattr(before, name))
    assert after.version == before.version + 1
    assert all(getattr(after, other) == getattr(before, other) for other in NAMES if other != name)
    world.check()


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("company", LONG),
        ("zone", "Asia/Atlantis"),
        ("zone", ""),
        ("zone", "../etc/passwd"),
        ("locale", "tlh"),
        ("currencies", " "),
        ("due_days", "-1"),
        ("due_days", "366"),
        ("due_days", "ten"),
        ("due_days", "²"),
        ("tax_rates", ""),
        ("tax_rates", "nine"),
        ("tax_rates", "101"),
        ("tax_rates", "NaN"),
        ("tax_rates", "0.0000001"),
        ("tax_rates", "1E999999"),
        ("payment_series", "PAY-"),
        ("payment_series", "PAY-:0"),
        ("payment_series", "PAY-:13"),
        ("invoice_series", "IN V:4"),
        ("invoice_series", "INVOICENUMBERS:4"),
        ("undo_minutes", "121"),
        ("hard_lock", "31.10.2026"),
        ("hard_lock", "2026-11-23"),
        ("soft_lock", "2027-01-01"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(world: World, name: str, typed: str) -> None:
    before = read_settings(world)
    with expect_refusal(world, SettingRefused, field="value"):
        world.do(change_setting, ChangeSetting(name=name, value=typed), by=ADMIN)
    assert read_settings(world) == before


def test_unknown_names_and_currencies_are_refused(world: World) -> None:
    with expect_refusal(world, SettingRefused, field="name"):
        world.do(change_setting, ChangeSetting(name="colour", value="blue"), by=ADMIN)
    with expect_refusal(world, SettingRefused, field="name"):
        world.do(change_setting, ChangeSetting(name="version", value="7"), by=ADMIN)
    with expect_refusal(world, UnknownCurrency, field="currency"):
        world.do(change_setting, ChangeSetting(name="currencies", value="SGD XYZ"), by=ADMIN)


def test_a_currency_that_is_in_use_stays(world: World) -> None:
    world.customer(of="USD")
    world.pay(5, of="JPY")
    world.do(change_setting, ChangeSetting(name="currencies", value="JPY USD"), by=ADMIN)
    for typed, kept in (("JPY EUR", "in USD"), ("USD", "in JPY"), ("SGD", "in JPY and USD")):
        with expect_refusal(world, SettingRefused, field="value", says=kept):
            world.do(change_setting, ChangeSetting(name="currencies", value=typed), by=ADMIN)


@pytest.mark.rule(102)
def test_the_due_days_are_30_until_changed() -> None:
    assert Settings().due_days == 30


@pytest.mark.rule(103)
@pytest.mark.parametrize(
    ("series", "counter", "number"),
    [("IA-:7", 275, "IA-0000275"), (":3", 7, "007"), ("A:1", 12, "A12"), ("2026/:4", 1, "2026/0001")],
)
def test_a_number_is_its_prefix_and_the_padded_counter(series: str, counter: int, number: str) -> None:
    assert Settings(payment_series=series).number("payment", counter) == number


@pytest.mark.rule(103)
def test_a_new_series_continues_the_count_for_later_documents(world: World) -> None:
    first = world.pay(1).payment
    world.do(change_setting, ChangeSetting(name="payment_series", value="RC-:7"), by=ADMIN)
    assert (first.number, world.pay(1).payment.number) == ("PAY-0001", "RC-0000002")
    assert world.store.read(lambda books: books.payment("pay-0001")) == first
    world.check()


def test_the_book_has_its_own_calendar(world: World) -> None:
    settings = Settings(zone="Asia/Singapore", undo_minutes=3, hard_lock="2026-10-31", tax_rates="9 7.7")
    late = world.now.replace(hour=16)
    assert settings.today(late) == late.date() + timedelta(days=1)
    assert settings.undo_until(late) == late + timedelta(minutes=3)
    assert settings.first_open_day().isoformat() == "2026-11-01"
    assert settings.rates() == (Decimal(9), Decimal("7.7"))
    assert Settings().currency_codes() == ("SGD",)


def test_a_refused_setting_says_what_would_work(world: World) -> None:
    with pytest.raises(Refused) as caught:
        world.do(change_setting, ChangeSetting(name="invoice_series", value="INV"), by=ADMIN)
    assert "INV-:7" in caught.value.sentence
    assert caught.value.code == "SettingRefused"
