"""What came in from files: each import that keeps numbers of its own, and whether it is whole."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint

from bot.storage.tables.columns import Table, day, instant, key, ref, word


class IntakeRow(Table, table=True):
    """An opening or a file of invoices; its documents name it."""

    __tablename__ = "intake"
    __table_args__ = (
        CheckConstraint("kind in ('opening', 'invoices')", name="kind"),
        CheckConstraint("state in ('begun', 'whole', 'taken_back')", name="state"),
    )
    id: int = key()
    kind: str = word(10)
    name: str = word(80)
    digest: str = word(64)
    as_of: date = day()
    state: str = word(12)
    begun_at: datetime = instant()
    operation_id: int = ref("audit", deferred=True)
