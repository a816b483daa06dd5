"""Withdrawals through signed payloads: asked for, decided by others, paid; refused where they have to be."""

from datetime import timedelta
from typing import Any

import pytest

from bot.domain.customers import Mode
from bot.domain.operation import Role
from bot.domain.people import Grant, Profile, grant
from bot.jobs.runner import Runner
from sandbox.client import shown
from tests.slack import GUEST, NOBODY, Slack
from tests.world import ADMIN, CLERK, MANAGER, OWNER, STRANGER, TEAM, VIEWER

LINE = "/withdraw Acme 120 bank to a/c 4321 because Contract ended"
ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


@pytest.fixture
def book(slack: Slack) -> Slack:
    """A customer with 500.00 paid in, and a channel for approvals."""
    slack.world.pay(500, slack.world.customer(name="Acme Pte Ltd", mode=Mode.PREPAID))
    slack.type("/duedesk settings approvals_channel #approvals", by=OWNER)
    return slack


def ask(book: Slack, by: str = CLERK) -> dict[str, Any]:
    """Ask for a withdrawal; its card."""
    book.type(LINE, by=by)
    assert book.person(by).submit()["ok"]
    return card(book)


def messages(book: Slack) -> list[dict[str, Any]]:
    book.deliver()
    return [each for each in book.person(MANAGER).messages("approvals") if not each["ephemeral"]]


def card(book: Slack) -> dict[str, Any]:
    return next(each for each in messages(book) if each.get("thread_ts") in {None, each["ts"]})


def thread(book: Slack) -> list[str]:
    return [shown(each) for each in messages(book) if each.get("thread_ts") not in {None, each["ts"]}]


def told(book: Slack, by: str) -> str:
    return str(book.person(by).ephemerals("approvals")[-1]["text"])


def balances(book: Slack) -> tuple[int, int, int]:
    acme = book.world.store.read(lambda books: books.find_customers("Acme")[0])
    held = acme.controls
    return held.deposits // 10**6, held.reserved // 10**6, held.payouts_due // 10**6


@pytest.mark.rules(41, 42, 43)
def test_a_withdrawal_is_asked_for_approved_by_another_and_paid(book: Slack) -> None:
    form = book.type(LINE)
    assert "is never deleted" in form
    assert "Reserved 0.00 → 120.00" in form
    assert book.count("withdrawal") == 0
    assert book.clerk.submit()["ok"]
    assert balances(book) == (500, 120, 0)
    made = card(book)
    assert "WDR-0001 · Acme Pte Ltd · SGD 120.00 · waits for 1 of 1 approval" in made["text"]
    assert "500.00 CR → 380.00 CR" in shown(made)
    book.person(MANAGER).press(made, "Approve")
    assert balances(book) == (380, 0, 120)
    assert "approved, to be paid" in card(book)["text"]
    book.clerk.press(card(book), "Mark as paid…")
    assert book.fill({"Payment reference": "FT-7781"})["ok"]
    assert balances(book) == (380, 0, 0)
    paid = card(book)
    assert "· paid" in paid["text"]
    assert not [each for each in paid["blocks"] if each["type"] == "actions"]
    assert ["approved" in thread(book)[0], "paid" in thread(book)[1], "FT-7781" in thread(book)[1]] == [True] * 3
    book.world.check()


def test_a_request_is_rejected_with_a_reason_and_the_money_is_free_again(book: Slack) -> None:
    book.person(MANAGER).press(ask(book), "Reject…")
    refused = book.fill({"Reason": " "}, by=MANAGER)
    assert list(refused["errors"]) == ["reason"]
    assert book.fill({"Reason": "Wrong <!channel> account"}, by=MANAGER)["ok"]
    assert balances(book) == (500, 0, 0)
    assert "rejected" in card(book)["text"]
    assert "Wrong <!channel> account · SGD 120.00 released" in thread(book)[-1]
    book.world.check()


