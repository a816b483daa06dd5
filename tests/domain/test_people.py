"""People: no access until granted, one owner always, and the whole matrix of roles and operations."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.desk import SYSTEM
from bot.domain.customers import Customer
from bot.domain.errors import NoAccess, NotFound, OwnerExists, Refused
from bot.domain.mail import MailAbout
from bot.domain.operation import Actor, Request, Role
from bot.domain.payments import PaymentState, RecordPayment, record_payment
from bot.domain.people import (
    Grant,
    Leave,
    Person,
    Profile,
    Revoke,
    SetOwner,
    grant,
    is_same_house,
    leave,
    revoke,
    set_owner,
)
from bot.domain.ports import AuditQuestion, Page
from bot.domain.receivables import AgeingQuestion
from bot.domain.statements import StatementKind, StatementQuestion
from bot.storage.reports import SqlReadBooks
from tests.domain.expect import ask_sql, everything, expect_refusal, run_sql
from tests.domain.samples import a_command, all_operations
from tests.world import ADMIN, CLERK, MANAGER, OWNER, START, STRANGER, TEAM, VIEWER, World, money

USERS = {
    Role.VIEWER: VIEWER,
    Role.CLERK: CLERK,
    Role.MANAGER: MANAGER,
    Role.ADMINISTRATOR: ADMIN,
    Role.OWNER: OWNER,
}
INACTIVE, FORMER = "U0INACTIVE", "U0FORMER"


def profile(user: str, **faults: bool) -> Profile:
    return replace(Profile(team=TEAM, user=user, name=user), **faults)  # type: ignore[arg-type]


def role_of(world: World, user: str) -> Role:
    person = world.store.read(lambda books: books.person(TEAM, user))
    return person.role if person is not None else Role.NONE


def owners(world: World) -> list[str]:
    return world.store.read(lambda books: [each.user for each in books.people() if each.role is Role.OWNER])


def people_without_rights(world: World) -> list[Request]:
    """Somebody unknown, deactivated, revoked, and the owner's own id in another workspace."""
    for user in (INACTIVE, FORMER):
        world.do(grant, Grant(profile=profile(user), role=Role.ADMINISTRATOR), by=OWNER)
    world.do(leave, Leave(profile=profile(INACTIVE, deleted=True)), by=SYSTEM)
    world.do(revoke, Revoke(profile=profile(FORMER)), by=OWNER)
    return [world.request(user) for user in (STRANGER, INACTIVE, FORMER)] + [world.request(OWNER, team="T0OTHER")]


@pytest.mark.rules(118, 119)
def test_every_operation_is_refused_to_every_role_below_its_own(world: World) -> None:
    customer = world.customer()
    world.invoice(customer, 50)
    world.pay(20, customer)
    nobodies = people_without_rights(world)
    before = everything(world)
    refused = 0
    for operation in all_operations():
        if operation.by is Role.NONE:
            continue
        lower = [world.request(user) for role, user in USERS.items() if role < operation.by]
        for request in (*nobodies, *lower):
            for door in (world.desk.carry_out, world.desk.preview):
                with pytest.raises(NoAccess) as caught:
                    door(operation, a_command(operation), request)
                assert caught.value.field is None, operation.name
                refused += 1
    assert refused > 100
    assert everything(world) == before
    world.check()


@pytest.mark.rule(118)
def test_the_door_opens_for_an_operations_own_role_and_those_above(world: World) -> None:
    before = everything(world)
    for operation in all_operations():
        for role, user in USERS.items():
            if role >= operation.by:
                with_access = True
                try:
                    world.desk.preview(operation, a_command(operation), world.request(user))
                except NoAccess as refusal:
                    with_access = "needs the right" not in refusal.sentence and "no access" not in refusal.sentence
                except Refused:
                    pass
                assert with_access, (operation.name, role)
    assert everything(world) == before


