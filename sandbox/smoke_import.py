"""The part of `make smoke` that takes over a book by the command line, checks it by totals, and takes it back."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

MICROS = 1_000_000
CUSTOMERS = "code,name,currency,mode\nOLDCO,Old Company,SGD,postpaid\nOLDWALLET,Old Wallet,SGD,prepaid\n"
INVOICES = (("OLD-1", -100, "1000.50"), ("OLD-2", -20, "200.25"), ("OLD-3", 10, "99.75"))
UNAPPLIED, WALLET = "150.25", "75.10"
BALANCES = """SELECT p.account, p.detail, p.customer_id, e.currency, e.effective_on, SUM(p.amount_micros)
    FROM posting p JOIN entry e ON e.id = p.entry_id GROUP BY 1, 2, 3, 4, 5 HAVING SUM(p.amount_micros) <> 0
    ORDER BY 1, 2, 3, 4, 5"""
BUCKETS = """SELECT CASE WHEN days <= 0 THEN 'current' WHEN days <= 30 THEN '1-30' ELSE 'over 90' END, SUM(open_micros)
    FROM (SELECT julianday(:day) - julianday(due_on) AS days, open_micros FROM invoice
    WHERE number LIKE 'OLD-%' AND state = 'sent' AND posted_on <= :day) GROUP BY 1"""


def write_files(folder: Path, as_of: date) -> None:
    """A small book of another system, due long ago, lately and soon."""
    folder.mkdir()
    issued = as_of - timedelta(days=130)
    lines = [f"{number},OLDCO,{issued},{as_of + timedelta(days=due)},{open_}" for number, due, open_ in INVOICES]
    files = {
        "customers": CUSTOMERS,
        "invoices": "\n".join(["number,customer,issued,due,open", *lines]),
        "payments": f"number,customer,received,amount\nOLDPAY-1,OLDCO,{as_of},{UNAPPLIED}\n",
        "balances": f"customer,amount\nOLDWALLET,{WALLET}\n",
        "control": f"currency,receivables,unapplied,wallet\nSGD,1300.50,{UNAPPLIED},{WALLET}\n",
    }
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")


def duedesk(book: Path, *line: str) -> str:
    """Type a command line; what it printed, or the assertion that it failed with."""
    command = [sys.executable, "-m", "bot", *line]
    environment = {**os.environ, "DATABASE_URL": f"sqlite:///{book}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # our own
    assert done.returncode == 0, f"duedesk {' '.join(line)} ended with {done.returncode}: {done.stderr}"
    return done.stdout


def taken_over(book: Path, folder: Path, as_of: date, expect: Callable[..., None]) -> None:
    """An opening in, its totals by our own SQL, and out again with every balance as it was."""
    with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as tables:
        before = tables.execute(BALANCES).fetchall()
        write_files(folder, as_of)
        said = duedesk(book, "import", "opening", str(folder), "--as-of", as_of.isoformat())
        expect("an opening is taken over", said, "1,300.50", f"is taken over as of {as_of}")
        found = dict(tables.execute(BUCKETS, {"day": as_of.isoformat()}).fetchall())
        wanted = {"current": "99.75", "1-30": "200.25", "over 90": "1000.50"}
        assert found == {name: round(float(text) * MICROS) for name, text in wanted.items()}, found
        credit = "SELECT SUM(open_micros) FROM lot WHERE number IN ('OLDPAY-1', 'OB-OLDWALLET')"
        held = tables.execute(credit).fetchone()[0]
        assert held == round((float(UNAPPLIED) + float(WALLET)) * MICROS), held
        expect("its totals are those of the files", "in the tables", "in the tables")
        again = duedesk(book, "import", "opening", str(folder), "--as-of", as_of.isoformat())
        expect("again it changes nothing", again, "Nothing was changed")
        back = duedesk(book, "import", "opening", "--take-back", folder.name)
        expect("it is taken back whole", back, "5 documents taken back")
        assert tables.execute(BALANCES).fetchall() == before, "balances differ after the opening was taken back"
        expect("every balance of every day is as before", "as before", "as before")
