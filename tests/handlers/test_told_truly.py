"""What cards, threads, previews and the audit log say of an operation is what it did, and nothing else."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.domain.customer_file import CustomerFile
from bot.domain.customers import Contact, CustomerState, EditCustomer, edit_customer
from bot.domain.errors import NotUndoable
from bot.domain.settings import ChangeSetting, Settings, change_setting
from bot.domain.undo import Undo, undo
from bot.handlers.blocks.customer import customer_card
from sandbox.client import shown
from tests.slack import Slack
from tests.world import ADMIN, OWNER, START


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
    said = "Takes effect 21 Nov 2026 (5 Nov 2026 was asked; the books are locked up to 20 Nov 2026)."
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


@pytest.mark.rule(11)
@pytest.mark.parametrize(
    ("step", "values", "why"),
    [
        ("assign PAY-0001", {"Customer": "ACME"}, "the payment came in later"),
        ("allocate PAY-0002", {"Invoices": ["INV-0001"]}, "the invoice was issued later"),
    ],
)
def test_a_day_before_the_documents_were_there_is_said_on_form_and_card(
    slack: Slack, step: str, values: dict[str, object], why: str
) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 100, issued=-3, auto=False)
    slack.world.pay(50, received=-3)
    slack.world.pay(50, acme, received=-9)
    slack.type(f"/payment {step}")
    assert slack.fill({**values, "Takes effect on": "2026-11-15"})["ok"]
    said = f"Takes effect 20 Nov 2026 (15 Nov 2026 was asked; {why})."
    assert said in shown(slack.clerk.modal or {})
    assert said in shown(slack.card(step.split()[1]))
    slack.world.check()


def test_money_that_came_in_before_the_lock_says_from_when_it_counts(slack: Slack) -> None:
    slack.world.do(change_setting, ChangeSetting(name="hard_lock", value="2026-11-20"), by=ADMIN)
    slack.type("/payment Somebody 50 on 2026-11-05")
    slack.clerk.submit()
    said = "Takes effect 21 Nov 2026 (5 Nov 2026 was asked; the books are locked up to 20 Nov 2026)."
    assert said in shown(slack.card("PAY-0001"))


@pytest.mark.rules(8, 17)
def test_taking_back_counts_from_its_own_day_though_the_freed_money_pays_today(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 100, issued=-9)
    slack.world.pay(100, acme, received=-9)
    slack.world.invoice(acme, 40, issued=-8)
    slack.type("/payment unallocate PAY-0001")
    assert slack.fill({"Takes effect on": "2026-11-16"})["ok"]
    done = shown(slack.clerk.modal or {})
    assert "Takes effect 16 Nov 2026." in done
    assert "INV-0002  40.00 of 40.00 → paid" in done
    slack.world.check()


def test_undo_too_late_says_what_brings_the_payment_back(slack: Slack) -> None:
    acme = slack.world.customer()
    invoice = slack.world.invoice(acme, 20, auto=False)
    slack.world.do(change_setting, ChangeSetting(name="undo_minutes", value="1"), by=ADMIN)
    made = [slack.world.pay(50), slack.world.pay(50, acme), slack.world.pay(50, acme, to=((invoice, None),))]
    slack.world.now += timedelta(minutes=2)
    instead = (
        "void PAY-0001 instead, or assign it",
        "un-assign PAY-0002 instead",
        "take the allocations of PAY-0003 back instead",
    )
    for outcome, expected in zip(made, instead, strict=True):
        with pytest.raises(NotUndoable, match=expected):
            slack.world.do(undo, Undo(operation_id=outcome.operation_id))


@pytest.mark.rule(112)
def test_forms_buttons_and_confirmations_write_money_and_days_as_the_locale_does(slack: Slack) -> None:
    slack.world.do(change_setting, ChangeSetting(name="locale", value="de"), by=ADMIN)
    slack.world.customer()
    slack.type("/payment Acme 1.234,50 ref TT-1")
    assert (slack.clerk.modal or {})["submit"]["text"] == "Record SGD 1.234,50"
    assert slack.clerk.submit()["ok"]
    undo_button = next(each for each in _buttons(slack.card("PAY-0001")) if each["action_id"] == "undo")
    assert "PAY-0001 recorded: SGD 1.234,50" in undo_button["confirm"]["text"]["text"]
    again = slack.type("/payment Acme 1.234,50 ref TT-1")
    assert "This looks like PAY-0001: SGD 1.234,50 received 23 Nov. 2026" in again
    slack.clerk.close()
    slack.type("/invoice new Acme; Consulting; 1 x 1.500,50; 0%")
    slack.clerk.submit()
    assert (slack.clerk.modal or {})["submit"]["text"] == "Save SGD 1.500,50"
    assert slack.clerk.submit()["ok"]
    send = next(each for each in _buttons(slack.clerk.modal or {}) if each["action_id"] == "invoice_send")
    assert "SGD 1.500,50 will be owed" in send["confirm"]["text"]["text"]


def _buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for block in message["blocks"] if block["type"] == "actions" for each in block["elements"]]


def test_a_draft_shows_nothing_open_and_nothing_that_changed(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/invoice new Acme; Consulting; 2 x 500; 9%")
    slack.clerk.submit()
    assert slack.clerk.submit()["ok"]
    done = shown(slack.clerk.modal or {})
    assert "DRAFT-" in done
    assert "Open" not in done
    assert "Amount due" not in done


def test_a_payment_that_is_used_up_counts_and_leaves_in_plain_words(slack: Slack) -> None:
    acme = slack.world.customer()
    invoice = slack.world.invoice(acme, 50, auto=False)
    slack.world.pay(50, acme, to=((invoice, None),))
    said = slack.type("/payment show PAY-0001")
    assert "can be assigned or un-assigned 4 more times" in said
    assert "left as credit" not in said
    for step in ("unallocate", "unassign", "assign", "unassign", "assign"):
        slack.type(f"/payment {step} PAY-0001")
        assert slack.fill({"Customer": "ACME"} if step == "assign" else {})["ok"]
        said = slack.type("/payment show PAY-0001")
    assert "cannot be assigned or un-assigned any more" in said


def test_contacts_in_the_audit_are_counted_and_never_spread(slack: Slack) -> None:
    acme = slack.world.customer()
    contacts = (Contact(name="Ann", email="ann@example.com"), Contact(name="Bob"))
    for version, kept in ((1, contacts), (2, contacts[:1])):
        edit = EditCustomer(customer_id=acme.id, version=version, code="ACME", name=acme.name, contacts=kept)
        slack.world.do(edit_customer, edit)
    found = slack.world.store.read(
        lambda books: books.connection.exec_driver_sql(
            "SELECT before, after FROM audit WHERE event = 'Edit customer' ORDER BY id"
        ).all()
    )
    assert ['"contacts": "0"' in found[0][0], '"contacts": "2"' in found[1][0]] == [True, True]
    assert ['"contacts": "2,' in found[0][1], '"contacts": "1,' in found[1][1]] == [True, True]
    assert "ann" not in str(found).lower()


@pytest.mark.rule(114)
def test_a_suspended_customer_is_called_suspended(slack: Slack) -> None:
    customer = replace(slack.world.customer(), state=CustomerState.SUSPENDED)
    file = CustomerFile(customer=customer, contacts=(), open_invoices=(), open_count=0, unapplied=())
    assert "postpaid   suspended" in shown({"blocks": customer_card(file, Settings(), START)})
