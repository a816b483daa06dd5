"""Undo of limits and modes: the terms before them begin again, unless something was bought on the new ones."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.domain.customers import Customer, Mode
from bot.domain.errors import NotUndoable
from bot.domain.limits import Limit, LimitChanged, changed_limit
from bot.domain.modes import ModeSwitched, switched_mode
from bot.domain.open_items import Made
from bot.domain.operation import Context, DocumentKind, Role, operation
from bot.domain.payment_settings import with_settings
from bot.domain.undoing import Undo, check_fresh, undoes

if TYPE_CHECKING:
    from bot.domain.ports import Books

MOST_NAMED = 3


@operation(by=Role.MANAGER)
def undo_limit(command: Undo, books: "Books", context: Context) -> LimitChanged:
    """Let the limit before it count again, by a row of its own. Refuses: NotUndoable, CustomerClosed."""
    made = books.operations.made(command.operation_id)
    check_fresh(made, "undo_limit", books, context, lambda: "set another limit instead")
    customer = _latest(made, books)
    before = books.terms.limit_before(customer, made.operation_id)
    assert before is not None
    after = _with_limit(customer, before)
    bought = books.terms.bought_since(customer.id, made.operation_id)
    if bought and after.usable(context.now).micros < 0:
        raise NotUndoable(f"{_named(bought)} was bought on this limit since; set another limit instead.")
    books.terms.set_limit(after, before.days)
    books.operations.undone(made.operation_id)
    return replace(changed_limit("undone", customer, after, before.days, context), undo_until=None)


@operation(by=Role.MANAGER)
def undo_mode(command: Undo, books: "Books", context: Context) -> ModeSwitched:
    """Let a customer pay as before, with the limit it had. Refuses: NotUndoable, CustomerClosed."""
    made = books.operations.made(command.operation_id)
    check_fresh(made, "undo_mode", books, context, lambda: "switch back instead")
    customer = _latest(made, books)
    bought = books.terms.bought_since(customer.id, made.operation_id)
    if bought:
        raise NotUndoable(f"{_named(bought)} came since; switch back with /payment-mode instead.")
    after = replace(customer, mode=Mode.PREPAID if customer.mode is Mode.POSTPAID else Mode.POSTPAID)
    before = books.terms.limit_before(customer, made.operation_id)
    after = _topped_up_again(customer, after, made, books)
    books.terms.switch_mode(after)
    if before is not None:
        after = _with_limit(after, before)
        books.terms.set_limit(after, before.days)
    books.operations.undone(made.operation_id)
    switched = switched_mode(customer, after, books.invoices.open_of(customer.id), context)
    return replace(switched, step="undone", undo_until=None)


def _topped_up_again(customer: Customer, after: Customer, made: Made, books: "Books") -> Customer:
    """What the switch had switched off is on again. Refuses: NotUndoable."""
    set_by, former = books.top_ups.last_change(customer)
    if set_by > made.operation_id:
        raise NotUndoable(f"The payment settings of {customer.name} were changed since; switch back instead.")
    if set_by != made.operation_id or former is None:
        return after
    after = with_settings(after, former)
    books.top_ups.put(after, replace(former, id=books.new_id()))
    return after


def _latest(made: Made, books: "Books") -> Customer:
    """The customer, locked, if its terms were not changed since. Refuses: NotUndoable, CustomerClosed."""
    customer = books.customers.lock(made.document_id or 0).open_for_business()
    later = books.terms.later(customer.id, made.operation_id)
    if later is not None:
        raise NotUndoable(f"The terms of {customer.name} were changed since ({later}); undo that first.")
    return customer


def _with_limit(customer: Customer, limit: Limit) -> Customer:
    return replace(customer, limit_micros=limit.amount.micros, limit_ends_at=limit.ends_at)


def _named(bought: Sequence[str]) -> str:
    more = " and more" if len(bought) > MOST_NAMED else ""
    return f"{', '.join(bought[:MOST_NAMED])}{more}"


undoes("undo_limit", DocumentKind.CUSTOMER, "set_limit", "extend_limit")
undoes("undo_mode", DocumentKind.CUSTOMER, "switch_mode")
