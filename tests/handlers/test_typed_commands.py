"""What was typed is what is understood: nothing is guessed, and what is not understood is said."""

import pytest

from bot.domain.operation import Role
from bot.domain.people import Grant, Profile, grant
from bot.domain.settings import NAMES
from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, OWNER, TEAM


def form_of(slack: Slack) -> str:
    return shown(slack.clerk.modal or {})


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "line",
    ['"Ocean Bank Pte" 500 cheque ref 1', 'OB 500 cheque note "paid at bank counter"', "Somebody 5 cheque: ref 9"],
)
def test_the_method_is_the_keyword_and_no_word_of_a_name(slack: Slack, line: str) -> None:
    slack.type(f"/payment {line}")
    assert "by cheque" in form_of(slack)


@pytest.mark.rule(4)
@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(("known", "typed"), [("Wang Trading", "Wong Trading"), ("Stanley Works", "Tan")])
def test_a_customer_is_not_guessed_and_the_typed_payer_is_kept(slack: Slack, known: str, typed: str) -> None:
    slack.type("/customer new")
    slack.fill({"Name": known, "Code": "ONE", "Currency": "SGD"})
    slack.clerk.close()
    said = slack.type(f"/payment {typed} 500")
    assert f"There is no {typed}" in said
    assert not form_of(slack)
    slack.clerk.press(slack.clerk.ephemerals("finance")[-1], f"{known} · ONE")
    assert slack.clerk.submit()["ok"]
    payment = slack.world.store.read(lambda books: books.payment("PAY-0001"))
    assert payment is not None
    assert (payment.payer, payment.customer_id is not None) == (typed, True)


def test_payments_are_found_in_any_case_by_reference_and_by_customer(slack: Slack) -> None:
    slack.world.customer()
    slack.type('/payment Acme 500 ref TT-881 from "École Else"')
    assert slack.clerk.submit()["ok"]
    for typed in ("tt-881", "TT-881", "pay-0001", "École Else", "acme", "ACME Pte"):
        assert "PAY-0001" in slack.type(f"/payment list {typed}"), typed
    assert "No payment matches" in slack.type("/payment list nobody")


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    "line",
    [
        "/aging as-of 0001-01-01",
        "/duedesk audit until 9999-12-31",
        "/payment Acme 5 on 0001-01-05",
        "/payment Acme 5 on 1900-01-05",
    ],
)
def test_a_day_of_another_century_is_refused_in_plain_words(slack: Slack, line: str) -> None:
    slack.world.customer()
    assert "is not in the years 2000 to 2099" in slack.type(line, by=OWNER if "audit" in line else CLERK)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_channel_is_emptied_with_a_dash_and_a_strange_one_is_refused(slack: Slack) -> None:
    assert "finance_channel:" in slack.type("/duedesk settings finance_channel -", by=OWNER)
    assert "invite me there first" in slack.type("/duedesk settings finance_channel nonsense", by=OWNER)
    assert slack.world.store.read(lambda books: books.settings().finance_channel) == ""


@pytest.mark.rule(116)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_audit_log_is_not_shown_for_words_that_are_no_filter(slack: Slack) -> None:
    slack.world.customer()
    assert "foo bar is no filter" in slack.type("/duedesk audit foo bar", by=OWNER)
    assert "foo is no filter" in slack.type("/duedesk audit csv foo", by=OWNER)
    assert "Nothing stands behind customer" in slack.type("/duedesk audit customer", by=OWNER)
    for by in ("by clerk", "by"):
        assert "Name the person with @" in slack.type(f"/duedesk audit {by}", by=OWNER)
    name = slack.sandbox.workspace.person(OWNER).name
    found = slack.type(f"/duedesk audit by @{name}", by=OWNER)
    assert "Grant" in found
    assert f"@{OWNER}" in found


@pytest.mark.rule(13)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_invoices_are_listed_by_a_name_that_is_also_a_weekday_and_an_ambiguous_day_is_asked_back(slack: Slack) -> None:
    invoice = slack.world.invoice(slack.world.customer("SUN", name="Sun Foods"), 10)
    for typed in ("sun", "open sun", f"{invoice.issue_on}"):
        assert invoice.label in slack.type(f"/invoice list {typed}"), typed
    assert "can be 3 apr or 4 mar" in slack.type("/invoice list 3/4").lower()
    assert "No invoice matches" in slack.type("/invoice list Studio 54")


@pytest.mark.rule(103)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_series_makes_numbers_that_are_found_and_are_no_other_s(slack: Slack) -> None:
    for typed in ("20261123:6", "P1:1", "-:4", "é-:4", "INV-:6"):
        assert "prefix" in slack.type(f"/duedesk settings payment_series {typed}", by=OWNER), typed
    assert "PAY-:4 → RC/:4" in slack.type("/duedesk settings payment_series rc/:4", by=OWNER)
    slack.type("/payment Somebody 77")
    assert slack.clerk.submit()["ok"]
    assert "RC/0001" in slack.type("/payment show rc/0001")