@pytest.mark.rule(119)
def test_a_viewer_is_refused_every_write_but_the_disputes_and_promises_that_people_tell_them_of(world: World) -> None:
    may = {operation.name for operation in all_operations() if operation.by is Role.VIEWER}
    assert may == {"open_dispute", "resolve_dispute", "log_promise", "end_promise"}
    writes = [operation for operation in all_operations() if operation.by > Role.VIEWER]
    before = everything(world)
    for operation in writes:
        with pytest.raises(NoAccess, match="you are viewer"):
            world.desk.carry_out(operation, a_command(operation), world.request(VIEWER))
    assert everything(world) == before


def every_question(customer: Customer) -> dict[str, Callable[[SqlReadBooks], Any]]:
    day = START.date()
    today = AgeingQuestion(as_of=day)
    account = StatementQuestion(customer_id=customer.id, kind=StatementKind.OPEN, since=day, until=day)
    return {
        "settings": lambda books: books.settings(),
        "person": lambda books: books.person(TEAM, OWNER),
        "has_owner": lambda books: books.has_owner(),
        "people": lambda books: books.people(),
        "customer": lambda books: books.customer(customer.id),
        "customer_file": lambda books: books.customer_file(customer.id, START.date()),
        "find_customers": lambda books: books.find_customers("acme"),
        "has_customer_called": lambda books: books.has_customer_called("acme"),
        "list_customers": lambda books: books.list_customers(Page()),
        "payment": lambda books: books.payment("PAY-0001"),
        "payment_file": lambda books: books.payment_file(1),
        "list_payments": lambda books: books.list_payments(Page(), PaymentState.RECORDED),
        "twins": lambda books: books.twins("x", money(1), "", day),
        "invoice": lambda books: books.invoice("INV-0001"),
        "invoice_file": lambda books: books.invoice_file(1),
        "list_invoices": lambda books: books.list_invoices(Page()),
        "approval": lambda books: books.approval(1),
        "approval_in_thread": lambda books: books.approval_in_thread("C1", "1.1"),
        "waiting_approvals": lambda books: books.waiting_approvals(),
        "terms_file": lambda books: books.terms_file(1),
        "mandates": lambda books: books.mandates(Actor(team=TEAM, user=CLERK)),
        "delegation": lambda books: books.delegation(Actor(team=TEAM, user=CLERK)),
        "made_by": lambda books: books.made_by(1),
        "withdrawal": lambda books: books.withdrawal("WDR-0001"),
        "withdrawal_file": lambda books: books.withdrawal_file(1),
        "list_withdrawals": lambda books: books.list_withdrawals(Page()),
        "credit": lambda books: books.credit("CRD-0001"),
        "credit_file": lambda books: books.credit_file(1),
        "list_credits": lambda books: books.list_credits(Page()),
        "masters": lambda books: books.masters(),
        "master_top_up": lambda books: books.master_top_up(1),
        "note": lambda books: books.note("CN-0001"),
        "note_file": lambda books: books.note_file(1),
        "disputes_of": lambda books: books.disputes_of(customer.id),
        "promises_of": lambda books: books.promises_of(customer.id),
        "write_off": lambda books: books.write_off("WO-0001"),
        "write_off_file": lambda books: books.write_off_file(1),
        "promises_waited_for": lambda books: books.promises_waited_for(),
        "disputed_sums": lambda books: books.disputed_sums(),
        "mail": lambda books: books.mail(1),
        "bouncing": lambda books: books.bouncing(customer.id),
        "troubled_mails": lambda books: books.troubled_mails(),
        "mails_about": lambda books: books.mails_about(MailAbout.STATEMENT, customer.id),
        "reminder_templates": lambda books: books.reminder_templates(),
        "reminder_schedules": lambda books: books.reminder_schedules(),
        "reminder_terms": lambda books: books.reminder_terms(customer.id),
        "reminder_stop": lambda books: books.reminder_stop(1),
        "reminder_facts": lambda books: books.reminder_facts([customer.id], day),
        "reminder_run": lambda books: books.reminder_run(1),
        "reminder_run_of": lambda books: books.reminder_run_of(day),
        "newest_run": lambda books: books.newest_run(),
        "reminder_counts": lambda books: books.reminder_counts(1),
        "reminder_messages": lambda books: books.reminder_messages(1),
        "reminder_message": lambda books: books.reminder_message(1),
        "reminder_left": lambda books: books.reminder_left(1),
        "reminder_log": lambda books: books.reminder_log(customer.id),
        "reminder_standing": lambda books: books.reminder_standing(customer, day),
        "reminder_example": lambda books: books.reminder_example(day),
        "each_reminder": lambda books: list(books.each_reminder(1, None)),
        "each_left_out": lambda books: list(books.each_left_out(1)),
        "last_payment_at": lambda books: books.last_payment_at(),
        "mail_recipients": lambda books: books.mail_recipients(customer.id),
        "list_notes": lambda books: books.list_notes(Page()),
        "usage_since": lambda books: books.usage_since(customer.id, day),
        "charge": lambda books: books.charge("C-1"),
        "payment_settings": lambda books: books.payment_settings(customer),
        "at_threshold": lambda books: books.at_threshold(day),
        "ageing": lambda books: books.ageing(today),
        "ageing_detail": lambda books: books.ageing_detail(today),
        "each_note": lambda books: list(books.each_note(Page())),
        "each_withdrawal": lambda books: list(books.each_withdrawal(Page())),
        "each_credit": lambda books: list(books.each_credit(Page())),
        "statement": lambda books: books.statement(account, 20),
        "each_movement": lambda books: list(books.each_movement(account)),
        "each_open_credit": lambda books: list(books.each_open_credit(account)),
        "audit": lambda books: books.audit(AuditQuestion()),
        "worklist": lambda books: books.worklist(Actor(team=TEAM, user=OWNER), START),
        "payment_entries": lambda books: books.payment_entries(1),
        "invoice_entries": lambda books: books.invoice_entries(1),
        "each_payment": lambda books: list(books.each_payment(Page())),
        "each_invoice": lambda books: list(books.each_invoice(Page())),
        "each_ageing_row": lambda books: list(books.each_ageing_row(today)),
        "each_ageing_detail": lambda books: list(books.each_ageing_detail(today)),
        "suspense": lambda books: books.suspense(today),
        "customers_to_bill": lambda books: books.customers_to_bill(day),
        "billed_of_month": lambda books: books.billed_of_month(day),
        "each_audit": lambda books: list(books.each_audit(AuditQuestion())),
        "verify": lambda books: list(books.verify()),
    }


