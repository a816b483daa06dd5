"""The part of `make smoke` that reminds: the plan's figures by our own SQL, its mails as they arrived, and who pays."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from sandbox.client import RemoteActor, shown
from sandbox.mail import Letter, MailOffice
from sandbox.pdf_text import text_of

MICROS = 1_000_000
SECONDS = 60.0
LET_GO = 3  # of the first page of a plan; the others on it are left out by hand
OWED = "SELECT receivable_micros FROM customer WHERE code = ?"
FIRST, NOTICE = 7, 3  # days after and before the due date, of the usual schedule; nobody was reminded before
OPEN = """SELECT c.code, c.name, i.number, i.currency, i.open_micros, i.disputed,
    CAST(julianday(:today) - julianday(i.due_on) AS INTEGER),
    EXISTS (SELECT 1 FROM promise p WHERE p.customer_id = c.id AND COALESCE(p.invoice_id, i.id) = i.id
        AND p.ended_at IS NULL AND p.promised_on >= :today),
    EXISTS (SELECT 1 FROM promise p WHERE p.customer_id = c.id AND COALESCE(p.invoice_id, i.id) = i.id
        AND p.ended_at IS NULL AND p.promised_on < :today),
    COALESCE(t.opted_out, 0), COALESCE(t.paused_until > :today, 0)
    FROM invoice i JOIN customer c ON c.id = i.customer_id LEFT JOIN reminder_terms t ON t.customer_id = c.id
    WHERE i.kind = 'tax' AND i.state = 'sent' AND i.open_micros > 0 AND i.total_micros > 0
    AND c.mode = 'postpaid' AND c.state = 'active' ORDER BY c.id, i.due_on, i.id"""
Expect = Callable[..., None]


class Tables(Protocol):
    """The book's tables."""

    def rows(self, statement: str, *values: Any) -> Iterator[Any]: ...

    def one(self, statement: str, *values: Any) -> Any: ...


@dataclass
class Reminded:
    """What a customer is to get: its invoices that are due, and which of them are held back."""

    name: str
    left: str = ""
    goes: dict[str, int] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    currency: str = ""
    broke_its_word: bool = False


def due_today(tables: Tables, today: date) -> dict[str, Reminded]:
    """By customer code, from due dates, open amounts, disputes, promises and terms alone."""
    found: dict[str, Reminded] = {}
    for code, name, number, currency, micros, disputed, late, promised, broken, never, paused in tables.rows(
        OPEN.replace(":today", f"'{today}'")
    ):
        if not (late >= FIRST or -NOTICE <= late <= 0):
            continue
        each = found.setdefault(code, Reminded(name, currency=currency))
        if disputed or promised:
            each.held.append("disputed" if disputed else "payment promised")
        else:
            each.goes[number] = micros
            each.broke_its_word |= bool(broken)
        each.left = "opted out" if never else "paused" if paused else ""
    for each in found.values():
        each.left = each.left or ("" if each.goes else each.held[0])
    return found


def released(clerk: RemoteActor, tables: Tables, today: date, expect: Expect) -> dict[str, Reminded]:
    """The plan's card says what the tables say, and is sent; who gets a mail."""
    card = clerk.wait_for("finance", "Reminders for", seconds=SECONDS)
    due = due_today(tables, today)
    going = {code: each for code, each in due.items() if not each.left}
    sums: Counter[str] = Counter()
    for each in going.values():
        sums[each.currency] += sum(each.goes.values())
    count = sum(len(each.goes) for each in going.values())
    amounts = ", ".join(f"{currency} {sums[currency] / MICROS:,.2f}" for currency in sorted(sums))
    said = f"{len(going)} messages to {len(going)} customers, {count} invoices, {amounts} · sends at "
    expect("the plan's messages, invoices and sums equal the tables", card["text"], said)
    left = Counter(each.left for each in due.values() if each.left)
    reasons = [f"{why}: {number}" for why, number in left.items()]
    expect("who is left out, and why, equals the tables", shown(card), f"Left out {left.total()}", *reasons)
    looked = [each for each in going.values() if each.held or each.broke_its_word]
    expect("whom to look at equals the tables", shown(card), f"Look at {len(looked)}", *(each.name for each in looked))
    kept = _payer(tables, going)
    for code in _leave_out(clerk, card, {code: each.name for code, each in going.items() if code != kept}):
        del going[code]
    clerk.wait_for("finance", f"{len(going)} messages to {len(going)} customers")
    card = next(each for each in clerk.messages("finance") if each["ts"] == card["ts"])
    out = f"Left out by hand {len(due) - sum(left.values()) - len(going)}"
    expect("whom a person leaves out is counted", shown(card), out)
    clerk.press(card, "Send now")
    return going


