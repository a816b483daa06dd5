"""Each card and modal as a reviewed file; every payload passes the strict lint on its way."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bot.domain.customers import Mode
from bot.handlers.flow import FLOWS
from bot.handlers.forms import Values
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from sandbox.validate import check_message, check_view
from tests.domain.invoice_stages import PROFORMA, TOP_UP, asked
from tests.domain.top_up_stages import mastered
from tests.domain.usage_steps import charge
from tests.slack import NOBODY, Slack
from tests.snapshots import FOLDER, check_golden
from tests.world import CLERK, MANAGER, OWNER, VIEWER

COMMANDS = {
    "help": "/duedesk help",
    "help_payment": "/payment help",
    "settings": "/duedesk settings",
    "roles": "/duedesk roles",
    "verify": "/duedesk verify",
    "payment_list": "/payment list",
    "payment_show_assigned": "/payment show PAY-0001",
    "payment_show_unassigned": "/payment show PAY-0002",
    "invoice_list": "/invoice list",
    "invoice_show": "/invoice show INV-0001",
    "customer_card": "/customer ACME",
    "customer_list": "/customer list",
    "aging": "/aging",
    "aging_table": "/aging table currency SGD",
    "aging_customer": "/aging customer ACME",
    "no_access": "/payment show PAY-9999",
}
FORMS = {
    "payment_record": "/payment Acme 40 bank ref TT-5 inv INV-0002",
    "payment_assign": "/payment assign PAY-0002",
    "payment_allocate": "/payment allocate PAY-0003",
    "payment_unallocate": "/payment unallocate PAY-0001",
    "payment_unassign": "/payment unassign PAY-0003",
    "payment_edit": "/payment edit PAY-0002",
    "payment_void": "/payment void PAY-0002",
    "payment_refused": "/payment Acme 40 inv INV-0001",
    "customer_new": "/customer new Borneo Foods",
    "customer_edit": "/customer edit ACME",
    "invoice_new": "/invoice new ACME; Consulting; 2 x 500; 9%",
}
HOMES = {"owner": OWNER, "clerk": CLERK, "viewer": VIEWER, "nobody": NOBODY}
CREDIT = ("issued", "taken_back", "paid_out", "refunded")
ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A customer with a paid and a late invoice, and payments assigned and not."""
    world = slack.world
    acme = world.customer(name="Acme Pte Ltd")
    paid = world.invoice(acme, 300, issued=-60, due=-30, auto=False)
    world.invoice(acme, 120, issued=-50, due=-41, auto=False)
    world.pay(300, acme, to=((paid, None),), reference="TT-1")
    world.pay(80, received=-1)
    world.pay(25, acme)
    world.store.seal()
    return slack


@ENGINE
@pytest.mark.parametrize("name", COMMANDS)
def test_an_answer_reads_as_reviewed(book: Slack, name: str) -> None:
    book.type(COMMANDS[name], by=OWNER)
    message = book.owner.ephemerals("finance")[-1]
    payload = {"text": message["text"], "blocks": message["blocks"]}
    assert check_message(payload) == []
    check_golden(f"answer_{name}", payload)


@ENGINE
@pytest.mark.parametrize("name", FORMS)
def test_a_form_reads_as_reviewed(book: Slack, name: str) -> None:
    book.type(FORMS[name])
    view = book.clerk.modal
    assert view is not None
    kept = ("type", "callback_id", "title", "submit", "close", "private_metadata", "blocks")
    drawn = {key: view[key] for key in kept}
    assert check_view(drawn) == []
    check_golden(f"form_{name}", drawn)


@ENGINE
def test_every_form_draws_blank_and_with_an_alert_within_the_limits(book: Slack) -> None:
    assert book.count("payment") == 3
    for name, flow in FLOWS.by_id.items():
        blank = flow.blank(Values())
        assert check_view(blank) == [], name
        alerted = flow.form.draw(Values(), json.dumps({}), alert="This cannot be done. " * 20)
        assert check_view(alerted) == [], name
        check_golden(f"blank_{name}", blank)


