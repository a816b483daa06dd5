"""Power cuts: what was acknowledged is there exactly once, what was not can be sent again."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from bot.domain.operation import Actor
from bot.domain.payments import record_payment
from bot.storage.shelf import Library
from bot.storage.store import Store
from tests.storage import recorder
from tests.world import CLERK, START, TEAM, World

ROOT = Path(__file__).parents[2]
LONGEST_SECONDS = 0.5


def run_until_killed(url: str, seconds: float) -> dict[int, str]:
    """Start the recorder, kill it some time after its first payment, and return what it acknowledged."""
    arguments = [sys.executable, "-m", "tests.storage.recorder", url, TEAM, CLERK, START.isoformat()]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline()]
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.readlines()
    whole = [line.split() for line in lines if line.endswith("\n")]
    return {int(index): number for index, number in whole}


def recorded(store: Store) -> dict[int, tuple[str, int]]:
    """Each payment's number and its count of outbox rows, by the index in its payer's name."""
    statement = text(
        "SELECT p.payer, p.number, COUNT(o.id) FROM payment p"
        " LEFT JOIN outbox o ON o.document_kind = 'payment' AND o.document_id = p.id GROUP BY p.id, p.payer, p.number"
    )

    def read(connection: Connection) -> list[tuple[int, str, int]]:
        return [(int(row[0].split()[1]), row[1], row[2]) for row in connection.execute(statement)]

    found = store.database.read(read, None)
    assert [index for index, times in Counter(index for index, _, _ in found).items() if times > 1] == []
    return {index: (number, messages) for index, number, messages in found}


def prove(store: Store) -> None:
    while store.seal():
        pass
    assert store.verify() == []


def test_a_killed_desk_loses_nothing_it_acknowledged_and_doubles_nothing(world: World, book_url: str) -> None:
    chance = random.Random()  # noqa: S311  # any moment will do
    acknowledged: dict[int, str] = {}
    for _ in range(3):
        acknowledged |= run_until_killed(book_url, chance.uniform(0, LONGEST_SECONDS))
        library = Library(book_url)
        store = Store.open(library)
        found = recorded(store)
        assert acknowledged.items() <= {index: number for index, (number, _) in found.items()}.items()
        assert all(messages == 1 for _, messages in found.values())
        assert len(found) <= len(acknowledged) + 1
        prove(store)
        library.close()
    actor = Actor(team=TEAM, user=CLERK)
    for index in range(recorder.PAYMENTS):
        outcome = world.desk.carry_out(
            record_payment, recorder.command(index, START), recorder.request(index, actor, START)
        )
        assert acknowledged.get(index, outcome.payment.number) == outcome.payment.number
    found = recorded(world.store)
    assert set(found) == set(range(recorder.PAYMENTS))
    assert all(messages == 1 for _, messages in found.values())
    prove(world.store)


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_what_was_killed_between_write_and_commit_is_not_there(world: World, book_url: str) -> None:
    script = (
        "import os, sys\n"
        "from sqlalchemy import text\n"
        "from bot.storage.shelf import Library\n"
        "def work(connection):\n"
        "    connection.execute(text(\"INSERT INTO setting (name, value) VALUES ('half', 'x')\"))\n"
        "    os.kill(os.getpid(), 9)\n"
        "Library(sys.argv[1]).database('main').write(work, None)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, book_url], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    count = text("SELECT COUNT(*) FROM setting")
    assert world.store.database.read(lambda connection: connection.execute(count).scalar_one(), None) == 0
    world.check()
