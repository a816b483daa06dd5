"""Backing up and restoring by the command line: what is said, what it ends with, and what is left behind."""

import io
import json
import resource
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import __version__
from bot.__main__ import main
from bot.config import Config
from bot.storage import schema
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.domain.expect import everything, run_sql
from tests.world import World

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    status: int
    out: str
    err: str


Type = Callable[..., Said]


@pytest.fixture
def duedesk(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    book_url: str,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Type]:
    """Type a command line in an empty directory."""
    monkeypatch.chdir(tmp_path_factory.mktemp("started_from"))
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", book_url)

    def run(line: str, *, answers: str | None = None) -> Said:
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdin", Terminal(answers) if answers is not None else io.StringIO())
            status = main(line.split())
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Said(status, printed.out, printed.err)

    yield run
    assert [each.name for each in Path().iterdir() if "unfinished" in each.name] == []


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self) -> bool:
        return True


def test_a_book_is_backed_up_and_restored_by_its_operator(duedesk: Type, world: World, library: Library) -> None:
    world.pay(10)
    before = everything(world)
    said = duedesk("db backup book.zip")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("book main: ")
    assert said.out.endswith(" are in book.zip\n")
    assert stat.S_IMODE(Path("book.zip").stat().st_mode) == 0o600
    world.pay(20)
    assert duedesk("db restore book.zip") == Said(
        2,
        "",
        "The book main is not empty: it has 7 operations. Restore into another book with --book, or put the backup in"
        " its place with --replace.\n",
    )
    said = duedesk("db restore book.zip --replace")
    assert said == Said(2, "", "All of the book main would be replaced; add --yes if that is meant.\n")
    said = duedesk("db restore book.zip --replace", answers="mian\n")
    assert (said.status, said.err) == (2, "That is not its name; nothing was changed.\n")
    assert len(everything(world)["payment"]) == 2
    said = duedesk("db restore book.zip --replace", answers="main\n")
    assert (said.status, said.err) == (0, "")
    assert "book main is as book main was at 20" in said.out
    assert "the books are right\n1 messages that waited then are held back" in said.out
    assert everything(world)["payment"] == before["payment"]
    assert duedesk("outbox list").status == 1
    assert duedesk("outbox drop all").out == "1 row will never be sent\n"
    assert duedesk("outbox list") == Said(0, "everything is delivered\n", "")
    said = duedesk("db restore book.zip --book other")
    assert said.status == 0
    assert "duedesk outbox retry all --book other sends them" in said.out
    assert duedesk("outbox retry all --book other").out == "1 row will be sent again by the running bot\n"
    assert duedesk("verify --book other").status == 0
    assert Store.open(library, "other").is_current()
    assert duedesk("db restore book.zip --replace --yes --resume-delivery").out.endswith("the books are right\n")
    assert duedesk("outbox retry all").status == 1


def test_a_backup_names_its_program_and_holds_no_address(duedesk: Type, world: World, book_url: str) -> None:
    assert duedesk("db backup book.zip").status == 0
    with zipfile.ZipFile("book.zip") as file:
        manifest = json.loads(file.read("manifest.json"))
    assert manifest["program"] == __version__
    assert manifest["schema"] == schema.newest()
    assert manifest["book"] == "main"
    assert book_url not in str(manifest)
    assert {each["name"]: each["rows"] for each in manifest["tables"]} == {
        name: len(rows) for name, rows in everything(world).items()
    }


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("db backup there", "There is already a folder there; choose another name.\n"),
        ("db backup there/old", "There is already a file there/old; choose another name.\n"),
        ("db backup nowhere/book.zip", "There is no folder nowhere; make it first, or choose another.\n"),
        ("db backup there/" + "long" * 80, "cannot be written: File name too long.\n"),
        ("db backup book.zip --book none", "There is no book none at DATABASE_URL, so there is nothing to back up.\n"),
        ("db restore none.zip", "There is no file none.zip.\n"),
        ("db restore there", "The backup there cannot be read: Is a directory.\n"),
        ("db restore there/old", "The backup there/old is damaged: it is cut off, or it was not made by duedesk db"),
        ("db restore there/other.zip", "The backup there/other.zip is damaged: a checksum is wrong or a part is missi"),
        ("outbox list --book none", "run: duedesk db upgrade --book none\n"),
    ],
)
@SQLITE
def test_what_cannot_be_done_is_said_in_a_sentence(duedesk: Type, world: World, line: str, says: str) -> None:
    Path("there").mkdir()
    Path("there/old").write_text("an old file", encoding="utf-8")
    with zipfile.ZipFile("there/other.zip", "w") as file:
        file.writestr("holiday.txt", "a zip of something else")
    before = sorted(Path().rglob("*"))
    said = duedesk(line)
    assert (said.status, said.out) == (2, "")
    assert says in said.err
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("engine_name", ["postgresql"])
def test_a_book_without_a_schema_is_not_backed_up(duedesk: Type, world: World) -> None:
    said = duedesk("db backup book.zip --book none")
    assert (said.status, said.err) == (2, "The book none has no schema, so there is nothing to back up.\n")
    assert not Path("book.zip").exists()


@SQLITE
def test_a_disk_that_is_full_leaves_nothing_behind(duedesk: Type, world: World) -> None:
    """The system refuses to let a file grow beyond a size, as it does when the disk is full."""
    world.check()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, before[1]))
    try:
        said = duedesk("db backup book.zip")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == Said(2, "", "The backup book.zip cannot be written: File too large.\n")
    assert list(Path().iterdir()) == []
    assert duedesk("db backup book.zip").status == 0


def test_books_that_are_not_right_are_backed_up_and_it_is_said(duedesk: Type, world: World) -> None:
    """A damaged book needs its copy most of all."""
    run_sql(world, "UPDATE series SET last = last + 1 WHERE name = 'payment'")
    said = duedesk("db backup book.zip")
    assert said.status == 1
    assert "verify names 1 findings in this book; the backup holds them too. Run: duedesk verify\n" in said.out
    said = duedesk("db restore book.zip --book other")
    assert (said.status, said.out) == (2, "")
    assert "verify names 1, first payment numbers have no hole: series payment. Nothing was restored." in said.err
