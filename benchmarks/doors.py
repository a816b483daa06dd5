"""W5: what Bolt itself costs per command, and fifty people at a door of ours."""

import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import urlencode

from slack_bolt import Ack, App, BoltRequest
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.signature import SignatureVerifier

from benchmarks.data import Receipt
from benchmarks.measure import Sample, milliseconds, percentile, quietly

PEOPLE = 50
COMMANDS_PER_REPEAT = 200


def floor_app(signing_secret: str) -> App:
    """An app with one command that answers at once, signature check and authorization included."""

    def authorize() -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_user_id="U0", bot_id="B0")

    app = App(
        name="slack_bolt.duedesk", signing_secret=signing_secret, authorize=authorize, process_before_response=True
    )

    @app.command("/ping")
    def answer(ack: Ack) -> None:
        ack("pong")

    return app


def signed_command(signing_secret: str) -> BoltRequest:
    body = urlencode(
        {
            "command": "/ping",
            "text": "",
            "team_id": "T1",
            "user_id": "U1",
            "channel_id": "C1",
            "trigger_id": "1.1",
            "response_url": "http://127.0.0.1/",
        }
    )
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(signing_secret).generate_signature(timestamp=timestamp, body=body)
    assert signature is not None
    headers: dict[str, str | Sequence[str]] = {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": signature,
    }
    return BoltRequest(body=body, headers=headers)


def dispatch_floor(repeats: int) -> Sample:
    """The median command of each repeat in milliseconds."""
    signing_secret = secrets.token_hex(16)
    app = floor_app(signing_secret)

    def one_repeat() -> float:
        requests = [signed_command(signing_secret) for _ in range(COMMANDS_PER_REPEAT)]
        return percentile([milliseconds(partial(dispatched, app, request)) for request in requests], 0.5)

    one_repeat()
    return Sample(tuple(quietly(one_repeat) for _ in range(repeats)))


def dispatched(app: App, request: BoltRequest) -> None:
    response = app.dispatch(request)
    assert (response.status, response.body) == (200, "pong")


def all_at_once(act: Callable[[Receipt], None], receipts: Sequence[Receipt]) -> list[float]:
    """One action of each person, all begun in the same moment; how long each took in milliseconds."""
    begin = threading.Barrier(len(receipts))

    def one_person(receipt: Receipt) -> float:
        begin.wait()
        return milliseconds(partial(act, receipt))

    with ThreadPoolExecutor(len(receipts)) as pool:
        return list(pool.map(one_person, receipts))


def fifty_people(act: Callable[[Receipt], None], receipts: Sequence[Receipt]) -> list[float]:
    """One action each per second, by the clock; how long each action took in milliseconds.

    It counts from the moment at which the action was due, so a stall is charged to every action that it held up.
    """
    begin = time.perf_counter() + 0.2

    def one_person(person: int) -> list[float]:
        waits = []
        for index in range(person, len(receipts), PEOPLE):
            due = begin + index / PEOPLE
            time.sleep(max(0.0, due - time.perf_counter()))
            act(receipts[index])
            waits.append((time.perf_counter() - due) * 1000)
        return waits

    with ThreadPoolExecutor(PEOPLE) as pool:
        return [wait for waits in pool.map(one_person, range(PEOPLE)) for wait in waits]
