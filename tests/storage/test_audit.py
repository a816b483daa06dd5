"""The audit log: complete, filtered as asked, never changed."""

from datetime import timedelta

import pytest

from bot.domain.errors import MoreThanLeft
from bot.domain.operation import OPERATIONS
from bot.domain.payments import AssignPayment, VoidPayment, assign_payment, void_payment
from bot.domain.ports import AuditLine, AuditQuestion
from bot.domain.settings import ChangeSetting, change_setting
from tests.domain.expect import ask_sql, run_sql
from tests.domain.stages import STAGES
from tests.world import ADMIN, CLERK, MANAGER, OWNER, World

ABOUT_NO_CUSTOMER = (
    {
        "delegate",
        "end_delegation",
        "change_setting",
        "top_up_master",
        "set_master_limit",
        "move_locks",
        "plan_digest",
        "grant",
        "revoke",
        "leave",
        "edit_payment",
        "void_payment",
    }
    | {
        "begin_intake",
        "import_customers",
        "import_invoices",
        "post_opening",
        "finish_intake",
        "take_back_opening",
    }
    | {
        *("save_template", "retire_template", "save_schedule", "retire_schedule", "begin_reminders", "plan_reminders"),
        *("show_reminders", "release_reminders", "release_due", "postpone_reminders", "cancel_reminders"),
        "tell_reminders",
    }
)
COLUMNS = ("app", "event", "description", "actor", "affected", "at")


def read_audit(world: World, question: AuditQuestion | None = None) -> list[AuditLine]:
    return list(world.store.read(lambda books: books.audit(question or AuditQuestion())))


