"""Hostile text in every field of every form is shown literally, and nothing that is sent breaks Slack's rules."""

import csv
import io
from typing import Any

import pytest

from bot.domain.customers import Mode
from sandbox.client import shown
from tests.slack import Slack
from tests.world import CLERK, MANAGER, withdraw

HOSTILE = {
    "broadcast": "<!channel> & <@U0OWNER>",
    "formula": "=1+1",
    "markup": "*bold* _it_ ~st~ `code` <https://x.example|click>",
    "right-to-left": "\u202eevil\u202c مرحبا",
    "emoji": ":tada: 🎉👨‍👩‍👧",
    "long": "x" * 5000,
    "quotes": "\"'\\ {{7*7}} ${x} %s",
    "control": "a\u0007b",
}
FORMS: list[tuple[str, str, dict[str, Any]]] = [
    ("/payment", "Payer as on the statement", {"Amount": "500", "Customer": "ACME"}),
    ("/payment", "Reference", {"Amount": "500", "Customer": "ACME"}),
    ("/payment", "Invoice number on the statement", {"Amount": "500", "Customer": "ACME"}),
    ("/payment", "Remark", {"Amount": "500", "Customer": "ACME"}),
    ("/payment", "Amount", {"Customer": "ACME"}),
    ("/payment", "Amounts per invoice", {"Amount": "500", "Customer": "ACME"}),
    ("/payment edit PAY-0001", "Payer as on the statement", {}),
    ("/payment edit PAY-0001", "Remark", {}),
    ("/payment void PAY-0001", "Reason", {}),
    ("/payment unallocate PAY-0002", "Invoices", {}),
    ("/customer new", "Name", {"Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Code", {"Name": "New", "Currency": "SGD"}),
    ("/customer new", "Currency", {"Name": "New", "Code": "HOST"}),
    ("/customer new", "Billing name", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Country", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Time zone", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Contact's name", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Contact's e-mail", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/customer new", "Contact's phone", {"Name": "New", "Code": "HOST", "Currency": "SGD"}),
    ("/withdraw", "To which account", {"Customer": "HELD", "Amount": "1", "Reason": "Ended"}),
    ("/withdraw", "Reason", {"Customer": "HELD", "Amount": "1", "To which account": "4321"}),
    ("/withdraw", "Amount", {"Customer": "HELD", "To which account": "4321", "Reason": "Ended"}),
    ("/withdraw paid WDR-0001", "Payment reference", {}),
    ("/credit issue", "Reason", {"Customer": "ACME", "Amount": "1"}),
    ("/credit issue", "Reference", {"Customer": "ACME", "Amount": "1", "Reason": "Late"}),
    ("/credit issue", "Amount", {"Customer": "ACME", "Reason": "Late"}),
    ("/credit take-back", "Reason", {"Customer": "ACME", "Amount": "1"}),
    ("/customer usage PRE 1 for Calls", "What was used", {}),
    ("/credit-note INV-0001", "Reason", {}),
    ("/credit-note INV-0001", "Invoice it is about", {}),
    ("/credit-note INV-0001", "Amount, tax included", {}),
    ("/credit-note ACME; x; 5", "Lines", {}),
    ("/credit-limit", "Limit", {"Customer": "PRE"}),
    ("/payment-mode", "Permanent limit", {"Customer": "PRE", "From now on": "postpaid"}),
    ("/customer usage PRE 1 for Calls", "Id", {}),
    ("/customer usage PRE 1 for Calls", "What the platform charges for it", {}),
    ("/credit refund", "Id of the usage", {"Customer": "ACME", "Amount, tax included": "1", "Reason": "x"}),
    ("/credit refund", "Reason", {"Customer": "ACME", "Amount, tax included": "1"}),
    ("/credit master payout", "Reference of the platform", {"Customer": "HELD", "Amount": "1"}),
    ("/credit master payout", "Remark", {"Customer": "HELD", "Amount": "1", "Reference of the platform": "p"}),
    ("/credit master top-up", "Reference", {"Amount": "5000"}),
    ("/credit master top-up", "Remark", {"Amount": "5000"}),
    ("/credit master limit", "Limit", {}),
    ("/invoice new", "Lines", {"Customer": "ACME"}),
    ("/invoice new", "Remark", {"Customer": "ACME", "Lines": "Work; 100"}),
]


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_hostile_text_in_every_field_is_shown_literally(slack: Slack, kind: str) -> None:
    acme = slack.world.customer()
    slack.world.pay(50)
    paid = slack.world.invoice(acme, 60, auto=False)
    slack.world.pay(60, acme, to=((paid, None),))
    held = slack.world.customer("HELD")
    slack.world.pay(100, held)
    withdraw(slack.world, held)
    slack.world.pay(100, slack.world.customer("PRE", mode=Mode.PREPAID))
    text = HOSTILE[kind]
    for line, field, good in FORMS:
        by = MANAGER if line.startswith(("/credit", "/payment-mode")) else CLERK
        who = slack.person(by)
        slack.type(line, by=by)
        who.fill({**good, field: f"Work {text}; 100" if field == "Lines" else text})
        answer = who.submit()
        view = who.modal
        assert view is not None
        if answer["ok"] and not answer["errors"] and view["callback_id"] != "told":
            who.submit()
        assert not who.toasts, (line, field, who.toasts)
    slack.deliver()
    _no_live_markup(slack)
    assert slack.duedesk.desk.store.read(lambda books: books.settings()) is not None
    failed = slack.world.store.database.read(
        lambda connection: connection.exec_driver_sql("SELECT COUNT(*) FROM outbox WHERE state = 'failed'").scalar(),
        None,
    )
    assert failed == 0


def _no_live_markup(slack: Slack) -> None:
    """Whatever the bot sent: no broadcast, link or mention of the typed text inside mrkdwn or message text."""
    for message in slack.clerk.messages("finance"):
        if not message.get("bot_id"):
            continue
        assert "<!channel>" not in message["text"]
        assert "<https://x.example" not in message["text"]
        for text in _mrkdwn(message["blocks"]):
            assert "<!channel>" not in text
            assert "<https://x.example" not in text


def _mrkdwn(value: Any) -> list[str]:
    if isinstance(value, dict):
        mine = [value["text"]] if value.get("type") == "mrkdwn" else []
        return mine + [text for each in value.values() for text in _mrkdwn(each)]
    if isinstance(value, list):
        return [text for each in value for text in _mrkdwn(each)]
    return []


@pytest.mark.parametrize("kind", ["broadcast", "formula", "markup", "emoji", "quotes"])
@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_a_hostile_name_is_read_back_as_it_was_typed(slack: Slack, kind: str) -> None:
    name = HOSTILE[kind]
    slack.type("/customer new")
    slack.fill({"Name": name, "Code": "HOST", "Currency": "SGD"})
    customer = slack.world.store.read(lambda books: books.find_customers("HOST"))[0]
    assert customer.name == name
    slack.world.invoice(customer, 100)
    slack.world.pay(10, customer, reference=name)
    shown_in = ("/customer HOST", "/aging", "/aging customer HOST", "/statement HOST", "/statement HOST activity")
    for line in (*shown_in, "/invoice list", "/payment HOST 50"):
        seen = slack.type(line)
        assert not slack.clerk.toasts
        assert name[:8] in seen or line == "/invoice list"
    for form in ("csv", "pdf"):
        slack.type(f"/statement HOST activity {form}")
    slack.type("/aging csv")
    slack.deliver()
    message = slack.clerk.messages(f"D{CLERK[1:]}")[-1]
    file = slack.sandbox.workspace.files[message["files"][0]["id"]]
    content = (file.content or b"").decode("utf-8-sig")
    row = list(csv.reader(io.StringIO(content)))[1]
    assert row[0] in {name, f"'{name}"}
    assert not row[0].startswith("=")
    statement, paper = (
        slack.sandbox.workspace.files[each["files"][0]["id"]] for each in slack.clerk.messages(f"D{CLERK[1:]}")[-3:-1]
    )
    assert (paper.name[:14], paper.name[-4:]) == ("statement-HOST", ".pdf")
    lines = list(csv.reader(io.StringIO((statement.content or b"").decode("utf-8-sig"))))
    assert [line[3] for line in lines if line[1] == "Payment"] in ([name], [f"'{name}"])


def test_hostile_command_text_is_answered_with_a_sentence(slack: Slack) -> None:
    slack.world.customer()
    for text in HOSTILE.values():
        for line in (
            f"/payment {text}",
            f"/payment show {text}",
            f"/customer {text}",
            f"/aging {text}",
            f"/invoice show {text}",
            f"/statement {text}",
            f"/statement ACME from {text}",
        ):
            seen = slack.type(line[:4000])
            assert seen, line[:80]
            assert "Incident" not in seen, line[:80]
            assert shown(slack.clerk.modal or {}) is not None
