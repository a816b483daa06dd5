"""Lists show the newest without reading and sorting all that there is."""

from typing import Any

import pytest
from sqlalchemy import event, text

from bot.domain.ports import Page
from bot.storage.reports import SqlReadBooks
from tests.world import World


@pytest.mark.parametrize("state", ["", "assigned"])
def test_the_newest_payments_are_read_along_an_index(world: World, state: str) -> None:
    customer = world.customer()
    for day in range(3):
        world.pay(10, customer, received=-day)

    def plan(books: SqlReadBooks) -> str:
        connection = books.connection
        asked: list[tuple[str, Any]] = []

        def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
            asked.append((statement, values))

        event.listen(connection, "before_cursor_execute", note)
        found = books.list_payments(Page(state=state, limit=20))
        assert [line.payment.received_on for line in found] == [world.day(0), world.day(-1), world.day(-2)]
        event.remove(connection, "before_cursor_execute", note)
        statement, values = asked[-1]
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
            connection.execute(text("SET LOCAL enable_sort = off"))
        how = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        return "\n".join(str(row) for row in connection.exec_driver_sql(f"{how} {statement}", values))

    shown = world.store.read(plan)
    assert "ix_payment_received" in shown
    assert "TEMP B-TREE" not in shown
    assert "Sort" not in shown
