"""One way to carry out each operation on requests, withdrawals and states of customers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from bot.domain.approvals import (
    Approve,
    Cancel,
    Expire,
    Reject,
    Remind,
    approve_request,
    cancel_request,
    expire_request,
    reject_request,
    remind_of_request,
)
from bot.domain.customers import Customer, Mode
from bot.domain.delegations import Delegate, EndDelegation, delegate, end_delegation
from bot.domain.limit_watch import AnnounceLimit, announce_limit
from bot.domain.limits import SetLimit, set_limit
from bot.domain.people import Profile
from bot.domain.request_undo import undo_request
from bot.domain.undo import Undo
from bot.domain.withdrawals import Gateway, PayWithdrawal, RequestWithdrawal, pay_withdrawal, request_withdrawal
from tests.world import CLERK, MANAGER, OWNER, TEAM, World, money, withdraw

SYSTEM = "system"
Staged = tuple[Any, Any, str]


def asking(world: World) -> RequestWithdrawal:
    customer = world.customer()
    world.pay(50, customer)
    return RequestWithdrawal(customer_id=customer.id, amount=money(40), gateway=Gateway.CASH, reason="Ended")


def asked(world: World) -> int:
    return world.do(request_withdrawal, asking(world)).withdrawal.approval_id


def late(world: World, hours: int) -> int:
    made = asked(world)
    world.now += timedelta(hours=hours)
    return made


def paying(world: World) -> PayWithdrawal:
    customer = world.customer()
    world.pay(50, customer)
    return PayWithdrawal(withdrawal_id=withdraw(world, customer).id, reference="FT-1")


def asking_terms(world: World) -> SetLimit:
    return SetLimit(customer_id=world.customer().id, amount=money(8000), reason="Zoë buys more")


def limit_approved(world: World, customer: Customer) -> None:
    """A limit that the owner approved for the manager."""
    asking = SetLimit(customer_id=customer.id, amount=money(8000, customer.currency.code), reason="More orders")
    world.do(set_limit, asking, by=MANAGER)
    waiting = world.store.read(lambda books: books.waiting_approvals())
    (approval,) = [each for each in waiting if each.customer_id == customer.id]
    world.do(approve_request, Approve(approval_id=approval.id, version=1), by=OWNER)


def delegating(world: World) -> Delegate:
    return Delegate(profile=Profile(team=TEAM, user=CLERK, name=CLERK), last_day=world.day(5))


def ending(world: World) -> EndDelegation:
    world.do(delegate, delegating(world), by=MANAGER)
    return EndDelegation()


def announcing(world: World) -> AnnounceLimit:
    customer = world.customer(mode=Mode.PREPAID)
    world.do(set_limit, SetLimit(customer_id=customer.id, amount=money(5), days=1), by=MANAGER)
    return AnnounceLimit(customer_id=customer.id, version=0)


APPROVAL_STAGES: dict[str, Callable[[World], Staged]] = {
    "request_withdrawal": lambda world: (request_withdrawal, asking(world), CLERK),
    "approve_request": lambda world: (approve_request, Approve(approval_id=asked(world), version=1), MANAGER),
    "reject_request": lambda world: (
        reject_request,
        Reject(approval_id=asked(world), version=1, reason="No"),
        MANAGER,
    ),
    "cancel_request": lambda world: (cancel_request, Cancel(approval_id=asked(world)), CLERK),
    "expire_request": lambda world: (expire_request, Expire(approval_id=late(world, 72)), SYSTEM),
    "remind_of_request": lambda world: (remind_of_request, Remind(approval_id=late(world, 36)), SYSTEM),
    "announce_limit": lambda world: (announce_limit, announcing(world), SYSTEM),
    "delegate": lambda world: (delegate, delegating(world), MANAGER),
    "end_delegation": lambda world: (end_delegation, ending(world), MANAGER),
    "undo_request": lambda world: (
        undo_request,
        Undo(operation_id=world.do(set_limit, asking_terms(world), by=MANAGER).operation_id),
        MANAGER,
    ),
    "pay_withdrawal": lambda world: (pay_withdrawal, paying(world), CLERK),
}