@pytest.mark.parametrize("by", [CLERK, MANAGER, ADMIN, OWNER])
def test_nobody_approves_or_rejects_an_own_request(book: Slack, by: str) -> None:
    made = ask(book, by=by)
    for role in (Role.CLERK, Role.MANAGER, Role.ADMINISTRATOR):
        if by != OWNER:
            book.world.do(grant, Grant(profile=Profile(team=TEAM, user=by, name=by), role=role), by=OWNER)
        book.person(by).press(made, "Approve")
        said = told(book, by)
        assert "yourself" in said or "needs the right of a manager" in said
    book.person(by).press(made, "Reject…")
    book.fill({"Reason": "No"}, by=by)
    assert "yourself" in shown(book.person(by).modal or {})
    assert balances(book) == (500, 120, 0)
    assert book.count("approval_vote") == 0


@ENGINE
@pytest.mark.parametrize("by", [VIEWER, CLERK, NOBODY, GUEST, STRANGER])
def test_nobody_below_a_manager_decides(book: Slack, by: str) -> None:
    made = ask(book, by=ADMIN)
    for name in ("Approve", "Reject…"):
        book.person(by).press(made, name)
        assert "right of a " in told(book, by) or "no access" in told(book, by)
    assert balances(book) == (500, 120, 0)


def test_a_click_that_comes_twice_or_from_a_stale_card_changes_nothing(book: Slack) -> None:
    made = ask(book)
    answer = book.person(MANAGER).press(made, "Approve")
    book.sandbox.redeliver(answer["delivery"], times=3, parallel=True)
    before = book.count("audit"), book.count("entry"), book.count("withdrawn")
    for by in (ADMIN, OWNER):
        book.person(by).press(made, "Approve")
        assert "decided already" in told(book, by)
    assert (book.count("audit"), book.count("entry"), book.count("withdrawn")) == before
    assert balances(book) == (380, 0, 120)
    book.world.check()


def test_a_request_is_cancelled_by_its_maker(book: Slack) -> None:
    ask(book)
    assert "SGD 120.00 is released" in book.type("/withdraw cancel WDR-0001")
    assert book.clerk.submit()["ok"]
    assert balances(book) == (500, 0, 0)
    assert "cancelled" in card(book)["text"]
    assert "decided already" in book.type("/withdraw cancel WDR-0001")


def test_a_request_is_pointed_out_once_and_then_expires(book: Slack) -> None:
    book.type("/duedesk settings approval_hours 4", by=OWNER)
    ask(book)
    runner = Runner(book.duedesk.desk, now=lambda: book.world.now)
    for minutes, lines in ((119, 0), (1, 1), (1, 1), (118, 1), (1, 2), (1, 2)):
        book.world.now += timedelta(minutes=minutes)
        runner.run_once()
        assert len(thread(book)) == lines, minutes
    assert "still waits" in thread(book)[0]
    assert "SGD 120.00 released" in thread(book)[1]
    assert balances(book) == (500, 0, 0)
    assert "expired" in card(book)["text"]
    book.world.check()


def test_two_approve_a_large_one(book: Slack) -> None:
    book.type("/duedesk settings approval_policy withdrawal one; withdrawal two from 100 SGD", by=OWNER)
    made = ask(book)
    book.person(MANAGER).press(made, "Approve")
    assert "waits for 1 of 2 approvals" in card(book)["text"]
    book.person(MANAGER).press(card(book), "Approve")
    assert "approved WDR-0001 already" in told(book, MANAGER) or "another approval" in told(book, MANAGER)
    assert balances(book) == (500, 120, 0)
    book.person(ADMIN).press(card(book), "Approve")
    assert balances(book) == (380, 0, 120)
    book.world.check()


