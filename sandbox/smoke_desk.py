"""The part of `make smoke` that works the desk: a withdrawal under four eyes, a credit note, a limit, another mode."""

import re
from collections.abc import Callable
from typing import Any

from sandbox.client import RemoteActor, shown

MICROS = 1_000_000
PREPAID = """SELECT code FROM customer WHERE mode = 'prepaid' AND currency = 'SGD' AND receivable_micros = 0
    AND deposits_micros - reserved_micros >= 60000000 AND limit_micros = 0 ORDER BY id LIMIT 1"""
OPEN = """SELECT i.number FROM invoice i JOIN customer c ON c.id = i.customer_id WHERE c.code = 'ACME'
    AND i.open_micros >= 50000000 ORDER BY i.issue_on LIMIT 1"""
TEMPORARY = "FJORD"  # prepaid, and topped up from the master account: what its limit covers is no credit
LIMIT_DAYS = 7
Ask = Callable[..., Any]
Expect = Callable[..., None]


def worked(address: str, ask: Ask, expect: Expect) -> None:
    """Each by signed payloads through the page's own door; what came of it by our own SQL."""
    clara, mira, olga = (RemoteActor(address, user) for user in ("U0CLARA", "U0MIRA", "U0OLGA"))
    code = ask(PREPAID)
    withdrawn(code, (clara, mira, olga), ask, expect)
    credited(clara, mira, ask, expect)
    on_terms(code, mira, ask, expect)
    limited(mira, expect)
    topped_up(clara, mira, ask, expect)
    asked_for(clara, ask, expect)


def withdrawn(code: str, people: tuple[RemoteActor, ...], ask: Ask, expect: Expect) -> None:
    """Asked for by a manager, who cannot approve it by button or by words; approved in the thread; paid."""
    clara, mira, olga = people
    held = "SELECT deposits_micros FROM customer WHERE code = ?"
    before = ask(held, code)
    mira.command("approvals", f"/withdraw {code} 25 cash because Smoke run")
    assert mira.submit()["ok"]
    card = mira.wait_for("approvals", "SGD 25.00")
    number = re.findall(r"WDR-\d+", card["text"])[0]
    mira.press(card, "Approve")
    expect("nobody approves an own request by button", mira.ephemerals("approvals")[-1]["text"], "yourself")
    mira.say("approvals", "approve", thread_ts=card["ts"])
    mira.wait_for("approvals", "yourself")
    expect("nor by words", str(ask("SELECT state FROM withdrawal WHERE number = ?", number)), "requested")
    olga.say("approvals", "approve", thread_ts=card["ts"])
    olga.wait_for("approvals", "executed")
    assert ask(held, code) == before - 25 * MICROS
    clara.command("approvals", f"/withdraw paid {number}")
    clara.fill({"Payment reference": "FT-7781"})
    for _ in range(2):
        assert clara.submit()["ok"]
    clara.close()
    expect(
        "it is approved by words and paid", str(ask("SELECT state FROM withdrawal WHERE number = ?", number)), "paid"
    )


def credited(clara: RemoteActor, mira: RemoteActor, ask: Ask, expect: Expect) -> None:
    """Drafted of an invoice, approved by a manager, applied to it."""
    invoice = ask(OPEN)
    left = "SELECT open_micros FROM invoice WHERE number = ?"
    before = ask(left, invoice)
    clara.command("finance", f"/credit-note {invoice} 10 missed discount")
    expect("a note of an invoice shows what it credits", shown(clara.modal or {}), "SGD 10.00", "A manager approves it")
    assert clara.submit()["ok"]
    clara.close()
    mira.press(mira.wait_for("finance", "Credit note DRAFT-"), "Approve")
    clara.wait_for("finance", "Credit note CN-")
    cards = [each for each in clara.messages("finance") if each.get("thread_ts") in {None, each["ts"]}]
    clara.press(next(each for each in cards if "Credit note CN-" in each["text"]), "Apply")
    assert clara.submit()["ok"]
    clara.close()
    assert ask(left, invoice) == before - 10 * MICROS
    expect("it is approved and applied", str(ask("SELECT open_micros FROM credit_note WHERE number LIKE 'CN-%'")), "0")


