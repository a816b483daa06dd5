"""Credit notes inside a write."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, bindparam, cast, func, select, update

from bot.domain.credit_note import CreditNote, NoteLine, NoteState, ReasonCode
from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.storage.invoices import line_of, line_values
from bot.storage.session import Session
from bot.storage.tables import CreditNoteLineRow, CreditNoteRow

_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_line = CreditNoteLineRow.__table__  # type: ignore[attr-defined]  # as above

NOTES = select(_note)
_NOTE = NOTES.where(_note.c.id == bindparam("id"))
LINES = (
    select(_line, _note.c.currency)
    .join(_note, _note.c.id == _line.c.note_id)
    .where(_line.c.note_id == bindparam("note_id"))
    .order_by(_line.c.position)
)
_CREDITED = (
    select(
        _line.c.of_position,
        _note.c.currency,
        cast(func.sum(_line.c.net_micros), BigInteger).label("net"),
        cast(func.sum(_line.c.tax_micros), BigInteger).label("tax"),
    )
    .join(_note, _note.c.id == _line.c.note_id)
    .where(_note.c.invoice_id == bindparam("invoice_id"), _note.c.state == NoteState.SENT.value)
    .group_by(_line.c.of_position, _note.c.currency)
)
_SEND = (
    update(_note)
    .where(_note.c.id == bindparam("row_id"))
    .values(
        state=NoteState.SENT.value,
        number=bindparam("new_number"),
        posted_on=bindparam("new_posted_on"),
        rose_on=bindparam("new_posted_on"),
        open_micros=_note.c.total_micros,
        version=_note.c.version + 1,
    )
)
_VOID = (
    update(_note)
    .where(_note.c.id == bindparam("row_id"))
    .values(
        state=NoteState.VOID.value, open_micros=0, voided_on=bindparam("new_voided_on"), version=_note.c.version + 1
    )
)


def note_of(row: Any) -> CreditNote:
    """A credit note as the domain knows it."""
    of = currency(row.currency)
    return CreditNote(
        id=row.id,
        number=row.number,
        draft_reference=row.draft_reference,
        customer_id=row.customer_id,
        issue_on=row.issue_on,
        posted_on=row.posted_on,
        rose_on=row.rose_on,
        net=Money(row.net_micros, of),
        tax=Money(row.tax_micros, of),
        total=Money(row.total_micros, of),
        open=Money(row.open_micros, of),
        state=NoteState(row.state),
        code=ReasonCode(row.code),
        reason=row.reason,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        invoice_id=row.invoice_id,
        copied_from=row.copied_from,
        voided_on=row.voided_on,
        version=row.version,
    )


def note_line_of(row: Any) -> NoteLine:
    return NoteLine(line=line_of(row), of_position=row.of_position)


class SqlNotes:
    """The credit notes inside a write; whoever changes one locks its customer first."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, note_id: int) -> CreditNote:
        row = self._session.connection.execute(_NOTE, {"id": note_id}).first()
        if row is None:
            raise NotFound("There is no such credit note.")
        return note_of(row)

    def lines(self, note_id: int) -> tuple[NoteLine, ...]:
        return tuple(note_line_of(row) for row in self._session.connection.execute(LINES, {"note_id": note_id}))

    def credited(self, invoice_id: int) -> Mapping[int, tuple[Money, Money]]:
        """What approved notes credit of each line of an invoice, net and tax."""
        found = {}
        for row in self._session.connection.execute(_CREDITED, {"invoice_id": invoice_id}):
            of = currency(row.currency)
            found[row.of_position] = (Money(row.net, of), Money(row.tax, of))
        return found

    def insert(self, note: CreditNote, lines: Sequence[NoteLine]) -> None:
        """A draft is written at once: an approval that is asked for with it reads what it is about."""
        session = self._session
        session.connection.execute(
            _note.insert(),
            {
                "id": note.id,
                "customer_id": note.customer_id,
                "number": None,
                "draft_reference": note.draft_reference,
                "currency": note.total.currency.code,
                "issue_on": note.issue_on,
                "posted_on": None,
                "rose_on": None,
                "net_micros": note.net.micros,
                "tax_micros": note.tax.micros,
                "total_micros": note.total.micros,
                "open_micros": 0,
                "state": note.state.value,
                "code": note.code.value,
                "reason": note.reason,
                "drafted_by": note.drafted_by,
                "drafted_at": note.drafted_at,
                "invoice_id": note.invoice_id,
                "copied_from": note.copied_from,
                "voided_on": None,
                "version": 1,
            },
        )
        session.connection.execute(
            _line.insert(),
            [
                {
                    "id": session.new_id(),
                    "note_id": note.id,
                    "position": position,
                    "of_position": each.of_position,
                    **line_values(each.line),
                }
                for position, each in enumerate(lines, 1)
            ],
        )

    def send(self, note: CreditNote) -> None:
        """Make a draft final, at once: matches of it come after."""
        values = {"row_id": note.id, "new_number": note.number, "new_posted_on": note.posted_on}
        self._session.connection.execute(_SEND, values)

    def void(self, note: CreditNote) -> None:
        self._session.connection.execute(_VOID, {"row_id": note.id, "new_voided_on": note.voided_on})
