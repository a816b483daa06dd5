"""What cards, threads, previews and the audit log say of an operation is what it did, and nothing else."""

import pytest

from bot.domain.settings import ChangeSetting, change_setting
from sandbox.client import shown
from tests.slack import Slack
from tests.world import ADMIN, OWNER


def newest_audit(slack: Slack) -> str:
    return slack.type("/duedesk audit", by=OWNER)


@pytest.mark.rule(17)
def test_taking_one_allocation_back_names_that_one_alone(slack: Slack) -> None:
    acme = slack.world.customer()
    first = slack.world.invoice(acme, 100, auto=False)
    second = slack.world.invoice(acme, 20, auto=False)
    slack.type("/payment Acme 120")
    slack.fill({"Invoices": [first.label, second.label]})
    card = slack.card("PAY-0001")
    slack.type("/payment unallocate PAY-0001")
    slack.clerk.fill({"Invoices": second.label})
    slack.clerk.submit()
    form = shown(slack.clerk.modal or {})
    assert f"{second.label}  20.00 taken back → 20.00 open" in form
    assert f"{first.label}  100.00" not in form
    assert slack.clerk.submit()["ok"]
    slack.deliver()
    note = slack.thread(card)[-1]
    assert f"SGD 20.00 back from {second.label}" in note
    assert first.label not in note
    assert f"PAY-0001 allocation taken back: SGD 20.00; SGD 20.00 back from {second.label}" in newest_audit(slack)


@pytest.mark.rule(23)
def test_the_card_of_money_that_pays_by_itself_shows_what_is_left(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    assert "500.00 left as credit" in shown(slack.card("PAY-0001"))
    invoice = slack.world.invoice(acme, 300)
    card = slack.card("PAY-0001")
    assert "partly allocated" in card["text"]
    assert "200.00 left as credit" in shown(card)
    assert f"{invoice.label} sent: SGD 200.00 left" in slack.thread(card)[-1]
    slack.world.check()


def test_an_invoice_keeps_its_lines_on_its_card_and_names_who_paid_it(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 300, tax="9", auto=False)
    before = shown(slack.card("INV-0001"))
    slack.type("/payment Acme 100")
    assert slack.fill({"Invoices": ["INV-0001"]})["ok"]
    after = shown(slack.card("INV-0001"))
    line = next(line for line in before.splitlines() if "%" in line)
    assert line in after
    assert "PAY-0001" in after


@pytest.mark.rule(19)
def test_an_edit_tells_what_was_before_and_what_is_now(slack: Slack) -> None:
    slack.type("/payment Somebody 50")
    slack.clerk.submit()
    slack.type("/payment edit PAY-0001")
    assert slack.clerk.submit()["ok"]
    assert "Nothing of PAY-0001 is different" in shown(slack.clerk.modal or {})
    slack.clerk.close()
    slack.type("/payment edit PAY-0001")
    slack.clerk.fill({"Method": "Cheque"})
    slack.clerk.submit()
    assert "Method bank transfer → cheque" in shown(slack.clerk.modal or {})
    assert slack.clerk.submit()["ok"]
    found = slack.world.store.read(
        lambda books: books.connection.exec_driver_sql(
            "SELECT before, after FROM audit WHERE event = 'Edit payment'"
        ).one()
    )
    assert '"method": "bank transfer"' in found[0]
    assert '"method": "cheque"' in found[1]


@pytest.mark.rule(115)
def test_a_customers_edit_tells_what_was_before_and_one_that_changes_nothing_is_refused(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/customer edit Acme")
    assert slack.clerk.submit()["ok"]
    slack.clerk.submit()
    assert "is different" in shown(slack.clerk.modal or {})
    slack.clerk.close()
    slack.type("/customer edit Acme")
    slack.fill({"Name": "Acme Neu"})
    found = slack.world.store.read(
        lambda books: books.connection.exec_driver_sql(
            "SELECT before, after FROM audit WHERE event = 'Edit customer'"
        ).one()
    )
    assert '"name": "ACME Pte Ltd"' in found[0]
    assert '"name": "Acme Neu"' in found[1]


def test_a_day_that_cannot_be_had_is_said_with_the_reason(slack: Slack) -> None:
    slack.world.do(change_setting, ChangeSetting(name="hard_lock", value="2026-11-20"), by=ADMIN)
    acme = slack.world.customer()
    slack.world.invoice(acme, 100, issued=-9)
    slack.world.pay(100, acme, received=-9)
    slack.type("/payment unallocate PAY-0001")
    slack.clerk.fill({"Takes effect on": "2026-11-05"})
    slack.clerk.submit()
    said = "Counts from 21 Nov 2026, not 5 Nov 2026: the books are locked before 21 Nov 2026."
    assert said in shown(slack.clerk.modal or {})


def test_a_void_is_previewed_as_a_void_and_undo_names_what_it_takes_back(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 100, auto=False)
    slack.type("/payment Somebody 77")
    slack.clerk.submit()
    slack.type("/payment void PAY-0001")
    slack.clerk.fill({"Reason": "bounced"})
    slack.clerk.submit()
    assert "PAY-0001, SGD 77.00, is taken out of the books again; its number stays." in shown(slack.clerk.modal or {})
    slack.clerk.close()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    slack.type("/payment allocate PAY-0002")
    assert slack.fill({"Invoices": ["INV-0001"]})["ok"]
    buttons = next(block for block in slack.card("PAY-0002")["blocks"] if block["type"] == "actions")["elements"]
    undo = next(each for each in buttons if each["action_id"] == "undo")
    assert "PAY-0002 allocated: SGD 100.00" in undo["confirm"]["text"]["text"]


@pytest.mark.parametrize("step", ["assign", "edit", "void"])
def test_a_form_says_which_payment_it_is_about(slack: Slack, step: str) -> None:
    slack.type("/payment Somebody 77")
    slack.clerk.submit()
    slack.type(f"/payment {step} PAY-0001")
    assert "PAY-0001 · Somebody · SGD 77.00 · received 23 Nov 2026" in shown(slack.clerk.modal or {})


def test_undo_is_not_offered_where_no_time_is_given_for_it(slack: Slack) -> None:
    slack.world.customer()
    slack.world.do(change_setting, ChangeSetting(name="undo_minutes", value="0"), by=ADMIN)
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    assert "Undo" not in shown(slack.card("PAY-0001"))


@pytest.mark.rule(26)
def test_auto_allocation_is_switched_by_each_press_of_its_button(slack: Slack) -> None:
    slack.world.invoice(slack.world.customer(), 100)
    for expected in (False, True, False):
        slack.clerk.press(slack.card("INV-0001"), "Auto-allocation off" if not expected else "Auto-allocation on")
        now = slack.world.store.read(lambda books: books.invoice("INV-0001"))
        assert now is not None
        assert now.auto_allocate is expected


def test_aged_receivables_of_a_book_with_nothing_but_unassigned_money_are_told(slack: Slack) -> None:
    slack.type("/payment Somebody 77")
    slack.clerk.submit()
    assert "not assigned yet 77.00" in slack.type("/aging")


@pytest.mark.rule(114)
def test_the_word_non_operational_is_kept_for_those_who_spend(slack: Slack) -> None:
    slack.world.customer()
    assert "non operational" not in slack.type("/customer ACME")
    slack.type("/customer new")
    slack.fill({"Name": "Prepaid Ltd", "Code": "PRE", "Currency": "SGD", "Payment mode": "Prepaid"})
    assert "non operational" in slack.type("/customer PRE")
