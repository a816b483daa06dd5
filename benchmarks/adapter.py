"""Ours, plugged in: the desk for the works, the whole app behind its doors for W5."""

import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, date, datetime
from datetime import time as hour
from typing import TYPE_CHECKING, Any

from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL

from benchmarks.data import TODAY, Books, Receipt, Totals
from bot.desk import Desk, content_hash
from bot.domain.allocation import Portion
from bot.domain.customer_file import CustomerFile
from bot.domain.money import Money, currency
from bot.domain.operation import Actor, Request, Role
from bot.domain.payments import Method, RecordPayment, record_payment
from bot.domain.people import Grant, Profile, SetOwner, grant, set_owner
from bot.domain.receivables import Ageing, AgeingQuestion
from bot.domain.settings import ChangeSetting, change_setting
from bot.storage.shelf import Library
from bot.storage.store import Store

if TYPE_CHECKING:
    from bot.app import Duedesk
    from bot.config import Config

TEAM, OWNER, PEOPLE = "T1", "U1", 50
NOW = datetime.combine(TODAY, hour(9), UTC)
SECONDS = 2.0
NOBODY_THERE = "http://127.0.0.1:9/"


def open_ours(engine: str, where: str) -> "OurBooks":
    return OurBooks(engine, where)


def start(engine: str, where: str) -> object:
    """What `duedesk run` brings up before it says that it is ready, at the HTTP door."""
    from bot.app import build

    duedesk = build(config(url_of(engine, where), NOBODY_THERE, secrets.token_hex(16)))
    assert duedesk.is_ready()
    duedesk.delivery.start()
    door = listening(duedesk)
    return duedesk, door, door.__enter__()


def url_of(engine: str, where: str) -> str:
    if engine == "sqlite":
        return f"sqlite:///{where}"
    parts = conninfo_to_dict(where)
    made = URL.create(
        "postgresql",
        username=str(parts["user"]),
        password=str(parts["password"]) if parts.get("password") else None,
        database=str(parts["dbname"]),
        query={name: str(parts[name]) for name in ("host", "port") if parts.get(name)},
    )
    return made.render_as_string(hide_password=False)


def config(url: str, api: str, signing_secret: str) -> "Config":
    from pydantic import SecretStr

    from bot.config import Config

    return Config(
        slack_bot_token=SecretStr("xoxb-bench"),
        slack_app_token=SecretStr("xapp-bench"),
        slack_signing_secret=SecretStr(signing_secret),
        slack_api_url=api,
        database_url=url,
    )


@contextmanager
def listening(duedesk: "Duedesk") -> Iterator[int]:
    """The HTTP door on a free port of loopback."""
    import uvicorn

    # The protocol is named because asyncio sends small packets at once only where it is.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        door = duedesk.http_door()
        server = uvicorn.Server(uvicorn.Config(door, log_level="error"))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.001)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join(timeout=10)
        door.close()


def asked(key: str, user: str = OWNER) -> Request:
    return Request(
        actor=Actor(team=TEAM, user=user),
        now=NOW,
        key=key,
        request_id=key,
        command="bench",
        deadline=time.monotonic() + SECONDS,
    )


def command_of(receipt: Receipt) -> RecordPayment:
    from benchmarks.loading import CUSTOMER, INVOICE

    return RecordPayment(
        payer=f"Customer {receipt.customer:06}",
        amount=Money(receipt.amount_micros, currency(receipt.currency)),
        received_on=receipt.received_on,
        method=Method.BANK_TRANSFER,
        reference=f"R-{receipt.number}",
        customer_id=CUSTOMER + receipt.customer,
        portions=(Portion(invoice_id=INVOICE + receipt.invoice),),
    )


