"""How a document is looked up by what a person types: its number, or its id from a button."""

from typing import Any

from sqlalchemy import ColumnElement, or_

from bot.domain.ids import id_in


def is_named(table: Any, number_or_id: str, *others: Any) -> ColumnElement[bool]:
    """Rows with this number in any case, or this id; `others` are columns that name one as well."""
    text = number_or_id.strip()
    wanted = [column == text.upper() for column in (table.c.number, *others)]
    wanted_id = id_in(text)
    if wanted_id is not None:
        wanted.append(table.c.id == wanted_id)
    return or_(*wanted)
