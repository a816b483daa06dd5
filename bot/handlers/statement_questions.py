"""The question of a statement, as buttons and forms carry it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.domain.statements import StatementKind, StatementQuestion
from bot.handlers.commands import carried, id_of


def question_json(question: StatementQuestion) -> dict[str, Any]:
    """A statement's question, as its file is made from later; an id is a text, since programs round long numbers."""
    return {
        "customer": str(question.customer_id),
        "kind": question.kind.value,
        "since": question.since.isoformat(),
        "until": question.until.isoformat(),
    }


def question_of(given: Mapping[str, Any]) -> StatementQuestion:
    """A question that a button or a form carries. Refuses: Refused."""
    with carried():
        return StatementQuestion(
            customer_id=id_of(given["customer"]),
            kind=StatementKind(given["kind"]),
            since=date.fromisoformat(given["since"]),
            until=date.fromisoformat(given["until"]),
        )