@pytest.mark.rules(118, 119)
def test_people_without_a_right_are_refused_every_question(world: World) -> None:
    customer = world.customer()
    questions = every_question(customer)
    kinds = [kind for kind in SqlReadBooks.__mro__ if kind is not object]
    asked = {name for kind in kinds for name in vars(kind) if not name.startswith("_")} - {"connection"}
    assert set(questions) == asked
    for request in people_without_rights(world):
        for name, question in questions.items():
            with pytest.raises(NoAccess, match="no access"):
                world.desk.ask(question, request)
            assert name in asked
    assert world.desk.ask(questions["customer"], world.request(VIEWER)) == customer
    with pytest.raises(NoAccess, match="needs the right of an administrator"):
        world.desk.ask(questions["people"], world.request(MANAGER), by=Role.ADMINISTRATOR)


@pytest.mark.rule(118)
def test_a_granted_right_counts_at_once_and_a_revoked_one_no_more(world: World) -> None:
    command = RecordPayment(payer="x", amount=money(1), received_on=world.today)
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, by=STRANGER)
    changed = world.do(grant, Grant(profile=profile(STRANGER), role=Role.CLERK), by=ADMIN)
    assert (changed.before, changed.person.role) == (Role.NONE, Role.CLERK)
    assert world.do(record_payment, command, by=STRANGER).by == STRANGER
    changed = world.do(revoke, Revoke(profile=profile(STRANGER)), by=ADMIN)
    assert (changed.before, changed.person.role) == (Role.CLERK, Role.NONE)
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, by=STRANGER)
    world.check()


@pytest.mark.rule(118)
@pytest.mark.parametrize("fault", ["guest", "robot", "stranger", "deleted"])
def test_only_full_members_of_the_workspace_get_rights(world: World, fault: str) -> None:
    with expect_refusal(world, NoAccess, field="person"):
        world.do(grant, Grant(profile=profile(STRANGER, **{fault: True}), role=Role.VIEWER), by=OWNER)
    world.do(leave, Leave(profile=profile(OWNER, deleted=True)), by=SYSTEM)
    with expect_refusal(world, NoAccess, field="person"):
        world.do(set_owner, SetOwner(profile=profile(STRANGER, **{fault: True})), by=STRANGER)