@ENGINE
def test_the_cards_of_a_payment_and_its_invoice_read_as_reviewed(book: Slack) -> None:
    steps: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("recorded", "/payment Acme 100 ref TT-9 inv INV-0002", {}),
        ("unallocated", "/payment unallocate PAY-0004", {}),
        ("unassigned", "/payment unassign PAY-0004", {}),
        ("voided", "/payment void PAY-0004", {"Reason": "Entered twice"}),
    )
    for name, line, values in steps:
        book.type(line)
        assert book.fill(values)["ok"], name
        card = book.card("PAY-0004")
        check_golden(f"card_payment_{name}", _sent(card))
    check_golden("thread_payment", book.thread(book.card("PAY-0004")))
    book.type("/invoice new ACME; Coffee; 3 x 9.99; 9%")
    assert book.fill({"Send": ["yes"]})["ok"]
    check_golden("card_invoice_sent", _sent(book.card("INV-0003")))
    book.type("/payment Acme 10")
    book.fill({})
    check_golden("card_invoice_partly_paid", _sent(book.card("INV-0003")))


@ENGINE
def test_the_cards_of_a_withdrawal_read_as_reviewed(book: Slack) -> None:
    book.world.pay(200, book.world.customer("BORNEO", name="Borneo Foods"))
    book.type("/withdraw BORNEO 150 bank to a/c 4321 because Contract ended")
    check_golden("form_withdrawal_request", {"blocks": (book.clerk.modal or {})["blocks"]})
    assert book.clerk.submit()["ok"]
    check_golden("card_withdrawal_requested", _sent(book.card("WDR-0001")))
    book.person(MANAGER).press(book.card("WDR-0001"), "Approve")
    check_golden("card_withdrawal_approved", _sent(book.card("WDR-0001")))
    book.type("/withdraw paid WDR-0001")
    assert book.fill({"Payment reference": "FT-7781"})["ok"]
    check_golden("card_withdrawal_paid", _sent(book.card("WDR-0001")))
    check_golden("thread_withdrawal", book.thread(book.card("WDR-0001")))


@ENGINE
def test_the_cards_of_credit_read_as_reviewed(book: Slack) -> None:
    book.world.customer("BORNEO", name="Borneo Foods")
    book.type("/credit master top-up 500 SGD ref WIRE-7", by=MANAGER)
    check_golden("form_master_top_up", {"blocks": (book.person(MANAGER).modal or {})["blocks"]})
    assert book.person(MANAGER).submit()["ok"]
    check_golden("card_master_top_up", _sent(book.card("MST-0001")))
    for name, line in (
        ("issued", "/credit Borneo 90 commission because March"),
        ("taken_back", "/credit take-back Borneo 5 because Given twice"),
        ("paid_out", "/credit master payout Borneo 10 ref po_123"),
    ):
        book.type(line, by=MANAGER)
        check_golden(f"form_credit_{name}", {"blocks": (book.person(MANAGER).modal or {})["blocks"]})
        assert book.person(MANAGER).submit()["ok"], name
    for number, name in enumerate(("issued", "taken_back", "paid_out"), 1):
        check_golden(f"card_credit_{name}", _sent(book.card(f"CRD-000{number}")))
    book.world.pay(50, book.world.customer("PREP", name="Prepaid Ltd", mode=Mode.PREPAID))
    book.type("/customer usage PREP 10 for Calls tax 9 cost 2 on 20 nov id C-17")
    check_golden("form_usage_charged", {"blocks": (book.clerk.modal or {})["blocks"]})
    assert book.clerk.submit()["ok"]
    check_golden("answer_usage", {"text": book.type("/customer usage PREP", by=VIEWER)})
    book.type("/credit refund PREP 5 of C-17 cost 1 because Dropped", by=MANAGER)
    check_golden("form_credit_refunded", {"blocks": (book.person(MANAGER).modal or {})["blocks"]})
    assert book.person(MANAGER).submit()["ok"]
    check_golden("card_credit_refunded", _sent(book.card("CRD-0004")))
    check_golden("answer_master", {"text": book.type("/credit master", by=VIEWER)})