@pytest.mark.rule(4)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_payment_may_be_nobody_s_of_those_offered(slack: Slack) -> None:
    slack.world.customer("ONE", name="Wang Trading")
    slack.type("/payment Wong Trading 500")
    slack.clerk.press(slack.clerk.ephemerals("finance")[-1], "Nobody yet")
    assert slack.clerk.submit()["ok"]
    payment = slack.world.store.read(lambda books: books.payment("PAY-0001"))
    assert payment is not None
    assert (payment.payer, payment.customer_id) == ("Wong Trading", None)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_an_invoice_asks_which_customer_of_several_and_says_when_there_is_none(slack: Slack) -> None:
    for code in ("ONE", "TWO"):
        slack.world.customer(code, name="Same Name Ltd")
    assert "No customer is called Zzyzx" in slack.type("/invoice new Zzyzx; A; 5")
    assert "Which Same Name Ltd do you mean?" in slack.type("/invoice new Same Name Ltd; A; 5")
    assert not form_of(slack)
    slack.clerk.press(slack.clerk.ephemerals("finance")[-1], "Same Name Ltd · TWO")
    assert "TWO" in form_of(slack)
    assert "'initial_value': 'A; 5'" in str(slack.clerk.modal)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_dash_is_offered_for_the_settings_that_it_empties_and_for_no_other(slack: Slack) -> None:
    for name, value in (("company", "Example"), ("hard_lock", "2026-10-31"), ("soft_lock", "2026-10-31")):
        slack.type(f"/duedesk settings {name} {value}", by=OWNER)
    for name in NAMES:
        now = getattr(slack.world.store.read(lambda books: books.settings()), name)
        offered = "or - to empty it" in slack.type(f"/duedesk settings {name}", by=OWNER)
        emptied = "→ empty" in slack.type(f"/duedesk settings {name} -", by=OWNER)
        assert offered == (emptied and now != ""), name


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_form_refuses_a_day_of_another_century_under_its_field(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/invoice new Acme; A; 5")
    slack.clerk.fill({"Issue date": "9999-12-31"})
    assert "is not in the years 2000 to 2099" in slack.clerk.submit()["errors"]["issue_on"]


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_name_with_an_ampersand_is_that_name(slack: Slack) -> None:
    slack.type("/customer new Johnson & Johnson")
    slack.fill({"Code": "JJ", "Currency": "SGD"})
    found = slack.world.store.read(lambda books: books.find_customers("JJ"))
    assert [each.name for each in found] == ["Johnson & Johnson"]
    slack.world.invoice(found[0], 10)
    assert "JJ" in slack.type("/customer Johnson & Johnson")
    assert "JJ" in slack.type("/customer list Johnson & J")
    assert "INV-0001" in slack.type("/invoice list Johnson & Johnson")
    slack.type('/invoice new "Johnson & Johnson"; Salt & pepper; 5')
    assert "Johnson & Johnson" in str(slack.clerk.modal)
    assert "Salt & pepper" in str(slack.clerk.modal)
    slack.type("/duedesk settings company Tom & Jerry", by=OWNER)
    assert slack.world.store.read(lambda books: books.settings().company) == "Tom & Jerry"


@pytest.mark.rule(60)
def test_a_name_that_begins_with_a_sub_command_is_that_customer(slack: Slack) -> None:
    for code, name in (("NW", "New World"), ("LF", "List Foods"), ("W", "World")):
        slack.world.customer(code, name=name)
    for typed in ("new  world", "NEW WORLD", '"New World"', "“New World”"):
        assert "Customer New World (NW)" in slack.type(f"/customer {typed}"), typed
    assert "Customer World (W)" in slack.type("/customer show World")
    for typed in ("List Foods 500", '"List Foods" 500 cash', "list foods cash 500", "record List Foods 500"):
        slack.type(f"/payment {typed}")
        assert "List Foods · LF" in str(slack.clerk.modal), typed
        slack.clerk.close()
    assert "No payment matches" in slack.type("/payment list Foods")
    assert "No payment matches" in slack.type("/payment list cash giro")
    slack.type("/customer new Worldwide")
    assert "New customer" in form_of(slack)


@pytest.mark.rule(13)
def test_an_invoice_is_offered_by_its_number_and_by_its_issue_date_with_its_currency(slack: Slack) -> None:
    customer = slack.world.customer("ACME", name="7-11 Bugis")
    slack.world.invoice(customer, 300, issued=-1, auto=False)
    slack.world.invoice(customer, 80, issued=-40, auto=False)
    slack.type("/payment ACME 500")

    def offered(text: str) -> list[str]:
        return [each["text"]["text"] for each in slack.clerk.options("Invoices", text)]

    assert offered("") == ["INV-0002 · SGD 80.00 left", "INV-0001 · SGD 300.00 left"]
    for text in ("2026-11-22", "22 nov", "inv-0001"):
        assert offered(text) == ["INV-0001 · SGD 300.00 left"], text
    assert offered("yesterday") == offered("2026-11-23") == offered("3/4") == []
    assert "INV-0002" in slack.type("/invoice list 7-11")


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_more_customers_than_buttons_are_counted(slack: Slack) -> None:
    for index in range(7):
        slack.world.customer(f"F{index}", name=f"Food {index}")
    for line in ("/payment Food 500", "/customer Food", "/invoice new Food; A; 5"):
        assert "Which Food do you mean? These and 2 more; type more of the name." in slack.type(line)
    assert "and 2 more; type the code" in slack.type("/customer edit Food")
    for index in range(7, 60):
        slack.world.customer(f"F{index}", name=f"Food {index}")
    assert "and at least 45 more" in slack.type("/customer Food")


@pytest.mark.rule(118)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_people_beyond_those_shown_are_counted(slack: Slack) -> None:
    for index in range(50):
        profile = Profile(team=TEAM, user=f"U0NEW{index}", name=f"New {index}")
        slack.world.do(grant, Grant(profile=profile, role=Role.VIEWER), by=OWNER)
    assert "and 10 more" in slack.type("/duedesk roles", by=OWNER)
