"""A machine that does anything a clerk can do, in any order; after each step the books prove themselves."""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection

from bot.storage.tables import metadata
from tests.histories import History, Step, any_step
from tests.world import World

Worlds = Callable[[], AbstractContextManager[World]]


def content(world: World) -> dict[str, list[str]]:
    """All that the book holds."""

    def read(connection: Connection) -> dict[str, list[str]]:
        return {
            name: sorted(str(row) for row in connection.execute(table.select()))
            for name, table in metadata.tables.items()
        }

    return world.store.database.read(read, None)


def machine_over(worlds: Worlds) -> type[RuleBasedStateMachine]:
    """The machine's class, with a fresh book for each run."""

    class LedgerMachine(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.stack = ExitStack()
            self.history: History

        @initialize()
        def open_the_books(self) -> None:
            self.history = History(self.stack.enter_context(worlds()))
            for number in range(3):
                self.history.take(Step("invoice", one=number, two=number, amount=5, back=2 * number))
                self.history.take(Step("record", two=number % 2, amount=4, back=number))

        def teardown(self) -> None:
            self.stack.close()

        def attempt(self, step: Step) -> None:
            """Do it, or be refused and change nothing."""
            before = content(self.history.world)
            if not self.history.take(step):
                assert content(self.history.world) == before

        @rule(step=any_step("invoice"))
        def send_an_invoice(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("draft"))
        def draft_an_invoice(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("send"))
        def send_a_draft(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("record"))
        def record_money(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("pay"))
        def record_a_customers_money(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("assign"))
        def assign_a_payment(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("unassign"))
        def unassign_a_payment(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("allocate"))
        def allocate_a_payment(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("unallocate"))
        def take_an_allocation_back(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("edit"))
        def edit_a_payment(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("void"))
        def void_a_payment(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("auto"))
        def switch_auto_allocation(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("undo"))
        def undo_something(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("lock"))
        def lock_a_period(self, step: Step) -> None:
            self.attempt(step)

        @rule(step=any_step("clock"))
        def move_the_clock(self, step: Step) -> None:
            self.attempt(step)

        @invariant()
        def the_books_are_right(self) -> None:
            self.history.world.check()

        @invariant()
        def every_open_amount_is_as_kept_by_hand(self) -> None:
            owed = {debit.id: debit.open for debit in self.history.copy.debits}
            left = [each.credit.open if each.credit is not None else 0 for each in self.history.copy.money]

            def read(connection: Connection) -> tuple[dict[int, int], list[int]]:
                invoice, payment, lot = (metadata.tables[name] for name in ("invoice", "payment", "lot"))
                invoices = connection.execute(invoice.select().where(invoice.c.state == "sent"))
                lots = {row.id: row.open_micros for row in connection.execute(lot.select())}
                payments: list[Any] = list(connection.execute(payment.select().order_by(payment.c.id)))
                return {row.id: row.open_micros for row in invoices}, [lots.get(row.lot_id, 0) for row in payments]

            assert self.history.world.store.database.read(read, None) == (owed, left)

    return LedgerMachine


UNHURRIED = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@pytest.mark.parametrize("engine_name", ["sqlite"], indirect=True)
def test_the_books_stay_right_whatever_is_done(worlds: Worlds) -> None:
    run_state_machine_as_test(
        machine_over(worlds),
        settings=settings(max_examples=14, stateful_step_count=40, deadline=None, suppress_health_check=UNHURRIED),
    )


@pytest.mark.parametrize("engine_name", ["postgresql"], indirect=True)
def test_the_books_stay_right_on_postgresql_too(worlds: Worlds) -> None:
    run_state_machine_as_test(
        machine_over(worlds),
        settings=settings(max_examples=4, stateful_step_count=30, deadline=None, suppress_health_check=UNHURRIED),
    )
