"""What only some files need is not in the memory of each process."""

import subprocess
import sys

HEAVY = ("fpdf", "fontTools", "matplotlib", "numpy", "openpyxl", "PIL", "xlsxwriter")


def test_the_bot_starts_without_what_draws_and_writes_files() -> None:
    code = f"import sys, bot.app; print([each for each in {HEAVY!r} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
