"""Three processes on one PostgreSQL, killed and stopped under load: nothing is lost, nothing happens twice."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.domain.settings import ChangeSetting, change_setting
from bot.storage.pulse import signs
from bot.storage.store import Store
from tests.replicas import Balancer, Fleet, Load, delivered, effects, fork, status_of
from tests.slack import APP_TOKEN, BOT_TOKEN, DIGEST, FINANCE, SECRET, Slack
from tests.world import ADMIN, CLERK, MANAGER, OWNER, TEAM

POSTGRESQL = pytest.mark.parametrize("engine_name", ["postgresql"])


@pytest.fixture
def fleet(slack: Slack, book_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    """Processes on the book of the workspace, at the door that the test asks for."""
    environment = {
        "DATABASE_URL": book_url,
        "SLACK_API_URL": f"{slack.address}/api/",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "SLACK_SIGNING_SECRET": SECRET,
        "DUEDESK_DOOR": request.node.callspec.params.get("door", "http"),
        "DESK_LIMIT": "6",
    }
    made = Fleet(environment, tmp_path, fork)
    try:
        yield made
    finally:
        made.end()


@POSTGRESQL
@pytest.mark.parametrize("door", ["http", "socket"])
def test_three_processes_of_which_one_is_killed_and_one_stopped_lose_and_double_nothing(
    slack: Slack, fleet: Fleet, door: str
) -> None:
    customers = [slack.world.customer(f"ACME{each}") for each in range(4)]
    slack.sandbox.workspace.grants.patience = 3.0
    load = Load(slack.sandbox, TEAM, (OWNER, ADMIN, MANAGER, CLERK), customers)
    first, second, third = (fleet.begin() for _ in range(3))
    fleet.await_ready(first, second, third)
    with Balancer(fleet) as balancer:
        slack.sandbox.deliver_to(balancer if door == "http" else None)
        while door == "socket" and slack.sandbox.hub.count < 3:
            time.sleep(0.01)
        with load.going():
            time.sleep(1.0)
            fleet.kill(first)
            fourth = fleet.begin()
            time.sleep(0.5)
            fleet.stop(second)
            fleet.await_ready(fourth)
            time.sleep(0.5)
            fleet.kill(third)
            status = second.await_end(20)
    for dead in (first, third):
        fleet.end_leases_of(dead, slack.world.store)
    delivered(slack.world.store, 20)
    found = effects(load, slack.world.store, FINANCE)
    assert found.are_right, found
    assert len(load.answered) > 10
    assert status == 0
    assert not second.says("Traceback")


@POSTGRESQL
def test_each_part_of_the_work_can_have_a_process_of_its_own(slack: Slack, fleet: Fleet) -> None:
    """What is asked for at the door is done and sent elsewhere; a second signal ends a process at once."""
    customer = slack.world.customer()
    slack.world.do(change_setting, ChangeSetting(name="digest_channel", value=DIGEST), by=OWNER)
    web, jobs, delivery = (fleet.begin("--only", part) for part in ("web", "jobs", "delivery"))
    fleet.await_ready(web, jobs, delivery)
    assert [each.is_ready for each in (web, jobs, delivery)] == [True] * 3
    assert [status_of(each.port, "/readyz") for each in (web, jobs, delivery)] == [200, 0, 0]
    load = Load(slack.sandbox, TEAM, (CLERK,), [customer])
    with Balancer(fleet) as balancer:
        slack.sandbox.deliver_to(balancer)
        with load.going():
            time.sleep(0.2)
        asked = slack.person(OWNER).command("finance", "/duedesk jobs run digest")
        assert asked.error is None
        slack.person(OWNER).wait_for("digest", "Aged receivables", seconds=20)
    delivered(slack.world.store, 20)
    limit = time.monotonic() + 20
    while unsealed(slack.world.store):  # the delivery process alone seals
        assert time.monotonic() < limit
        time.sleep(0.02)
    found = effects(load, slack.world.store, FINANCE)
    assert found.are_right, found
    assert signs(slack.world.store).serving[0].count(" ") == 2
    assert {each.split()[1] for each in signs(slack.world.store).serving} == {"web", "jobs", "delivery"}
    began = time.monotonic()
    fleet.stop(web)
    while status_of(web.monitor, "/readyz") == 200:
        time.sleep(0.01)
    fleet.stop(web)
    assert web.await_end(2) in {-15, 143}
    assert time.monotonic() - began < 2
    for each in (jobs, delivery):
        fleet.stop(each)
    assert [each.await_end(10) for each in (jobs, delivery)] == [0, 0]


def unsealed(store: Store) -> bool:
    return signs(store).unsealed_since is not None