def test_lists_and_cards_are_for_everybody_with_access(book: Slack) -> None:
    ask(book)
    assert "WDR-0001" in book.type("/withdraw list", by=VIEWER)
    assert "No withdrawal matches" in book.type("/withdraw list paid", by=VIEWER)
    assert "WDR-0001" in book.type("/withdraw list requested acme", by=VIEWER)
    assert "No withdrawal matches" in book.type("/withdraw list %", by=VIEWER)
    assert "Contract ended" in book.type("/withdraw show wdr-0001", by=VIEWER)
    assert "There is no withdrawal WDR-9" in book.type("/withdraw show WDR-9", by=VIEWER)
    assert "needs the right of a clerk" in book.type(LINE, by=VIEWER)


@pytest.mark.rule(41)
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/withdraw Acme 501 cash because x", "at most SGD 500.00"),
        ("/withdraw Acme 0 cash because x", "more than zero"),
        ("/withdraw Acme 5 USD cash because x", "kept in SGD"),
        ("/withdraw Acme 5 because x", "account is empty"),
        ("/withdraw Acme 5 cash", "Reason is empty"),
        ("/withdraw Nobodyatall 5 cash because x", "No customer is called"),
        ("/withdraw paid WDR-0007", "There is no withdrawal WDR-0007"),
    ],
)
@ENGINE
def test_what_cannot_be_is_said_and_nothing_is_written(book: Slack, line: str, says: str) -> None:
    before = book.count("audit"), book.count("withdrawal"), book.count("hold")
    assert says in book.type(line)
    assert (book.count("audit"), book.count("withdrawal"), book.count("hold")) == before


def speak(book: Slack, text: str, by: str = MANAGER, made: dict[str, Any] | None = None) -> list[str]:
    """Say something in the thread of the request; what stands in the thread after it."""
    book.person(by).say("approvals", text, thread_ts=(made or card(book))["ts"])
    return thread(book)


@pytest.mark.parametrize("words", ["approve", "Approve", " APPROVE. "])
def test_words_in_the_thread_approve(book: Slack, words: str) -> None:
    ask(book)
    said = speak(book, words)
    assert balances(book) == (380, 0, 120)
    assert "approved" in said[-1]
    speak(book, "approve", by=ADMIN)
    assert "decided already" in thread(book)[-1]
    assert balances(book) == (380, 0, 120)
    book.world.check()


@pytest.mark.parametrize("words", ["reject because wrong <account> & bank", "Reject: wrong <account> & bank"])
def test_words_in_the_thread_reject_with_a_reason(book: Slack, words: str) -> None:
    ask(book)
    assert "wrong <account> & bank" in speak(book, words)[-1]
    assert balances(book) == (500, 0, 0)
    book.world.check()


def test_words_never_decide_for_those_who_may_not(book: Slack) -> None:
    made = ask(book, by=ADMIN)
    for by, says in (
        (ADMIN, "yourself"),
        (CLERK, "right of a manager"),
        (VIEWER, "right of a clerk"),
        (NOBODY, "no access"),
        (GUEST, "no access"),
        (STRANGER, "no access"),
    ):
        for words in ("approve", "reject because no"):
            assert says in speak(book, words, by, made)[-1], by
    assert "Type reject because" in speak(book, "reject", MANAGER, made)[-1]
    assert balances(book) == (500, 120, 0)
    assert book.count("approval_vote") == 0


@ENGINE
def test_other_words_and_other_places_decide_nothing(book: Slack) -> None:
    made = ask(book)
    manager = book.person(MANAGER)
    for words in (
        "I approve",
        "approve?",
        "approve it",
        "please reject",
        "rejected because x",
        "`approve`",
        "*approve*",
    ):
        speak(book, words)
    manager.say("approvals", "approve")
    own = manager.say("approvals", "Shall I?")
    manager.say("approvals", "approve", thread_ts=own)
    manager.edit("approvals", manager.say("approvals", "hm", thread_ts=made["ts"]), "approve")
    assert balances(book) == (500, 120, 0)
    assert not [each for each in messages(book) if each.get("bot_id") and each["ts"] != made["ts"]]
