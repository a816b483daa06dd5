"""What limits, modes, their requests and the limit watch ask of storage inside a write."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from bot.domain.customers import Customer
    from bot.domain.limit_watch import Watched
    from bot.domain.limits import Limit
    from bot.domain.terms_requests import TermsRequest


class Terms(Protocol):
    def set_limit(self, customer: "Customer", days: int | None) -> None: ...

    def switch_mode(self, customer: "Customer") -> None: ...

    def limit_before(self, customer: "Customer", operation_id: int) -> "Limit | None": ...

    def later(self, customer_id: int, operation_id: int) -> str | None: ...

    def watched(self, customer_id: int) -> "Watched": ...

    def tell(self, customer_id: int, told: "Watched") -> None: ...

    def bought_since(self, customer_id: int, operation_id: int) -> Sequence[str]: ...


class TermsRequests(Protocol):
    def get(self, request_id: int) -> "TermsRequest": ...

    def insert(self, made: "TermsRequest") -> None: ...

    def set_state(self, made: "TermsRequest") -> None: ...
