"""The control totals of the other system: they agree to the minor unit, or nothing is written."""

from collections.abc import Sequence
from pathlib import Path

from bot.domain.intake import IntakeTotal
from bot.domain.money import Money
from bot.intake.reader import Column
from bot.intake.run import Run

FIGURES = ("receivables", "unapplied", "wallet")
COLUMNS = (Column("currency", needed=True), *(Column(name, needed=True) for name in FIGURES))


def read_control(run: Run, path: Path, totals: Sequence[IntakeTotal]) -> None:
    """Compare each figure of each currency; what differs is a fault that names both."""
    found = {each.currency.code: each for each in totals}
    seen: dict[str, int] = {}
    last = 1
    for rows in run.read(path, COLUMNS):
        for row in rows:
            line, last = run.line(path.name, row), row.line
            of = line.currency("currency")
            if of is None:
                continue
            if of.code in seen:
                line.fault("currency", f"{of.code} stands in line {seen[of.code]} already.")
                continue
            seen[of.code] = row.line
            mine = found.get(of.code)
            for name in FIGURES:
                given = line.signed(name, of)
                files = getattr(mine, name) if mine is not None else Money(0, of)
                if given is not None and given != files:
                    line.fault(name, f"the other system has {given}, the files come to {files}; find the difference.")
    for code, total in found.items():
        if code not in seen:
            run.faults.add(path.name, last, "currency", f"{code} is missing; the files come to {total.told()}.")