@pytest.mark.rule(118)
@pytest.mark.parametrize("fault", ["guest", "stranger", "deleted"])
def test_who_is_no_full_member_any_more_loses_access_and_regains_it_by_a_new_grant_only(
    world: World, fault: str
) -> None:
    command = RecordPayment(payer="x", amount=money(1), received_on=world.today)
    with expect_refusal(world, NotFound, field="person"):
        world.do(leave, Leave(profile=profile(CLERK)), by=SYSTEM)
    left = world.do(leave, Leave(profile=profile(CLERK, **{fault: True})), by=SYSTEM)
    assert (left.before, left.person.active) == (Role.CLERK, False)
    assert left.trace().description == f"{CLERK}: clerk to clerk, deactivated"
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, by=CLERK)
    with expect_refusal(world, NotFound, field="person"):
        world.do(leave, Leave(profile=profile(CLERK, **{fault: True})), by=SYSTEM)
    with expect_refusal(world, NoAccess):
        world.do(record_payment, command, by=CLERK)
    again = world.do(grant, Grant(profile=profile(CLERK), role=Role.CLERK), by=ADMIN)
    assert again.before is Role.NONE
    assert world.do(record_payment, command, by=CLERK).by == CLERK


@pytest.mark.rule(120)
def test_an_owner_who_left_is_followed_by_whom_the_operator_names_and_nobody_else(world: World) -> None:
    world.do(leave, Leave(profile=profile(OWNER, deleted=True)), by=SYSTEM)
    assert owners(world) == [OWNER]
    with expect_refusal(world, NoAccess):
        world.do(grant, Grant(profile=profile(MANAGER), role=Role.OWNER), by=OWNER)
    with expect_refusal(world, NoAccess, field="role"):
        world.do(grant, Grant(profile=profile(MANAGER), role=Role.OWNER), by=ADMIN)
    named = world.do(set_owner, SetOwner(profile=profile(MANAGER)), by=SYSTEM)
    assert (named.before, named.person.role) == (Role.MANAGER, Role.OWNER)
    assert owners(world) == [MANAGER]
    with expect_refusal(world, NoAccess):
        world.do(grant, Grant(profile=profile(STRANGER), role=Role.VIEWER), by=OWNER)
    with expect_refusal(world, OwnerExists):
        world.do(set_owner, SetOwner(profile=profile(STRANGER)), by=SYSTEM)


@pytest.mark.rule(120)
def test_an_owner_who_left_and_came_back_is_named_again(world: World) -> None:
    world.do(leave, Leave(profile=profile(OWNER, deleted=True)), by=SYSTEM)
    world.do(set_owner, SetOwner(profile=profile(OWNER)), by=SYSTEM)
    assert owners(world) == [OWNER]
    world.do(grant, Grant(profile=profile(STRANGER), role=Role.ADMINISTRATOR), by=OWNER)


@pytest.mark.rule(120)
def test_administrators_grant_up_to_manager_and_only_the_owner_beyond(world: World) -> None:
    for role in (Role.VIEWER, Role.CLERK, Role.MANAGER):
        world.do(grant, Grant(profile=profile(STRANGER), role=role), by=ADMIN)
        assert role_of(world, STRANGER) is role
    for user, role in (
        (STRANGER, Role.ADMINISTRATOR),
        (STRANGER, Role.OWNER),
        (ADMIN, Role.OWNER),
        (ADMIN, Role.MANAGER),
        (OWNER, Role.MANAGER),
    ):
        with expect_refusal(world, NoAccess, field="role"):
            world.do(grant, Grant(profile=profile(user), role=role), by=ADMIN)
    with expect_refusal(world, NoAccess, field="role"):
        world.do(revoke, Revoke(profile=profile(ADMIN)), by=ADMIN)
    world.do(grant, Grant(profile=profile(STRANGER), role=Role.ADMINISTRATOR), by=OWNER)
    assert role_of(world, STRANGER) is Role.ADMINISTRATOR
    world.do(revoke, Revoke(profile=profile(STRANGER)), by=OWNER)
    assert role_of(world, STRANGER) is Role.NONE
    world.check()


