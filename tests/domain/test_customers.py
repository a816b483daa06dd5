"""Customers: opened, edited, found, and what they owe and hold."""

from dataclasses import replace

import pytest

from bot.domain.customers import (
    Contact,
    CustomerState,
    EditCustomer,
    Mode,
    NewCustomer,
    edit_customer,
    new_customer,
)
from bot.domain.errors import (
    AlreadyTaken,
    MissingText,
    NotFound,
    Refused,
    TextTooLong,
    UnknownCurrency,
    WrongState,
)
from bot.domain.money import currency
from bot.domain.ports import Page
from tests.domain.expect import ask_sql, expect_refusal, run_sql
from tests.world import World, money

ACME = NewCustomer(
    code="acme",
    name=" Acme Pte Ltd ",
    currency=currency("SGD"),
    mode=Mode.POSTPAID,
    due_days=14,
    billing_name="Acme Holding",
    country="sg",
    zone="Asia/Singapore",
    contacts=(Contact(name=" Ann ", email=" ann@acme.example ", phone="+65 1"),),
)


def test_a_new_customer_keeps_its_particulars_and_starts_at_zero(world: World) -> None:
    made = world.do(new_customer, ACME).customer
    file = world.store.read(lambda books: books.customer_file(made.id, world.today))
    assert file.customer == made
    assert (made.code, made.name, made.billing_name) == ("ACME", "Acme Pte Ltd", "Acme Holding")
    assert (made.country, made.zone, made.due_days) == ("SG", "Asia/Singapore", 14)
    assert file.contacts == (Contact(name="Ann", email="ann@acme.example", phone="+65 1"),)
    assert made.balance == made.amount_due == made.usable(world.now) == money(0)
    assert made.uuid
    assert made.wallet_id.startswith("W-")
    world.check()


def test_a_customer_has_a_currency_of_the_book(world: World) -> None:
    with expect_refusal(world, UnknownCurrency, field="currency", says="keeps SGD; an administrator adds XAF"):
        world.do(new_customer, replace(ACME, currency=currency("XAF")))


@pytest.mark.rule(13)
def test_a_customer_is_found_by_code_name_uuid_wallet_and_with_a_typo(world: World) -> None:
    acme = world.do(new_customer, ACME).customer
    other = world.customer("MUELLER", name="Café Müller GmbH")
    imported = replace(
        ACME, code="NORTH", name="North Wind", uuid="6F9619FF-8B86-D011-B42D-00C04FC964FF", wallet_id="w-77"
    )
    north = world.do(new_customer, imported).customer

    def found(text: str) -> list[str]:
        return world.store.read(lambda books: [each.code for each in books.find_customers(text)])

    for text in ("ACME", "acme", "Acme Pte Ltd", "pte", acme.uuid, acme.uuid.upper(), acme.wallet_id, "Akme Pte Ltd"):
        assert found(text) == ["ACME"], text
    assert found("cafe muller") == [other.code]
    for text in (imported.uuid, imported.uuid.lower(), "W-77", "w-77"):
        assert found(text) == [north.code]
    assert found("zzzzqqqq") == []
    assert found("  ") == ["ACME", "MUELLER", "NORTH"]
    assert world.store.read(lambda books: [each.code for each in books.list_customers(Page(text="wind"))]) == ["NORTH"]


def test_codes_uuids_and_wallets_belong_to_one_customer(world: World) -> None:
    made = world.do(new_customer, ACME).customer
    with expect_refusal(world, AlreadyTaken, field="code"):
        world.do(new_customer, replace(ACME, code="Acme "))
    with expect_refusal(world, AlreadyTaken, field="uuid"):
        world.do(new_customer, replace(ACME, code="B", uuid=made.uuid.upper()))
    with expect_refusal(world, AlreadyTaken, field="wallet_id"):
        world.do(new_customer, replace(ACME, code="B", wallet_id=made.wallet_id.lower()))
    other = world.customer("B")
    with expect_refusal(world, AlreadyTaken, field="code"):
        world.do(edit_customer, EditCustomer(customer_id=other.id, version=1, code="acme", name="B"))


