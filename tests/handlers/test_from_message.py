"""Recording a payment from a message: suggestions with their words, nothing written before it was checked."""

import json
from typing import Any

import pytest

from bot.domain.settings import ChangeSetting, change_setting
from bot.handlers.parse.messages import seen
from sandbox.client import shown
from tests.handlers.test_doors import DOORS, EACH_DOOR
from tests.slack import FINANCE, NOBODY, Slack
from tests.world import ADMIN, CLERK, MANAGER, START, VIEWER

SHORTCUT = "record_from_message"
BANK = "You have received SGD 500.00 from ACME PTE. LTD. via PayNow on 22 Nov 2026. Ref: TT-881. INV-0001, INV-0002"


@pytest.fixture
def acme(slack: Slack) -> Slack:
    """A customer with two open invoices and a paid one; messages are of the book's day."""
    slack.sandbox.workspace.clock = START.timestamp
    slack.world.keep("USD")
    customer = slack.world.customer(name="Acme Pte Ltd")
    slack.world.invoice(customer, 300, auto=False)
    slack.world.invoice(customer, 320, auto=False)
    paid = slack.world.invoice(customer, 50, auto=False)
    slack.world.pay(50, customer, to=((paid, None),))
    slack.deliver()
    return slack


def said(slack: Slack, text: str, by: str = CLERK) -> dict[str, Any]:
    """A message of a person, as the clerk sees it."""
    ts = slack.person(by).say("finance", text)
    return next(each for each in slack.clerk.messages("finance") if each["ts"] == ts)


def posted(slack: Slack, **message: Any) -> dict[str, Any]:
    """A message of the bot itself, as of any other app."""
    ts = slack.duedesk.client.api_call("chat.postMessage", json={"channel": FINANCE, **message})["ts"]
    return next(each for each in slack.clerk.messages("finance") if each["ts"] == ts)


def form(slack: Slack, message: dict[str, Any], by: str = CLERK, shortcut: str = SHORTCUT) -> dict[str, Any]:
    """What the form shows and has filled in, by label."""
    person = slack.person(by)
    person.shortcut(shortcut, on=message)
    view = person.modal
    assert view is not None
    found: dict[str, Any] = {"notes": "", "line": ""}
    for block in view["blocks"]:
        if block.get("block_id") == "notes":
            found["notes"] = "\n".join(each["text"] for each in block["elements"])
        if block.get("block_id") == "subject":
            found["line"] = block["elements"][0]["text"]
        if block["type"] == "input":
            element = block["element"]
            chosen = element.get("initial_option") or {}
            several = [each["text"]["text"] for each in element.get("initial_options", [])]
            plain = element.get("initial_value") or element.get("initial_date") or chosen.get("text", {}).get("text")
            found[block["label"]["text"]] = several or plain
    return found


@EACH_DOOR
def test_what_a_message_says_is_suggested_and_only_a_checked_form_is_written(acme: Slack, door: str) -> None:
    with DOORS[door](acme):
        filled = form(acme, said(acme, BANK))
        assert filled["Customer"] == "Acme Pte Ltd · ACME"
        assert filled["Amount"] == "500.00 SGD"
        assert filled["Received on"] == "2026-11-22"
        assert filled["Reference"] == "TT-881"
        assert filled["Invoices"] == ["INV-0001 · SGD 300.00 left", "INV-0002 · SGD 320.00 left"]
        assert filled["Payer as on the statement"] == "ACME PTE. LTD."
        assert filled["Remark"] == "From a message in #finance"
        assert filled["line"].startswith("From a message in #finance, ")
        assert "amount from “SGD 500.00”" in filled["notes"]
        assert "received on from “22 Nov 2026”" in filled["notes"]
        assert acme.count("payment") == 1
        assert acme.clerk.submit()["ok"]
        assert acme.count("payment") == 1
        assert "amount from “SGD 500.00”" in shown(acme.clerk.modal or {})
        assert acme.clerk.submit()["ok"]
    card = acme.card("PAY-0002")
    assert "SGD 500.00 · fully allocated" in card["text"]
    assert "From a message in #finance" in shown(card)
    acme.world.check()


