"""Suspending, resuming and closing a customer."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from bot.domain.customers import Controls, Correction, Customer, CustomerChanged, CustomerState
from bot.domain.errors import CustomerNotSettled, WrongState
from bot.domain.money import Money
from bot.domain.operation import Context, Role, operation

if TYPE_CHECKING:
    from bot.domain.ports import Books

KINDS = {
    CustomerState.ACTIVE: "resumed",
    CustomerState.SUSPENDED: "suspended",
    CustomerState.CLOSED: "closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SetCustomerState:
    """Suspend or close a customer, or let a suspended one go on."""

    customer_id: int
    state: CustomerState


@operation(by=Role.CLERK)
def set_customer_state(command: SetCustomerState, books: "Books", context: Context) -> CustomerChanged:
    """Suspend, resume, or close for good; only a customer without any credit, debt or reservation is closed. Rule 45.
    Refuses: WrongState, CustomerNotSettled.
    """
    before = books.customers.lock(command.customer_id)
    if before.state is CustomerState.CLOSED:
        raise WrongState(f"{before.name} is closed; that is for good.")
    if before.state is command.state:
        raise WrongState(f"{before.name} is {before.state.value} already; nothing was changed.")
    if command.state is CustomerState.CLOSED:
        check_settled(before)
    after = replace(before, state=command.state, version=before.version + 1)
    books.customers.set_state(after)
    return CustomerChanged(
        kind=KINDS[command.state],
        customer=after,
        contacts=books.customers.contacts(after.id),
        operation_id=context.operation_id,
        corrected=(Correction(name="state", before=before.state.value, after=after.state.value),),
    )


def check_settled(customer: Customer) -> None:
    """Every account is at zero, not their net. Rule 45. Refuses: CustomerNotSettled."""
    left = [
        f"{each.name.replace('_', ' ')} {Money(getattr(customer.controls, each.name), customer.currency)}"
        for each in fields(Controls)
        if getattr(customer.controls, each.name)
    ]
    if left:
        raise CustomerNotSettled(
            f"{customer.name} cannot be closed with {', '.join(left)}. Withdraw the credit and settle the debt first, "
            "or suspend it."
        )
