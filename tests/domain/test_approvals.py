"""The one decision: a table of every way it can end, and properties over all standings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.approval import Approval, ApprovalState, Mandate, Standing, Verdict, Vote, judge, principal_of
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


LATER = NOW + timedelta(days=3)
MIRA = Mandate(principal="U5", role=Role.MANAGER, until=LATER)
STAND_IN = replace(VOTE, role=Role.CLERK, mandates=(MIRA,))


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
        (STANDING, STAND_IN, Verdict.EXECUTED),
        (STANDING, replace(STAND_IN, approves=False), Verdict.REJECTED),
        (standing(needed=2), STAND_IN, Verdict.COUNTED),
        (standing(needed=2, approvers=("U3",)), STAND_IN, Verdict.EXECUTED),
        # both together are one: whoever of them comes second is refused
        (standing(needed=2, approvers=("U5",)), STAND_IN, ApprovedAlready),
        (standing(needed=2, approvers=("U2",), stand_ins=(("U2", "U5"),)), replace(VOTE, person="U5"), ApprovedAlready),
        (standing(needed=2, approvers=("U4",), stand_ins=(("U4", "U5"),)), STAND_IN, ApprovedAlready),
        # an own right is used before that of somebody else
        (standing(needed=2, approvers=("U5",)), replace(STAND_IN, role=Role.MANAGER), Verdict.EXECUTED),
        # of two that are away, the one who has not counted yet
        (
            standing(needed=2, approvers=("U5",)),
            replace(STAND_IN, mandates=(MIRA, replace(MIRA, principal="U6"))),
            Verdict.EXECUTED,
        ),
        # own requests, and those of whom one stands in for
        (STANDING, replace(STAND_IN, person="U1"), OwnRequest),
        (STANDING, replace(STAND_IN, mandates=(replace(MIRA, principal="U1"),)), OwnRequest),
        (STANDING, replace(STAND_IN, approves=False, mandates=(replace(MIRA, principal="U1"),)), OwnRequest),
        # the one who is away has the right no more, has left, or is back; the stand-in has none
        (STANDING, replace(STAND_IN, mandates=(replace(MIRA, role=Role.CLERK),)), NoAccess),
        (STANDING, replace(STAND_IN, mandates=(replace(MIRA, role=Role.NONE),)), NoAccess),
        (STANDING, replace(STAND_IN, at=NOW, mandates=(replace(MIRA, until=NOW),)), NoAccess),
        (STANDING, replace(STAND_IN, role=Role.VIEWER), NoAccess),
        (STANDING, replace(STAND_IN, mandates=()), NoAccess),
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
        stand_ins=st.lists(st.tuples(PEOPLE, PEOPLE), max_size=1).map(tuple),
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
        mandates=st.lists(
            st.builds(
                Mandate,
                principal=PEOPLE,
                role=st.sampled_from(Role),
                until=st.integers(-60, 120).map(lambda minutes: NOW + timedelta(minutes=minutes)),
            ),
            max_size=2,
        ).map(tuple),
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
    principal = principal_of(asked, vote)
    entitled = {each.principal for each in vote.mandates if each.role >= Role.MANAGER and vote.at < each.until}
    assert vote.role >= Role.MANAGER or (vote.role >= Role.CLERK and principal in entitled)
    assert approval.requester not in {vote.person, principal}
    assert approval.state is ApprovalState.WAITING
    assert vote.at < approval.expires_at
    assert vote.version == approval.version
    if verdict is not Verdict.REJECTED:
        assert content_hash == approval.content_hash
        assert approval.amount <= asked.largest
        assert not {vote.person, principal} & approval.counted
        assert (verdict is Verdict.EXECUTED) == (len({*approval.approvers, vote.person}) >= approval.needed)


RIGHTS = st.fixed_dictionaries({person: st.sampled_from(Role) for person in ("U1", "U2", "U3", "U4")})
STEPS = st.lists(st.tuples(PEOPLE, RIGHTS, st.lists(st.tuples(PEOPLE, PEOPLE), max_size=4)), min_size=1, max_size=8)


@given(needed=st.integers(1, 2), steps=STEPS)
def test_nothing_is_approved_without_as_many_entitled_people_other_than_the_requester(
    needed: int, steps: list[tuple[str, dict[str, Role], list[tuple[str, str]]]]
) -> None:
    """Rights and delegations may be others with each vote; each vote counts by a right that somebody had then."""
    approval, used = replace(APPROVAL, needed=needed), list[str]()
    for person, rights, away in steps:
        mandates = [Mandate(principal=of, role=rights[of], until=LATER) for of, to in away if to == person]
        vote = Vote(person=person, role=rights[person], version=1, at=NOW, mandates=tuple(mandates))
        asked = replace(STANDING, approval=approval)
        try:
            verdict, principal = judge(asked, vote), principal_of(asked, vote)
        except Refused:
            continue
        assert rights[principal] >= Role.MANAGER
        assert principal == person or (principal, person) in away
        used.append(principal)
        instead = ((person, principal),) if principal != person else ()
        counted = (*approval.approvers, person)
        approval = replace(approval, approvers=counted, stand_ins=(*approval.stand_ins, *instead))
        if verdict is Verdict.EXECUTED:
            approval = replace(approval, state=ApprovalState.APPROVED)
    people = {*approval.approvers, *used}
    assert APPROVAL.requester not in people
    assert len(set(used)) == len(used) == len(set(approval.approvers)) <= needed
    if approval.state is ApprovalState.APPROVED:
        assert len(set(used)) == needed


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