class OurBooks:
    """One book behind its desk."""

    def __init__(self, engine: str, where: str) -> None:
        self.engine, self.where = engine, where
        self.url = url_of(engine, where)
        self.library = Library(self.url)
        self.store = Store.open(self.library)
        self.desk = Desk(self.store, clock=lambda: NOW)

    def load(self, books: Books) -> None:
        from benchmarks import loading

        self.store.upgrade()
        loading.load(self.engine, self.where, books)
        owner = Profile(team=TEAM, user=OWNER, name="Owner")
        self.desk.carry_out(set_owner, SetOwner(profile=owner), asked("owner"))
        for number in range(PEOPLE):
            clerk = Profile(team=TEAM, user=f"U2{number:02}", name=f"Clerk {number}")
            self.desk.carry_out(grant, Grant(profile=clerk, role=Role.CLERK), asked(f"clerk {number}"))

    def record(self, receipt: Receipt) -> None:
        self.desk.carry_out(record_payment, command_of(receipt), asked(f"record {receipt.number}"))

    def age(self, as_of: date) -> Ageing:
        question = AgeingQuestion(as_of=as_of)
        return self.desk.ask(lambda books: books.ageing(question), asked("age"))

    def totals(self, report: Ageing) -> Totals:
        """Also that the rows come to the totals, which are sums of the rows' own figures."""
        return {each.currency.code: tuple(bucket.micros for bucket in each.buckets) for each in report.totals}

    def card(self, customer: int) -> CustomerFile:
        from benchmarks.loading import CUSTOMER

        return self.desk.ask(lambda books: books.customer_file(CUSTOMER + customer, TODAY), asked("card"))

    def close(self) -> None:
        self.library.close()

    @contextmanager
    def door(
        self, mode: str, database_seconds: float
    ) -> Iterator[tuple[Callable[[Receipt], None], Callable[[Receipt], None]]]:
        """The app at one door, delivery included: each person submits a form that was previewed, or types a command."""
        from benchmarks.loopback import CHANNEL, Deliver, SocketSide, over_http, web_api
        from bot.app import build

        self.desk.carry_out(change_setting, ChangeSetting(name="finance_channel", value=CHANNEL), asked(f"use {mode}"))
        signing_secret = secrets.token_hex(16)
        deliver: Deliver
        with ExitStack() as stack:
            side = stack.enter_context(closing(SocketSide())) if mode == "socket" else None
            api = stack.enter_context(web_api(side.url if side is not None else ""))
            duedesk = stack.enter_context(closing(build(config(self.url, api, signing_secret), clock=lambda: NOW)))
            is_slow = slow_down(duedesk.desk.store, database_seconds)
            duedesk.delivery.start()
            if side is not None:
                door = stack.enter_context(closing(duedesk.socket_door()))
                door.connect()
                deliver = side.deliver
            else:
                deliver = over_http(stack.enter_context(listening(duedesk)), signing_secret)

            def ask(receipt: Receipt) -> None:
                is_slow.set()
                list_payments(receipt, deliver)

            yield lambda receipt: submit(receipt, deliver), ask


def slow_down(store: Store, seconds: float) -> threading.Event:
    """Once set, each request, known by its deadline, holds the connection of its first question for so much longer."""
    read = store.read
    is_slow = threading.Event()
    seen: set[float | None] = set()

    def slow(work: Callable[[Any], Any], deadline: float | None = None) -> Any:
        is_first = is_slow.is_set() and deadline is not None and deadline not in seen
        seen.add(deadline)

        def waited(books: Any) -> Any:
            if is_first:
                time.sleep(seconds)
            return work(books)

        return read(waited, deadline)

    store.read = slow  # type: ignore[method-assign]  # the app's own store, for the length of a measurement
    return is_slow


def submit(receipt: Receipt, deliver: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """The confirming press of a previewed payment form; the answer must be the one of a payment written."""
    command = command_of(receipt)
    request = asked("form", f"U2{receipt.number % PEOPLE:02}")
    metadata = {
        "intent": f"bench {receipt.number}",
        "about": {},
        "hash": content_hash(record_payment, command, request),
    }
    filled: dict[str, dict[str, Any]] = {
        "customer": {"selected_option": chosen(command.payer, command.customer_id)},
        "amount": {"value": str(command.amount.decimal())},
        "received_on": {"selected_date": command.received_on.isoformat()},
        "method": {"selected_option": chosen("Bank transfer", command.method.value)},
        "reference": {"value": command.reference},
        "invoices": {"selected_options": [chosen("Invoice", command.portions[0].invoice_id)]},
    }
    view = {
        "id": f"V{receipt.number}",
        "type": "modal",
        "callback_id": "payment_record",
        "private_metadata": json.dumps(metadata),
        "state": {"values": {name: {name: value} for name, value in filled.items()}},
    }
    person = {"id": request.actor.user, "team_id": TEAM}
    answer = deliver(
        {
            "type": "view_submission",
            "team": {"id": TEAM},
            "user": person,
            "trigger_id": f"{receipt.number}.1",
            "view": view,
        }
    )
    assert answer["view"]["callback_id"] == "told", answer
    assert answer["view"]["title"]["text"] == "Done", answer


def list_payments(receipt: Receipt, deliver: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """A typed command that only reads; the answer must be the list."""
    command = {
        "command": "/payment",
        "text": "list",
        "team_id": TEAM,
        "user_id": f"U2{receipt.number % PEOPLE:02}",
        "channel_id": "C1",
        "trigger_id": f"{receipt.number}.2",
        "response_url": NOBODY_THERE,
    }
    answer = deliver(command)
    assert "payment" in answer["text"], answer


def chosen(text: str, value: object) -> dict[str, Any]:
    return {"text": {"type": "plain_text", "text": text}, "value": str(value)}
