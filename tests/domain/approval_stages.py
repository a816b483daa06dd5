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
from bot.domain.withdrawals import Gateway, PayWithdrawal, RequestWithdrawal, pay_withdrawal, request_withdrawal
from tests.world import CLERK, MANAGER, World, money, withdraw

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
    "pay_withdrawal": lambda world: (pay_withdrawal, paying(world), CLERK),
}
