"""The plan of a day, and what was sent, as tables."""

from collections.abc import Iterator

from bot.documents.table import Cell, Column, Kind, Row
from bot.domain.ids import id_in
from bot.domain.ports import ReadBooks
from bot.domain.reminder_views import PlanLine

NAME, TEXT, AMOUNT, DATE = 36, 30, 14, 12
REMINDER_COLUMNS = (
    Column("customer", width=NAME),
    Column("code"),
    Column("day", Kind.DATE, DATE),
    Column("state", width=14),
    Column("level", width=10),
    Column("text", width=TEXT),
    Column("invoices", width=TEXT),
    Column("currency", width=10),
    Column("open", Kind.AMOUNT, AMOUNT),
    Column("why", width=60),
)


def reminder_rows(books: ReadBooks, run_id: int | None, customer_id: int | None) -> Iterator[Row]:
    """Each message with its invoices and reasons; of a plan also who was left out."""
    for each in books.each_reminder(run_id, customer_id):
        yield Row(_cells(each))
    if run_id is None:
        return
    for left in books.each_left_out(run_id):
        why = f"{left.why} {left.detail}".strip()
        yield Row((left.customer_name, left.customer_code, None, "left out", "", "", "", "", None, why))


def _cells(each: PlanLine) -> tuple[Cell, ...]:
    made = each.message
    why = "; ".join((*((made.look_at,) if made.look_at else ()), *(line.why for line in made.lines)))
    return (
        each.customer_name,
        each.customer_code,
        made.sent_on or made.day,
        made.state.value,
        f"level {made.level}" if made.level else "notice",
        made.template,
        ", ".join(line.number for line in made.lines),
        made.open.currency.code,
        made.open,
        f"{made.note}; {why}" if made.note else why,
    )


def asked_id(value: object) -> int | None:
    """An id that a question carries as a text."""
    return id_in(str(value)) if value else None
