"""The example of the operators' page, as it stands there."""

from pathlib import Path

import pytest

from bot.intake.take_back import take_back
from tests.intake.files import AS_OF, open_books
from tests.test_docs import BLOCK, read, sections
from tests.world import World


def blocks() -> list[list[str]]:
    chapter = sections(read("docs/operating.md"))["Taking over an existing book"]
    return [block.splitlines() for block in BLOCK.findall(chapter)]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_example_of_the_page_is_taken_over_as_the_page_says(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "old-books"
    folder.mkdir()
    files = [lines for lines in blocks() if lines[0].endswith(".csv")]
    assert len(files) == 5
    for name, *lines in files:
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (printed,) = [lines for lines in blocks() if lines[0].startswith("As of ")]
    done = open_books(world, folder, name="old-books")
    assert done.faults == []
    assert done.text.splitlines() == printed
    assert printed[0] == f"As of {AS_OF}, by due date:"
    world.check()
    assert "taken back" in take_back(world.desk, "old-books", dry_run=True)
