"""Bad input on each field of each form: a sentence under that field, nothing written, nothing lost."""

from typing import Any

import pytest

from sandbox.client import shown
from tests.engines import Template
from tests.slack import Slack, running
from tests.world import OWNER, withdraw

PAYMENT: dict[str, Any] = {"Amount": "500", "Customer": "ACME"}
INVOICE: dict[str, Any] = {"Customer": "ACME", "Lines": "Consulting; 2 x 500; 9%"}
WITHDRAWAL: dict[str, Any] = {
    "Customer": "ACME",
    "Amount": "5",
    "To which account": "4321",
    "Reason": "Contract ended",
}
CUSTOMER: dict[str, Any] = {"Code": "NEW", "Name": "New Ltd", "Currency": "SGD"}

CASES: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("/payment", PAYMENT, {"Amount": "0"}, "amount", "more than zero"),
    ("/payment", PAYMENT, {"Amount": "-5"}, "amount", "more than zero"),
    ("/payment", PAYMENT, {"Amount": "twelve"}, "amount", "not an amount"),
    ("/payment", PAYMENT, {"Amount": "1.234"}, "amount", ""),
    ("/payment", PAYMENT, {"Amount": "1.23456"}, "amount", "decimals"),
    ("/payment", PAYMENT, {"Amount": "500 USD"}, "amount", "is kept in SGD"),
    ("/payment", PAYMENT, {"Amount": "500 XYZ"}, "amount", "currency"),
    (
        "/payment",
        {"Payer as on the statement": "Somebody"},
        {"Amount": "500 USD"},
        "amount",
        "This book keeps SGD, EUR",
    ),
    ("/payment", PAYMENT, {"Amount": "9999999999999"}, "amount", "million"),
    ("/payment", PAYMENT, {"Received on": "2026-11-24"}, "received_on", "future"),
    ("/payment", PAYMENT, {"Received on": None}, "received_on", "required"),
    ("/payment", PAYMENT, {"Amount": None}, "amount", "required"),
    ("/payment", PAYMENT, {"Amounts per invoice": "INV-0001"}, "parts", "an invoice number and an amount"),
    ("/payment", PAYMENT, {"Amounts per invoice": "INV-9999 5"}, "parts", "There is no invoice"),
    ("/payment", PAYMENT, {"Amounts per invoice": "INV-0001 five"}, "parts", "not an amount"),
    ("/payment", PAYMENT, {"Amounts per invoice": "INV-0001 301"}, "invoices", "Allocate at most"),
    ("/payment", PAYMENT, {"Amounts per invoice": "INV-0002 5"}, "invoices", "another customer"),
    ("/payment", PAYMENT, {"Amount": "100", "Amounts per invoice": "INV-0001 200"}, "invoices", "the payment has"),
    ("/payment", PAYMENT, {"Customer": None}, "payer", "type who paid"),
    ("/payment assign PAY-0001", {"Customer": "ACME"}, {"Takes effect on": "2026-12-01"}, "effective_on", "future"),
    ("/payment assign PAY-0001", {"Customer": "ACME"}, {"Customer": None}, "customer", "required"),
    ("/payment assign PAY-0001", {}, {"Customer": "EURO"}, "amount", "is kept in EUR"),
    ("/payment allocate PAY-0002", {}, {"Amounts per invoice": "INV-0001 350"}, "invoices", "Allocate at most"),
    ("/payment unallocate PAY-0003", {}, {"Invoices": "INV-0009"}, "numbers", "There is no invoice"),
    ("/payment unallocate PAY-0003", {}, {"Invoices": "INV-0002"}, "", "pays none of these"),
    ("/payment edit PAY-0001", {}, {"Payer as on the statement": "   "}, "payer", "required"),
    ("/payment void PAY-0001", {}, {"Reason": "  "}, "reason", "required"),
    ("/customer new", CUSTOMER, {"Code": "AC ME"}, "code", "letters, digits"),
    ("/customer new", CUSTOMER, {"Code": "ACME"}, "code", "already belongs"),
    ("/customer new", CUSTOMER, {"Name": "  "}, "name", "required"),
    ("/customer new", CUSTOMER, {"Currency": "XXX"}, "currency", "not a currency"),
    ("/customer new", CUSTOMER, {"Currency": "XAF"}, "currency", "/duedesk settings currencies"),
    ("/customer new", CUSTOMER, {"Due days": "366"}, "due_days", "0 to 365"),
    ("/customer new", CUSTOMER, {"Due days": "-1"}, "due_days", "0 to 365"),
    ("/customer new", CUSTOMER, {"Due days": "1.5"}, "due_days", "whole number"),
    ("/customer new", CUSTOMER, {"Country": "S1"}, "country", "two letters"),
    ("/customer new", CUSTOMER, {"Time zone": "Singapore time"}, "zone", "time zone"),
    ("/customer new", CUSTOMER, {"Contact's e-mail": "not an address"}, "email", "e-mail address"),
    ("/customer edit ACME", {}, {"Code": "EURO"}, "code", "already belongs"),
    ("/invoice new", INVOICE, {"Lines": "Consulting"}, "lines", "description; quantity x price"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; two x 500"}, "lines", "not a quantity"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 2 x zero"}, "lines", "not an amount"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 2 x 0"}, "lines", "more than zero"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 0 x 5"}, "lines", "more than zero"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 2 x 5 USD"}, "lines", "is invoiced in SGD"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 2 x 5; 101%"}, "lines", "0 to 100"),
    ("/invoice new", INVOICE, {"Lines": "Consulting; 2 x 5; many"}, "lines", "not a tax rate"),
    ("/invoice new", INVOICE, {"Lines": "; 2 x 5"}, "lines", "empty"),
    ("/invoice new", INVOICE, {"Issue date": "2026-11-24"}, "issue_on", "future"),
    ("/invoice new", INVOICE, {"Due date": "2026-11-01"}, "due_on", "before the issue date"),
    ("/invoice new", INVOICE, {"Customer": None}, "customer", "required"),
    ("/withdraw", WITHDRAWAL, {"Amount": "0"}, "amount", "more than zero"),
    ("/withdraw", WITHDRAWAL, {"Amount": "-5"}, "amount", "more than zero"),
    ("/withdraw", WITHDRAWAL, {"Amount": "twelve"}, "amount", "not an amount"),
    ("/withdraw", WITHDRAWAL, {"Amount": "5 USD"}, "amount", "kept in SGD"),
    ("/withdraw", WITHDRAWAL, {"Amount": "61"}, "amount", "at most SGD 60.00"),
    ("/withdraw", WITHDRAWAL, {"Customer": None}, "customer", "required"),
    ("/withdraw", WITHDRAWAL, {"Customer": "EURO", "Amount": "5"}, "amount", "at most EUR 0.00"),
    ("/withdraw", WITHDRAWAL, {"To which account": None}, "details", "empty"),
    ("/withdraw", WITHDRAWAL, {"Reason": "  "}, "reason", "required"),
    ("/withdraw paid WDR-0001", {}, {"Payment reference": "  "}, "reference", "required"),
    (
        "/withdraw paid WDR-0001",
        {"Payment reference": "FT-1"},
        {"Paid on": "2026-12-01"},
        "effective_on",
        "future",
    ),
]