def on_terms(code: str, mira: RemoteActor, ask: Ask, expect: Expect) -> None:
    """A limit for some days, then another mode with a limit for good, after its dry run."""
    mira.command("finance", f"/credit-limit {code} 200 for 7 days")
    expect("a limit shows what it means", shown(mira.modal or {}), "none → 200.00 until", "does not come back")
    assert mira.submit()["ok"]
    mira.close()
    days = (
        "SELECT l.days FROM credit_limit l JOIN customer c ON c.id = l.customer_id WHERE c.code = ? AND l.ends_at > ?"
    )
    expect("it ends by itself", str(ask(days, code, "2026")), "7")
    mira.command("finance", f"/payment-mode {code} postpaid limit 300")
    form = shown(mira.modal or {})
    expect("a switch shows every consequence", form, "prepaid → postpaid", "stays as it is", "→ 300.00")
    if "first week" in form:
        mira.fill({"Again": ["yes"]})
    assert mira.submit()["ok"]
    mira.close()
    now = ask("SELECT mode || ' ' || limit_micros FROM customer WHERE code = ?", code)
    expect("and is done in one step", now, f"postpaid {300 * MICROS}")


def limited(mira: RemoteActor, expect: Expect) -> None:
    """A limit for some days counts now."""
    mira.command("finance", f"/credit-limit {TEMPORARY} 150 for {LIMIT_DAYS} days")
    assert mira.submit()["ok"]
    mira.close()
    shown_now = mira.command("finance", f"/credit-limit show {TEMPORARY}").text
    expect("a temporary limit is in force", shown_now, "150.00 until")


def lapsed(address: str, expect: Expect) -> None:
    """Some days later nobody has done anything, and it counts no more."""
    text = RemoteActor(address, "U0VIK").command("finance", f"/credit-limit show {TEMPORARY}").text
    expect("past its end it counts no more", text, "Limit 0.00")


def topped_up(clara: RemoteActor, mira: RemoteActor, ask: Ask, expect: Expect) -> None:
    """More than the partner has is not issued; a charge that reaches the threshold tops up from the master account."""
    mira.command("finance", "/credit FJORD 90000 goodwill because Smoke run")
    expect(
        "an issue that the partner cannot cover is refused",
        shown(mira.modal or {}),
        "more than the master account can cover",
    )
    mira.close()
    held = "SELECT deposits_micros - receivable_micros FROM customer WHERE code = 'FJORD'"
    before = ask(held)
    clara.command("finance", "/customer usage FJORD 60 for Calls tax 0 id SMOKE-1")
    assert clara.submit()["ok"]
    clara.close()
    card = shown(clara.wait_for("finance", "Credit issued"))
    expect("a charge that reaches the threshold tops up at once", card, "Automatic top-up", "Can be handed out")
    assert ask(held) == before + (500 - 60) * MICROS
    document = "SELECT COUNT(*) FROM top_up_attempt WHERE code = 'done' AND credit_id IS NOT NULL"
    expect("once", str(ask(document)), "1")


def asked_for(clara: RemoteActor, ask: Ask, expect: Expect) -> None:
    """A top-up invoice is sent, paid, and its amount is credit; nobody owed it before."""
    held = "SELECT deposits_micros || ' ' || receivable_micros FROM customer WHERE code = 'SAFFRON'"
    before, owed = map(int, ask(held).split())
    clara.command("finance", "/invoice new top-up SAFFRON 75 because Smoke run")
    clara.fill({"Send": ["yes"]})
    for _ in range(2):
        assert clara.submit()["ok"]
    clara.close()
    card = clara.wait_for("finance", "Top-up invoice TOP-")
    expect("a top-up invoice is sent and owed by nobody", card["text"], "awaiting payment")
    assert ask(held) == f"{before} {owed}"
    clara.press(card, "Record payment")
    for _ in range(2):
        assert clara.submit()["ok"]
    clara.close()
    number = re.findall(r"TOP-\d+", card["text"])[0]
    lot = "SELECT l.amount_micros FROM lot l JOIN invoice i ON i.id = l.invoice_id WHERE i.number = ?"
    expect("once paid it is credit that names it", str(ask(lot, number)), str(75 * MICROS))