@ENGINE
def test_the_cards_of_a_credit_note_read_as_reviewed(book: Slack) -> None:
    book.world.invoice(book.world.customer("BORNEO", name="Borneo Foods"), 100, tax="9", auto=False)
    number = book.type("/invoice list open borneo").split("INV-")[1][:4]
    book.type(f"/credit-note INV-{number} 54.50 missed discount because Agreed by phone")
    check_golden("form_note_drafted", {"blocks": (book.clerk.modal or {})["blocks"]})
    assert book.clerk.submit()["ok"]
    check_golden("card_note_drafted", _sent(book.card("Credit note")))
    book.person(MANAGER).press(book.card("Credit note"), "Approve")
    book.clerk.press(book.card("CN-0001"), "Apply")
    check_golden("form_note_applied", {"blocks": (book.clerk.modal or {})["blocks"]})
    assert book.clerk.submit()["ok"]
    check_golden("card_note_applied", _sent(book.card("CN-0001")))
    check_golden("answer_note_list", {"text": book.type("/credit-note list", by=VIEWER)})


@ENGINE
def test_debts_in_doubt_read_as_reviewed(book: Slack) -> None:
    """A dispute, a promise, and a debt that is given up."""
    book.type("/duedesk settings approvals_channel #finance", by=OWNER)
    for name, line, by in (
        ("dispute", "/invoice dispute INV-0002 because Wrong quantity", VIEWER),
        ("promise", "/customer promise ACME 100 by 28 nov", VIEWER),
        ("write_off", "/invoice write-off INV-0002 20 because Agreed", CLERK),
    ):
        book.type(line, by=by)
        check_golden(f"form_{name}", {"blocks": (book.person(by).modal or {})["blocks"]})
        assert book.person(by).submit()["ok"]
    check_golden("card_write_off_requested", _sent(book.card("Write-off")))
    check_golden("answer_customer_in_doubt", {"text": book.type("/customer ACME", by=VIEWER)})
    book.person(MANAGER).press(book.card("Write-off"), "Approve")
    check_golden("card_write_off_made", _sent(book.card("Write-off")))
    check_golden("card_invoice_in_doubt", _sent(book.card("INV-0002")))
    check_golden("answer_aging_disputed", {"text": book.type("/aging customer ACME", by=VIEWER)})


@ENGINE
def test_the_terms_of_a_customer_read_as_reviewed(book: Slack) -> None:
    book.world.pay(80, book.world.customer("BORNEO", name="Borneo Foods", mode=Mode.PREPAID))
    manager = book.person(MANAGER)
    for name, line in (
        ("limit_set", "/credit-limit BORNEO 500 for 14 days"),
        ("limit_extended", "/credit-limit extend BORNEO for 7 days"),
        ("mode_refused", "/payment-mode BORNEO postpaid"),
        ("mode_switched", "/payment-mode BORNEO postpaid limit 900"),
        ("limit_lowered", "/credit-limit BORNEO 0"),
    ):
        book.type(line, by=MANAGER)
        check_golden(f"form_{name}", {"blocks": (manager.modal or {})["blocks"]})
        manager.fill({"Again": ["yes"]} if name == "mode_switched" else {})
        manager.submit()
    check_golden("answer_limit_show", {"text": book.type("/credit-limit show BORNEO", by=VIEWER)})
    check_golden("thread_terms", book.thread(book.card("BORNEO")))


