"""Usage from a file: checked whole, each id once, by customer, and what is over is said."""

from contextlib import closing
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.config import Config
from bot.domain.customers import Mode
from bot.intake import usage
from bot.intake.faults import Stopped
from bot.intake.run import Run
from tests.domain.expect import ask_sql, everything
from tests.domain.usage_steps import limited
from tests.world import World, money

HEAD = "id,customer,used,product,net,tax_rate,cost\n"


def bring(world: World, folder: Path, text: str, *, dry_run: bool = False) -> str:
    path = folder / "usage.csv"
    path.write_text(HEAD + text, encoding="utf-8")
    with closing(Run.over(world.desk)) as run:
        return usage.bring(run, path, dry_run=dry_run)


def faults(world: World, folder: Path, text: str) -> str:
    before = everything(world)
    with pytest.raises(Stopped) as stopped:
        bring(world, folder, text)
    assert everything(world) == before
    return "\n".join(stopped.value.faults.told())


def lines(count: int, *, first: int = 0) -> str:
    codes = ("PRE", "POST")
    return "".join(
        f"C-{n},{codes[n % 2]},2026-11-{1 + n % 20:02},Calls,0.125,9,\n" for n in range(first, first + count)
    )


@pytest.fixture
def two(world: World) -> World:
    """A prepaid and a postpaid customer, each with a limit of 10."""
    limited(world, 10, code="PRE")
    limited(world, 10, mode=Mode.POSTPAID, code="POST")
    return world


def test_a_file_is_charged_by_customer_and_again_changes_nothing(two: World, tmp_path: Path) -> None:
    assert bring(two, tmp_path, lines(60)) == "60 lines: 60 charged."
    assert ask_sql(two, "SELECT COUNT(*) FROM audit WHERE event = 'Import usage'") == [(2,)]
    assert ask_sql(two, "SELECT COUNT(*) FROM usage_day") == [(10,)]
    before = everything(two)
    assert "all of them are in the book already" in bring(two, tmp_path, lines(60))
    assert everything(two) == before
    assert bring(two, tmp_path, lines(80)) == "80 lines: 20 charged."
    two.check()


def test_what_is_over_is_booked_and_said_and_a_dry_run_writes_nothing(two: World, tmp_path: Path) -> None:
    before = everything(two)
    assert "Nothing was charged" in bring(two, tmp_path, lines(200), dry_run=True)
    assert everything(two) == before
    said = bring(two, tmp_path, lines(200))
    assert said == "200 lines: 200 charged. Over what they may spend: POST, PRE."
    assert ask_sql(two, "SELECT unbilled_micros FROM customer WHERE code = 'POST'") == [(money("13.625").micros,)]
    two.check()


@pytest.mark.parametrize("engine_name", ["sqlite"])
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("C-1,GONE,2026-11-01,Calls,1,,\n", "there is no customer 'GONE'"),
        ("C-1,PRE,2026-11-24,Calls,1,,\n", "lies in the future"),
        ("C-1,PRE,01/11/2026,Calls,1,,\n", "can be two days"),
        ("C-1,PRE,2026-11-01,Calls,-1,,\n", "negative"),
        ("C-1,PRE,2026-11-01,Calls,1,101,\n", "from 0 to 100"),
        ("C-1,PRE,2026-11-01,,1,,\n", "product is empty"),
        ("C-1,PRE,2026-11-01,Calls,1,,\nC-1,PRE,2026-11-02,Calls,1,,\n", "stands in line 2 already"),
        ("KEPT,PRE,2026-11-02,Calls,1,,\n", "in the book, and not the same here"),
    ],
)
def test_a_wrong_line_stops_the_whole_file(two: World, tmp_path: Path, text: str, says: str) -> None:
    bring(two, tmp_path, "KEPT,PRE,2026-11-01,Calls,1,,\n")
    assert says in faults(two, tmp_path, text)


@pytest.mark.parametrize("engine_name", ["sqlite"])
def test_the_command_line_charges_a_file(
    two: World, book_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", book_url)
    (tmp_path / "usage.csv").write_text(f"{HEAD}C-1,PRE,2026-01-01,Calls,1,,\n", encoding="utf-8")
    assert main(["import", "usage", "usage.csv"]) == 0
    assert "1 lines: 1 charged." in capsys.readouterr().out
