"""Questions about requests for approval and withdrawals."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from bot.domain.approvals import Approval
from bot.domain.customers import Customer
from bot.domain.errors import NotFound
from bot.domain.ports import Page
from bot.domain.withdrawals import Withdrawal, WithdrawalFile
from bot.storage import approvals


class ApprovalReads:
    """What a report may ask about requests and withdrawals."""

    _connection: Connection

    def customer(self, customer_id: int) -> Customer:
        raise NotImplementedError

    def approval(self, approval_id: int) -> Approval:
        return approvals.find_approval(self._connection, approval_id)

    def approval_in_thread(self, channel: str, ts: str) -> Approval | None:
        return approvals.approval_in_thread(self._connection, channel, ts)

    def waiting_approvals(self) -> Sequence[Approval]:
        return approvals.waiting(self._connection)

    def withdrawal(self, number_or_id: str) -> Withdrawal | None:
        return approvals.find_withdrawal(self._connection, number_or_id)

    def withdrawal_file(self, withdrawal_id: int) -> WithdrawalFile:
        made = approvals.find_withdrawal(self._connection, str(withdrawal_id))
        if made is None:
            raise NotFound("There is no such withdrawal.", field="withdrawal")
        return approvals.withdrawal_file(self._connection, made.id, self.customer(made.customer_id))

    def list_withdrawals(self, page: Page) -> Sequence[tuple[Withdrawal, str]]:
        return list(self.each_withdrawal(page))

    def each_withdrawal(self, page: Page) -> Iterator[tuple[Withdrawal, str]]:
        return approvals.each_withdrawal(self._connection, page)
