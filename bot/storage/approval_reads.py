"""Questions about requests for approval, what they are about, and who decides in whose place."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from bot.domain.approval import Approval, Mandate
from bot.domain.customers import Customer
from bot.domain.delegations import Delegation
from bot.domain.errors import NotFound
from bot.domain.operation import Actor
from bot.domain.ports import Page
from bot.domain.terms_requests import TermsFile
from bot.domain.withdrawals import Withdrawal, WithdrawalFile
from bot.storage import approvals, delegations, terms_requests, withdrawals
from bot.storage.requests import made_by


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
        return withdrawals.find_withdrawal(self._connection, number_or_id)

    def withdrawal_file(self, withdrawal_id: int) -> WithdrawalFile:
        made = withdrawals.find_withdrawal(self._connection, str(withdrawal_id))
        if made is None:
            raise NotFound("There is no such withdrawal.", field="withdrawal")
        return withdrawals.withdrawal_file(self._connection, made.id, self.customer(made.customer_id))

    def list_withdrawals(self, page: Page) -> Sequence[tuple[Withdrawal, str]]:
        return list(self.each_withdrawal(page))

    def each_withdrawal(self, page: Page) -> Iterator[tuple[Withdrawal, str]]:
        return withdrawals.each_withdrawal(self._connection, page)

    def terms_file(self, request_id: int) -> TermsFile:
        made = terms_requests.find_terms_request(self._connection, request_id)
        return terms_requests.terms_file(self._connection, made, self.customer(made.customer_id))

    def mandates(self, actor: Actor) -> Sequence[Mandate]:
        """In whose place somebody may decide."""
        return delegations.mandates_of(self._connection, actor.team, actor.user)

    def made_by(self, operation_id: int) -> tuple[str, str]:
        """The name of an operation and the kind of document that it left, as undo needs to know them."""
        return made_by(self._connection, operation_id)

    def delegation(self, actor: Actor) -> Delegation | None:
        """Who stands in for somebody."""
        return delegations.delegation_of(self._connection, actor.team, actor.user)
