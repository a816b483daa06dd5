"""One way to carry out each operation on disputes, promises and write-offs."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bot.domain.approvals import Approve, approve_request
from bot.domain.disputes import OpenDispute, ResolveDispute, open_dispute, resolve_dispute
from bot.domain.open_items import Invoice
from bot.domain.promises import EndPromise, LogPromise, end_promise, log_promise
from bot.domain.write_off import RequestWriteOff, UndoWriteOff, WriteOff
from bot.domain.write_offs import request_write_off, undo_write_off
from tests.world import CLERK, MANAGER, VIEWER, World, money

Staged = tuple[Any, Any, str]


def owed(world: World) -> Invoice:
    return world.invoice(world.customer(), 30, issued=-60, due=-41, auto=False)


def disputing(world: World) -> OpenDispute:
    return OpenDispute(invoice_id=owed(world).id, reason="Wrong quantity, says Zoë")


def resolving(world: World) -> ResolveDispute:
    made = disputing(world)
    world.do(open_dispute, made, by=VIEWER)
    return ResolveDispute(invoice_id=made.invoice_id, reason="Counted again")


def promising(world: World) -> LogPromise:
    invoice = owed(world)
    world.do(log_promise, LogPromise(customer_id=invoice.customer_id, promised_on=world.day(1)), by=VIEWER)
    return LogPromise(
        customer_id=invoice.customer_id, amount=money(20), promised_on=world.day(5), source="From a message in #sales"
    )


def ending(world: World) -> EndPromise:
    made = promising(world)
    world.do(log_promise, made, by=VIEWER)
    return EndPromise(customer_id=made.customer_id)


def asking(world: World) -> RequestWriteOff:
    return RequestWriteOff(invoice_id=owed(world).id, reason="Zoë moved away")


def given_up(world: World, invoice: Invoice, amount: str | int | None = None) -> WriteOff:
    """A write-off that was asked for and approved."""
    part = None if amount is None else money(amount, invoice.total.currency.code)
    command = RequestWriteOff(invoice_id=invoice.id, reason="Gone", amount=part)
    made = world.do(request_write_off, command).write_off
    approve(world, made)
    found = world.store.read(lambda books: books.write_off(str(made.id)))
    assert found is not None
    return found


def approve(world: World, made: WriteOff, by: str = MANAGER) -> None:
    approval = world.store.read(lambda books: books.write_off_file(made.id)).approval
    assert approval is not None
    world.do(approve_request, Approve(approval_id=approval.id, version=1), by=by)


def undoing(world: World) -> UndoWriteOff:
    invoice = owed(world)
    made = given_up(world, invoice)
    world.pay(10, world.store.read(lambda books: books.customer(invoice.customer_id)))
    return UndoWriteOff(write_off_id=made.id, reason="Came back")


def disputed_promised_and_given_up(world: World) -> None:
    """A book with a row in each of these tables: one debt given up, one owed again, one that waits."""
    customer = world.customer("DOUBT")
    invoices = [world.invoice(customer, 30 + each, issued=-60, due=-41, auto=False, tax="9") for each in range(4)]
    world.do(open_dispute, OpenDispute(invoice_id=invoices[0].id, reason="Wrong quantity"), by=VIEWER)
    promise = LogPromise(customer_id=customer.id, invoice_id=invoices[0].id, promised_on=world.day(3))
    for amount in (10, 20):
        world.do(log_promise, replace(promise, amount=money(amount)), by=VIEWER)
    given_up(world, invoices[1])
    part = given_up(world, invoices[2], 5)
    world.do(undo_write_off, UndoWriteOff(write_off_id=part.id, reason="Paid after all"), by=MANAGER)
    world.do(request_write_off, RequestWriteOff(invoice_id=invoices[3].id, reason="Gone"))


DISPUTE_STAGES: dict[str, Callable[[World], Staged]] = {
    "open_dispute": lambda world: (open_dispute, disputing(world), VIEWER),
    "resolve_dispute": lambda world: (resolve_dispute, resolving(world), VIEWER),
    "log_promise": lambda world: (log_promise, promising(world), VIEWER),
    "end_promise": lambda world: (end_promise, ending(world), VIEWER),
    "request_write_off": lambda world: (request_write_off, asking(world), CLERK),
    "undo_write_off": lambda world: (undo_write_off, undoing(world), MANAGER),
}
