"""How long an ageing file takes and what memory it needs, small and large: `python -m benchmarks.files [SIZE ...]`.

SIZE is the number of open invoices, each a row of the file; the process is a fresh one each time. What
the libraries need by themselves stands first.
"""

import sys
import tempfile
from pathlib import Path

from benchmarks import child
from benchmarks.adapter import open_ours
from benchmarks.data import Books

SIZES = (20_000, 200_000)
FORMS = ("csv", "xlsx")


def main() -> None:
    sizes = tuple(map(int, sys.argv[1:])) or SIZES
    stack = child.spawn("stack")
    assert stack is not None
    print(f"libraries alone: {stack.peak_mb:.0f} MB")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            where = str(Path(folder) / "book.db")
            ours = open_ours("sqlite", where)
            ours.load(Books(size))
            ours.close()
            for form in FORMS:
                spent = child.spawn("file", form, "sqlite", where)
                assert spent is not None
                seconds = spent.milliseconds / 1000
                print(
                    f"{size:>9,} open invoices  {form:<4}  {seconds:6.1f} s  peak {spent.peak_mb:4.0f} MB", flush=True
                )


if __name__ == "__main__":
    main()
