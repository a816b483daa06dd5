"""A process that asks the runner at given instants, in step with another that does the same."""

import sys
import time
from datetime import datetime

from bot.desk import Desk
from bot.domain.errors import Busy
from bot.jobs.runner import Runner
from bot.storage.shelf import Library
from bot.storage.store import Store

STEP_SECONDS = 0.03
MOST_TRIES = 5


def main(url: str, name: str, start: str, *instants: str) -> None:
    """Say how many runs this process did."""
    library = Library(url)
    desk = Desk(Store.open(library))
    desk.store.now()
    done = 0
    for index, each in enumerate(instants):
        time.sleep(max(0.0, float(start) + index * STEP_SECONDS - time.time()))
        now = datetime.fromisoformat(each)
        for _ in range(MOST_TRIES):
            try:
                done += Runner(desk, now=lambda now=now: now, name=name).run_once()  # type: ignore[misc]  # mypy cannot infer a lambda with a default
                break
            except Busy:
                continue
    library.close()
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