@pytest.mark.parametrize(
    ("change", "refusal", "field"),
    [
        ({"code": " "}, MissingText, "code"),
        ({"code": "A" * 25}, TextTooLong, "code"),
        ({"code": "A B"}, Refused, "code"),
        ({"name": ""}, MissingText, "name"),
        ({"name": "x" * 201}, TextTooLong, "name"),
        ({"billing_name": "x" * 201}, TextTooLong, "billing_name"),
        ({"country": "SGP"}, Refused, "country"),
        ({"country": "1A"}, Refused, "country"),
        ({"zone": "Singapur"}, Refused, "zone"),
        ({"due_days": -1}, Refused, "due_days"),
        ({"due_days": 366}, Refused, "due_days"),
        ({"zone": "x" * 61}, TextTooLong, "zone"),
        ({"contacts": (Contact(name="x" * 201),)}, TextTooLong, "contact"),
        ({"contacts": (Contact(name="Ann", phone="1" * 61),)}, TextTooLong, "phone"),
        ({"contacts": (Contact(name="Ann", email="x" * 195 + "@b.example"),)}, TextTooLong, "email"),
        ({"contacts": (Contact(name="Ann", email="ann@acme"),)}, Refused, "email"),
        ({"contacts": (Contact(name="Ann", email="ann at@acme.example"),)}, Refused, "email"),
    ],
)
def test_particulars_that_cannot_be_kept_are_refused(
    world: World, change: dict[str, object], refusal: type[Refused], field: str
) -> None:
    made = world.do(new_customer, ACME).customer
    with expect_refusal(world, refusal, field=field):
        world.do(new_customer, replace(ACME, **({"code": "B"} | change)))  # type: ignore[arg-type]
    edit = EditCustomer(customer_id=made.id, version=1, code="ACME", name="Acme")
    with expect_refusal(world, refusal, field=field):
        world.do(edit_customer, replace(edit, **change))  # type: ignore[arg-type]


def test_ids_that_are_too_long_are_refused(world: World) -> None:
    with expect_refusal(world, TextTooLong, field="uuid"):
        world.do(new_customer, replace(ACME, uuid="x" * 41))
    with expect_refusal(world, TextTooLong, field="wallet_id"):
        world.do(new_customer, replace(ACME, wallet_id="x" * 41))


def test_editing_changes_names_terms_and_contacts_and_keeps_balances(world: World) -> None:
    made = world.do(new_customer, ACME).customer
    world.invoice(made, 10)
    edit = EditCustomer(customer_id=made.id, version=1, code="ACME2", name="Acme Neu", contacts=(Contact(name="Bob"),))
    changed = world.do(edit_customer, edit)
    assert set(changed.changed) == {"code", "name", "due days", "billing name", "country", "zone", "contacts"}
    file = world.store.read(lambda books: books.customer_file(made.id, world.today))
    assert (file.customer.code, file.customer.name, file.customer.due_days) == ("ACME2", "Acme Neu", None)
    assert file.contacts == (Contact(name="Bob"),)
    assert file.customer.amount_due == money(10)
    assert (file.customer.uuid, file.customer.currency.code) == (made.uuid, "SGD")
    assert world.store.read(lambda books: [each.id for each in books.find_customers("acme neu")]) == [made.id]
    world.check()


def test_an_overtaken_edit_and_an_unknown_customer_are_refused(world: World) -> None:
    made = world.do(new_customer, ACME).customer
    edit = EditCustomer(customer_id=made.id, version=1, code="ACME", name="One")
    world.do(edit_customer, edit)
    with expect_refusal(world, WrongState, says="somebody else"):
        world.do(edit_customer, replace(edit, name="Two"))
    with expect_refusal(world, NotFound, field="customer"):
        world.do(edit_customer, replace(edit, customer_id=1))
    with pytest.raises(NotFound):
        world.store.read(lambda books: books.customer_file(1, world.today))


@pytest.mark.rule(113)
def test_credit_is_a_positive_balance_and_debt_a_positive_amount_due(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 100, auto=False)
    owing = world.read_customer(customer)
    assert (owing.balance, owing.amount_due) == (money(-100), money(100))
    world.pay(130, customer)
    holding = world.read_customer(customer)
    assert (holding.balance, holding.amount_due) == (money(30), money(-30))
    world.check()


def test_both_modes_have_the_same_balance(world: World) -> None:
    balances = []
    for mode in Mode:
        customer = world.customer(mode.value.upper(), mode=mode)
        world.invoice(customer, "80.10")
        world.pay("100.20", customer)
        balances.append(world.read_customer(customer).balance)
    assert balances == [money("20.10")] * 2
    world.check()


def test_an_operational_customer_is_active_and_has_something_to_spend(world: World) -> None:
    customer = world.customer(mode=Mode.PREPAID)
    assert not world.read_customer(customer).is_operational(world.now)
    world.pay(5, customer)
    assert world.read_customer(customer).is_operational(world.now)
    run_sql(world, "UPDATE customer SET state = 'suspended'")
    suspended = world.read_customer(customer)
    assert suspended.state is CustomerState.SUSPENDED
    assert not suspended.is_operational(world.now)


def test_contact_data_never_reaches_the_audit_log(world: World) -> None:
    made = world.do(new_customer, ACME).customer
    edit = EditCustomer(
        customer_id=made.id, version=1, code="ACME", name="Acme", contacts=(Contact(name="Zoe", email="zoe@x.example"),)
    )
    world.do(edit_customer, edit)
    kept = repr(ask_sql(world, "SELECT description, before, after FROM audit"))
    assert "example" not in kept
    assert "Zoe" not in kept
    assert "+65" not in kept
