"""The page for operators is followed: each command that it shows is run in its order, or started and looked at."""

import re
import shlex
from pathlib import Path

import pytest

from bot.__main__ import _parser, main
from bot.config import Config
from bot.parts import Part
from tests.test_docs import BLOCK, read
from tests.world import World

SQLITE = pytest.mark.parametrize("engine_name", ["sqlite"])
DOCKER_RUN = re.compile(r"docker run .* duedesk( .*)?")
STARTED = "run"  # goes on until it is told to stop: tests/jobs/test_replicas.py starts all of its variants


def lines() -> list[str]:
    """What the blocks of the page have for the shell, in their order."""
    return [line.strip() for block in BLOCK.findall(read("docs/operating.md")) for line in block.splitlines()]


def files() -> dict[str, str]:
    """The files that the page shows, by name."""
    found = (block.split("\n", 1) for block in BLOCK.findall(read("docs/operating.md")))
    return {name: content for name, content in found if re.fullmatch(r"[a-z]+\.csv", name)}


@SQLITE
def test_every_command_of_the_page_does_what_it_says(
    world: World, book_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATABASE_URL", book_url)
    monkeypatch.chdir(tmp_path)
    old = tmp_path / "old-books"
    old.mkdir()
    for name, content in files().items():
        (old / name).write_text(content, encoding="utf-8")
    typed = [shlex.split(line)[1:] for line in lines() if line.startswith("duedesk ")]
    ran = [arguments for arguments in typed if arguments[0] != STARTED]
    for arguments in ran:
        assert main(arguments) == 0, (arguments, capsys.readouterr())
    assert {" ".join(each[:2]) for each in ran} == {"import opening", "db backup", "db restore"}
    started = [_parser().parse_args(arguments).only for arguments in typed if arguments[0] == STARTED]
    assert started[0] is None
    assert frozenset().union(*(parts for each in started[1:] for parts in each)) == frozenset(Part)


def test_what_is_behind_the_name_of_the_image_is_a_command_of_ours() -> None:
    behind = [(found[1] or "").split() for line in lines() if (found := DOCKER_RUN.fullmatch(line))]
    assert len(behind) >= 6
    for arguments in behind:
        assert _parser().parse_args(arguments or [STARTED]).run is not None
