"""A limit or a mode that other people approve first: a document of its own, carried out once as a new dated row."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from bot.domain.allocation import Matching
from bot.domain.approvals import Approvable, Approval, ApprovalState, Requested, approvable, open_approval
from bot.domain.customers import Customer, Mode, clean_text
from bot.domain.money import Money
from bot.domain.operation import Context, DocumentKind, Role
from bot.domain.policies import PolicyRule, policy_of, rule_for

if TYPE_CHECKING:
    from bot.domain.ports import Books
    from bot.domain.settings import Settings

LONGEST_REASON = 500
INCREASE, SWITCH = "limit_increase", "mode_switch"


class TermsKind(StrEnum):
    """What is asked for: a limit, more days of one, or another mode."""

    SET = "set"
    EXTEND = "extend"
    SWITCH = "switch"


class TermsState(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRequest:
    """Terms that were asked for, beside those of the moment. `limit`: what is to be allowed, none where a switch leaves
    it as it is; `days`: from the approval on, of an extension beyond its end.
    """

    id: int
    number: str
    customer_id: int
    kind: TermsKind
    limit: Money | None
    days: int | None
    mode: Mode
    was_mode: Mode
    was_limit: Money
    was_ends_at: datetime | None
    reason: str
    requested_by: str
    requested_at: datetime
    state: TermsState = TermsState.REQUESTED


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsFile:
    """All that the card of a request shows, as it stands now."""

    request: TermsRequest
    customer: Customer
    approval: Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants of a customer's terms; `amount` is the limit that would count."""

    kind: TermsKind
    amount: Money
    is_increase: bool
    limit: Money | None = None
    days: int | None = None
    mode: Mode | None = None
    reason: str = ""


def policy_for(wish: Wish, settings: "Settings") -> PolicyRule:
    """The row of the policy that asks for most approvals. A limit that a switch brings counts as one by itself, or
    switching would be a way around.
    """
    names = [INCREASE] if wish.is_increase else []
    names += [SWITCH] if wish.kind is TermsKind.SWITCH else []
    rules = [rule_for(policy_of(settings), name, wish.amount) for name in names]
    return max(rules, key=lambda each: each.needed, default=PolicyRule(operation=INCREASE, needed=0))


def ask_for(wish: Wish, customer: Customer, books: "Books", context: Context) -> tuple[TermsRequest, Approval] | None:
    """The request that policy wants for this, or none: then it is done at once. Refuses: MissingText, TextTooLong."""
    rule = policy_for(wish, books.settings.current())
    said = clean_text(wish.reason, "reason", LONGEST_REASON, needed=rule.needed > 0)
    if not rule.needed:
        return None
    made = TermsRequest(
        id=books.new_id(),
        number=books.numbers.next("request"),
        customer_id=customer.id,
        kind=wish.kind,
        limit=wish.limit,
        days=wish.days,
        mode=wish.mode or customer.mode,
        was_mode=customer.mode,
        was_limit=Money(customer.limit_micros, customer.currency),
        was_ends_at=customer.limit_ends_at,
        reason=said,
        requested_by=context.person,
        requested_at=context.now,
    )
    books.terms_requests.insert(made)
    document = Requested(id=made.id, label=made.number, amount=wish.amount, customer_id=customer.id)
    return made, open_approval(rule.operation, document, books, context)


# How terms of each kind are carried out: the customer as it is then; refuses what it would refuse without a request.
Carry = Callable[[TermsRequest, Customer, "Books", Context], Customer]
CARRIED_OUT_BY: dict[TermsKind, Carry] = {}


def carried_out_by(kind: TermsKind, carry: Carry) -> None:
    """Say how requests of a kind are carried out."""
    assert kind not in CARRIED_OUT_BY, kind
    CARRIED_OUT_BY[kind] = carry


def _content(request_id: int, books: "Books") -> Mapping[str, str]:
    """What is asked for, and the terms that it replaces: whoever changes these meanwhile makes the card untrue."""
    made = books.terms_requests.get(request_id)
    customer = books.customers.lock(made.customer_id)
    return {
        "customer": str(made.customer_id),
        "kind": made.kind.value,
        "limit": str(made.limit or ""),
        "days": str(made.days or ""),
        "mode": made.mode.value,
        "reason": made.reason,
        "mode now": customer.mode.value,
        "limit now": str(Money(customer.limit_micros, customer.currency)),
        "until now": str(customer.limit_ends_at or ""),
    }


def _largest(request_id: int, books: "Books", _matching: Matching) -> Money:
    """A limit is bounded by nothing that could have moved."""
    return books.approvals.about(DocumentKind.TERMS, request_id).amount


def _execute(request_id: int, books: "Books", matching: Matching, context: Context) -> None:
    """Approved by others: the new terms begin now."""
    made = books.terms_requests.get(request_id)
    matching.customer = CARRIED_OUT_BY[made.kind](made, matching.customer.open_for_business(), books, context)
    books.terms_requests.set_state(replace(made, state=TermsState.APPROVED))


def _release(request_id: int, books: "Books", _matching: Matching, state: ApprovalState) -> None:
    """The terms stay as they were."""
    made = books.terms_requests.get(request_id)
    books.terms_requests.set_state(replace(made, state=TermsState(state.value)))


for _name in (INCREASE, SWITCH):
    approvable(
        _name,
        Approvable(
            role=Role.MANAGER,
            document=DocumentKind.TERMS,
            content=_content,
            largest=_largest,
            execute=_execute,
            release=_release,
        ),
    )