def _payer(tables: Tables, going: dict[str, Reminded]) -> str:
    """Somebody who is reminded of all that it owes."""
    return next(code for code, each in going.items() if tables.one(OWED, code) == sum(each.goes.values()))


def _leave_out(clerk: RemoteActor, card: dict[str, Any], names: dict[str, str]) -> list[str]:
    """Leave out the rest of the first page; their codes."""
    clerk.press(card, "Review")
    codes = {name: code for code, name in names.items()}
    left = []
    for place in range(LET_GO, 10):
        review = clerk.modal or {}
        rows = [each["text"]["text"] for each in review["blocks"] if each["block_id"].startswith("message:")]
        code = codes.get(rows[place].split(" · ")[0]) if place < len(rows) else None
        if code is not None:
            clerk.press(review, f"reminder_more_{place}", "Leave out")
            left.append(code)
    clerk.close()
    return left


def received(clerk: RemoteActor, office: MailOffice, going: dict[str, Reminded], expect: Expect) -> None:
    """Each customer got one mail, with its own invoices and its own statement, and nobody else anything."""
    until = time.monotonic() + SECONDS
    while len(office.letters) < len(going) and time.monotonic() < until:
        time.sleep(0.1)
    clerk.wait_for("finance", f"sent {len(going)} of {len(going)}", seconds=SECONDS)
    got = Counter(letter.recipients for letter in office.letters)
    assert got == {(f"accounts@{code.lower()}.example",): 1 for code in going}, got
    for letter in office.letters:
        code = letter.recipients[0].removeprefix("accounts@").removesuffix(".example").upper()
        _own(letter, code, going[code])
    expect(f"{len(going)} customers got one mail each, with their own invoices and statement", "as planned", "planned")


def _own(letter: Letter, code: str, wanted: Reminded) -> None:
    numbers = set(re.findall(r"INV-\d+", letter.text))
    assert numbers == set(wanted.goes), (code, numbers, wanted)
    assert wanted.name in letter.text, letter.text
    (paper,) = letter.files
    assert str(paper.get_filename()).startswith(f"statement-{code}-"), paper.get_filename()
    written = text_of(bytes(paper.get_payload(decode=True) or b""))
    assert wanted.name in written, (code, written[:500])
    assert all(number in written for number in wanted.goes), (code, written[:2000])


def paid(clerk: RemoteActor, tables: Tables, going: dict[str, Reminded], expect: Expect) -> None:
    """Who pays all that it owes is not reminded again."""
    code = _payer(tables, going)
    before = clerk.command("finance", f"/reminders preview {code}").text
    expect("who was reminded is reminded again after some days", before, "(level 1, delivered)", "next ")
    amount = f"{sum(going[code].goes.values()) / MICROS:.2f}"
    clerk.command("finance", f"/payment {code} {amount} bank ref SMOKE-REMINDED")
    assert clerk.submit()["ok"]
    clerk.close()
    after = clerk.command("finance", f"/reminders preview {code}").text
    expect("who has paid is not", after, "nothing next: no invoice is open")