@pytest.mark.rule(115)
@pytest.mark.parametrize("name", list(STAGES))
def test_every_action_is_logged_with_all_six_columns(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    world.now += timedelta(minutes=1)
    world.do(operation, command, by=by)
    line = read_audit(world)[0]
    assert (line.app, line.actor, line.at) == ("Finance", by, world.now)
    assert line.event == OPERATIONS[name].event
    assert line.description
    assert line.request_id.startswith("request-")
    about_a_customer = name not in ABOUT_NO_CUSTOMER
    assert bool(line.affected) == about_a_customer
    if about_a_customer:
        assert "ACME" in line.affected
    assert all(getattr(line, column) is not None for column in COLUMNS)


@pytest.mark.rule(115)
def test_no_operation_is_left_out_of_the_log() -> None:
    assert set(STAGES) | {"set_owner"} == set(OPERATIONS)


@pytest.mark.rule(115)
def test_what_was_refused_or_previewed_did_not_happen_and_is_not_logged(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 5, auto=False)
    before = read_audit(world)
    with pytest.raises(MoreThanLeft):
        world.pay(5, customer, to=((invoice, 6),))
    assert read_audit(world) == before


@pytest.mark.rule(115)
def test_the_description_tells_what_was_done(world: World) -> None:
    customer = world.customer()
    invoice = world.invoice(customer, 5)
    world.pay(8, customer)
    assert read_audit(world)[0].description == f"PAY-0001 recorded: SGD 8.00; SGD 5.00 to {invoice.number}"
    waiting = world.pay(3).payment
    world.do(void_payment, VoidPayment(payment_id=waiting.id, reason="bounced"))
    assert read_audit(world)[0].description == "PAY-0002 voided: SGD 3.00; bounced"
    world.do(change_setting, ChangeSetting(name="due_days", value="9"), by=ADMIN)
    assert read_audit(world)[0].description == "Setting due_days: 30 to 9"


@pytest.mark.rule(116)
def test_the_log_is_filtered_by_time_app_action_organization_and_user(world: World) -> None:
    acme, bravo = world.customer("ACME"), world.customer("BRAVO")
    started = world.now
    world.now += timedelta(hours=1)
    world.pay(1, acme)
    world.now += timedelta(hours=1)
    waiting = world.pay(2).payment
    world.do(assign_payment, AssignPayment(payment_id=waiting.id, customer_id=bravo.id), by=MANAGER)
    world.now += timedelta(hours=1)
    world.do(change_setting, ChangeSetting(name="due_days", value="9"), by=ADMIN)

    def documents(**asked: object) -> list[str]:
        return [line.document for line in read_audit(world, AuditQuestion(**asked))]  # type: ignore[arg-type]

    assert documents(since=started + timedelta(hours=1)) == ["", "PAY-0002", "PAY-0002", "PAY-0001"]
    assert documents(since=started + timedelta(hours=1), until=started + timedelta(hours=2)) == ["PAY-0001"]
    assert documents(event="Record payment") == ["PAY-0002", "PAY-0001"]
    assert documents(event="Assign payment") == ["PAY-0002"]
    assert documents(customer_id=acme.id) == ["PAY-0001", "ACME"]
    assert documents(customer_id=bravo.id, event="Assign payment", actor=MANAGER) == ["PAY-0002"]
    assert documents(actor=MANAGER) == ["PAY-0002"]
    assert len(documents(actor=OWNER)) == 5
    assert len(documents(actor=CLERK)) == 4
    assert len(documents(app="Finance")) == len(documents()) == 11
    assert documents(app="Invoice") == documents(event="Nothing") == []
    assert len(documents(limit=3)) == 3
    assert [line.affected for line in read_audit(world, AuditQuestion(actor=MANAGER))] == ["BRAVO Pte Ltd (BRAVO)"]


@pytest.mark.rule(117)
@pytest.mark.parametrize("table", ["audit", "audit_seal", "request_key", "entry", "posting", "allocation"])
def test_the_database_refuses_to_change_or_delete_what_is_written_once(world: World, table: str) -> None:
    customer = world.customer()
    world.invoice(customer, 5)
    world.pay(5, customer)
    world.check()
    before = ask_sql(world, f"SELECT * FROM {table}")
    assert before
    column = {"audit": "actor", "audit_seal": "hash", "request_key": "outcome", "entry": "kind"}.get(table, "id")
    with pytest.raises(Exception, match=r"do not change|stay as they are"):
        run_sql(world, f"UPDATE {table} SET {column} = {column}")
    with pytest.raises(Exception, match=r"not deleted|stay as they are"):
        run_sql(world, f"DELETE FROM {table}")
    assert ask_sql(world, f"SELECT * FROM {table}") == before
    world.check()


@pytest.mark.rule(117)
@pytest.mark.parametrize("name", list(STAGES))
def test_every_operation_only_adds_one_line(world: World, name: str) -> None:
    operation, command, by = STAGES[name](world)
    statement = "SELECT * FROM audit ORDER BY id"
    before = ask_sql(world, statement)
    world.do(operation, command, by=by)
    after = ask_sql(world, statement)
    assert (after[:-1], len(after)) == (before, len(before) + 1)


@pytest.mark.rule(117)
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET description = 'nothing' WHERE document = 'PAY-0001'",
        "UPDATE audit SET actor = 'U0OTHER' WHERE document = 'PAY-0001'",
        "UPDATE audit_seal SET hash = 'x' || substr(hash, 2) WHERE seq = 3",
        "DELETE FROM audit_seal WHERE seq = 3",
    ],
)
def test_tampering_behind_the_guards_is_found_and_named(world: World, tampering: str) -> None:
    world.pay(5)
    world.check()
    on = {"sqlite": ("", ""), "postgresql": (" ON audit", " ON audit_seal")}[world.store.database.dialect]
    for name, table in (("audit_unchanged", 0), ("audit_seal_unchanged", 1), ("audit_seal_undeleted", 1)):
        run_sql(world, f"DROP TRIGGER guard_{name}{on[table]}")
    run_sql(world, tampering)
    found = world.store.verify()
    assert [finding.check for finding in found] == ["audit chain"]
    assert found[0].where


@pytest.mark.rule(117)
def test_each_audit_row_is_sealed_once_in_one_chain(world: World) -> None:
    world.pay(5)
    count = len(read_audit(world))
    assert world.store.seal() == count
    assert world.store.seal() == 0
    world.pay(6)
    assert world.store.seal() == 1
    seals = ask_sql(world, "SELECT seq, previous_hash, hash FROM audit_seal ORDER BY seq")
    assert [seal[0] for seal in seals] == list(range(1, count + 2))
    assert [seal[1] for seal in seals] == ["0" * 64, *(seal[2] for seal in seals[:-1])]
    world.check()