@ENGINE
def test_payment_settings_and_what_comes_of_them_read_as_reviewed(book: Slack) -> None:
    world, manager = book.world, book.person(MANAGER)
    borneo = world.customer("BORNEO", name="Borneo Foods", mode=Mode.PREPAID)
    world.pay(80, borneo)
    mastered(world, 100)
    for name, line in (
        ("settings_set", "/payment-settings BORNEO master 50 at 20 on"),
        ("settings_at_once", "/payment-settings BORNEO master 15 at 100"),
        ("settings_off", "/payment-settings off BORNEO"),
    ):
        book.type(line, by=MANAGER)
        check_golden(f"form_{name}", {"blocks": (manager.modal or {})["blocks"]})
        if name != "settings_at_once":
            assert manager.submit()["ok"], name
            check_golden(f"card_{name}", _sent(book.card("BORNEO")))
    book.type("/payment-settings on BORNEO", by=MANAGER)
    assert manager.submit()["ok"]
    charge(world, borneo, 62)
    check_golden("card_top_up_issued", _sent(book.card("CRD-0001")))
    world.now += timedelta(days=1)
    world.pay(90, world.customer("HOLDS"))
    charge(world, borneo, 60)
    check_golden("card_top_up_short", _sent(book.card("Automatic top-up")))
    check_golden("answer_settings_show", {"text": book.type("/payment-settings show BORNEO", by=VIEWER)})
    book.type("/payment-mode BORNEO postpaid", by=MANAGER)
    check_golden("form_settings_lost", {"blocks": (manager.modal or {})["blocks"]})


@ENGINE
def test_invoices_that_nobody_owes_read_as_reviewed(book: Slack) -> None:
    borneo = book.world.customer("BORNEO", name="Borneo Foods", mode=Mode.PREPAID)
    top_up, proforma = asked(book.world, borneo, 500, TOP_UP), asked(book.world, borneo, 1000, PROFORMA, tax=9, cost=40)
    book.type("/payment BORNEO 1000 bank inv PRO-0001")
    check_golden("form_asked_paid", {"blocks": (book.clerk.modal or {})["blocks"]})
    book.world.pay(1400, borneo, to=((top_up, None), (proforma, 900)))
    for name, label in (("top_up_paid", "TOP-0001"), ("proforma_partly_paid", "PRO-0001")):
        check_golden(f"card_{name}", _sent(book.card(label)))
    book.world.pay(300, borneo)
    book.type("/invoice provision PRO-0001")
    check_golden("form_proforma_provisioned", {"blocks": (book.clerk.modal or {})["blocks"]})
    book.clerk.submit()
    check_golden("card_proforma_provisioned", _sent(book.card("INV-0003")))


@ENGINE
@pytest.mark.parametrize("who", HOMES)
def test_a_home_tab_reads_as_reviewed(book: Slack, who: str) -> None:
    book.world.invoice(book.world.customer("BORNEO", of="USD"), 40, send=False)
    book.world.now -= timedelta(days=2)
    book.type("/invoice promise INV-0002 50 by today", by=VIEWER)
    assert book.person(VIEWER).submit()["ok"]
    book.world.now += timedelta(days=2)
    book.type("/payment Acme 15 ref TT-7")
    book.clerk.submit()
    page = book.person(HOMES[who]).open_home()
    assert page is not None
    drawn = {"type": "home", "blocks": page["blocks"]}
    assert check_view(drawn) == []
    check_golden(f"home_{who}", drawn)


