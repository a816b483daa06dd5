"""What every refusal must prove: the right class, the right field, and books that stayed as they were."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Connection, text

from bot.domain.customers import Customer
from bot.domain.errors import Refused
from bot.domain.ports import Page
from bot.domain.receivables import Ageing, AgeingQuestion
from bot.storage.tables import metadata
from tests.world import World

TABLES = [table.name for table in metadata.sorted_tables]
AT_ONCE = " UNION ALL ".join(f"SELECT '{name}', CAST({name} AS text) FROM {name}" for name in TABLES)


def everything(world: World) -> dict[str, list[str]]:
    """Every row of every table as the engine itself has it, so that two moments can be compared whole."""

    def look(connection: Connection) -> dict[str, list[str]]:
        raw: Any = connection.connection.driver_connection
        if connection.dialect.name == "sqlite":
            return {name: sorted(map(repr, raw.execute(f'SELECT * FROM "{name}"'))) for name in TABLES}
        found: dict[str, list[str]] = {name: [] for name in TABLES}
        for name, row in sorted(raw.execute(AT_ONCE)):
            found[name].append(row)
        return found

    return world.store.database.read(look, None)


@contextmanager
def expect_refusal(world: World, refusal: type[Refused], *, field: str | None = None, says: str = "") -> Iterator[None]:
    """The block is refused with exactly this class and field, and nothing at all was written."""
    before = everything(world)
    with pytest.raises(refusal) as caught:
        yield
    assert type(caught.value) is refusal
    assert caught.value.field == field
    assert says in caught.value.sentence
    assert everything(world) == before
    world.check()


def run_sql(world: World, statement: str, **values: Any) -> None:
    """Change a row as no operation does, to set the stage."""

    def work(connection: Connection) -> None:
        connection.execute(text(statement), values)

    world.store.write(work)


def ask_sql(world: World, statement: str, **values: Any) -> list[tuple[Any, ...]]:
    """Rows of the books as they are."""
    return world.store.database.read(
        lambda connection: [tuple(row) for row in connection.execute(text(statement), values)], None
    )


def audit_count(world: World) -> int:
    return int(ask_sql(world, "SELECT COUNT(*) FROM audit")[0][0])


def standing(world: World, customer: Customer) -> tuple[object, ...]:
    """All that undo must bring back: balances, open amounts, states and flags."""
    now = world.read_customer(customer)
    page = Page(customer_id=customer.id, limit=100)
    invoices = world.store.read(lambda books: [line.invoice for line in books.list_invoices(page)])
    open_items = sorted(invoices, key=lambda each: each.sort_key)
    flags = [(invoice.label, invoice.open, invoice.status, invoice.auto_allocate) for invoice in open_items]
    return (now.controls, now.balance, now.amount_due, *flags)


def report(world: World, **changes: object) -> Ageing:
    """The ageing report of today, or as the changes to its question say."""
    question = replace(AgeingQuestion(as_of=world.today), **changes)  # type: ignore[arg-type]
    return world.store.read(lambda books: books.ageing(question))
