"""A process that asks the runner at each instant it is told, and says how many runs it did."""

import sys
from datetime import datetime

from bot.desk import Desk
from bot.domain.errors import Busy
from bot.jobs.runner import Runner
from bot.jobs.schedule import JOBS
from bot.storage.shelf import Library
from bot.storage.store import Store

MOST_TRIES = 5


def main(url: str, name: str) -> None:
    """Read instants, a line each, and answer each with a line."""
    library = Library(url)
    desk, jobs = Desk(Store.open(library)), {"digest": JOBS["digest"]}
    for line in sys.stdin:
        now = datetime.fromisoformat(line.strip())
        done = 0
        for _ in range(MOST_TRIES):
            try:
                done += Runner(desk, jobs=jobs, watches={}, now=lambda now=now: now, name=name).run_once()  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                break
            except Busy:
                continue
        sys.stdout.write(f"{done}\n")
        sys.stdout.flush()
    library.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
