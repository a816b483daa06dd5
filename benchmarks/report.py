"""What a run leaves behind: a Markdown table to read, and JSON with the commit and the machine to keep."""

import json
import os
import platform
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.budgets import Kind, Verdict
from benchmarks.child import ROOT
from benchmarks.measure import Figure, Sample

FOLDER = ROOT / "var" / "bench"


def figures_table(figures: Iterable[Figure]) -> Iterator[str]:
    yield from header("work", "engine", "N", "floor", "ours", "ours / floor")
    for each in figures:
        if each.floor is None and each.ours is None:
            continue
        name = ", ".join(filter(None, (each.work, each.measure, each.case)))
        ratio = f"{each.ratio:.2f}x" if each.ratio is not None else ""
        yield row(name, each.engine, f"{each.size:,}", shown(each, each.floor), shown(each, each.ours), ratio)


def budgets_table(verdicts: Iterable[Verdict]) -> Iterator[str]:
    yield from header("budget", "engine", "kind", "at most", "measured", "")
    for verdict in verdicts:
        budget, value = verdict.budget, verdict.value
        measured = amount(value, budget.unit) if value is not None else "not measured"
        answer = "met" if verdict.is_met else "missed" if value is not None else ""
        yield row(budget.name, budget.engine, budget.kind.value, f"{budget.limit:g} {budget.unit}", measured, answer)


def header(*names: str) -> Iterator[str]:
    yield row(*names)
    yield row(*("---" for _ in names))


def row(*cells: str) -> str:
    return f"| {' | '.join(cell.strip() for cell in cells)} |"


def shown(figure: Figure, sample: Sample | None) -> str:
    """The median with its spread; for W1 and imports also how many that is in a second."""
    if sample is None:
        return ""
    text = amount(sample.median, figure.unit)
    if len(sample.values) > 1:
        text += f" (spread {sample.spread:.0%})"
    if figure.work == "W1":
        text += f", {1000 / sample.median:,.0f} per second"
    if figure.work == "import" and figure.measure == "time":
        text += f", {1000 * figure.size / sample.median:,.0f} lines per second"
    return text


def amount(value: float, unit: str) -> str:
    return f"{value:.2f} {unit}".strip() if value < 100 else f"{value:,.0f} {unit}"


def busyness(before: Sample, after: Sample) -> str:
    """How a reader tells a slow machine from slow code."""
    return (
        f"A fixed loop took {before.median:.1f} ms before the run (spread {before.spread:.0%}) "
        f"and {after.median:.1f} ms after it (spread {after.spread:.0%})."
    )


def budgets_met(verdicts: Sequence[Verdict], kind: Kind) -> tuple[int, int]:
    """How many budgets of a kind are met, of how many."""
    of_kind = [verdict.is_met for verdict in verdicts if verdict.budget.kind is kind]
    return sum(of_kind), len(of_kind)


def write_json(figures: Sequence[Figure], verdicts: Sequence[Verdict], more: dict[str, Any]) -> Path:
    """Write everything, every repeat included, under a name that sorts by time."""
    now = datetime.now(UTC)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{now:%Y%m%dT%H%M%SZ}.json"
    content = {
        "at": now.isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        **more,
        "figures": [asdict(figure) | {"ratio": figure.ratio} for figure in figures],
        "budgets": [
            {
                "name": verdict.budget.name,
                "engine": verdict.budget.engine,
                "kind": verdict.budget.kind.value,
                "how": verdict.budget.how.value,
                "limit": verdict.budget.limit,
                "value": verdict.value,
                "met": verdict.is_met,
            }
            for verdict in verdicts
        ],
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path


def commit() -> str:
    """The commit of the working tree, marked when files differ from it."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    command = [git, "--no-optional-locks", "describe", "--always", "--dirty", "--abbrev=40"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words
    return found.stdout.strip() or "none yet"


def machine() -> dict[str, object]:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_mb": memory_bytes // 1024**2,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def processor() -> str:
    """The name that Linux gives the processor, or what Python knows elsewhere."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
