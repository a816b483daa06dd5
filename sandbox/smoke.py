"""`make smoke`: drives the demo as a client would, recomputes its figures with SQL of its own, and ends."""

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.__main__ import prepare, running
from sandbox.client import RemoteActor, shown
from sandbox.smoke_desk import LIMIT_DAYS, lapsed, worked
from sandbox.smoke_import import taken_over
from sandbox.smoke_reminders import paid, received, released

MICROS = 1_000_000
MOVED = {"allocation": "paid", "allocation taken back": "payments taken back", "invoice": "new invoices"}
CONTROLS = {"deposits": -1, "advances": -1, "credit_notes": -1, "receivable": 1, "unbilled": 1, "payouts_due": -1}


class Differs(Exception):  # noqa: N818  # a finding, told in a sentence
    """A figure is not what the tables say."""


def expect(what: str, shown_text: str, *wanted: str) -> None:
    """Every wanted text is shown."""
    missing = [each for each in wanted if each not in shown_text]
    if missing:
        raise Differs(f"{what}: {missing} not shown in:\n{shown_text[:1500]}")
    print(f"ok  {what}")


class Tables:
    """The book's tables, read with SQL of our own."""

    def __init__(self, book: Path) -> None:
        self._connection = sqlite3.connect(f"file:{book}?mode=ro", uri=True)

    def rows(self, statement: str, *values: Any) -> Iterator[Any]:
        return iter(self._connection.execute(statement, values).fetchall())

    def one(self, statement: str, *values: Any) -> Any:
        found = self._connection.execute(statement, values).fetchone()
        return found[0] if found is not None else None

    def check_balances(self) -> int:
        """Every control account of every customer equals the sum of its postings."""
        checked = 0
        for account, sign in CONTROLS.items():
            statement = f"""SELECT c.code, c.{account}_micros, (SELECT COALESCE(SUM(p.amount_micros), 0) FROM posting p
                WHERE p.customer_id = c.id AND p.account = '{account}') FROM customer c"""
            for code, kept, posted in self.rows(statement):
                checked += 1
                if kept != sign * posted:
                    raise Differs(f"{account} of {code}: kept {kept}, postings say {sign * posted}")
        return checked

    def ageing(self, as_of: date) -> dict[str, list[int]]:
        """Buckets per currency from invoices and allocations, invoice by invoice."""
        statement = """SELECT i.currency, i.due_on, i.total_micros - i.settled_micros - COALESCE((SELECT
            SUM(a.amount_micros) FROM allocation a WHERE a.invoice_id = i.id AND a.effective_on <= ?), 0)
            FROM invoice i WHERE i.state = 'sent' AND i.posted_on <= ?"""
        sums: dict[str, list[int]] = {}
        for currency, due_on, left in self.rows(statement, as_of.isoformat(), as_of.isoformat()):
            days = (as_of - date.fromisoformat(due_on)).days
            bucket = 0 if days <= 0 else 1 if days <= 30 else 2 if days <= 60 else 3 if days <= 90 else 4  # noqa: PLR2004  # the standard edges
            sums.setdefault(currency, [0] * 5)[bucket] += left
        return sums

    def moved(self, last: date, today: date) -> dict[str, dict[str, int]]:
        """What receivables moved by, kind by kind, in force today but not as they were known on the last day."""
        statement = """SELECT e.currency, e.kind, SUM(p.amount_micros) FROM entry e JOIN posting p ON p.entry_id = e.id
            WHERE p.account = 'receivable' AND e.effective_on <= ?
            AND NOT (e.effective_on <= ? AND date(e.recorded_at) <= ?) GROUP BY e.currency, e.kind"""
        found: dict[str, dict[str, int]] = {}
        for currency, kind, amount in self.rows(statement, str(today), str(last), str(last)):
            found.setdefault(currency, {})[kind] = amount
        return found


def drive(clerk: RemoteActor, tables: Tables) -> None:
    """Command, form, preview, submission, card, allocation, undo, ageing."""
    number = tables.one(
        """SELECT i.number FROM invoice i JOIN customer c ON c.id = i.customer_id
        WHERE c.code = 'ACME' AND i.open_micros = 300000000 AND i.total_micros = 300000000 LIMIT 1"""
    )
    due_before = _due(tables)
    clerk.command("finance", f"/payment Acme 500 bank ref TT-881 inv {number}")
    form = clerk.modal
    if form is None:
        raise Differs(f"no form was opened: {clerk.toasts}")
    expect(
        "the typed command opens its form, previewed",
        shown(form),
        "What will happen",
        f"{number}  300.00 of 300.00 → paid",
    )
    clerk.fill({"Remark": "smoke"})
    _submit(clerk)
    expect("a changed form is previewed again", shown(clerk.modal or {}), "What will happen")
    _submit(clerk)
    expect("the submission says what was recorded", shown(clerk.modal or {}), "fully allocated", "recorded by")
    clerk.close()
    card = clerk.wait_for("finance", "TT-881")
    expect(
        "the card is posted",
        shown(card),
        "Acme Pte Ltd · SGD 500.00 · fully allocated",
        f"{number}  300.00 of 300.00 → paid",
    )
    if _due(tables) != due_before - 500 * MICROS:
        raise Differs(f"amount due went from {due_before} to {_due(tables)} after a payment of 500")
    print("ok  the customer owes 500.00 less")
    clerk.press(card, "Undo")
    clerk.wait_for("finance", "undone")
    if _due(tables) != due_before:
        raise Differs(f"amount due is {_due(tables)} after undo, not {due_before}")
    print("ok  undo gives it back")


