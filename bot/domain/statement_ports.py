"""What a statement asks of the books."""

from collections.abc import Iterator
from typing import Protocol

from bot.domain.statements import Movement, OpenCredit, Statement, StatementQuestion


class StatementQuestions(Protocol):
    """Whole accounts cut to a length, and their parts one by one."""

    def statement(self, question: StatementQuestion, limit: int) -> Statement: ...

    def each_movement(self, question: StatementQuestion) -> Iterator[Movement]: ...

    def each_open_credit(self, question: StatementQuestion) -> Iterator[OpenCredit]: ...
