"""What the decision on reminders needs to know of customers and their open invoices, a few statements for many."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import BindParameter, ColumnClause, Connection, and_, bindparam, literal_column, select, text

from bot.domain.addresses import is_address, same_address
from bot.domain.customers import CustomerState
from bot.domain.money import currency
from bot.domain.promises import PromiseStanding, PromiseState
from bot.domain.reminder_plan import EMAIL, CustomerFacts, InvoiceFacts
from bot.domain.reminder_steps import NEVER, Reached, Step, steps_of
from bot.storage.dispute_reads import promises
from bot.storage.tables import (
    OPEN_MESSAGE,
    BouncedAddressRow,
    ContactRow,
    CustomerRow,
    InvoiceRow,
    ReminderContactRow,
    ReminderMessageRow,
    ReminderReachedRow,
    ReminderScheduleRow,
    ReminderStopRow,
    ReminderTermsRow,
)

_bounced = BouncedAddressRow.__table__  # type: ignore[attr-defined]  # SQLModel gives every table class one
_contact = ContactRow.__table__  # type: ignore[attr-defined]  # as above
_customer = CustomerRow.__table__  # type: ignore[attr-defined]  # as above
_invoice = InvoiceRow.__table__  # type: ignore[attr-defined]  # as above
_last = ReminderContactRow.__table__  # type: ignore[attr-defined]  # as above
_message = ReminderMessageRow.__table__  # type: ignore[attr-defined]  # as above
_reached = ReminderReachedRow.__table__  # type: ignore[attr-defined]  # as above
_schedule = ReminderScheduleRow.__table__  # type: ignore[attr-defined]  # as above
_stop = ReminderStopRow.__table__  # type: ignore[attr-defined]  # as above
_terms = ReminderTermsRow.__table__  # type: ignore[attr-defined]  # as above

Steps = tuple[str, tuple[Step, ...]]  # of a schedule, after its name
NOTHING: ColumnClause[int] = literal_column(
    "0"
)  # not bound: an index over what is open is only used where the engine sees that it fits
# Sent tax invoices of which something is open: what the ageing index holds. Rules 85, 88.
CHASED = (
    _invoice.c.open_micros > NOTHING,
    _invoice.c.kind == "tax",
    _invoice.c.state == "sent",
    _invoice.c.total_micros > 0,
)
POSTPAID = (_customer.c.mode == "postpaid", _customer.c.state != "closed")
_OPEN = text(f"reminder_message.{OPEN_MESSAGE}")  # as its index says it
_IDS: BindParameter[int] = bindparam("customer_ids", expanding=True)
_FACTS = (
    select(
        _customer.c.id.label("customer_id"),
        _customer.c.name,
        _customer.c.code,
        _customer.c.currency,
        _customer.c.state,
        _customer.c.zone,
        _customer.c.country,
        _terms.c.schedule,
        _terms.c.opted_out,
        _terms.c.paused_until,
        _terms.c.language,
        _terms.c.channel,
        _last.c.last_on,
        _message.c.id.label("open_message"),
        _invoice.c.id,
        _invoice.c.number,
        _invoice.c.issue_on,
        _invoice.c.due_on,
        _invoice.c.total_micros,
        _invoice.c.open_micros,
        _invoice.c.disputed,
        _stop.c.invoice_id.label("stopped"),
        _reached.c.level,
        _reached.c.times,
        _reached.c.sent_on,
        _reached.c.notice,
    )
    .select_from(_invoice)
    .join(_customer, _customer.c.id == _invoice.c.customer_id)
    .outerjoin(_terms, _terms.c.customer_id == _customer.c.id)
    .outerjoin(_last, _last.c.customer_id == _customer.c.id)
    .outerjoin(_message, and_(_message.c.customer_id == _customer.c.id, _OPEN))
    .outerjoin(_stop, _stop.c.invoice_id == _invoice.c.id)
    .outerjoin(_reached, _reached.c.invoice_id == _invoice.c.id)
    .where(_invoice.c.customer_id.in_(_IDS), *CHASED, *POSTPAID)
    .order_by(_customer.c.id, _invoice.c.due_on, _invoice.c.id)
)
_NEXT = (
    select(_invoice.c.customer_id)
    .distinct()
    .where(
        _invoice.c.customer_id > bindparam("after"),
        _invoice.c.open_micros > NOTHING,
        _invoice.c.due_on <= bindparam("horizon"),
    )
    .order_by(_invoice.c.customer_id)
    .limit(bindparam("most"))
)
_CONTACTS = select(_contact.c.customer_id, _contact.c.email).where(
    _contact.c.customer_id.in_(_IDS), _contact.c.email != ""
)
_BOUNCED = select(_bounced.c.customer_id, _bounced.c.address).where(_bounced.c.customer_id.in_(_IDS))
_SCHEDULES = select(_schedule.c.folded, _schedule.c.name, _schedule.c.steps, _schedule.c.is_default).where(
    _schedule.c.retired_at.is_(None)
)


def next_customers(connection: Connection, after: int, horizon: date, most: int) -> Sequence[int]:
    """The next customers with something open, in the order of their ids."""
    return list(connection.execute(_NEXT, {"after": after, "horizon": horizon, "most": most}).scalars())


def facts(
    connection: Connection, customer_ids: Sequence[int], today: date, *, messages: Sequence[int] = ()
) -> list[CustomerFacts]:
    """The postpaid customers among these with their open invoices, the oldest due first. Messages that are being
    sent do not count as such that wait.
    """
    if not customer_ids:
        return []
    asked, sending = {"customer_ids": list(customer_ids)}, frozenset(messages)
    schedules, default = _schedules(connection)
    reachable, bounced = _addresses(connection, asked)
    promised = _Promised(promises(connection, customers=customer_ids), today)
    made: list[CustomerFacts] = []
    invoices: list[InvoiceFacts] = []
    rows = connection.execute(_FACTS, asked).all()
    for place, row in enumerate(rows):
        invoices.append(_invoice_facts(row, promised))
        if place + 1 < len(rows) and rows[place + 1].customer_id == row.customer_id:
            continue
        name, steps = schedules.get((row.schedule or "").casefold(), default)
        made.append(
            CustomerFacts(
                id=row.customer_id,
                name=row.name,
                code=row.code,
                currency=currency(row.currency),
                state=CustomerState(row.state),
                zone=row.zone,
                country=row.country,
                language=row.language or "",
                channel=row.channel or EMAIL,
                schedule=name,
                steps=steps,
                opted_out=bool(row.opted_out),
                paused_until=row.paused_until,
                reachable=bool(row.channel) or row.customer_id in reachable,
                bounced=not row.channel and row.customer_id in bounced and row.customer_id not in reachable,
                waiting=row.open_message is not None and row.open_message not in sending,
                last_on=row.last_on,
                invoices=tuple(invoices),
            )
        )
        invoices = []
    return made


def _invoice_facts(row: Any, promised: "_Promised") -> InvoiceFacts:
    reached = NEVER
    if row.level is not None:
        reached = Reached(level=row.level, times=row.times, sent_on=row.sent_on, notice=row.notice)
    return InvoiceFacts(
        id=row.id,
        number=row.number,
        issue_on=row.issue_on,
        due_on=row.due_on,
        total_micros=row.total_micros,
        open_micros=row.open_micros,
        disputed=bool(row.disputed),
        stopped=row.stopped is not None,
        promised_on=promised.day(row.customer_id, row.id, PromiseState.OPEN),
        broken_on=promised.day(row.customer_id, row.id, PromiseState.BROKEN),
        reached=reached,
    )


class _Promised:
    """Promises by what they are about, in the two states that matter here."""

    def __init__(self, standing: Sequence[PromiseStanding], today: date) -> None:
        self._days: dict[tuple[PromiseState, int, int | None], date] = {}
        for each in standing:
            made = each.promise
            self._days.setdefault((each.state(today), made.customer_id, made.invoice_id), made.promised_on)

    def day(self, customer_id: int, invoice_id: int, state: PromiseState) -> date | None:
        """The day of a promise about the invoice, else of one about all that its customer owes."""
        own = self._days.get((state, customer_id, invoice_id))
        return own if own is not None else self._days.get((state, customer_id, None))


def _schedules(connection: Connection) -> tuple[Mapping[str, Steps], Steps]:
    """The schedules by their folded names, and the default one; without one nothing is due."""
    found: dict[str, Steps] = {}
    default: Steps = ("", ())
    for row in connection.execute(_SCHEDULES):
        found[row.folded] = (row.name, steps_of(row.steps))
        if row.is_default:
            default = found[row.folded]
    return found, default


def _addresses(connection: Connection, asked: Mapping[str, Any]) -> tuple[frozenset[int], frozenset[int]]:
    """Customers with an address that mail goes to, and those mail came back from."""
    back: dict[int, set[str]] = defaultdict(set)
    for customer_id, address in connection.execute(_BOUNCED, asked):
        back[customer_id].add(address)
    usable = [row for row in connection.execute(_CONTACTS, asked) if is_address(row.email)]
    return (
        frozenset(row.customer_id for row in usable if same_address(row.email) not in back[row.customer_id]),
        frozenset(back),
    )