def test_money_that_went_out_fills_nothing_in(acme: Slack) -> None:
    filled = form(acme, said(acme, "SGD 500.00 was debited from your account to Acme Pte Ltd on 22 Nov 2026"))
    assert "This reads like money going out: “debited”" in filled["notes"]
    assert {filled[name] for name in ("Customer", "Amount", "Received on", "Reference", "Invoices")} == {None}
    assert acme.clerk.submit()["errors"]
    assert acme.count("payment") == 1


@pytest.mark.parametrize(
    ("text", "field", "says"),
    [
        ("Received $500.00 from Acme Pte Ltd", "Amount", "amount: $500.00 can be"),
        ("SGD 500.00 or SGD 550.00 from Acme Pte Ltd", "Amount", "amount: "),
        ("SGD 500.00 from Acme Pte Ltd", "Received on", "received on: no day stands in the message"),
        ("SGD 500.00 from Acme Pte Ltd on 03/04/2026", "Received on", "received on: "),
        ("SGD 500.00 from Acne Pte Ltd", "Customer", "customer: nobody is called Acne Pte Ltd"),
        ("SGD 500.00 received", "Customer", "customer: no payer was read"),
        ("SGD 50.00 from Acme Pte Ltd INV-0003", "Invoices", "invoices: INV-0003 is paid"),
        ("SGD 50.00 from Acme Pte Ltd INV-0999", "Invoices", "invoices: there is no INV-0999"),
    ],
)
def test_what_is_not_certain_is_asked_with_the_reason(acme: Slack, text: str, field: str, says: str) -> None:
    filled = form(acme, said(acme, text))
    assert filled[field] is None
    assert says in filled["notes"]


def test_a_typing_error_of_the_bank_is_no_match_and_two_of_one_name_are_none(acme: Slack) -> None:
    acme.world.customer("ACME2", name="ACME PTE LTD")
    filled = form(acme, said(acme, "SGD 500.00 from Acme Pte Ltd"))
    assert filled["Customer"] is None
    assert filled["Payer as on the statement"] == "Acme Pte Ltd"


def test_an_invoice_says_whose_payment_it_is_and_another_customers_is_not_chosen(acme: Slack) -> None:
    filled = form(acme, said(acme, "SGD 300.00 from Parent Holdings Ltd, INV 0001"))
    assert filled["Customer"] == "Acme Pte Ltd · ACME"
    assert filled["Invoices"] == ["INV-0001 · SGD 300.00 left"]
    assert filled["Payer as on the statement"] == "Parent Holdings Ltd"
    assert "INV-0001 is one of Acme Pte Ltd, who is chosen for it" in filled["notes"]
    acme.clerk.close()
    acme.world.customer("OTHER", name="Other Ltd")
    filled = form(acme, said(acme, "SGD 300.00 from Other Ltd for invoice 1"))
    assert filled["Customer"] == "Other Ltd · OTHER"
    assert filled["Invoices"] is None
    assert "INV-0001 is another customer's" in filled["notes"]


def test_the_amount_is_written_as_the_book_reads_it(acme: Slack) -> None:
    acme.world.do(change_setting, ChangeSetting(name="locale", value="de"), by=ADMIN)
    filled = form(acme, said(acme, "Eingang von Acme Pte Ltd über 1.234,50 SGD am 20.11.2026"))
    assert filled["Amount"] == "1.234,50 SGD"
    assert acme.clerk.submit()["ok"]
    assert "1.234,50" in shown(acme.clerk.modal or {})


def test_a_card_of_another_app_and_an_edited_message_are_read_as_they_are_seen(acme: Slack) -> None:
    card = posted(
        acme,
        text="Bank alert",
        blocks=[
            {"type": "header", "text": {"type": "plain_text", "text": "Incoming transfer"}},
            {
                "type": "section",
                "fields": [
                    {"type": "mrkdwn", "text": "*Amount:* SGD 75.20"},
                    {"type": "mrkdwn", "text": "*From:* Acme Pte Ltd"},
                ],
            },
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "Date: 21 Nov 2026"}]},
        ],
    )
    filled = form(acme, card)
    assert (filled["Amount"], filled["Customer"], filled["Received on"]) == (
        "75.20 SGD",
        "Acme Pte Ltd · ACME",
        "2026-11-21",
    )
    acme.clerk.close()
    message = said(acme, "SGD 1.00 from Acme Pte Ltd")
    acme.clerk.edit("finance", message["ts"], "SGD 2.00 from Acme Pte Ltd")
    assert form(acme, message)["Amount"] == "2.00 SGD"


