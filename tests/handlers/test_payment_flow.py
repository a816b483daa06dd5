"""From a typed command to a card: form, preview, write, allocation, undo; by signed payloads."""

import pytest

from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, VIEWER, money


@pytest.mark.rules(1, 5, 21)
def test_a_typed_payment_is_previewed_confirmed_once_and_becomes_a_card(slack: Slack) -> None:
    acme = slack.world.customer()
    invoice = slack.world.invoice(acme, 300, due=10, auto=False)
    form = slack.type(f"/payment Acme 500 bank ref TT-881 inv {invoice.number}")
    assert f"{invoice.number}  300.00 of 300.00 → paid" in form
    assert "Amount due 300.00 DR → 200.00 CR" in form
    assert slack.count("payment") == 0
    assert slack.clerk.submit()["ok"]
    done = slack.clerk.modal
    assert done is not None
    assert "Payment PAY-0001 · ACME Pte Ltd · SGD 500.00 · partly allocated" in shown(done)
    card = slack.card("PAY-0001")
    assert "200.00 left as credit" in shown(card)
    assert slack.world.read_customer(acme).amount_due == money(-200)
    slack.world.check()


def test_an_empty_command_opens_the_form_and_a_filled_form_is_previewed_before_it_writes(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment")
    slack.clerk.fill({"Amount": "1,234.50", "Customer": "ACME", "Reference": "TT-1"})
    assert slack.clerk.submit()["ok"]
    assert slack.count("payment") == 0
    assert "SGD 1,234.50, received 23 Nov 2026 by bank transfer, for ACME Pte Ltd" in shown(slack.clerk.modal or {})
    assert (slack.clerk.modal or {})["submit"]["text"] == "Record SGD 1,234.50"
    assert slack.clerk.submit()["ok"]
    assert slack.count("payment") == 1


def test_a_form_changed_after_its_preview_is_previewed_again(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.fill({"Payer as on the statement": "ACME GROUP"})
    assert slack.clerk.submit()["ok"]
    assert slack.count("payment") == 0
    assert slack.clerk.submit()["ok"]
    assert slack.count("payment") == 1


def test_the_effect_follows_while_fields_change(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 100)
    slack.type("/payment")
    slack.clerk.fill({"Customer": "ACME", "Amount": "500"})
    assert "INV-0001  100.00 of 100.00 → paid" in shown(slack.clerk.modal or {})


def test_an_ambiguous_name_answers_choices_and_the_chosen_one_fills_the_form(slack: Slack) -> None:
    slack.world.customer("AIR", name="Acme Air")
    slack.world.customer("SEA", name="Acme Sea")
    said = slack.type("/payment Acme 500")
    assert "Which Acme do you mean?" in said
    message = slack.clerk.ephemerals("finance")[-1]
    slack.clerk.press(message, "Acme Sea · SEA")
    assert "for Acme Sea" in shown(slack.clerk.modal or {})
    assert slack.count("payment") == 0


@pytest.mark.rules(17, 20)
def test_undo_on_the_card_reverses_everything_and_the_card_says_so(slack: Slack) -> None:
    acme = slack.world.customer()
    invoice = slack.world.invoice(acme, 300)
    slack.type("/payment Acme 300")
    assert slack.clerk.submit()["ok"]
    card = slack.card("PAY-0001")
    assert slack.clerk.press(card, "Undo")["ok"]
    assert slack.world.read_invoice(invoice).status == "awaiting payment"
    again = slack.card("PAY-0001")
    assert again["ts"] == card["ts"]
    assert "void" in again["text"]
    assert not [block for block in again["blocks"] if block["type"] == "actions"]
    assert any("undone" in line for line in slack.thread(card))
    slack.world.check()


@pytest.mark.rules(6, 7, 18)
def test_unassigning_counts_down_the_edits_and_says_when_the_last_one_is_used(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500")
    slack.clerk.submit()
    for step in ("unassign", "assign", "unassign", "assign"):
        form = slack.type(f"/payment {step} PAY-0001")
        if step == "assign":
            slack.clerk.fill({"Customer": "ACME"})
            form = shown(slack.clerk.modal or {})
        assert "It can be assigned or un-assigned" in form or "This is the last time" in form
        assert slack.clerk.submit()["ok"]
    assert "This is the last time" in form
    assert "assigned and un-assigned 5 times" in slack.type("/payment unassign PAY-0001")
    slack.world.check()


@pytest.mark.rule(119)
def test_a_viewer_sees_but_cannot_record(slack: Slack) -> None:
    slack.world.customer()
    assert "This needs the right of a clerk; you are viewer." in slack.type("/payment Acme 500", by=VIEWER)
    assert slack.person(VIEWER).modal is None
    assert "Aged receivables" in slack.type("/aging", by=VIEWER)


def test_every_stage_of_a_payment_stays_in_its_thread(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.world.invoice(acme, 100, auto=False)
    slack.type("/payment Acme 100")
    slack.clerk.submit()
    card = slack.card("PAY-0001")
    slack.type("/payment allocate PAY-0001", by=CLERK)
    assert slack.fill({"Invoices": ["INV-0001"]})["ok"]
    slack.type("/payment unallocate PAY-0001")
    assert slack.clerk.submit()["ok"]
    slack.cards()
    said = slack.thread(card)
    assert ["allocated" in said[0], "allocation taken back" in said[1]] == [True, True]
    assert len([each for each in slack.cards() if "PAY-0001" in each["text"]]) == 1


def test_bank_transfer_is_one_method_and_not_a_word_typed_twice(slack: Slack) -> None:
    slack.world.customer()
    assert "SGD 500.00, received 23 Nov 2026 by bank transfer, for ACME Pte Ltd" in slack.type(
        "/payment Acme 500 bank transfer ref TT-9"
    )


def test_the_same_money_again_asks_for_a_tick_and_shows_what_it_may_repeat(slack: Slack) -> None:
    slack.world.customer()
    slack.type("/payment Acme 500 ref TT-881")
    assert slack.clerk.submit()["ok"]
    slack.type("/payment Acme 500 ref tt-881")
    refused = slack.clerk.submit()
    assert refused["errors"] == {"sure": "Tick this if it is not the same; else cancel."}
    assert slack.count("payment") == 1
    slack.clerk.press(slack.clerk.modal or {}, "Look at PAY-0001")
    assert "Payment PAY-0001" in shown(slack.clerk.modal or {})
    slack.clerk.close()
    slack.clerk.fill({"Again": ["yes"]})
    answer = slack.clerk.submit()
    assert answer["ok"]
    assert slack.count("payment") == 2
    slack.sandbox.redeliver(answer["delivery"], times=2, parallel=True)
    assert slack.count("payment") == 2
    slack.world.check()


def test_somebody_who_was_quicker_is_noticed_when_the_form_is_sent(slack: Slack) -> None:
    acme = slack.world.customer()
    slack.type("/payment Acme 500")
    slack.world.pay(500, acme)
    slack.clerk.submit()
    assert "This looks like PAY-0001" in shown(slack.clerk.modal or {})
    assert slack.count("payment") == 1
