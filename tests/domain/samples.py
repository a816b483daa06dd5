"""A valid-looking command for any operation, built from its types, so that no operation is forgotten."""

import dataclasses
import importlib
import pkgutil
import types
import typing
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import bot.domain
from bot.domain.money import Currency, Money
from bot.domain.operation import OPERATIONS, Operation
from tests.world import SGD

for module in pkgutil.iter_modules(bot.domain.__path__):
    importlib.import_module(f"bot.domain.{module.name}")

PLAIN: dict[object, object] = {
    int: 1,
    str: "x",
    bool: True,
    date: date(2026, 11, 2),
    datetime: datetime(2026, 11, 2, tzinfo=UTC),
    Decimal: Decimal(1),
    Currency: SGD,
    Money: Money(1_000_000, SGD),
}


def all_operations() -> list[Operation[Any, Any]]:
    return [typing.cast("Operation[Any, Any]", OPERATIONS[name]) for name in sorted(OPERATIONS)]


def a_command(operation: Operation[Any, Any]) -> Any:
    """A command of an operation's own type."""
    hints = typing.get_type_hints(operation.run, localns={"Books": object})
    return _sample(hints["command"])


def _sample(kind: Any) -> Any:
    if kind in PLAIN:
        return PLAIN[kind]
    origin = typing.get_origin(kind)
    if origin in {typing.Union, types.UnionType}:
        return None if type(None) in typing.get_args(kind) else _sample(typing.get_args(kind)[0])
    if origin is tuple:
        return ()
    if isinstance(kind, type) and issubclass(kind, Enum):
        members = list(kind)
        return members[1] if issubclass(kind, IntEnum) else members[0]
    assert dataclasses.is_dataclass(kind), kind
    hints = typing.get_type_hints(kind)
    made = {
        field.name: _sample(hints[field.name])
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    return typing.cast("type[Any]", kind)(**made)