def test_a_message_without_text_or_too_long_opens_an_empty_form_that_says_so(acme: Slack) -> None:
    filled = form(acme, posted(acme, text=f"<@{CLERK}>"))
    assert "no text to read" in filled["notes"]
    acme.clerk.close()
    filled = form(acme, said(acme, "SGD 500.00 from Acme Pte Ltd\n" * 240))
    assert "too long to be read" in filled["notes"]
    assert filled["Amount"] is None


def test_hostile_words_stay_words_in_notes_fields_and_the_form_stays_small(acme: Slack) -> None:
    text = (
        "Received SGD 5.00 from <!channel> *Bold* & \u202eEvil Ltd ref " + "参" * 200 + " <https://evil.example|click>"
    )
    filled = form(acme, said(acme, text))
    view = acme.clerk.modal or {}
    assert len(view["private_metadata"]) <= 3000
    assert filled["Amount"] == "5.00 SGD"
    assert "<!channel>" not in json.dumps(filled)


@pytest.mark.rules(118, 119)
@pytest.mark.parametrize(("user", "says"), [(NOBODY, "You have no access"), (VIEWER, "needs the right of a clerk")])
def test_whoever_may_not_record_is_told_so_and_sees_nothing(acme: Slack, user: str, says: str) -> None:
    message = said(acme, BANK)
    person = acme.person(user)
    person.shortcut(SHORTCUT, on=message)
    told = shown(person.modal or {})
    assert says in told
    assert "Acme" not in told


def test_the_same_delivery_twice_writes_nothing(acme: Slack) -> None:
    message = said(acme, BANK)
    form(acme, message, by=MANAGER)
    delivery = next(
        each
        for each in reversed(acme.sandbox.workspace.deliveries.values())
        if each.body.get("type") == "message_action"
    )
    acme.sandbox.redeliver(delivery.id, times=3, parallel=True)
    assert acme.count("payment") == 1


RICH = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "user", "user_id": "U1"},
                {"type": "text", "text": " got SGD 5 from "},
                {"type": "link", "url": "https://acme.example", "text": "Acme"},
                {"type": "broadcast", "range": "channel"},
            ],
        },
        {
            "type": "rich_text_list",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "ref A1"}]}],
        },
    ],
}


@pytest.mark.parametrize(
    ("message", "lines"),
    [
        ({"text": "a &amp; b\n<https://x.example|x>"}, ["a & b", "x"]),
        ({"text": "fallback", "blocks": [RICH]}, ["got SGD 5 from Acme", "ref A1"]),
        ({"text": "shown", "blocks": [{"type": "divider"}]}, ["shown"]),
        (
            {
                "text": "",
                "attachments": [{"fallback": "plain", "title": "T", "fields": [{"title": "Amount", "value": "SGD 5"}]}],
            },
            ["T", "Amount: SGD 5"],
        ),
        ({"text": "", "attachments": [{"fallback": "plain"}]}, ["plain"]),
        ({"text": None, "files": [{"name": "slip.pdf"}]}, []),
        ({"blocks": "odd", "attachments": [1, None, {"fields": "odd"}], "text": 5}, []),
        ({}, []),
        (
            {
                "blocks": [
                    {
                        "type": "table",
                        "rows": [[{"type": "raw_text", "text": "SGD"}, {"type": "raw_text", "text": "5"}]],
                    }
                ]
            },
            ["SGD | 5"],
        ),
    ],
)
def test_a_message_is_read_as_it_is_seen(message: dict[str, Any], lines: list[str]) -> None:
    assert seen(message).split("\n") == (lines or [""])


def test_blocks_within_blocks_end_somewhere() -> None:
    deep: dict[str, Any] = {"type": "section", "text": {"type": "mrkdwn", "text": "inside"}}
    for _ in range(3000):
        deep = {"type": "x", "elements": [deep]}
    assert seen({"blocks": [deep], "text": "outside"}) == "outside"
