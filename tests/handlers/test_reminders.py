"""Reminders through signed payloads: texts tried before they are kept, the plan of a day looked at and sent."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.domain.customers import Customer
from bot.domain.mail import MailState
from bot.domain.promises import LogPromise, log_promise
from bot.domain.reminder_ports import MessageState
from bot.domain.settings import ChangeSetting, change_setting
from bot.handlers.blocks.mails import STATES
from bot.jobs.reminder_news import watch_news
from bot.jobs.reminders import watch_reminders
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from sandbox.client import buttons, shown
from sandbox.validate import check_message, check_view
from tests.jobs.reminding import deliver, messages, reachable, waiting_mails
from tests.slack import Slack
from tests.snapshots import check_golden
from tests.world import CLERK, MANAGER, OWNER, VIEWER

ROOT = Path(__file__).parent.parent.parent
ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])
EIGHT = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)  # before the clock of the database: it delivers nothing of later
HOSTILE = "<!channel> *bold* <https://x.example|click> {{ customer }} & Co"


def tick(slack: Slack) -> None:
    """What a process does every ten seconds."""
    world = slack.world
    watches = {"reminders": watch_reminders, "reminder news": watch_news}
    Runner(world.desk, jobs={"reminders": JOBS["reminders"]}, watches=watches, now=lambda: world.now).run_once()


def at(slack: Slack, now: datetime) -> None:
    """Move the clock of the bot and of the workspace."""
    slack.world.now = now
    slack.sandbox.workspace.clock = now.timestamp


def usual(slack: Slack) -> None:
    """The usual texts and schedule, by their button."""
    slack.type("/reminders templates")
    slack.clerk.press(slack.clerk.ephemerals("finance")[-1], "Write the usual set")


def late(slack: Slack, code: str = "ACME", days: int = 8, amount: int = 120) -> Customer:
    """A customer with an address and an invoice so many days late."""
    made = reachable(slack.world, code)
    slack.world.invoice(made, amount, issued=-40 - days, due=-days, auto=False)
    return made


@pytest.fixture
def book(slack: Slack) -> Slack:
    """The usual texts, three late customers of which one needs a look and one is disputed, and a payment of today."""
    at(slack, EIGHT)
    usual(slack)
    late(slack)
    late(slack, "BORNEO", days=31, amount=80)
    late(slack, "DELTA", days=9, amount=50)
    slack.world.pay(5, slack.world.customer("PAYS"))
    slack.type("/invoice dispute INV-0003 because Wrong quantity", by=VIEWER)
    slack.person(VIEWER).submit()
    return slack


def sent(card: dict[str, Any]) -> dict[str, Any]:
    return {"text": card["text"], "blocks": card["blocks"]}


@ENGINE
@pytest.mark.rule(86)
def test_any_number_of_texts_is_written_tried_changed_and_retired(slack: Slack) -> None:
    at(slack, EIGHT)
    assert "Write the usual set" in buttons(_answer(slack, "/reminders templates"))
    usual(slack)
    listed = slack.type("/reminders templates")
    names = ("Friendly notice", "First reminder", "Second reminder", "Final notice")
    assert all(f"{name} (en)" in listed for name in names)
    assert "Usual (default)" in slack.type("/reminders schedules")
    late(slack)
    slack.clerk.press(_answer(slack, "/reminders templates"), "New template")
    slack.clerk.fill({"Name": "Sharp", "Language": "de", "Subject": "{{ overdue }}", "Text": "Hallo {{ customer }}!"})
    assert slack.clerk.submit()["ok"]
    tried = shown(slack.clerk.modal or {})
    assert "As ACME Pte Ltd would read it" in tried
    assert "Hallo ACME Pte Ltd!" in tried
    assert slack.count("reminder_template") == 4
    assert slack.clerk.submit()["ok"]
    assert "Sharp (de)" in slack.type("/reminders templates sharp")
    for number in range(20):
        slack.clerk.press(_answer(slack, "/reminders templates sharp"), "New template")
        assert slack.fill({"Name": f"Text {number}", "Subject": "{{ total }}", "Text": "{{ code }}"})["ok"], number
    answer = _answer(slack, "/reminders templates")
    assert check_message(sent(answer)) == []
    assert "and 5 more" in shown(answer)
    slack.clerk.press(_answer(slack, "/reminders templates sharp"), "template_more", "Edit")
    assert slack.fill({"Text": "Guten Tag {{ customer }}"})["ok"]
    assert slack.count("reminder_template") == 26
    slack.clerk.press(_answer(slack, "/reminders templates sharp"), "template_more", "Test to me")
    assert "A test of the reminder to ACME Pte Ltd" in slack.clerk.ephemerals("finance")[-1]["text"]
    slack.clerk.press(_answer(slack, "/reminders templates sharp"), "template_more", "Retire")
    assert slack.clerk.submit()["ok"]
    assert "There is no template sharp" in slack.type("/reminders templates sharp")
    slack.clerk.press(_answer(slack, "/reminders templates first"), "template_more", "Retire")
    assert "The schedule Usual says First reminder" in shown(slack.clerk.modal or {})
    assert slack.count("reminder_template where retired_at is null") == 24


@ENGINE
@pytest.mark.rule(90)
@pytest.mark.parametrize(
    ("field", "typed", "block", "says"),
    [
        ("Text", "Dear {{ costumer }}", "body", "Line 1: there is no variable costumer"),
        ("Text", "Dear\n{{ invoice.number }}", "body", "Line 2: invoice has no parts"),
        ("Text", "{% for invoice in invoices %}{{ invoice.iban }}{% endfor %}", "body", "an invoice has no iban"),
        ("Text", "{{ customer.__class__ }}", "body", "customer has no parts"),
        ("Text", "{% if total %}", "body", "Line 1"),
        ("Text", "   ", "body", "required"),
        ("Subject", "{{ cycler() }}", "subject", "a call cannot be used here"),
        ("Subject", "{{ nobody }}", "subject", "there is no variable nobody"),
        ("Name", "first REMINDER", "name", "is there already"),
    ],
)
def test_what_cannot_be_filled_in_is_refused_under_its_field_with_the_line(
    slack: Slack, field: str, typed: str, block: str, says: str
) -> None:
    usual(slack)
    slack.clerk.press(_answer(slack, "/reminders templates"), "New template")
    slack.clerk.fill({"Name": "New", "Language": "en", "Subject": "x", "Text": "x", field: typed})
    answer = slack.clerk.submit()
    assert says in str(answer["errors"].get(block)), answer
    assert slack.count("reminder_template") == 4
    assert check_view({key: value for key, value in (slack.clerk.modal or {}).items() if key in DRAWN}) == []


DRAWN = ("type", "callback_id", "title", "submit", "close", "private_metadata", "blocks")


@ENGINE
@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("7 days later: First reminder", "Line 1 cannot be read"),
        ("7 days after: Nothing", "There is no template Nothing"),
        ("7 days after: First reminder\n7 days after: Final notice", "for the same day"),
        ("2 days before, every 3 days: Friendly notice", "only what comes after the due date repeats"),
        ("7 days after, from SGD x: First reminder", "Line 1"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_refused_under_its_steps(slack: Slack, typed: str, says: str) -> None:
    usual(slack)
    slack.clerk.press(_answer(slack, "/reminders schedules"), "New schedule")
    slack.clerk.fill({"Name": "Strict", "Steps, one a line": typed})
    assert says in slack.clerk.submit()["errors"]["steps"]
    assert slack.count("reminder_schedule") == 1


@ENGINE
def test_a_plan_is_looked_at_changed_and_sent_and_its_card_tells_how_it_went(book: Slack) -> None:
    tick(book)
    card = book.card("Reminders for")
    check_golden("card_reminders_planned", sent(card))
    assert "2 messages to 2 customers, 2 invoices, SGD 200.00 · sends at 10:00" in card["text"]
    book.person(VIEWER).press(card, "Why left out")
    assert "DELTA" in shown(book.person(VIEWER).ephemerals("finance")[-1])
    book.clerk.press(card, "Review")
    review = book.clerk.modal or {}
    check_golden("form_reminders_review", {"blocks": review["blocks"]})
    book.clerk.press(review, _menu(review, "ACME"), "Leave out")
    assert "ACME Pte Ltd · SGD 120.00 · level 1 · left out" in shown(book.clerk.modal or {})
    assert "1 message to 1 customer" in book.card("Reminders for")["text"]
    review = book.clerk.modal or {}
    book.clerk.press(review, _menu(review, "ACME"), "Take in again")
    review = book.clerk.modal or {}
    book.clerk.press(review, _menu(review, "BORNEO"), "Edit")
    book.clerk.fill({"Subject": "For {{ customer }} alone", "Text": "Please call. {{ nothing }}"})
    assert "no variable nothing" in book.clerk.submit()["errors"]["body"]
    assert book.fill({"Text": "Please call, {{ total }}."})["ok"]
    book.clerk.close()
    book.clerk.close()
    card = book.card("Reminders for")
    book.clerk.press(card, "Send now")
    assert "Sending now, each within its customer's hours" in book.clerk.ephemerals("finance")[-1]["text"]
    book.person(MANAGER).press(card, "Send now", stale=True)
    assert "released already" in book.person(MANAGER).ephemerals("finance")[-1]["text"]
    tick(book)
    subjects = {each.mail.subject for each in waiting_mails(book.world)}
    assert "For BORNEO Pte Ltd alone" in subjects
    assert "being sent, 0 of 2 so far" in book.card("Reminders for")["text"]
    deliver(book.world)
    tick(book)
    tick(book)
    card = book.card("Reminders for")
    assert "sent 2 of 2" in card["text"]
    check_golden("card_reminders_sent", sent(card))
    check_golden("thread_reminders", book.thread(card))
    assert "Send now" not in buttons(card)
    log = book.type("/reminders log", by=VIEWER)
    assert ["BORNEO Pte Ltd" in log, "ACME Pte Ltd" in log] == [True, True]
    book.person(VIEWER).press(card, "reminders_more", "As a file")
    book.type("/reminders log ACME csv", by=VIEWER)
    book.deliver()
    plan, sent_to_acme = book.person(VIEWER).messages(f"D{VIEWER[1:]}")[-2:]
    assert "Reminders for 2026-11-16" in plan["text"]
    file = book.sandbox.workspace.files[sent_to_acme["files"][0]["id"]]
    rows = list(csv.DictReader(io.StringIO((file.content or b"").decode("utf-8-sig"))))
    assert [(row["code"], row["state"], row["invoices"], row["open"]) for row in rows] == [
        ("ACME", "sent", "INV-0001", "120.00")
    ]
    assert "last 16 Nov 2026 (level 1, delivered)" in book.type("/customer ACME", by=VIEWER)
    book.world.check()


@ENGINE
def test_a_plan_that_is_held_asks_and_is_postponed_or_cancelled(book: Slack) -> None:
    at(book, EIGHT + timedelta(days=7))
    tick(book)
    card = book.card("Reminders for")
    assert "No payment was recorded for 7 days, since 16 Nov 2026. Send anyway?" in shown(card)
    check_golden("card_reminders_held", sent(card))
    at(book, EIGHT + timedelta(days=7, hours=3))
    tick(book)
    assert messages(book.world) == []
    book.clerk.press(card, "reminders_more", "Postpone")
    book.clerk.fill({"Send at": "25:00"})
    assert "09:00" in book.clerk.submit()["errors"]["until"]
    assert book.fill({"Send at": "14:30"})["ok"]
    assert "sends at 14:30" in book.card("Reminders for")["text"]
    book.clerk.press(book.card("Reminders for"), "reminders_more", "Cancel")
    assert book.clerk.submit()["ok"]
    card = book.card("Reminders for")
    assert "cancelled, nothing is sent" in card["text"]
    assert "Send now" not in buttons(card)
    book.world.check()


@ENGINE
def test_a_plan_in_which_nobody_is_due_has_no_card_and_one_that_only_leaves_out_waits_for_nothing(slack: Slack) -> None:
    at(slack, EIGHT)
    usual(slack)
    for now in (EIGHT, EIGHT + timedelta(hours=3)):
        at(slack, now)
        tick(slack)
    assert [each for each in slack.clerk.messages("finance") if "Reminders for" in each["text"]] == []
    assert "Reminders for Mon 16 Nov 2026 · nothing to send" in slack.type("/reminders")
    late(slack)
    slack.type("/invoice dispute INV-0001 because Wrong quantity", by=VIEWER)
    slack.person(VIEWER).submit()
    at(slack, EIGHT + timedelta(days=8))
    tick(slack)
    card = slack.card("Reminders for")
    assert card["text"] == "Reminders for Tue 24 Nov 2026 · nothing to send"
    assert "disputed: 1" in shown(card)
    assert buttons(card) == ["Why left out"]
    at(slack, EIGHT + timedelta(days=8, hours=3))
    tick(slack)
    assert slack.card("Reminders for") == card
    slack.world.check()


def test_a_card_can_say_each_state_of_a_mail() -> None:
    assert set(STATES) == set(MailState)


@ENGINE
def test_a_test_goes_to_who_asked_and_writes_nothing_to_the_customer(book: Slack) -> None:
    before = book.count("audit")
    assert "on its way to your direct messages" in book.type("/reminders test ACME")
    book.deliver()
    (letter,) = [each for each in book.clerk.messages(_direct(book)) if "Test of a reminder" in each["text"]]
    assert "nothing was sent to the customer" in letter["text"]
    assert "Together SGD 120.00" in shown(letter)
    check_golden("letter_test", sent(letter))
    assert book.count("audit") == before
    assert waiting_mails(book.world) == []
    assert "right of a clerk" in book.type("/reminders test ACME", by=VIEWER)
    assert "There is no letter to test" in book.type("/reminders test PAYS")


@ENGINE
def test_a_customer_is_reminded_now_paused_resumed_and_reminded_otherwise(book: Slack) -> None:
    card = _answer(book, "/customer ACME")
    check_golden("card_customer_reminded", sent(card))
    assert "due today: level 1 about 1 invoice" in shown(card)
    book.clerk.press(card, "Pause reminders")
    book.clerk.fill({"Until": "2026-11-16"})
    assert "not after today" in book.clerk.submit()["errors"]["until"]
    assert book.fill({"Until": "2026-12-05", "Reason": HOSTILE})["ok"]
    card = _answer(book, "/customer ACME")
    assert "Reminders paused until 5 Dec 2026" in shown(card)
    assert "none next" not in shown(card)
    assert HOSTILE in shown(card)
    assert "resumed" in book.type("/reminders resume ACME")
    assert "nothing is paused" in book.type("/reminders resume ACME")
    book.type("/reminders pause ACME until 5 dec because Away")
    assert book.clerk.submit()["ok"]
    book.clerk.press(_answer(book, "/customer ACME"), "Resume reminders")
    book.clerk.press(_answer(book, "/customer ACME"), "How it is reminded")
    book.clerk.fill({"Schedule": "Usual", "Language": "de", "Never": ["yes"]})
    assert "reason" in book.clerk.submit()["errors"]
    assert book.fill({"Reason": "They asked"})["ok"]
    assert "Never reminded They asked" in book.type("/customer ACME")
    book.type("/reminders resume ACME")
    theirs = _answer(book, "/customer ACME", by=MANAGER)
    card = _answer(book, "/customer ACME")
    for _ in range(2):
        book.clerk.press(card, "Remind now")
    assert "about 1 invoice, SGD 120.00" in book.clerk.ephemerals("finance")[-1]["text"]
    tick(book)
    deliver(book.world)
    (made,) = messages(book.world, MessageState.SENT)
    assert (made.run_id, made.level) == (None, 1)
    assert "Remind now" not in buttons(_answer(book, "/customer ACME"))
    book.person(MANAGER).press(theirs, "Remind now")
    assert "reminded today already" in book.person(MANAGER).ephemerals("finance")[-1]["text"]
    book.world.check()


@ENGINE
def test_an_invoice_is_not_chased_until_it_is_again(book: Slack) -> None:
    book.clerk.press(_answer(book, "/invoice show INV-0001"), "invoice_more", "Do not chase")
    assert book.fill({"Reason": "We settle it in person"})["ok"]
    card = _answer(book, "/invoice show INV-0001")
    assert "Not chased We settle it in person" in shown(card)
    assert "none next: invoice not to be chased INV-0001" in book.type("/reminders preview ACME")
    book.clerk.press(card, "invoice_more", "Chase again")
    assert book.clerk.submit()["ok"]
    assert "What it would be sent now" in book.type("/reminders preview ACME", by=VIEWER)


@ENGINE
@pytest.mark.rule(85)
def test_who_logged_a_promise_is_asked_once_when_it_is_broken(book: Slack) -> None:
    acme = book.world.store.read(lambda books: books.find_customers("ACME")[0])
    invoice = book.world.store.read(lambda books: books.invoice("INV-0001"))
    assert invoice is not None
    for invoice_id in (invoice.id, None):
        made = LogPromise(customer_id=acme.id, promised_on=book.world.day(1), invoice_id=invoice_id)
        book.world.do(log_promise, made, by=VIEWER)
    at(book, EIGHT + timedelta(days=2))
    tick(book)
    thread = book.thread(book.card("INV-0001"))
    asked = [each for each in thread if "reminders go on" in each]
    assert len(asked) == 1
    assert "promised SGD 120.00 by 17 Nov 2026; not paid; reminders go on" in asked[0]
    card = book.card("Promise of ACME Pte Ltd")
    assert "broken" in card["text"]
    check_golden("card_promise_broken", sent(card))
    book.person(VIEWER).press(card, "Log another promise")
    assert book.person(VIEWER).modal is not None
    at(book, EIGHT + timedelta(days=3))
    tick(book)
    assert len([each for each in book.thread(book.card("INV-0001")) if "reminders go on" in each]) == 1


@ENGINE
def test_the_menu_and_the_home_tab_lead_to_todays_plan(book: Slack) -> None:
    answer = _answer(book, "/reminders", by=VIEWER)
    check_golden("answer_reminders", sent(answer))
    assert "Today's plan is made at 08:00" in shown(answer)
    for name in ("Today's plan", "Templates", "Schedules", "Log"):
        book.person(VIEWER).press(answer, name)
    assert "On its way: the plan of Mon 16 Nov 2026" in book.type("/reminders run")
    tick(book)
    assert "sends at 10:00" in book.type("/reminders run")
    page = book.clerk.open_home()
    assert page is not None
    assert "Reminders for Mon 16 Nov 2026 · 2 messages" in shown(page)
    block = next(each for each in page["blocks"] if each["block_id"] == "reminders")
    assert block["accessory"]["action_id"] == "reminders_today"
    assert "right of a clerk" in book.type("/reminders run", by=VIEWER)
    book.world.do(change_setting, ChangeSetting(name="reminders", value="off"), by=OWNER)
    at(book, EIGHT + timedelta(days=1))
    assert "Reminders are off" in book.type("/reminders run")


@ENGINE
def test_names_with_markup_are_read_literally_everywhere(slack: Slack) -> None:
    at(slack, EIGHT)
    usual(slack)
    made = reachable(slack.world, "EVIL")
    slack.type("/customer edit EVIL")
    assert slack.fill({"Name": HOSTILE})["ok"]
    slack.world.invoice(made, 10, issued=-40, due=-8, auto=False)
    slack.world.pay(5, slack.world.customer("PAYS"))
    for line in ("/reminders preview EVIL", "/customer EVIL", "/reminders log EVIL"):
        slack.type(line)
    assert HOSTILE in slack.type("/reminders preview EVIL")
    slack.type("/reminders test EVIL")
    tick(slack)
    slack.clerk.press(slack.card("Reminders for"), "Review")
    assert HOSTILE in shown(slack.clerk.modal or {})
    (letter,) = [each for each in slack.clerk.messages(_direct(slack)) if "Test of a reminder" in each["text"]]
    assert f"Dear {HOSTILE}," in shown(letter)
    assert "&lt;!channel&gt;" in letter["text"]


def _answer(slack: Slack, line: str, by: str = CLERK) -> dict[str, Any]:
    """The newest answer to a person, as a message with its buttons."""
    slack.type(line, by=by)
    answer = slack.person(by).ephemerals("finance")[-1]
    assert check_message(sent(answer)) == []
    return answer


def _menu(view: dict[str, Any] | None, name: str) -> str:
    """The action id of the menu beside the line that names something."""
    blocks = (view or {})["blocks"]
    found = [each for each in blocks if each["type"] == "section" and name in shown({"blocks": [each]})]
    return str(found[0]["accessory"]["action_id"])


def _direct(slack: Slack) -> str:
    """The clerk's direct messages with the bot."""
    return next(each.id for each in slack.sandbox.workspace.channels.values() if each.is_im and CLERK in each.members)


@ENGINE
def test_each_command_of_the_page_on_reminders_does_something(book: Slack) -> None:
    page = (ROOT / "docs" / "reminders.md").read_text(encoding="utf-8")
    typed = set(re.findall(r"`(/reminders [^`]+)`", page))
    assert {line.split()[1] for line in typed} >= {"templates", "preview", "test", "pause", "resume", "promise", "log"}
    for line in sorted(typed):
        seen = book.type(line.replace("Acme", "ACME"))
        assert seen, line
        assert "Something went wrong" not in seen, line
