"""`python -m benchmarks.replicas`: three processes on one PostgreSQL under load, one of them killed every few seconds.

A person confirms a payment form, as Slack sends it, and goes on to the next when the answer is there; a press without
an answer is made again. Leases are the real ones: what a killed process had in hand is waited for at the end.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.adapter import url_of
from benchmarks.postgres import create_database, running_postgres
from bot.storage.shelf import Library
from bot.storage.store import Store
from sandbox.server import Sandbox
from tests.engines import upgraded
from tests.replicas import READY, Balancer, Effects, Fleet, Load, command, delivered, effects, fork
from tests.slack import APP_TOKEN, BOT_TOKEN, FINANCE, SECRET, staffed, workspace
from tests.world import ADMIN, CLERK, MANAGER, OWNER, TEAM, World

PEOPLE = (OWNER, ADMIN, MANAGER, CLERK)
CUSTOMERS = 20
LONGEST_DELIVERY = 300.0
PATIENCE = 3.0  # of Slack


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and return zero when nothing was lost or happened twice."""
    options = read_options(arguments)
    with tempfile.TemporaryDirectory(prefix="replicas") as folder, running_postgres() as conninfo:
        url = url_of("postgresql", create_database(conninfo, "replicas"))
        upgraded(url)
        staffed(url)
        with staged(url, options, Path(folder)) as (load, fleet, store):
            killed = run(load, fleet, options)
            waited = delivered(store, LONGEST_DELIVERY)
            found = effects(load, store, FINANCE)
            report(load, killed, waited, found)
    return 0 if found.are_right else 1


@contextlib.contextmanager
def staged(url: str, options: argparse.Namespace, folder: Path) -> Iterator[tuple[Load, Fleet, Store]]:
    """A workspace, a book with customers, and the processes, ready."""
    sandbox = workspace()
    sandbox.workspace.grants.patience = PATIENCE
    library = Library(url, limit=2)
    with sandbox.running() as address:
        environment = {
            "DATABASE_URL": url,
            "SLACK_API_URL": f"{address}/api/",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SECRET,
            "DUEDESK_DOOR": options.door,
            "DESK_LIMIT": "8",
        }
        fleet = Fleet(environment, folder, fork if options.warm else command)
        world = World(Store.open(library), is_staffed=True)
        customers = [world.customer(f"CUST{number}") for number in range(CUSTOMERS)]
        try:
            fleet.await_ready(*(fleet.begin() for _ in range(options.processes)))
            with Balancer(fleet) as balancer:
                wait_for_doors(sandbox, balancer, options)
                yield Load(sandbox, TEAM, PEOPLE, customers), fleet, world.store
        finally:
            fleet.end()
            library.close()


def wait_for_doors(sandbox: Sandbox, balancer: Balancer, options: argparse.Namespace) -> None:
    if options.door == "http":
        sandbox.deliver_to(balancer)
    while options.door == "socket" and sandbox.hub.count < options.processes:
        time.sleep(0.02)


def run(load: Load, fleet: Fleet, options: argparse.Namespace) -> int:
    """Kill the oldest process every few seconds and start a new one in its place; returns how many were killed.

    One is left at work each time, and a new one counts when it is ready.
    """
    killed = 0
    with load.going():
        end = time.monotonic() + options.seconds
        next_kill = time.monotonic() + options.every
        while time.monotonic() < end:
            time.sleep(0.1)
            ready = [each for each in fleet.alive if each.says(READY)]
            if time.monotonic() >= next_kill and len(ready) > 1:
                fleet.kill(ready[0])
                fleet.begin()
                killed += 1
                next_kill = time.monotonic() + options.every
    return killed


def report(load: Load, killed: int, waited: float, found: Effects) -> None:
    seconds = load.seconds
    print(f"{len(load.answered)} payments in {seconds:.0f} s by {len(load.people)} people; {killed} processes killed")
    p50, p99, longest = (load.percentile(part) for part in (0.5, 0.99, 1))
    print(f"answer: p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {longest:.0f} ms")
    print(
        f"presses without an answer: {load.unanswered}, answered busy: {load.busy}, sent twice more: {load.redelivered}"
    )
    print(f"payments lost: {len(found.lost)}, doubled: {len(found.doubled)}, told otherwise: {len(found.unsure)}")
    print(f"cards: {found.cards}, missing: {len(found.undelivered)}, twice: {len(found.carded_twice)}")
    print(f"the last card came {waited:.0f} s after the last payment; verify: {found.findings} findings")


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replicas", description=__doc__)
    parser.add_argument("--door", choices=("http", "socket"), default="http")
    parser.add_argument("--seconds", type=float, default=60.0, help="length of the load")
    parser.add_argument("--every", type=float, default=5.0, help="seconds from one kill to the next")
    parser.add_argument("--warm", action="store_true", help="processes that have their imports: they start sooner")
    parser.add_argument("--processes", type=int, default=3)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