@pytest.mark.rule(120)
def test_only_owner_and_administrators_invite(world: World) -> None:
    for user in (VIEWER, CLERK, MANAGER):
        with expect_refusal(world, NoAccess, says="administrator"):
            world.do(grant, Grant(profile=profile(STRANGER), role=Role.VIEWER), by=user)
    assert role_of(world, STRANGER) is Role.NONE


@pytest.mark.rule(120)
def test_there_is_always_exactly_one_owner(world: World) -> None:
    assert owners(world) == [OWNER]
    with expect_refusal(world, OwnerExists):
        world.do(set_owner, SetOwner(profile=profile(STRANGER)), by=STRANGER)
    with expect_refusal(world, NoAccess, field="person"):
        world.do(grant, Grant(profile=profile(OWNER), role=Role.VIEWER), by=OWNER)
    with expect_refusal(world, NoAccess, field="person"):
        world.do(revoke, Revoke(profile=profile(OWNER)), by=OWNER)
    changed = world.do(grant, Grant(profile=profile(MANAGER), role=Role.OWNER), by=OWNER)
    assert changed.former_owner is not None
    assert (changed.former_owner.user, changed.former_owner.role) == (OWNER, Role.ADMINISTRATOR)
    assert owners(world) == [MANAGER]
    assert role_of(world, OWNER) is Role.ADMINISTRATOR
    assert changed.person == world.store.read(lambda books: books.person(TEAM, MANAGER))
    with expect_refusal(world, NoAccess, field="role"):
        world.do(grant, Grant(profile=profile(OWNER), role=Role.OWNER), by=OWNER)
    world.do(grant, Grant(profile=profile(STRANGER), role=Role.OWNER), by=MANAGER)
    assert owners(world) == [STRANGER]
    world.check()


@pytest.mark.rule(120)
def test_even_a_deactivated_owner_keeps_the_ownership_until_it_is_handed_over(world: World) -> None:
    run_sql(world, f"UPDATE person SET active = {False} WHERE slack_user = '{OWNER}'")
    with pytest.raises(NoAccess):
        world.do(grant, Grant(profile=profile(OWNER), role=Role.MANAGER), by=ADMIN)
    assert ask_sql(world, "SELECT slack_user FROM person WHERE role = 5") == [(OWNER,)]


@pytest.mark.rule(120)
def test_the_database_itself_refuses_a_second_owner(world: World) -> None:
    with pytest.raises(Exception, match=r"(?i)unique"):
        run_sql(world, f"UPDATE person SET role = 5 WHERE slack_user = '{CLERK}'")
    assert owners(world) == [OWNER]


def test_revoking_where_there_is_nothing_is_refused(world: World) -> None:
    with expect_refusal(world, NotFound, field="person"):
        world.do(revoke, Revoke(profile=profile(STRANGER)), by=ADMIN)
    world.do(revoke, Revoke(profile=profile(VIEWER)), by=ADMIN)
    with expect_refusal(world, NotFound, field="person"):
        world.do(revoke, Revoke(profile=profile(VIEWER)), by=ADMIN)


def test_people_are_listed_by_right_and_known_by_their_ids(world: World) -> None:
    people: list[Person] = list(world.store.read(lambda books: books.people()))
    assert [each.user for each in people] == [OWNER, ADMIN, MANAGER, CLERK, VIEWER]
    assert world.store.read(lambda books: books.person("T0OTHER", OWNER)) is None


def test_a_foreign_user_differs_in_team_and_enterprise() -> None:
    here = Actor(team=TEAM, user="U1")
    assert is_same_house(here, TEAM, None)
    assert is_same_house(Actor(team="T2", user="U1", enterprise="E1"), TEAM, "E1")
    assert not is_same_house(Actor(team="T2", user="U1", enterprise="E2"), TEAM, "E1")
    assert not is_same_house(Actor(team="T2", user="U1"), TEAM, None)
