"""Suspending, closing and opening a customer again. Nothing is ever deleted. Rule 45."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.domain.customers import (
    Controls,
    Correction,
    Customer,
    CustomerChanged,
    CustomerState,
    clean_text,
    corrections,
)
from bot.domain.errors import CustomerNotSettled, WrongState
from bot.domain.money import Money
from bot.domain.open_items import InvoiceState
from bot.domain.operation import Context, Role, operation
from bot.domain.payment_settings import switch_off, with_settings

if TYPE_CHECKING:
    from bot.domain.ports import Books

LONGEST_REASON = 300
# What each control account is called when it keeps a customer from being closed.
LEFT = {
    "deposits": "credit",
    "advances": "advances",
    "credit_notes": "credit notes",
    "receivable": "debt",
    "unbilled": "unbilled usage",
    "payouts_due": "payouts",
    "reserved": "reserved credit",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCustomerState:
    """Suspend, close, or open again, with the reason; the version refuses a change over somebody else's."""

    customer_id: int
    version: int
    state: CustomerState
    reason: str


@operation(by=Role.CLERK)
def change_customer_state(command: ChangeCustomerState, books: "Books", context: Context) -> CustomerChanged:
    """A suspended customer buys nothing but still pays; a closed one has nothing left and takes no document. Rule 45.
    Refuses: WrongState, CustomerNotSettled, MissingText, TextTooLong.
    """
    before = books.customers.lock(command.customer_id)
    if before.version != command.version:
        raise WrongState(f"{before.name} was changed by somebody else meanwhile; open the form again.")
    if before.state is command.state:
        raise WrongState(f"{before.name} is {before.state.value} already.")
    reason = clean_text(command.reason, "reason", LONGEST_REASON, needed=True)
    if command.state is CustomerState.CLOSED:
        check_empty(before, books)
    after = replace(before, state=command.state, version=before.version + 1)
    books.customers.set_state(after)
    rule = switch_off(before, books) if command.state is CustomerState.CLOSED else None
    after = with_settings(after, None) if rule is not None else after
    ended = [Correction(name="automatic top-up", before=rule.told(), after="off")] if rule is not None else []
    return CustomerChanged(
        kind="opened again" if after.state is CustomerState.ACTIVE else after.state.value,
        customer=after,
        contacts=books.customers.contacts(before.id),
        operation_id=context.operation_id,
        corrected=(*corrections(before, after, ("state",)), *ended),
        reason=reason,
    )


def check_empty(customer: Customer, books: "Books") -> None:
    """Each control account and each hold at zero, not their net, and no draft. Rule 45. Refuses: CustomerNotSettled,
    WrongState.
    """
    left = [
        f"{called} {Money(abs(getattr(customer.controls, name)), customer.currency)}"
        for name, called in LEFT.items()
        if getattr(customer.controls, name)
    ]
    if left:
        raise CustomerNotSettled(
            f"{customer.name} has {', '.join(left)}; settle that first, then close the account. Suspend it meanwhile."
        )
    waiting = books.invoices.waiting_of(customer.id)
    if waiting is not None:
        if waiting.state is InvoiceState.DRAFT:
            raise WrongState(f"{customer.name} has the draft {waiting.label}; send or delete it first.")
        raise WrongState(
            f"{customer.name} has the {waiting.called} {waiting.label}, {waiting.status}; void it first, or let it be "
            "paid."
        )


assert {*LEFT} == {*Controls.__dataclass_fields__}
