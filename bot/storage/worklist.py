"""The home tab's questions, each answered from an index of what waits alone."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, select

from bot.domain.money import Money, currency
from bot.domain.open_items import InvoiceKind, InvoiceState
from bot.domain.operation import Actor, DocumentKind
from bot.domain.ports import InvoiceListLine, PaymentLine
from bot.domain.promises import PromiseStanding, PromiseState
from bot.domain.settings import Settings
from bot.domain.undoing import UNDONE_BY
from bot.domain.worklist import Done, Pile, Worklist
from bot.storage.approvals import waiting
from bot.storage.delegations import delegation_of, mandates_of
from bot.storage.dispute_reads import promises
from bot.storage.ids import first_id_of
from bot.storage.invoices import invoice_of
from bot.storage.mail_reads import troubled
from bot.storage.payments import PAYMENTS, payment_of
from bot.storage.tables import AuditRow, CustomerRow, InvoiceRow, LotRow, OutboxRow, PaymentRow, RequestRow

_audit = AuditRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_lot = LotRow.__table__  # type: ignore[attr-defined]  # as above
_outbox = OutboxRow.__table__  # type: ignore[attr-defined]  # as above
_payment = PaymentRow.__table__  # type: ignore[attr-defined]  # as above
_request = RequestRow.__table__  # type: ignore[attr-defined]  # as above

SHOWN = 5
DONE_SHOWN = 8
LOOKED_BACK = timedelta(days=7)
UNASSIGNED = (_payment.c.customer_id.is_(None), _payment.c.state == "recorded")
LEFT_OVER = (_lot.c.open_micros > 0, _lot.c.kind == "payment", _lot.c.payment_id.is_not(None))
DRAFTS = (_invoice.c.state == "draft",)


def worklist(connection: Connection, settings: Settings, actor: Actor, now: datetime) -> Worklist:
    """What waits, and what this person did in the last seven days."""
    given = delegation_of(connection, actor.team, actor.user)
    return Worklist(
        unassigned=_pile(connection, _payment.c.currency, _payment.c.amount_micros, UNASSIGNED),
        unassigned_lines=_unassigned(connection),
        left_over=_pile(connection, _lot.c.currency, _lot.c.open_micros, LEFT_OVER),
        drafts=_pile(connection, _invoice.c.currency, _invoice.c.total_micros, DRAFTS),
        draft_lines=_drafts(connection),
        waiting=waiting(connection),
        mandates=[each for each in mandates_of(connection, actor.team, actor.user) if now < each.until],
        delegation=given if given is not None and now < given.until else None,
        broken=_broken(connection, settings.today(now)),
        mails=troubled(connection, SHOWN),
        undelivered=_undelivered(connection),
        done=_done(connection, settings, actor, now),
    )


def _pile(connection: Connection, code: Any, amount: Any, where: Sequence[Any]) -> Pile:
    statement = select(code, func.count(), func.sum(amount)).where(*where).group_by(code).order_by(code)
    rows = connection.execute(statement).all()
    return Pile(sum(row[1] for row in rows), tuple(Money(int(row[2]), currency(row[0])) for row in rows))


def _unassigned(connection: Connection) -> list[PaymentLine]:
    statement = PAYMENTS.where(*UNASSIGNED).order_by(_payment.c.received_on, _payment.c.id).limit(SHOWN)
    payments = [payment_of(row) for row in connection.execute(statement)]
    return [PaymentLine(payment=each, customer_name="", open_micros=each.amount.micros) for each in payments]


def _drafts(connection: Connection) -> list[InvoiceListLine]:
    statement = (
        select(_invoice, _customer.c.name.label("customer_name"), _customer.c.code.label("customer_code"))
        .join(_customer, _customer.c.id == _invoice.c.customer_id)
        .where(*DRAFTS)
        .order_by(_invoice.c.issue_on, _invoice.c.id)
        .limit(SHOWN)
    )
    return [
        InvoiceListLine(invoice=invoice_of(row), customer_name=row.customer_name, customer_code=row.customer_code)
        for row in connection.execute(statement)
    ]


def _broken(connection: Connection, today: date) -> list[PromiseStanding]:
    """Promises whose day has passed, of debts that are still owed, the oldest first."""
    return [each for each in promises(connection) if each.state(today) is PromiseState.BROKEN]


def _undelivered(connection: Connection) -> list[tuple[str, int]]:
    failed = (
        select(_outbox.c.error, func.count())
        .where(_outbox.c.state == "failed", _outbox.c.kind != "mail")
        .group_by(_outbox.c.error)
    )
    return [(row[0], row[1]) for row in connection.execute(failed.order_by(func.count().desc()).limit(SHOWN))]


def _done(connection: Connection, settings: Settings, actor: Actor, now: datetime) -> list[Done]:
    undone = _audit.alias("undone")
    statement = (
        select(
            _audit.c.id,
            _audit.c.at,
            _audit.c.description,
            _audit.c.document_kind,
            _request.c.operation,
            undone.c.id.label("undone_by"),
            _invoice.c.kind,
            _invoice.c.state,
        )
        .join(_request, _request.c.operation_id == _audit.c.id)
        .outerjoin(undone, undone.c.undoes_id == _audit.c.id)
        .outerjoin(
            _invoice, and_(_audit.c.document_kind == DocumentKind.INVOICE.value, _invoice.c.id == _audit.c.document_id)
        )
        .where(
            _audit.c.id >= first_id_of(now - LOOKED_BACK),
            _audit.c.at >= now - LOOKED_BACK,
            _audit.c.team == actor.team,
            _audit.c.actor == actor.user,
        )
        .order_by(_audit.c.id.desc())
        .limit(DONE_SHOWN)
    )
    return [
        Done(
            operation_id=row.id,
            at=row.at,
            description=row.description,
            is_undoable=(row.operation, row.document_kind) in UNDONE_BY
            and row.undone_by is None
            and (row.kind is None or (row.kind != InvoiceKind.TAX.value and row.state == InvoiceState.SENT.value))
            and now <= settings.undo_until(row.at),
        )
        for row in connection.execute(statement)
    ]