@ENGINE
def test_the_digest_reads_as_reviewed(book: Slack) -> None:
    world = book.world
    book.type("/duedesk settings digest_channel #digest", by=OWNER)
    check_golden("digest_first", _digest(book))
    check_golden("answer_jobs", {"text": book.type("/duedesk jobs", by=OWNER)})
    acme = world.store.read(lambda books: books.find_customers("ACME")[0])
    world.invoice(world.customer("NASTY", name="<!channel> *Nasty* & Søns _Ltd_"), "12.34", due=0)
    world.invoice(world.customer("TOKYO", of="JPY"), 9000, due=30)
    world.pay(40, acme)
    for line in (
        "/invoice dispute INV-0003 because Broken",
        "/invoice promise INV-0002 50 by today",
        "/customer promise ACME 60 by 30 nov",
    ):
        book.type(line, by=VIEWER)
        assert book.person(VIEWER).submit()["ok"]
    world.now += timedelta(days=1)
    check_golden("digest_since", _digest(book))
    wrong = text("UPDATE customer SET receivable_micros = receivable_micros + 1000000 WHERE code = 'ACME'")
    world.store.write(lambda connection: connection.execute(wrong))
    world.now += timedelta(days=1)
    check_golden("digest_differs", _digest(book))


def _digest(book: Slack) -> dict[str, Any]:
    jobs = {"digest": JOBS["digest"]}
    assert Runner(book.duedesk.desk, jobs=jobs, watches={}, now=lambda: book.world.now).run_once() == 1
    book.deliver()
    found = [each for each in book.owner.messages("digest") if not _in_thread(each)][-1]
    payload = _sent(found)
    assert check_message(payload) == []
    return payload


def _in_thread(message: dict[str, Any]) -> bool:
    return message.get("thread_ts") not in {None, message["ts"]}


def _sent(message: dict[str, Any]) -> dict[str, Any]:
    return {"text": message["text"], "blocks": message["blocks"]}


def test_no_golden_file_is_without_its_test() -> None:
    made = {f"answer_{name}" for name in COMMANDS} | {f"form_{name}" for name in FORMS}
    made |= {f"blank_{name}" for name in FLOWS.by_id} | {
        "thread_payment",
        "card_invoice_sent",
        "card_invoice_partly_paid",
    }
    made |= {f"home_{who}" for who in HOMES}
    made |= {"form_withdrawal_request", "thread_withdrawal", "card_customer_busy"}
    made |= {"answer_statement_open", "answer_statement_activity"}
    made |= {f"card_withdrawal_{name}" for name in ("requested", "approved", "paid")}
    made |= {f"{what}_credit_{name}" for what in ("form", "card") for name in CREDIT}
    made |= {
        f"form_{name}" for name in ("limit_set", "limit_extended", "mode_refused", "mode_switched", "limit_lowered")
    }
    made |= {"answer_limit_show", "thread_terms", "form_asked_paid", "form_proforma_provisioned"}
    made |= {f"card_{name}" for name in ("top_up_paid", "proforma_partly_paid", "proforma_provisioned")}
    made |= {f"form_settings_{name}" for name in ("set", "at_once", "off", "lost")} | {"answer_settings_show"}
    made |= {"card_settings_set", "card_settings_off", "card_top_up_issued", "card_top_up_short"}
    made |= {f"{what}_note_{name}" for what in ("form", "card") for name in ("drafted", "applied")}
    made |= {"card_terms_requested", "card_terms_approved", "thread_limit_watch"}
    made |= {"answer_note_list", "card_mail_unknown"}
    made |= {"form_dispute", "form_promise", "form_write_off", "card_write_off_requested", "card_write_off_made"}
    made |= {"card_invoice_in_doubt", "answer_customer_in_doubt", "answer_aging_disputed"}
    made |= {"form_usage_charged", "answer_usage", "form_master_top_up", "card_master_top_up", "answer_master"}
    made |= {f"card_reminders_{name}" for name in ("planned", "held", "sent")} | {"card_customer_reminded"}
    made |= {"form_reminders_review", "letter_test", "answer_reminders", "card_promise_broken", "thread_reminders"}
    made |= {"digest_first", "digest_since", "digest_differs", "answer_jobs", "month_end"}
    made |= {f"card_payment_{name}" for name in ("recorded", "unallocated", "unassigned", "voided")}
    assert {path.stem for path in FOLDER.glob("*.json")} == made
