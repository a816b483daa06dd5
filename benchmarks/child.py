"""What has to be measured in a process of its own: start-up and memory.

Each task prints one line of JSON when it is done, and the parent stops the clock at that line. Imports are late because
each of them would otherwise count in every task.
"""

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

STACK = (
    "slack_bolt",
    "slack_bolt.adapter.socket_mode",
    "sqlmodel",
    "alembic",
    "psycopg",
    "apscheduler.schedulers.background",
    "tabulate",
    "pydantic_settings",
    "uvicorn",
    "babel",
    "rapidfuzz",
    "yaml",
)
ROOT = Path(__file__).resolve().parent.parent
NOT_IMPLEMENTED = 3


class Spent(NamedTuple):
    """What one child took from its start to its line."""

    milliseconds: float
    resident_mb: float
    peak_mb: float


def spawn(*task: str) -> Spent | None:
    """Run one task in a new process; nothing comes back when ours cannot do it yet."""
    begin = time.perf_counter()
    command = [sys.executable, "-m", "benchmarks.child", *task]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:  # noqa: S603 - our own
        assert process.stdout is not None
        line = process.stdout.readline()
        elapsed = (time.perf_counter() - begin) * 1000
    if process.returncode == NOT_IMPLEMENTED:
        return None
    if process.returncode or not line:
        message = f"{' '.join(task)} ended with {process.returncode}"
        raise RuntimeError(message)
    memory = json.loads(line)
    return Spent(elapsed, memory["VmRSS"], memory["VmHWM"])


def memory_mb() -> dict[str, float]:
    """Resident memory now and at its peak.

    From the kernel's own page: `resource` would count what the parent held when it forked.
    """
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    pairs = (line.split(":", 1) for line in lines)
    return {name: int(value.split()[0]) / 1024 for name, value in pairs if name in {"VmRSS", "VmHWM"}}


def import_stack() -> object:
    return [importlib.import_module(name) for name in STACK]


def start(engine: str, where: str) -> object:
    from benchmarks.ours import find_adapter

    adapter = find_adapter()
    assert adapter is not None
    return adapter.start(engine, where)


def age(side: str, engine: str, where: str, as_of: str) -> object:
    """Open loaded books and age them once; the whole answer is still in memory when the peak is read."""
    from datetime import date

    day = date.fromisoformat(as_of)
    if side == "floor":
        from benchmarks.floors import Floor

        return Floor(engine, where).age(day)
    from benchmarks.ours import find_adapter

    adapter = find_adapter()
    assert adapter is not None
    ours = adapter.open_ours(engine, where)
    return ours, ours.age(day)


def file(form: str, engine: str, where: str) -> object:
    """Make the ageing of loaded books as a file, as the process beside the bot does."""
    import tempfile

    from benchmarks.adapter import NOW, url_of
    from bot.documents.pool import BookAt, answer
    from bot.documents.render import Job, Made
    from bot.documents.reports import Asked

    question = {
        "as_of": NOW.date().isoformat(),
        "basis": "due",
        "edges": [30, 60, 90],
        "customer": None,
        "currency": None,
    }
    with tempfile.TemporaryDirectory() as folder:
        job = Job(kind="ageing", format=form, asked=Asked(question, NOW, NOW), reference="bench", folder=folder)
        made = answer(BookAt(url_of(engine, where), "main"), job)
    assert isinstance(made, Made), made
    return made


def import_file(side: str, folder: str) -> object:
    from benchmarks import importing

    return importing.run(side, folder)


TASKS: dict[str, Callable[..., object]] = {
    "stack": import_stack,
    "start": start,
    "age": age,
    "file": file,
    "import": import_file,
}


def main() -> None:
    task, *arguments = sys.argv[1:]
    try:
        kept = TASKS[task](*arguments)
    except NotImplementedError:
        sys.exit(NOT_IMPLEMENTED)
    print(json.dumps(memory_mb()), flush=True)
    # Threads of the app may still run; ending them is no part of what is measured.
    del kept
    os._exit(0)


if __name__ == "__main__":
    main()
