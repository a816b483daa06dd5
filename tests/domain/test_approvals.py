"""The one decision: a table of every way it can end, and properties over all standings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approvals import Approval, ApprovalState, Standing, Verdict, Vote, judge
from bot.domain.errors import (
    ApprovedAlready,
    EvidenceChanged,
    MoreThanLeft,
    NoAccess,
    OwnRequest,
    Refused,
    SettingRefused,
    WrongState,
)
from bot.domain.operation import DocumentKind, Role
from bot.domain.policies import check_policy, read_policy, rule_for
from tests.world import money

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
APPROVAL = Approval(
    id=1,
    operation="withdrawal",
    document=DocumentKind.WITHDRAWAL,
    document_id=2,
    label="WDR-0001",
    customer_id=3,
    amount=money(100),
    requester="U1",
    requested_at=NOW,
    policy="withdrawal one",
    needed=1,
    content_hash="as shown",
    expires_at=NOW + timedelta(hours=1),
)
STANDING = Standing(approval=APPROVAL, content_hash="as shown", largest=money(100), role_needed=Role.MANAGER)
VOTE = Vote(person="U2", role=Role.MANAGER, version=1, at=NOW)


def standing(**changed: object) -> Standing:
    return replace(STANDING, approval=replace(APPROVAL, **changed))  # type: ignore[arg-type]  # fields of an approval


@pytest.mark.parametrize(
    ("given_standing", "vote", "expected"),
    [
        (STANDING, VOTE, Verdict.EXECUTED),
        (STANDING, replace(VOTE, role=Role.OWNER), Verdict.EXECUTED),
        (STANDING, replace(VOTE, approves=False), Verdict.REJECTED),
        (standing(needed=2), VOTE, Verdict.COUNTED),
        (standing(needed=2, approvers=("U3",)), VOTE, Verdict.EXECUTED),
        (standing(needed=2, approvers=("U2",)), VOTE, ApprovedAlready),
        (STANDING, replace(VOTE, role=Role.CLERK), NoAccess),
        (STANDING, replace(VOTE, role=Role.NONE, approves=False), NoAccess),
        (STANDING, replace(VOTE, person="U1"), OwnRequest),
        (STANDING, replace(VOTE, person="U1", role=Role.OWNER), OwnRequest),
        (STANDING, replace(VOTE, person="U1", approves=False), OwnRequest),
        *((standing(state=state), VOTE, WrongState) for state in ApprovalState if state != "waiting"),
        *(
            (standing(state=state), replace(VOTE, approves=False), WrongState)
            for state in ApprovalState
            if state != "waiting"
        ),
        (STANDING, replace(VOTE, at=NOW + timedelta(hours=1)), WrongState),
        (STANDING, replace(VOTE, at=NOW + timedelta(minutes=59)), Verdict.EXECUTED),
        (standing(version=2), VOTE, EvidenceChanged),
        (standing(version=2), replace(VOTE, version=2), Verdict.EXECUTED),
        (replace(STANDING, content_hash="other"), VOTE, EvidenceChanged),
        (replace(STANDING, content_hash="other"), replace(VOTE, approves=False), Verdict.REJECTED),
        (replace(STANDING, largest=money("99.99")), VOTE, MoreThanLeft),
        (replace(STANDING, largest=money("99.99")), replace(VOTE, approves=False), Verdict.REJECTED),
    ],
)
def test_a_decision_ends_as_the_table_says(
    given_standing: Standing, vote: Vote, expected: Verdict | type[Refused]
) -> None:
    if isinstance(expected, Verdict):
        assert judge(given_standing, vote) is expected
    else:
        with pytest.raises(expected):
            judge(given_standing, vote)


PEOPLE = st.sampled_from(["U1", "U2", "U3", "U4"])


@given(
    approval=st.builds(
        replace,
        st.just(APPROVAL),
        needed=st.integers(1, 2),
        approvers=st.lists(PEOPLE, unique=True, max_size=2).map(tuple),
        state=st.sampled_from(ApprovalState),
        version=st.integers(1, 3),
    ),
    content_hash=st.sampled_from(["as shown", "other"]),
    largest=st.integers(0, 200).map(money),
    vote=st.builds(
        Vote,
        person=PEOPLE,
        role=st.sampled_from(Role),
        version=st.integers(1, 3),
        at=st.integers(-60, 120).map(lambda minutes: NOW + timedelta(minutes=minutes)),
        approves=st.booleans(),
    ),
)
def test_whatever_stands_only_an_entitled_other_person_moves_it_in_time(
    approval: Approval, content_hash: str, largest: object, vote: Vote
) -> None:
    asked = Standing(
        approval=approval,
        content_hash=content_hash,
        largest=largest,  # type: ignore[arg-type]  # money, as drawn
        role_needed=Role.MANAGER,
    )
    try:
        verdict = judge(asked, vote)
    except Refused:
        return
    assert vote.role >= Role.MANAGER
    assert vote.person != approval.requester
    assert approval.state is ApprovalState.WAITING
    assert vote.at < approval.expires_at
    assert vote.version == approval.version
    if verdict is not Verdict.REJECTED:
        assert content_hash == approval.content_hash
        assert approval.amount <= asked.largest
        assert vote.person not in approval.approvers
        counted = {*approval.approvers, vote.person}
        assert (verdict is Verdict.EXECUTED) == (len(counted) >= approval.needed)


@pytest.mark.parametrize(
    ("policy", "amount", "needed"),
    [
        ("", "1", 1),
        ("withdrawal none", "1", 0),
        ("withdrawal one; withdrawal two from 10000 SGD", "9999.99", 1),
        ("withdrawal one; withdrawal two from 10000 SGD", "10000", 2),
        ("withdrawal none; withdrawal one from 5 SGD; withdrawal two from 50 SGD", "49", 1),
        ("withdrawal two from 10 USD", "100", 1),
        ("write_off two", "100", 1),
    ],
)
def test_the_highest_row_that_is_reached_counts(policy: str, amount: str, needed: int) -> None:
    assert rule_for(read_policy(policy), "withdrawal", money(amount)).needed == needed


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ("withdrawal", "Type rows"),
        ("withdrawal three", "Type rows"),
        ("payment one", "none of withdrawal"),
        ("withdrawal two from 1.2.3 SGD", "not an amount"),
        ("withdrawal two from 10 ZZZ", "not an amount"),
        ("withdrawal one; withdrawal two", "same amount"),
    ],
)
def test_a_policy_that_cannot_be_read_is_refused_with_what_to_type(policy: str, says: str) -> None:
    with pytest.raises(SettingRefused, match=says):
        check_policy(policy)


def test_a_policy_is_kept_in_one_form() -> None:
    assert check_policy(" withdrawal  one;withdrawal two from 10000.00 SGD; ") == (
        "withdrawal one; withdrawal two from 10000 SGD"
    )