def _filled(url: str) -> None:
    """Two customers with an open invoice each, and payments in three states."""
    with running(url) as slack:
        world = slack.world
        acme = world.customer()
        other = world.customer("OTHER", name="Other Ltd")
        world.customer("EURO", name="Euro GmbH", of="EUR")
        world.invoice(acme, 300, auto=False)
        world.invoice(other, 80, auto=False)
        world.pay(50)
        world.pay(400, acme)
        paid = world.invoice(acme, 60, auto=False)
        world.pay(60, acme, to=((paid, None),))
        withdraw(world, acme, 40)
        slack.deliver()


@pytest.fixture
def template() -> Template:
    return "bad input", _filled


@pytest.mark.rules(3, 10, 11, 12)
@pytest.mark.parametrize(("line", "good", "bad", "field", "says"), CASES, ids=[f"{c[0]} {c[3]} {c[4]}" for c in CASES])
def test_bad_input_is_explained_on_its_field_and_writes_nothing(
    slack: Slack, line: str, good: dict[str, Any], bad: dict[str, Any], field: str, says: str
) -> None:
    before = slack.count("audit"), slack.count("outbox"), slack.count("entry")
    slack.type(line)
    answer = slack.fill({**good, **bad})
    errors = answer.get("errors") or {}
    view = slack.clerk.modal
    assert view is not None
    if field in {block.get("block_id") for block in view["blocks"]}:
        assert list(errors) == [field]
        assert says in errors[field]
        assert len(errors[field]) < 200
    else:
        assert says in shown(view)
    assert (slack.count("audit"), slack.count("outbox"), slack.count("entry")) == before
    for name, value in {**good, **bad}.items():
        if isinstance(value, str) and name != "Customer":
            block = next(each for each in view["blocks"] if each["type"] == "input" and each["label"]["text"] == name)
            kept = view["state"]["values"][block["block_id"]][block["element"]["action_id"]]
            assert value in kept.values()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("due_days", "-1", "whole number"),
        ("due_days", "a month", "whole number"),
        ("zone", "Mars/Base", "not a time zone"),
        ("locale", "xx", "Choose one of"),
        ("currencies", "SGD ZZZ", "not a currency"),
        ("tax_rates", "9 many", "per cent"),
        ("payment_series", "PAY", "prefix, a colon"),
        ("invoice_series", "INV-:99", "whole number"),
        ("hard_lock", "yesterday", "last locked day"),
        ("hard_lock", "2026-11-23", "before today"),
        ("nothing", "1", "There is no setting"),
    ],
)
def test_a_bad_setting_is_refused_with_what_to_type(slack: Slack, name: str, value: str, says: str) -> None:
    before = slack.count("audit")
    assert says in slack.type(f"/duedesk settings {name} {value}", by=OWNER)
    assert slack.count("audit") == before
