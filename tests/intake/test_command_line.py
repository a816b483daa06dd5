"""The command line of imports: cut off at any moment it goes on, and it says what it did."""

import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import Config
from tests.domain.expect import ask_sql, everything
from tests.intake.files import CUSTOMERS, write_files
from tests.world import World

ROOT = Path(__file__).parents[2]
LINES = 2500
KILLED = """
import os, sys
from bot import __main__
from bot.intake.run import Run
from bot.storage.books import Pending
left = int(sys.argv[2])
def dying(original):
    def call(*given):
        global left
        left -= 1
        done = original(*given) if sys.argv[1] == "flush" or left else None
        if not left:
            os.kill(os.getpid(), 9)
        return done
    return call
if sys.argv[1] == "flush":
    Pending.flush = dying(Pending.flush)
else:
    Run.write = dying(Run.write)
sys.exit(__main__.main(sys.argv[3:]))
"""


def some_day() -> date:
    """A day of this machine's clock that no zone takes for the future."""
    return datetime.now(UTC).date() - timedelta(days=3)


def many_files(folder: Path) -> Path:
    due = some_day() - timedelta(days=40)
    lines = [f"OLD-{n},{('ACME', 'BETA')[n % 2]},{due},{due},{n}.25\n" for n in range(1, LINES + 1)]
    total = sum(n + 0.25 for n in range(1, LINES + 1))
    return write_files(
        folder,
        invoices="number,customer,issued,due,open\n" + "".join(lines),
        payments=f"number,customer,received,amount\nOP-1,ACME,{due},3\n",
        control=f"currency,receivables,unapplied,wallet\nSGD,{total:.2f},3,75.10\n",
        customers=CUSTOMERS.replace("JPY", "SGD"),
    )


@pytest.fixture
def there(book_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of an operator whose database is the book under test."""
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", book_url)


@pytest.mark.parametrize(("where", "at"), [("flush", 5), ("write", 4)])
def test_an_opening_killed_in_the_middle_goes_on_where_it_was(
    world: World, there: None, tmp_path: Path, where: str, at: int, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["import", "opening", str(many_files(tmp_path / "old")), "--as-of", some_day().isoformat()]
    child = subprocess.run(
        [sys.executable, "-c", KILLED, where, str(at), *line],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL
    written = ask_sql(world, "SELECT COUNT(*) FROM invoice")[0][0]
    assert 0 < written < LINES
    world.check()
    assert main(line) == 0
    assert f"{LINES:,} invoices, 1 payments, 1 balances" in capsys.readouterr().out
    assert ask_sql(world, "SELECT COUNT(*) FROM invoice") == [(LINES,)]
    assert ask_sql(world, "SELECT state FROM intake") == [("whole",)]
    world.check()
    after = everything(world)
    assert main(line) == 0
    assert "Nothing was changed." in capsys.readouterr().out
    assert everything(world) == after
    assert main(["import", "opening", "--take-back", "old"]) == 0
    assert ask_sql(world, "SELECT SUM(receivable_micros) + SUM(deposits_micros) FROM customer") == [(0,)]
    world.check()


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_command_line_says_what_it_did_and_ends_with_a_status(
    world: World, there: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "c.csv"
    path.write_text("code,name,currency,mode\nA,Ann,SGD,prepaid\n", encoding="utf-8")
    assert main(["import", "customers", str(path), "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        "c.csv: 1 lines: 1 new customers, 0 with other contacts. Nothing was written: this was a dry run.\n"
    )
    assert main(["import", "customers", str(path)]) == 0
    assert capsys.readouterr().out == "c.csv: 1 lines: 1 customers opened, 0 corrected.\n"
    path.write_text("code,name,currency,mode\nA,Ann,XYZ,prepaid\n", encoding="utf-8")
    assert main(["import", "customers", str(path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("c.csv, line 2, column currency: XYZ is not a currency code")
    assert main(["import", "opening", str(tmp_path / "none"), "--as-of", "2020-01-01"]) == 1
    assert "give the directory with customers.csv" in capsys.readouterr().err
    assert main(["import", "opening", str(tmp_path)]) == 2
    assert main(["import", "opening", "--take-back", "old"]) == 1
    assert "There is no opening old" in capsys.readouterr().err
    assert main(["export", str(tmp_path / "out")]) == 0
    assert "customers.csv: 1 rows" in capsys.readouterr().out
    assert main(["export", str(tmp_path / "out")]) == 1
    assert "not empty" in capsys.readouterr().err
    assert main(["import", "customers", str(path), "--book", "other"]) == 2
    assert "duedesk db upgrade --book other" in capsys.readouterr().err
    world.check()
