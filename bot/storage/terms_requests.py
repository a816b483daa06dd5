"""Terms that others approve first, inside a write and asked."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from bot.domain.customers import Customer, Mode
from bot.domain.errors import NotFound
from bot.domain.money import Money, currency
from bot.domain.operation import DocumentKind
from bot.domain.terms_requests import TermsFile, TermsKind, TermsRequest, TermsState
from bot.storage.approvals import approval_about
from bot.storage.session import Session
from bot.storage.tables import TermsRequestRow

_request = TermsRequestRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_ONE = select(_request).where(_request.c.id == bindparam("id"))


def terms_request_of(row: Any) -> TermsRequest:
    """A request as the domain knows it."""
    of = currency(row.currency)
    return TermsRequest(
        id=row.id,
        number=row.number,
        customer_id=row.customer_id,
        kind=TermsKind(row.kind),
        limit=Money(row.limit_micros, of) if row.limit_micros is not None else None,
        days=row.days,
        mode=Mode(row.mode),
        was_mode=Mode(row.was_mode),
        was_limit=Money(row.was_limit_micros, of),
        was_ends_at=row.was_ends_at,
        reason=row.reason,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        state=TermsState(row.state),
    )


def find_terms_request(connection: Connection, request_id: int) -> TermsRequest:
    row = connection.execute(_ONE, {"id": request_id}).first()
    if row is None:
        raise NotFound("There is no such request.")
    return terms_request_of(row)


def terms_file(connection: Connection, request: TermsRequest, customer: Customer) -> TermsFile:
    """All that the card of a request shows."""
    approval = approval_about(connection, DocumentKind.TERMS.value, request.id)
    assert approval is not None
    return TermsFile(request=request, customer=customer, approval=approval)


class SqlTermsRequests:
    """The requests inside a write; written at once, since an approval that is asked for with one reads it."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, request_id: int) -> TermsRequest:
        return find_terms_request(self._session.connection, request_id)

    def insert(self, made: TermsRequest) -> None:
        self._session.connection.execute(
            insert(_request),
            {
                "id": made.id,
                "number": made.number,
                "customer_id": made.customer_id,
                "currency": made.was_limit.currency.code,
                "kind": made.kind.value,
                "limit_micros": made.limit.micros if made.limit is not None else None,
                "days": made.days,
                "mode": made.mode.value,
                "was_mode": made.was_mode.value,
                "was_limit_micros": made.was_limit.micros,
                "was_ends_at": made.was_ends_at,
                "reason": made.reason,
                "requested_by": made.requested_by,
                "requested_at": made.requested_at,
                "state": made.state.value,
                "operation_id": self._session.operation_id,
            },
        )

    def set_state(self, made: TermsRequest) -> None:
        self._session.connection.execute(
            update(_request).where(_request.c.id == made.id).values(state=made.state.value)
        )
