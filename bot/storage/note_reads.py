"""Questions about credit notes."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, or_, select

from bot.domain.credit_note import CreditNote, NoteFile
from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.ports import Page
from bot.storage import ledger
from bot.storage.ageing import batches_of
from bot.storage.approvals import approval_about
from bot.storage.customers import folded
from bot.storage.naming import is_named
from bot.storage.notes import LINES, NOTES, note_line_of, note_of
from bot.storage.tables import CreditNoteRow, CustomerRow, InvoiceRow

_note = CreditNoteRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above


class NoteReads:
    """What a report may ask about credit notes."""

    _connection: Connection

    def customer(self, customer_id: int) -> Customer:
        raise NotImplementedError

    def note(self, number_or_id: str) -> CreditNote | None:
        """A note by its number, draft reference or id."""
        wanted = is_named(_note, number_or_id, _note.c.draft_reference)
        row = self._connection.execute(NOTES.where(wanted)).first()
        return note_of(row) if row is not None else None

    def note_file(self, note_id: int) -> NoteFile:
        """All that its card shows: lines, what it is applied to, the invoice it is about, and who is asked."""
        note = self.note(str(note_id))
        if note is None:
            raise NotFound("There is no such credit note.")
        connection = self._connection
        of = select(_invoice.c.number).where(_invoice.c.id == note.invoice_id)
        return NoteFile(
            note=note,
            customer=self.customer(note.customer_id),
            lines=tuple(note_line_of(row) for row in connection.execute(LINES, {"note_id": note.id})),
            allocations=tuple(
                ledger.allocation_of(row) for row in connection.execute(ledger.OF_NOTE, {"note_id": note.id})
            ),
            invoice_label=str(connection.execute(of).scalar() or "") if note.invoice_id is not None else "",
            approval=approval_about(connection, "credit_note", note.id),
        )

    def list_notes(self, page: Page) -> Sequence[tuple[CreditNote, str]]:
        return list(self.each_note(page))

    def each_note(self, page: Page) -> Iterator[tuple[CreditNote, str]]:
        """The newest first, each with its customer's name; a long list is never in memory as a whole."""
        statement = NOTES.add_columns(_customer.c.name.label("customer_name")).join(
            _customer, _customer.c.id == _note.c.customer_id
        )
        if page.state:
            is_open = page.state == "open"
            statement = statement.where(_note.c.open_micros > 0 if is_open else _note.c.state == page.state)
        if page.text:
            statement = statement.where(
                or_(
                    _note.c.number == page.text.upper(),
                    _customer.c.code == page.text.upper(),
                    _customer.c.search_name.contains(folded(page.text), autoescape=True),
                )
            )
        newest = statement.order_by(_note.c.id.desc()).limit(page.limit).offset(page.offset)
        for row in self._connection.execute(newest, execution_options=batches_of(page.limit)):
            yield note_of(row), row.customer_name
