"""The decision to top up, by table and by property: no books are needed."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bot.domain.customers import Controls, Customer, CustomerState, Mode
from bot.domain.master import MasterAccount
from bot.domain.payment_settings import PaymentSettings, TopUpMethod
from bot.domain.topups import QUIET, Caps, Past, TopUpCode, TopUpFacts, decide
from tests.world import SGD, START, money

TODAY = START.date()
RULE = PaymentSettings(method=TopUpMethod.MASTER, amount=money(50), threshold=money(20), auto=True)
NONE = Past(total=money(0))
CAPS = Caps(money(100), money(1000), money(5000))
ACME = Customer(
    id=1,
    code="ACME",
    name="Acme",
    uuid="u",
    wallet_id="W-1",
    currency=SGD,
    mode=Mode.PREPAID,
    controls=Controls(deposits=money(20).micros),
)
DUE = TopUpFacts(customer=ACME, settings=RULE, past=NONE, caps=CAPS, today=TODAY)


def master(balance: int, liability: int = 0) -> MasterAccount:
    return MasterAccount(balance=money(balance), limit=money(0), liability=money(liability), reserved=money(0))


def holding(deposits: str | int, **controls: int) -> Customer:
    return replace(ACME, controls=Controls(deposits=money(deposits).micros, **controls))


DONE_TODAY = replace(NONE, days=frozenset({TODAY}))
TABLE = (
    ("due", DUE),
    ("due", replace(DUE, customer=holding(0))),
    ("due", replace(DUE, customer=holding(0, receivable=money(30).micros))),
    ("due", replace(DUE, customer=replace(holding(20), limit_micros=money(500).micros))),
    ("due", replace(DUE, master=master(50))),
    ("due", replace(DUE, past=Past(days=frozenset({TODAY - timedelta(days=1)}), total=money(950)))),
    ("due", replace(DUE, settings=replace(RULE, method=TopUpMethod.CHEQUE), master=master(0))),
    ("off", replace(DUE, settings=None)),
    ("off", replace(DUE, settings=replace(RULE, auto=False))),
    ("not_prepaid", replace(DUE, customer=replace(ACME, mode=Mode.POSTPAID))),
    ("handled_by_stripe", replace(DUE, settings=replace(RULE, method=TopUpMethod.STRIPE))),
    (
        "handled_by_stripe",
        replace(DUE, settings=replace(RULE, method=TopUpMethod.STRIPE, amount=None, threshold=None)),
    ),
    ("above_threshold", replace(DUE, customer=holding("20.000001"))),
    ("above_threshold", replace(DUE, customer=holding(500, reserved=money(500).micros))),
    ("customer_not_active", replace(DUE, customer=replace(ACME, state=CustomerState.SUSPENDED))),
    ("customer_not_active", replace(DUE, customer=replace(ACME, state=CustomerState.CLOSED))),
    ("attempt_open", replace(DUE, open_invoice="TOP-0001")),
    ("attempt_open", replace(DUE, open_invoice="TOP-0001", past=DONE_TODAY)),
    ("done_today", replace(DUE, past=DONE_TODAY)),
    ("cap_reached", replace(DUE, settings=replace(RULE, amount=money("100.01")))),
    ("cap_reached", replace(DUE, past=replace(NONE, total=money("950.01")))),
    ("cap_reached", replace(DUE, day_total=money("4950.01"))),
    ("master_short", replace(DUE, master=master(49))),
    ("master_short", replace(DUE, master=master(500, liability=451))),
)


@pytest.mark.rule(70, 72, 73, 74, 75, 76, 77)
@pytest.mark.parametrize(("code", "facts"), TABLE)
def test_each_case_has_its_code_and_its_sentence(code: str, facts: TopUpFacts) -> None:
    verdict = decide(facts)
    assert verdict.code == code
    assert "Acme" in verdict.sentence
    assert verdict.told is not (verdict.code in QUIET) or verdict.code is TopUpCode.ATTEMPT_OPEN


def test_every_code_is_decided_by_the_table() -> None:
    assert {TopUpCode(code) for code, _ in TABLE} == {*TopUpCode} - {TopUpCode.DONE}


def test_an_invoice_of_today_that_waits_is_no_news_but_one_of_yesterday_is() -> None:
    assert not decide(replace(DUE, open_invoice="TOP-0001", past=DONE_TODAY)).told
    assert decide(replace(DUE, open_invoice="TOP-0001")).told


micros = some.integers(0, 200).map(lambda each: money(each).micros)


@pytest.mark.rule(72, 74, 75, 76, 77)
@given(
    deposits=micros,
    receivable=micros,
    reserved=micros,
    limit=micros,
    amount=some.integers(1, 150),
    threshold=some.integers(0, 60),
    auto=some.booleans(),
    method=some.sampled_from(TopUpMethod),
    mode=some.sampled_from(Mode),
    state=some.sampled_from(CustomerState),
    ago=some.none() | some.integers(0, 3),
    total=some.integers(0, 1200),
    day_total=some.integers(0, 6000),
    usable=some.none() | some.integers(-50, 150),
    waits=some.booleans(),
)
def test_it_is_due_exactly_when_every_condition_holds(  # each part of the facts
    deposits: int,
    receivable: int,
    reserved: int,
    limit: int,
    amount: int,
    threshold: int,
    auto: bool,  # drawn
    method: TopUpMethod,
    mode: Mode,
    state: CustomerState,
    ago: int | None,
    total: int,
    day_total: int,
    usable: int | None,
    waits: bool,  # drawn
) -> None:
    customer = replace(
        ACME,
        mode=mode,
        state=state,
        limit_micros=limit,
        controls=Controls(deposits=deposits, receivable=receivable, reserved=reserved),
    )
    days: frozenset[date] = frozenset() if ago is None else frozenset({TODAY - timedelta(days=ago)})
    facts = TopUpFacts(
        customer=customer,
        settings=PaymentSettings(method=method, amount=money(amount), threshold=money(threshold), auto=auto),
        past=Past(days=days, total=money(total)),
        caps=CAPS,
        today=TODAY,
        open_invoice="TOP-0001" if waits else "",
        day_total=money(day_total),
        master=None if usable is None else master(usable),
    )
    expected = (
        auto
        and mode is Mode.PREPAID
        and method is not TopUpMethod.STRIPE
        and deposits - receivable <= money(threshold).micros
        and state is CustomerState.ACTIVE
        and ago != 0
        and not waits
        and amount <= 100
        and total + amount <= 1000
        and day_total + amount <= 5000
        and (method is TopUpMethod.CHEQUE or usable is None or amount <= usable)
    )
    verdict = decide(facts)
    assert (verdict.code is TopUpCode.DUE) == expected
    other = replace(customer, limit_micros=0, controls=replace(customer.controls, reserved=0))
    assert decide(replace(facts, customer=other)) == verdict  # neither a limit nor what is reserved counts
