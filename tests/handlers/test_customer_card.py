"""The customer at a glance: every line says what the books say, every choice opens its form, and nothing is scanned."""

import re
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text

from bot.domain.credit_note import DraftNote, ReasonCode
from bot.domain.credit_notes import draft_note
from bot.domain.customers import Customer, Mode
from bot.domain.invoices import LineInput
from bot.domain.limits import SetLimit, set_limit
from bot.domain.usage import ChargeUsage, UsageLine, charge_usage
from bot.domain.withdrawals import Gateway, RequestWithdrawal, request_withdrawal
from bot.handlers.blocks.customer import MENU
from bot.handlers.customer_card import CHOICES
from bot.storage.tables import metadata
from sandbox.client import shown
from sandbox.validate import check_message
from tests.slack import Slack
from tests.snapshots import check_golden
from tests.world import MANAGER, VIEWER, World, money, withdraw

ENGINE = pytest.mark.parametrize("engine_name", ["sqlite"])


def busy(world: World) -> Customer:
    """A customer with something of everything."""
    acme = world.customer("BUSY", name="Busy <Bees> & Co", mode=Mode.PREPAID)
    world.do(set_limit, SetLimit(customer_id=acme.id, amount=money(100), days=7), by=MANAGER)
    for number in range(7):
        world.invoice(acme, 100 + number, issued=-70 + number, due=-40 + 10 * number, auto=False)
    world.invoice(acme, 30, send=False)
    world.pay(900, acme, received=-3)
    withdraw(world, acme, 40)
    line = UsageLine(external_id="U-1", used_on=world.today, product="Calls", net=money("6.50"))
    world.do(charge_usage, ChargeUsage(customer_id=acme.id, lines=(line,)))
    asked = RequestWithdrawal(customer_id=acme.id, amount=money(25), gateway=Gateway.CASH, reason="Ended")
    world.do(request_withdrawal, asked)
    credited = LineInput(description="x", unit_price=money(10), tax_rate=Decimal(0))
    world.do(
        draft_note,
        DraftNote(customer_id=acme.id, issue_on=world.today, code=ReasonCode.DISCOUNT, reason="", lines=(credited,)),
    )
    return acme


@ENGINE
def test_a_card_shows_what_is_open_held_waiting_and_drafted(slack: Slack) -> None:
    busy(slack.world)
    slack.type("/customer BUSY", by=VIEWER)
    (answer,) = slack.person(VIEWER).ephemerals("finance")
    payload = {"text": answer["text"], "blocks": answer["blocks"]}
    assert check_message(payload) == []
    check_golden("card_customer_busy", payload)


@ENGINE
def test_every_choice_of_the_menu_opens_its_form_for_who_has_the_right(slack: Slack) -> None:
    slack.world.pay(50, slack.world.customer(mode=Mode.PREPAID))
    assert {verb for _, verb, _ in MENU} == set(CHOICES)
    for label, verb, _ in MENU[:-1]:
        slack.type("/customer ACME", by=MANAGER)
        manager = slack.person(MANAGER)
        manager.press(manager.ephemerals("finance")[-1], "customer_more", choice=label)
        assert manager.modal is not None, verb
        manager.close()
    slack.type("/customer ACME")
    for label, right in (("Credit limit", "manager"), ("Payment mode", "manager")):
        card = next(each for each in reversed(slack.clerk.ephemerals("finance")) if len(each["blocks"]) > 1)
        slack.clerk.press(card, "customer_more", choice=label)
        assert slack.clerk.modal is None
        assert f"right of a {right}" in shown(slack.clerk.ephemerals("finance")[-1])
    slack.type("/customer ACME", by=VIEWER)
    viewer = slack.person(VIEWER)
    viewer.press(viewer.ephemerals("finance")[-1], "customer_more", choice="Edit")
    assert "right of a clerk" in shown(viewer.ephemerals("finance")[-1])


def test_a_card_asks_a_fixed_number_of_questions_and_scans_no_table(world: World) -> None:
    customer = busy(world)

    def plans(books: Any) -> tuple[int, list[str]]:
        connection = books.connection
        asked: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            asked.append((statement, values))

        event.listen(connection, "before_cursor_execute", note)
        books.customer_file(customer.id, world.today)
        event.remove(connection, "before_cursor_execute", note)
        how = "EXPLAIN QUERY PLAN"
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            how = "EXPLAIN"
        lines = [
            str(row) for statement, values in asked for row in connection.exec_driver_sql(f"{how} {statement}", values)
        ]
        return len(asked), lines

    first, lines = world.store.read(plans)
    tables = "|".join(metadata.tables)
    assert [line for line in lines if re.search(rf"Seq Scan|\bSCAN ({tables})\b", line)] == []
    for number in range(12):
        world.invoice(customer, 5 + number, auto=False)
        world.pay(1, customer)
    assert world.store.read(plans)[0] == first <= 14