def _due(tables: Tables) -> int:
    found = tables.one("SELECT receivable_micros - deposits_micros FROM customer WHERE code = 'ACME'")
    return int(found)


def _submit(clerk: RemoteActor) -> None:
    answer = clerk.submit()
    if not answer.get("ok") or answer.get("errors"):
        raise Differs(f"the form was refused: {answer}")


def digested(owner: RemoteActor, tables: Tables, today: date) -> None:
    """The digest is posted by its job; its buckets and what moved since the last one are what the tables say."""
    said = owner.command("finance", "/duedesk jobs run digest again").text
    expect("the digest is asked for", said, "On its way")
    text = shown(owner.wait_for("digest", "ties to the ledger"))
    expect("the digest is posted by its job", text, "ties to the ledger")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for currency, buckets in tables.ageing(today).items():
        figures = " ".join(_shown(each) for each in (sum(buckets), *buckets))
        expect(f"the digest's buckets of {currency} equal the tables", "\n".join(lines), f"{currency} {figures}")
    last = date.fromisoformat(tables.one("SELECT MAX(day) FROM job_run WHERE state = 'done' AND day < ?", str(today)))
    for currency, moved in tables.moved(last, today).items():
        reasons = ", ".join(f"{MOVED[kind]} {_signed(moved[kind])}" for kind in MOVED if moved.get(kind))
        change = f"{currency} {_signed(sum(moved.values()))} = {reasons};"
        expect(f"what moved in {currency} since {last} equals the tables", "\n".join(lines), change)


def _shown(micros: int) -> str:
    return f"{micros / MICROS:,.2f}" if micros else "–"


def _signed(micros: int) -> str:
    sign = "+" if micros > 0 else "−" if micros < 0 else ""
    return f"{sign}{abs(micros) / MICROS:,.2f}"


def aged(clerk: RemoteActor, tables: Tables, today: date) -> None:
    """The report's totals at two days equal those of the tables."""
    for as_of in (today, today - timedelta(days=200)):
        text = clerk.command("finance", f"/aging as-of {as_of}").text
        for currency, buckets in tables.ageing(as_of).items():
            figures = [f"{each / MICROS:,.2f}" for each in (sum(buckets), *filter(None, buckets))]
            part = text[text.index(f"\n{currency} ") :]
            total = next(line for line in part.splitlines() if line.startswith("Total"))
            expect(
                f"ageing of {currency} at {as_of} equals the tables",
                " ".join(total.split()),
                " ".join(["Total", *figures]),
            )


def main() -> int:
    """Exit status 0 when everything shown is what the tables say."""
    started = time.monotonic()
    today = datetime.now(UTC).astimezone(ZoneInfo("Asia/Singapore")).date()
    with tempfile.TemporaryDirectory(prefix="smoke") as folder:
        book = Path(folder) / "book.db"
        prepare(book)
        with running(book) as demo:
            print(f"ok  the demo runs at {demo.address}")
            clerk = RemoteActor(demo.address, "U0CLARA")
            tables = Tables(book)
            try:
                going = released(clerk, tables, today, expect)
                digested(RemoteActor(demo.address, "U0OLGA"), tables, today)
                aged(clerk, tables, today)
                taken_over(book, Path(folder) / "old-books", today - timedelta(days=2), expect)
                drive(clerk, tables)
                worked(demo.address, tables.one, expect)
                received(clerk, demo.sandbox.mail, going, expect)
                paid(clerk, tables, going, expect)
                print(f"ok  {tables.check_balances()} balances equal their postings")
                said = RemoteActor(demo.address, "U0OLGA").command("finance", "/duedesk verify").text
                expect("the book's own proof agrees", said, "The books are right")
                with running(book, ahead=timedelta(days=LIMIT_DAYS + 2), with_jobs=False) as later:
                    lapsed(later.address, expect)
            except (Differs, AssertionError) as fault:
                print(f"NOT {fault}", file=sys.stderr)
                return 1
    print(f"all is well, {time.monotonic() - started:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
